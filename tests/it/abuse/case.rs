//! One request and what has to become of it.

use super::scene::{At, Scene, Seen};

pub struct Case {
    pub at: At,
    pub bytes: Vec<u8>,
    pub expected: Expected,
}

#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// A 4xx, a 501 or no answer at all, and no service saw anything.
    Refused,
    /// Exactly this status, and no service saw anything.
    Status(u16),
    /// Answered by the gateway itself, whatever the answer; no service saw anything.
    Kept,
    /// A service answered, once.
    Passes,
    /// As [`Expected::Passes`]; what the service saw has the first text, whatever its case, and not the second.
    Clean { with: &'static str, without: &'static str },
    /// As [`Expected::Clean`] or as [`Expected::Refused`].
    Harmless { with: &'static str, without: &'static str },
}

impl Case {
    pub fn new(at: At, bytes: impl AsRef<[u8]>, expected: Expected) -> Self {
        Self { at, bytes: bytes.as_ref().to_vec(), expected }
    }

    /// `METHOD target` for the desk with further lines, each ended by CR LF.
    pub fn asking(at: At, request: &str, lines: &str, expected: Expected) -> Self {
        Self::new(at, head(request, "desk.example", lines), expected)
    }

    fn failure(&self, answer: &[u8], seen: &[Seen]) -> Option<String> {
        let status: Option<u16> = std::str::from_utf8(answer.get(9..12).unwrap_or_default())
            .ok()
            .and_then(|status| status.parse().ok());
        let passed = status == Some(200) && seen.len() == 1;
        let text = || seen.iter().map(Seen::text).collect::<String>().to_ascii_lowercase();
        let refused =
            seen.is_empty() && status.is_none_or(|status| (400..500).contains(&status) || status == 501);
        let clean = |with, without| passed && text().contains(with) && !text().contains(without);
        let good = match self.expected {
            Expected::Refused => refused,
            Expected::Status(wanted) => seen.is_empty() && status == Some(wanted),
            Expected::Kept => seen.is_empty(),
            Expected::Passes => passed,
            Expected::Clean { with, without } => clean(with, without),
            Expected::Harmless { with, without } => refused || clean(with, without),
        };
        let library = answer.to_ascii_lowercase().windows(7).any(|word| word == b"pingora");
        (!good || library).then(|| {
            let (bytes, answer) = (String::from_utf8_lossy(&self.bytes), String::from_utf8_lossy(answer));
            let line = answer.lines().next().unwrap_or("nothing");
            let bytes: String = bytes.chars().take(300).collect();
            format!(
                "{:?} {bytes:?}\n  expected {:?}, got {line:?}, a service saw {seen:?}",
                self.at, self.expected
            )
        })
    }
}

/// A head that asks for its connection to be closed.
pub fn head(request: &str, host: &str, lines: &str) -> String {
    format!("{request} HTTP/1.1\r\nHost: {host}\r\n{lines}Connection: close\r\n\r\n")
}

/// Sends every case on a connection of its own and tells of all that came out otherwise.
pub fn check(scene: &Scene, cases: impl IntoIterator<Item = Case>) {
    let mut failures = Vec::new();
    for case in cases {
        let before = scene.seen();
        let answer = scene.exchange(case.at, &case.bytes);
        failures.extend(case.failure(&answer, &scene.seen()[before.len()..]));
    }
    assert!(failures.is_empty(), "{} came out otherwise:\n{}", failures.len(), failures.join("\n"));
}
