//! Pages as responses: the templates, the headers each kind of page leaves with, and the fixed texts
//! of everything that can be refused.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use tracing::error;

use crate::console::assets;
use crate::oauth::advice::Advice;

/// Console pages: our own style sheet, forms to ourselves, nothing else.
const CONSOLE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                              base-uri 'none'; frame-ancestors 'none'";

/// Pages of the way to the provider and back load nothing at all.
const BARE_POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// How a page is to be treated by the browser.
#[derive(Clone, Copy)]
enum Kind {
    /// `no-referrer` here would make browsers send `Origin: null` with our forms.
    Console,
    /// On the way to the provider or back: the address may hold a code.
    OAuth,
}

/// A finished page.
pub struct Page {
    status: StatusCode,
    kind: Kind,
    body: Result<String, askama::Error>,
}

impl Page {
    pub fn console(status: StatusCode, template: &impl Template) -> Self {
        Self { status, kind: Kind::Console, body: template.render() }
    }

    pub fn oauth(status: StatusCode, template: &impl Template) -> Self {
        Self { status, kind: Kind::OAuth, body: template.render() }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let (policy, referrer) = match self.kind {
            Kind::Console => (CONSOLE_POLICY, "same-origin"),
            Kind::OAuth => (BARE_POLICY, "no-referrer"),
        };
        let headers: [(HeaderName, &'static str); 5] = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            (CONTENT_SECURITY_POLICY, policy),
            (REFERRER_POLICY, referrer),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        match self.body {
            Ok(body) => (self.status, headers, body).into_response(),
            Err(failure) => {
                error!(error = %failure, "a page cannot be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, headers, "This page cannot be shown.").into_response()
            }
        }
    }
}

/// Back to the overview after a change.
pub fn back() -> Response {
    let headers = [
        (LOCATION, HeaderValue::from_static(crate::console::PATH)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Fixed texts of something that was refused.
pub struct Problem {
    pub title: &'static str,
    pub sentence: &'static str,
}

macro_rules! problems {
    ($($name:ident: $title:literal, $sentence:literal;)*) => {
        $(pub const $name: Problem = Problem { title: $title, sentence: $sentence };)*
    };
}

problems! {
    METHOD: "Not possible", "This address does not take this kind of request.";
    NOT_FOUND: "Not found", "There is no such page.";
    NOT_ADMIN: "Administrators only", "Sign in to the helpdesk as an administrator first.";
    FOREIGN_FORM: "Not accepted", "The form was not sent from this page, or your sign-in has changed. \
        Open the page again and repeat.";
    SIGN_IN_GONE: "This sign-in cannot be finished", "It is unknown, has expired or was used already. Start again \
        from the console.";
    NOT_CONFIGURED: "Not configured", "The app registration or the public address is not configured yet.";
    TOO_MANY: "Too many sign-ins at once", "Finish one of the sign-ins that are open, or wait ten minutes.";
    NOT_CONNECTED: "Not connected", "There is no connected mailbox.";
    PROVIDER_SILENT: "Microsoft cannot be reached", "The sign-in service did not give a usable answer. \
        Nothing was changed; try again in a moment.";
    NOT_GENUINE: "Sign-in not accepted", "The proof of who signed in does not fit this sign-in. Nothing was \
        changed; start again.";
    NOT_LASTING: "Sign-in not accepted", "Microsoft gave no lasting access (offline_access). Allow it in the app \
        registration and connect again.";
    CANNOT_READ: "Permissions are missing", "Neither Mail.ReadWrite nor Mail.Read was granted, so no mail can be \
        read. Grant the permissions and connect again.";
    BROKEN: "Something went wrong", "The store could not be used. Nothing was lost; try again.";
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'p> {
    style: String,
    title: &'p str,
    sentence: &'p str,
    who: Option<&'static str>,
    reference: Option<&'p str>,
}

/// A refusal on a console page.
pub fn problem(status: StatusCode, problem: &Problem) -> Page {
    told(status, problem.title, problem.sentence)
}

/// A refusal whose sentence names something; it is escaped by the template.
pub fn told(status: StatusCode, title: &str, sentence: &str) -> Page {
    let style = assets::path();
    Page::console(status, &ProblemPage { style, title, sentence, who: None, reference: None })
}

/// A refusal by the provider: fixed advice, and the numbers that Microsoft's support asks for.
pub fn advised(advice: &Advice, reference: &str) -> Page {
    let page = ProblemPage {
        style: assets::path(),
        title: advice.happened,
        sentence: advice.to_do,
        who: Some(advice.who.as_str()),
        reference: Some(reference).filter(|text| !text.is_empty()),
    };
    Page::console(StatusCode::BAD_REQUEST, &page)
}

#[derive(Template)]
#[template(path = "bare.html")]
pub struct Bare<'p> {
    pub title: &'p str,
    pub sentence: &'p str,
    /// Where to go on to, at once and by a link.
    pub onward: Option<Onward<'p>>,
}

pub struct Onward<'p> {
    pub url: &'p str,
    pub label: &'p str,
}

/// The one page of every callback that fits no flow.
pub fn unknown_sign_in() -> Page {
    let Problem { title, sentence } = SIGN_IN_GONE;
    Page::oauth(StatusCode::BAD_REQUEST, &Bare { title, sentence, onward: None })
}
