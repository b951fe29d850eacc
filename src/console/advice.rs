//! Advice as pages show it: what happened, what to do, who can, and a button to where it is done. In the
//! reader's language; which advice it is, others decide.

use crate::base::clock::Timestamp;
use crate::console::apps;
use crate::console::language::{Languages, Texts};
use crate::console::reasons::{Said, said};
use crate::console::times::Moment;
use crate::console::wizard;
use crate::desk;
use crate::mailbox::settings::Provider;
use crate::mailbox::{Argument, Told, advice};
use crate::oauth::advice::{Advice, Place, Who};

/// Advice in a reader's words.
pub struct Explained {
    pub happened: String,
    pub to_do: String,
    pub who: String,
    pub button: Option<Button>,
    /// What happened in the program's own words, for the provider's support; may be empty.
    pub detail: String,
}

/// A way to where something is put right.
pub struct Button {
    pub label: String,
    pub url: String,
    pub kind: ButtonKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonKind {
    /// A form of one button.
    Press,
    /// A page of the console.
    Page,
    /// A page of the provider.
    Outside,
}

/// What an error is about, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The app registration at Microsoft.
    pub client_id: Option<&'a str>,
    /// Where an administrator of the tenant agrees to the app's permissions.
    pub consent: Option<&'a str>,
    pub mailbox: Option<&'a str>,
    pub provider: Option<Provider>,
}

impl Explained {
    pub fn of(advice: &Advice, detail: &str, about: About<'_>, t: &Texts) -> Self {
        Self {
            happened: t.say(format!("advice-{}", advice.key)).to_string(),
            to_do: t.say(format!("advice-{}.to-do", advice.key)).to_string(),
            who: t.say(who(advice.who)).to_string(),
            button: advice.place.and_then(|place| button(place, about, t)),
            detail: detail.to_owned(),
        }
    }

    /// Of a reason that was noted earlier; `None` when it names no advice.
    pub fn of_reason(reason: &str, about: About<'_>, t: &Texts) -> Option<Self> {
        let advice = advice::of_reason(reason).or_else(|| desk::advice::of_reason(reason))?;
        Some(Self::of(&advice, reason, about, t))
    }

    /// Of a failed step of a test.
    pub fn of_check(told: &Told, about: About<'_>, t: &Texts) -> Option<Self> {
        let advice = advice::of_reason(&told.detail).or_else(|| advice::of_key(told.key))?;
        Some(Self::of(&advice, &told.detail, about, t))
    }

    pub fn is_pressed(&self) -> bool {
        self.button.as_ref().is_some_and(|button| button.kind == ButtonKind::Press)
    }
}

/// What a step of a test has to tell, as one text.
pub fn sentence(told: &Told, now: Timestamp, t: &Texts) -> String {
    match Explained::of_check(told, About::default(), t) {
        Some(explained) => format!("{} {}", explained.happened, explained.to_do),
        None => {
            let say = told.arguments.iter().fold(t.say(told.key), |say, (name, value)| match value {
                Argument::Text(text) => say.set(name, text),
                Argument::At(moment) => say.set(name, Moment::at(*moment, now, t)),
            });
            say.to_string()
        }
    }
}

/// The same for commands, in English, with the program's own words where there are some.
pub fn in_english(told: &Told, now: Timestamp) -> String {
    let text = sentence(told, now, Languages::new().pick(None, None));
    if told.detail.is_empty() { text } else { format!("{text} ({})", told.detail) }
}

/// What a noted reason means, in English; the reason itself where it names no advice.
pub fn reason_in_english(reason: &str) -> String {
    let languages = Languages::new();
    match Explained::of_reason(reason, About::default(), languages.pick(None, None)) {
        Some(explained) => format!("{} {} ({reason})", explained.happened, explained.to_do),
        None => reason.to_owned(),
    }
}

/// A reason that was noted earlier, understood or as it is.
pub enum Noted {
    Explained(Explained),
    Plain(Said),
}

impl Noted {
    /// Why there is no token: what is not known is a provider that gives none now.
    pub fn of_token(reason: String, about: About<'_>, t: &Texts) -> Self {
        match Self::of(reason, about, t) {
            Self::Plain(Said { text, english: true }) => {
                let later = advice::of_key("mail-token-later").expect("it has its row");
                Self::Explained(Explained::of(&later, &text, about, t))
            }
            known => known,
        }
    }

    pub fn of(reason: String, about: About<'_>, t: &Texts) -> Self {
        match Explained::of_reason(&reason, about, t) {
            Some(explained) => Self::Explained(explained),
            None => Self::Plain(said(&reason, t)),
        }
    }
}

fn who(who: Who) -> &'static str {
    match who {
        Who::Operator => "who-operator",
        Who::MailboxOwner => "who-mailbox-owner",
        Who::TenantAdmin => "who-tenant-admin",
        Who::Nobody => "who-nobody",
    }
}

fn button(place: Place, about: About<'_>, t: &Texts) -> Option<Button> {
    let place = at_this_provider(place, about);
    let own = |what: &str| about.mailbox.map(|id| format!("/admin/exchange/mailboxes/{id}/{what}"));
    let (url, kind) = match place {
        Place::SignIn => (own("connect")?, ButtonKind::Press),
        Place::Settings => (own("settings")?, ButtonKind::Page),
        Place::Wizard => (wizard::PATH.to_owned(), ButtonKind::Page),
        Place::Apps => (apps::PATH.to_owned(), ButtonKind::Page),
        Place::EntraConsent if about.consent.is_some() => (about.consent?.to_owned(), ButtonKind::Outside),
        place => (wizard::outside(place, about.client_id)?, ButtonKind::Outside),
    };
    Some(Button { label: t.say(label(place)).to_string(), url, kind })
}

/// Other providers than Google have such pages too; where they are is not known.
fn at_this_provider(place: Place, about: About<'_>) -> Place {
    match place {
        Place::GoogleAppPasswords | Place::GoogleAccount if about.provider != Some(Provider::Google) => {
            Place::Settings
        }
        place => place,
    }
}

fn label(place: Place) -> &'static str {
    match place {
        Place::SignIn => "place-sign-in",
        Place::Settings => "place-settings",
        Place::Wizard => "place-wizard",
        Place::Apps => "place-apps",
        Place::EntraAuthentication => "place-entra-authentication",
        Place::EntraSecrets => "place-entra-secrets",
        Place::EntraPermissions => "place-entra-permissions",
        Place::EntraOverview => "place-entra-overview",
        Place::EntraConsent => "place-entra-consent",
        Place::EntraUsers => "place-entra-users",
        Place::EntraSignInLogs => "place-entra-sign-in-logs",
        Place::EntraAccounts => "place-entra-accounts",
        Place::ExchangeMailboxes => "place-exchange-mailboxes",
        Place::MicrosoftErrors => "place-microsoft-errors",
        Place::GoogleClients => "place-google-clients",
        Place::GoogleConsentScreen => "place-google-consent-screen",
        Place::GoogleApi => "place-google-api",
        Place::GoogleAdmin => "place-google-admin",
        Place::GoogleAppPasswords => "place-google-app-passwords",
        Place::GoogleAccount => "place-google-account",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::advice::{KEYS, advise};

    #[test]
    fn every_advice_has_its_sentences_in_every_language() {
        let languages = Languages::new();
        for language in ["en", "de"] {
            let t = languages.pick(Some(language), None);
            for key in KEYS.into_iter().chain(advice::keys()).chain(desk::advice::keys()) {
                let (happened, to_do) = (format!("advice-{key}"), format!("advice-{key}.to-do"));
                assert!(t.knows(&happened) && t.knows(&to_do), "{language}: {key}");
            }
        }
    }

    #[test]
    fn every_piece_of_advice_says_something_of_its_own() {
        let languages = Languages::new();
        for language in ["en", "de"] {
            let t = languages.pick(Some(language), None);
            let keys = KEYS.into_iter().chain(advice::keys()).chain(desk::advice::keys());
            let mut sentences: Vec<String> =
                keys.map(|key| t.say(format!("advice-{key}")).to_string()).collect();
            let count = sentences.len();
            sentences.sort();
            sentences.dedup();
            assert_eq!(sentences.len(), count, "{language}");
        }
    }

    #[test]
    fn a_button_leads_to_the_app_to_the_mailbox_or_nowhere() {
        let languages = Languages::new();
        let t = languages.pick(None, None);
        let about = About {
            client_id: Some("1111"),
            mailbox: Some("m1"),
            provider: Some(Provider::Other),
            ..About::default()
        };
        let url = |advice: &Advice, about| {
            let button = Explained::of(advice, "", about, t).button;
            button.map(|button| (button.url, button.kind))
        };
        let (secret, dead) = (advise("invalid_client", Some(7_000_222)), advise("invalid_grant", None));
        let (secrets, kind) = url(&secret, about).expect("a page");
        assert!(secrets.ends_with("/Credentials/appId/1111") && kind == ButtonKind::Outside, "{secrets}");
        let connect = "/admin/exchange/mailboxes/m1/connect".to_owned();
        assert_eq!(url(&dead, about), Some((connect, ButtonKind::Press)));
        assert_eq!(url(&dead, About::default()), None);
        let consent = advise("consent_required", None);
        let link = "https://login.example/t/v2.0/adminconsent";
        let asked = About { consent: Some(link), ..about };
        assert_eq!(url(&consent, asked), Some((link.to_owned(), ButtonKind::Outside)));
        assert!(url(&consent, about).expect("a page").0.ends_with("/CallAnAPI/appId/1111"));
        let app_password = advice::of_key("mail-app-password").expect("a row");
        assert_eq!(url(&app_password, about).expect("a page").0, "/admin/exchange/mailboxes/m1/settings");
    }
}
