//! What an operator chose about mail in and out, as far as it is the same for every mailbox.

use std::time::Duration;

use super::authentication::Server;
use super::template::Template;

/// What becomes of one mail that reaches two of the desk's mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SameMail {
    /// One ticket; the second copy is noted on it.
    #[default]
    Link,
    /// A ticket per mailbox.
    Separate,
}

/// The operator's choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub same_mail: SameMail,
    /// How long the bytes of a mail are kept once it is done; for ever when `None`.
    pub keep_raw: Option<Duration>,
    pub letters: Letters,
    pub files: Files,
    /// Address of the mailbox that answers tickets which came in by none.
    pub default_mailbox: Option<String>,
    /// Whose Authentication-Results count in mailboxes of no known provider.
    pub authentication_servers: Vec<Server>,
}

impl Default for Policy {
    fn default() -> Self {
        let keep_raw = Some(Duration::from_secs(30 * 24 * 3600));
        Self {
            same_mail: SameMail::Link,
            keep_raw,
            letters: Letters::default(),
            files: Files::default(),
            default_mailbox: None,
            authentication_servers: Vec::new(),
        }
    }
}

/// What becomes of files in mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Bytes of all files of one mail that are kept.
    pub per_mail: u64,
    /// Bytes that are kept in all, the same content counted once.
    pub total: u64,
    /// What stands before a path of ours in a ticket: the origin that browsers use, without a slash at its
    /// end; empty where it is not known.
    pub origin: String,
}

impl Default for Files {
    fn default() -> Self {
        Self { per_mail: 25 << 20, total: 10 << 30, origin: String::new() }
    }
}

/// How our own mails are written, and which notices there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Letters {
    /// A new ticket is acknowledged, once a day and sender.
    pub acknowledge: bool,
    /// The customer is told when the desk closes his ticket.
    pub closing_notice: bool,
    /// The mail that is answered is shown below the answer.
    pub quote_history: bool,
    /// `[#12]` ends the subject of our mails.
    pub subject_mark: bool,
    pub signature: Option<String>,
    pub templates: Templates,
}

/// The texts of our own mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templates {
    /// Around what an agent wrote.
    pub answer: Template,
    pub acknowledgement: Template,
    pub closing: Template,
    pub too_large: Template,
}

impl Default for Templates {
    fn default() -> Self {
        let made = |text| Template::parse(text).expect("a text of ours is a template");
        Self {
            answer: made("{{text}}\n\n{{signature}}"),
            acknowledgement: made(
                "Hello {{customer.name}},\n\nthank you, your message has reached us. It is ticket \
                 #{{ticket.number}}; just answer this mail if you want to add something.\n\n{{signature}}",
            ),
            closing: made(
                "Hello {{customer.name}},\n\nyour ticket #{{ticket.number}}, “{{ticket.subject}}”, is closed. \
                 If something is still open, just answer this mail.\n\n{{signature}}",
            ),
            too_large: made(
                "Hello {{customer.name}},\n\nyour message was larger than {{limit}}, which is all we can take. \
                 Only its beginning has reached us; please send large files in another way.\n\n{{signature}}",
            ),
        }
    }
}
