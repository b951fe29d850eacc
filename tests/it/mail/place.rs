//! Shared mailboxes, chosen folders and what becomes of processed mail at Graph: what goes over the wire.

use mintgate::mailbox::graph::{GraphMailbox, Place};
use mintgate::mailbox::settings::AfterProcessing;
use mintgate::mailbox::{MailSink, MailSource, MailboxError};
use serde_json::json;

use super::{MAIL, NOW, Script, mailbox};

const SHARED: &[&str] = &["mail.readwrite.shared", "mail.send.shared"];
const OWN: &[&str] = &["mail.readwrite", "mail.send"];

async fn at(place: Place, scopes: &'static [&'static str]) -> (Script, String, GraphMailbox) {
    let (script, origin) = Script::start().await;
    let mailbox = mailbox(&[&origin], scopes).at(place);
    (script, origin, mailbox)
}

fn shared() -> Place {
    Place { shared_address: Some("info@desk.example".to_owned()), ..Place::default() }
}

fn after(after: AfterProcessing) -> Place {
    Place { after, ..Place::default() }
}

#[tokio::test]
async fn a_shared_mailbox_is_named_in_every_call() {
    let (script, origin, mailbox) = at(shared(), SHARED).await;
    script.json(200, json!({ "@odata.deltaLink": format!("{origin}/v1.0/end"), "value": [] }));
    script.reply(200, &[], "Subject: x\r\n\r\n");
    script.json(200, json!({}));
    script.json(201, json!({ "id": "D=" }));

    mailbox.list(None, NOW).await.expect("a page");
    mailbox.fetch("A=", 100).await.expect("a mail");
    mailbox.settle("A=").await.expect("settled");
    mailbox.prepare(MAIL).await.expect("a draft");

    for (line, wanted) in script.lines().iter().zip([
        "GET /v1.0/users/info@desk.example/mailFolders/inbox/messages/delta?",
        "GET /v1.0/users/info@desk.example/messages/A=/$value",
        "PATCH /v1.0/users/info@desk.example/messages/A=",
        "POST /v1.0/users/info@desk.example/messages",
    ]) {
        assert!(line.starts_with(wanted), "{line}");
    }
    assert_eq!(script.lines().len(), 4);
}

#[tokio::test]
async fn the_own_mailboxs_permission_opens_no_shared_one() {
    let (script, _, mailbox) = at(shared(), OWN).await;
    let refused = mailbox.settle("A=").await;
    assert!(matches!(refused, Err(MailboxError::NotGranted { scope: "Mail.ReadWrite.Shared" })));
    assert_eq!(script.lines().len(), 0);
}

#[tokio::test]
async fn a_folder_is_found_by_its_path_and_its_cursor_is_its_own() {
    let place = Place { folder: Some("Support/today".to_owned()), ..Place::default() };
    let (script, origin, mailbox) = at(place, OWN).await;
    let folder = |id: &str, name: &str| {
        json!({ "value": [
        { "id": "X=", "displayName": "Other" }, { "id": id, "displayName": name } ] })
    };
    script.json(200, folder("S=", "Support"));
    script.json(200, folder("T=", "Today"));
    script.json(200, json!({ "@odata.deltaLink": format!("{origin}/v1.0/end"), "value": [] }));
    script.json(200, json!({ "@odata.deltaLink": format!("{origin}/v1.0/end"), "value": [] }));

    let page = mailbox.list(None, NOW).await.expect("a page");
    mailbox.list(Some(&page.cursor), NOW).await.expect("a page");
    let foreign = mailbox.list(Some(&format!("{origin}/v1.0/end")), NOW).await;

    let lines = script.lines();
    assert!(lines[0].starts_with("GET /v1.0/me/mailFolders?"), "{lines:?}");
    assert!(lines[1].starts_with("GET /v1.0/me/mailFolders/S=/childFolders?"), "{lines:?}");
    assert!(lines[2].starts_with("GET /v1.0/me/mailFolders/T=/messages/delta?"), "{lines:?}");
    assert_eq!(lines[3], "GET /v1.0/end");
    assert!(matches!(foreign, Err(MailboxError::CursorLost)), "the inbox's cursor is another folder's");
    assert_eq!(lines.len(), 4);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_refused() {
    let place = Place { folder: Some("Nowhere".to_owned()), ..Place::default() };
    let (script, _, mailbox) = at(place, OWN).await;
    script.json(200, json!({ "value": [] }));
    let refused = mailbox.list(None, NOW).await;
    assert!(matches!(refused, Err(MailboxError::Refused { status: 404, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_processed_mail_is_left_moved_or_deleted_as_chosen() {
    let (script, _, mailbox) = at(after(AfterProcessing::Leave), OWN).await;
    mailbox.settle("A=").await.expect("left");
    assert_eq!(script.lines().len(), 0);

    let (script, _, mailbox) = at(after(AfterProcessing::Delete), OWN).await;
    script.json(201, json!({ "id": "A=" }));
    mailbox.settle("A=").await.expect("deleted");
    assert_eq!(script.lines(), ["POST /v1.0/me/messages/A=/move"]);
    assert_eq!(script.seen()[0].body, br#"{"destinationId":"deleteditems"}"#);

    let (script, _, mailbox) = at(after(AfterProcessing::Move { folder: "Done".to_owned() }), OWN).await;
    script.json(200, json!({ "value": [] }));
    script.json(201, json!({ "id": "N=", "displayName": "Done" }));
    for _ in 0..2 {
        script.json(201, json!({ "id": "A=" }));
        mailbox.settle("A=").await.expect("moved, and again");
    }
    let lines = script.lines();
    assert_eq!(
        lines[1..],
        ["POST /v1.0/me/mailFolders", "POST /v1.0/me/messages/A=/move", "POST /v1.0/me/messages/A=/move"]
    );
    assert_eq!(script.seen()[3].body, br#"{"destinationId":"N="}"#);
}

#[tokio::test]
async fn a_folder_that_was_deleted_and_made_again_is_looked_up_again() {
    let place = Place { folder: Some("Support".to_owned()), ..Place::default() };
    let (script, origin, mailbox) = at(place, OWN).await;
    let end = json!({ "@odata.deltaLink": format!("{origin}/v1.0/end"), "value": [] });
    script.json(200, json!({ "value": [{ "id": "S=", "displayName": "Support" }] }));
    script.json(200, end.clone());
    script.refuse(404, "ErrorItemNotFound");
    script.json(200, json!({ "value": [{ "id": "NEW=", "displayName": "Support" }] }));
    script.json(200, end);

    let page = mailbox.list(None, NOW).await.expect("a page");
    let lost = mailbox.list(Some(&page.cursor), NOW).await;
    mailbox.list(None, NOW).await.expect("a page");

    assert!(matches!(lost, Err(MailboxError::CursorLost)), "{lost:?}");
    assert!(
        script.lines()[4].starts_with("GET /v1.0/me/mailFolders/NEW=/messages/delta?"),
        "{:?}",
        script.lines()
    );
}

#[tokio::test]
async fn a_mail_is_moved_although_its_target_was_deleted_meanwhile() {
    let (script, _, mailbox) = at(after(AfterProcessing::Move { folder: "Done".to_owned() }), OWN).await;
    script.json(200, json!({ "value": [{ "id": "D=", "displayName": "Done" }] }));
    script.refuse(404, "ErrorItemNotFound");
    script.json(200, json!({ "id": "A=", "receivedDateTime": "2026-11-21T00:02:03Z" }));
    script.json(200, json!({ "value": [] }));
    script.json(201, json!({ "id": "N=", "displayName": "Done" }));
    script.json(201, json!({ "id": "A=" }));

    mailbox.settle("A=").await.expect("moved");

    assert_eq!(script.seen()[5].body, br#"{"destinationId":"N="}"#);
}

#[tokio::test]
async fn a_mail_that_is_gone_needs_no_moving() {
    let (script, _, mailbox) = at(after(AfterProcessing::Move { folder: "Done".to_owned() }), OWN).await;
    script.json(200, json!({ "value": [{ "id": "D=", "displayName": "Done" }] }));
    script.refuse(404, "ErrorItemNotFound");
    script.refuse(404, "ErrorItemNotFound");
    mailbox.settle("A=").await.expect("nothing is left to do");
    assert_eq!(script.lines().len(), 3);
}

#[tokio::test]
async fn with_read_alone_a_mail_is_neither_moved_nor_deleted() {
    for chosen in [AfterProcessing::Delete, AfterProcessing::Move { folder: "Done".to_owned() }] {
        let (script, _, mailbox) = at(after(chosen), &["mail.read"]).await;
        let refused = mailbox.settle("A=").await;
        assert!(matches!(refused, Err(MailboxError::NotGranted { .. })), "{refused:?}");
        assert_eq!(script.lines().len(), 0);
    }
}
