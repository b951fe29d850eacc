//! Which kind of mailbox is made how. A new kind is a file and a row here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::Duration;

use tracing::error;
use url::Url;

use super::Mailbox;
use super::graph::GraphMailbox;
use super::imap::{ImapMailbox, Made};
use super::settings::{MailboxSettings, Provider, Security, Server};
use super::smtp::Submission;
use super::wire::access::Access;
use crate::base::clock::Clock;
use crate::base::report::Report;
use crate::net::dial::Dialer;
use crate::oauth::source::{PasswordSource, Purpose, TokenSource};
use crate::store::MailboxRow;
use crate::web::call::HttpCall;

/// What mailboxes are made of; each kind takes what it needs.
#[derive(Clone)]
pub struct Parts {
    pub tokens: Arc<dyn TokenSource>,
    pub passwords: Arc<dyn PasswordSource>,
    pub http: Arc<dyn HttpCall>,
    /// For mail servers.
    pub dialer: Arc<Dialer>,
    pub clock: Arc<dyn Clock>,
    /// `https://graph.microsoft.com`, or a national cloud's.
    pub graph: Url,
    /// `EXCHANGE_RATE_LIMIT`, for each mailbox.
    pub requests_per_minute: u32,
    /// How long a mail server is asked to tell of new mail before it is asked anew; [`IDLE_RENEWAL`] but for
    /// tests.
    pub idle_renewal: Duration,
}

/// Servers end a session that is silent for half an hour, and a client is to begin anew before 29 minutes
/// (RFC 2177).
pub const IDLE_RENEWAL: Duration = Duration::from_secs(25 * 60);

/// Makes a mailbox of one kind; `None` where its settings name no server.
type Make = fn(&MailboxRow, MailboxSettings, &Parts) -> Option<Arc<dyn Mailbox>>;

const KINDS: [(&str, Make); 2] = [("microsoft-graph", graph), ("imap", imap)];

/// The mailbox of a row; `None` for a kind this build has not, and for settings that cannot be meant.
pub fn make(row: &MailboxRow, parts: &Parts) -> Option<Arc<dyn Mailbox>> {
    let (_, make) = KINDS.iter().find(|(kind, _)| *kind == row.kind)?;
    match MailboxSettings::parse(&row.settings) {
        Ok(settings) => make(row, settings, parts),
        Err(refused) => {
            error!(mailbox = %row.id, error = %Report(&refused), "a mailbox cannot be used");
            None
        }
    }
}

/// A mailbox of a row that is not stored, which signs in with `password`.
pub fn trial(
    row: &MailboxRow,
    passwords: Arc<dyn PasswordSource>,
    parts: &Parts,
) -> Option<Arc<dyn Mailbox>> {
    make(row, &Parts { passwords, ..parts.clone() })
}

fn graph(row: &MailboxRow, settings: MailboxSettings, parts: &Parts) -> Option<Arc<dyn Mailbox>> {
    let place = super::graph::Place {
        shared_address: settings.shared.then(|| row.address.clone()),
        folder: settings.folder,
        after: settings.after_processing,
    };
    let mailbox = GraphMailbox::new(
        row.id.clone(),
        parts.graph.clone(),
        parts.tokens.clone(),
        parts.http.clone(),
        parts.clock.clone(),
        parts.requests_per_minute,
    );
    Some(Arc::new(mailbox.at(place)))
}

fn imap(row: &MailboxRow, settings: MailboxSettings, parts: &Parts) -> Option<Arc<dyn Mailbox>> {
    let (incoming, outgoing) = usual_servers(settings.provider, &row.address).unzip();
    let access = |purpose| Access {
        mailbox: row.id.clone(),
        sign_in: settings.sign_in,
        purpose,
        tokens: parts.tokens.clone(),
        passwords: parts.passwords.clone(),
        refused: AtomicU32::new(0),
        cleared: AtomicBool::new(false),
    };
    let submission = Submission {
        dialer: parts.dialer.clone(),
        server: settings.outgoing.or(outgoing)?,
        access: access(Purpose::Outgoing),
        address: row.address.clone(),
        clock: parts.clock.clone(),
    };
    Some(Arc::new(ImapMailbox::new(Made {
        dialer: parts.dialer.clone(),
        server: settings.incoming.or(incoming)?,
        folder: settings.folder,
        after: settings.after_processing,
        files_sent: settings.provider != Provider::Other,
        access: access(Purpose::Incoming),
        submission,
        clock: parts.clock.clone(),
        idle_renewal: parts.idle_renewal,
    })))
}

/// Where the big providers read and send (Microsoft, "POP, IMAP, and SMTP settings"; Google, "IMAP, POP,
/// and SMTP").
fn usual_servers(provider: Provider, address: &str) -> Option<(Server, Server)> {
    let server = |host: &str, port, security| Server::new(host, port, security, address);
    match provider {
        Provider::Microsoft => Some((
            server("outlook.office365.com", 993, Security::Tls),
            server("smtp.office365.com", 587, Security::StartTls),
        )),
        Provider::Google => {
            Some((server("imap.gmail.com", 993, Security::Tls), server("smtp.gmail.com", 465, Security::Tls)))
        }
        Provider::Other => None,
    }
}
