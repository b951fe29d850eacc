//! A browser's patience: follows redirects on one origin, with the cookies that it is given on the way.

use std::collections::BTreeMap;

use bytes::Bytes;
use cookie::Cookie;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Request};
use mintgate::web::call::HttpCall;
use url::Url;

/// More than any provider needs.
const MOST_REDIRECTS: usize = 20;

/// Where the way from `start` leaves its origin.
pub async fn follow(http: &dyn HttpCall, start: &Url) -> Url {
    let (mut place, mut cookies) = (start.clone(), BTreeMap::new());
    for _ in 0..MOST_REDIRECTS {
        let carried: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::get(place.as_str()).header(COOKIE, carried.join("; "));
        let answer = http.call(request.body(Bytes::new()).expect("a request"), 1 << 20).await;
        let answer = answer.expect("an answer");
        keep(&mut cookies, answer.headers());
        let location = answer.headers().get(LOCATION);
        let location = location.unwrap_or_else(|| panic!("{place} leads nowhere: {:?}", answer.body()));
        place = place.join(location.to_str().expect("text")).expect("a URL");
        if place.origin() != start.origin() {
            return place;
        }
    }
    panic!("{start} redirects without end");
}

/// An empty value is how this kind of server takes a cookie back.
fn keep(cookies: &mut BTreeMap<String, String>, headers: &HeaderMap) {
    for line in headers.get_all(SET_COOKIE) {
        let cookie = Cookie::parse(line.to_str().expect("text")).expect("a cookie");
        match cookie.value() {
            "" => cookies.remove(cookie.name()),
            value => cookies.insert(cookie.name().to_owned(), value.to_owned()),
        };
    }
}
