//! Mails as clients and servers write them, and mails nobody should write.

mod broken;
mod excess;

use super::*;
use crate::base::id::hex;
use crate::base::secret::sha256;
use crate::mail::AutomaticKind;

const OUTLOOK: &[u8] = b"Received: from mail.customer.example by mx.desk.example; Mon, 5 Jan 2026 10:00:01 +0000\r\n\
From: \"Ada, Customer\" <Ada@customer.example>\r\n\
To: Support <support@desk.example>, \"Team\" <team@desk.example>\r\n\
Cc: eve@customer.example\r\n\
Subject: =?iso-8859-1?Q?AW:_Drucker_raucht_=28T=FCr_2=29?=\r\n\
Thread-Index: AQHb\r\n\
Date: Mon, 5 Jan 2026 11:00:00 +0100\r\n\
Message-ID: <AM0PR01@eurprd01.prod.outlook.com>\r\n\
References: <root@desk.example>\r\n\t<middle@desk.example>\r\n\
In-Reply-To: <newest@desk.example>\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n\
--b1\r\nContent-Type: multipart/alternative; boundary=\"b2\"\r\n\r\n\
--b2\r\nContent-Type: text/plain; charset=\"iso-8859-1\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
Geht wieder, sch=F6n.\r\n\r\nVon: Support <support@desk.example>\r\nGesendet: Montag\r\nAn: Ada\r\nBetreff: Drucker\r\n\r\nNochmal.\r\n\
--b2\r\nContent-Type: text/html; charset=\"iso-8859-1\"\r\n\r\n<p>Geht wieder</p>\r\n--b2--\r\n\
--b1\r\nContent-Type: application/pdf; name=\"../../bill.pdf\"\r\nContent-Disposition: attachment; filename=\"../../bill.pdf\"\r\n\
Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b1--\r\n";

const GMAIL: &[u8] = b"MIME-Version: 1.0\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\n\
Message-ID: <CAF=x1@mail.gmail.com>\r\nSubject: Re: Printer\r\nFrom: =?UTF-8?B?SsO8cmdlbg==?= <j@gmail.example>\r\n\
To: support@desk.example\r\nContent-Type: multipart/alternative; boundary=\"0000\"\r\n\r\n\
--0000\r\nContent-Type: text/plain; charset=\"UTF-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
WWVzIPCfmYIKCk9uIE1vbiwgSmFuIDUsIDIwMjYgYXQgMTA6MDAgQU0gQm9iIDxiQGQ+IHdyb3RlOgoKPiBTaGFsbCB3ZT8K\r\n\
--0000\r\nContent-Type: text/html; charset=\"UTF-8\"\r\n\r\n<div>Yes</div>\r\n--0000--\r\n";

const APPLE: &[u8] =
    b"From: Ada <ada@customer.example>\r\nContent-Type: multipart/mixed; boundary=\"Apple-1\"\r\n\
Subject: Photo\r\nMessage-Id: <1@me.example>\r\nMime-Version: 1.0\r\n\r\n\
--Apple-1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nLook:\r\n\
--Apple-1\r\nContent-Type: image/jpeg; name=IMG_1.jpg\r\nContent-Disposition: inline; filename=IMG_1.jpg\r\n\
Content-Transfer-Encoding: base64\r\n\r\n/9j/4A==\r\n\
--Apple-1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nSent from my iPhone\r\n--Apple-1--\r\n";

const HTML_ONLY: &[u8] =
    b"From: ada@customer.example\r\nSubject: Page\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
<html><body><p>It <b>smokes</b>.</p><div>On Mon, Jan 5, 2026 at 10:00 AM Bob &lt;b@d.example&gt; wrote:</div>\
<blockquote><p>Shall we?</p></blockquote></body></html>";

const BOUNCE: &[u8] = b"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail\r\n\
Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n\
--r\r\nContent-Type: text/plain\r\n\r\nNo such user\r\n\
--r\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822;x@y\r\nAction: failed\r\n\
--r\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <ours@desk.example>\r\nSubject: Re: x\r\n\r\nhello\r\n--r--\r\n";

const ALL: [&[u8]; 5] = [OUTLOOK, GMAIL, APPLE, HTML_ONLY, BOUNCE];

#[test]
fn an_outlook_reply_is_understood() {
    let mail = read(OUTLOOK).expect("a mail");
    assert_eq!(mail.message_id, "AM0PR01@eurprd01.prod.outlook.com");
    assert_eq!(mail.parents, ["newest@desk.example", "middle@desk.example", "root@desk.example"]);
    assert_eq!(mail.references, ["root@desk.example", "middle@desk.example", "newest@desk.example"]);
    let from = mail.from.expect("a sender");
    assert_eq!((from.name.as_str(), from.address.as_str()), ("Ada, Customer", "Ada@customer.example"));
    assert_eq!((mail.to.len(), mail.cc.len()), (2, 1));
    assert_eq!(mail.subject, "AW: Drucker raucht (Tür 2)");
    assert_eq!(mail.date.map(Timestamp::rfc3339).as_deref(), Some("2026-01-05T10:00:00Z"));
    assert_eq!(mail.reply, "Geht wieder, schön.");
    assert!(mail.text.contains("Nochmal."));
    let bill = ("bill.pdf", "application/pdf", 5, false);
    let file = &mail.attachments[0];
    assert_eq!((file.name.as_str(), file.media_type.as_str(), file.size, file.inline), bill);
    assert_eq!(file.sha256, hex(&sha256(b"%PDF-")));
    assert_eq!(mail.automatic, None);
}

#[test]
fn a_gmail_reply_is_understood() {
    let mail = read(GMAIL).expect("a mail");
    assert_eq!(mail.from.expect("a sender").name, "Jürgen");
    assert_eq!(mail.reply, "Yes 🙂");
}

#[test]
fn text_around_a_photo_is_read_as_one() {
    let mail = read(APPLE).expect("a mail");
    assert_eq!(mail.text, "Look:\n\nSent from my iPhone");
    assert_eq!(mail.reply, "Look:");
    assert_eq!((mail.attachments.len(), mail.attachments[0].inline), (1, true));
}

#[test]
fn a_page_without_plain_text_is_read_with_its_quote_marked() {
    let mail = read(HTML_ONLY).expect("a mail");
    assert!(mail.text.contains("\n> Shall we?"), "{}", mail.text);
    assert_eq!(mail.reply, "It smokes.");
}

#[test]
fn a_plain_part_that_says_nothing_gives_way_to_the_page() {
    let raw = b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n \r\n\
        --b\r\nContent-Type: text/html\r\n\r\n<p>It smokes.</p>\r\n--b--\r\n";
    assert_eq!(read(raw).expect("a mail").text, "It smokes.");
}

#[test]
fn a_mail_whose_parts_cannot_be_found_shows_its_bare_body() {
    let raw = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--b\r\n\r\nIt smokes.\r\n--b--\r\n";
    assert!(read(raw).expect("a mail").text.contains("It smokes."));
}

#[test]
fn a_bounce_is_a_machine_s_and_carries_its_mail() {
    let mail = read(BOUNCE).expect("a mail");
    assert_eq!(mail.automatic.expect("a machine").kind, AutomaticKind::Bounce);
    assert!(mail.attachments.iter().any(|file| file.media_type == "message/rfc822"));
}

#[test]
fn a_forwarded_mail_keeps_what_it_passes_on() {
    let raw = b"Subject: WG: Angebot\r\n\r\nBitte ansehen.\r\n\r\n-----Original Message-----\r\nFrom: X\r\nPreis: 5\r\n";
    assert!(read(raw).expect("a mail").reply.contains("Preis: 5"));
}

#[test]
fn encodings_are_read_declared_or_not() {
    let cases: [(&[u8], &str); 6] = [
        (b"Content-Type: text/plain; charset=gb2312\r\n\r\n\xc4\xe3\xba\xc3\r\n", "你好"),
        (b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$3$s$K$A$O\x1b(B\r\n", "こんにちは"),
        (b"Content-Type: text/plain; charset=koi8-r\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4\r\n", "Привет"),
        (
            b"Content-Type: text/plain\r\n\r\nGr\xfc\xdfe aus K\xf6ln, die T\xfcr ist zu\r\n",
            "Grüße aus Köln, die Tür ist zu",
        ),
        (b"Content-Type: text/plain\r\n\r\n\xc3\xbc\r\n", "ü"),
        (b"Content-Type: text/plain; charset=utf-8\r\n\r\na\xffb\r\n", "aÿb"),
    ];
    for (rest, wanted) in cases {
        let raw = [b"From: a@b\r\n".as_slice(), rest].concat();
        assert_eq!(read(&raw).expect("a mail").text, wanted);
    }
}

#[test]
fn a_subject_in_raw_bytes_is_read() {
    let raw = b"Subject: T\xfcr klemmt, Stra\xdfe gesperrt\r\n\r\nx\r\n";
    assert_eq!(read(raw).expect("a mail").subject, "Tür klemmt, Straße gesperrt");
}

#[test]
fn header_text_is_one_line_without_tricks() {
    let raw = b"From: =?utf-8?Q?Ada=0D=0ABcc:_eve?= <ada@b.example>\r\nSubject: =?utf-8?Q?a=00b=E2=80=AEc=0Ad?=\r\n\r\nx";
    let mail = read(raw).expect("a mail");
    assert_eq!(mail.subject, "abc d");
    assert_eq!(mail.from.expect("a sender").name, "Ada Bcc: eve");
}

#[test]
fn a_mail_without_id_gets_one_that_stays() {
    let (one, other) =
        (read(b"From: a@b\r\n\r\nx").expect("a mail"), read(b"From: a@b\r\n\r\ny").expect("a mail"));
    assert!(one.message_id.ends_with("@mintgate.invalid"));
    assert_ne!(one.message_id, other.message_id);
    assert_eq!(one.message_id, read(b"From: a@b\r\n\r\nx").expect("a mail").message_id);
}

#[test]
fn a_long_conversation_keeps_its_first_and_newest_ids() {
    let ids: Vec<String> = (0..500).map(|number| format!("<{number}@x>")).collect();
    let raw = format!("References: {}\r\nIn-Reply-To: <499@x>\r\n\r\nx", ids.join("\r\n "));
    let mail = read(raw.as_bytes()).expect("a mail");
    assert_eq!(mail.references.len(), MOST_REFERENCES);
    assert_eq!((mail.references[0].as_str(), mail.parents[0].as_str()), ("0@x", "499@x"));
}

#[test]
fn what_is_no_mail_or_too_much_is_refused() {
    let limits = Limits { bytes: 1_000_000, parts: 400 };
    let nested = b"Content-Type: message/rfc822\r\n\r\n".repeat(30_000);
    assert_eq!(read_guarded(&nested, &limits), Err(ReadError::TooManyParts { limit: 400 }));
    assert_eq!(read_guarded(&vec![b'x'; 1_000_001], &limits), Err(ReadError::TooLarge { limit: 1_000_000 }));
    assert_eq!(read_guarded(b"", &limits), Err(ReadError::NotAMail));
}

#[test]
fn mails_in_mails_up_to_the_limit_are_read() {
    let limits = Limits::default();
    let nested = b"Content-Type: message/rfc822\r\n\r\n".repeat(limits.parts);
    let outcome = std::thread::spawn(move || read_guarded(&nested, &limits).map(|_| ())).join();
    assert_eq!(outcome.expect("the stack suffices"), Ok(()));
}

/// Marsaglia's xorshift: the same inputs on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("below a usize")
    }

    fn mutate(&mut self, mail: &mut Vec<u8>) {
        const PIECES: [&[u8]; 12] = [
            b"\r\n",
            b"\0",
            b"=?utf-8?B?",
            b"?=",
            b"--b1",
            b"--",
            b"\xff\xfe",
            b"<",
            b";",
            b"\"",
            b"((((",
            b"charset=x",
        ];
        let at = self.below(mail.len().max(1)).min(mail.len());
        match self.below(5) {
            0 => mail.truncate(at),
            1 => mail.splice(at..at, PIECES[self.below(PIECES.len())].iter().copied()).for_each(drop),
            2 => mail.drain(at..(at + self.below(40)).min(mail.len())).for_each(drop),
            3 => mail.extend_from_within(at..),
            _ => mail.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x80 | 1),
        }
    }
}

#[test]
fn no_mutilated_mail_makes_the_reader_fail() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for round in 0..1_200 {
        let mut mail = ALL[chance.below(ALL.len())].to_vec();
        for _ in 0..=chance.below(12) {
            chance.mutate(&mut mail);
        }
        match read_guarded(&mail, &Limits::default()) {
            Ok(message) => {
                assert!(!message.message_id.is_empty());
                assert_eq!(message.reply.trim().is_empty(), message.text.trim().is_empty(), "round {round}");
                assert!(!message.subject.contains(char::is_control));
            }
            Err(error) => assert_eq!(error, ReadError::NotAMail, "round {round}"),
        }
    }
}

#[test]
fn empty_lines_before_the_headers_are_passed_over() {
    let mail = read(b"   \r\n\r\nSubject: Printer\r\n\r\nIt smokes.\r\n").expect("a mail");
    assert_eq!((mail.subject.as_str(), mail.text.as_str()), ("Printer", "It smokes."));
    assert_eq!(read(b" \r\n\r\n"), Err(ReadError::NotAMail));
}

#[test]
fn a_text_in_another_encoding_than_it_declares_is_read_all_the_same() {
    let text = "die Tür fällt schön zu";
    let cases: [&[u8]; 4] = [
        b"Content-Type: text/plain; charset=utf-8\r\n\r\ndie T\xfcr f\xe4llt sch\xf6n zu\r\n",
        b"Content-Type: text/plain; charset=us-ascii\r\n\r\ndie T\xfcr f\xe4llt sch\xf6n zu\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            die T=FCr f=E4llt sch=F6n zu\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
            ZGllIFT8ciBm5GxsdCBzY2j2biB6dQ==\r\n",
    ];
    for raw in cases {
        assert_eq!(read(raw).expect("a mail").text, text, "{}", String::from_utf8_lossy(raw));
    }
}

#[test]
fn one_broken_character_does_not_change_the_encoding_of_the_others() {
    for declared in ["Content-Type: text/plain; charset=utf-8\r\n", ""] {
        let broken = ["Привет".as_bytes(), b"\xd0"].concat();
        let heads =
            [declared.as_bytes(), b"Subject: ", &broken, b"\r\nFrom: ", &broken, b" <a@b.example>\r\n\r\n"];
        let mail = read(&[heads.concat(), broken.clone()].concat()).expect("a mail");
        let from = mail.from.expect("a sender");
        for text in [mail.text, mail.subject, from.name] {
            assert_eq!(text, "Привет\u{fffd}", "{declared}");
        }
    }
}

#[test]
fn names_in_raw_bytes_are_read() {
    let raw = b"From: J\xfcrgen M\xfcller <j@customer.example>\r\nTo: \"K\xf6ln\" <k@desk.example>, b@desk.example\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee there.\r\n\
        --b\r\nContent-Type: application/pdf; name=\"Pr\xfcfung gr\xfcn.pdf\"\r\n\r\n%PDF\r\n--b--\r\n";
    let mail = read(raw).expect("a mail");
    let from = mail.from.expect("a sender");
    assert_eq!((from.name.as_str(), from.address.as_str()), ("Jürgen Müller", "j@customer.example"));
    assert_eq!((mail.to.len(), mail.to[0].name.as_str()), (2, "Köln"));
    assert_eq!(mail.attachments[0].name, "Prüfung grün.pdf");
}

#[test]
fn a_text_whose_multipart_lost_its_boundary_is_shown() {
    let raw =
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/alternative;\r\n\
        boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nIt smokes.\r\n--b--\r\n--a--\r\n";
    assert!(read(raw).expect("a mail").text.contains("It smokes."));
}

#[test]
fn a_mail_that_only_carries_another_one_shows_that_ones_text() {
    let raw = b"Subject: for you\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n\r\n\r\n\
        --a\r\nContent-Type: message/rfc822\r\n\r\nSubject: Printer\r\n\r\nIt smokes.\r\n--a--\r\n";
    let mail = read(raw).expect("a mail");
    assert_eq!((mail.subject.as_str(), mail.text.as_str()), ("for you", "It smokes."));
    assert_eq!(mail.attachments.len(), 1);
}

#[test]
fn file_names_carry_no_tricks() {
    let long = "x".repeat(5_000);
    let names = [
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("invoice%E2%80%AEfdp.exe", "invoicefdp.exe"),
        ("a%00b.pdf", "ab.pdf"),
        ("C%3A%5CUsers%5Cx%5Cy.pdf", "y.pdf"),
        ("%0D%0ASet-Cookie%3A%20x", "Set-Cookie x"),
    ];
    for (given, wanted) in names {
        let raw = format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/zip\r\n\
             Content-Disposition: attachment; filename*=utf-8''{given}\r\n\r\nPK\r\n--b--\r\n"
        );
        assert_eq!(read(raw.as_bytes()).expect("a mail").attachments[0].name, wanted, "{given}");
    }
    let raw = format!("Content-Type: application/zip; name=\"{long}.zip\"\r\n\r\nPK\r\n");
    assert!(read(raw.as_bytes()).expect("a mail").attachments[0].name.len() <= 150);
}

/// A mail with these header lines and this body.
fn mail(headers: &str, body: &str) -> Message {
    read(format!("{headers}\r\n\r\n{body}").as_bytes()).expect("a mail")
}

#[test]
fn flowed_text_is_joined_before_its_quote_is_taken_out() {
    let headers = "From: a@x.example\r\nContent-Type: text/plain; charset=utf-8; format=flowed; delsp=yes";
    let mail = mail(
        headers,
        "A long \r\n sentence \r\n here.\r\n\r\nOn Monday  \r\nBob wrote:\r\n> Old  \r\n> text\r\n",
    );
    assert_eq!(mail.reply, "A longsentencehere.");
    assert!(mail.text.contains("> Old text"), "{}", mail.text);
}

#[test]
fn encoded_words_are_read_wherever_clients_put_them() {
    let table = [
        ("From: \"=?utf-8?Q?M=C3=BCller,_Ada?=\" <a@x.example>", "Müller, Ada"),
        ("From: =?utf-8?Q?M=C3?= =?utf-8?Q?=BCller?= <a@x.example>", "Müller"),
        ("From: \"=?utf-8?B?TcM=?=\r\n =?utf-8?B?vGxsZXI=?=\" <a@x.example>", "Müller"),
        ("From: =?utf-8?Q?M=C3=BCller_<a@x.example>?=", "Müller"),
        ("From: =?UTF-7?Q?M+APw-ller?= <a@x.example>", "Müller"),
        ("From: =?utf-8?Q?b@evil.example,?= =?utf-8?Q?_M=C3=BC?= <a@x.example>", "b@evil.example, Mü"),
    ];
    for (line, name) in table {
        let from = mail(line, "x").from.expect("a sender");
        assert_eq!((from.name.as_str(), from.address.as_str()), (name, "a@x.example"), "{line}");
    }
}

#[test]
fn a_name_cut_within_a_character_is_whole_again() {
    let headers = "From: a@x.example\r\nContent-Type: application/pdf; name=\"=?utf-8?Q?Gr=C3?=\r\n =?utf-8?Q?=BCn.pdf?=\"\r\n\
                   Content-Disposition: attachment";
    assert_eq!(mail(headers, "x").attachments[0].name, "Grün.pdf");
}

#[test]
fn text_in_utf_7_is_text() {
    let mail = mail("From: a@x.example\r\nContent-Type: text/plain; charset=utf-7", "Gr+APw-n");
    assert_eq!(mail.text, "Grün");
}

#[test]
fn a_file_written_into_the_text_is_an_attachment() {
    let mail = mail("From: a@x.example", "Look\r\nbegin 644 ../cat.txt\r\n#0V%T\r\n`\r\nend\r\n");
    let file = &mail.attachments[0];
    assert_eq!((file.name.as_str(), file.size, mail.text.as_str()), ("cat.txt", 3, "Look"));
    assert_eq!(file.sha256, hex(&sha256(b"Cat")));
}

#[test]
fn a_part_in_uuencode_is_decoded() {
    let headers = "From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b";
    let part =
        "Content-Type: application/msword\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n#0V%T\r\n`\r\n";
    let file = mail(headers, &format!("--b\r\n\r\nLook\r\n--b\r\n{part}--b--\r\n")).attachments.remove(0);
    assert_eq!((file.size, file.sha256), (3, hex(&sha256(b"Cat"))));
}

#[test]
fn an_invitation_is_told_in_words_and_listed() {
    let calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Visit\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let alone = mail("From: a@x.example\r\nContent-Type: text/calendar; method=REQUEST", calendar);
    let beside = mail(
        "From: a@x.example\r\nContent-Type: multipart/alternative; boundary=b",
        &format!("--b\r\n\r\nCome!\r\n--b\r\nContent-Type: text/calendar\r\n\r\n{calendar}--b--\r\n"),
    );
    assert_eq!((alone.text.as_str(), alone.reply.as_str()), ("[Invitation] Visit", "[Invitation] Visit"));
    assert_eq!(beside.text, "Come!\n\n[Invitation] Visit");
    for mail in [alone, beside] {
        let files: Vec<_> = mail.attachments.iter().map(|file| file.media_type.as_str()).collect();
        assert_eq!((files, mail.attachments[0].name.as_str()), (vec!["text/calendar"], "file-1.ics"));
    }
}

#[test]
fn sealed_parts_have_the_names_people_know_them_by() {
    let table = [
        ("application/ms-tnef", "winmail.dat"),
        ("application/pkcs7-mime; smime-type=enveloped-data", "smime.p7m"),
        ("application/pkcs7-signature", "smime.p7s"),
        ("application/pgp-signature", "signature.asc"),
    ];
    for (kind, name) in table {
        let headers = "From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b";
        let body = format!("--b\r\n\r\nHello\r\n--b\r\nContent-Type: {kind}\r\n\r\nx\r\n--b--\r\n");
        let names: Vec<_> = mail(headers, &body).attachments.into_iter().map(|file| file.name).collect();
        assert_eq!(names, [name]);
    }
}

#[test]
fn line_ends_of_an_old_mac_are_read() {
    let old = String::from_utf8_lossy(OUTLOOK).replace("\r\n", "\r");
    let (found, usual) = (read(old.as_bytes()).expect("a mail"), read(OUTLOOK).expect("a mail"));
    assert_eq!(
        (found.reply, found.subject, found.attachments),
        (usual.reply, usual.subject, usual.attachments)
    );
    let files = contents::files(old.as_bytes(), &Limits::default()).expect("a mail");
    assert_eq!(files, [b"%PDF-"]);
}

#[test]
fn what_outlook_packs_into_winmail_dat_is_listed_beside_it() {
    // One attachment, `a.txt`, with the bytes `Hi`.
    let packed = "eJ8+IgEAAgKQAAAOAAAAAAAAAAAAAAAAAAAAAAAAAAIQgAAABgAAAGEudHh0AAAAAg+AAAACAAAASGkAAA==";
    let raw = format!(
        "From: a@x.example\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{packed}\r\n"
    );
    let names: Vec<_> = read(raw.as_bytes())
        .expect("a mail")
        .attachments
        .into_iter()
        .map(|file| (file.name, file.size))
        .collect();
    let files = contents::files(raw.as_bytes(), &Limits::default()).expect("a mail");
    assert_eq!((names[0].0.as_str(), &names[1]), ("winmail.dat", &("a.txt".to_owned(), 2)));
    assert_eq!(files[1], b"Hi");
}
