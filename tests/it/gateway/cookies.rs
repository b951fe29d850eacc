//! Cookies on real connections, in both directions.

use http::Request;

use super::client::Client;
use super::start::{Started, router, routes, service};
use super::tls::{Pki, connect, pki, stopped};
use super::upstream::Upstream;
use crate::support::shield::middleware;
use mintgate::config::NamedMiddleware;

const HARD: &str = "HttpOnly; SameSite=Strict; Secure";

fn hardened() -> NamedMiddleware {
    NamedMiddleware { name: "under test".into(), runs: middleware("plugin: {hardenCookies: {}}") }
}

fn before(desk: &Upstream) -> Started {
    let mut router = router("PathPrefix(`/`)");
    router.middlewares = vec![hardened()];
    Started::new(routes(vec![router], vec![service(&[desk.address])]))
}

/// Sets three cookies with whatever status is asked for by the path.
fn careless() -> Upstream {
    Upstream::new(|request| {
        request.drain();
        let status = request.lines[0].split(['/', ' ']).nth(2).unwrap_or("200").to_owned();
        request.write(format!(
            "HTTP/1.1 {status} Said So\r\nLocation: /x\r\nSet-Cookie: a=1; Domain=example.com; SameSite=None\r\n\
             Set-Cookie: =nameless\r\nSet-Cookie: __Host-mintgate=forged; Path=/; Secure\r\nContent-Length: 0\r\n\r\n"
        ));
    })
}

#[test]
fn a_cookie_is_hardened_whatever_the_status_and_none_of_ours_is_set_by_others() {
    let desk = careless();
    let gateway = before(&desk);
    for status in [200, 302, 304, 401, 404, 500] {
        let answer = Client::to(gateway.address).ask(&format!("GET /{status}"), &[]);
        assert_eq!(answer.status, status);
        assert_eq!(answer.all("set-cookie"), [format!("a=1; {HARD}")], "{status}");
    }
}

#[tokio::test]
async fn a_cookie_is_hardened_over_http2_too() {
    let desk = careless();
    let Pki { mut routes, roots, .. } = pki(&desk);
    routes.routers.iter_mut().for_each(|router| router.middlewares = vec![hardened()]);
    let gateway = Started::new(routes);
    let stream = connect(gateway.address, &roots, "a.example", "h2").await;
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let driven = tokio::spawn(connection);
    let mut client = client.ready().await.expect("ready");
    let request = Request::get("https://a.example/404").body(()).expect("a request");
    let (response, _) = client.send_request(request, true).expect("sent");
    let response = response.await.expect("an answer");
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, [&format!("a=1; {HARD}")]);
    drop(client);
    driven.abort();
    stopped(gateway).await;
}

#[test]
fn the_upstream_gets_no_cookie_of_ours_and_one_line() {
    let desk = Upstream::echo();
    let plain = Started::new(routes(vec![router("PathPrefix(`/`)")], vec![service(&[desk.address])]));
    let lines = ["Cookie: $Version=1; a=1; __Host-mintgate=x", "Cookie: b=2; __HOST-mintgate=y"];
    let told = Client::to(plain.address).ask("GET /", &lines).text().to_ascii_lowercase();
    assert!(told.contains("cookie: a=1; b=2"), "{told}");
    assert!(!told.contains("mintgate") && !told.contains("$version"), "{told}");
}

#[test]
fn a_request_whose_cookies_say_two_things_never_reaches_the_upstream() {
    let desk = Upstream::echo();
    let gateway = before(&desk);
    let many = format!("Cookie: {}", "a=b; ".repeat(150));
    let long = format!("Cookie: a={}", "x".repeat(9000));
    let table: [(&[&str], u16); 5] = [
        (&["Cookie: session=x; session=y"], 400),
        (&["Cookie: session=x", "Cookie: session=x"], 400),
        (&["Cookie: __Host-mintgate=x; __Host-mintgate=y"], 400),
        (&[&many], 431),
        (&[&long], 431),
    ];
    for (lines, status) in table {
        assert_eq!(Client::to(gateway.address).ask("GET /", lines).status, status);
    }
    assert_eq!(desk.requests(), 0);
    assert_eq!(Client::to(gateway.address).ask("GET /", &["Cookie: session=x; a=b"]).status, 200);
}
