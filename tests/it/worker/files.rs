//! What mails bring: kept before the ticket tells of it, named there, and kept as long as the ticket lives.

use std::time::Duration;

use mintgate::mail::policy::{Files, Policy};
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::store::FileRow;

use super::mails::{question, question_id, reply};
use super::scene::Scene;

const DAY: Duration = Duration::from_secs(24 * 3600);
const ORIGIN: &str = "https://desk.example";

/// `plain` as a mail with two files.
fn with_files(plain: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(plain).expect("text");
    let (head, body) =
        text.split_once("Content-Type: text/plain; charset=utf-8\r\n\r\n").expect("a plain mail");
    let file = |name: &str, kind: &str, text: &str| {
        format!(
            "--x\r\nContent-Type: {kind}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\n\
             {text}\r\n"
        )
    };
    let files =
        file("invoice 3.pdf", "application/pdf", "%PDF") + &file("big.iso", "application/x-iso", "123456789");
    format!(
        "{head}Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n{body}\r\n{files}\
         --x--\r\n"
    )
    .into_bytes()
}

async fn scene() -> Scene {
    let mut scene = Scene::new().await;
    let files = Files { per_mail: 8, total: 100, origin: ORIGIN.to_owned() };
    scene.policy = Policy { files, ..Policy::default() };
    scene
}

async fn newest(scene: &Scene) -> (i64, Vec<FileRow>) {
    let id = scene.store.recent_inbound(None, 1).await.expect("listed")[0].id;
    (id, scene.store.files_of(id).await.expect("listed"))
}

#[tokio::test]
async fn a_ticket_says_where_its_files_are_and_names_what_was_too_much() {
    let scene = scene().await;
    scene.deliver(&with_files(question(1)));
    scene.pass().await;
    let (id, files) = newest(&scene).await;
    let detail = scene.desk.tickets()[0].detail.clone().expect("a text");
    for part in [
        format!("{ORIGIN}/mail-files/{id}\""),
        "invoice 3.pdf (4 bytes): ".to_owned(),
        format!("\"href\":\"{ORIGIN}/mail-files/{id}/1/invoice_3.pdf\""),
        "big.iso (application/x-iso, 9 bytes): not kept".to_owned(),
    ] {
        assert!(detail.replace("\\\"", "\"").contains(&part), "{part} in {detail}");
    }
    let digest = files[0].digest.as_deref().expect("kept");
    assert_eq!(scene.store.file_bytes(digest).await.expect("read").as_deref(), Some(&b"%PDF"[..]));
    assert_eq!(files[1].digest, None);
}

#[tokio::test]
async fn a_comment_says_where_its_files_are() {
    let scene = scene().await;
    scene.deliver(&question(1));
    scene.pass().await;
    scene.deliver(&with_files(reply(&question_id(1), "r1@customer.example", "See the file.")));
    scene.pass().await;
    let (id, _) = newest(&scene).await;
    let notes = scene.notes(&scene.desk.tickets()[0].id);
    assert!(notes[0].contains(&format!("{ORIGIN}/mail-files/{id}/1/invoice_3.pdf")), "{notes:?}");
}

#[tokio::test]
async fn a_ticket_whose_answer_was_lost_has_its_files_once() {
    for effect in [Effect::CutAfter, Effect::RefuseBefore { status: 500, retry_after: None }] {
        let scene = scene().await;
        scene.desk.faults.add(Fault::on("POST", "/api/v1/ticket/create", effect).times(1));
        scene.deliver(&with_files(question(1)));
        scene.any_pass().await;
        scene.settle_down().await;
        assert_eq!(scene.desk.tickets().len(), 1);
        assert_eq!(newest(&scene).await.1.len(), 2);
    }
}

#[tokio::test]
async fn files_stay_when_the_bytes_of_their_mail_are_dropped() {
    let scene = scene().await;
    scene.deliver(&with_files(question(1)));
    scene.deliver(&question(2));
    scene.pass().await;
    scene.clock.advance(29 * DAY);
    scene.pass().await;
    assert_eq!(raw_mails(&scene).await, 2);
    scene.clock.advance(2 * DAY);
    scene.pass().await;
    assert_eq!(raw_mails(&scene).await, 0);
    let mut kept = 0;
    for mail in scene.store.recent_inbound(None, 10).await.expect("listed") {
        let files = scene.store.files_of(mail.id).await.expect("listed");
        for digest in files.iter().filter_map(|file| file.digest.as_deref()) {
            kept += usize::from(scene.store.file_bytes(digest).await.expect("read").is_some());
        }
    }
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn files_of_a_ticket_that_was_deleted_go_after_a_month() {
    let scene = scene().await;
    scene.deliver(&with_files(question(1)));
    scene.pass().await;
    scene.desk.remove_ticket(&scene.desk.tickets()[0].id);
    let mut found = Vec::new();
    for _ in 0..4 {
        scene.clock.advance(12 * DAY);
        scene.pass().await;
        let mail = scene.store.recent_inbound(None, 1).await.expect("listed").remove(0);
        found.push(scene.store.files_of(mail.id).await.expect("listed").len());
    }
    assert_eq!(found, [2, 2, 2, 0]);
}

async fn raw_mails(scene: &Scene) -> usize {
    let mut found = 0;
    for mail in scene.store.recent_inbound(None, 10).await.expect("listed") {
        found += usize::from(scene.store.inbound_raw(mail.id).await.expect("read").is_some());
    }
    found
}
