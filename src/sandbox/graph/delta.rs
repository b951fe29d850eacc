//! Change tracking: rounds of pages, bound to one folder, kept by the token in their links.

use serde_json::{Value, json};

use crate::base::clock::Timestamp;
use crate::base::id::random_token;

use super::query::Query;
use super::refusal::Refusal;
use super::shape::View;
use super::world::{ChangeKind, Folder, Ids, Mailbox, World};

/// A folder listed with a filter gives no more than this many items.
const MOST_FILTERED: usize = 5000;
const USUAL_PAGE: usize = 10;

/// Where a link continues. Links can be followed again: nothing is used up.
#[derive(Debug, Clone)]
pub(super) struct Round {
    mailbox: String,
    folder: Folder,
    /// As asked for in the first request of the round.
    query: Query,
    floor: Option<Timestamp>,
    at: Place,
    /// The length of the change log when the round began; the next round starts there.
    log_end: usize,
}

#[derive(Debug, Clone)]
enum Place {
    /// Within a round: what is still to be shown.
    Page { rest: Vec<Item>, empty_page_due: bool },
    /// Between rounds.
    Rest,
}

#[derive(Debug, Clone)]
enum Item {
    Whole(String),
    Partial(String),
    Removed(Ids),
}

/// A page and how to go on.
pub(super) struct Page {
    pub value: Vec<Value>,
    pub link: Link,
}

pub(super) enum Link {
    Next(String),
    Delta(String),
}

/// The page that `query` asks for; `size` is what `Prefer: odata.maxpagesize` or `$top` says. `start` is
/// where a client begins again when its cursor is lost.
pub(super) fn page(
    world: &mut World,
    address: &str,
    folder: Folder,
    query: Query,
    view: View,
    size: Option<usize>,
    start: &str,
) -> Result<Page, Refusal> {
    let round = match query.skip_token.as_ref().or(query.delta_token.as_ref()) {
        Some(token) => resume(world, address, folder, token, start)?,
        None => begin(world, address, folder, query)?,
    };
    Ok(turn(world, round, view, size.unwrap_or(USUAL_PAGE)))
}

fn begin(world: &World, address: &str, folder: Folder, query: Query) -> Result<Round, Refusal> {
    let floor = query.floor()?;
    let mailbox = world.mailbox(address).ok_or_else(Refusal::not_found)?;
    let within = mailbox.messages.iter().rev().filter(|message| message.folder == folder);
    let new = within.filter(|message| floor.is_none_or(|floor| message.received_at >= floor));
    let most = if floor.is_some() { MOST_FILTERED } else { usize::MAX };
    let rest = new.take(most).map(|message| Item::Whole(message.immutable_id.clone())).collect();
    let at = Place::Page { rest, empty_page_due: world.knobs.empty_pages };
    let log_end = mailbox.changes.len();
    Ok(Round { mailbox: mailbox.address.clone(), folder, query, floor, at, log_end })
}

fn resume(world: &World, address: &str, folder: Folder, token: &str, start: &str) -> Result<Round, Refusal> {
    let Some(mut round) = world.rounds.get(token).cloned() else {
        return Err(Refusal::cursor_lost(start.to_owned()));
    };
    if round.folder != folder || round.mailbox != address {
        return Err(Refusal::bad("ErrorInvalidUrlQuery", "The token belongs to another folder."));
    }
    if matches!(round.at, Place::Rest) {
        let mailbox = world.mailbox(address).ok_or_else(Refusal::not_found)?;
        let mut rest = changed(mailbox, folder, round.floor, round.log_end);
        if world.knobs.repeat_items {
            rest.extend(rest.first().cloned());
        }
        round.log_end = mailbox.changes.len();
        round.at = Place::Page { rest, empty_page_due: world.knobs.empty_pages };
    }
    Ok(round)
}

/// What became of each message that the log names after `from`.
fn changed(mailbox: &Mailbox, folder: Folder, floor: Option<Timestamp>, from: usize) -> Vec<Item> {
    let news: Vec<_> = mailbox.changes[from..].iter().filter(|change| change.folder == folder).collect();
    let mut items = Vec::new();
    for (at, change) in news.iter().enumerate() {
        let id = &change.ids.immutable_id;
        if news[at + 1..].iter().any(|later| later.ids.immutable_id == *id) {
            continue;
        }
        let there = mailbox.find(id).filter(|message| message.folder == folder);
        let entered =
            news.iter().any(|news| news.ids.immutable_id == *id && news.kind == ChangeKind::Entered);
        match there {
            Some(message) if floor.is_some_and(|floor| message.received_at < floor) => {}
            Some(_) if entered => items.push(Item::Whole(id.clone())),
            Some(_) => items.push(Item::Partial(id.clone())),
            None => items.push(Item::Removed(change.ids.clone())),
        }
    }
    items
}

fn turn(world: &mut World, mut round: Round, view: View, size: usize) -> Page {
    let Place::Page { mut rest, empty_page_due } = round.at else {
        unreachable!("a round that is turned has pages");
    };
    let empty = empty_page_due && rest.len() <= size;
    let later = rest.split_off(if empty { 0 } else { size.min(rest.len()) });
    let mailbox = world.mailbox(&round.mailbox).expect("a round belongs to a mailbox");
    let value = rest.iter().filter_map(|item| shown(item, mailbox, &round.query, view)).collect();
    let token = random_token();
    let last = later.is_empty() && !empty;
    round.at = if last {
        Place::Rest
    } else {
        Place::Page { rest: later, empty_page_due: empty_page_due && !empty }
    };
    world.rounds.insert(token.clone(), round);
    Page { value, link: if last { Link::Delta(token) } else { Link::Next(token) } }
}

/// An item as of now; a message that left since the round began is shown as removed.
fn shown(item: &Item, mailbox: &Mailbox, query: &Query, view: View) -> Option<Value> {
    match item {
        Item::Whole(id) => mailbox.find(id).map(|message| {
            let mut value = view.message(mailbox, message, query);
            value["@odata.type"] = json!("#microsoft.graph.message");
            value
        }),
        Item::Partial(id) => mailbox.find(id).map(|message| view.partial(mailbox, message)),
        Item::Removed(ids) => {
            let id = if view.immutable_ids { &ids.immutable_id } else { &ids.id };
            Some(json!({
                "@odata.type": "#microsoft.graph.message",
                "id": id,
                "@removed": {"reason": "deleted"},
            }))
        }
    }
}
