//! What a provider says of a registration, asked before anybody signs in by it: when it is entered, and whenever an
//! administrator wants to know.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use http::StatusCode;
use tracing::warn;

use crate::base::audit::Outcome;
use crate::base::report::Report;
use crate::console::advice::{About, Explained};
use crate::console::apps::{self, vendor_of};
use crate::console::checks::Line;
use crate::console::frame::Frame;
use crate::console::guard::{Change, Client};
use crate::console::limits::Work;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::oauth::app::{App, Vendor};
use crate::oauth::discovery::{DiscoveryError, discover};
use crate::oauth::grant::GrantError;
use crate::oauth::http::EndpointError;
use crate::oauth::provider::redirect_uri;
use crate::oauth::trial::{Verdict, ask};

/// Whether the provider knows where the registration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directory {
    Unknown,
    /// It gave no usable answer.
    Silent,
}

/// What came of asking.
pub enum Trial {
    /// Nothing could be asked about the registration itself.
    Unreachable {
        directory: Directory,
        why: String,
        took_ms: u64,
    },
    Judged {
        found_ms: u64,
        verdict: Result<Verdict, GrantError>,
        took_ms: u64,
    },
}

/// Asks the provider of `app`. Failures are logged and said, and are nobody's fault.
pub async fn hold(shared: &Shared, app: &App) -> Trial {
    let parts = &shared.parts;
    let began = parts.clock.steady();
    let took_ms =
        |since: Duration| u64::try_from((parts.clock.steady() - since).as_millis()).unwrap_or(u64::MAX);
    let endpoints = match discover(&*parts.http, app).await {
        Ok(endpoints) => endpoints,
        Err(failure) => {
            warn!(provider = app.vendor().word(), error = %Report(&failure), "the provider cannot be asked");
            let directory = match failure {
                DiscoveryError::Unreadable { source: EndpointError::Refused { .. }, .. } => {
                    Directory::Unknown
                }
                _ => Directory::Silent,
            };
            return Trial::Unreachable {
                directory,
                why: Report(&failure).to_string(),
                took_ms: took_ms(began),
            };
        }
    };
    let found = parts.clock.steady();
    let found_ms = took_ms(began);
    // Where there is no public address yet, the provider is told of its own: no code is redeemed by it.
    let back = redirect_uri(parts.public_url.as_ref().unwrap_or(&endpoints.token));
    let verdict = ask(&parts.http, app, &endpoints.token, &back, parts.clock.now()).await;
    match &verdict {
        Ok(Verdict::Untold(Some(refusal))) => {
            warn!(provider = app.vendor().word(), %refusal, "the provider does not judge the registration");
        }
        Err(failure) => {
            warn!(provider = app.vendor().word(), error = %Report(failure), "the provider cannot be asked");
        }
        Ok(_) => {}
    }
    Trial::Judged { found_ms, verdict, took_ms: took_ms(found) }
}

impl Trial {
    fn passed(&self) -> bool {
        matches!(self, Self::Judged { verdict: Ok(Verdict::Taken | Verdict::Untold(_)), .. })
    }

    /// The steps that were taken.
    fn lines(&self, vendor: Vendor, about: About<'_>, frame: &Frame) -> Vec<Line> {
        let say = |key: &str| frame.t.say(key).set("provider", vendor.name()).to_string();
        let explain = |error: &str, code, detail: &str| {
            Explained::of(&vendor.advise(error, code), detail, about, &frame.t)
        };
        let line = |step: &str, took_ms, outcome| Line { step: step.to_owned(), took_ms, outcome };
        match self {
            Self::Unreachable { directory: Directory::Unknown, why, took_ms } => {
                let explained = explain("invalid_request", Some(TENANT_UNKNOWN), why);
                vec![line("check-provider", *took_ms, Err(explained))]
            }
            Self::Unreachable { directory: Directory::Silent, why, took_ms } => {
                let explained = explain("temporarily_unavailable", None, why);
                vec![line("check-provider", *took_ms, Err(explained))]
            }
            Self::Judged { found_ms, verdict, took_ms } => {
                let outcome = match verdict {
                    Ok(Verdict::Taken) => Ok(say("app-taken")),
                    Ok(Verdict::Untold(_)) => Ok(say("app-untold")),
                    Ok(Verdict::Refused(refusal)) => {
                        Err(explain(&refusal.error, refusal.code, &refusal.reference()))
                    }
                    Err(failure) => {
                        Err(explain("temporarily_unavailable", None, &Report(failure).to_string()))
                    }
                };
                let found = line("check-provider", *found_ms, Ok(say("app-found")));
                vec![found, line("check-registration", *took_ms, outcome)]
            }
        }
    }
}

/// What Microsoft says of a directory that it does not know.
const TENANT_UNKNOWN: u32 = 90_002;

#[derive(Template)]
#[template(path = "apps/trial.html")]
struct TrialPage {
    frame: Frame,
    vendor: &'static str,
    provider: &'static str,
    passed: bool,
    /// Where the registration is changed; `None` where the configuration names it.
    change: Option<String>,
    checks: Vec<Line>,
}

/// POST `/admin/exchange/apps/{vendor}/test`: what the provider says of the registration that is used.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(word): Path<String>,
    client: Client,
    Change(admin): Change,
) -> Result<Page, Page> {
    let vendor = vendor_of(&word)?;
    let all = shared.apps().await?;
    let app = all.of(vendor).ok_or_else(|| page::problem(StatusCode::NOT_FOUND, &page::NO_APP_ENTERED))?;
    shared.admit(&client, &admin, Work::Test)?;
    let trial = hold(&shared, app).await;
    let outcome = if trial.passed() { Outcome::Success } else { Outcome::Failure };
    shared.note_action(&client, &admin, outcome, detail(vendor), None);
    let client_id = Some(app.client_id()).filter(|_| vendor == Vendor::Microsoft);
    let about = About { client_id, ..About::default() };
    let is_ours = shared.parts.registrations.configured(vendor).is_none();
    let page = TrialPage {
        vendor: vendor.word(),
        provider: vendor.name(),
        passed: trial.passed(),
        change: is_ours.then(|| apps::path_of(vendor)),
        checks: trial.lines(vendor, about, &frame),
        frame,
    };
    Ok(Page::console(StatusCode::OK, &page))
}

pub(super) fn detail(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Microsoft => "app registration at Microsoft tested",
        Vendor::Google => "app registration at Google tested",
    }
}
