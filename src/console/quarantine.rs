//! Mails that were put aside: the list, a look at one that nothing in it can use, its bytes, and dropping it.
//!
//! A stranger wrote what is shown. Header lines and text are text; the mail's own page is sanitised and stands
//! in a frame without scripts, without an origin and without anything that is fetched; files are only named.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use crate::base::audit::Outcome;
use crate::console::asked::{Asked, address, not_found};
use crate::console::facts::{Fact, Facts};
use crate::console::frame::Frame;
use crate::console::guard::{Client, Proof, Submitted};
use crate::console::page::Page;
use crate::console::queues::{self, Wish, address_of};
use crate::console::reasons::{Said, said};
use crate::console::shared::Shared;
use crate::console::times::Moment;
use crate::mail::Attachment;
use crate::store::by_hand::QueuedMail;
use crate::store::{InboundRow, InboundState, MailboxRow, Standing, Wanted};

/// The list of mails that were put aside.
pub const PATH: &str = "/admin/exchange/quarantine";

/// Mails on a page.
const LISTED: u32 = 25;
/// Bytes of header lines that are shown.
const MOST_HEADERS: usize = 16 * 1024;
/// Characters of text that are shown.
const MOST_TEXT: usize = 64 * 1024;

/// For the mail's own page: its pictures are within it, so that it may load nothing at all.
const MAIL_POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'self'; sandbox";

pub fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/exchange/quarantine", get(list))
        .route("/admin/exchange/quarantine/{file}", get(show_or_download))
        .route("/admin/exchange/quarantine/{id}/page", get(mail_page))
        .route("/admin/exchange/quarantine/{id}/drop", get(confirm).post(drop_mail))
}

struct Line {
    id: i64,
    /// Its address, or its id where it is not connected any more.
    mailbox: String,
    received: Moment,
    reason: Said,
}

#[derive(Template)]
#[template(path = "quarantine/list.html")]
struct List {
    frame: Frame,
    lines: Vec<Line>,
    newest: Option<String>,
    older: Option<String>,
}

/// GET `/admin/exchange/quarantine?before=`.
async fn list(State(shared): State<Arc<Shared>>, frame: Frame, asked: Asked) -> Result<Page, Page> {
    let before = asked.before()?;
    let wanted = Wanted { standing: Standing::Failed, mailbox: None, before, limit: LISTED + 1 };
    let found = shared.parts.store.inbound_page(&wanted).await;
    let mut found = found.map_err(|failure| Shared::broken(&failure))?;
    let rows = shared.parts.store.mailboxes().await.map_err(|failure| Shared::broken(&failure))?;
    let more = found.len() > LISTED as usize;
    found.truncate(LISTED as usize);
    let last = found.last().filter(|_| more).map(|listed| listed.row.id.to_string());
    let page = List {
        lines: found.into_iter().map(|listed| line(listed.row, &rows, &frame)).collect(),
        newest: before.map(|_| PATH.to_owned()),
        older: last.map(|last| address(PATH, &[("before", Some(&last))])),
        frame,
    };
    Ok(Page::console(StatusCode::OK, &page))
}

fn line(row: InboundRow, rows: &[MailboxRow], frame: &Frame) -> Line {
    Line {
        id: row.id,
        received: frame.moment(row.received_at),
        mailbox: address_of(&row.mailbox, rows),
        reason: reason(&row, frame),
    }
}

fn reason(row: &InboundRow, frame: &Frame) -> Said {
    match &row.reason {
        Some(reason) => said(reason, &frame.t),
        None => Said { text: frame.t.say("reason-unknown").to_string(), english: false },
    }
}

/// The mail of this number and its bytes, as long as it is put aside.
async fn put_aside(shared: &Shared, id: &str) -> Result<(InboundRow, Vec<u8>), Page> {
    let id: i64 = id.parse().map_err(|_| not_found())?;
    let store = &shared.parts.store;
    let row = store.inbound(id).await.map_err(|failure| Shared::broken(&failure))?;
    let row = row.filter(|row| row.state == InboundState::Quarantined).ok_or_else(not_found)?;
    let raw = store.inbound_raw(id).await.map_err(|failure| Shared::broken(&failure))?;
    // The mail server never handed over one that has no bytes.
    Ok((row, raw.unwrap_or_default()))
}

/// GET `/admin/exchange/quarantine/{id}` and `/admin/exchange/quarantine/{id}.eml`.
async fn show_or_download(
    State(shared): State<Arc<Shared>>,
    client: Client,
    Proof(admin): Proof,
    frame: Frame,
    Path(file): Path<String>,
) -> Result<Response, Page> {
    let Some(id) = file.strip_suffix(".eml") else {
        return show(&shared, frame, &file).await.map(IntoResponse::into_response);
    };
    let (row, raw) = put_aside(&shared, id).await?;
    let detail = "quarantined mail downloaded";
    shared.note_action(&client, &admin, Outcome::Success, detail, Some(&row.mailbox));
    // Never shown in place: the bytes are a stranger's.
    let headers = [
        (CONTENT_TYPE, "text/plain".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"mail-{}.eml\"", row.id)),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, raw).into_response())
}

#[derive(Template)]
#[template(path = "quarantine/mail.html")]
struct MailPage {
    frame: Frame,
    id: i64,
    path: String,
    seen: &'static str,
    facts: Vec<Fact>,
    headers: String,
    /// `None` when the mail cannot be read.
    text: Option<String>,
    has_page: bool,
    files: Vec<Attachment>,
}

async fn show(shared: &Shared, frame: Frame, id: &str) -> Result<Page, Page> {
    let (row, raw) = put_aside(shared, id).await?;
    let mut facts = Facts::new(&frame);
    let rows = shared.parts.store.mailboxes().await.map_err(|failure| Shared::broken(&failure))?;
    facts.text("mailbox", address_of(&row.mailbox, &rows));
    facts.at("received", row.received_at);
    if let Some(reason) = &row.reason {
        facts.reason(reason);
    }
    facts.text("bytes", raw.len());
    let headers = header_lines(&raw);
    let read = shared.reading.message(raw).await;
    if let Some((message, _)) = &read {
        facts.text_if("from", message.from.as_ref().map(queues::shown));
        facts.text_if("subject", Some(&message.subject));
    }
    let facts = facts.lines();
    let (message, has_page) = read.map_or((None, false), |(message, has_page)| (Some(message), has_page));
    let (text, files) = message.map(|message| (message.text, message.attachments)).unzip();
    let page = MailPage {
        frame,
        id: row.id,
        path: queues::path(QueuedMail::In(row.id)),
        seen: queues::word(row.state),
        facts,
        headers,
        text: text.map(|text| text.chars().take(MOST_TEXT).collect()),
        has_page,
        files: files.unwrap_or_default(),
    };
    Ok(Page::framing(StatusCode::OK, &page))
}

/// What stands before the first empty line, as text.
fn header_lines(raw: &[u8]) -> String {
    let ends = [&b"\r\n\r\n"[..], b"\n\n"];
    let end = ends.iter().filter_map(|end| raw.windows(end.len()).position(|found| found == *end)).min();
    let lines = &raw[..end.unwrap_or(raw.len()).min(MOST_HEADERS)];
    let shown = |one: char| !one.is_control() || one == '\n' || one == '\t';
    String::from_utf8_lossy(lines).chars().filter(|one| shown(*one)).collect()
}

/// GET `/admin/exchange/quarantine/{id}/page`: the mail's own page, for the frame.
async fn mail_page(
    State(shared): State<Arc<Shared>>,
    _: Proof,
    Path(id): Path<String>,
) -> Result<Response, Page> {
    let (_, raw) = put_aside(&shared, &id).await?;
    let fragment = shared.reading.page(raw).await.ok_or_else(not_found)?;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, MAIL_POLICY),
        (X_FRAME_OPTIONS, "SAMEORIGIN"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    let page = format!(
        "<!doctype html>\n<html>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Mail</title>\n<body>\n{fragment}\n</body>\n</html>\n"
    );
    Ok((headers, page).into_response())
}

#[derive(Template)]
#[template(path = "quarantine/drop.html")]
struct Confirm {
    frame: Frame,
    id: i64,
    seen: &'static str,
    reason: Said,
}

/// GET `/admin/exchange/quarantine/{id}/drop`: asks once more.
async fn confirm(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(id): Path<String>,
) -> Result<Page, Page> {
    let (row, _) = put_aside(&shared, &id).await?;
    let (reason, seen) = (reason(&row, &frame), queues::word(row.state));
    Ok(Page::console(StatusCode::OK, &Confirm { frame, id: row.id, seen, reason }))
}

/// POST `/admin/exchange/quarantine/{id}/drop`.
async fn drop_mail(
    State(shared): State<Arc<Shared>>,
    client: Client,
    Path(id): Path<String>,
    Submitted(admin, wish): Submitted<Wish>,
) -> Result<Response, Page> {
    let mail = queues::named("in", &id)?;
    queues::skip(&shared, &client, &admin, mail, &wish, "dropped").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_end_at_the_first_empty_line_and_hold_no_control_characters() {
        assert_eq!(header_lines(b"A: 1\r\nB: \x1b[2J\xff\r\n\r\nbody"), "A: 1\nB: [2J\u{fffd}");
        assert_eq!(header_lines(b"A: 1\n\nbody\r\n\r\nmore"), "A: 1");
        assert_eq!(header_lines(b"no end"), "no end");
        assert_eq!(header_lines(&[b'a'; MOST_HEADERS + 1]).len(), MOST_HEADERS);
    }
}
