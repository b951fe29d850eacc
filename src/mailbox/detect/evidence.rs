//! What was found out about a domain, before anything is concluded from it.

use crate::mailbox::detect::autoconfig::Autoconfig;
use crate::mailbox::detect::greeting::{Greeting, Protocol};
use crate::mailbox::detect::step::Step;
use crate::mailbox::settings::Security;
use crate::net::names::{MailExchanger, Service};

/// What is known of the domain's mail exchangers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Exchangers {
    #[default]
    NotAsked,
    Unanswered,
    NoSuchDomain,
    /// By priority; empty where the domain names none.
    Known(Vec<MailExchanger>),
}

/// RFC 6186 and RFC 8314: the services a domain may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceKind {
    Imaps,
    Imap,
    Submissions,
    Submission,
}

impl ServiceKind {
    /// The encrypted ones first (RFC 8314, section 5.1).
    pub const ALL: [Self; 4] = [Self::Imaps, Self::Imap, Self::Submissions, Self::Submission];

    pub fn label(self) -> &'static str {
        match self {
            Self::Imaps => "_imaps._tcp",
            Self::Imap => "_imap._tcp",
            Self::Submissions => "_submissions._tcp",
            Self::Submission => "_submission._tcp",
        }
    }

    pub fn security(self) -> Security {
        match self {
            Self::Imaps | Self::Submissions => Security::Tls,
            Self::Imap | Self::Submission => Security::StartTls,
        }
    }

    pub fn protocol(self) -> Protocol {
        match self {
            Self::Imaps | Self::Imap => Protocol::Imap,
            Self::Submissions | Self::Submission => Protocol::Smtp,
        }
    }
}

/// How a file came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carriage {
    Https,
    /// Anybody on the way may have changed it.
    Http,
}

/// A place where a mail server may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub host: String,
    pub port: u16,
    pub protocol: Protocol,
    pub security: Security,
}

/// What a place had to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Greeting(Greeting),
    /// A server is there, but its certificate is not for this name.
    BadCertificate,
    Nothing,
}

/// Everything that was found out; lists in the order of preference.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub exchangers: Exchangers,
    pub services: Vec<(ServiceKind, Service)>,
    /// TXT records of the domain.
    pub texts: Vec<String>,
    /// What `autodiscover.<domain>` is another name for.
    pub autodiscover: Vec<String>,
    pub files: Vec<(Carriage, Autoconfig)>,
    pub greetings: Vec<(Place, Heard)>,
    pub steps: Vec<Step>,
}
