//! Tickets and their comments: open, find, read, comment, reopen.

use std::ops::ControlFlow;

use http::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::stream::Shape;
use super::{Desk, DeskError, parsed};
use crate::base::clock::Timestamp;
use crate::web::call::CallError;

const LISTING: &str = "list its tickets";

/// `/tickets/all` has no paging, and carries what every mail said.
const LIST: Shape = Shape { list: "tickets", depth: 1, longest: 2048, longest_around: 64, limit: 2 << 30 };
const LIST_PATH: &str = "/api/v1/tickets/all";

/// A ticket with all its comments; the desk takes none of more than 1 MiB.
const TICKET: Shape =
    Shape { list: "comments", depth: 2, longest: 2 << 20, longest_around: 8192, limit: 1 << 30 };

/// Of what persons wrote on a ticket, in bytes.
const MOST_TEXT: usize = 32 << 20;
/// Of a comment of the bot, which is a mail: enough for its head line.
const BOTS_TEXT: usize = 4096;

/// A ticket to open.
#[derive(Clone, PartialEq)]
pub struct NewTicket {
    /// The requester.
    pub name: String,
    pub email: String,
    pub title: String,
    /// An array of BlockNote blocks; a string would be shown with its quotes.
    pub detail: Value,
    /// Stored as `createdBy.role`, unique per mail: finds the ticket again when the answer was lost.
    pub marker: String,
}

/// A ticket as the desk shows it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketView {
    pub id: String,
    /// The number people see.
    pub number: i64,
    pub title: String,
    pub closed: bool,
    /// Oldest first.
    pub comments: Vec<Comment>,
    /// As in the desk's list.
    pub line: TicketLine,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub id: String,
    pub text: String,
    /// Meant for the requester.
    pub public: bool,
    /// Came from the requester, by the desk's own mail.
    pub reply: bool,
    /// `None` for comments of nobody who signs in.
    pub user_id: Option<String>,
    pub user_name: String,
    pub created_at: Timestamp,
}

/// A line of the desk's list, without the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketLine {
    pub id: String,
    pub title: String,
    /// The requester, as far as the desk knows one.
    pub name: String,
    pub email: String,
    pub closed: bool,
    /// The number people see.
    pub number: Option<i64>,
    pub created_at: Timestamp,
    /// Desk user that made it, where one did.
    pub creator: Option<String>,
}

#[derive(Deserialize)]
struct CreateReply {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedTicket {
    id: String,
    created_by: Option<CreatedBy>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    is_complete: bool,
    #[serde(default, rename = "Number")]
    number: Option<i64>,
    #[serde(default)]
    created_at: String,
}

#[derive(Deserialize)]
struct CreatedBy {
    id: Option<String>,
    role: Option<String>,
}

/// What stands around the comments.
#[derive(Deserialize)]
struct TicketReply {
    ticket: ListedTicket,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireComment {
    id: String,
    text: String,
    public: bool,
    reply: bool,
    user_id: Option<String>,
    user: Option<WireUser>,
    created_at: String,
}

#[derive(Deserialize)]
struct WireUser {
    name: Option<String>,
}

impl Desk {
    /// Opens a ticket; its id.
    pub async fn create_ticket(&self, ticket: &NewTicket) -> Result<String, DeskError> {
        const WHAT: &str = "open a ticket";
        let bot = self.bot_user().await?;
        let body = json!({
            "name": ticket.name,
            "email": ticket.email,
            "title": ticket.title,
            "detail": ticket.detail,
            "priority": "low",
            "type": "support",
            "createdBy": {"id": bot.id, "name": bot.name, "role": ticket.marker, "email": bot.email},
        });
        let reply: CreateReply = self.write(WHAT, Method::POST, "/api/v1/ticket/create", &body).await?;
        checked(WHAT, reply.id)
    }

    /// The ticket that was opened with this marker, if there is one.
    pub async fn find_by_marker(&self, marker: &str) -> Result<Option<String>, DeskError> {
        let found = self.find(|ticket| ticket.is_marked(marker)).await?;
        found.map(|ticket| checked(LISTING, ticket.id)).transpose()
    }

    async fn find(
        &self,
        is_meant: impl Fn(&ListedTicket) -> bool + Send + Sync,
    ) -> Result<Option<ListedTicket>, DeskError> {
        let mut found = None;
        self.read_list(LISTING, LIST_PATH, LIST, &mut |item| {
            let ticket = parsed(LISTING, item)?;
            if is_meant(&ticket) {
                found = Some(ticket);
                return Ok(ControlFlow::Break(()));
            }
            Ok(ControlFlow::Continue(()))
        })
        .await?;
        Ok(found)
    }

    /// Every ticket; those whose time of making cannot be read are left out.
    pub async fn tickets(&self) -> Result<Vec<TicketLine>, DeskError> {
        let mut lines = Vec::new();
        self.read_list(LISTING, LIST_PATH, LIST, &mut |item| {
            lines.extend(parsed::<ListedTicket>(LISTING, item)?.line());
            Ok(ControlFlow::Continue(()))
        })
        .await?;
        Ok(lines)
    }

    /// Adds a comment. The desk answers without its id. `public` comments of the bot would be mailed
    /// to the requester by a desk with a mail provider of its own.
    pub async fn comment(&self, ticket: &str, text: &str, public: bool) -> Result<(), DeskError> {
        let body = json!({"id": ticket, "text": text, "public": public});
        self.write::<IgnoredAny>("add a comment", Method::POST, "/api/v1/ticket/comment", &body)
            .await
            .map(|_| ())
    }

    /// Opens a closed ticket again; its workflow status stays.
    pub async fn reopen(&self, ticket: &str) -> Result<(), DeskError> {
        let body = json!({"id": ticket, "status": false});
        self.write::<IgnoredAny>("reopen a ticket", Method::PUT, "/api/v1/ticket/status/update", &body)
            .await
            .map(|_| ())
    }

    /// The ticket now, or `None` when it is gone. The desk answers 500 for an unknown id, so its list
    /// tells whether a 500 was about the ticket or about the desk.
    pub async fn ticket(&self, id: &str) -> Result<Option<TicketView>, DeskError> {
        const WHAT: &str = "show a ticket";
        let id = checked(WHAT, id.to_owned())?;
        match self.read_ticket(WHAT, &id).await {
            Ok(view) => Ok(Some(view)),
            Err(error @ DeskError::Refused { status: 500, .. }) => {
                if self.lists(&id).await? {
                    Err(error)
                } else {
                    Ok(None)
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn read_ticket(&self, what: &'static str, id: &str) -> Result<TicketView, DeskError> {
        let bot = self.bot_user().await?.id;
        let unreadable = || DeskError::Garbled { what, source: None };
        let (mut comments, mut size) = (Vec::new(), 0);
        let path = format!("/api/v1/ticket/{id}");
        let mut take = |item: &[u8]| {
            let mut comment = parsed::<WireComment>(what, item)?.view().ok_or_else(unreadable)?;
            if comment.user_id.as_deref() == Some(bot.as_str()) {
                shorten(&mut comment.text, BOTS_TEXT);
            }
            size += comment.text.len();
            comments.push(comment);
            if size <= MOST_TEXT {
                return Ok(ControlFlow::Continue(()));
            }
            let host = self.api_url.host_str().unwrap_or_default().to_owned();
            Err(DeskError::Call { what, source: CallError::TooLarge { host, limit: MOST_TEXT } })
        };
        let around = self.read_list(what, &path, TICKET, &mut take).await?;
        let reply: TicketReply = parsed(what, &around)?;
        reply.ticket.view(comments).ok_or_else(unreadable)
    }

    async fn lists(&self, id: &str) -> Result<bool, DeskError> {
        Ok(self.find(|ticket| ticket.id == id).await?.is_some())
    }
}

impl ListedTicket {
    fn line(self) -> Option<TicketLine> {
        Some(TicketLine {
            created_at: Timestamp::parse_rfc3339(&self.created_at)?,
            id: checked(LISTING, self.id).ok()?,
            title: self.title.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
            email: self.email.unwrap_or_default(),
            closed: self.is_complete,
            number: self.number,
            creator: self.created_by.and_then(|by| by.id),
        })
    }

    /// `None` without a number, or when its time cannot be read.
    fn view(self, mut comments: Vec<Comment>) -> Option<TicketView> {
        comments.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        let line = self.line()?;
        Some(TicketView {
            id: line.id.clone(),
            number: line.number?,
            title: line.title.clone(),
            closed: line.closed,
            comments,
            line,
        })
    }

    fn is_marked(&self, marker: &str) -> bool {
        self.created_by.as_ref().and_then(|by| by.role.as_deref()) == Some(marker)
    }
}

impl WireComment {
    fn view(self) -> Option<Comment> {
        Some(Comment {
            created_at: Timestamp::parse_rfc3339(&self.created_at)?,
            id: self.id,
            text: self.text,
            public: self.public,
            reply: self.reply,
            user_id: self.user_id,
            user_name: self.user.and_then(|user| user.name).unwrap_or_default(),
        })
    }
}

fn shorten(text: &mut String, most: usize) {
    let end = (0..=most.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.truncate(end);
}

/// An id that may stand in a path: the desk's are UUIDs.
fn checked(what: &'static str, id: String) -> Result<String, DeskError> {
    let plain =
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain { Ok(id) } else { Err(DeskError::Garbled { what, source: None }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(json: &str) -> Comment {
        parsed::<WireComment>("show a ticket", json.as_bytes())
            .ok()
            .and_then(WireComment::view)
            .expect("a comment")
    }

    #[test]
    fn comments_come_oldest_first_with_who_made_them() {
        let by_mail = comment(
            r#"{"id":"b","createdAt":"2026-11-21T00:10:13.991Z","text":"it is a Logitech\n","public":true,"reply":true,
            "replyEmail":"bob@customer.example","userId":null,"ticketId":"380fe5f0","user":null}"#,
        );
        let note = comment(
            r#"{"id":"a","createdAt":"2026-11-21T00:05:59.765Z","text":"internal note","public":false,"reply":false,
            "replyEmail":null,"userId":"d825","ticketId":"380fe5f0","user":{"name":"Agent Smith"}}"#,
        );
        let around = br#"{"ticket":{"id":"380fe5f0","createdAt":"2026-11-21T00:23:03.336Z","title":"Printer smokes",
            "isComplete":false,"Number":10,"status":"done","createdBy":{"id":"8c20","role":"mail"},"comments":[],
            "TimeTracking":[],"files":[]},"sucess":true}"#;
        let reply: TicketReply = parsed("show a ticket", around).expect("an answer of the desk");
        let comments = reply.ticket.view(vec![by_mail, note]).expect("readable times").comments;
        let told: Vec<_> = comments.iter().map(|c| (c.id.as_str(), c.user_id.as_deref(), c.reply)).collect();
        assert_eq!(told, [("a", Some("d825"), false), ("b", None, true)]);
        assert_eq!(comments[0].user_name, "Agent Smith");
    }

    #[test]
    fn a_marker_is_found_whatever_the_other_tickets_lack() {
        let tickets = [
            r#"{"id":"1","createdBy":null}"#,
            r#"{"id":"2","createdBy":{"id":"x","name":"A"}}"#,
            r#"{"id":"3","createdBy":{"id":"x","name":"A","role":"mail:77"}}"#,
        ];
        let parse = |json: &&str| parsed::<ListedTicket>(LISTING, json.as_bytes()).expect("a ticket");
        let found: Vec<_> =
            tickets.iter().map(parse).filter(|t| t.is_marked("mail:77")).map(|t| t.id).collect();
        assert_eq!(found, ["3"]);
    }

    #[test]
    fn a_text_is_shortened_between_letters() {
        for (most, wanted) in [(0, ""), (1, "a"), (2, "a"), (3, "a\u{e4}"), (9, "a\u{e4}b")] {
            let mut text = "a\u{e4}b".to_owned();
            shorten(&mut text, most);
            assert_eq!(text, wanted);
        }
    }

    #[test]
    fn an_id_that_could_leave_its_path_segment_is_refused() {
        for id in ["", "..", "a/b", "a?b", "%2e"] {
            assert!(checked("show a ticket", id.to_owned()).is_err(), "{id}");
        }
    }
}
