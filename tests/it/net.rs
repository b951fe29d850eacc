//! The HTTP client against real servers: what it refuses, and how a failing server is told.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use bytes::Bytes;
use mintgate::base::report::Report;
use mintgate::net::{Client, Egress, Timeouts};
use mintgate::web::call::{CallError, HttpCall};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

const LIMIT: usize = 1 << 16;

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Answers every connection with `answer` after it has seen a request's head, then closes it.
async fn serve_raw(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok() {
                stream.write_all(answer).await.expect("written");
            }
        }
    });
    address
}

/// Accepts connections and keeps them, without a word.
async fn serve_silence() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    address
}

fn client(egress: Egress) -> Client {
    Client::new(Handle::current(), egress, Timeouts::default()).expect("a client")
}

fn client_of(address: SocketAddr) -> Client {
    client(Egress::only([format!("http://{address}")]).expect("rules"))
}

fn request(url: impl AsRef<str>) -> Request<Bytes> {
    Request::get(url.as_ref()).body(Bytes::new()).expect("a request")
}

async fn error_of(client: &Client, url: impl AsRef<str>) -> CallError {
    client.call(request(url), LIMIT).await.expect_err("the call fails")
}

#[tokio::test]
async fn method_headers_and_body_arrive_and_the_answer_comes_back() {
    async fn echo(headers: HeaderMap, body: Bytes) -> impl IntoResponse {
        let agent = headers[header::USER_AGENT].to_str().expect("text").to_owned();
        (StatusCode::CREATED, [("x-agent", agent)], body)
    }
    let address = serve(Router::new().route("/echo", post(echo))).await;
    let client = client_of(address);
    let send = |builder: axum::http::request::Builder| {
        builder.method("POST").uri(format!("http://{address}/echo")).body(Bytes::from("hello"))
    };

    let plain = client.call(send(Request::builder()).expect("a request"), LIMIT).await.expect("answered");
    let named = Request::builder().header(header::USER_AGENT, "the browser's own");
    let named = client.call(send(named).expect("a request"), LIMIT).await.expect("answered");

    assert_eq!((plain.status(), plain.body().as_ref()), (StatusCode::CREATED, b"hello".as_slice()));
    assert_eq!(plain.headers()["x-agent"], concat!("mintgate/", env!("CARGO_PKG_VERSION")));
    assert_eq!(named.headers()["x-agent"], "the browser's own");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (told, mut followed) = mpsc::unbounded_channel();
    let target = get(move || async move { told.send(()).expect("told") });
    let router =
        Router::new().route("/from", get(|| async { Redirect::temporary("/to") })).route("/to", target);
    let address = serve(router).await;

    let answer = client_of(address).call(request(format!("http://{address}/from")), LIMIT).await;

    assert_eq!(answer.expect("answered").status(), StatusCode::TEMPORARY_REDIRECT);
    assert!(followed.try_recv().is_err());
}

#[tokio::test]
async fn a_silent_server_is_a_timeout_that_names_the_host() {
    let address = serve_silence().await;
    let egress = Egress::only([format!("http://{address}")]).expect("rules");
    let timeouts = Timeouts { total: Duration::from_millis(50), ..Timeouts::default() };
    let client = Client::new(Handle::current(), egress, timeouts).expect("a client");

    let error = error_of(&client, format!("http://{address}/")).await;

    assert!(
        matches!(error, CallError::Timeout { ref host, after } if host == "127.0.0.1" && after == timeouts.total)
    );
}

#[tokio::test]
async fn a_body_that_stops_flowing_is_a_timeout() {
    let router = Router::new().route(
        "/",
        get(|| async {
            let first = futures_util::stream::iter([Ok::<_, std::io::Error>("first")]);
            Body::from_stream(futures_util::StreamExt::chain(first, futures_util::stream::pending()))
        }),
    );
    let address = serve(router).await;
    let egress = Egress::only([format!("http://{address}")]).expect("rules");
    let timeouts = Timeouts { total: Duration::from_millis(200), ..Timeouts::default() };
    let client = Client::new(Handle::current(), egress, timeouts).expect("a client");

    let error = error_of(&client, format!("http://{address}/")).await;

    assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused() {
    let address = serve(Router::new().route("/", get(|| async { vec![b'x'; LIMIT + 1] }))).await;

    let error = error_of(&client_of(address), format!("http://{address}/")).await;

    assert!(matches!(error, CallError::TooLarge { limit: LIMIT, .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_cut_in_the_middle_is_broken_not_short() {
    let cut: [&'static [u8]; 3] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 O",
    ];
    for answer in cut {
        let address = serve_raw(answer).await;

        let error = error_of(&client_of(address), format!("http://{address}/")).await;

        assert!(matches!(error, CallError::Broken { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    drop(listener);

    let error = error_of(&client_of(address), format!("http://{address}/")).await;

    assert!(matches!(error, CallError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_host_that_is_not_listed_is_refused_without_a_connection() {
    let (told, mut called) = mpsc::unbounded_channel();
    let address = serve(Router::new().fallback(move || async move { told.send(()).expect("told") })).await;
    let client = client(Egress::hosts(["graph.microsoft.com"]).expect("rules"));

    let error = error_of(&client, format!("http://{address}/")).await;

    assert!(matches!(error, CallError::Forbidden { ref host, .. } if host == "127.0.0.1"), "{error:?}");
    assert!(called.try_recv().is_err());
}

#[tokio::test]
async fn a_listed_name_that_leads_inside_is_refused_unless_the_operator_trusts_it() {
    let address = serve(Router::new().route("/", get(|| async { "in" }))).await;
    let listed = Egress::hosts(["inside.localhost"]).expect("rules");
    let trusting = Egress::hosts(["graph.microsoft.com"])
        .and_then(|rules| rules.allow(["inside.localhost"]))
        .expect("rules");

    let refused = error_of(&client(listed), format!("https://inside.localhost:{}/", address.port())).await;
    let url = format!("http://inside.localhost:{}/", address.port());
    let answered = client(trusting).call(request(url), LIMIT).await;

    assert!(
        matches!(refused, CallError::Forbidden { ref host, .. } if host == "inside.localhost"),
        "{refused:?}"
    );
    assert_eq!(answered.expect("answered").body().as_ref(), b"in");
}

#[tokio::test]
async fn no_error_tells_the_query() {
    let silent = serve_silence().await;
    let cut = serve_raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("bound").local_addr().expect("an address");
    let origins = [silent, cut, closed].map(|address| format!("http://{address}"));
    let timeouts = Timeouts { total: Duration::from_millis(100), ..Timeouts::default() };
    let client =
        Client::new(Handle::current(), Egress::only(&origins).expect("rules"), timeouts).expect("a client");

    for origin in origins.iter().map(String::as_str).chain(["https://elsewhere.example"]) {
        let error = error_of(&client, format!("{origin}/callback?code=s3cret")).await;

        let told = format!("{} {error:?}", Report(&error));
        assert!(!told.contains("s3cret") && !told.contains("callback"), "{told}");
    }
}

#[tokio::test]
async fn a_body_streams_while_the_server_is_still_sending() {
    let (send, receive) = mpsc::channel::<Result<&'static str, std::io::Error>>(1);
    let receive = std::sync::Arc::new(std::sync::Mutex::new(Some(receive)));
    let body = move || {
        let receive = receive.lock().expect("not poisoned").take().expect("called once");
        let pieces = futures_util::stream::unfold(receive, async |mut receive| {
            receive.recv().await.map(|piece| (piece, receive))
        });
        std::future::ready(Body::from_stream(pieces))
    };
    let address = serve(Router::new().route("/", get(body))).await;

    let answer = client_of(address).open(request(format!("http://{address}/"))).await.expect("answered");
    let mut stream = answer.into_body();
    let mut seen = Vec::new();
    for piece in ["one", "two"] {
        send.send(Ok(piece)).await.expect("sent");
        seen.push(futures_util::StreamExt::next(&mut stream).await.expect("a piece").expect("whole"));
    }
    drop(send);

    assert_eq!(seen, ["one", "two"]);
    assert!(futures_util::StreamExt::next(&mut stream).await.is_none());
}

#[test]
fn a_caller_on_another_runtime_is_served_and_a_lost_runtime_is_no_complete_body() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let (servers, callers, clients) =
        (runtime().expect("one"), runtime().expect("two"), runtime().expect("three"));
    let address = servers.block_on(serve(Router::new().route(
        "/",
        get(|| async {
            let first = futures_util::stream::iter([Ok::<_, std::io::Error>("first")]);
            Body::from_stream(futures_util::StreamExt::chain(first, futures_util::stream::pending()))
        }),
    )));
    let egress = Egress::only([format!("http://{address}")]).expect("rules");
    let client = Client::new(clients.handle().clone(), egress, Timeouts::default()).expect("a client");

    let answer = callers.block_on(client.open(request(format!("http://{address}/")))).expect("answered");
    let mut stream = answer.into_body();
    let first = callers.block_on(futures_util::StreamExt::next(&mut stream)).expect("a piece");
    clients.shutdown_background();
    let second = callers.block_on(futures_util::StreamExt::next(&mut stream)).expect("not the end");

    assert_eq!(first.expect("whole"), "first");
    assert!(matches!(second, Err(CallError::Broken { .. })), "{second:?}");
}

/// Tells the first line of every connection's first bytes and answers 502.
async fn serve_first_lines() -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    let (told, lines) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = [0; 4096];
            let length = stream.read(&mut bytes).await.expect("read");
            let text = String::from_utf8_lossy(&bytes[..length]);
            told.send(text.lines().next().unwrap_or_default().to_owned()).expect("told");
            stream.write_all(b"HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n").await.expect("written");
        }
    });
    (address, lines)
}

#[tokio::test]
async fn https_calls_go_through_the_proxy_and_those_to_trusted_hosts_do_not() {
    let (proxy, mut seen) = serve_first_lines().await;
    let (desk, mut called) = serve_first_lines().await;
    let egress = Egress::hosts(["graph.microsoft.com"])
        .and_then(|rules| rules.allow([format!("http://{desk}")]))
        .expect("rules");
    let client = Client::behind_proxy(
        Handle::current(),
        egress,
        Timeouts::default(),
        &format!("http://user:s3cret@localhost:{}", proxy.port()),
    )
    .expect("a client");

    let refused = error_of(&client, "https://graph.microsoft.com/v1.0/me").await;
    let answered = client.call(request(format!("http://{desk}/tickets")), LIMIT).await.expect("answered");

    assert!(matches!(refused, CallError::Unreachable { .. }), "{refused:?}");
    assert!(!format!("{refused:?}").contains("s3cret"));
    assert_eq!(seen.recv().await.expect("seen"), "CONNECT graph.microsoft.com:443 HTTP/1.1");
    assert_eq!(called.recv().await.expect("called"), "GET /tickets HTTP/1.1");
    assert_eq!(answered.status(), StatusCode::BAD_GATEWAY);
    assert!(seen.try_recv().is_err(), "the trusted host was called directly");
}

#[tokio::test]
async fn a_proxy_that_is_no_url_is_refused_without_telling_its_password() {
    for proxy in ["proxy.example:3128", "socks5://user:s3cret@proxy.example", "http://user:s3cret@"] {
        let egress = Egress::hosts(["graph.microsoft.com"]).expect("rules");
        let error = Client::behind_proxy(Handle::current(), egress, Timeouts::default(), proxy).err();
        assert!(!error.expect("refused").to_string().contains("s3cret"), "{proxy}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let made = rcgen::generate_simple_self_signed(["self.localhost".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key)
        })
        .expect("a configuration");
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let accepted = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("connected");
        acceptor.accept(stream).await.is_ok()
    });
    let client = client(Egress::default().allow(["self.localhost"]).expect("rules"));

    let error = error_of(&client, format!("https://self.localhost:{port}/")).await;

    assert!(matches!(error, CallError::Unreachable { .. }), "{error:?}");
    assert!(!accepted.await.expect("ended"), "the client ends the handshake");
}
