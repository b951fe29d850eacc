//! The desk's pages: static HTML for everyone, filled by one script that does what Peppermint's client
//! does with its token. Knows no state.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, ETAG, HeaderName, VARY};
use http::{HeaderValue, Method, StatusCode};

use crate::web::answer::Answer;

use crate::sandbox::call::{Call, redirect, typed};

const SCRIPT: &str = include_str!("assets/app.js");
const STYLE: &str = include_str!("assets/app.css");
/// Inline, as the switch between light and dark is in Peppermint's pages.
const THEME: &str = "document.documentElement.dataset.theme = localStorage.getItem(\"theme\") || \"light\";";
const WORKER: &str = "self.addEventListener(\"install\", () => self.skipWaiting());\n";

const ADMIN_BAR: &str = r#"<nav class="bar">
<a href="/admin/users/internal">Users</a>
<a href="/admin/clients">Clients</a>
<a href="/admin/email-queues">Email Queues</a>
<a href="/admin/webhooks">Webhooks</a>
<a href="/admin/smtp">SMTP Email</a>
<a href="/admin/authentication">Authentication</a>
<a href="/admin/roles">Roles</a>
<a href="/admin/logs">Logs</a>
</nav>"#;

const LOGIN: &str = r#"<form id="login">
<h1>Sign in to the desk</h1>
<label>Email <input id="email" name="email" type="email" autocomplete="username" required></label>
<label>Password
<input id="password" name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Sign in</button>
<p id="problem" role="alert"></p>
</form>"#;

const LIST: &str = r#"<h1>Open tickets</h1>
<p><button id="refresh" type="button">Refresh</button></p>
<ul id="tickets" data-page="list"></ul>"#;

const TICKET: &str = r#"<article id="ticket" data-page="ticket">
<h1 id="title">…</h1>
<p id="facts"></p>
<div id="detail"></div>
<h2>Comments</h2>
<ol id="comments"></ol>
<form id="comment">
<label>Your comment <textarea id="text" name="text" rows="5" required></textarea></label>
<label class="line"><input id="public" name="public" type="checkbox"> Public: the customer gets it</label>
<button type="submit">Comment</button>
<button id="complete" type="button">Close</button>
</form>
</article>"#;

/// The page at a plain path. `careless`: tickets are shown as the HTML they hold, scripts and all.
pub(super) fn answer(call: &Call, path: &str, careless: bool) -> Answer {
    if !matches!(call.method, Method::GET | Method::HEAD) {
        return typed(StatusCode::METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", "Method Not Allowed");
    }
    if call.path == "/" && prefers_german(call) {
        return redirect(StatusCode::TEMPORARY_REDIRECT, "/de");
    }
    match path {
        "/app.js" => file("application/javascript; charset=UTF-8", SCRIPT),
        "/app.css" => file("text/css; charset=UTF-8", STYLE),
        "/sw.js" => file("application/javascript; charset=UTF-8", WORKER),
        "/manifest.json" => file("application/json; charset=UTF-8", r#"{"name":"Desk","start_url":"/"}"#),
        "/" | "" => page("Tickets", LIST),
        "/auth/login" => page("Sign in", LOGIN),
        "/onboarding" => page("Welcome", "<h1>Welcome</h1><p><a href=\"/\">Go to the tickets</a></p>"),
        "/admin" => page("Admin", &admin("<h1>Admin</h1><p>Choose a section.</p>")),
        _ if is_ticket(path) && careless => page("Ticket", &format!("<div data-careless>{TICKET}</div>")),
        _ if is_ticket(path) => page("Ticket", TICKET),
        _ if ADMIN_BAR.contains(&format!("\"{path}\"")) => {
            page("Admin", &admin("<h1>Settings</h1><p>This demo desk has no form here.</p>"))
        }
        _ => not_found(),
    }
}

fn is_ticket(path: &str) -> bool {
    path.strip_prefix("/issue/").is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

fn prefers_german(call: &Call) -> bool {
    call.header("accept-language").is_some_and(|languages| languages.starts_with("de"))
}

fn admin(content: &str) -> String {
    format!("{ADMIN_BAR}\n<section data-page=\"admin\">{content}</section>")
}

fn document(title: &str, content: &str) -> String {
    format!(
        r#"<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title} · Demo desk</title>
<link rel="stylesheet" href="/app.css"><script src="/app.js" defer></script></head>
<body><script>{THEME}</script><header><a href="/">Tickets</a> <a href="/admin">Admin</a>
<button id="logout" type="button">Sign out</button></header>
<main>{content}</main></body></html>
"#
    )
}

/// A page as Next.js serves its static ones: for everyone, and cacheable for a year by whoever shares.
fn page(title: &str, content: &str) -> Answer {
    let body = Bytes::from(document(title, content));
    let tag = format!("\"desk-{}-{}\"", title.len(), body.len());
    let mut answer = next(StatusCode::OK, body, "s-maxage=31536000, stale-while-revalidate");
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(ETAG, tag);
    }
    answer
}

fn not_found() -> Answer {
    let body = Bytes::from(document("404", "<h1>404</h1><p>This page could not be found.</p>"));
    next(StatusCode::NOT_FOUND, body, "private, no-cache, no-store, max-age=0, must-revalidate")
}

fn next(status: StatusCode, body: Bytes, cache: &'static str) -> Answer {
    let mut answer = typed(status, "text/html; charset=utf-8", body);
    let headers = answer.headers_mut();
    headers.insert(HeaderName::from_static("x-powered-by"), HeaderValue::from_static("Next.js"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    answer
}

fn file(media_type: &'static str, body: &'static str) -> Answer {
    let mut answer = typed(StatusCode::OK, media_type, body);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=0"));
    answer
}
