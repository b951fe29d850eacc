//! Lines below which everything is an older mail: Outlook's header block, "Original Message" in its
//! languages, a request to write above a line.

use super::{attribution, is_blank, is_quoted};

const ORIGINAL: [&str; 17] = [
    "original message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "original-nachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "ursprungligt meddelande",
    "oprindelig meddelelse",
    "opprinnelig melding",
    "oryginalna wiadomość",
    "původní zpráva",
    "исходное сообщение",
    "alkuperäinen viesti",
];

/// What is passed on below such a line is new to the reader.
const FORWARDED: [&str; 10] = [
    "forwarded",
    "weitergeleitet",
    "transféré",
    "reenviado",
    "inoltrato",
    "doorgestuurd",
    "encaminhada",
    "vidarebefordrat",
    "videresendt",
    "przekazana",
];

const WRITE_ABOVE: [&str; 5] = [
    "above this line",
    "oberhalb dieser zeile",
    "über dieser zeile",
    "au-dessus de cette ligne",
    "por encima de esta línea",
];

const FROM: [&str; 15] = [
    "from",
    "von",
    "de",
    "da",
    "van",
    "från",
    "fra",
    "od",
    "от",
    "kimden",
    "gönderen",
    "lähettäjä",
    "差出人",
    "发件人",
    "寄件者",
];

const DATE: [&str; 25] = [
    "sent",
    "date",
    "gesendet",
    "datum",
    "envoyé",
    "date d'envoi",
    "enviado",
    "enviada em",
    "enviado el",
    "fecha",
    "data",
    "inviato",
    "verzonden",
    "skickat",
    "sendt",
    "dato",
    "wysłano",
    "odesláno",
    "отправлено",
    "дата",
    "gönderildi",
    "lähetetty",
    "送信日時",
    "发送时间",
    "寄件日期",
];

const SUBJECT: [&str; 18] = [
    "subject",
    "betreff",
    "objet",
    "asunto",
    "assunto",
    "oggetto",
    "onderwerp",
    "ämne",
    "emne",
    "temat",
    "předmět",
    "тема",
    "konu",
    "aihe",
    "件名",
    "主题",
    "主旨",
    "subject line",
];

/// A header block's lines: From, Sent, To, Cc, Importance, Subject, with room for wrapped addresses.
const BLOCK: usize = 12;

/// The first line that belongs to an older mail, if there is something of the writer's above it.
pub(super) fn position(lines: &[&str]) -> Option<usize> {
    let first = lines.iter().position(|line| !is_blank(line))?;
    let at = (first + 1..lines.len()).find(|&at| separates(lines, at))?;
    if lines[..at].iter().any(|line| is_forwarded(line.trim())) {
        return None;
    }
    // Outlook draws a line above its header block.
    let above = lines[..at].iter().rposition(|line| !is_blank(line))?;
    Some(if is_rule(lines[above]) && above > first { above } else { at })
}

fn separates(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    if line.is_empty() || is_quoted(line) {
        return false;
    }
    is_original(line)
        || asks_to_write_above(line)
        || begins_header_block(&lines[at..])
        || (!is_followed_by_quote(lines, at) && attribution::is_unmistakable(lines, at))
}

fn is_original(line: &str) -> bool {
    framed(line).is_some_and(|words| ORIGINAL.contains(&words.as_str()))
}

fn is_forwarded(line: &str) -> bool {
    framed(line).is_some_and(|words| FORWARDED.iter().any(|word| words.contains(word)))
}

/// The words between dashes: `-----Original Message-----`.
fn framed(line: &str) -> Option<String> {
    const FRAME: [char; 4] = ['-', '_', '=', '*'];
    let words = line.trim_matches(|one: char| FRAME.contains(&one) || one == ' ');
    let is_framed = line.starts_with(FRAME) && line.len() >= words.len() + 4 && words.len() <= 60;
    is_framed.then(|| words.to_lowercase().replace('’', "'"))
}

fn asks_to_write_above(line: &str) -> bool {
    line.len() <= 150 && line.starts_with(['#', '-', '_', '=', '*']) && {
        let lower = line.to_lowercase();
        WRITE_ABOVE.iter().any(|words| lower.contains(words))
    }
}

/// `From:` at the top, and both a subject and a date below it: a writer's own list hardly has all three.
fn begins_header_block(lines: &[&str]) -> bool {
    if !lines.first().is_some_and(|line| is_label(line, &FROM)) {
        return false;
    }
    let block = &lines[1..lines.len().min(BLOCK)];
    block.iter().any(|line| is_label(line, &DATE)) && block.iter().any(|line| is_label(line, &SUBJECT))
}

fn is_label(line: &str, words: &[&str]) -> bool {
    let Some((label, _)) = line.split_once([':', '：']) else { return false };
    let word = label.trim_matches(|one: char| one.is_whitespace() || one == '*');
    word.len() <= 30 && words.contains(&word.to_lowercase().replace('’', "'").as_str())
}

/// A `>` quote is left to the caller: the answer may stand below it or between its lines.
fn is_followed_by_quote(lines: &[&str], at: usize) -> bool {
    attribution::length_at(lines, at).is_some()
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 10 && line.chars().all(|one| matches!(one, '_' | '-' | '='))
}
