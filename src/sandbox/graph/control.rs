//! Controls of the stand-in itself, from Rust and over HTTP: put mail in, look at what arrived, make trouble.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use crate::base::clock::Timestamp;
use crate::web::answer::Answer;

use super::Graph;
use super::subscription::{self, Subscription, Telling};
use super::transport;
use super::webmail;
use super::world::{Folder, Knobs, World};
use crate::sandbox::call::{Call, empty, first, json as json_answer};
use crate::sandbox::grants::Grants;
use crate::sandbox::lock;

impl Graph {
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// `http://127.0.0.1:PORT`; Graph itself is below `/v1.0`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Adds a mailbox.
    pub fn add_mailbox(&self, address: &str, name: &str) {
        lock(&self.state.world).add_mailbox(address, name);
    }

    /// A token of `address` with `scopes` for an hour.
    pub fn token(&self, address: &str, scopes: &[&str]) -> String {
        self.grants.issue(address, scopes, self.now() + Duration::from_secs(3600))
    }

    /// Puts a mail into an inbox as a receiving server does; its immutable id. Without such a mailbox it is
    /// the outside world's, and there is none.
    pub fn deliver(&self, address: &str, raw: &[u8]) -> Option<String> {
        let delivered = transport::deliver(&mut lock(&self.state.world), address, raw, self.now());
        self.state.teller.wake.ring();
        delivered
    }

    /// Writes a mail as somebody outside would; its Message-ID without brackets. `answers` is the
    /// Message-ID of the mail it replies to.
    pub fn customer_writes(
        &self,
        from: &str,
        to: &str,
        subject: &str,
        text: &str,
        answers: Option<&str>,
    ) -> String {
        let letter = webmail::Letter { from, to, subject, text, answers };
        let written = webmail::send(&mut lock(&self.state.world), &letter, self.now());
        self.state.teller.wake.ring();
        written
    }

    /// Raw mails that somebody outside has received, oldest first.
    pub fn received_outside(&self, address: &str) -> Vec<Vec<u8>> {
        let mut world = lock(&self.state.world);
        transport::arrive(&mut world, self.now());
        let all = world.outside.get(&address.to_lowercase()).into_iter().flatten();
        all.filter(|mail| !mail.sent).map(|mail| mail.raw.clone()).collect()
    }

    /// Raw mails in a folder, oldest first.
    pub fn mails(&self, address: &str, folder: Folder) -> Vec<Vec<u8>> {
        let mut world = lock(&self.state.world);
        transport::arrive(&mut world, self.now());
        let messages = world.mailbox(address).into_iter().flat_map(|mailbox| &mailbox.messages);
        messages.filter(|message| message.folder == folder).map(|message| message.raw.clone()).collect()
    }

    /// Whether a message is marked as read.
    pub fn is_read(&self, address: &str, id: &str) -> Option<bool> {
        let world = lock(&self.state.world);
        world.mailbox(address)?.find(id).map(|message| message.is_read)
    }

    /// A person moves a message by hand.
    pub fn move_message(&self, address: &str, id: &str, folder: Folder) {
        let now = self.now();
        if let Some(mailbox) = lock(&self.state.world).mailbox_mut(address) {
            mailbox.move_to(id, folder, now);
        }
    }

    /// A person reads a message.
    pub fn read_message(&self, address: &str, id: &str) {
        let now = self.now();
        if let Some(mailbox) = lock(&self.state.world).mailbox_mut(address) {
            mailbox.update(id, now, |message| message.is_read = true);
        }
    }

    /// Every link that was given out answers 410 from now on.
    pub fn lose_cursors(&self) {
        lock(&self.state.world).rounds.clear();
    }

    /// How long a sent mail is neither a draft nor filed nor delivered. 500 ms at first.
    pub fn set_send_delay(&self, delay: Duration) {
        self.turn(|knobs| knobs.send_delay = delay);
    }

    /// Each listing has a page without items before its last one.
    pub fn set_empty_pages(&self, on: bool) {
        self.turn(|knobs| knobs.empty_pages = on);
    }

    /// Each listing of changes names an item twice.
    pub fn set_repeat_items(&self, on: bool) {
        self.turn(|knobs| knobs.repeat_items = on);
    }

    /// Links lead to another host.
    pub fn set_foreign_links(&self, on: bool) {
        self.turn(|knobs| knobs.foreign_links = on);
    }

    /// Sent mail leaves with a Message-ID of Exchange's own.
    pub fn set_new_message_ids(&self, on: bool) {
        self.turn(|knobs| knobs.new_message_ids = on);
    }

    /// How notifications are sent from now on.
    pub fn set_telling(&self, telling: Telling) {
        self.turn(|knobs| knobs.telling = telling);
    }

    /// The subscriptions that have not expired, as their owners made them.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        let (world, now) = (lock(&self.state.world), self.now());
        world.subscriptions.iter().filter(|one| one.expires_at > now).cloned().collect()
    }

    /// Graph forgets all subscriptions and tells nobody.
    pub fn lose_subscriptions(&self) {
        lock(&self.state.world).subscriptions.clear();
    }

    /// Sends every subscriber a lifecycle notification: `missed`, `reauthorizationRequired` or
    /// `subscriptionRemoved`, which removes the subscription too.
    pub fn tell_of_lifecycle(&self, event: &'static str) {
        subscription::tell_of_lifecycle(&mut lock(&self.state.world), event);
        self.state.teller.wake.ring();
    }

    fn turn(&self, change: impl FnOnce(&mut Knobs)) {
        change(&mut lock(&self.state.world).knobs);
    }

    fn now(&self) -> Timestamp {
        self.state.clock.now()
    }
}

/// The same over HTTP.
pub(super) fn answer(world: &mut World, grants: &Grants, call: &Call, now: Timestamp) -> Answer {
    let query = call.pairs();
    let address = first(&query, "address").unwrap_or_default();
    match (call.method.as_str(), call.path.as_str()) {
        ("POST", "/_control/mailboxes") => {
            world.add_mailbox(address, first(&query, "name").unwrap_or(address));
            empty(StatusCode::NO_CONTENT)
        }
        // The body is the raw mail.
        ("POST", "/_control/deliver") => {
            json_answer(StatusCode::OK, &json!({"id": transport::deliver(world, address, &call.body, now)}))
        }
        ("GET", "/_control/outside") => {
            let all = world.outside.get(&address.to_lowercase()).into_iter().flatten();
            let raws: Vec<String> =
                all.filter(|mail| !mail.sent).map(|mail| STANDARD.encode(&mail.raw)).collect();
            json_answer(StatusCode::OK, &json!({"mails": raws}))
        }
        ("GET", "/_control/mailbox") => mailbox(world, address),
        ("POST", "/_control/token") => {
            let scopes: Vec<&str> = first(&query, "scopes").unwrap_or_default().split(' ').collect();
            let token = grants.issue(address, &scopes, now + Duration::from_secs(3600));
            json_answer(StatusCode::OK, &json!({"access_token": token}))
        }
        ("DELETE", "/_control/tokens") => {
            grants.end(address);
            empty(StatusCode::NO_CONTENT)
        }
        ("DELETE", "/_control/cursors") => {
            world.rounds.clear();
            empty(StatusCode::NO_CONTENT)
        }
        ("PATCH", "/_control/knobs") => turn(&mut world.knobs, &call.json()),
        _ => empty(StatusCode::NOT_FOUND),
    }
}

fn mailbox(world: &World, address: &str) -> Answer {
    let Some(mailbox) = world.mailbox(address) else {
        return empty(StatusCode::NOT_FOUND);
    };
    let messages: Vec<Value> = mailbox
        .messages
        .iter()
        .map(|message| {
            json!({
                "id": message.immutable_id,
                "folder": message.folder.name(),
                "isRead": message.is_read,
                "raw": STANDARD.encode(&message.raw),
            })
        })
        .collect();
    json_answer(StatusCode::OK, &json!({"messages": messages, "inTransit": mailbox.transit.len()}))
}

/// Members that are not there leave their switch as it is.
fn turn(knobs: &mut Knobs, wanted: &Value) -> Answer {
    if let Some(delay) = wanted["sendDelayMilliseconds"].as_u64() {
        knobs.send_delay = Duration::from_millis(delay);
    }
    let switches = [
        ("emptyPages", &mut knobs.empty_pages),
        ("repeatItems", &mut knobs.repeat_items),
        ("foreignLinks", &mut knobs.foreign_links),
        ("newMessageIds", &mut knobs.new_message_ids),
    ];
    for (name, switch) in switches {
        *switch = wanted[name].as_bool().unwrap_or(*switch);
    }
    empty(StatusCode::NO_CONTENT)
}
