//! What the mailbox's own server found out about a mail's sender (RFC 8601). Reads the line that server
//! wrote and no other; checks no signature itself and knows nothing of tickets.

use std::str::FromStr;

use super::Message;

/// Lines of a mail that are looked through; a server writes its own on top.
pub(crate) const MOST_LINES: usize = 20;

/// A server whose word counts, because it is the one that took the mail in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// An authserv-id such as `mx.google.com`; `*.example.com` stands for every host below it.
    Named(String),
    /// Exchange Online names no server. Its line is the topmost, and it renames those it did not write.
    ExchangeOnline,
}

/// Why a text names no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a server is named as in Authentication-Results: `mx.example.com`, or `*.example.com` for all below it"
)]
pub struct NotAServer;

impl FromStr for Server {
    type Err = NotAServer;

    /// A name of at least two labels; a `*` stands only for its first ones, never for a whole top-level domain.
    fn from_str(text: &str) -> Result<Self, NotAServer> {
        let fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|one| one.is_ascii_alphanumeric() || matches!(one, b'-' | b'_'))
        };
        let host = text.strip_prefix("*.").unwrap_or(text);
        let named = host.len() <= 253 && host.contains('.') && host.split('.').all(fits);
        named.then(|| Self::Named(text.to_ascii_lowercase())).ok_or(NotAServer)
    }
}

impl Server {
    /// Of mailboxes at Google.
    pub fn google() -> Vec<Self> {
        vec![Self::Named("mx.google.com".to_owned())]
    }

    /// Of mailboxes at Microsoft 365.
    pub fn microsoft() -> Vec<Self> {
        vec![Self::ExchangeOnline, Self::Named("*.protection.outlook.com".to_owned())]
    }

    fn wrote(&self, line: &Line, topmost: bool) -> bool {
        match (self, line.server.as_deref()) {
            (Self::ExchangeOnline, None) => topmost,
            (Self::Named(wanted), Some(server)) => match wanted.strip_prefix('*') {
                Some(below) => server.ends_with(&below.to_ascii_lowercase()),
                None => wanted.eq_ignore_ascii_case(server),
            },
            _ => false,
        }
    }
}

/// Whether the address in From is the sender's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    Pass(Proof),
    /// The server found the sender forged.
    Fail,
    /// Nothing that can be trusted says so, or the other.
    None,
}

/// What a pass rests on, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Dmarc,
    /// Microsoft's sum of everything it knows.
    Compauth,
    /// A signature of the From domain or of one above it.
    Dkim,
    /// The envelope's sender is of the From domain or of one above it.
    Spf,
    /// The sender was signed in at the organisation's own Exchange.
    Exchange,
}

impl Authentication {
    pub fn passed(self) -> bool {
        matches!(self, Self::Pass(_))
    }

    /// `pass`, `fail` or `none`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass(_) => "pass",
            Self::Fail => "fail",
            Self::None => "none",
        }
    }
}

impl Proof {
    /// As RFC 8601 names the method.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dmarc => "dmarc",
            Self::Compauth => "compauth",
            Self::Dkim => "dkim",
            Self::Spf => "spf",
            Self::Exchange => "exchange",
        }
    }
}

/// What the topmost line of a trusted server says of the mail's sender. Without such a line nothing is
/// known: everybody can write one into a mail of his own.
pub fn judge(message: &Message, trusted: &[Server]) -> Authentication {
    let Some(from) = message.from.as_ref().and_then(|from| domain(&from.address)) else {
        return Authentication::None;
    };
    // Mail within an organisation is not signed and leaves no servers behind. Exchange removes this header from
    // whatever comes from outside (its header firewall), so where its word counts at all, this one does.
    if message.sent_within && trusted.contains(&Server::ExchangeOnline) {
        return Authentication::Pass(Proof::Exchange);
    }
    message
        .authentication_results
        .iter()
        .enumerate()
        .map(|(at, text)| (at == 0, Line::parse(text)))
        .find(|(topmost, line)| trusted.iter().any(|server| server.wrote(line, *topmost)))
        .map_or(Authentication::None, |(_, line)| line.judge(&from))
}

/// One Authentication-Results field.
struct Line {
    /// Lower case; `None` when the line begins with a result at once.
    server: Option<String>,
    results: Vec<Outcome>,
}

/// `dkim=pass header.d=customer.example`, lower case.
struct Outcome {
    method: String,
    value: String,
    properties: Vec<(String, String)>,
}

impl Line {
    fn parse(text: &str) -> Self {
        let plain = without_comments(text).to_ascii_lowercase();
        let mut pieces = plain.split(';').map(str::trim).peekable();
        let server = match pieces.peek() {
            Some(first) if !first.contains('=') => first.split_whitespace().next().map(str::to_owned),
            _ => None,
        };
        if server.is_some() {
            pieces.next();
        }
        Self { server, results: pieces.filter_map(Outcome::parse).collect() }
    }

    fn judge(&self, from: &str) -> Authentication {
        let proofs = [Proof::Dmarc, Proof::Compauth, Proof::Dkim, Proof::Spf];
        if let Some(proof) =
            proofs.into_iter().find(|proof| self.results.iter().any(|one| one.proves(*proof, from)))
        {
            return Authentication::Pass(proof);
        }
        let failed = |one: &Outcome| {
            one.value == "fail" && ["dmarc", "compauth", "dkim", "spf"].contains(&one.method.as_str())
        };
        if self.results.iter().any(failed) { Authentication::Fail } else { Authentication::None }
    }
}

impl Outcome {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (method, value) = words.next()?.split_once('=')?;
        // `dkim/1=pass` names the method's version.
        let method = method.split('/').next().unwrap_or(method).to_owned();
        let properties = words
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
            .collect();
        Some(Self { method, value: value.to_owned(), properties })
    }

    fn proves(&self, proof: Proof, from: &str) -> bool {
        let covers = |names: &[&str]| {
            names.iter().any(|name| self.property(name).is_some_and(|of| is_aligned(&of, from)))
        };
        self.value == "pass"
            && self.method == proof.name()
            && match proof {
                Proof::Dmarc => self.property("header.from").is_none_or(|of| of == from),
                Proof::Compauth => true,
                Proof::Dkim => covers(&["header.d", "header.i"]),
                Proof::Spf => covers(&["smtp.mailfrom"]),
                // No method of the line: `judge` looks for it elsewhere.
                Proof::Exchange => false,
            }
    }

    /// The domain in a property's value.
    fn property(&self, wanted: &str) -> Option<String> {
        let (_, value) = self.properties.iter().find(|(name, _)| name == wanted)?;
        Some(value.rsplit('@').next().unwrap_or(value).trim_end_matches('.').to_owned())
    }
}

/// Stricter than RFC 9989's relaxed mode, which needs a list of public suffixes: a domain speaks for
/// itself and for what lies below it, never for one above.
fn is_aligned(proven: &str, from: &str) -> bool {
    let below = || from.strip_suffix(proven).is_some_and(|rest| rest.ends_with('.'));
    proven == from || (proven.contains('.') && below())
}

fn domain(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    Some(domain.trim_end_matches('.').to_ascii_lowercase())
}

/// RFC 5322, 3.2.2: comments nest; within quotes a parenthesis is none.
fn without_comments(text: &str) -> String {
    let (mut plain, mut depth, mut quoted, mut escaped) = (String::new(), 0usize, false, false);
    for one in text.chars() {
        let literal = std::mem::replace(&mut escaped, false);
        match one {
            '\\' if !literal => escaped = true,
            '"' if !literal && depth == 0 => quoted = !quoted,
            '(' if !literal && !quoted => depth += 1,
            ')' if !literal && depth > 0 => depth -= 1,
            // What a quoted value holds ends neither a result nor a property.
            ';' | ' ' | '=' if quoted => plain.push('_'),
            _ if depth == 0 => plain.push(one),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::read::read;

    fn judged(lines: &[&str], trusted: &[Server]) -> Authentication {
        let head: String = lines.iter().map(|line| format!("Authentication-Results: {line}\r\n")).collect();
        let raw = format!("{head}From: Ada <ada@customer.example>\r\n\r\nHello\r\n");
        judge(&read(raw.as_bytes()).expect("a mail"), trusted)
    }

    #[test]
    fn the_servers_word_decides() {
        use Authentication::{Fail, None, Pass};
        let google = [
            (
                "mx.google.com; dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=customer.example",
                Pass(Proof::Dmarc),
            ),
            ("MX.google.com 1; dmarc=pass header.from=customer.example", Pass(Proof::Dmarc)),
            ("mx.google.com; dmarc=pass header.from=other.example", None),
            ("mx.google.com; dkim=pass header.i=@customer.example header.s=s1", Pass(Proof::Dkim)),
            (
                "mx.google.com; dkim=pass header.d=other.example; spf=pass smtp.mailfrom=bounce@customer.example",
                Pass(Proof::Spf),
            ),
            ("mx.google.com; dkim=pass header.d=mail.customer.example", None),
            ("mx.google.com; dkim=pass header.d=example", None),
            ("mx.google.com; dkim=pass header.d=omer.example", None),
            ("mx.google.com; spf=pass smtp.mailfrom=\"x;dmarc=pass\"@other.example", None),
            ("mx.google.com (; dmarc=pass); spf=none", None),
            (
                "mx.google.com; dmarc=fail header.from=customer.example; spf=pass smtp.mailfrom=x@evil.example",
                Fail,
            ),
            ("mx.google.com; spf=softfail smtp.mailfrom=customer.example", None),
            ("mx.google.com; none", None),
            ("evil.example; dmarc=pass header.from=customer.example", None),
            ("dmarc=pass header.from=customer.example", None),
            ("", None),
        ];
        for (line, wanted) in google {
            assert_eq!(judged(&[line], &Server::google()), wanted, "{line}");
        }
    }

    #[test]
    fn a_server_is_a_host_name_or_all_below_a_domain() {
        for text in ["mx.example.com", "*.example.com", "MX1.Example.com"] {
            assert_eq!(text.parse(), Ok(Server::Named(text.to_ascii_lowercase())), "{text}");
        }
        for text in [
            "",
            "*",
            "*.com",
            "mx",
            "mx.*.com",
            "a@example.com",
            "mx..com",
            "https://mx.example.com",
            "mx.example.com.",
        ] {
            assert_eq!(text.parse::<Server>(), Err(NotAServer), "{text}");
        }
    }

    #[test]
    fn exchange_online_is_believed_on_top_only() {
        let exchange = "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=customer.example; dkim=none; dmarc=bestguesspass \
                        action=none header.from=customer.example;compauth=pass reason=109";
        let trusted = Server::microsoft();
        assert_eq!(judged(&[exchange], &trusted), Authentication::Pass(Proof::Compauth));
        assert_eq!(judged(&["relay.example; spf=none", exchange], &trusted), Authentication::None);
        let failed = "spf=fail smtp.mailfrom=customer.example; dmarc=fail header.from=customer.example;compauth=fail reason=000";
        assert_eq!(judged(&[failed], &trusted), Authentication::Fail);
    }

    #[test]
    fn a_forged_line_below_the_servers_own_does_not_count() {
        let (own, forged) = ("mx.desk.example; dmarc=fail", "mx.desk.example; dmarc=pass");
        let trusted = [Server::Named("*.desk.example".to_owned())];
        assert_eq!(judged(&[own, forged], &trusted), Authentication::Fail);
        assert_eq!(
            judged(&["other.example; spf=none", "mx.desk.example; dmarc=pass"], &trusted),
            Authentication::Pass(Proof::Dmarc)
        );
        assert_eq!(judged(&[forged], &[]), Authentication::None);
    }

    #[test]
    fn a_mail_of_several_senders_is_nobodys() {
        let line = "Authentication-Results: mx.google.com; dmarc=pass header.from=customer.example\r\n";
        for from in [
            "From: a@customer.example, eve@x.example\r\n",
            "From: a@customer.example\r\nFrom: eve@x.example\r\n",
        ] {
            let mail = read(format!("{line}{from}\r\nx\r\n").as_bytes()).expect("a mail");
            assert_eq!(judge(&mail, &Server::google()), Authentication::None, "{from}");
        }
    }

    #[test]
    fn mail_within_the_organisation_is_known_by_exchanges_own_line() {
        let table = [
            ("X-MS-Exchange-Organization-AuthAs: Internal\r\n", Server::microsoft(), true),
            ("X-MS-Exchange-Organization-AuthAs: Anonymous\r\n", Server::microsoft(), false),
            ("X-MS-Exchange-Organization-AuthAs: Internal\r\n", Server::google(), false),
            (
                "X-MS-Exchange-Organization-AuthAs: Internal\r\nX-MS-Exchange-Organization-AuthAs: Anonymous\r\n",
                Server::microsoft(),
                false,
            ),
            (
                "X-MS-Exchange-Organization-AuthAs: Internal\r\nFrom: eve@x.example\r\n",
                Server::microsoft(),
                false,
            ),
        ];
        for (lines, trusted, wanted) in table {
            let raw = format!("{lines}From: Ada <ada@customer.example>\r\n\r\nHello\r\n");
            let found = judge(&read(raw.as_bytes()).expect("a mail"), &trusted);
            assert_eq!(found.passed(), wanted, "{lines}");
        }
    }
}
