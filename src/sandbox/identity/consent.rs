//! The admin consent endpoint: whoever opens its link is an administrator and agrees.

use http::StatusCode;

use crate::base::clock::Timestamp;
use crate::web::answer::Answer;

use super::authorize::{check_tenant, unknown_app};
use super::pages;
use super::problem::Problem;
use super::world::World;
use crate::sandbox::call::{Call, first, redirect};

pub(super) fn answer(world: &mut World, tenant: &str, call: &Call, now: Timestamp) -> Answer {
    match agree(world, tenant, &call.pairs()) {
        Ok(location) => redirect(StatusCode::FOUND, &location),
        Err(problem) => pages::problem(&problem, now),
    }
}

/// Where the browser is sent once the permissions are granted.
fn agree(world: &mut World, tenant: &str, pairs: &[(String, String)]) -> Result<String, Problem> {
    check_tenant(world, tenant)?;
    let parameter = |name: &str| first(pairs, name).ok_or_else(|| Problem::missing(name));
    let client_id = parameter("client_id")?;
    if client_id != world.app.client_id {
        return Err(unknown_app(client_id));
    }
    let (back, scope, state) = (parameter("redirect_uri")?, parameter("scope")?, parameter("state")?);
    if !world.app.redirect_uris.iter().any(|known| known == back) {
        let message =
            format!("The redirect URI '{back}' is not configured for the application '{client_id}'.");
        return Err(Problem::new(50_011, "invalid_request", message));
    }
    world.settings.consent = true;
    let pairs = [("admin_consent", "True"), ("tenant", world.app.tenant.as_str()), ("scope", scope)];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.into_iter().chain([("state", state)]));
    Ok(format!("{back}?{}", query.finish()))
}
