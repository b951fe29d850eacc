//! What mails brought, for people: below `/mail-files` each mail of a ticket with its files, its page made
//! harmless, and its bytes as they came.
//!
//! Agents see every mail, a customer who signs in those of tickets with his own address. Who somebody is and
//! whose a ticket is, the desk says at every request. How a mail became a ticket is not known here.

mod headers;
mod link;
mod pages;
mod reading;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ALLOW, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::error;

use self::link::{Place, Wanted};
use crate::base::audit::{Audit, Event, Outcome, Record};
use crate::base::report::Report;
use crate::desk::caller::Caller;
use crate::desk::reader::{NotReadable, Readers};
use crate::store::{InboundRow, Store, StoreError};
use crate::web::answer::{Answer, Link, Said, page, short, wants_page};
use crate::web::local::{LocalService, Origin};

/// Mails read at once: each may be as large as the largest that is accepted.
const AT_ONCE: usize = 2;
/// Questions to the desk at once, whose answers may be as large as what the desk has about somebody.
const ASKED_AT_ONCE: usize = 8;
/// How long a request waits for its turn to ask.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything this stands on.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub readers: Readers,
    pub audit: Audit,
    /// Bytes of the largest mail that is accepted.
    pub max_size: usize,
}

/// The files of mails, as a service in the process.
pub struct MailFiles {
    parts: Parts,
    turns: Arc<Semaphore>,
    asking: Semaphore,
}

/// Why there is something else than what was asked for.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the method is none of GET and HEAD")]
    Method,
    #[error(transparent)]
    NotReadable(#[from] NotReadable),
    #[error("there is no such mail or file")]
    Absent,
    #[error("the mail or the file is not kept")]
    Gone,
    #[error("the store cannot be read")]
    Store(#[from] StoreError),
    #[error("the mail cannot be shown")]
    Unreadable,
    #[error("too many others are asking")]
    Busy,
}

impl MailFiles {
    pub fn new(parts: Parts) -> Self {
        Self { parts, turns: Arc::new(Semaphore::new(AT_ONCE)), asking: Semaphore::new(ASKED_AT_ONCE) }
    }

    async fn find(&self, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Refusal::Method);
        }
        let client = request.extensions().get::<Origin>().ok_or(NotReadable::Anonymous)?.client;
        let caller = Caller::of(request.headers(), client).map_err(|_| NotReadable::Anonymous)?;
        let (row, wanted) = self.readable(&caller, request.uri().path()).await?;
        self.show(&row, &wanted).await
    }

    /// The mail of that path, and what of it is wanted, if the desk says that the caller may read it.
    async fn readable(&self, caller: &Caller, path: &str) -> Result<(InboundRow, Wanted), Refusal> {
        let turn = timeout(PATIENCE, self.asking.acquire()).await.map_err(|_| Refusal::Busy)?;
        let _turn = turn.expect("the semaphore is never closed");
        let reader = self.parts.readers.reader(caller).await?;
        // Which mails there are is an agent's knowledge.
        let absent = if reader.is_agent() { Refusal::Absent } else { NotReadable::Forbidden.into() };
        let Some(Place { mail, wanted }) = Place::of(path) else { return Err(absent) };
        let row = self.parts.store.inbound(mail).await?;
        let Some((row, ticket)) = row.and_then(|row| row.ticket.clone().map(|ticket| (row, ticket))) else {
            return Err(absent);
        };
        self.parts.readers.check(caller, &reader, &ticket).await?;
        Ok((row, wanted))
    }

    async fn show(&self, row: &InboundRow, wanted: &Wanted) -> Result<Answer, Refusal> {
        let turn = self.turns.clone().acquire_owned().await.expect("the semaphore is never closed");
        match wanted {
            Wanted::Mail => self.mail(row, turn).await,
            Wanted::Page => self.page(row, turn).await,
            Wanted::Original => {
                let raw = self.raw(row).await?;
                Ok(headers::download(raw, &format!("mail-{}.eml", row.id), "message/rfc822"))
            }
            Wanted::File { position, name } => self.file(row, *position, name).await,
        }
    }

    async fn file(&self, row: &InboundRow, position: u32, name: &str) -> Result<Answer, Refusal> {
        let files = self.parts.store.files_of(row.id).await?;
        let file = files.into_iter().find(|file| file.position == position);
        let file = file.filter(|file| link::name(&file.name) == name).ok_or(Refusal::Absent)?;
        let digest = file.digest.ok_or(Refusal::Gone)?;
        let bytes = self.parts.store.file_bytes(&digest).await?.ok_or(Refusal::Gone)?;
        Ok(headers::file(bytes, &file.name))
    }

    async fn raw(&self, row: &InboundRow) -> Result<Vec<u8>, Refusal> {
        self.parts.store.inbound_raw(row.id).await?.filter(|raw| !raw.is_empty()).ok_or(Refusal::Gone)
    }

    fn refuse(&self, refusal: &Refusal, request: &Request<Bytes>) -> Answer {
        if let Refusal::NotReadable(NotReadable::Forbidden) = refusal {
            let record = Record::new(Event::Refusal, Outcome::Refused, "a mail of somebody else's ticket");
            let client = request.extensions().get::<Origin>().map(|origin| origin.client);
            self.parts.audit.record(Record { client, ..record });
        }
        if let Refusal::Store(failure) = refusal {
            error!(error = %Report(failure), "a mail's files could not be read");
        }
        answer(refusal, request)
    }
}

#[async_trait]
impl LocalService for MailFiles {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        match self.find(&request).await {
            Ok(answer) => answer,
            Err(refusal) => self.refuse(&refusal, &request),
        }
    }
}

fn answer(refusal: &Refusal, request: &Request<Bytes>) -> Answer {
    let home = Link { href: "/", label: "Back to the helpdesk" };
    let (status, title, sentence, link) = match refusal {
        Refusal::Method => {
            (StatusCode::METHOD_NOT_ALLOWED, "Not allowed", "Mails can only be read here.", home)
        }
        Refusal::NotReadable(NotReadable::Anonymous) => (
            StatusCode::UNAUTHORIZED,
            "Please sign in",
            "Sign in to the helpdesk first, then open the link again.",
            Link { href: "/auth/login", label: "Sign in" },
        ),
        Refusal::NotReadable(NotReadable::Forbidden) => {
            (StatusCode::FORBIDDEN, "Not allowed", "This mail belongs to somebody else's ticket.", home)
        }
        Refusal::Absent | Refusal::NotReadable(NotReadable::NoTicket) => {
            (StatusCode::NOT_FOUND, "Not found", "There is no such mail or file.", home)
        }
        Refusal::Gone => (StatusCode::GONE, "Not kept", "This is not kept any more, or was too large.", home),
        Refusal::NotReadable(NotReadable::DeskDown) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Helpdesk not reachable",
            "The helpdesk cannot say right now who may read this. Try again in a moment.",
            home,
        ),
        Refusal::Store(_) | Refusal::Busy => {
            (StatusCode::SERVICE_UNAVAILABLE, "Not available", "Mails cannot be read right now.", home)
        }
        Refusal::Unreadable => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Cannot be shown",
            "This mail cannot be shown as a page; its text and its bytes can be had.",
            home,
        ),
    };
    let mut answer = match wants_page(request.headers()) {
        true => page(status, &Said { language: "en", title, sentence, link: Some(link) }),
        false => short(status, request.uri().path(), sentence),
    };
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        _ => {}
    }
    answer
}
