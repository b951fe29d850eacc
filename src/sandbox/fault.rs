//! Fault switches: what goes wrong on which route, how often. Knows nothing of what the routes mean.

use std::sync::{Arc, Mutex};

use serde::Deserialize;

use super::lock;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The answer comes late; the call is applied at its end.
    Slow { milliseconds: u64 },
    /// The call is refused and nothing is done.
    RefuseBefore { status: u16, retry_after: Option<String> },
    /// The call is done and refused all the same.
    RefuseAfter { status: u16, retry_after: Option<String> },
    /// The connection ends; nothing is done. As a fault on `*` without an end: the server is down.
    CutBefore,
    /// The call is done; the connection ends without an answer.
    CutAfter,
    /// The connection ends at once; the call is done later.
    ApplyLate { milliseconds: u64 },
    /// The body stops half way although its length was announced.
    Truncate,
    /// The body comes in pieces of `bytes`, `milliseconds` apart, its length not announced.
    Drip { bytes: usize, milliseconds: u64 },
}

/// A switch that is on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Upper case; every method when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// The path without its query; `*` stands for any run of characters.
    pub path: String,
    pub effect: Effect,
    /// How often it happens; for ever when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// It happens to every n-th matching call, the n-th first.
    #[serde(default = "one")]
    pub every: u32,
    #[serde(skip)]
    seen: u32,
}

fn one() -> u32 {
    1
}

impl Fault {
    /// A fault on every call of `method` to `path`.
    pub fn on(method: &str, path: &str, effect: Effect) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: path.to_owned(),
            effect,
            times: None,
            every: 1,
            seen: 0,
        }
    }

    /// A fault on every call to `path`, whatever its method.
    pub fn anywhere(path: &str, effect: Effect) -> Self {
        Self { method: None, ..Self::on("", path, effect) }
    }

    /// Ends after `times`.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Happens to every `every`-th call only.
    #[must_use]
    pub fn every(self, every: u32) -> Self {
        Self { every, ..self }
    }

    fn strikes(&mut self, method: &str, path: &str) -> bool {
        let meant = self.method.as_deref().is_none_or(|wanted| wanted == method) && matches(&self.path, path);
        if !meant || self.times == Some(0) {
            return false;
        }
        self.seen += 1;
        if !self.seen.is_multiple_of(self.every.max(1)) {
            return false;
        }
        self.times = self.times.map(|left| left - 1);
        true
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == path;
    };
    let Some(tail) = path.strip_prefix(start) else {
        return false;
    };
    (0..=tail.len()).filter(|&cut| tail.is_char_boundary(cut)).any(|cut| matches(rest, &tail[cut..]))
}

/// The switches of one server; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    pub fn add(&self, fault: Fault) {
        lock(&self.0).push(fault);
    }

    /// How many calls met one of the present switches.
    pub fn met(&self) -> u32 {
        lock(&self.0).iter().map(|fault| fault.seen).sum()
    }

    /// Everything works again.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }

    /// The effect on this call, if any; the switch first added wins.
    pub(super) fn strike(&self, method: &str, path: &str) -> Option<Effect> {
        let mut faults = lock(&self.0);
        let effect =
            faults.iter_mut().find_map(|fault| fault.strikes(method, path).then(|| fault.effect.clone()));
        faults.retain(|fault| fault.times != Some(0));
        effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_ends_after_its_times() {
        let faults = Faults::default();
        faults.add(Fault::on("POST", "/a/*/b", Effect::CutAfter).times(1));
        assert_eq!(faults.strike("GET", "/a/1/b"), None);
        assert_eq!(faults.strike("POST", "/a/1/b"), Some(Effect::CutAfter));
        assert_eq!(faults.strike("POST", "/a/1/b"), None);
    }

    #[test]
    fn every_third_call_is_struck() {
        let faults = Faults::default();
        faults.add(Fault::anywhere("*", Effect::CutBefore).every(3));
        let struck: Vec<bool> = (0..6).map(|_| faults.strike("GET", "/").is_some()).collect();
        assert_eq!(struck, [false, false, true, false, false, true]);
    }

    #[test]
    fn a_fault_reads_from_json() {
        let text = r#"{"path":"/x","effect":{"refuse_before":{"status":429,"retry_after":"2"}},"times":2}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        let effect = Effect::RefuseBefore { status: 429, retry_after: Some("2".to_owned()) };
        assert_eq!(fault, Fault::anywhere("/x", effect).times(2));
    }
}
