//! The helpdesk's API as a type: the few calls that mail needs, made as the bot.
//! It knows nothing of mail, and decides nothing.
//!
//! Facts: Peppermint main of September 2025, as observed. Nearly everything that goes wrong there is
//! a 500, and a 500 may have been applied; see [`DeskError::may_have_applied`].

pub mod admin;
pub mod advice;
pub mod caller;
pub mod profile;
pub mod reader;
#[cfg(test)]
pub(crate) mod scripted;

mod notification;
mod own_mail;
mod people;
mod session;
mod stream;
mod ticket;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::sync::Mutex;
use url::Url;

use crate::base::clock::Clock;
use crate::base::secret::SecretString;
use crate::web::call::{CallError, HttpCall};

pub use notification::Notification;
pub use own_mail::OwnMail;
pub use people::Person;
pub use session::BotUser;
pub use ticket::{Comment, NewTicket, TicketLine, TicketView};

/// The desk user that opens tickets and adds comments; not an admin.
#[derive(Debug, Clone)]
pub struct Bot {
    pub email: String,
    pub password: SecretString,
}

/// Why the desk did not do what it was asked. No variant carries what the desk wrote: its errors
/// quote database text, and that may quote a mail.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    #[error("no desk user is configured for mail (`desk.bot`)")]
    NoBot,
    #[error("the desk cannot be asked to {what}")]
    Call { what: &'static str, source: CallError },
    #[error("the desk cannot be asked to sign the bot in")]
    SignInCall { source: CallError },
    #[error("the desk does not sign the bot in: status {status}")]
    SignIn { status: u16 },
    #[error("the desk refused to {what}: status {status}")]
    Refused { what: &'static str, status: u16 },
    #[error(
        "the desk's roles do not let the bot {what}; it needs issue::create, issue::read, issue::update and \
         issue::comment"
    )]
    Forbidden { what: &'static str },
    #[error("the desk's answer cannot be understood when asked to {what}")]
    Garbled { what: &'static str, source: Option<NotUnderstood> },
}

/// Where an answer stops being what it should be. Not what stands there: the desk's answers hold mails and
/// addresses, and serde quotes what it meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at line {line}, column {column}")]
pub struct NotUnderstood {
    kind: &'static str,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for NotUnderstood {
    fn from(error: serde_json::Error) -> Self {
        let kind = match error.classify() {
            Category::Io => "it cannot be read",
            Category::Syntax => "it is no JSON",
            Category::Data => "it has another form",
            Category::Eof => "it breaks off",
        };
        Self { kind, line: error.line(), column: error.column() }
    }
}

impl DeskError {
    /// Whether a write that ended like this may have happened all the same, now or a little later.
    /// Then it is looked for before it is repeated.
    pub fn may_have_applied(&self) -> bool {
        match self {
            Self::NoBot | Self::SignInCall { .. } | Self::SignIn { .. } | Self::Forbidden { .. } => false,
            Self::Call { source, .. } => !matches!(source, CallError::Forbidden { .. }),
            Self::Refused { status, .. } => *status >= 500,
            Self::Garbled { .. } => true,
        }
    }
}

/// Peppermint, asked as the bot. Cheap to share; one sign-in serves all callers.
pub struct Desk {
    http: Arc<dyn HttpCall>,
    api_url: Url,
    bot: Option<Bot>,
    clock: Arc<dyn Clock>,
    session: Mutex<Option<session::Session>>,
}

impl Desk {
    /// `api_url` is the origin that answers below `/api/v1/`.
    pub fn new(http: Arc<dyn HttpCall>, api_url: Url, bot: Option<Bot>, clock: Arc<dyn Clock>) -> Self {
        Self { http, api_url, bot, clock, session: Mutex::new(None) }
    }
}

/// An answer, or a part of one, as what it should be.
fn parsed<T: DeserializeOwned>(what: &'static str, json: &[u8]) -> Result<T, DeskError> {
    serde_json::from_slice(json).map_err(|error| DeskError::Garbled { what, source: Some(error.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::report::Report;

    #[test]
    fn a_report_says_where_an_answer_is_wrong_and_nothing_of_what_it_says() {
        let answer = br#"{"users": [{"id": "1", "email": {"ada@customer.example": "secret words"}}, "ada"]}"#;
        for answer in [&answer[..], &answer[..40], b"\"ada\"", b"ada"] {
            let error = parsed::<people::PeopleReply>("list its users", answer).expect_err("wrong");
            let told = Report(&error).to_string();
            assert!(told.contains("at line 1, column ") && !told.contains("ada"), "{told}");
        }
    }

    #[test]
    fn only_a_clear_no_rules_out_that_a_write_was_applied() {
        let broken =
            CallError::Timeout { host: "desk".to_owned(), after: std::time::Duration::from_secs(30) };
        let unclear = [
            DeskError::Call { what: "open a ticket", source: broken },
            DeskError::Refused { what: "open a ticket", status: 500 },
            DeskError::Garbled { what: "open a ticket", source: None },
        ];
        let clear = [
            DeskError::NoBot,
            DeskError::SignIn { status: 401 },
            DeskError::Refused { what: "open a ticket", status: 400 },
        ];
        assert!(unclear.iter().all(DeskError::may_have_applied));
        assert!(!clear.iter().any(DeskError::may_have_applied));
    }
}
