//! An administrator's browser, as far as the console and a provider's sign-in pages need one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, LOCATION, ORIGIN};
use http::{Method, Request, Response, StatusCode};
use mintgate::console::Console;
use mintgate::web::call::HttpCall;
use mintgate::web::local::{Admin, LocalService, Origin};
use url::{Url, form_urlencoded};

use super::installation::PUBLIC_URL;

/// A browser with a helpdesk session, in front of one console.
pub struct Browser<'c> {
    pub console: &'c Console,
    admin: Option<Arc<Admin>>,
}

impl<'c> Browser<'c> {
    /// Signed in as an administrator; `session` tells sessions apart.
    pub fn admin(console: &'c Console, session: u8) -> Self {
        let admin = Admin {
            user_id: "u1".to_owned(),
            email: "admin@desk.example".to_owned(),
            name: "Ada Admin".to_owned(),
            language: "en".to_owned(),
            session: [session; 32],
        };
        Self { console, admin: Some(Arc::new(admin)) }
    }

    /// The same, with a language of the desk's profile.
    pub fn speaking(console: &'c Console, language: &str) -> Self {
        let mut browser = Self::admin(console, 1);
        let admin =
            browser.admin.take().map(|admin| Admin { language: language.to_owned(), ..(*admin).clone() });
        Self { admin: admin.map(Arc::new), ..browser }
    }

    /// Without the admin guard's proof.
    pub fn stranger(console: &'c Console) -> Self {
        Self { console, admin: None }
    }

    pub async fn ask(&self, request: http::request::Builder, body: String) -> Page {
        let mut request = request.body(Bytes::from(body)).expect("a request");
        request.extensions_mut().insert(Origin { client: IpAddr::V4(Ipv4Addr::LOCALHOST) });
        if let Some(admin) = &self.admin {
            request.extensions_mut().insert(Arc::clone(admin));
        }
        Page(self.console.answer(request).await)
    }

    pub async fn get(&self, path: &str) -> Page {
        self.ask(Request::get(path).header(HOST, "desk.example.com"), String::new()).await
    }

    pub async fn send(&self, method: Method, path: &str) -> Page {
        let request = Request::builder().method(method).uri(path).header(HOST, "desk.example.com");
        self.ask(request, String::new()).await
    }

    /// Presses a button of the overview: the form of `path` with its hidden field, from our own origin.
    pub async fn press(&self, path: &str) -> Page {
        let token = self.form_token().await;
        self.post(path, &token, PUBLIC_URL).await
    }

    pub async fn post(&self, path: &str, token: &str, origin: &str) -> Page {
        let request = Request::post(path)
            .header(HOST, "desk.example.com")
            .header(ORIGIN, origin)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request, form(&[("token", token)])).await
    }

    pub async fn form_token(&self) -> String {
        // Has a form whatever is connected.
        let page = self.get("/admin/exchange/setup").await.text();
        between(&page, "name=\"token\" value=\"", "\"").expect("a form").to_owned()
    }

    /// Presses Connect; where the page leads.
    pub async fn leave(&self) -> Url {
        self.leave_by("/admin/exchange/connect").await
    }

    /// Presses the button of `path`; where the page leads.
    pub async fn leave_by(&self, path: &str) -> Url {
        let page = self.press(path).await;
        assert_eq!(page.status(), StatusCode::OK, "{}", page.text());
        Url::parse(&page.onward().expect("a way on")).expect("a URL")
    }

    /// Leaves, signs in at the sandbox as `account` and comes back; the callback's page.
    pub async fn sign_in(&self, provider: &dyn HttpCall, account: &str) -> Page {
        let authorize = self.leave().await;
        self.come_back(provider, &authorize, account).await
    }

    async fn come_back(&self, provider: &dyn HttpCall, authorize: &Url, account: &str) -> Page {
        let back = accept(provider, authorize, account).await;
        self.get(&path_of(&back)).await
    }

    /// The whole way; the page at its end.
    pub async fn connect(&self, provider: &dyn HttpCall, account: &str) -> Page {
        let authorize = self.leave().await;
        self.finish(provider, &authorize, account).await
    }

    /// From the provider's sign-in page on; the page at the end.
    pub async fn finish(&self, provider: &dyn HttpCall, authorize: &Url, account: &str) -> Page {
        let parked = self.come_back(provider, authorize, account).await;
        assert_eq!(parked.status(), StatusCode::OK, "{}", parked.text());
        self.get(&parked.onward().expect("a way on")).await
    }
}

/// What the console answered.
pub struct Page(pub Response<Bytes>);

impl Page {
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.body().to_vec()).expect("text")
    }

    pub fn header(&self, name: &str) -> &str {
        self.0.headers().get(name).map_or("", |line| line.to_str().expect("text"))
    }

    /// Where the page goes on to by itself.
    pub fn onward(&self) -> Option<String> {
        let text = self.text();
        let url = between(&text, "content=\"0;url=", "\"")?;
        Some(url.replace("&#38;", "&").replace("&amp;", "&"))
    }

    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        self.header("location")
    }
}

/// Presses Accept on the sandbox's sign-in page; where it sends the browser.
pub async fn accept(provider: &dyn HttpCall, authorize: &Url, account: &str) -> Url {
    decide(provider, authorize, &[("account", account), ("decision", "accept")]).await
}

/// Presses Cancel there.
pub async fn cancel(provider: &dyn HttpCall, authorize: &Url) -> Url {
    decide(provider, authorize, &[("decision", "cancel")]).await
}

async fn decide(provider: &dyn HttpCall, authorize: &Url, choice: &[(&str, &str)]) -> Url {
    let mut action = authorize.clone();
    action.set_query(None);
    let request = authorize.query().expect("a query");
    let fields: Vec<(&str, &str)> = choice.iter().copied().chain([("request", request)]).collect();
    post_for_redirect(provider, &action, &fields).await
}

/// Posts a form and returns where the answer redirects to.
pub async fn post_for_redirect(provider: &dyn HttpCall, action: &Url, fields: &[(&str, &str)]) -> Url {
    let request = Request::post(action.as_str())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form(fields)))
        .expect("a request");
    let answer = provider.call(request, 1 << 20).await.expect("an answer");
    let location = answer.headers().get(LOCATION);
    let location = location.unwrap_or_else(|| panic!("no redirect: {:?}", answer.body()));
    Url::parse(location.to_str().expect("text")).expect("a URL")
}

/// Path and query.
pub fn path_of(url: &Url) -> String {
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// The query's pairs.
pub fn query_of(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

pub fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

pub fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}
