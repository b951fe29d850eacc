//! Who may do what in the console: the admin proof of every page, and for changes a form of our own,
//! sent from our own origin.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use http::header::HeaderName;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::base::audit::{Event, Outcome};
use crate::base::secret::equal_in_constant_time;
use crate::console::language::Texts;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::web::local::{Admin, Origin, admin};
use crate::web::sender::Sender;

/// Bytes of a form; far more than any of ours has.
const MOST_FORM: usize = 64 * 1024;

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

/// A change that an administrator has asked for by a form of ours, with the form's fields. The hidden
/// field `token` belongs to every form.
pub struct Submitted<T>(pub Arc<Admin>, pub T);

/// A form that only has a button.
#[derive(Deserialize)]
pub struct Button {}

/// A change that needs no more than the press of a button.
pub struct Change(pub Arc<Admin>);

impl FromRequest<Arc<Shared>> for Change {
    type Rejection = Page;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Page> {
        let Submitted(admin, Button {}) = Submitted::from_request(request, shared).await?;
        Ok(Self(admin))
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Shared>> for Submitted<T> {
    type Rejection = Page;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Page> {
        let (mut parts, body) = request.into_parts();
        let Proof(admin) = Proof::from_request_parts(&mut parts, shared).await?;
        let bad = || page::problem(StatusCode::BAD_REQUEST, &page::BAD_FORM);
        let body = axum::body::to_bytes(body, MOST_FORM).await.map_err(|_| bad())?;
        let token = url::form_urlencoded::parse(&body).find(|(name, _)| name == "token");
        let token = token.map(|(_, token)| token.into_owned()).ok_or_else(foreign)?;
        let Ok(client) = Client::from_request_parts(&mut parts, shared).await;
        shared.check_form(&admin, &parts, &token).inspect_err(|_| {
            shared.note(&client, &admin, Event::Refusal, Outcome::Refused, "a form of another page");
        })?;
        let request = Request::from_parts(parts, axum::body::Body::from(body));
        let axum::Form(fields) = axum::Form::from_request(request, shared).await.map_err(|_| bad())?;
        Ok(Self(admin, fields))
    }
}

fn foreign() -> Page {
    page::problem(StatusCode::FORBIDDEN, &page::FOREIGN_FORM)
}

impl Shared {
    /// What forms of this session carry; the same in every process and after a restart.
    pub fn form_token(&self, admin: &Admin) -> String {
        URL_SAFE_NO_PAD.encode(self.form_key.hash(&[b"form", &admin.session]))
    }

    /// Refuses a change that was not asked for by a form of ours.
    fn check_form(&self, admin: &Admin, parts: &Parts, token: &str) -> Result<(), Page> {
        let ours = equal_in_constant_time(token.as_bytes(), self.form_token(admin).as_bytes());
        // Every browser since 2020 sends `Origin` with a POST; one that says nothing is not believed.
        if ours && Sender::of(&parts.headers, &parts.uri, None) == Sender::SameOrigin {
            return Ok(());
        }
        Err(foreign())
    }
}
