//! `plugin: adminOnly`: admin work is for helpdesk admins.
//!
//! On the router it stands at, it guards mintgate's own pages and JSON (the OAuth callback excepted), the
//! desk's own admin work, which the desk itself lets any signed-in user do (`table`), and the rows listed
//! in YAML. Who is an admin is the desk's word (`desk::admin`); what lies behind a path is not known here.

mod table;
#[cfg(test)]
mod tests;
mod words;

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_yaml::Spanned;

use self::table::{DESK, Row};
use self::words::{ENGLISH, Language, Words, language};
use crate::base::audit::{Audit, Event, Outcome, Record};
use crate::desk::admin::{Admins, Standing};
use crate::desk::caller::Caller;
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::{Decision, Middleware, Verdict};
use crate::web::answer::{Answer, Link, Said, page, short, wants_page};
use crate::web::exchange::Exchange;
use crate::web::head::{Headers, RequestHead};
use crate::web::own::{CONSOLE, is_api};
use crate::web::path::is_at_or_below;

/// The YAML key, as the registry names it.
pub const KEY: &str = "plugin.adminOnly";

/// The provider's redirect comes from another site, without any Strict cookie: no session can be asked
/// for. Byte for byte, by GET.
const CALLBACK: &str = "/admin/exchange/callback";
/// Ends a connection attempt; as grave as any change.
const COMPLETE: &str = "/admin/exchange/complete";

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Further rows, beside the desk's.
    paths: Vec<Spanned<String>>,
    /// Rows in place of the desk's default table.
    desk_paths: Option<Vec<Spanned<String>>>,
}

struct AdminOnly {
    admins: Arc<Admins>,
    audit: Audit,
    rows: Vec<Row>,
}

impl Checked for Spec {
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let mut errors = Vec::new();
        let mut rows = Vec::new();
        for given in self.paths.iter().chain(self.desk_paths.iter().flatten()) {
            match Row::read(&given.value) {
                Ok(row) => rows.push(row),
                Err(error) => errors.push(SpecError::at(given, error.to_string()).hint(error.hint())),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut warnings = Vec::new();
        match &self.desk_paths {
            None => rows.extend(DESK.map(|row| Row::read(row).expect("a test reads every default row"))),
            Some(given) if given.is_empty() => {
                let message =
                    "no path of the desk is admin work: every signed-in user may change its settings";
                warnings.push(SpecError::whole(message));
            }
            Some(_) => {}
        }
        let (admins, audit) = (Arc::clone(&parts.admins), parts.audit.clone());
        Ok(Compiled { runs: Arc::new(AdminOnly { admins, audit, rows }), warnings })
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
        if is_api(path) {
            let acts = !reads || finishes_sign_in(path);
            return Some(if acts { Word::Fresh } else { Word::Recent });
        }
        let guarded = self.rows.iter().any(|row| row.covers(method, path));
        guarded.then_some(Word::Recent)
    }
}

/// What the API brings back from a provider: a GET that connects a mailbox.
fn finishes_sign_in(path: &str) -> bool {
    path.contains("/oauth/") && path.trim_end_matches('/').ends_with("/callback")
}

impl Middleware for AdminOnly {
    fn decides_by_path(&self) -> bool {
        true
    }

    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let raw = head.uri().path();
        let path = exchange.path.text(raw);
        let Some(word) = self.needs(head.method(), raw, path) else { return Verdict::pass() };
        let audience = Audience::of(head, path);
        let watcher = Watcher { audit: self.audit.clone(), client: exchange.client };
        let caller = match Caller::of(head.map(), exchange.client) {
            Ok(caller) => caller,
            Err(reason) => {
                tracing::debug!(client = %exchange.client, ?reason, "admin work refused: no usable session");
                return Verdict::Now(watcher.decide(Standing::Anonymous, &audience));
            }
        };
        if word == Word::Recent
            && let Some(standing) = self.admins.known(&caller)
        {
            return Verdict::Now(watcher.decide(standing, &audience));
        }
        let admins = Arc::clone(&self.admins);
        Verdict::Later(Box::pin(async move {
            let standing = match word {
                Word::Fresh => admins.fresh(&caller).await,
                Word::Recent => admins.recent(&caller).await,
            };
            watcher.decide(standing, &audience)
        }))
    }
}

/// Tells the audit of refusals to one client.
struct Watcher {
    audit: Audit,
    client: IpAddr,
}

impl Watcher {
    fn decide(&self, standing: Standing, audience: &Audience) -> Decision {
        let why = match standing {
            Standing::Admin(_) => None,
            Standing::Anonymous => Some("admin work without a session"),
            Standing::NotAdmin => Some("admin work by somebody else"),
            Standing::DeskDown => Some("admin work while the desk is silent"),
        };
        if let Some(why) = why {
            self.audit.record(Record::new(Event::Refusal, Outcome::Refused, why).from(self.client));
        }
        decide(standing, audience)
    }
}

/// Who reads a refusal.
enum Audience {
    Browser(&'static Language),
    /// With the canonical path, which tells the desk's client from others.
    Program(String),
}

impl Audience {
    fn of(head: &dyn RequestHead, path: &str) -> Self {
        let headers: &dyn Headers = head;
        let navigates = *head.method() == Method::GET && wants_page(headers.map());
        if navigates { Self::Browser(language(headers.map())) } else { Self::Program(path.to_owned()) }
    }

    /// A refusal of which each language has the words; `href` is the way on.
    fn answer(&self, status: StatusCode, href: &'static str, words: fn(&Language) -> Words) -> Answer {
        match self {
            Self::Browser(language) => {
                let Words { title, sentence, onward } = words(language);
                let link = Some(Link { href, label: onward });
                page(status, &Said { language: language.tag, title, sentence, link })
            }
            Self::Program(path) => short(status, path, words(&ENGLISH).sentence),
        }
    }
}

fn decide(standing: Standing, audience: &Audience) -> Decision {
    let answer = match standing {
        Standing::Admin(admin) => return Decision::PassAdmin(admin),
        Standing::Anonymous => {
            let status = StatusCode::UNAUTHORIZED;
            let mut answer = audience.answer(status, "/auth/login", |language| language.anonymous);
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            answer
        }
        Standing::NotAdmin => audience.answer(StatusCode::FORBIDDEN, "/", |language| language.not_admin),
        Standing::DeskDown => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let mut answer = audience.answer(status, CONSOLE, |language| language.desk_down);
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            answer
        }
    };
    Decision::Answer(Box::new(answer))
}
