//! Requests that change something: marks, moves, drafts, sending.

use http::StatusCode;
use serde_json::{Value, json};

use crate::web::answer::Answer;

use super::compose;
use super::facts::{Facts, Person};
use super::query::Query;
use super::read::{find, shown};
use super::refusal::Refusal;
use super::request::Request;
use super::shape::{self, PROPERTIES};
use super::transport;
use super::world::{Folder, Stored, World};
use crate::sandbox::call::{empty, json as json_answer};
use crate::sandbox::mime::RawMail;

type Outcome = Result<Answer, Refusal>;

const WRITE: [&str; 1] = ["Mail.ReadWrite"];
const SEND: [&str; 1] = ["Mail.Send"];
const LARGEST_ATTACHMENT: usize = 3 * 1024 * 1024;

/// Marks a message as read or unread.
pub(super) fn patch(world: &mut World, request: &Request<'_>, id: &str) -> Outcome {
    request.demand(&WRITE)?;
    find(world, request, id)?;
    let changes = request.json()?;
    let members = changes.as_object().ok_or_else(|| Refusal::bad("BadRequest", "An object is expected."))?;
    compose::only(members, "message", &PROPERTIES)?;
    let is_read = changes["isRead"].as_bool().filter(|_| members.len() == 1).ok_or_else(|| {
        Refusal::new(StatusCode::NOT_IMPLEMENTED, "notSupported", "Only isRead can be changed here.")
    })?;
    let now = request.now;
    request.mailbox_mut(world)?.update(id, now, |message| message.is_read = is_read);
    shown(world, request, id, &Query::default(), StatusCode::OK)
}

pub(super) fn move_to(world: &mut World, request: &Request<'_>, id: &str) -> Outcome {
    request.demand(&WRITE)?;
    find(world, request, id)?;
    let body = request.json()?;
    let destination = body["destinationId"].as_str().or(body["DestinationId"].as_str());
    let destination = destination.ok_or_else(|| Refusal::bad("BadRequest", "destinationId is missing."))?;
    let folder = request.folder(world, destination)?;
    let now = request.now;
    let moved = request.mailbox_mut(world)?.move_to(id, folder, now).ok_or_else(Refusal::not_found)?;
    let id = moved.immutable_id.clone();
    shown(world, request, &id, &Query::default(), StatusCode::CREATED)
}

/// Deleted messages lie in Deleted Items; those deleted there are gone.
pub(super) fn delete(world: &mut World, request: &Request<'_>, id: &str) -> Outcome {
    request.demand(&WRITE)?;
    let in_bin = find(world, request, id)?.folder == Folder::DeletedItems;
    let now = request.now;
    let mailbox = request.mailbox_mut(world)?;
    if in_bin {
        mailbox.take(id);
    } else {
        mailbox.move_to(id, Folder::DeletedItems, now);
    }
    Ok(empty(StatusCode::NO_CONTENT))
}

/// A new message, from JSON or base64 MIME; a draft wherever it is put.
pub(super) fn create(world: &mut World, request: &Request<'_>) -> Outcome {
    request.demand(&WRITE)?;
    let mailbox = request.mailbox(world)?;
    let raw = if request.is_of("text/plain") {
        compose::from_mime(mailbox, &request.call.body)?
    } else {
        compose::from_json(mailbox, &request.json()?, request.now)?
    };
    let now = request.now;
    let id = request.mailbox_mut(world)?.add(raw, Folder::Drafts, now).immutable_id.clone();
    shown(world, request, &id, &Query::default(), StatusCode::CREATED)
}

/// A draft that answers a message, with the threading headers Exchange sets.
pub(super) fn create_reply(world: &mut World, request: &Request<'_>, id: &str, to_all: bool) -> Outcome {
    request.demand(&WRITE)?;
    let original = Facts::of(&find(world, request, id)?.raw);
    let mailbox = request.mailbox(world)?;
    let given = if request.call.body.is_empty() { json!({}) } else { request.json()? };
    let others = original.to.iter().chain(&original.cc).filter(|_| to_all);
    let others: Vec<&Person> =
        others.filter(|person| !person.address.eq_ignore_ascii_case(&mailbox.address)).collect();
    let to = original.reply_to.first().or(original.from.as_ref());
    let answer = json!({
        "subject": format!("RE: {}", original.subject),
        "toRecipients": to.into_iter().map(named).collect::<Vec<_>>(),
        "ccRecipients": others.into_iter().map(named).collect::<Vec<_>>(),
        "body": {"contentType": "text", "content": given["comment"].as_str().unwrap_or_default()},
    });
    let mut mail = RawMail::parse(&compose::from_json(mailbox, &answer, request.now)?);
    let references: Vec<String> = original.parents.iter().map(|parent| format!("<{parent}>")).collect();
    mail.set("In-Reply-To", &original.message_id);
    mail.set("References", &format!("{} {}", references.join(" "), original.message_id));
    let now = request.now;
    let id = request.mailbox_mut(world)?.add(mail.bytes(), Folder::Drafts, now).immutable_id.clone();
    shown(world, request, &id, &Query::default(), StatusCode::CREATED)
}

fn named(person: &Person) -> Value {
    json!({"emailAddress": {"name": person.name, "address": person.address}})
}

/// Adds a small file to a draft.
pub(super) fn attach(world: &mut World, request: &Request<'_>, id: &str) -> Outcome {
    request.demand(&WRITE)?;
    let draft = find(world, request, id)?;
    if !draft.is_draft {
        return Err(not_a_draft());
    }
    let (name, kind, bytes) = compose::file_attachment(&request.json()?)?;
    if bytes.len() > LARGEST_ATTACHMENT {
        let message = "The attachment is larger than 3 MB; use an upload session.";
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message));
    }
    let raw = compose::with_attachment(&draft.raw, name, kind, bytes);
    let facts = Facts::of(&raw);
    let now = request.now;
    request.mailbox_mut(world)?.update(id, now, |message| message.raw = raw);
    let last = shape::attachments(&facts).pop().unwrap_or(Value::Null);
    Ok(json_answer(StatusCode::CREATED, &last))
}

/// Sends a draft. It is gone at once and in Sent Items later.
pub(super) fn send(world: &mut World, request: &Request<'_>, id: &str) -> Outcome {
    request.demand(&SEND)?;
    let draft = find(world, request, id)?;
    if !draft.is_draft {
        return Err(not_a_draft());
    }
    transport::check_recipients(&draft.raw)?;
    let mailbox = request.mailbox_mut(world)?;
    let (address, draft) = (mailbox.address.clone(), mailbox.take(id).ok_or_else(Refusal::not_found)?);
    transport::send(world, &address, draft, true, request.now);
    Ok(empty(StatusCode::ACCEPTED))
}

/// Sends without a draft; nothing comes back that could be asked for later.
pub(super) fn send_mail(world: &mut World, request: &Request<'_>) -> Outcome {
    request.demand(&SEND)?;
    let mailbox = request.mailbox(world)?;
    let mut keep_copy = true;
    let raw = if request.is_of("text/plain") {
        compose::from_mime(mailbox, &request.call.body)?
    } else {
        let body = request.json()?;
        let members = body.as_object().ok_or_else(|| Refusal::bad("BadRequest", "An object is expected."))?;
        compose::only(members, "sendMail", &["message", "saveToSentItems", "Message", "SaveToSentItems"])?;
        keep_copy = body["saveToSentItems"].as_bool().unwrap_or(true);
        let message = body.get("message").or(body.get("Message")).unwrap_or(&Value::Null);
        compose::from_json(mailbox, message, request.now)?
    };
    transport::check_recipients(&raw)?;
    let address = mailbox.address.clone();
    let message = Stored::outside_any_folder(raw, request.now);
    transport::send(world, &address, message, keep_copy, request.now);
    Ok(empty(StatusCode::ACCEPTED))
}

fn not_a_draft() -> Refusal {
    Refusal::bad("ErrorInvalidOperation", "The operation is possible with a draft only.")
}
