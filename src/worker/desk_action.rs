//! Does at the desk what was decided about a mail, and finds out whether an earlier try did it already:
//! a ticket carries the mail's marker in `createdBy.role`, a comment carries its reference in the text.

use std::time::Duration;

use super::judge::Plan;
use super::process::{continued, conversation};
use super::reading::Read;
use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::base::id::hex;
use crate::desk::{NewTicket, TicketView};
use crate::mail::blocks as page_blocks;
use crate::mail::decide::{UNKNOWN_SENDER, Writer};
use crate::mail::desk_text::{CommentHead, blocks, comment, reference_mark};
use crate::mail::{AutomaticKind, Mailbox, clean};
use crate::store::{InboundRow, MailboxRow, TicketRow};
use serde_json::Value;

/// A call whose answer was lost may be applied this much later. Until then "it is not there" proves
/// nothing, so nothing is repeated. Longer than the HTTP client's own limit of 30 s.
pub(super) const UNSETTLED: Duration = Duration::from_secs(45);

/// A call begins at most this long after its intent was written, so that it has ended before anybody else may
/// take the mail for settled: this, the desk's patience with a repeat after a new sign-in (10 s) and the HTTP
/// client's limit together are `UNSETTLED`.
const BEGINS_WITHIN: Duration = Duration::from_secs(5);

/// Not public: a desk with a mail provider of its own would mail the customer his own words.
const NOT_MAILED: bool = false;

const LONGEST_TITLE: usize = 250;
/// The desk's own limits are far above these.
const LONG_TEXT: usize = 100_000;
const LONG_TEXT_LINES: usize = 2_000;
/// Of an automatic mail, in characters.
const LONGEST_NOTE: usize = 2_000;

/// One try to bring a mail to the desk.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) row: &'a MailboxRow,
    pub(super) mail: &'a InboundRow,
    pub(super) read: &'a Read,
    /// When the intent was written.
    pub(super) begun: Timestamp,
    /// An earlier try may have done it.
    pub(super) resumed: bool,
}

/// How a mail's ticket or comment is recognised at the desk. Keyed, so that nobody can forge one.
pub(super) struct Mark(pub(super) String);

impl Mark {
    fn ticket(&self) -> String {
        format!("mail:{}", self.0)
    }

    /// Short enough for a person to quote.
    fn comment(&self) -> &str {
        &self.0[..10]
    }
}

impl Worker {
    pub(super) fn mark(&self, mail: &InboundRow) -> Mark {
        let parts: [&[u8]; 3] = [b"desk mark", mail.mailbox.as_str().as_bytes(), mail.source_key.as_bytes()];
        Mark(hex(&self.parts.message_ids.hash(&parts)[..16]))
    }

    /// Opens a ticket, or finds the one an earlier try opened.
    pub(super) async fn open(&self, job: &Job<'_>) -> Result<TicketRow, WorkerError> {
        let message = &job.read.message;
        let marker = self.mark(job.mail).ticket();
        let (requester, notes) = match self.plan(job.row, job.mail, job.read).await? {
            Plan::Open { requester, notes } => (requester, notes),
            // Judged otherwise by now; what was begun is finished all the same.
            _ => (message.from.clone().unwrap_or_else(nobody), Vec::new()),
        };
        let earlier = if job.resumed { self.parts.desk.find_by_marker(&marker).await? } else { None };
        let id = match earlier {
            Some(id) => id,
            None => {
                let files = self.keep_files(job).await?;
                let ticket = NewTicket {
                    name: requester.name.clone(),
                    email: requester.address.clone(),
                    title: title(&message.subject),
                    detail: detail(job.read, &notes, files).await,
                    marker,
                };
                self.demand_fresh(job).await?;
                self.open_new(ticket).await?
            }
        };
        let own = self.own_addresses(job.row).await?;
        let now = self.parts.clock.now();
        Ok(conversation(job, id, (requester.address, requester.name), &own, now))
    }

    /// Makes sure that nothing but the call itself is left between the intent and the desk. What came before it
    /// (a long list, files, a new sign-in, a paused machine) may have taken long: then the intent is written
    /// again, unless the mail was taken for nobody's meanwhile.
    async fn demand_fresh(&self, job: &Job<'_>) -> Result<(), WorkerError> {
        self.parts.desk.bot_user().await?;
        let now = self.parts.clock.now();
        if now.since(job.begun) <= BEGINS_WITHIN {
            return Ok(());
        }
        let renewed = self.parts.store.renew_intent(job.mail.id, job.begun, now).await?;
        if renewed { Ok(()) } else { Err(WorkerError::Overtaken) }
    }

    async fn open_new(&self, ticket: NewTicket) -> Result<String, WorkerError> {
        let error = match self.parts.desk.create_ticket(&ticket).await {
            Ok(id) => return Ok(id),
            Err(error) => error,
        };
        if error.may_have_applied()
            && let Ok(Some(id)) = self.parts.desk.find_by_marker(&ticket.marker).await
        {
            return Ok(id);
        }
        Err(error.into())
    }

    /// Adds the mail as a comment unless an earlier try did, and reopens the ticket; `None` when the
    /// ticket is gone.
    pub(super) async fn reply(&self, job: &Job<'_>, ticket: &str) -> Result<Option<TicketRow>, WorkerError> {
        let Some(row) = self.parts.store.ticket(ticket).await? else { return Ok(None) };
        let Some(view) = self.parts.desk.ticket(ticket).await? else { return Ok(None) };
        let row = TicketRow { number: Some(view.number), gone_at: None, ..row };
        let earlier = if job.resumed { self.comment_of(&view, job.mail).await? } else { None };
        let own = self.own_addresses(job.row).await?;
        let by = self.writer(job.row, &job.read.message, &row).await?;
        if by == Writer::Agent {
            let row = self.answer_by_mail(job, row, &view, earlier).await?;
            return Ok(Some(continued(row, job.read, &own, by)));
        }
        if earlier.is_none() {
            let text = self.reply_text(job).await?;
            self.add_comment(job, ticket, &text, NOT_MAILED).await?;
        }
        if view.closed {
            self.parts.desk.reopen(ticket).await?;
        }
        Ok(Some(continued(row, job.read, &own, by)))
    }

    /// What a comment shows of the mail, once its files are kept.
    pub(super) async fn reply_text(&self, job: &Job<'_>) -> Result<String, WorkerError> {
        let files = self.keep_files(job).await?;
        Ok(joined(&[cut_note(job.read), Some(with_files(&job.read.message.reply, files))]))
    }

    /// Tells of the mail at the ticket unless an earlier try did, and leaves the ticket closed if it is;
    /// `false` when the ticket is gone.
    pub(super) async fn note(&self, job: &Job<'_>, ticket: &str) -> Result<bool, WorkerError> {
        let Some(view) = self.parts.desk.ticket(ticket).await? else { return Ok(false) };
        let earlier = if job.resumed { self.comment_of(&view, job.mail).await? } else { None };
        if earlier.is_none() {
            self.add_comment(job, ticket, &note_text(job), NOT_MAILED).await?;
        }
        Ok(true)
    }

    pub(super) async fn add_comment(
        &self,
        job: &Job<'_>,
        ticket: &str,
        text: &str,
        public: bool,
    ) -> Result<(), WorkerError> {
        let text = self.comment_text(job, text);
        self.demand_fresh(job).await?;
        let error = match self.parts.desk.comment(ticket, &text, public).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if error.may_have_applied()
            && let Ok(Some(view)) = self.parts.desk.ticket(ticket).await
            && self.comment_of(&view, job.mail).await?.is_some()
        {
            return Ok(());
        }
        Err(error.into())
    }

    /// When the mail's comment was made, if it is there.
    async fn comment_of(
        &self,
        view: &TicketView,
        mail: &InboundRow,
    ) -> Result<Option<Timestamp>, WorkerError> {
        let bot = self.parts.desk.bot_user().await?;
        let reference = reference_mark(self.mark(mail).comment());
        let mut by_bot = view.comments.iter().filter(|one| one.user_id.as_ref() == Some(&bot.id));
        Ok(by_bot.find(|one| one.text.contains(&reference)).map(|one| one.created_at))
    }

    /// By what the mail's comment is found again.
    pub(super) fn comment_mark(&self, mail: &InboundRow) -> String {
        self.mark(mail).comment().to_owned()
    }

    fn comment_text(&self, job: &Job<'_>, text: &str) -> String {
        let message = &job.read.message;
        let from = message.from.clone().unwrap_or_else(nobody);
        let mark = self.mark(job.mail);
        let head = CommentHead { from: &from, at: job.mail.received_at, reference: mark.comment() };
        comment(&head, text)
    }
}

fn nobody() -> Mailbox {
    Mailbox { name: UNKNOWN_SENDER.to_owned(), address: String::new() }
}

fn title(subject: &str) -> String {
    let line = clean::line(subject, LONGEST_TITLE);
    if line.is_empty() { "(no subject)".to_owned() } else { line }
}

/// What the ticket shows, laid out off the async threads: a page costs time.
async fn detail(read: &Read, notes: &[String], files: String) -> Value {
    let message = read.message.clone();
    let mut above = joined(&[Some(notes.join("\n")), cut_note(read)]);
    let mut below = files;
    if is_long(&message.text) {
        above = joined(&[Some(above), Some(std::mem::take(&mut below))]);
    }
    let plain = joined(&[Some(above.clone()), Some(message.text.clone()), Some(below.clone())]);
    let laid_out = tokio::task::spawn_blocking(move || page_blocks::ticket(&message, &above, &below));
    // A page that made its reader fail is shown as text.
    laid_out.await.unwrap_or_else(|_| blocks(&plain))
}

/// The files come last, but first where the text may be cut at its end.
fn with_files(text: &str, files: String) -> String {
    let (text, files) = (Some(text.to_owned()), Some(files));
    if text.as_deref().is_some_and(is_long) { joined(&[files, text]) } else { joined(&[text, files]) }
}

fn is_long(text: &str) -> bool {
    text.len() > LONG_TEXT || text.lines().count() > LONG_TEXT_LINES
}

/// An automatic mail, shortened; or that a mail known already came another way, too.
fn note_text(job: &Job<'_>) -> String {
    let message = &job.read.message;
    let Some(automatic) = &message.automatic else {
        return format!("[mintgate] The same mail also reached {}.", job.row.address);
    };
    let what = match automatic.kind {
        AutomaticKind::Feedback => "A report came back",
        AutomaticKind::Bounce => "A delivery report came back; perhaps an answer did not arrive",
        AutomaticKind::AutoReply | AutomaticKind::List => "An automatic reply",
    };
    let text: String = message.text.chars().take(LONGEST_NOTE).collect();
    joined(&[Some(format!("[mintgate] {what} ({}).", automatic.reason)), Some(text)])
}

fn cut_note(read: &Read) -> Option<String> {
    read.cut
        .then(|| "[mintgate] This mail is larger than is accepted; only its beginning is here.".to_owned())
}

fn joined(pieces: &[Option<String>]) -> String {
    pieces
        .iter()
        .flatten()
        .map(String::as_str)
        .filter(|piece| !piece.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n")
}
