//! How mail gets from one person to another: sending, filing the copy, delivering.

use crate::base::clock::Timestamp;
use crate::base::id::short_id;

use super::compose::new_message_id;
use super::facts::Facts;
use super::refusal::Refusal;
use super::world::{Folder, Mailbox, OutsideMail, Stored, Transit, World, mutable_id};
use crate::sandbox::mime::RawMail;

/// Takes a mail out of the mailbox and on its way; it is nowhere until `send_delay` has passed.
pub(super) fn send(world: &mut World, address: &str, message: Stored, keep_copy: bool, now: Timestamp) {
    let due = now + world.knobs.send_delay;
    if let Some(mailbox) = world.mailbox_mut(address) {
        mailbox.transit.push(Transit { message, due, keep_copy });
    }
    arrive(world, now);
}

/// Refuses what Exchange would not send.
pub(super) fn check_recipients(raw: &[u8]) -> Result<(), Refusal> {
    match Facts::of(raw).recipients().next() {
        Some(_) => Ok(()),
        None => Err(Refusal::bad("ErrorInvalidRecipients", "At least one recipient isn't valid.")),
    }
}

/// Whatever is due arrives and is filed.
pub(super) fn arrive(world: &mut World, now: Timestamp) {
    let knobs = world.knobs.clone();
    let mut arrived = Vec::new();
    for mailbox in &mut world.mailboxes {
        let (due, waiting) =
            std::mem::take(&mut mailbox.transit).into_iter().partition(|sent| sent.due <= now);
        mailbox.transit = waiting;
        for sent in due {
            arrived.push(file(mailbox, sent, knobs.new_message_ids, now));
        }
    }
    for raw in arrived {
        for person in Facts::of(&raw).recipients() {
            deliver(world, &person.address, &without_bcc(&raw), now);
        }
    }
}

fn file(mailbox: &mut Mailbox, sent: Transit, new_message_ids: bool, now: Timestamp) -> Vec<u8> {
    let mut message = sent.message;
    if new_message_ids {
        let mut mail = RawMail::parse(&message.raw);
        mail.set("Message-ID", &new_message_id());
        message.raw = mail.bytes();
    }
    let raw = message.raw.clone();
    if sent.keep_copy {
        let filed = Stored {
            id: mutable_id(),
            folder: Folder::SentItems,
            is_draft: false,
            is_read: true,
            received_at: now,
            modified_at: now,
            ..message
        };
        mailbox.put(filed);
    }
    raw
}

/// Puts a mail where its recipient finds it, with the lines a receiving server adds. Returns the immutable id
/// where the recipient has a mailbox here.
pub(super) fn deliver(world: &mut World, address: &str, raw: &[u8], now: Timestamp) -> Option<String> {
    let sender = Facts::of(raw).from.map(|from| from.address).unwrap_or_default();
    let mut mail = RawMail::parse(raw);
    let received = format!(
        "from mail.sandbox.invalid (127.0.0.1) by mx.sandbox.invalid\r\n\twith ESMTPS id {}; {}",
        short_id(),
        now.rfc2822()
    );
    mail.prepend("Received", &received);
    if !mail.has("return-path") {
        mail.prepend("Return-Path", &format!("<{sender}>"));
    }
    match world.mailbox_mut(address) {
        Some(mailbox) => Some(mailbox.add(mail.bytes(), Folder::Inbox, now).immutable_id.clone()),
        None => {
            let box_of = world.outside.entry(address.to_lowercase()).or_default();
            box_of.push(OutsideMail { raw: mail.bytes(), at: now, sent: false });
            None
        }
    }
}

fn without_bcc(raw: &[u8]) -> Vec<u8> {
    let mut mail = RawMail::parse(raw);
    mail.keep(|name| name != "bcc");
    mail.bytes()
}
