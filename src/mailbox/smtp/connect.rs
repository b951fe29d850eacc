//! From a server's address to a submission session that is signed in: greeting, TLS, sign-in. What came
//! before TLS is not believed after it (RFC 3207, section 4.2).

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_send::SmtpClient;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::base::secret::ExposeSecret;
use crate::mailbox::MailboxError;
use crate::mailbox::refusal::SignInRefusal;
use crate::mailbox::settings::{Security, Server};
use crate::mailbox::wire::access::{Door, NotSignedIn, Proof, oauth_bearer, xoauth2};
use crate::mailbox::wire::lines::Lines;
use crate::mailbox::wire::{COMMAND, Link, Opened};
use crate::net::dial::Dialer;

const BEFORE_MAIL: u64 = 256 * 1024;

/// A server that mail is handed to.
pub(super) struct SmtpDoor<'d> {
    pub(super) dialer: &'d Dialer,
    pub(super) server: &'d Server,
    /// The name that this machine gives itself.
    pub(super) hello: &'d str,
}

#[async_trait]
impl Door for SmtpDoor<'_> {
    type Session = (SmtpClient<Link>, Vec<String>);

    async fn enter(&self, proof: &Proof) -> Result<Self::Session, NotSignedIn> {
        open(self.dialer, self.server, self.hello, proof).await
    }
}

/// Connects, says `hello`, signs in; also what the server offers.
async fn open(
    dialer: &Dialer,
    server: &Server,
    hello: &str,
    proof: &Proof,
) -> Result<(SmtpClient<Link>, Vec<String>), NotSignedIn> {
    let host = &server.host;
    let tcp = dialer.connect(host, server.port).await.map_err(MailboxError::Call)?;
    let stream = encrypt(dialer, server, hello, tcp).await?.stream();
    let mut link = Link::new(stream, BEFORE_MAIL);
    let mut lines = Lines { host, stream: &mut link };
    if server.security != Security::StartTls {
        expect(&mut lines, None, 220).await?;
    }
    let offers = expect(&mut lines, Some(&format!("EHLO {hello}")), 250).await?;
    sign_in(&mut lines, &server.user, proof, &offers).await?;
    let client = SmtpClient { stream: link, timeout: COMMAND.max(Duration::from_secs(1)) };
    Ok((client, offers))
}

/// Encrypts a connection that has just been made, as the server's settings say.
pub(super) async fn encrypt(
    dialer: &Dialer,
    server: &Server,
    hello: &str,
    tcp: TcpStream,
) -> Result<Opened, MailboxError> {
    let stream = match server.security {
        Security::Tls => dialer.secure(&server.host, tcp).await.map_err(MailboxError::Call)?,
        Security::StartTls => start_tls(dialer, &server.host, hello, tcp).await?,
        Security::None if server.is_loopback() => return Ok(Opened::Plain(tcp)),
        Security::None => return Err(refused("the connection would not be encrypted")),
    };
    Ok(Opened::Encrypted(Box::new(stream)))
}

async fn start_tls(
    dialer: &Dialer,
    host: &str,
    hello: &str,
    mut tcp: TcpStream,
) -> Result<TlsStream<TcpStream>, MailboxError> {
    let mut lines = Lines { host, stream: &mut tcp };
    expect(&mut lines, None, 220).await?;
    expect(&mut lines, Some(&format!("EHLO {hello}")), 250).await?;
    let (code, _) = ask(&mut lines, Some("STARTTLS")).await?;
    if code != 220 {
        return Err(refused("the server offers no TLS"));
    }
    dialer.secure(host, tcp).await.map_err(MailboxError::Call)
}

/// A reply's code and its lines without it.
async fn ask<S: AsyncRead + AsyncWrite + Unpin + Send>(
    lines: &mut Lines<'_, S>,
    command: Option<&str>,
) -> Result<(u16, Vec<String>), MailboxError> {
    if let Some(command) = command {
        lines.say(command).await?;
    }
    let answer = lines.until(|line| line.as_bytes().get(3) != Some(&b'-')).await?;
    let code = answer.last().and_then(|line| line.get(..3)?.parse().ok());
    let code = code.ok_or_else(|| refused("the server does not answer as SMTP servers do"))?;
    let text = |line: &String| line.get(4..).unwrap_or_default().to_ascii_uppercase();
    Ok((code, answer.iter().map(text).collect()))
}

async fn expect<S: AsyncRead + AsyncWrite + Unpin + Send>(
    lines: &mut Lines<'_, S>,
    command: Option<&str>,
    wanted: u16,
) -> Result<Vec<String>, MailboxError> {
    match ask(lines, command).await? {
        (code, answer) if code == wanted => Ok(answer),
        // RFC 5321, section 3.1: 554 in place of a greeting is about the session, not about a mail.
        (code, _) => Err(MailboxError::Closed { status: code, code: String::new() }),
    }
}

async fn sign_in(
    lines: &mut Lines<'_, Link>,
    user: &str,
    proof: &Proof,
    offers: &[String],
) -> Result<(), NotSignedIn> {
    // What a refusal's details wait for: an empty answer, by RFC 7628 a lone 0x01.
    let mut last_word = "";
    let (code, told) = match proof {
        Proof::Token(token) if offered(offers, "OAUTHBEARER") && !offered(offers, "XOAUTH2") => {
            last_word = "AQ==";
            let answer = STANDARD.encode(oauth_bearer(user, token.secret.expose_secret()));
            ask(lines, Some(&format!("AUTH OAUTHBEARER {answer}"))).await?
        }
        Proof::Token(token) => {
            let answer = STANDARD.encode(xoauth2(user, token.secret.expose_secret()));
            ask(lines, Some(&format!("AUTH XOAUTH2 {answer}"))).await?
        }
        Proof::Password(password) => by_password(lines, user, password.expose_secret(), offers).await?,
    };
    match code {
        235 => Ok(()),
        334 => {
            let (_, told) = ask(lines, Some(last_word)).await?;
            Err(NotSignedIn::Refused(SignInRefusal::of_reply(&told.join(" "))))
        }
        535 | 534 | 538 | 530 => Err(NotSignedIn::Refused(SignInRefusal::of_reply(&told.join(" ")))),
        code => {
            let told = "at sign-in".to_owned();
            Err(NotSignedIn::Unclear(MailboxError::Closed { status: code, code: told }))
        }
    }
}

/// PLAIN says all in one go; LOGIN (draft-murchison-sasl-login) is what is left at some servers. A server may
/// refuse after the name already.
async fn by_password(
    lines: &mut Lines<'_, Link>,
    user: &str,
    password: &str,
    offers: &[String],
) -> Result<(u16, Vec<String>), MailboxError> {
    if offered(offers, "PLAIN") || !offered(offers, "LOGIN") {
        let answer = STANDARD.encode(format!("\0{user}\0{password}"));
        return ask(lines, Some(&format!("AUTH PLAIN {answer}"))).await;
    }
    let mut answer = ask(lines, Some("AUTH LOGIN")).await?;
    for said in [user, password] {
        if answer.0 != 334 {
            break;
        }
        answer = ask(lines, Some(&STANDARD.encode(said))).await?;
    }
    Ok(answer)
}

/// Whether a way to sign in is offered (RFC 4954, section 3), or by the older `AUTH=`.
fn offered(offers: &[String], way: &str) -> bool {
    let ways = offers.iter().filter_map(|offer| offer.strip_prefix("AUTH"));
    ways.filter(|ways| ways.starts_with([' ', '='])).any(|ways| ways.split([' ', '=']).any(|one| one == way))
}

fn refused(what: &str) -> MailboxError {
    MailboxError::Garbled { what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_sign_in_are_read_in_both_spellings() {
        for (offer, way, there) in [
            ("AUTH PLAIN LOGIN", "LOGIN", true),
            ("AUTH=LOGIN", "LOGIN", true),
            ("AUTH=LOGIN PLAIN", "PLAIN", true),
            ("AUTH LOGIN", "PLAIN", false),
            ("AUTHX LOGIN", "LOGIN", false),
            ("AUTH XOAUTH2", "OAUTH2", false),
        ] {
            assert_eq!(offered(&["SIZE 100".to_owned(), offer.to_owned()], way), there, "{offer} {way}");
        }
    }
}
