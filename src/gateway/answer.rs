//! How answers leave, proxied and our own alike.

use http::header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, RETRY_AFTER, SERVER};
use http::{Method, StatusCode};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::Session;

use super::context::Context;
use super::request::X_REQUEST_ID;
use crate::web::answer::{Answer, short};

const X_POWERED_BY: HeaderName = HeaderName::from_static("x-powered-by");

/// In an answer's extensions: its Content-Security-Policy is what makes it safe to look at, and no other one
/// takes its place.
#[derive(Debug, Clone, Copy)]
pub struct OwnPolicy;

/// The last touch on every answer's head: the middlewares that saw the request, last one first, then
/// what no answer shows.
pub fn finish(request: &RequestHeader, response: &mut ResponseHeader, context: &Context) {
    if let (Some(route), Some(exchange)) = (context.route(), &context.exchange) {
        for middleware in route.middlewares[..context.passed].iter().rev() {
            middleware.runs.response(exchange, request, response);
        }
    }
    response.remove_header(&SERVER);
    response.remove_header(&X_POWERED_BY);
    if let Some(id) = &context.id {
        crate::web::head::Headers::insert(response, X_REQUEST_ID, id.header().clone());
    }
}

/// Sends an answer of our own.
///
/// # Errors
/// When the client is gone.
pub async fn send(session: &mut Session, context: &Context, answer: Answer) -> pingora::Result<()> {
    let (parts, body) = answer.into_parts();
    let mut head = ResponseHeader::build(parts.status, Some(parts.headers.len() + 6))?;
    for (name, value) in &parts.headers {
        head.append_header(name.clone(), value.clone())?;
    }
    if !matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        head.insert_header(CONTENT_LENGTH, body.len())?;
    }
    finish(session.req_header(), &mut head, context);
    let own = parts.extensions.get::<OwnPolicy>().and(parts.headers.get(CONTENT_SECURITY_POLICY));
    if let Some(own) = own {
        head.insert_header(CONTENT_SECURITY_POLICY, own.clone())?;
    }
    let bodiless = body.is_empty() || session.req_header().method == Method::HEAD;
    session.write_response_header(Box::new(head), bodiless).await?;
    if !bodiless {
        session.write_response_body(Some(body), true).await?;
    }
    Ok(())
}

/// The short answer to something that failed on the way. Tells nothing about what stands behind us.
pub fn failure(status: u16, path: &str) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let sentence = match status.as_u16() {
        408 => "The request took too long.",
        413 => "The request body is too large.",
        400..500 => "The request is malformed.",
        502 => "The service cannot be reached.",
        503 => "The service is not available.",
        504 => "The service did not answer in time.",
        _ => "The request could not be served.",
    };
    let mut answer = short(status, path, sentence);
    if matches!(status.as_u16(), 502 | 503) {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    answer
}
