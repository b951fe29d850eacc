//! What people do with helpdesk and console in a real Chromium: cookies, sites, redirects and forms as a
//! browser treats them. What the pages say in detail is tested elsewhere.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use axum::Router;
use axum::response::{AppendHeaders, Html};
use axum::routing::get;
use fantoccini::Locator;
use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};
use mintgate::sandbox::desk::{self, ADMIN, AGENT};

use crate::support::chromium::Chromium;
use crate::support::demo::Demo;
use crate::support::process::{Process, eventually};

mod access;
mod faults;
mod google;
mod keyboard;
mod layout;
mod measure;
mod pictures;
mod turns;
mod views;
mod wizard;

pub const CONSOLE: &str = "/admin/exchange";
const SESSION: &str = "session";
const SHIELD: &str = "__Host-mintgate";

/// Signs in on the desk's own page.
pub async fn sign_in(browser: &Chromium, demo: &Demo, (email, password): (&str, &str)) {
    browser.open(&demo.at("/auth/login")).await;
    browser.fill("#email", email).await;
    browser.fill("#password", password).await;
    browser.press("Sign in").await;
    browser.shows("Open tickets").await;
}

/// Leaves the console for the provider and consents there.
async fn connect(browser: &Chromium, demo: &Demo) {
    browser.open(&demo.at(CONSOLE)).await;
    browser.press("Connect to Microsoft 365").await;
    browser.shows("Pick an account").await;
    let provider = browser.page.current_url().await.expect("an address");
    assert_eq!(provider.host_str(), Some("idp.localhost"));
    browser.press("Accept").await;
    browser.shows("✓ Connected").await;
}

/// The session as a hardened cookie, which no desk of today sets.
async fn make_session_strict(browser: &Chromium, demo: &Demo) {
    let session = browser.cookie(SESSION).await.value().to_owned();
    browser.page.delete_cookie(SESSION).await.expect("deleted");
    browser.set_strict_cookie(&demo.public, SESSION, &session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_connected_although_the_callback_comes_without_the_strict_session() {
    let Some(browser) = Chromium::start().await else { return };
    let demo = Demo::start().await;
    sign_in(&browser, &demo, ADMIN).await;
    make_session_strict(&browser, &demo).await;

    connect(&browser, &demo).await;

    assert_eq!(browser.path().await, CONSOLE);
    let requests = browser.requests().await;
    let of = |path: &str| requests.iter().filter(|request| request.path == path).collect::<Vec<_>>();
    let (callbacks, completions) = (of("/admin/exchange/callback"), of("/admin/exchange/complete"));
    let [callback] = callbacks.as_slice() else { panic!("one callback: {requests:?}") };
    let [completion] = completions.as_slice() else { panic!("one completion: {requests:?}") };
    assert!(callback.sent.is_empty(), "{callback:?}");
    assert_eq!(callback.held_back, [SHIELD, SESSION]);
    assert_eq!(completion.sent, [SHIELD, SESSION]);
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_refused_and_strangers_are_sent_to_the_sign_in() {
    let Some(browser) = Chromium::start().await else { return };
    let demo = Demo::start().await;

    browser.open(&demo.at(CONSOLE)).await;
    browser.shows("Please sign in").await;
    browser.click("a[href='/auth/login']").await;
    browser.find("#email").await;

    sign_in(&browser, &demo, AGENT).await;
    browser.open(&demo.at(CONSOLE)).await;
    browser.shows("Only administrators of the helpdesk may do this.").await;
}

/// What leads from the desk's admin pages to the console.
const ENTRY: &str = "nav.bar a[data-exchange-link]";

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_finds_the_console_in_the_desks_own_admin_area() {
    let Some(browser) = Chromium::start().await else { return };
    let demo = Demo::start().await;
    sign_in(&browser, &demo, ADMIN).await;

    browser.open(&demo.at("/de/admin/smtp")).await;
    assert_eq!(browser.find(ENTRY).await.text().await.expect("text"), "Exchange-Anbindung");
    browser.open(&demo.at("/admin/users/internal")).await;
    assert_eq!(browser.find(ENTRY).await.text().await.expect("text"), "Exchange Integration");
    let anew = "for (const one of document.querySelectorAll(arguments[0])) one.remove();
        const bar = document.querySelector('nav.bar'); bar.replaceWith(bar.cloneNode(true));";
    browser.page.execute(anew, vec![ENTRY.into()]).await.expect("the navigation is drawn anew");
    browser.find(ENTRY).await.send_keys("\u{e007}").await.expect("it takes the Enter key");

    browser.shows("No mailbox is connected.").await;
    assert_eq!(browser.path().await, CONSOLE);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_not_led_to_the_console() {
    let Some(browser) = Chromium::start().await else { return };
    let demo = Demo::start().await;
    sign_in(&browser, &demo, AGENT).await;
    browser.open(&demo.at("/admin/smtp")).await;
    eventually("the script's question", async || {
        browser.requests().await.iter().any(|request| request.path == CONSOLE).then_some(())
    })
    .await;
    // The answer has come once the page has had the time for another one.
    let asked =
        "const done = arguments[0]; fetch('/admin/exchange', {method: 'HEAD'}).then((a) => done(a.status));";
    let status = browser.page.execute_async(asked, vec![]).await.expect("an answer");
    assert_eq!(status, 403);
    assert!(browser.page.find_all(Locator::Css(ENTRY)).await.expect("a page").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_mailbox_is_connected_tested_and_disconnected() {
    let Some(browser) = Chromium::start().await else { return };
    let demo = Demo::start().await;
    sign_in(&browser, &demo, ADMIN).await;
    browser.switch_scripts_off().await;

    connect(&browser, &demo).await;
    browser.press("Test the connection").await;
    browser.shows("The connection works").await;
    browser.click("main a[href='/admin/exchange']").await;
    browser.click("a.danger").await;
    browser.shows("Disconnect tickets@demo.example?").await;
    browser.press("Disconnect").await;

    browser.shows("No mailbox is connected.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_writes_an_agent_answers_and_the_customer_reads_it() {
    let Some(browser) = Chromium::start().await else { return };
    let demo = Demo::start().await;
    sign_in(&browser, &demo, ADMIN).await;
    connect(&browser, &demo).await;

    browser.open(&demo.webmail).await;
    browser.click("summary").await;
    browser.fill("input[name=subject]", "The lamp blinks").await;
    browser.fill("textarea", "Day and night.").await;
    browser.press("Send").await;
    browser.shows("The lamp blinks").await;

    browser.open(&demo.at("/")).await;
    browser.shows_after_reload("The lamp blinks").await;
    browser.click("#tickets a").await;
    browser.shows("Day and night.").await;
    browser.fill("#text", "Please change the bulb.").await;
    browser.click("#public").await;
    browser.press("Comment").await;
    browser.shows("(public)").await;

    browser.open(&demo.webmail).await;
    browser.shows_after_reload("Please change the bulb.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_script_reads_of_the_session_is_of_no_use_in_another_browser() {
    let Some(browser) = Chromium::start().await else { return };
    let demo = Demo::start().await;
    sign_in(&browser, &demo, AGENT).await;

    let read = browser.page.execute("return document.cookie", Vec::new()).await.expect("a script");
    let handle = read.as_str().and_then(|line| line.strip_prefix("session=")).expect("only the handle");
    assert!(!handle.contains([';', '.']), "a handle and nothing else");
    let ask = async |jar: &str| {
        let script = "return fetch('/api/v1/tickets/all', { credentials: arguments[0], \
                      headers: { Authorization: 'Bearer ' + arguments[1] } }).then((reply) => reply.status)";
        let arguments = vec![jar.into(), handle.into()];
        browser.page.execute(script, arguments).await.expect("a script")
    };
    assert_eq!(ask("same-origin").await, 200);
    assert_eq!(ask("omit").await, 401);
}

/// A page that sets two cookies, and one that shows which came back.
async fn careless_upstream() -> String {
    let careless = || async {
        let cookies = [(SET_COOKIE, "theme=dark; Path=/"), (SET_COOKIE, "visit=7; Path=/; SameSite=None")];
        (AppendHeaders(cookies), Html("<p>two cookies</p>"))
    };
    let seen = |headers: HeaderMap| async move {
        let line = headers.get(COOKIE).map(|line| line.to_str().expect("text").to_owned());
        Html(format!("<p>came back: {}</p>", line.unwrap_or_default()))
    };
    let routes = Router::new().route("/careless", get(careless)).route("/seen", get(seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(axum::serve(listener, routes).into_future());
    format!("http://{address}")
}

fn hardening_start_up_file(folder: &Path, port: u16, desk: &str) -> String {
    format!(
        "\
entryPoints: {{ websecure: {{ address: \"127.0.0.1:{port}\", http: {{ tls: {{}} }} }} }}
log: {{ level: error }}
dataDir: \"{folder}\"
desk: {{ url: \"{desk}\" }}
http:
  routers: {{ desk: {{ rule: PathPrefix(`/`), service: desk@internal, middlewares: [hardened] }} }}
  middlewares: {{ hardened: {{ plugin: {{ hardenCookies: {{}} }} }} }}
",
        folder = folder.display(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_the_upstream_come_back_but_no_script_reads_them() {
    let Some(browser) = Chromium::start().await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let file = folder.path().join("mintgate.yml");
    let text = hardening_start_up_file(folder.path(), port, &careless_upstream().await);
    std::fs::write(&file, text).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mintgate"));
    let output = folder.path().join("output");
    let _gateway = Process::start(command.args(["run", "--config"]).arg(&file), &output);

    let page = format!("https://desk.localhost:{port}/careless");
    eventually("the gateway", async || browser.page.goto(&page).await.ok()).await;
    browser.shows("two cookies").await;

    let read = browser.page.execute("return document.cookie", Vec::new()).await.expect("a script");
    assert_eq!(read, "");
    let kept = browser.cookie("visit").await;
    assert_eq!(
        (kept.secure(), kept.http_only(), kept.same_site()),
        (Some(true), Some(true), Some(cookie::SameSite::Strict))
    );
    browser.open(&format!("https://desk.localhost:{port}/seen")).await;
    browser.shows("came back: theme=dark; visit=7").await;
}

/// A gateway in front of a desk whose ticket pages run what a ticket holds.
struct Careless {
    desk: desk::Desk,
    public: String,
    _gateway: Process,
    _folder: tempfile::TempDir,
}

impl Careless {
    /// `middlewares` is what the router to the desk has besides the guards, as YAML.
    async fn start(browser: &Chromium, middlewares: &str) -> Self {
        let desk = desk::start("127.0.0.1:0".parse().expect("an address")).await.expect("a desk");
        desk.show_html_of_tickets();
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let text = format!(
            "entryPoints: {{ websecure: {{ address: \"127.0.0.1:{port}\", http: {{ tls: {{}} }} }} }}\n\
             log: {{ level: error }}\ndataDir: \"{}\"\ndesk: {{ url: \"{}\" }}\n{middlewares}",
            folder.path().display(),
            desk.url(),
        );
        let file = folder.path().join("mintgate.yml");
        std::fs::write(&file, text).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_mintgate"));
        let output = folder.path().join("output");
        let gateway = Process::start(command.args(["run", "--config"]).arg(&file), &output);
        let public = format!("https://desk.localhost:{port}");
        let page = format!("{public}/auth/login");
        eventually("the gateway", async || browser.page.goto(&page).await.ok()).await;
        Self { desk, public, _gateway: gateway, _folder: folder }
    }

    /// Signs in, and opens a ticket that somebody has put scripts into.
    async fn read_the_ticket(&self, browser: &Chromium) {
        browser.fill("#email", AGENT.0).await;
        browser.fill("#password", AGENT.1).await;
        browser.press("Sign in").await;
        browser.shows("Open tickets").await;
        let script = "const detail = [{ content: [{ text: arguments[0] }] }]; \
                      return fetch('/api/v1/ticket/public/create', { method: 'POST', \
                      headers: { 'Content-Type': 'application/json' }, \
                      body: JSON.stringify({ title: 'Hello', detail }) }).then((reply) => reply.status)";
        let status = browser.page.execute(script, vec![INJECTED.into()]).await.expect("a script");
        assert_eq!(status, 200);
        let ticket = self.desk.tickets().pop().expect("the ticket").id;
        browser.open(&format!("{}/issue/{ticket}", self.public)).await;
        browser.shows("please read me").await;
    }
}

const INJECTED: &str = "<script>window.stolen = document.cookie</script><img src=/none.png \
                        onerror='window.stolen = document.cookie'><b>please read me</b>";

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_somebody_put_into_a_ticket_does_not_run() {
    let Some(browser) = Chromium::start().await else { return };
    let scene = Careless::start(&browser, "").await;
    scene.read_the_ticket(&browser).await;

    let script = "return [typeof window.stolen, document.documentElement.dataset.theme]";
    let seen = browser.page.execute(script, Vec::new()).await.expect("a script");
    assert_eq!(seen, serde_json::json!(["undefined", "light"]), "only the desk's own inline script ran");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_injected_script_reads_without_the_policy_is_of_no_use_in_another_browser() {
    let Some(browser) = Chromium::start().await else { return };
    let off = "http:\n  routers: { desk: { rule: PathPrefix(`/`), service: desk@internal, middlewares: [off] } }\n  \
               middlewares: { off: { plugin: { contentSecurityPolicy: { enabled: false } } } }\n";
    let scene = Careless::start(&browser, off).await;
    scene.read_the_ticket(&browser).await;
    let read = eventually("the stolen cookie", async || {
        let value = browser.page.execute("return window.stolen", Vec::new()).await.expect("a script");
        value.as_str().map(str::to_owned)
    })
    .await;
    let stolen = read.strip_prefix("session=").expect("the handle").to_owned();

    let Some(thief) = Chromium::start().await else { return };
    thief.open(&format!("{}/auth/login", scene.public)).await;
    let script = "document.cookie = 'session=' + arguments[0] + '; path=/'; \
                  return fetch('/api/v1/tickets/all', { headers: { Authorization: 'Bearer ' + arguments[0] } }) \
                  .then((reply) => reply.status)";
    assert_eq!(thief.page.execute(script, vec![stolen.into()]).await.expect("a script"), 401);
}
