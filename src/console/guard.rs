//! Who may do what in the console: the admin proof of every page, and for changes a form of our own,
//! sent from our own origin.

use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use http::request::Parts;
use http::{StatusCode, Uri};
use serde::Deserialize;
use tracing::warn;
use url::Url;

use crate::base::secret::equal_in_constant_time;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::web::local::{Admin, admin};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");

/// Somebody the desk calls an administrator.
pub struct Proof(pub Arc<Admin>);

impl<S: Sync> FromRequestParts<S> for Proof {
    type Rejection = Page;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Page> {
        let proof = admin(&parts.extensions).map(|admin| Self(Arc::clone(admin)));
        proof.ok_or_else(|| page::problem(StatusCode::FORBIDDEN, &page::NOT_ADMIN))
    }
}

/// Marks a request that a browser or a mail scanner makes ahead of a person.
pub struct Prefetch;

impl<S: Sync> OptionalFromRequestParts<S> for Prefetch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        let ahead = |line: &http::HeaderValue| line.as_bytes().starts_with(b"prefetch");
        Ok(parts.headers.get(PURPOSE).is_some_and(ahead).then_some(Self))
    }
}

/// The hidden field of every form.
#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    token: String,
}

/// A change that an administrator has asked for by a form of ours.
pub struct Change(pub Arc<Admin>);

impl FromRequest<Arc<Shared>> for Change {
    type Rejection = Response;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let proof = Proof::from_request_parts(&mut parts, shared).await;
        let Proof(admin) = proof.map_err(Page::into_response)?;
        let (headers, uri) = (parts.headers.clone(), parts.uri.clone());
        let form = axum::Form::from_request(Request::from_parts(parts, body), shared).await;
        let axum::Form(form) = form.map_err(FormRejection::into_response)?;
        shared.check_form(&admin, &headers, &uri, &form).map_err(Page::into_response)?;
        Ok(Self(admin))
    }
}

impl Shared {
    /// What forms of this session carry; the same in every process and after a restart.
    pub fn form_token(&self, admin: &Admin) -> String {
        URL_SAFE_NO_PAD.encode(self.form_key.hash(&[b"form", &admin.session]))
    }

    /// Refuses a change that was not asked for by a form of ours.
    fn check_form(&self, admin: &Admin, headers: &HeaderMap, uri: &Uri, form: &Form) -> Result<(), Page> {
        let ours = equal_in_constant_time(form.token.as_bytes(), self.form_token(admin).as_bytes());
        if ours && is_same_origin(headers, uri) {
            return Ok(());
        }
        warn!(form_token = ours, "a change from another page was refused");
        Err(page::problem(StatusCode::FORBIDDEN, &page::FOREIGN_FORM))
    }
}

/// Host and port the browser asked for.
pub fn asked_host<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    let host = headers.get(HOST).and_then(|line| line.to_str().ok());
    host.or_else(|| uri.authority().map(http::uri::Authority::as_str))
}

/// What the browser says about the page that sent the request. Every browser since 2020 sends
/// `Origin` with a POST; one that says nothing is not believed.
fn is_same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    let site = headers.get(FETCH_SITE).map(|line| line.as_bytes() == b"same-origin");
    let origin = headers.get(ORIGIN).map(|line| {
        let origin = line.to_str().ok().and_then(|text| Url::parse(text).ok());
        origin.as_ref().and_then(authority).is_some_and(|authority| {
            asked_host(headers, uri).is_some_and(|host| host.eq_ignore_ascii_case(&authority))
        })
    });
    match (site, origin) {
        (None, None) => false,
        (site, origin) => site.unwrap_or(true) && origin.unwrap_or(true),
    }
}

/// `host:port` as a Host line has it: the scheme's own port left out.
pub fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn same(lines: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        is_same_origin(&headers, &Uri::from_static("/admin/exchange/connect"))
    }

    #[test]
    fn our_own_origin_passes() {
        assert!(same(&[("host", "desk.example"), ("origin", "https://desk.example")]));
        assert!(same(&[("host", "desk.example:8443"), ("origin", "https://DESK.example:8443")]));
        assert!(same(&[("host", "desk.example"), ("sec-fetch-site", "same-origin")]));
    }

    #[test]
    fn every_other_origin_and_silence_are_refused() {
        for lines in [
            &[("host", "desk.example")][..],
            &[("host", "desk.example"), ("origin", "null")],
            &[("host", "desk.example"), ("origin", "https://evil.example")],
            &[("host", "desk.example"), ("origin", "https://desk.example:444")],
            &[("host", "desk.example"), ("sec-fetch-site", "same-site")],
            &[("host", "desk.example"), ("origin", "https://desk.example"), ("sec-fetch-site", "cross-site")],
        ] {
            assert!(!same(lines), "{lines:?}");
        }
    }
}
