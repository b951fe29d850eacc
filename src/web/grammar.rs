//! Field values on which two readers could differ, as they must look. The same for every version of
//! HTTP. Knows no request.

/// The number of a Content-Length: plain digits without a leading zero (RFC 9110 section 8.6).
pub fn plain_length(value: &[u8]) -> Option<u64> {
    let plain = value.iter().all(u8::is_ascii_digit) && (value.len() == 1 || value.first() != Some(&b'0'));
    std::str::from_utf8(value).ok().filter(|_| plain).and_then(|text| text.parse().ok())
}

/// Whether a method may be one: upper-case letters, digits and hyphens, begun by a letter, at most 32 of
/// them. All registered methods are such; others are case-sensitive tokens that no server here knows (RFC
/// 9110 section 9.1), and an upstream that folds their case would read another method than was checked.
pub fn is_method(method: &[u8]) -> bool {
    method.len() <= 32
        && method.first().is_some_and(u8::is_ascii_uppercase)
        && method.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'-')
}

/// Whether a request target is an absolute path, perhaps with a query, of visible ASCII.
///
/// Takes what browsers send unencoded, a little more than RFC 3986 allows: its section 2 leaves out
/// `[]{}|^` and, in queries, the backslash and the backtick. A fragment never belongs into a request; a
/// backslash in a path is a slash to some readers, browsers among them, which therefore never send it.
pub fn is_target(target: &[u8]) -> bool {
    let path = target.split(|&byte| byte == b'?').next().unwrap_or(target);
    path.first() == Some(&b'/')
        && target.iter().all(|&byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>'))
        && !path.iter().any(|&byte| matches!(byte, b'`' | b'\\'))
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`; names as they stand in DNS, underscore allowed.
pub fn is_authority(value: &[u8]) -> bool {
    let (host, rest) = match value.iter().position(|&byte| byte == b']') {
        Some(at) if value.first() == Some(&b'[') => (&value[1..at], &value[at + 1..]),
        Some(_) => return false,
        None => value.split_at(value.iter().position(|&byte| byte == b':').unwrap_or(value.len())),
    };
    let bracketed = value.first() == Some(&b'[');
    let good_host = !host.is_empty()
        && host.iter().all(|&byte| match byte {
            b':' => bracketed,
            b'-' | b'_' => !bracketed,
            b'.' => true,
            _ => byte.is_ascii_alphanumeric(),
        });
    good_host && (rest.is_empty() || is_port(rest))
}

fn is_port(rest: &[u8]) -> bool {
    let digits = rest.strip_prefix(b":").and_then(|digits| std::str::from_utf8(digits).ok());
    digits.is_some_and(|digits| {
        digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_one_plain_number() {
        assert_eq!([b"0".as_slice(), b"5", b"50"].map(plain_length), [Some(0), Some(5), Some(50)]);
        for value in ["", "05", "00", "+5", "-1", "5, 5", "5 ", "0x5", "99999999999999999999"] {
            assert_eq!(plain_length(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn a_method_is_short_and_upper_case() {
        for method in ["GET", "PROPFIND", "M-SEARCH", "VERSION-CONTROL", "UPDATEREDIRECTREF"] {
            assert!(is_method(method.as_bytes()), "{method}");
        }
        for method in ["", "get", "Get", "GE_T", "GET!", "-GET", "1GET", "A B", &"A".repeat(33)] {
            assert!(!is_method(method.as_bytes()), "{method}");
        }
    }

    #[test]
    fn a_target_is_an_absolute_path() {
        for target in ["/", "/a?b=c", "/a[b]{c}|d^e", "/?a\\b`c", "//a", "/%"] {
            assert!(is_target(target.as_bytes()), "{target}");
        }
        let wrong = [
            "",
            "*",
            "a",
            "?a",
            "#/a",
            "http://a/",
            "/a#b",
            "/?#",
            "/a\\b",
            "/`",
            "/\"",
            "/<",
            "/ ",
            "/\t",
            "/é",
        ];
        for target in wrong {
            assert!(!is_target(target.as_bytes()), "{target}");
        }
    }

    #[test]
    fn an_authority_is_a_host_and_perhaps_a_port() {
        for value in ["desk", "desk.example", "desk_1.example:8443", "10.0.0.1:80", "[::1]", "[::1]:443"] {
            assert!(is_authority(value.as_bytes()), "{value}");
        }
        let wrong = [
            "", ":80", "a:", "a:x", "a:99999", "a:1:2", "a@b", "a/b", "a b", "a, b", "a#", "[::1", "::1",
            "[]", "%61",
        ];
        for value in wrong {
            assert!(!is_authority(value.as_bytes()), "{value}");
        }
    }
}
