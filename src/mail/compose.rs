//! A mail of ours as bytes: an agent's answer, or a notice. The same letter always gives the same bytes;
//! nothing in it can add a header line or a recipient.

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;

use super::{Mailbox, clean, message_id};
use crate::base::clock::Timestamp;

/// Why an answer cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    #[error("the {field} address cannot be written into a mail")]
    Address { field: &'static str },
    #[error("the Message-ID cannot be written into a mail")]
    MessageId,
    #[error("the mail cannot be written")]
    Write { source: std::io::Error },
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    Person,
    /// The mail says so (RFC 3834, 5), so that no machine answers it.
    Machine,
}

/// What is answered, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// With angle brackets, as [`message_id::make`] makes it.
    pub message_id: &'a str,
    pub from: &'a Mailbox,
    pub reply_to: Option<&'a Mailbox>,
    pub to: &'a Mailbox,
    /// Who else gets it; one whose address cannot be written, or who is there already, is left out.
    pub copies: &'a [Mailbox],
    /// Of the conversation; `Re: ` is put before it, once.
    pub subject: &'a str,
    /// The ticket's number, which the subject then ends with as `[#12]`.
    pub mark: Option<i64>,
    pub date: Timestamp,
    /// Message-IDs of the conversation, oldest first; the last one is answered.
    pub references: &'a [String],
    /// [`super::thread_index::answer`].
    pub thread_index: &'a str,
    pub voice: Voice,
    pub text: &'a str,
    /// What is answered, shown below the text.
    pub quoted: Option<Quoted<'a>>,
}

/// The beginning of a mail that is answered.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a> {
    /// Who wrote it.
    pub from: &'a str,
    pub at: Timestamp,
    pub text: &'a str,
}

/// With the root of the conversation; RFC 5322, 3.6.4 asks for all, long threads break servers.
const MOST_REFERENCES: usize = 20;
const LONGEST_SUBJECT: usize = 250;
/// An agent's answer copied to more people than this is most likely a mistake.
const MOST_COPIES: usize = 20;
const MOST_QUOTED_LINES: usize = 200;

/// The mail, ready to be sent as it is.
pub fn compose(answer: &Answer<'_>) -> Result<Vec<u8>, ComposeError> {
    let own_id = message_id::normalise(answer.message_id).ok_or(ComposeError::MessageId)?;
    let references = references(answer.references);
    let mut mail = MessageBuilder::new()
        .from(address("From", answer.from)?)
        .to(address("To", answer.to)?)
        .subject(marked(&subject(answer.subject), answer.mark))
        .date(Date::new(answer.date.seconds()))
        .message_id(MessageId::new(own_id));
    if let Some(reply_to) = answer.reply_to {
        mail = mail.reply_to(address("Reply-To", reply_to)?);
    }
    if let Some(parent) = references.last() {
        mail = mail.in_reply_to(MessageId::new(parent.clone()));
        mail = mail.references(MessageId::new_list(references.iter().cloned()));
    }
    let copies = copies(answer);
    if !copies.is_empty() {
        mail = mail.cc(Address::new_list(copies));
    }
    mail = mail
        .header("Thread-Topic", Text::new(topic(answer.subject)))
        .header("Thread-Index", Raw::new(answer.thread_index.to_owned()))
        .header("X-Mintgate", Text::new("answer"));
    if answer.voice == Voice::Machine {
        mail = mail
            .header("Auto-Submitted", Text::new("auto-replied"))
            .header("X-Auto-Response-Suppress", Text::new("All"));
    }
    mail.text_body(body(answer.text, answer.quoted.as_ref()))
        .write_to_vec()
        .map_err(|source| ComposeError::Write { source })
}

/// Who gets a copy, each once, the receiver not among them.
fn copies<'a>(answer: &Answer<'a>) -> Vec<Address<'a>> {
    let mut known = vec![answer.to.address.trim().to_ascii_lowercase()];
    let mut copies = Vec::new();
    for mailbox in answer.copies.iter().take(MOST_COPIES) {
        let plain = mailbox.address.trim().to_ascii_lowercase();
        if known.contains(&plain) {
            continue;
        }
        if let Ok(address) = address("Cc", mailbox) {
            copies.push(address);
            known.push(plain);
        }
    }
    copies
}

/// `Re: ` and the subject without the reply prefixes it already has.
pub fn subject(subject: &str) -> String {
    format!("Re: {}", topic(subject)).trim_end().to_owned()
}

/// Once, however often a subject goes to and fro.
fn marked(subject: &str, mark: Option<i64>) -> String {
    match mark.map(|number| format!("[#{number}]")) {
        Some(mark) if !subject.contains(&mark) => format!("{subject} {mark}"),
        _ => subject.to_owned(),
    }
}

/// The subject without reply prefixes.
fn topic(subject: &str) -> String {
    const PREFIXES: [&str; 10] = ["re", "aw", "sv", "antw", "odp", "ref", "rif", "res", "vs", "ynt"];
    let line = clean::line(subject, LONGEST_SUBJECT);
    let mut rest = line.as_str();
    while let Some((start, after)) = rest.split_once(':') {
        let word = start.split('[').next().unwrap_or(start).trim().to_ascii_lowercase();
        if !PREFIXES.contains(&word.as_str()) {
            break;
        }
        rest = after.trim_start();
    }
    rest.to_owned()
}

fn references(all: &[String]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in all.iter().filter_map(|id| message_id::normalise(id)).filter(|id| writable(id)) {
        ids.retain(|earlier| *earlier != id);
        ids.push(id);
    }
    if ids.len() > MOST_REFERENCES {
        ids.drain(1..=ids.len() - MOST_REFERENCES);
    }
    ids
}

/// An id that could end the angle brackets or needs an encoding is not repeated.
fn writable(id: &str) -> bool {
    id.len() <= 250 && id.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,".contains(&byte))
}

fn address<'a>(field: &'static str, mailbox: &'a Mailbox) -> Result<Address<'a>, ComposeError> {
    let plain = mailbox.address.trim();
    let Some((local, domain)) = plain.rsplit_once('@') else { return Err(ComposeError::Address { field }) };
    let fits = |part: &str| {
        !part.is_empty()
            && !part
                .chars()
                .any(|one| one.is_whitespace() || one.is_control() || r#"<>,;:"()[]\@"#.contains(one))
    };
    if !fits(local) || !fits(domain) {
        return Err(ComposeError::Address { field });
    }
    let name = clean::line(&mailbox.name, 200);
    Ok(Address::new_address((!name.is_empty()).then_some(name), plain))
}

fn body(text: &str, quoted: Option<&Quoted<'_>>) -> String {
    let mut body = clean::block(text).trim_end().to_owned();
    if let Some(quoted) = quoted.filter(|quoted| !quoted.text.trim().is_empty()) {
        let moment = quoted.at.rfc3339().replace('T', " ").replace('Z', " UTC");
        body.push_str(&format!("\n\nOn {moment}, {} wrote:", clean::line(quoted.from, 200)));
        let text = clean::block(quoted.text);
        for line in text.trim().lines().take(MOST_QUOTED_LINES) {
            // Quotes of quotes stand closer, as mail clients write them.
            let line = line.trim_end();
            body.push_str(if line.is_empty() || line.starts_with('>') { "\n>" } else { "\n> " });
            body.push_str(line);
        }
    }
    body.push('\n');
    body.replace('\n', "\r\n")
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::mail::read::read;

    fn mailbox(name: &str, address: &str) -> Mailbox {
        Mailbox { name: name.into(), address: address.into() }
    }

    static FROM: LazyLock<Mailbox> = LazyLock::new(|| mailbox("Support", "support@desk.example"));
    static TO: LazyLock<Mailbox> = LazyLock::new(|| mailbox("Ada", "ada@customer.example"));
    static REFERENCES: LazyLock<[String; 2]> = LazyLock::new(|| ["root@x".into(), "parent@x".into()]);

    fn written<'a>(change: impl FnOnce(&mut Answer<'a>)) -> Result<Vec<u8>, ComposeError> {
        let mut answer = Answer {
            message_id: "<t.1.2.3@desk.example>",
            from: &FROM,
            reply_to: None,
            to: &TO,
            subject: "Printer smokes",
            mark: None,
            date: Timestamp(1_795_219_323_000),
            references: &*REFERENCES,
            copies: &[],
            thread_index: "Ac7gIvnbx4Uf3Z5pQK2vcbbmLHdoaA==",
            voice: Voice::Person,
            quoted: None,
            text: "Hello Ada,\nswitch it off.\n",
        };
        change(&mut answer);
        compose(&answer)
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).expect("ASCII")
    }

    #[test]
    fn an_answer_is_threaded_and_frozen() {
        let wanted = "From: \"Support\" <support@desk.example>\r\n\
                      To: \"Ada\" <ada@customer.example>\r\n\
                      Subject: Re: Printer smokes\r\n\
                      Date: Sat, 21 Nov 2026 00:02:03 +0000\r\n\
                      Message-ID: <t.1.2.3@desk.example>\r\n\
                      In-Reply-To: <parent@x>\r\n\
                      References: <root@x> <parent@x>\r\n\
                      Thread-Topic: Printer smokes\r\n\
                      Thread-Index: Ac7gIvnbx4Uf3Z5pQK2vcbbmLHdoaA==\r\n\
                      X-Mintgate: answer\r\n\
                      MIME-Version: 1.0\r\n\
                      Content-Type: text/plain; charset=\"utf-8\"\r\n\
                      Content-Transfer-Encoding: 7bit\r\n\r\n\
                      Hello Ada,\r\nswitch it off.\r\n";
        let bytes = written(|_| {}).expect("a mail");
        assert_eq!(text(&bytes), wanted);
        assert_eq!(bytes, written(|_| {}).expect("a mail"));
    }

    #[test]
    fn what_we_write_reads_back_and_is_no_machine() {
        let long = format!("Grüße aus Köln\n.\nFrom here\n{}\n", "wörter ".repeat(300));
        let bytes = written(|answer| {
            answer.text = &long;
            answer.subject = "Müller & Söhne: 日本語 ".trim();
        })
        .expect("a mail");
        let message = read(&bytes).expect("a mail");
        assert_eq!(message.text.trim_end(), long.trim_end());
        assert_eq!(message.subject, "Re: Müller & Söhne: 日本語");
        assert_eq!(message.parents, ["parent@x", "root@x"]);
        assert_eq!(message.automatic, None);
        assert!(bytes.is_ascii());
    }

    #[test]
    fn one_re_stands_before_the_subject() {
        let cases = [
            ("Printer", "Re: Printer"),
            ("RE: AW: Re[2]: Printer", "Re: Printer"),
            ("Fwd: Printer", "Re: Fwd: Printer"),
            ("Hardware: x", "Re: Hardware: x"),
            ("", "Re:"),
        ];
        for (given, wanted) in cases {
            assert_eq!(subject(given), wanted, "{given:?}");
        }
    }

    #[test]
    fn nothing_can_add_a_header_line() {
        let name = mailbox("Ada\r\nBcc: eve@x.example", "ada@customer.example");
        let ids = ["a@x>\r\nBcc: <eve@x.example".to_owned(), "b@x".to_owned()];
        let bytes = written(|answer| {
            answer.to = &name;
            answer.subject = "x\r\nBcc: eve@x.example\r\n\r\nbody";
            answer.references = &ids;
        })
        .expect("a mail");
        let mail = text(&bytes);
        let head = mail.split("\r\n\r\n").next().expect("a head");
        assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{head}");
        assert!(head.contains("References: <b@x>\r\n"), "{head}");
    }

    #[test]
    fn an_address_that_is_not_one_is_refused() {
        for bad in ["", "ada", "@x", "a@", "a b@x", "a@x>, <eve@y", "a@x\r\nBcc: e@y", "a@b@c", "\"a\"@x"] {
            let to = mailbox("", bad);
            assert!(
                matches!(written(|answer| answer.to = &to), Err(ComposeError::Address { field: "To" })),
                "{bad}"
            );
        }
    }

    #[test]
    fn others_get_copies_once_and_only_at_addresses() {
        let others = [
            mailbox("Bob", "bob@customer.example"),
            mailbox("", "ADA@customer.example"),
            mailbox("", "bob@CUSTOMER.example"),
            mailbox("", "x@y>\r\nBcc: <eve@x.example"),
        ];
        let message = read(&written(|answer| answer.copies = &others).expect("a mail")).expect("a mail");
        assert_eq!(message.cc, [mailbox("Bob", "bob@customer.example")]);
        assert_eq!(message.to, std::slice::from_ref(&*TO));
    }

    #[test]
    fn a_notice_says_that_it_is_a_machines() {
        let bytes = written(|answer| answer.voice = Voice::Machine).expect("a mail");
        assert!(
            text(&bytes).contains("\r\nAuto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n")
        );
        assert!(read(&bytes).expect("a mail").automatic.is_some());
    }

    #[test]
    fn what_is_answered_stands_below_marked_line_by_line() {
        let quoted = Quoted {
            from: "Ada\r\nBcc",
            at: Timestamp(1_795_219_323_000),
            text: "It smokes.\n\n> Really?\n",
        };
        let bytes = written(|answer| answer.quoted = Some(quoted)).expect("a mail");
        let wanted = "switch it off.\r\n\r\nOn 2026-11-21 00:02:03 UTC, Ada Bcc wrote:\r\n\
                      > It smokes.\r\n>\r\n>> Really?\r\n";
        assert!(text(&bytes).ends_with(wanted), "{}", text(&bytes));
        assert_eq!(read(&bytes).expect("a mail").reply.trim(), "Hello Ada,\nswitch it off.");
    }

    #[test]
    fn a_long_thread_keeps_its_root_and_its_newest() {
        let ids: Vec<String> = (0..100).map(|number| format!("{number}@x")).collect();
        let message = read(&written(|answer| answer.references = &ids).expect("a mail")).expect("a mail");
        assert_eq!(message.references.len(), MOST_REFERENCES);
        assert_eq!((message.references[0].as_str(), message.parents[0].as_str()), ("0@x", "99@x"));
    }
}
