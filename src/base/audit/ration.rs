//! How many lines one kind of record may fill, since anybody can have himself refused as often as he likes.

use std::collections::HashMap;
use std::time::Duration;

use super::{Event, Outcome, Record};

/// Lines of one kind within [`SPAN`].
const MOST: u32 = 60;
const SPAN: Duration = Duration::from_secs(60);

/// Counts by event and detail. Details are fixed words, so there are only so many.
#[derive(Default)]
pub(super) struct Ration(HashMap<(Event, &'static str), Window>);

struct Window {
    begun: Duration,
    written: u32,
    left_out: u64,
}

impl Ration {
    /// `None` when the record is only counted; otherwise how many were left out before it. `now` is steady.
    pub(super) fn take(&mut self, record: &Record<'_>, now: Duration) -> Option<u64> {
        if !is_for_everybody(record) {
            return Some(0);
        }
        let fresh = || Window { begun: now, written: 0, left_out: 0 };
        let window = self.0.entry((record.event, record.detail)).or_insert_with(fresh);
        if now.saturating_sub(window.begun) >= SPAN {
            (window.begun, window.written) = (now, 0);
        }
        if window.written == MOST {
            window.left_out += 1;
            return None;
        }
        window.written += 1;
        Some(std::mem::take(&mut window.left_out))
    }
}

/// Whether somebody without any right can bring the record about. What was done, and what administrators and
/// the gateway itself do, is always written.
fn is_for_everybody(record: &Record<'_>) -> bool {
    match record.event {
        Event::Refusal | Event::Brake | Event::Unusual => true,
        Event::SignIn | Event::OauthReturn | Event::GraphToken => record.outcome != Outcome::Success,
        Event::SignOut
        | Event::Demotion
        | Event::OauthStart
        | Event::OauthComplete
        | Event::Refresh
        | Event::ConsoleAction => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_fills_so_many_lines_and_the_next_one_tells_how_many_were_left_out() {
        let mut ration = Ration::default();
        let refusal = Record::new(Event::Refusal, Outcome::Refused, "no session");
        let written = (0..1000).filter(|_| ration.take(&refusal, Duration::ZERO).is_some());
        assert_eq!(written.count(), 60);
        assert_eq!(ration.take(&refusal, Duration::from_secs(60)), Some(940));
        assert_eq!(ration.take(&refusal, Duration::from_secs(60)), Some(0));
    }

    #[test]
    fn one_kind_cannot_silence_another_nor_what_was_done() {
        let mut ration = Ration::default();
        let kinds = [
            (Record::new(Event::Refusal, Outcome::Refused, "no session"), 60),
            (Record::new(Event::Refusal, Outcome::Refused, "half a session"), 60),
            (Record::new(Event::SignIn, Outcome::Refused, "refused by the desk"), 60),
            (Record::new(Event::SignIn, Outcome::Success, "a session began"), 100),
            (Record::new(Event::ConsoleAction, Outcome::Refused, "mailbox disconnected"), 100),
        ];
        for (record, lines) in kinds {
            let written = (0..100).filter(|_| ration.take(&record, Duration::ZERO).is_some());
            assert_eq!(written.count(), lines, "{record:?}");
        }
    }
}
