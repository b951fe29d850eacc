//! From a mail address to the servers of its mailbox and the ways to sign in there. Never signs in, and stores
//! nothing. `decide` is pure; `detector` collects what it decides on.

use serde::Serialize;

use crate::mailbox::settings::{MailboxSettings, Provider, Server, SignIn};
use crate::net::names::MailExchanger;

pub mod address;
pub mod autoconfig;
mod decide;
pub mod detector;
pub mod evidence;
pub mod greeting;
pub mod outside;
mod pattern;
pub mod step;
mod table;
pub mod warning;

pub use address::{AddressError, MailAddress};
pub use detector::Detector;
pub use table::{AppPassword, UserForm};
pub use warning::Warning;

use step::Step;

/// How sure the servers are, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Confidence {
    /// Nothing is known.
    None,
    /// A server answered where servers often are, or a hint pointed there.
    Guess,
    /// The domain's SRV records name the servers.
    Srv,
    /// A file that the domain publishes by https names them.
    Autoconfig,
    /// The domain's mail exchanger belongs to a known provider.
    Mx,
    /// The domain is a known provider's own.
    Exact,
}

/// A provider as people know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderName {
    /// Stable: `google`, `microsoft-365`, `outlook.com`, `gmx.net`.
    pub id: String,
    pub name: String,
}

/// A way to sign in, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "way")]
pub enum Way {
    #[serde(rename = "oauth")]
    OAuth { vendor: Provider },
    Password {
        app_password: AppPassword,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        help_url: Option<String>,
    },
}

/// What was found out about an address. docs/detection.md tells the JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Detection {
    /// The domain in A-labels.
    pub address: String,
    pub domain: String,
    pub unicode_domain: String,
    pub provider: Option<ProviderName>,
    pub confidence: Confidence,
    pub sign_in: Vec<Way>,
    /// Why no password is asked for; `None` where one may be.
    pub password_refused: Option<&'static str>,
    /// IMAP.
    pub incoming: Option<Server>,
    /// SMTP.
    pub outgoing: Option<Server>,
    /// What the incoming server takes as the user's name; `None` where that is not known.
    pub user_form: Option<UserForm>,
    /// The filter that stands before the mailbox.
    pub gateway: Option<String>,
    pub exchangers: Vec<MailExchanger>,
    pub warnings: Vec<Warning>,
    pub evidence: Vec<Step>,
}

impl Detection {
    fn of(address: &MailAddress) -> Self {
        Self {
            address: address.ascii(),
            domain: address.domain.clone(),
            unicode_domain: address.unicode_domain.clone(),
            provider: None,
            confidence: Confidence::None,
            sign_in: Vec::new(),
            password_refused: None,
            incoming: None,
            outgoing: None,
            user_form: None,
            gateway: None,
            exchangers: Vec::new(),
            warnings: Vec::new(),
            evidence: Vec::new(),
        }
    }

    /// Whose sign-in is offered first.
    pub fn vendor(&self) -> Provider {
        let vendors = self.sign_in.iter().find_map(|way| match way {
            Way::OAuth { vendor } => Some(*vendor),
            Way::Password { .. } => None,
        });
        vendors.unwrap_or(Provider::Other)
    }

    /// Settings to begin with. Microsoft's mail goes through Graph and needs no servers.
    pub fn settings(&self) -> MailboxSettings {
        let provider = self.vendor();
        let sign_in = if provider == Provider::Other { SignIn::Password } else { SignIn::OAuth };
        let (incoming, outgoing) = match provider {
            Provider::Microsoft => (None, None),
            Provider::Google | Provider::Other => (self.incoming.clone(), self.outgoing.clone()),
        };
        MailboxSettings { provider, sign_in, incoming, outgoing, ..MailboxSettings::default() }
    }
}
