//! Reads a stored mail without letting it hurt the process: bounded size, parts and time, off the
//! async threads, panics caught.

use std::time::Duration;

use super::Worker;
use super::inbound::CUT_LINE;
use crate::base::id::hex;
use crate::base::report::Report;
use crate::base::secret::{HashKey, sha256};
use crate::mail::read::{Limits, read_guarded};
use crate::mail::{Message, message_id, thread_index};
use crate::store::Reading;

const LONGEST: Duration = Duration::from_secs(20);

/// How far into a mail a mail of ours that it returns is looked for.
const SEARCHED: usize = 1 << 20;

/// A stored mail, read.
pub(super) struct Read {
    pub(super) message: Message,
    /// Only its beginning was fetched.
    pub(super) cut: bool,
    /// Outlook's mark of the conversation.
    pub(super) thread_index: Option<String>,
    /// Message-ID of a mail of ours that stands somewhere in it, as in a delivery report; without brackets.
    pub(super) returned: Option<String>,
    pub(super) reading: Reading,
}

impl Worker {
    /// The mail, or in one sentence why it cannot be read.
    pub(super) async fn read(&self, raw: Vec<u8>) -> Result<Read, String> {
        if raw.is_empty() {
            return Err("the mail server did not hand the mail over".to_owned());
        }
        let limits = Limits { bytes: self.parts.settings.max_size + CUT_LINE.len(), ..Limits::default() };
        let key = self.parts.message_ids.clone();
        let reading = tokio::task::spawn_blocking(move || {
            read_guarded(&raw, &limits).map(|message| found(&raw, message, &key))
        });
        match tokio::time::timeout(LONGEST, reading).await {
            Ok(Ok(Ok(read))) => Ok(read),
            Ok(Ok(Err(error))) => Err(Report(&error).to_string()),
            Ok(Err(_)) => Err("the mail made its reader fail".to_owned()),
            Err(_) => Err(format!("reading the mail took longer than {} s", LONGEST.as_secs())),
        }
    }
}

fn found(raw: &[u8], message: Message, key: &HashKey) -> Read {
    Read {
        cut: raw.starts_with(CUT_LINE),
        thread_index: thread_index::of_mail(raw),
        returned: returned(raw, key),
        reading: Reading {
            message_id: message.message_id.clone(),
            sender: message.from.as_ref().map_or_else(String::new, |from| sender(&from.address, key)),
            content: content(&message),
            files: u32::try_from(message.attachments.len()).unwrap_or(u32::MAX),
        },
        message,
    }
}

/// Keyed, so that the store does not tell who writes how often.
fn sender(address: &str, key: &HashKey) -> String {
    hex(&key.hash(&[b"sender", address.trim().to_ascii_lowercase().as_bytes()])[..16])
}

/// The same for every copy of a mail, whatever servers added on its way.
fn content(message: &Message) -> String {
    let from = message.from.as_ref().map(|from| from.address.to_ascii_lowercase());
    let files: Vec<_> = message.attachments.iter().map(|file| (&file.name, file.size)).collect();
    let said =
        (&message.message_id, from, &message.subject, message.date.map(|at| at.0), &message.text, files);
    hex(&sha256(&serde_json::to_vec(&said).expect("texts and numbers have a JSON form"))[..16])
}

fn returned(raw: &[u8], key: &HashKey) -> Option<String> {
    let text = String::from_utf8_lossy(&raw[..raw.len().min(SEARCHED)]);
    // Ours begin so; the proof in them tells the rest.
    let mut candidates = text.match_indices("<t.").filter_map(|(at, _)| {
        let rest = &text[at..];
        rest.find('>').map(|end| &rest[..=end])
    });
    let ours = candidates.find(|candidate| message_id::is_ours(key, candidate))?;
    message_id::normalise(ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::read::read;

    const MAIL: &str =
        "From: Ada <ada@x.example>\r\nMessage-ID: <1@x.example>\r\nSubject: s\r\n\r\nHello\r\n";

    fn content_of(text: &str) -> String {
        content(&read(text.as_bytes()).expect("a mail"))
    }

    #[test]
    fn copies_have_one_content_whatever_servers_add() {
        let copy = format!("Received: from a by b\r\nX-Spam: no\r\n{}", MAIL.replace("ada@x", "ADA@x"));
        assert_eq!(content_of(MAIL), content_of(&copy));
        for other in [MAIL.replace("Hello", "Hallo"), MAIL.replace("Subject: s", "Subject: t")] {
            assert_ne!(content_of(MAIL), content_of(&other), "{other}");
        }
    }

    #[test]
    fn a_returned_mail_is_known_by_the_proof_in_its_id() {
        let key = HashKey::from_bytes([1; 32]);
        let ours = message_id::make(&key, "t", "c", "desk.example");
        let report = |id: &str| format!("Subject: failed\r\n\r\n<t.x> Message-ID: {id}\r\n");
        let found = returned(report(&ours).as_bytes(), &key);
        assert_eq!(found.as_deref(), Some(ours.trim_matches(['<', '>'])));
        assert_eq!(returned(report("<t.a.b.c@desk.example>").as_bytes(), &key), None);
    }
}
