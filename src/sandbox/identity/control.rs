//! Controls of the stand-in itself, from Rust and over HTTP: accounts, switches, revocation, forced errors.

use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::secret::ExposeSecret;
use crate::oauth::consent::PERSONAL;
use crate::web::answer::Answer;

use super::world::{Account, RefreshState, Registration, Rotation, Settings, World};
use super::{Identity, Problem};
use crate::sandbox::call::{Call, empty, first, json as json_answer, typed};
use crate::sandbox::grants::Grants;
use crate::sandbox::lock;

impl Identity {
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// `http://idp.localhost:PORT`: to a browser another site than the desk, as in real life.
    pub fn url(&self) -> String {
        format!("http://idp.localhost:{}", self.address().port())
    }

    /// The app registration as it is now.
    pub fn app(&self) -> Registration {
        lock(&self.state.world).app.clone()
    }

    /// Registers a redirect URI.
    pub fn allow_redirect(&self, uri: &str) {
        lock(&self.state.world).app.redirect_uris.push(uri.to_owned());
    }

    /// Changes the app registration, such as its secret.
    pub fn change_app(&self, change: impl FnOnce(&mut Registration)) {
        change(&mut lock(&self.state.world).app);
    }

    /// Adds somebody who can sign in; the first one is chosen at first.
    pub fn add_account(&self, address: &str, name: &str) {
        add_account(&mut lock(&self.state.world), address, name);
    }

    pub fn settings(&self) -> Settings {
        lock(&self.state.world).settings.clone()
    }

    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut lock(&self.state.world).settings);
    }

    /// From now on the app signs in personal accounts, and no organisation's.
    pub fn serve_personal_accounts(&self) {
        lock(&self.state.world).app.tenant = PERSONAL.to_owned();
    }

    /// The account's refresh tokens are dead; access tokens live on until they end.
    pub fn revoke(&self, address: &str) {
        revoke(&mut lock(&self.state.world), address);
    }

    /// The account's access tokens are refused from now on.
    pub fn end_access_tokens(&self, address: &str) {
        self.state.grants.end(address);
    }

    /// The token endpoint gives this error the next `times` times.
    pub fn force_error(&self, problem: Problem, times: u32) {
        force(&mut lock(&self.state.world), problem, times);
    }

    /// How often the token endpoint has given tokens.
    pub fn tokens_given(&self) -> u32 {
        lock(&self.state.world).tokens_given
    }
}

fn add_account(world: &mut World, address: &str, name: &str) {
    world.accounts.push(Account { address: address.to_lowercase(), name: name.to_owned() });
}

fn revoke(world: &mut World, address: &str) {
    let all = world.refresh_tokens.values_mut();
    for token in all.filter(|token| token.address.eq_ignore_ascii_case(address)) {
        token.state = RefreshState::Revoked;
    }
}

fn force(world: &mut World, problem: Problem, times: u32) {
    if times > 0 {
        world.forced.push((problem, times));
    }
}

/// The same over HTTP.
pub(super) fn answer(world: &mut World, grants: &Grants, call: &Call) -> Answer {
    let query = call.pairs();
    let address = first(&query, "address").unwrap_or_default();
    match (call.method.as_str(), call.path.as_str()) {
        ("GET", "/_control/app") => app(world),
        ("POST", "/_control/redirects") => {
            world.app.redirect_uris.extend(first(&query, "uri").map(str::to_owned));
            empty(StatusCode::NO_CONTENT)
        }
        ("POST", "/_control/accounts") => {
            add_account(world, address, first(&query, "name").unwrap_or(address));
            empty(StatusCode::NO_CONTENT)
        }
        ("POST", "/_control/revoke") => {
            revoke(world, address);
            empty(StatusCode::NO_CONTENT)
        }
        ("DELETE", "/_control/access-tokens") => {
            grants.end(address);
            empty(StatusCode::NO_CONTENT)
        }
        ("PATCH", "/_control/settings") => {
            read(&call.body, |wanted: Wanted| wanted.apply(&mut world.settings))
        }
        ("POST", "/_control/errors") => read(&call.body, |forced: Forced| {
            let problem = Problem::new(forced.number, &forced.error, "Forced by a control.");
            force(world, problem, forced.times);
        }),
        _ => empty(StatusCode::NOT_FOUND),
    }
}

/// The secret is shown: it is worth nothing outside this process.
fn app(world: &World) -> Answer {
    let body: Value = json!({
        "clientId": world.app.client_id,
        "clientSecret": world.app.client_secret.expose_secret(),
        "tenant": world.app.tenant,
        "redirectUris": world.app.redirect_uris,
        "tokensGiven": world.tokens_given,
    });
    json_answer(StatusCode::OK, &body)
}

/// Members that are not there leave their switch as it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    consent: Option<bool>,
    granted: Option<Vec<String>>,
    access_lifetime_seconds: Option<u64>,
    rotation: Option<WantedRotation>,
    full_scope_names: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum WantedRotation {
    Keep,
    RetireOnUse,
    RetireAtOnce,
}

impl Wanted {
    fn apply(self, settings: &mut Settings) {
        settings.consent = self.consent.unwrap_or(settings.consent);
        settings.granted = self.granted.or(settings.granted.take());
        let lifetime = self.access_lifetime_seconds.map(Duration::from_secs);
        settings.access_lifetime = lifetime.unwrap_or(settings.access_lifetime);
        settings.full_scope_names = self.full_scope_names.unwrap_or(settings.full_scope_names);
        settings.rotation = match self.rotation {
            Some(WantedRotation::Keep) => Rotation::Keep,
            Some(WantedRotation::RetireOnUse) => Rotation::RetireOnUse,
            Some(WantedRotation::RetireAtOnce) => Rotation::RetireAtOnce,
            None => settings.rotation,
        };
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forced {
    number: u32,
    error: String,
    times: u32,
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8], apply: impl FnOnce(T)) -> Answer {
    match serde_json::from_slice(body) {
        Ok(wanted) => {
            apply(wanted);
            empty(StatusCode::NO_CONTENT)
        }
        Err(error) => typed(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", format!("{error}\n")),
    }
}
