//! Where in the providers' own pages something is set. They change those pages now and then: this is the one
//! place that names them.

use crate::mailbox::settings::Provider;
use crate::oauth::advice::Place;
use crate::oauth::app::Vendor;

const ENTRA: &str = "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps";

const NEW_AT_MICROSOFT: &str = "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/CreateApplicationBlade/quickStartType~/null/isMSAApp~/false";

/// Message key and address of the pages that matter for connecting; those of one app registration only when
/// its id is known.
pub fn links(provider: Provider, client_id: Option<&str>) -> Vec<(&'static str, String)> {
    match (provider, client_id) {
        (Provider::Microsoft, Some(id)) => [
            ("link-redirect", "Authentication"),
            ("link-secret", "Credentials"),
            ("link-permissions", "CallAnAPI"),
            ("link-app", "Overview"),
        ]
        .map(|(key, blade)| (key, format!("{ENTRA}/ApplicationMenuBlade/~/{blade}/appId/{id}")))
        .into(),
        (Provider::Google, _) => vec![
            ("link-google-client", "https://console.cloud.google.com/apis/credentials".to_owned()),
            (
                "link-google-api",
                "https://console.cloud.google.com/apis/library/gmail.googleapis.com".to_owned(),
            ),
        ],
        (Provider::Microsoft, None) | (Provider::Other, _) => Vec::new(),
    }
}

/// The provider's page on which an app is registered.
pub fn new_app(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Microsoft => NEW_AT_MICROSOFT,
        Vendor::Google => "https://console.cloud.google.com/apis/credentials/oauthclient",
    }
}

/// The provider's page of a place; `None` for places of our own.
pub fn outside(place: Place, client_id: Option<&str>) -> Option<String> {
    let blade = |name: &str| match client_id {
        Some(id) => format!("{ENTRA}/ApplicationMenuBlade/~/{name}/appId/{id}"),
        None => format!("{ENTRA}/ApplicationsListBlade"),
    };
    Some(match place {
        Place::SignIn | Place::Settings | Place::Wizard | Place::Apps => return None,
        Place::EntraAuthentication => blade("Authentication"),
        Place::EntraSecrets => blade("Credentials"),
        // The button for the administrator's consent is on the page of the permissions.
        Place::EntraPermissions | Place::EntraConsent => blade("CallAnAPI"),
        Place::EntraOverview => blade("Overview"),
        Place::EntraUsers => {
            "https://entra.microsoft.com/#view/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview"
                .to_owned()
        }
        Place::EntraSignInLogs => {
            "https://entra.microsoft.com/#view/Microsoft_AAD_IAM/SignInEventsV3Blade".to_owned()
        }
        Place::EntraAccounts => {
            "https://entra.microsoft.com/#view/Microsoft_AAD_UsersAndTenants/UserManagementMenuBlade/~/AllUsers"
                .to_owned()
        }
        Place::ExchangeMailboxes => "https://admin.exchange.microsoft.com/#/mailboxes".to_owned(),
        Place::MicrosoftErrors => "https://login.microsoftonline.com/error".to_owned(),
        Place::GoogleClients => "https://console.cloud.google.com/apis/credentials".to_owned(),
        Place::GoogleConsentScreen => "https://console.cloud.google.com/apis/credentials/consent".to_owned(),
        Place::GoogleApi => "https://console.cloud.google.com/apis/library/gmail.googleapis.com".to_owned(),
        Place::GoogleAdmin => "https://admin.google.com/ac/owl".to_owned(),
        Place::GoogleAppPasswords => "https://myaccount.google.com/apppasswords".to_owned(),
        Place::GoogleAccount => "https://myaccount.google.com/security".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_apps_own_pages() {
        let links = links(Provider::Microsoft, Some("11111111-2222"));
        assert_eq!(links.len(), 4);
        for (key, url) in links {
            assert!(url.ends_with("/appId/11111111-2222"), "{key} {url}");
            assert!(url::Url::parse(&url).is_ok_and(|url| url.scheme() == "https"), "{key} {url}");
        }
    }
}
