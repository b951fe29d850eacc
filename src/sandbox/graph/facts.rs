//! What a raw mail says, as far as Graph shows it.

use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders};

use crate::base::clock::Timestamp;

/// An address and the name beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub name: String,
    pub address: String,
}

#[derive(Debug, Clone)]
pub(super) struct AttachedFile {
    pub name: String,
    pub media_type: String,
    pub inline: bool,
    pub bytes: Vec<u8>,
}

/// The parts of a mail that become properties.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub subject: String,
    pub from: Option<Person>,
    pub sender: Option<Person>,
    pub reply_to: Vec<Person>,
    pub to: Vec<Person>,
    pub cc: Vec<Person>,
    pub bcc: Vec<Person>,
    /// With angle brackets; empty when there is none.
    pub message_id: String,
    /// Without brackets, oldest first, In-Reply-To last.
    pub parents: Vec<String>,
    pub sent_at: Option<Timestamp>,
    pub text: String,
    pub html: Option<String>,
    pub headers: Vec<(String, String)>,
    pub attachments: Vec<AttachedFile>,
}

impl Facts {
    /// Never fails: what cannot be read is empty.
    pub fn of(raw: &[u8]) -> Self {
        let Some(mail) = MessageParser::default().parse(raw) else {
            return Self::default();
        };
        let parents = [mail.references(), mail.in_reply_to()].into_iter().flat_map(texts).collect();
        let has_html = mail.html_bodies().any(|part| part.is_text_html());
        Self {
            subject: mail.subject().unwrap_or_default().to_owned(),
            from: people(mail.from()).into_iter().next(),
            sender: people(mail.sender()).into_iter().next(),
            reply_to: people(mail.reply_to()),
            to: people(mail.to()),
            cc: people(mail.cc()),
            bcc: people(mail.bcc()),
            message_id: mail.message_id().map(|id| format!("<{id}>")).unwrap_or_default(),
            parents,
            sent_at: mail.date().map(|date| Timestamp(date.to_timestamp().saturating_mul(1000))),
            text: mail.body_text(0).unwrap_or_default().into_owned(),
            html: has_html.then(|| mail.body_html(0).unwrap_or_default().into_owned()),
            headers: header_lines(&mail),
            attachments: attachments(&mail),
        }
    }

    /// Everybody the mail goes to.
    pub fn recipients(&self) -> impl Iterator<Item = &Person> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }

    /// The Message-ID that began the conversation.
    pub fn root(&self) -> &str {
        self.parents.first().map_or(self.message_id.trim_matches(['<', '>']), String::as_str)
    }
}

fn people(address: Option<&Address<'_>>) -> Vec<Person> {
    let listed = address.into_iter().flat_map(Address::iter);
    listed
        .filter_map(|person| {
            let address = person.address()?.to_owned();
            Some(Person { name: person.name().unwrap_or_default().to_owned(), address })
        })
        .collect()
}

fn texts(value: &HeaderValue<'_>) -> Vec<String> {
    match value {
        HeaderValue::Text(text) => vec![text.to_string()],
        HeaderValue::TextList(texts) => texts.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

fn header_lines(mail: &Message<'_>) -> Vec<(String, String)> {
    let unfolded = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
    mail.headers_raw().map(|(name, value)| (name.to_owned(), unfolded(value))).collect()
}

fn attachments(mail: &Message<'_>) -> Vec<AttachedFile> {
    mail.attachments()
        .map(|part| AttachedFile {
            name: part.attachment_name().unwrap_or("attachment").to_owned(),
            media_type: part.content_type().map_or("application/octet-stream".to_owned(), |kind| {
                format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("octet-stream"))
            }),
            inline: part.content_disposition().is_some_and(|kind| kind.is_inline()),
            bytes: part.contents().to_vec(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_names_its_root() {
        let facts =
            Facts::of(b"Message-ID: <c@x>\r\nReferences: <a@x> <b@x>\r\nIn-Reply-To: <b@x>\r\n\r\nhi");
        assert_eq!((facts.root(), facts.message_id.as_str()), ("a@x", "<c@x>"));
    }

    #[test]
    fn noise_has_no_facts() {
        let facts = Facts::of(&[0, 159, 146, 150]);
        assert_eq!((facts.subject.as_str(), facts.from), ("", None));
    }
}
