//! Lines below which everything is an older mail: Outlook's header block, "Original Message" in its
//! languages, a request to write above a line.

use super::{attribution, is_blank, is_quoted, signature};

const ORIGINAL: [&str; 35] = [
    "original message",
    "reply message",
    "antwort nachricht",
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
    "oprindelig besked",
    "originalmeddelelse",
    "opprinnelig e-post",
    "wiadomość oryginalna",
    "оригінальне повідомлення",
    "orijinal ileti",
    "eredeti üzenet",
    "mesaj original",
    "原始邮件",
    "元のメッセージ",
    "원본 메시지",
    "original",
    "original email",
    "ursprüngliche mail",
    "ursprüngliche e-mail",
    "mail original",
];

/// What is passed on below such a line is new to the reader.
const FORWARDED: [&str; 18] = [
    "forwarded",
    "weitergeleitet",
    "transféré",
    "reenviado",
    "inoltrat",
    "doorgestuurd",
    "encaminhada",
    "vidarebefordra",
    "videresend",
    "przekazan",
    "přeposlan",
    "пересыла",
    "переслан",
    "iletilen",
    "転送",
    "转发",
    "轉寄",
    "전달",
];

const WRITE_ABOVE: [&str; 18] = [
    "above this line",
    "oberhalb dieser zeile",
    "über dieser zeile",
    "au-dessus de cette ligne",
    "por encima de esta línea",
    "boven deze lijn",
    "boven deze regel",
    "sopra questa riga",
    "sopra questa linea",
    "acima desta linha",
    "encima de esta línea",
    "ovanför denna rad",
    "ovanför den här raden",
    "over denne linje",
    "tämän rivin yläpuolelle",
    "powyżej tej linii",
    "nad tímto řádkem",
    "bu satırın üst",
];

const FROM: [&str; 27] = [
    "from",
    "von",
    "de",
    "da",
    "van",
    "från",
    "fra",
    "od",
    "от",
    "від",
    "kimden",
    "gönderen",
    "lähettäjä",
    "差出人",
    "送信者",
    "发件人",
    "寄件者",
    "寄件人",
    "보낸 사람",
    "보낸사람",
    "expéditeur",
    "remitente",
    "mittente",
    "afzender",
    "avsändare",
    "nadawca",
    "odesílatel",
];

const DATE: [&str; 37] = [
    "sent",
    "date",
    "gesendet",
    "gesendet am",
    "datum",
    "envoyé",
    "envoyé le",
    "date d'envoi",
    "enviado",
    "enviada em",
    "enviado em",
    "enviado el",
    "fecha",
    "data",
    "inviato",
    "inviato il",
    "verzonden",
    "verzonden op",
    "skickat",
    "sendt",
    "dato",
    "wysłano",
    "wysłane",
    "odesláno",
    "отправлено",
    "дата",
    "надіслано",
    "gönderildi",
    "gönderilme tarihi",
    "tarih",
    "lähetetty",
    "送信日時",
    "发送时间",
    "寄件日期",
    "보낸 날짜",
    "received",
    "message du",
];

const SUBJECT: [&str; 23] = [
    "subject",
    "betreff",
    "objet",
    "sujet",
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
    "제목",
    "subject line",
    "tárgy",
    "subiect",
    "θέμα",
];

const TO: [&str; 22] = [
    "to",
    "an",
    "à",
    "para",
    "a",
    "aan",
    "till",
    "til",
    "do",
    "komu",
    "кому",
    "kime",
    "vastaanottaja",
    "宛先",
    "收件人",
    "收件者",
    "받는 사람",
    "címzett",
    "către",
    "προς",
    "prima",
    "za",
];

/// A header block's lines: From, Sent, To, Cc, Importance, Subject, with room for wrapped addresses.
const BLOCK: usize = 12;

/// The first line that belongs to an older mail, if there is something of the writer's above it.
pub(super) fn position(lines: &[&str]) -> Option<usize> {
    let first = lines.iter().position(|line| !is_blank(line))?;
    // Found once: looking for it from every line would take for ever.
    let last_quoted = lines.iter().rposition(|line| is_quoted(line)).unwrap_or(0);
    let at = (first + 1..lines.len())
        .find(|&at| separates(lines, at) || (at > last_quoted && is_lonely_phone_line(lines, at)))?;
    if lines[..at].iter().any(|line| is_forwarded(line.trim())) {
        return None;
    }
    // Outlook draws a line above its header block.
    let above = lines[..at].iter().rposition(|line| !is_blank(line))?;
    let introduces = is_rule(lines[above]) || framed(lines[above].trim()).is_some();
    Some(if introduces && above > first { above } else { at })
}

fn separates(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    if is_between_arrows(line) {
        return true;
    }
    if line.is_empty() || is_quoted(line) {
        return false;
    }
    is_original(line)
        || asks_to_write_above(line)
        || begins_header_block(&lines[at..])
        || (is_blank(lines[at - 1]) && looks_like_header_block(&lines[at..]))
        || (!is_followed_by_quote(lines, at) && attribution::is_unmistakable(lines, at))
}

/// A phone's line with text below it that nothing marks: the older mail.
fn is_lonely_phone_line(lines: &[&str], at: usize) -> bool {
    let stands_alone = is_blank(lines[at - 1]) && lines.get(at + 1).is_some_and(|line| is_blank(line));
    stands_alone && signature::is_phone_line(lines[at])
}

/// `>>> Ada <ada@x.example> 21.11.2026 10:15 >>>`, as GroupWise writes.
fn is_between_arrows(line: &str) -> bool {
    let inner = line.strip_prefix(">>> ").and_then(|rest| rest.strip_suffix(">>>"));
    inner.is_some_and(|inner| inner.len() <= 200 && attribution::is_moment(inner))
}

fn is_original(line: &str) -> bool {
    framed(line).is_some_and(|words| ORIGINAL.contains(&words.as_str()))
}

pub(super) fn is_forwarded(line: &str) -> bool {
    let tells = |words: &str| FORWARDED.iter().any(|word| words.contains(word));
    // Apple Mail draws no dashes: "Begin forwarded message:".
    let announced = line.len() <= 80 && line.ends_with([':', '：']) && tells(&line.to_lowercase());
    announced || framed(line).is_some_and(|words| tells(&words))
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

/// Sender, date and subject, each with its label: a writer's own list hardly has all three. `From` may have
/// gaps below it; a block that begins otherwise has none.
fn begins_header_block(lines: &[&str]) -> bool {
    let block = &lines[..lines.len().min(BLOCK)];
    let Some(first) = block.first() else { return false };
    let has = |words: &[&str], lines: &[&str]| lines.iter().any(|line| is_label(line, words));
    let dated = has(&DATE, block) || has_label_within(first, &DATE);
    if is_label(first, &FROM) && dated && has(&SUBJECT, block) {
        return true;
    }
    if let [from, date, to, ..] = block
        && is_label(from, &FROM)
        && is_label(date, &DATE)
        && is_label(to, &TO)
        && attribution::is_moment(date)
    {
        // Windows' own Mail leaves the subject out.
        return true;
    }
    let unbroken =
        &block[..block.iter().position(|line| !line.contains([':', '：', '@'])).unwrap_or(block.len())];
    let begins = is_label(first, &DATE) || is_label(first, &SUBJECT);
    begins && [&FROM[..], &DATE, &SUBJECT].iter().all(|words| has(words, unbroken))
}

/// A label behind the first one on the same line, as a page's text has it.
fn has_label_within(line: &str, words: &[&str]) -> bool {
    let pieces = line
        .split([':', '：'])
        .skip(1)
        .filter_map(|piece| piece.rsplit([' ', '*']).find(|word| !word.is_empty()));
    pieces.into_iter().any(|word| words.contains(&word.to_lowercase().as_str()))
}

/// The same in a language that is not known here: sender, date with its time, receiver and one more, each on
/// a line with a label, the first with an address in angle brackets.
fn looks_like_header_block(lines: &[&str]) -> bool {
    let values: Vec<&str> = lines.iter().take(6).map_while(|line| labelled(line)).collect();
    values.len() >= 4
        && values[0].contains('<')
        && values[0].trim_end_matches([';', '*']).ends_with('>')
        && values[0].contains('@')
        && values[1..].iter().any(|value| attribution::is_moment(value))
        && values[1..].iter().any(|value| value.contains('@'))
}

/// What stands behind a short label.
fn labelled(line: &str) -> Option<&str> {
    let (label, value) = line.split_once([':', '：'])?;
    let label = label.trim_matches(|one: char| one.is_whitespace() || one == '*');
    let is_label = !label.is_empty()
        && label.chars().count() <= 25
        && label.split_whitespace().count() <= 3
        && !label.contains(|one: char| one.is_ascii_digit());
    is_label.then(|| value.trim())
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
    line.len() >= 3 && line.chars().all(|one| matches!(one, '_' | '-' | '='))
}
