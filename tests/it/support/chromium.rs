//! A real Chromium with a profile of its own, driven by WebDriver; what a person does in it, and what it
//! sends.

use std::path::Path;
use std::process::Command;

use fantoccini::cookies::Cookie;
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::process::{Process, eventually};
use super::skip::skip;

const CHROMIUM: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";

/// A browser with one window; it ends when this is dropped.
pub struct Chromium {
    pub page: Client,
    _driver: Process,
    _folder: tempfile::TempDir,
}

impl Chromium {
    /// `None`, and said so, where Chromium or its driver is not installed.
    pub async fn start() -> Option<Self> {
        if let Some(missing) = [CHROMIUM, DRIVER].iter().find(|program| !Path::new(program).is_file()) {
            skip(&format!("no {missing}"));
            return None;
        }
        let folder = tempfile::Builder::new().prefix("mintgate-chromium").tempdir().expect("a folder");
        let output = folder.path().join("chromedriver.log");
        let (driver, port) = start_driver(&output, folder.path()).await;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let capabilities = capabilities(folder.path());
        builder.capabilities(capabilities.as_object().expect("an object").clone());
        let page = builder.connect(&format!("http://127.0.0.1:{port}")).await.expect("a browser");
        Some(Self { page, _driver: driver, _folder: folder })
    }

    pub async fn open(&self, url: &str) {
        self.page.goto(url).await.unwrap_or_else(|failure| panic!("{url}: {failure}"));
    }

    /// The element that `css` selects, once there is one.
    pub async fn find(&self, css: &str) -> Element {
        self.await_element(Locator::Css(css), css).await
    }

    pub async fn fill(&self, css: &str, text: &str) {
        eventually(&format!("`{css}` to take keys"), async || {
            self.find(css).await.send_keys(text).await.ok()
        })
        .await;
    }

    pub async fn click(&self, css: &str) {
        // The next page may come between looking and clicking.
        eventually(&format!("`{css}` to click"), async || self.find(css).await.click().await.ok()).await;
    }

    /// Clicks on what leads to another page, and waits until that one is there. A picture of a page that is being
    /// replaced never comes, nor does any answer after it; and what is opened meanwhile is replaced, too.
    pub async fn follow(&self, css: &str) {
        self.find(css).await;
        self.ask("window.isLeft = true").await;
        self.click(css).await;
        eventually("the next page", async || {
            let script = "return !window.isLeft && document.readyState === 'complete'";
            let there = self.page.execute(script, Vec::new()).await;
            there.is_ok_and(|there| there == true).then_some(())
        })
        .await;
    }

    /// Presses the button that is named `label`.
    pub async fn press(&self, label: &str) {
        let path = format!("//button[normalize-space()='{label}']");
        eventually(&format!("`{label}` to press"), async || {
            self.await_element(Locator::XPath(&path), label).await.click().await.ok()
        })
        .await;
    }

    /// Follows the link that is named `label`.
    pub async fn press_link(&self, label: &str) {
        let path = format!("//a[normalize-space()='{label}']");
        let link = self.await_element(Locator::XPath(&path), label).await;
        link.click().await.expect("it can be followed");
    }

    /// Waits until the page shows `text`.
    pub async fn shows(&self, text: &str) {
        eventually(&format!("a page with `{text}`"), async || self.text().await.contains(text).then_some(()))
            .await;
    }

    /// Loads the page again and again until it shows `text`.
    pub async fn shows_after_reload(&self, text: &str) {
        eventually(&format!("a page with `{text}`"), async || {
            self.page.refresh().await.expect("the page loads");
            self.text().await.contains(text).then_some(())
        })
        .await;
    }

    /// What a person reads; empty while a page is being replaced.
    pub async fn text(&self) -> String {
        match self.page.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    pub async fn path(&self) -> String {
        self.page.current_url().await.expect("an address").path().to_owned()
    }

    pub async fn cookie(&self, name: &str) -> Cookie<'static> {
        self.page.get_named_cookie(name).await.expect("the cookie")
    }

    /// Scripts of pages do not run from now on.
    pub async fn switch_scripts_off(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
        self.open("data:text/html,<script>document.write('on')</script><noscript>off</noscript>").await;
        assert_eq!(self.text().await, "off");
    }

    /// A cookie for `origin` that only it and no script gets.
    pub async fn set_strict_cookie(&self, origin: &str, name: &str, value: &str) {
        let cookie = json!({
            "url": origin, "name": name, "value": value, "secure": true, "httpOnly": true, "sameSite": "Strict",
        });
        self.devtools("Network.setCookie", cookie).await;
    }

    /// The requests that have been sent by HTTP/2 since the last look, oldest first.
    pub async fn requests(&self) -> Vec<SentRequest> {
        let log = self.ask_driver("se/log", json!({"type": "performance"})).await;
        let entries = log.as_array().expect("a list").iter();
        let events = entries.map(|entry| {
            let text = entry["message"].as_str().expect("text");
            serde_json::from_str::<Value>(text).expect("JSON")["message"].take()
        });
        events.filter_map(|event| SentRequest::of(&event)).collect()
    }

    async fn await_element(&self, locator: Locator<'_>, what: &str) -> Element {
        eventually(&format!("`{what}` on the page"), async || self.page.find(locator).await.ok()).await
    }

    /// A command of the DevTools protocol, to the window that is in front.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.ask_driver("goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }

    async fn ask_driver(&self, path: &'static str, body: Value) -> Value {
        self.page.issue_cmd(DriverCommand { path, body }).await.expect("the driver's answer")
    }
}

/// A request as it left the browser.
#[derive(Debug)]
pub struct SentRequest {
    /// Without the query.
    pub path: String,
    /// Names of the cookies it carried.
    pub sent: Vec<String>,
    /// Names of those that were held back because of `SameSite=Strict`.
    pub held_back: Vec<String>,
}

impl SentRequest {
    /// Of a `Network.requestWillBeSentExtraInfo` event.
    fn of(event: &Value) -> Option<Self> {
        let path = event["params"]["headers"][":path"].as_str()?;
        if event["method"] != "Network.requestWillBeSentExtraInfo" {
            return None;
        }
        let cookies = event["params"]["associatedCookies"].as_array().expect("cookies");
        let names = |wanted: &dyn Fn(&Value) -> bool| {
            let wanted = cookies.iter().filter(|cookie| wanted(&cookie["blockedReasons"]));
            wanted.map(|cookie| cookie["cookie"]["name"].as_str().expect("a name").to_owned()).collect()
        };
        // `SchemefulSameSiteStrict` where the scheme differs too.
        let strict = |reason: &Value| reason.as_str().is_some_and(|text| text.ends_with("SameSiteStrict"));
        Some(Self {
            path: path.split('?').next().unwrap_or_default().to_owned(),
            sent: names(&|reasons| *reasons == json!([])),
            held_back: names(&|reasons| reasons.as_array().is_some_and(|all| all.iter().any(strict))),
        })
    }
}

/// A command of chromedriver's own, below the session's address.
#[derive(Debug)]
struct DriverCommand {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for DriverCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

fn capabilities(folder: &Path) -> Value {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    json!({
        "acceptInsecureCerts": true,
        "goog:loggingPrefs": {"performance": "ALL"},
        "goog:chromeOptions": {
            "binary": CHROMIUM,
            "args": [
                "--headless=new",
                // The tests may run as root, which Chromium's sandbox refuses.
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--disable-background-networking",
                "--ignore-certificate-errors",
                "--lang=en-GB",
                "--window-size=1280,900",
                profile,
            ],
        },
    })
}

/// A driver that listens. It takes a free port of IPv6 and ends when IPv4 has that one in use.
async fn start_driver(output: &Path, scratch: &Path) -> (Process, u16) {
    let start = || Process::start(Command::new(DRIVER).arg("--port=0").env("TMPDIR", scratch), output);
    let mut driver = start();
    let port = eventually("chromedriver's port", async || {
        if driver.has_ended() {
            driver = start();
        }
        port_in(output)
    })
    .await;
    (driver, port)
}

fn port_in(output: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(output).ok()?;
    let (_, rest) = text.split_once("started successfully on port ")?;
    rest.split_once('.')?.0.parse().ok()
}
