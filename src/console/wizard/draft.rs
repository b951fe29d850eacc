//! What was entered so far for one mailbox, and which step may be opened. Pure.

use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::mailbox::settings::{MailboxSettings, Provider, Server, SignIn};

/// The steps, in their order on the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Address,
    SignIn,
    Connect,
    Test,
    Settings,
}

impl Step {
    pub const ALL: [Self; 5] = [Self::Address, Self::SignIn, Self::Connect, Self::Test, Self::Settings];

    /// Last part of the step's path, and of its message key.
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::SignIn => "sign-in",
            Self::Connect => "connect",
            Self::Test => "test",
            Self::Settings => "settings",
        }
    }
}

/// How a set-up is going.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "at")]
pub enum State {
    /// The provider is known or not: how to sign in is to be chosen.
    SignIn,
    /// The admin leaves for the provider's sign-in.
    Connect,
    /// Servers and password are to be entered.
    Manual,
    /// The mailbox exists; nothing was tested.
    Test {
        mailbox: String,
    },
    /// It was tested, or the test was left out.
    Settings {
        mailbox: String,
        tested: bool,
    },
    Done {
        mailbox: String,
    },
}

/// Who the provider is, as detection found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    pub provider: Provider,
    /// Such as `Microsoft 365`; empty when nothing was found.
    pub name: String,
    pub password: PasswordUse,
    pub incoming: Option<Server>,
    pub outgoing: Option<Server>,
    /// What was looked at.
    #[serde(default)]
    pub looked: Vec<Looked>,
    pub warnings: Vec<String>,
}

/// A question of the detection and what came of it: the codes of both, and what stands in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Looked {
    pub question: String,
    pub about: String,
    pub answer: String,
    pub what: String,
}

/// Whether a password signs in at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "use")]
pub enum PasswordUse {
    Accepted,
    /// One made for this program; `help` tells where.
    AppPassword {
        help: Option<String>,
    },
    /// The provider takes none.
    Refused,
}

/// One mailbox that is being set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    pub address: String,
    pub found: Found,
    pub settings: MailboxSettings,
    pub state: State,
    /// Who is setting it up, by name.
    pub admin: String,
}

impl Draft {
    pub fn new(address: String, found: Found, admin: String) -> Self {
        let settings = MailboxSettings {
            provider: found.provider,
            incoming: found.incoming.clone(),
            outgoing: found.outgoing.clone(),
            ..MailboxSettings::default()
        };
        Self { address, found, settings, state: State::SignIn, admin }
    }

    /// Where the set-up stands.
    pub fn step(&self) -> Step {
        match self.state {
            State::SignIn => Step::SignIn,
            State::Connect | State::Manual => Step::Connect,
            State::Test { .. } => Step::Test,
            State::Settings { .. } | State::Done { .. } => Step::Settings,
        }
    }

    /// Whether `step` may be opened. Before there is a mailbox one may go back; afterwards only to servers
    /// and a password, which a test may show to be wrong: a provider's sign-in is done.
    pub fn reaches(&self, step: Step) -> bool {
        match self.mailbox() {
            None => (Step::SignIn..=self.step()).contains(&step),
            Some(_) => (self.first_with_mailbox()..=self.step()).contains(&step),
        }
    }

    fn first_with_mailbox(&self) -> Step {
        match self.settings.sign_in {
            SignIn::Password => Step::Connect,
            SignIn::OAuth => Step::Test,
        }
    }

    pub fn mailbox(&self) -> Option<&str> {
        match &self.state {
            State::SignIn | State::Connect | State::Manual => None,
            State::Test { mailbox } | State::Settings { mailbox, .. } | State::Done { mailbox } => {
                Some(mailbox)
            }
        }
    }

    /// The domain, as far as the address has one.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// A draft with what the store knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub id: String,
    pub version: i64,
    pub started: Timestamp,
    pub draft: Draft,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(state: State) -> Draft {
        let found = Found {
            provider: Provider::Other,
            name: String::new(),
            password: PasswordUse::Accepted,
            incoming: None,
            outgoing: None,
            looked: Vec::new(),
            warnings: Vec::new(),
        };
        Draft { state, ..Draft::new("help@desk.example".to_owned(), found, "Ada".to_owned()) }
    }

    #[test]
    fn only_steps_that_are_due_or_can_be_repeated_open() {
        let mailbox = || "m1".to_owned();
        for (state, open) in [
            (State::SignIn, &[Step::SignIn][..]),
            (State::Connect, &[Step::SignIn, Step::Connect]),
            (State::Manual, &[Step::SignIn, Step::Connect]),
            (State::Test { mailbox: mailbox() }, &[Step::Test]),
            (State::Settings { mailbox: mailbox(), tested: true }, &[Step::Test, Step::Settings]),
            (State::Done { mailbox: mailbox() }, &[Step::Test, Step::Settings]),
        ] {
            let draft = draft(state);
            let opened: Vec<Step> = Step::ALL.into_iter().filter(|step| draft.reaches(*step)).collect();
            assert_eq!(opened, open, "{:?}", draft.state);
        }
    }

    #[test]
    fn servers_and_password_can_be_put_right_after_a_test() {
        let mut draft = draft(State::Test { mailbox: "m1".to_owned() });
        draft.settings.sign_in = SignIn::Password;
        let opened: Vec<Step> = Step::ALL.into_iter().filter(|step| draft.reaches(*step)).collect();
        assert_eq!(opened, [Step::Connect, Step::Test]);
    }

    #[test]
    fn a_draft_reads_back_as_it_was_written() {
        let draft = draft(State::Settings { mailbox: "m1".to_owned(), tested: false });
        let json = serde_json::to_string(&draft).expect("JSON");
        assert_eq!(serde_json::from_str::<Draft>(&json).expect("a draft"), draft);
    }
}
