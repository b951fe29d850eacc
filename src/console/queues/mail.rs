//! One mail with all that is known of it: where it stands, what was decided and why, and what can be done.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use http::StatusCode;

use crate::console::asked::{Asked, not_found};
use crate::console::facts::{Fact, Facts, Value};
use crate::console::frame::Frame;
use crate::console::page::Page;
use crate::console::queues::list::address_of;
use crate::console::queues::{TOLD, named, path};
use crate::console::shared::Shared;
use crate::mail::Message;
use crate::store::by_hand::{MailState, QueuedMail};
use crate::store::{
    InboundRow, InboundState, Intent, Listed, MailboxRow, OutboxRow, OutboxState, OutgoingKind, StoreError,
};
use crate::web::own::mail_path;

#[derive(Template)]
#[template(path = "queues/mail.html")]
struct MailPage {
    frame: Frame,
    /// What a change came to, as a message key.
    told: Option<String>,
    name: String,
    path: String,
    state: MailState,
    /// Message key of the state.
    standing: String,
    /// The preview of a mail that was put aside.
    preview: Option<String>,
    facts: Vec<Fact>,
    /// What the mail itself says, where its bytes are kept.
    says: Vec<Fact>,
}

/// GET `/admin/exchange/queues/{way}/{id}`.
pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    asked: Asked,
    Path((way, id)): Path<(String, String)>,
) -> Result<Page, Page> {
    let mail = named(&way, &id)?;
    let told = asked.value("told").filter(|told| TOLD.contains(told)).map(|told| format!("told-{told}"));
    let read = read(&shared, &frame, mail).await.map_err(|failure| Shared::broken(&failure))?;
    let (state, facts, says) = read.ok_or_else(not_found)?;
    let preview = match (mail, state) {
        (QueuedMail::In(id), MailState::In(InboundState::Quarantined)) => {
            Some(format!("{}/{id}", crate::console::quarantine::PATH))
        }
        _ => None,
    };
    let (name, path) = (mail.to_string(), path(mail));
    let standing = format!("mail-state-{}", state.word());
    let page = MailPage { frame, told, name, path, state, standing, preview, facts, says };
    Ok(Page::console(StatusCode::OK, &page))
}

type Known = (MailState, Vec<Fact>, Vec<Fact>);

async fn read(shared: &Shared, frame: &Frame, mail: QueuedMail) -> Result<Option<Known>, StoreError> {
    let store = &shared.parts.store;
    let rows = store.mailboxes().await?;
    match mail {
        QueuedMail::In(id) => {
            let Some(listed) = store.listed_inbound(id).await? else { return Ok(None) };
            let raw = store.inbound_raw(id).await?;
            let mut facts = inbound(&listed, &rows, frame);
            facts.text("bytes", raw.as_ref().map_or(0, Vec::len));
            let message = match raw {
                Some(raw) => shared.reading.message(raw).await,
                None => None,
            };
            let says = message.map(|(message, _)| says(&message, frame)).unwrap_or_default();
            Ok(Some((MailState::In(listed.row.state), facts.lines(), says)))
        }
        QueuedMail::Out(id) => {
            let Some(listed) = store.listed_outgoing(id).await? else { return Ok(None) };
            let facts = outgoing(&listed, &rows, frame).lines();
            Ok(Some((MailState::Out(listed.row.state), facts, Vec::new())))
        }
    }
}

fn inbound<'f>(listed: &Listed<InboundRow>, rows: &[MailboxRow], frame: &'f Frame) -> Facts<'f> {
    let row = &listed.row;
    let mut facts = Facts::new(frame);
    facts.text("mailbox", address_of(&row.mailbox, rows));
    facts.at("received", row.received_at);
    facts.text("tries", row.attempts);
    if matches!(row.state, InboundState::New | InboundState::Intent) {
        facts.at("next-try", row.next_try_at);
    }
    if let Some(intent) = &row.intent {
        let (key, ticket) = match intent {
            Intent::Open => ("intent-open", None),
            Intent::Reply { ticket } => ("intent-reply", Some(ticket)),
            Intent::Note { ticket } => ("intent-note", Some(ticket)),
        };
        facts.text("decision", frame.t.say(key));
        facts.ticket("decision-ticket", ticket.map(String::as_str));
        facts.at_if("decided", row.intent_at);
    }
    if let Some(reason) = &row.reason {
        facts.reason(reason);
    }
    facts.ticket("ticket", row.ticket.as_deref());
    if row.ticket.is_some() {
        let href = mail_path(row.id);
        facts.add("files", Value::Link { text: frame.t.say("fact-files.link").to_string(), href });
    }
    facts.at_if("ended", listed.ended_at);
    facts.text_if("message-id", row.message_id.as_deref());
    facts.text("source-key", &row.source_key);
    facts.text_if("brings-files", row.reading.as_ref().map(|reading| reading.files));
    facts
}

fn outgoing<'f>(listed: &Listed<OutboxRow>, rows: &[MailboxRow], frame: &'f Frame) -> Facts<'f> {
    let row = &listed.row;
    let mut facts = Facts::new(frame);
    let kind = match row.kind {
        OutgoingKind::Answer => "outgoing-answer",
        OutgoingKind::Acknowledgement => "outgoing-acknowledgement",
        OutgoingKind::Closing => "outgoing-closing",
        OutgoingKind::TooLarge => "outgoing-too-large",
    };
    facts.text("kind", frame.t.say(kind));
    facts.ticket("ticket", Some(&row.ticket));
    facts.text("mailbox", address_of(&row.mailbox, rows));
    facts.text("recipient", &row.recipient);
    facts.at("written", row.created_at);
    facts.text("tries", row.attempts);
    if matches!(row.state, OutboxState::Queued | OutboxState::Sending) {
        facts.at("next-try", row.next_try_at);
    }
    if let Some(reason) = &row.reason {
        facts.reason(reason);
    }
    facts.at_if("dispatched", row.dispatched_at);
    facts.at_if("sent", listed.ended_at);
    if row.doubled > 0 {
        facts.text("doubled", row.doubled);
    }
    facts.text("message-id", &row.message_id);
    facts.text_if("provider-id", row.provider_id.as_deref());
    facts.text("comment", &row.comment);
    facts
}

/// Header lines, and what the mail was taken for.
fn says(message: &Message, frame: &Frame) -> Vec<Fact> {
    let mut facts = Facts::new(frame);
    facts.text_if("from", message.from.as_ref().map(shown));
    facts.text_if("subject", Some(&message.subject));
    facts.at_if("date", message.date);
    match &message.automatic {
        Some(automatic) => facts.add("taken-for", Value::English(automatic.reason.clone())),
        None => facts.text("taken-for", frame.t.say("taken-for-person")),
    }
    facts.lines()
}

/// A person as mail programs show one.
pub fn shown(one: &crate::mail::Mailbox) -> String {
    if one.name.is_empty() { one.address.clone() } else { format!("{} <{}>", one.name, one.address) }
}
