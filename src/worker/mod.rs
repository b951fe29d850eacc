//! Mail becomes tickets, answers become mail. Nothing is lost and nothing is done twice, wherever the
//! process dies: every outside effect is written down before it is tried and looked for before it is
//! repeated.
//!
//! The worker gets valid tokens through the mailboxes it is given; it never sees a refresh token, a
//! client secret or a mail provider's protocol.

mod agent_mail;
mod agents;
mod answers;
mod aside;
mod bells;
mod conversation;
mod courtesy;
mod crash;
mod desk_action;
mod desk_made;
mod discover;
mod fetch_again;
mod files;
mod hold;
mod hooks;
mod inbound;
mod judge;
mod letters;
mod limits;
mod meters;
pub mod orders;
mod parts;
mod process;
mod reading;
mod round;
mod send;
mod settle;
mod stranded;
mod subscribe;
mod supervise;
mod takeover;
mod tidy;
mod told;
mod trouble;

use std::sync::Arc;

use crate::base::wake::Wake;
use crate::desk::DeskError;
use crate::mailbox::MailboxError;
use crate::mailbox::settings::SettingsError;
use crate::store::StoreError;
use crate::token::vault::VaultError;

pub use crash::Point;
pub use hold::HOLD_FACT;
pub use hooks::Hooks;
pub use meters::Meters;
pub use parts::{MailboxFactory, Parts, Settings};

/// What stopped a piece of work. The work itself is kept and tried again.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error("the store failed the mail worker")]
    Store(#[from] StoreError),
    #[error("the mailbox failed the mail worker")]
    Mailbox(#[from] MailboxError),
    #[error("the desk failed the mail worker")]
    Desk(#[from] DeskError),
    #[error("the desk does not tell who works there, so answers wait")]
    Staff { source: DeskError },
    #[error("the mailbox's settings cannot be used")]
    Settings(#[from] SettingsError),
    #[error("what is known of the mailbox's subscription cannot be used")]
    Subscription(#[from] VaultError),
    #[error("another worker took the mailbox over")]
    LeaseLost,
    #[error(
        "the store does not say in time whether the mailbox is still this worker's; its round is begun again"
    )]
    LeaseUncertain,
    #[error("the mail is no longer as it was seen")]
    Overtaken,
    #[error("this build has no mailbox of the kind `{kind}`")]
    UnknownKind { kind: String },
}

/// Works every connected mailbox. See [`Worker::run`].
pub struct Worker {
    parts: Parts,
    bells: bells::Bells,
    /// Rung when answers are to be looked for.
    looks: Wake,
    agents: agents::Agents,
    takeovers: takeover::Takeovers,
}

impl Worker {
    pub fn new(parts: Parts) -> Arc<Self> {
        let (bells, looks, agents) = (bells::Bells::default(), Wake::new(), agents::Agents::default());
        Arc::new(Self { parts, bells, looks, agents, takeovers: takeover::Takeovers::default() })
    }
}
