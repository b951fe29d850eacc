//! What tests of mailboxes at mail servers share: rows, proofs of who signs in, a server that keeps what it
//! is handed.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mintgate::base::clock::Timestamp;
use mintgate::base::id::MailboxId;
use mintgate::mailbox::settings::MailboxSettings;
use mintgate::net::Egress;
use mintgate::net::dial::Dialer;
use mintgate::oauth::source::{AccessToken, PasswordSource, Purpose, Resource, TokenError, TokenSource};
use mintgate::store::{MailboxRow, MailboxState};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A dialer that may call this machine.
pub fn dialer() -> Arc<Dialer> {
    Arc::new(
        Dialer::new(Egress::default().allow(["127.0.0.1", "localhost"]).expect("rules")).expect("a dialer"),
    )
}

/// A connected mailbox of the kind `imap`.
pub fn row(settings: &MailboxSettings) -> MailboxRow {
    MailboxRow {
        id: MailboxId::parse("help").expect("an id"),
        kind: "imap".to_owned(),
        address: "help@desk.example".to_owned(),
        state: MailboxState::Connected,
        scopes: String::new(),
        connected_at: Timestamp(0),
        accept_since: Timestamp(0),
        last_poll_at: None,
        last_mail_at: None,
        last_error: None,
        failing_since: None,
        settings: settings.to_json(),
    }
}

/// Gives one password for everything, or says that there is none.
pub struct Password(pub Option<&'static str>);

#[async_trait]
impl PasswordSource for Password {
    async fn password(
        &self,
        mailbox: &MailboxId,
        _: Purpose,
    ) -> Result<mintgate::base::secret::SecretString, TokenError> {
        let reason = "it has no stored password".to_owned();
        self.0.map(Into::into).ok_or_else(|| TokenError::NeedsReconnect { mailbox: mailbox.clone(), reason })
    }
}

/// Gives its tokens one after the other, the next with each renewal.
pub struct Tokens {
    pub tokens: Vec<&'static str>,
    pub renewed: AtomicU32,
}

impl Tokens {
    pub fn new(tokens: &[&'static str]) -> Arc<Self> {
        Arc::new(Self { tokens: tokens.to_vec(), renewed: AtomicU32::new(0) })
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self, _: &MailboxId, resource: Resource) -> Result<AccessToken, TokenError> {
        assert_eq!(resource, Resource::Mail);
        let at = self.renewed.load(Ordering::SeqCst) as usize;
        let expires_at = Timestamp(0) + Duration::from_secs(3600);
        Ok(AccessToken { secret: self.tokens[at].into(), expires_at, scopes: Vec::new() })
    }

    async fn renew(
        &self,
        mailbox: &MailboxId,
        resource: Resource,
        _: &AccessToken,
    ) -> Result<AccessToken, TokenError> {
        self.renewed.fetch_add(1, Ordering::SeqCst);
        self.token(mailbox, resource).await
    }
}

/// What a submission server does with a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Keep,
    /// Keeps the mail and ends the connection without a word.
    KeepAndCut,
    /// Answers the recipient so.
    RefuseRecipient(&'static str),
    /// Answers this recipient so and takes the others.
    RefuseOne(&'static str, &'static str),
    /// Answers so in place of a greeting, and leaves.
    Greet(&'static str),
    /// Answers this command so.
    Answer(&'static str, &'static str),
}

/// A submission server without TLS that takes any password.
#[derive(Clone)]
pub struct Sink {
    pub address: SocketAddr,
    pub mails: Arc<Mutex<Vec<String>>>,
    pub then: Arc<Mutex<Then>>,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let sink = Self { address, mails: Arc::default(), then: Arc::new(Mutex::new(Then::Keep)) };
        let server = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        sink
    }

    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().expect("no test panicked").clone()
    }

    pub fn set(&self, then: Then) {
        *self.then.lock().expect("no test panicked") = then;
    }

    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let then = *self.then.lock().expect("no test panicked");
        if let Then::Greet(answer) = then {
            return stream.write_all(format!("{answer}\r\n").as_bytes()).await;
        }
        stream.write_all(b"220 sink\r\n").await?;
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            let then = *self.then.lock().expect("no test panicked");
            let word = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            let answer = match (word.as_str(), then) {
                (said, Then::Answer(command, answer)) if said == command => answer,
                ("RCPT", Then::RefuseOne(address, answer)) if line.contains(address) => answer,
                ("EHLO", _) => "250-sink\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 8BITMIME",
                ("AUTH", _) => "235 2.7.0 welcome",
                ("RCPT", Then::RefuseRecipient(answer)) => answer,
                ("DATA", _) => {
                    stream.write_all(b"354 go on\r\n").await?;
                    self.take(&mut stream).await?;
                    if then == Then::KeepAndCut {
                        return Ok(());
                    }
                    "250 2.0.0 kept"
                }
                ("QUIT", _) => return stream.write_all(b"221 bye\r\n").await,
                _ => "250 2.0.0 fine",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
            line.clear();
        }
        Ok(())
    }

    async fn take(&self, stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
        let (mut mail, mut line) = (String::new(), String::new());
        while stream.read_line(&mut line).await? > 0 && line != ".\r\n" {
            mail.push_str(&line);
            line.clear();
        }
        self.mails.lock().expect("no test panicked").push(mail);
        Ok(())
    }
}

/// Gives none: passwords are all there is.
pub struct NoTokens;

#[async_trait]
impl TokenSource for NoTokens {
    async fn token(&self, _: &MailboxId, _: Resource) -> Result<AccessToken, TokenError> {
        Err(TokenError::Misconfigured { reason: "no app is registered at the mailbox's provider".to_owned() })
    }

    async fn renew(
        &self,
        mailbox: &MailboxId,
        resource: Resource,
        _: &AccessToken,
    ) -> Result<AccessToken, TokenError> {
        self.token(mailbox, resource).await
    }
}
