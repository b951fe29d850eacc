//! A path as Traefik forwards it: spelled in one way, without dot segments and empty segments.
//!
//! For services that are not the desk: their routers follow Traefik's pipeline, and what was matched is what
//! is forwarded. Knows nothing of routes.

use std::borrow::Cow;

/// A percent sign without two hexadecimal digits behind it. The request has to be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path has a percent sign that encodes nothing")]
pub struct BrokenEncoding;

/// Normalises and sanitises a path that starts with a slash: letters, digits and `-._~` are decoded, the
/// digits of every other encoding become upper case, then `.`, `..` and empty segments are resolved. A
/// slash at the end stays (Traefik's `http.sanitizePath`, which is on by default).
///
/// # Errors
/// A path that no server could decode.
pub fn tidied(original: &str) -> Result<Cow<'_, str>, BrokenEncoding> {
    let spelled = normalised(original)?;
    if is_clean(&spelled) {
        return Ok(spelled);
    }
    Ok(Cow::Owned(sanitised(&spelled)))
}

fn normalised(path: &str) -> Result<Cow<'_, str>, BrokenEncoding> {
    if !path.contains('%') {
        return Ok(Cow::Borrowed(path));
    }
    let mut pieces = path.split('%');
    let mut spelled = String::with_capacity(path.len());
    spelled.push_str(pieces.next().unwrap_or(path));
    for piece in pieces {
        let digits = piece.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or(BrokenEncoding)?;
        match char::from(byte) {
            plain if plain.is_ascii_alphanumeric() || "-._~".contains(plain) => spelled.push(plain),
            _ => {
                spelled.push('%');
                spelled.extend(piece[..2].chars().map(|digit| digit.to_ascii_uppercase()));
            }
        }
        spelled.push_str(&piece[2..]);
    }
    Ok(Cow::Owned(spelled))
}

fn is_clean(path: &str) -> bool {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if matches!(segment, "." | "..") || (segment.is_empty() && !is_last) {
            return false;
        }
    }
    true
}

fn sanitised(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let ends_with_slash = path.ends_with('/') && !kept.is_empty();
    format!("/{}{}", kept.join("/"), if ends_with_slash { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_segments_and_empty_segments_are_resolved_after_decoding() {
        for (original, tidy) in [
            ("/", "/"),
            ("//", "/"),
            ("/a/", "/a/"),
            ("/a//b", "/a/b"),
            ("/a/./b/.", "/a/b"),
            ("/a/b/..", "/a"),
            ("/a/b/../", "/a/"),
            ("/../../b/", "/b/"),
            ("/..", "/"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/..%2fb", "/a/..%2Fb"),
            ("/a/%252e%252e/b", "/a/%252e%252e/b"),
            ("/%41%2b%c3%A9", "/A%2B%C3%A9"),
            ("/a/...", "/a/..."),
        ] {
            assert_eq!(tidied(original).as_deref(), Ok(tidy), "{original}");
        }
    }

    #[test]
    fn a_percent_sign_that_encodes_nothing_is_refused() {
        for original in ["/%", "/%4", "/%zz", "/a%2", "/%+1", "/%%41", "/%é"] {
            assert_eq!(tidied(original), Err(BrokenEncoding), "{original}");
        }
    }

    #[test]
    fn an_ordinary_path_is_kept_as_it_is() {
        for original in ["/", "/a/b.c/", "/a/..b/c..", "/a;b/@c"] {
            assert!(matches!(tidied(original), Ok(Cow::Borrowed(_))), "{original}");
        }
    }
}
