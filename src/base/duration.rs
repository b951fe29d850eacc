//! Spans of time as Go, and so Traefik, reads and writes them.

use std::time::Duration;

/// `10s`, `1m30s`, `250ms`, `1.5h`; a bare number is seconds. `None` for anything else, a negative span and
/// one beyond 136 years included.
pub fn read(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let (mut total, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let number_ends = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (number, tail) = rest.split_at(number_ends);
        let unit_ends = tail.find(|char: char| char.is_ascii_digit() || char == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_ends);
        total += number.parse::<f64>().ok()? * seconds_in(unit)?;
        rest = tail;
    }
    let is_known = !text.is_empty() && total <= f64::from(u32::MAX);
    is_known.then(|| Duration::from_secs_f64(total))
}

fn seconds_in(unit: &str) -> Option<f64> {
    Some(match unit {
        "h" => 3600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    })
}

/// `1h2m3.5s`, `250ms`, `2.5µs`, `0s`, as Go's `Duration.String`.
pub fn written(span: Duration) -> String {
    let nanos = span.as_nanos();
    let (scale, unit) = match nanos {
        0 => return "0s".to_owned(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => return whole_units(span),
    };
    format!("{}{unit}", fraction(nanos / scale, nanos % scale, scale))
}

fn whole_units(span: Duration) -> String {
    let (hours, minutes) = (span.as_secs() / 3600, span.as_secs() / 60 % 60);
    let seconds = fraction(u128::from(span.as_secs() % 60), u128::from(span.subsec_nanos()), 1_000_000_000);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// `whole` and `part` of `scale`, a power of ten, without zeros at the end.
fn fraction(whole: u128, part: u128, scale: u128) -> String {
    let digits = scale.ilog10() as usize;
    let text = format!("{whole}.{part:0digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_go_writes_them() {
        let cases = [
            ("10s", 10_000),
            ("1m30s", 90_000),
            ("250ms", 250),
            ("7", 7_000),
            ("1.5s", 1_500),
            ("0", 0),
            ("1h", 3_600_000),
        ];
        for (text, millis) in cases {
            assert_eq!(read(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "10x", "-1s", "1..5s", "10 s", "99999999999h", "1s2"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn spans_are_written_as_go_does() {
        let cases = [
            (0, "0s"),
            (1, "1ns"),
            (2_500, "2.5µs"),
            (10_000_000, "10ms"),
            (9_990_000, "9.99ms"),
            (1_500_000_000, "1.5s"),
            (10_000_000_000, "10s"),
            (60_000_000_000, "1m0s"),
            (3_723_500_000_000, "1h2m3.5s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(written(Duration::from_nanos(nanos)), text);
        }
    }
}
