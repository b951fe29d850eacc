//! What is still open in an installation, line by line: looked at from the inside, changing nothing.
//!
//! Each line says how it stands, in one sentence, and what to do. What cannot be seen from here is told as
//! such and never as fine.

mod desk;
mod files;
mod guide;
mod ports;
mod provider;
mod registrations;
mod rules;
mod vault;

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use http::header::DATE;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::runtime::Handle;

use super::installation;
use crate::base::clock::Timestamp;
use crate::config::{Routes, StartUp};
use crate::oauth::app::Apps;
use crate::store::{self, Store};
use crate::token::registrations::Registrations;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Ok,
    /// Works, and should be better.
    Warning,
    /// Must be put right.
    Problem,
    CannotTell,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::CannotTell => "cannot tell",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// Two or three words; the same in every run.
    pub topic: &'static str,
    pub state: State,
    /// One sentence.
    pub found: String,
    /// Empty where nothing is to be done.
    #[serde(rename = "toDo")]
    pub to_do: String,
}

impl Line {
    fn new(topic: &'static str, state: State, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { topic, state, found: found.into(), to_do: to_do.into() }
    }

    fn ok(topic: &'static str, found: impl Into<String>) -> Self {
        Self::new(topic, State::Ok, found, "")
    }

    fn warning(topic: &'static str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self::new(topic, State::Warning, found, to_do)
    }

    fn problem(topic: &'static str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self::new(topic, State::Problem, found, to_do)
    }

    fn cannot_tell(topic: &'static str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self::new(topic, State::CannotTell, found, to_do)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12} {}: {}", self.state.word(), self.topic, self.found)?;
        match self.to_do.is_empty() {
            true => Ok(()),
            false => write!(f, "\n{:<12} → {}", "", self.to_do),
        }
    }
}

/// Looks at everything.
///
/// # Errors
/// When the rules cannot be read or no client can be made; the rest is told as lines.
pub(super) async fn examine(start_up: &StartUp, now: Timestamp) -> anyhow::Result<Vec<Line>> {
    let runtime = Handle::current();
    let parts = installation::middleware_parts(start_up, &runtime)?;
    let routes = Routes::load(start_up, &parts, now)?;
    let desk_http = installation::desk_client(start_up, &runtime)?;
    let provider_http = installation::provider_client(start_up, &runtime)?;
    let mut lines: Vec<Line> = start_up
        .warnings
        .iter()
        .chain(&routes.warnings)
        .map(|text| Line::warning("configuration", text, ""))
        .collect();
    lines.extend(rules::look(start_up, &routes, now));
    lines.push(files::look(start_up, &routes));
    let desk = desk::look(start_up, &desk_http, now).await;
    let bot_works = desk.iter().any(|line| line.topic == desk::BOT && line.state == State::Ok);
    lines.extend(desk);
    lines.push(ports::look(start_up).await);
    let store = store::open_beside(&start_up.store).await;
    let registrations = registrations(start_up, store.as_ref().ok());
    let apps = registered(start_up, registrations.as_deref()).await;
    if let Some(registrations) = &registrations {
        lines.extend(registrations::look(registrations).await);
    }
    let needs_provider = provider::is_needed(store.as_ref().ok()).await;
    let provider = provider::look(&apps, &provider_http, now, needs_provider).await;
    let mut providers = provider.iter().filter(|line| line.topic.starts_with(provider::TOPIC));
    let provider_answers = providers.all(|line| line.state == State::Ok);
    lines.extend(provider);
    lines.extend(vault::look(start_up, store.as_ref(), now).await);
    let registered = apps.iter().next().is_some();
    let store = store.ok();
    let seen = guide::Seen { start_up, registered, bot_works, provider_answers, needs_provider, store };
    lines.extend(guide::answer(&seen).await);
    Ok(lines)
}

/// What is registered, as far as store and key can be opened.
fn registrations(start_up: &StartUp, store: Option<&Arc<dyn Store>>) -> Option<Arc<Registrations>> {
    // A key that is missing is told by the vault's lines.
    let sealer = Arc::new(installation::present_sealer(start_up).ok()?);
    Some(installation::registrations(start_up, store?, &sealer))
}

/// The apps that are used; without the store those of the configuration.
async fn registered(start_up: &StartUp, registrations: Option<&Registrations>) -> Arc<Apps> {
    let looked = match registrations {
        Some(registrations) => registrations.look().await.ok(),
        None => None,
    };
    let configured = || Arc::new(Apps::new(start_up.microsoft.clone(), start_up.google.clone()));
    looked.unwrap_or_else(configured)
}

/// How far the clock of whoever wrote `headers` is from ours. Signatures and codes live for minutes.
fn clock_line(topic: &'static str, headers: &HeaderMap, now: Timestamp) -> Line {
    let date = headers.get(DATE).and_then(|line| line.to_str().ok());
    let Some(date) = date.and_then(|text| OffsetDateTime::parse(text, &Rfc2822).ok()) else {
        return Line::cannot_tell(topic, "It does not say what time it is.", "");
    };
    let apart = (date.unix_timestamp() - now.seconds()).abs();
    let found = format!("Its clock and ours are {apart} s apart.");
    let to_do = "Set this machine's clock by NTP.";
    match apart {
        0..=60 => Line::ok(topic, found),
        61..=240 => Line::warning(topic, found, to_do),
        _ => Line::problem(topic, found, to_do),
    }
}

type Http = Arc<dyn crate::web::call::HttpCall>;

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_by_how_much() {
        let now = Timestamp(1_445_412_480_000);
        let states = ["07:28:00", "07:27:10", "07:30:00", "08:28:00", "06:28:00"].map(|time| {
            let mut headers = HeaderMap::new();
            let line = format!("Wed, 21 Oct 2015 {time} GMT");
            headers.insert(DATE, HeaderValue::from_str(&line).expect("a value"));
            clock_line("clock", &headers, now).state
        });
        assert_eq!(states, [State::Ok, State::Ok, State::Warning, State::Problem, State::Problem]);
        assert_eq!(clock_line("clock", &HeaderMap::new(), now).state, State::CannotTell);
    }

    #[test]
    fn a_line_names_its_state_and_what_to_do() {
        let line = Line::problem("default admin", "It works.", "Change it.");
        assert_eq!(line.to_string(), "problem      default admin: It works.\n             → Change it.");
    }
}
