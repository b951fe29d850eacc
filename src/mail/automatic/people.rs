//! Mails of people that look like a machine's at first sight.

use crate::mail::read::read;

fn verdict(raw: &str) -> Option<String> {
    read(raw.as_bytes()).expect("a mail").automatic.map(|found| found.reason)
}

#[test]
fn who_asks_about_machines_is_none() {
    let subjects = [
        "Automatic reply is not sent",
        "Automatic response times in the report",
        "Abwesenheitsnotiz einrichten",
        "Abwesenheitsassistent funktioniert nicht",
        "Automatische Antwort in Outlook einstellen",
        "Out of office next week, please reroute my tickets",
        "Vacation reply settings",
        "Absence du bureau du 3 au 5 : qui me remplace ?",
        "Autosvar virker ikke",
        "自動返信の設定方法",
        "Mail delivery failed for our newsletter",
        "Failure notice on the display of printer 3",
        "Returned mail from the post office",
        "Delivery status notification for my order?",
        "550 5.1.1 user unknown",
        "Re: Undeliverable: Printer",
    ];
    for subject in subjects {
        let raw =
            format!("From: Ada <ada@x.example>\r\nSubject: {subject}\r\n\r\nWhat now? Mailbox full.\r\n");
        assert_eq!(verdict(&raw), None, "{subject}");
    }
}

#[test]
fn machines_are_known_by_what_follows_their_words() {
    let subjects = [
        "Automatic reply",
        "Automatic reply: Printer",
        "Automatic reply from the support",
        "Automatische Antwort: Drucker",
        "Réponse automatique : absent",
        "Autosvar - bortrest",
        "自動返信：不在",
        "Delivery Status Notification (Failure)",
        "Mail delivery failed: returning message to sender",
        "failure notice",
    ];
    for subject in subjects {
        let raw = format!("From: Ada <ada@x.example>\r\nSubject: {subject}\r\n\r\nx\r\n");
        assert!(verdict(&raw).is_some(), "{subject}");
    }
}

#[test]
fn who_passes_a_report_on_is_a_person() {
    let status = "Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; bob@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n";
    let head =
        "Subject: What I got\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nWhy is that?\r\n";
    let beside = format!("From: ada@x.example\r\n{head}--b\r\n{status}--b--\r\n");
    assert_eq!(verdict(&beside), None);
    for machine in ["From: postmaster@x.example", "Return-Path: <>\r\nFrom: ada@x.example", "X-Mailer: x"] {
        assert!(verdict(&format!("{machine}\r\n{head}--b\r\n{status}--b--\r\n")).is_some(), "{machine}");
    }
    let inner = "Content-Type: message/rfc822\r\n\r\nFrom: MAILER-DAEMON@x.example\r\nContent-Type: multipart/report; boundary=c\r\n\r\n";
    let within = format!("From: ada@x.example\r\n{head}--b\r\n{inner}--c\r\n{status}--c--\r\n--b--\r\n");
    assert_eq!(verdict(&within), None);
}

#[test]
fn headers_that_people_s_programs_write_say_nothing() {
    let lines = [
        "Precedence: first-class",
        "Precedence: normal",
        "X-Auto-Response-Suppress: RN, NRN",
        "X-Auto-Response-Suppress: None",
        "X-Autoreply: no",
        "X-Loop: ada@x.example",
        "List-Unsubscribe: <mailto:leave@x.example>",
        "Disposition-Notification-To: ada@x.example",
        "X-Mailer: PHPMailer 6",
        "Importance: high",
    ];
    for line in lines {
        let raw = format!("From: Ada <ada@x.example>\r\n{line}\r\nSubject: Printer\r\n\r\nIt smokes.\r\n");
        assert_eq!(verdict(&raw), None, "{line}");
    }
}

#[test]
fn names_like_a_machine_s_belong_to_people_too() {
    let senders = [
        "Norep Lyon <noreplyon@x.example>",
        "Rooter Ada <rooter.ada@x.example>",
        "Ada Root <root@ada.example>",
        "Daemon Blake <daemon.blake@x.example>",
        "MDaemon Support <mdaemon-support@x.example>",
        "Ada <ada@postmaster.example>",
    ];
    for sender in senders {
        let raw = format!("From: {sender}\r\nSubject: Printer\r\n\r\nIts mailbox is full, what now?\r\n");
        assert_eq!(verdict(&raw), None, "{sender}");
    }
}

#[test]
fn who_quotes_a_program_s_message_is_no_program() {
    let raw =
        "From: ada@x.example\r\nSubject: x\r\n\r\n{\"notificationType\":\"Bounce\"} is what I get. Why?\r\n";
    assert_eq!(verdict(raw), None);
    let report = "From: ada@x.example\r\nSubject: x\r\n\r\n{\"notificationType\":\"Bounce\"}\r\n";
    assert!(verdict(report).is_some());
}
