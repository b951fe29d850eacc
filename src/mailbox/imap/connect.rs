//! From a server's address to a session that is signed in: greeting, TLS, sign-in. Nothing that came
//! before TLS is believed after it (RFC 9051, section 11.1).

use async_imap::error::Error as ImapError;
use async_imap::{Authenticator, Client};
use async_trait::async_trait;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::answer::lost;
use super::session::Session;
use crate::base::secret::ExposeSecret;
use crate::mailbox::MailboxError;
use crate::mailbox::refusal::SignInRefusal;
use crate::mailbox::settings::{Security, Server};
use crate::mailbox::wire::access::{Door, NotSignedIn, Proof, oauth_bearer, xoauth2};
use crate::mailbox::wire::lines::Lines;
use crate::mailbox::wire::{Link, Opened, timed};
use crate::net::dial::Dialer;

/// Enough for greeting, capabilities and sign-in.
const BEFORE_MAIL: u64 = 256 * 1024;

/// A server that mail is read at.
pub(super) struct ImapDoor<'d> {
    pub(super) dialer: &'d Dialer,
    pub(super) server: &'d Server,
}

#[async_trait]
impl Door for ImapDoor<'_> {
    type Session = Session;

    async fn enter(&self, proof: &Proof) -> Result<Session, NotSignedIn> {
        open(self.dialer, self.server, proof).await
    }
}

/// Connects and signs in as the server's user.
async fn open(dialer: &Dialer, server: &Server, proof: &Proof) -> Result<Session, NotSignedIn> {
    let host = &server.host;
    let tcp = dialer.connect(host, server.port).await.map_err(MailboxError::Call)?;
    let stream = encrypt(dialer, server, tcp).await?.stream();
    let mut link = Link::new(stream, BEFORE_MAIL);
    let mut lines = Lines { host, stream: &mut link };
    if server.security != Security::StartTls {
        greeting(&mut lines).await?;
    }
    let offers = Offers::ask(&mut lines).await?;
    if matches!(proof, Proof::Password(_)) && offers.take_no_password() {
        return Err(NotSignedIn::Refused(SignInRefusal::PasswordGone));
    }
    let client = Client::new(link);
    let signed_in = timed(host, sign_in(client, &server.user, proof, &offers)).await?;
    let inner = signed_in.map_err(|error| failure(host, error))?;
    Ok(Session::begin(inner, host).await?)
}

/// Encrypts a connection that has just been made, as the server's settings say.
pub(super) async fn encrypt(
    dialer: &Dialer,
    server: &Server,
    tcp: TcpStream,
) -> Result<Opened, MailboxError> {
    let stream = match server.security {
        Security::Tls => dialer.secure(&server.host, tcp).await.map_err(MailboxError::Call)?,
        Security::StartTls => start_tls(dialer, &server.host, tcp).await?,
        Security::None if server.is_loopback() => return Ok(Opened::Plain(tcp)),
        Security::None => return Err(refused("the connection would not be encrypted")),
    };
    Ok(Opened::Encrypted(Box::new(stream)))
}

async fn start_tls(
    dialer: &Dialer,
    host: &str,
    mut tcp: TcpStream,
) -> Result<TlsStream<TcpStream>, MailboxError> {
    let mut lines = Lines { host, stream: &mut tcp };
    greeting(&mut lines).await?;
    lines.say("T1 STARTTLS").await?;
    let answer = lines.until(|line| line.starts_with("T1 ")).await?;
    if !answer.last().is_some_and(|line| is_ok(line, "T1 ")) {
        return Err(refused("the server offers no TLS"));
    }
    dialer.secure(host, tcp).await.map_err(MailboxError::Call)
}

/// `* PREAUTH` is no greeting to go on with: before TLS it would skip TLS, and after it nobody signed in.
async fn greeting<S>(lines: &mut Lines<'_, S>) -> Result<(), MailboxError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
{
    let line = lines.line().await?;
    if is_ok(&line, "* ") { Ok(()) } else { Err(refused("the server does not greet as IMAP servers do")) }
}

fn is_ok(line: &str, tag: &str) -> bool {
    let word = line.strip_prefix(tag).and_then(|rest| rest.split(' ').next());
    word.is_some_and(|word| word.eq_ignore_ascii_case("OK"))
}

/// What the server offers for signing in.
struct Offers(Vec<String>);

impl Offers {
    async fn ask(lines: &mut Lines<'_, Link>) -> Result<Self, MailboxError> {
        lines.say("C1 CAPABILITY").await?;
        let answer = lines.until(|line| line.starts_with("C1 ")).await?;
        if !answer.last().is_some_and(|line| is_ok(line, "C1 ")) {
            return Err(refused("the server does not tell what it can"));
        }
        let told = answer.iter().filter_map(|line| line.strip_prefix("* CAPABILITY "));
        Ok(Self(told.flat_map(str::split_whitespace).map(str::to_ascii_uppercase).collect()))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|offer| offer == name)
    }

    /// RFC 9051, section 6.2.3: the command must not be given where it is said to be disabled.
    fn take_no_password(&self) -> bool {
        self.for_password() == ForPassword::Command && self.has("LOGINDISABLED")
    }

    /// PLAIN says all in one go; LOGIN (draft-murchison-sasl-login) is what is left at some old servers. The
    /// command comes last: it takes no letters beyond ASCII, and a server may forbid it.
    fn for_password(&self) -> ForPassword {
        if self.has("AUTH=PLAIN") {
            ForPassword::Plain
        } else if self.has("AUTH=LOGIN") {
            ForPassword::Login
        } else {
            ForPassword::Command
        }
    }
}

/// How a password is said.
#[derive(Debug, PartialEq, Eq)]
enum ForPassword {
    Plain,
    Login,
    /// RFC 9051, section 6.2.3.
    Command,
}

type Signed = Result<async_imap::Session<Link>, ImapError>;

async fn sign_in(client: Client<Link>, user: &str, proof: &Proof, offers: &Offers) -> Signed {
    let signed_in = match proof {
        Proof::Token(token) if offers.has("AUTH=OAUTHBEARER") && !offers.has("AUTH=XOAUTH2") => {
            let first = oauth_bearer(user, token.secret.expose_secret());
            client.authenticate("OAUTHBEARER", Answers::new([first], "\x01")).await
        }
        Proof::Token(token) => {
            let first = xoauth2(user, token.secret.expose_secret());
            client.authenticate("XOAUTH2", Answers::new([first], "")).await
        }
        Proof::Password(password) => {
            let password = password.expose_secret();
            match offers.for_password() {
                ForPassword::Plain => {
                    let first = format!("\0{user}\0{password}");
                    client.authenticate("PLAIN", Answers::new([first], "*")).await
                }
                ForPassword::Login => {
                    let both = [user.to_owned(), password.to_owned()];
                    client.authenticate("LOGIN", Answers::new(both, "*")).await
                }
                ForPassword::Command => client.login(user, password).await,
            }
        }
    };
    signed_in.map_err(|(error, _)| error)
}

/// Says its answers in turn, and to whatever is asked then the last word, which ends a failed sign-in.
struct Answers {
    answers: std::vec::IntoIter<String>,
    last_word: &'static str,
}

impl Answers {
    fn new<const N: usize>(answers: [String; N], last_word: &'static str) -> Self {
        Self { answers: Vec::from(answers).into_iter(), last_word }
    }
}

impl Authenticator for Answers {
    type Response = String;

    fn process(&mut self, _: &[u8]) -> String {
        self.answers.next().unwrap_or_else(|| self.last_word.to_owned())
    }
}

fn failure(host: &str, error: ImapError) -> NotSignedIn {
    match error {
        // RFC 5530: the server's trouble, it says.
        ImapError::No(text) if ["UNAVAILABLE", "LIMIT", "INUSE"].iter().any(|code| text.contains(code)) => {
            NotSignedIn::Unclear(MailboxError::Server { status: 0, code: "Unavailable".to_owned() })
        }
        ImapError::No(text) => NotSignedIn::Refused(SignInRefusal::of_reply(&text)),
        ImapError::Bad(_) => NotSignedIn::Unclear(refused("the server does not know this way of signing in")),
        error => NotSignedIn::Failed(lost(host, error)),
    }
}

fn refused(what: &str) -> MailboxError {
    MailboxError::Garbled { what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_said_by_the_best_way_that_is_offered() {
        for (offered, way, refused) in [
            ("AUTH=LOGIN AUTH=PLAIN LOGINDISABLED", ForPassword::Plain, false),
            ("AUTH=CRAM-MD5 AUTH=LOGIN", ForPassword::Login, false),
            ("AUTH=LOGIN LOGINDISABLED", ForPassword::Login, false),
            ("IMAP4REV1", ForPassword::Command, false),
            ("AUTH=XOAUTH2 LOGINDISABLED", ForPassword::Command, true),
        ] {
            let offers = Offers(offered.split(' ').map(str::to_owned).collect());
            assert_eq!((offers.for_password(), offers.take_no_password()), (way, refused), "{offered}");
        }
    }

    #[test]
    fn only_a_plain_ok_is_ok() {
        assert!(is_ok("* OK ready", "* ") && is_ok("* ok", "* ") && is_ok("T1 OK go ahead", "T1 "));
        for line in ["* PREAUTH hello", "* BYE full", "* OKAY", "", "T1 NO", "OK", "*OK"] {
            assert!(!is_ok(line, "* "), "{line}");
        }
    }
}
