//! Log lines are handed to a thread that writes them: whoever logs never waits for a slow disk, or for a pipe that
//! nobody reads. What a line says is not known here.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait to be written.
const WAITING: usize = 8192;
/// At the end, what waits is written for so many moments at most.
const MOMENTS: u32 = 40;
const MOMENT: Duration = Duration::from_millis(25);

enum Order {
    Line(Vec<u8>),
    /// Everything before it has been written.
    End(SyncSender<()>),
}

/// Where lines go.
#[derive(Clone)]
pub(super) struct Lines {
    orders: SyncSender<Order>,
    lost: Arc<AtomicU64>,
}

/// Writes what still waits when it is dropped, if that can be done in time.
#[must_use]
pub(super) struct Farewell(SyncSender<Order>);

impl Lines {
    /// Starts the thread that writes to `target`.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(super) fn to(target: impl Write + Send + 'static) -> io::Result<(Self, Farewell)> {
        let (orders, waiting) = sync_channel(WAITING);
        let lines = Self { orders: orders.clone(), lost: Arc::default() };
        let lost = lines.lost.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&waiting, target, &lost))?;
        Ok((lines, Farewell(orders)))
    }
}

impl Write for Lines {
    /// One whole line, as the log's formatter hands it over.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.orders.try_send(Order::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        let (written, all_is_written) = sync_channel(1);
        for moment in 0..MOMENTS {
            match self.0.try_send(Order::End(written.clone())) {
                Ok(()) => {
                    // Whether in time or not: this is the end.
                    all_is_written.recv_timeout(MOMENT * (MOMENTS - moment)).ok();
                    return;
                }
                Err(TrySendError::Full(_)) => thread::sleep(MOMENT),
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }
}

fn write_all(waiting: &Receiver<Order>, mut target: impl Write, lost: &AtomicU64) {
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        while let Some(order) = next {
            match order {
                // There is no other place where a failure could be told.
                Order::Line(line) if target.write_all(&line).is_err() => {
                    lost.fetch_add(1, Ordering::Relaxed);
                }
                Order::Line(_) => {}
                Order::End(written) => {
                    drop(target.flush());
                    written.try_send(()).ok();
                }
            }
            next = waiting.try_recv().ok();
        }
        let flushed = target.flush();
        let lines = lost.swap(0, Ordering::Relaxed);
        if flushed.is_ok() && lines > 0 {
            tracing::warn!(lines, "log lines were dropped because writing was too slow or failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Tells that it is asked to write, and waits until it may.
    struct Slow {
        asked: SyncSender<()>,
        may_go_on: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.asked.try_send(()).ok();
            self.may_go_on.recv().ok();
            self.written.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_and_what_was_dropped_is_counted() {
        let ((asked, was_asked), (go_on, may_go_on)) = (sync_channel(1), sync_channel(0));
        let written = Arc::new(Mutex::new(Vec::new()));
        let (mut lines, farewell) =
            Lines::to(Slow { asked, may_go_on, written: written.clone() }).expect("a thread");
        lines.write_all(b"first\n").expect("taken");
        was_asked.recv().expect("the thread is writing");
        for _ in 0..WAITING + 10 {
            lines.write_all(b"another\n").expect("taken");
        }
        assert_eq!(lines.lost.load(Ordering::Relaxed), 10);
        drop(go_on);
        drop(farewell);
        let written = written.lock().expect("not poisoned");
        assert_eq!(written.iter().filter(|&&byte| byte == b'\n').count(), 1 + WAITING);
    }
}
