//! Signing in at a provider: the way there, and what it answers.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::ALLOW;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;
use utoipa::{IntoParams, ToSchema};

use crate::base::audit::{Event, Outcome};
use crate::base::clock::Timestamp;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::console::api::email_settings::parts::OAuthProvider;
use crate::console::api::parts::{Answer, Asking, Ordered, Problems, Refused};
use crate::console::callback::{self, Unparked};
use crate::console::complete::complete;
use crate::console::connect::{Leaving, begin_sign_in, same_account};
use crate::console::form::secret;
use crate::console::guard::Client;
use crate::console::page;
use crate::console::shared::Shared;
use crate::mailbox::detect::MailAddress;
use crate::mailbox::settings::Provider;
use crate::oauth::callback::Callback;
use crate::oauth::flow::Wanted;
use crate::web::local::Admin;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInStart {
    /// Whose mailbox; anybody's without it.
    #[schema(max_length = 1016, example = "support@example.com")]
    email: Option<String>,
    /// The address is a shared mailbox that the account may open.
    #[serde(default)]
    shared: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorizationUrl {
    success: bool,
    /// Where the browser has to go.
    authorization_url: String,
    /// What the provider brings back with its answer; good for ten minutes and for this session alone.
    state: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, max_length = 4096)]
    code: SecretString,
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, max_length = 4096)]
    state: SecretString,
}

/// What the provider's redirect carries.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "tells the document what the raw query holds")]
struct Redirected {
    state: String,
    code: Option<String>,
    /// RFC 6749, section 4.1.2.1.
    error: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SignedIn {
    success: bool,
    /// The mailbox.
    email: String,
    /// Its id, for `?mailbox=` and the credentials.
    credential_id: String,
    /// RFC 3339; when the present token ends.
    #[schema(required)]
    expires_at: Option<String>,
}

/// Starts a sign-in. The provider sends the browser back to `/admin/exchange/callback`, the redirect URI of
/// every sign-in, which goes on by itself.
#[utoipa::path(post, path = "/api/tickets/email-settings/oauth/{provider}/", tag = "email-settings",
    params(("provider" = OAuthProvider, Path)), request_body = SignInStart,
    responses((status = 200, body = AuthorizationUrl), Problems))]
pub async fn start(
    State(shared): State<Arc<Shared>>,
    Path(provider): Path<String>,
    client: Client,
    Ordered(admin, start): Ordered<SignInStart>,
) -> Result<Answer<AuthorizationUrl>, Refused> {
    let provider = OAuthProvider::named(&provider)?.provider();
    let leaving = leaving(&shared, provider, &start).await?;
    let url = begin_sign_in(&shared, &client, &admin, leaving).await?;
    let state = url.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned());
    let state = state.expect("every authorization URL carries a state");
    Ok(Answer(StatusCode::OK, AuthorizationUrl { success: true, authorization_url: url.into(), state }))
}

async fn leaving(shared: &Shared, provider: Provider, start: &SignInStart) -> Result<Leaving, Refused> {
    let unprocessable = |sentence: String| Refused::new(StatusCode::UNPROCESSABLE_ENTITY, sentence);
    if start.shared && provider != Provider::Microsoft {
        return Err(unprocessable("`shared` is for mailboxes at Microsoft only.".to_owned()));
    }
    let Some(email) = &start.email else {
        return match start.shared {
            true => Err(unprocessable("`email` of the shared mailbox is missing.".to_owned())),
            false => Ok(Leaving::usual(provider, shared.newcomer())),
        };
    };
    let address = MailAddress::parse(email);
    let address = address.map_err(|refused| unprocessable(format!("`email`: {refused}.")))?;
    let address = address.ascii();
    if start.shared {
        return Ok(Leaving::usual(provider, Wanted::Member(address)));
    }
    let known = shared.mailbox_of(&address).await?;
    match known.as_ref().map(same_account) {
        Some(Ok(same)) if same.provider == provider => Ok(same),
        _ => Ok(Leaving::usual(provider, Wanted::Owner(address))),
    }
}

/// Finishes a sign-in with what the provider brought back; the session has to be the one that started it.
#[utoipa::path(get, path = "/api/tickets/email-settings/oauth/{provider}/callback/", tag = "email-settings",
    params(("provider" = OAuthProvider, Path), Redirected),
    responses((status = 200, body = SignedIn), Problems))]
pub async fn callback(
    State(shared): State<Arc<Shared>>,
    Path(provider): Path<String>,
    client: Client,
    Asking(admin): Asking,
    RawQuery(query): RawQuery,
) -> Result<Answer<SignedIn>, Refused> {
    OAuthProvider::named(&provider)?;
    finish(&shared, &client, &admin, query.as_deref().unwrap_or_default()).await
}

/// HEAD must not use up what GET uses up.
pub async fn no_head() -> Response {
    let refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, "Only GET and POST finish a sign-in.");
    ([(ALLOW, "GET,POST")], refused).into_response()
}

/// The same with a body.
#[utoipa::path(post, path = "/api/tickets/email-settings/oauth/{provider}/callback/", tag = "email-settings",
    params(("provider" = OAuthProvider, Path)), request_body = Returned,
    responses((status = 200, body = SignedIn), Problems))]
pub async fn callback_posted(
    State(shared): State<Arc<Shared>>,
    Path(provider): Path<String>,
    client: Client,
    Ordered(admin, returned): Ordered<Returned>,
) -> Result<Answer<SignedIn>, Refused> {
    OAuthProvider::named(&provider)?;
    let pairs = [("code", &returned.code), ("state", &returned.state)];
    let pairs = pairs.map(|(name, value)| (name, value.expose_secret()));
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    finish(&shared, &client, &admin, &query).await
}

async fn finish(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    query: &str,
) -> Result<Answer<SignedIn>, Refused> {
    let returned = |outcome, detail| shared.note(client, admin, Event::OauthReturn, outcome, detail);
    let unknown = || Refused::from(page::problem(StatusCode::BAD_REQUEST, &page::SIGN_IN_GONE));
    let callback = Callback::parse(query).map_err(|_| {
        returned(Outcome::Refused, "not a provider's answer");
        unknown()
    })?;
    let (flow, _) = callback::keep(shared, callback).await.map_err(|unparked| match unparked {
        Unparked::Refused(detail) => {
            returned(Outcome::Refused, detail);
            unknown()
        }
        Unparked::Broken(page) => {
            returned(Outcome::Failure, "the store is silent");
            page.into()
        }
    })?;
    returned(Outcome::Success, "parked");
    let kept = complete(shared, client, admin, &flow).await?.mailbox;
    let signed_in = SignedIn {
        success: true,
        expires_at: shared.token_expiry(&kept.id).map(Timestamp::rfc3339),
        credential_id: kept.id.to_string(),
        email: kept.address,
    };
    Ok(Answer(StatusCode::OK, signed_in))
}
