//! Who gets a Graph token, what is told to whom gets none, and which YAML is refused.

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::*;
use crate::base::id::MailboxId;
use crate::middleware::scene::{answered, compiled, exchange, get, problems, status};

const GOOD: &str = "plugin: {graphToken: {mailbox: m365, allow: [10.0.0.0/8]}}";

fn refused(client: &str, lines: &[(&str, &str)]) -> StatusCode {
    answered(compiled(GOOD).request(&exchange(client, "/v1.0/me"), &mut get("/v1.0/me", lines))).status()
}

#[test]
fn a_client_outside_every_network_is_refused_at_once() {
    for client in ["203.0.113.7", "11.0.0.1", "::1", "::10.0.0.1"] {
        assert_eq!(refused(client, &[]), StatusCode::FORBIDDEN, "{client}");
    }
}

#[test]
fn a_browser_is_refused_wherever_it_is() {
    for line in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-origin"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("referer", "https://evil.example/"),
    ] {
        assert_eq!(refused("10.0.0.1", &[line]), StatusCode::FORBIDDEN, "{line:?}");
    }
}

#[tokio::test]
async fn without_a_keeper_the_answer_says_when_to_come_again() {
    let verdict = compiled(GOOD).request(&exchange("10.0.0.1", "/v1.0/me"), &mut get("/v1.0/me", &[]));
    let Verdict::Later(decision) = verdict else { panic!("{:?} at once", status(verdict)) };
    let Decision::Answer(answer) = decision.await else { panic!("it was let through") };
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()[RETRY_AFTER], "30");
}

#[test]
fn the_time_to_wait_is_the_providers_within_an_hour() {
    let now = Timestamp(1_000_000);
    for (wait, told) in [(0, "1"), (1_500, "2"), (120_000, "120"), (86_400_000, "3600")] {
        let source = TokenError::Unavailable { retry_at: Timestamp(now.0 + wait), source: None };
        let mailbox = MailboxId::parse("m365").expect("an id");
        let answer = refusal(&NoToken::Refused { mailbox, source }, "/v1.0/me", now);
        assert_eq!(answer.headers()[RETRY_AFTER], told, "{wait}");
    }
}

#[test]
fn whatever_is_missing_or_too_wide_is_no_configuration() {
    let cases = [
        ("{}", &["`mailbox` is missing", "`allow` is missing or empty"][..]),
        ("{mailbox: m365}", &["`allow` is missing or empty"]),
        ("{mailbox: m365, allow: []}", &["`allow` is missing or empty"]),
        ("{allow: [10.0.0.1]}", &["`mailbox` is missing"]),
        (
            "{mailbox: 'Not one', allow: [10.0.0.1]}",
            &["1:32 `mailbox` is neither a mailbox's id nor a mail address"],
        ),
        ("{mailbox: m365, allow: [0.0.0.0/0]}", &["1:46 `0.0.0.0/0` is everybody"]),
        ("{mailbox: m365, allow: ['::/0']}", &["1:46 `::/0` is everybody"]),
    ];
    for (settings, told) in cases {
        assert_eq!(problems(&format!("plugin: {{graphToken: {settings}}}")), told, "{settings}");
    }
}

#[test]
fn a_mailbox_is_named_by_id_or_address() {
    assert!(matches!(Wanted::read("m365"), Some(Wanted::Id(_))));
    assert!(matches!(Wanted::read("Tickets@demo.example"), Some(Wanted::Address(_))));
    for text in ["", "@demo.example", "tickets@", "a@b@c", "tickets at demo", "tickets@demo example"] {
        assert_eq!(Wanted::read(text), None, "{text}");
    }
}
