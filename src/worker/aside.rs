//! Tells agents of mails that were put aside: one ticket for each, whatever happens on the way there and however
//! often the mail is tried again.

use super::desk_action::UNSETTLED;
use super::{Worker, WorkerError};
use crate::base::id::hex;
use crate::desk::NewTicket;
use crate::mail::desk_text::blocks;
use crate::store::{InboundRow, MailboxRow};

const AT_ONCE: u32 = 50;

impl Worker {
    /// Opens a ticket for each mail of this mailbox that was put aside and that the desk does not know of.
    pub(super) async fn tell_desk_of_put_aside(&self, row: &MailboxRow) -> Result<(), WorkerError> {
        let store = &self.parts.store;
        for mail in store.untold_inbound(&row.id, self.parts.clock.now(), AT_ONCE).await? {
            // Before the call: one whose answer is lost may be applied this much later.
            store.postpone_telling(mail.id, self.parts.clock.now() + UNSETTLED).await?;
            self.open_stub(row, &mail).await?;
            store.note_told(mail.id).await?;
        }
        Ok(())
    }

    async fn open_stub(&self, row: &MailboxRow, mail: &InboundRow) -> Result<(), WorkerError> {
        let marker = self.stub_marker(mail).await?;
        if self.parts.desk.find_by_marker(&marker).await?.is_some() {
            return Ok(());
        }
        let reason = mail.reason.as_deref().unwrap_or("no reason is known");
        let text = format!(
            "A mail that reached {} on {} could not be made a ticket: {reason}.\nWhat there is of it is kept; see \
             the mail page of the administration to download it or to try again (mail {}).",
            row.address, mail.received_at, mail.id,
        );
        let ticket = NewTicket {
            name: "mintgate".to_owned(),
            email: row.address.clone(),
            title: "A mail could not be read".to_owned(),
            detail: blocks(&text),
            marker,
        };
        self.parts.desk.create_ticket(&ticket).await?;
        Ok(())
    }

    /// By what the mail says: a folder that is numbered anew shows the same mail under another key.
    async fn stub_marker(&self, mail: &InboundRow) -> Result<String, WorkerError> {
        let raw = self.parts.store.inbound_raw(mail.id).await?;
        Ok(format!(
            "unreadable:{}",
            match raw {
                Some(raw) => {
                    let parts: [&[u8]; 3] = [b"unreadable", mail.mailbox.as_str().as_bytes(), &raw];
                    hex(&self.parts.message_ids.hash(&parts)[..16])
                }
                None => self.mark(mail).0,
            }
        ))
    }
}
