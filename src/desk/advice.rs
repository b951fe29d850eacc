//! What a failure of the desk means for people: the key of its sentences and who can put it right. Says nothing
//! itself; the texts are the console's.

use crate::base::clock::Timestamp;
use crate::desk::{DeskError, OwnMail};
use crate::oauth::advice::Retry::{AfterConfiguration, Later};
use crate::oauth::advice::Who::Operator;
use crate::oauth::advice::{Advice, Retry};

/// Everything that can be said about the desk.
const ALL: [Advice; 8] = [
    advice("desk-no-bot", AfterConfiguration),
    advice("desk-unreachable", Later),
    advice("desk-sign-in", AfterConfiguration),
    advice("desk-refused", Later),
    advice("desk-rights", AfterConfiguration),
    advice("desk-garbled", AfterConfiguration),
    advice("desk-smtp", AfterConfiguration),
    advice("desk-queues", AfterConfiguration),
];

const fn advice(key: &'static str, retry: Retry) -> Advice {
    Advice::new(key, Operator, retry, None)
}

/// Every key, for whoever keeps the texts.
pub fn keys() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|advice| advice.key)
}

/// Advice on a reason that ends with its key in brackets.
pub fn of_reason(reason: &str) -> Option<Advice> {
    let (_, key) = reason.trim_end().strip_suffix(']')?.rsplit_once('[')?;
    ALL.iter().find(|advice| advice.key == key).copied()
}

/// `told` with the key of the advice at its end.
pub fn with_key(told: &str, error: &DeskError) -> String {
    format!("{told} [{}]", key_of(error))
}

/// A reason as people write one, for texts that are not understood again.
pub fn without_key(reason: &str) -> &str {
    let is_key =
        |key: &str| !key.is_empty() && key.bytes().all(|one| one.is_ascii_lowercase() || one == b'-');
    match reason.strip_suffix(']').and_then(|rest| rest.rsplit_once(" [")) {
        Some((told, key)) if is_key(key) => told,
        _ => reason,
    }
}

fn key_of(error: &DeskError) -> &'static str {
    match error {
        DeskError::NoBot => "desk-no-bot",
        DeskError::Call { .. } | DeskError::SignInCall { .. } => "desk-unreachable",
        DeskError::SignIn { status } if *status >= 500 => "desk-refused",
        DeskError::SignIn { .. } => "desk-sign-in",
        DeskError::Refused { .. } => "desk-refused",
        DeskError::Forbidden { .. } => "desk-rights",
        DeskError::Garbled { .. } => "desk-garbled",
    }
}

/// Why no answers are sent now, and since when: what the worker tells and the console reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The key of its sentences.
    pub key: &'static str,
    pub since: Timestamp,
}

const SINCE: &str = " Answers wait since ";

impl Hold {
    /// What the desk's own mail means for ours; `None` when nothing stands against it.
    pub fn because_of(own: OwnMail, now: Timestamp) -> Option<Self> {
        let key = if own.smtp { "desk-smtp" } else { "desk-queues" };
        (own.smtp || own.queues > 0).then_some(Self { key, since: now })
    }

    /// In one line, for the store, the log and whoever reads either.
    pub fn told(&self) -> String {
        let why = match self.key {
            "desk-smtp" => {
                "The desk has an SMTP provider of its own and mails agents' public comments itself; \
                 remove it there (Admin, SMTP Email), or customers would get every answer twice."
            }
            _ => {
                "The desk has an e-mail queue of its own and makes tickets of the same mail; \
                 remove it there (Admin, Email Queues)."
            }
        };
        format!("{why}{SINCE}{}. [{}]", self.since, self.key)
    }

    /// Reads what was told; `None` for a text of another version.
    pub fn read(told: &str) -> Option<Self> {
        let advice = of_reason(told)?;
        let (_, rest) = told.rsplit_once(SINCE)?;
        let (since, _) = rest.split_once(". [")?;
        Some(Self { key: advice.key, since: Timestamp::parse_rfc3339(since)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_advice() {
        for (error, key) in [
            (DeskError::NoBot, "desk-no-bot"),
            (DeskError::SignIn { status: 401 }, "desk-sign-in"),
            (DeskError::SignIn { status: 502 }, "desk-refused"),
            (DeskError::Refused { what: "open a ticket", status: 500 }, "desk-refused"),
            (DeskError::Forbidden { what: "open a ticket" }, "desk-rights"),
            (DeskError::Garbled { what: "open a ticket", source: None }, "desk-garbled"),
        ] {
            let told = with_key(&error.to_string(), &error);
            assert_eq!(of_reason(&told).map(|advice| advice.key), Some(key), "{told}");
            assert_eq!(without_key(&told), error.to_string());
        }
        let plain = "the desk refused to open a ticket: status 500";
        assert!(of_reason(plain).is_none());
        assert_eq!((without_key(plain), without_key("no [AADSTS1]")), (plain, "no [AADSTS1]"));
    }

    #[test]
    fn why_answers_wait_reads_back_as_it_was_told() {
        let now = Timestamp(1_795_222_800_000);
        for (own, key) in [
            (OwnMail { smtp: true, queues: 2 }, Some("desk-smtp")),
            (OwnMail { smtp: false, queues: 1 }, Some("desk-queues")),
            (OwnMail { smtp: false, queues: 0 }, None),
        ] {
            let hold = Hold::because_of(own, now);
            assert_eq!(hold.as_ref().map(|hold| hold.key), key);
            assert_eq!(hold.as_ref().and_then(|hold| Hold::read(&hold.told())), hold);
        }
        assert_eq!(Hold::read("The desk has an SMTP provider. Answers wait since yesterday."), None);
    }
}
