//! One pass over one mailbox: fetch, process, settle, send. Idempotent, started by timer or by ring,
//! and it takes nothing but the mailbox's id.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::discover::DESK_FAILURE_FACT;
use super::supervise::{SHORTEST_WAIT, stopping};
use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::base::report::Report;
use crate::desk::advice::with_key;
use crate::mailbox::advice::keyed;
use crate::mailbox::settings::MailboxSettings;
use crate::mailbox::{Mailbox, MailboxError};
use crate::oauth::source::TokenError;
use crate::store::{MailboxRow, MailboxState, PollResult};

/// How long a mailbox stays with a worker that is not heard of.
const LEASE: Duration = Duration::from_secs(30);

/// Until a mailbox whose server ended the wait for new mail is looked at again.
const AFTER_A_LOSS: Duration = Duration::from_secs(30);

/// How many waiting answers are looked at to find the next retry.
const LOOK_AHEAD: u32 = 500;

/// The right to work a mailbox now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    pub(super) fence: i64,
}

/// Kind, address, scopes, settings, and when it was connected: another sign-in may be another account's.
type MadeOf = (String, String, String, String, Timestamp);

/// The mailbox object of a row, kept between rounds because it carries the rate limit.
pub(super) struct Kept {
    made_of: MadeOf,
    /// `None` for a kind this build does not know.
    mailbox: Option<Arc<dyn Mailbox>>,
    /// Whether the last round left nothing to wait for but new mail.
    is_well: bool,
    /// The provider asked not to be called before this.
    paused_until: Timestamp,
}

impl Kept {
    /// Returns early only when the mail server says that there is something new.
    pub(super) async fn wait(kept: Option<&Self>, limit: Duration) {
        let began = Instant::now();
        let mailbox = kept.filter(|kept| kept.is_well).and_then(|kept| kept.mailbox.as_deref());
        let Some(mailbox) = mailbox else { return tokio::time::sleep(limit).await };
        let told = mailbox.wait_for_change(limit).await.is_ok();
        // A server that always has news, or never holds a connection, must not keep the worker busy.
        let least = if told { SHORTEST_WAIT } else { limit.min(AFTER_A_LOSS) };
        tokio::time::sleep_until(began + least).await;
    }
}

/// One mailbox in one round.
struct Turn<'a> {
    row: &'a MailboxRow,
    /// `None` while it may not be called.
    mailbox: Option<&'a dyn Mailbox>,
    lease: Lease,
}

/// What a round came to.
#[derive(Default)]
struct Outcome {
    newest_mail: Option<Timestamp>,
    /// The first failure is the one that is told.
    failure: Option<WorkerError>,
    /// The provider asked not to be called before this, in whichever step.
    throttled_until: Option<Timestamp>,
    /// Why the mailbox has to be connected again, whichever step found out.
    dead: Option<String>,
}

impl Outcome {
    fn note(&mut self, result: Result<(), WorkerError>) {
        let Err(error) = result else { return };
        match &error {
            WorkerError::Mailbox(MailboxError::Throttled { retry_at }) => {
                self.throttled_until = self.throttled_until.max(Some(*retry_at));
            }
            WorkerError::Mailbox(MailboxError::Token(TokenError::NeedsReconnect { reason, .. })) => {
                self.dead.get_or_insert_with(|| reason.clone());
            }
            _ => {}
        }
        self.failure.get_or_insert(error);
    }

    /// Whether the provider may be called any more.
    fn may_go_on(&self) -> bool {
        self.throttled_until.is_none() && self.dead.is_none()
    }
}

impl Worker {
    /// One look at the desk and one round of every mailbox, as [`Worker::run`] does them again and again.
    pub async fn run_once(&self) -> Result<(), WorkerError> {
        let (_keep, stop) = watch::channel(false);
        let discovered = self.discover().await;
        self.tidy().await?;
        self.measure().await?;
        let mut worked = Ok(());
        for row in self.parts.store.mailboxes().await? {
            worked = worked.and(self.round(&row.id, &mut None, &stop).await.map(|_| ()));
        }
        discovered.and(worked)
    }

    /// A round, and how long to wait for the next; `None` once the mailbox is gone.
    pub(super) async fn round_or_wait(
        &self,
        id: &MailboxId,
        kept: &mut Option<Kept>,
        stop: &watch::Receiver<bool>,
    ) -> Option<Duration> {
        match self.round(id, kept, stop).await {
            Ok(next) => next.map(|wait| wait.max(SHORTEST_WAIT)),
            Err(error) => {
                warn!(mailbox = %id, error = %Report(&error), "a round of the mailbox failed");
                Some(self.parts.settings.poll_interval)
            }
        }
    }

    async fn round(
        &self,
        id: &MailboxId,
        kept: &mut Option<Kept>,
        stop: &watch::Receiver<bool>,
    ) -> Result<Option<Duration>, WorkerError> {
        let Some(row) = self.parts.store.mailbox(id).await? else { return Ok(None) };
        let before = self.parts.store.fence(id).await?;
        let Some(fence) = self.take_lease(id).await? else { return Ok(Some(LEASE)) };
        if before != Some(fence) {
            self.takeovers.note(id, self.parts.clock.now());
        }
        self.take_orders(&row, Lease { fence }).await?;
        // An order may have changed it.
        let Some(row) = self.parts.store.mailbox(id).await? else { return Ok(None) };
        let kept = self.keep_mailbox(&row, kept);
        // Settings that cannot be understood make no mailbox at all.
        let is_paused = MailboxSettings::parse(&row.settings).is_ok_and(|settings| settings.paused);
        let may_poll =
            row.state == MailboxState::Connected && !is_paused && kept.paused_until <= self.parts.clock.now();
        let turn =
            Turn { row: &row, mailbox: kept.mailbox.as_deref().filter(|_| may_poll), lease: Lease { fence } };
        let mut outcome = tokio::select! {
            outcome = self.work(&turn, stop) => outcome,
            error = self.keep_lease(id, fence) => return Err(error),
        };
        if kept.mailbox.is_none() {
            outcome.note(Err(WorkerError::UnknownKind { kind: row.kind.clone() }));
        }
        if let Some(retry_at) = outcome.throttled_until {
            kept.paused_until = retry_at;
            self.parts.meters.throttled();
            self.tell_throttled(id).await?;
        }
        kept.is_well = may_poll && outcome.failure.is_none();
        let paused_until = kept.paused_until;
        if may_poll || outcome.failure.is_some() {
            self.record(&row, outcome).await?;
        }
        Ok(Some(self.next_wait(&row, paused_until).await?))
    }

    /// The steps, each tried even when an earlier one failed: a dead token must not keep stored mail
    /// from the desk, a dead desk must not keep mail from being fetched.
    async fn work(&self, turn: &Turn<'_>, stop: &watch::Receiver<bool>) -> Outcome {
        let mut outcome = Outcome::default();
        // Page by page, so that the first ticket does not wait for the last mail of a backlog.
        while outcome.may_go_on() && self.fetch(turn, &mut outcome).await && !stopping(stop) {
            outcome.note(self.process_due(turn.row, stop).await);
        }
        // After what is new: that tells whether the server hands out mails at all.
        if let Some(mailbox) = turn.mailbox.filter(|_| outcome.may_go_on()) {
            outcome.note(self.fetch_again(turn.row, mailbox).await);
        }
        outcome.note(self.process_due(turn.row, stop).await);
        outcome.note(self.tell_desk_of_put_aside(turn.row).await);
        match turn.mailbox {
            Some(mailbox) => self.finish(turn, mailbox, &mut outcome, stop).await,
            None => outcome.note(self.give_up_behind_dead_sign_in(turn.row).await),
        }
        outcome
    }

    /// What goes to the mail server.
    async fn finish(
        &self,
        turn: &Turn<'_>,
        mailbox: &dyn Mailbox,
        outcome: &mut Outcome,
        stop: &watch::Receiver<bool>,
    ) {
        if outcome.may_go_on() {
            outcome.note(self.settle(turn.row, mailbox).await);
        }
        if outcome.may_go_on() {
            outcome.note(self.send_due(turn.row, mailbox, stop).await);
        }
        if outcome.failure.is_none() {
            self.keep_subscribed(turn.row, mailbox).await;
        }
    }

    /// Fetches a page; whether there is another.
    async fn fetch(&self, turn: &Turn<'_>, outcome: &mut Outcome) -> bool {
        let Some(mailbox) = turn.mailbox else { return false };
        match self.fetch_page(turn.row, mailbox, turn.lease).await {
            Ok(stored) => {
                outcome.newest_mail = outcome.newest_mail.max(stored.newest);
                let trouble = stored.trouble;
                let more = stored.more && trouble.is_none();
                outcome.note(trouble.map_or(Ok(()), |error| Err(error.into())));
                more
            }
            Err(error) => {
                outcome.note(Err(error));
                false
            }
        }
    }

    /// Until the next retry, or the next poll.
    async fn next_wait(&self, row: &MailboxRow, paused_until: Timestamp) -> Result<Duration, WorkerError> {
        let now = self.parts.clock.now();
        let chosen = MailboxSettings::parse(&row.settings)?.check_interval;
        let poll =
            chosen.map_or(self.parts.settings.poll_interval, |seconds| Duration::from_secs(seconds.into()));
        let inbound = self.parts.store.next_inbound_try(&row.id, now).await?;
        let outgoing = self.parts.store.due_outgoing(&row.id, now + poll, LOOK_AHEAD).await?;
        let tries = inbound.into_iter().chain(outgoing.iter().map(|mail| mail.next_try_at));
        // What is due already was left on purpose, for the next poll.
        let next = tries.chain([paused_until]).filter(|&at| at > now).min();
        Ok(next.map_or(poll, |at| at.since(now).min(poll)))
    }

    fn keep_mailbox<'k>(&self, row: &MailboxRow, kept: &'k mut Option<Kept>) -> &'k mut Kept {
        let (kind, address) = (row.kind.clone(), row.address.clone());
        let made_of = (kind, address, row.scopes.clone(), row.settings.clone(), row.connected_at);
        kept.take_if(|kept| kept.made_of != made_of);
        kept.get_or_insert_with(|| Kept {
            made_of,
            mailbox: (self.parts.mailboxes)(row),
            is_well: false,
            paused_until: Timestamp(0),
        })
    }

    pub(super) async fn take_lease(&self, id: &MailboxId) -> Result<Option<i64>, WorkerError> {
        let now = self.parts.clock.now();
        Ok(self.parts.store.lease(id, &self.parts.holder, LEASE, now).await?)
    }

    /// Renews the lease for as long as the round goes on; ends when it is lost.
    async fn keep_lease(&self, id: &MailboxId, fence: i64) -> WorkerError {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            if let Err(error) = still_held(fence, self.take_lease(id)).await {
                return error;
            }
        }
    }

    /// Lets another worker have the mailbox at once.
    pub(super) async fn release(&self, id: &MailboxId) {
        let now = self.parts.clock.now();
        if let Err(error) = self.parts.store.lease(id, &self.parts.holder, Duration::ZERO, now).await {
            info!(mailbox = %id, error = %Report(&error), "the lease could not be given back");
        }
    }

    /// Writes down how the round went, for the console.
    async fn record(&self, row: &MailboxRow, outcome: Outcome) -> Result<(), WorkerError> {
        let store = &self.parts.store;
        let at = self.parts.clock.now();
        if let Some(error) = outcome.failure {
            let told = match &error {
                WorkerError::Mailbox(failure) => keyed(Report(&error).to_string(), failure),
                WorkerError::Desk(failure) => with_key(&Report(&error).to_string(), failure),
                _ => Report(&error).to_string(),
            };
            warn!(mailbox = %row.id, error = told, "a step of the mailbox's round failed");
            if let Some(reason) = outcome.dead {
                store.set_mailbox_state(&row.id, MailboxState::NeedsReconnect, Some(&reason), at).await?;
            }
            return self.note_poll(row, PollResult::Failed { at, error: told }).await;
        }
        let result = match store.fact(DESK_FAILURE_FACT).await? {
            Some(error) => PollResult::Failed { at, error },
            None => PollResult::Fine { at, newest_mail: outcome.newest_mail },
        };
        self.note_poll(row, result).await
    }

    async fn note_poll(&self, row: &MailboxRow, result: PollResult) -> Result<(), WorkerError> {
        self.parts.store.record_poll(&row.id, &result).await?;
        self.tell_turn(row, &result).await
    }
}

/// Fails unless `renewal` gives the same lease again while there is no doubt about it: a store that is long
/// silent may have given the mailbox to another worker by the time it answers.
async fn still_held(
    fence: i64,
    renewal: impl Future<Output = Result<Option<i64>, WorkerError>>,
) -> Result<(), WorkerError> {
    match tokio::time::timeout(LEASE / 3, renewal).await {
        Ok(Ok(Some(kept))) if kept == fence => Ok(()),
        Ok(Ok(_)) => Err(WorkerError::LeaseLost),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(WorkerError::LeaseUncertain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_the_store_does_not_renew_in_time_counts_as_lost() {
        use std::future::{pending, ready};
        assert!(still_held(7, ready(Ok(Some(7)))).await.is_ok());
        let (others, nobodys) = (still_held(7, ready(Ok(Some(8)))), still_held(7, ready(Ok(None))));
        assert!(matches!(others.await, Err(WorkerError::LeaseLost)));
        assert!(matches!(nobodys.await, Err(WorkerError::LeaseLost)));
        let began = Instant::now();
        assert!(matches!(still_held(7, pending()).await, Err(WorkerError::LeaseUncertain)));
        assert!(began.elapsed() + LEASE / 3 < LEASE, "before it may be another's");
    }

    #[test]
    fn what_a_later_step_learnt_of_the_provider_counts_beside_the_first_failure() {
        let dead = TokenError::NeedsReconnect {
            mailbox: MailboxId::parse("m").expect("an id"),
            reason: "the grant was ended".to_owned(),
        };
        let mut outcome = Outcome::default();
        outcome.note(Err(WorkerError::LeaseLost));
        assert!(outcome.may_go_on());
        for seconds in [600, 30] {
            let retry_at = Timestamp(seconds * 1000);
            outcome.note(Err(MailboxError::Throttled { retry_at }.into()));
        }
        assert_eq!(outcome.throttled_until, Some(Timestamp(600_000)));
        outcome.note(Err(MailboxError::Token(dead).into()));
        assert_eq!(outcome.dead.as_deref(), Some("the grant was ended"));
        assert!(!outcome.may_go_on());
        assert!(matches!(outcome.failure, Some(WorkerError::LeaseLost)), "the first is the one that is told");
    }
}
