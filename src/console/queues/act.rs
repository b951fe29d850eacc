//! Trying a mail again, and leaving it alone. Whoever pressed a button of a page that was out of date is told
//! so, and nothing is changed.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::base::audit::Outcome;
use crate::console::asked::not_found;
use crate::console::guard::{Client, Submitted};
use crate::console::page::{self, Page};
use crate::console::queues::{back_to, named};
use crate::console::shared::Shared;
use crate::store::StoreError;
use crate::store::by_hand::{self, Change, QueuedMail};
use crate::web::local::Admin;

/// Characters of a reason.
const LONGEST_REASON: usize = 200;

/// What a form about a mail brings.
#[derive(Deserialize)]
pub struct Wish {
    /// The state that the page showed.
    #[serde(default)]
    seen: String,
    #[serde(default)]
    reason: String,
}

impl Wish {
    fn seen(&self) -> Option<&str> {
        Some(self.seen.as_str()).filter(|seen| !seen.is_empty())
    }

    fn reason(&self) -> Result<String, Page> {
        if self.reason.chars().count() > LONGEST_REASON {
            return Err(page::problem(StatusCode::BAD_REQUEST, &page::BAD_FORM));
        }
        Ok(self.reason.replace(char::is_control, " ").trim().to_owned())
    }
}

/// POST `/admin/exchange/queues/{way}/{id}/retry`.
pub async fn retry(
    State(shared): State<Arc<Shared>>,
    client: Client,
    Path((way, id)): Path<(String, String)>,
    Submitted(admin, wish): Submitted<Wish>,
) -> Result<Response, Page> {
    try_again(&shared, &client, &admin, named(&way, &id)?, &wish).await
}

/// POST `/admin/exchange/quarantine/{id}/retry`.
pub async fn retry_quarantined(
    State(shared): State<Arc<Shared>>,
    client: Client,
    Path(id): Path<String>,
    Submitted(admin, wish): Submitted<Wish>,
) -> Result<Response, Page> {
    try_again(&shared, &client, &admin, named("in", &id)?, &wish).await
}

async fn try_again(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    mail: QueuedMail,
    wish: &Wish,
) -> Result<Response, Page> {
    let (store, now) = (&*shared.parts.store, shared.parts.clock.now());
    let told = told(by_hand::retry(store, mail, wish.seen(), now).await, "retried")?;
    if told == "retried" {
        note(shared, client, admin, mail, "a mail tried again").await?;
        shared.parts.worker.ring();
    }
    Ok(back_to(mail, told))
}

/// POST `/admin/exchange/queues/{way}/{id}/skip`.
pub async fn skip_submitted(
    State(shared): State<Arc<Shared>>,
    client: Client,
    Path((way, id)): Path<(String, String)>,
    Submitted(admin, wish): Submitted<Wish>,
) -> Result<Response, Page> {
    skip(&shared, &client, &admin, named(&way, &id)?, &wish, "skipped").await
}

/// Does nothing more with the mail, for the reason given; `done` is what its page then tells.
pub async fn skip(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    mail: QueuedMail,
    wish: &Wish,
    done: &'static str,
) -> Result<Response, Page> {
    let (store, now) = (&*shared.parts.store, shared.parts.clock.now());
    let reason = wish.reason()?;
    let told = told(by_hand::skip(store, mail, wish.seen(), &reason, now).await, done)?;
    if told == done {
        let detail = if done == "dropped" { "a quarantined mail dropped" } else { "a mail left alone" };
        note(shared, client, admin, mail, detail).await?;
        // Flags of the mail on its server are the worker's work.
        shared.parts.worker.ring();
    }
    Ok(back_to(mail, told))
}

fn told(changed: Result<Change, StoreError>, done: &'static str) -> Result<&'static str, Page> {
    match changed.map_err(|failure| Shared::broken(&failure))? {
        Change::Done => Ok(done),
        Change::Overtaken => Ok("overtaken"),
        Change::Absent => Err(not_found()),
    }
}

async fn note(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    mail: QueuedMail,
    detail: &'static str,
) -> Result<(), Page> {
    let store = &shared.parts.store;
    let mailbox = match mail {
        QueuedMail::In(id) => store.inbound(id).await.map(|row| row.map(|row| row.mailbox)),
        QueuedMail::Out(id) => store.outgoing(id).await.map(|row| row.map(|row| row.mailbox)),
    };
    let mailbox = mailbox.map_err(|failure| Shared::broken(&failure))?;
    shared.note_action(client, admin, Outcome::Success, detail, mailbox.as_ref());
    Ok(())
}
