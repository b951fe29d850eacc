//! Whether a mail was written by a machine, and how one can tell. Looks at headers in layers, the
//! surest first; knows nothing of tickets. Sources: RFC 3834, RFC 3464, RFC 2919, [MS-OXCMAIL] 2.1.3.2.

use super::headers::Headers;
use super::{Automatic, AutomaticKind, Delivery, bounce};

/// Why this mail is not from a person; `None` when nothing says so. `text` is its whole text.
pub(crate) fn detect(headers: &Headers<'_>, text: &str) -> Option<Automatic> {
    let mut found = kind(headers, text)?;
    if found.kind == AutomaticKind::Bounce {
        found.delivery = bounce::delivery(headers.0, text);
    }
    Some(found)
}

fn kind(headers: &Headers<'_>, text: &str) -> Option<Automatic> {
    report(headers, text)
        .or_else(|| failed_recipients(headers))
        .or_else(|| notification(text))
        .or_else(|| daemon(headers, text))
        .or_else(|| return_path(headers, text))
        .or_else(|| auto_submitted(headers))
        .or_else(|| suppressed(headers))
        .or_else(|| responder(headers))
        .or_else(|| list(headers))
        .or_else(|| precedence(headers))
        .or_else(|| subject(headers))
}

fn told(kind: AutomaticKind, reason: impl Into<String>) -> Automatic {
    Automatic { kind, reason: reason.into(), list: None, delivery: Delivery::default() }
}

/// RFC 6522: delivery reports, receipts, abuse reports. Some servers leave the outer type out.
fn report(headers: &Headers<'_>, text: &str) -> Option<Automatic> {
    let content_type = headers.text("Content-Type").unwrap_or_default().to_ascii_lowercase();
    let is_report = content_type.starts_with("multipart/report");
    let feedback =
        content_type.contains("feedback-report") || content_type.contains("disposition-notification");
    if is_report && feedback {
        return Some(told(AutomaticKind::Feedback, "Content-Type: multipart/report"));
    }
    if headers.0.parts.iter().any(is_feedback) {
        return Some(told(AutomaticKind::Feedback, "message/feedback-report"));
    }
    if is_report {
        return Some(told(AutomaticKind::Bounce, "Content-Type: multipart/report"));
    }
    // A person may pass one on: within the mail that was passed on, or beside his own words.
    let reports = !is_from_a_person(headers) || bounce::sounds_like_one(&headers.subject(), text);
    (bounce::has_status(headers.0) && reports).then(|| told(AutomaticKind::Bounce, "message/delivery-status"))
}

fn is_feedback(part: &mail_parser::MessagePart<'_>) -> bool {
    use mail_parser::MimeHeaders as _;
    let reports = part.content_type().is_some_and(|kind| kind.subtype() == Some("feedback-report"));
    // Microsoft's junk mail reports are no more than the mail, marked so.
    let marked = || part.message().is_some_and(|mail| mail.header_raw("X-HmXmrOriginalRecipient").is_some());
    reports || marked()
}

/// Exim writes it into its reports, which are plain text.
fn failed_recipients(headers: &Headers<'_>) -> Option<Automatic> {
    headers.text("X-Failed-Recipients").map(|_| told(AutomaticKind::Bounce, "X-Failed-Recipients"))
}

/// Amazon tells of deliveries in JSON.
fn notification(text: &str) -> Option<Automatic> {
    let start = text.trim_start();
    if !start.starts_with('{') || start.len() > 100_000 {
        return None;
    }
    // What Amazon adds stands below a line of two dashes; a person has something to say behind it.
    if !start.trim_end().ends_with('}') && !start.contains("\n--") {
        return None;
    }
    let plain: String = start.chars().take(200).filter(|one| !one.is_whitespace() && *one != '\\').collect();
    match plain {
        plain if plain.contains("\"notificationType\":\"Bounce\"") => {
            Some(told(AutomaticKind::Bounce, "notificationType: Bounce"))
        }
        plain if plain.contains("\"notificationType\":\"Complaint\"") => {
            Some(told(AutomaticKind::Feedback, "notificationType: Complaint"))
        }
        plain if plain.contains("\"notificationType\":\"Delivery\"") => {
            Some(told(AutomaticKind::AutoReply, "notificationType: Delivery"))
        }
        _ => None,
    }
}

/// RFC 5321, 4.5.5: mail that must not be answered has an empty return path, automatic answers too.
fn return_path(headers: &Headers<'_>, text: &str) -> Option<Automatic> {
    let path = headers.text("Return-Path")?;
    if path.replace(' ', "") != "<>" {
        return None;
    }
    let answers = auto_submitted(headers).or_else(|| responder(headers)).or_else(|| subject(headers));
    match answers {
        Some(found) if !bounce::sounds_like_one(&headers.subject(), text) => Some(found),
        _ => Some(told(AutomaticKind::Bounce, "Return-Path: <>")),
    }
}

/// Names that only mail servers have.
const SURE: [&str; 4] = ["mailer-daemon", "mail-daemon", "mailerdaemon", "microsoftexchange"];
/// Names that people may have, too.
const LIKELY: [&str; 7] =
    ["postmaster", "post_master", "post-master", "no-reply", "noreply", "mdaemon", "root"];

/// What stands before the at sign in From, in lower case.
fn local_part(headers: &Headers<'_>) -> Option<String> {
    let address = match headers.sender() {
        Some(address) => address.to_ascii_lowercase(),
        // `MAILER-DAEMON (Mail Delivery System)` has no domain.
        None => headers.text("From")?.to_ascii_lowercase(),
    };
    let local = address.split(['@', ' ', '>']).next().unwrap_or_default().trim_start_matches('<');
    Some(local.to_owned())
}

fn likely_name(local: &str) -> Option<&'static str> {
    // Products and people begin with these as well: `mdaemon-support`, `rooter.ada`.
    let is =
        |name: &&&str| local == **name || (!["mdaemon", "root"].contains(*name) && local.starts_with(**name));
    LIKELY.iter().find(is).copied()
}

/// An address of its own and a way back: what a mail server has not.
fn is_from_a_person(headers: &Headers<'_>) -> bool {
    let returns = headers.text("Return-Path").is_none_or(|path| path.replace(' ', "") != "<>");
    let local = local_part(headers).filter(|local| !local.is_empty());
    let named = local.is_some_and(|local| {
        likely_name(&local).is_none() && !SURE.iter().any(|name| local.starts_with(name))
    });
    returns && named && auto_submitted(headers).is_none()
}

/// A mail server's own address. People write as postmaster too, so that alone says nothing; neither does
/// an address that takes no answers.
fn daemon(headers: &Headers<'_>, text: &str) -> Option<Automatic> {
    if headers.text("From").is_some_and(|from| from.replace(' ', "") == "<>") {
        return Some(told(AutomaticKind::Bounce, "From: <>"));
    }
    let local = local_part(headers)?;
    if let Some(name) = SURE.iter().find(|name| local.starts_with(**name)) {
        return Some(told(AutomaticKind::Bounce, format!("From: {name}")));
    }
    let name = likely_name(&local)?;
    let returns = bounce::has_returned(headers.0) || !["no-reply", "noreply", "root"].contains(&name);
    (returns && bounce::sounds_like_one(&headers.subject(), text))
        .then(|| told(AutomaticKind::Bounce, format!("From: {name}, and what it says")))
}

/// RFC 3834, 5: everything but `no` was not written by a person.
fn auto_submitted(headers: &Headers<'_>) -> Option<Automatic> {
    let value = headers.text("Auto-Submitted")?.to_ascii_lowercase();
    let keyword = value.split([';', ' ', '(']).next()?.trim();
    (!keyword.is_empty() && keyword != "no")
        .then(|| told(AutomaticKind::AutoReply, format!("Auto-Submitted: {keyword}")))
}

/// Exchange's automatic replies say All; a mail that forbids automatic replies is treated as one.
fn suppressed(headers: &Headers<'_>) -> Option<Automatic> {
    let value = headers.text("X-Auto-Response-Suppress")?.to_ascii_lowercase();
    let word =
        value.split([',', ';']).map(str::trim).find(|word| ["all", "oof", "autoreply"].contains(word))?;
    Some(told(AutomaticKind::AutoReply, format!("X-Auto-Response-Suppress: {word}")))
}

/// Header lines that only automatic responders write; `""` stands for any value.
const RESPONDERS: [(&str, &str); 14] = [
    ("X-Autoreply", ""),
    ("X-Autorespond", ""),
    ("X-Autoresponder", ""),
    ("X-AutoReply-From", ""),
    ("X-Mail-Autoreply", ""),
    ("X-Vacation", ""),
    ("X-Auto-Generated", ""),
    ("X-Autogenerated", ""),
    ("X-Cron-Env", ""),
    ("X-FC-MachineGenerated", "true"),
    ("X-POST-MessageClass", "autoresponder"),
    ("X-Amazon-Mail-Relay-Type", "notification"),
    ("Delivered-To", "autoresponder"),
    ("Autosubmitted", "auto"),
];

fn responder(headers: &Headers<'_>) -> Option<Automatic> {
    RESPONDERS.iter().find_map(|(name, wanted)| {
        let value = headers.text(name)?.to_ascii_lowercase();
        let negated = ["no", "false", "0"].contains(&value.as_str());
        (value.contains(wanted) && !negated).then(|| told(AutomaticKind::AutoReply, *name))
    })
}

/// RFC 2919. The id is kept: mail for a group address that is the mailbox's own comes this way too.
fn list(headers: &Headers<'_>) -> Option<Automatic> {
    let value = headers.text("List-Id")?;
    let id = match (value.rfind('<'), value.rfind('>')) {
        (Some(open), Some(close)) if open < close => value[open + 1..close].trim(),
        _ => value.as_str(),
    };
    Some(Automatic {
        kind: AutomaticKind::List,
        reason: format!("List-Id: {id}"),
        list: Some(id.to_ascii_lowercase()),
        delivery: Delivery::default(),
    })
}

fn precedence(headers: &Headers<'_>) -> Option<Automatic> {
    let value = headers.text("Precedence")?.to_ascii_lowercase();
    let kind = match value.as_str() {
        "list" | "bulk" | "junk" => AutomaticKind::List,
        "auto_reply" | "auto-reply" => AutomaticKind::AutoReply,
        _ => return None,
    };
    Some(told(kind, format!("Precedence: {value}")))
}

/// How responders and mail servers without any header begin their subjects. A person who forwards or
/// answers one begins with `Fwd:` or `Re:`.
const SUBJECTS: [(&str, AutomaticKind); 56] = [
    ("automatic reply", AutomaticKind::AutoReply),
    ("automatic response", AutomaticKind::AutoReply),
    ("automated reply", AutomaticKind::AutoReply),
    ("automated response", AutomaticKind::AutoReply),
    ("auto reply:", AutomaticKind::AutoReply),
    ("auto-reply:", AutomaticKind::AutoReply),
    ("auto response:", AutomaticKind::AutoReply),
    ("auto-response:", AutomaticKind::AutoReply),
    ("autoresponse:", AutomaticKind::AutoReply),
    ("autoreply:", AutomaticKind::AutoReply),
    ("out of office:", AutomaticKind::AutoReply),
    ("out of the office:", AutomaticKind::AutoReply),
    ("out of office reply", AutomaticKind::AutoReply),
    ("out of office autoreply", AutomaticKind::AutoReply),
    ("vacation reply", AutomaticKind::AutoReply),
    ("automatische antwort", AutomaticKind::AutoReply),
    ("automatische rückantwort", AutomaticKind::AutoReply),
    ("abwesenheitsnotiz", AutomaticKind::AutoReply),
    ("abwesenheitsmeldung", AutomaticKind::AutoReply),
    ("abwesenheitsassistent", AutomaticKind::AutoReply),
    ("réponse automatique", AutomaticKind::AutoReply),
    ("absence du bureau", AutomaticKind::AutoReply),
    ("respuesta automática", AutomaticKind::AutoReply),
    ("fuera de la oficina:", AutomaticKind::AutoReply),
    ("risposta automatica", AutomaticKind::AutoReply),
    ("fuori sede:", AutomaticKind::AutoReply),
    ("automatisch antwoord", AutomaticKind::AutoReply),
    ("afwezigheidsbericht", AutomaticKind::AutoReply),
    ("niet aanwezig:", AutomaticKind::AutoReply),
    ("resposta automática", AutomaticKind::AutoReply),
    ("odpowiedź automatyczna", AutomaticKind::AutoReply),
    ("autosvar", AutomaticKind::AutoReply),
    ("automatiskt svar", AutomaticKind::AutoReply),
    ("automatisk svar", AutomaticKind::AutoReply),
    ("automaattinen vastaus", AutomaticKind::AutoReply),
    ("automatická odpověď", AutomaticKind::AutoReply),
    ("автоматический ответ", AutomaticKind::AutoReply),
    ("автоответ", AutomaticKind::AutoReply),
    ("автоматична відповідь", AutomaticKind::AutoReply),
    ("otomatik yanıt", AutomaticKind::AutoReply),
    ("automatikus válasz", AutomaticKind::AutoReply),
    ("răspuns automat", AutomaticKind::AutoReply),
    ("自動返信", AutomaticKind::AutoReply),
    ("自动回复", AutomaticKind::AutoReply),
    ("自動回覆", AutomaticKind::AutoReply),
    ("자동 회신", AutomaticKind::AutoReply),
    ("undeliverable:", AutomaticKind::Bounce),
    ("unzustellbar:", AutomaticKind::Bounce),
    ("non remis :", AutomaticKind::Bounce),
    ("no se puede entregar:", AutomaticKind::Bounce),
    ("undelivered mail returned to sender", AutomaticKind::Bounce),
    ("mail delivery failed", AutomaticKind::Bounce),
    ("delivery status notification", AutomaticKind::Bounce),
    ("returned mail:", AutomaticKind::Bounce),
    ("failure notice", AutomaticKind::Bounce),
    ("メールエラー通知", AutomaticKind::Bounce),
];

fn subject(headers: &Headers<'_>) -> Option<Automatic> {
    let subject = headers.subject().to_lowercase();
    let (start, kind) = SUBJECTS.iter().find(|(start, _)| {
        subject.strip_prefix(start).is_some_and(|rest| start.ends_with(':') || ends(rest))
    })?;
    Some(told(*kind, format!("Subject: {start}")))
}

/// Whether a machine's words are over before `rest`: where they are part of a sentence, a person asks about
/// them.
fn ends(rest: &str) -> bool {
    const GO_ON: [&str; 12] =
        ["from ", "to ", "re:", "von ", "auf ", "fra ", "från ", "van ", "op ", "de ", "da ", "à "];
    let rest = rest.trim_start();
    !rest.starts_with(char::is_alphabetic) || GO_ON.iter().any(|word| rest.starts_with(word))
}

#[cfg(test)]
mod people;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::read::read;

    fn verdict(lines: &str) -> Option<Automatic> {
        let raw = format!("From: Ada <ada@customer.example>\r\n{lines}\r\n\r\nHello\r\n");
        read(raw.as_bytes()).expect("a mail").automatic
    }

    #[test]
    fn every_layer_tells_a_machine() {
        use AutomaticKind::{AutoReply, Bounce, Feedback, List};
        let cases = [
            ("Auto-Submitted: auto-replied", AutoReply),
            ("Auto-Submitted: auto-generated; type=x", AutoReply),
            ("Auto-Submitted: auto-notified (vacation)", AutoReply),
            ("Return-Path: <>", Bounce),
            ("Return-Path: < >", Bounce),
            ("Content-Type: multipart/report; report-type=delivery-status; boundary=x", Bounce),
            ("Content-Type: multipart/report; report-type=disposition-notification; boundary=x", Feedback),
            ("Content-Type: multipart/report; report-type=feedback-report; boundary=x", Feedback),
            ("X-Failed-Recipients: bob@x.example", Bounce),
            ("Precedence: bulk", List),
            ("Precedence: auto_reply", AutoReply),
            ("X-Auto-Response-Suppress: All", AutoReply),
            ("X-Auto-Response-Suppress: DR, OOF, AutoReply", AutoReply),
            ("List-Id: Support <support.example.com>", List),
            ("X-Autoreply: yes", AutoReply),
            ("X-Autorespond: vacation", AutoReply),
            ("X-FC-MachineGenerated: true", AutoReply),
            ("X-POST-MessageClass: 9; Autoresponder", AutoReply),
            ("Subject: =?utf-8?Q?R=C3=A9ponse_automatique_:_absent?=", AutoReply),
            ("Subject: Automatische Antwort: Drucker", AutoReply),
            ("Subject: Auto reply: Printer", AutoReply),
            ("Subject: Undeliverable: Printer", Bounce),
        ];
        for (lines, kind) in cases {
            assert_eq!(verdict(lines).map(|found| found.kind), Some(kind), "{lines}");
        }
    }

    #[test]
    fn people_are_not_machines() {
        let cases = [
            "Auto-Submitted: no",
            "Return-Path: <ada@customer.example>",
            "X-Auto-Response-Suppress: DR, RN",
            "Precedence: normal",
            "X-Auto-Generated: no",
            "Subject: Re: Automatic reply: is this real?",
            "Subject: Fwd: Undeliverable: my mail",
            "Subject: Out of paper",
            "Subject: No such user can sign in, mailbox full",
            // Forwarding recipes mark what they pass on with it.
            "X-Loop: ada@old.example",
            "List-Unsubscribe: <mailto:x@y.example>",
        ];
        for lines in cases {
            assert_eq!(verdict(lines), None, "{lines}");
        }
    }

    #[test]
    fn daemons_are_known_by_their_name() {
        for from in
            ["MAILER-DAEMON@mx.example", "postmaster@x.example", "MicrosoftExchange329e71ec@x.example"]
        {
            let raw = format!("From: <{from}>\r\n\r\nno such user\r\n");
            let found = read(raw.as_bytes()).expect("a mail").automatic.expect("a machine");
            assert_eq!(found.kind, AutomaticKind::Bounce, "{from}");
        }
    }

    #[test]
    fn a_postmaster_may_be_a_person() {
        let kind = |raw: &str| read(raw.as_bytes()).expect("a mail").automatic.map(|found| found.kind);
        assert_eq!(kind("From: <postmaster@x.example>\r\nSubject: Printer\r\n\r\nIt smokes.\r\n"), None);
        let report =
            "From: <postmaster@x.example>\r\nSubject: Note\r\n\r\nYour mail could not be delivered.\r\n";
        assert_eq!(kind(report), Some(AutomaticKind::Bounce));
        let forms = "From: <noreply@x.example>\r\nSubject: Form\r\n\r\nThe page does not exist.\r\n";
        assert_eq!(kind(forms), None);
    }

    #[test]
    fn an_automatic_answer_with_an_empty_return_path_is_no_bounce() {
        let lines = "Return-Path: <>\r\nAuto-Submitted: auto-replied\r\nSubject: Away";
        assert_eq!(verdict(lines).map(|found| found.kind), Some(AutomaticKind::AutoReply));
    }

    #[test]
    fn a_list_tells_its_id() {
        let found = verdict("List-Id: \"Help <us>\" <Support.Example.com>").expect("a list");
        assert_eq!(found.list.as_deref(), Some("support.example.com"));
    }
}
