//! A stand-in for Microsoft's identity platform: one directory, one app registration, an account picker.
//!
//! It is where its caller says it is: every address it tells is on the origin it was called by.

mod authorize;
mod consent;
mod control;
mod key;
mod pages;
mod problem;
mod scope;
mod token;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde_json::json;

use crate::base::clock::{Clock, SystemClock};
use crate::web::answer::Answer;

use super::call::{Call, empty, json as json_answer};
use super::fault::Faults;
use super::grants::Grants;
use super::lock;
use super::server::{Part, Server};

use world::World;

pub use problem::Problem;
pub use world::{Account, Registration, Rotation, Settings};

/// A running identity provider; it ends when this is dropped. Its controls are in `control`.
pub struct Identity {
    server: Server,
    state: Arc<State>,
    pub faults: Faults,
}

/// Starts an identity provider on `address`; its access tokens go into `grants`.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(address: SocketAddr, grants: Grants) -> io::Result<Identity> {
    start_with_clock(address, grants, Arc::new(SystemClock)).await
}

/// Starts an identity provider whose tokens end by `clock`.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start_with_clock(
    address: SocketAddr,
    grants: Grants,
    clock: Arc<dyn Clock>,
) -> io::Result<Identity> {
    let state = Arc::new(State { world: Mutex::new(World::new()), grants, clock });
    let faults = Faults::default();
    let server = Server::start(address, state.clone(), faults.clone()).await?;
    Ok(Identity { server, state, faults })
}

struct State {
    world: Mutex<World>,
    grants: Grants,
    clock: Arc<dyn Clock>,
}

impl Part for State {
    fn answer(&self, call: &Call) -> Answer {
        let mut world = lock(&self.world);
        let now = self.clock.now();
        let segments: Vec<&str> = call.path.split('/').skip(1).collect();
        match (call.method.as_str(), segments.as_slice()) {
            (_, ["_control", ..]) => control::answer(&mut world, &self.grants, call),
            ("GET", [tenant, "oauth2", "v2.0", "authorize"]) => authorize::show(&world, tenant, call, now),
            ("POST", [tenant, "oauth2", "v2.0", "authorize"]) => {
                authorize::decide(&mut world, tenant, call, now)
            }
            ("POST", [tenant, "oauth2", "v2.0", "token"]) => {
                token::answer(&mut world, &self.grants, tenant, call, now)
            }
            ("GET", [tenant, "v2.0", "adminconsent"]) => consent::answer(&mut world, tenant, call, now),
            ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
                match authorize::check_tenant(&world, tenant) {
                    Ok(()) => metadata(&world, &call.origin()),
                    Err(problem) => problem.answer(now),
                }
            }
            ("GET", [_, "discovery", "v2.0", "keys"]) => {
                json_answer(StatusCode::OK, &json!({"keys": [world.key.jwk()]}))
            }
            _ => empty(StatusCode::NOT_FOUND),
        }
    }

    fn refuse(&self, _call: &Call, status: StatusCode) -> Answer {
        let message = "A transient error has occurred. Please try again.";
        let problem = Problem::new(90_033, "temporarily_unavailable", message);
        let mut answer = problem.answer(self.clock.now());
        *answer.status_mut() = status;
        answer
    }
}

/// OpenID Connect Discovery 1.0, section 3.
fn metadata(world: &World, origin: &str) -> Answer {
    let base = format!("{origin}/{}", world.app.tenant);
    let body = json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "userinfo_endpoint": format!("{origin}/oidc/userinfo"),
        "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "response_modes_supported": ["query"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "name", "preferred_username", "tid"],
    });
    json_answer(StatusCode::OK, &body)
}
