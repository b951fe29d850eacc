//! Times as people read them: the moment with its zone, and how long ago it is.

use std::time::Duration;

use crate::base::clock::Timestamp;

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
    pub fn at(moment: Timestamp, now: Timestamp) -> Self {
        let machine = moment.rfc3339();
        let shown = machine.replace('T', " ").replace('Z', " UTC");
        let relative = if moment > now {
            format!("in {}", span(moment.since(now)))
        } else {
            format!("{} ago", span(now.since(moment)))
        };
        Self { machine, shown, relative }
    }
}

fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_222_923_000);

    #[test]
    fn a_moment_has_its_zone_and_its_distance() {
        let moment = Moment::at(NOW - Duration::from_secs(60), NOW);
        assert_eq!(
            (moment.shown.as_str(), moment.relative.as_str()),
            ("2026-11-21 01:01:03 UTC", "1 minute ago")
        );
        assert_eq!(Moment::at(NOW + Duration::from_secs(7300), NOW).relative, "in 2 hours");
        assert_eq!(Moment::at(NOW - Duration::from_secs(200_000), NOW).relative, "2 days ago");
        assert_eq!(Moment::at(NOW, NOW).relative, "0 seconds ago");
    }
}
