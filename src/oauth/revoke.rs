//! Ending a grant at the provider (RFC 7009), when its mailbox is disconnected.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::base::secret::{ExposeSecret, SecretString};
use crate::oauth::app::App;
use crate::web::call::{CallError, HttpCall};

/// What an answer says does not matter; only its status does.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Why a grant may live on at the provider.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    #[error("the revocation endpoint is not the provider's own")]
    ForeignEndpoint,
    #[error("the revocation endpoint gave no answer")]
    Call(#[from] CallError),
    #[error("the request to the revocation endpoint cannot be formed")]
    Request(#[from] http::Error),
    #[error("the revocation endpoint refused ({status})")]
    Refused { status: StatusCode },
}

/// Asks the provider to forget `token`, a refresh token, and every access token that came of it.
///
/// A 400 is taken as an answer about a token that is dead already: Google gives it where RFC 7009 (section
/// 2.2) has 200.
pub async fn revoke(
    http: &dyn HttpCall,
    app: &App,
    revoke_url: &Url,
    token: &SecretString,
) -> Result<(), RevokeError> {
    if !app.owns(revoke_url) {
        return Err(RevokeError::ForeignEndpoint);
    }
    let form = Zeroizing::new(
        form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token.expose_secret())
            .append_pair("token_type_hint", "refresh_token")
            .append_pair("client_id", app.client_id())
            .append_pair("client_secret", app.client_secret().expose_secret())
            .finish(),
    );
    let request = Request::post(revoke_url.as_str())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::copy_from_slice(form.as_bytes()))?;
    match http.call(request, ANSWER_LIMIT).await?.status() {
        status if status.is_success() || status == StatusCode::BAD_REQUEST => Ok(()),
        status => Err(RevokeError::Refused { status }),
    }
}
