//! What Graph remembers: mailboxes, their messages, the log of changes that delta reads.
//!
//! Knows no HTTP and no JSON.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

use crate::base::clock::Timestamp;
use crate::base::id::random_bytes;
use crate::base::secret::sha256;

use super::delta::Round;
use super::subscription::{Subscription, Telling};

/// The folders every mailbox has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    Inbox,
    SentItems,
    Drafts,
    DeletedItems,
    Archive,
}

impl Folder {
    pub(super) const ALL: [Folder; 5] =
        [Self::Inbox, Self::SentItems, Self::Drafts, Self::DeletedItems, Self::Archive];

    /// The well-known name in URLs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::SentItems => "sentitems",
            Self::Drafts => "drafts",
            Self::DeletedItems => "deleteditems",
            Self::Archive => "archive",
        }
    }

    pub(super) fn display_name(self) -> &'static str {
        match self {
            Self::Inbox => "Inbox",
            Self::SentItems => "Sent Items",
            Self::Drafts => "Drafts",
            Self::DeletedItems => "Deleted Items",
            Self::Archive => "Archive",
        }
    }
}

/// A message in a mailbox.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// Stays the same wherever the message goes within the mailbox.
    pub immutable_id: String,
    /// Another one after every move.
    pub id: String,
    pub folder: Folder,
    pub raw: Vec<u8>,
    pub is_read: bool,
    pub is_draft: bool,
    pub received_at: Timestamp,
    pub modified_at: Timestamp,
}

impl Stored {
    /// A mail that is sent without having been a draft.
    pub fn outside_any_folder(raw: Vec<u8>, now: Timestamp) -> Self {
        Self {
            immutable_id: immutable_id(),
            id: mutable_id(),
            folder: Folder::Drafts,
            raw,
            is_read: true,
            is_draft: true,
            received_at: now,
            modified_at: now,
        }
    }
}

/// Both ids of a message, at the time of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ids {
    pub immutable_id: String,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeKind {
    Entered,
    Updated,
    Left,
}

/// A line in a mailbox's log.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub folder: Folder,
    pub ids: Ids,
    pub kind: ChangeKind,
}

/// A message that was sent and has neither arrived nor been filed yet.
pub(super) struct Transit {
    pub message: Stored,
    pub due: Timestamp,
    pub keep_copy: bool,
}

pub(super) struct Mailbox {
    /// Lower case.
    pub address: String,
    pub name: String,
    pub messages: Vec<Stored>,
    pub changes: Vec<Change>,
    pub transit: Vec<Transit>,
}

impl Mailbox {
    fn new(address: &str, name: &str) -> Self {
        Self {
            address: address.to_lowercase(),
            name: name.to_owned(),
            messages: Vec::new(),
            changes: Vec::new(),
            transit: Vec::new(),
        }
    }

    /// The folder's id in this mailbox.
    pub fn folder_id(&self, folder: Folder) -> String {
        let digest = sha256(format!("{}/{}", self.address, folder.name()).as_bytes());
        format!("AQMkADAw{}AAA=", URL_SAFE_NO_PAD.encode(digest))
    }

    /// The folder of a well-known name (in any case) or of an id.
    pub fn folder(&self, name: &str) -> Option<Folder> {
        let meant =
            |folder: &Folder| folder.name().eq_ignore_ascii_case(name) || self.folder_id(*folder) == name;
        Folder::ALL.into_iter().find(meant)
    }

    pub fn find(&self, id: &str) -> Option<&Stored> {
        self.messages.iter().find(|message| message.immutable_id == id || message.id == id)
    }

    pub fn add(&mut self, raw: Vec<u8>, folder: Folder, now: Timestamp) -> &Stored {
        let is_draft = folder == Folder::Drafts;
        let is_read = folder != Folder::Inbox;
        self.put(Stored { folder, is_draft, is_read, ..Stored::outside_any_folder(raw, now) })
    }

    pub fn put(&mut self, message: Stored) -> &Stored {
        self.log(&message, ChangeKind::Entered);
        self.messages.push(message);
        self.messages.last().expect("a message was just added")
    }

    /// Changes a message in place and logs it.
    pub fn update(&mut self, id: &str, now: Timestamp, change: impl FnOnce(&mut Stored)) -> Option<&Stored> {
        let at = self.position(id)?;
        change(&mut self.messages[at]);
        self.messages[at].modified_at = now;
        let changed = self.messages[at].clone();
        self.log(&changed, ChangeKind::Updated);
        self.messages.get(at)
    }

    /// Takes a message out of its folder.
    pub fn take(&mut self, id: &str) -> Option<Stored> {
        let at = self.position(id)?;
        let message = self.messages.remove(at);
        self.log(&message, ChangeKind::Left);
        Some(message)
    }

    /// Moves a message; its mutable id changes.
    pub fn move_to(&mut self, id: &str, folder: Folder, now: Timestamp) -> Option<&Stored> {
        let moved = self.take(id)?;
        Some(self.put(Stored { id: mutable_id(), folder, modified_at: now, ..moved }))
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.messages.iter().position(|message| message.immutable_id == id || message.id == id)
    }

    fn log(&mut self, message: &Stored, kind: ChangeKind) {
        let ids = Ids { immutable_id: message.immutable_id.clone(), id: message.id.clone() };
        self.changes.push(Change { folder: message.folder, ids, kind });
    }
}

/// A mail of somebody who has no mailbox here.
#[derive(Debug, Clone)]
pub(super) struct OutsideMail {
    pub raw: Vec<u8>,
    pub at: Timestamp,
    pub sent: bool,
}

/// Behaviours that can be switched; see the methods of the same names on `Graph`.
#[derive(Debug, Clone)]
pub(super) struct Knobs {
    pub send_delay: Duration,
    pub empty_pages: bool,
    pub repeat_items: bool,
    pub foreign_links: bool,
    pub new_message_ids: bool,
    pub telling: Telling,
}

pub(super) struct World {
    pub mailboxes: Vec<Mailbox>,
    /// By lower-case address.
    pub outside: BTreeMap<String, Vec<OutsideMail>>,
    /// Listings under way, by the token in their link.
    pub rounds: HashMap<String, Round>,
    pub knobs: Knobs,
    pub subscriptions: Vec<Subscription>,
}

impl World {
    pub fn new() -> Self {
        let knobs = Knobs {
            send_delay: Duration::from_millis(500),
            empty_pages: false,
            repeat_items: false,
            foreign_links: false,
            new_message_ids: false,
            telling: Telling::default(),
        };
        Self {
            mailboxes: Vec::new(),
            outside: BTreeMap::new(),
            rounds: HashMap::new(),
            knobs,
            subscriptions: Vec::new(),
        }
    }

    /// Adds a mailbox, or renames the one that is there.
    pub fn add_mailbox(&mut self, address: &str, name: &str) {
        match self.mailbox_mut(address) {
            Some(mailbox) => name.clone_into(&mut mailbox.name),
            None => self.mailboxes.push(Mailbox::new(address, name)),
        }
    }

    pub fn mailbox(&self, address: &str) -> Option<&Mailbox> {
        self.mailboxes.iter().find(|mailbox| mailbox.address.eq_ignore_ascii_case(address))
    }

    pub fn mailbox_mut(&mut self, address: &str) -> Option<&mut Mailbox> {
        self.mailboxes.iter_mut().find(|mailbox| mailbox.address.eq_ignore_ascii_case(address))
    }
}

/// A new immutable id. Like Graph's it has `-`, `_` and `=` in it, and case counts.
fn immutable_id() -> String {
    format!("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A{}AA=", URL_SAFE.encode(random_bytes::<33>()))
}

/// A new id of the kind that changes with every move.
pub(super) fn mutable_id() -> String {
    format!("AAMkADAwATM0_MDAAItNDhl-Yi1iZg{}AA=", URL_SAFE.encode(random_bytes::<42>()))
}
