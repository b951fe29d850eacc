//! Times as people read them: the moment with its zone, and how long ago it is.

use std::fmt;
use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::console::language::Texts;

/// A moment for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// RFC 3339, for the `datetime` attribute.
    pub machine: String,
    /// `2026-11-21 01:02:03 UTC`.
    pub shown: String,
    /// `5 minutes ago`, `in 2 hours`.
    pub relative: String,
}

impl Moment {
    pub fn at(moment: Timestamp, now: Timestamp, t: &Texts) -> Self {
        let machine = moment.rfc3339();
        let shown = machine.replace('T', " ").replace('Z', " UTC");
        let relative = if moment > now {
            t.say("ahead").set("span", span(moment.since(now), t)).to_string()
        } else {
            t.say("ago").set("span", span(now.since(moment), t)).to_string()
        };
        Self { machine, shown, relative }
    }
}

impl fmt::Display for Moment {
    /// Within a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.shown, self.relative)
    }
}

/// `2 hours`, in whole units.
pub fn span(span: Duration, t: &Texts) -> String {
    let seconds = span.as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "seconds"),
        60..3600 => (seconds / 60, "minutes"),
        3600..172_800 => (seconds / 3600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    t.say(unit).count("count", count).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::language::Languages;

    const NOW: Timestamp = Timestamp(1_795_222_923_000);

    #[test]
    fn a_moment_has_its_zone_and_its_distance() {
        let languages = Languages::new();
        let t = languages.pick(None, None);
        let moment = Moment::at(NOW - Duration::from_secs(60), NOW, t);
        assert_eq!(
            (moment.shown.as_str(), moment.relative.as_str()),
            ("2026-11-21 01:01:03 UTC", "1 minute ago")
        );
        assert_eq!(Moment::at(NOW + Duration::from_secs(7300), NOW, t).relative, "in 2 hours");
        assert_eq!(Moment::at(NOW, NOW, t).relative, "0 seconds ago");
        let german = languages.pick(Some("de"), None);
        assert_eq!(Moment::at(NOW - Duration::from_secs(200_000), NOW, german).relative, "vor 2 Tagen");
    }
}
