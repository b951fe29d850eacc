//! Signatures: what follows `-- ` (RFC 3676, 4.3), and the lines that phones add.

use super::is_blank;

/// A signature marked by `--` without its space is taken for one up to this many lines.
const LONGEST: usize = 12;

/// A list's or a company's footer below a line of underscores, up to this many lines.
const LONGEST_FOOTER: usize = 6;

const PHONE_BEGINNINGS: [&str; 50] = [
    "sent from ",
    "sent via ",
    "sent with ",
    "sent by ",
    "sent using ",
    "get outlook for ",
    "from my ",
    "von meinem ",
    "von meiner ",
    "gesendet von ",
    "gesendet mit ",
    "gesendet vom ",
    "diese nachricht wurde von meinem ",
    "holen sie sich outlook ",
    "outlook für ",
    "envoyé de mon ",
    "envoyé depuis ",
    "envoyé à partir ",
    "envoyé avec ",
    "obtenir outlook ",
    "télécharger outlook ",
    "enviado desde ",
    "enviado do meu ",
    "enviado a partir ",
    "enviado con ",
    "enviado com ",
    "obtener outlook ",
    "obter o outlook ",
    "inviato da",
    "inviato con ",
    "scarica outlook ",
    "verzonden vanaf ",
    "verstuurd vanaf ",
    "verzonden met ",
    "outlook voor ",
    "skickat från ",
    "sendt fra ",
    "lähetetty ",
    "wysłane z ",
    "wysłano z ",
    "pobierz program outlook ",
    "odesláno z ",
    "отправлено с ",
    "отправлено из ",
    "надіслано з ",
    "從我的",
    "发自我的",
    "發自我的",
    "나의 ",
    "내 ",
];

/// After these anything short is a device: manufacturers name more of them than can be listed.
const OWN_DEVICE: [&str; 5] =
    ["sent from my ", "von meinem ", "envoyé de mon ", "enviado desde mi ", "enviado do meu "];

/// What such a line is about; a sentence that only begins alike is kept.
const DEVICES: [&str; 38] = [
    "iphone",
    "ipad",
    "ipod",
    "android",
    "outlook",
    "samsung",
    "galaxy",
    "huawei",
    "honor",
    "xiaomi",
    "redmi",
    "pixel",
    "blackberry",
    "mobil",
    "handy",
    "phone",
    "cell",
    "device",
    "tablet",
    "telefon",
    "yahoo",
    "gmx",
    "web.de",
    "telekom",
    "windows",
    "proton",
    "mail",
    "airmail",
    "my mac",
    "htc",
    "alcatel",
    "nokia",
    "oneplus",
    "spark",
    "móvil",
    "mobiel",
    "телефон",
    "celular",
];

/// The first line of the signature at the end of `lines` (whose last line is not blank).
pub(super) fn position(lines: &[&str]) -> Option<usize> {
    phone(lines).or_else(|| marked(lines)).or_else(|| footer(lines))
}

fn marked(lines: &[&str]) -> Option<usize> {
    lines
        .iter()
        .enumerate()
        .position(|(at, line)| *line == "-- " || (line.trim_end() == "--" && lines.len() - at - 1 <= LONGEST))
}

/// What mailing lists add below underscores.
fn footer(lines: &[&str]) -> Option<usize> {
    let is_line = |line: &str| line.trim().len() >= 2 && line.trim().bytes().all(|byte| byte == b'_');
    let at = lines.iter().rposition(|line| is_line(line)).filter(|&at| at > 0 && is_blank(lines[at - 1]))?;
    let below: Vec<&&str> = lines[at + 1..].iter().filter(|line| !is_blank(line)).collect();
    let points_elsewhere = below.iter().any(|line| line.contains("://") || line.contains('@'));
    (below.len() <= 2 || (below.len() <= LONGEST_FOOTER && points_elsewhere)).then_some(at)
}

/// The first of the phones' lines at the end: some phones add theirs to that of an app.
fn phone(lines: &[&str]) -> Option<usize> {
    let is_end = |line: &&str| is_blank(line) || is_phone_line(line);
    let start = lines.iter().rposition(|line| !is_end(line)).map_or(0, |last| last + 1);
    lines[start..].iter().position(|line| !is_blank(line)).map(|first| start + first)
}

/// Whether a phone or a mail program wrote this line.
pub(super) fn is_phone_line(line: &str) -> bool {
    let line = line.trim().trim_matches(['_', '*', '-', ' ', '(', ')', '<', '>', '[', ']']).to_lowercase();
    if line.chars().count() > 120 {
        return false;
    }
    let sent = PHONE_BEGINNINGS.iter().any(|beginning| line.starts_with(beginning));
    let asian = line.ends_with("から送信") || line.ends_with("에서 보냄");
    // What comes after a comma excuses typing errors, or is a sentence.
    let subject = line.split([',', '.', '<', '(', '!']).next().unwrap_or(&line);
    let named =
        DEVICES.iter().any(|device| subject.contains(device)) && subject.split_whitespace().count() <= 12;
    let own = OWN_DEVICE.iter().any(|beginning| line.starts_with(beginning)) && is_short(&line);
    (sent && (named || own))
        || (asian && DEVICES.iter().any(|device| line.contains(device)))
        || line.ends_with(" from mobile")
}

/// A name, not a sentence.
fn is_short(line: &str) -> bool {
    line.split_whitespace().count() <= 8
        && !line.contains([',', ':', ';'])
        && !line.ends_with(['.', '!', '?'])
}
