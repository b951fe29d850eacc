//! `plugin: sessionShield`: the desk's session token never reaches a browser.
//!
//! At sign-in the script gets a handle in its place, and the browser a cookie that no script can read. The
//! token is put into requests that show both; half a session is none. What changes anything must come from a
//! page of the same origin. Behind this middleware the request carries the plain token, so that the guard of
//! the admin pages and the desk see what they know; before it nobody can use it.

mod browser;
mod claims;
mod cookies;
mod desk;
mod errand;
mod place;
mod presented;
mod sessions;

use std::net::IpAddr;
use std::sync::Arc;

use http::header::HeaderValue;
use http::{Method, StatusCode};
use ipnet::IpNet;
use serde::Deserialize;
use serde_yaml::Spanned;

pub(super) use self::desk::{DeskError, Side};
pub(super) use self::presented::withhold;

pub use self::browser::Browser;
pub use self::desk::DeskSide;
pub use self::errand::Means;
pub use self::sessions::{Found, Sessions};

use self::claims::Claims;
use self::cookies::ScriptReads;
use self::errand::{Act, Errand};
use self::place::Place;
use self::presented::{Presented, has_script_cookie, withhold_own};
use self::sessions::{Session, bearer};
use crate::base::address::parse_network;
use crate::base::audit::{Event, Outcome, Record};
use crate::base::secret::{ExposeSecret, SecretString};
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::{Decision, Middleware, Verdict};
use crate::web::answer::{Answer, short};
use crate::web::exchange::Exchange;
use crate::web::head::RequestHead;
use crate::web::sender::Sender;

/// The YAML key, as the registry names it.
pub const KEY: &str = "plugin.sessionShield";

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// False leaves a router to the desk without a shield.
    enabled: bool,
    /// Networks of programs that may use the desk's API with a plain token.
    bearer_from: Vec<Spanned<String>>,
    /// What scripts on the desk's pages may read of a session.
    script_reads: ScriptReads,
}

impl Default for Spec {
    fn default() -> Self {
        Self { enabled: true, bearer_from: Vec::new(), script_reads: ScriptReads::default() }
    }
}

impl Checked for Spec {
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let mut networks = Vec::new();
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        for given in &self.bearer_from {
            match parse_network(&given.value) {
                Ok(network) => {
                    if network.host_bits_masked {
                        let message = format!("`{}` has host bits; {} is meant", given.value, network.range);
                        warnings.push(SpecError::at(given, message));
                    }
                    networks.push(network.range);
                }
                Err(error) => errors.push(SpecError::at(given, error.to_string())),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        if !self.enabled {
            let message = "the shield is off: every script on the desk's pages can read the session's token";
            return Ok(Compiled { runs: Arc::new(Off), warnings: vec![SpecError::whole(message)] });
        }
        let (means, script_reads) = (parts.shield.clone(), self.script_reads);
        let runs = Arc::new(SessionShield { means, bearer_from: networks, script_reads });
        Ok(Compiled { runs, warnings })
    }
}

/// `enabled: false`.
struct Off;

impl Middleware for Off {
    fn request(&self, _exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        // Left in a browser from before; none of the desk's business.
        withhold_own(head);
        Verdict::pass()
    }
}

struct SessionShield {
    means: Arc<Means>,
    bearer_from: Vec<IpNet>,
    script_reads: ScriptReads,
}

impl Middleware for SessionShield {
    fn decides_by_path(&self) -> bool {
        true
    }

    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let path = exchange.path.text(head.uri().path());
        let place = Place::of(head.method(), path);
        let sender = Sender::of(head.map(), head.uri(), Some(exchange.scheme));
        let sessions = &self.means.sessions;
        let presented =
            Presented::of(head.map(), exchange.client, |handle, cookie| sessions.belongs(handle, cookie));
        let asked = Asked {
            means: self.means.clone(),
            script_reads: self.script_reads,
            exchange: exchange.clone(),
            browser: Browser::of(head.map(), exchange.client),
            occupied: has_script_cookie(head.map()),
            path: path.to_owned(),
            place,
        };
        let foreign = is_foreign(head.method(), &asked.place, sender);
        withhold(head);
        if self.is_program(exchange.client, sender, &presented) && asked.place != Place::Console {
            return Verdict::Now(asked.program(&presented));
        }
        if foreign {
            asked.note("another page's request");
            return Verdict::answer(
                asked.refuse(StatusCode::FORBIDDEN, "This has to come from the helpdesk's own page."),
            );
        }
        asked.browser(presented)
    }
}

impl SessionShield {
    /// A client without a cookie jar, in a network where such are expected. No browser is silent about a
    /// request that a page has made it send.
    fn is_program(&self, client: IpAddr, sender: Sender, presented: &Presented) -> bool {
        sender == Sender::Silent
            && matches!(presented, Presented::Nothing | Presented::Plain(_))
            && self.bearer_from.iter().any(|network| network.contains(&client))
    }
}

/// Whether a request that changes something was not sent by a page of ours. A sign-out is a GET: it is
/// refused when another page is known to have sent it, and without the Strict cookie in any case.
fn is_foreign(method: &Method, place: &Place, sender: Sender) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    match place {
        Place::SignOut { .. } if reads => sender == Sender::Elsewhere,
        Place::SignIn => sender != Sender::SameOrigin,
        _ => !reads && sender != Sender::SameOrigin,
    }
}

/// A request, its credentials taken out.
struct Asked {
    means: Arc<Means>,
    script_reads: ScriptReads,
    exchange: Exchange,
    browser: Browser,
    /// The script's own cookie is there.
    occupied: bool,
    /// Canonical.
    path: String,
    place: Place,
}

impl Asked {
    fn browser(self, presented: Presented) -> Verdict {
        match (&self.place, presented) {
            (Place::SignIn, Presented::Pair(before)) => Verdict::Now(self.sign_in(Some(before))),
            (Place::SignIn, _) => Verdict::Now(self.sign_in(None)),
            (Place::ServiceWorker, _) => Verdict::Now(self.errand(Act::ServiceWorker, None)),
            (Place::ForgottenPassword, _) => Verdict::pass(),
            (_, Presented::Nothing) | (Place::WithoutToken, Presented::CookieAlone) => Verdict::pass(),
            (_, Presented::Pair(handle)) => self.with_session(handle),
            (place, presented) if place.is_api() => {
                tracing::debug!(client = %self.exchange.client, shown = presented.name(), "half a session refused");
                self.note("half a session");
                Verdict::answer(self.refuse(StatusCode::UNAUTHORIZED, "Please sign in."))
            }
            // Pages are everybody's, and who may see the console is the guard's question.
            _ => Verdict::pass(),
        }
    }

    fn sign_in(self, before: Option<SecretString>) -> Decision {
        let occupied = self.occupied;
        self.errand(Act::SignIn { before, occupied }, None)
    }

    fn with_session(self, handle: SecretString) -> Verdict {
        if let Some(found) = self.means.sessions.known(&handle) {
            return Verdict::Now(self.admit(found));
        }
        let sessions = self.means.sessions.clone();
        Verdict::Later(Box::pin(async move { self.admit(sessions.find(handle).await) }))
    }

    fn admit(self, found: Found) -> Decision {
        match found {
            Found::Live(session) if self.is_strange_to(&session) => self.stranger(),
            Found::Live(session) => self.under(&session),
            Found::Absent if self.place.is_api() => {
                let refusal =
                    self.refuse(StatusCode::UNAUTHORIZED, "The session is over. Please sign in again.");
                answered(self.script_reads.take_back(refusal))
            }
            Found::Unknown if self.place.is_api() || self.place == Place::Console => {
                answered(self.refuse(StatusCode::SERVICE_UNAVAILABLE, "Sessions cannot be told right now."))
            }
            Found::Absent | Found::Unknown => Decision::Pass,
        }
    }

    /// Whether the request cannot come from the browser that the session was begun in. The console asks for
    /// the place, too.
    fn is_strange_to(&self, session: &Session) -> bool {
        let beginning = &session.beginning;
        !beginning.may_be(&self.browser)
            || (self.place == Place::Console && !beginning.is_at(self.exchange.client))
    }

    /// Handle and cookie are in another browser's hands. The session itself stays its owner's.
    fn stranger(self) -> Decision {
        self.note("another browser's session");
        match self.place.is_api() {
            true => answered(self.refuse(StatusCode::UNAUTHORIZED, "Please sign in.")),
            false => Decision::Pass,
        }
    }

    fn under(self, session: &Session) -> Decision {
        let Some(bearer) = session.bearer() else {
            return answered(self.refuse(StatusCode::UNAUTHORIZED, "Please sign in again."));
        };
        self.granted(&session.user, bearer)
    }

    /// A program with a token of its own, or with none.
    fn program(self, presented: &Presented) -> Decision {
        let Presented::Plain(token) = presented else { return Decision::Pass };
        let Some(bearer) = bearer(token) else {
            return answered(self.refuse(StatusCode::UNAUTHORIZED, "Please sign in."));
        };
        // Whose token it is only says whom this request may sign out; the desk checks it.
        let user = Claims::of(token.expose_secret()).map(|claims| claims.user).unwrap_or_default();
        self.granted(&user, bearer)
    }

    fn granted(self, user: &str, bearer: HeaderValue) -> Decision {
        let act = match &self.place {
            Place::SignOut { user: named } if !named.eq_ignore_ascii_case(user) => {
                self.note("signing out somebody else");
                return answered(
                    self.refuse(StatusCode::FORBIDDEN, "Only your own sessions can be ended here."),
                );
            }
            Place::SignOut { .. } => Act::SignOut { user: user.to_owned() },
            Place::OwnPassword => Act::EndAll { user: user.to_owned() },
            Place::UserRemoval { user: named } => Act::EndAll { user: named.clone() },
            Place::OwnSession => Act::EndAll { user: user.to_owned() },
            Place::AnyPassword { field } => Act::EndNamed { field },
            _ => return Decision::PassAs(bearer),
        };
        self.errand(act, Some(bearer))
    }

    fn errand(self, act: Act, bearer: Option<HeaderValue>) -> Decision {
        let Self { means, script_reads, exchange, path, .. } = self;
        // A stray slash at the end is the web client's to redirect; the API does not know it.
        let path = path.strip_suffix('/').map(str::to_owned).unwrap_or(path);
        let authorization = bearer.clone();
        let service = Arc::new(Errand { means, exchange, path, act, script_reads, bearer });
        Decision::PassTo { service, authorization }
    }

    /// Tells the audit why the request is refused.
    fn note(&self, why: &'static str) {
        let refusal = Record::new(Event::Refusal, Outcome::Refused, why);
        self.means.audit.record(refusal.from(self.exchange.client));
    }

    fn refuse(&self, status: StatusCode, sentence: &str) -> Answer {
        short(status, &self.path, sentence)
    }
}

fn answered(answer: Answer) -> Decision {
    Decision::Answer(Box::new(answer))
}
