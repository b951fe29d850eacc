//! What becomes of a request: its way from the head to "ask the upstream" or "answer this".

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue, UPGRADE};
use http::{Method, StatusCode, Uri};
use pingora::http::RequestHeader;
use pingora::proxy::Session;

use super::answer::OwnPolicy;
use super::context::{Context, authority};
use super::http2;
use super::local;
use super::own;
use super::proxy::Proxy;
use super::redirect;
use super::table::{Query, host};
use crate::middleware::{Decision, Verdict};
use crate::web::answer::{Answer, short};
use crate::web::client_address::{complete_forwarding, resolve, scheme, strip_forwarding};
use crate::web::connection::{closes, drop_named};
use crate::web::exchange::{Exchange, ServerName};
use crate::web::head::Headers;
use crate::web::local::Unanswered;
use crate::web::own::is_own;
use crate::web::path::{CanonicalPath, canonical, routing_path};
use crate::web::tidy_path::tidied;

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const PATH: &str = "The path is not acceptable.";
const HOST: &str = "The host is not served here.";

/// The outcome.
pub enum Step {
    Forward,
    Answer(Box<Answer>),
}

impl Step {
    pub fn answer(answer: Answer) -> Self {
        Self::Answer(Box::new(answer))
    }
}

/// Decides about the request in `session`.
///
/// # Errors
/// Only when the client breaks off while its body is read for the console.
pub async fn decide(proxy: &Proxy, session: &mut Session, context: &mut Context) -> pingora::Result<Step> {
    let head = session.req_header();
    context.id = Some(proxy.gateway.ids.take(head.headers.get(X_REQUEST_ID)));
    if let Some(answer) = own::answer(proxy, head) {
        return Ok(Step::answer(answer));
    }
    if matches!(session.req_header().method, Method::CONNECT | Method::TRACE) {
        return Ok(refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            session.req_header(),
            "The method is not allowed.",
        ));
    }
    if session.is_http2()
        && let Err((status, sentence)) = http2::check(session)
    {
        return Ok(refuse(status, session.req_header(), sentence));
    }
    settle_headers(proxy, session, context);
    if let Some(step) = route(proxy, session, context) {
        return Ok(step);
    }
    if let Some(answer) = middlewares(proxy, session.req_header_mut(), context).await {
        return Ok(Step::Answer(answer));
    }
    context.upgrading = session.is_upgrade_req() && wants_websocket(session.req_header());
    if context.upgrading && !allows_upgrade(context) {
        return Ok(refuse(StatusCode::FORBIDDEN, session.req_header(), "Upgrades are not allowed here."));
    }
    if is_own_path(session.req_header(), context) {
        let mut answer = local::own(proxy, session, context).await?;
        answer.extensions_mut().insert(OwnPolicy);
        return Ok(Step::answer(answer));
    }
    let inner = context.instead.take();
    let service = match context.around.take() {
        Some(around) => Some(around(inner)),
        None => inner,
    };
    if let Some(service) = service {
        context.forwarded = true;
        let answer = local::ask(proxy, service, session, context).await?;
        if answer.extensions().get::<Unanswered>().is_some() {
            return Ok(Step::Forward);
        }
        proxy.note_effect(session.req_header(), answer.status(), context);
        return Ok(Step::answer(answer));
    }
    Ok(Step::Forward)
}

fn refuse(status: StatusCode, head: &RequestHeader, sentence: &str) -> Step {
    Step::answer(short(status, head.uri.path(), sentence))
}

/// Before anything is decided, as in Traefik: what somebody who is not trusted says for a proxy is taken out,
/// what nobody has said is written where a rule or a middleware looks at it, and what is for this connection only
/// ends here.
fn settle_headers(proxy: &Proxy, session: &mut Session, context: &Context) {
    let peer = peer(session);
    if !peer.is_some_and(|peer| proxy.entry.trusted.believes(peer)) {
        strip_forwarding(session.req_header_mut());
    }
    if let Some(peer) = peer.filter(|_| context.table.reads_forwarding) {
        let tls = is_tls(session);
        let head = session.req_header_mut();
        let scheme = scheme(peer, tls, &head.headers, &proxy.entry.trusted);
        let host = authority(head).to_owned();
        complete_forwarding(head, peer, scheme, &host);
    }
    // pingora has looked at the first line alone.
    if closes(&session.req_header().headers) {
        session.set_keepalive(None);
    }
    // A WebSocket is known by its `Connection:` line, and so is what has just been written of one.
    drop_named(session.req_header_mut());
}

fn is_tls(session: &Session) -> bool {
    session.digest().and_then(|digest| digest.ssl_digest.as_ref()).is_some()
}

/// Settles address and route; answers where there is none, or where the entry point redirects.
fn route(proxy: &Proxy, session: &mut Session, context: &mut Context) -> Option<Step> {
    let head = session.req_header();
    let Some(peer) = peer(session) else {
        return Some(refuse(StatusCode::BAD_REQUEST, head, "The client has no address."));
    };
    let entry = &proxy.entry;
    let Ok(client) = resolve(peer, &head.headers, &entry.trusted) else {
        return Some(refuse(StatusCode::FORBIDDEN, head, "The client's address cannot be told."));
    };
    if let Some(redirection) = &entry.redirect {
        return Some(Step::answer(redirect::answer(redirection, head)));
    }
    let tls = is_tls(session);
    let original = head.uri.path();
    let Ok(tidy) = tidied(original) else {
        return Some(refuse(StatusCode::BAD_REQUEST, head, PATH));
    };
    let path = canonical(original, &proxy.gateway.locales);
    let query = Query {
        method: &head.method,
        authority: authority(head),
        path: &routing_path(&tidy),
        canonical: path.as_ref().ok().map(|path| path.text(original)),
        query: head.uri.query(),
        headers: &head.headers,
        peer,
    };
    let Some(index) = context.table.route(proxy.place, tls, &query) else {
        return Some(nowhere(proxy, context, tls, head, &query));
    };
    context.route = Some(index);
    if let Some(name) = server_name(session)
        && is_misled(proxy, context, index, &query, name)
    {
        return Some(refuse(StatusCode::MISDIRECTED_REQUEST, head, HOST));
    }
    let strict = context.table.at(index).strict;
    let path = match path {
        Ok(path) if strict => path,
        Err(_) if strict => return Some(refuse(StatusCode::BAD_REQUEST, head, PATH)),
        _ => canonical(&tidy, &proxy.gateway.locales).unwrap_or_else(|_| CanonicalPath::as_sent()),
    };
    let scheme = scheme(peer, tls, &head.headers, &entry.trusted);
    context.exchange = Some(Exchange { peer, client, scheme, tls, port: entry.port, path });
    let query = head.uri.query();
    let differs = tidy != original || query.is_some_and(|query| query.contains(';'));
    let rewritten = (!strict && differs).then(|| target(&tidy, query));
    if rewritten.is_some_and(|target| aim(session.req_header_mut(), &target).is_none()) {
        return Some(refuse(StatusCode::BAD_REQUEST, session.req_header(), PATH));
    }
    None
}

/// No router takes the request: because of its host, or because of whatever else it says.
fn nowhere(proxy: &Proxy, context: &Context, tls: bool, head: &RequestHeader, query: &Query<'_>) -> Step {
    if context.table.is_misdirected(proxy.place, tls, query) {
        refuse(StatusCode::MISDIRECTED_REQUEST, head, HOST)
    } else {
        refuse(StatusCode::NOT_FOUND, head, "Nothing is served here.")
    }
}

/// Whether the handshake was for a name whose requests something else guards: the connection was meant for
/// another host (RFC 9110 section 7.4).
fn is_misled(proxy: &Proxy, context: &Context, index: usize, query: &Query<'_>, name: &str) -> bool {
    // A proxy may carry several hosts' requests on one connection.
    if *host(query.authority) == *name || proxy.entry.trusted.believes(query.peer) {
        return false;
    }
    let meant = context.table.route(proxy.place, true, &Query { authority: name, ..*query });
    meant.is_some_and(|meant| !context.table.guarded_alike(meant, index))
}

/// The name of the TLS handshake, in lower case.
fn server_name(session: &Session) -> Option<&str> {
    let told = session.digest()?.proxy_digest.as_ref()?.user_data.as_ref()?;
    told.downcast_ref::<ServerName>().map(|name| &*name.0)
}

/// Puts `target` in the place of the request's own. Whom it is for stays: HTTP/2 says so in the same URI.
fn aim(head: &mut RequestHeader, target: &str) -> Option<()> {
    let mut parts = head.uri.clone().into_parts();
    if parts.authority.is_none() {
        return head.set_raw_path(target.as_bytes()).ok();
    }
    parts.path_and_query = Some(target.parse().ok()?);
    head.set_uri(Uri::from_parts(parts).ok()?);
    Some(())
}

/// As Traefik writes it: what rules take for a separator is one to the service too.
fn target(path: &str, query: Option<&str>) -> String {
    query.map_or_else(|| path.to_owned(), |query| format!("{path}?{}", query.replace(';', "&")))
}

/// The other end of the connection, as the accept loop saw it.
pub fn peer(session: &Session) -> Option<IpAddr> {
    Some(session.client_addr()?.as_inet()?.ip())
}

/// Runs the route's request half. What a middleware had to ask first is awaited.
async fn middlewares(proxy: &Proxy, head: &mut RequestHeader, context: &mut Context) -> Option<Box<Answer>> {
    let table: Arc<_> = context.table.clone();
    let (Some(index), Some(exchange)) = (context.route, &context.exchange) else { return None };
    let route = table.at(index);
    for middleware in &route.middlewares {
        let decision = match middleware.runs.request(exchange, head) {
            Verdict::Now(decision) => decision,
            Verdict::Later(decision) => decision.await,
        };
        match decision {
            Decision::Pass => {}
            Decision::PassAdmin(admin) => context.admin = Some(admin),
            Decision::PassAs(authorization) => authorize(head, &mut context.authorization, authorization),
            Decision::PassAround(around) => context.around = Some(around),
            Decision::PassHolding(held) => context.held.push(held),
            Decision::PassTo { service, authorization } => {
                context.instead.get_or_insert(service);
                if let Some(authorization) = authorization {
                    authorize(head, &mut context.authorization, authorization);
                }
            }
            Decision::Answer(answer) => {
                if middleware.runs.is_address_check() {
                    proxy.note_address(&route.name, exchange.peer, exchange.client);
                }
                return Some(answer);
            }
        }
        context.passed += 1;
    }
    None
}

/// Later middlewares read it from the head; the service gets it whatever becomes of the head.
fn authorize(head: &mut RequestHeader, kept: &mut Option<HeaderValue>, authorization: HeaderValue) {
    Headers::insert(head, AUTHORIZATION, authorization.clone());
    *kept = Some(authorization);
}

/// Whether pingora could make a WebSocket of it: it asks for no `Connection: upgrade`, so this is wider
/// than [`crate::web::client_address::is_websocket`]. Other upgrades it drops on the way to the upstream.
fn wants_websocket(head: &RequestHeader) -> bool {
    head.headers
        .get_all(UPGRADE)
        .iter()
        .any(|value| value.as_bytes().to_ascii_lowercase().windows(9).any(|word| word == b"websocket"))
}

fn allows_upgrade(context: &Context) -> bool {
    context.route().is_some_and(|route| route.upgrade)
}

fn is_own_path(head: &RequestHeader, context: &Context) -> bool {
    let desk = context.route().is_some_and(|route| route.desk);
    desk && context.exchange.as_ref().is_some_and(|exchange| is_own(exchange.path.text(head.uri.path())))
}
