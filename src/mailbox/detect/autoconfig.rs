//! Thunderbird's configuration file, format 1.1 ("Thunderbird:Autoconfiguration:ConfigFileFormat"), read with
//! suspicion: whoever owns a domain writes it. Fetches nothing.

use roxmltree::{Document, Node, ParsingOptions};

use crate::mailbox::detect::address::{MailAddress, is_domain};
use crate::mailbox::detect::table::UserForm;
use crate::mailbox::settings::{Security, Server};

/// The largest file of ISPDB has some 400.
const MOST_NODES: u32 = 4_000;
/// The parser goes down one call for each; honest files have six.
const DEEPEST: usize = 32;
const LONGEST_USER: usize = 255;

/// Why a file says nothing.
#[derive(Debug, thiserror::Error)]
pub enum AutoconfigError {
    #[error("the file is not UTF-8 text")]
    Text(#[from] std::str::Utf8Error),
    #[error("the file is no XML that is read here (no DTD, few elements)")]
    Xml(#[from] roxmltree::Error),
    #[error("the file nests its elements too deep")]
    Deep,
    #[error("the file names no mail provider")]
    NoProvider,
}

/// A server and what it takes as the user's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub server: Server,
    /// `None` where the file gives a name of its own.
    pub user_form: Option<UserForm>,
    pub takes_password: bool,
}

/// What a file offers: the first server of each kind that can be used with encryption.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Autoconfig {
    pub name: Option<String>,
    pub incoming: Option<Found>,
    pub outgoing: Option<Found>,
}

/// Reads a file for `address`.
pub fn read(bytes: &[u8], address: &MailAddress) -> Result<Autoconfig, AutoconfigError> {
    let text = std::str::from_utf8(bytes)?;
    if depth(text) > DEEPEST {
        return Err(AutoconfigError::Deep);
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options)?;
    let provider = child(document.root_element(), "emailProvider").ok_or(AutoconfigError::NoProvider)?;
    let first = |element: &str, kind: &str| {
        let servers = provider.children().filter(|node| node.has_tag_name(element));
        servers
            .filter(|node| node.attribute("type") == Some(kind))
            .find_map(|node| read_server(node, address))
    };
    Ok(Autoconfig {
        name: child_text(provider, "displayName").map(|name| name.chars().take(80).collect()),
        incoming: first("incomingServer", "imap"),
        outgoing: first("outgoingServer", "smtp"),
    })
}

/// A bound on how deep elements lie: open tags not yet closed, comments and the like counted as if they were.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for tag in text.split('<').skip(1) {
        match tag.as_bytes().first() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'?' | b'!') => {}
            _ if tag.split('>').next().is_some_and(|inside| inside.ends_with('/')) => {}
            _ => depth += 1,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn child_text(node: Node<'_, '_>, name: &str) -> Option<String> {
    child(node, name)?.text().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// `None` for what cannot be used: no encryption, a strange port, a host that is none.
fn read_server(node: Node<'_, '_>, address: &MailAddress) -> Option<Found> {
    let security = match child_text(node, "socketType")?.as_str() {
        "SSL" => Security::Tls,
        "STARTTLS" => Security::StartTls,
        _ => return None,
    };
    let port: u16 = child_text(node, "port")?.parse().ok().filter(|port| *port > 0)?;
    let host = fill(&child_text(node, "hostname")?, address).to_ascii_lowercase();
    let named = child_text(node, "username").unwrap_or_else(|| "%EMAILADDRESS%".to_owned());
    let user = fill(&named, address);
    let usable = is_domain(&host) && user.len() <= LONGEST_USER && !user.chars().any(char::is_control);
    let mut ways = node.children().filter(|child| child.has_tag_name("authentication")).peekable();
    let unsaid = ways.peek().is_none();
    let takes_password =
        unsaid || ways.any(|way| way.text().is_some_and(|way| way.trim().starts_with("password")));
    let user_form = form(&named);
    usable.then(|| Found { server: Server::new(host, port, security, user), user_form, takes_password })
}

fn form(user: &str) -> Option<UserForm> {
    match user {
        "%EMAILADDRESS%" | "%EMAILADDRESS" => Some(UserForm::Address),
        "%EMAILLOCALPART%" => Some(UserForm::Local),
        "%EMAILLOCALPART%.%EMAILDOMAIN%" => Some(UserForm::LocalDotDomain),
        _ => None,
    }
}

/// Fills the placeholders in; ISPDB itself once forgot the final `%`.
fn fill(text: &str, address: &MailAddress) -> String {
    // The local part last: it may hold a percent sign itself.
    text.replace("%EMAILDOMAIN%", &address.domain)
        .replace("%EMAILADDRESS%", "%EMAILLOCALPART%@\0")
        .replace("%EMAILADDRESS", "%EMAILLOCALPART%@\0")
        .replace('\0', &address.domain)
        .replace("%EMAILLOCALPART%", &address.local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> MailAddress {
        MailAddress::parse("help@shop.example").expect("an address")
    }

    fn file(incoming: &str) -> String {
        format!(
            "<clientConfig version='1.1'><emailProvider id='shop.example'><domain>shop.example</domain>\
             <displayName>Shop</displayName>{incoming}\
             <outgoingServer type='smtp'><hostname>smtp.%EMAILDOMAIN%</hostname><port>587</port>\
             <socketType>STARTTLS</socketType><username>%EMAILLOCALPART%</username></outgoingServer>\
             </emailProvider></clientConfig>"
        )
    }

    fn imap(socket: &str, host: &str, user: &str) -> String {
        format!(
            "<incomingServer type='imap'><hostname>{host}</hostname><port>993</port>\
             <socketType>{socket}</socketType><username>{user}</username></incomingServer>"
        )
    }

    #[test]
    fn the_first_encrypted_server_is_taken() {
        let servers =
            imap("plain", "old.shop.example", "x") + &imap("SSL", "IMAP.shop.example", "%EMAILADDRESS");
        let found = read(file(&servers).as_bytes(), &address()).expect("a file");
        let incoming = found.incoming.expect("a server");
        assert_eq!(
            incoming.server,
            Server::new("imap.shop.example", 993, Security::Tls, "help@shop.example")
        );
        assert_eq!(incoming.user_form, Some(UserForm::Address));
        let outgoing = found.outgoing.expect("a server").server;
        assert_eq!(outgoing, Server::new("smtp.shop.example", 587, Security::StartTls, "help"));
    }

    #[test]
    fn a_server_that_cannot_be_one_is_left_out() {
        for servers in [
            imap("plain", "imap.shop.example", "x"),
            imap("SSL", "127.0.0.1", "x"),
            imap("SSL", "imap.shop.example/x", "x"),
            imap("SSL", "imap.shop.example", &"x".repeat(300)),
            imap("SSL", "imap.shop.example", "a\nb"),
        ] {
            let found = read(file(&servers).as_bytes(), &address()).expect("a file");
            assert_eq!(found.incoming, None, "{servers}");
        }
    }

    #[test]
    fn entities_floods_and_towers_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><clientConfig>&b;</clientConfig>";
        let entity = "<clientConfig>&b;</clientConfig>";
        let flood = format!("<clientConfig>{}</clientConfig>", "<a/>".repeat(5_000));
        let tower = format!("{}{}", "<a>".repeat(60_000), "</a>".repeat(60_000));
        for text in [bomb, entity, &flood, &tower, "", "<html></html>", "<clientConfig/>", "\u{0}"] {
            assert!(read(text.as_bytes(), &address()).is_err(), "{}", &text[..text.len().min(60)]);
        }
        assert!(read(b"\xff\xfe<", &address()).is_err());
    }

    #[test]
    fn a_placeholder_in_a_name_is_not_filled_twice() {
        let address = MailAddress::parse("%EMAILDOMAIN%@shop.example").expect("an address");
        assert_eq!(fill("%EMAILADDRESS%", &address), "%EMAILDOMAIN%@shop.example");
    }
}
