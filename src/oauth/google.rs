//! What is Google's own: its registration, its one scope for mail, and what its errors mean.

use url::Url;

use crate::base::secret::SecretString;
use crate::oauth::advice::{Advice, Retry, Who};

/// Where Google's metadata and sign-in page are.
pub const AUTHORITY: &str = "https://accounts.google.com";

/// IMAP and SMTP (Google, "Gmail IMAP, POP and SMTP: OAuth 2.0 mechanism"); there is no narrower one.
pub const MAIL_SCOPE: &str = "https://mail.google.com/";

/// The OAuth client of a Google Cloud project.
#[derive(Debug, Clone)]
pub struct GoogleApp {
    pub client_id: String,
    pub client_secret: SecretString,
    /// [`AUTHORITY`].
    pub authority: Url,
}

/// Advice on an OAuth `error` of Google ("Authorization errors", "Refresh token expiration"). All texts are
/// fixed.
pub fn advise(error: &str) -> Advice {
    let (who, happened, to_do, retry) = match error {
        "access_denied" => (
            Who::MailboxOwner,
            "The sign-in was cancelled or not allowed.",
            "Connect again and allow the access. While the consent screen is in testing, the account has to \
             be one of its test users.",
            Retry::Reconnect,
        ),
        "invalid_grant" => (
            Who::MailboxOwner,
            "Google no longer accepts the stored sign-in.",
            "Connect the mailbox again. If this comes back every seven days, the consent screen is still in \
             testing: publish it, or make it internal.",
            Retry::Reconnect,
        ),
        "interaction_required" | "login_required" | "consent_required" | "account_selection_required" => (
            Who::MailboxOwner,
            "Google asks for the sign-in to be confirmed by a person.",
            "Connect the mailbox again.",
            Retry::Reconnect,
        ),
        "admin_policy_enforced" | "org_internal" => (
            Who::MailboxOwner,
            "The Google Workspace organisation does not allow this app.",
            "Ask the Workspace administrator to trust the client id under Security, API controls.",
            Retry::Reconnect,
        ),
        "invalid_client" | "unauthorized_client" | "deleted_client" => (
            Who::Operator,
            "Google does not accept the client id or secret.",
            "Compare them with the OAuth client under Credentials in the Google Cloud console.",
            Retry::AfterConfiguration,
        ),
        "redirect_uri_mismatch" => (
            Who::Operator,
            "The redirect URI is not registered.",
            "Add the redirect URI shown on this page, exactly, to the OAuth client's authorized redirect URIs.",
            Retry::AfterConfiguration,
        ),
        "invalid_scope" | "invalid_request" | "unsupported_grant_type" | "unsupported_response_type" => (
            Who::Operator,
            "Google does not accept the request as the OAuth client is set up.",
            "Check that the client is of the type Web application and the consent screen lists the Gmail scope.",
            Retry::AfterConfiguration,
        ),
        "temporarily_unavailable" | "server_error" | "rate_limit_exceeded" => (
            Who::Nobody,
            "Google's sign-in service cannot answer now.",
            "Wait; mintgate tries again by itself.",
            Retry::Later,
        ),
        _ => (
            Who::Operator,
            "Google refused for a reason that is not known here.",
            "Try again; if it stays, look the error up in Google's OAuth documentation.",
            Retry::Later,
        ),
    };
    Advice { who, happened, to_do, retry }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_grant_asks_for_a_person_and_a_wrong_client_for_the_operator() {
        for (error, retry) in [
            ("invalid_grant", Retry::Reconnect),
            ("admin_policy_enforced", Retry::Reconnect),
            ("invalid_client", Retry::AfterConfiguration),
            ("rate_limit_exceeded", Retry::Later),
            ("something_new", Retry::Later),
        ] {
            assert_eq!(advise(error).retry, retry, "{error}");
        }
    }

    #[test]
    fn nobody_is_sent_to_microsoft() {
        for error in ["access_denied", "invalid_grant", "consent_required", "invalid_scope", ""] {
            let advice = advise(error);
            assert!(!format!("{}{}", advice.happened, advice.to_do).contains("Microsoft"), "{error}");
        }
    }
}
