//! How one mailbox signs in: by token or by password, and what a refusal means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;

use crate::base::id::MailboxId;
use crate::base::secret::SecretString;
use crate::mailbox::MailboxError;
use crate::mailbox::refusal::SignInRefusal;
use crate::mailbox::settings::SignIn;
use crate::mailbox::wire::{SIGN_IN, silent};
use crate::oauth::source::{AccessToken, PasswordSource, Purpose, Resource, TokenError, TokenSource};

/// What is refused in two attempts running is wrong; once may be the server's trouble, with new tokens too.
const PATIENCE: u32 = 2;

/// What proves who signs in.
pub(in crate::mailbox) enum Proof {
    Token(AccessToken),
    Password(SecretString),
}

/// Why nobody is signed in.
pub(in crate::mailbox) enum NotSignedIn {
    /// The server does not accept the proof.
    Refused(SignInRefusal),
    /// The server says no for a reason of its own, or for none. Some say so of a dead token too: Dovecot 2.3 calls
    /// one that its provider does not know a temporary failure.
    Unclear(MailboxError),
    Failed(MailboxError),
}

impl From<MailboxError> for NotSignedIn {
    fn from(error: MailboxError) -> Self {
        Self::Failed(error)
    }
}

/// A server that one can try to sign in at.
#[async_trait]
pub(in crate::mailbox) trait Door: Sync {
    type Session: Send;
    /// The server's name.
    fn host(&self) -> &str;
    async fn enter(&self, proof: &Proof) -> Result<Self::Session, NotSignedIn>;
}

pub(in crate::mailbox) struct Access {
    pub(in crate::mailbox) mailbox: MailboxId,
    pub(in crate::mailbox) sign_in: SignIn,
    pub(in crate::mailbox) purpose: Purpose,
    pub(in crate::mailbox) tokens: Arc<dyn TokenSource>,
    pub(in crate::mailbox) passwords: Arc<dyn PasswordSource>,
    /// Refusals running.
    pub(in crate::mailbox) refused: AtomicU32,
    /// A new token met an unclear no as well, and nobody has signed in since: it was not the token.
    pub(in crate::mailbox) cleared: AtomicBool,
}

async fn enter<D: Door>(door: &D, proof: &Proof) -> Result<D::Session, NotSignedIn> {
    let entered = tokio::time::timeout(SIGN_IN, door.enter(proof)).await;
    entered.unwrap_or_else(|_| Err(NotSignedIn::Failed(silent(door.host(), SIGN_IN))))
}

impl Access {
    /// Signs in at `door`. A token that is turned away is renewed once: where the grant is dead, the provider says
    /// so then, whatever the server's words were.
    pub(in crate::mailbox) async fn sign_in<D: Door>(&self, door: &D) -> Result<D::Session, MailboxError> {
        let mut proof = self.proof().await?;
        let mut outcome = enter(door, &proof).await;
        if let (Err(no), Proof::Token(token)) = (&outcome, &proof)
            && self.doubts(no)
        {
            proof = Proof::Token(self.tokens.renew(&self.mailbox, Resource::Mail, token).await?);
            outcome = enter(door, &proof).await;
            self.cleared.store(matches!(outcome, Err(NotSignedIn::Unclear(_))), Ordering::Relaxed);
        }
        match outcome {
            Ok(session) => {
                self.refused.store(0, Ordering::Relaxed);
                self.cleared.store(false, Ordering::Relaxed);
                Ok(session)
            }
            Err(NotSignedIn::Failed(error) | NotSignedIn::Unclear(error)) => Err(error),
            Err(NotSignedIn::Refused(refusal)) => Err(self.refusal(&proof, refusal)),
        }
    }

    /// Whether it may be the token. A server in trouble does not have it renewed at every look.
    fn doubts(&self, no: &NotSignedIn) -> bool {
        match no {
            NotSignedIn::Refused(_) => true,
            NotSignedIn::Unclear(_) => !self.cleared.load(Ordering::Relaxed),
            NotSignedIn::Failed(_) => false,
        }
    }

    async fn proof(&self) -> Result<Proof, MailboxError> {
        Ok(match self.sign_in {
            SignIn::OAuth => Proof::Token(self.tokens.token(&self.mailbox, Resource::Mail).await?),
            SignIn::Password => Proof::Password(self.passwords.password(&self.mailbox, self.purpose).await?),
        })
    }

    fn refusal(&self, proof: &Proof, refusal: SignInRefusal) -> MailboxError {
        let (told, key) = match (proof, refusal) {
            (Proof::Token(_), SignInRefusal::SmtpOff | SignInRefusal::ImapOff) => {
                ("the mail server refuses a new token", refusal.key())
            }
            (_, _) if self.refused.fetch_add(1, Ordering::Relaxed) + 1 < PATIENCE => {
                let code = match refusal {
                    SignInRefusal::Credentials => "AuthenticationFailed",
                    other => other.key(),
                };
                return MailboxError::Server { status: 0, code: code.to_owned() };
            }
            (Proof::Token(_), _) => ("the mail server refuses a new token", "mail-token-refused"),
            (Proof::Password(_), _) => {
                ("the mail server refuses the user name or the password", refusal.key())
            }
        };
        let (mailbox, reason) = (self.mailbox.clone(), format!("{told} [{key}]"));
        MailboxError::Token(TokenError::NeedsReconnect { mailbox, reason })
    }
}

/// The first answer of OAUTHBEARER (RFC 7628, section 3.1); a comma and an equals sign in the name are
/// escaped (RFC 5801, section 4).
pub(in crate::mailbox) fn oauth_bearer(user: &str, token: &str) -> String {
    let name = user.replace('=', "=3D").replace(',', "=2C");
    format!("n,a={name},\x01auth=Bearer {token}\x01\x01")
}

/// The first answer of XOAUTH2 (Google, "The XOAUTH2 mechanism"; Microsoft takes the same).
pub(in crate::mailbox) fn xoauth2(user: &str, token: &str) -> String {
    format!("user={user}\x01auth=Bearer {token}\x01\x01")
}
