//! Detection against real name servers, web servers and mail servers: what is found, and what is never called.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;

use mintgate::base::report::Report;
use mintgate::mailbox::detect::detector::Directory;
use mintgate::mailbox::detect::greeting::{Greeting, GreetingError, Protocol, greet};
use mintgate::mailbox::detect::{Confidence, Detection, Detector};
use mintgate::mailbox::settings::Security;
use mintgate::net::names::Names;
use mintgate::net::reach::{Inside, Reach};
use mintgate::net::stranger::{StrangerError, Strangers};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::shared;
use crate::support::name_server::{NameServer, Zone};
use crate::support::program::{MINTGATE, PATIENCE};

const HOST: &str = "mail.shop.example";

/// Strangers as `server` knows them; only `inside` may be private.
fn strangers(server: &NameServer, inside: &[String], trusted: Vec<CertificateDer<'static>>) -> Strangers {
    let inside: Vec<Inside> = inside.iter().map(|text| text.parse().expect("a network")).collect();
    let names = Names::at(server.address).expect("names");
    Strangers::new(names, Reach::with(inside), trusted).expect("strangers")
}

async fn detect(server: &NameServer, address: &str) -> Detection {
    let strangers = Arc::new(strangers(server, &[], Vec::new()));
    let detector = Detector::new(Handle::current(), strangers, Directory::None);
    detector.detect(address).await.expect("an address")
}

fn provider(detection: &Detection) -> &str {
    detection.provider.as_ref().map_or("none", |provider| &provider.id)
}

/// `127.0.0.1@port`, as the operator would open it.
fn open(address: SocketAddr) -> String {
    format!("{}@{}", address.ip(), address.port())
}

/// A TLS server that says each of `script` on a connection of its own, for the name `host`.
async fn serve_tls(
    host: &str,
    clear: &'static str,
    script: &'static str,
) -> (SocketAddr, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("a certificate with its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(say(stream, acceptor.clone(), clear, script));
        }
    });
    (address, certificate)
}

/// Lines in the clear, one for each that is heard; then TLS and the whole script.
async fn say(mut stream: TcpStream, acceptor: TlsAcceptor, clear: &str, script: &str) {
    let mut heard = [0; 1_024];
    for (at, reply) in clear.split_inclusive('|').enumerate() {
        if at > 0 && stream.read(&mut heard).await.is_err() {
            return;
        }
        stream.write_all(reply.trim_end_matches('|').as_bytes()).await.expect("written");
    }
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    if stream.write_all(script.as_bytes()).await.is_ok() {
        // Until the other side goes.
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
    }
}

#[tokio::test]
async fn a_domain_is_its_exchangers_provider() {
    let zone = Zone::default()
        .mx("m365.example", 10, "m365-example.mail.protection.outlook.com")
        .mx("dane.example", 10, "dane-example.p-v1.mx.microsoft")
        .mx("google.example", 20, "alt1.aspmx.l.google.com")
        .mx("google.example", 10, "aspmx.l.google.com")
        .mx("fastmail.example", 10, "in1-smtp.messagingengine.com")
        .mx("zoho.example", 10, "mx.zoho.eu")
        .mx("workmail.example", 10, "inbound-smtp.eu-west-1.amazonaws.com")
        .mx("filtered.example", 10, "eu-smtp-inbound-1.mimecast.com")
        .txt("filtered.example", "v=spf1 include:spf.protection.outlook.com -all")
        .mx("hidden.example", 10, "mx1.hidden.iphmx.pphosted.com")
        .cname("autodiscover.hidden.example", "autodiscover.outlook.com")
        .mx("xn--bcher-kva.example", 10, "mx00.kundenserver.de")
        .mx("long.example", 10, "aspmx.l.google.com")
        .long("long.example");
    let server = zone.serve().await;
    for (domain, wanted, confidence) in [
        ("m365.example", "microsoft-365", Confidence::Mx),
        ("dane.example", "microsoft-365", Confidence::Mx),
        ("google.example", "google", Confidence::Mx),
        ("fastmail.example", "fastmail", Confidence::Mx),
        ("zoho.example", "zoho-pro.eu", Confidence::Mx),
        ("workmail.example", "amazon-workmail", Confidence::Mx),
        ("filtered.example", "microsoft-365", Confidence::Guess),
        ("hidden.example", "microsoft-365", Confidence::Mx),
        ("bücher.example", "ionos.de", Confidence::Mx),
        ("long.example", "google", Confidence::Mx),
    ] {
        let detection = detect(&server, &format!("help@{domain}")).await;
        assert_eq!(
            (provider(&detection), detection.confidence),
            (wanted, confidence),
            "{domain} {detection:?}"
        );
    }
    let region = detect(&server, "help@workmail.example").await.incoming.expect("IMAP").host;
    assert_eq!(region, "imap.mail.eu-west-1.awsapps.com");
}

#[tokio::test]
async fn a_domain_that_takes_no_mail_or_does_not_exist_is_told() {
    let server = Zone::default().mx("null.example", 0, "").serve().await;
    for (domain, code) in [("null.example", "takesNoMail"), ("missing.example", "noSuchDomain")] {
        let detection = detect(&server, &format!("help@{domain}")).await;
        let codes: Vec<&str> = detection.warnings.iter().map(|warning| warning.code()).collect();
        assert_eq!((codes, detection.sign_in.len()), (vec![code], 0), "{domain}");
    }
}

#[tokio::test]
async fn srv_records_name_the_servers() {
    let zone = Zone::default()
        .a("shop.example", [10, 0, 0, 1])
        .srv("_imaps._tcp.shop.example", 993, "imap.shop.example")
        .srv("_submissions._tcp.shop.example", 465, "smtp.shop.example");
    let detection = detect(&zone.serve().await, "help@shop.example").await;
    assert_eq!(detection.confidence, Confidence::Srv, "{detection:?}");
    assert_eq!(detection.incoming.expect("IMAP").host, "imap.shop.example");
    assert_eq!(detection.outgoing.expect("SMTP").port, 465);
}

#[tokio::test]
async fn names_that_lead_inside_are_never_connected_to() {
    let zone = Zone::default()
        .a("ten.example", [10, 0, 0, 1])
        .a("metadata.example", [169, 254, 169, 254])
        .a("loop.example", [127, 0, 0, 1])
        .a("mixed.example", [8, 8, 8, 8])
        .a("mixed.example", [127, 0, 0, 1]);
    let strangers = strangers(&zone.serve().await, &[], Vec::new());
    for host in
        ["ten.example", "metadata.example", "loop.example", "mixed.example", "127.0.0.1", "::1", "localhost"]
    {
        let refused = strangers.connect(host, 993).await.expect_err(host);
        assert!(matches!(refused, StrangerError::Refused { .. }), "{host}: {}", Report(&refused));
    }
    for url in [
        "https://ten.example/",
        "http://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
    ] {
        let refused = strangers.fetch(&Url::parse(url).expect("a URL")).await.expect_err(url);
        assert!(matches!(refused, StrangerError::Refused { .. }), "{url}: {}", Report(&refused));
    }
}

#[tokio::test]
async fn ports_that_mail_clients_do_not_use_are_never_connected_to() {
    let zone = Zone::default().a("mail.example", [8, 8, 8, 8]);
    let strangers = strangers(&zone.serve().await, &["127.0.0.0/8".to_owned()], Vec::new());
    for port in [22, 25, 110, 6379] {
        for host in ["mail.example", "127.0.0.1"] {
            let refused = strangers.connect(host, port).await.expect_err("refused");
            assert!(matches!(refused, StrangerError::Refused { .. }), "{host}:{port} {}", Report(&refused));
        }
    }
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_just_that_address_is_called() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let (address, certificate) = serve_tls(HOST, "", ok).await;
    // The second answer would lead to a port of the inside that nobody opened.
    let server = Zone::default().turning(HOST, &[[127, 0, 0, 1], [127, 0, 0, 2]]).serve().await;
    let strangers = strangers(&server, &[open(address)], vec![certificate]);
    let url = Url::parse(&format!("https://{HOST}:{}/", address.port())).expect("a URL");
    assert_eq!(strangers.fetch(&url).await.expect("fetched").as_ref(), b"hi");
    assert_eq!(server.count(&format!("A {HOST}.")), 1);
    let refused = strangers.fetch(&url).await.expect_err("the second address is not open");
    assert!(matches!(refused, StrangerError::Refused { .. }), "{}", Report(&refused));
}

#[tokio::test]
async fn redirects_are_checked_like_any_other_address() {
    for (answer, reason) in [
        ("HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", "not public"),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n",
            "not public",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://mail.shop.example:22/\r\nContent-Length: 0\r\n\r\n",
            "port 22",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://mail.shop.example/\r\nContent-Length: 0\r\n\r\n",
            "https is not left",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
            "https is not left",
        ),
        ("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", "more than 3 times"),
        ("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "what is no URL"),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answers 404"),
    ] {
        let (address, certificate) = serve_tls(HOST, "", answer).await;
        let server = Zone::default().a(HOST, [127, 0, 0, 1]).serve().await;
        let strangers = strangers(&server, &[open(address)], vec![certificate]);
        let url = Url::parse(&format!("https://{HOST}:{}/", address.port())).expect("a URL");
        let refused = strangers.fetch(&url).await.expect_err(answer);
        assert!(Report(&refused).to_string().contains(reason), "{answer}: {}", Report(&refused));
    }
}

#[tokio::test]
async fn a_body_without_end_is_left() {
    let flood: &'static str = Box::leak(
        format!("HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n{}", "x".repeat(300_000)).into_boxed_str(),
    );
    let (address, certificate) = serve_tls(HOST, "", flood).await;
    let server = Zone::default().a(HOST, [127, 0, 0, 1]).serve().await;
    let strangers = strangers(&server, &[open(address)], vec![certificate]);
    let url = Url::parse(&format!("https://{HOST}:{}/", address.port())).expect("a URL");
    let refused = strangers.fetch(&url).await.expect_err("too large");
    assert!(matches!(refused, StrangerError::TooLarge { .. }), "{}", Report(&refused));
}

async fn greeted(
    certified: &str,
    (clear, script): (&'static str, &'static str),
    protocol: Protocol,
    security: Security,
) -> Result<Greeting, GreetingError> {
    let (address, certificate) = serve_tls(certified, clear, script).await;
    let server = Zone::default().a(HOST, [127, 0, 0, 1]).serve().await;
    let strangers = strangers(&server, &[open(address)], vec![certificate]);
    greet(&strangers, HOST, address.port(), protocol, security).await
}

const IMAP: &str = "* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN\r\nb OK done\r\nc OK bye\r\n";
const SMTP: &str = "250-mail.shop.example\r\n250 AUTH PLAIN\r\n221 bye\r\n";

#[tokio::test]
async fn mail_servers_are_known_by_what_they_say_once_encrypted() {
    let implicit: [(&'static str, Protocol); 2] = [
        ("* OK ready\r\n* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN\r\nb OK done\r\n", Protocol::Imap),
        ("220 ready\r\n250-mail.shop.example\r\n250 AUTH PLAIN\r\n221 bye\r\n", Protocol::Smtp),
    ];
    for (script, protocol) in implicit {
        let greeting = greeted(HOST, ("", script), protocol, Security::Tls).await.expect("a greeting");
        assert!(greeting.has("AUTH=PLAIN"), "{greeting:?}");
    }
    for (clear, script, protocol) in [
        ("* OK ready\r\n|a OK begin\r\n", IMAP, Protocol::Imap),
        ("220 ready\r\n|250-mail\r\n250 STARTTLS\r\n|220 go\r\n", SMTP, Protocol::Smtp),
    ] {
        let greeting =
            greeted(HOST, (clear, script), protocol, Security::StartTls).await.expect("a greeting");
        assert!(greeting.has("AUTH=PLAIN"), "{greeting:?}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_accepted() {
    let script = "* OK ready\r\n* CAPABILITY IMAP4rev1\r\nb OK done\r\n";
    let refused = greeted("other.example", ("", script), Protocol::Imap, Security::Tls).await;
    assert!(matches!(refused, Err(GreetingError::Stranger(StrangerError::Tls { .. }))), "{refused:?}");
}

#[tokio::test]
async fn the_table_agrees_with_the_lists_it_was_made_from() {
    let Some(path) = shared::path("mail/ispdb-flat.json") else { return };
    let text = std::fs::read_to_string(path).expect("a readable file");
    let whole: Value = serde_json::from_str(&text).expect("JSON");
    let servers = |domain: &str, kind: &str| -> Vec<String> {
        let id = &whole["domain_to_provider"][domain];
        let rows = whole["providers"].as_array().expect("providers").iter().filter(|row| row["id"] == *id);
        let all = rows.flat_map(|row| row[kind].as_array().expect("servers"));
        all.filter_map(|server| Some(format!("{}:{}", server[1].as_str()?, server[2].as_str()?)))
            .map(|server| server.replace("%EMAILDOMAIN%", domain))
            .collect()
    };
    let detector = Detector::offline();
    let mut seen = 0;
    for domain in whole["domain_to_provider"].as_object().expect("domains").keys() {
        let detection = detector.detect(&format!("help@{domain}")).await.expect("an address");
        assert_eq!(detection.confidence, Confidence::Exact, "{domain}");
        for (found, kind) in [(detection.incoming, "in"), (detection.outgoing, "out")] {
            let listed = servers(domain, kind);
            let agrees =
                found.is_none_or(|server| listed.contains(&format!("{}:{}", server.host, server.port)));
            assert!(agrees, "{domain} {kind}: {listed:?}");
        }
        seen += 1;
    }
    assert_eq!(seen, 962);
}

#[tokio::test]
async fn every_row_of_the_list_of_providers_is_answered_as_it_says() {
    let Some(path) = shared::path("mail/providers.tsv") else { return };
    let text = std::fs::read_to_string(path).expect("a readable file");
    let detector = Detector::offline();
    let (mut rows, mut named) = (0, 0);
    for row in text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()) {
        rows += 1;
        if row[0].starts_with('(') {
            // Known by their exchangers only.
            continue;
        }
        named += 1;
        let detection = detector.detect(&format!("help@{}", row[0])).await.expect("an address");
        let incoming = detection.incoming.as_ref().map(|server| format!("{}:{}", server.host, server.port));
        let outgoing = detection.outgoing.as_ref().map(|server| format!("{}:{}", server.host, server.port));
        let wanted =
            |host: &str, port: &str| Some(format!("{}:{port}", host.replace("%EMAILDOMAIN%", row[0])));
        assert_eq!(incoming, wanted(row[4], row[5]), "{}", row[0]);
        assert_eq!(outgoing, wanted(row[8], row[9]), "{}", row[0]);
        let is_local = detection.incoming.expect("IMAP").user == "help";
        assert_eq!(is_local, row[7] == "%EMAILLOCALPART%", "{}", row[0]);
    }
    assert_eq!((rows, named), (91, 74));
}

/// Exit code, standard output, standard error.
async fn ask(arguments: &[&str]) -> (Option<i32>, String, String) {
    let asked =
        Command::new(MINTGATE).arg("detect").args(arguments).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(PATIENCE, asked).await.expect("it ends").expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn the_command_answers_offline_in_json() {
    let (code, out, _) = ask(&["Help@GMX.de", "--offline", "--json"]).await;
    let answer: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &answer["confidence"]), (Some(0), &Value::from("exact")));
    assert_eq!(answer["provider"]["id"], "gmx.net");
    assert_eq!(answer["incoming"]["security"], "tls");
    assert_eq!(answer["signIn"][0]["way"], "password");
}

#[tokio::test]
async fn the_command_asks_the_name_server_it_is_given() {
    let server = Zone::default().mx("shop.example", 10, "aspmx.l.google.com").serve().await;
    let (code, out, _) =
        ask(&["help@shop.example", "--resolver", &server.address.to_string(), "--json"]).await;
    let answer: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &answer["signIn"][0]["vendor"]), (Some(0), &Value::from("google")));
    let evidence = answer["evidence"].as_array().expect("evidence");
    assert!(
        evidence.iter().any(|step| step["step"] == "mx" && step["result"] == "10 aspmx.l.google.com"),
        "{out}"
    );
    let codes = |step: &&Value| step["question"] == "exchangers" && step["answer"] == "found";
    assert!(evidence.iter().any(|step| codes(&step)), "{out}");
}

#[tokio::test]
async fn the_command_refuses_what_is_no_address_in_one_sentence() {
    let long = format!("a@{}.example", "x".repeat(100_000));
    for (address, reason) in [
        ("shop.example", "whole mail address"),
        (&long, "longer than"),
        ("a@10.0.0.1", "IP address"),
        ("a b@c.de", "invisible"),
    ] {
        let (code, out, told) = ask(&[address, "--offline"]).await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{told}");
        assert!(told.starts_with("mintgate: ") && told.contains(reason), "{told}");
    }
}
