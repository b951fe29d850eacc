//! From a mailbox's name in YAML to a valid token of it, on the runtime where store and keeper live.
//!
//! Keeps no token; who may have one is not decided here.

use std::sync::{Arc, OnceLock};

use http::header::HeaderValue;
use tokio::runtime::Handle;
use tokio::task::JoinError;
use zeroize::Zeroizing;

use crate::base::id::MailboxId;
use crate::base::secret::ExposeSecret;
use crate::oauth::source::{AccessToken, Resource, TokenError, TokenSource};
use crate::store::{MailboxRow, Store, StoreError};

/// The kind of mailbox whose sign-in is for Graph. Asking one that is read by IMAP for a Graph token would
/// be refused by the provider, and look like the end of its grant.
const KIND: &str = "microsoft-graph";

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoToken {
    #[error("no app is registered, or the store is not open")]
    Closed,
    #[error("no connected mailbox at Graph has this id or address")]
    NotConnected,
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    #[error("the mailbox's token cannot be had")]
    Refused { mailbox: MailboxId, source: TokenError },
    #[error("the provider's token cannot stand in a header line")]
    Unwritable { mailbox: MailboxId },
    #[error("asking for a token broke down")]
    Broken(#[from] JoinError),
}

impl NoToken {
    pub(super) fn mailbox(&self) -> Option<&MailboxId> {
        match self {
            Self::Refused { mailbox, .. } | Self::Unwritable { mailbox } => Some(mailbox),
            _ => None,
        }
    }
}

/// Which mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Id(MailboxId),
    Address(String),
}

impl Wanted {
    /// An id, or something with one `@` within.
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Some(id) = MailboxId::parse(text) {
            return Some(Self::Id(id));
        }
        let (local, domain) = text.split_once('@')?;
        let fits = |part: &str| !part.is_empty() && !part.contains(|c: char| c == '@' || c.is_whitespace());
        (fits(local) && fits(domain)).then(|| Self::Address(text.to_owned()))
    }

    fn is(&self, row: &MailboxRow) -> bool {
        let named = match self {
            Self::Id(id) => *id == row.id,
            Self::Address(address) => address.eq_ignore_ascii_case(&row.address),
        };
        named && row.kind == KIND
    }
}

/// A token and the line it stands in.
pub(super) struct Given {
    pub(super) token: AccessToken,
    pub(super) line: HeaderValue,
}

#[derive(Clone)]
struct Opened {
    source: Arc<dyn TokenSource>,
    store: Arc<dyn Store>,
    runtime: Handle,
}

/// The way to mailboxes' tokens. Gives none until it is opened.
#[derive(Default)]
pub struct Tokens(OnceLock<Opened>);

impl Tokens {
    /// From now on tokens come from `source`; it and `store` live on `runtime`. Only the first call counts.
    pub fn open(&self, source: Arc<dyn TokenSource>, store: Arc<dyn Store>, runtime: Handle) {
        self.0.get_or_init(|| Opened { source, store, runtime });
    }

    /// A valid token of the mailbox; another one than `refused`, which Graph has answered with 401.
    pub(super) async fn give(&self, wanted: &Wanted, refused: Option<AccessToken>) -> Result<Given, NoToken> {
        let opened = self.0.get().ok_or(NoToken::Closed)?.clone();
        let (runtime, wanted) = (opened.runtime.clone(), wanted.clone());
        runtime.spawn(async move { opened.give(&wanted, refused).await }).await?
    }
}

impl Opened {
    async fn give(&self, wanted: &Wanted, refused: Option<AccessToken>) -> Result<Given, NoToken> {
        let rows = self.store.mailboxes().await?;
        let row = rows.iter().find(|row| wanted.is(row)).ok_or(NoToken::NotConnected)?;
        let mailbox = row.id.clone();
        let token = match refused {
            None => self.source.token(&mailbox, Resource::Graph).await,
            Some(refused) => self.source.renew(&mailbox, Resource::Graph, &refused).await,
        };
        match token {
            Ok(token) => match line(&token) {
                Some(line) => Ok(Given { token, line }),
                None => Err(NoToken::Unwritable { mailbox }),
            },
            Err(source) => Err(NoToken::Refused { mailbox, source }),
        }
    }
}

fn line(token: &AccessToken) -> Option<HeaderValue> {
    let text = Zeroizing::new(format!("Bearer {}", token.secret.expose_secret()));
    let mut line = HeaderValue::from_str(&text).ok()?;
    line.set_sensitive(true);
    Some(line)
}
