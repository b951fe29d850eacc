//! The thread that writes the access log. It outlives every error of its file: a full disk is emptied some time.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use super::log::{Order, append};

/// Longer than any line.
const BUFFER: usize = 256 * 1024;

type Target = Box<dyn Write + Send>;

pub(super) struct Writer {
    target: BufWriter<Target>,
    file: Option<PathBuf>,
    /// Lines that were lost since writing began to fail.
    failing: Option<usize>,
}

impl Writer {
    /// `file` is opened anew on demand; without one everything goes to `target`.
    pub(super) fn new(target: Target, file: Option<PathBuf>) -> Self {
        Self { target: BufWriter::with_capacity(BUFFER, target), file, failing: None }
    }

    /// Until nobody is left who could write.
    pub(super) fn run(mut self, waiting: &Receiver<Order>) {
        while let Ok(first) = waiting.recv() {
            let mut next = Some(first);
            while let Some(order) = next {
                match order {
                    Order::Line(line) => self.write(&line),
                    Order::Reopen => self.reopen(),
                }
                next = waiting.try_recv().ok();
            }
            self.flush();
        }
    }

    fn write(&mut self, line: &[u8]) {
        if let Err(error) = self.target.write_all(line) {
            self.failed(&error, 1);
        }
    }

    fn flush(&mut self) {
        match self.target.flush() {
            Ok(()) => self.succeeded(),
            Err(error) => self.failed(&error, 0),
        }
    }

    /// Gives up what waits, except for what is left of a line that is half written. So many `lines` do not even wait.
    fn failed(&mut self, error: &io::Error, lines: usize) {
        if self.failing.is_none() {
            tracing::error!(%error, "the access log cannot be written; lines are lost until it can");
        }
        let given_up = self.target.buffer();
        let half = given_up.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let rest = given_up[..half].to_vec();
        let lost = lines + ends(&given_up[half..]);
        self.failing = Some(self.failing.unwrap_or(0) + lost);
        let target: Target = Box::new(io::sink());
        let broken = std::mem::replace(&mut self.target, BufWriter::with_capacity(0, target));
        let (target, _unwritten) = broken.into_parts();
        self.target = BufWriter::with_capacity(BUFFER, target);
        self.target.write_all(&rest).expect("the buffer is larger than a line");
    }

    fn succeeded(&mut self) {
        if let Some(lost) = self.failing.take() {
            tracing::warn!(lost, "the access log is written again");
        }
    }

    /// A file that cannot be had leaves the present one in use.
    fn reopen(&mut self) {
        let Some(path) = self.file.clone() else { return };
        self.flush();
        match append(&path) {
            Ok(file) => {
                // The rest of a line is nothing to begin a file with.
                self.failing = self.failing.map(|lost| lost + ends(self.target.buffer()));
                let fresh = BufWriter::with_capacity(BUFFER, Box::new(file) as Target);
                let (_old, _unwritten) = std::mem::replace(&mut self.target, fresh).into_parts();
            }
            Err(error) => {
                tracing::error!(%error, "the access log cannot be opened anew; the old file is kept")
            }
        }
    }
}

/// How many lines end in these bytes.
fn ends(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A disk that takes so many bytes and then, until it is emptied, no more.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Disk {
        fn with_room(room: usize) -> Self {
            Self(Arc::new(Mutex::new((Vec::new(), room))))
        }
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("not poisoned").0.clone()).expect("text")
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (written, room) = &mut *self.0.lock().expect("not poisoned");
            if *room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let taken = bytes.len().min(*room);
            written.extend_from_slice(&bytes[..taken]);
            *room -= taken;
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Each batch is written and flushed by itself.
    fn write(writer: &mut Writer, lines: &[&str]) {
        for line in lines {
            writer.write(line.as_bytes());
        }
        writer.flush();
    }

    #[test]
    fn lines_arrive_again_once_there_is_space_and_none_is_cut() {
        let disk = Disk::with_room(10);
        let mut writer = Writer::new(Box::new(disk.clone()), None);
        write(&mut writer, &["first\n", "second\n", "third\n", "fourth\n"]);
        assert_eq!((disk.text().as_str(), writer.failing), ("first\nseco", Some(2)));
        write(&mut writer, &["fifth\n"]);
        assert_eq!(writer.failing, Some(3));
        disk.0.lock().expect("not poisoned").1 = 1000;
        write(&mut writer, &["sixth\n"]);
        assert_eq!((disk.text().as_str(), writer.failing), ("first\nsecond\nsixth\n", None));
    }

    #[test]
    fn a_file_that_failed_can_still_be_opened_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("access.log");
        let writer = Writer::new(Box::new(Disk::with_room(0)), Some(path.clone()));
        let (orders, waiting) = channel();
        for order in [Order::Line(b"lost\n".to_vec()), Order::Reopen, Order::Line(b"kept\n".to_vec())] {
            orders.send(order).expect("it waits");
        }
        drop(orders);
        writer.run(&waiting);
        assert_eq!(std::fs::read_to_string(path).expect("the new file"), "kept\n");
    }
}
