//! Signatures: what follows `-- ` (RFC 3676, 4.3), and the lines that phones add.

use super::is_blank;

/// A signature marked by `--` without its space is taken for one up to this many lines.
const LONGEST: usize = 12;

const PHONE_BEGINNINGS: [&str; 26] = [
    "sent from ",
    "sent via ",
    "sent with ",
    "get outlook for ",
    "von meinem ",
    "von meiner ",
    "gesendet von ",
    "gesendet mit ",
    "diese nachricht wurde von meinem ",
    "holen sie sich outlook ",
    "outlook für ",
    "envoyé de mon ",
    "envoyé depuis ",
    "envoyé à partir ",
    "obtenir outlook ",
    "télécharger outlook ",
    "enviado desde ",
    "enviado do meu ",
    "enviado a partir ",
    "obtener outlook ",
    "inviato da",
    "verzonden vanaf ",
    "verstuurd vanaf ",
    "skickat från ",
    "sendt fra ",
    "wysłane z ",
];

/// What such a line is about; a sentence that only begins alike is kept.
const DEVICES: [&str; 22] = [
    "iphone",
    "ipad",
    "android",
    "outlook",
    "samsung",
    "galaxy",
    "huawei",
    "xiaomi",
    "pixel",
    "blackberry",
    "mobil",
    "handy",
    "smartphone",
    "telefon",
    "yahoo",
    "gmx",
    "web.de",
    "telekom",
    "windows",
    "proton",
    "bluemail",
    "my phone",
];

/// The first line of the signature at the end of `lines` (whose last line is not blank).
pub(super) fn position(lines: &[&str]) -> Option<usize> {
    phone(lines).or_else(|| marked(lines))
}

fn marked(lines: &[&str]) -> Option<usize> {
    lines
        .iter()
        .enumerate()
        .position(|(at, line)| *line == "-- " || (line.trim_end() == "--" && lines.len() - at - 1 <= LONGEST))
}

fn phone(lines: &[&str]) -> Option<usize> {
    let last = lines.iter().rposition(|line| !is_blank(line))?;
    is_phone_line(lines[last]).then_some(last)
}

fn is_phone_line(line: &str) -> bool {
    let line = line.trim().trim_matches(['_', '*', '-', ' ', '(', ')', '<', '>', '[', ']']).to_lowercase();
    let sent =
        PHONE_BEGINNINGS.iter().any(|beginning| line.starts_with(beginning)) || line.ends_with("から送信");
    sent && line.len() <= 120 && DEVICES.iter().any(|device| line.contains(device))
}
