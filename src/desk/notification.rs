//! What the desk tells the bot: somebody did something to one of its tickets.
//!
//! The list is part of the bot's profile, newest first, and only grows; it is read as a stream and
//! left at the first one that is known.

use futures_util::StreamExt;
use http::StatusCode;
use serde::Deserialize;

use super::{Desk, DeskError};

const WHAT: &str = "show the bot's notifications";

/// At most this much of the list is read in one poll.
const READ_LIMIT: usize = 4 << 20;

/// A hint that a ticket changed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    pub id: String,
    pub ticket_id: Option<String>,
}

impl Desk {
    /// Notifications newer than `known`, newest first; without `known`, as many as fit in 4 MiB.
    pub async fn notifications(&self, known: Option<&str>) -> Result<Vec<Notification>, DeskError> {
        let session = self.session().await?;
        match self.notifications_as(&session, known).await {
            Err(DeskError::Refused { status: 401 | 500, .. }) => {
                let session = self.session_after(&session).await?;
                self.notifications_as(&session, known).await
            }
            other => other,
        }
    }

    async fn notifications_as(
        &self,
        session: &super::session::Session,
        known: Option<&str>,
    ) -> Result<Vec<Notification>, DeskError> {
        let call = |source| DeskError::Call { what: WHAT, source };
        let request = self.request(WHAT, session, "/api/v1/auth/profile")?;
        let (head, mut body) = self.http.open(request).await.map_err(call)?.into_parts();
        if head.status != StatusCode::OK {
            return Err(DeskError::Refused { what: WHAT, status: head.status.as_u16() });
        }
        let mut list = ListReader::default();
        let (mut found, mut read) = (Vec::new(), 0);
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(call)?;
            read += piece.len();
            for notification in list.feed(&piece)? {
                if known == Some(notification.id.as_str()) {
                    return Ok(found);
                }
                found.push(notification);
            }
            if list.ended || read > READ_LIMIT {
                return Ok(found);
            }
        }
        Err(DeskError::Garbled { what: WHAT, source: None })
    }
}

/// Cuts the objects of `user.notifcations` (sic) out of a profile as its bytes arrive.
#[derive(Default)]
struct ListReader {
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// The last text at the depth of the user's fields: the key, when a list opens.
    key: Vec<u8>,
    inside: bool,
    item: Vec<u8>,
    ended: bool,
}

/// Depth inside `{"user":{`.
const FIELDS: usize = 2;

impl ListReader {
    fn feed(&mut self, piece: &[u8]) -> Result<Vec<Notification>, DeskError> {
        let mut complete = Vec::new();
        for &byte in piece {
            if self.ended {
                break;
            }
            if self.inside && self.depth > FIELDS {
                self.item.push(byte);
            }
            if self.in_text {
                self.text(byte)
            } else {
                self.structure(byte)
            }
            if self.inside && self.depth == FIELDS + 1 && byte == b'}' && !self.in_text {
                complete.push(self.take_item()?);
            }
        }
        Ok(complete)
    }

    fn text(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_text = false,
            _ if self.depth == FIELDS && self.key.len() < 64 => self.key.push(byte),
            _ => {}
        }
    }

    fn structure(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.in_text = true;
                if self.depth == FIELDS {
                    self.key.clear();
                }
            }
            b'[' if self.depth == FIELDS && self.key == b"notifcations" => {
                self.inside = true;
                self.depth += 1;
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.ended = self.inside && self.depth == FIELDS;
            }
            _ => {}
        }
    }

    fn take_item(&mut self) -> Result<Notification, DeskError> {
        let item = std::mem::take(&mut self.item);
        let object = item.iter().position(|&byte| byte == b'{').map_or(&item[..], |start| &item[start..]);
        serde_json::from_slice(object)
            .map_err(|source| DeskError::Garbled { what: WHAT, source: Some(source) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = r##"{"user":{"id":"8c20","name":"\"notifcations\":[{","isAdmin":false,"roles":[{"a":[1]}],"notifcations":[
        {"id":"n2","createdAt":"2026-11-21T00:23:03.872Z","read":false,"text":"#10 \"}]\\","userId":"8c20","ticketId":"t1"},
        {"id":"n1","createdAt":"2026-11-21T00:23:03.848Z","read":true,"text":"x","userId":"8c20","ticketId":null}],
        "external_user":false}}"##;

    fn told(pieces: impl Iterator<Item = Vec<u8>>) -> (Vec<String>, bool) {
        let mut list = ListReader::default();
        let mut ids = Vec::new();
        for piece in pieces {
            ids.extend(list.feed(&piece).expect("an answer of the desk").into_iter().map(|n| n.id));
        }
        (ids, list.ended)
    }

    #[test]
    fn notifications_are_read_wherever_the_stream_is_cut() {
        let all = (vec!["n2".to_owned(), "n1".to_owned()], true);
        assert_eq!(told(PROFILE.bytes().map(|byte| vec![byte])), all);
        for at in 0..PROFILE.len() {
            let (head, tail) = PROFILE.as_bytes().split_at(at);
            assert_eq!(told([head.to_vec(), tail.to_vec()].into_iter()), all, "cut at {at}");
        }
    }

    #[test]
    fn an_empty_list_ends() {
        let profile = br#"{"user":{"id":"8c20","notifcations":[],"external_user":false}}"#;
        assert_eq!(told([profile.to_vec()].into_iter()), (vec![], true));
    }
}
