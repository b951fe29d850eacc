//! One sign-in on its way to the desk: counted before, judged by the desk's answer.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Deserialize;

use super::LoginBrake;
use super::attempts::{Closed, Who};
use crate::base::audit::{Event, Outcome, Record};
use crate::base::report::Report;
use crate::middleware::session_shield::Side;
use crate::web::answer::{Answer, short};
use crate::web::exchange::Exchange;
use crate::web::local::LocalService;

/// Longer than any mail address (RFC 5321 section 4.5.3.1).
const LONGEST_NAME: usize = 320;

pub(super) struct Guarded {
    pub(super) brake: LoginBrake,
    pub(super) exchange: Exchange,
    /// Canonical.
    pub(super) path: String,
    /// Who is asked; the desk itself where no other middleware has a word in it.
    pub(super) inner: Option<Arc<dyn LocalService>>,
}

/// What a sign-in says, as far as it matters. A name that stands twice is refused: the desk might take the
/// other one.
#[derive(Deserialize)]
struct SignIn {
    email: String,
}

#[async_trait]
impl LocalService for Guarded {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let Some(email) = named(request.body()) else {
            return short(StatusCode::BAD_REQUEST, &self.path, "The sign-in cannot be read.");
        };
        let LoginBrake { attempts, sign_ins, audit, .. } = &self.brake;
        let (who, account) = (Who::of(self.exchange.client), attempts.account(&email));
        let attempt = match attempts.begin(who, account, sign_ins) {
            Ok(attempt) => attempt,
            Err(closed) => return self.closed(closed),
        };
        if attempt.is_by_many {
            let detail = "one account tried from many addresses";
            audit.record(Record::new(Event::Unusual, Outcome::Refused, detail).from(self.exchange.client));
        }
        let answer = self.ask(request).await;
        match answer.status() {
            status if status.is_success() => attempts.succeeded(&attempt),
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                attempts.unknown(&attempt);
            }
            // Whatever else the desk says, it has not signed anybody in.
            _ => {}
        }
        answer
    }
}

impl Guarded {
    async fn ask(&self, request: Request<Bytes>) -> Answer {
        if let Some(inner) = &self.inner {
            return inner.answer(request).await;
        }
        let asked = self.brake.desk.ask(Side::Api, &request, &self.path, &self.exchange, None).await;
        asked.unwrap_or_else(|error| {
            tracing::warn!(error = %Report(&error), "the desk cannot be asked for a sign-in");
            error.answer(&self.path)
        })
    }

    /// The same words for both: they must not tell whether there is such an account.
    fn closed(&self, closed: Closed) -> Answer {
        let (wait, detail) = match closed {
            Closed::Address(wait) => (wait, "sign-ins from one address"),
            Closed::Account(wait) => (wait, "sign-ins to one account"),
        };
        self.brake.refuse(&self.exchange, &self.path, wait, detail)
    }
}

/// The account that a sign-in names; `None` where it is not clear which.
fn named(body: &[u8]) -> Option<String> {
    // A list would do for the type below, and for no desk.
    let is_object = body.trim_ascii_start().first() == Some(&b'{');
    let SignIn { email } = serde_json::from_slice(body).ok().filter(|_| is_object)?;
    (email.len() <= LONGEST_NAME).then_some(email)
}
