//! Gathers what is known about a mail, has it decided, and adds what only the ledger can tell: copies in
//! other mailboxes, a conversation's order.

use std::time::Duration;

use super::reading::Read;
use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::mail::decide::{Decision, Duplicate, Known, decide};
use crate::mail::policy::SameMail;
use crate::mail::{Mailbox, same_address};
use crate::mailbox::settings::MailboxSettings;
use crate::store::{InboundRow, InboundState, MailboxRow};

/// Parents of a mail that are looked for among the mails still on their way.
const PARENTS: usize = 5;

/// How long a mail steps back for another one.
pub(super) const STEP_BACK: Duration = Duration::from_secs(10);

const REUSED_ID: &str = "[mintgate] An earlier mail that says something else has the same Message-ID.";

/// What is done with a mail.
#[derive(Debug)]
pub(super) enum Plan {
    Open {
        requester: Mailbox,
        /// Worth telling an agent, one line each.
        notes: Vec<String>,
    },
    Reply {
        ticket: String,
    },
    /// Told at the ticket, without reopening it.
    Note {
        ticket: String,
    },
    Leave {
        reason: String,
        ticket: Option<String>,
    },
    /// Another mail goes first.
    StepBack {
        until: Timestamp,
        reason: &'static str,
    },
}

impl Worker {
    pub(super) async fn plan(
        &self,
        row: &MailboxRow,
        mail: &InboundRow,
        read: &Read,
    ) -> Result<Plan, WorkerError> {
        let message = &read.message;
        let own_addresses = self.own_addresses(row).await?;
        let duplicate = self.duplicate(mail, read).await?;
        let authentication = self.authentication(row, message)?;
        let referred = self.referred(read).await?;
        let ticket = match &referred {
            Some(found) => Some(self.hit(found, message, authentication).await?),
            None => None,
        };
        let known = Known {
            own_addresses: &own_addresses,
            message_id_key: &self.parts.message_ids,
            ticket,
            duplicate: duplicate.clone(),
            // One that waited over a disconnect is not too old for the connection of now.
            accept_since: if mail.accepted { mail.received_at } else { row.accept_since },
            received_at: mail.received_at,
            authentication,
        };
        match decide(message, &known) {
            Decision::Note { ticket, .. } => Ok(Plan::Note { ticket }),
            Decision::Ignore { reason, ticket } => Ok(Plan::Leave { reason, ticket }),
            Decision::Open { requester, link } => {
                let told = link.zip(referred).map(|(link, other)| self.told(&link, &other.row));
                let flag = duplicate.map(|_| REUSED_ID.to_owned());
                let notes = told.into_iter().chain(flag).collect();
                self.unless_elsewhere(mail, read, Plan::Open { requester, notes }).await
            }
            Decision::Reply { ticket, .. } => match self.earlier_on_its_way(mail, &ticket).await? {
                Some(plan) => Ok(plan),
                None => self.unless_elsewhere(mail, read, Plan::Reply { ticket }).await,
            },
        }
    }

    /// Addresses that mail of ours comes from, whichever mailbox sent it.
    pub(super) async fn own_addresses(&self, row: &MailboxRow) -> Result<Vec<String>, WorkerError> {
        let settings = &self.parts.settings;
        let mut own = vec![row.address.clone()];
        for other in self.parts.store.mailboxes().await? {
            own.extend(MailboxSettings::parse(&other.settings)?.reply_to);
            own.push(other.address);
        }
        own.extend(settings.from_address.clone());
        own.extend(settings.reply_to.clone());
        own.dedup_by(|one, other| same_address(one, other));
        Ok(own)
    }

    async fn duplicate(&self, mail: &InboundRow, read: &Read) -> Result<Option<Duplicate>, WorkerError> {
        let store = &self.parts.store;
        let message_id = &read.reading.message_id;
        let Some(earlier) = store.inbound_by_message_id(&mail.mailbox, message_id, mail.id).await? else {
            return Ok(None);
        };
        let content = match earlier.reading {
            Some(reading) => Some(reading.content),
            // Read by a version that did not keep what it found.
            None => match store.inbound_raw(earlier.id).await? {
                Some(raw) => self.read(raw).await.ok().map(|other| other.reading.content),
                None => None,
            },
        };
        let same_content = content.as_ref() == Some(&read.reading.content);
        Ok(Some(Duplicate { ticket: earlier.ticket, same_content }))
    }

    /// `plan`, unless the same mail has got further in another mailbox.
    async fn unless_elsewhere(
        &self,
        mail: &InboundRow,
        read: &Read,
        plan: Plan,
    ) -> Result<Plan, WorkerError> {
        let separate = self.parts.settings.policy.same_mail == SameMail::Separate;
        if separate && matches!(plan, Plan::Open { .. }) {
            return Ok(plan);
        }
        let Some(other) = self.parts.store.inbound_elsewhere(mail, &read.reading).await? else {
            return Ok(plan);
        };
        match (other.state, other.ticket, plan) {
            (InboundState::Done, Some(ticket), Plan::Open { .. }) => Ok(Plan::Note { ticket }),
            (InboundState::Done, ticket, _) => {
                let reason = "the same mail reached another mailbox".to_owned();
                Ok(Plan::Leave { reason, ticket })
            }
            _ => Ok(self.step_back("the same mail is on its way from another mailbox")),
        }
    }

    pub(super) fn step_back(&self, reason: &'static str) -> Plan {
        Plan::StepBack { until: self.parts.clock.now() + STEP_BACK, reason }
    }

    /// Steps back while an earlier mail to the same ticket is not there yet, so that a conversation keeps
    /// its order.
    async fn earlier_on_its_way(&self, mail: &InboundRow, ticket: &str) -> Result<Option<Plan>, WorkerError> {
        let next_try = self.parts.store.waits_before(mail, ticket).await?;
        let reason = "an earlier mail of the conversation is on its way";
        let soonest = self.parts.clock.now() + Duration::from_secs(1);
        Ok(next_try.map(|until| Plan::StepBack { until: until.max(soonest), reason }))
    }

    /// Whether a mail this one answers is about to become a ticket; then it is left for the next round.
    pub(super) async fn waits_for_parent(&self, mail: &InboundRow, read: &Read) -> Result<bool, WorkerError> {
        let store = &self.parts.store;
        let parents = &read.message.parents;
        if store.ticket_by_message_ids(parents).await?.is_some() {
            return Ok(false);
        }
        for parent in parents.iter().take(PARENTS) {
            let earlier = store.inbound_by_message_id(&mail.mailbox, parent, mail.id).await?;
            if earlier.is_some_and(|earlier| earlier.state == InboundState::Intent) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
