//! Who may do what in the console: the admin proof of every page, and for changes a form of our own,
//! sent from our own origin.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{HeaderMap, HeaderName};
use http::request::Parts;
use http::{StatusCode, Uri};
use serde::Deserialize;

use crate::base::audit::{Event, Outcome};
use crate::base::secret::equal_in_constant_time;
use crate::console::language::Texts;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::web::local::{Admin, Origin, admin};
use crate::web::sender::Sender;

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

/// The language picked for the reader.
pub struct Reader(pub Arc<Texts>);

impl FromRequestParts<Arc<Shared>> for Reader {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Self::Rejection> {
        Ok(Self(shared.texts(parts.extensions.get::<Arc<Texts>>())))
    }
}

/// Where a request comes from, for the audit.
pub struct Client(pub Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Origin>().map(|origin| origin.client)))
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
        let Ok(client) = Client::from_request_parts(&mut parts, shared).await;
        let (headers, uri) = (parts.headers.clone(), parts.uri.clone());
        let form = axum::Form::from_request(Request::from_parts(parts, body), shared).await;
        let axum::Form(form) = form.map_err(|_| {
            // The framework's own refusal would repeat what was sent.
            page::problem(StatusCode::FORBIDDEN, &page::FOREIGN_FORM).into_response()
        })?;
        shared.check_form(&admin, &headers, &uri, &form).map_err(|refused| {
            shared.note(&client, &admin, Event::Refusal, Outcome::Refused, "a form of another page");
            refused.into_response()
        })?;
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
        // Every browser since 2020 sends `Origin` with a POST; one that says nothing is not believed.
        if ours && Sender::of(headers, uri, None) == Sender::SameOrigin {
            return Ok(());
        }
        Err(page::problem(StatusCode::FORBIDDEN, &page::FOREIGN_FORM))
    }
}
