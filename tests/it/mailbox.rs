//! Mailboxes at mail servers: a real Dovecot where it is installed, and servers that mean harm.

mod hostile;
mod idle;
mod imap;
mod sign_in;
mod smtp;

use std::sync::Arc;

use mintgate::base::clock::{ManualClock, Timestamp};
use mintgate::mailbox::registry::{self, Parts};
use mintgate::mailbox::settings::{MailboxSettings, Provider, Security, Server, SignIn};
use mintgate::mailbox::{Fetched, Mailbox, Outgoing};
use mintgate::net::dial::Dialer;
use mintgate::oauth::source::TokenSource;

use crate::desk_user::http_to;
use crate::support::mail_server::{NoTokens, Password, row};

const NOW: Timestamp = Timestamp(1_795_219_323_000);
const MAIL: &[u8] = b"From: help@desk.example\r\nTo: ada@example.org\r\nSubject: Re: smoke\r\n\
    Message-ID: <t.1.2.3@desk.example>\r\n\r\nIt is fixed.\r\n.\r\nYours\r\n";

fn outgoing() -> Outgoing<'static> {
    Outgoing { message_id: "<t.1.2.3@desk.example>", mime: MAIL, dispatched_at: NOW }
}

/// A mailbox with a password.
fn with_password(settings: MailboxSettings, dialer: Arc<Dialer>, password: &'static str) -> Arc<dyn Mailbox> {
    make(MailboxSettings { sign_in: SignIn::Password, ..settings }, dialer, Arc::new(NoTokens), password)
}

fn make(
    settings: MailboxSettings,
    dialer: Arc<Dialer>,
    tokens: Arc<dyn TokenSource>,
    password: &'static str,
) -> Arc<dyn Mailbox> {
    made_of(settings, &parts(dialer, tokens, password))
}

fn made_of(settings: MailboxSettings, parts: &Parts) -> Arc<dyn Mailbox> {
    let settings = MailboxSettings { provider: Provider::Other, ..settings };
    registry::make(&row(&settings), parts).expect("a mailbox")
}

fn parts(dialer: Arc<Dialer>, tokens: Arc<dyn TokenSource>, password: &'static str) -> Parts {
    Parts {
        tokens,
        passwords: Arc::new(Password(Some(password))),
        http: http_to("http://127.0.0.1:9"),
        dialer,
        clock: Arc::new(ManualClock::at(NOW)),
        graph: "http://127.0.0.1:9".parse().expect("a URL"),
        requests_per_minute: 1_000,
        idle_renewal: registry::IDLE_RENEWAL,
    }
}

fn plain(port: u16) -> Server {
    Server::new("127.0.0.1", port, Security::None, "help@desk.example")
}

fn bytes(fetched: Fetched) -> Vec<u8> {
    match fetched {
        Fetched::Raw { bytes, .. } => bytes,
        other => panic!("a whole mail, not {other:?}"),
    }
}
