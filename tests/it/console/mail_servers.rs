//! Sign-ins whose tokens are for mail servers: Microsoft by IMAP and SMTP, and Google where it is not set up.

use std::time::Duration;

use http::StatusCode;
use mintgate::mailbox::settings::{MailboxSettings, Protocol, Provider};
use mintgate::oauth::source::{Resource, TokenSource};
use mintgate::store::MailboxRow;

use super::wizard::{draft, leads_to, leave_by_the_wizard, submit};
use crate::support::installation::{Installation, MAILBOX, OTHER_MAILBOX};
use crate::support::sign_in::{Browser, query_of};

const HOUR: Duration = Duration::from_secs(3600);

async fn only_mailbox(installation: &Installation) -> MailboxRow {
    let rows = installation.store.mailboxes().await.expect("listed");
    let [row] = rows.try_into().expect("one mailbox");
    row
}

#[tokio::test]
async fn a_microsoft_mailbox_by_imap_is_asked_for_and_refreshed_with_its_servers_scopes() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let authorize = leave_by_the_wizard(&browser, MAILBOX, "microsoft-imap").await;
    let scope = query_of(&authorize)["scope"].clone();
    assert!(scope.contains("https://outlook.office.com/IMAP.AccessAsUser.All"), "{scope}");
    assert!(!scope.contains("Mail.ReadWrite") && !scope.contains("User.Read"), "{scope}");

    let end = browser.finish(&*installation.http, &authorize, MAILBOX).await;
    assert_eq!(end.status(), StatusCode::SEE_OTHER, "{}", end.text());

    let row = only_mailbox(&installation).await;
    let settings = MailboxSettings::parse(&row.settings).expect("settings");
    assert_eq!((row.kind.as_str(), row.address.as_str()), ("imap", MAILBOX));
    assert_eq!((settings.provider, settings.protocol), (Provider::Microsoft, Protocol::Imap));
    installation.clock.advance(HOUR);
    let token = installation.keeper.token(&row.id, Resource::Mail).await.expect("a token");
    assert!(token.grants("IMAP.AccessAsUser.All") && token.grants("SMTP.Send"), "{:?}", token.scopes);
    assert_eq!(installation.sandbox.identity.tokens_given(), 2, "the sign-in's and a refreshed one");
}

#[tokio::test]
async fn somebody_elses_sign_in_is_refused_without_graph_too() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let authorize = leave_by_the_wizard(&browser, MAILBOX, "microsoft-imap").await;
    let end = browser.finish(&*installation.http, &authorize, OTHER_MAILBOX).await;
    assert_eq!(end.status(), StatusCode::FORBIDDEN, "{}", end.text());
    assert!(installation.store.mailboxes().await.expect("listed").is_empty());
}

#[tokio::test]
async fn one_sign_in_gives_tokens_for_two_resources_one_at_a_time() {
    let installation = Installation::start().await;
    let console = installation.console();
    Browser::admin(&console, 1).connect(&*installation.http, MAILBOX).await;
    let id = only_mailbox(&installation).await.id;
    let graph = installation.keeper.token(&id, Resource::Graph).await.expect("a token");
    let mail = installation.keeper.token(&id, Resource::Mail).await.expect("a token");
    assert!(graph.grants("Mail.ReadWrite") && !graph.grants("SMTP.Send"), "{:?}", graph.scopes);
    assert!(mail.grants("SMTP.Send") && !mail.grants("Mail.ReadWrite"), "{:?}", mail.scopes);
    let again = installation.keeper.token(&id, Resource::Graph).await.expect("a token");
    assert!(again.grants("Mail.ReadWrite"), "each has its own");
    assert_eq!(installation.sandbox.identity.tokens_given(), 2);
}

#[tokio::test]
async fn google_that_is_not_set_up_is_asked_for_and_cannot_be_left_for() {
    let installation = Installation::start().await;
    let console = installation.console();
    for (language, words) in [
        ("en", ["GOOGLE_CLIENT_ID", "Google is not set up", "No app is registered at Google yet"]),
        ("de", ["GOOGLE_CLIENT_ID", "nicht eingerichtet", "Bei Google ist noch keine App registriert"]),
    ] {
        let browser = Browser::speaking(&console, language);
        let sign_in = draft(&browser, &format!("{language}@shop.example")).await;
        let connect = leads_to(&submit(&browser, &sign_in, &sign_in, &[("way", "google")]).await);
        let page = browser.get(&connect).await.text();
        assert!(page.contains("google_client_id") && page.contains(words[2]), "{page}");
        let refused = submit(&browser, &connect, &connect, &[]).await;
        assert_eq!(refused.status(), StatusCode::CONFLICT);
        assert!(refused.text().contains(words[0]) && refused.text().contains(words[1]), "{}", refused.text());
    }
}
