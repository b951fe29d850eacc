//! Figures about tokens, under `mintgate_token_*`. No label tells an address or a token.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::oauth::app::Apps;
use crate::oauth::refresh::Failure;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Whose {
    mailbox: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct At {
    provider: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Came {
    outcome: &'static str,
}

/// Clones share their figures.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    expiry: Family<Whose, Gauge>,
    refreshes: Family<Came, Counter>,
    secrets: Family<At, Gauge>,
}

impl Meters {
    pub fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "mintgate_token_expiry_timestamp",
            "When a mailbox's newest access token ends, as Unix time; in the past: it is not renewed",
            Unit::Seconds,
            self.expiry.clone(),
        );
        registry.register(
            "mintgate_token_refresh",
            "Refreshes by outcome: success, later, misconfigured, dead",
            self.refreshes.clone(),
        );
        registry.register_with_unit(
            "mintgate_client_secret_expiry_timestamp",
            "When a registration's client secret ends, as Unix time, where somebody has said so",
            Unit::Seconds,
            self.secrets.clone(),
        );
    }

    /// Tells when the client secrets of `apps` end, as far as it is known.
    pub(super) fn registered(&self, apps: &Apps) {
        let at = At { provider: "microsoft" };
        match apps.microsoft().and_then(|app| app.secret_expires) {
            Some(end) => {
                self.secrets.get_or_create(&at).set(end.seconds());
            }
            None => {
                self.secrets.remove(&at);
            }
        }
    }

    pub(super) fn given(&self, mailbox: &MailboxId, expires_at: Timestamp) {
        self.expiry.get_or_create(&whose(mailbox)).set(expires_at.seconds());
    }

    pub(super) fn forgotten(&self, mailbox: &MailboxId) {
        self.expiry.remove(&whose(mailbox));
    }

    pub(super) fn refreshed(&self) {
        self.refreshes.get_or_create(&Came { outcome: "success" }).inc();
    }

    pub(super) fn not_refreshed(&self, failure: &Failure) {
        let outcome = match failure {
            Failure::Later { .. } => "later",
            Failure::Misconfigured(_) => "misconfigured",
            Failure::Reconnect(_) => "dead",
        };
        self.refreshes.get_or_create(&Came { outcome }).inc();
    }
}

fn whose(mailbox: &MailboxId) -> Whose {
    Whose { mailbox: mailbox.to_string() }
}
