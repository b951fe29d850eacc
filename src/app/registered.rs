//! Where the registrations at providers come from, for commands. Shows no value but who entered one and when.

use std::fmt;

use crate::base::clock::Timestamp;
use crate::oauth::app::Vendor;
use crate::token::registrations::Registrations;
use crate::token::vault::VaultError;

/// What there is of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Configured,
    Entered {
        at: Timestamp,
        by: String,
    },
    /// The configuration names one, and another was entered.
    Idle,
    /// What was entered does not open.
    Closed,
}

impl Origin {
    /// `None` where nothing is registered.
    pub(super) async fn of(
        registrations: &Registrations,
        vendor: Vendor,
    ) -> Result<Option<Self>, VaultError> {
        let configured = registrations.configured(vendor).is_some();
        let entered = registrations.entered(vendor).await?.map(|entered| entered.registration);
        Ok(match (configured, entered) {
            (true, None) => Some(Self::Configured),
            (true, Some(_)) => Some(Self::Idle),
            (false, None) => None,
            (false, Some(Err(_))) => Some(Self::Closed),
            (false, Some(Ok(one))) => Some(Self::Entered { at: one.set_at, by: one.set_by }),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configured => f.write_str("The configuration names it."),
            Self::Entered { at, by } => write!(f, "It was entered in the console at {at} by {by}."),
            Self::Idle => {
                f.write_str("The configuration names it; another one, entered in the console, is not used.")
            }
            Self::Closed => {
                f.write_str("It was entered in the console, and the vault's key does not open it.")
            }
        }
    }
}
