//! What companies put below every mail: that it is confidential, and what to do if it went astray.

use super::is_blank;

/// Shorter than this is more likely what the writer himself has to say.
const SHORTEST: usize = 120;

/// Nothing that begins further from the end is looked at.
const MOST_LINES: usize = 40;

/// How such a paragraph begins, after an optional heading.
const BEGINNINGS: [&str; 40] = [
    "this e-mail",
    "this email",
    "this message",
    "this communication",
    "this transmission",
    "the information contained in this",
    "the information in this",
    "the contents of this",
    "the content of this",
    "confidentiality notice",
    "confidentiality:",
    "confidential:",
    "disclaimer",
    "important notice",
    "notice:",
    "if you are not the intended",
    "diese e-mail",
    "diese email",
    "diese nachricht",
    "der inhalt dieser",
    "die information in dieser",
    "die informationen in dieser",
    "vertraulichkeitshinweis",
    "ce message",
    "ce courriel",
    "cet e-mail",
    "les informations contenues",
    "este mensaje",
    "este correo",
    "la información contenida",
    "esta mensagem",
    "este e-mail",
    "questo messaggio",
    "il presente messaggio",
    "le informazioni contenute",
    "dit bericht",
    "deze e-mail",
    "detta e-post",
    "denne e-mail",
    "denne e-post",
];

/// What it is about.
const SECRETS: [&str; 12] = [
    "confiden",
    "privileged",
    "intended recipient",
    "vertraulich",
    "rechtlich geschützt",
    "riservat",
    "destinatario",
    "destinatár",
    "destinataire",
    "vertrouwelijk",
    "konfidentiel",
    "fortrolig",
];

/// Where the disclaimer at the end of `lines` begins (whose last line is not blank): one or more paragraphs,
/// the first of which begins as one and tells of secrets.
pub(super) fn position(lines: &[&str]) -> Option<usize> {
    let nearest = lines.len().saturating_sub(MOST_LINES).max(1);
    let mut starts = (nearest..lines.len())
        .filter(|&at| is_blank(lines[at - 1]) && !is_blank(lines[at]) && begins(lines[at]));
    starts.find(|&at| {
        let text = lines[at..].join(" ").to_lowercase();
        let paragraphs = lines[at..].split(|line| is_blank(line)).filter(|piece| !piece.is_empty()).count();
        text.len() >= SHORTEST && paragraphs <= 4 && SECRETS.iter().any(|word| text.contains(word))
    })
}

fn begins(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['*', '_', '-', ' ']).to_lowercase();
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}
