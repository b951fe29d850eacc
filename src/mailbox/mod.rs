//! Mail accounts: where mail comes from and leaves by. One file per kind, one registry row.

use std::time::Duration;

use async_trait::async_trait;

use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::base::secret::SecretString;
use crate::oauth::source::{Purpose, TokenError};
use crate::web::call::CallError;

pub mod advice;
pub mod detect;
pub mod graph;
pub mod imap;
pub mod rate;
mod refusal;
pub mod registry;
pub mod settings;
mod smtp;
mod wire;

/// Why a mailbox could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    #[error("no token for the mailbox")]
    Token(#[from] TokenError),
    #[error("the mail server cannot be asked")]
    Call(#[from] CallError),
    /// 429, 503: nothing is wrong, but not now.
    #[error("the mail server asks to wait until {retry_at}")]
    Throttled { retry_at: Timestamp },
    #[error("the mailbox does not grant `{scope}`")]
    NotGranted { scope: &'static str },
    #[error("the cursor is no longer valid; the folder has to be listed again")]
    CursorLost,
    /// Refused for good; trying the same again will not help.
    #[error("the mail server refused: {}", told(*.status, .code))]
    Refused { status: u16, code: String },
    /// The server turns everybody away, before it has heard of a mail: at the greeting, at the sign-in, at the
    /// sender. It says nothing about the mail at hand.
    #[error("the mail server takes no mail now: {}", told(*.status, .code))]
    Closed { status: u16, code: String },
    /// An answer outside the protocol, or a server error worth another try.
    #[error("the mail server answered {}", told(*.status, .code))]
    Server { status: u16, code: String },
    #[error("the mail server's answer cannot be understood: {what}")]
    Garbled { what: String },
    #[error("the mail server pointed to another host `{host}`; the token was not sent there")]
    ForeignLink { host: String },
}

/// IMAP has no numbers: its status is 0.
fn told(status: u16, code: &str) -> String {
    if status == 0 { code.to_owned() } else { format!("{status} {code}") }
}

/// A mail that is there; nothing of its content yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub key: String,
    /// `None` where the listing does not tell.
    pub received_at: Option<Timestamp>,
}

/// One page of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub mails: Vec<Listed>,
    /// To be stored once every mail of this page is; continues from here.
    pub cursor: String,
    /// Whether more is there right now.
    pub more: bool,
}

/// A fetched mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    Raw {
        bytes: Vec<u8>,
        received_at: Option<Timestamp>,
    },
    /// Deleted or moved away since it was listed.
    Gone,
    /// Larger than the limit: the head, and as much of the body as fits.
    TooLarge {
        beginning: Vec<u8>,
        received_at: Option<Timestamp>,
    },
}

/// Where mail comes from.
#[async_trait]
pub trait MailSource: Send + Sync {
    /// The next page after `cursor`; from the beginning, but not before `since`, when there is none.
    async fn list(&self, cursor: Option<&str>, since: Timestamp) -> Result<Page, MailboxError>;
    /// The raw bytes of a mail.
    async fn fetch(&self, key: &str, limit: usize) -> Result<Fetched, MailboxError>;
    /// When a mail was received that the listing names without its time; `None` where fetching it tells, or
    /// when it is gone.
    async fn received_at(&self, _key: &str) -> Result<Option<Timestamp>, MailboxError> {
        Ok(None)
    }
    /// Does on the server what is to become of a processed mail. `NotGranted` where the grant does not allow it.
    async fn settle(&self, key: &str) -> Result<(), MailboxError>;
    /// What stands, before anything is done, where a processed mail is to go; `None` where settling may simply be
    /// repeated. The caller keeps the first answer until the mail is settled.
    async fn before_settling(&self, _key: &str) -> Result<Option<String>, MailboxError> {
        Ok(None)
    }
    /// As [`MailSource::settle`], however far an earlier try came: `before` is what stood there before the first.
    async fn settle_from(&self, key: &str, _before: &str) -> Result<(), MailboxError> {
        self.settle(key).await
    }
    /// Returns once there may be something new to list, after `limit` at the latest. A kind that is not
    /// told of new mail waits the whole time.
    async fn wait_for_change(&self, limit: Duration) -> Result<(), MailboxError> {
        tokio::time::sleep(limit).await;
        Ok(())
    }
    /// Whether the provider calls when mail has arrived; if not, the next three are for nothing.
    fn announces(&self) -> bool {
        false
    }
    /// Has the provider call `wish.url` when mail arrives.
    async fn subscribe(&self, _wish: &Wish<'_>) -> Result<Subscription, MailboxError> {
        Err(MailboxError::Refused { status: 0, code: "NotAnnounced".to_owned() })
    }
    /// Lets a subscription live on; when it then ends. `Refused` with 404 when the provider forgot it.
    async fn renew_subscription(&self, _id: &str) -> Result<Timestamp, MailboxError> {
        Err(MailboxError::Refused { status: 404, code: "NotAnnounced".to_owned() })
    }
    /// Ends a subscription; one that is gone already is no error.
    async fn unsubscribe(&self, _id: &str) -> Result<(), MailboxError> {
        Ok(())
    }
}

/// Where and how to be told of new mail.
#[derive(Debug)]
pub struct Wish<'a> {
    /// The provider's servers call it.
    pub url: &'a str,
    /// Comes with every call, so that nobody else's is believed.
    pub secret: &'a SecretString,
}

/// The provider's promise to tell of new mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub id: String,
    pub expires_at: Timestamp,
}

/// What a provider says in a call that was asked for. Nothing of it is believed before its secret is known.
#[derive(Debug)]
pub struct Announcement {
    pub subscription: String,
    pub secret: SecretString,
    pub event: Event,
}

/// What is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Mail has arrived, or may have.
    Mail,
    /// The subscription ends soon unless it is renewed.
    Renew,
    /// The subscription is gone.
    Gone,
}

/// A mail to send, frozen.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// With angle brackets.
    pub message_id: &'a str,
    pub mime: &'a [u8],
    /// When the send command was written down as about to be given, the last time.
    pub dispatched_at: Timestamp,
}

/// How a mail was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handover {
    /// Recipients of a copy whom the server refuses for good; everybody else has the mail.
    pub refused: Vec<String>,
    /// And those it did not take now.
    pub missed: Vec<String>,
}

/// What can be known about a mail that may have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    Sent,
    /// Certainly not sent: sending (again) is safe.
    NotSent,
    /// Cannot be told yet; ask again later.
    Unknown,
    /// Nothing shows that it was sent, and nothing that it was not: sending again may send it twice.
    Unprovable,
}

/// Where mail leaves by. The caller stores what `prepare` returns before it calls `dispatch`, and after
/// a crash or an unclear answer asks `evidence` before it repeats anything.
#[async_trait]
pub trait MailSink: Send + Sync {
    /// Puts the mail in place (a draft) and returns the provider's id of it, where the kind has such a step.
    async fn prepare(&self, mail: Outgoing<'_>) -> Result<Option<String>, MailboxError>;
    /// Gives the send command. An error means that nobody was sent the mail, or that it cannot be told.
    async fn dispatch(&self, mail: Outgoing<'_>, provider_id: Option<&str>)
    -> Result<Handover, MailboxError>;
    /// What is left to do once the caller has recorded that the mail was sent: a farewell, a copy in the
    /// Sent folder. Not part of `dispatch`, since every moment before the record is one in which a crash
    /// sends the mail again.
    async fn finish(&self, _: Outgoing<'_>) -> Result<(), MailboxError> {
        Ok(())
    }
    /// Looks whether the mail was sent.
    async fn evidence(
        &self,
        mail: Outgoing<'_>,
        provider_id: Option<&str>,
        now: Timestamp,
    ) -> Result<Evidence, MailboxError>;
}

/// One line of "Test the connection".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub step: &'static str,
    pub took_ms: u64,
    /// What was seen, or what is wrong.
    pub outcome: Result<Told, Told>,
}

/// Something to tell people: the key of the sentence, which is the console's, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub key: &'static str,
    pub arguments: Vec<(&'static str, Argument)>,
    /// Of a failure, what happened in the program's own words; empty otherwise.
    pub detail: String,
}

impl Told {
    pub fn new(key: &'static str) -> Self {
        Self { key, arguments: Vec::new(), detail: String::new() }
    }

    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.arguments.push((name, Argument::Text(value.to_string())));
        self
    }

    /// With a moment, which each reader is shown in his own way.
    pub fn at(mut self, name: &'static str, moment: Timestamp) -> Self {
        self.arguments.push((name, Argument::At(moment)));
        self
    }
}

/// What stands in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    Text(String),
    At(Timestamp),
}

impl From<&MailboxError> for Told {
    fn from(error: &MailboxError) -> Self {
        Self { detail: Report(error).to_string(), ..Self::new(advice::advise(error).key) }
    }
}

/// A mailbox that can be tested by an admin: each step, up to the first that fails.
#[async_trait]
pub trait Probe: Send + Sync {
    async fn probe(&self) -> Vec<Check>;
    /// The part of it that is about reading or sending; a kind that has one way for both tests all.
    async fn probe_half(&self, _: Purpose) -> Vec<Check> {
        self.probe().await
    }
    /// How much of the allowed requests is used up, where they are counted.
    fn budget(&self) -> Option<rate::Budget> {
        None
    }
}

/// Everything a kind of mailbox does.
pub trait Mailbox: MailSource + MailSink + Probe {}

impl<T: MailSource + MailSink + Probe> Mailbox for T {}
