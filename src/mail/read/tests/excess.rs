//! Mails that have more of one thing than anybody needs.

use crate::mail::read::{Limits, read_guarded};

/// Mails made to keep a reader busy: each has one thing that nobody needs so much of.
fn excesses() -> Vec<(&'static str, Vec<u8>)> {
    const MANY: usize = 30_000;
    let page = |markup: &str| format!("Content-Type: text/html\r\n\r\n{}New.", markup.repeat(MANY));
    let text = |lines: &str| format!("Subject: x\r\n\r\nNew.\r\n\r\n{}> end\r\n", lines.repeat(MANY));
    let boundary = "b".repeat(MANY);
    let nested: String = (0..300)
        .map(|at| format!("Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\n"))
        .collect();
    [
        ("fields", format!("{}\r\nNew.", "X-Field: value\r\n".repeat(MANY))),
        ("ids", format!("In-Reply-To: {0}\r\nReferences: {0}\r\n\r\nNew.", "<1@x> ".repeat(MANY))),
        ("different ids", (0..MANY).map(|at| format!("References: <{at}@x>\r\nIn-Reply-To: <y{at}@x>\r\n")).collect::<String>() + "\r\nNew."),
        ("addresses", format!("To: {}\r\n\r\nNew.", "a@b.example, ".repeat(MANY))),
        ("comments", format!("From: {}a@b.example\r\nAuthentication-Results: {}\r\n\r\nNew.", "(".repeat(MANY), "(;".repeat(MANY))),
        ("encoded words", format!("Subject: {}\r\n\r\nNew.", "=?utf-8?Q?=E2=80=AE?= ".repeat(MANY))),
        ("a boundary", format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\n\r\nNew.\r\n--{boundary}--\r\n")),
        ("depth", format!("{nested}\r\nNew.")),
        ("elements", page("<div class=\"gmail_quote\"><b>")),
        ("tables", page("<table><tr><td><ul><li>")),
        ("attributes", page("<a href='https://x.example/?q=<' style=\"a:b;\">")),
        ("phones", text("Sent from my iPhone\r\n\r\n")),
        ("attributions", text("On 1 Jan 2026 10:00, Bob <b@d.example> wrote:\r\n\r\n")),
        ("labels", text("From: x\r\n")),
        ("signatures", text("-- \r\n____\r\n")),
        ("initials", text("AB> x\r\n\r\n")),
    ]
    .into_iter()
    .map(|(what, mail)| (what, mail.into_bytes()))
    .collect()
}

#[test]
fn too_much_of_anything_is_read_all_the_same() {
    for (what, mail) in excesses() {
        match read_guarded(&mail, &Limits::default()) {
            Ok(message) => assert!(!message.text.is_empty() && !message.reply.is_empty(), "{what}"),
            Err(error) => panic!("{what}: {error}"),
        }
    }
}
