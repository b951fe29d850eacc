//! An administrator's consent for a whole tenant: the link to send, and its way back.
//!
//! Whoever opens the link need not be signed in here, and may come back after days: nothing is kept for it and
//! nothing changes by it. Its `state` only shows that the link was made here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use tracing::info;

use crate::base::audit::Outcome;
use crate::base::secret::{ExposeSecret, equal_in_constant_time};
use crate::console::advice::{About, Explained};
use crate::console::language::Texts;
use crate::console::page::{Bare, Page};
use crate::console::shared::Shared;
use crate::mailbox::settings::{MailboxSettings, Provider, SignIn};
use crate::oauth::app::Vendor;
use crate::oauth::callback::Consent;
use crate::oauth::consent::admin_consent_url;
use crate::oauth::flow::Wanted;
use crate::oauth::provider::{MicrosoftApp, redirect_uri};
use crate::oauth::source::Resource;

impl Shared {
    /// The link for what a sign-in of `wanted` asks for; `None` where nobody can agree for others.
    pub fn consent_link(&self, resource: Resource, wanted: &Wanted) -> Option<String> {
        let apps = self.parts.registrations.apps();
        let app = apps.microsoft()?;
        let back = redirect_uri(self.parts.public_url.as_ref()?);
        let url = admin_consent_url(app, resource, wanted, &back, &self.consent_state(app));
        url.map(String::from)
    }

    /// The link for a mailbox with these settings.
    pub fn consent_for(&self, settings: &MailboxSettings, address: &str) -> Option<String> {
        if settings.provider != Provider::Microsoft || settings.sign_in != SignIn::OAuth {
            return None;
        }
        let address = address.to_owned();
        let wanted = if settings.shared { Wanted::Member(address) } else { Wanted::Owner(address) };
        self.consent_link(settings.resource(), &wanted)
    }

    /// The same for every link of one registration, and different in every installation.
    fn consent_state(&self, app: &MicrosoftApp) -> String {
        let hash = self.consent_key.hash(&[app.tenant.as_bytes(), app.client_id.as_bytes()]);
        URL_SAFE_NO_PAD.encode(hash)
    }
}

/// The page of a link's way back, and what the audit says of it; `None` where the link was not made here.
pub fn returned(shared: &Shared, consent: &Consent, t: &Texts) -> Option<(Page, Outcome, &'static str)> {
    let apps = shared.parts.registrations.apps();
    let app = apps.microsoft()?;
    let (came, ours) = (consent.state.expose_secret(), shared.consent_state(app));
    if !equal_in_constant_time(came.as_bytes(), ours.as_bytes()) {
        return None;
    }
    Some(match &consent.refused {
        None => {
            let (title, sentence) = (t.say("consent-given"), t.say("consent-given.sentence"));
            let page = bare(StatusCode::OK, t, &title.to_string(), &sentence.to_string());
            (page, Outcome::Success, "consent was given")
        }
        Some((error, code)) => {
            info!(error, code, "an administrator's consent was refused");
            let advice = Vendor::Microsoft.advise(error, *code);
            let explained = Explained::of(&advice, "", About::default(), t);
            let sentence = format!("{} {}", explained.happened, t.say("consent-refused.sentence"));
            let title = t.say("consent-refused").to_string();
            (bare(StatusCode::OK, t, &title, &sentence), Outcome::Refused, "consent was refused")
        }
    })
}

fn bare(status: StatusCode, t: &Texts, title: &str, sentence: &str) -> Page {
    Page::oauth(status, &Bare { t, title, sentence, onward: None })
}
