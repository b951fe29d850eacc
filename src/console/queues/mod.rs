//! The mails that wait, stand still or are done, in both directions: lists, one mail with all that is known of
//! it, and what a person may do with it. The rules are the store's; `mintgate queue` goes by the same.

mod act;
mod list;
mod mail;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::console::asked::{address, not_found};
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::store::InboundState;
use crate::store::by_hand::{MailState, QueuedMail};

pub use act::{Wish, skip};
pub use list::{Choice, address_of};
pub use mail::shown;

/// The lists of both directions.
pub const PATH: &str = "/admin/exchange/queues";

pub fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/exchange/queues", get(list::show))
        .route("/admin/exchange/queues/{way}/{id}", get(mail::show))
        .route("/admin/exchange/queues/{way}/{id}/retry", post(act::retry))
        .route("/admin/exchange/queues/{way}/{id}/skip", post(act::skip_submitted))
        .route("/admin/exchange/quarantine/{id}/retry", post(act::retry_quarantined))
}

/// The mail that a path names, as `in/12`.
pub fn named(way: &str, id: &str) -> Result<QueuedMail, Page> {
    format!("{way}-{id}").parse().map_err(|_| not_found())
}

/// The page of a mail.
pub fn path(mail: QueuedMail) -> String {
    match mail {
        QueuedMail::In(id) => format!("{PATH}/in/{id}"),
        QueuedMail::Out(id) => format!("{PATH}/out/{id}"),
    }
}

/// What a form carries as the state that its page showed.
pub fn word(state: InboundState) -> &'static str {
    MailState::In(state).word()
}

/// Back to the mail's page, which says what came of it: the message `told-<word>`.
pub fn back_to(mail: QueuedMail, told: &'static str) -> axum::response::Response {
    page::see_other(&address(&path(mail), &[("told", Some(told))]))
}

/// What pages may be asked to tell; anything else is not said.
pub const TOLD: [&str; 4] = ["retried", "skipped", "dropped", "overtaken"];
