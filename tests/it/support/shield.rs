//! Middlewares outside an installation: what they are given where no session is ever begun and no desk asked.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use mintgate::base::audit::Audit;
use mintgate::base::clock::SystemClock;
use mintgate::base::secret::HashKey;
use mintgate::desk::admin::Admins;
use mintgate::middleware::Middleware;
use mintgate::middleware::login_brake::Attempts;
use mintgate::middleware::registry::{MiddlewareSpec, Parts};
use mintgate::middleware::session_shield::{DeskSide, Means, Sessions};
use mintgate::store::seal::{Sealer, SealingKey};
use mintgate::web::call::{BodyStream, CallError, HttpCall};
use mintgate::web::cookie::Hardening;
use url::Url;

/// Without a store, in front of the desk at `url`.
pub fn no_shield(http: Arc<dyn HttpCall>, url: &Url) -> Arc<Means> {
    let sealer = Arc::new(Sealer::new(SealingKey::random()));
    let sessions = Arc::new(Sessions::new(sealer, HashKey::random(), Arc::new(SystemClock)));
    let audit = Audit::new(Arc::new(SystemClock));
    Arc::new(Means { sessions, desk: Arc::new(DeskSide::new(http, url, url)), audit })
}

/// A desk that must not be asked.
struct NoDesk;

#[async_trait]
impl HttpCall for NoDesk {
    async fn open(&self, request: Request<Bytes>) -> Result<Response<BodyStream>, CallError> {
        panic!("the desk was asked for {}", request.uri())
    }
}

/// Compiles a middleware that asks nobody.
pub fn middleware(yaml: &str) -> Arc<dyn Middleware> {
    let url = "http://127.0.0.1:5003".parse().expect("a URL");
    let audit = Audit::new(Arc::new(SystemClock));
    let admins = Admins::new(Arc::new(NoDesk), &url, Arc::new(SystemClock), HashKey::random(), audit.clone());
    let parts = Parts {
        clock: Arc::new(SystemClock),
        attempts: Arc::new(Attempts::new(Arc::new(SystemClock))),
        admins: Arc::new(admins),
        cookies: Hardening::default(),
        dropped_cookies: Default::default(),
        shield: no_shield(Arc::new(NoDesk), &url),
        audit,
    };
    let spec: MiddlewareSpec = serde_yaml::from_str(yaml).expect(yaml);
    spec.compile(&parts).map(|compiled| compiled.runs).unwrap_or_else(|errors| panic!("{yaml}: {errors:?}"))
}
