//! Other rules while requests run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{HeaderName, HeaderValue};
use mintgate::config::Routes;
use mintgate::middleware::{Middleware, Verdict};
use mintgate::web::exchange::Exchange;
use mintgate::web::head::{Headers, RequestHead, ResponseHead};

use super::client::Client;
use super::start::{Started, named, router, routes, service};
use super::upstream::Upstream;

const CLIENTS: usize = 4;
const REQUESTS: usize = 150;

const ASKED: HeaderName = HeaderName::from_static("x-asked");
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-by");
const ANSWERED: HeaderName = HeaderName::from_static("x-answered");

/// Leaves its generation's name in every half.
struct Generation(&'static str);

impl Middleware for Generation {
    fn request(&self, _: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        head.insert(ASKED, HeaderValue::from_static(self.0));
        Verdict::pass()
    }
    fn forward(&self, _: &Exchange, headers: &mut dyn Headers) {
        headers.insert(FORWARDED, HeaderValue::from_static(self.0));
    }
    fn response(&self, _: &Exchange, _: &dyn RequestHead, response: &mut dyn ResponseHead) {
        response.insert(ANSWERED, HeaderValue::from_static(self.0));
    }
}

/// An upstream that says which generation's service it belongs to, and what it was told.
fn upstream(name: &'static str) -> Upstream {
    Upstream::new(move |request| {
        request.drain();
        let told = |header| request.header(header).unwrap_or("nothing").to_owned();
        let body = format!("{name} {} {}", told("x-asked"), told("x-forwarded-by"));
        request.reply("", body.as_bytes());
    })
}

fn generation(name: &'static str, upstream: &Upstream) -> Routes {
    let mut everything = router("PathPrefix(`/`)");
    everything.middlewares = vec![named("generation", Generation(name))];
    routes(vec![everything], vec![service(&[upstream.address])])
}

#[test]
fn no_request_is_lost_and_each_belongs_to_one_generation() {
    let (old, new) = (upstream("old"), upstream("new"));
    let gateway = Arc::new(Started::new(generation("old", &old)));
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let address = gateway.address;
            std::thread::spawn(move || {
                let mut client = Client::to(address);
                (0..REQUESTS).map(|_| asked(&mut client)).collect::<Vec<_>>()
            })
        })
        .collect();
    let (swapping, ended) = (gateway.clone(), done.clone());
    let swaps = std::thread::spawn(move || {
        while !ended.load(Ordering::SeqCst) {
            swapping.gateway.replace(generation("new", &new), None);
            swapping.gateway.replace(generation("old", &old), None);
        }
    });
    let answers: Vec<_> = clients.into_iter().flat_map(|client| client.join().expect("answered")).collect();
    done.store(true, Ordering::SeqCst);
    swaps.join().expect("swapped");
    assert_eq!(answers.len(), CLIENTS * REQUESTS);
    for name in ["old", "new"] {
        assert!(answers.iter().any(|answer| answer == name), "no request met the {name} rules");
    }
}

/// The one generation an answer belongs to.
fn asked(client: &mut Client) -> String {
    let response = client.ask("GET /", &[]);
    assert_eq!(response.status, 200);
    let name = response.header("x-answered").expect("the response half ran").to_owned();
    assert_eq!(response.text(), format!("{name} {name} {name}"));
    name
}
