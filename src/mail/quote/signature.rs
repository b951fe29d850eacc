//! Signatures: what follows `-- ` (RFC 3676, 4.3), and the lines that phones add.

use super::is_blank;

/// A signature marked by `--` without its space is taken for one up to this many lines.
const LONGEST: usize = 12;

/// A list's or a company's footer below a line of underscores, up to this many lines.
const LONGEST_FOOTER: usize = 6;

const PHONE_BEGINNINGS: [&str; 62] = [
    "sent from ",
    "sent via ",
    "sent with ",
    "sent by ",
    "sent using ",
    "from my ",
    "von meinem ",
    "von meiner ",
    "gesendet von ",
    "gesendet mit ",
    "gesendet vom ",
    "diese nachricht wurde von meinem ",
    "envoyé de mon ",
    "envoyé depuis ",
    "envoyé à partir ",
    "envoyé avec ",
    "enviado desde ",
    "enviado do meu ",
    "enviado a partir ",
    "enviado con ",
    "enviado com ",
    "inviato da",
    "inviato con ",
    "verzonden vanaf ",
    "verstuurd vanaf ",
    "verzonden met ",
    "skickat från ",
    "sendt fra ",
    "lähetetty ",
    "wysłane z ",
    "wysłano z ",
    "odesláno z ",
    "отправлено с ",
    "отправлено из ",
    "надіслано з ",
    "從我的",
    "发自我的",
    "發自我的",
    "나의 ",
    "내 ",
    "von yahoo mail ",
    "envoyé par ",
    "provenance : courrier ",
    "enviado do ",
    "verzonden vanuit ",
    "odoslané z ",
    "trimis de pe ",
    "trimis din ",
    "poslano ",
    "изпратено от ",
    "στάλθηκε από ",
    "enviat des ",
    "được gửi từ ",
    "dikirim dari ",
    "נשלח מ",
    "مرسل من",
    "أرسلت من",
    "ส่งจาก",
    "来自 ",
    "來自 ",
    "从我的",
    "寄自我的",
];

/// How an app praises itself; the app's name has to follow.
const OFFERS: [&str; 34] = [
    "get ",
    "holen sie sich ",
    "outlook für ",
    "obtenir ",
    "obtenez ",
    "télécharger ",
    "téléchargez ",
    "obtener ",
    "obtén ",
    "descargar ",
    "obter o ",
    "obtenha o ",
    "baixe o ",
    "scarica ",
    "ottieni ",
    "outlook voor ",
    "download ",
    "hämta ",
    "skaffa ",
    "hent ",
    "få ",
    "hanki ",
    "lataa ",
    "pobierz ",
    "uzyskaj ",
    "získat ",
    "stáhnout ",
    "získať ",
    "получить ",
    "скачать ",
    "отримати ",
    "获取",
    "取得",
    "下载",
];
/// The same at the end of the line.
const OFFERED: [&str; 5] = ["を入手", "を取得", "다운로드", "edinin", "downloaden"];
const APPS: [&str; 6] =
    ["outlook for ", "outlook ", "bluemail", "yahoo mail for ", "proton mail for ", "spark for "];

/// Where "sent" ends the line and the device begins it.
const SENT_AT_THE_END: [&str; 8] =
    ["から送信", "에서 보냄", "gönderildi", "küldve", "傳送", "发送", "發送", "gesendet"];

/// After these anything short is a device: manufacturers name more of them than can be listed.
const OWN_DEVICE: [&str; 10] = [
    "sent from my ",
    "von meinem ",
    "envoyé de mon ",
    "enviado desde mi ",
    "enviado do meu ",
    "发自我的",
    "發自我的",
    "从我的",
    "從我的",
    "寄自我的",
];

/// What such a line is about; a sentence that only begins alike is kept.
const DEVICES: [&str; 44] = [
    "iphon",
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
    "мобильн",
    "почт",
    "手机",
    "手機",
    "courrier",
    "unterwegs",
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
    let line = plain(line);
    if line.chars().count() > 120 {
        return false;
    }
    if is_sent_from_a_name(&line) {
        return true;
    }
    let line = line.to_lowercase();
    let sent = PHONE_BEGINNINGS.iter().any(|beginning| line.starts_with(beginning));
    // What comes after a comma excuses typing errors, or is a sentence.
    let subject = line.split([',', '.', '<', '(', '!']).next().unwrap_or(&line);
    let named = has_device(subject) && subject.split_whitespace().count() <= 12;
    let own = OWN_DEVICE.iter().any(|beginning| line.starts_with(beginning)) && is_short(&line);
    (sent && (named || own)) || is_offer(&line) || ends_as_sent(&line) || line.ends_with(" from mobile")
}

/// Without what a client or a page's text puts around and into such a line.
fn plain(line: &str) -> String {
    let line = line.trim().trim_matches(['_', '*', '-', ' ', '(', ')', '<', '>']);
    let mut plain = String::new();
    let mut rest = line;
    // A link, as in Markdown: `[Outlook](https://…)`.
    while let Some((before, after)) = rest.split_once("](") {
        plain.push_str(before);
        rest = after.split_once(')').map_or("", |(_, behind)| behind);
    }
    plain.push_str(rest);
    plain.replace(['[', ']'], "").trim().to_owned()
}

fn has_device(text: &str) -> bool {
    DEVICES.iter().any(|device| text.contains(device))
}

/// `Get Outlook for iOS`, in one sentence without a second thought.
fn is_offer(line: &str) -> bool {
    let offers = |rest: &str| APPS.iter().any(|app| rest.contains(app));
    let begins = OFFERS.iter().any(|beginning| line.starts_with(beginning) && offers(line));
    let ends = OFFERED.iter().any(|ending| line.ends_with(ending)) && offers(line);
    let platform = ["ios", "android", "mac", "windows", "mobile"].iter().any(|one| line.contains(one));
    (begins || ends) && platform && line.split_whitespace().count() <= 8
}

fn ends_as_sent(line: &str) -> bool {
    let line = line.trim_end_matches('.');
    let german = line.ends_with("gesendet");
    SENT_AT_THE_END.iter().any(|ending| line.ends_with(ending))
        && has_device(line)
        && line.split_whitespace().count() <= 8
        && (!german || line.starts_with("von "))
}

/// `Sent from Nine`: nothing but names behind it.
fn is_sent_from_a_name(line: &str) -> bool {
    let Some(name) = line.strip_prefix("Sent from ") else { return false };
    let mut words = name.trim_end_matches('.').split_whitespace();
    (1..=4).contains(&name.split_whitespace().count())
        && words.all(|word| word.starts_with(|first: char| first.is_uppercase()))
}

/// A name, not a sentence.
fn is_short(line: &str) -> bool {
    line.split_whitespace().count() <= 8
        && !line.contains([',', ':', ';'])
        && !line.ends_with(['.', '!', '?'])
}
