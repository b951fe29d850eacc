//! Bytes as text where nothing reliable says in which encoding they are. Knows nothing of mail.

/// How ISO-2022-JP, which is all ASCII otherwise, begins Japanese characters.
const JAPANESE: &[u8] = b"\x1b$";

/// Text in UTF-8, or else in the encoding it most probably is.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !is_garbled(&text) && !bytes.windows(JAPANESE.len()).any(|pair| pair == JAPANESE) {
        return text.into_owned();
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, chardetng::Utf8Detection::Allow);
    encoding.decode(bytes).0.into_owned()
}

/// Whether more characters were lost than shown, ASCII aside: then the encoding was another one. A text
/// with one broken character among many good ones is just that.
pub(crate) fn is_garbled(text: &str) -> bool {
    let (lost, shown): (Vec<char>, Vec<char>) =
        text.chars().filter(|one| !one.is_ascii()).partition(|&one| one == char::REPLACEMENT_CHARACTER);
    lost.len() > shown.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_nobody_named_is_found() {
        assert_eq!(decode(b"\x1b$B%O%m!<\x1b(B 1"), "ハロー 1");
        assert_eq!(decode(b"Gr\xfcn und sch\xf6n"), "Grün und schön");
    }

    #[test]
    fn a_text_is_garbled_when_most_of_it_is_lost() {
        let table =
            [("", false), ("plain", false), ("grün", false), ("gr\u{fffd}n", true), ("süß\u{fffd}", false)];
        for (text, garbled) in table {
            assert_eq!(is_garbled(text), garbled, "{text}");
        }
    }
}
