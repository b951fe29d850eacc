//! Which language a browser asks for (RFC 9110, section 12.5.4). Knows no texts.

/// Of the languages in `known`, by their primary tags, the one that an `Accept-Language` line wants most;
/// of two that it wants as much, the one it names first.
pub fn preferred<'k>(line: &str, known: &[&'k str]) -> Option<&'k str> {
    let mut best: Option<(&'k str, f32)> = None;
    for (range, weight) in line.split(',').filter_map(weighted) {
        let Some(tag) = known.iter().find(|tag| serves(tag, range)) else { continue };
        if best.is_none_or(|(_, least)| weight > least) {
            best = Some((tag, weight));
        }
    }
    best.map(|(tag, _)| tag)
}

/// `de` serves `de`, `de-AT` and `DE_ch`.
pub fn serves(tag: &str, range: &str) -> bool {
    range.split(['-', '_']).next().is_some_and(|primary| primary.eq_ignore_ascii_case(tag))
}

/// A range with its weight; `None` for what is refused or cannot be understood.
fn weighted(item: &str) -> Option<(&str, f32)> {
    let (range, weight) = match item.split_once(';') {
        Some((range, weight)) => (range, weight.trim().strip_prefix("q=")?.parse().ok()?),
        None => (item, 1.0),
    };
    (weight > 0.0).then(|| (range.trim(), weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_wanted_of_the_known_languages_is_found() {
        for (line, expected) in [
            ("de", Some("de")),
            ("DE-at, en;q=0.5", Some("de")),
            ("en;q=0.3,de;q=0.9", Some("de")),
            ("en, de", Some("en")),
            ("tr, fr;q=0.9, de;q=0.1", Some("de")),
            ("de;q=0, *", None),
            (";;;,q=,de;q=x", None),
            ("den, ende", None),
            ("", None),
        ] {
            assert_eq!(preferred(line, &["en", "de"]), expected, "{line}");
        }
    }
}
