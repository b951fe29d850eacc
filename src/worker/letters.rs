//! Writes our own mails and puts them into the outbox: who they are from, what stands in them, once each.
//! It does not decide that there is something to say.

use tracing::warn;

use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::mail::compose::{Answer, ComposeError, Quoted, Voice, compose};
use crate::mail::template::{Template, Values};
use crate::mail::{Mailbox, clean, message_id, same_address, thread_index};
use crate::mailbox::settings::MailboxSettings;
use crate::store::{MailboxRow, MailboxState, NewOutgoing, OutgoingKind, TicketRow};

/// How one mailbox speaks.
pub(super) struct Style {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    signature: String,
    pub(super) acknowledge: bool,
    pub(super) closing_notice: bool,
    pub(super) quote_history: bool,
}

/// Something to say on a ticket.
pub(super) struct Letter<'a> {
    pub(super) kind: OutgoingKind,
    /// Unique on the ticket; the same for every try of the same letter.
    pub(super) about: &'a str,
    pub(super) date: Timestamp,
    /// What an agent wrote; empty for a notice.
    pub(super) text: &'a str,
    pub(super) ticket_number: Option<i64>,
    pub(super) quoted: Option<Quoted<'a>>,
    /// Participants who need no copy.
    pub(super) already_has_it: &'a [&'a Mailbox],
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Posted {
    New,
    /// It was there before.
    Known,
    /// An address cannot be written into a mail, or no mailbox is left to send it.
    Impossible,
}

impl Worker {
    /// What was chosen for the mailbox, and where nothing was, for all of them.
    pub(super) fn style(&self, row: &MailboxRow) -> Result<Style, WorkerError> {
        let settings = &self.parts.settings;
        let letters = &settings.policy.letters;
        let own = MailboxSettings::parse(&row.settings)?;
        // `mail.from` names one mailbox; the name and Reply-To beside it are that one's.
        let is_meant = settings.from_address.as_deref().is_none_or(|from| same_address(from, &row.address));
        let of_all = |choice: &Option<String>| choice.clone().filter(|_| is_meant);
        let name = own.from_name.or_else(|| of_all(&settings.from_name)).unwrap_or_default();
        let reply_to = own.reply_to.or_else(|| of_all(&settings.reply_to));
        Ok(Style {
            from: mailbox_of(name, row.address.clone()),
            reply_to: reply_to.map(|address| mailbox_of(String::new(), address)),
            signature: own.signature.or_else(|| letters.signature.clone()).unwrap_or_default(),
            acknowledge: own.acknowledge || letters.acknowledge,
            closing_notice: own.closing_notice || letters.closing_notice,
            quote_history: own.quote_history || letters.quote_history,
        })
    }

    /// The mailbox a ticket is answered from: its own, or where that is gone the default one.
    pub(super) async fn mailbox_for(&self, ticket: &TicketRow) -> Result<Option<MailboxRow>, WorkerError> {
        match self.parts.store.mailbox(&ticket.mailbox).await? {
            Some(row) => Ok(Some(row)),
            None => self.default_mailbox().await,
        }
    }

    /// The mailbox of tickets that came in by none: the one that the operator named for that, or as `mail.from`;
    /// else of those that work the one that was there first.
    pub(super) async fn default_mailbox(&self) -> Result<Option<MailboxRow>, WorkerError> {
        let settings = &self.parts.settings;
        let mut rows = self.parts.store.mailboxes().await?;
        let named = settings.policy.default_mailbox.iter().chain(&settings.from_address);
        for address in named {
            if let Some(at) = rows.iter().position(|row| same_address(&row.address, address)) {
                return Ok(Some(rows.swap_remove(at)));
            }
        }
        let working = rows.into_iter().filter(|row| row.state == MailboxState::Connected);
        Ok(working.min_by(|one, other| (one.accept_since, &one.id).cmp(&(other.accept_since, &other.id))))
    }

    /// Whether our mails tell the ticket's number in their subject.
    pub(super) fn marks_subjects(&self) -> bool {
        self.parts.settings.policy.letters.subject_mark
    }

    pub(super) fn template(&self, kind: OutgoingKind) -> &Template {
        let templates = &self.parts.settings.policy.letters.templates;
        match kind {
            OutgoingKind::Answer => &templates.answer,
            OutgoingKind::Acknowledgement => &templates.acknowledgement,
            OutgoingKind::Closing => &templates.closing,
            OutgoingKind::TooLarge => &templates.too_large,
        }
    }

    /// Freezes the letter with a Message-ID that depends only on ticket and occasion.
    pub(super) async fn post(
        &self,
        ticket: &TicketRow,
        sender: &MailboxRow,
        letter: &Letter<'_>,
    ) -> Result<Posted, WorkerError> {
        let settings = &self.parts.settings;
        let id =
            message_id::make(&self.parts.message_ids, &ticket.id, letter.about, &settings.message_id_domain);
        let style = self.style(sender)?;
        let mime = match self.write(&id, ticket, &style, letter) {
            Ok(mime) => mime,
            Err(error) => {
                warn!(ticket = ticket.id, about = letter.about, error = %Report(&error), "a mail cannot be written");
                return Ok(Posted::Impossible);
            }
        };
        let mail = NewOutgoing {
            mailbox: sender.id.clone(),
            ticket: ticket.id.clone(),
            comment: letter.about.to_owned(),
            kind: letter.kind,
            // Without brackets, as the ledger keeps them.
            message_id: id.trim_matches(['<', '>']).to_owned(),
            recipient: ticket.requester.clone(),
            mime,
            created_at: self.parts.clock.now(),
        };
        let added = self.parts.store.add_outgoing(&mail).await?;
        Ok(if added { Posted::New } else { Posted::Known })
    }

    fn write(
        &self,
        id: &str,
        ticket: &TicketRow,
        style: &Style,
        letter: &Letter<'_>,
    ) -> Result<Vec<u8>, ComposeError> {
        let answers = letter.kind == OutgoingKind::Answer;
        let has_it =
            |address: &str| letter.already_has_it.iter().any(|one| same_address(&one.address, address));
        let people = ticket.participants.iter().filter(|one| answers && !has_it(&one.address));
        let copies: Vec<Mailbox> =
            people.map(|one| mailbox_of(one.name.clone(), one.address.clone())).collect();
        let mark =
            thread_index::answer(ticket.thread_index.as_deref(), &ticket.id, ticket.opened_at, letter.date);
        compose(&Answer {
            message_id: id,
            from: &style.from,
            reply_to: style.reply_to.as_ref(),
            to: &mailbox_of(ticket.requester_name.clone(), ticket.requester.clone()),
            copies: &copies,
            subject: &ticket.subject,
            mark: letter.ticket_number.filter(|_| self.marks_subjects()),
            date: letter.date,
            references: &ticket.references,
            thread_index: &mark,
            voice: if answers { Voice::Person } else { Voice::Machine },
            text: &self.text(ticket, style, letter),
            quoted: letter.quoted,
        })
    }

    fn text(&self, ticket: &TicketRow, style: &Style, letter: &Letter<'_>) -> String {
        let limit = format!("{} MB", (self.parts.settings.max_size >> 20).max(1));
        // Names and subjects are a stranger's: one line, whatever is in them.
        let (subject, name) = (clean::line(&ticket.subject, 200), clean::line(&ticket.requester_name, 100));
        self.template(letter.kind).write(&Values {
            text: letter.text.trim_end(),
            signature: &style.signature,
            ticket_number: letter.ticket_number,
            ticket_subject: &subject,
            customer_name: &name,
            mailbox_name: &style.from.name,
            mailbox_address: &style.from.address,
            limit: &limit,
        })
    }
}

fn mailbox_of(name: String, address: String) -> Mailbox {
    Mailbox { name, address }
}
