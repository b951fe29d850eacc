//! Services in the process, asked in place of an upstream: the console, and what a middleware puts there.
//! Nothing at or below their own paths ever reaches the desk.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderValue, RETRY_AFTER};
use http::{Method, Request, StatusCode};
use pingora::proxy::Session;

use super::body::{Collected, Terms, collect};
use super::context::Context;
use super::proxy::Proxy;
use crate::web::answer::{Answer, short};
use crate::web::client_address::strip_forwarding;
use crate::web::local::{LocalService, Origin};
use crate::web::own::{is_mail_file, is_mail_hook};

/// Where a provider's redirect comes back; the only place that needs no proof of an administrator.
const CALLBACK: &str = "/admin/exchange/callback";
const MOST_BODY: usize = 1024 * 1024;
/// What a middleware asks the desk itself: sign-ins and passwords, of which anybody may send as many as he likes.
const MOST_ERRAND_BODY: usize = 16 * 1024;
/// Anybody may call there; a notification has a few hundred bytes, and a provider bundles some.
const MOST_HOOK_BODY: usize = 128 * 1024;
/// There is only something to read.
const MOST_FILE_BODY: usize = 0;
/// A whole body may take as long as so many reads.
const READS: u32 = 3;

/// Asks whichever of our own services has this path.
pub async fn own(proxy: &Proxy, session: &mut Session, context: &Context) -> pingora::Result<Answer> {
    let path = session.req_header().uri.path();
    let canonical = context.exchange.as_ref().map_or(path, |exchange| exchange.path.text(path));
    let (service, most_body) = if is_mail_file(canonical) {
        (proxy.gateway.mail_files.clone(), MOST_FILE_BODY)
    } else if is_mail_hook(canonical) {
        (proxy.gateway.mail_hooks.clone(), MOST_HOOK_BODY)
    } else {
        return console(proxy, session, context).await;
    };
    match service {
        Some(service) => ask_within(proxy, service, session, context, most_body).await,
        None => Ok(short(StatusCode::NOT_FOUND, path, "Nothing is served here.")),
    }
}

/// Asks the console. Without the guard's proof only a GET of exactly the callback gets there: should the
/// guard be missing from a route, everything else stays closed.
async fn console(proxy: &Proxy, session: &mut Session, context: &Context) -> pingora::Result<Answer> {
    let head = session.req_header();
    let path = head.uri.path().to_owned();
    let callback = head.method == Method::GET && path == CALLBACK;
    if context.admin.is_none() && !callback {
        return Ok(short(StatusCode::FORBIDDEN, &path, "Only an administrator may see this."));
    }
    let Some(console) = proxy.gateway.console.clone() else {
        return Ok(short(StatusCode::NOT_FOUND, &path, "Nothing is served here."));
    };
    ask_within(proxy, console, session, context, MOST_BODY).await
}

/// Asks a service that a middleware has put in the upstream's place.
pub async fn ask(
    proxy: &Proxy,
    service: Arc<dyn LocalService>,
    session: &mut Session,
    context: &Context,
) -> pingora::Result<Answer> {
    ask_within(proxy, service, session, context, MOST_ERRAND_BODY).await
}

/// Asks a service in the process with the whole request.
async fn ask_within(
    proxy: &Proxy,
    service: Arc<dyn LocalService>,
    session: &mut Session,
    context: &Context,
    most_body: usize,
) -> pingora::Result<Answer> {
    let head = session.req_header();
    let path = head.uri.path().to_owned();
    let Some(exchange) = &context.exchange else {
        return Ok(short(StatusCode::NOT_FOUND, &path, "Nothing is served here."));
    };
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = head.uri.clone();
    *request.headers_mut() = head.headers.clone();
    strip_forwarding(request.headers_mut());
    request.extensions_mut().insert(Origin { client: exchange.client });
    if let Some(admin) = &context.admin {
        request.extensions_mut().insert(admin.clone());
    }
    let bodies = &proxy.gateway.bodies;
    let budget = if context.admin.is_some() { &bodies.admins } else { &bodies.strangers };
    let terms = Terms { most: most_body, patience: proxy.entry.read * READS, client: exchange.client };
    let room = match collect(session, &terms, budget).await? {
        Ok(Collected { bytes, room }) => {
            *request.body_mut() = bytes;
            room
        }
        Err(unread) => return Ok(unread.answer(&path)),
    };
    // On the control runtime: its sockets and stores live there. It has the body even when the client is gone.
    let asked = proxy.gateway.control.spawn(async move {
        let answer = service.answer(request).await;
        drop(room);
        answer
    });
    Ok(asked.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a service in the process did not finish its answer");
        let mut answer = short(StatusCode::SERVICE_UNAVAILABLE, &path, "The service is not available.");
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        answer
    }))
}
