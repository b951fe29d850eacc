//! Subscriptions as Graph keeps them, and what there is to tell their owners. Sends nothing itself.

use http::StatusCode;
use serde_json::{Value, json};

use super::compose;
use super::refusal::Refusal;
use super::request::Request;
use super::tell::Teller;
use super::user_id;
use super::world::{ChangeKind, Folder, World};
use crate::base::clock::Timestamp;
use crate::sandbox::call::{empty, json as json_answer};
use crate::web::answer::Answer;

/// Microsoft Graph, "subscription resource type": for mail.
const LONGEST_MINUTES: i64 = 10_080;
const SHORTEST_MINUTES: i64 = 45;
const READ: [&str; 2] = ["Mail.Read", "Mail.ReadWrite"];
const PROPERTIES: [&str; 6] = [
    "changeType",
    "notificationUrl",
    "lifecycleNotificationUrl",
    "resource",
    "expirationDateTime",
    "clientState",
];

/// Somebody who is told of new mail in one folder.
#[derive(Debug, Clone)]
pub struct Subscription {
    pub id: String,
    /// The mailbox, lower case.
    pub address: String,
    pub folder: Folder,
    pub url: String,
    pub lifecycle_url: Option<String>,
    pub client_state: Option<String>,
    pub resource: String,
    pub expires_at: Timestamp,
    /// How many lines of the mailbox's log were told of.
    pub(super) told: usize,
    /// Lifecycle events yet to be told.
    pub(super) events: Vec<&'static str>,
}

/// What goes wrong with notifications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Telling {
    /// Each is sent so many times more.
    pub repeats: u32,
    pub milliseconds_late: u64,
    /// They carry another clientState than the one that was asked for.
    pub wrong_state: bool,
    /// None is sent.
    pub none: bool,
}

/// A call to be made.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub url: String,
    pub body: Value,
}

pub(super) fn route(world: &mut World, request: &Request<'_>, teller: &Teller) -> Result<Answer, Refusal> {
    request.demand(&READ)?;
    match (request.call.method.as_str(), request.segments.as_slice()) {
        ("POST", []) => make(world, request, teller),
        ("GET", []) => {
            let own = world.subscriptions.iter().filter(|one| one.address == request.grant.address);
            Ok(json_answer(StatusCode::OK, &json!({"value": own.map(shown).collect::<Vec<_>>()})))
        }
        ("PATCH", [id]) => {
            let expires_at = end(&request.json()?, request.now)?;
            let found = find(world, request, id)?;
            world.subscriptions[found].expires_at = expires_at;
            Ok(json_answer(StatusCode::OK, &shown(&world.subscriptions[found])))
        }
        ("DELETE", [id]) => {
            let found = find(world, request, id)?;
            world.subscriptions.remove(found);
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Refusal::no_segment("subscriptions")),
    }
}

fn make(world: &mut World, request: &Request<'_>, teller: &Teller) -> Result<Answer, Refusal> {
    let body = request.json()?;
    let members = body.as_object().ok_or_else(|| Refusal::bad("BadRequest", "An object is expected."))?;
    compose::only(members, "subscription", &PROPERTIES)?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let invalid = |message: &str| Refusal::bad("InvalidRequest", message);
    if text("changeType").as_deref() != Some("created") {
        return Err(invalid("Only changeType created is told of here."));
    }
    let state = text("clientState");
    if state.as_ref().is_some_and(|state| state.len() > 128) {
        return Err(invalid("clientState is longer than 128 characters."));
    }
    let resource = text("resource").ok_or_else(|| invalid("resource is missing."))?;
    let mailbox = request.mailbox(world)?;
    let folder = folder_name(&resource, &request.grant.address).and_then(|name| mailbox.folder(name));
    let folder = folder.ok_or_else(|| invalid("The resource is not supported."))?;
    let url = text("notificationUrl").ok_or_else(|| invalid("notificationUrl is missing."))?;
    let lifecycle_url = text("lifecycleNotificationUrl");
    for wanted in std::iter::once(&url).chain(&lifecycle_url) {
        if !teller.has_validated(wanted) {
            let message = "Subscription validation request failed. Notification endpoint must respond with \
                           200 OK to validation request.";
            return Err(Refusal::bad("ValidationError", message));
        }
    }
    let made = Subscription {
        id: user_id(&format!("{url} {}", uuid::Uuid::new_v4())),
        address: request.grant.address.clone(),
        folder,
        url,
        lifecycle_url,
        client_state: state,
        resource,
        expires_at: end(&body, request.now)?,
        told: mailbox.changes.len(),
        events: Vec::new(),
    };
    let answer = json_answer(StatusCode::CREATED, &shown(&made));
    world.subscriptions.push(made);
    Ok(answer)
}

/// `me/mailFolders('inbox')/messages`, or by the user's address.
fn folder_name<'r>(resource: &'r str, address: &str) -> Option<&'r str> {
    let resource = resource.trim_start_matches('/');
    let (user, rest) = match resource.strip_prefix("users/") {
        Some(rest) => rest.split_once('/')?,
        None => ("", resource.strip_prefix("me/")?),
    };
    let rest = rest.strip_prefix("mailFolders('")?.strip_suffix("')/messages")?;
    (user.is_empty() || user.eq_ignore_ascii_case(address)).then_some(rest)
}

fn end(body: &Value, now: Timestamp) -> Result<Timestamp, Refusal> {
    let wanted = body["expirationDateTime"].as_str().and_then(Timestamp::parse_rfc3339);
    let wanted = wanted.ok_or_else(|| Refusal::bad("InvalidRequest", "expirationDateTime is missing."))?;
    let minutes = (wanted.0 - now.0) / 60_000;
    if minutes > LONGEST_MINUTES {
        let message = format!("Subscription expiration can only be {LONGEST_MINUTES} minutes in the future.");
        return Err(Refusal::bad("ExtensionError", message));
    }
    if minutes < SHORTEST_MINUTES {
        return Err(Refusal::bad("InvalidRequest", "The expiration is too near."));
    }
    Ok(wanted)
}

fn find(world: &World, request: &Request<'_>, id: &str) -> Result<usize, Refusal> {
    let is_meant = |one: &Subscription| {
        one.id == id && one.address == request.grant.address && one.expires_at > request.now
    };
    let missing = || Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFound", "The object was not found.");
    world.subscriptions.iter().position(is_meant).ok_or_else(missing)
}

fn shown(one: &Subscription) -> Value {
    json!({
        "id": one.id,
        "applicationId": "00000000-0000-0000-0000-00000000a000",
        "creatorId": user_id(&one.address),
        "changeType": "created",
        "resource": one.resource,
        "notificationUrl": one.url,
        "lifecycleNotificationUrl": one.lifecycle_url,
        "clientState": one.client_state,
        "expirationDateTime": one.expires_at.rfc3339(),
        "includeResourceData": null,
        "latestSupportedTlsVersion": "v1_2",
    })
}

pub(super) fn tell_of_lifecycle(world: &mut World, event: &'static str) {
    for one in &mut world.subscriptions {
        one.events.push(event);
    }
}

/// What there is to tell now; it counts as told.
pub(super) fn news(world: &mut World, now: Timestamp) -> Vec<Told> {
    let World { mailboxes, subscriptions, knobs, .. } = world;
    let mut news = Vec::new();
    for one in subscriptions.iter_mut().filter(|one| one.expires_at > now) {
        let Some(mailbox) = mailboxes.iter().find(|mailbox| mailbox.address == one.address) else { continue };
        let state = if knobs.telling.wrong_state { Some("guessed") } else { one.client_state.as_deref() };
        let common = json!({
            "subscriptionId": one.id,
            "subscriptionExpirationDateTime": one.expires_at.rfc3339(),
            "clientState": state,
            "tenantId": user_id("tenant"),
        });
        let with = |more: Value| {
            let mut item = common.clone();
            item.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            json!({"value": [item]})
        };
        let fresh = mailbox.changes.get(one.told..).unwrap_or_default();
        for change in
            fresh.iter().filter(|line| line.folder == one.folder && line.kind == ChangeKind::Entered)
        {
            let resource = format!("Users/{}/Messages/{}", user_id(&one.address), change.ids.id);
            let data = json!({
                "@odata.type": "#Microsoft.Graph.Message",
                "@odata.id": resource,
                "id": change.ids.id,
            });
            let body = with(json!({"changeType": "created", "resource": resource, "resourceData": data}));
            news.push(Told { url: one.url.clone(), body });
        }
        for event in one.events.iter().filter(|_| one.lifecycle_url.is_some()) {
            let url = one.lifecycle_url.clone().unwrap_or_default();
            news.push(Told { url, body: with(json!({"lifecycleEvent": event, "resource": one.resource})) });
        }
        one.told = mailbox.changes.len();
    }
    subscriptions.retain(|one| !one.events.contains(&"subscriptionRemoved"));
    subscriptions.iter_mut().for_each(|one| one.events.clear());
    news
}
