//! Which bytes are a picture that every browser shows and none runs. Asks the bytes, never a name or a
//! claimed type.

/// The media type by the first bytes (WHATWG MIME Sniffing, section 6.1); `None` for everything else, SVG
/// included, which is a document with scripts.
pub fn media_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        return Some("image/gif");
    }
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..14) == Some(b"WEBPVP");
    webp.then_some("image/webp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bytes_tell_a_picture() {
        let table: [(&[u8], Option<&str>); 10] = [
            (b"\x89PNG\r\n\x1a\nrest", Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a<script>", Some("image/gif")),
            (b"GIF87a", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\0\0\0\0WAVEfmt ", None),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\">", None),
            (b" \x89PNG\r\n\x1a\n", None),
            (b"GIF", None),
            (b"", None),
        ];
        for (bytes, expected) in table {
            assert_eq!(media_type(bytes), expected, "{bytes:?}");
        }
    }
}
