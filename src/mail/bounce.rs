//! What a report on a delivery says: RFC 3464 where a server follows it, the sentences of those that do
//! not. Knows that the mail is a report; whether it is one is decided elsewhere.

use std::borrow::Cow;

use mail_parser::{MessageParser, MessagePart, MimeHeaders, PartType};

use super::{Delivery, message_id};

/// Further text is a copy of the mail that came back.
const LOOKED_AT: usize = 6_000;

/// What servers write about a mail they give back, lower case.
const SENTENCES: [&str; 44] = [
    "could not be delivered",
    "couldn't be delivered",
    "cannot be delivered",
    "can't be delivered",
    "wasn't delivered",
    "was not delivered",
    "not been delivered",
    "unable to deliver",
    "undeliverable",
    "undelivered",
    "undeliver",
    "delivery failed",
    "delivery has failed",
    "delivery failure",
    "delivery to the following",
    "delivery status notification",
    "delivery not successful",
    "failed to deliver",
    "failed permanently",
    "permanent error",
    "permanent fatal error",
    "permanent failure",
    "returned mail",
    "returned to sender",
    "returning your mail",
    "bounce notification",
    "message was rejected",
    "mail was rejected",
    "was rejected by",
    "was not reached",
    "no such user",
    "user unknown",
    "unknown user",
    "unknown recipient",
    "invalid user address",
    "invalid recipient",
    "does not exist",
    "mailbox full",
    "mailbox is full",
    "over quota",
    "unzustellbar",
    "nicht zugestellt",
    "送信できませんでした",
    "配信できませんでした",
];

/// Whether a server could have written this about a mail it gives back.
pub(super) fn sounds_like_one(subject: &str, text: &str) -> bool {
    let (subject, text) = (subject.to_lowercase(), beginning(text).to_lowercase());
    SENTENCES.iter().any(|sentence| subject.contains(sentence) || text.contains(sentence))
}

/// Whether a part is what RFC 3464 calls a delivery status.
pub(super) fn has_status(mail: &mail_parser::Message<'_>) -> bool {
    mail.parts.iter().any(|part| is_kind(part, "message", &["delivery-status", "global-delivery-status"]))
}

/// Whether a mail is attached, whole or as its headers.
pub(super) fn has_returned(mail: &mail_parser::Message<'_>) -> bool {
    mail.parts.iter().any(is_returned)
}

/// What became of the mail, as far as the report tells.
pub(super) fn delivery(mail: &mail_parser::Message<'_>, text: &str) -> Delivery {
    let fields = status_text(mail).map(Cow::Owned).unwrap_or_else(|| Cow::Borrowed(beginning(text)));
    let code = field(&fields, "status").and_then(status_code);
    let sentences = [field(&fields, "diagnostic-code").unwrap_or_default(), beginning(text)];
    let mut told = sentences.into_iter().filter_map(status_code);
    // `5.0.0` says nothing that a sentence could not say better.
    let status = match code {
        Some(code) if !code.ends_with(".0.0") => Some(code),
        code => told.next().or(code).or_else(|| sentences.into_iter().find_map(worded_code)),
    };
    let action = field(&fields, "action").map(|value| value.to_ascii_lowercase());
    let permanent = match action.as_deref() {
        Some("delayed") => Some(false),
        Some("failed") if status.is_none() => Some(true),
        _ => status.as_deref().and_then(is_permanent),
    };
    Delivery {
        permanent,
        recipient: recipient(mail, &fields, text),
        message_id: returned_id(mail, text),
        status,
    }
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(LOOKED_AT).map_or(text, |(end, _)| &text[..end])
}

fn is_kind(part: &MessagePart<'_>, main: &str, subs: &[&str]) -> bool {
    part.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case(main)
            && kind.subtype().is_some_and(|sub| subs.iter().any(|wanted| sub.eq_ignore_ascii_case(wanted)))
    })
}

fn is_returned(part: &MessagePart<'_>) -> bool {
    matches!(part.body, PartType::Message(_)) || is_kind(part, "text", &["rfc822-headers"])
}

fn status_text(mail: &mail_parser::Message<'_>) -> Option<String> {
    let is_status =
        |part: &&MessagePart<'_>| is_kind(part, "message", &["delivery-status", "global-delivery-status"]);
    let part = mail.parts.iter().find(is_status)?;
    Some(String::from_utf8_lossy(part.contents()).into_owned())
}

/// The value of the first line `name: value`.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .filter_map(|line| line.trim_start_matches(['>', ' ']).split_once(':'))
        .find_map(|(label, value)| label.trim().eq_ignore_ascii_case(name).then(|| value.trim()))
}

/// The first enhanced status code (RFC 3463) that tells a failure.
fn status_code(text: &str) -> Option<String> {
    text.split(|one: char| !(one.is_ascii_digit() || one == '.')).find_map(|word| {
        let word = word.trim_matches('.');
        let parts: Vec<&str> = word.split('.').collect();
        let fits = matches!(parts[..], ["4" | "5", subject, detail] if is_small(subject) && is_small(detail));
        fits.then(|| word.to_owned())
    })
}

fn is_small(number: &str) -> bool {
    (1..=3).contains(&number.len())
}

/// What the words say where no status code does: the class from the reply code (RFC 5321, 4.2), the detail
/// from the commonest sentences.
fn worded_code(text: &str) -> Option<String> {
    const DETAILS: [(&str, &str); 9] = [
        ("user unknown", ".1.1"),
        ("unknown user", ".1.1"),
        ("no such user", ".1.1"),
        ("unknown recipient", ".1.1"),
        ("invalid recipient", ".1.1"),
        ("does not exist", ".1.1"),
        ("mailbox full", ".2.2"),
        ("mailbox is full", ".2.2"),
        ("over quota", ".2.2"),
    ];
    let lower = text.to_lowercase();
    let detail = DETAILS.iter().find(|(words, _)| lower.contains(words)).map(|(_, detail)| *detail);
    let code = |word: &str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    let mut words = lower.split(|one: char| !one.is_ascii_alphanumeric()).filter(|word| code(word));
    let class = words.find_map(|word| match word.as_bytes() {
        [b'5', b'0' | b'5', _] => Some("5"),
        [b'4', b'2' | b'5', _] => Some("4"),
        _ => None,
    });
    match (class, detail) {
        (None, None) => None,
        (class, detail) => Some(format!("{}{}", class.unwrap_or("5"), detail.unwrap_or(".0.0"))),
    }
}

fn is_permanent(status: &str) -> Option<bool> {
    match status.as_bytes().first() {
        Some(b'5') => Some(true),
        Some(b'4') => Some(false),
        _ => None,
    }
}

fn recipient(mail: &mail_parser::Message<'_>, fields: &str, text: &str) -> Option<String> {
    let structured = ["final-recipient", "original-recipient", "x-actual-recipient"];
    let named = structured.iter().find_map(|name| {
        let value = field(fields, name)?;
        address(value.rsplit(';').next().unwrap_or(value))
    });
    let header = || {
        let value = mail.header_raw("X-Failed-Recipients")?;
        address(value.split(',').next().unwrap_or(value))
    };
    named.or_else(header).or_else(|| beginning(text).lines().find_map(address_in_line))
}

/// The address that a line of its own names: `<x@y>:`, `x@y`, `To: x@y`.
fn address_in_line(line: &str) -> Option<String> {
    line.split_whitespace().take(12).find_map(|word| {
        let plain = word.trim_matches(|one: char| !one.is_alphanumeric());
        address(plain.strip_prefix("mailto:").unwrap_or(plain))
    })
}

fn address(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['<', '>', '"', '\'', ' ']);
    let (local, domain) = text.split_once('@')?;
    let fits = !local.is_empty() && domain.contains('.') && text.len() <= 320;
    let plain = text.chars().all(|one| one.is_alphanumeric() || "@.!#$%&'*+-/=?^_`{|}~".contains(one));
    (fits && plain && !domain.contains('@')).then(|| text.to_owned())
}

/// The Message-ID of the mail that came back.
fn returned_id(mail: &mail_parser::Message<'_>, text: &str) -> Option<String> {
    let attached = mail.parts.iter().find(|part| is_returned(part)).and_then(|part| match &part.body {
        PartType::Message(returned) => returned.message_id().and_then(message_id::normalise),
        _ => MessageParser::default()
            .parse_headers(part.contents())
            .and_then(|headers| headers.message_id().and_then(message_id::normalise)),
    });
    attached.or_else(|| field(text, "message-id").and_then(message_id::normalise))
}

#[cfg(test)]
mod tests {
    use crate::mail::read::read;
    use crate::mail::{AutomaticKind, Delivery};

    fn told(raw: &str) -> Delivery {
        let found = read(raw.as_bytes()).expect("a mail").automatic.expect("a machine");
        assert_eq!(found.kind, AutomaticKind::Bounce);
        found.delivery
    }

    fn wanted(status: &str, recipient: &str, permanent: bool, message_id: Option<&str>) -> Delivery {
        Delivery {
            status: Some(status.into()),
            recipient: Some(recipient.into()),
            permanent: Some(permanent),
            message_id: message_id.map(str::to_owned),
        }
    }

    #[test]
    fn a_report_by_the_rules_is_read() {
        let report = "From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n\
             --r\r\nContent-Type: text/plain\r\n\r\nNo such user\r\n\
             --r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
             Final-Recipient: rfc822; bob@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\
             --r\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <ours@desk.example>\r\nSubject: x\r\n\r\nhello\r\n--r--\r\n";
        assert_eq!(told(report), wanted("5.1.1", "bob@customer.example", true, Some("ours@desk.example")));
        let delayed = report.replace("failed", "delayed").replace("5.1.1", "4.4.1");
        assert_eq!(told(&delayed), wanted("4.4.1", "bob@customer.example", false, Some("ours@desk.example")));
        let headers_only = report.replace("message/rfc822", "text/rfc822-headers");
        assert_eq!(told(&headers_only).message_id.as_deref(), Some("ours@desk.example"));
    }

    #[test]
    fn servers_that_write_sentences_are_understood() {
        let cases = [
            (
                "From: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\n\r\nHi. This is the qmail-send program.\r\n\r\n\
                 <bob@customer.example>:\r\n192.0.2.1 does not like recipient.\r\nRemote host said: 550 5.7.1 no\r\n\r\n\
                 --- Below this line is a copy of the message.\r\n\r\nMessage-ID: <ours@desk.example>\r\n",
                wanted("5.7.1", "bob@customer.example", true, Some("ours@desk.example")),
            ),
            (
                "From: Mail Delivery System <Mailer-Daemon@mx.example>\r\nX-Failed-Recipients: bob@customer.example\r\n\r\n\
                 A message that you sent could not be delivered.\r\n  bob@customer.example\r\n    550 unknown user\r\n",
                wanted("5.1.1", "bob@customer.example", true, None),
            ),
            (
                "Return-Path: <>\r\nFrom: postmaster@mx.example\r\nSubject: Undeliverable mail\r\n\r\n\
                 bob@customer.example\r\n452 mailbox full, will be tried again\r\n",
                wanted("4.2.2", "bob@customer.example", false, None),
            ),
        ];
        for (raw, delivery) in cases {
            assert_eq!(told(raw), delivery, "{raw}");
        }
    }
}
