//! Users and roles.

use http::StatusCode;
use serde_json::{Value, json};

use super::gate::ApiCall;
use super::refusal::Refusal;
use super::session;
use super::world::{Role, User, World, uuid};
use crate::sandbox::with_millis;

type Outcome = Result<Value, Refusal>;

/// `user/new`: a duplicate is the database's 500.
pub(super) fn add(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    if !caller_is_admin(world, call) {
        return Err(Refusal::plain(
            StatusCode::FORBIDDEN,
            json!({"message": "Unauthorized", "failed": true}),
        ));
    }
    let complaint = "\n\nUnique constraint failed on the fields: (`email`)";
    let twice = Refusal::database("P2002", "user", "create", complaint);
    create(world, call, twice)
}

/// `auth/user/register`: the same with another complaint.
pub(super) fn register(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    if !caller_is_admin(world, call) {
        return Err(Refusal::unauthorized());
    }
    let twice = Refusal::plain(StatusCode::BAD_REQUEST, json!({"message": "Email already exists"}));
    create(world, call, twice)
}

/// `auth/user/register/external`: any token will do.
pub(super) fn register_external(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    let twice = Refusal::plain(StatusCode::BAD_REQUEST, json!({"message": "Email already exists"}));
    let email = call.text("email").unwrap_or_default().to_lowercase();
    let outcome = create(world, call, twice)?;
    if let Some(user) = world.users.iter_mut().find(|user| user.email == email) {
        user.external = true;
        user.is_admin = false;
    }
    Ok(outcome)
}

fn create(world: &mut World, call: &ApiCall<'_>, twice: Refusal) -> Outcome {
    let (Some(email), Some(password)) = (call.text("email"), call.text("password")) else {
        return Err(Refusal::fastify(
            StatusCode::BAD_REQUEST,
            Some("FST_ERR_VALIDATION"),
            "body must have required property 'email'",
        ));
    };
    if world.user_by_email(&email.to_lowercase()).is_some() {
        return Err(twice);
    }
    let name = call.text("name").unwrap_or_default();
    world.add_user(name, email, password, call.now).is_admin = call.flag("admin");
    Ok(json!({"success": true}))
}

pub(super) fn all(world: &World) -> Outcome {
    let row = |user: &User| {
        json!({
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "isAdmin": user.is_admin,
            "createdAt": user.created_at,
            "updatedAt": user.created_at,
            "language": user.language,
        })
    };
    let users: Vec<Value> = world.users.iter().filter(|user| !user.external).map(row).collect();
    Ok(json!({"users": users, "success": true}))
}

/// `auth/user/role`: makes a user an admin, or no longer one.
pub(super) fn set_admin(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    if !caller_is_admin(world, call) {
        return Err(Refusal::unauthorized());
    }
    let id = call.text("id").unwrap_or_default();
    let role = call.flag("role");
    let user = world.users.iter_mut().find(|user| user.id == id).ok_or_else(|| Refusal::null("id"))?;
    user.is_admin = role;
    Ok(json!({"success": true}))
}

/// Whether the roles allow this caller `permission`; they bind nobody while they are off, and no admin.
pub(super) fn permitted(world: &mut World, call: &ApiCall<'_>, permission: &str) -> Result<(), Refusal> {
    if !world.roles_active {
        return Ok(());
    }
    let user = session::checked(world, call).cloned().ok_or_else(Refusal::unauthorized)?;
    let granted = world
        .roles
        .iter()
        .any(|role| role.users.contains(&user.id) && role.permissions.iter().any(|name| name == permission));
    if user.is_admin || granted { Ok(()) } else { Err(Refusal::permission()) }
}

pub(super) fn toggle_roles(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    if !caller_is_admin(world, call) {
        let body = json!({"message": "Unauthorized. Admin access required.", "success": false});
        return Err(Refusal::plain(StatusCode::FORBIDDEN, body));
    }
    world.roles_active = call.flag("isActive");
    Ok(json!({"success": true, "message": "Roles updated!"}))
}

/// A new role has no users, whatever was sent: they are attached by an update only.
pub(super) fn add_role(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    world.roles.push(Role {
        id: uuid(),
        name: call.text("name").unwrap_or_default().to_owned(),
        permissions: texts(&call.body["permissions"]),
        users: Vec::new(),
        created_at: with_millis(call.now),
    });
    Ok(json!({"message": "Role created!", "success": true}))
}

pub(super) fn update_role(world: &mut World, call: &ApiCall<'_>, id: &str) -> Outcome {
    let role = world.roles.iter_mut().find(|role| role.id == id);
    let role = role.ok_or_else(|| Refusal::database("P2025", "role", "update", "\nAn operation failed."))?;
    role.permissions = texts(&call.body["permissions"]);
    role.users = texts(&call.body["users"]);
    Ok(json!({"role": shown(role), "success": true}))
}

pub(super) fn roles(world: &World) -> Outcome {
    let roles: Vec<Value> = world.roles.iter().map(shown).collect();
    Ok(json!({"roles": roles, "success": true, "roles_active": {"roles_active": world.roles_active}}))
}

fn shown(role: &Role) -> Value {
    json!({
        "id": role.id,
        "name": role.name,
        "description": null,
        "permissions": role.permissions,
        "isDefault": false,
        "createdAt": role.created_at,
        "updatedAt": role.created_at,
    })
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn caller_is_admin(world: &mut World, call: &ApiCall<'_>) -> bool {
    session::checked(world, call).is_some_and(|user| user.is_admin)
}
