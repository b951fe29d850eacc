//! Requests that change nothing: the user, folders, messages, their bytes.

use http::StatusCode;
use serde_json::{Value, json};

use crate::web::answer::Answer;

use super::delta::{self, Link};
use super::facts::Facts;
use super::query::Query;
use super::refusal::Refusal;
use super::request::Request;
use super::shape;
use super::world::{Folder, Stored, World};
use crate::sandbox::call::{json as json_answer, typed};

type Outcome = Result<Answer, Refusal>;

const READ: [&str; 2] = ["Mail.Read", "Mail.ReadWrite"];

/// The signed-in user.
pub(super) fn me(world: &World, request: &Request<'_>) -> Outcome {
    request.demand(&["User.Read"])?;
    let address = &request.grant.address;
    let name = world.mailbox(address).map_or(address.as_str(), |mailbox| mailbox.name.as_str());
    let mut user = json!({
        "@odata.context": context(request, "users/$entity"),
        "id": super::user_id(address),
        "displayName": name,
        "givenName": null,
        "surname": null,
        "jobTitle": null,
        "mail": address,
        "mobilePhone": null,
        "officeLocation": null,
        "preferredLanguage": "en",
        "userPrincipalName": address,
        "businessPhones": [],
    });
    for (option, value) in request.call.pairs() {
        if option != "$select" {
            return Err(Refusal::query(format!("The query parameter '{option}' is not supported.")));
        }
        let wanted: Vec<&str> = value.split(',').map(str::trim).collect();
        if let Some(members) = user.as_object_mut() {
            members.retain(|member, _| member.starts_with('@') || wanted.contains(&member.as_str()));
        }
    }
    Ok(json_answer(StatusCode::OK, &user))
}

pub(super) fn folders(world: &World, request: &Request<'_>) -> Outcome {
    request.demand(&READ)?;
    let mailbox = request.mailbox(world)?;
    let value: Vec<Value> = Folder::ALL.into_iter().map(|folder| shape::folder(mailbox, folder)).collect();
    Ok(list(request, "me/mailFolders", value, None))
}

pub(super) fn folder(world: &World, request: &Request<'_>, name: &str) -> Outcome {
    request.demand(&READ)?;
    let folder = request.folder(world, name)?;
    let mut shown = shape::folder(request.mailbox(world)?, folder);
    shown["@odata.context"] = json!(context(request, "me/mailFolders/$entity"));
    Ok(json_answer(StatusCode::OK, &shown))
}

/// Messages of one folder or of all, newest first.
pub(super) fn messages(world: &World, request: &Request<'_>, folder: Option<&str>) -> Outcome {
    request.demand(&READ)?;
    let query = request.query(&["$select", "$top", "$skip", "$filter", "$expand", "$orderby", "$count"])?;
    let folder = folder.map(|name| request.folder(world, name)).transpose()?;
    let mailbox = request.mailbox(world)?;
    let meant =
        |message: &&Stored| folder.is_none_or(|folder| message.folder == folder) && query.matches(message);
    let mut found: Vec<&Stored> = mailbox.messages.iter().rev().filter(meant).collect();
    found.sort_by_key(|message| std::cmp::Reverse(message.received_at));
    let top = query.top.unwrap_or(10);
    let more = found.len() > query.skip + top;
    let view = request.view();
    let page = found.into_iter().skip(query.skip).take(top);
    let value = page.map(|message| view.message(mailbox, message, &query)).collect();
    let next = more.then(|| next_skip(world, request, query.skip + top));
    Ok(list(request, "me/messages", value, next.map(|link| ("@odata.nextLink", link))))
}

pub(super) fn delta(world: &mut World, request: &Request<'_>, name: &str) -> Outcome {
    request.demand(&READ)?;
    let allowed = ["$select", "$top", "$filter", "$orderby", "$expand", "$skiptoken", "$deltatoken"];
    let query = request.query(&allowed)?;
    let folder = request.folder(world, name)?;
    let mailbox = request.mailbox(world)?.address.clone();
    let size = request.page_size().or(query.top);
    let own = format!("{}{}", request.call.origin(), request.call.path);
    let page = delta::page(world, &mailbox, folder, query, request.view(), size, &own)?;
    let path = format!("{}{}", link_origin(world, request), request.call.path);
    let link = match page.link {
        Link::Next(token) => ("@odata.nextLink", format!("{path}?$skiptoken={token}")),
        Link::Delta(token) => ("@odata.deltaLink", format!("{path}?$deltatoken={token}")),
    };
    Ok(list(request, "Collection(message)", page.value, Some(link)))
}

pub(super) fn message(world: &World, request: &Request<'_>, id: &str) -> Outcome {
    request.demand(&READ)?;
    let query = request.query(&["$select", "$expand"])?;
    shown(world, request, id, &query, StatusCode::OK)
}

/// A message as an answer.
pub(super) fn shown(
    world: &World,
    request: &Request<'_>,
    id: &str,
    query: &Query,
    status: StatusCode,
) -> Outcome {
    let mailbox = request.mailbox(world)?;
    let message = find(world, request, id)?;
    let mut value = request.view().message(mailbox, message, query);
    value["@odata.context"] = json!(context(request, "me/messages/$entity"));
    Ok(json_answer(status, &value))
}

/// The raw mail.
pub(super) fn raw(world: &World, request: &Request<'_>, id: &str) -> Outcome {
    request.demand(&READ)?;
    let message = find(world, request, id)?;
    Ok(typed(StatusCode::OK, "message/rfc822", message.raw.clone()))
}

pub(super) fn attachments(world: &World, request: &Request<'_>, id: &str) -> Outcome {
    request.demand(&READ)?;
    let message = find(world, request, id)?;
    let value = shape::attachments(&Facts::of(&message.raw));
    Ok(list(request, "me/messages/attachments", value, None))
}

pub(super) fn find<'w>(world: &'w World, request: &Request<'_>, id: &str) -> Result<&'w Stored, Refusal> {
    if !id.starts_with("AA") {
        return Err(Refusal::bad("ErrorInvalidIdMalformed", "Id is malformed."));
    }
    request.mailbox(world)?.find(id).ok_or_else(Refusal::not_found)
}

fn list(request: &Request<'_>, what: &str, value: Vec<Value>, link: Option<(&str, String)>) -> Answer {
    let mut body = json!({"@odata.context": context(request, what), "value": value});
    if let Some((name, link)) = link {
        body[name] = json!(link);
    }
    json_answer(StatusCode::OK, &body)
}

fn context(request: &Request<'_>, what: &str) -> String {
    format!("{}/v1.0/$metadata#{what}", request.call.origin())
}

fn next_skip(world: &World, request: &Request<'_>, skip: usize) -> String {
    let kept = request.call.pairs().into_iter().filter(|(name, _)| name != "$skip");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).append_pair("$skip", &skip.to_string());
    format!("{}{}?{}", link_origin(world, request), request.call.path, query.finish())
}

/// Where links lead: here, or, as a trap for those who would send a token anywhere, somewhere else.
fn link_origin(world: &World, request: &Request<'_>) -> String {
    if world.knobs.foreign_links { "http://elsewhere.invalid".to_owned() } else { request.call.origin() }
}
