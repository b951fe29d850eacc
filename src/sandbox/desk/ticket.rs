//! Tickets and their comments.

use serde_json::{Value, json};

use super::gate::ApiCall;
use super::people::permitted;
use super::refusal::Refusal;
use super::session;
use super::world::{Comment, Ticket, World, uuid};
use crate::sandbox::with_millis;

type Outcome = Result<Value, Refusal>;

const KINDS: [&str; 8] =
    ["bug", "feature", "support", "incident", "service", "maintenance", "access", "feedback"];
const STATUSES: [&str; 5] = ["hold", "needs_support", "in_progress", "in_review", "done"];

/// `ticket/create` and, without a caller, `ticket/public/create`.
pub(super) fn create(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    let owned = |name: &str| call.text(name).map(str::to_owned);
    let kind = call.text("type").unwrap_or("support").to_lowercase();
    let title = owned("title").ok_or_else(|| refused("create", "Argument `title` is missing."))?;
    if !KINDS.contains(&kind.as_str()) {
        return Err(refused("create", "Invalid value for argument `type`. Expected TicketType."));
    }
    company(call)?;
    let moment = with_millis(call.now);
    let ticket = Ticket {
        id: uuid(),
        created_at: moment.clone(),
        updated_at: moment,
        name: owned("name"),
        title,
        // Always once more JSON in a string: text that is not blocks shows its quotes and escapes.
        detail: call.body.get("detail").map(Value::to_string),
        email: owned("email"),
        note: None,
        is_complete: false,
        priority: owned("priority").unwrap_or_else(|| "low".to_owned()),
        linked: None,
        from_imap: false,
        number: u32::try_from(world.tickets.len()).map_or(u32::MAX, |count| count.saturating_add(1)),
        status: "needs_support".to_owned(),
        kind,
        hidden: false,
        created_by: creator(&call.body["createdBy"]),
        locked: false,
        following: None,
        team_id: None,
        client_id: None,
        user_id: call.body["engineer"]["id"].as_str().map(str::to_owned),
    };
    let id = ticket.id.clone();
    world.tickets.push(ticket);
    Ok(json!({"message": "Ticket created correctly", "success": true, "id": id}))
}

fn creator(sent: &Value) -> Option<Value> {
    let sent = sent.as_object()?;
    let kept = ["id", "name", "role", "email"].into_iter().filter_map(|name| sent.get_key_value(name));
    Some(Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect()))
}

/// There are no companies here, so that naming one is naming an unknown one; null is a null in JavaScript.
fn company(call: &ApiCall<'_>) -> Result<(), Refusal> {
    match call.body.get("company") {
        None => Ok(()),
        Some(Value::Null) => Err(Refusal::null("id")),
        Some(_) => Err(Refusal::database("P2025", "ticket", "create", "\nNo 'Client' record was found.")),
    }
}

/// One ticket with its comments; looked up by id only.
pub(super) fn read(world: &mut World, call: &ApiCall<'_>, id: &str) -> Outcome {
    permitted(world, call, "issue::read")?;
    let ticket = world.ticket(id).ok_or_else(|| Refusal::null("id"))?;
    let comments = world.comments.iter().filter(|comment| comment.ticket_id == id).map(|comment| {
        let mut shown = json!(comment);
        let author = comment.user_id.as_deref().and_then(|author| world.user(author));
        shown["user"] = author.map_or(Value::Null, |user| json!({"name": user.name}));
        shown
    });
    let mut shown = with_people(world, ticket);
    shown["comments"] = comments.collect();
    shown["TimeTracking"] = json!([]);
    shown["files"] = json!([]);
    Ok(json!({"ticket": shown, "sucess": true}))
}

/// The tickets that `wanted` picks, newest first, without comments.
pub(super) fn list(world: &World, wanted: impl Fn(&Ticket) -> bool) -> Outcome {
    let rows = world.tickets.iter().rev().filter(|ticket| wanted(ticket)).map(|ticket| {
        let mut row = with_people(world, ticket);
        row["team"] = Value::Null;
        row
    });
    Ok(json!({"tickets": rows.collect::<Vec<_>>(), "sucess": true}))
}

/// Title contains, case counts. These rows come without the people.
pub(super) fn search(world: &World, call: &ApiCall<'_>) -> Outcome {
    let query = call.text("query").unwrap_or_default();
    let found: Vec<&Ticket> = world.tickets.iter().filter(|ticket| ticket.title.contains(query)).collect();
    Ok(json!({"tickets": found, "success": true}))
}

/// Open tickets that nobody has.
pub(super) fn unassigned(world: &World) -> Outcome {
    let free = |ticket: &&Ticket| ticket.user_id.is_none() && !ticket.is_complete;
    let found: Vec<&Ticket> = world.tickets.iter().filter(free).collect();
    Ok(json!({"success": true, "tickets": found}))
}

fn with_people(world: &World, ticket: &Ticket) -> Value {
    let assigned = ticket.user_id.as_deref().and_then(|id| world.user(id));
    let mut shown = json!(ticket);
    shown["client"] = Value::Null;
    shown["assignedTo"] = assigned.map_or(Value::Null, |user| json!({"id": user.id, "name": user.name}));
    shown
}

pub(super) fn comment(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    permitted(world, call, "issue::comment")?;
    let author = session::user(world, call)?;
    let text = call
        .text("text")
        .ok_or_else(|| Refusal::prisma("comment", "create", "Argument `text` is missing."))?;
    let ticket = call.text("id").and_then(|id| world.ticket(id)).ok_or_else(|| {
        let complaint = "\n\nForeign key constraint violated on the constraint: `Comment_ticketId_fkey`";
        Refusal::database("P2003", "comment", "create", complaint)
    })?;
    let (id, number) = (ticket.id.clone(), ticket.number);
    world.comments.push(Comment {
        id: uuid(),
        created_at: with_millis(call.now),
        text: text.to_owned(),
        public: call.flag("public"),
        reply: false,
        reply_email: None,
        edited: false,
        edited_at: None,
        previous: None,
        user_id: Some(author.id.clone()),
        ticket_id: id.clone(),
    });
    let news = format!("New comment on #{number} by {}", author.name);
    world.notify(&id, &author.id, &news, call.now);
    Ok(json!({"success": true}))
}

/// Closes and reopens; the workflow status stays.
pub(super) fn set_complete(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    permitted(world, call, "issue::update")?;
    let Some(complete) = call.body["status"].as_bool() else {
        return Err(refused("update", "Argument `isComplete`: Invalid value provided. Expected Boolean."));
    };
    let ticket = call.text("id").and_then(|id| world.ticket_mut(id));
    let ticket = ticket.ok_or_else(missing)?;
    ticket.is_complete = complete;
    let (id, number) = (ticket.id.clone(), ticket.number);
    // Written before the user is looked at: a 500 from here on has been applied.
    let author = session::user(world, call)?;
    let state = if complete { "Closed" } else { "Open" };
    let news = format!("#{number} status changed to {state} by {}", author.name);
    world.notify(&id, &author.id, &news, call.now);
    Ok(json!({"success": true}))
}

/// Changes what is sent and leaves the rest.
pub(super) fn update(world: &mut World, call: &ApiCall<'_>) -> Outcome {
    permitted(world, call, "issue::update")?;
    let owned = |name: &str| call.text(name).map(str::to_owned);
    let status = owned("status");
    if status.as_deref().is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(refused("update", "Invalid value for argument `status`. Expected TicketStatus."));
    }
    let author = session::user(world, call)?;
    let ticket = call.text("id").and_then(|id| world.ticket_mut(id)).ok_or_else(missing)?;
    let (id, number) = (ticket.id.clone(), ticket.number);
    let mut news = Vec::new();
    if let Some(priority) = owned("priority").filter(|priority| *priority != ticket.priority) {
        let before = std::mem::replace(&mut ticket.priority, priority.clone());
        news.push(format!("Priority changed on #{number} from {before} to {priority} by {}", author.name));
    }
    if let Some(status) = status.filter(|status| *status != ticket.status) {
        news.push(format!("#{number} status changed to {status} by {}", author.name));
        ticket.status = status;
    }
    ticket.title = owned("title").unwrap_or_else(|| ticket.title.clone());
    ticket.detail = owned("detail").or_else(|| ticket.detail.take());
    ticket.note = owned("note").or_else(|| ticket.note.take());
    for text in news {
        world.notify(&id, &author.id, &text, call.now);
    }
    Ok(json!({"success": true}))
}

fn refused(act: &str, complaint: &str) -> Refusal {
    Refusal::prisma("ticket", act, complaint)
}

fn missing() -> Refusal {
    Refusal::database("P2025", "ticket", "update", "\nNo record was found for an update.")
}
