//! The lists: which direction, which standing, which mailbox; newest first, page by page.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::console::asked::{Asked, address};
use crate::console::facts::ticket_path;
use crate::console::frame::Frame;
use crate::console::page::Page;
use crate::console::queues::{PATH, path};
use crate::console::reasons::{Said, said};
use crate::console::shared::Shared;
use crate::console::times::Moment;
use crate::store::by_hand::{MailState, QueuedMail};
use crate::store::{
    InboundRow, InboundState, Listed, MailboxRow, OutboxRow, OutboxState, Standing, StoreError, Wanted,
};

/// Mails on a page.
const LISTED: u32 = 25;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

const WAYS: [(Way, &str); 2] = [(Way::In, "in"), (Way::Out, "out")];
const STANDINGS: [(Standing, &str); 3] =
    [(Standing::Waiting, "waiting"), (Standing::Failed, "failed"), (Standing::Done, "done")];

fn known<T: Copy>(table: &[(T, &str)], text: &str) -> Option<T> {
    table.iter().find(|(_, word)| *word == text).map(|(value, _)| *value)
}

/// A link above the list.
pub struct Choice {
    pub text: String,
    pub href: String,
    pub current: bool,
}

/// One mail of the list.
struct Line {
    name: String,
    href: String,
    /// Word of its state.
    state: &'static str,
    mailbox: String,
    since: Moment,
    tries: u64,
    next: Option<Moment>,
    /// The next try could be now.
    due: bool,
    ended: Option<Moment>,
    reason: Option<Said>,
    /// The ticket's page and id.
    ticket: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "queues/list.html")]
struct List {
    frame: Frame,
    kinds: Vec<Choice>,
    mailboxes: Vec<Choice>,
    lines: Vec<Line>,
    newest: Option<String>,
    older: Option<String>,
}

/// What the page is asked for.
struct Choices {
    way: Way,
    standing: Standing,
    mailbox: Option<MailboxId>,
    before: Option<i64>,
}

impl Choices {
    fn read(asked: &Asked) -> Result<Self, Page> {
        Ok(Self {
            way: asked.read("way", |text| known(&WAYS, text))?.unwrap_or(Way::In),
            standing: asked.read("state", |text| known(&STANDINGS, text))?.unwrap_or(Standing::Waiting),
            mailbox: asked.mailbox()?,
            before: asked.before()?,
        })
    }

    /// One more than is shown, to know whether there are older ones.
    fn wanted(&self) -> Wanted<'_> {
        let (mailbox, before) = (self.mailbox.as_ref(), self.before);
        Wanted { standing: self.standing, mailbox, before, limit: LISTED + 1 }
    }

    fn link(&self, way: Way, standing: Standing, mailbox: Option<&str>, before: Option<&str>) -> String {
        let way = WAYS.iter().find(|(one, _)| *one == way).map(|(_, word)| *word);
        let state = STANDINGS.iter().find(|(one, _)| *one == standing).map(|(_, word)| *word);
        address(PATH, &[("way", way), ("state", state), ("mailbox", mailbox), ("before", before)])
    }

    fn own_mailbox(&self) -> Option<&str> {
        self.mailbox.as_ref().map(MailboxId::as_str)
    }
}

/// GET `/admin/exchange/queues?way=&state=&mailbox=&before=`.
pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame, asked: Asked) -> Result<Page, Page> {
    let choices = Choices::read(&asked)?;
    let rows = shared.parts.store.mailboxes().await.map_err(|failure| Shared::broken(&failure))?;
    let found = lines(&shared, &choices, &rows, &frame).await.map_err(|failure| Shared::broken(&failure))?;
    let (ids, mut lines): (Vec<i64>, Vec<Line>) = found.into_iter().unzip();
    let more = lines.len() > LISTED as usize;
    lines.truncate(LISTED as usize);
    let last = more.then(|| ids[LISTED as usize - 1].to_string());
    let here =
        |before: Option<&str>| choices.link(choices.way, choices.standing, choices.own_mailbox(), before);
    let page = List {
        kinds: kinds(&choices, &frame),
        mailboxes: mailboxes(&choices, &rows, &frame),
        lines,
        newest: choices.before.map(|_| here(None)),
        older: last.map(|last| here(Some(&last))),
        frame,
    };
    Ok(Page::console(StatusCode::OK, &page))
}

/// Direction and standing, each with how many there are where that is known at once.
fn kinds(choices: &Choices, frame: &Frame) -> Vec<Choice> {
    let counts = &frame.counts;
    let table = [
        (Way::In, Standing::Waiting, "list-in-waiting", Some(counts.inbound)),
        (Way::In, Standing::Failed, "list-in-failed", Some(counts.quarantined)),
        (Way::In, Standing::Done, "list-in-done", None),
        (Way::Out, Standing::Waiting, "list-out-waiting", Some(counts.outgoing)),
        (Way::Out, Standing::Failed, "list-out-failed", Some(counts.failed)),
        (Way::Out, Standing::Done, "list-out-done", None),
    ];
    let choice = |(way, standing, key, count): (Way, Standing, &str, Option<u64>)| Choice {
        text: match count {
            Some(count) => format!("{} ({count})", frame.t.say(key)),
            None => frame.t.say(key).to_string(),
        },
        href: choices.link(way, standing, choices.own_mailbox(), None),
        current: (way, standing) == (choices.way, choices.standing),
    };
    table.into_iter().map(choice).collect()
}

fn mailboxes(choices: &Choices, rows: &[MailboxRow], frame: &Frame) -> Vec<Choice> {
    // One mailbox is no choice, unless another was asked for.
    if rows.len() < 2 && choices.mailbox.is_none() {
        return Vec::new();
    }
    let link = |mailbox: Option<&str>| choices.link(choices.way, choices.standing, mailbox, None);
    let every = Choice {
        text: frame.t.say("every-mailbox").to_string(),
        href: link(None),
        current: choices.mailbox.is_none(),
    };
    let each = rows.iter().map(|row| Choice {
        text: row.address.clone(),
        href: link(Some(row.id.as_str())),
        current: choices.mailbox.as_ref() == Some(&row.id),
    });
    std::iter::once(every).chain(each).collect()
}

async fn lines(
    shared: &Shared,
    choices: &Choices,
    rows: &[MailboxRow],
    frame: &Frame,
) -> Result<Vec<(i64, Line)>, StoreError> {
    let (store, wanted) = (&shared.parts.store, choices.wanted());
    let made = match choices.way {
        Way::In => {
            let found = store.inbound_page(&wanted).await?;
            found.iter().map(|one| (one.row.id, inbound(one, rows, frame))).collect()
        }
        Way::Out => {
            let found = store.outgoing_page(&wanted).await?;
            found.iter().map(|one| (one.row.id, outgoing(one, rows, frame))).collect()
        }
    };
    Ok(made)
}

fn inbound(listed: &Listed<InboundRow>, rows: &[MailboxRow], frame: &Frame) -> Line {
    let row = &listed.row;
    let waits = matches!(row.state, InboundState::New | InboundState::Intent);
    Line {
        ticket: row.ticket.as_deref().map(ticket_link),
        ..line(
            QueuedMail::In(row.id),
            MailState::In(row.state),
            address_of(&row.mailbox, rows),
            (row.received_at, waits.then_some(row.next_try_at), listed.ended_at),
            (row.attempts, row.reason.clone()),
            frame,
        )
    }
}

fn outgoing(listed: &Listed<OutboxRow>, rows: &[MailboxRow], frame: &Frame) -> Line {
    let row = &listed.row;
    let waits = matches!(row.state, OutboxState::Queued | OutboxState::Sending);
    Line {
        ticket: Some(ticket_link(&row.ticket)),
        ..line(
            QueuedMail::Out(row.id),
            MailState::Out(row.state),
            address_of(&row.mailbox, rows),
            (row.created_at, waits.then_some(row.next_try_at), listed.ended_at),
            (row.attempts, row.reason.clone()),
            frame,
        )
    }
}

fn line(
    mail: QueuedMail,
    state: MailState,
    mailbox: String,
    (since, next, ended): (Timestamp, Option<Timestamp>, Option<Timestamp>),
    (tries, reason): (u32, Option<String>),
    frame: &Frame,
) -> Line {
    Line {
        name: mail.to_string(),
        href: path(mail),
        state: state.word(),
        mailbox,
        since: frame.moment(since),
        tries: tries.into(),
        next: next.map(|at| frame.moment(at)),
        due: next.is_some_and(|at| at <= frame.now),
        ended: ended.map(|at| frame.moment(at)),
        reason: reason.map(|reason| said(&reason, &frame.t)),
        ticket: None,
    }
}

fn ticket_link(ticket: &str) -> (String, String) {
    (ticket_path(ticket), ticket.to_owned())
}

/// The address of a mailbox; its id once it is disconnected.
pub fn address_of(id: &MailboxId, rows: &[MailboxRow]) -> String {
    let known = rows.iter().find(|row| row.id == *id);
    known.map_or_else(|| id.to_string(), |row| row.address.clone())
}
