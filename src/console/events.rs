//! What happened: to each mailbox, and what administrators did; newest first, page by page.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::base::audit::Outcome;
use crate::base::id::MailboxId;
use crate::console::asked::{Asked, address};
use crate::console::frame::Frame;
use crate::console::language::Texts;
use crate::console::page::Page;
use crate::console::queues::{Choice, address_of};
use crate::console::reasons::{Said, said};
use crate::console::shared::Shared;
use crate::console::times::Moment;
use crate::store::{EventKind, EventRow, MailboxRow};

pub const PATH: &str = "/admin/exchange/events";

/// Events on a page.
const LISTED: u32 = 50;

struct Line {
    at: Moment,
    kind: &'static str,
    went_well: bool,
    /// What became of a mail, where that is what is told of.
    about: Option<String>,
    told: Said,
    mailbox: Option<String>,
    actor: Option<String>,
    client: Option<String>,
}

#[derive(Template)]
#[template(path = "events.html")]
struct Events {
    frame: Frame,
    mailboxes: Vec<Choice>,
    lines: Vec<Line>,
    newest: Option<String>,
    older: Option<String>,
}

/// GET `/admin/exchange/events?mailbox=&before=`.
pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame, asked: Asked) -> Result<Page, Page> {
    let (mailbox, before) = (asked.mailbox()?, asked.before()?);
    let store = &shared.parts.store;
    let rows = store.mailboxes().await.map_err(|failure| Shared::broken(&failure))?;
    let found = store.events(mailbox.as_ref(), before, LISTED + 1).await;
    let mut found = found.map_err(|failure| Shared::broken(&failure))?;
    let more = found.len() > LISTED as usize;
    found.truncate(LISTED as usize);
    let last = found.last().filter(|_| more).map(|row| row.id.to_string());
    let own = mailbox.as_ref().map(MailboxId::as_str);
    let here = |before: Option<&str>| address(PATH, &[("mailbox", own), ("before", before)]);
    let page = Events {
        mailboxes: mailboxes(mailbox.as_ref(), &rows, &frame),
        lines: found.into_iter().map(|row| line(row, &rows, &frame)).collect(),
        newest: before.map(|_| here(None)),
        older: last.map(|last| here(Some(&last))),
        frame,
    };
    Ok(Page::console(StatusCode::OK, &page))
}

fn mailboxes(own: Option<&MailboxId>, rows: &[MailboxRow], frame: &Frame) -> Vec<Choice> {
    let link = |mailbox: Option<&str>| address(PATH, &[("mailbox", mailbox)]);
    let text = frame.t.say("events-every").to_string();
    let every = Choice { text, href: link(None), current: own.is_none() };
    let each = rows.iter().map(|row| Choice {
        text: row.address.clone(),
        href: link(Some(row.id.as_str())),
        current: own == Some(&row.id),
    });
    std::iter::once(every).chain(each).collect()
}

fn line(row: EventRow, rows: &[MailboxRow], frame: &Frame) -> Line {
    let event = row.event;
    let (about, told) = told(&event.detail, &frame.t);
    Line {
        at: frame.moment(event.at),
        kind: kind(event.kind),
        went_well: event.outcome == Outcome::Success,
        about,
        told,
        mailbox: event.mailbox.map(|id| address_of(&id, rows)),
        actor: event.actor,
        client: event.client.map(|client| client.to_string()),
    }
}

/// The message of a kind.
fn kind(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Admin => "event-kind-admin",
        EventKind::SignIn => "event-kind-sign-in",
        EventKind::Token => "event-kind-token",
        EventKind::Mailbox => "event-kind-mailbox",
        EventKind::Mail => "event-kind-mail",
    }
}

/// What the worker says of a mail, before the reason, and its message.
const ENDS: [(&str, &str); 2] = [(" put aside: ", "event-put-aside"), (" given up: ", "event-given-up")];

/// The message of fixed words.
pub fn key_of(detail: &str) -> String {
    let letter = |one: char| if one.is_ascii_alphanumeric() { one.to_ascii_lowercase() } else { '-' };
    "event-".chars().chain(detail.chars().map(letter)).collect()
}

/// Fixed words are in the catalogue under their own letters; anything else is a reason.
fn told(detail: &str, t: &Texts) -> (Option<String>, Said) {
    let key = key_of(detail);
    if t.knows(&key) {
        return (None, Said { text: t.say(key).to_string(), english: false });
    }
    let of_mail = |(end, key): (&str, &str)| {
        let (mail, reason) = detail.split_once(end)?;
        Some((Some(t.say(key).set("mail", mail).to_string()), said(reason, t)))
    };
    ENDS.into_iter().find_map(of_mail).unwrap_or_else(|| (None, said(detail, t)))
}
