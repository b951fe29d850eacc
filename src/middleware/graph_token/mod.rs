//! `plugin: graphToken`: programs of the operator's call Microsoft Graph without a token of their own.
//!
//! A request from the listed networks leaves with a valid token of one connected mailbox in the place of
//! whatever Authorization it came with. That the router leads to Graph and nowhere else, the configuration has
//! made sure of; how tokens come about and are refreshed is the keeper's business.

#[cfg(test)]
mod tests;
mod tokens;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use ipnet::IpNet;
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::base::address::{canonical, parse_network};
use crate::base::audit::{Audit, Event, Outcome, Record};
use crate::base::clock::{Clock, Timestamp};
use crate::base::report::Report;
use crate::middleware::ip_strategy::read_networks;
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::{Decision, Middleware, Verdict};
use crate::oauth::source::TokenError;
use crate::web::answer::{Answer, short};
use crate::web::exchange::Exchange;
use crate::web::head::{RequestHead, ResponseHead};
use crate::web::sender::Sender;

use self::tokens::{Given, NoToken, Wanted};

pub use self::tokens::Tokens;

/// The YAML key, as the registry names it.
pub const KEY: &str = "plugin.graphToken";

/// How long a token is used before the keeper is asked again, and so how long a mailbox that an
/// administrator has disconnected goes on being used.
const KEPT_FOR: Duration = Duration::from_secs(10);
/// When to come again, where nothing says it.
const SOON: Duration = Duration::from_secs(30);
const LATEST: Duration = Duration::from_secs(3600);

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The mailbox's id or its address.
    mailbox: Option<Spanned<String>>,
    allow: Vec<Spanned<String>>,
}

impl Checked for Spec {
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        let wanted = self.wanted(&mut errors);
        if self.allow.is_empty() {
            let error = SpecError::whole("`allow` is missing or empty");
            errors.push(error.hint("list the networks of the programs that may use the mailbox"));
        }
        self.refuse_everybody(&mut errors);
        let allow = read_networks(&self.allow, &mut errors, &mut warnings);
        let Some(wanted) = wanted.filter(|_| errors.is_empty()) else { return Err(errors) };
        let source = Source {
            wanted,
            tokens: Arc::clone(&parts.graph_tokens),
            clock: Arc::clone(&parts.clock),
            kept: ArcSwapOption::empty(),
        };
        let runs = GraphToken { allow, audit: parts.audit.clone(), source: Arc::new(source) };
        Ok(Compiled { runs: Arc::new(runs), warnings })
    }
}

impl Spec {
    fn wanted(&self, errors: &mut Vec<SpecError>) -> Option<Wanted> {
        let Some(given) = &self.mailbox else {
            let error = SpecError::whole("`mailbox` is missing");
            errors.push(error.hint("name a connected mailbox by its id or its address"));
            return None;
        };
        let wanted = Wanted::read(&given.value);
        if wanted.is_none() {
            let error = SpecError::at(given, "`mailbox` is neither a mailbox's id nor a mail address");
            errors.push(error.hint("`m365` or `tickets@example.com`"));
        }
        wanted
    }

    /// Whoever is let in reads and sends the mailbox's mail: that is never everybody.
    fn refuse_everybody(&self, errors: &mut Vec<SpecError>) {
        for given in &self.allow {
            if parse_network(given.value.trim()).is_ok_and(|network| network.range.prefix_len() == 0) {
                let error = SpecError::at(given, format!("`{}` is everybody", given.value));
                errors.push(error.hint("list the networks of the programs that may use the mailbox"));
            }
        }
    }
}

struct GraphToken {
    allow: Vec<IpNet>,
    audit: Audit,
    source: Arc<Source>,
}

/// Where this middleware's token comes from, and the one that is in use.
struct Source {
    wanted: Wanted,
    tokens: Arc<Tokens>,
    clock: Arc<dyn Clock>,
    kept: ArcSwapOption<Kept>,
}

/// A token in use.
struct Kept {
    given: Given,
    /// By the steady clock.
    asked_at: Duration,
    /// Graph said 401 to it.
    refused: AtomicBool,
}

impl Kept {
    fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Source {
    /// The Authorization line, while what was given last can be used.
    fn ready(&self) -> Option<HeaderValue> {
        let kept = self.kept.load();
        let kept = kept.as_ref().filter(|kept| !kept.is_refused())?;
        let is_recent = self.clock.steady().saturating_sub(kept.asked_at) < KEPT_FOR;
        let lives = self.clock.now() < kept.given.token.expires_at;
        (is_recent && lives).then(|| kept.given.line.clone())
    }

    async fn ask(&self) -> Result<HeaderValue, NoToken> {
        let refused = self.kept.load_full().filter(|kept| kept.is_refused());
        let refused = refused.map(|kept| kept.given.token.clone());
        let asked_at = self.clock.steady();
        let given = self.tokens.give(&self.wanted, refused).await?;
        let line = given.line.clone();
        self.kept.store(Some(Arc::new(Kept { given, asked_at, refused: false.into() })));
        Ok(line)
    }

    /// Graph has refused `line`; whoever comes next gets another one.
    fn note_refused(&self, line: Option<&HeaderValue>) {
        let kept = self.kept.load();
        if let Some(kept) = kept.as_ref().filter(|kept| line == Some(&kept.given.line)) {
            kept.refused.store(true, Ordering::Relaxed);
        }
    }
}

impl Middleware for GraphToken {
    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let path = exchange.path.text(head.uri().path());
        if let Err(why) = self.admits(exchange, head) {
            self.audit
                .record(Record::new(Event::Refusal, Outcome::Refused, why.detail).from(exchange.client));
            return Verdict::answer(short(StatusCode::FORBIDDEN, path, why.sentence));
        }
        if let Some(line) = self.source.ready() {
            return Verdict::Now(Decision::PassAs(line));
        }
        let (source, audit) = (Arc::clone(&self.source), self.audit.clone());
        let (client, path) = (exchange.client, path.to_owned());
        Verdict::Later(Box::pin(async move {
            match source.ask().await {
                Ok(line) => Decision::PassAs(line),
                Err(error) => {
                    tell(&error, client, &audit);
                    Decision::Answer(Box::new(refusal(&error, &path, source.clock.now())))
                }
            }
        }))
    }

    fn response(&self, _exchange: &Exchange, request: &dyn RequestHead, response: &mut dyn ResponseHead) {
        if response.status() == StatusCode::UNAUTHORIZED {
            self.source.note_refused(request.map().get(AUTHORIZATION));
        }
    }
}

/// Why a request gets no token.
struct Refused {
    detail: &'static str,
    sentence: &'static str,
}

impl GraphToken {
    fn admits(&self, exchange: &Exchange, head: &dyn RequestHead) -> Result<(), Refused> {
        let client = canonical(exchange.client);
        if !self.allow.iter().any(|network| network.contains(&client)) {
            let detail = "a Graph token asked for from elsewhere";
            return Err(Refused { detail, sentence: "This address is not allowed here." });
        }
        // Nobody's session stands behind the token: any page that a browser in one of the networks shows
        // could send mail with it.
        if Sender::of(head.map(), head.uri(), Some(exchange.scheme)) != Sender::Silent {
            let detail = "a Graph token asked for by a browser";
            return Err(Refused { detail, sentence: "This is for programs and not for browsers." });
        }
        Ok(())
    }
}

fn tell(error: &NoToken, client: IpAddr, audit: &Audit) {
    tracing::warn!(mailbox = error.mailbox().map(tracing::field::display), error = %Report(error),
        "a request to Graph gets no token");
    if let NoToken::Refused { mailbox, source: TokenError::NeedsReconnect { .. } } = error {
        let record =
            Record::new(Event::GraphToken, Outcome::Failure, "the mailbox has to be connected again");
        audit.record(record.from(client).about(mailbox));
    }
}

fn refusal(error: &NoToken, path: &str, now: Timestamp) -> Answer {
    let (sentence, wait) = match error {
        NoToken::NotConnected => ("The mailbox behind this route is not connected.", SOON),
        NoToken::Refused { source: TokenError::NeedsReconnect { .. }, .. } => {
            ("The mailbox behind this route has to be connected again.", SOON)
        }
        NoToken::Refused { source: TokenError::Unavailable { retry_at, .. }, .. } => {
            ("There is no token for this route at the moment.", retry_at.since(now))
        }
        _ => ("There is no token for this route at the moment.", SOON),
    };
    let mut answer = short(StatusCode::SERVICE_UNAVAILABLE, path, sentence);
    let seconds = wait.clamp(Duration::from_secs(1), LATEST).as_millis().div_ceil(1000);
    let seconds = u64::try_from(seconds).expect("at most an hour");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    answer
}
