//! pingora's phases for one entry point. Each only calls the file that knows what to do.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderValue, SET_COOKIE, TRANSFER_ENCODING,
};
use http::{HeaderMap, Method, StatusCode, Version};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType};

use super::Gateway;
use super::answer::{failure, finish, send};
use super::context::{Context, authority};
use super::effects::{self, Effect};
use super::failure::status;
use super::log::Line;
use super::metrics::Series;
use super::request::{Step, X_REQUEST_ID, decide, peer};
use super::tap::{Half, Tap};
use crate::config::Redirection;
use crate::web::client_address::{Trusted, strip_forwarding, write_forwarding};
use crate::web::connection::drop_between;
use crate::web::cookie::{drop_own_set_cookies, tidy_cookies};
use crate::web::head::Headers;

/// One entry point's share of the gateway.
pub struct Proxy {
    pub(super) gateway: Arc<Gateway>,
    /// Index of the entry point in the tables.
    pub(super) place: usize,
    pub(super) entry: Arc<Entry>,
}

/// What is fixed about an entry point.
pub struct Entry {
    pub name: Arc<str>,
    pub port: u16,
    pub trusted: Trusted,
    pub redirect: Option<Redirection>,
    pub ping: bool,
    pub metrics: bool,
    pub read: Duration,
    pub write: Duration,
    /// How long a tunnel may be silent.
    pub idle: Duration,
    pub series: Series,
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        Context::new(self.gateway.table.load_full(), self.gateway.clock.now())
    }

    /// None: no compression of pingora's, nothing that touches answers behind our back.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn early_request_filter(
        &self,
        session: &mut Session,
        _context: &mut Context,
    ) -> pingora::Result<()> {
        session.set_read_timeout(Some(self.entry.read));
        session.set_write_timeout(Some(self.entry.write));
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, context: &mut Context) -> pingora::Result<bool> {
        match decide(self, session, context).await? {
            Step::Forward => {
                self.tap(session.req_header(), context);
                Ok(false)
            }
            Step::Answer(answer) => {
                self.last_on_this_connection(session);
                send(session, context, *answer).await?;
                Ok(true)
            }
        }
    }

    async fn upstream_peer(
        &self,
        session: &mut Session,
        context: &mut Context,
    ) -> pingora::Result<Box<HttpPeer>> {
        let unavailable = || Error::new(ErrorType::HTTPStatus(503));
        let table = context.table.clone();
        let service =
            context.route.and_then(|route| table.service(table.at(route))).ok_or_else(unavailable)?;
        context.server = service.next_server().ok_or_else(unavailable)?;
        let server = service.server(context.server).ok_or_else(unavailable)?;
        let attempt = usize::try_from(context.tries).unwrap_or(0);
        context.tries += 1;
        context.forwarded = true;
        let mut peer = server.peer(attempt).await.map_err(|error| {
            tracing::warn!(%error, service = &*service.name, "a server's name cannot be resolved");
            Error::new(ErrorType::HTTPStatus(502))
        })?;
        if context.upgrading {
            session.set_read_timeout(Some(self.entry.idle));
            peer.options.read_timeout = Some(self.entry.idle);
        }
        Ok(peer)
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        upstream: &mut RequestHeader,
        context: &mut Context,
    ) -> pingora::Result<()> {
        let (Some(exchange), Some(route)) = (&context.exchange, context.route()) else {
            return Err(Error::new(ErrorType::InternalError));
        };
        let authority = authority(session.req_header());
        // The middlewares have read what a trusted proxy says; the upstream reads only us.
        strip_forwarding(upstream);
        write_forwarding(upstream, exchange, authority);
        tidy_cookies(upstream);
        if let Some(id) = &context.id {
            Headers::insert(upstream, X_REQUEST_ID, id.header().clone());
        }
        let service = context.service().filter(|service| !service.pass_host);
        let host = match service.and_then(|service| service.server(context.server)) {
            Some(server) => server.authority.clone(),
            None => {
                HeaderValue::from_str(authority).map_err(|_| Error::new_down(ErrorType::InvalidHTTPHeader))?
            }
        };
        Headers::insert(upstream, HOST, host);
        if let Some(authorization) = &context.authorization {
            Headers::insert(upstream, AUTHORIZATION, authorization.clone());
        }
        // Services that ask for a length refuse a request that says nothing of a body (RFC 9110 section 8.6).
        if matches!(upstream.method, Method::POST | Method::PUT | Method::PATCH) && session.is_body_empty() {
            Headers::insert(upstream, CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        for middleware in &route.middlewares {
            middleware.runs.forward(exchange, upstream);
        }
        if context.tap.as_ref().is_some_and(|tap| tap.half == Half::Answer) {
            Headers::insert(upstream, ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        Ok(())
    }

    async fn request_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        _ends: bool,
        context: &mut Context,
    ) -> pingora::Result<()> {
        if let (Some(tap), Some(piece)) = (&mut context.tap, body) {
            tap.see(Half::Request, piece);
        }
        Ok(())
    }

    fn response_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        ends: bool,
        context: &mut Context,
    ) -> pingora::Result<Option<Duration>> {
        if let Some(tap) = &mut context.tap {
            if let Some(piece) = body {
                tap.see(Half::Answer, piece);
            }
            if ends && tap.half == Half::Answer && tap.is_done {
                self.tell_written(Some(tap));
            }
        }
        Ok(None)
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        context: &mut Context,
    ) -> pingora::Result<()> {
        if response.status.is_informational() && response.status != StatusCode::SWITCHING_PROTOCOLS {
            // Not the answer yet; what guards an answer's cookies does not see it.
            response.remove_header(&SET_COOKIE);
            return Ok(());
        }
        if response.status != StatusCode::SWITCHING_PROTOCOLS {
            drop_between(response);
        }
        // HTTP/1.0 knows no chunks (RFC 9112 section 6.1); the end of the connection is the end of the body.
        if session.req_header().version == Version::HTTP_10
            && response.remove_header(&TRANSFER_ENCODING).is_some()
        {
            session.set_keepalive(None);
        }
        drop_own_set_cookies(response);
        self.last_on_this_connection(session);
        self.note_effect(session.req_header(), response.status, context);
        finish(session.req_header(), response, context);
        Ok(())
    }

    /// As with interim answers: no cookie passes where nothing guards it.
    async fn response_trailer_filter(
        &self,
        _session: &mut Session,
        trailers: &mut HeaderMap,
        _context: &mut Context,
    ) -> pingora::Result<Option<Bytes>> {
        trailers.remove(SET_COOKIE);
        Ok(None)
    }

    fn fail_to_connect(
        &self,
        _session: &mut Session,
        _peer: &HttpPeer,
        context: &mut Context,
        mut error: Box<Error>,
    ) -> Box<Error> {
        // Nothing was sent, so another try repeats nothing, whatever the method.
        let most = context.service().map_or(1, |service| service.most_tries());
        error.set_retry(context.tries < most);
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        context: &mut Context,
    ) -> FailToProxy {
        let code = status(error);
        if let Some(left_out) = self.failure_to_tell() {
            tracing::warn!(
                kind = error.etype().as_str(),
                side = error.esource().as_str(),
                status = code,
                service = context.service().map(|service| &*service.name),
                request = context.id.as_ref().map(|id| id.text()),
                left_out,
                "a request failed"
            );
        }
        let begun = session.response_written().is_some_and(|written| !written.status.is_informational());
        if let (Some(code), false) = (code, begun) {
            // Whatever of the request is unread belongs to nobody now.
            session.set_keepalive(None);
            let answer = failure(code, session.req_header().uri.path());
            if let Err(error) = send(session, context, answer).await {
                tracing::debug!(kind = error.etype().as_str(), "a client was gone before its answer");
            }
            session.shutdown().await;
        }
        FailToProxy { error_code: code.unwrap_or(0), can_reuse_downstream: false }
    }

    async fn logging(&self, session: &mut Session, _error: Option<&Error>, context: &mut Context) {
        self.count(session, context);
        self.write_line(session, context);
    }

    /// pingora's own line would hold the query.
    fn suppress_error_log(&self, _session: &Session, _context: &Context, _error: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _context: &Context,
        _error: &Error,
        _about: ProxyWarnLogContext,
    ) -> bool {
        true
    }

    fn request_summary(&self, session: &Session, _context: &Context) -> String {
        session.req_header().method.to_string()
    }
}

impl Proxy {
    /// While draining every answer closes its connection.
    fn last_on_this_connection(&self, session: &mut Session) {
        if self.gateway.is_draining() {
            session.set_keepalive(None);
        }
    }

    /// Tells those who want to know what a good answer of the desk hints at.
    pub(super) fn note_effect(&self, request: &RequestHeader, status: StatusCode, context: &mut Context) {
        let (Some(route), Some(exchange)) = (context.route(), &context.exchange) else { return };
        if !route.desk {
            return;
        }
        let effect = effects::of(&request.method, exchange.path.text(request.uri.path()), status);
        match effect {
            Some(Effect::Written) => match &mut context.tap {
                // Which ticket it is, the answer's body is about to tell.
                Some(tap) if tap.half == Half::Answer => tap.is_done = true,
                tap => self.tell_written(tap.as_ref()),
            },
            Some(Effect::Rights) => self.gateway.on_rights_change.iter().for_each(|flush| flush()),
            None => {}
        }
    }

    /// Taps a request to the desk, if its body names a ticket and somebody wants to know.
    fn tap(&self, request: &RequestHeader, context: &mut Context) {
        let is_desk = context.route().is_some_and(|route| route.desk);
        let (Some(_), true, Some(exchange)) = (&self.gateway.on_desk_write, is_desk, &context.exchange)
        else {
            return;
        };
        context.tap = Tap::on(&request.method, exchange.path.text(request.uri.path()));
    }

    fn tell_written(&self, tap: Option<&Tap>) {
        let Some(wake) = &self.gateway.on_desk_write else { return };
        match tap.and_then(Tap::ticket) {
            Some(ticket) => wake.ring_about(ticket),
            None => wake.ring(),
        }
    }

    fn count(&self, session: &Session, context: &Context) {
        let method = &session.req_header().method;
        let code = answered(session);
        let (upgraded, duration) = (session.was_upgraded(), context.started.elapsed());
        self.entry.series.count(method, code, upgraded, duration);
        let Some(route) = context.route() else { return };
        route.series.count(method, code, upgraded, duration);
        if let Some(series) = context.table.service_series(route).filter(|_| context.forwarded) {
            series.count(method, code, upgraded, duration);
        }
    }

    fn write_line(&self, session: &Session, context: &Context) {
        if self.gateway.access_log.is_none() {
            return;
        }
        let head = session.req_header();
        let client = context.exchange.as_ref().map(|exchange| exchange.client).or_else(|| peer(session));
        let service = context.service().filter(|_| context.forwarded);
        self.gateway.write_access(&Line {
            start: context.at,
            client_host: client,
            entry_point_name: &self.entry.name,
            request_method: head.method.as_str(),
            request_host: authority(head),
            request_path: head.uri.path(),
            request_protocol: if session.is_http2() { "HTTP/2.0" } else { "HTTP/1.1" },
            downstream_status: answered(session),
            downstream_content_size: session.body_bytes_sent(),
            duration: context.started.elapsed(),
            router_name: context.route().map_or("-", |route| &route.name),
            service_name: service.map_or("-", |service| &service.name),
            request_id: context.id.as_ref().map_or("-", |id| id.text()),
        });
    }
}

/// The status the client saw; 499, as nginx writes it, when it left before there was one.
fn answered(session: &Session) -> u16 {
    session.response_written().map_or(499, |written| written.status.as_u16())
}
