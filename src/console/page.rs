//! Pages as responses: the templates, the headers each kind of page leaves with, and everything that can
//! be refused.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use tracing::error;

use crate::console::advice::{About, Explained};
use crate::console::api;
use crate::console::assets;
use crate::console::language::Texts;
use crate::console::wizard;
use crate::oauth::advice::Advice;
use crate::web::plain;

/// Console pages: our own style sheet, script and forms, nothing else.
const CONSOLE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                              img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A console page that shows a stranger's page in a frame; that one has a policy of its own.
const FRAMING_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                              img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
                              frame-ancestors 'none'";

/// How a page is to be treated by the browser.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// `no-referrer` here would make browsers send `Origin: null` with our forms.
    Console,
    /// The same, with a frame in it.
    Framing,
    /// On the way to the provider or back: the address may hold a code.
    OAuth,
}

/// A page, or the refusal to show one.
pub enum Page {
    Ready { status: StatusCode, policy: Policy, body: Result<String, askama::Error> },
    Refused(Box<Refusal>),
}

/// The headers a page leaves with.
#[derive(Debug, Clone, Copy)]
pub struct Policy(Kind);

/// A refusal before its reader's language is known; [`finish`] writes it.
#[derive(Debug, Clone)]
pub struct Refusal {
    status: StatusCode,
    kind: Kind,
    /// Message with the attribute `sentence`.
    key: &'static str,
    arguments: Vec<(&'static str, String)>,
    advice: Option<Advised>,
    /// How long to wait before the same is tried again.
    wait: Option<Duration>,
    /// A page of the console to go on with.
    onward: Option<String>,
}

/// Fixed advice on a provider's error.
#[derive(Debug, Clone)]
struct Advised {
    advice: Advice,
    /// The numbers that the provider's support asks for; may be empty.
    reference: String,
    /// Where an administrator of the tenant agrees to the permissions that were asked for.
    consent: Option<String>,
}

impl Page {
    pub fn console(status: StatusCode, template: &impl Template) -> Self {
        Self::Ready { status, policy: Policy(Kind::Console), body: template.render() }
    }

    /// A refusal that leads to `path`, a page of the console that answers GET.
    pub fn leading_to(self, path: String) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(Box::new(Refusal { onward: Some(path), ..*refusal })),
            ready @ Self::Ready { .. } => ready,
        }
    }

    pub fn framing(status: StatusCode, template: &impl Template) -> Self {
        Self::Ready { status, policy: Policy(Kind::Framing), body: template.render() }
    }

    pub fn oauth(status: StatusCode, template: &impl Template) -> Self {
        Self::Ready { status, policy: Policy(Kind::OAuth), body: template.render() }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        match self {
            Self::Ready { status, policy, body } => ready(status, policy, body),
            Self::Refused(refusal) => {
                let mut response = refusal.status.into_response();
                if let Some(wait) = refusal.wait {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(wait)));
                }
                response.extensions_mut().insert(Arc::<Refusal>::from(refusal));
                response
            }
        }
    }
}

fn ready(status: StatusCode, Policy(kind): Policy, body: Result<String, askama::Error>) -> Response {
    let (policy, referrer) = match kind {
        Kind::Console => (CONSOLE_POLICY, "same-origin"),
        Kind::Framing => (FRAMING_POLICY, "same-origin"),
        Kind::OAuth => (plain::POLICY, "no-referrer"),
    };
    let headers: [(HeaderName, &'static str); 5] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, referrer),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match body {
        Ok(body) => (status, headers, body).into_response(),
        Err(failure) => {
            error!(error = %failure, "a page cannot be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, headers, "This page cannot be shown.").into_response()
        }
    }
}

/// What a refusal is written by.
pub struct Writing<'w> {
    pub t: &'w Texts,
    pub as_json: bool,
    /// The app registration that advice leads to.
    pub client_id: Option<&'w str>,
    /// The page to go on with where the refusal names none.
    pub onward: Option<String>,
}

/// Writes a refusal in the reader's language, as a page or as JSON; any other response is left as it is.
pub fn finish(mut response: Response, writing: Writing<'_>) -> Response {
    let Some(refusal) = response.extensions_mut().remove::<Arc<Refusal>>() else { return response };
    let mut written = if writing.as_json {
        let (title, sentence) = refusal.texts(writing.t);
        api::refusal(refusal.status, format!("{title}: {sentence}")).into_response()
    } else {
        refusal.write(&writing).into_response()
    };
    for name in [ALLOW, RETRY_AFTER] {
        if let Some(value) = response.headers_mut().remove(&name) {
            written.headers_mut().insert(name, value);
        }
    }
    written
}

/// Whole seconds, rounded up.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl Refusal {
    /// Title and sentence.
    fn texts(&self, t: &Texts) -> (String, String) {
        if let Some(advised) = &self.advice {
            let explained = Explained::of(&advised.advice, "", About::default(), t);
            return (explained.happened, explained.to_do);
        }
        let sentence = format!("{}.sentence", self.key);
        let fill = |key: &str| {
            let say = t.say(key);
            self.arguments.iter().fold(say, |say, (name, value)| say.set(name, value)).to_string()
        };
        (fill(self.key), fill(&sentence))
    }

    fn write(&self, writing: &Writing<'_>) -> Page {
        let Writing { t, client_id, .. } = *writing;
        let (title, sentence) = self.texts(t);
        match self.kind {
            Kind::Console | Kind::Framing => {
                let explain = |advised: &Advised| {
                    let about = About { client_id, consent: advised.consent.as_deref(), ..About::default() };
                    Explained::of(&advised.advice, &advised.reference, about, t)
                };
                let page = ProblemPage {
                    t,
                    style: assets::style(),
                    script: assets::script(),
                    title: &title,
                    sentence: &sentence,
                    explained: self.advice.as_ref().map(explain),
                    onward: self.onward.as_deref().or(writing.onward.as_deref()),
                };
                Page::console(self.status, &page)
            }
            Kind::OAuth => {
                Page::oauth(self.status, &Bare { t, title: &title, sentence: &sentence, onward: None })
            }
        }
    }
}

/// Back to the overview after a change.
pub fn back() -> Response {
    see_other(crate::console::PATH)
}

/// On to another page of the console.
///
/// # Panics
/// When `path` is not one of ours: ASCII without control bytes.
pub fn see_other(path: &str) -> Response {
    let location = HeaderValue::from_str(path).expect("a path of ours");
    let headers = [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Something that is refused: a message with the attribute `sentence`.
pub struct Problem {
    pub key: &'static str,
}

macro_rules! problems {
    ($($name:ident: $key:literal;)*) => {
        $(pub const $name: Problem = Problem { key: $key };)*

        #[cfg(test)]
        const ALL: &[&str] = &[$($key),*];
    };
}

problems! {
    METHOD: "method";
    NOT_FOUND: "not-found";
    NOT_ADMIN: "not-admin";
    FOREIGN_FORM: "foreign-form";
    BAD_FORM: "bad-form";
    SIGN_IN_GONE: "sign-in-gone";
    NOT_CONFIGURED: "not-configured";
    TOO_MANY: "too-many";
    NOT_CONNECTED: "not-connected";
    PROVIDER_SILENT: "provider-silent";
    NOT_GENUINE: "not-genuine";
    NOT_LASTING: "not-lasting";
    BROKEN: "broken";
    OTHER_SENDER: "other-sender";
    DRAFT_GONE: "draft-gone";
    ANOTHER_ACCOUNT: "another-account";
    NO_GOOGLE_CLIENT: "no-google-client";
    MAIL_NOT_TICKED: "mail-not-ticked";
    UNNAMED_ACCOUNT: "unnamed-account";
    SLOW_DOWN: "slow-down";
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'p> {
    t: &'p Texts,
    style: String,
    script: String,
    title: &'p str,
    sentence: &'p str,
    explained: Option<Explained>,
    onward: Option<&'p str>,
}

impl ProblemPage<'_> {
    /// One thing to do is enough: where advice has its button, the way on is a link.
    fn shows_button(&self) -> bool {
        self.explained.as_ref().is_some_and(|explained| explained.button.is_some())
    }

    /// What the way on is called.
    fn label(&self, path: &str) -> &'static str {
        match path.strip_prefix(wizard::PATH) {
            Some("") => "nav-setup",
            Some(_) => "go-on-with-set-up",
            None => "open-again",
        }
    }
}

/// A refusal on a console page.
pub fn problem(status: StatusCode, problem: &Problem) -> Page {
    told(status, problem, Vec::new())
}

/// A refusal that names something; the template escapes it.
pub fn told(status: StatusCode, problem: &Problem, arguments: Vec<(&'static str, String)>) -> Page {
    Page::Refused(Box::new(Refusal {
        status,
        kind: Kind::Console,
        key: problem.key,
        arguments,
        advice: None,
        wait: None,
        onward: None,
    }))
}

/// Something was asked for too often.
pub fn slow_down(wait: Duration) -> Page {
    Page::Refused(Box::new(Refusal {
        status: StatusCode::TOO_MANY_REQUESTS,
        kind: Kind::Console,
        key: SLOW_DOWN.key,
        arguments: vec![("seconds", seconds(wait).to_string())],
        advice: None,
        wait: Some(wait),
        onward: None,
    }))
}

/// A refusal by the provider: fixed advice, the numbers that the provider's support asks for, and where an
/// administrator of the tenant agrees to the permissions that were asked for.
pub fn advised(status: StatusCode, advice: &Advice, reference: &str, consent: Option<String>) -> Page {
    Page::Refused(Box::new(Refusal {
        status,
        kind: Kind::Console,
        key: "advice",
        arguments: Vec::new(),
        advice: Some(Advised { advice: *advice, reference: reference.to_owned(), consent }),
        wait: None,
        onward: None,
    }))
}

#[derive(Template)]
#[template(path = "bare.html")]
pub struct Bare<'p> {
    pub t: &'p Texts,
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
    Page::Refused(Box::new(Refusal {
        status: StatusCode::BAD_REQUEST,
        kind: Kind::OAuth,
        key: SIGN_IN_GONE.key,
        arguments: Vec::new(),
        advice: None,
        wait: None,
        onward: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::language::Languages;

    #[test]
    fn every_refusal_has_a_title_and_a_sentence() {
        let languages = Languages::new();
        let english = languages.pick(None, None);
        for key in ALL {
            assert!(english.knows(key) && english.knows(&format!("{key}.sentence")), "{key}");
        }
    }
}
