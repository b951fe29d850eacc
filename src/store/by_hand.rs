//! What a person may do with a mail of the queues, whoever asks: a command or a page. Decides by the state the
//! mail is in; what another has changed meanwhile is told, never overwritten.

use std::fmt;
use std::str::FromStr;

use super::sql::Word;
use super::{InboundState, OutboxState, Result, Store};
use crate::base::clock::Timestamp;

/// The reason of every mail that a person left alone begins so.
pub const LEFT_ALONE: &str = "left alone by an operator";

/// A mail by its name: `in-12` came in, `out-5` goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueuedMail {
    In(i64),
    Out(i64),
}

/// The text names no mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a mail is named like `in-12` or `out-5`")]
pub struct NoMailName;

impl FromStr for QueuedMail {
    type Err = NoMailName;

    fn from_str(text: &str) -> std::result::Result<Self, NoMailName> {
        let (way, number) = text.split_once('-').ok_or(NoMailName)?;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let id = number.parse().ok().filter(|&id: &i64| digits && id > 0).ok_or(NoMailName)?;
        match way {
            "in" => Ok(Self::In(id)),
            "out" => Ok(Self::Out(id)),
            _ => Err(NoMailName),
        }
    }
}

impl fmt::Display for QueuedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(id) => write!(f, "in-{id}"),
            Self::Out(id) => write!(f, "out-{id}"),
        }
    }
}

/// The state of a mail of either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    In(InboundState),
    Out(OutboxState),
}

impl MailState {
    /// The word that the store keeps; different for each state of both directions.
    pub fn word(self) -> &'static str {
        match self {
            Self::In(state) => state.word(),
            Self::Out(state) => state.word(),
        }
    }

    /// Whether [`retry`] can do something.
    pub fn can_retry(self) -> bool {
        !matches!(self, Self::In(InboundState::Done | InboundState::Ignored) | Self::Out(OutboxState::Sent))
    }

    /// Whether [`skip`] can do something.
    pub fn can_skip(self) -> bool {
        self.can_retry() && self != Self::Out(OutboxState::Failed)
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Done,
    /// There is no such mail.
    Absent,
    /// The mail is in a state in which this cannot be done, or not in the one that was seen.
    Overtaken,
}

impl Change {
    fn of(done: bool) -> Self {
        if done { Self::Done } else { Self::Overtaken }
    }
}

/// The state a mail is in; `None` when there is no such mail.
pub async fn state(store: &dyn Store, mail: QueuedMail) -> Result<Option<MailState>> {
    Ok(match mail {
        QueuedMail::In(id) => store.inbound(id).await?.map(|row| MailState::In(row.state)),
        QueuedMail::Out(id) => store.outgoing(id).await?.map(|row| MailState::Out(row.state)),
    })
}

/// Tries the mail again now. `seen` is the word of the state that whoever asks believes it is in.
pub async fn retry(
    store: &dyn Store,
    mail: QueuedMail,
    seen: Option<&str>,
    now: Timestamp,
) -> Result<Change> {
    let Some(state) = state(store, mail).await? else { return Ok(Change::Absent) };
    if seen.is_some_and(|seen| seen != state.word()) || !state.can_retry() {
        return Ok(Change::Overtaken);
    }
    // Each of these changes nothing when the mail has left its state since.
    let done = match (mail, state) {
        (QueuedMail::In(id), MailState::In(InboundState::Quarantined)) => {
            store.retry_inbound(id, now).await?
        }
        (QueuedMail::In(id), _) => store.hasten_inbound(id, now).await?,
        (QueuedMail::Out(id), _) => store.retry_outgoing(id, now).await?,
    };
    Ok(Change::of(done))
}

/// Does nothing more with the mail; `why` is kept with it. `seen` as for [`retry`].
pub async fn skip(
    store: &dyn Store,
    mail: QueuedMail,
    seen: Option<&str>,
    why: &str,
    now: Timestamp,
) -> Result<Change> {
    let Some(state) = state(store, mail).await? else { return Ok(Change::Absent) };
    if seen.is_some_and(|seen| seen != state.word()) || !state.can_skip() {
        return Ok(Change::Overtaken);
    }
    let reason = if why.is_empty() { LEFT_ALONE.to_owned() } else { format!("{LEFT_ALONE}: {why}") };
    let done = match (mail, state) {
        (QueuedMail::In(id), MailState::In(state)) => store.skip_inbound(id, state, &reason, now).await?,
        (QueuedMail::Out(id), MailState::Out(state)) => store.skip_outgoing(id, state, &reason).await?,
        _ => false,
    };
    Ok(Change::of(done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_named_by_direction_and_number() {
        assert_eq!("in-12".parse(), Ok(QueuedMail::In(12)));
        assert_eq!("out-5".parse(), Ok(QueuedMail::Out(5)));
        assert_eq!(QueuedMail::Out(5).to_string(), "out-5");
        for text in ["", "12", "in-", "in-0", "in--1", "in-+1", "up-3", "in-x", "in-99999999999999999999"] {
            assert_eq!(text.parse::<QueuedMail>(), Err(NoMailName), "{text}");
        }
    }

    #[test]
    fn every_state_of_both_directions_has_a_word_of_its_own() {
        let inbound = InboundState::WORDS.iter().map(|(_, word)| *word);
        let mut words: Vec<_> = inbound.chain(OutboxState::WORDS.iter().map(|(_, word)| *word)).collect();
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all);
    }
}
