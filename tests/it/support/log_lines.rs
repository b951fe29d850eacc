//! What a log would hold, as JSON lines.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::EnvFilter;

type Bytes = Arc<Mutex<Vec<u8>>>;

/// Collects the lines of one test, whatever other tests do at the same time.
pub struct LogLines {
    bytes: Bytes,
    // Where there is only one collector in a process, `tracing` asks the thread that comes by first whether anybody
    // wants an event, and keeps that answer for all. With two it asks both.
    _second: Dispatch,
}

struct Writer(Bytes);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl LogLines {
    pub fn new() -> Self {
        Self { bytes: Bytes::default(), _second: Dispatch::new(NoSubscriber::default()) }
    }

    /// Takes what `filter` lets through.
    pub fn subscriber(&self, filter: &str) -> impl Subscriber + Send + Sync + use<> {
        let bytes = Arc::clone(&self.bytes);
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::new(filter))
            .with_writer(move || Writer(Arc::clone(&bytes)))
            .finish()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().expect("not poisoned").clone()).expect("text")
    }

    pub fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}
