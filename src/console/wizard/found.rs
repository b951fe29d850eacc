//! What a draft keeps of a detection, and the messages that tell of it.

use crate::console::wizard::draft::{Found, PasswordUse};
use crate::mailbox::detect::{AddressError, AppPassword, Detection, Way};

impl Found {
    pub fn of(detection: &Detection) -> Self {
        let step = |step: &crate::mailbox::detect::evidence::Step| format!("{}: {}", step.step, step.result);
        Self {
            provider: detection.vendor(),
            name: detection.provider.as_ref().map(|provider| provider.name.clone()).unwrap_or_default(),
            password: password(detection),
            incoming: detection.incoming.clone(),
            outgoing: detection.outgoing.clone(),
            evidence: detection.evidence.iter().map(step).collect(),
            warnings: detection.warnings.iter().map(|warning| warning.code().to_owned()).collect(),
        }
    }
}

fn password(detection: &Detection) -> PasswordUse {
    if detection.password_refused.is_some() {
        return PasswordUse::Refused;
    }
    let ways = detection.sign_in.iter().find_map(|way| match way {
        Way::Password { app_password, help_url, .. } => Some((app_password, help_url)),
        Way::OAuth { .. } => None,
    });
    match ways {
        Some((AppPassword::Required | AppPassword::WithTwoFactor, help)) => {
            PasswordUse::AppPassword { help: help.clone() }
        }
        _ => PasswordUse::Accepted,
    }
}

/// Message key of why an address is refused.
pub fn refusal_key(refused: AddressError) -> &'static str {
    match refused {
        AddressError::NotAnAddress => "address-none",
        AddressError::TooLong | AddressError::LocalTooLong => "address-long",
        AddressError::Local { .. } | AddressError::LocalDots | AddressError::Invisible => {
            "address-characters"
        }
        AddressError::Domain | AddressError::IpAddress => "address-domain",
    }
}
