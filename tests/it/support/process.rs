//! Programs that run beside a test and end with it, and bounded waiting for what they do.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mintgate::base::id::random_bytes;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What a program may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// A running program; it and all that it started are asked to end, and made to, when this is dropped.
pub struct Process(Child);

impl Process {
    /// Starts it with what it prints going to the file `output`.
    pub fn start(command: &mut Command, output: &Path) -> Self {
        let file = std::fs::File::create(output).expect("a file for the output");
        let errors = file.try_clone().expect("a second handle");
        let started = command.process_group(0).stdin(Stdio::null()).stdout(file).stderr(errors).spawn();
        Self(started.unwrap_or_else(|refused| panic!("{command:?}: {refused}")))
    }

    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("its state").is_some()
    }

    /// Its number in `/proc`.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) else { return };
        for signal in [Signal::TERM, Signal::KILL] {
            let begun = Instant::now();
            let mut living = kill_process_group(group, signal).is_ok();
            while living && begun.elapsed() < GRACE {
                // Collects the program itself, which would stay in its group otherwise.
                drop(self.0.try_wait());
                std::thread::sleep(LOOK_EVERY);
                living = test_kill_process_group(group).is_ok();
            }
        }
    }
}

/// What `look` finds, as soon as it finds something; fails, naming `what`, when that takes too long.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {} s", PATIENCE.as_secs());
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Below the ports that the system gives to connections: one of those could take it before the program does.
pub fn free_port() -> u16 {
    let candidates = std::iter::repeat_with(|| 10_000 + u16::from_be_bytes(random_bytes()) % 20_000);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    candidates.take(1_000).find(free).expect("a port")
}
