//! Keeps one task per mailbox and one for the desk running, and wakes them. It knows nothing of what
//! they do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{error, warn};

use super::Worker;
use super::round::Kept;
use crate::base::id::MailboxId;
use crate::base::report::Report;
use crate::base::wake::Wake;
use crate::store::orders::{ORDER, mailbox_of};

/// The tasks: awake, waiting for a ring, or ended.
type Running = HashMap<MailboxId, JoinHandle<()>>;

impl Worker {
    /// Works until `stop` turns true (or its sender is gone), then ends after the step at hand.
    /// A task that dies is started again with the next look. A desk that takes its time over answers keeps
    /// neither mailboxes nor orders waiting.
    pub async fn run(self: Arc<Self>, stop: watch::Receiver<bool>) {
        tokio::join!(self.keep_tasks(stop.clone()), self.keep_looking(stop.clone()), self.watch_orders(stop));
    }

    /// One task for each mailbox that is connected.
    async fn keep_tasks(self: &Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut running = Running::new();
        while !stopping(&stop) {
            self.start_missing(&mut running, &stop).await;
            tokio::select! {
                () = self.parts.wake.rung() => {
                    self.bells.ring_all();
                    self.looks.ring();
                }
                () = tokio::time::sleep(self.parts.settings.poll_interval) => {}
                _ = stop.changed() => {}
            }
        }
        self.bells.ring_all();
        for (mailbox, task) in running {
            report_end(&mailbox, task).await;
        }
    }

    /// Looks for answers, whose mailboxes it rings. What is written at the desk concerns no mailbox before that.
    async fn keep_looking(&self, mut stop: watch::Receiver<bool>) {
        while !stopping(&stop) {
            let found = tokio::select! {
                found = self.discover() => found,
                _ = stop.changed() => break,
            };
            if let Err(error) = found {
                warn!(error = %Report(&error), "agents' answers cannot be looked for");
            }
            if let Err(error) = self.tidy().await {
                warn!(error = %Report(&error), "old mails cannot be dropped");
            }
            tokio::select! {
                () = self.parts.written.rung() => {}
                () = self.looks.rung() => {}
                () = tokio::time::sleep(self.parts.settings.poll_interval) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Looks every moment whether another process left an order, and how things stand.
    async fn watch_orders(&self, mut stop: watch::Receiver<bool>) {
        for look in 0_u32.. {
            if stopping(&stop) {
                break;
            }
            match self.parts.store.hints(ORDER).await {
                Ok(hints) => {
                    for mailbox in hints.iter().filter_map(|hint| mailbox_of(hint)) {
                        self.bells.ring(&mailbox);
                    }
                }
                Err(error) => warn!(error = %Report(&error), "orders cannot be looked for"),
            }
            if look.is_multiple_of(LOOKS_PER_COUNT)
                && let Err(error) = self.measure().await
            {
                warn!(error = %Report(&error), "the mails cannot be counted");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_FOR_ORDERS) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn start_missing(self: &Arc<Self>, running: &mut Running, stop: &watch::Receiver<bool>) {
        let ended: Vec<_> =
            running.iter().filter(|(_, task)| task.is_finished()).map(|(id, _)| id.clone()).collect();
        for id in ended {
            self.bells.take_down(&id);
            if let Some(task) = running.remove(&id) {
                report_end(&id, task).await;
            }
        }
        let rows = match self.parts.store.mailboxes().await {
            Ok(rows) => rows,
            Err(error) => return error!(error = %Report(&error), "mailboxes cannot be listed"),
        };
        for row in rows {
            running.entry(row.id.clone()).or_insert_with(|| {
                let bell = self.bells.hang(&row.id);
                tokio::spawn(Arc::clone(self).keep_working(row.id, bell, stop.clone()))
            });
        }
    }

    /// Rounds of one mailbox, by bell and by timer, until it is gone or `stop` says so.
    async fn keep_working(self: Arc<Self>, id: MailboxId, bell: Wake, mut stop: watch::Receiver<bool>) {
        let mut kept = None;
        while !stopping(&stop) {
            let Some(wait) = self.round_or_wait(&id, &mut kept, &stop).await else { break };
            tokio::select! {
                () = bell.rung() => {}
                () = Kept::wait(kept.as_ref(), wait) => {}
                _ = stop.changed() => {}
            }
        }
        self.release(&id).await;
    }
}

/// Whether the work is to end.
pub(super) fn stopping(stop: &watch::Receiver<bool>) -> bool {
    *stop.borrow() || stop.has_changed().is_err()
}

async fn report_end(mailbox: &MailboxId, task: JoinHandle<()>) {
    if let Err(error) = task.await {
        error!(%mailbox, error = %Report(&error), "the task of a mailbox died");
    }
}

/// How soon an order of another process is seen.
const LOOK_FOR_ORDERS: Duration = Duration::from_secs(2);
/// Counting reads every line of the ledger, so it is done less often.
const LOOKS_PER_COUNT: u32 = 8;

/// The shortest sleep of a task, so that a due time in the past cannot make it spin.
pub(super) const SHORTEST_WAIT: Duration = Duration::from_secs(1);
