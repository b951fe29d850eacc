//! Permissions that were asked for and not granted, and what cannot be done without them.

use crate::mailbox::settings::{MailboxSettings, SignIn};
use crate::oauth::granted::missing;
use crate::oauth::provider::SHARED_SCOPES;
use crate::store::MailboxRow;

/// A permission that was not granted.
pub struct Missing {
    pub scope: &'static str,
    /// Message key of what cannot be done without it.
    pub consequence: &'static str,
}

/// What a mailbox's sign-in did not bring.
pub fn lacking(row: &MailboxRow, settings: &MailboxSettings) -> Vec<Missing> {
    let vendor = settings.provider.vendor().filter(|_| settings.sign_in == SignIn::OAuth);
    let wanted: &[&'static str] = match vendor {
        Some(_) if settings.shared => &SHARED_SCOPES,
        Some(vendor) => vendor.scopes(settings.resource()),
        None => &[],
    };
    let granted: Vec<String> = row.scopes.split_whitespace().map(str::to_owned).collect();
    missing(&granted, wanted)
        .into_iter()
        .map(|scope| Missing { scope, consequence: consequence(scope) })
        .collect()
}

/// Message key of what the worker cannot do without `scope`.
fn consequence(scope: &str) -> &'static str {
    match scope.trim_end_matches(".Shared") {
        "Mail.ReadWrite" => "without-read-write",
        "Mail.Send" | "https://outlook.office.com/SMTP.Send" => "without-send",
        "https://outlook.office.com/IMAP.AccessAsUser.All" | "https://mail.google.com/" => "without-read",
        "User.Read" => "without-user",
        _ => "without-it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::app::Vendor;
    use crate::oauth::source::Resource;

    #[test]
    fn every_permission_that_is_asked_for_has_its_consequence() {
        let all = [Vendor::Microsoft, Vendor::Google].into_iter().flat_map(|vendor| {
            [Resource::Graph, Resource::Mail].into_iter().flat_map(move |resource| vendor.scopes(resource))
        });
        for scope in all.copied().chain(SHARED_SCOPES) {
            assert_ne!(consequence(scope), "without-it", "{scope}");
        }
    }
}
