//! Mails as customers write them.

/// What Exchange Online writes on top of a mail whose sender it knows.
const KNOWN_SENDER: &str =
    "Authentication-Results: spf=pass smtp.mailfrom=customer.example;compauth=pass reason=100\r\n";

/// A plain mail from a customer; `more` is further header lines, each ending in CRLF.
pub fn mail(from: &str, id: &str, subject: &str, more: &str, text: &str) -> Vec<u8> {
    format!(
        "{KNOWN_SENDER}From: {from}\r\nTo: tickets@desk.example\r\nSubject: {subject}\r\nMessage-ID: <{id}>\r\n\
         Date: Sat, 21 Nov 2026 00:00:00 +0000\r\n{more}MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}

/// Bob's mail number `number`, a conversation of its own.
pub fn question(number: u32) -> Vec<u8> {
    let (id, subject) = (question_id(number), format!("Printer {number} smokes"));
    mail("Bob Customer <bob@customer.example>", &id, &subject, "", &format!("Printer {number} is on fire."))
}

pub fn question_id(number: u32) -> String {
    format!("question-{number}@customer.example")
}

/// Bob's mail `id` that answers the mail `parent`.
pub fn reply(parent: &str, id: &str, text: &str) -> Vec<u8> {
    let threading = format!("In-Reply-To: <{parent}>\r\nReferences: <{parent}>\r\n");
    mail("Bob Customer <bob@customer.example>", id, "Re: Printer smokes", &threading, text)
}

/// A mail with more parts than anybody reads.
pub fn unreadable() -> Vec<u8> {
    let parts = "--x\r\nContent-Type: text/plain\r\n\r\n.\r\n".repeat(2_000);
    let kind = "Content-Type: multipart/mixed; boundary=x\r\n";
    format!("From: mallory@x.example\r\nMessage-ID: <many@x.example>\r\n{kind}\r\n{parts}--x--\r\n")
        .into_bytes()
}

/// The value of a header line, unfolded.
pub fn header(raw: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(raw).replace("\r\n ", " ").replace("\r\n\t", " ");
    let head = text.split("\r\n\r\n").next().unwrap_or_default().to_owned();
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// A delivery report of another server about `returned`, a mail of ours.
pub fn bounce(id: &str, returned: &[u8]) -> Vec<u8> {
    let head = String::from_utf8_lossy(returned);
    let head = head.split("\r\n\r\n").next().unwrap_or_default();
    format!(
        "From: MAILER-DAEMON@customer.example\r\nTo: tickets@desk.example\r\nSubject: Undelivered\r\n\
         Message-ID: <{id}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n\
         --x\r\nContent-Type: text/plain\r\n\r\nThe mailbox is full.\r\n\
         --x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.customer.example\r\n\r\n\
         Final-Recipient: rfc822; bob@customer.example\r\nAction: failed\r\nStatus: 5.2.2\r\n\r\n\
         --x\r\nContent-Type: text/rfc822-headers\r\n\r\n{head}\r\n\r\n--x--\r\n"
    )
    .into_bytes()
}
