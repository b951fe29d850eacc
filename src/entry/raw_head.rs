//! Whether the bytes of an HTTP/1 request head can mean only one thing.
//!
//! Two parsers that read one head differently are how requests are smuggled, so everything on which
//! they could differ is refused on the raw bytes: framing, bare line ends, odd bytes, targets. Pure: no
//! I/O, no time. Does not know what a route is. Sources: RFC 9110 and RFC 9112 (sections named below).

use crate::web::grammar::{is_authority, is_method, is_target, plain_length};

/// Bytes of a head, request line and blank line included.
pub const MOST_BYTES: usize = 32 * 1024;
/// Header lines of a head.
pub const MOST_LINES: usize = 100;
/// Options of all `Connection:` lines; each may cost a header's removal.
const MOST_OPTIONS: usize = 32;

/// Why a request is refused before anybody else sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// 400, 405, 408, 417, 431 or 501.
    pub status: u16,
    /// One sentence for the client.
    pub reason: &'static str,
}

impl Refusal {
    pub const TOO_LARGE: Self = Self { status: 431, reason: "The request head is too large." };
    pub const TOO_SLOW: Self = Self { status: 408, reason: "The request head took too long." };

    /// A request that is not well-formed.
    pub const fn malformed(reason: &'static str) -> Self {
        Self { status: 400, reason }
    }
}

/// How the body after a head is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    Length(u64),
    Chunked,
}

/// What a good head says about what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framing {
    pub body: Body,
    /// The client asks to leave HTTP (`Upgrade:`).
    pub upgrade: bool,
}

/// Looks for the end of a head that arrives in pieces; never looks at a byte twice.
#[derive(Debug, Default)]
pub struct Scan {
    seen: usize,
    line_start: usize,
    lines: usize,
}

impl Scan {
    /// The head's length once its blank line is in `bytes`, which holds everything since the head's
    /// first byte.
    ///
    /// # Errors
    /// As soon as the head is too large or a line ends without CR LF (RFC 9112 section 2.2).
    pub fn find_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        while let Some(offset) = bytes[self.seen..].iter().position(|&byte| byte == b'\n') {
            let line_feed = self.seen + offset;
            let line = &bytes[self.line_start..line_feed];
            if line.last() != Some(&b'\r') {
                return Err(Refusal::malformed("A line ends without CR LF."));
            }
            self.seen = line_feed + 1;
            self.line_start = self.seen;
            if line.len() == 1 {
                return self.end(line_feed + 1).map(Some);
            }
            self.lines += 1;
            // The request line is one more.
            if self.lines > MOST_LINES + 1 {
                return Err(Refusal::TOO_LARGE);
            }
        }
        self.seen = bytes.len();
        if bytes.len() >= MOST_BYTES { Err(Refusal::TOO_LARGE) } else { Ok(None) }
    }

    fn end(&self, length: usize) -> Result<usize, Refusal> {
        match (self.lines, length) {
            (0, _) => Err(Refusal::malformed("The request starts with an empty line.")),
            (_, length) if length > MOST_BYTES => Err(Refusal::TOO_LARGE),
            _ => Ok(length),
        }
    }
}

/// Checks a whole head, blank line included.
pub fn check(head: &[u8]) -> Result<Framing, Refusal> {
    let mut lines = head.split(|&byte| byte == b'\n');
    let request_line = without_return(lines.next().unwrap_or_default())?;
    let request = request_line_parts(request_line)?;
    let mut fields = Fields::default();
    for line in lines {
        let line = without_return(line)?;
        if line.is_empty() {
            break;
        }
        fields.take(line)?;
    }
    fields.framing(&request)
}

fn without_return(line: &[u8]) -> Result<&[u8], Refusal> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // Tab is the one control character a header value may hold.
    if line.iter().all(|&byte| matches!(byte, b'\t' | b' '..=b'~')) {
        Ok(line)
    } else {
        Err(Refusal::malformed("The request head has a byte that is not visible ASCII."))
    }
}

struct Request {
    /// A body on these methods has no meaning; by length it is harmless, by chunks it is an attack.
    bodiless: bool,
    version_1_1: bool,
}

/// RFC 9112 section 3, origin-form only: this is a gateway and never a forward proxy.
fn request_line_parts(line: &[u8]) -> Result<Request, Refusal> {
    let mut parts = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::malformed("The request line is not METHOD /path HTTP/1.1."));
    };
    if method.is_empty() || !method.iter().all(|&byte| is_token(byte)) {
        return Err(Refusal::malformed("The method is not a token."));
    }
    if !is_method(method) {
        return Err(Refusal { status: 501, reason: "The method is not known." });
    }
    if matches!(method, b"TRACE" | b"CONNECT") {
        return Err(Refusal { status: 405, reason: "The method is not allowed." });
    }
    if !is_target(target) {
        return Err(Refusal::malformed("The request target is not an absolute path."));
    }
    let version_1_1 = match version {
        b"HTTP/1.1" => true,
        b"HTTP/1.0" => false,
        _ => return Err(Refusal::malformed("The protocol version is not HTTP/1.1.")),
    };
    let bodiless = matches!(method, b"GET" | b"HEAD" | b"DELETE" | b"OPTIONS");
    Ok(Request { bodiless, version_1_1 })
}

/// RFC 9110 section 5.6.2.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[derive(Default)]
struct Fields {
    host: bool,
    length: Option<u64>,
    chunked: bool,
    upgrade: bool,
    options: usize,
}

impl Fields {
    fn take(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let colon = line.iter().position(|&byte| byte == b':');
        let Some((name, value)) = colon.map(|at| (&line[..at], line[at + 1..].trim_ascii())) else {
            return Err(Refusal::malformed("A header line has no colon."));
        };
        // Also refuses folded lines (RFC 9112 section 5.2) and a space before the colon (5.1).
        if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) {
            return Err(Refusal::malformed("A header name is not a token."));
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.take_host(value),
            6 if name.eq_ignore_ascii_case(b"expect") => expect(value),
            7 if name.eq_ignore_ascii_case(b"upgrade") => {
                self.upgrade = true;
                Ok(())
            }
            10 if name.eq_ignore_ascii_case(b"connection") => self.take_options(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.take_length(value),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.take_encoding(value),
            _ => Ok(()),
        }
    }

    fn take_host(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.host {
            return Err(Refusal::malformed("The request names its host twice."));
        }
        self.host = true;
        if is_authority(value) { Ok(()) } else { Err(Refusal::malformed("The Host header is not a host.")) }
    }

    fn take_options(&mut self, value: &[u8]) -> Result<(), Refusal> {
        self.options += value.split(|&byte| byte == b',').count();
        if self.options > MOST_OPTIONS {
            return Err(Refusal::malformed("The Connection header has too many options."));
        }
        Ok(())
    }

    fn take_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        match (self.length, plain_length(value)) {
            (None, Some(length)) => {
                self.length = Some(length);
                Ok(())
            }
            _ => Err(Refusal::malformed("The Content-Length is not one plain number.")),
        }
    }

    fn take_encoding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.chunked || value != b"chunked" {
            return Err(Refusal::malformed("The Transfer-Encoding is not exactly chunked."));
        }
        self.chunked = true;
        Ok(())
    }

    fn framing(self, request: &Request) -> Result<Framing, Refusal> {
        if !self.host {
            return Err(Refusal::malformed("The Host header is missing."));
        }
        let body = match (self.length, self.chunked) {
            (Some(_), true) => {
                return Err(Refusal::malformed(
                    "Content-Length and Transfer-Encoding contradict each other.",
                ));
            }
            (None, true) if !request.version_1_1 => {
                return Err(Refusal::malformed("HTTP/1.0 knows no Transfer-Encoding."));
            }
            (None, true) if request.bodiless => {
                return Err(Refusal::malformed("This method takes no chunked body."));
            }
            (None, true) => Body::Chunked,
            (length, false) => Body::Length(length.unwrap_or(0)),
        };
        if self.upgrade && body != Body::Length(0) {
            return Err(Refusal::malformed("A request that asks for an upgrade has no body."));
        }
        Ok(Framing { body, upgrade: self.upgrade })
    }
}

fn expect(value: &[u8]) -> Result<(), Refusal> {
    if value.eq_ignore_ascii_case(b"100-continue") {
        Ok(())
    } else {
        Err(Refusal { status: 417, reason: "The expectation is not 100-continue." })
    }
}

#[cfg(test)]
mod tests;
