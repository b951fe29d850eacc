//! What somebody needs who is asked for help: version, configuration, states, last errors, as one text to copy.
//!
//! In English whatever the reader speaks. Names no person and no address of one: mailboxes stand by their ids,
//! texts of other servers are redacted.

use std::fmt::Write;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};

use crate::base::clock::Timestamp;
use crate::base::redact::redacted;
use crate::console::frame::Frame;
use crate::console::guard::Proof;
use crate::console::journal::fields;
use crate::console::page::Page;
use crate::console::shared::Shared;
use crate::oauth::app::Vendor;
use crate::store::{MailboxRow, MailboxState, StoreError, Waiting};

pub const PATH: &str = "/admin/exchange/diagnostics";

const EVENTS: u32 = 30;
const LINES: usize = 60;
/// Characters of an error.
const LONGEST: usize = 300;

/// What the worker notes of itself: name in the store, and what it means.
const FACTS: [(&str, &str); 2] =
    [("outbound_hold", "answers are held"), ("desk_failure", "the desk cannot be used")];

#[derive(Template)]
#[template(path = "diagnostics.html")]
struct Diagnostics {
    frame: Frame,
    text: String,
}

/// GET `/admin/exchange/diagnostics`.
pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Page, Page> {
    let text = written(&shared).await.map_err(|failure| Shared::broken(&failure))?;
    Ok(Page::console(StatusCode::OK, &Diagnostics { frame, text }))
}

/// GET `/admin/exchange/diagnostics.txt`.
pub async fn download(State(shared): State<Arc<Shared>>, _: Proof) -> Result<Response, Page> {
    let text = written(&shared).await.map_err(|failure| Shared::broken(&failure))?;
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"mintgate-diagnostics.txt\""),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}

/// A text that grows by lines.
struct Report(String);

impl Report {
    fn heading(&mut self, name: &str) {
        self.line(format_args!("\n== {name}"));
    }

    fn line(&mut self, line: impl std::fmt::Display) {
        writeln!(self.0, "{line}").expect("a String takes everything");
    }

    fn fact(&mut self, name: &str, value: impl std::fmt::Display) {
        self.line(format_args!("{name}: {value}"));
    }
}

async fn written(shared: &Shared) -> Result<String, StoreError> {
    let (parts, store) = (&shared.parts, &shared.parts.store);
    let mut report = Report(String::new());
    report.line(format_args!("mintgate {}", env!("CARGO_PKG_VERSION")));
    report.fact("made", parts.clock.now());
    report.heading("configuration");
    configuration(&mut report, shared);
    report.heading("mailboxes");
    let waiting = store.waiting().await?;
    for row in store.mailboxes().await? {
        let waits = waiting.iter().find(|(id, _)| *id == row.id).map(|(_, waits)| *waits);
        mailbox(&mut report, shared, &row, waits.unwrap_or_default());
    }
    report.heading("worker");
    for (name, meaning) in FACTS {
        let fact = store.fact(name).await?;
        report.fact(meaning, fact.map_or_else(|| "no".to_owned(), |why| redacted(&why, LONGEST)));
    }
    report.heading("last events");
    for row in store.events(None, None, EVENTS).await? {
        let event = row.event;
        let mailbox = event.mailbox.as_ref().map_or("-", |id| id.as_str());
        let (kind, outcome) = (event.kind.as_str(), event.outcome.as_str());
        report.line(format_args!("{} {mailbox} {kind} {outcome}: {}", event.at, event.detail));
    }
    report.heading("last log lines");
    for line in parts.journal.newest(LINES) {
        let level = line.level.as_str();
        report.line(format_args!("{} {level} {} {}", line.at, line.message, fields(&line)));
    }
    report.heading("mintgate doctor");
    match shared.findings.at(parts.clock.now(), &parts.examine).await {
        Some(lines) => lines.iter().for_each(|line| report.line(line)),
        None => report.line("It did not end within five seconds: run `mintgate doctor --config FILE`."),
    }
    Ok(report.0)
}

fn configuration(report: &mut Report, shared: &Shared) {
    let parts = &shared.parts;
    let public = parts.public_url.as_ref().map(|url| url.origin().ascii_serialization());
    report.fact("public URL", public.as_deref().unwrap_or("not set"));
    let apps = parts.registrations.apps();
    let origin = |vendor| match parts.registrations.configured(vendor) {
        Some(_) => "",
        None => ", entered in the console",
    };
    match apps.microsoft() {
        Some(app) => {
            report.fact(
                "Microsoft app",
                format_args!(
                    "client id {}, tenant {}{}",
                    app.client_id,
                    app.tenant,
                    origin(Vendor::Microsoft)
                ),
            );
        }
        None => report.fact("Microsoft app", "not configured"),
    }
    match apps.of(Vendor::Google) {
        Some(app) => report
            .fact("Google client", format_args!("client id {}{}", app.client_id(), origin(Vendor::Google))),
        None => report.fact("Google client", "not configured"),
    }
    report
        .fact("desk user of the worker", if parts.bot_configured { "configured" } else { "not configured" });
    for (name, value) in &parts.facts {
        report.fact(name, value);
    }
}

fn mailbox(report: &mut Report, shared: &Shared, row: &MailboxRow, waits: Waiting) {
    let at = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), Timestamp::rfc3339);
    let state = match row.state {
        MailboxState::Connected => "connected",
        MailboxState::NeedsReconnect => "has to be connected again",
    };
    report.line(format_args!("{} ({}): {state} since {}", row.id, row.kind, row.connected_at));
    report.line(format_args!("  last look {}, newest mail {}", at(row.last_poll_at), at(row.last_mail_at)));
    report.line(format_args!(
        "  waiting: {} in, {} out; put aside {}, given up {}",
        waits.inbound, waits.outgoing, waits.quarantined, waits.failed
    ));
    let status = shared.parts.keeper.status(&row.id);
    report.line(format_args!(
        "  token until {}, refreshed {}, next {}",
        at(status.expires_at),
        at(status.last_refresh),
        at(status.next_refresh)
    ));
    if let Some((since, why)) = status.last_error {
        report.line(format_args!("  no token, {since}: {}", redacted(&why, LONGEST)));
    }
    if let Some(error) = &row.last_error {
        let since = at(row.failing_since);
        report.line(format_args!("  failing since {since}: {}", redacted(error, LONGEST)));
    }
}
