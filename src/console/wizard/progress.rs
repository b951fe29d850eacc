//! How far the tests of this process are, by draft. In memory: a test that was cut off is run again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::clock::Timestamp;
use crate::mailbox::Check;

/// Tests that are remembered; the oldest is forgotten first.
const REMEMBERED: usize = 64;

#[derive(Default)]
pub struct Tests(Mutex<HashMap<String, Arc<Progress>>>);

/// One test.
pub struct Progress {
    started: Timestamp,
    so_far: Mutex<Shown>,
}

/// A test as a page shows it.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    pub checks: Vec<Check>,
    pub ended: bool,
    /// It broke down before its end.
    broken: bool,
}

impl Shown {
    pub fn passed(&self) -> bool {
        self.ended
            && !self.broken
            && !self.checks.is_empty()
            && self.checks.iter().all(|check| check.outcome.is_ok())
    }

    pub fn failed(&self) -> bool {
        self.broken || self.checks.iter().any(|check| check.outcome.is_err())
    }
}

impl Tests {
    /// A new test of the draft; `None` while one is running.
    pub fn start(&self, draft: &str, now: Timestamp) -> Option<Arc<Progress>> {
        let mut tests = held(&self.0);
        if tests.get(draft).is_some_and(|progress| !held(&progress.so_far).ended) {
            return None;
        }
        if tests.len() >= REMEMBERED {
            let oldest = tests.iter().min_by_key(|(_, progress)| progress.started).map(|(id, _)| id.clone());
            oldest.and_then(|id| tests.remove(&id));
        }
        let progress = Arc::new(Progress { started: now, so_far: Mutex::default() });
        tests.insert(draft.to_owned(), Arc::clone(&progress));
        Some(progress)
    }

    /// The draft's test tells no longer what is to be known.
    pub fn forget(&self, draft: &str) {
        held(&self.0).remove(draft);
    }

    pub fn shown(&self, draft: &str) -> Option<Shown> {
        held(&self.0).get(draft).map(|progress| held(&progress.so_far).clone())
    }
}

impl Progress {
    pub fn add(&self, check: Check) {
        held(&self.so_far).checks.push(check);
    }

    pub fn end(&self) {
        held(&self.so_far).ended = true;
    }
}

/// A test that is under way; dropped before its end it has broken down, and may be run again.
pub struct UnderWay(pub Arc<Progress>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut so_far = held(&self.0.so_far);
        so_far.broken = !so_far.ended;
        so_far.ended = true;
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Told;

    const NOW: Timestamp = Timestamp(0);

    #[test]
    fn a_second_press_starts_nothing_while_the_test_runs() {
        let tests = Tests::default();
        let first = tests.start("d1", NOW).expect("started");
        assert!(tests.start("d1", NOW).is_none());
        first.add(Check { step: "tcp", took_ms: 1, outcome: Ok(Told::new("seen-user")) });
        assert!(tests.shown("d1").is_some_and(|shown| !shown.passed() && !shown.failed()));
        first.end();
        assert!(tests.shown("d1").is_some_and(|shown| shown.passed()));
        assert!(tests.start("d1", NOW).is_some());
        assert!(tests.shown("d1").is_some_and(|shown| shown.checks.is_empty()));
    }

    #[test]
    fn a_test_that_breaks_down_has_failed_and_may_be_run_again() {
        let tests = Tests::default();
        let test = UnderWay(tests.start("d1", NOW).expect("started"));
        test.0.add(Check { step: "tcp", took_ms: 1, outcome: Ok(Told::new("seen-user")) });
        let broken = std::thread::spawn(move || {
            let _test = test;
            panic!("a check broke down");
        });
        assert!(broken.join().is_err());
        let shown = tests.shown("d1").expect("it is remembered");
        assert!(shown.ended && shown.failed() && !shown.passed());
        assert!(tests.start("d1", NOW).is_some());
    }

    #[test]
    fn only_so_many_tests_are_remembered() {
        let tests = Tests::default();
        for number in 0..REMEMBERED as i64 + 5 {
            tests.start(&format!("d{number}"), Timestamp(number)).expect("started").end();
        }
        assert!(tests.shown("d0").is_none() && tests.shown("d68").is_some());
    }
}
