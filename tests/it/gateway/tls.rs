//! TLS on the same port: certificates by name, HTTP/2 and HTTP/1.1.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use mintgate::config::{Certificate, Routes};
use rcgen::{CertifiedKey as Made, KeyPair, generate_simple_self_signed};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::client::Client;
use super::start::{Started, named, router, routes, service};
use super::upstream::Upstream;

pub(super) struct Pki {
    pub(super) routes: Routes,
    pub(super) roots: RootCertStore,
    first: CertificateDer<'static>,
    second: CertificateDer<'static>,
}

/// Routes of the TLS side with one certificate for `a.example` and one for `*.b.example`.
pub(super) fn pki(upstream: &Upstream) -> Pki {
    let mut secure = router("PathPrefix(`/`)");
    secure.tls = true;
    let mut routes = routes(vec![secure], vec![service(&[upstream.address])]);
    let mut roots = RootCertStore::empty();
    let mut made = |name: &str| {
        let Made { cert, signing_key } =
            generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        roots.add(cert.der().clone()).expect("a root");
        routes
            .certificates
            .push(Certificate { names: vec![name.to_owned()], key: certified(&cert, &signing_key) });
        cert.der().clone()
    };
    let (first, second) = (made("a.example"), made("*.b.example"));
    Pki { routes, roots, first, second }
}

fn certified(certificate: &rcgen::Certificate, key: &KeyPair) -> Arc<CertifiedKey> {
    let der = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let key = ring::sign::any_supported_type(&der).expect("a key ring knows");
    Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key))
}

pub(super) async fn connect(
    address: SocketAddr,
    roots: &RootCertStore,
    name: &str,
    alpn: &str,
) -> TlsStream<TcpStream> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let socket = TcpStream::connect(address).await.expect("the gateway listens");
    TlsConnector::from(Arc::new(config)).connect(name, socket).await.expect("a handshake")
}

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().expect("a certificate")[0].clone().into_owned()
}

#[tokio::test]
async fn the_name_chooses_the_certificate() {
    let upstream = Upstream::echo();
    let Pki { routes, roots, first, second } = pki(&upstream);
    let gateway = Started::new(routes);
    for (name, expected) in [("a.example", &first), ("x.b.example", &second)] {
        let stream = connect(gateway.address, &roots, name, "http/1.1").await;
        assert_eq!(&shown(&stream), expected, "{name}");
    }
    stopped(gateway).await;
}

#[tokio::test]
async fn an_unknown_name_gets_the_default_certificate() {
    let upstream = Upstream::echo();
    let Pki { routes, roots, first, .. } = pki(&upstream);
    let gateway = Started::new(routes);
    // The client refuses it for the name, so it is looked at without that check.
    let shown = openly_shown(gateway.address, "unknown.example").await;
    assert_eq!(shown, first);
    drop(roots);
    stopped(gateway).await;
}

async fn openly_shown(address: SocketAddr, name: &str) -> CertificateDer<'static> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(any::Anything))
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let socket = TcpStream::connect(address).await.expect("the gateway listens");
    shown(&TlsConnector::from(Arc::new(config)).connect(name, socket).await.expect("a handshake"))
}

#[tokio::test]
async fn http2_requests_share_a_connection() {
    let upstream = Upstream::echo();
    let Pki { routes, roots, .. } = pki(&upstream);
    let gateway = Started::new(routes);
    let stream = connect(gateway.address, &roots, "a.example", "h2").await;
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let driven = tokio::spawn(connection);
    let mut client = client.ready().await.expect("ready");
    let asked: Vec<_> =
        (0..5).map(|number| ask(&mut client, &format!("https://a.example/{number}"))).collect();
    for (number, response) in asked.into_iter().enumerate() {
        let (status, body) = read(response).await;
        assert_eq!(status, 200);
        assert!(body.starts_with(&format!("GET /{number} HTTP/1.1\n")), "{body}");
        let body = body.to_ascii_lowercase();
        assert!(body.contains("host: a.example") && body.contains("x-forwarded-proto: https"), "{body}");
    }
    let mut many = Request::get("https://a.example/");
    for number in 0..101 {
        many = many.header(format!("x-{number}"), "y");
    }
    let many = client.send_request(many.body(()).expect("a request"), true).expect("sent").0;
    assert_eq!(read(many).await.0, 431);
    let tunnel = Request::connect("a.example:443").body(()).expect("a request");
    let tunnel = client.send_request(tunnel, true).expect("sent").0.await.expect("answered");
    assert_eq!((tunnel.status().as_u16(), tunnel.headers().get("server")), (405, None));
    assert_eq!(upstream.requests(), 5);
    drop(client);
    driven.abort();
    stopped(gateway).await;
}

fn ask(client: &mut h2::client::SendRequest<Bytes>, url: &str) -> h2::client::ResponseFuture {
    let request = Request::get(url).body(()).expect("a request");
    client.send_request(request, true).expect("sent").0
}

pub(super) async fn read(response: h2::client::ResponseFuture) -> (u16, String) {
    let response = response.await.expect("answered");
    let status = response.status().as_u16();
    let mut stream = response.into_body();
    let mut body = Vec::new();
    while let Some(piece) = stream.data().await {
        let piece = piece.expect("the whole answer");
        stream.flow_control().release_capacity(piece.len()).expect("released");
        body.extend_from_slice(&piece);
    }
    (status, String::from_utf8(body).expect("text"))
}

/// Lets everybody pass; differs from every other.
struct Guard;

impl mintgate::middleware::Middleware for Guard {}

#[tokio::test]
async fn a_connection_made_for_one_guard_does_not_carry_requests_for_another() {
    let upstream = Upstream::echo();
    let Pki { mut routes, roots, .. } = pki(&upstream);
    let mut other = router("Host(`x.b.example`) || Host(`y.b.example`)");
    other.tls = true;
    other.middlewares = vec![named("guard", Guard)];
    routes.routers.push(other);
    let gateway = Started::new(routes);
    for (name, host, expected) in [
        ("a.example", "a.example", 200),
        ("a.example", "x.b.example", 421),
        ("a.example", "c.example", 200),
        ("x.b.example", "a.example", 421),
        ("x.b.example", "y.b.example", 200),
        ("x.b.example", "X.B.example.:8443", 200),
    ] {
        let stream = connect(gateway.address, &roots, name, "h2").await;
        let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        let driven = tokio::spawn(connection);
        let mut client = client.ready().await.expect("ready");
        let status = read(ask(&mut client, &format!("https://{host}/"))).await.0;
        assert_eq!(status, expected, "{name} then {host}");
        driven.abort();
    }
    stopped(gateway).await;
}

#[tokio::test]
async fn a_tls_router_is_not_reached_in_plain() {
    let upstream = Upstream::echo();
    let gateway = Started::new(pki(&upstream).routes);
    let address = gateway.address;
    let plain = tokio::task::spawn_blocking(move || Client::to(address).ask("GET /", &[]).status);
    assert_eq!(plain.await.expect("asked"), 404);
    stopped(gateway).await;
}

/// Its threads are joined where blocking is allowed.
pub(super) async fn stopped(gateway: Started) {
    tokio::task::spawn_blocking(move || drop(gateway)).await.expect("stopped");
}

pub mod any {
    //! A verifier that accepts what it is shown, because the test looks at it itself.

    use tokio_rustls::rustls::client::danger::{
        HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
    };
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use tokio_rustls::rustls::{DigitallySignedStruct, Error, SignatureScheme};

    #[derive(Debug)]
    pub struct Anything;

    impl ServerCertVerifier for Anything {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            ring::default_provider().signature_verification_algorithms.supported_schemes()
        }
    }
}
