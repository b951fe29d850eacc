//! Step 2: how to sign in.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

use crate::console::frame::Frame;
use crate::console::guard::Submitted;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::wizard::draft::{Draft, PasswordUse, State as At, Step, Stored};
use crate::console::wizard::drafts;
use crate::console::wizard::found::told;
use crate::console::wizard::rail::{Mark, rail};
use crate::mailbox::settings::{Protocol, Provider, SignIn};

#[derive(Template)]
#[template(path = "wizard/sign_in.html")]
struct SignInPage {
    frame: Frame,
    rail: Vec<Mark>,
    id: String,
    version: i64,
    draft: Draft,
    /// Message keys of what to know before going on.
    warnings: Vec<String>,
    ways: Vec<Choice>,
    /// What was looked at, a sentence each.
    evidence: Vec<String>,
}

/// One way to sign in.
struct Choice {
    value: &'static str,
    /// The way the provider wants.
    first: bool,
}

#[derive(Deserialize)]
pub struct Chosen {
    version: i64,
    #[serde(default)]
    way: String,
}

/// GET `/admin/exchange/setup/{id}/sign-in`.
pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame, Path(id): Path<String>) -> Response {
    match drafts::open(&shared, &id, Step::SignIn).await {
        Ok(stored) => page(frame, stored).into_response(),
        Err(response) => response,
    }
}

/// POST `/admin/exchange/setup/{id}/sign-in`.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Submitted(_, chosen): Submitted<Chosen>,
) -> Response {
    let mut stored = match drafts::open_version(&shared, &id, Step::SignIn, chosen.version).await {
        Ok(stored) => stored,
        Err(response) => return response,
    };
    if !choices(&stored.draft).iter().any(|choice| choice.value == chosen.way) {
        return page::problem(StatusCode::BAD_REQUEST, &page::BAD_FORM).into_response();
    }
    choose(&mut stored.draft, &chosen.way);
    drafts::save(&shared, &stored).await
}

fn page(frame: Frame, stored: Stored) -> Page {
    let page = SignInPage {
        rail: rail(&stored.id, Some(&stored.draft), Step::SignIn),
        warnings: stored.draft.found.warnings.iter().map(|code| format!("warning-{code}")).collect(),
        ways: choices(&stored.draft),
        evidence: stored.draft.found.looked.iter().map(|looked| told(looked, &frame.t)).collect(),
        id: stored.id,
        version: stored.version,
        draft: stored.draft,
        frame,
    };
    Page::console(StatusCode::OK, &page)
}

/// What can be chosen: of a known provider its own ways, of an unknown one every way.
fn choices(draft: &Draft) -> Vec<Choice> {
    let found = &draft.found;
    let vendor = match found.provider {
        Provider::Microsoft => Some("microsoft"),
        Provider::Google => Some("google"),
        Provider::Other => None,
    };
    let first = vendor.unwrap_or("password");
    let offered = |value: &&'static str| match *value {
        "password" => found.password != PasswordUse::Refused,
        // For tenants that keep apps away from Graph.
        "microsoft-imap" => vendor.is_none_or(|vendor| vendor == "microsoft"),
        // A provider that nothing was found out about may be either, behind a domain of its own.
        value => vendor.is_none_or(|vendor| vendor == value),
    };
    let mut choices: Vec<Choice> = ["microsoft", "google", "password", "microsoft-imap"]
        .into_iter()
        .filter(offered)
        .map(|value| Choice { value, first: value == first })
        .collect();
    choices.sort_by_key(|choice| !choice.first);
    choices
}

fn choose(draft: &mut Draft, way: &str) {
    let (provider, sign_in, protocol, state) = match way {
        "microsoft" => (Provider::Microsoft, SignIn::OAuth, Protocol::Graph, At::Connect),
        "microsoft-imap" => (Provider::Microsoft, SignIn::OAuth, Protocol::Imap, At::Connect),
        "google" => (Provider::Google, SignIn::OAuth, Protocol::Imap, At::Connect),
        _ => (draft.found.provider, SignIn::Password, Protocol::Imap, At::Manual),
    };
    // A provider's token must not go to a server that was found for somebody else.
    let servers = (sign_in == SignIn::Password || draft.found.provider == provider)
        .then(|| (draft.found.incoming.clone(), draft.found.outgoing.clone()));
    let (incoming, outgoing) = servers.unwrap_or_default();
    let settings = &mut draft.settings;
    (settings.provider, settings.sign_in, settings.protocol) = (provider, sign_in, protocol);
    (settings.incoming, settings.outgoing) = (incoming, outgoing);
    draft.state = state;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::wizard::draft::Found;

    fn draft(provider: Provider, password: PasswordUse) -> Draft {
        let found = Found {
            provider,
            name: String::new(),
            password,
            incoming: None,
            outgoing: None,
            looked: Vec::new(),
            warnings: Vec::new(),
        };
        Draft::new("help@desk.example".to_owned(), found, "Ada".to_owned())
    }

    #[test]
    fn a_known_provider_is_offered_its_own_ways_only() {
        let app_password = || PasswordUse::AppPassword { help: None };
        for (draft, expected) in [
            (draft(Provider::Microsoft, PasswordUse::Refused), &["microsoft", "microsoft-imap"][..]),
            (draft(Provider::Google, app_password()), &["google", "password"]),
            (
                draft(Provider::Other, PasswordUse::Accepted),
                &["password", "microsoft", "google", "microsoft-imap"],
            ),
        ] {
            let offered: Vec<&str> = choices(&draft).iter().map(|choice| choice.value).collect();
            assert_eq!(offered, expected, "{:?}", draft.found);
        }
    }

    #[test]
    fn a_providers_token_goes_to_no_server_that_was_found_for_another() {
        use crate::mailbox::settings::{Security, Server};

        let mut draft = draft(Provider::Other, PasswordUse::Accepted);
        let own = Server::new("imap.desk.example", 993, Security::Tls, "help@desk.example");
        draft.found.incoming = Some(own.clone());
        for (way, incoming) in [("google", None), ("microsoft", None), ("password", Some(own))] {
            choose(&mut draft, way);
            assert_eq!(draft.settings.incoming, incoming, "{way}");
        }
    }
}
