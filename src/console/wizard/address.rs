//! Step 1: the address, and the set-ups that are not finished.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

use crate::console::form::Field;
use crate::console::frame::Frame;
use crate::console::guard::{Client, Submitted};
use crate::console::limits::Work;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::times::Moment;
use crate::console::wizard::draft::{Draft, Found, Step};
use crate::console::wizard::drafts::{self, path_of};
use crate::console::wizard::found::refusal_key;
use crate::console::wizard::rail::{Mark, rail};

#[derive(Template)]
#[template(path = "wizard/address.html")]
struct AddressPage {
    frame: Frame,
    rail: Vec<Mark>,
    fields: Vec<Field>,
    waiting: Vec<Waiting>,
}

/// A set-up that is not finished.
struct Waiting {
    id: String,
    address: String,
    path: String,
    step: String,
    admin: String,
    started: Moment,
}

#[derive(Deserialize)]
pub struct Entered {
    #[serde(default)]
    address: String,
}

/// GET `/admin/exchange/setup`.
pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Page, Page> {
    page(&shared, frame, StatusCode::OK, String::new(), None).await
}

/// POST `/admin/exchange/setup`.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    client: Client,
    Submitted(admin, entered): Submitted<Entered>,
) -> Result<Response, Page> {
    shared.admit(&client, &admin, Work::Detection)?;
    let address = entered.address.trim();
    match shared.parts.detect.detect(address).await {
        Ok(detection) => {
            let found = Found::of(&detection);
            let draft = Draft::new(detection.address, found, admin.name.clone());
            let id = drafts::add(&shared, &draft).await?;
            Ok(page::see_other(&path_of(&id, Step::SignIn)))
        }
        Err(refused) => {
            let error = Some(frame.t.say(refusal_key(refused)).to_string());
            let page =
                page(&shared, frame, StatusCode::UNPROCESSABLE_ENTITY, address.to_owned(), error).await?;
            Ok(page.into_response())
        }
    }
}

async fn page(
    shared: &Shared,
    frame: Frame,
    status: StatusCode,
    address: String,
    error: Option<String>,
) -> Result<Page, Page> {
    let waiting = drafts::open_ones(shared).await?.into_iter().map(|stored| Waiting {
        path: path_of(&stored.id, stored.draft.step()),
        step: frame.t.say(format!("step-{}", stored.draft.step().name())).to_string(),
        started: frame.moment(stored.started),
        address: stored.draft.address,
        admin: stored.draft.admin,
        id: stored.id,
    });
    let waiting = waiting.collect();
    let field = Field::new("address", address).kind("email").complete("email").required().failing(error);
    let page = AddressPage { rail: rail("", None, Step::Address), fields: vec![field], waiting, frame };
    Ok(Page::console(status, &page))
}
