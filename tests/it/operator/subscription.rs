//! `mintgate mailbox disconnect` while Graph has promised to tell of new mail.

use mintgate::sandbox::MAILBOX;
use mintgate::store::{self, StoreAt};

use super::ask;
use crate::story::Story;
use crate::support::process::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_in_the_shell_ends_the_subscription_at_graph_too() {
    let story = Story::begin().await;
    let file = std::fs::read_to_string(&story.scene.config).expect("the start-up file");
    let file = file.replace("pollInterval: 1s", "pollInterval: 1h, changeNotifications: true");
    std::fs::write(&story.scene.config, file).expect("written");
    let program = story.scene.start_program().await;
    story.connect_mailbox().await;
    let graph = &story.scene.sandbox.graph;
    eventually("a subscription", async || (graph.subscriptions().len() == 1).then_some(())).await;

    // Graph's call comes through everything that stands before the desk.
    graph.customer_writes("bob@customer.example", MAILBOX, "Told of", "Please look.", None);
    eventually("a ticket", async || {
        story.scene.sandbox.desk.tickets().iter().any(|ticket| ticket.title == "Told of").then_some(())
    })
    .await;

    let folder = story.scene.config.parent().expect("a folder");
    let at = StoreAt::Sqlite(folder.join("mintgate.db"));
    let rows = store::open_beside(&at).await.expect("the store").mailboxes().await.expect("listed");
    let asked = ask(folder, &["mailbox", "disconnect", rows[0].id.as_str()]).await;
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    assert_eq!(graph.subscriptions().len(), 0);
    drop(program);
}
