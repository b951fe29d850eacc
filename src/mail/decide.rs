//! What is to become of a mail. Takes facts, gives a decision; neither asks nor does anything.

use super::authentication::Authentication;
use super::{Automatic, AutomaticKind, Mailbox, Message, address, message_id, same_address};
use crate::base::clock::Timestamp;
use crate::base::secret::HashKey;

/// The name of a requester whom the mail does not name.
pub const UNKNOWN_SENDER: &str = "unknown sender";

/// Each parent is a question to the store.
const MOST_PARENTS: usize = 100;

/// A ticket that the mail refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketHit {
    /// The desk's id.
    pub id: String,
    /// The address answers go to.
    pub requester: String,
    /// Others in the conversation: recipients of its mails, senders whose mail it already holds.
    pub participants: Vec<String>,
    /// People of the desk who may write to it by mail.
    pub agents: Vec<String>,
    /// Only the subject led to it, and anybody can think of a number.
    pub guessed: bool,
}

/// Somebody who may write to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The requester, or whoever else takes part.
    Customer,
    Agent,
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
    /// The first ticket that one of the mail's [`clues`] led to.
    pub ticket: Option<TicketHit>,
    pub duplicate: Option<Duplicate>,
    /// Mail received before this never becomes a ticket.
    pub accept_since: Timestamp,
    pub received_at: Timestamp,
    /// What the mailbox's server says of the sender.
    pub authentication: Authentication,
}

/// Something in a mail that may lead to its ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clue<'m> {
    /// An id of ours with its proof, and [`message_id::short`] of the ticket it was made for.
    Own { message_id: &'m str, ticket: String },
    /// An id to be looked up in the ledger.
    Parent(&'m str),
    /// What stands in `[#…]` in the subject: a ticket's number or id. Anybody can write it.
    SubjectMark(&'m str),
}

/// What is to become of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A new ticket.
    Open {
        /// Whom answers go to: Reply-To, else From; an empty address when the mail names nobody.
        requester: Mailbox,
        /// The ticket the mail refers to without being let in.
        link: Option<Link>,
    },
    /// A comment on `ticket`; a customer's reopens it, an agent's is an answer.
    Reply { ticket: String, by: Writer, reason: String },
    /// A quiet remark on `ticket`: a machine wrote. It is never answered and reopens nothing.
    Note { ticket: String, reason: String },
    /// Nothing; the ticket it belongs to is remembered.
    Ignore { reason: String, ticket: Option<String> },
}

/// Why a mail that refers to a ticket got one of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub ticket: String,
    /// The sender does not take part in that ticket.
    pub stranger: bool,
    /// Nothing proves that the sender is who the mail says.
    pub unverified: bool,
}

/// Where to look for the mail's ticket, in this order: our own ids, then those of other mails from the
/// nearest to the oldest, then the subject. Of a mail with very many parents the nearest ones.
pub fn clues<'m>(message: &'m Message, key: &HashKey) -> Vec<Clue<'m>> {
    let nearest = || message.parents.iter().take(MOST_PARENTS);
    let own = nearest().filter_map(|id| {
        let ticket = message_id::proven_ticket(key, id)?;
        Some(Clue::Own { message_id: id, ticket })
    });
    let parents = nearest().map(|id| Clue::Parent(id));
    own.chain(parents).chain(subject_mark(&message.subject).map(Clue::SubjectMark)).collect()
}

/// The last `[#…]` of a subject.
fn subject_mark(subject: &str) -> Option<&str> {
    let (_, rest) = subject.rsplit_once("[#")?;
    let (mark, _) = rest.split_once(']')?;
    let fits = (1..=40).contains(&mark.len());
    (fits && mark.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')).then_some(mark)
}

/// Decides. A mail that nothing speaks against becomes a ticket, also when its sender is missing:
/// better one ticket too many than a customer unheard.
pub fn decide(message: &Message, known: &Known<'_>) -> Decision {
    // A number in the subject does not let a stranger near a ticket, not even as a machine.
    let near = known.ticket.as_ref().filter(|hit| !hit.guessed || belongs(message, hit));
    let ticket = near.map(|hit| hit.id.clone());
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
    if let Some(automatic) =
        message.automatic.as_ref().filter(|found| !is_for_a_person(message, found, known))
    {
        let reason = automatic_reason(automatic);
        return match ticket {
            // A list's mail tells the customer's people what they know already.
            Some(ticket) if automatic.kind != AutomaticKind::List => Decision::Note { ticket, reason },
            ticket => Decision::Ignore { reason, ticket },
        };
    }
    match &known.ticket {
        Some(hit) => refer(message, known, hit),
        None => open(message, known, None),
    }
}

/// A mail that refers to a ticket.
fn refer(message: &Message, known: &Known<'_>, hit: &TicketHit) -> Decision {
    if let Some(by) = writer(message, hit, known.authentication, known.message_id_key) {
        let who = match by {
            Writer::Customer => "the sender belongs to the ticket",
            Writer::Agent => "the sender works at the desk",
        };
        let proof = if known.authentication.passed() {
            "the server knows the sender"
        } else {
            "the mail answers one of ours"
        };
        return Decision::Reply { ticket: hit.id.clone(), by, reason: format!("{who}, and {proof}") };
    }
    let link = Link {
        ticket: hit.id.clone(),
        stranger: !belongs(message, hit),
        unverified: !known.authentication.passed(),
    };
    open(message, known, Some(link))
}

/// As whom the sender may write to the ticket. Thread headers and subjects can be copied by anybody, so he
/// has to belong to it and to be proven: by the server, or by an id that only mails of this ticket carry. The
/// id proves nothing of an agent, since every customer of the ticket has it.
pub fn writer(
    message: &Message,
    hit: &TicketHit,
    authentication: Authentication,
    key: &HashKey,
) -> Option<Writer> {
    let from = &message.from.as_ref()?.address;
    let known = authentication.passed();
    let is_among = |people: &[String]| people.iter().any(|one| same_address(from, one));
    let is_requester = same_address(from, &hit.requester);
    if !is_requester && known && is_among(&hit.agents) {
        return Some(Writer::Agent);
    }
    let takes_part = is_requester || is_among(&hit.participants);
    (takes_part && (known || carries_proof(message, key, &hit.id))).then_some(Writer::Customer)
}

fn carries_proof(message: &Message, key: &HashKey, ticket: &str) -> bool {
    let wanted = message_id::short(ticket);
    message.parents.iter().any(|id| message_id::proven_ticket(key, id).as_ref() == Some(&wanted))
}

// Only From counts: Reply-To can be set to anybody's address without breaking a signature.
fn belongs(message: &Message, hit: &TicketHit) -> bool {
    message.from.as_ref().is_some_and(|from| {
        let mut everybody = hit.participants.iter().chain(&hit.agents).chain([&hit.requester]);
        everybody.any(|one| same_address(&from.address, one))
    })
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

/// Machines that pass on what a person wrote.
fn is_for_a_person(message: &Message, automatic: &Automatic, known: &Known<'_>) -> bool {
    through_own_group(automatic, known) || (automatic.kind == AutomaticKind::AutoReply && is_form(message))
}

/// A form on a web page answers nothing and asks for answers to the address somebody typed into it.
fn is_form(message: &Message) -> bool {
    let elsewhere = match (&message.from, &message.reply_to) {
        (Some(from), Some(reply_to)) => !same_address(&from.address, &reply_to.address),
        _ => false,
    };
    elsewhere && message.parents.is_empty()
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
        AutomaticKind::Feedback => "a report",
        AutomaticKind::List => "mail of a list",
    };
    format!("{kind} ({})", automatic.reason)
}

fn open(message: &Message, known: &Known<'_>, link: Option<Link>) -> Decision {
    let reply_to = message.reply_to.as_ref().filter(|wanted| !is_own(&wanted.address, known));
    let requester = match (reply_to, &message.from) {
        (Some(wanted), from) => named(wanted, from.as_ref()),
        (None, Some(from)) => named(from, None),
        (None, None) => Mailbox { name: UNKNOWN_SENDER.to_owned(), address: String::new() },
    };
    // No answer goes where no server would take it.
    let requester = match address::is_deliverable(&requester.address) {
        true => requester,
        false => Mailbox { address: String::new(), ..requester },
    };
    Decision::Open { requester, link }
}

/// `mailbox` with a name: its own, else the sender's, else its address.
fn named(mailbox: &Mailbox, sender: Option<&Mailbox>) -> Mailbox {
    let names = [Some(&mailbox.name), sender.map(|sender| &sender.name), Some(&mailbox.address)];
    let name = names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or(&mailbox.address);
    Mailbox { name: name.clone(), address: mailbox.address.clone() }
}

#[cfg(test)]
mod tests;
