//! What the worker tells administrators: each change once, and no address.

use std::time::Duration;

use mintgate::base::audit::Outcome;
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::store::EventKind;

use super::mails::{question, unreadable};
use super::scene::{Scene, id};

async fn told(scene: &Scene) -> Vec<(EventKind, Outcome, String)> {
    let rows = scene.store.events(Some(&id()), None, 100).await.expect("listed");
    rows.into_iter().rev().map(|row| (row.event.kind, row.event.outcome, row.event.detail)).collect()
}

#[tokio::test]
async fn a_mailbox_that_fails_is_told_once_and_again_when_it_works() {
    let scene = Scene::new().await;
    scene.pass().await;
    scene.graph.faults.add(Fault::anywhere("*", Effect::CutBefore));
    for _ in 0..3 {
        scene.clock.advance(Duration::from_secs(600));
        scene.troubled_pass().await;
    }
    scene.graph.faults.clear();
    scene.settle_down().await;

    let told = told(&scene).await;
    let [(kind, Outcome::Failure, _), (EventKind::Mailbox, Outcome::Success, again)] = told.as_slice() else {
        panic!("a failure and its end: {told:?}");
    };
    assert_eq!((*kind, again.as_str()), (EventKind::Mailbox, "works again"));
}

#[tokio::test]
async fn a_mail_that_is_put_aside_is_told_by_its_name() {
    let scene = Scene::new().await;
    scene.deliver(&unreadable());
    scene.deliver(&question(1));
    scene.settle_down().await;

    let told = told(&scene).await;
    let [(EventKind::Mail, Outcome::Failure, detail)] = told.as_slice() else {
        panic!("one event: {told:?}");
    };
    assert!(detail.starts_with("in-") && detail.contains(" put aside: "), "{detail}");
}
