//! What an administrator chose for one mailbox, as it lies in the store: no secrets, and nothing that the
//! program finds out by itself.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::oauth::app::Vendor;
use crate::oauth::source::Resource;

/// Seconds between two looks into a mailbox.
const CHECK_INTERVAL: std::ops::RangeInclusive<u32> = 30..=86_400;
/// Of a name, a host, a folder; far more than any server takes.
const LONGEST: usize = 255;
const LONGEST_SIGNATURE: usize = 10_000;

/// Why settings are refused. The text is for people and names the key as the JSON does.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("the mailbox's settings are not the JSON they should be")]
    Json(#[from] serde_json::Error),
    #[error("`{key}`: {wanted}")]
    Value { key: &'static str, wanted: &'static str },
}

/// Everything that may differ from mailbox to mailbox. A key that is absent has its default; one that is
/// unknown is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct MailboxSettings {
    pub provider: Provider,
    /// Where mail is read; the inbox where it is `None`.
    pub folder: Option<String>,
    pub after_processing: AfterProcessing,
    /// The row's address is a shared mailbox; the sign-in is the one of a member.
    pub shared: bool,
    pub sign_in: SignIn,
    pub protocol: Protocol,
    /// Where mail is read by IMAP.
    pub incoming: Option<Server>,
    /// Where mail leaves by SMTP.
    pub outgoing: Option<Server>,
    pub from_name: Option<String>,
    pub reply_to: Option<String>,
    /// Seconds, 30 to 86,400; the installation's interval where it is `None`.
    pub check_interval: Option<u32>,
    /// Tell the sender of a new ticket that it arrived.
    pub acknowledge: bool,
    /// Tell the requester that the ticket was closed.
    pub closing_notice: bool,
    /// Quote what was written before below an answer.
    pub quote_history: bool,
    pub signature: Option<String>,
    /// Let the provider ring when mail comes (Graph change notifications).
    pub wake: bool,
    /// Neither read nor send for now; what was read already goes on.
    pub paused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Provider {
    #[default]
    Microsoft,
    Google,
    Other,
}

impl Provider {
    /// The one whose sign-in opens mailboxes; `None` where only a password does.
    pub fn vendor(self) -> Option<Vendor> {
        match self {
            Self::Microsoft => Some(Vendor::Microsoft),
            Self::Google => Some(Vendor::Google),
            Self::Other => None,
        }
    }

    pub fn of(vendor: Vendor) -> Self {
        match vendor {
            Vendor::Microsoft => Self::Microsoft,
            Vendor::Google => Self::Google,
        }
    }
}

/// What opens a mailbox at Microsoft; elsewhere it is IMAP and SMTP whatever this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Protocol {
    #[default]
    Graph,
    Imap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SignIn {
    #[default]
    #[serde(rename = "oauth")]
    OAuth,
    Password,
}

/// What becomes of a mail on the server once its ticket is durable.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum AfterProcessing {
    Leave,
    #[default]
    MarkRead,
    Move {
        folder: String,
    },
    Delete,
}

/// A mail server and who signs in there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Server {
    /// A name, or an address without brackets.
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// The sign-in name, often the whole address.
    pub user: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is said; never without.
    StartTls,
    /// Only to this machine.
    None,
}

impl Server {
    pub fn new(host: impl Into<String>, port: u16, security: Security, user: impl Into<String>) -> Self {
        Self { host: host.into(), port, security, user: user.into() }
    }

    /// Whether the host is this machine whatever a name service says.
    pub fn is_loopback(&self) -> bool {
        let address: Result<IpAddr, _> = self.host.parse();
        address.map_or(self.host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
    }
}

impl MailboxSettings {
    /// These, opened as `other` is: its provider, sign-in and servers. Folders of one kind of mailbox, or of one
    /// server, mean nothing at another.
    pub fn opened_like(&self, other: &Self) -> Self {
        let Self { provider, sign_in, protocol, shared, incoming, outgoing, .. } = other.clone();
        let host = |settings: &Self| settings.incoming.as_ref().map(|server| server.host.clone());
        let is_there = (self.provider, self.protocol, host(self)) == (provider, protocol, host(other));
        let kept = if is_there { self.clone() } else { self.without_folders() };
        Self { provider, sign_in, protocol, shared, incoming, outgoing, ..kept }
    }

    fn without_folders(&self) -> Self {
        let after_processing = match &self.after_processing {
            AfterProcessing::Move { .. } => AfterProcessing::default(),
            other => other.clone(),
        };
        Self { folder: None, after_processing, ..self.clone() }
    }

    /// Reads what [`MailboxSettings::to_json`] wrote; empty text is the defaults.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let settings: Self = serde_json::from_str(text)?;
        settings.check()?;
        Ok(settings)
    }

    /// What a sign-in's tokens are for.
    pub fn resource(&self) -> Resource {
        match (self.provider, self.protocol) {
            (Provider::Microsoft, Protocol::Graph) => Resource::Graph,
            _ => Resource::Mail,
        }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("settings are plain JSON")
    }

    /// What the types alone do not hold.
    pub fn check(&self) -> Result<(), SettingsError> {
        demand(
            self.check_interval.is_none_or(|seconds| CHECK_INTERVAL.contains(&seconds)),
            "checkInterval",
            "a number of seconds from 30 to 86400 is expected",
        )?;
        for (key, text) in
            [("folder", &self.folder), ("fromName", &self.from_name), ("replyTo", &self.reply_to)]
        {
            demand(text.as_deref().is_none_or(is_line), key, "one line of 1 to 255 bytes is expected")?;
        }
        if let AfterProcessing::Move { folder } = &self.after_processing {
            demand(is_line(folder), "afterProcessing", "the folder to move to is expected")?;
            // Moved there, a mail would be new again, and be moved again.
            let read = self.folder.as_deref().unwrap_or("INBOX");
            let elsewhere = !folder.eq_ignore_ascii_case(read);
            demand(elsewhere, "afterProcessing", "another folder than the one that is read is expected")?;
        }
        let short = self.signature.as_ref().is_none_or(|text| text.len() <= LONGEST_SIGNATURE);
        demand(short, "signature", "at most 10000 bytes are expected")?;
        check_server("incoming", self.incoming.as_ref())?;
        check_server("outgoing", self.outgoing.as_ref())
    }
}

fn check_server(key: &'static str, server: Option<&Server>) -> Result<(), SettingsError> {
    let Some(server) = server else { return Ok(()) };
    let is_host = is_line(&server.host) && !server.host.contains([' ', '/', '@', '[', ']']);
    demand(is_host, key, "the name or address of a mail server is expected as `host`")?;
    demand(server.port != 0, key, "a port from 1 to 65535 is expected")?;
    demand(is_line(&server.user), key, "the name to sign in with is expected as `user`")?;
    let encrypted = server.security != Security::None || server.is_loopback();
    demand(encrypted, key, "`security: none` is only possible to a server on this machine")
}

fn is_line(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && !text.trim().is_empty() && !text.contains(char::is_control)
}

fn demand(holds: bool, key: &'static str, wanted: &'static str) -> Result<(), SettingsError> {
    if holds { Ok(()) } else { Err(SettingsError::Value { key, wanted }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> String {
        MailboxSettings::parse(json).expect_err(json).to_string()
    }

    #[test]
    fn a_mailbox_that_is_opened_otherwise_keeps_what_it_does() {
        let own = MailboxSettings {
            from_name: Some("Help".into()),
            folder: Some("Support".into()),
            after_processing: AfterProcessing::Move { folder: "Done".into() },
            ..MailboxSettings::default()
        };
        let again = MailboxSettings { shared: true, ..MailboxSettings::default() };
        assert_eq!(own.opened_like(&again), MailboxSettings { shared: true, ..own.clone() });
        let elsewhere = MailboxSettings {
            provider: Provider::Other,
            sign_in: SignIn::Password,
            incoming: Some(Server::new("imap.example.com", 993, Security::Tls, "help")),
            ..MailboxSettings::default()
        };
        let expected = MailboxSettings { from_name: Some("Help".into()), ..elsewhere.clone() };
        assert_eq!(own.opened_like(&elsewhere), expected, "folders there are others");
    }

    #[test]
    fn nothing_chosen_is_the_defaults() {
        for text in ["", "  ", "{}"] {
            assert_eq!(MailboxSettings::parse(text).expect("settings"), MailboxSettings::default());
        }
        assert_eq!(MailboxSettings::default().after_processing, AfterProcessing::MarkRead);
    }

    #[test]
    fn settings_survive_their_json() {
        let settings = MailboxSettings {
            provider: Provider::Other,
            sign_in: SignIn::Password,
            after_processing: AfterProcessing::Move { folder: "Done".into() },
            incoming: Some(Server::new("imap.example.com", 993, Security::Tls, "help@example.com")),
            outgoing: Some(Server::new("127.0.0.1", 587, Security::None, "help")),
            check_interval: Some(60),
            ..MailboxSettings::default()
        };
        assert_eq!(MailboxSettings::parse(&settings.to_json()).expect("settings"), settings);
    }

    #[test]
    fn graph_opens_mailboxes_at_microsoft_only_and_there_unless_imap_is_chosen() {
        for (json, resource) in [
            ("{}", Resource::Graph),
            (r#"{"protocol":"imap"}"#, Resource::Mail),
            (r#"{"provider":"google"}"#, Resource::Mail),
            (r#"{"provider":"google","protocol":"graph"}"#, Resource::Mail),
        ] {
            assert_eq!(MailboxSettings::parse(json).expect("settings").resource(), resource, "{json}");
        }
    }

    #[test]
    fn the_json_has_the_names_that_are_documented() {
        let text = r#"{"provider":"google","afterProcessing":"delete","signIn":"oauth","closingNotice":true,
            "incoming":{"host":"h.example","port":143,"security":"startTls","user":"u"}}"#;
        let settings = MailboxSettings::parse(text).expect("settings");
        assert_eq!((settings.provider, settings.closing_notice), (Provider::Google, true));
        assert_eq!(settings.incoming.expect("a server").security, Security::StartTls);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_its_key() {
        let server = |host: &str, port: u16, security: &str| {
            format!(r#"{{"incoming":{{"host":"{host}","port":{port},"security":"{security}","user":"u"}}}}"#)
        };
        for (json, key) in [
            (r#"{"checkInterval":29}"#.to_owned(), "checkInterval"),
            (r#"{"checkInterval":86401}"#.to_owned(), "checkInterval"),
            (r#"{"folder":""}"#.to_owned(), "folder"),
            (r#"{"fromName":"a\r\nBcc: b"}"#.to_owned(), "fromName"),
            (r#"{"afterProcessing":{"move":{"folder":" "}}}"#.to_owned(), "afterProcessing"),
            (r#"{"afterProcessing":{"move":{"folder":"inbox"}}}"#.to_owned(), "afterProcessing"),
            (r#"{"folder":"A","afterProcessing":{"move":{"folder":"A"}}}"#.to_owned(), "afterProcessing"),
            (server("mail.example.com", 143, "none"), "incoming"),
            (server("localhost.example.com", 143, "none"), "incoming"),
            (server("", 993, "tls"), "incoming"),
            (server("a b", 993, "tls"), "incoming"),
            (server("h", 0, "tls"), "incoming"),
        ] {
            assert!(refused(&json).starts_with(&format!("`{key}`")), "{json}");
        }
        assert!(MailboxSettings::parse(&server("::1", 143, "none")).is_ok());
        assert!(refused(r#"{"afterProcesing":"leave"}"#).contains("JSON"));
    }
}
