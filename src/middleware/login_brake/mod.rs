//! `plugin: loginBrake`: nobody guesses passwords at the desk, which has no limit of its own.
//!
//! Failed sign-ins are counted per client address and per account; too many of either close the door for a
//! while. An account that does not exist is treated as one that does. An address from which the account was
//! signed in to before stays welcome, so that strangers cannot lock its owner out. What else the desk lets
//! everybody do, asking for a new password and opening a ticket in its portal, is counted per address.

mod attempts;
mod guarded;

use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderValue, RETRY_AFTER};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_yaml::Spanned;

pub use self::attempts::Attempts;

use self::attempts::{Limit, Who};
use self::guarded::Guarded;
use crate::base::audit::{Audit, Event, Outcome, Record};
use crate::base::duration;
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::session_shield::DeskSide;
use crate::middleware::{Decision, Middleware, Verdict};
use crate::web::answer::{Answer, short};
use crate::web::exchange::Exchange;
use crate::web::head::RequestHead;

/// The YAML key, as the registry names it.
pub const KEY: &str = "plugin.loginBrake";

const ATTEMPTS: u32 = 10;
const PERIOD: Duration = Duration::from_secs(5 * 60);
const LOCKOUT: Duration = Duration::from_secs(15 * 60);
const PUBLIC_TICKETS: u32 = 30;
const LONGEST: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// False lets everybody guess.
    enabled: bool,
    /// Failed sign-ins within the period that an address, and an account, may have.
    attempts: Option<Spanned<u32>>,
    period: Option<Spanned<String>>,
    lockout: Option<Spanned<String>>,
    /// Tickets that one address may open in the portal within the period.
    public_tickets: Option<Spanned<u32>>,
}

impl Default for Spec {
    fn default() -> Self {
        Self { enabled: true, attempts: None, period: None, lockout: None, public_tickets: None }
    }
}

impl Checked for Spec {
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let mut errors = Vec::new();
        let most = number("attempts", self.attempts.as_ref(), ATTEMPTS, &mut errors);
        let tickets = number("publicTickets", self.public_tickets.as_ref(), PUBLIC_TICKETS, &mut errors);
        let period = span(self.period.as_ref(), PERIOD, &mut errors);
        let lockout = span(self.lockout.as_ref(), LOCKOUT, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        if !self.enabled {
            let message = "the brake is off: passwords can be guessed as fast as the desk answers";
            return Ok(Compiled { runs: Arc::new(Off), warnings: vec![SpecError::whole(message)] });
        }
        Ok(Compiled::clean(LoginBrake {
            attempts: parts.attempts.clone(),
            audit: parts.audit.clone(),
            desk: parts.shield.desk.clone(),
            sign_ins: Limit { most, period, lockout },
            tickets: Limit { most: tickets, period, lockout: Duration::ZERO },
        }))
    }
}

fn number(name: &str, given: Option<&Spanned<u32>>, usual: u32, errors: &mut Vec<SpecError>) -> u32 {
    let Some(given) = given else { return usual };
    if given.value == 0 {
        errors.push(SpecError::at(given, format!("with `{name}` of zero nobody could ever do it")));
    }
    given.value
}

fn span(given: Option<&Spanned<String>>, usual: Duration, errors: &mut Vec<SpecError>) -> Duration {
    let Some(given) = given else { return usual };
    let read = duration::read(&given.value).filter(|span| !span.is_zero() && *span <= LONGEST);
    read.unwrap_or_else(|| {
        let message = format!("`{}` is not a duration such as 10m, of a day at most", given.value);
        errors.push(SpecError::at(given, message));
        usual
    })
}

/// `enabled: false`.
struct Off;

impl Middleware for Off {}

#[derive(Clone)]
struct LoginBrake {
    attempts: Arc<Attempts>,
    audit: Audit,
    desk: Arc<DeskSide>,
    sign_ins: Limit,
    tickets: Limit,
}

/// What everybody may ask of the desk, and what is therefore counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    SignIn,
    PasswordReset,
    PublicTicket,
}

impl Place {
    /// `path` is canonical. Source: the desk's observed API.
    fn of(method: &Method, path: &str) -> Option<Self> {
        if *method != Method::POST {
            return None;
        }
        match path.strip_suffix('/').unwrap_or(path).strip_prefix("/api/v1/")? {
            "auth/login" => Some(Self::SignIn),
            "auth/password-reset" | "auth/password-reset/code" | "auth/password-reset/password" => {
                Some(Self::PasswordReset)
            }
            "ticket/public/create" => Some(Self::PublicTicket),
            _ => None,
        }
    }
}

impl Middleware for LoginBrake {
    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let path = exchange.path.text(head.uri().path());
        let Some(place) = Place::of(head.method(), path) else { return Verdict::pass() };
        let who = Who::of(exchange.client);
        let (counted, detail) = match place {
            Place::SignIn => (self.attempts.closed(who), "sign-ins from one address"),
            Place::PasswordReset => {
                (self.attempts.reserve(who, &self.sign_ins), "password resets from one address")
            }
            Place::PublicTicket => {
                (self.attempts.ticket(who, &self.tickets), "public tickets from one address")
            }
        };
        if let Err(wait) = counted {
            return Verdict::answer(self.refuse(exchange, path, wait, detail));
        }
        if place != Place::SignIn {
            return Verdict::pass();
        }
        let (brake, exchange) = (self.clone(), exchange.clone());
        let path = path.strip_suffix('/').unwrap_or(path).to_owned();
        Verdict::Now(Decision::PassAround(Box::new(|inner| {
            Arc::new(Guarded { brake, exchange, path, inner })
        })))
    }
}

impl LoginBrake {
    fn refuse(&self, exchange: &Exchange, path: &str, wait: Duration, detail: &'static str) -> Answer {
        self.audit.record(Record::new(Event::Brake, Outcome::Refused, detail).from(exchange.client));
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let sentence = match seconds.div_ceil(60) {
            0 | 1 => "Too many attempts. Please try again in a minute.".to_owned(),
            minutes => format!("Too many attempts. Please try again in {minutes} minutes."),
        };
        let mut answer = short(StatusCode::TOO_MANY_REQUESTS, path, &sentence);
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::middleware::scene::{compile, compiled, exchange, get, problems, status};

    #[test]
    fn the_places_that_everybody_can_ask_are_known() {
        let table = [
            ("POST", "/api/v1/auth/login", Some(Place::SignIn)),
            ("POST", "/api/v1/auth/login/", Some(Place::SignIn)),
            ("POST", "/api/v1/auth/password-reset", Some(Place::PasswordReset)),
            ("POST", "/api/v1/auth/password-reset/code", Some(Place::PasswordReset)),
            ("POST", "/api/v1/auth/password-reset/password", Some(Place::PasswordReset)),
            ("POST", "/api/v1/ticket/public/create", Some(Place::PublicTicket)),
            ("GET", "/api/v1/auth/login", None),
            ("POST", "/api/v1/ticket/create", None),
            ("POST", "/auth/login", None),
        ];
        for (method, path, expected) in table {
            assert_eq!(Place::of(&method.parse().expect("a method"), path), expected, "{method} {path}");
        }
    }

    #[test]
    fn one_address_opens_so_many_tickets_in_the_portal_and_others_still_can() {
        let brake = compiled("plugin: {loginBrake: {publicTickets: 2}}");
        let ask = |client| {
            let path = "/api/v1/ticket/public/create";
            let mut request = get(path, &[]);
            *request.method_mut() = Method::POST;
            status(brake.request(&exchange(client, path), &mut request)).as_u16()
        };
        assert_eq!([ask("192.0.2.1"), ask("192.0.2.1"), ask("192.0.2.1")], [200, 200, 429]);
        assert_eq!(ask("192.0.2.2"), 200);
    }

    #[test]
    fn what_cannot_work_is_told_with_its_place() {
        assert_eq!(
            problems("plugin:\n  loginBrake:\n    attempts: 0\n    period: soon\n    lockout: 48h\n"),
            [
                "3:15 with `attempts` of zero nobody could ever do it",
                "4:13 `soon` is not a duration such as 10m, of a day at most",
                "5:14 `48h` is not a duration such as 10m, of a day at most",
            ]
        );
        let off = compile("plugin: {loginBrake: {enabled: false}}").expect("it can work");
        assert_eq!(off.warnings.len(), 1);
    }
}
