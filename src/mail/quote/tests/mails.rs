//! What is left of whole mails: endings of companies and programs go, whatever only looks like one stays.

use crate::mail::quote::reply;

const KEPT: &[&str] = &[
    "Please book:\n\nFrom: Berlin\nTo: Hamburg\nDate: 21.11.2026 10:15",
    "Hello,\n\nI use Outlook for iOS\nand it crashes.",
    "The problem began on\n\nOutlook for iOS",
    "Please get a new phone for me.",
    "Get Outlook for Mac working again, please, it does not start any more.",
    "Download Outlook for Windows fails with error 17, what now?",
    "Contact me:\n\nName: Ada\nPhone: 123\nDate: 21.11.2026 10:15\nPlace: Berlin",
    "Details of the event:\n\nOrganiser: Ada Example <ada@example.org>\nDate: 21.11.2026 10:15\nPlace: Berlin\nTopic: Printers",
    "Invitation:\n\nDate: Wednesday 3, October 2011\nTime: 7 : 00am\nAddress: 130 Fox St\n\nPlease bring your ID.",
    "The log says:\n\nError: disk full\nTime: 2026-11-21 10:15:00\nHost: db1\nUser: ada@example.org\n\nWhat now?",
    "This message appears when I log in: confidential data could not be loaded, the intended recipient is missing, and then the whole program ends without another word.\n\nPlease help.",
    "I sent it from my iPhone app yesterday and it never arrived, can you look?",
    "Sent from Berlin to Hamburg, the parcel is lost.",
    "Von meinem Konto wurden heute 300 Euro abgebucht, ich habe das nicht veranlasst.",
    "Enviado do banco, mas não chegou. O que faço?",
    "Envoyé par la poste lundi, toujours rien reçu.",
    "Poslano u ponedjeljak, još nije stiglo.",
    "来自客户的消息:\n打印机坏了",
    "Hello,\n\nhere is what she said on 21.11.2026 at 10:15\n\nit smokes",
    "On 21.11.2026 at 10:15 the printer wrote a page of garbage:\n\n  ÿØÿà\n\nWhat is that?",
    "Steps:\n\n--\n1. open\n2. close\n\n--\nthen this long text follows with many lines\nl1\nl2\nl3\nl4\nl5\nl6\nl7\nl8\nl9\nl10\nl11\nl12\nl13",
    "Few things:\n\nFrom: is empty\nTo: is empty\n\nwhy?",
    "Få hjelp med Outlook?\n\nDet virker ikke.",
    "This message is short and confidential.",
    "Disclaimer\n\nWe need a new disclaimer on the web site, please.",
    "Von: Berlin\nNach: Hamburg\nDatum: 21.11.2026 10:15\n\nBitte buchen.",
    "Get well soon!\n\nAda",
    "original\n\nis the word that is missing on page 3",
    "*original*\n\nis the word in stars",
    "Ada schrieb mir gestern, dass es geht:\n\nEs geht aber nicht.",
];

/// The name of the case, the text, and what is new in it.
const CASES: &[(&str, &str, &str)] = &[
    (
        "disclaimer",
        "It works.\n\nAda\n\nThis e-mail and any attachments are confidential and intended solely for the addressee. If you are not the intended recipient, please delete it and tell the sender.",
        "It works.\n\nAda",
    ),
    (
        "disclaimer de",
        "Geht.\n\nDiese E-Mail enthält vertrauliche und rechtlich geschützte Informationen. Wenn Sie nicht der richtige Adressat sind, informieren Sie bitte den Absender und vernichten Sie diese Mail.",
        "Geht.",
    ),
    (
        "disclaimer above quote",
        "It works.\n\nThis e-mail and any attachments are confidential and intended solely for the addressee. If you are not the intended recipient, please delete it and tell the sender.\n\nFrom: S <s@d.example>\nSent: Monday, January 5, 2026 10:00 AM\nTo: Ada\nSubject: Re: P\n\nTry again.",
        "It works.",
    ),
    (
        "disclaimer stars",
        "It works.\n\n*This e-mail and any attachments are confidential and intended solely for the addressee. If you are not the intended recipient, please delete it and tell the sender.*",
        "It works.",
    ),
    (
        "disclaimer two languages",
        "It works.\n\nThis e-mail and any attachments are confidential and intended solely for the addressee. If you are not the intended recipient, please delete it and tell the sender.\n\nDiese E-Mail enthält vertrauliche und rechtlich geschützte Informationen. Wenn Sie nicht der richtige Adressat sind, informieren Sie bitte den Absender und vernichten Sie diese Mail.",
        "It works.",
    ),
    ("sig without space", "It works.\n\n--\nAda Example\nExample Ltd", "It works."),
    ("sig dash nbsp", "It works.\n\n--\u{a0}\nAda Example\nExample Ltd", "It works."),
    ("sig em dash", "It works.\n\n—\nSent from my iPhone", "It works."),
    (
        "bottom post",
        "On 21/11/2026 10:15, Ada Example wrote:\n> Does it work?\n\nYes, it does.",
        "Yes, it does.",
    ),
    ("bottom post de", "Am 21.11.26 um 10:15 schrieb Ada:\n> Geht es?\n>\n> Ada\n\nJa.\n\n-- \nBob", "Ja."),
    (
        "apple sent then on",
        "Works.\n\nAda\n\nSent from my iPhone\n\nOn 21 Nov 2026, at 10:15, S <s@d.example> wrote:\n\nTry again.",
        "Works.\n\nAda",
    ),
    (
        "outlook mobile",
        "Works.\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\nFrom: S <s@d.example>\nSent: Saturday, November 21, 2026 10:15:00 AM\nTo: Ada <a@c.example>\nSubject: Re: P\n\nTry again.",
        "Works.",
    ),
    (
        "outlook mobile de",
        "Geht.\n\nOutlook für Android<https://aka.ms/AAb9ysg> beziehen\n________________________________\nVon: S <s@d.example>\nGesendet: Samstag, 21. November 2026 10:15:00\nAn: Ada <a@c.example>\nBetreff: Re: P\n\nNochmal.",
        "Geht.",
    ),
    (
        "outlook web underscore inline",
        "Works.\n\n________________________________\nVon: S <s@d.example>\nGesendet: Samstag, 21. November 2026 10:15\nAn: Ada\nBetreff: P\n\nNochmal.",
        "Works.",
    ),
    ("reply marker", "Works.\n\n##- Please type your reply above this line -##\n\nOld text.", "Works."),
    ("reply marker de", "Geht.\n\n--- Bitte antworten Sie oberhalb dieser Zeile ---\n\nAlt.", "Geht."),
    ("reply marker nl", "Werkt.\n\n--- Typ uw antwoord boven deze lijn ---\n\nOud.", "Werkt."),
    ("reply marker it", "Funziona.\n\n--- Rispondi sopra questa riga ---\n\nVecchio.", "Funziona."),
    ("reply marker pt", "Funciona.\n\n--- Responda acima desta linha ---\n\nAntigo.", "Funciona."),
    (
        "mailru",
        "Works.\n\n>Суббота, 21 ноября 2026, 10:15 +03:00 от Ada Example <ada@example.org>:\n>\n>Hello\n>there",
        "Works.",
    ),
    (
        "mailru dashes",
        "Works.\n\n--\nОтправлено из Mail.ru для Android\n\nсуббота, 21 ноября 2026 г., 10:15 +0300 от Ada <ada@example.org>:\n> Hello",
        "Works.",
    ),
    (
        "yandex",
        "Works.\n\n-- \nОтправлено из мобильного приложения Яндекс Почты\n\n21.11.2026, 10:15, \"Ada\" <ada@example.org>:\n> Hello",
        "Works.",
    ),
    (
        "gmail sig",
        "Works.\n\n-- \nAda\n\nOn Sat, Nov 21, 2026 at 10:15 AM S <s@d.example> wrote:\n> Hello",
        "Works.",
    ),
    (
        "empty before header de mobile",
        "Geht\n\nVon meinem iPhone gesendet\n\nAm 21.11.2026 um 10:15 schrieb S <s@d.example>:\n\n\u{feff}Hallo\n",
        "Geht",
    ),
    (
        "wrapped apple fr",
        "Oui.\n\n> Le 21 nov. 2026 à 10:15, Ada Example <ada@example.org> a écrit :\n> \n> Ça marche ?\n",
        "Oui.",
    ),
    (
        "arrow original",
        "Works.\n\n>>> Ada Example <ada@example.org> 21.11.2026 10:15 >>>\nOld text here\nand more",
        "Works.",
    ),
    (
        "groupwise",
        "Works.\n\n>>> \"Ada Example\" <ada@example.org> 11/21/2026 10:15 AM >>>\nOld text here",
        "Works.",
    ),
    (
        "notes von",
        "Works.\n\nVon:\tAda Example <ada@example.org>\nAn:\tsupport@desk.example\nDatum:\t21.11.2026 10:15\nBetreff:\tDrucker\n\nOld text",
        "Works.",
    ),
    (
        "hotmail rule",
        "Works.\n\n> From: ada@example.org\n> To: s@d.example\n> Date: Sat, 21 Nov 2026 10:15:00 +0100\n> Subject: P\n>\n> Old",
        "Works.",
    ),
    (
        "hotmail date",
        "Works.\n\nDate: Sat, 21 Nov 2026 10:15:00 +0100\nFrom: ada@example.org\nTo: s@d.example\nSubject: P\n\nOld",
        "Works.",
    ),
    (
        "header in bold one line",
        "Works.\n\n*From:* Ada <ada@example.org> *Sent:* Saturday, November 21, 2026 10:15 AM\n*To:* S <s@d.example>\n*Subject:* P\n\nOld",
        "Works.",
    ),
    (
        "front",
        "Works.\n\nOn November 21, 2026 at 10:15:00 AM, Ada Example (ada@example.org) wrote:\n\nOld",
        "Works.",
    ),
    (
        "missive",
        "Works.\n\nOn Nov 21, 2026 at 10:15 AM, <Ada Example (mailto:ada@example.org)> wrote:\n\nOld",
        "Works.",
    ),
    (
        "airmail",
        "Works.\n\nOn 21 November 2026 at 10:15:00, Ada Example (ada@example.org) wrote:\n\n> Old",
        "Works.",
    ),
    ("rule only", "Works.\n\n-----\nAda", "Works.\n\n-----\nAda"),
];

#[test]
fn what_only_looks_like_a_quote_or_a_signature_stays() {
    for text in KEPT {
        assert_eq!(reply(text), *text);
    }
}

#[test]
fn the_new_part_is_what_the_writer_added() {
    for (name, text, wanted) in CASES {
        assert_eq!(reply(text), *wanted, "{name}");
    }
}
