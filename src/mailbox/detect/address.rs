//! A mail address as somebody typed it, taken apart. Asks nobody whether it exists.

use serde::Serialize;

/// RFC 5321, section 4.5.3.1: a path is at most 256 octets with its angle brackets.
const LONGEST: usize = 254;
/// RFC 5321, section 4.5.3.1.1.
const LONGEST_LOCAL: usize = 64;
/// RFC 1035, section 2.3.4, in text without the final dot.
const LONGEST_DOMAIN: usize = 253;

/// Why a text is no address that mail can be read for. The text is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("type the whole mail address, such as support@example.com")]
    NotAnAddress,
    #[error("the address is longer than a mail address can be (254 characters)")]
    TooLong,
    #[error("the part before the @ is longer than mail servers take (64 characters)")]
    LocalTooLong,
    #[error("the part before the @ contains `{found}`, which a mailbox's name cannot")]
    Local { found: char },
    #[error("the part before the @ cannot begin or end with a dot, nor have two in a row")]
    LocalDots,
    #[error("the address contains a space or an invisible character; type it by hand")]
    Invisible,
    #[error("the part after the @ is no domain such as example.com")]
    Domain,
    #[error("the part after the @ is an IP address; a domain such as example.com is needed")]
    IpAddress,
}

/// An address whose domain is in the form that the name service knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MailAddress {
    pub local: String,
    /// Lower case, A-labels (RFC 5890).
    pub domain: String,
    /// As people read it.
    pub unicode_domain: String,
}

impl MailAddress {
    /// Reads `local@domain`; white space around it is dropped.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        // Ahead of everything else: nothing below may have to look at a megabyte.
        if text.len() > LONGEST * 4 {
            return Err(AddressError::TooLong);
        }
        if text.chars().any(is_invisible) {
            return Err(AddressError::Invisible);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NotAnAddress)?;
        check_local(local)?;
        let (domain, unicode_domain) = read_domain(domain)?;
        match local.len() + 1 + domain.len() > LONGEST {
            true => Err(AddressError::TooLong),
            false => Ok(Self { local: local.to_owned(), domain, unicode_domain }),
        }
    }

    /// `local@domain`, the domain in A-labels.
    pub fn ascii(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// Whether the part before the @ needs servers that speak SMTPUTF8 (RFC 6531).
    pub fn is_international(&self) -> bool {
        !self.local.is_ascii()
    }
}

/// White space, controls, and characters that change how their neighbours are shown.
fn is_invisible(c: char) -> bool {
    let formats = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    c.is_control() || c.is_whitespace() || formats
}

/// RFC 5322 `dot-atom`, and RFC 6531's characters; quoted names are refused, no desk uses them.
fn check_local(local: &str) -> Result<(), AddressError> {
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || !c.is_ascii();
    if local.is_empty() {
        return Err(AddressError::NotAnAddress);
    }
    if let Some(found) = local.chars().find(|&c| !is_atom(c)) {
        return Err(AddressError::Local { found });
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err(AddressError::LocalDots);
    }
    match local.len() > LONGEST_LOCAL {
        true => Err(AddressError::LocalTooLong),
        false => Ok(()),
    }
}

fn read_domain(text: &str) -> Result<(String, String), AddressError> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.starts_with('[') || text.parse::<std::net::IpAddr>().is_ok() {
        return Err(AddressError::IpAddress);
    }
    let ascii = idna::domain_to_ascii_strict(text).map_err(|_| AddressError::Domain)?;
    is_domain(&ascii).then_some(()).ok_or(AddressError::Domain)?;
    let (unicode, readable) = idna::domain_to_unicode(&ascii);
    Ok(if readable.is_ok() { (ascii, unicode) } else { (ascii.clone(), ascii) })
}

/// Whether `name` is a host name with a dot in it, in lower case, that is no address (RFC 1123, section 2.1).
pub(super) fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_number =
        name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    name.len() <= LONGEST_DOMAIN && name.contains('.') && name.split('.').all(is_label) && !last_is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_meant() {
        for (text, ascii) in [
            ("support@Example.COM", "support@example.com"),
            ("  help+desk@example.com.\n", "help+desk@example.com"),
            ("info@bücher.example", "info@xn--bcher-kva.example"),
            ("用户@例子.example", "用户@xn--fsqu00a.example"),
        ] {
            let address = MailAddress::parse(text).expect(text);
            assert_eq!(address.ascii(), ascii);
        }
        assert!(MailAddress::parse("用户@example.com").expect("an address").is_international());
    }

    #[test]
    fn what_no_mailbox_can_have_is_refused_with_the_reason() {
        let long = |count: usize| "a".repeat(count);
        for (text, reason) in [
            (String::new(), AddressError::NotAnAddress),
            ("example.com".into(), AddressError::NotAnAddress),
            ("@example.com".into(), AddressError::NotAnAddress),
            ("a@b@example.com".into(), AddressError::Local { found: '@' }),
            ("\"a\"@example.com".into(), AddressError::Local { found: '"' }),
            ("<script>@example.com".into(), AddressError::Local { found: '<' }),
            (".a@example.com".into(), AddressError::LocalDots),
            ("a..b@example.com".into(), AddressError::LocalDots),
            ("a b@example.com".into(), AddressError::Invisible),
            ("a\r\nRCPT@example.com".into(), AddressError::Invisible),
            ("a\u{202e}b@example.com".into(), AddressError::Invisible),
            ("a@exa\u{200b}mple.com".into(), AddressError::Invisible),
            ("a@localhost".into(), AddressError::Domain),
            ("a@example..com".into(), AddressError::Domain),
            ("a@-example.com".into(), AddressError::Domain),
            ("a@example.com/path".into(), AddressError::Domain),
            ("a@example.com:25".into(), AddressError::Domain),
            ("a@127.1".into(), AddressError::Domain),
            ("a@127.0.0.1".into(), AddressError::IpAddress),
            ("a@[127.0.0.1]".into(), AddressError::IpAddress),
            ("a@[IPv6:::1]".into(), AddressError::IpAddress),
            (format!("{}@example.com", long(65)), AddressError::LocalTooLong),
            (format!("a@{}.com", long(64)), AddressError::Domain),
            (format!("info@{}com", "abc.".repeat(62)), AddressError::TooLong),
            (format!("a@{}.com", long(1 << 20)), AddressError::TooLong),
        ] {
            assert_eq!(MailAddress::parse(&text), Err(reason), "{}", &text[..text.len().min(80)]);
        }
    }
}
