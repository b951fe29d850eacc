//! A real mail from the mailbox to an address that should lead back into it: sent, arrived, cleaned up.
//! It is marked as automatic, so that it never becomes a ticket.

use std::time::Duration;

use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;
use tracing::warn;

use crate::base::clock::{Clock, Timestamp};
use crate::base::id::short_id;
use crate::base::report::Report;
use crate::console::wizard::progress::Progress;
use crate::mailbox::{Check, Fetched, Mailbox, MailboxError, Outgoing, Told};

/// How often, and how many times, is looked whether the mail has arrived.
const PAUSE: Duration = Duration::from_secs(2);
const LOOKS: u32 = 30;

/// Clocks of servers differ; a mail from just before is looked at too.
const SLACK: Duration = Duration::from_secs(120);

/// Of a mail, to find the mark in it.
const ENOUGH: usize = 64 * 1024;

/// From where to where.
pub struct Trip<'t> {
    pub from: &'t str,
    pub to: &'t str,
    pub clock: &'t dyn Clock,
}

impl Trip<'_> {
    /// Whether the mail came back; each step is told to `progress`.
    pub async fn make(&self, mailbox: &dyn Mailbox, progress: &Progress) -> bool {
        let mark = format!("{}{}", short_id(), short_id());
        let began = self.clock.now();
        let sent = self.send(mailbox, &mark).await.map(|()| Told::new("seen-sent").with("address", self.to));
        if !self.tell(progress, "send", began, sent.map_err(|failure| Told::from(&failure))) {
            return false;
        }
        let waiting = self.clock.now();
        let arrived = self.await_arrival(mailbox, &mark, began - SLACK).await;
        let key = arrived.as_ref().ok().cloned();
        let shown = arrived.map(|_| Told::new("seen-arrived"));
        if !self.tell(progress, "arrive", waiting, shown) {
            return false;
        }
        let cleaning = self.clock.now();
        let cleaned = mailbox.settle(&key.unwrap_or_default()).await;
        let shown = match cleaned {
            Ok(()) => Ok(Told::new("seen-cleaned")),
            Err(MailboxError::NotGranted { .. }) => Ok(Told::new("seen-kept")),
            Err(failure) => Err(Told::from(&failure)),
        };
        self.tell(progress, "clean", cleaning, shown)
    }

    async fn send(&self, mailbox: &dyn Mailbox, mark: &str) -> Result<(), MailboxError> {
        let message_id =
            format!("{mark}@{}", self.from.rsplit_once('@').map_or("localhost", |(_, host)| host));
        let mime = MessageBuilder::new()
            .from(self.from)
            .to(self.to)
            .subject(format!("Test of the mail connection ({mark})"))
            .message_id(message_id.as_str())
            .date(self.clock.now().0 / 1000)
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .header("X-Auto-Response-Suppress", Raw::new("All"))
            .text_body("This mail shows that mail can be sent and read. It can be deleted.\r\n")
            .write_to_vec()
            .map_err(|_| MailboxError::Garbled { what: "the test mail".to_owned() })?;
        let message_id = format!("<{message_id}>");
        let mail = Outgoing { message_id: &message_id, mime: &mime, dispatched_at: self.clock.now() };
        let provider_id = mailbox.prepare(mail).await?;
        mailbox.dispatch(mail, provider_id.as_deref()).await?;
        if let Err(failure) = mailbox.finish(mail).await {
            warn!(error = %Report(&failure), "the test mail could not be filed");
        }
        Ok(())
    }

    /// Key of the mail.
    async fn await_arrival(
        &self,
        mailbox: &dyn Mailbox,
        mark: &str,
        since: Timestamp,
    ) -> Result<String, Told> {
        let mut seen = Vec::new();
        for _ in 0..LOOKS {
            match look(mailbox, mark, since, &mut seen).await {
                Ok(Some(key)) => return Ok(key),
                Ok(None) => {}
                Err(failure) => return Err(Told::from(&failure)),
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Told::new("trip-lost"))
    }

    fn tell(
        &self,
        progress: &Progress,
        step: &'static str,
        began: Timestamp,
        outcome: Result<Told, Told>,
    ) -> bool {
        let took_ms = u64::try_from(self.clock.now().since(began).as_millis()).unwrap_or(u64::MAX);
        let passed = outcome.is_ok();
        progress.add(Check { step, took_ms, outcome });
        passed
    }
}

/// Looks through what came since; `seen` are keys that are not it.
async fn look(
    mailbox: &dyn Mailbox,
    mark: &str,
    since: Timestamp,
    seen: &mut Vec<String>,
) -> Result<Option<String>, MailboxError> {
    let mut cursor: Option<String> = None;
    loop {
        let page = mailbox.list(cursor.as_deref(), since).await?;
        for mail in page.mails {
            if seen.contains(&mail.key) {
                continue;
            }
            let bytes = match mailbox.fetch(&mail.key, ENOUGH).await? {
                Fetched::Raw { bytes, .. } | Fetched::TooLarge { beginning: bytes, .. } => bytes,
                Fetched::Gone => Vec::new(),
            };
            if bytes.windows(mark.len()).any(|window| window == mark.as_bytes()) {
                return Ok(Some(mail.key));
            }
            seen.push(mail.key);
        }
        if !page.more {
            return Ok(None);
        }
        cursor = Some(page.cursor);
    }
}
