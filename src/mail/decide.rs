//! What is to become of a mail. Takes facts, gives a decision; neither asks nor does anything.

use super::{Automatic, AutomaticKind, Mailbox, Message, message_id, same_address};
use crate::base::clock::Timestamp;
use crate::base::secret::HashKey;

/// The name of a requester whom the mail does not name.
pub const UNKNOWN_SENDER: &str = "unknown sender";

/// A ticket that one of the mail's parents belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketHit {
    /// The desk's id.
    pub id: String,
    /// The address answers go to, and the only one whose replies are appended.
    pub requester: String,
}

/// An earlier mail of the same mailbox with the same Message-ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    pub ticket: Option<String>,
    /// [`same_content`]: otherwise somebody reuses ids, and the mail is a new one.
    pub same_content: bool,
}

/// What is known besides the mail itself.
#[derive(Clone)]
pub struct Known<'a> {
    /// Addresses mail of ours comes from: the mailbox, From, Reply-To.
    pub own_addresses: &'a [String],
    /// The key our Message-IDs are made with.
    pub message_id_key: &'a HashKey,
    pub ticket: Option<TicketHit>,
    pub duplicate: Option<Duplicate>,
    /// Mail received before this never becomes a ticket.
    pub accept_since: Timestamp,
    pub received_at: Timestamp,
}

/// What is to become of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A new ticket.
    Open {
        /// Whom answers go to: Reply-To, else From; an empty address when the mail names nobody.
        requester: Mailbox,
        /// One sentence worth showing to an agent.
        note: Option<String>,
    },
    /// A comment on `ticket`.
    Reply { ticket: String },
    /// Nothing; the ticket it belongs to is remembered.
    Ignore { reason: String, ticket: Option<String> },
}

/// Decides. A mail that nothing speaks against becomes a ticket, also when its sender is missing:
/// better one ticket too many than a customer unheard.
pub fn decide(message: &Message, known: &Known<'_>) -> Decision {
    let ticket = known.ticket.as_ref().map(|hit| hit.id.clone());
    if known.received_at < known.accept_since {
        let reason = "received before the mailbox was connected".to_owned();
        return Decision::Ignore { reason, ticket };
    }
    if let Some(reason) = own(message, known) {
        return Decision::Ignore { reason: reason.to_owned(), ticket };
    }
    if let Some(earlier) = known.duplicate.as_ref().filter(|earlier| earlier.same_content) {
        let reason = "the same mail was there before".to_owned();
        return Decision::Ignore { reason, ticket: earlier.ticket.clone() };
    }
    if let Some(automatic) = message.automatic.as_ref().filter(|found| !through_own_group(found, known)) {
        return Decision::Ignore { reason: automatic_reason(automatic), ticket };
    }
    match &known.ticket {
        Some(hit) if wrote(message, &hit.requester) => Decision::Reply { ticket: hit.id.clone() },
        Some(hit) => {
            open(message, known, Some(format!("Refers to ticket {}, which somebody else opened.", hit.id)))
        }
        None => open(message, known, None),
    }
}

/// Whether two mails say the same: a copy that was delivered or moved back a second time differs only
/// in the headers that servers add.
pub fn same_content(one: &Message, other: &Message) -> bool {
    let addresses_match = match (&one.from, &other.from) {
        (Some(left), Some(right)) => same_address(&left.address, &right.address),
        (left, right) => left.is_none() && right.is_none(),
    };
    addresses_match
        && (&one.message_id, &one.subject, &one.date, &one.text)
            == (&other.message_id, &other.subject, &other.date, &other.text)
        && one.attachments == other.attachments
}

fn own(message: &Message, known: &Known<'_>) -> Option<&'static str> {
    if message_id::is_ours(known.message_id_key, &message.message_id) {
        return Some("our own answer came back");
    }
    let from = message.from.as_ref()?;
    is_own(&from.address, known).then_some("sent from our own address")
}

fn is_own(address: &str, known: &Known<'_>) -> bool {
    known.own_addresses.iter().any(|own| same_address(own, address))
}

/// A group address in front of the mailbox marks everything that passes as list mail.
fn through_own_group(automatic: &Automatic, known: &Known<'_>) -> bool {
    automatic.list.as_ref().is_some_and(|list| {
        known.own_addresses.iter().any(|own| own.trim().replace('@', ".").eq_ignore_ascii_case(list))
    })
}

fn automatic_reason(automatic: &Automatic) -> String {
    let kind = match automatic.kind {
        AutomaticKind::AutoReply => "an automatic reply",
        AutomaticKind::Bounce => "a delivery report",
        AutomaticKind::List => "mail of a list",
    };
    format!("{kind} ({})", automatic.reason)
}

// Only From counts: Reply-To can be set to anybody's address without breaking a signature.
fn wrote(message: &Message, requester: &str) -> bool {
    message.from.as_ref().is_some_and(|from| same_address(&from.address, requester))
}

fn open(message: &Message, known: &Known<'_>, note: Option<String>) -> Decision {
    let reply_to = message.reply_to.as_ref().filter(|wanted| !is_own(&wanted.address, known));
    let requester = match (reply_to, &message.from) {
        (Some(wanted), from) => named(wanted, from.as_ref()),
        (None, Some(from)) => named(from, None),
        (None, None) => Mailbox { name: UNKNOWN_SENDER.to_owned(), address: String::new() },
    };
    Decision::Open { requester, note }
}

/// `mailbox` with a name: its own, else the sender's, else its address.
fn named(mailbox: &Mailbox, sender: Option<&Mailbox>) -> Mailbox {
    let names = [Some(&mailbox.name), sender.map(|sender| &sender.name), Some(&mailbox.address)];
    let name = names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or(&mailbox.address);
    Mailbox { name: name.clone(), address: mailbox.address.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::read::read;

    const CONNECTED: Timestamp = Timestamp(1_000);

    fn mail(lines: &str) -> Message {
        read(format!("{lines}\r\n\r\nMy printer smokes.\r\n").as_bytes()).expect("a mail")
    }

    fn decided(lines: &str, change: impl FnOnce(&mut Known<'_>)) -> Decision {
        let own = ["support@desk.example".to_owned()];
        let key = HashKey::from_bytes([1; 32]);
        let mut known = Known {
            own_addresses: &own,
            message_id_key: &key,
            ticket: None,
            duplicate: None,
            accept_since: CONNECTED,
            received_at: Timestamp(2_000),
        };
        change(&mut known);
        decide(&mail(lines), &known)
    }

    fn hit() -> Option<TicketHit> {
        Some(TicketHit { id: "T1".into(), requester: "ada@customer.example".into() })
    }

    fn opened_for(name: &str, address: &str) -> Decision {
        let requester = Mailbox { name: name.into(), address: address.into() };
        Decision::Open { requester, note: None }
    }

    #[test]
    fn a_persons_mail_opens_a_ticket() {
        let decision = decided("From: Ada <ada@customer.example>", |_| {});
        assert_eq!(decision, opened_for("Ada", "ada@customer.example"));
    }

    #[test]
    fn answers_go_where_the_mail_asks_for_them_but_never_to_ourselves() {
        let form = "From: Form <noreply@site.example>\r\nReply-To: bob@customer.example";
        assert_eq!(decided(form, |_| {}), opened_for("Form", "bob@customer.example"));
        let looped = "From: ada@customer.example\r\nReply-To: Support@desk.example";
        assert_eq!(decided(looped, |_| {}), opened_for("ada@customer.example", "ada@customer.example"));
    }

    #[test]
    fn a_mail_without_sender_is_not_lost() {
        assert_eq!(decided("Subject: help", |_| {}), opened_for(UNKNOWN_SENDER, ""));
    }

    #[test]
    fn the_requesters_reply_is_appended() {
        let decision = decided("From: ADA@customer.example", |known| known.ticket = hit());
        assert_eq!(decision, Decision::Reply { ticket: "T1".into() });
    }

    #[test]
    fn somebody_elses_reply_opens_a_ticket_that_names_the_other() {
        for lines in ["From: mallory@x.example", "From: m@x.example\r\nReply-To: ada@customer.example"] {
            let decision = decided(lines, |known| known.ticket = hit());
            let Decision::Open { note: Some(note), .. } = decision else { panic!("{decision:?}") };
            assert!(note.contains("T1"), "{note}");
        }
    }

    #[test]
    fn automatic_mail_is_ignored_and_its_ticket_remembered() {
        let lines = "From: ada@customer.example\r\nAuto-Submitted: auto-replied";
        let Decision::Ignore { reason, ticket } = decided(lines, |known| known.ticket = hit()) else {
            panic!("it was not ignored")
        };
        assert_eq!(ticket.as_deref(), Some("T1"));
        assert!(reason.contains("Auto-Submitted"), "{reason}");
        assert!(matches!(decided(lines, |_| {}), Decision::Ignore { ticket: None, .. }));
    }

    #[test]
    fn mail_through_our_own_group_address_is_a_persons() {
        let lines = "From: ada@customer.example\r\nList-Id: <support.desk.example>\r\nPrecedence: list";
        assert!(matches!(decided(lines, |_| {}), Decision::Open { .. }));
        let foreign = lines.replace("support.desk", "news.desk");
        assert!(matches!(decided(&foreign, |_| {}), Decision::Ignore { .. }));
    }

    #[test]
    fn our_own_mail_is_ignored() {
        let id = message_id::make(&HashKey::from_bytes([1; 32]), "t", "c", "desk.example");
        let returned = format!("From: Relay <x@y.example>\r\nMessage-ID: {id}");
        for lines in ["From: Desk <SUPPORT@desk.example>", &returned] {
            assert!(matches!(decided(lines, |_| {}), Decision::Ignore { .. }), "{lines}");
        }
    }

    #[test]
    fn a_copy_is_ignored_and_a_reused_id_is_a_new_mail() {
        let lines = "From: ada@customer.example\r\nMessage-ID: <1@x>";
        let copy = |same_content| Some(Duplicate { ticket: Some("T9".into()), same_content });
        let decision = decided(lines, |known| known.duplicate = copy(true));
        assert!(matches!(decision, Decision::Ignore { ticket: Some(ref id), .. } if id == "T9"));
        assert!(matches!(decided(lines, |known| known.duplicate = copy(false)), Decision::Open { .. }));
    }

    #[test]
    fn mail_from_before_the_connection_is_ignored() {
        let decision = decided("From: ada@customer.example", |known| known.received_at = Timestamp(999));
        assert!(matches!(decision, Decision::Ignore { .. }));
        let decision = decided("From: ada@customer.example", |known| known.received_at = CONNECTED);
        assert!(matches!(decision, Decision::Open { .. }));
    }

    #[test]
    fn copies_differ_only_in_what_servers_add() {
        let lines = "From: ada@customer.example\r\nMessage-ID: <1@x>\r\nSubject: s";
        let copy = mail(&format!("Received: from a by b\r\n{lines}"));
        assert!(same_content(&mail(lines), &copy));
        assert!(!same_content(&mail(lines), &mail(&lines.replace("Subject: s", "Subject: t"))));
    }
}
