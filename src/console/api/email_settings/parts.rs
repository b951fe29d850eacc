//! Which mailbox or provider a call is about.

use axum::extract::{FromRequestParts, Query};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::base::id::MailboxId;
use crate::console::api::parts::Refused;
use crate::console::shared::Shared;
use crate::mailbox::settings::Provider;
use crate::store::MailboxRow;

/// What stands behind the question mark.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Id of a mailbox. Without it the only one is meant; of several, reading takes the first, and anything
    /// else is refused (409).
    mailbox: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Which {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let sentence = "The only parameter of this call is `mailbox`, the id of a mailbox.";
        let read = Query::try_from_uri(&parts.uri);
        read.map(|Query(which)| which).map_err(|_| Refused::new(StatusCode::BAD_REQUEST, sentence))
    }
}

impl Which {
    /// Whether a mailbox is named.
    pub fn names_one(&self) -> bool {
        self.mailbox.is_some()
    }

    /// The mailbox to look at.
    pub async fn to_read(&self, shared: &Shared) -> Result<MailboxRow, Refused> {
        let mut rows = self.candidates(shared).await?;
        if rows.is_empty() { Err(absent()) } else { Ok(rows.swap_remove(0)) }
    }

    /// The mailbox to do something with.
    pub async fn to_change(&self, shared: &Shared) -> Result<MailboxRow, Refused> {
        self.only(shared).await?.ok_or_else(absent)
    }

    /// The mailbox that is meant, `None` where none is connected.
    pub async fn only(&self, shared: &Shared) -> Result<Option<MailboxRow>, Refused> {
        let mut rows = self.candidates(shared).await?;
        if rows.len() > 1 {
            let sentence = "Several mailboxes are connected: name one by ?mailbox=ID.";
            return Err(Refused::new(StatusCode::CONFLICT, sentence));
        }
        Ok(rows.pop())
    }

    async fn candidates(&self, shared: &Shared) -> Result<Vec<MailboxRow>, Refused> {
        let store = &shared.parts.store;
        let Some(id) = &self.mailbox else {
            return store.mailboxes().await.map_err(|failure| Refused::broken(&failure));
        };
        let id = MailboxId::parse(id).ok_or_else(absent)?;
        let row = store.mailbox(&id).await.map_err(|failure| Refused::broken(&failure))?;
        row.map(|row| vec![row]).ok_or_else(absent)
    }
}

/// There is no such mailbox.
pub fn absent() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "No such mailbox is connected.")
}

/// A provider that people sign in at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OAuthProvider {
    Google,
    Microsoft,
}

impl OAuthProvider {
    /// `None` where a password signs in.
    pub fn of(provider: Provider) -> Option<Self> {
        match provider {
            Provider::Microsoft => Some(Self::Microsoft),
            Provider::Google => Some(Self::Google),
            Provider::Other => None,
        }
    }

    /// The provider that a path names.
    pub fn named(text: &str) -> Result<Self, Refused> {
        match text {
            "google" => Ok(Self::Google),
            "microsoft" => Ok(Self::Microsoft),
            _ => Err(Refused::new(StatusCode::NOT_FOUND, "The providers are google and microsoft.")),
        }
    }

    pub fn provider(self) -> Provider {
        match self {
            Self::Google => Provider::Google,
            Self::Microsoft => Provider::Microsoft,
        }
    }
}
