//! Servers that mean harm, or are broken: nothing hangs, nothing grows, nothing is believed.

use std::time::Duration;

use mintgate::base::clock::Timestamp;
use mintgate::mailbox::MailboxError;
use mintgate::mailbox::settings::{MailboxSettings, Security, Server};
use mintgate::web::call::CallError;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::{plain, with_password};
use crate::support::mail_server::dialer;

const GREETING: &str = "* OK hello\r\n";
const CAPABILITY: &str = "* CAPABILITY IMAP4rev1 AUTH=PLAIN IDLE\r\nTAG OK\r\n";
const SELECTED: &str =
    "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 2] x\r\nTAG OK [READ-WRITE] x\r\n";

/// A silence within an answer, shorter than any that ends a session.
const PAUSE: Duration = Duration::from_secs(20);

/// Answers each line with the next of `answers` (`TAG` is the line's own, `~` a [`PAUSE`]), then says `last` for
/// ever (or ends, where it is empty).
pub async fn server(answers: &'static [&'static str], last: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut tag = String::new();
                for (number, answer) in answers.iter().enumerate() {
                    if number > 0 {
                        let mut line = String::new();
                        stream.read_line(&mut line).await?;
                        tag = line.split(' ').next().unwrap_or_default().trim().to_owned();
                    }
                    for (number, part) in answer.replace("TAG", &tag).split('~').enumerate() {
                        if number > 0 {
                            tokio::time::sleep(PAUSE).await;
                        }
                        stream.write_all(part.as_bytes()).await?;
                    }
                }
                while !last.is_empty() {
                    stream.write_all(last.as_bytes()).await?;
                }
                Ok::<(), std::io::Error>(())
            });
        }
    });
    port
}

async fn outcome(server: Server) -> Result<(), MailboxError> {
    let settings =
        MailboxSettings { incoming: Some(server), outgoing: Some(plain(9)), ..MailboxSettings::default() };
    let mailbox = with_password(settings, dialer(), "secret");
    let page = mailbox.list(None, Timestamp(0)).await?;
    mailbox.fetch(&page.mails[0].key, 10_000).await.map(drop)
}

#[tokio::test]
async fn what_no_honest_server_says_ends_the_session() {
    const LISTED: &[&str] = &[
        GREETING,
        CAPABILITY,
        "+ \r\n",
        "A0001 OK\r\n",
        CAPABILITY,
        SELECTED,
        "* SEARCH 1\r\nTAG OK\r\n",
        "* SEARCH 1\r\nTAG OK\r\n",
        "* 1 FETCH (UID 1 INTERNALDATE \"21-Nov-2026 00:00:00 +0000\")\r\nTAG OK\r\n",
    ];
    for (what, answers, last) in [
        ("an endless greeting", &[][..], "x"),
        ("greets and leaves", &[GREETING], ""),
        ("a greeting that is none", &["HTTP/1.1 400 no\r\n"], ""),
        ("BYE", &["* BYE full\r\n"], ""),
        ("PREAUTH", &["* PREAUTH come in\r\n"], ""),
        ("endless capabilities", &[GREETING], "* CAPABILITY X\r\n"),
        (
            "BYE while fetching",
            &[LISTED, &["* 1 FETCH (UID 1 BODY[]<0> {50}\r\nSubj\r\n* BYE\r\n"]].concat(),
            "",
        ),
        (
            "an endless mail",
            &[LISTED, &["* 1 FETCH (UID 1 BODY[]<0> {9000}\r\n"]].concat(),
            "xxxxxxxxxxxxxxxx",
        ),
        ("a huge literal", &[LISTED, &["* 1 FETCH (UID 1 BODY[]<0> {4000000000}\r\n"]].concat(), "x"),
        ("an endless line", LISTED, "* OK xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
        ("endless answers", LISTED, "* OK x\r\n"),
    ] {
        let answers: &'static [&'static str] = Vec::leak(answers.to_vec());
        let port = server(answers, last).await;
        let failed = outcome(plain(port)).await.expect_err(what);
        let expected = matches!(failed, MailboxError::Call(_) | MailboxError::Garbled { .. });
        assert!(expected, "{what}: {failed:?}");
    }
}

/// Up to where a mail is listed, and fetched.
const UP_TO_SEARCH: [&str; 6] = [GREETING, CAPABILITY, "+ \r\n", "A0001 OK\r\n", CAPABILITY, SELECTED];
const FOUND: [&str; 3] = [
    "* SEARCH 1\r\nTAG OK\r\n",
    "* SEARCH 1\r\nTAG OK\r\n",
    "* 1 FETCH (UID 1 INTERNALDATE \"21-Nov-2026 00:00:00 +0000\")\r\nTAG OK\r\n",
];

/// A refusal, or an end between two lines, taken for an empty answer would make mail count as gone.
#[tokio::test]
async fn a_server_that_does_not_answer_is_not_one_without_mail() {
    for asked in 0..=FOUND.len() {
        for refusal in ["TAG NO [SERVERBUG] not now\r\n", "TAG BAD what?\r\n", "* 1 EXISTS\r\n"] {
            let answers = [&UP_TO_SEARCH[..], &FOUND[..asked], &[refusal]].concat();
            let port = ending_server(answers).await;
            let failed = outcome(plain(port)).await;
            assert!(failed.is_err(), "{refusal} to command {asked}");
        }
    }
}

async fn ending_server(answers: Vec<&'static str>) -> u16 {
    server(Vec::leak(answers), "").await
}

#[tokio::test]
async fn a_mail_that_is_handed_over_without_its_bytes_is_not_gone() {
    for answer in ["* 1 FETCH (UID 1)\r\nTAG OK\r\n", "* 1 FETCH (UID 1 BODY[]<0> NIL)\r\nTAG OK\r\n"] {
        let port = ending_server([&UP_TO_SEARCH[..], &FOUND, &[answer]].concat()).await;
        let failed = outcome(plain(port)).await;
        assert!(matches!(failed, Err(MailboxError::Garbled { .. })), "{answer}: {failed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mail_may_come_slowly_but_not_for_ever() {
    for (mail, comes) in [("ab~cd~ef", true), ("~a~b~c~d~e~f~", false)] {
        let answer = format!("* 1 FETCH (UID 1 BODY[]<0> {{6}}\r\n{mail})\r\nTAG OK\r\n");
        let port = ending_server([&UP_TO_SEARCH[..], &FOUND, &[answer.leak()]].concat()).await;
        let fetched = outcome(plain(port)).await;
        assert_eq!(fetched.is_ok(), comes, "{mail}: {fetched:?}");
    }
}

/// Each line in time, and there is always another one.
#[tokio::test(start_paused = true)]
async fn a_sign_in_that_never_comes_to_its_end_is_left() {
    let slowly = "~* OK wait\r\n".repeat(200);
    for (what, answers) in [
        ("capabilities", vec![GREETING, slowly.clone().leak()]),
        ("sign-in", vec![GREETING, CAPABILITY, "+ \r\n", slowly.leak()]),
    ] {
        let port = server(answers.leak(), "").await;
        let began = tokio::time::Instant::now();
        let failed = outcome(plain(port)).await;
        assert!(matches!(failed, Err(MailboxError::Call(CallError::Timeout { .. }))), "{what}: {failed:?}");
        assert!(began.elapsed() < Duration::from_secs(90), "{what}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let silent = tokio::time::timeout(Duration::from_secs(600), outcome(plain(port))).await;
    assert!(matches!(silent, Ok(Err(MailboxError::Call(_)))), "{silent:?}");
}

#[tokio::test]
async fn nothing_is_said_in_the_open_where_tls_was_asked_for() {
    for (what, answers) in [
        ("no STARTTLS", &[GREETING, "TAG BAD what?\r\n"][..]),
        ("PREAUTH instead", &["* PREAUTH come in\r\n"]),
        ("answers slipped in before TLS", &[GREETING, "TAG OK go\r\n* CAPABILITY AUTH=PLAIN\r\nC1 OK\r\n"]),
    ] {
        let port = server(Vec::leak(answers.to_vec()), "").await;
        let asked = Server::new("127.0.0.1", port, Security::StartTls, "help@desk.example");
        let failed = outcome(asked).await.expect_err(what);
        assert!(matches!(failed, MailboxError::Call(_) | MailboxError::Garbled { .. }), "{what}: {failed:?}");
    }
}
