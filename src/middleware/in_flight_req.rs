//! `inFlightReq`: so many requests of one source at once, as Traefik counts them.
//!
//! A request is counted from here until it is over, however it ends: the count goes down with the value
//! that is put into the request's keeping.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use http::header::HeaderName;
use serde::Deserialize;

use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::source::{Criterion, CriterionSpec, Source};
use crate::middleware::{Decision, Middleware, Verdict};
use crate::web::answer::short;
use crate::web::exchange::Exchange;
use crate::web::head::RequestHead;

/// Parts of the count with a lock of their own, held for one look at a map.
const SHARDS: usize = 16;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    amount: usize,
    source_criterion: CriterionSpec,
}

impl Checked for Spec {
    fn compile(&self, _parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        let criterion = self.source_criterion.compile(&mut errors, &mut warnings);
        if self.amount == 0 {
            let message = "`amount` is missing or zero: every request would be refused";
            errors.push(SpecError::whole(message).hint("say how many may run at once"));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        // Traefik counts by host unless told otherwise.
        let criterion = criterion.unwrap_or(Criterion::Host);
        let runs = InFlightReq { amount: self.amount, criterion, counts: Arc::default() };
        Ok(Compiled { runs: Arc::new(runs), warnings })
    }
}

struct InFlightReq {
    amount: usize,
    criterion: Criterion,
    counts: Arc<Counts>,
}

/// Who has how many requests running. Nobody with none is in it, so it is never larger than they are.
#[derive(Default)]
struct Counts {
    shards: [Mutex<HashMap<Source, usize>>; SHARDS],
    hasher: RandomState,
}

impl Counts {
    fn enter(self: &Arc<Self>, source: Source, most: usize) -> Option<Running> {
        let mut shard = self.shard(&source);
        let count = shard.entry(source).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Running { counts: self.clone(), source })
    }

    fn shard(&self, source: &Source) -> MutexGuard<'_, HashMap<Source, usize>> {
        let place = self.hasher.hash_one(source) as usize % SHARDS;
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request that runs.
struct Running {
    counts: Arc<Counts>,
    source: Source,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.counts.shard(&self.source).entry(self.source) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

impl Middleware for InFlightReq {
    fn reads(&self) -> Option<&HeaderName> {
        self.criterion.header()
    }

    fn for_router(&self) -> Option<Arc<dyn Middleware>> {
        let (amount, criterion) = (self.amount, self.criterion.clone());
        Some(Arc::new(Self { amount, criterion, counts: Arc::default() }))
    }

    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let source = self.criterion.source(exchange, head);
        match self.counts.enter(source, self.amount) {
            Some(running) => Verdict::Now(Decision::PassHolding(Box::new(running))),
            None => {
                let path = exchange.path.text(head.uri().path());
                Verdict::answer(short(StatusCode::TOO_MANY_REQUESTS, path, "Too Many Requests"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::middleware::Held;
    use crate::middleware::scene::{compiled, exchange, get, now, problems};

    fn enter(middleware: &dyn Middleware, client: &str, host: &str) -> Result<Held, StatusCode> {
        let verdict = middleware.request(&exchange(client, "/"), &mut get("/", &[("host", host)]));
        match now(verdict) {
            Decision::PassHolding(held) => Ok(held),
            Decision::Answer(answer) => Err(answer.status()),
            _ => panic!("a request that is not counted"),
        }
    }

    #[test]
    fn one_too_many_is_refused_until_another_is_over() {
        let limit = compiled("inFlightReq: {amount: 2, sourceCriterion: {ipStrategy: {}}}");
        let first = enter(&*limit, "192.0.2.1", "a").expect("the first");
        let _second = enter(&*limit, "192.0.2.1", "a").expect("the second");
        assert_eq!(enter(&*limit, "192.0.2.1", "a").err(), Some(StatusCode::TOO_MANY_REQUESTS));
        assert!(enter(&*limit, "192.0.2.2", "a").is_ok());
        drop(first);
        assert!(enter(&*limit, "192.0.2.1", "a").is_ok());
    }

    #[test]
    fn without_a_criterion_the_host_counts() {
        let limit = compiled("inFlightReq: {amount: 1}");
        let _one = enter(&*limit, "192.0.2.1", "desk.example").expect("the first");
        assert!(enter(&*limit, "192.0.2.2", "desk.example").is_err());
        assert!(enter(&*limit, "192.0.2.1", "other.example").is_ok());
    }

    #[test]
    fn routers_count_on_their_own() {
        let limit = compiled("inFlightReq: {amount: 1}");
        let other = limit.for_router().expect("one of its own");
        let _one = enter(&*limit, "192.0.2.1", "a").expect("the first");
        assert!(enter(&*other, "192.0.2.1", "a").is_ok());
    }

    #[test]
    fn nothing_is_remembered_of_what_is_over() {
        let counts = Arc::new(Counts::default());
        let running: Vec<_> = (0..1000)
            .map(|number: u32| counts.enter(Source::Address(std::net::Ipv4Addr::from(number).into()), 1))
            .collect();
        assert!(running.iter().all(Option::is_some));
        drop(running);
        assert!(counts.shards.iter().all(|shard| shard.lock().expect("no panic").is_empty()));
    }

    #[test]
    fn an_amount_of_nothing_is_no_configuration() {
        for yaml in ["inFlightReq: {}", "inFlightReq: {amount: 0}", "inFlightReq:"] {
            assert_eq!(problems(yaml).len(), 1, "{yaml}");
        }
    }
}
