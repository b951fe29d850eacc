//! Handing a mail over by submission (RFC 6409). What matters is when it failed: before the mail's last
//! dot nothing was sent, after it nobody knows.

mod connect;
mod envelope;

use std::sync::Arc;
use std::time::Duration;

use mail_send::{Error as SmtpError, SmtpClient};
use tokio::net::TcpStream;

use self::connect::SmtpDoor;
use self::envelope::Envelope;
use super::settings::Server;
use super::wire::access::Access;
use super::wire::{Link, Opened, broken, timed};
use super::{Handover, MailboxError};
use crate::base::clock::{Clock, Timestamp};
use crate::net::dial::Dialer;

/// RFC 5321, section 4.5.3.2.6, allows ten minutes after the last dot; five are enough for a submission
/// server, and within the lease of a mailbox that is renewed meanwhile.
const AFTER_THE_DOT: Duration = Duration::from_secs(300);
/// Of replies, per command.
const REPLIES: u64 = 64 * 1024;
/// A server that asks to come back later is left alone that long.
const LATER: Duration = Duration::from_secs(60);

/// Why a mail was not handed over, as far as one can tell.
pub(super) enum Unsent {
    Certainly(MailboxError),
    /// The connection ended after the last dot and before the answer.
    Perhaps(MailboxError),
}

/// The connection over which a mail was accepted.
pub(super) struct Handed(SmtpClient<Link>);

impl Handed {
    pub(super) async fn say_goodbye(self, host: &str) {
        // The mail was accepted; the server's farewell changes nothing.
        drop(timed(host, self.0.quit()).await);
    }
}

pub(super) struct Submission {
    pub(super) dialer: Arc<Dialer>,
    pub(super) server: Server,
    pub(super) access: Access,
    /// The envelope's sender, and the domain that is said at hello.
    pub(super) address: String,
    pub(super) clock: Arc<dyn Clock>,
}

impl Submission {
    /// Signs in and leaves.
    pub(super) async fn sign_in(&self) -> Result<(), MailboxError> {
        let (client, _) = self.open().await?;
        Handed(client).say_goodbye(&self.server.host).await;
        Ok(())
    }

    /// Encrypts a connection to the server that has just been made.
    pub(super) async fn encrypt(&self, tcp: TcpStream) -> Result<Opened, MailboxError> {
        connect::encrypt(&self.dialer, &self.server, self.hello(), tcp).await
    }

    /// Hands `mime` over to everybody it is addressed to, as far as the server takes those who get a copy.
    pub(super) async fn submit(&self, mime: &[u8]) -> Result<(Handed, Handover), Unsent> {
        let (mut client, handover) = self.announce(mime).await.map_err(Unsent::Certainly)?;
        let host = &self.server.host;
        client.stream.allow(REPLIES);
        let said = tokio::time::timeout(AFTER_THE_DOT, async {
            client.write_message(mime).await?;
            client.read().await
        });
        let reply = match said.await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => return Err(Unsent::Perhaps(self.meaning(error))),
            Err(elapsed) => return Err(Unsent::Perhaps(broken(host, elapsed))),
        };
        if !reply.is_positive_completion() {
            return Err(Unsent::Certainly(self.meaning(SmtpError::UnexpectedReply(reply))));
        }
        Ok((Handed(client), handover))
    }

    /// Everything up to the mail itself.
    async fn announce(&self, mime: &[u8]) -> Result<(SmtpClient<Link>, Handover), MailboxError> {
        let envelope = Envelope::of(mime, &self.address)?;
        let (mut client, offers) = self.open().await?;
        let commands = envelope.commands(&offers, mime.len())?;
        self.expect(&mut client, &commands.sender, 2).await.map_err(about_sender)?;
        for line in &commands.recipients {
            self.expect(&mut client, line, 2).await?;
        }
        let mut handover = Handover { refused: commands.refused, missed: Vec::new() };
        for (address, line) in commands.copies {
            match self.expect(&mut client, &line, 2).await {
                Ok(()) => {}
                Err(MailboxError::Refused { .. }) => handover.refused.push(address.to_owned()),
                Err(MailboxError::Server { .. }) => handover.missed.push(address.to_owned()),
                Err(error) => return Err(error),
            }
        }
        self.expect(&mut client, "DATA", 3).await.map_err(closed)?;
        Ok((client, handover))
    }

    async fn open(&self) -> Result<(SmtpClient<Link>, Vec<String>), MailboxError> {
        let door = SmtpDoor { dialer: &self.dialer, server: &self.server, hello: self.hello() };
        self.access.sign_in(&door).await
    }

    fn hello(&self) -> &str {
        self.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain)
    }

    async fn expect(
        &self,
        client: &mut SmtpClient<Link>,
        line: &str,
        class: u16,
    ) -> Result<(), MailboxError> {
        client.stream.allow(REPLIES);
        let reply = timed(&self.server.host, client.cmd(format!("{line}\r\n"))).await?;
        let reply = reply.map_err(|error| self.meaning(error))?;
        if reply.code() / 100 == class {
            return Ok(());
        }
        Err(self.meaning(SmtpError::UnexpectedReply(reply)))
    }

    fn meaning(&self, error: SmtpError) -> MailboxError {
        match error {
            SmtpError::UnexpectedReply(reply) => of_reply(reply.code(), reply.esc, self.clock.now()),
            error => broken(&self.server.host, error),
        }
    }
}

/// What a refused sender means: his mailbox is over its quota, or the right to send is gone; the next mail meets
/// the same. Only a mail that is too large is refused for itself (RFC 1870, section 6.1).
fn about_sender(error: MailboxError) -> MailboxError {
    let too_large =
        matches!(&error, MailboxError::Refused { status: 552, code } if code.is_empty() || code == "5.3.4");
    if too_large { error } else { closed(error) }
}

fn closed(error: MailboxError) -> MailboxError {
    match error {
        MailboxError::Refused { status, code } | MailboxError::Server { status, code } => {
            MailboxError::Closed { status, code }
        }
        error => error,
    }
}

/// RFC 5321, section 4.2.1, and RFC 3463: 4yz is for now, 5yz for good. The text is left out: it may hold
/// addresses.
fn of_reply(status: u16, enhanced: [u8; 3], now: Timestamp) -> MailboxError {
    let [class, subject, detail] = enhanced;
    let code = match class {
        0 => String::new(),
        _ => format!("{class}.{subject}.{detail}"),
    };
    match (status, code.as_str()) {
        // Exchange Online, "sending limits"; Google, "4.7.28" and its neighbours.
        (421, _) | (_, "4.7.28" | "4.7.0" | "4.2.1") => MailboxError::Throttled { retry_at: now + LATER },
        (500..600, _) => MailboxError::Refused { status, code },
        _ => MailboxError::Server { status, code },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_says_whether_to_try_again() {
        let meant = |status, enhanced| of_reply(status, enhanced, Timestamp(0));
        for (status, enhanced) in [(550, [5, 1, 1]), (554, [0, 0, 0]), (501, [5, 1, 3])] {
            assert!(matches!(meant(status, enhanced), MailboxError::Refused { .. }), "{status}");
        }
        for (status, enhanced) in [(451, [4, 7, 1]), (452, [0, 0, 0]), (250, [0, 0, 0])] {
            assert!(matches!(meant(status, enhanced), MailboxError::Server { .. }), "{status}");
        }
        assert!(matches!(meant(421, [0, 0, 0]), MailboxError::Throttled { .. }));
        assert_eq!(meant(550, [5, 1, 1]).to_string(), "the mail server refused: 550 5.1.1");
    }
}
