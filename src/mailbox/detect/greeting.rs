//! What a mail server says before anybody signs in: the greeting, encryption, what it can do. Sends no name and
//! no password.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::mailbox::settings::Security;
use crate::net::stranger::{StrangerError, Strangers};

/// RFC 5321, section 4.5.3.1.5 wants 512; IMAP's capabilities may be longer.
const LONGEST_LINE: usize = 4_096;
/// Lines until the answer is complete.
const MOST_LINES: usize = 64;

/// Why a server is no mail server that can be used.
#[derive(Debug, thiserror::Error)]
pub enum GreetingError {
    #[error(transparent)]
    Stranger(#[from] StrangerError),
    #[error("the connection broke")]
    Broken(#[from] io::Error),
    #[error("it does not greet as a mail server does")]
    NotMail,
    #[error("it offers no encryption")]
    NoEncryption,
    /// CVE-2011-0411 and its kin: text sent ahead of the handshake would count as encrypted.
    #[error("it sent more before encryption began than it may")]
    Injected,
    #[error("it says more than a greeting")]
    TooLong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Imap,
    Smtp,
}

/// What an encrypted server offers, in upper case: `IDLE`, `AUTH=PLAIN`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Greeting {
    pub offers: Vec<String>,
}

impl Greeting {
    pub fn has(&self, name: &str) -> bool {
        self.offers.iter().any(|offer| offer == name)
    }

    /// Whether some way to sign in with a password is offered.
    pub fn takes_password(&self, protocol: Protocol) -> bool {
        let plain = self.has("AUTH=PLAIN") || self.has("AUTH=LOGIN");
        plain || (protocol == Protocol::Imap && !self.has("LOGINDISABLED"))
    }
}

/// Connects, encrypts and listens. `security` is `Tls` or `StartTls`; nothing is asked in the clear.
pub async fn greet(
    strangers: &Strangers,
    host: &str,
    port: u16,
    protocol: Protocol,
    security: Security,
) -> Result<Greeting, GreetingError> {
    let mut stream = strangers.connect(host, port).await?;
    let early = security == Security::StartTls;
    if early {
        start_tls(&mut stream, protocol).await?;
    }
    let mut stream = strangers.encrypt(host, stream).await?;
    offers(&mut stream, protocol, if early { Hello::Silent } else { Hello::Expected }).await
}

/// Whether the server speaks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hello {
    Expected,
    /// It has said hello before encryption.
    Silent,
}

/// Up to where the handshake may begin.
async fn start_tls<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    protocol: Protocol,
) -> Result<(), GreetingError> {
    let mut dialogue = Dialogue::new(stream);
    match protocol {
        Protocol::Imap => {
            dialogue.imap_hello().await?;
            dialogue.say("a STARTTLS").await?;
            dialogue.tagged("a").await.map_err(without_encryption)?;
        }
        Protocol::Smtp => {
            dialogue.smtp("220").await?;
            dialogue.say("EHLO [127.0.0.1]").await?;
            let lines = dialogue.smtp("250").await?;
            if !lines.iter().skip(1).any(|line| line.eq_ignore_ascii_case("STARTTLS")) {
                return Err(GreetingError::NoEncryption);
            }
            dialogue.say("STARTTLS").await?;
            dialogue.smtp("220").await.map_err(without_encryption)?;
        }
    }
    if dialogue.ahead.is_empty() { Ok(()) } else { Err(GreetingError::Injected) }
}

fn without_encryption(error: GreetingError) -> GreetingError {
    match error {
        GreetingError::NotMail => GreetingError::NoEncryption,
        other => other,
    }
}

async fn offers<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    protocol: Protocol,
    hello: Hello,
) -> Result<Greeting, GreetingError> {
    let mut dialogue = Dialogue::new(stream);
    let offers = match protocol {
        Protocol::Imap => {
            if hello == Hello::Expected {
                dialogue.imap_hello().await?;
            }
            dialogue.say("b CAPABILITY").await?;
            let lines = dialogue.tagged("b").await?;
            let listed = lines.iter().filter_map(|line| line.strip_prefix("* CAPABILITY "));
            listed.flat_map(|line| line.split(' ')).map(str::to_owned).collect()
        }
        Protocol::Smtp => {
            if hello == Hello::Expected {
                dialogue.smtp("220").await?;
            }
            dialogue.say("EHLO [127.0.0.1]").await?;
            dialogue.smtp("250").await?.iter().skip(1).flat_map(|line| extension(line)).collect()
        }
    };
    // A server that has closed already is as good as one that was told goodbye.
    if let Err(error) = dialogue.say(if protocol == Protocol::Imap { "c LOGOUT" } else { "QUIT" }).await {
        tracing::trace!(error = %error, "a mail server closed first");
    }
    Ok(Greeting { offers })
}

/// `AUTH PLAIN LOGIN` as IMAP writes it: `AUTH=PLAIN`, `AUTH=LOGIN` (RFC 4954, section 3).
fn extension(line: &str) -> Vec<String> {
    let line = line.to_ascii_uppercase();
    match line.strip_prefix("AUTH ") {
        Some(ways) => ways.split(' ').map(|way| format!("AUTH={way}")).collect(),
        None => vec![line],
    }
}

/// Lines to and fro.
struct Dialogue<'s, S> {
    stream: &'s mut S,
    /// What came after the last line that was read.
    ahead: Vec<u8>,
}

impl<'s, S: AsyncRead + AsyncWrite + Unpin> Dialogue<'s, S> {
    fn new(stream: &'s mut S) -> Self {
        Self { stream, ahead: Vec::new() }
    }

    async fn say(&mut self, line: &str) -> Result<(), GreetingError> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        Ok(self.stream.flush().await?)
    }

    async fn line(&mut self) -> Result<String, GreetingError> {
        loop {
            if let Some(end) = self.ahead.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.ahead.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.ahead.len() > LONGEST_LINE {
                return Err(GreetingError::TooLong);
            }
            let mut piece = [0; 1_024];
            match self.stream.read(&mut piece).await? {
                0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                count => self.ahead.extend_from_slice(&piece[..count]),
            }
        }
    }

    /// RFC 9051, section 7.1: `* OK`; `* PREAUTH` would be signed in without anybody's name.
    async fn imap_hello(&mut self) -> Result<(), GreetingError> {
        let line = self.line().await?;
        let is_hello = line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("* OK"));
        if is_hello { Ok(()) } else { Err(GreetingError::NotMail) }
    }

    /// IMAP: the lines, in upper case, up to `tag OK`.
    async fn tagged(&mut self, tag: &str) -> Result<Vec<String>, GreetingError> {
        let mut lines = Vec::new();
        while lines.len() < MOST_LINES {
            let line = self.line().await?.to_ascii_uppercase();
            if let Some(rest) = line.strip_prefix(&format!("{} ", tag.to_ascii_uppercase())) {
                return if rest.starts_with("OK") { Ok(lines) } else { Err(GreetingError::NotMail) };
            }
            if !line.starts_with("* ") {
                return Err(GreetingError::NotMail);
            }
            lines.push(line);
        }
        Err(GreetingError::TooLong)
    }

    /// SMTP: the texts of a reply, whose lines all have the code `code`.
    async fn smtp(&mut self, code: &str) -> Result<Vec<String>, GreetingError> {
        let mut lines = Vec::new();
        while lines.len() < MOST_LINES {
            let line = self.line().await?;
            let rest = line.strip_prefix(code).ok_or(GreetingError::NotMail)?;
            lines.push(rest.get(1..).unwrap_or_default().trim().to_owned());
            match rest.as_bytes().first() {
                Some(b'-') => {}
                Some(b' ') | None => return Ok(lines),
                Some(_) => return Err(GreetingError::NotMail),
            }
        }
        Err(GreetingError::TooLong)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    /// A server that says `script` whatever it hears.
    async fn says(script: &str) -> DuplexStream {
        let (here, mut there) = duplex(1 << 20);
        there.write_all(script.as_bytes()).await.expect("written");
        // Kept open for writing on our side; the end shows as the end of the script.
        tokio::spawn(async move {
            there.shutdown().await.expect("shut");
            let mut heard = Vec::new();
            there.read_to_end(&mut heard).await.expect("read");
        });
        here
    }

    async fn hear(script: &str, protocol: Protocol) -> Result<Greeting, GreetingError> {
        offers(&mut says(script).await, protocol, Hello::Expected).await
    }

    #[tokio::test]
    async fn an_imap_servers_offers_are_heard() {
        let script = "* OK ready\r\n* capability IMAP4rev1 IDLE AUTH=XOAUTH2 LOGINDISABLED\r\nb OK done\r\n";
        let greeting = hear(script, Protocol::Imap).await.expect("a greeting");
        assert!(greeting.has("IDLE") && greeting.has("AUTH=XOAUTH2"));
        assert!(!greeting.takes_password(Protocol::Imap));
    }

    #[tokio::test]
    async fn a_submission_servers_offers_are_heard() {
        let script =
            "220-mail.example\r\n220 ready\r\n250-mail.example\r\n250-AUTH PLAIN XOAUTH2\r\n250 8BITMIME\r\n";
        let greeting = hear(script, Protocol::Smtp).await.expect("a greeting");
        assert_eq!(greeting.offers, ["AUTH=PLAIN", "AUTH=XOAUTH2", "8BITMIME"]);
        assert!(greeting.takes_password(Protocol::Smtp));
    }

    #[tokio::test]
    async fn what_is_no_mail_server_is_told_from_one() {
        for script in [
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "SSH-2.0-OpenSSH\r\n",
            "* BYE busy\r\n",
            "* PREAUTH hi\r\n",
            "\r\n",
        ] {
            let heard = hear(script, Protocol::Imap).await;
            assert!(matches!(heard, Err(GreetingError::NotMail)), "{script:?}");
        }
        for script in ["554 no\r\n", "+OK POP3\r\n", "220x\r\n", "220 hi\r\n421 later\r\n"] {
            assert!(matches!(hear(script, Protocol::Smtp).await, Err(GreetingError::NotMail)), "{script:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_end_is_left() {
        let line = "x".repeat(LONGEST_LINE * 2);
        let lines = format!("* OK hi\r\n{}", "* X\r\n".repeat(MOST_LINES + 1));
        let replies = "220-hi\r\n".repeat(MOST_LINES + 1);
        for (script, protocol) in
            [(&line, Protocol::Imap), (&lines, Protocol::Imap), (&replies, Protocol::Smtp)]
        {
            assert!(matches!(hear(script, protocol).await, Err(GreetingError::TooLong)));
        }
    }

    #[tokio::test]
    async fn text_ahead_of_the_handshake_is_refused() {
        for (script, protocol) in [
            ("* OK hi\r\na OK begin\r\n* CAPABILITY AUTH=PLAIN\r\n", Protocol::Imap),
            ("220 hi\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n250 evil\r\n", Protocol::Smtp),
        ] {
            let begun = start_tls(&mut says(script).await, protocol).await;
            assert!(matches!(begun, Err(GreetingError::Injected)), "{script:?}");
        }
    }

    #[tokio::test]
    async fn a_server_without_encryption_is_told() {
        for (script, protocol) in [
            ("* OK hi\r\na BAD unknown\r\n", Protocol::Imap),
            ("220 hi\r\n250-a\r\n250 SIZE\r\n", Protocol::Smtp),
            ("220 hi\r\n250-a\r\n250 STARTTLS\r\n454 not now\r\n", Protocol::Smtp),
        ] {
            let begun = start_tls(&mut says(script).await, protocol).await;
            assert!(matches!(begun, Err(GreetingError::NoEncryption)), "{script:?} {begun:?}");
        }
    }
}
