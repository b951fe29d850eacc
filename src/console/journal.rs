//! The last lines of the mail log, as far as the journal keeps them.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::base::journal::{KEPT_LINES, Level, Line};
use crate::console::frame::Frame;
use crate::console::page::Page;
use crate::console::shared::Shared;
use crate::console::times::Moment;

pub const PATH: &str = "/admin/exchange/log";

struct Shown {
    at: Moment,
    level: Level,
    message: String,
    fields: String,
}

#[derive(Template)]
#[template(path = "journal.html")]
struct JournalPage {
    frame: Frame,
    lines: Vec<Shown>,
}

/// GET `/admin/exchange/log`.
pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame) -> Page {
    let lines = shared.parts.journal.newest(KEPT_LINES);
    let lines = lines.into_iter().map(|line| Shown {
        at: frame.moment(line.at),
        level: line.level,
        fields: fields(&line),
        message: line.message,
    });
    Page::console(StatusCode::OK, &JournalPage { lines: lines.collect(), frame })
}

/// `mailbox=m365 mail=7`.
pub fn fields(line: &Line) -> String {
    let fields = line.fields.iter().map(|(name, value)| format!("{name}={value}"));
    fields.collect::<Vec<_>>().join(" ")
}
