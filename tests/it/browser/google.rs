//! A mailbox at Google in a real Chromium, from its address to a mail that has arrived: the consent pages are
//! those of a certified OAuth server in Google's shape, the mail servers a Dovecot that asks it about every token.

use std::sync::Arc;

use mintgate::console::Parts;
use mintgate::mailbox::settings::{MailboxSettings, Provider as Vendors, Security, SignIn};
use mintgate::store::MailboxRow;

use super::wizard::{choose, deliver, enter_address, go_on, settings, test_and_finish};
use crate::support::chromium::Chromium;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::installation::Installation;
use crate::support::mail_server::Sink;
use crate::support::oidc_provider::{OidcProvider, Shape};
use crate::support::provider::Provider;
use crate::support::stage::{Place, Stage};

/// A console whose mailboxes at Google are Dovecot's.
struct Scene {
    stage: Stage,
    installation: Installation,
    dovecot: Arc<Dovecot>,
    _provider: OidcProvider,
}

impl Scene {
    /// Where `account` signs in, whatever address is set up.
    async fn start(shape: Shape, account: &str) -> Option<Self> {
        let place = Place::take().await;
        let provider = OidcProvider::start_as(shape, account, &place.redirect_uri()).await?;
        let sink = Sink::start().await;
        let dovecot = Dovecot::start_asking(&provider.asking(), sink.address.port()).await?;
        let dovecot = Arc::new(dovecot);
        deliver(&dovecot, sink);
        let installation = Installation::start().await.before_another_provider(provider.app());
        let make = installation.console_parts_calling(dovecot.dialer()).mailboxes;
        let server = Arc::clone(&dovecot);
        let mailboxes = Arc::new(move |row: &MailboxRow| make(&at_dovecot(row, &server)));
        let stage = Stage::start_at(place, &installation, |parts| Parts { mailboxes, ..parts });
        Some(Self { stage, installation, dovecot, _provider: provider })
    }

    /// From the first page through Google's and back.
    async fn sign_in(&self, browser: &Chromium) {
        browser.open(&self.stage.at("/admin/exchange/setup")).await;
        enter_address(browser, USER).await;
        choose(browser, "google").await;
        browser.shows("These permissions are asked for").await;
        go_on(browser).await;
    }

    /// The page in front says `sentence` and leads back to the set-up, which still waits; nothing is connected.
    async fn assert_told(&self, browser: &Chromium, sentence: &str) {
        browser.shows(sentence).await;
        browser.press_link("Go on with the set-up").await;
        browser.shows("These permissions are asked for").await;
        assert!(self.installation.store.mailboxes().await.expect("read").is_empty());
        assert_eq!(self.installation.store.drafts().await.expect("read").len(), 1);
    }
}

/// As where the names of Google's mail servers lead to another machine.
fn at_dovecot(row: &MailboxRow, dovecot: &Dovecot) -> MailboxRow {
    let own = MailboxSettings::parse(&row.settings).expect("settings");
    let (incoming, outgoing) = (Some(dovecot.incoming(Security::Tls)), Some(dovecot.outgoing()));
    MailboxRow { settings: MailboxSettings { incoming, outgoing, ..own }.to_json(), ..row.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_google_mailbox_works_with_and_without_scripts() {
    let Some(browser) = Chromium::start().await else { return };
    for scripts in [true, false] {
        if !scripts {
            browser.switch_scripts_off().await;
        }
        let Some(scene) = Scene::start(Shape::Google, USER).await else { return };
        scene.sign_in(&browser).await;
        test_and_finish(&browser).await;

        let kept = settings(&scene.installation).await;
        assert_eq!((kept.provider, kept.sign_in), (Vendors::Google, SignIn::OAuth), "scripts: {scripts}");
        assert_eq!(kept.from_name.as_deref(), Some("Help"));
        assert!(browser.text().await.contains("Google, by IMAP and SMTP"));
        drop(scene.dovecot);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_an_unticked_box_and_a_denial_each_lead_back_to_the_set_up() {
    let Some(browser) = Chromium::start().await else { return };
    for (shape, account, sentence) in [
        (Shape::Google, "someone@else.example", "someone@else.example signed in, but the mailbox is"),
        (Shape::GoogleUnticked, USER, "tick the one about reading and sending mail in Gmail"),
        (Shape::GoogleDenied, USER, "The sign-in was cancelled or not allowed."),
    ] {
        let Some(scene) = Scene::start(shape, account).await else { return };
        scene.sign_in(&browser).await;

        scene.assert_told(&browser, sentence).await;
    }
}
