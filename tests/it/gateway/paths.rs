//! Which paths a router is asked about, and which it refuses.

use mintgate::middleware::Middleware;

use super::client::Client;
use super::start::{Started, named, router, routes, service};
use super::upstream::Upstream;

struct Guard;

impl Middleware for Guard {
    fn decides_by_path(&self) -> bool {
        true
    }
}

fn first_line(client: &mut Client, path: &str) -> (u16, String) {
    let answer = client.ask(&format!("GET {path}"), &[]);
    (answer.status, answer.text().lines().next().unwrap_or_default().to_owned())
}

#[test]
fn a_router_with_a_guard_refuses_what_another_one_tidies() {
    let upstream = Upstream::echo();
    let mut guarded = router("PathPrefix(`/guarded`)");
    guarded.middlewares = vec![named("guard", Guard)];
    let gateway =
        Started::new(routes(vec![guarded, router("PathPrefix(`/`)")], vec![service(&[upstream.address])]));
    let mut client = Client::to(gateway.address);
    for path in [
        "/guarded//a",
        "/guarded/./a",
        "/open/../guarded",
        "/guarded/%2e",
        "/guarded/a%2fb",
        "/x//guarded/../../guarded",
    ] {
        assert_eq!(first_line(&mut client, path).0, 400, "{path}");
    }
    assert_eq!(upstream.requests(), 0);
    for (path, forwarded) in [
        ("/guarded/%61?b=//c", "GET /guarded/%61?b=//c HTTP/1.1"),
        ("/GUARDED;x/a", "GET /GUARDED;x/a HTTP/1.1"),
        ("/open//%61?b=//c", "GET /open/a?b=//c HTTP/1.1"),
        ("/guarded/../open", "GET /open HTTP/1.1"),
    ] {
        assert_eq!(first_line(&mut client, path), (200, forwarded.to_owned()), "{path}");
    }
}

#[test]
fn a_rule_in_upper_case_means_what_it_says_at_the_desk_too() {
    let upstream = Upstream::echo();
    let mut desk = router("PathPrefix(`/API`) || (PathPrefix(`/page`) && !Path(`/page/x`))");
    desk.desk = true;
    let gateway = Started::new(routes(vec![desk], vec![service(&[upstream.address])]));
    let mut client = Client::to(gateway.address);
    for (path, status) in
        [("/API/v1", 200), ("/api/v1", 404), ("/de/Page", 200), ("/page/x", 404), ("/PAGE/X", 404)]
    {
        assert_eq!(client.ask(&format!("GET {path}"), &[]).status, status, "{path}");
    }
}
