//! `plugin: adminOnly`: admin work is for helpdesk admins.
//!
//! On the router it stands at, it guards `/admin/exchange` and below (the OAuth callback excepted), the
//! desk's own admin work, which the desk itself lets any signed-in user do, and the prefixes listed in
//! YAML. Who is an admin is the desk's word (`desk::admin`); what lies behind a path is not known here.

use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER, USER_AGENT, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::base::secret::{SecretString, equal_in_constant_time};
use crate::desk::admin::{Admins, Caller, Standing};
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::{Decision, Middleware, Verdict};
use crate::web::answer::{Answer, Link, page, short, wants_page};
use crate::web::cookie::{Sent, cookie_value};
use crate::web::exchange::Exchange;
use crate::web::head::{Headers, RequestHead};
use crate::web::path::{canonical, is_at_or_below};

/// Where the console lives.
const CONSOLE: &str = "/admin/exchange";
/// The provider's redirect comes from another site, without any Strict cookie: no session can be asked
/// for. Byte for byte, by GET.
const CALLBACK: &str = "/admin/exchange/callback";
/// Ends a connection attempt; as grave as any change.
const COMPLETE: &str = "/admin/exchange/complete";

/// What the desk's own admin pages call and no agent's page does. The desk checks the role in few of
/// them (observed: mail provider, queues, webhooks, roles, server log open to every signed-in user).
const DESK_ADMIN_WORK: [&str; 10] = [
    "/api/v1/admin",
    "/api/v1/auth/admin",
    "/api/v1/config",
    "/api/v1/data/logs",
    "/api/v1/email-queue",
    "/api/v1/email-queues",
    "/api/v1/role",
    "/api/v1/roles",
    "/api/v1/webhook",
    "/api/v1/webhooks",
];
/// Deleting below this path deletes a user; every other method there is an agent's own business.
const DESK_USERS: &str = "/api/v1/auth/user";

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    /// Further path prefixes, on segment boundaries.
    paths: Vec<Spanned<String>>,
}

struct AdminOnly {
    admins: Arc<Admins>,
    paths: Vec<String>,
}

impl Checked for Spec {
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let mut errors = Vec::new();
        let mut paths = Vec::new();
        for given in &self.paths {
            match canonical(&given.value, &[]) {
                Err(error) => errors.push(SpecError::at(given, error.to_string()).hint("/reports")),
                Ok(_) if given.value == "/" => {
                    let message = "guarding `/` would guard the sign-in page too";
                    errors.push(SpecError::at(given, message).hint("list the paths below it"));
                }
                Ok(path) => paths.push(path.text(&given.value).to_owned()),
            }
        }
        if errors.is_empty() {
            Ok(Compiled::clean(AdminOnly { admins: Arc::clone(&parts.admins), paths }))
        } else {
            Err(errors)
        }
    }
}

/// How old the desk's word may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Fresh,
    Recent,
}

impl AdminOnly {
    /// What a request for `path` (canonical; `raw` as sent) needs; `None` when everybody may.
    fn needs(&self, method: &Method, raw: &str, path: &str) -> Option<Word> {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if is_at_or_below(path, CONSOLE) {
            return match () {
                () if *method == Method::GET && raw == CALLBACK => None,
                () if reads && path != COMPLETE => Some(Word::Recent),
                () => Some(Word::Fresh),
            };
        }
        let guarded = DESK_ADMIN_WORK.iter().any(|base| is_at_or_below(path, base))
            || self.paths.iter().any(|base| is_at_or_below(path, base))
            || (*method == Method::DELETE && is_at_or_below(path, DESK_USERS));
        guarded.then_some(Word::Recent)
    }
}

impl Middleware for AdminOnly {
    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let raw = head.uri().path();
        let path = exchange.path.text(raw);
        let Some(word) = self.needs(head.method(), raw, path) else { return Verdict::pass() };
        let audience = Audience::of(head, path);
        let caller = match token(head.map()) {
            Ok(token) => {
                Caller { token, user_agent: head.map().get(USER_AGENT).cloned(), client: exchange.client }
            }
            Err(reason) => {
                tracing::info!(client = %exchange.client, ?reason, "admin work refused: no usable session");
                return Verdict::Now(decide(Standing::Anonymous, &audience));
            }
        };
        if word == Word::Recent
            && let Some(standing) = self.admins.known(&caller)
        {
            return Verdict::Now(decide(standing, &audience));
        }
        let admins = Arc::clone(&self.admins);
        Verdict::Later(Box::pin(async move {
            let standing = match word {
                Word::Fresh => admins.fresh(&caller).await,
                Word::Recent => admins.recent(&caller).await,
            };
            decide(standing, &audience)
        }))
    }
}

/// Why a request names no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoToken {
    Absent,
    /// Two that differ, one that is sent twice, or another scheme than Bearer: the desk might take
    /// another one than was asked about.
    Unclear,
}

/// The desk's session token from `Authorization: Bearer` or the `session` cookie; where both are sent
/// they have to agree.
fn token(headers: &HeaderMap) -> Result<SecretString, NoToken> {
    let cookie = match cookie_value(headers, "session") {
        Sent::Several => return Err(NoToken::Unclear),
        Sent::None | Sent::One("") => None,
        Sent::One(value) => Some(value),
    };
    match (bearer(headers)?, cookie) {
        (None, None) => Err(NoToken::Absent),
        (Some(bearer), Some(cookie)) if !equal_in_constant_time(bearer.as_bytes(), cookie.as_bytes()) => {
            Err(NoToken::Unclear)
        }
        (Some(token), _) | (None, Some(token)) => Ok(SecretString::from(token)),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, NoToken> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(NoToken::Unclear);
    }
    let (scheme, token) = line.to_str().ok().and_then(|line| line.split_once(' ')).ok_or(NoToken::Unclear)?;
    let is_one_word = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if scheme.eq_ignore_ascii_case("bearer") && is_one_word { Ok(Some(token)) } else { Err(NoToken::Unclear) }
}

/// Who reads a refusal.
enum Audience {
    Browser,
    /// With the canonical path, which tells the desk's client from others.
    Program(String),
}

impl Audience {
    fn of(head: &dyn RequestHead, path: &str) -> Self {
        let headers: &dyn Headers = head;
        let navigates = *head.method() == Method::GET && wants_page(headers.map());
        if navigates { Self::Browser } else { Self::Program(path.to_owned()) }
    }

    fn answer(&self, status: StatusCode, title: &'static str, sentence: &'static str, link: Link) -> Answer {
        match self {
            Self::Browser => page(status, title, sentence, Some(link)),
            Self::Program(path) => short(status, path, sentence),
        }
    }
}

fn decide(standing: Standing, audience: &Audience) -> Decision {
    let answer = match standing {
        Standing::Admin(admin) => return Decision::PassAdmin(admin),
        Standing::Anonymous => {
            let link = Link { href: "/auth/login", label: "Sign in" };
            let sentence = "Sign in to the helpdesk as an administrator first.";
            let mut answer = audience.answer(StatusCode::UNAUTHORIZED, "Please sign in", sentence, link);
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            answer
        }
        Standing::NotAdmin => {
            let link = Link { href: "/", label: "Back to the helpdesk" };
            let sentence = "Only administrators of the helpdesk may do this.";
            audience.answer(StatusCode::FORBIDDEN, "Not allowed", sentence, link)
        }
        Standing::DeskDown => {
            let link = Link { href: CONSOLE, label: "Try again" };
            let sentence =
                "The helpdesk cannot say right now who is an administrator. Try again in a moment.";
            let mut answer =
                audience.answer(StatusCode::SERVICE_UNAVAILABLE, "Helpdesk not reachable", sentence, link);
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            answer
        }
    };
    Decision::Answer(Box::new(answer))
}
