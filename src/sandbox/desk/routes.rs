//! Which API route is which function.

use serde_json::{Value, json};

use super::gate::ApiCall;
use super::refusal::Refusal;
use super::world::World;
use super::{people, session, settings, ticket};

/// Answers an API call that passed the gate.
pub(super) fn answer(world: &mut World, call: &ApiCall<'_>) -> Result<Value, Refusal> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    // A HEAD is answered as its GET; the server leaves the body out.
    let method = if call.call.method == "HEAD" { "GET" } else { call.call.method.as_str() };
    match (method, segments.as_slice()) {
        ("POST", ["auth", "login"]) => session::login(world, call),
        ("GET", ["auth", "profile"]) => session::profile(world, call),
        ("GET", ["auth", "sessions"]) => session::sessions(world, call),
        ("GET", ["auth", "user", id, "logout"]) => session::logout(world, id),
        ("GET", ["auth", "check"]) => {
            Ok(json!({"success": true, "message": "SSO not enabled", "oauth": false}))
        }
        ("GET", ["config", "authentication", "check"]) => Ok(json!({"success": true, "sso": false})),
        ("GET", ["user", "notifcation", id]) => session::read_notification(world, call, id),
        ("POST", ["user", "new"]) => people::add(world, call),
        ("POST", ["auth", "user", "register"]) => people::register(world, call),
        ("POST", ["auth", "user", "register", "external"]) => people::register_external(world, call),
        ("PUT", ["auth", "user", "role"]) => people::set_admin(world, call),
        ("GET", ["users", "all"]) => people::all(world),
        ("GET", ["roles", "all"]) => people::roles(world),
        ("POST", ["role", "create"]) => people::add_role(world, call),
        ("PUT", ["role", id, "update"]) => people::update_role(world, call, id),
        ("PATCH", ["config", "toggle-roles"]) => people::toggle_roles(world, call),
        ("GET", ["config", "email"]) => settings::smtp(world),
        ("PUT", ["config", "email"]) => settings::put_smtp(world, call),
        ("DELETE", ["config", "email"]) => settings::delete_smtp(world),
        ("GET", ["email-queues", "all"]) => settings::queues(world),
        ("POST", ["email-queue", "create"]) => settings::add_queue(world, call),
        ("DELETE", ["email-queue", "delete"]) => settings::delete_queue(world, call),
        ("GET", ["webhooks", "all"]) => settings::webhooks(world),
        ("POST", ["webhook", "create"]) => settings::add_webhook(world, call),
        ("DELETE", ["admin", "webhook", id, "delete"]) => settings::delete_webhook(world, id),
        _ => tickets(world, call, method, &segments),
    }
}

fn tickets(world: &mut World, call: &ApiCall<'_>, method: &str, segments: &[&str]) -> Result<Value, Refusal> {
    match (method, segments) {
        ("POST", ["ticket", "create"]) => {
            people::permitted(world, call, "issue::create")?;
            ticket::create(world, call)
        }
        ("POST", ["ticket", "public", "create"]) => ticket::create(world, call),
        ("POST", ["ticket", "comment"]) => ticket::comment(world, call),
        ("PUT", ["ticket", "update"]) => ticket::update(world, call),
        ("PUT", ["ticket", "status", "update"]) => ticket::set_complete(world, call),
        ("GET", ["tickets", "all"]) => ticket::list(world, |_| true),
        ("GET", ["tickets", "open"]) => ticket::list(world, |ticket| !ticket.is_complete),
        ("GET", ["tickets", "completed"]) => ticket::list(world, |ticket| ticket.is_complete),
        ("GET", ["tickets", "unassigned"]) => ticket::unassigned(world),
        ("POST", ["tickets", "search"]) => ticket::search(world, call),
        ("GET", ["data", "tickets", "open"]) => {
            let open = world.tickets.iter().filter(|ticket| !ticket.is_complete).count();
            Ok(json!({"count": open}))
        }
        ("GET", ["ticket", id]) => ticket::read(world, call, id),
        _ => Err(Refusal::no_route(method, &call.call.path)),
    }
}
