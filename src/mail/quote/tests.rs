//! Replies as clients write them, each with the part that is new.

use super::reply;

mod announcements;
mod mails;
mod phones;

/// The name of the case, the text, and what is new in it.
const CASES: &[(&str, &str, &str)] = &[
    ("nothing quoted", "Hello,\n\nit smokes again.\n", "Hello,\n\nit smokes again."),
    (
        "Gmail",
        "Yes, please.\n\nOn Mon, Jan 5, 2026 at 10:00 AM Support <support@desk.example> wrote:\n\n> Shall we?\n>\n> Bob\n",
        "Yes, please.",
    ),
    (
        "Gmail, attribution wrapped over two lines",
        "Yes.\n\nOn Mon, Jan 5, 2026 at 10:00 AM A Very Long Support Team Name\n<support@desk.example> wrote:\n\n> Shall we?\n",
        "Yes.",
    ),
    (
        "attribution wrapped over three lines",
        "Yes.\n\nOn Monday, January 5, 2026 at 10:00 AM,\nA Very Long Support Team Name\n<support@desk.example> wrote:\n> Shall we?\n",
        "Yes.",
    ),
    (
        "Gmail, German",
        "Ja bitte.\n\nAm Mo., 5. Jan. 2026 um 10:00 Uhr schrieb Support <support@desk.example>:\n\n> Sollen wir?\n",
        "Ja bitte.",
    ),
    (
        "Gmail, older German form",
        "Ja.\n\nSupport <support@desk.example> schrieb am Mo., 5. Jan. 2026, 10:00:\n\n> Sollen wir?\n",
        "Ja.",
    ),
    (
        "Gmail, French",
        "Oui.\n\nLe lun. 5 janv. 2026 à 10:00, Support <support@desk.example> a écrit\u{a0}:\n\n> On y va ?\n",
        "Oui.",
    ),
    (
        "Spanish",
        "Sí.\n\nEl lun, 5 ene 2026 a las 10:00, Soporte (<s@d.example>) escribió:\n\n> ¿Vamos?\n",
        "Sí.",
    ),
    (
        "Italian",
        "Sì.\n\nIl giorno lun 5 gen 2026 alle ore 10:00 S <s@d.example> ha scritto:\n\n> Andiamo?\n",
        "Sì.",
    ),
    ("Dutch", "Ja.\n\nOp ma 5 jan 2026 om 10:00 schreef Support <s@d.example>:\n\n> Zullen we?\n", "Ja."),
    (
        "Portuguese",
        "Sim.\n\nEm seg., 5 de jan. de 2026 às 10:00, S <s@d.example> escreveu:\n\n> Vamos?\n",
        "Sim.",
    ),
    ("Polish", "Tak.\n\nW dniu 05.01.2026 o 10:00, Support pisze:\n> Idziemy?\n", "Tak."),
    ("Swedish", "Ja.\n\nDen mån 5 jan. 2026 kl 10:00 skrev Support <s@d.example>:\n\n> Ska vi?\n", "Ja."),
    ("Russian", "Да.\n\nпн, 5 янв. 2026 г. в 10:00, Support <s@d.example> пишет:\n\n> Идём?\n", "Да."),
    (
        "Japanese",
        "はい。\n\n2026年1月5日(月) 10:00 Support <s@d.example>のメール:\n\n> 行きますか\n",
        "はい。",
    ),
    ("Chinese", "好。\n\nSupport <s@d.example> 于2026年1月5日周一 10:00写道：\n\n> 走吗\n", "好。"),
    (
        "Apple Mail",
        "Works now, thanks!\n\nAda\n\n> On 5. Jan 2026, at 10:00, Support <support@desk.example> wrote:\n> \n> Try again.\n\n",
        "Works now, thanks!\n\nAda",
    ),
    (
        "iPhone",
        "Works now\n\nSent from my iPhone\n\n> On Jan 5, 2026, at 10:00, Support <s@d.example> wrote:\n> \n> \u{feff}Try again.\n",
        "Works now",
    ),
    (
        "iPhone, German",
        "Geht wieder.\n\nVon meinem iPhone gesendet\n\n> Am 05.01.2026 um 10:00 schrieb S <s@d>:\n> \n> Hm.\n",
        "Geht wieder.",
    ),
    (
        "Thunderbird, answer on top with signature",
        "Works.\n\n-- \nAda Customer\nExample Ltd\n\nOn 1/5/26 10:00, Support wrote:\n> Try again.\n",
        "Works.",
    ),
    (
        "Thunderbird, answer below the quote",
        "On 1/5/26 10:00, Support wrote:\n> Try again.\n> Please.\n\nWorks.\n\n-- \nAda\n",
        "Works.",
    ),
    ("Thunderbird, German", "Am 05.01.26 um 10:00 schrieb Support:\n> Bitte nochmal.\n\nGeht.\n", "Geht."),
    (
        "answers between quoted lines keep them",
        "On 1/5/26 10:00, Support wrote:\n> Which model?\nX200\n> Since when?\nMonday\n> Bob\n",
        "On 1/5/26 10:00, Support wrote:\n> Which model?\nX200\n> Since when?\nMonday",
    ),
    (
        "Outlook",
        "It works now.\n\nRegards\nAda\n\nFrom: Support <support@desk.example>\nSent: Monday, January 5, 2026 10:00 AM\nTo: Ada <ada@customer.example>\nSubject: Re: Printer\n\nTry again.\n",
        "It works now.\n\nRegards\nAda",
    ),
    (
        "Outlook with a line above its block",
        "It works.\n\n________________________________\nFrom: Support <s@d.example>\nSent: Monday\nTo: Ada\nSubject: Re: Printer\n\nTry again.\n",
        "It works.",
    ),
    (
        "Outlook, German",
        "Geht.\n\nVon: Support <s@d.example>\nGesendet: Montag, 5. Januar 2026 10:00\nAn: Ada <a@c.example>\nBetreff: AW: Drucker\n\nNochmal.\n",
        "Geht.",
    ),
    (
        "Outlook, French",
        "Ça marche.\n\nDe : Support <s@d.example>\nEnvoyé : lundi 5 janvier 2026 10:00\nÀ : Ada\nObjet : RE: Imprimante\n\nEncore.\n",
        "Ça marche.",
    ),
    (
        "Outlook on the web, bold labels",
        "Works.\n\n*From:* Support <s@d.example>\n*Sent:* Monday, January 5, 2026\n*To:* Ada\n*Cc:* Eve\n*Subject:* Re: Printer\n\nAgain.\n",
        "Works.",
    ),
    (
        "Outlook for iOS",
        "Works.\n\nGet Outlook for iOS<https://aka.ms/x>\n________________________________\nFrom: S <s@d>\nSent: Monday\nTo: A\nSubject: x\n\nAgain.\n",
        "Works.",
    ),
    (
        "Gmail in its first years",
        "Works.\n2011/4/7 Support <support@desk.example>\n\n> Try again.\n",
        "Works.",
    ),
    ("a message to reply to", "Works.\n\n-----Reply Message-----\n\nTry again.\n", "Works."),
    ("Original Message", "Works.\n\n-----Original Message-----\nFrom: Support\nTry again.\n", "Works."),
    (
        "Ursprüngliche Nachricht",
        "Geht.\n\n-----Ursprüngliche Nachricht-----\nVon: Support\nNochmal.\n",
        "Geht.",
    ),
    ("Message d’origine", "Oui.\n\n-----Message d’origine-----\nDe : Support\nEncore.\n", "Oui."),
    (
        "Yahoo, nothing marked",
        "Works.\n\nOn Monday, January 5, 2026, 10:00 AM, Support <s@d.example> wrote: \n\n Try again.\n Bob\n",
        "Works.",
    ),
    (
        "a line to write above",
        "Works.\n\n##- Please type your reply above this line -##\n\nTicket 5 was updated.\n",
        "Works.",
    ),
    ("a signature without its space", "Works.\n--\nAda\nExample Ltd\n", "Works."),
    ("Android", "Works.\n\nSent from my Galaxy\n", "Works."),
    ("only a quote stays whole", "> Try again.\n> Bob\n", "> Try again.\n> Bob"),
    ("only a signature stays whole", "-- \nAda\n", "-- \nAda"),
    ("only a phone's line stays", "Sent from my iPhone\n", "Sent from my iPhone"),
    (
        "a forwarded block on top stays whole",
        "From: A <a@x>\nSent: Monday\nTo: B\nSubject: x\n\nold text\n",
        "From: A <a@x>\nSent: Monday\nTo: B\nSubject: x\n\nold text",
    ),
    (
        "a writer's own list is no header block",
        "Parcel is lost.\nFrom: Berlin\nTo: Munich\nDate: Monday\n",
        "Parcel is lost.\nFrom: Berlin\nTo: Munich\nDate: Monday",
    ),
    (
        "a sentence that begins like an attribution stays",
        "On Monday you wrote: send logs.\nHere they are: log 1\n",
        "On Monday you wrote: send logs.\nHere they are: log 1",
    ),
    (
        "a sentence about sending stays",
        "Parcel arrived.\nSent from Berlin on Monday.\n",
        "Parcel arrived.\nSent from Berlin on Monday.",
    ),
    (
        "a person's own story stays",
        "Hi,\nOn 3 May I wrote to you about this:\n\nThe printer smokes.\n",
        "Hi,\nOn 3 May I wrote to you about this:\n\nThe printer smokes.",
    ),
    (
        "an attribution wrapped inside its address",
        "Thank you!\n\n2026-01-05 10:00 GMT+01:00 Support <\nsupport@desk.example>:\n\n> Try again.\n",
        "Thank you!",
    ),
    (
        "an attribution that begins with the name, wrapped",
        "Okay.\n\nSupport <support@desk.example> schrieb am Fr., 28.\nApr. 2026 um 11:53 Uhr:\n\n> Nochmal.\n",
        "Okay.",
    ),
    (
        "an attribution whose last bracket is wrapped",
        "Danke.\n\nAm 05.01.2026 10:00 schrieb \"Support\" <support@desk.example\n>:\n\n> Nochmal.\n",
        "Danke.",
    ),
    (
        "an attribution right below the text takes none of it along",
        "Only in 2 weeks can I\ntest it. Then...\nOp 5 jan. 2026 10:00 schreef \"S\" <s@d.example> het\nvolgende geschreven:\n\n> Hm\n",
        "Only in 2 weeks can I\ntest it. Then...",
    ),
    (
        "Zoho",
        "Works.\n\n---- On Mon, 05 Jan 2026 10:00:00 +0000 Support<s@d.example> wrote ----\n\n Try again.\n",
        "Works.",
    ),
    (
        "a name and an address without a date",
        "Works.\n\nSupport <s@d.example> wrote:\n\nTry again.\n",
        "Works.",
    ),
    ("a quote nobody announced stays", "> Try again.\n\nI did.\n", "> Try again.\n\nI did."),
    (
        "what is passed on stays",
        "See below.\n\n---------- Forwarded message ---------\nFrom: A <a@x>\nDate: Mon\nSubject: Offer\n\nPrice: 5\n",
        "See below.\n\n---------- Forwarded message ---------\nFrom: A <a@x>\nDate: Mon\nSubject: Offer\n\nPrice: 5",
    ),
    ("empty", "", ""),
];

#[test]
fn every_client_s_reply_keeps_what_is_new() {
    for (name, text, wanted) in CASES {
        assert_eq!(reply(text), *wanted, "{name}");
    }
}

#[test]
fn line_endings_make_no_difference() {
    for (name, text, wanted) in CASES {
        assert_eq!(reply(&text.replace('\n', "\r\n")).replace("\r\n", "\n"), *wanted, "{name}");
    }
}

#[test]
fn a_reply_is_never_empty_when_the_text_is_not() {
    for (name, text, _) in CASES {
        let mut lines: Vec<&str> = text.lines().collect();
        while lines.pop().is_some() {
            let text = lines.join("\n");
            assert_eq!(reply(&text).is_empty(), text.trim().is_empty(), "{name}: {text:?}");
        }
    }
}

#[test]
fn endless_alternations_end() {
    let text = "> a\nOn 1 Jan Bob wrote:\n--\nSent from my iPhone\n".repeat(20_000);
    assert!(!reply(&text).is_empty());
}
