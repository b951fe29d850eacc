//! The desk's pages as browsers get them: with a policy, without the desk's carelessness.

use super::client::Client;
use super::shield::scene::{Browser, SHIELD, Scene};
use super::start::Started;
use super::upstream::{Request, Upstream};

const POLICY: &str = "plugin: {contentSecurityPolicy: {}}";
const HEADERS: &str = "plugin: {secureHeaders: {}}";
const HTML: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
const PAGE: &[u8] = b"<!doctype html><script>theme()</script><p>the desk</p>";
/// SHA-256 of `theme()`, as in `printf 'theme()' | openssl dgst -sha256 -binary | base64`.
const HASH: &str = "script-src 'self' 'sha256-Rfr3GgHZFiXm+TmNr+li+0sZ4J9FGllo8jsXcJF5XZ8=';";

fn behind(desk: &Upstream, middlewares: &[&str]) -> (Scene, Started) {
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway_of(middlewares);
    (scene, gateway)
}

fn page_desk() -> Upstream {
    Upstream::new(|request| {
        request.drain();
        let told = request.lines.join("|").replace(['<', '>'], "");
        let page = [PAGE, told.as_bytes()].concat();
        request
            .reply("Content-Type: text/html; charset=utf-8\r\nCache-Control: s-maxage=31536000\r\n", &page);
    })
}

#[test]
fn a_page_is_read_without_a_session_and_leaves_with_its_own_scripts_hash() {
    let desk = page_desk();
    let (_scene, gateway) = behind(&desk, &[SHIELD, HEADERS, POLICY]);
    let lines =
        [HTML, "Cookie: NEXT_LOCALE=de; session=x", "Authorization: Bearer x", "Accept-Encoding: gzip, br"];
    let page = Client::to(gateway.address).ask("GET /de/issues?a=b", &lines);
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains(HASH) && policy.contains("frame-ancestors 'none'"), "{policy}");
    let told = page.text();
    assert!(told.contains("GET /de/issues?a=b ") && told.contains("NEXT_LOCALE=de"), "{told}");
    assert!(told.contains("|accept-encoding: identity|"), "{told}");
    assert!(!told.contains("session=") && !told.contains("authorization"), "{told}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
}

/// A desk that answers everything so.
fn answering(lines: &'static str, body: Vec<u8>) -> Upstream {
    Upstream::new(move |request: &mut Request<'_>| {
        request.drain();
        request.reply(lines, &body);
    })
}

#[test]
fn what_is_no_page_or_cannot_be_read_streams_under_a_policy_without_inline_scripts() {
    let endless = [PAGE, &vec![b' '; 2 * 1024 * 1024]].concat();
    let table = [
        (
            "encoded although asked not to",
            "Content-Type: text/html\r\nContent-Encoding: gzip\r\n",
            PAGE.to_vec(),
            true,
        ),
        ("larger than a page", "Content-Type: text/html\r\n", endless, true),
        ("a picture", "Content-Type: image/png\r\n", vec![0; 2 * 1024 * 1024], false),
        ("a file", "Content-Type: application/pdf\r\n", b"%PDF".to_vec(), false),
    ];
    for (what, lines, body, has_policy) in table {
        let desk = answering(lines, body.clone());
        let (_scene, gateway) = behind(&desk, &[SHIELD, POLICY]);
        let answer = Client::to(gateway.address).ask("GET /x", &[HTML]);
        assert_eq!((answer.status, answer.body.len()), (200, body.len()), "{what}");
        let policy = answer.header("content-security-policy");
        assert_eq!(policy.is_some_and(|policy| policy.contains("script-src 'self';")), has_policy, "{what}");
        // Only what could not be read is asked for again.
        let asked = if what == "a file" { 1 } else { 2 };
        assert_eq!(desk.requests(), asked, "{what}");
    }
}

/// The path of the script that leads to the console, as a page names it.
fn link_in(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("<script src=\"/exchange-link-")?;
    let (hash, _) = rest.split_once(".js\" defer></script></head>")?;
    Some(format!("/exchange-link-{hash}.js"))
}

#[test]
fn a_page_leads_to_the_console_by_a_script_that_its_policy_lets_run() {
    let desk = answering(
        "Content-Type: text/html\r\nETag: \"d\"\r\nLast-Modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n",
        b"<html><head><title>Desk</title></head><body><script>theme()</script></body></html>".to_vec(),
    );
    let (_scene, gateway) = behind(&desk, &[SHIELD, HEADERS, POLICY]);
    let mut client = Client::to(gateway.address);
    let page = client.ask("GET /de/issues", &[HTML, "If-None-Match: \"d\"", "Accept-Encoding: gzip"]);
    let link = link_in(&page.text()).expect("a script at the end of the head");
    assert_eq!(page.header("content-length"), Some(page.body.len().to_string().as_str()));
    assert_eq!((page.header("etag"), page.header("last-modified")), (None, None));
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains(HASH)));
    let script = client.ask(&format!("GET {link}"), &[]);
    assert_eq!((script.status, script.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert!(script.text().contains("/admin/exchange") && script.header("set-cookie").is_none());
    assert_eq!(desk.requests(), 1);
}

#[test]
fn one_line_leaves_the_way_to_the_console_out() {
    let page = b"<html><head></head></html>";
    let desk = answering("Content-Type: text/html\r\n", page.to_vec());
    let (_scene, gateway) = behind(&desk, &[SHIELD, "plugin: {contentSecurityPolicy: {consoleLink: false}}"]);
    assert_eq!(Client::to(gateway.address).ask("GET /", &[HTML]).body, page);
}

#[test]
fn a_redirect_and_an_error_page_come_as_they_are() {
    let desk = Upstream::new(|request| {
        request.drain();
        let (status, lines) = match request.lines[0].starts_with("GET / ") {
            true => ("307 Temporary Redirect", "Location: /de\r\n"),
            false => ("404 Not Found", "Content-Type: text/html\r\n"),
        };
        request.write(format!("HTTP/1.1 {status}\r\n{lines}Content-Length: 0\r\n\r\n"));
    });
    let (_scene, gateway) = behind(&desk, &[SHIELD, POLICY]);
    let redirect = Client::to(gateway.address).ask("GET /", &[HTML]);
    assert_eq!((redirect.status, redirect.header("location")), (307, Some("/de")));
    let missing = Client::to(gateway.address).ask("GET /x", &[HTML]);
    assert_eq!(missing.status, 404);
    assert!(missing.header("content-security-policy").is_some());
}

#[test]
fn a_desk_that_is_down_is_said_to_be() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let scene = Scene::before(listener.local_addr().expect("an address"));
    drop(listener);
    let gateway = scene.gateway_of(&[SHIELD, POLICY]);
    assert_eq!(Client::to(gateway.address).ask("GET /", &[HTML]).status, 502);
}

#[test]
fn what_the_operator_writes_under_headers_wins() {
    let desk = page_desk();
    let own = "headers: {contentSecurityPolicy: default-src 'none', referrerPolicy: origin, \
               customResponseHeaders: {X-Frame-Options: ''}, accessControlAllowOriginList: ['https://a.example']}";
    let (_scene, gateway) = behind(&desk, &[SHIELD, own, HEADERS, POLICY]);
    let page = Client::to(gateway.address).ask("GET /", &[HTML, "Origin: https://a.example"]);
    assert_eq!(page.all("content-security-policy"), ["default-src 'none'"]);
    assert_eq!(page.all("referrer-policy"), ["origin"]);
    assert_eq!(page.header("x-frame-options"), None);
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.all("access-control-allow-origin"), ["https://a.example"]);
    let lines = ["Origin: https://a.example", "Access-Control-Request-Method: PUT"];
    assert_eq!(Client::to(gateway.address).ask("OPTIONS /api/v1/x", &lines).status, 200);
}

#[test]
fn other_sites_get_no_leave_to_read_and_their_preflights_never_reach_the_desk() {
    let desk =
        answering("Content-Type: application/json\r\nAccess-Control-Allow-Origin: *\r\n", b"{}".to_vec());
    let (_scene, gateway) = behind(&desk, &[SHIELD, HEADERS, POLICY]);
    let lines = ["Origin: https://evil.example", "Access-Control-Request-Method: PUT"];
    let preflight = Client::to(gateway.address).ask("OPTIONS /api/v1/tickets/all", &lines);
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (403, None));
    assert_eq!(desk.requests(), 0);
    let read = Client::to(gateway.address).ask("GET /api/v1/tickets/all", &lines[..1]);
    assert_eq!((read.status, read.header("access-control-allow-origin")), (200, None));
}

#[test]
fn a_page_for_somebody_who_is_signed_in_is_stored_nowhere() {
    let desk = super::shield::scene::echo();
    let (_scene, gateway) = behind(&desk, &[SHIELD, HEADERS]);
    let browser = Browser::signed_in(&gateway, ("u1", "secret"));
    assert_eq!(browser.ask("GET /api/v1/tickets/all").header("cache-control"), Some("no-store"));
}
