//! Bodies made fit for a decoder that takes nothing but the rules (RFC 2045, 6.7 and 6.8): single signs that
//! are wrong, lines that were put below. Knows the lines of one body at a time, and decodes nothing.

/// What the lines of a body are written in.
#[derive(Default)]
pub(super) enum Body {
    #[default]
    AsItIs,
    QuotedPrintable,
    Base64(Base64),
}

#[derive(Default)]
pub(super) struct Base64 {
    /// Of the first line; a shorter one is the last.
    width: Option<usize>,
    ended: bool,
    /// The first line is none: what was declared is not what is there.
    is_text: bool,
}

/// The name by the rules of an encoding that is named otherwise: `"base64";`, `quoted printable`.
pub(super) fn proper_name(written: &str) -> Option<&'static str> {
    let name = intended(written)?;
    (!written.trim().eq_ignore_ascii_case(name)).then_some(name)
}

fn intended(written: &str) -> Option<&'static str> {
    let letters: String =
        written.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let names = [("base64", "base64"), ("quotedprintable", "quoted-printable")];
    names.into_iter().find(|(start, _)| letters.starts_with(start)).map(|(_, name)| name)
}

impl Body {
    pub(super) fn of(encoding: &str) -> Self {
        match intended(encoding) {
            Some("base64") => Self::Base64(Base64::default()),
            Some(_) => Self::QuotedPrintable,
            None => Self::AsItIs,
        }
    }

    /// The line as it should be; `None` where it is.
    pub(super) fn mended(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::AsItIs => None,
            Self::QuotedPrintable => escaped(line),
            Self::Base64(body) => body.mended(line),
        }
    }
}

/// An equals sign that begins no escape stands for itself.
fn escaped(line: &[u8]) -> Option<Vec<u8>> {
    let content = line.trim_ascii_end().len();
    let is_lone = |at: usize| {
        let hexadecimal = |at: usize| line.get(at).is_some_and(u8::is_ascii_hexdigit);
        line[at] == b'=' && at + 1 < content && !(hexadecimal(at + 1) && hexadecimal(at + 2))
    };
    if !(0..content).any(is_lone) {
        return None;
    }
    let piece = |at: usize| if is_lone(at) { b"=3D".to_vec() } else { vec![line[at]] };
    Some((0..line.len()).flat_map(piece).collect())
}

impl Base64 {
    fn mended(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        let content = line.trim_ascii();
        if content.is_empty() || self.is_text {
            return None;
        }
        let data = up_to_padding(content);
        let is_valid = data.iter().all(|&byte| is_sign(byte));
        if self.width.is_none() {
            self.is_text = !is_valid || data.len() < 4;
            if self.is_text {
                return None;
            }
        }
        let was_ended = self.ended;
        let width = *self.width.get_or_insert(content.len());
        self.ended |= data.contains(&b'=') || content.len() < width;
        if is_valid && data.len() == content.len() {
            return None;
        }
        // What stands below the last line is a footer, and no data.
        let kept: &[u8] = if was_ended { b"" } else { data };
        let kept = kept.iter().copied().filter(|&byte| is_sign(byte));
        Some(kept.chain(line[line.trim_ascii_end().len()..].iter().copied()).collect())
    }
}

fn up_to_padding(content: &[u8]) -> &[u8] {
    let Some(first) = content.iter().position(|&byte| byte == b'=') else { return content };
    let padding = content[first..].iter().take_while(|&&byte| byte == b'=').count();
    // Data goes on behind the padding where pieces were encoded one by one.
    let rest = &content[first + padding..];
    if rest.iter().all(|&byte| is_sign(byte)) { content } else { &content[..first + padding] }
}

fn is_sign(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(encoding: &str, lines: &[&str]) -> String {
        let mut body = Body::of(encoding);
        let line = |line: &&str| body.mended(line.as_bytes()).unwrap_or_else(|| line.as_bytes().to_vec());
        String::from_utf8(lines.iter().flat_map(line).collect()).expect("text")
    }

    #[test]
    fn a_lone_equals_sign_is_escaped_and_nothing_else() {
        let table = [
            ("a == b\r\n", "a =3D=3D b\r\n"),
            ("x=\"y\" =C3=bc =\r\n", "x=3D\"y\" =C3=bc =\r\n"),
            ("soft =  \r\n", "soft =  \r\n"),
            ("end =4", "end =3D4"),
            ("=", "="),
        ];
        for (line, wanted) in table {
            assert_eq!(mended("quoted-printable", &[line]), wanted, "{line}");
        }
    }

    #[test]
    fn what_does_not_belong_into_base64_is_left_out() {
        let table: [(&[&str], &str); 7] = [
            (&["SGVsbG8=\r\n", "To leave the list\r\n", "write to us\r\n"], "SGVsbG8=\r\n\r\n\r\n"),
            (&["SGVsbG8= ignored\r\n"], "SGVsbG8=\r\n"),
            (&["SGVsbG8=?=\r\n"], "SGVsbG8=\r\n"),
            (&["SGVs!bG8h\r\n"], "SGVs!bG8h\r\n"),
            (&["SGVsbG8h\r\n", "SGV\u{7f}sbG8h\r\n"], "SGVsbG8h\r\nSGVsbG8h\r\n"),
            (&["SGVsbG8hSGVs\r\n", "bG8h\r\n", "____\r\n"], "SGVsbG8hSGVs\r\nbG8h\r\n\r\n"),
            (&["SGk=\r\n", "SGk=SGk=\r\n"], "SGk=\r\nSGk=SGk=\r\n"),
        ];
        for (lines, wanted) in table {
            assert_eq!(mended("base64", lines), wanted, "{lines:?}");
        }
    }

    #[test]
    fn a_text_that_is_not_what_it_declares_is_left_alone() {
        let lines = ["Hello, it smokes.\r\n", "Ada\r\n", "== x\r\n"];
        assert_eq!(mended("base64", &lines), lines.concat());
        assert_eq!(mended("8bit", &["a == b\r\n"]), "a == b\r\n");
    }

    #[test]
    fn encodings_have_one_name() {
        let table = [
            ("base64", None),
            ("BASE64", None),
            ("\"base64\"", Some("base64")),
            ("base64;", Some("base64")),
            ("Quoted Printable", Some("quoted-printable")),
            ("quoted-printable (as always)", Some("quoted-printable")),
            ("8bit", None),
            ("x-uuencode", None),
        ];
        for (written, wanted) in table {
            assert_eq!(proper_name(written), wanted, "{written}");
        }
    }
}
