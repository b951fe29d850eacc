//! The pages below `/admin/exchange`: what the mail connection does, connecting it, looking into it.
//!
//! Server-rendered; one small script adds comforts and is needed by none of them. Trusts the admin guard's proof in the request and nothing else
//! of the browser; a helpdesk session is never read here.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::routing::{get, post};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::ACCEPT_LANGUAGE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tracing::error;
use url::Url;

use crate::base::audit::Audit;
use crate::base::clock::Clock;
use crate::base::journal::Journal;
use crate::base::report::Report;
use crate::base::secret::SecretString;
use crate::base::wake::Wake;
use crate::config::origins::Origins;
use crate::console::page::Writing;
use crate::console::shared::Shared;
use crate::mailbox::Mailbox;
use crate::mailbox::detect::Detector;
use crate::mailbox::settings::Provider;
use crate::store::seal::Sealer;
use crate::store::{MailboxRow, Store};
use crate::token::install::InstallSecret;
use crate::token::keeper::Keeper;
use crate::token::registrations::Registrations;
use crate::web::answer::short;
use crate::web::call::HttpCall;
use crate::web::local::{LocalService, admin};
use crate::web::own::is_api;

mod advice;
mod anew;
mod api;
mod apps;
mod asked;
mod assets;
mod callback;
mod checks;
mod complete;
mod connect;
mod connected;
mod consent;
mod diagnostics;
mod events;
mod facts;
mod findings;
mod form;
mod frame;
mod guard;
mod journal;
mod lacking;
mod language;
mod limits;
mod mailbox_settings;
mod manage;
mod overview;
mod page;
mod quarantine;
mod queues;
mod reading;
mod reasons;
mod settings_form;
mod shared;
mod times;
mod wizard;

pub use advice::{in_english, reason_in_english};
pub use api::document;
pub use manage::end_subscription;
pub use settings_form::Fixed;

/// The console's place; everything of it lies here or below.
pub const PATH: &str = "/admin/exchange";

/// Makes the mailbox of a row, for "Test the connection".
pub type MailboxFactory = Arc<dyn Fn(&MailboxRow) -> Option<Arc<dyn Mailbox>> + Send + Sync>;

/// Makes a mailbox of a row that is not stored, with a password that is not kept.
pub type TrialFactory = Arc<dyn Fn(&MailboxRow, SecretString) -> Option<Arc<dyn Mailbox>> + Send + Sync>;

/// Looks at everything from the inside: a line for each thing found, in English.
pub type Examination = Arc<dyn Fn() -> BoxFuture<'static, Vec<String>> + Send + Sync>;

/// Everything the console stands on.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub sealer: Arc<Sealer>,
    pub secret: InstallSecret,
    /// For the identity provider and Graph.
    pub http: Arc<dyn HttpCall>,
    pub clock: Arc<dyn Clock>,
    /// What is registered at providers, and where it is entered.
    pub registrations: Arc<Registrations>,
    pub keeper: Arc<Keeper>,
    /// Origin the browser uses; without it nothing can be connected.
    pub public_url: Option<Url>,
    /// `EXCHANGE_FROM_EMAIL`: the only account that may be connected, when set.
    pub from_address: Option<String>,
    /// What of a mailbox's settings the configuration decides.
    pub fixed: Fixed,
    /// Where the configuration says what is shown.
    pub origins: Origins,
    pub detect: Arc<Detector>,
    /// Whether the worker's desk user is configured.
    pub bot_configured: bool,
    pub mailboxes: MailboxFactory,
    /// For tests of servers that are only being entered.
    pub trials: TrialFactory,
    /// Rung when the worker has something new to do.
    pub worker: Wake,
    pub audit: Audit,
    /// The last lines of the mail log.
    pub journal: Journal,
    /// What the operator has configured, name and value, for the diagnostics; no secret.
    pub facts: Vec<(String, String)>,
    /// A look at the whole installation, for the diagnostics.
    pub examine: Examination,
}

/// The console as a service in the process.
pub struct Console {
    router: Router,
    shared: Arc<Shared>,
}

impl Console {
    pub fn new(parts: Parts) -> Self {
        let shared = Arc::new(Shared::new(parts));
        Self { router: router(Arc::clone(&shared)), shared }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let only_get = || async { page::problem(StatusCode::METHOD_NOT_ALLOWED, &page::METHOD) };
    Router::new()
        .route("/admin/exchange", get(overview::show))
        .route("/admin/exchange/connect", post(connect::start))
        // axum answers HEAD by the GET handler; that would consume what a link preview only looked at.
        .route("/admin/exchange/callback", get(callback::park).head(only_get))
        .route("/admin/exchange/complete", get(complete::finish).head(only_get))
        .route("/admin/exchange/mailboxes/{id}/connect", post(connect::again))
        .route(
            "/admin/exchange/mailboxes/{id}/disconnect",
            get(manage::confirm_disconnect).post(manage::disconnect),
        )
        .route("/admin/exchange/mailboxes/{id}/test", post(manage::test))
        .route(
            "/admin/exchange/mailboxes/{id}/settings",
            get(mailbox_settings::show).post(mailbox_settings::submit),
        )
        .route("/admin/exchange/assets/{name}", get(assets::show))
        .merge(api::router())
        .merge(apps::router())
        .route("/admin/exchange/events", get(events::show))
        .route("/admin/exchange/log", get(journal::show))
        .route("/admin/exchange/diagnostics", get(diagnostics::show))
        .route("/admin/exchange/diagnostics.txt", get(diagnostics::download))
        .merge(quarantine::router())
        .merge(queues::router())
        .merge(wizard::router())
        .fallback(|| async { page::problem(StatusCode::NOT_FOUND, &page::NOT_FOUND) })
        .method_not_allowed_fallback(only_get)
        .with_state(shared)
}

#[async_trait]
impl LocalService for Console {
    async fn answer(&self, mut request: Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path().to_owned();
        let onward = if request.method() == Method::POST { anew::page_of(&path) } else { None };
        let desk = admin(request.extensions()).map(|admin| admin.language.as_str());
        let accept = request.headers().get(ACCEPT_LANGUAGE).and_then(|line| line.to_str().ok());
        let t = Arc::clone(self.shared.languages.pick(desk, accept));
        request.extensions_mut().insert(Arc::clone(&t));
        if !assets::are(&path)
            && let Err(failure) = self.shared.parts.registrations.look().await
        {
            // The pages tell that the store is silent.
            error!(error = %Report(&failure), "the registrations at providers cannot be read");
        }
        let Ok(answer) = self.router.clone().oneshot(request.map(axum::body::Body::from)).await;
        let client_id = self.shared.client_id(Provider::Microsoft);
        let client_id = client_id.as_deref();
        let answer = page::finish(answer, Writing { t: &t, as_json: is_api(&path), client_id, onward });
        let (head, body) = answer.into_parts();
        match body.collect().await {
            Ok(whole) => Response::from_parts(head, whole.to_bytes()),
            Err(failure) => {
                error!(error = %failure, "a console page could not be written");
                short(StatusCode::INTERNAL_SERVER_ERROR, &path, "The page could not be written.")
            }
        }
    }
}
