//! What becomes of which mail.

use super::*;
use crate::mail::authentication::Proof;
use crate::mail::read::read;

const CONNECTED: Timestamp = Timestamp(1_000);

fn key() -> HashKey {
    HashKey::from_bytes([1; 32])
}

fn mail(lines: &str) -> Message {
    read(format!("{lines}\r\n\r\nMy printer smokes.\r\n").as_bytes()).expect("a mail")
}

fn decided(lines: &str, change: impl FnOnce(&mut Known<'_>)) -> Decision {
    let own = ["support@desk.example".to_owned()];
    let key = key();
    let mut known = Known {
        own_addresses: &own,
        message_id_key: &key,
        ticket: None,
        duplicate: None,
        accept_since: CONNECTED,
        received_at: Timestamp(2_000),
        authentication: Authentication::None,
    };
    change(&mut known);
    decide(&mail(lines), &known)
}

fn hit() -> Option<TicketHit> {
    Some(TicketHit {
        id: "T1".into(),
        requester: "ada@customer.example".into(),
        participants: vec!["eve@customer.example".into()],
        agents: vec!["bob@desk.example".into()],
        guessed: false,
    })
}

fn opened_for(name: &str, address: &str) -> Decision {
    let requester = Mailbox { name: name.into(), address: address.into() };
    Decision::Open { requester, link: None }
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
fn a_form_that_calls_itself_automatic_is_heard() {
    let form = "From: Form <noreply@site.example>\r\nReply-To: bob@customer.example\r\nAuto-Submitted: auto-generated";
    assert_eq!(decided(form, |_| {}), opened_for("Form", "bob@customer.example"));
    let answer = format!("{form}\r\nIn-Reply-To: <1@x>");
    assert!(matches!(decided(&answer, |_| {}), Decision::Ignore { .. }));
}

#[test]
fn a_mail_without_sender_is_not_lost() {
    assert_eq!(decided("Subject: help", |_| {}), opened_for(UNKNOWN_SENDER, ""));
}

/// What a mail that refers to ticket T1 becomes.
#[derive(Debug, PartialEq)]
enum Fate {
    Appended(Writer),
    Linked { stranger: bool, unverified: bool },
}

fn fate(decision: &Decision) -> Fate {
    match decision {
        Decision::Reply { ticket, by, .. } if ticket == "T1" => Fate::Appended(*by),
        Decision::Open { link: Some(link), .. } if link.ticket == "T1" => {
            Fate::Linked { stranger: link.stranger, unverified: link.unverified }
        }
        other => panic!("{other:?}"),
    }
}

const CUSTOMERS: Fate = Fate::Appended(Writer::Customer);
const AGENTS: Fate = Fate::Appended(Writer::Agent);
const UNVERIFIED: Fate = Fate::Linked { stranger: false, unverified: true };
const STRANGERS: Fate = Fate::Linked { stranger: true, unverified: false };
const UNKNOWN: Fate = Fate::Linked { stranger: true, unverified: true };

#[test]
fn only_proven_members_of_a_ticket_write_to_it() {
    use Authentication::{Fail, None, Pass};
    let ours = message_id::make(&key(), "T1", "c", "desk.example");
    let of_another_ticket = message_id::make(&key(), "T2", "c", "desk.example");
    let of_another_key = message_id::make(&HashKey::from_bytes([9; 32]), "T1", "c", "desk.example");
    let (pass, other) = (Pass(Proof::Dmarc), "<parent@x>");
    let table = [
        ("ada@customer.example", other, pass, CUSTOMERS),
        ("ADA@Customer.example", other, pass, CUSTOMERS),
        ("eve@customer.example", other, pass, CUSTOMERS),
        ("bob@desk.example", other, pass, AGENTS),
        ("bob@desk.example", &ours, pass, AGENTS),
        ("ada@customer.example", &ours, None, CUSTOMERS),
        ("ada@customer.example", &ours, Fail, CUSTOMERS),
        ("eve@customer.example", &ours, None, CUSTOMERS),
        ("ada@customer.example", other, None, UNVERIFIED),
        ("ada@customer.example", other, Fail, UNVERIFIED),
        ("ada@customer.example", &of_another_ticket, None, UNVERIFIED),
        ("ada@customer.example", &of_another_key, None, UNVERIFIED),
        ("bob@desk.example", other, None, UNVERIFIED),
        ("bob@desk.example", &ours, None, UNVERIFIED),
        ("mallory@x.example", &ours, None, UNKNOWN),
        ("mallory@x.example", &ours, pass, STRANGERS),
        ("mallory@x.example\r\nReply-To: ada@customer.example", &ours, pass, STRANGERS),
    ];
    for (from, parent, authentication, wanted) in table {
        let decision = decided(&format!("From: {from}\r\nIn-Reply-To: {parent}"), |known| {
            (known.ticket, known.authentication) = (hit(), authentication);
        });
        assert_eq!(fate(&decision), wanted, "{from} {parent} {authentication:?}");
    }
}

#[test]
fn an_agent_who_asks_for_himself_is_the_customer_of_his_ticket() {
    let decision = decided("From: bob@desk.example", |known| {
        known.authentication = Authentication::Pass(Proof::Dmarc);
        known.ticket = hit().map(|hit| TicketHit { requester: "Bob@desk.example".into(), ..hit });
    });
    assert_eq!(fate(&decision), CUSTOMERS);
}

#[test]
fn a_number_in_the_subject_lets_no_machine_of_a_stranger_near_the_ticket() {
    let guessed = || hit().map(|hit| TicketHit { guessed: true, ..hit });
    for (from, wanted) in [("mallory@x.example", None), ("ada@customer.example", Some("T1"))] {
        for kind in ["Auto-Submitted: auto-replied", "List-Id: <news.x.example>\r\nPrecedence: list"] {
            let decision = decided(&format!("From: {from}\r\n{kind}"), |known| known.ticket = guessed());
            let near = match decision {
                Decision::Note { ticket, .. } => Some(ticket),
                Decision::Ignore { ticket, .. } => ticket,
                other => panic!("{other:?}"),
            };
            assert_eq!(near.as_deref(), wanted, "{from} {kind}");
        }
    }
}

#[test]
fn a_ticket_is_looked_for_by_proof_then_by_thread_then_by_subject() {
    let ours = message_id::make(&key(), "T1", "c", "desk.example");
    let lines =
        format!("Subject: Re: Printer [#12] [#T-9]\r\nIn-Reply-To: <near@x>\r\nReferences: <root@x> {ours}");
    let mail = mail(&lines);
    let own = ours.trim_matches(['<', '>']);
    let wanted = [
        Clue::Own { message_id: own, ticket: message_id::short("T1") },
        Clue::Parent("near@x"),
        Clue::Parent(own),
        Clue::Parent("root@x"),
        Clue::SubjectMark("T-9"),
    ];
    assert_eq!(clues(&mail, &key()), wanted);
}

#[test]
fn what_is_no_number_is_no_mark() {
    for (subject, wanted) in [
        ("[#]", None),
        ("[#1", None),
        ("[1]", None),
        ("[#1 2]", None),
        ("[#'--]", None),
        ("[#12]", Some("12")),
        ("x [#380fe5f0-b95c] y", Some("380fe5f0-b95c")),
    ] {
        assert_eq!(subject_mark(subject), wanted, "{subject}");
    }
}

#[test]
fn automatic_mail_is_noted_on_its_ticket_or_ignored() {
    let lines = "From: ada@customer.example\r\nAuto-Submitted: auto-replied";
    let Decision::Note { reason, ticket } = decided(lines, |known| known.ticket = hit()) else {
        panic!("it was not noted")
    };
    assert_eq!(ticket, "T1");
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
    let id = message_id::make(&key(), "t", "c", "desk.example");
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
