//! Mails that break the rules in ways people's programs really do.

use crate::mail::read::{Limits, contents, read};
use crate::mail::{Mailbox, Message};

fn mail(headers: &str, body: &str) -> Message {
    read(format!("{headers}\r\n\r\n{body}").as_bytes()).expect("a mail")
}

fn named(name: &str, address: &str) -> Option<Mailbox> {
    Some(Mailbox { name: name.to_owned(), address: address.to_owned() })
}

#[test]
fn a_sender_is_found_where_from_names_nobody() {
    let table = [
        ("Reply-To: Ada <ada@x.example>", named("Ada", "ada@x.example")),
        ("From: Bob <>\r\nReply-To: ada@x.example", named("", "ada@x.example")),
        ("Sender: ada@x.example\r\nReply-To: bob@x.example", named("", "bob@x.example")),
        ("Return-Path: <ada@x.example>", named("", "ada@x.example")),
        ("Return-Path: <>\r\nFrom: \"ada@x.example\"", named("", "ada@x.example")),
        ("From: root (Cron Daemon)", named("Cron Daemon", "root")),
        ("From: =?utf-8?Q?ada?=@x.example", named("", "ada@x.example")),
        ("From: =?utf-8?Q?Ada?= <=?utf-8?Q?ada?=@x.example>", named("Ada", "ada@x.example")),
        ("From: Example, Ada <ada@x.example>", named("Example, Ada", "ada@x.example")),
        ("From: undisclosed-recipients:;", None),
        ("Return-Path: <>", None),
    ];
    for (headers, from) in table {
        assert_eq!(mail(headers, "x").from, from, "{headers}");
    }
}

#[test]
fn nobody_vouches_for_a_sender_that_had_to_be_guessed() {
    let line = "Authentication-Results: mx.example; dmarc=pass header.from=x.example";
    let results = |from: &str| mail(&format!("{from}\r\n{line}"), "x").authentication_results.len();
    assert_eq!(results("From: Ada <ada@x.example>"), 1);
    for from in [
        "Reply-To: ada@x.example",
        "From: =?utf-8?Q?ada?=@x.example",
        "From: \"ada@x.example\"",
        "From: ada@x.example, bob@x.example",
        "From: ada@x.example\r\nFrom: bob@x.example",
        "From: Ada ada@x.example",
    ] {
        assert_eq!(results(from), 0, "{from}");
    }
}

#[test]
fn parts_that_nobody_closed_keep_their_text_and_files() {
    let mail = mail(
        "From: a@x.example\r\nContent-Type: multipart/mixed; boundary=out",
        "--out\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n\
         --in\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BCn\r\n\
         --in\r\nContent-Type: text/html\r\n\r\n<p>page</p>\r\n\
         --out\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=",
    );
    assert_eq!((mail.text.as_str(), mail.attachments.len()), ("Grün", 1));
    assert_eq!((mail.attachments[0].name.as_str(), mail.attachments[0].size), ("a.pdf", 5));
}

#[test]
fn a_body_with_wrong_signs_is_decoded_as_far_as_it_goes() {
    let table = [
        ("quoted-printable", "1 == 1, x=y, =C3=BC", "1 == 1, x=y, ü"),
        ("\"quoted-printable\"", "=C3=BC", "ü"),
        ("base64", "w7w=\r\n_____\r\nlist footer", "ü"),
        ("base64;", "w7w=", "ü"),
        ("base64", "No, this is text.", "No, this is text."),
    ];
    for (encoding, body, text) in table {
        let headers = format!(
            "From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\nMIME-Version: 1.0\r\n\r\n--b\r\n\
                     Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}"
        );
        let text_of = mail(&headers, &format!("{body}\r\n--b--\r\n")).text;
        assert_eq!(text_of, text, "{encoding}: {body}");
    }
}

#[test]
fn a_multipart_without_its_boundary_is_text_and_no_file() {
    let lost = mail("From: a@x.example\r\nContent-Type: multipart/mixed; boundary=gone", "It smokes.\r\n");
    assert_eq!((lost.text.trim(), lost.attachments.len()), ("It smokes.", 0));
    let other = mail(
        "From: a@x.example\r\nContent-Type: multipart/mixed; boundary=gone",
        "--real\r\nContent-Type: text/plain\r\n\r\nIt smokes.\r\n--real\r\nContent-Type: text/csv; name=a.csv\r\n\r\n1\r\n--real--\r\n",
    );
    assert_eq!((other.text.trim(), other.attachments.len()), ("It smokes.", 1));
}

#[test]
fn a_text_in_a_form_for_other_programs_is_no_file() {
    let forms = mail(
        "From: a@x.example\r\nContent-Type: multipart/alternative; boundary=b",
        "--b\r\n\r\nHello\r\n--b\r\nContent-Type: text/x-amp-html\r\n\r\n<html amp4email>\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--b--\r\n",
    );
    assert_eq!((forms.text.as_str(), forms.attachments.len()), ("Hello", 0));
    let only = mail(
        "From: a@x.example\r\nContent-Type: multipart/alternative; boundary=b",
        "--b\r\nContent-Type: text/enriched\r\n\r\n<bold>Hello</bold>\r\n--b--\r\n",
    );
    assert_eq!(only.attachments.len(), 1);
}

#[test]
fn a_file_without_a_name_is_called_what_its_part_calls_it() {
    let table = [
        ("Content-Type: image/jpeg\r\nContent-ID: <image001.jpg@01DA.1>", "image001.jpg"),
        ("Content-Type: image/png\r\nContent-Location: https://x.example/img/logo.png?v=2", "logo.png"),
        (
            "Content-Type: application/pdf\r\nContent-Description: =?utf-8?Q?Beleg_f=C3=BCr_Mai?=",
            "Beleg für Mai.pdf",
        ),
        ("Content-Type: image/png\r\nContent-ID: <4.1617621278.2@x>", "file-1.png"),
        ("Content-Type: application/pdf; name=\"=?utf-8?B?dW5k?= mehr.pdf\"", "und mehr.pdf"),
        (
            "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*0*=iso-8859-1''%FC;\r\n filename*1*=%FC.pdf",
            "üü.pdf",
        ),
    ];
    for (header, name) in table {
        let body = format!("--b\r\n\r\nSee\r\n--b\r\n{header}\r\n\r\nx\r\n--b--\r\n");
        let found = mail("From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b", &body);
        assert_eq!(found.attachments[0].name, name, "{header}");
    }
}

#[test]
fn the_name_of_an_attached_mail_is_its_subject_whatever_its_bytes() {
    let raw =
        [b"From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee\r\n--b\r\n\
          Content-Type: message/rfc822\r\n\r\nSubject: T\xfcr f\xe4llt zu\r\n\r\nx\r\n--b--\r\n"
            .as_slice()]
        .concat();
    assert_eq!(read(&raw).expect("a mail").attachments[0].name, "Tür fällt zu.eml");
}

#[test]
fn the_bytes_of_a_mended_mail_are_those_that_are_named() {
    let raw = "From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee\r\n--b\r\n\
               Content-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: base64\r\n\r\nMSwyLDM=\r\n";
    let files = contents::files(raw.as_bytes(), &Limits::default()).expect("a mail");
    assert_eq!(files, [b"1,2,3"]);
    assert_eq!(read(raw.as_bytes()).expect("a mail").attachments[0].size, 5);
}
