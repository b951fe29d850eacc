//! Asks a provider whether it takes a registration, before anybody signs in by it.
//!
//! Microsoft gives an app a token of its own for the asking (RFC 6749, section 4.4); Google judges id and secret
//! before it judges a code, so that a code that means nothing tells them apart (RFC 6749, section 5.2). Whatever
//! is given is dropped at once.

use std::sync::Arc;

use url::Url;

use crate::base::clock::Timestamp;
use crate::base::secret::SecretString;
use crate::oauth::app::{App, Vendor};
use crate::oauth::consent::is_personal;
use crate::oauth::grant::{GrantError, Refusal, own_token, redeem};
use crate::oauth::provider::MicrosoftApp;
use crate::web::call::HttpCall;

/// No provider gives such a code.
const NO_CODE: &str = "a-code-that-nobody-was-given";
/// As long as RFC 7636, section 4.1 wants it.
const NO_VERIFIER: &str = "a-verifier-of-a-sign-in-that-never-took-place";

/// What the provider says of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Taken,
    /// It cannot work: the refusal says why.
    Refused(Refusal),
    /// Only a sign-in will tell. The refusal is about something else than the registration.
    Untold(Option<Refusal>),
}

/// The value of a registration that a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Tenant,
    ClientId,
    Secret,
    SecretEnded,
    /// One of id and secret; the provider does not say which.
    IdOrSecret,
}

/// Asks the provider of `app` at its `token_url`. `redirect_uri` is the one that sign-ins use.
///
/// # Errors
/// When the provider does not answer, or not in a way that can be understood. That says nothing of the registration.
pub async fn ask(
    http: &Arc<dyn HttpCall>,
    app: &App,
    token_url: &Url,
    redirect_uri: &Url,
    now: Timestamp,
) -> Result<Verdict, GrantError> {
    let answer = match app {
        // No app may ask for a token of its own where personal accounts are.
        App::Microsoft(_) if is_personal(app) => return Ok(Verdict::Untold(None)),
        App::Microsoft(own) => own_token(http, app, token_url, everything(own), now).await,
        App::Google(_) => {
            let (code, verifier) = (SecretString::from(NO_CODE), SecretString::from(NO_VERIFIER));
            redeem(http, app, token_url, &code, &verifier, redirect_uri, now).await.map(drop)
        }
    };
    match answer {
        Ok(()) => Ok(Verdict::Taken),
        Err(GrantError::Refused(refusal)) => Ok(judge(app.vendor(), refusal)),
        Err(failure) => Err(failure),
    }
}

/// Whatever an app may do at Graph; one for users alone may do nothing by itself and gets a token all the same.
fn everything(app: &MicrosoftApp) -> String {
    format!("{}/.default", app.graph.as_str().trim_end_matches('/'))
}

fn judge(vendor: Vendor, refusal: Refusal) -> Verdict {
    match (vendor, refusal.error.as_str()) {
        _ if fault(&refusal).is_some() => Verdict::Refused(refusal),
        (Vendor::Google, "invalid_grant") => Verdict::Taken,
        _ => Verdict::Untold(Some(refusal)),
    }
}

/// What of the registration is wrong; `None` where the refusal is not about it.
pub fn fault(refusal: &Refusal) -> Option<Fault> {
    match (refusal.code, refusal.error.as_str()) {
        // Entra ID says these two with an error that has other causes, too.
        (Some(90_002 | 900_023), _) => Some(Fault::Tenant),
        (Some(700_016), _) => Some(Fault::ClientId),
        (Some(7_000_215), _) => Some(Fault::Secret),
        (Some(7_000_222), _) => Some(Fault::SecretEnded),
        (_, "invalid_client" | "unauthorized_client" | "deleted_client") => Some(Fault::IdOrSecret),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(error: &str, code: Option<u32>) -> Refusal {
        Refusal { error: error.to_owned(), code, trace_id: None, correlation_id: None, timestamp: None }
    }

    #[test]
    fn only_what_is_about_the_registration_counts_against_it() {
        use Vendor::{Google, Microsoft};
        let (refused, untold) = (Verdict::Refused as fn(_) -> _, |refusal| Verdict::Untold(Some(refusal)));
        for (vendor, error, code, expected) in [
            (Microsoft, "invalid_client", Some(7_000_215), refused),
            (Microsoft, "invalid_client", None, refused),
            (Microsoft, "unauthorized_client", Some(700_016), refused),
            (Microsoft, "invalid_request", Some(90_002), refused),
            (Microsoft, "invalid_request", None, untold),
            (Microsoft, "access_denied", Some(53_003), untold),
            (Microsoft, "invalid_grant", None, untold),
            (Microsoft, "temporarily_unavailable", None, untold),
            (Google, "invalid_client", None, refused),
            (Google, "invalid_grant", None, |_| Verdict::Taken),
            (Google, "redirect_uri_mismatch", None, untold),
        ] {
            let told = judge(vendor, refusal(error, code));
            assert_eq!(told, expected(refusal(error, code)), "{vendor:?} {error} {code:?}");
        }
    }

    #[test]
    fn each_number_of_microsofts_names_one_value() {
        for (error, code, expected) in [
            ("invalid_request", 900_023, Fault::Tenant),
            ("unauthorized_client", 700_016, Fault::ClientId),
            ("invalid_client", 7_000_215, Fault::Secret),
            ("invalid_client", 7_000_222, Fault::SecretEnded),
            ("invalid_client", 7_000_112, Fault::IdOrSecret),
        ] {
            assert_eq!(fault(&refusal(error, Some(code))), Some(expected), "{code}");
        }
    }
}
