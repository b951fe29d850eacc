//! The header lines of a parsed mail as clean text. Knows what a field holds, not what it means.

use mail_parser::{Address, Header, HeaderName, HeaderValue, MessageParser};

use super::decoding::{decode, is_garbled};
use super::{Mailbox, address, clean, encoded_word, message_id};

const LONGEST_SUBJECT: usize = 500;
const MOST_ADDRESSES: usize = 500;
const MOST_IDS: usize = 1_000;

/// The headers of the outermost mail.
pub(crate) struct Headers<'a>(pub(crate) &'a mail_parser::Message<'a>);

impl Headers<'_> {
    /// A field's value as it was written, in one line; the last one when there are several.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.bytes(name).map(|bytes| clean::line(&decode(bytes), 2_000))
    }

    /// The values of every field of this name as they were written, topmost first.
    pub(crate) fn all(&self, name: &str, limit: usize) -> Vec<String> {
        let fields = self.0.headers().iter().filter(|field| field.name.as_str().eq_ignore_ascii_case(name));
        fields
            .filter_map(|field| self.bytes_of(field))
            .take(limit)
            .map(|bytes| clean::line(&decode(bytes), 4_000))
            .collect()
    }

    /// The decoded subject.
    pub(crate) fn subject(&self) -> String {
        // Raw bytes may be in an encoding of their own.
        let written = self.bytes("Subject").map(decode).unwrap_or_default();
        clean::line(&encoded_word::decoded(&written), LONGEST_SUBJECT)
    }

    /// The first address of From.
    pub(crate) fn sender(&self) -> Option<String> {
        self.mailboxes(&HeaderName::From).into_iter().next().map(|from| from.address)
    }

    /// Every address of a field, groups flattened, those without an address left out.
    pub(crate) fn mailboxes(&self, name: &HeaderName<'_>) -> Vec<Mailbox> {
        let fields = self.0.headers().iter().filter(|field| &field.name == name);
        fields.flat_map(|field| self.mailboxes_of(field)).take(MOST_ADDRESSES).collect()
    }

    /// Whether the addresses of a field stand there just as a parser by the rules reads them.
    pub(crate) fn is_plain(&self, name: &HeaderName<'_>) -> bool {
        let fields = self.0.headers().iter().filter(|field| &field.name == name);
        let addresses = fields.filter_map(|field| field.value.as_address()).flat_map(Address::iter);
        let written: Vec<&str> =
            addresses.filter_map(|one| one.address.as_deref()).filter(|one| one.contains('@')).collect();
        let read = self.mailboxes(name);
        read.len() == written.len() && read.iter().zip(written).all(|(one, other)| one.address == other)
    }

    /// The address that servers answer to; `None` where they must not.
    pub(crate) fn return_path(&self) -> Option<Mailbox> {
        address::mended("", &self.text("Return-Path")?, "")
    }

    /// The name of a user of the machine that wrote the mail, with what the field says beside it.
    pub(crate) fn local_user(&self, name: &HeaderName<'_>) -> Option<Mailbox> {
        let field = self.0.headers().iter().rev().find(|field| &field.name == name)?;
        let one = field.value.as_address()?.first()?;
        let written = self.bytes_of(field).unwrap_or_default();
        let user = clean::line(one.address.as_deref().or(one.name.as_deref())?, 64);
        let name = one.name.as_deref().filter(|_| one.address.is_some()).unwrap_or_default();
        let is_word =
            !user.is_empty() && user.chars().all(|one| one.is_alphanumeric() || "-_.+".contains(one));
        let is_name = one.address.is_none() && written.contains(&b'<');
        (is_word && !is_name).then(|| Mailbox { name: clean::line(name, 200), address: user })
    }

    fn mailboxes_of(&self, field: &Header<'_>) -> Vec<Mailbox> {
        let written = self.bytes_of(field).map(decode).unwrap_or_default();
        let read = field.value.as_address().map(|list| flatten(list, &written)).unwrap_or_default();
        let garbled = read.iter().any(|one| is_garbled(&one.name));
        if !garbled && !written.contains("=?") {
            return read;
        }
        if written.contains("?=@") {
            // No encoded word may stand in an address; where one does, nothing is known before it is read.
            return addresses(&encoded_word::decoded(&written));
        }
        let again = addresses(&encoded_word::joined(&written));
        if read.is_empty() && again.is_empty() {
            // Name and address in one word.
            return addresses(&encoded_word::decoded(&written));
        }
        // Names may become better; whose mail it is stays what servers saw, too.
        let same = read.len() == again.len()
            && read.iter().zip(&again).all(|(one, other)| one.address == other.address);
        if garbled || same { again } else { read }
    }

    /// The ids of a field, normalised, in their order; of too many the first and the last ones.
    pub(crate) fn ids(&self, name: &HeaderName<'_>) -> Vec<String> {
        let fields = self.0.headers().iter().filter(|field| &field.name == name);
        let mut ids: Vec<String> =
            fields.flat_map(|field| texts(&field.value)).filter_map(message_id::normalise).collect();
        if ids.len() > MOST_IDS {
            ids.drain(1..=ids.len() - MOST_IDS);
        }
        ids
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        let field =
            self.0.headers().iter().rev().find(|field| field.name.as_str().eq_ignore_ascii_case(name))?;
        self.bytes_of(field)
    }

    fn bytes_of(&self, field: &Header<'_>) -> Option<&[u8]> {
        self.0.raw_message.get(field.offset_start as usize..field.offset_end as usize)
    }
}

fn texts<'a>(value: &'a HeaderValue<'_>) -> Vec<&'a str> {
    match value {
        HeaderValue::Text(text) => vec![text],
        HeaderValue::TextList(list) => list.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}

fn addresses(written: &str) -> Vec<Mailbox> {
    let line = format!("From:{}\r\n\r\n", written.trim_end());
    let mail = MessageParser::default().parse(line.as_bytes());
    mail.as_ref().and_then(|mail| mail.from()).map(|list| flatten(list, written)).unwrap_or_default()
}

/// Every mailbox of a list that was read from `field`.
fn flatten(list: &Address<'_>, field: &str) -> Vec<Mailbox> {
    let mut found: Vec<Mailbox> = Vec::new();
    // `Example, Ada <ada@x.example>` without its quotes looks like two.
    let mut family_name: Option<&str> = None;
    for one in list.iter() {
        let (name, written) = (one.name.as_deref().unwrap_or_default(), one.address.as_deref());
        match address::mended(name, written.unwrap_or_default(), field) {
            Some(mut mailbox) => {
                if let Some(family) = family_name.take().filter(|_| !mailbox.name.is_empty()) {
                    mailbox.name = clean::line(&format!("{family}, {}", mailbox.name), 200);
                }
                found.push(mailbox);
            }
            None => family_name = written.is_none().then_some(name).filter(|name| !name.is_empty()),
        }
    }
    found
}
