//! "Test the connection" by IMAP and SMTP, a step at a time for each of the two servers: its name, the connection,
//! the encryption, then the sign-in and what it opens.

use super::{ImapMailbox, connect};
use crate::base::clock::{Clock, Timestamp};
use crate::mailbox::settings::Server;
use crate::mailbox::wire::Opened;
use crate::mailbox::{Check, MailboxError, Told};
use crate::net::dial::{Dialer, Located};
use crate::net::shown::Shown;
use crate::oauth::source::Purpose;

/// More addresses of a server are of no use to a reader.
const SHOWN: usize = 4;

pub(super) async fn probe(mailbox: &ImapMailbox, halves: &[Purpose]) -> Vec<Check> {
    let mut steps = Steps { clock: &*mailbox.clock, checks: Vec::new() };
    for half in halves {
        if walk(mailbox, *half, &mut steps).await.is_none() {
            break;
        }
    }
    steps.checks
}

/// The steps that were taken.
struct Steps<'c> {
    clock: &'c dyn Clock,
    checks: Vec<Check>,
}

impl Steps<'_> {
    /// Notes a step that began at `began`; what it brought, unless it failed.
    fn note<T>(
        &mut self,
        step: &'static str,
        began: Timestamp,
        outcome: Result<(T, Told), MailboxError>,
    ) -> Option<T> {
        let took = self.clock.now().since(began).as_millis();
        let took_ms = u64::try_from(took).unwrap_or(u64::MAX);
        let (brought, outcome) = match outcome {
            Ok((brought, told)) => (Some(brought), Ok(told)),
            Err(error) => (None, Err(Told::from(&error))),
        };
        self.checks.push(Check { step, took_ms, outcome });
        brought
    }
}

/// One server's steps up to the first that fails. The sign-in makes a connection of its own, as every sign-in does.
async fn walk(mailbox: &ImapMailbox, half: Purpose, steps: &mut Steps<'_>) -> Option<()> {
    let submission = &mailbox.submission;
    let (dialer, server, [name, connection, encryption, sign_in]) = match half {
        Purpose::Incoming => (
            &mailbox.dialer,
            &mailbox.server,
            ["incoming-name", "incoming-connection", "incoming-encryption", "incoming"],
        ),
        Purpose::Outgoing => (
            &submission.dialer,
            &submission.server,
            ["outgoing-name", "outgoing-connection", "outgoing-encryption", "outgoing"],
        ),
    };
    let began = steps.clock.now();
    let located = steps.note(name, began, locate(dialer, server).await)?;
    let began = steps.clock.now();
    let reached = dialer.reach(&located).await.map_err(MailboxError::Call);
    let told = Told::new("seen-connection").with("host", &server.host).with("port", server.port);
    let tcp = steps.note(connection, began, reached.map(|tcp| (tcp, told)))?;
    let began = steps.clock.now();
    let opened = match half {
        Purpose::Incoming => connect::encrypt(dialer, server, tcp).await,
        Purpose::Outgoing => submission.encrypt(tcp).await,
    };
    steps.note(encryption, began, opened.map(|opened| ((), encrypted(&opened))))?;
    let began = steps.clock.now();
    let signed_in = match half {
        Purpose::Incoming => incoming(mailbox).await,
        Purpose::Outgoing => submission.sign_in().await.map(|()| Told::new("seen-outgoing")),
    };
    steps.note(sign_in, began, signed_in.map(|told| ((), told)))
}

async fn locate(dialer: &Dialer, server: &Server) -> Result<(Located, Told), MailboxError> {
    let located = dialer.locate(&server.host, server.port).await.map_err(MailboxError::Call)?;
    let addresses: Vec<String> = located.addresses().take(SHOWN).map(|one| one.to_string()).collect();
    let told = Told::new("seen-name").with("host", &server.host).with("addresses", addresses.join(", "));
    Ok((located, told))
}

fn encrypted(opened: &Opened) -> Told {
    let Opened::Encrypted(stream) = opened else { return Told::new("seen-plain") };
    match Shown::of(stream) {
        Some(shown) => Told::new("seen-certificate")
            .with("protocol", shown.protocol)
            .with("issuer", shown.issuer)
            .at("until", shown.valid_until),
        None => Told::new("seen-encrypted"),
    }
}

/// In a session of its own: a test must not meet what another call is doing.
async fn incoming(mailbox: &ImapMailbox) -> Result<Told, MailboxError> {
    let mut session = mailbox.open().await?;
    let folder = session.select(&mailbox.folder).await?;
    let key = if session.can.idle { "seen-folder-idle" } else { "seen-folder" };
    session.log_out().await;
    Ok(Told::new(key).with("mails", folder.exists).with("folder", folder.name))
}
