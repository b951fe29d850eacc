//! Every page of the console in every state it has, one after the other, in a real browser; what is looked
//! for there is not known here.

use mintgate::base::clock::Timestamp;
use mintgate::base::id::MailboxId;
use mintgate::base::secret::ExposeSecret;
use mintgate::console::Parts;
use mintgate::desk::advice::Hold;
use mintgate::mailbox::settings::{MailboxSettings, SignIn};
use mintgate::oauth::app::Apps;
use mintgate::store::{InboundEnd, MailboxRow, MailboxState, NewMail, NewOutgoing, OutgoingKind, PollResult};
use tokio::net::TcpListener;

use crate::support::chromium::Chromium;
use crate::support::installation::{Installation, MAILBOX, MINUTE, START, mailbox};
use crate::support::process::eventually;
use crate::support::stage::Stage;

/// Longer than any column, without a place to break.
pub const LONG_ADDRESS: &str =
    "customer-care-and-complaints-department@subsidiary.of-a-company-with-a-very-long-name.example";

const ANOTHER_LONG_ADDRESS: &str =
    "orders-and-returns-of-the-northern-region@subsidiary.of-a-company-with-a-very-long-name.example";

/// What is looked at on each page.
pub trait Looks {
    async fn look(&mut self, browser: &Chromium, name: &str);
}

/// One way through the pages of a console.
pub struct Walk<'w, L> {
    pub browser: &'w Chromium,
    pub stage: &'w Stage,
    pub looks: &'w mut L,
}

impl<L: Looks> Walk<'_, L> {
    async fn open(&self, path: &str) {
        self.browser.open(&self.stage.at(path)).await;
    }

    async fn look(&mut self, name: &str) {
        self.looks.look(self.browser, name).await;
    }

    async fn open_and_look(&mut self, path: &str, name: &str) {
        self.open(path).await;
        self.look(name).await;
    }

    /// Presses the page's first choice.
    async fn go_on(&self) {
        self.browser.follow("main button.first").await;
    }

    async fn enter_address(&self, address: &str) {
        self.open("/admin/exchange/setup").await;
        self.browser.fill("#address", address).await;
        self.go_on().await;
    }

    async fn choose(&self, way: &str) {
        self.browser.follow(&format!("form:has(input[value='{way}']) button")).await;
    }
}

/// Walks past every page for a reader of `language`.
pub async fn walk(browser: &Chromium, language: &str, looks: &mut impl Looks) {
    let installation = Installation::start().await;
    let registrations = installation.registrations_of(Apps::default());
    let unconfigured =
        |parts: Parts| Parts { registrations, public_url: None, bot_configured: false, ..parts };
    let stage = Stage::start(&installation, unconfigured).await;
    stage.speak(language);
    nothing_configured(&mut Walk { browser, stage: &stage, looks }).await;
    registering(browser, language, looks).await;
    let stage = Stage::start(&installation, |parts| parts).await;
    stage.speak(language);
    let mut walk = Walk { browser, stage: &stage, looks };
    walk.open_and_look("/admin/exchange", "overview without a mailbox").await;
    refusals(&mut walk).await;
    address_and_sign_in(&mut walk).await;
    microsoft(&mut walk).await;
    manual(&mut walk).await;
    occupy(&installation).await;
    busy(&mut walk).await;
}

async fn nothing_configured(walk: &mut Walk<'_, impl Looks>) {
    walk.open_and_look("/admin/exchange", "overview with nothing configured").await;
    walk.enter_address(MAILBOX).await;
    walk.choose("microsoft").await;
    walk.look("connect without an app and an address").await;
}

/// From no registration at all to one that is about to be removed.
async fn registering(browser: &Chromium, language: &str, looks: &mut impl Looks) {
    let installation = Installation::start().await;
    let registrations = installation.registrations_of(Apps::default());
    let stage = Stage::start(&installation, |parts: Parts| Parts { registrations, ..parts }).await;
    stage.speak(language);
    let mut walk = Walk { browser, stage: &stage, looks };
    walk.open_and_look("/admin/exchange/apps", "no app registration").await;
    walk.open_and_look("/admin/exchange/apps/google", "an OAuth client to enter").await;
    walk.enter_address("someone@gmail.com").await;
    walk.choose("google").await;
    walk.look("connect without a client at Google").await;
    walk.enter_address(MAILBOX).await;
    walk.choose("microsoft").await;
    walk.look("connect without an app").await;
    walk.go_on().await;
    walk.look("an app registration that cannot be").await;
    let app = installation.sandbox.identity.app();
    super::apps::fill(browser, &app.tenant, &app.client_id, "secret-of-another-app").await;
    walk.go_on().await;
    walk.look("an app registration that the provider refuses").await;
    super::apps::fill(browser, &app.tenant, &app.client_id, app.client_secret.expose_secret()).await;
    walk.go_on().await;
    walk.look("connect by an app that was entered").await;
    walk.open_and_look("/admin/exchange/apps", "app registrations").await;
    walk.browser.follow("form[action$='/apps/microsoft/test'] button").await;
    walk.look("an app registration that works").await;
    installation.sandbox.identity.change_app(|app| app.client_secret = "renewed-elsewhere".into());
    walk.browser.follow("form[action$='/apps/microsoft/test'] button").await;
    walk.look("an app registration that does not work").await;
    walk.open_and_look("/admin/exchange/apps/microsoft", "an app registration to change").await;
    walk.open_and_look("/admin/exchange/apps/microsoft/remove", "question before a registration goes").await;
}

async fn refusals(walk: &mut Walk<'_, impl Looks>) {
    walk.open_and_look("/admin/exchange/nowhere", "no such page").await;
    walk.open_and_look("/admin/exchange/setup/gone", "a set-up that is gone").await;
    walk.open_and_look("/admin/exchange/complete?f=gone", "a sign-in that is gone").await;
    walk.open_and_look("/admin/exchange/callback", "a callback of nobody's").await;
}

async fn address_and_sign_in(walk: &mut Walk<'_, impl Looks>) {
    walk.open_and_look("/admin/exchange/setup", "address").await;
    walk.browser.fill("#address", "support").await;
    walk.go_on().await;
    walk.look("address that is none").await;
    for (address, name) in [
        ("someone@outlook.com", "sign-in of a personal Microsoft account"),
        ("someone@gmail.com", "sign-in of a Google account"),
        (LONG_ADDRESS, "sign-in at an unknown provider"),
    ] {
        walk.enter_address(address).await;
        walk.look(name).await;
    }
    walk.browser.click("main details summary").await;
    walk.look("what was looked at").await;
    walk.open_and_look("/admin/exchange/setup", "address beside set-ups that wait").await;
    walk.enter_address("someone@gmail.com").await;
    walk.choose("google").await;
    walk.look("connect with Google").await;
}

async fn microsoft(walk: &mut Walk<'_, impl Looks>) {
    walk.enter_address(MAILBOX).await;
    walk.choose("microsoft").await;
    walk.look("connect with Microsoft").await;
    let path = walk.browser.path().await;
    let port = walk.stage.origin.rsplit_once(':').expect("a port").1;
    walk.browser.open(&format!("http://localhost:{port}{path}")).await;
    walk.look("connect under another name").await;
    walk.open(&path).await;
    walk.browser.click("details:has(#consent) summary").await;
    walk.look("consent for a whole tenant").await;
    let link = walk
        .browser
        .ask("return new URL(document.querySelector('#consent').value).searchParams.get('state')")
        .await;
    let state = link.as_str().expect("a state").to_owned();
    let thanks = format!("/admin/exchange/callback?admin_consent=True&tenant=contoso.example&state={state}");
    walk.open_and_look(&thanks, "thanks for a whole tenant's consent").await;
    walk.open(&path).await;
    walk.browser
        .ask("document.querySelectorAll('input[name=token]').forEach((one) => { one.value = 'old' })")
        .await;
    walk.go_on().await;
    walk.look("refusal of a foreign form").await;
    walk.open(&path).await;
    walk.browser.click("details:has(#pasted) summary").await;
    walk.browser.fill("#pasted", "AADSTS50011: The redirect URI does not match.").await;
    walk.browser.follow("details:has(#pasted) button").await;
    walk.look("advice on what was pasted").await;

    walk.stage.hold_still(true);
    walk.go_on().await;
    walk.look("leaving for Microsoft").await;
    walk.browser.click("main a").await;
    walk.browser.press("Cancel").await;
    walk.browser.find("a[href*='/complete']").await;
    walk.look("back from Microsoft").await;
    walk.browser.follow("main a").await;
    walk.look("consent denied").await;
    walk.stage.hold_still(false);

    walk.open(&path).await;
    walk.go_on().await;
    walk.browser.press("Accept").await;
    walk.browser.find("button[value=run]").await;
    walk.look("test before it was started").await;
    walk.go_on().await;
    walk.browser.find("button[value=go-on]").await;
    walk.look("test that was passed").await;
    walk.go_on().await;
    walk.look("settings").await;
    for (field, text) in [("#reply_to", "nobody"), ("#check_interval", "often")] {
        walk.browser.fill(field, text).await;
    }
    walk.browser.click("#after-move").await;
    walk.go_on().await;
    walk.look("settings that cannot be").await;
    walk.open_and_look("/admin/exchange", "overview with a mailbox").await;
    walk.browser.follow("form[action$='/test'] button").await;
    walk.look("a connection that works").await;
}

async fn manual(walk: &mut Walk<'_, impl Looks>) {
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("an address").port();
    walk.enter_address("someone@gmail.com").await;
    walk.choose("password").await;
    walk.look("servers that are known").await;
    walk.enter_address(LONG_ADDRESS).await;
    walk.choose("password").await;
    walk.look("servers and password").await;
    walk.browser.fill("#incoming_host", "imap desk").await;
    walk.go_on().await;
    walk.look("servers that cannot be").await;
    for server in ["incoming", "outgoing"] {
        for (field, text) in [("host", "127.0.0.1".to_owned()), ("port", port.to_string())] {
            let field = walk.browser.find(&format!("#{server}_{field}")).await;
            field.clear().await.expect("it can be emptied");
            field.send_keys(&text).await.expect("it takes keys");
        }
    }
    walk.browser.fill("#password", "open sesame").await;
    walk.go_on().await;
    walk.browser.find("button[value=run]").await;
    walk.stage.hold_still(true);
    walk.go_on().await;
    walk.look("test that is running").await;
    drop(silent);
    eventually("the end of the test", async || {
        walk.browser.page.refresh().await.expect("the page loads");
        let skip = fantoccini::Locator::Css("button[value=skip]");
        walk.browser.page.find(skip).await.ok()
    })
    .await;
    walk.stage.hold_still(false);
    walk.look("test that failed").await;
    walk.browser.follow("button[value=skip]").await;
    walk.look("settings of what was not tested").await;
}

/// Puts into the store whatever can be shown.
async fn occupy(installation: &Installation) {
    let store = &installation.store;
    let hold = Hold { key: "desk-smtp", since: START };
    store.set_fact("outbound_hold", Some(&hold.told())).await.expect("set");
    for (id, address, state) in [
        ("m365", ANOTHER_LONG_ADDRESS, MailboxState::NeedsReconnect),
        ("shared", "shared@demo.example", MailboxState::Connected),
    ] {
        let settings = MailboxSettings { shared: id == "shared", ..MailboxSettings::default() };
        let row = row(id, "microsoft-graph", address, &settings);
        store.connect_mailbox(&row).await.expect("written");
        let because = (state == MailboxState::NeedsReconnect)
            .then_some("AADSTS700082: expired [invalid_grant (AADSTS700082)]");
        store.set_mailbox_state(&row.id, state, because, START).await.expect("written");
    }
    let settings = MailboxSettings { sign_in: SignIn::Password, ..MailboxSettings::default() };
    let row = row("imap", "imap", "help@desk.example", &settings);
    store.connect_mailbox(&row).await.expect("written");
    let error = "imap.desk.example: the connection was refused [mail-unreachable]".to_owned();
    let failed = PollResult::Failed { at: START, error };
    store.record_poll(&row.id, &failed).await.expect("written");
    for number in 0..2 {
        let id = add_inbound(installation, number).await;
        let reason = ["these bytes have no header line, so they are not a mail", "status 413 [desk-refused]"];
        let end = InboundEnd::Quarantined { reason: reason[number as usize].to_owned() };
        store.end_inbound(id, None, &end, None, START).await.expect("ended");
    }
    add_inbound(installation, 2).await;
    for number in 0..2 {
        store.add_outgoing(&outgoing(number)).await.expect("added");
    }
    let due = store.due_outgoing(&mailbox(), START + MINUTE, 1).await.expect("listed");
    let reason = "550 5.1.1 The recipient's address does not exist. [mail-recipient]";
    store.outgoing_failed(due[0].id, reason).await.expect("ended");
}

async fn add_inbound(installation: &Installation, number: u32) -> i64 {
    let mail = NewMail {
        mailbox: mailbox(),
        source_key: format!("key-{number}"),
        received_at: START,
        stored_at: START,
        raw: b"Subject: =?broken\r\nFrom: customer@example.net\r\n\r\nHello".to_vec(),
    };
    installation.store.add_inbound(&mail).await.expect("stored").expect("new")
}

fn outgoing(number: u32) -> NewOutgoing {
    NewOutgoing {
        mailbox: mailbox(),
        ticket: "6f1d2c1a-0a53-4b39-9d0e-3c2f8f4f6a10".to_owned(),
        comment: format!("comment-{number}"),
        kind: OutgoingKind::Answer,
        message_id: format!("{number}@desk.example"),
        recipient: "customer@example.net".to_owned(),
        mime: b"Subject: Re: Hello\r\n\r\nHello".to_vec(),
        created_at: START,
    }
}

fn row(id: &str, kind: &str, address: &str, settings: &MailboxSettings) -> MailboxRow {
    MailboxRow {
        id: MailboxId::parse(id).expect("an id"),
        kind: kind.to_owned(),
        address: address.to_owned(),
        state: MailboxState::Connected,
        scopes: "Mail.Read".to_owned(),
        connected_at: START,
        accept_since: Timestamp(0),
        last_poll_at: None,
        last_mail_at: None,
        last_error: None,
        failing_since: None,
        settings: settings.to_json(),
    }
}

async fn busy(walk: &mut Walk<'_, impl Looks>) {
    walk.open_and_look("/admin/exchange", "overview of a busy installation").await;
    walk.open_and_look("/admin/exchange/mailboxes/imap/disconnect", "question before a mailbox goes").await;
    for (path, name) in [
        ("queues", "queues"),
        ("queues/in/3", "a mail that waits"),
        ("queues/out/1", "an answer that was not sent"),
        ("quarantine", "quarantine"),
        ("quarantine/1", "a mail that was put aside"),
        ("quarantine/1/drop", "question before a mail goes"),
        ("events", "events"),
        ("log", "log"),
        ("diagnostics", "diagnostics"),
    ] {
        walk.open_and_look(&format!("/admin/exchange/{path}"), name).await;
    }
    walk.open_and_look("/admin/exchange/mailboxes/m365/settings", "settings of a mailbox").await;
    walk.open_and_look("/admin/exchange/mailboxes/imap/settings", "settings and a password").await;
    walk.browser.fill("#reply_to", "nobody").await;
    walk.browser.follow("form[action$='/settings'] button.first").await;
    walk.look("settings of a mailbox that cannot be").await;
    walk.open("/admin/exchange").await;
    walk.browser.follow("form[action$='/mailboxes/imap/test'] button").await;
    walk.look("a connection that does not work").await;
}
