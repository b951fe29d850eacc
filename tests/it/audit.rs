//! Audit records as an operator's log gets them: one shape, no personal data.

use std::sync::Arc;

use mintgate::base::audit::{Audit, Event, Outcome, Record};
use mintgate::base::clock::{ManualClock, Timestamp};
use mintgate::base::id::MailboxId;
use serde_json::{Value, json};

use crate::support::log_lines::LogLines;

/// The JSON lines that `records` leave behind.
fn written(records: &[Record<'_>]) -> Vec<Value> {
    let log = LogLines::new();
    let audit = Audit::new(Arc::new(ManualClock::at(Timestamp(1_795_222_800_000))));
    let subscriber = log.subscriber("audit=info");
    tracing::subscriber::with_default(subscriber, || records.iter().for_each(|record| audit.record(*record)));
    log.lines()
}

#[test]
fn a_record_is_one_line_with_every_field_that_is_known() {
    let mailbox = MailboxId::parse("m365").expect("an id");
    let record = Record::new(Event::ConsoleAction, Outcome::Success, "mailbox disconnected")
        .from([203, 0, 113, 7].into())
        .by("u1")
        .about(&mailbox);

    let lines = written(&[record]);

    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["target"], "audit");
    let expected = json!({
        "at": "2026-11-21T01:00:00Z",
        "event": "console_action",
        "outcome": "success",
        "detail": "mailbox disconnected",
        "client": "203.0.113.7",
        "user": "u1",
        "mailbox": "m365",
    });
    assert_eq!(lines[0]["fields"], expected);
}

#[test]
fn what_is_not_known_is_left_out() {
    let lines = written(&[Record::new(Event::Refresh, Outcome::Failure, "the grant is dead")]);

    let fields = lines[0]["fields"].as_object().expect("fields");
    let names: Vec<&str> = fields.keys().map(String::as_str).collect();
    assert_eq!(names, ["at", "detail", "event", "outcome"]);
}

#[test]
fn one_refusal_too_many_is_told_beside_itself() {
    let refusal =
        Record::new(Event::Refusal, Outcome::Refused, "half a session").from([203, 0, 113, 7].into());

    let lines = written(&[refusal; 30]);

    assert_eq!(lines.len(), 31);
    assert_eq!(lines[30]["level"], "WARN");
    assert_eq!(lines[30]["fields"]["event"], "unusual");
    assert_eq!(lines[30]["fields"]["detail"], "many refusals from one address");
    assert_eq!(lines[30]["fields"]["client"], "203.0.113.7");
}

#[test]
fn a_user_id_cannot_begin_a_line_of_its_own() {
    let lines = written(&[Record::new(Event::SignIn, Outcome::Success, "").by("u1\n{\"target\":\"audit\"}")]);

    assert_eq!(lines.len(), 1);
}

#[test]
fn a_flood_of_refusals_does_not_fill_the_log() {
    let refusals: Vec<_> = (0..1000)
        .map(|number: u32| {
            let client = std::net::IpAddr::from(number.to_be_bytes());
            Record::new(Event::Refusal, Outcome::Refused, "admin work without a session").from(client)
        })
        .collect();

    assert_eq!(written(&refusals).len(), 60);
}
