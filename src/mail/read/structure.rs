//! The parts of a mail, set right before it is parsed: those that nobody closed, headers that run into the next
//! part, boundaries that are declared otherwise, bodies with signs their encoding does not know. Reads header
//! lines as far as they tell that.

use std::borrow::Cow;
use std::collections::HashMap;

use super::transfer::{self, Body};

/// Boundaries within each other; what nests deeper is left as it is.
const DEEPEST: usize = 60;
/// RFC 2046, 5.1.1 allows 70 characters; some programs write more.
const LONGEST_BOUNDARY: usize = 200;
const LONGEST_HEADER: usize = 2_000;

/// The mail with every part closed (RFC 2046, 5.1.2: a boundary of an outer part ends the inner ones) and its
/// real boundary declared; as it was where nothing is missing.
pub(super) fn whole(raw: &[u8]) -> Cow<'_, [u8]> {
    let scan = Scan::of(raw);
    let Some(declared) = scan.declared_elsewhere(raw) else { return scan.completed(raw) };
    let declared = with(raw, &[declared]);
    let completed = Scan::of(&declared).completed(&declared).into_owned();
    Cow::Owned(completed)
}

/// Text to be put in at a place of the mail, instead of as many bytes.
struct Mend {
    at: usize,
    instead_of: usize,
    text: Vec<u8>,
}

impl Mend {
    fn before(at: usize, text: Vec<u8>) -> Self {
        Self { at, instead_of: 0, text }
    }
}

fn with(raw: &[u8], mends: &[Mend]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(raw.len() + mends.iter().map(|one| one.text.len()).sum::<usize>());
    let mut done = 0;
    for one in mends {
        whole.extend_from_slice(&raw[done..one.at]);
        whole.extend_from_slice(&one.text);
        done = one.at + one.instead_of;
    }
    whole.extend_from_slice(&raw[done..]);
    whole
}

/// A multipart that was begun.
struct Open {
    boundary: Vec<u8>,
    /// Its boundary was met; else it may be declared only.
    entered: bool,
}

/// The mail's own Content-Type, and where the empty line below its headers is.
struct Outermost {
    content_type: String,
    header_end: usize,
}

#[derive(Default)]
struct Scan {
    outermost: Option<Outermost>,
    any_entered: bool,
    open: Vec<Open>,
    /// Where each boundary stands among the open ones.
    depths: HashMap<Vec<u8>, usize>,
    in_body: bool,
    /// What the header that is being read says of its part, unfolded.
    content_type: Vec<u8>,
    encoding: Vec<u8>,
    /// The field that the last line belongs to.
    field: Field,
    body: Body,
    mends: Vec<Mend>,
}

#[derive(Default, Clone, Copy)]
enum Field {
    ContentType,
    Encoding,
    #[default]
    Other,
}

impl Scan {
    fn of(raw: &[u8]) -> Self {
        let mut scan = Self::default();
        let mut at = 0;
        for line in raw.split_inclusive(|&byte| byte == b'\n') {
            scan.line(line, at);
            at += line.len();
        }
        scan.end(raw);
        scan
    }

    fn completed(self, raw: &[u8]) -> Cow<'_, [u8]> {
        if self.mends.is_empty() { Cow::Borrowed(raw) } else { Cow::Owned(with(raw, &self.mends)) }
    }

    /// A Content-Type with the boundary that the parts really have, where the declared one is never met.
    fn declared_elsewhere(&self, raw: &[u8]) -> Option<Mend> {
        let outermost = self.outermost.as_ref().filter(|_| !self.any_entered)?;
        let (kind, parameters) =
            outermost.content_type.split_once(';').unwrap_or((&outermost.content_type, ""));
        if !kind.to_ascii_lowercase().starts_with("multipart/") {
            return None;
        }
        let boundary = first_boundary(&raw[outermost.header_end..])?;
        let others = parameters
            .split(';')
            .filter(|one| !one.trim_start().to_ascii_lowercase().starts_with("boundary"));
        let kept: String = others.map(|one| format!(";{one}")).collect();
        let text = format!("Content-Type: {}{kept}; boundary=\"{boundary}\"\r\n", kind.trim()).into_bytes();
        Some(Mend::before(outermost.header_end, text))
    }

    fn line(&mut self, line: &[u8], at: usize) {
        if !self.in_body && !self.ends_header_early(line, at) {
            return self.header(line, at);
        }
        let Some((depth, closes)) = self.boundary(line) else {
            if let Some(text) = self.body.mended(line) {
                self.mends.push(Mend { at, instead_of: line.len(), text });
            }
            return;
        };
        self.body = Body::AsItIs;
        self.close_within(depth, at);
        if closes {
            self.close(depth);
        } else {
            self.open[depth].entered = true;
            self.any_entered = true;
            self.begin_header();
        }
    }

    /// A boundary among the header lines: the empty line before it is missing.
    fn ends_header_early(&mut self, line: &[u8], at: usize) -> bool {
        if !line.starts_with(b"--") {
            return false;
        }
        let name = &line[2..].trim_ascii_end();
        let begins_own = || {
            let declared = boundary_of(&String::from_utf8_lossy(&self.content_type));
            declared.is_some_and(|boundary| boundary.as_bytes() == *name)
        };
        if self.boundary(line).is_none() && !begins_own() {
            return false;
        }
        self.end_header(at);
        self.mends.push(Mend::before(at, b"\r\n".to_vec()));
        self.in_body = true;
        true
    }

    fn header(&mut self, line: &[u8], at: usize) {
        let text = line.trim_ascii_end();
        if text.is_empty() {
            return self.end_header(at);
        }
        if line[0] == b' ' || line[0] == b'\t' {
            let value = text.trim_ascii_start();
            match self.field {
                Field::ContentType => append(&mut self.content_type, value),
                Field::Encoding => append(&mut self.encoding, value),
                Field::Other => {}
            }
            return;
        }
        let Some(colon) = text.iter().position(|&byte| byte == b':') else {
            self.field = Field::Other;
            return;
        };
        let (name, value) = (text[..colon].trim_ascii_end(), text[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-type") {
            self.field = Field::ContentType;
            self.content_type = value.to_vec();
        } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
            self.field = Field::Encoding;
            self.encoding = value.to_vec();
        } else {
            self.field = Field::Other;
        }
    }

    fn begin_header(&mut self) {
        self.in_body = false;
        self.field = Field::Other;
        self.content_type.clear();
        self.encoding.clear();
    }

    fn end_header(&mut self, at: usize) {
        let content_type = String::from_utf8_lossy(&self.content_type).into_owned();
        let encoding = String::from_utf8_lossy(&self.encoding).into_owned();
        if self.outermost.is_none() {
            self.outermost = Some(Outermost { content_type: content_type.clone(), header_end: at });
        }
        if let Some(name) = transfer::proper_name(&encoding) {
            let field = format!("Content-Transfer-Encoding: {name}\r\n").into_bytes();
            self.mends.push(Mend::before(at, field));
        }
        // A mail in the mail has a header of its own, whose end may be another one.
        if content_type.to_ascii_lowercase().starts_with("message/rfc822") {
            return self.begin_header();
        }
        self.in_body = true;
        let Some(boundary) = boundary_of(&content_type) else {
            self.body = Body::of(&encoding);
            return;
        };
        let known = self.depths.contains_key(boundary.as_bytes());
        if self.open.len() < DEEPEST && !known {
            self.depths.insert(boundary.clone().into_bytes(), self.open.len());
            self.open.push(Open { boundary: boundary.into_bytes(), entered: false });
        }
    }

    /// Which open boundary a line is, and whether it closes.
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        let name = line.strip_prefix(b"--")?.trim_ascii_end();
        if let Some(&depth) = self.depths.get(name) {
            return Some((depth, false));
        }
        self.depths.get(name.strip_suffix(b"--")?).map(|&depth| (depth, true))
    }

    /// Closes what was left open within the multipart at `depth`.
    fn close_within(&mut self, depth: usize, at: usize) {
        while self.open.len() > depth + 1 {
            let innermost = self.open.len() - 1;
            if self.open[innermost].entered {
                let text = [b"--", self.open[innermost].boundary.as_slice(), b"--\r\n"].concat();
                self.mends.push(Mend::before(at, text));
            }
            self.close(innermost);
        }
    }

    fn close(&mut self, depth: usize) {
        for one in self.open.drain(depth..) {
            self.depths.remove(&one.boundary);
        }
    }

    /// A mail that was cut off.
    fn end(&mut self, raw: &[u8]) {
        let at = raw.len();
        let before = self.mends.len();
        if let Some(outermost) = self.open.iter().position(|one| one.entered) {
            self.close_within(outermost, at);
            let text = [b"--", self.open[outermost].boundary.as_slice(), b"--\r\n"].concat();
            self.mends.push(Mend::before(at, text));
        }
        if let Some(first) = self.mends.get_mut(before) {
            let line_end: &[u8] = if raw.ends_with(b"\n") { b"" } else { b"\r\n" };
            let header_end: &[u8] = if self.in_body { b"" } else { b"\r\n" };
            first.text = [line_end, header_end, &first.text].concat();
        }
    }
}

fn append(field: &mut Vec<u8>, value: &[u8]) {
    if field.len() < LONGEST_HEADER {
        field.push(b' ');
        field.extend_from_slice(value);
    }
}

/// The boundary that a multipart's Content-Type declares.
fn boundary_of(content_type: &str) -> Option<String> {
    const PARAMETER: &str = "boundary=";
    let lower = content_type.to_ascii_lowercase();
    if !lower.starts_with("multipart/") {
        return None;
    }
    let value = content_type[lower.find(PARAMETER)? + PARAMETER.len()..].trim_start();
    let boundary = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([';', ' ', '\t']).next(),
    };
    boundary.map(str::to_owned).filter(|one| (1..=LONGEST_BOUNDARY).contains(&one.len()))
}

/// The boundary that a body's first parts stand between: a line of it is followed by a part's header, or it is
/// closed further down.
fn first_boundary(body: &[u8]) -> Option<String> {
    const MOST_LINES: usize = 200;
    let lines: Vec<&[u8]> =
        body.split(|&byte| byte == b'\n').take(MOST_LINES).map(<[u8]>::trim_ascii_end).collect();
    let mut pairs = lines.windows(2).filter_map(|pair| Some((pair[0].strip_prefix(b"--")?, pair[1])));
    let (boundary, _) = pairs.find(|(boundary, next)| {
        let closing = [b"--", *boundary, b"--"].concat();
        let fits = (2..=LONGEST_BOUNDARY).contains(&boundary.len()) && !boundary.contains(&b'"');
        fits && (next.to_ascii_lowercase().starts_with(b"content-") || lines.contains(&closing.as_slice()))
    })?;
    String::from_utf8(boundary.to_vec()).ok().filter(|boundary| !boundary.trim_matches('-').is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str) -> String {
        String::from_utf8(whole(raw.as_bytes()).into_owned()).expect("text stays text")
    }

    const HEAD: &str = "Content-Type: multipart/mixed;\r\n boundary=\"out\"\r\n\r\n--out\r\n\
        Content-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\n\r\nText\r\n";

    #[test]
    fn a_part_that_nobody_closed_ends_with_the_one_around_it() {
        let next = "--out\r\nContent-Type: text/csv\r\n\r\n1\r\n";
        assert_eq!(shown(&format!("{HEAD}{next}--out--\r\n")), format!("{HEAD}--in--\r\n{next}--out--\r\n"));
    }

    #[test]
    fn a_mail_that_was_cut_off_is_closed() {
        assert_eq!(shown(HEAD), format!("{HEAD}--in--\r\n--out--\r\n"));
        let within_a_line = HEAD.trim_end();
        assert_eq!(shown(within_a_line), format!("{within_a_line}\r\n--in--\r\n--out--\r\n"));
    }

    #[test]
    fn a_mail_in_a_mail_ends_with_its_part() {
        let inner = "Subject: x\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\nText\r\n";
        let head = "Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\nContent-Type: message/rfc822\r\n\r\n";
        let whole = format!("{head}{inner}--in--\r\n--out--\r\n");
        assert_eq!(shown(&format!("{head}{inner}--out--\r\n")), whole);
    }

    #[test]
    fn the_boundary_that_is_there_counts_where_the_declared_one_is_not() {
        let parts = "--real\r\nContent-Type: text/plain\r\n\r\nText\r\n--real--\r\n";
        for declared in ["; boundary=\"gone\"", ""] {
            let head = format!("Content-Type: multipart/report; report-type=x{declared}\r\nSubject: x\r\n");
            let added = "Content-Type: multipart/report; report-type=x; boundary=\"real\"\r\n";
            assert_eq!(shown(&format!("{head}\r\n{parts}")), format!("{head}{added}\r\n{parts}"));
        }
    }

    #[test]
    fn a_header_ends_where_the_next_part_begins() {
        let head = "Content-Type: multipart/mixed; boundary=out\r\n";
        let part = "--out\r\nContent-Type: text/plain\r\n";
        let wanted = format!("{head}\r\n{part}\r\n{part}\r\nText\r\n--out--\r\n");
        assert_eq!(shown(&format!("{head}{part}{part}\r\nText\r\n--out--\r\n")), wanted);
    }

    #[test]
    fn bodies_are_mended_as_their_own_header_says() {
        let head = "Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\n";
        let end = "--out\r\n\r\na == b\r\n--out--\r\n";
        let encoding = "Content-Transfer-Encoding: quoted-printable";
        let raw = format!("{head}{encoding};\r\n\r\na == b\r\n{end}");
        let wanted = format!("{head}{encoding};\r\n{encoding}\r\n\r\na =3D=3D b\r\n{end}");
        assert_eq!(shown(&raw), wanted);
    }

    #[test]
    fn what_is_whole_stays_as_it_is() {
        let closed = format!("{HEAD}--in--\r\n--out--\r\n");
        let table = [
            closed.as_str(),
            "Subject: x\r\n\r\n--out\r\nno parts here\r\n",
            "Content-Type: multipart/mixed; boundary=gone\r\n\r\nText\r\n-- \r\nAda\r\n-----\r\n",
            "",
        ];
        for raw in table {
            assert!(matches!(whole(raw.as_bytes()), Cow::Borrowed(_)), "{raw}");
        }
    }
}
