//! Paths: spelled so that one reader sees an open page and another a guarded one.

use super::case::{Case, Expected, check, head};
use super::scene::{At, Scene};

/// What two servers could read in two ways.
const AMBIGUOUS: [&str; 62] = [
    "//",
    "//admin/exchange",
    "/a//b",
    "/./",
    "/.",
    "/..",
    "/../",
    "/a/./b",
    "/a/../b",
    "/a/..",
    "/../admin/exchange",
    "/x/../admin/exchange",
    "/x/..;/admin/exchange",
    "/x/..;a=b/admin",
    "/;/admin",
    "/%2e",
    "/%2e%2e/admin",
    "/x/%2e%2e/admin/exchange",
    "/x/%2E%2E/admin",
    "/x/.%2e/admin",
    "/x/%2e./admin",
    "/%2f",
    "/admin%2fexchange",
    "/admin%2Fexchange",
    "/x%2f..%2fadmin",
    "/x/..%2fadmin",
    "/%2fadmin/exchange",
    "/%5c",
    "/admin%5cexchange",
    "/admin%5Cexchange",
    "/x/..%5cadmin",
    "/x/%5c../admin",
    "/%00",
    "/admin%00",
    "/admin/exchange%00.js",
    "/a%0a",
    "/a%0d%0aX:%20y",
    "/a%09",
    "/a%7f",
    "/a%1f",
    "/%25",
    "/%2561dmin",
    "/%252e%252e/admin",
    "/admin%252fexchange",
    "/%25%36%31dmin",
    "/%3f",
    "/admin/exchange%3fx",
    "/%23",
    "/admin%23x",
    "/%",
    "/%4",
    "/%zz",
    "/%g1",
    "/%+1",
    "/%u0061dmin",
    "/%-1",
    "/a%",
    "/a%2",
    "/%ff",
    "/%c0%ae%c0%ae/admin",
    "/%c0%af",
    "/%e0%80%af",
];

/// Refused on the bytes, whatever the router.
const IMPOSSIBLE: [&str; 33] = [
    "*",
    "",
    "admin",
    "http://desk.example/",
    "https://desk.example/",
    "HTTP://evil.example/admin",
    "desk.example:80",
    "/a#b",
    "/#",
    "#/x",
    "/?a#b",
    "/\\",
    "/a\\b",
    "\\admin",
    "/\\evil.example",
    "/x/..\\admin",
    "/`",
    "/<x>",
    "/\"",
    "/a\"b",
    "/\u{0}",
    "/a\u{1}b",
    "/a\tb",
    "/\u{7f}",
    "/é",
    "/\u{2f}\u{301}",
    "/ ",
    "/a b",
    "/ HTTP/1.1 /",
    "?a",
    "//\\x",
    "/?\"",
    "/?<",
];

/// Every one the desk reads as an administrator's page.
const GUARDED: [&str; 38] = [
    "/admin/exchange",
    "/admin/exchange/",
    "/ADMIN/exchange",
    "/Admin/Exchange",
    "/admin/EXCHANGE",
    "/%61dmin/exchange",
    "/admin/%65xchange",
    "/%41DMIN/exchange",
    "/admin;x/exchange",
    "/admin;/exchange;",
    "/admin%3b/exchange",
    "/de/admin/exchange",
    "/DE/admin/exchange",
    "/en/Admin/exchange",
    "/%64e/admin/exchange",
    "/de;x/admin/exchange",
    "/_next/data/b/admin/exchange.json",
    "/_next/data/b/en/admin/exchange.json",
    "/_NEXT/data/b/en/admin/exchange.json",
    "/de/_next/data/b/de/admin/exchange.json",
    "/_next/data/b/EN/ADMIN/exchange.json",
    "/_next/data/b;x/en/admin/exchange.json",
    "/_next/data/b/en/admin/exchange.JSON",
    "/admin/exchange/start",
    "/admin/exchange/complete",
    "/admin/exchange/x.js",
    "/admin/exchange?x=/public",
    "/api/v1/config/email",
    "/API/v1/config/email",
    "/api/V1/roles/all",
    "/api/v1/webhooks",
    "/api/v1/webhook;x/create",
    "/api/v1/data/logs",
    "/api/v1/email-queues/all",
    "/de/api/v1/config/email",
    "/api/v1/%63onfig/email",
    "/api/v1/role/create",
    "/api/v1/admin/x",
];

fn desk(path: &str, expected: Expected) -> Case {
    Case::asking(At::Open, &format!("GET {path}"), "", expected)
}

#[test]
fn an_ambiguous_path_is_refused_before_the_desk() {
    let scene = Scene::start();
    let ambiguous = AMBIGUOUS.iter().map(|path| desk(path, Expected::Status(400)));
    let below = AMBIGUOUS.iter().map(|path| desk(&format!("/de{path}"), Expected::Status(400)));
    let post = AMBIGUOUS.iter().map(|path| {
        Case::asking(At::Open, &format!("POST {path}"), "Content-Length: 0\r\n", Expected::Status(400))
    });
    check(&scene, ambiguous.chain(below).chain(post));
}

#[test]
fn an_impossible_target_is_refused_before_any_router() {
    let scene = Scene::start();
    let for_desk = IMPOSSIBLE.iter().map(|target| desk(target, Expected::Status(400)));
    let for_app = IMPOSSIBLE.iter().map(|target| {
        Case::new(At::Open, head(&format!("GET {target}"), "app.example", ""), Expected::Status(400))
    });
    check(&scene, for_desk.chain(for_app));
}

#[test]
fn no_spelling_of_a_guarded_path_reaches_the_desk_without_an_administrator() {
    let scene = Scene::start();
    let plain = GUARDED.iter().map(|path| desk(path, Expected::Kept));
    let with_token = GUARDED.iter().map(|path| {
        let lines = "Authorization: Bearer forged\r\nCookie: session=forged; __Host-mintgate=forged\r\n";
        Case::asking(At::Open, &format!("GET {path}"), lines, Expected::Kept)
    });
    let head = GUARDED.iter().map(|path| Case::asking(At::Open, &format!("HEAD {path}"), "", Expected::Kept));
    let odd = GUARDED.iter().map(|path| Case::asking(At::Open, &format!("FOO {path}"), "", Expected::Kept));
    check(&scene, plain.chain(with_token).chain(head).chain(odd));
}

#[test]
fn another_service_gets_the_path_that_was_matched() {
    let scene = Scene::start();
    let table = [
        ("/a//b", "get /a/b http/1.1"),
        ("/a/../b", "get /b http/1.1"),
        ("/../../b/?q=/../x", "get /b/?q=/../x http/1.1"),
        ("/x/%2e%2e/%61", "get /a http/1.1"),
        ("/a%2fb", "get /a%2fb http/1.1"),
        ("/A;b=c", "get /a;b=c http/1.1"),
        ("/a;b?c=1;d=2&e", "get /a;b?c=1&d=2&e http/1.1"),
        ("//evil.example/x", "get /evil.example/x http/1.1"),
    ];
    let passing = table.map(|(path, with)| {
        let expected = Expected::Clean { with, without: "/../b" };
        Case::new(At::Open, head(&format!("GET {path}"), "app.example", ""), expected)
    });
    let broken = ["/%", "/%zz", "/a%2"];
    let broken = broken.map(|path| {
        Case::new(At::Open, head(&format!("GET {path}"), "app.example", ""), Expected::Status(400))
    });
    check(&scene, passing.into_iter().chain(broken));
}
