//! The token endpoint: codes and refresh tokens become access tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
use serde_json::{Value, json};

use crate::base::clock::Timestamp;
use crate::base::secret::{ExposeSecret, equal_in_constant_time};
use crate::web::answer::Answer;

use super::authorize::{check_tenant, unknown_app};
use super::problem::Problem;
use super::scope::Scopes;
use super::world::{RefreshState, RefreshToken, Rotation, World, challenge_of};
use crate::sandbox::call::{Call, first, json as json_answer, percent_decoded};
use crate::sandbox::grants::Grants;
use crate::sandbox::graph::user_id;

/// Whom the tokens are for and what with.
struct Entitled {
    address: String,
    scopes: Scopes,
    nonce: Option<String>,
    /// The refresh token that brought this, if one did.
    by: Option<String>,
}

pub(super) fn answer(
    world: &mut World,
    grants: &Grants,
    tenant: &str,
    call: &Call,
    now: Timestamp,
) -> Answer {
    match exchange(world, grants, tenant, call, now) {
        Ok(tokens) => {
            // One that acts for nobody is none of the tokens that mailboxes are opened with.
            world.tokens_given += u32::from(tokens.get("scope").is_some());
            let mut answer = json_answer(StatusCode::OK, &tokens);
            answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
            answer
        }
        Err(problem) => problem.answer(now),
    }
}

fn exchange(
    world: &mut World,
    grants: &Grants,
    tenant: &str,
    call: &Call,
    now: Timestamp,
) -> Result<Value, Problem> {
    if let Some(problem) = world.forced() {
        return Err(problem);
    }
    check_tenant(world, tenant)?;
    let form = call.form();
    check_client(world, call, &form)?;
    let entitled = match first(&form, "grant_type") {
        Some("client_credentials") => return own_token(&form),
        Some("authorization_code") => redeem_code(world, &form, now)?,
        Some("refresh_token") => refresh(world, &form)?,
        Some(other) => {
            let message = format!("The app requested an unsupported grant type '{other}'.");
            return Err(Problem::new(70_003, "unsupported_grant_type", message));
        }
        None => return Err(Problem::missing("grant_type")),
    };
    Ok(give(world, grants, entitled, &call.origin(), now))
}

/// The secret in the body or as Basic (RFC 6749, 2.3.1).
fn check_client(world: &World, call: &Call, form: &[(String, String)]) -> Result<(), Problem> {
    let basic = basic_credentials(call);
    let (basic_id, basic_secret) =
        basic.as_ref().map_or((None, None), |(id, secret)| (Some(id), Some(secret)));
    let client_id = first(form, "client_id").or(basic_id.map(String::as_str));
    let client_id = client_id.ok_or_else(|| Problem::missing("client_id"))?;
    if client_id != world.app.client_id {
        return Err(unknown_app(client_id));
    }
    let secret = first(form, "client_secret").or(basic_secret.map(String::as_str)).ok_or_else(|| {
        let message =
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        Problem::new(7_000_218, "invalid_client", message)
    })?;
    if !equal_in_constant_time(secret.as_bytes(), world.app.client_secret.expose_secret().as_bytes()) {
        let message = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client \
             secret value, not the client secret ID, for a secret added to app '{client_id}'."
        );
        return Err(Problem::new(7_000_215, "invalid_client", message));
    }
    Ok(())
}

fn basic_credentials(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((percent_decoded(id), percent_decoded(secret)))
}

/// For an app that acts for nobody; it may do nothing and opens nothing (Microsoft identity platform, "client
/// credentials flow").
fn own_token(form: &[(String, String)]) -> Result<Value, Problem> {
    let scope = first(form, "scope").ok_or_else(|| Problem::missing("scope"))?;
    if !scope.ends_with("/.default") {
        let message = format!("The provided value for the input parameter scope '{scope}' is not valid.");
        return Err(Problem::new(1_002_012, "invalid_scope", message));
    }
    let token = uuid::Uuid::new_v4().to_string();
    Ok(json!({ "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token }))
}

fn redeem_code(world: &mut World, form: &[(String, String)], now: Timestamp) -> Result<Entitled, Problem> {
    let name = first(form, "code").ok_or_else(|| Problem::missing("code"))?;
    let code = world.codes.get_mut(name).ok_or_else(malformed)?;
    if code.used {
        let message = "OAuth2 Authorization code was already redeemed, please retry with a new valid \
                       code or use an existing refresh token.";
        return Err(Problem::new(54_005, "invalid_grant", message));
    }
    if code.expires_at <= now {
        let message = "The provided authorization code or refresh token has expired due to inactivity.";
        return Err(Problem::new(70_008, "invalid_grant", message));
    }
    if first(form, "redirect_uri") != Some(&code.redirect_uri) {
        let message =
            "The reply address does not match the reply address provided when requesting Authorization code.";
        return Err(Problem::new(500_112, "invalid_client", message));
    }
    let proven = first(form, "code_verifier").map(challenge_of);
    if code.challenge != proven {
        let message = "The code_verifier does not match the code_challenge supplied in the authorization \
                       request for PKCE.";
        return Err(Problem::new(50_148, "invalid_grant", message));
    }
    code.used = true;
    let scopes = Scopes::parse(code.scopes.iter().map(String::as_str))?;
    Ok(Entitled { address: code.address.clone(), scopes, nonce: code.nonce.clone(), by: None })
}

fn refresh(world: &mut World, form: &[(String, String)]) -> Result<Entitled, Problem> {
    let name = first(form, "refresh_token").ok_or_else(|| Problem::missing("refresh_token"))?;
    let token = world.refresh_tokens.get(name).cloned().ok_or_else(malformed)?;
    match token.state {
        RefreshState::Alive => {}
        RefreshState::Retired => return Err(malformed()),
        RefreshState::Revoked => {
            let message = "The provided grant has expired due to it being revoked, a fresh auth token is \
                           needed. The user might have changed or reset their password.";
            return Err(Problem::new(50_173, "invalid_grant", message));
        }
    }
    if !world.settings.consent {
        return Err(Problem::consent());
    }
    let scopes = match first(form, "scope") {
        Some(scope) => Scopes::parse(scope.split_whitespace())?,
        None => Scopes::parse(token.scopes.iter().map(String::as_str))?,
    };
    if let Some(old) = token.replaces.as_deref().and_then(|old| world.refresh_tokens.get_mut(old)) {
        old.state = RefreshState::Retired;
    }
    Ok(Entitled { address: token.address, scopes, nonce: None, by: Some(name.to_owned()) })
}

fn malformed() -> Problem {
    Problem::new(70_000, "invalid_grant", "Provided grant is invalid or malformed.")
}

fn give(world: &mut World, grants: &Grants, entitled: Entitled, origin: &str, now: Timestamp) -> Value {
    let Entitled { address, scopes, nonce, by } = entitled;
    let settings = world.settings.clone();
    let permissions = settings.granted.unwrap_or_else(|| scopes.permissions.clone());
    let names: Vec<&str> = permissions.iter().map(String::as_str).collect();
    let lifetime = settings.access_lifetime.as_secs();
    let mut tokens = json!({
        "token_type": "Bearer",
        "scope": scopes.told(&permissions, settings.full_scope_names),
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": grants.issue(&address, &names, now + settings.access_lifetime),
    });
    if scopes.has("openid") {
        tokens["id_token"] = json!(id_token(world, &address, nonce, origin, now));
    }
    if by.is_some() || scopes.has("offline_access") {
        tokens["refresh_token"] = json!(rotate(world, &address, &scopes, by, settings.rotation));
    }
    tokens
}

fn rotate(
    world: &mut World,
    address: &str,
    scopes: &Scopes,
    by: Option<String>,
    rotation: Rotation,
) -> String {
    let old = by.as_deref().and_then(|by| world.refresh_tokens.get_mut(by));
    if let (Some(old), Rotation::RetireAtOnce) = (old, rotation) {
        old.state = RefreshState::Retired;
    }
    let replaces = by.filter(|_| rotation == Rotation::RetireOnUse);
    let state = RefreshState::Alive;
    world.add_refresh_token(RefreshToken {
        address: address.to_owned(),
        scopes: scopes.all(),
        state,
        replaces,
    })
}

fn id_token(world: &World, address: &str, nonce: Option<String>, origin: &str, now: Timestamp) -> String {
    let tenant = &world.app.tenant;
    let name = world.account(address).map_or(address, |account| account.name.as_str());
    let mut claims = json!({
        "ver": "2.0",
        "iss": format!("{origin}/{tenant}/v2.0"),
        "aud": world.app.client_id,
        "iat": now.seconds(),
        "nbf": now.seconds(),
        "exp": now.seconds() + 3600,
        "sub": user_id(&format!("{}/{address}", world.app.client_id)),
        "oid": user_id(address),
        "tid": tenant,
        "name": name,
        "preferred_username": address,
        "email": address,
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    world.key.sign(&claims)
}
