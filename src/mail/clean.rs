//! Text from strangers made fit to be shown in one line, stored, and put in a header again.
//! Knows nothing of mail.

/// One line of at most `limit` characters: no line breaks, no control characters, nothing that turns
/// the reading direction or takes no room.
pub fn line(text: &str, limit: usize) -> String {
    let visible: String = text.chars().filter(|&one| one.is_whitespace() || !is_hidden(one)).collect();
    let joined = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.chars().take(limit).collect::<String>().trim_end().to_owned()
}

/// Text of several lines: `\n` between lines, no control characters but the tabulator. PostgreSQL takes
/// no NUL in a text, so one left here would make the desk refuse the mail for ever.
pub fn block(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|one| if one == '\r' { '\n' } else { one })
        .filter(|&one| matches!(one, '\n' | '\t') || !one.is_control())
        .collect()
}

/// The last component of a file name, harmless on any file system; `fallback` when nothing is left. What is
/// too long keeps its ending, which tells what it is.
pub fn file_name(text: &str, fallback: &str) -> String {
    const LONGEST: usize = 150;
    let last = text.rsplit(['/', '\\']).next().unwrap_or(text);
    let plain: String = line(last, 2_000).chars().filter(|one| !r#":*?"<>|"#.contains(*one)).collect();
    let name = plain.trim_matches(|one: char| one == '.' || one.is_whitespace());
    let short = |text: &str, length: usize| text.chars().take(length).collect::<String>();
    match name.rsplit_once('.') {
        _ if name.is_empty() => fallback.to_owned(),
        _ if name.chars().count() <= LONGEST => name.to_owned(),
        Some((stem, ending)) if ending.chars().count() <= 10 => {
            format!("{}.{ending}", short(stem, LONGEST - 11).trim_end())
        }
        _ => short(name, LONGEST).trim_end().to_owned(),
    }
}

/// Unicode Standard Annex 9 calls the explicit ones "bidi controls"; the rest has no width.
fn is_hidden(one: char) -> bool {
    one.is_control()
        || matches!(one, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(one, '\u{FEFF}' | '\u{00AD}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_without_hidden_characters() {
        assert_eq!(line(" a\r\nBcc: b\u{202E}c\u{0}\u{7}d\u{200B} ", 100), "a Bcc: bcd");
        assert_eq!(line("äöü", 2), "äö");
    }

    #[test]
    fn a_block_keeps_lines_and_loses_nul() {
        assert_eq!(block("a\r\nb\rc\u{0}\td\u{1b}[1m"), "a\nb\nc\td[1m");
    }

    #[test]
    fn a_file_name_never_leaves_its_folder() {
        let cases = [
            ("../../etc/passwd", "passwd"),
            (r"C:\Users\x\invoice.pdf", "invoice.pdf"),
            ("..", "file-1"),
            ("", "file-1"),
            (".bashrc", "bashrc"),
            ("a\u{202E}fdp.exe", "afdp.exe"),
            ("what?.txt", "what.txt"),
        ];
        for (given, wanted) in cases {
            assert_eq!(file_name(given, "file-1"), wanted, "{given:?}");
        }
    }

    #[test]
    fn a_long_file_name_keeps_its_ending() {
        let name = file_name(&format!("{}.pdf", "a".repeat(500)), "file-1");
        assert_eq!((name.chars().count(), name.ends_with("a.pdf")), (143, true));
        assert_eq!(file_name(&"ä".repeat(500), "file-1").chars().count(), 150);
    }
}
