//! The settings of a mailbox as this API shows them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::base::clock::Timestamp;
use crate::console::api::email_settings::parts::OAuthProvider;
use crate::console::api::parts::Refused;
use crate::console::shared::Shared;
use crate::mailbox::settings::{AfterProcessing, MailboxSettings, Provider, Security, Server, SignIn};
use crate::oauth::source::Purpose;
use crate::store::{MailboxRow, MailboxState};

/// One mailbox. Of secrets it tells only whether there is one.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmailSettings {
    /// The mailbox's id, for `?mailbox=`.
    #[schema(example = "k3v9x2m1")]
    id: String,
    provider: MailProvider,
    #[schema(example = "support@example.com")]
    support_email_address: String,
    #[schema(example = "example.com")]
    support_email_domain: String,
    /// Whether mail is read and sent; `false` when the mailbox has to be connected again.
    is_enabled: bool,
    /// `null` where a password signs in.
    #[schema(required)]
    oauth_provider: Option<OAuthProvider>,
    use_oauth: bool,
    /// RFC 3339; `null` while no token is loaded.
    #[schema(required)]
    oauth_token_expiry: Option<String>,
    oauth_token_set: bool,
    /// `null`: the provider's own servers, or none are needed.
    #[schema(required)]
    imap_host: Option<String>,
    #[schema(required)]
    imap_port: Option<u16>,
    /// `false` is STARTTLS.
    #[schema(required)]
    imap_use_ssl: Option<bool>,
    #[schema(required)]
    imap_username: Option<String>,
    imap_password_set: bool,
    /// `null` is the inbox.
    #[schema(required)]
    imap_folder: Option<String>,
    #[schema(required)]
    smtp_host: Option<String>,
    #[schema(required)]
    smtp_port: Option<u16>,
    #[schema(required)]
    smtp_use_ssl: Option<bool>,
    /// STARTTLS.
    #[schema(required)]
    smtp_use_tls: Option<bool>,
    #[schema(required)]
    smtp_username: Option<String>,
    /// Whether sending has a password of its own.
    smtp_password_set: bool,
    #[schema(required)]
    from_name: Option<String>,
    #[schema(required)]
    reply_to: Option<String>,
    /// `null` is the installation's interval.
    #[schema(required)]
    check_interval_seconds: Option<u32>,
    delete_after_processing: bool,
    #[schema(required)]
    move_to_folder: Option<String>,
    acknowledge: bool,
    closing_notice: bool,
    quote_history: bool,
    #[schema(required)]
    signature: Option<String>,
    /// RFC 3339; the last look into the mailbox.
    #[schema(required)]
    last_check_at: Option<String>,
    #[schema(required)]
    last_error: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailProvider {
    Google,
    Microsoft,
    Custom,
}

impl From<Provider> for MailProvider {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Google => Self::Google,
            Provider::Microsoft => Self::Microsoft,
            Provider::Other => Self::Custom,
        }
    }
}

impl EmailSettings {
    pub async fn of(shared: &Shared, row: &MailboxRow) -> Result<Self, Refused> {
        let settings = MailboxSettings::parse(&row.settings).map_err(|refused| Refused::broken(&refused))?;
        let kept = async |purpose| {
            let kept = shared.passwords.has(&row.id, purpose).await;
            kept.map_err(|failure| Refused::broken(&failure))
        };
        let by_password = settings.sign_in == SignIn::Password;
        let (imap_password, smtp_password) =
            (by_password && kept(Purpose::Incoming).await?, by_password && kept(Purpose::Outgoing).await?);
        let (_, domain) = row.address.rsplit_once('@').unwrap_or(("", &row.address));
        let (imap, smtp) = (settings.incoming.as_ref(), settings.outgoing.as_ref());
        let fixed = &shared.fixed(&row.address);
        let secured = |server: Option<&Server>, by| server.map(|server| server.security == by);
        let connected = row.state == MailboxState::Connected;
        Ok(Self {
            id: row.id.to_string(),
            provider: settings.provider.into(),
            support_email_domain: domain.to_owned(),
            support_email_address: row.address.clone(),
            is_enabled: connected,
            oauth_provider: OAuthProvider::of(settings.provider).filter(|_| !by_password),
            use_oauth: !by_password,
            oauth_token_expiry: shared.token_expiry(&row.id).map(Timestamp::rfc3339),
            oauth_token_set: !by_password && connected,
            imap_host: imap.map(|server| server.host.clone()),
            imap_port: imap.map(|server| server.port),
            imap_use_ssl: secured(imap, Security::Tls),
            imap_username: imap.map(|server| server.user.clone()),
            imap_password_set: imap_password,
            imap_folder: settings.folder,
            smtp_host: smtp.map(|server| server.host.clone()),
            smtp_port: smtp.map(|server| server.port),
            smtp_use_ssl: secured(smtp, Security::Tls),
            smtp_use_tls: secured(smtp, Security::StartTls),
            smtp_username: smtp.map(|server| server.user.clone()),
            smtp_password_set: smtp_password,
            from_name: fixed.from_name.clone().or(settings.from_name),
            reply_to: fixed.reply_to.clone().or(settings.reply_to),
            check_interval_seconds: settings.check_interval,
            delete_after_processing: settings.after_processing == AfterProcessing::Delete,
            move_to_folder: match settings.after_processing {
                AfterProcessing::Move { folder } => Some(folder),
                AfterProcessing::Leave | AfterProcessing::MarkRead | AfterProcessing::Delete => None,
            },
            acknowledge: settings.acknowledge,
            closing_notice: settings.closing_notice,
            quote_history: settings.quote_history,
            signature: settings.signature,
            last_check_at: row.last_poll_at.map(Timestamp::rfc3339),
            last_error: row.last_error.clone(),
        })
    }
}
