//! Brings an agent's mail to its ticket as the answer it is: a public comment that is mailed to the customer,
//! unless the agent has written to him, too.

use super::answers::by_mail;
use super::desk_action::Job;
use super::hold::Fate;
use super::letters::{Letter, Posted};
use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::desk::TicketView;
use crate::mail::{Mailbox, Message, same_address};
use crate::store::{OutgoingKind, TicketRow};

const FILES_NOTE: &str = "[mintgate] The files of this mail were not mailed to the customer.";
const UNCLEAR_NOTE: &str = "[mintgate] This answer was not mailed by the mail gateway: the desk's own SMTP provider \
    was being set or removed, so the desk may have mailed it.";
const UNSENDABLE_NOTE: &str =
    "[mintgate] An answer by mail was not passed on: the customer's address cannot be used.";

impl Worker {
    /// Adds the comment unless an earlier try did (`earlier`: when), and puts it into the outbox. A closed
    /// ticket stays closed, as it does when an agent comments at the desk.
    pub(super) async fn answer_by_mail(
        &self,
        job: &Job<'_>,
        row: TicketRow,
        view: &TicketView,
        earlier: Option<Timestamp>,
    ) -> Result<TicketRow, WorkerError> {
        let message = &job.read.message;
        let has_it = is_addressed(message, &row.requester);
        let at = earlier.unwrap_or_else(|| self.parts.clock.now());
        let fate = self.look_at_own_mail().await?.fate(at);
        let passed_on = fate == Fate::Mail && !has_it && !row.requester.is_empty();
        if earlier.is_none() {
            // The desk mails what is public, while it has a provider of its own.
            let public = fate == Fate::Mail || !has_it;
            let mut text = self.reply_text(job).await?;
            let without_files = !has_it && !message.attachments.is_empty();
            let notes = [(without_files, FILES_NOTE), (fate == Fate::Unclear && !has_it, UNCLEAR_NOTE)];
            for (_, note) in notes.into_iter().filter(|(wanted, _)| *wanted) {
                text.push_str("\n\n");
                text.push_str(note);
            }
            self.add_comment(job, &row.id, &text, public).await?;
        }
        if passed_on {
            self.pass_on(job, &row, view).await?;
        }
        Ok(row)
    }

    async fn pass_on(&self, job: &Job<'_>, row: &TicketRow, view: &TicketView) -> Result<(), WorkerError> {
        let message = &job.read.message;
        let Some(sender) = self.mailbox_for(row).await? else { return Ok(()) };
        let history = self.history(row, &sender).await?;
        let has_it: Vec<&Mailbox> = message.from.iter().chain(&message.to).chain(&message.cc).collect();
        let letter = Letter {
            kind: OutgoingKind::Answer,
            about: &by_mail(&self.comment_mark(job.mail)),
            date: job.mail.received_at,
            text: &message.reply,
            ticket_number: Some(view.number),
            quoted: history.as_ref().map(|history| history.quoted()),
            already_has_it: &has_it,
        };
        if self.post(row, &sender, &letter).await? == Posted::Impossible {
            self.parts.desk.comment(&row.id, UNSENDABLE_NOTE, false).await?;
        }
        Ok(())
    }
}

fn is_addressed(message: &Message, address: &str) -> bool {
    message.to.iter().chain(&message.cc).any(|one| same_address(&one.address, address))
}
