//! The paths that mail providers call: behind the router's other middlewares, open to whoever has no session.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use mintgate::web::local::LocalService;

use super::client::{Client, Response as Answered};
use super::start::{Plan, Started, router, routes, service};
use super::upstream::Upstream;

struct Hooks;

#[async_trait]
impl LocalService for Hooks {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        Response::new(Bytes::from(format!("heard {} bytes", request.body().len())))
    }
}

fn started(desk: &Upstream) -> Started {
    let mut own = router("PathPrefix(`/`)");
    own.desk = true;
    let plan = Plan { mail_hooks: Some(Arc::new(Hooks)), ..Plan::default() };
    Started::with(plan, routes(vec![own], vec![service(&[desk.address])]))
}

fn post(client: &mut Client, path: &str, body: &[u8]) -> Answered {
    client.send(format!(
        "POST {path} HTTP/1.1\r\nHost: desk.example\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    client.send(body);
    client.response(false)
}

#[test]
fn a_provider_is_heard_without_a_session_and_the_desk_is_not_asked() {
    let desk = Upstream::echo();
    let gateway = started(&desk);
    let mut client = Client::to(gateway.address);
    for path in ["/mail-hooks/graph/m1?validationToken=x", "/de/mail-hooks/graph/m1", "/MAIL-HOOKS/graph/m1"]
    {
        let answer = post(&mut client, path, b"{}");
        assert_eq!((answer.status, answer.text().as_str()), (200, "heard 2 bytes"), "{path}");
    }
    assert_eq!(desk.requests(), 0);
}

#[test]
fn a_call_that_is_too_large_is_refused() {
    let desk = Upstream::echo();
    let gateway = started(&desk);
    let body = vec![b'x'; 128 * 1024 + 1];
    let answer = post(&mut Client::to(gateway.address), "/mail-hooks/graph/m1", &body);
    assert_eq!((answer.status, desk.requests()), (413, 0));
}
