//! The desk's own mail settings and webhooks. Any signed-in user may change them, as in the desk.
//!
//! Nothing is ever mailed or called: the settings are only remembered.

use serde_json::{Value, json};

use super::gate::ApiCall;
use super::refusal::Refusal;
use super::session;
use super::world::{Queue, World, uuid};
use crate::sandbox::with_millis;

type Outcome = Result<Value, Refusal>;

pub(super) fn smtp(world: &World) -> Outcome {
    let Some(provider) = &world.smtp else {
        return Ok(json!({"success": true, "active": false}));
    };
    let email = json!({
        "active": provider["active"],
        "host": provider["host"],
        "port": provider["port"],
        "reply": provider["reply"],
        "user": provider["username"],
    });
    Ok(json!({"success": true, "active": true, "email": email, "verification": true}))
}

pub(super) fn put_smtp(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    world.smtp = Some(call.body.clone());
    Ok(json!({"success": true, "message": "SSO Provider updated!"}))
}

pub(super) fn delete_smtp(world: &mut World) -> Outcome {
    world.smtp = None;
    Ok(json!({"success": true, "message": "Email settings deleted!"}))
}

pub(super) fn queues(world: &World) -> Outcome {
    Ok(json!({"success": true, "queues": world.queues}))
}

/// An unsupported service type is told so, and the queue is made all the same.
pub(super) fn add_queue(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    let owned = |name: &str| call.text(name).unwrap_or_default().to_owned();
    let service_type = owned("serviceType");
    let supported = matches!(service_type.as_str(), "gmail" | "other");
    world.queues.push(Queue {
        id: uuid(),
        name: owned("name"),
        service_type,
        active: true,
        teams: None,
        username: owned("username"),
        hostname: owned("hostname"),
        tls: call.flag("tls"),
        client_id: None,
        redirect_uri: None,
    });
    if supported {
        Ok(json!({"success": true, "message": "Other service type created!"}))
    } else {
        Ok(json!({"success": false, "message": "Unsupported service type"}))
    }
}

pub(super) fn delete_queue(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    let id = call.text("id").unwrap_or_default();
    world.queues.retain(|queue| queue.id != id);
    Ok(json!({"success": true}))
}

pub(super) fn webhooks(world: &World) -> Outcome {
    Ok(json!({"webhooks": world.webhooks, "success": true}))
}

pub(super) fn add_webhook(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    let kind = call.text("type").unwrap_or_default();
    if !matches!(kind, "ticket_created" | "ticket_status_changed") {
        let complaint = "Invalid value for argument `type`. Expected Hook.";
        return Err(Refusal::prisma("webhooks", "create", complaint));
    }
    let creator = session::user(world, call)?;
    let moment = with_millis(call.now);
    world.webhooks.push(json!({
        "id": uuid(),
        "createdAt": moment,
        "updatedAt": moment,
        "name": call.body["name"],
        "url": call.body["url"],
        "type": kind,
        "active": call.flag("active"),
        "secret": call.body["secret"],
        "createdBy": creator.id,
    }));
    Ok(json!({"message": "Hook created!", "success": true}))
}

pub(super) fn delete_webhook(world: &mut World, id: &str) -> Outcome {
    world.webhooks.retain(|hook| hook["id"] != id);
    Ok(json!({"success": true}))
}
