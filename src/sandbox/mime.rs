//! A raw mail's head, edited line by line. The rest of the mail stays byte for byte.

/// A header field as it stands in the mail, folded lines and line end included.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field(Vec<u8>);

impl Field {
    fn name(&self) -> String {
        let end = self.0.iter().position(|&byte| byte == b':').unwrap_or(0);
        String::from_utf8_lossy(&self.0[..end]).trim().to_ascii_lowercase()
    }
}

/// A mail in two halves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawMail {
    fields: Vec<Field>,
    /// From the empty line on.
    rest: Vec<u8>,
}

impl RawMail {
    pub fn parse(raw: &[u8]) -> Self {
        let mut fields: Vec<Field> = Vec::new();
        let mut at = 0;
        while at < raw.len() {
            let end =
                raw[at..].iter().position(|&byte| byte == b'\n').map_or(raw.len(), |line| at + line + 1);
            let line = &raw[at..end];
            if line == b"\n" || line == b"\r\n" {
                break;
            }
            match fields.last_mut().filter(|_| line[0] == b' ' || line[0] == b'\t') {
                Some(field) => field.0.extend_from_slice(line),
                None => fields.push(Field(line.to_vec())),
            }
            at = end;
        }
        Self { fields, rest: raw[at..].to_vec() }
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name() == name)
    }

    /// Keeps the fields whose lower-case name `wanted` says yes to.
    pub fn keep(&mut self, wanted: impl Fn(&str) -> bool) {
        self.fields.retain(|field| wanted(&field.name()));
    }

    pub fn prepend(&mut self, name: &str, value: &str) {
        self.fields.insert(0, Field(format!("{name}: {value}\r\n").into_bytes()));
    }

    /// One field of that name, where the first one was or else at the end.
    pub fn set(&mut self, name: &str, value: &str) {
        let lower = name.to_ascii_lowercase();
        let at = self.fields.iter().position(|field| field.name() == lower).unwrap_or(self.fields.len());
        self.keep(|other| other != lower);
        let at = at.min(self.fields.len());
        self.fields.insert(at, Field(format!("{name}: {value}\r\n").into_bytes()));
    }

    /// The same head over another body, which begins with its own content fields.
    pub fn with_body(self, body: Vec<u8>) -> Self {
        Self { rest: body, ..self }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let head = self.fields.iter().flat_map(|field| field.0.iter().copied());
        head.chain(self.rest.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"Subject: a\r\n b\r\nTo: x@y\r\n\r\nbody\r\n";

    #[test]
    fn what_is_not_edited_stays_byte_for_byte() {
        assert_eq!(RawMail::parse(MAIL).bytes(), MAIL);
        assert_eq!(RawMail::parse(b"no head at all").bytes(), b"no head at all");
    }

    #[test]
    fn a_folded_field_is_replaced_whole() {
        let mut mail = RawMail::parse(MAIL);
        mail.set("Subject", "c");
        mail.keep(|name| name != "to");
        assert_eq!(mail.bytes(), b"Subject: c\r\n\r\nbody\r\n");
    }
}
