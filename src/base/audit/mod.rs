//! Audit records: who did what of consequence, when, from where, and how it ended.
//!
//! One shape for all of them, as a log line with target `audit` and as a metric; of what anybody can bring about
//! the metric counts all, and the log has a ration. A record names the desk's
//! user id and the client's address; tokens, mail addresses and texts from outside have no place in it.

mod ration;
mod unusual;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use self::ration::Ration;
use self::unusual::Watch;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::MailboxId;

/// The log target of every record.
pub const TARGET: &str = "audit";

/// Longer ids are cut: the desk's are 36 characters.
const LONGEST_USER: usize = 64;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Somebody signed in at the helpdesk, or tried to.
    SignIn,
    /// Sessions ended: a sign-out, a new password, a removed user.
    SignOut,
    /// A request that lacked a right was turned away.
    Refusal,
    /// Too much of something: a limit on tries or on the rate was reached.
    Brake,
    /// Somebody who was an administrator no longer is.
    Demotion,
    /// An administrator left for the provider's sign-in.
    OauthStart,
    /// The provider sent a browser back.
    OauthReturn,
    /// The administrator's browser came back with its session: the code is redeemed, or not.
    OauthComplete,
    /// An access token was refreshed, or not.
    Refresh,
    /// A request to Graph got no token of its mailbox.
    GraphToken,
    /// An administrator changed something in the console.
    ConsoleAction,
    /// Many records that are harmless one by one.
    Unusual,
}

impl Event {
    /// The word in log lines and in the metric; never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::Refusal => "refusal",
            Self::Brake => "brake",
            Self::Demotion => "demotion",
            Self::OauthStart => "oauth_start",
            Self::OauthReturn => "oauth_return",
            Self::OauthComplete => "oauth_complete",
            Self::Refresh => "refresh",
            Self::GraphToken => "graph_token",
            Self::ConsoleAction => "console_action",
            Self::Unusual => "unusual",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was not allowed.
    Refused,
    /// It was allowed and did not work.
    Failure,
}

impl Outcome {
    /// The word in log lines and in the metric; never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failure => "failure",
        }
    }
}

/// One audit record; its moment is when it is given to [`Audit::record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub event: Event,
    pub outcome: Outcome,
    /// A fixed word or two of ours: which action, or why not. Never a text from outside.
    pub detail: &'static str,
    /// The client's address as trusted proxies tell it; `None` for what no request caused.
    pub client: Option<IpAddr>,
    /// The desk's id of the user, as the desk itself has told it.
    pub user: Option<&'a str>,
    pub mailbox: Option<&'a MailboxId>,
    /// The user's name, for whoever [`Audit::tell`] tells; never in the log.
    pub name: Option<&'a str>,
}

/// Is told of every record with its moment; must not wait for anything.
pub type Listener = Arc<dyn Fn(Timestamp, &Record<'_>) + Send + Sync>;

impl<'a> Record<'a> {
    pub fn new(event: Event, outcome: Outcome, detail: &'static str) -> Self {
        Self { event, outcome, detail, client: None, user: None, mailbox: None, name: None }
    }

    #[must_use]
    pub fn from(self, client: IpAddr) -> Self {
        Self { client: Some(client), ..self }
    }

    /// `user` is the desk's user id.
    #[must_use]
    pub fn by(self, user: &'a str) -> Self {
        Self { user: Some(user), ..self }
    }

    #[must_use]
    pub fn named(self, name: &'a str) -> Self {
        Self { name: Some(name), ..self }
    }

    #[must_use]
    pub fn about(self, mailbox: &'a MailboxId) -> Self {
        Self { mailbox: Some(mailbox), ..self }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    event: &'static str,
    outcome: &'static str,
}

/// Takes records; clones share everything.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    counted: Family<Labels, Counter>,
    watch: Mutex<Watch>,
    ration: Mutex<Ration>,
    listener: OnceLock<Listener>,
}

impl Audit {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            clock,
            counted: Family::default(),
            watch: Mutex::default(),
            ration: Mutex::default(),
            listener: OnceLock::new(),
        }))
    }

    /// Puts `mintgate_audit_total{event,outcome}` among the metrics.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Audit records by event and outcome";
        registry.register("mintgate_audit", help, self.0.counted.clone());
    }

    /// Tells `listener` of every record from now on; whoever came first stays the only one.
    pub fn tell(&self, listener: Listener) {
        self.0.listener.get_or_init(|| listener);
    }

    /// Writes the record down, and another one if it is one too many of its kind.
    pub fn record(&self, record: Record<'_>) {
        self.write(&record);
        let steady = self.0.clock.steady();
        let mut watch = self.0.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let noticed = watch.see(&record, steady);
        drop(watch);
        if let Some(detail) = noticed {
            self.write(&Record { event: Event::Unusual, outcome: Outcome::Success, detail, ..record });
        }
    }

    fn write(&self, record: &Record<'_>) {
        let (event, outcome) = (record.event.as_str(), record.outcome.as_str());
        self.0.counted.get_or_create(&Labels { event, outcome }).inc();
        let user = record.user.map(short);
        let client = record.client.map(tracing::field::display);
        let mailbox = record.mailbox.map(MailboxId::as_str);
        let now = self.0.clock.now();
        if let Some(listener) = self.0.listener.get() {
            listener(now, record);
        }
        let steady = self.0.clock.steady();
        let mut ration = self.0.ration.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = ration.take(record, steady);
        drop(ration);
        let Some(left_out) = taken else { return };
        let left_out = (left_out > 0).then_some(left_out);
        let at = now.rfc3339();
        let detail = record.detail;
        match record.event {
            Event::Unusual => {
                tracing::warn!(target: TARGET, at, event, outcome, detail, client, user, mailbox, left_out);
            }
            _ => {
                tracing::info!(target: TARGET, at, event, outcome, detail, client, user, mailbox, left_out);
            }
        }
    }
}

fn short(user: &str) -> &str {
    user.char_indices().nth(LONGEST_USER).map_or(user, |(end, _)| &user[..end])
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;
    use crate::base::clock::{ManualClock, Timestamp};

    #[test]
    fn every_record_is_counted_by_event_and_outcome() {
        let audit = Audit::new(Arc::new(ManualClock::at(Timestamp(0))));
        let mut registry = Registry::default();
        audit.register(&mut registry);
        audit.record(Record::new(Event::SignIn, Outcome::Refused, "wrong password"));
        audit.clone().record(Record::new(Event::SignIn, Outcome::Refused, "wrong password"));
        audit.record(Record::new(Event::Refresh, Outcome::Success, ""));
        let mut text = String::new();
        encode(&mut text, &registry).expect("text takes everything");
        assert!(text.contains("mintgate_audit_total{event=\"sign_in\",outcome=\"refused\"} 2"), "{text}");
        assert!(text.contains("mintgate_audit_total{event=\"refresh\",outcome=\"success\"} 1"), "{text}");
    }

    #[test]
    fn an_endless_user_id_is_cut_between_letters() {
        assert_eq!(short("u1"), "u1");
        assert_eq!(short(&"ü".repeat(100)).chars().count(), LONGEST_USER);
    }
}
