//! HTTP/2 heads that an HTTP/1 upstream could read in another way than the gateway did.

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use http::request::Builder;
use tokio::task::JoinHandle;

use super::start::Started;
use super::tls::{Pki, connect, pki, read, stopped};
use super::upstream::Upstream;

/// A client that speaks HTTP/2 to a gateway in front of `upstream`.
struct Scene {
    gateway: Started,
    client: SendRequest<Bytes>,
    driven: JoinHandle<Result<(), h2::Error>>,
}

impl Scene {
    async fn before(upstream: &Upstream) -> Self {
        let Pki { routes, roots, .. } = pki(upstream);
        let gateway = Started::new(routes);
        let stream = connect(gateway.address, &roots, "a.example", "h2").await;
        let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        Self { gateway, client: client.ready().await.expect("ready"), driven: tokio::spawn(connection) }
    }

    async fn ask(&mut self, request: Builder, body: &'static str) -> (u16, String) {
        let request = request.body(()).expect("a request");
        let (response, mut stream) = self.client.send_request(request, body.is_empty()).expect("sent");
        if !body.is_empty() {
            stream.send_data(Bytes::from_static(body.as_bytes()), true).expect("sent");
        }
        read(response).await
    }

    async fn end(self) {
        drop(self.client);
        self.driven.abort();
        stopped(self.gateway).await;
    }
}

#[tokio::test]
async fn an_authority_that_is_none_is_refused() {
    let upstream = Upstream::echo();
    let mut scene = Scene::before(&upstream).await;
    for url in ["https://a.example:x/", "https://a.example:99999/", "https://user@a.example/"] {
        assert_eq!(scene.ask(Request::get(url), "").await.0, 400, "{url}");
    }
    assert_eq!(upstream.requests(), 0);
    scene.end().await;
}

#[tokio::test]
async fn a_length_that_could_be_read_twice_is_refused() {
    let upstream = Upstream::echo();
    let mut scene = Scene::before(&upstream).await;
    for lengths in [["5", "5"].as_slice(), &["05"]] {
        let post = Request::post("https://a.example/");
        let post = lengths.iter().fold(post, |post, length| post.header("content-length", *length));
        assert_eq!(scene.ask(post, "hello").await.0, 400, "{lengths:?}");
    }
    let post = Request::post("https://a.example/").header("content-length", "5");
    assert_eq!(scene.ask(post, "hello").await.0, 200);
    assert_eq!(upstream.requests(), 1);
    scene.end().await;
}

#[tokio::test]
async fn cookies_in_several_lines_reach_the_upstream_in_one() {
    let upstream = Upstream::echo();
    let mut scene = Scene::before(&upstream).await;
    let get = Request::get("https://a.example/").header("cookie", "a=1").header("cookie", "b=2");
    let (status, seen) = scene.ask(get, "").await;
    let cookies: Vec<_> =
        seen.lines().filter(|line| line.to_ascii_lowercase().starts_with("cookie:")).collect();
    assert_eq!((status, cookies.len()), (200, 1), "{seen}");
    assert!(cookies[0].ends_with(" a=1; b=2"), "{seen}");
    scene.end().await;
}
