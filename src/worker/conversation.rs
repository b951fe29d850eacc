//! Finds the ticket a mail refers to, and who may write to it.

use super::reading::Read;
use super::{Worker, WorkerError};
use crate::mail::authentication::{Authentication, Server, judge};
use crate::mail::decide::{Clue, Link, TicketHit, Writer, clues, writer};
use crate::mail::policy::Policy;
use crate::mail::{AutomaticKind, Message, message_id, same_address};
use crate::mailbox::settings::{MailboxSettings, Provider};
use crate::store::{MailboxRow, TicketRow};

/// A ticket that a mail refers to.
pub(super) struct Referred {
    pub(super) row: TicketRow,
    /// Only by its subject.
    guessed: bool,
}

impl Referred {
    fn surely(row: TicketRow) -> Self {
        Self { row, guessed: false }
    }
}

impl Worker {
    /// What the mailbox's server says of the sender.
    pub(super) fn authentication(
        &self,
        row: &MailboxRow,
        message: &Message,
    ) -> Result<Authentication, WorkerError> {
        let provider = MailboxSettings::parse(&row.settings)?.provider;
        Ok(judge(message, &trusted(provider, &self.parts.settings.policy)))
    }

    /// The ticket by the first clue that leads to one; that of a delivery report by the mail of ours it
    /// returns.
    pub(super) async fn referred(&self, read: &Read) -> Result<Option<Referred>, WorkerError> {
        let message = &read.message;
        let is_report = message.automatic.as_ref().is_some_and(|found| found.kind == AutomaticKind::Bounce);
        if let Some(returned) = read.returned.as_deref().filter(|_| is_report)
            && let Some(row) = self.answered(returned).await?
        {
            return Ok(Some(Referred::surely(row)));
        }
        for clue in clues(message, &self.parts.message_ids) {
            let found = match clue {
                Clue::Own { ticket, .. } => self.parts.store.ticket_by_short(&ticket).await?,
                Clue::Parent(id) => self.parts.store.ticket_by_message_ids(&[id.to_owned()]).await?,
                Clue::SubjectMark(mark) => {
                    return Ok(self.marked(mark).await?.map(|row| Referred { row, guessed: true }));
                }
            };
            if found.is_some() {
                return Ok(found.map(Referred::surely));
            }
        }
        Ok(None)
    }

    /// The ticket that `returned`, a mail of ours, was an answer on.
    async fn answered(&self, returned: &str) -> Result<Option<TicketRow>, WorkerError> {
        let store = &self.parts.store;
        if let Some(short) = message_id::proven_ticket(&self.parts.message_ids, returned)
            && let Some(row) = store.ticket_by_short(&short).await?
        {
            return Ok(Some(row));
        }
        Ok(store.ticket_by_message_ids(&[returned.to_owned()]).await?)
    }

    /// The ticket of a subject's mark: its number, or its id.
    async fn marked(&self, mark: &str) -> Result<Option<TicketRow>, WorkerError> {
        let store = &self.parts.store;
        if let Ok(number) = mark.parse()
            && let Some(row) = store.ticket_by_number(number).await?
        {
            return Ok(Some(row));
        }
        Ok(store.ticket(mark).await?)
    }

    /// The ticket with everybody who may write to it. The desk is asked for its agents only where that makes
    /// a difference.
    pub(super) async fn hit(
        &self,
        found: &Referred,
        message: &Message,
        authentication: Authentication,
    ) -> Result<TicketHit, WorkerError> {
        let row = &found.row;
        let is_requester =
            message.from.as_ref().is_some_and(|from| same_address(&from.address, &row.requester));
        let agents =
            if is_requester || !authentication.passed() { Vec::new() } else { self.agents().await? };
        Ok(TicketHit {
            id: row.id.clone(),
            requester: row.requester.clone(),
            participants: row.participants.iter().map(|one| one.address.clone()).collect(),
            agents,
            guessed: found.guessed,
        })
    }

    /// As whom the sender of the mail writes to a ticket that it is let into.
    pub(super) async fn writer(
        &self,
        row: &MailboxRow,
        message: &Message,
        ticket: &TicketRow,
    ) -> Result<Writer, WorkerError> {
        let authentication = self.authentication(row, message)?;
        let hit = self.hit(&Referred::surely(ticket.clone()), message, authentication).await?;
        // Judged otherwise by now: a comment that nobody is sent is the smaller mistake.
        Ok(writer(message, &hit, authentication, &self.parts.message_ids).unwrap_or(Writer::Customer))
    }

    /// What the ticket of a mail that was not let into another one says about that.
    pub(super) fn told(&self, link: &Link, other: &TicketRow) -> String {
        let name = other.number.map_or_else(|| other.id.clone(), |number| format!("#{number}"));
        let who = if link.stranger {
            "its sender does not take part there"
        } else {
            "nothing proves that its sender wrote it"
        };
        let verified = if link.unverified { " The sender is unverified." } else { "" };
        let address = format!("{}/issue/{}", self.parts.settings.policy.files.origin, other.id);
        format!("[mintgate] This mail refers to ticket {name}, but {who}.{verified} {address}")
    }
}

/// The servers that take in the mail of a mailbox. Where the provider is not known and the operator names
/// none, only an id of ours proves who wrote.
fn trusted(provider: Provider, policy: &Policy) -> Vec<Server> {
    match provider {
        Provider::Microsoft => Server::microsoft(),
        Provider::Google => Server::google(),
        Provider::Other => policy.authentication_servers.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_servers_count_for_no_provider_that_has_its_own() {
        let named = vec![Server::Named("mx.desk.example".to_owned())];
        let policy = Policy { authentication_servers: named.clone(), ..Policy::default() };
        assert_eq!(trusted(Provider::Other, &policy), named);
        assert_eq!(trusted(Provider::Google, &policy), Server::google());
        assert_eq!(trusted(Provider::Microsoft, &policy), Server::microsoft());
        assert_eq!(trusted(Provider::Other, &Policy::default()), []);
    }
}
