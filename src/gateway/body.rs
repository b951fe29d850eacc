//! The whole body of a request that the gateway answers itself: bounded in size, in time, and in what all such
//! bodies together hold. Who answers is not known here.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{EXPECT, HeaderValue, RETRY_AFTER};
use pingora::ErrorType;
use pingora::proxy::Session;
use tokio::time::timeout;

use super::budget::{Budget, Room};
use crate::web::answer::{Answer, short};

/// What may be held at once. Two accounts, so that strangers cannot take the administrators' room.
#[derive(Debug, Default)]
pub struct Bodies {
    pub strangers: Arc<Budget>,
    pub admins: Arc<Budget>,
}

/// How much of a body is waited for, how long, and on whose account.
#[derive(Debug)]
pub struct Terms {
    /// Bytes. With zero nothing is read, whatever the client sends.
    pub most: usize,
    pub patience: Duration,
    pub client: IpAddr,
}

/// A whole body, and the room it takes up.
#[derive(Debug)]
pub struct Collected {
    pub bytes: Bytes,
    pub room: Room,
}

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    TooLarge,
    TooSlow,
    /// Too many are held already.
    NoRoom,
}

impl Unread {
    pub fn answer(self, path: &str) -> Answer {
        let (status, sentence) = match self {
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large."),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "The request took too long."),
            Self::NoRoom => (StatusCode::SERVICE_UNAVAILABLE, "Too many requests at once."),
        };
        let mut answer = short(status, path, sentence);
        if self == Self::NoRoom {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        answer
    }
}

/// Reads the body. Where it stays unread the connection carries no further request.
///
/// # Errors
/// When the client breaks off.
pub async fn collect(
    session: &mut Session,
    terms: &Terms,
    budget: &Arc<Budget>,
) -> pingora::Result<Result<Collected, Unread>> {
    let room = budget.room(terms.client);
    if session.is_body_empty() {
        return Ok(Ok(Collected { bytes: Bytes::new(), room }));
    }
    if terms.most == 0 {
        session.set_keepalive(None);
        return Ok(Ok(Collected { bytes: Bytes::new(), room }));
    }
    // pingora has no time limit for reading an HTTP/2 body, and for HTTP/1 only one for each read.
    let collected = match timeout(terms.patience, read(session, terms.most, room)).await {
        Ok(read) => read?,
        Err(_) => Err(Unread::TooSlow),
    };
    if collected.is_err() {
        session.set_keepalive(None);
    }
    Ok(collected)
}

async fn read(
    session: &mut Session,
    most: usize,
    mut room: Room,
) -> pingora::Result<Result<Collected, Unread>> {
    if session.req_header().headers.contains_key(EXPECT) {
        session.write_continue_response().await?;
    }
    let mut body = BytesMut::new();
    loop {
        let piece = match session.read_request_body().await {
            Ok(Some(piece)) => piece,
            Ok(None) => return Ok(Ok(Collected { bytes: body.freeze(), room })),
            Err(error) if *error.etype() == ErrorType::ReadTimedout => return Ok(Err(Unread::TooSlow)),
            Err(error) => return Err(error.into_down()),
        };
        if body.len() + piece.len() > most {
            return Ok(Err(Unread::TooLarge));
        }
        if !room.grow(piece.len()) {
            return Ok(Err(Unread::NoRoom));
        }
        body.extend_from_slice(&piece);
    }
}
