//! One page of the desk, read whole so that its policy can go before it.
//!
//! What is too much for that is left to the way that streams.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

use super::console_link::ConsoleLink;
use super::{Policies, is_document};
use crate::base::report::Report;
use crate::middleware::session_shield::{DeskError, DeskSide, Side, withhold};
use crate::web::answer::Answer;
use crate::web::call::CallError;
use crate::web::exchange::Exchange;
use crate::web::local::{LocalService, Unanswered};

/// One request for a page.
pub(super) struct Page {
    pub(super) desk: Arc<DeskSide>,
    pub(super) policies: Arc<Policies>,
    pub(super) link: Option<Arc<ConsoleLink>>,
    pub(super) exchange: Exchange,
}

#[async_trait]
impl LocalService for Page {
    async fn answer(&self, mut request: Request<Bytes>) -> Response<Bytes> {
        // The page is the same for everybody, and has to be: what it holds may run.
        withhold(&mut request);
        // The path as it was sent: the desk reads the language from it.
        let path = request.uri().path().to_owned();
        match self.desk.ask(Side::Client, &request, &path, &self.exchange, None).await {
            Ok(mut page) if is_document(page.headers()) => {
                self.policies.finish(&mut page, self.link.as_deref());
                page
            }
            Ok(other) => other,
            Err(DeskError::Encoded | DeskError::Call(CallError::TooLarge { .. })) => unanswered(),
            Err(error) => {
                tracing::warn!(error = %Report(&error), "a page cannot be read");
                error.answer(self.exchange.path.text(&path))
            }
        }
    }
}

fn unanswered() -> Answer {
    let mut answer = Response::new(Bytes::new());
    answer.extensions_mut().insert(Unanswered);
    answer
}
