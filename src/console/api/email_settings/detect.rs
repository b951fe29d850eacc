//! Who the provider of an address is, and how one signs in there.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::console::api::parts::{Answer, Ordered, Problems, Refused};
use crate::console::guard::Client;
use crate::console::limits::Work;
use crate::console::shared::Shared;
use crate::mailbox::detect::{Confidence, Detection, Way};
use crate::mailbox::settings::{Provider, Security, Server};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    #[schema(max_length = 1016, example = "support@gmail.com")]
    email: String,
}

/// What was found out. Servers are `null` where they are not known.
#[derive(Debug, Serialize, ToSchema)]
pub struct Detected {
    success: bool,
    /// The domain in A-labels.
    email: String,
    domain: String,
    /// Whether anything is known of the provider or its servers.
    detected: bool,
    detected_via: Via,
    provider: Known,
    /// Such as `Gmail / Google Workspace`; empty when nothing was found.
    display_name: String,
    #[schema(required)]
    imap_host: Option<String>,
    #[schema(required)]
    imap_port: Option<u16>,
    /// `false` is STARTTLS.
    #[schema(required)]
    imap_use_ssl: Option<bool>,
    #[schema(required)]
    imap_username: Option<String>,
    #[schema(required)]
    smtp_host: Option<String>,
    #[schema(required)]
    smtp_port: Option<u16>,
    /// STARTTLS.
    #[schema(required)]
    smtp_use_tls: Option<bool>,
    #[schema(required)]
    smtp_use_ssl: Option<bool>,
    #[schema(required)]
    smtp_username: Option<String>,
    /// Whether one signs in at the provider instead of with a password.
    oauth_supported: bool,
    /// Whether this installation has an app registered there.
    oauth_configured: bool,
    password_supported: bool,
    /// What to know before going on, a sentence each.
    notes: Vec<String>,
    /// What was looked at.
    evidence: Vec<String>,
    /// Where to make a password for this program.
    #[schema(required)]
    app_password_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    KnownDomain,
    MxRecord,
    Autoconfig,
    Srv,
    /// A server answered where servers often are.
    Guess,
    None,
}

impl From<Confidence> for Via {
    fn from(confidence: Confidence) -> Self {
        match confidence {
            Confidence::Exact => Self::KnownDomain,
            Confidence::Mx => Self::MxRecord,
            Confidence::Autoconfig => Self::Autoconfig,
            Confidence::Srv => Self::Srv,
            Confidence::Guess => Self::Guess,
            Confidence::None => Self::None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Known {
    Google,
    Microsoft,
    Yahoo,
    Apple,
    Aol,
    Custom,
}

impl Known {
    fn of(detection: &Detection) -> Self {
        match (detection.vendor(), detection.provider.as_ref().map(|provider| provider.id.as_str())) {
            (Provider::Google, _) => Self::Google,
            (Provider::Microsoft, _) => Self::Microsoft,
            (_, Some("yahoo")) => Self::Yahoo,
            (_, Some("icloud")) => Self::Apple,
            (_, Some("aol" | "verizon.net")) => Self::Aol,
            _ => Self::Custom,
        }
    }
}

/// Finds the provider and the servers of an address. Signs in nowhere.
#[utoipa::path(post, path = "/api/tickets/email-settings/detect/", tag = "email-settings",
    request_body = Address, responses((status = 200, body = Detected), Problems))]
pub async fn detect(
    State(shared): State<Arc<Shared>>,
    client: Client,
    Ordered(admin, wanted): Ordered<Address>,
) -> Result<Answer<Detected>, Refused> {
    shared.admit(&client, &admin, Work::Detection)?;
    let found = shared.parts.detect.detect(&wanted.email).await;
    let found = found
        .map_err(|refused| Refused::new(StatusCode::UNPROCESSABLE_ENTITY, format!("`email`: {refused}.")))?;
    Ok(Answer(StatusCode::OK, Detected::of(&shared, found)))
}

impl Detected {
    fn of(shared: &Shared, found: Detection) -> Self {
        let vendor = found.vendor();
        let (imap, smtp) = (found.incoming.as_ref(), found.outgoing.as_ref());
        let secured = |server: Option<&Server>, by| server.map(|server| server.security == by);
        let refusal = found.password_refused.map(str::to_owned);
        let remarks = found.sign_in.iter().filter_map(|way| match way {
            Way::Password { note, .. } => note.clone(),
            Way::OAuth { .. } => None,
        });
        let warnings = found.warnings.iter().map(ToString::to_string);
        let notes = refusal.into_iter().chain(remarks).chain(warnings).collect();
        let help = found.sign_in.iter().find_map(|way| match way {
            Way::Password { help_url, .. } => help_url.clone(),
            Way::OAuth { .. } => None,
        });
        Self {
            success: true,
            detected: found.confidence != Confidence::None,
            detected_via: found.confidence.into(),
            provider: Known::of(&found),
            imap_host: imap.map(|server| server.host.clone()),
            imap_port: imap.map(|server| server.port),
            imap_use_ssl: secured(imap, Security::Tls),
            imap_username: imap.map(|server| server.user.clone()),
            smtp_host: smtp.map(|server| server.host.clone()),
            smtp_port: smtp.map(|server| server.port),
            smtp_use_tls: secured(smtp, Security::StartTls),
            smtp_use_ssl: secured(smtp, Security::Tls),
            smtp_username: smtp.map(|server| server.user.clone()),
            oauth_supported: vendor != Provider::Other,
            oauth_configured: shared.client_id(vendor).is_some() && shared.parts.public_url.is_some(),
            password_supported: found.password_refused.is_none(),
            notes,
            evidence: found.evidence.iter().map(|step| format!("{}: {}", step.step, step.result)).collect(),
            app_password_url: help,
            display_name: found.provider.map(|provider| provider.name).unwrap_or_default(),
            email: found.address,
            domain: found.domain,
        }
    }
}
