//! One mailbox as the overview shows it. Knows rows and what the keeper says of tokens; asks no server.

use crate::base::clock::Timestamp;
use crate::console::advice::{About, Noted};
use crate::console::connected::KIND;
use crate::console::frame::Frame;
use crate::console::lacking::{Missing, lacking};
use crate::console::shared::Shared;
use crate::console::times::{Moment, span};
use crate::mailbox::rate::Budget;
use crate::mailbox::settings::{MailboxSettings, Provider, SignIn};
use crate::store::{MailboxRow, MailboxState, Waiting};

/// One mailbox.
pub struct Card {
    pub id: String,
    /// Where the provider's sign-in opens it; a password otherwise.
    pub by_sign_in: bool,
    /// That sign-in can begin here and now.
    pub can_sign_in: bool,
    /// The address is a shared mailbox.
    pub shared: bool,
    pub address: String,
    /// Message key.
    pub provider: &'static str,
    pub standing: Standing,
    pub connected_at: Moment,
    pub missing: Vec<Missing>,
    pub expires: Option<Moment>,
    /// Where the provider signs in and somebody said when the client secret ends.
    pub secret: Option<Moment>,
    pub last_refresh: Option<Moment>,
    pub next_refresh: Option<Moment>,
    pub token_error: Option<(Moment, Noted)>,
    pub last_poll: Option<Moment>,
    pub last_mail: Option<Moment>,
    pub last_error: Option<Noted>,
    pub failing_since: Option<Moment>,
    pub waiting: Waiting,
    /// How long the oldest waiting mail has waited.
    pub lag: Option<String>,
    pub budget: Option<Budget>,
}

/// How a mailbox does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Well,
    /// Connected, but its last look failed.
    Failing,
    Paused,
    Dead,
}

impl Standing {
    fn of(row: &MailboxRow, paused: bool) -> Self {
        match (row.state, paused, &row.last_error) {
            (MailboxState::NeedsReconnect, ..) => Self::Dead,
            (MailboxState::Connected, true, _) => Self::Paused,
            (MailboxState::Connected, false, Some(_)) => Self::Failing,
            (MailboxState::Connected, false, None) => Self::Well,
        }
    }

    /// Message key.
    pub fn key(self) -> &'static str {
        match self {
            Self::Well => "standing-well",
            Self::Failing => "standing-failing",
            Self::Paused => "standing-paused",
            Self::Dead => "standing-dead",
        }
    }

    /// Stands before the word, so that nothing is said by colour alone.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Well => "✓",
            Self::Failing => "!",
            Self::Paused => "‖",
            Self::Dead => "✗",
        }
    }

    pub fn is_dead(self) -> bool {
        self == Self::Dead
    }

    /// Class of the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Well => "good",
            Self::Failing | Self::Dead => "bad",
            Self::Paused => "",
        }
    }
}

/// The card of a row, with what waits for it.
pub fn card(shared: &Shared, row: MailboxRow, waiting: Waiting, frame: &Frame) -> Card {
    let moment = |at: Timestamp| frame.moment(at);
    let status = shared.parts.keeper.status(&row.id);
    // What cannot be understood is told by the worker; the card shows the rest.
    let settings = MailboxSettings::parse(&row.settings).ok();
    let is = |what: fn(&MailboxSettings) -> bool| settings.as_ref().is_some_and(what);
    let client_id = shared.client_id(Provider::Microsoft);
    let id = row.id.to_string();
    let consent = settings.as_ref().and_then(|settings| shared.consent_for(settings, &row.address));
    let about = About {
        client_id: client_id.as_deref(),
        consent: consent.as_deref(),
        mailbox: Some(&id),
        provider: settings.as_ref().map(|settings| settings.provider),
    };
    let secret = settings.as_ref().and_then(|settings| shared.secret_end(settings));
    let noted = |reason: String| Noted::of(reason, about, &frame.t);
    let provider = settings.as_ref().map_or(Provider::Other, |settings| settings.provider);
    Card {
        by_sign_in: settings.as_ref().is_none_or(|settings| settings.sign_in == SignIn::OAuth),
        can_sign_in: shared.parts.public_url.is_some() && shared.client_id(provider).is_some(),
        shared: is(|settings| settings.shared),
        provider: kind_key(&row.kind, provider),
        standing: Standing::of(&row, is(|settings| settings.paused)),
        missing: settings.as_ref().map_or_else(Vec::new, |settings| lacking(&row, settings)),
        budget: (shared.parts.mailboxes)(&row).and_then(|mailbox| mailbox.budget()),
        address: row.address,
        connected_at: moment(row.connected_at),
        expires: status.expires_at.map(moment),
        secret: secret.map(moment),
        last_refresh: status.last_refresh.map(moment),
        next_refresh: status.next_refresh.map(moment),
        token_error: status.last_error.map(|(at, reason)| (moment(at), noted(reason))),
        last_poll: row.last_poll_at.map(moment),
        last_mail: row.last_mail_at.map(moment),
        last_error: row.last_error.map(noted),
        failing_since: row.failing_since.map(moment),
        lag: waiting.oldest.map(|oldest| span(frame.now.since(oldest), &frame.t)),
        waiting,
        id,
    }
}

/// Message key of what opens a mailbox.
fn kind_key(kind: &str, provider: Provider) -> &'static str {
    match (kind, provider) {
        (KIND, _) => "kind-graph",
        (_, Provider::Google) => "kind-google",
        (_, Provider::Microsoft) => "kind-microsoft-imap",
        (_, Provider::Other) => "kind-imap",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::MailboxId;

    fn row(state: MailboxState, last_error: Option<&str>) -> MailboxRow {
        MailboxRow {
            id: MailboxId::parse("m1").expect("an id"),
            kind: KIND.to_owned(),
            address: "help@desk.example".to_owned(),
            state,
            scopes: String::new(),
            connected_at: Timestamp(0),
            accept_since: Timestamp(0),
            last_poll_at: None,
            last_mail_at: None,
            last_error: last_error.map(str::to_owned),
            failing_since: None,
            settings: String::new(),
        }
    }

    #[test]
    fn the_gravest_state_is_the_one_that_is_shown() {
        for (state, paused, error, expected) in [
            (MailboxState::Connected, false, None, Standing::Well),
            (MailboxState::Connected, false, Some("503"), Standing::Failing),
            (MailboxState::Connected, true, Some("503"), Standing::Paused),
            (MailboxState::NeedsReconnect, true, None, Standing::Dead),
        ] {
            assert_eq!(Standing::of(&row(state, error), paused), expected);
        }
    }
}
