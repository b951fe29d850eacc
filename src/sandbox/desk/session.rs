//! Signing in and out, who am I, and the desk's session binding.

use http::StatusCode;
use serde_json::{Value, json};

use super::gate::ApiCall;
use super::refusal::Refusal;
use super::token::LIFETIME;
use super::world::{Session, User, World, cuid};
use crate::sandbox::with_millis;

type Outcome = Result<Value, Refusal>;

pub(super) fn login(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    for property in ["email", "password"] {
        if call.text(property).is_none() {
            let message = format!("body must have required property '{property}'");
            return Err(Refusal::fastify(StatusCode::BAD_REQUEST, Some("FST_ERR_VALIDATION"), &message));
        }
    }
    let user = call.text("email").and_then(|email| world.user_by_email(email));
    let Some(user) = user.filter(|user| call.text("password") == Some(&user.password)).cloned() else {
        let body = json!({"message": "Invalid email or password"});
        return Err(Refusal::plain(StatusCode::UNAUTHORIZED, body));
    };
    let expires_at = call.now + LIFETIME;
    let token = world.signer.sign(&user.id, call.now, expires_at);
    world.sessions.push(Session {
        id: cuid(),
        token: token.clone(),
        user: user.id.clone(),
        user_agent: call.user_agent().to_owned(),
        ip_address: call.client(),
        created_at: call.now,
        expires_at,
    });
    let mut shown = about(&user);
    shown["firstLogin"] = json!(user.first_login);
    Ok(json!({"token": token, "user": shown}))
}

/// The session of this call's token. Where both the user agent and the address differ from those at login,
/// the desk deletes the session.
pub(super) fn checked<'w>(world: &'w mut World, call: &ApiCall<'_>) -> Option<&'w User> {
    let token = call.token.as_deref()?;
    let at = world.sessions.iter().position(|session| session.token == token)?;
    let session = &world.sessions[at];
    if session.user_agent != call.user_agent() && session.ip_address != call.client() {
        world.sessions.remove(at);
        return None;
    }
    let user = session.user.clone();
    world.user(&user)
}

/// As [`checked`], for routes that use the user without asking whether there is one.
pub(super) fn user(world: &mut World, call: &ApiCall<'_>) -> Result<User, Refusal> {
    checked(world, call).cloned().ok_or_else(|| Refusal::null("id"))
}

/// The profile looks the session up before the binding is checked, so that the call which loses the
/// session is still answered.
pub(super) fn profile(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    let session = world.sessions.iter().find(|session| Some(&session.token) == call.token.as_ref());
    let owner = session.map(|session| session.user.clone()).ok_or_else(|| Refusal::null("userId"))?;
    checked(world, call);
    let user = world.user(&owner).ok_or_else(|| Refusal::null("id"))?;
    let newest_first = world.notifications.iter().rev().filter(|notification| notification.user_id == owner);
    let mut shown = about(user);
    shown["sso_status"] = json!(false);
    shown["version"] = json!("0.4.3");
    shown["notifcations"] = json!(newest_first.collect::<Vec<_>>());
    Ok(json!({"user": shown}))
}

pub(super) fn sessions(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    let Some(owner) = checked(world, call).map(|user| user.id.clone()) else {
        return Err(Refusal::plain(StatusCode::UNAUTHORIZED, json!({"message": "Unauthorized"})));
    };
    let rows = world.sessions.iter().filter(|session| session.user == owner).map(|session| {
        json!({
            "id": session.id,
            "userAgent": session.user_agent,
            "ipAddress": session.ip_address,
            "createdAt": with_millis(session.created_at),
            "expires": with_millis(session.expires_at),
        })
    });
    Ok(json!({"sessions": rows.collect::<Vec<_>>()}))
}

/// Deletes every session of whichever user is named; nobody asks whether that is the caller.
pub(super) fn logout(world: &mut World, id: &str) -> Outcome {
    world.sessions.retain(|session| session.user != id);
    Ok(json!({"success": true}))
}

pub(super) fn read_notification(world: &mut World, call: &ApiCall<'_>, id: &str) -> Outcome {
    user(world, call)?;
    match world.notifications.iter_mut().find(|notification| notification.id == id) {
        Some(notification) => {
            notification.read = true;
            Ok(json!({"success": true}))
        }
        None => Err(Refusal::database("P2025", "notifications", "update", "\nAn operation failed.")),
    }
}

fn about(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "isAdmin": user.is_admin,
        "language": user.language,
        "ticket_created": true,
        "ticket_status_changed": true,
        "ticket_comments": true,
        "ticket_assigned": true,
        "external_user": user.external,
    })
}
