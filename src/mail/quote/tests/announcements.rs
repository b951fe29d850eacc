//! How programs announce a quote, in the languages they speak: by a line, or by a block of header lines.

use crate::mail::quote::reply;

const NEW: &str = "It works now.\nThank you.";
const OLD: &str = "Hello,\n\nplease switch it off.\nRegards";

/// Of Apple Mail, Gmail, Thunderbird, Yahoo, Proton, web mailers and older programs.
const LINES: &[&str] = &[
    "On 21 Nov 2026, at 10:15, Ada Example <ada@example.org> wrote:",
    "On Nov 21, 2026, at 10:15 AM, Ada Example <ada@example.org> wrote:",
    "On Nov 21, 2026, at 10:15\u{202f}AM, Ada Example <ada@example.org> wrote:",
    "Am 21.11.2026 um 10:15 schrieb Ada Example <ada@example.org>:",
    "Ada Example <ada@example.org> schrieb am Sa., 21. Nov. 2026, 10:15:",
    "Am Sa., 21. Nov. 2026 um 10:15 Uhr schrieb Ada Example <ada@example.org>:",
    "Le 21 nov. 2026 à 10:15, Ada Example <ada@example.org> a écrit :",
    "Le sam. 21 nov. 2026 à 10:15, Ada Example <ada@example.org> a écrit :",
    "Le 21/11/2026 à 10:15, Ada Example a écrit :",
    "El 21 nov 2026, a las 10:15, Ada Example <ada@example.org> escribió:",
    "El sáb, 21 nov 2026 a las 10:15, Ada Example (<ada@example.org>) escribió:",
    "Il giorno 21 nov 2026, alle ore 10:15, Ada Example <ada@example.org> ha scritto:",
    "Il giorno sab 21 nov 2026 alle ore 10:15 Ada Example <ada@example.org> ha scritto:",
    "Op 21 nov 2026 om 10:15 heeft Ada Example <ada@example.org> het volgende geschreven:",
    "Op za 21 nov 2026 om 10:15 schreef Ada Example <ada@example.org>:",
    "No dia 21 de nov. de 2026, à(s) 10:15, Ada Example <ada@example.org> escreveu:",
    "Em 21 de nov. de 2026, à(s) 10:15, Ada Example <ada@example.org> escreveu:",
    "Em sáb., 21 de nov. de 2026 às 10:15, Ada Example <ada@example.org> escreveu:",
    "Wiadomość napisana przez Ada Example <ada@example.org> w dniu 21 lis 2026, o godz. 10:15:",
    "sob., 21 lis 2026 o 10:15 Ada Example <ada@example.org> napisał(a):",
    "W dniu 21.11.2026 o 10:15, Ada Example pisze:",
    "21 nov. 2026 kl. 10:15 skrev Ada Example <ada@example.org>:",
    "Den lör 21 nov. 2026 kl 10:15 skrev Ada Example <ada@example.org>:",
    "Den 21. nov. 2026 kl. 10.15 skrev Ada Example <ada@example.org>:",
    "Den lør. 21. nov. 2026 kl. 10.15 skrev Ada Example <ada@example.org>:",
    "21. nov. 2026 kl. 10:15 skrev Ada Example <ada@example.org>:",
    "lør. 21. nov. 2026 kl. 10:15 skrev Ada Example <ada@example.org>:",
    "Ada Example <ada@example.org> kirjoitti 21.11.2026 kello 10.15:",
    "la 21. marrask. 2026 klo 10.15 Ada Example (ada@example.org) kirjoitti:",
    "21. 11. 2026 v 10:15, Ada Example <ada@example.org>:",
    "so 21. 11. 2026 v 10:15 odesílatel Ada Example <ada@example.org> napsal:",
    "so 21. 11. 2026 o 10:15 Ada Example <ada@example.org> napísal(a):",
    "21 нояб. 2026 г., в 10:15, Ada Example <ada@example.org> написал(а):",
    "сб, 21 нояб. 2026 г. в 10:15, Ada Example <ada@example.org>:",
    "21.11.2026, 10:15, \"Ada Example\" <ada@example.org>:",
    "Суббота, 21 ноября 2026, 10:15 +03:00 от Ada Example <ada@example.org>:",
    "сб, 21 лист. 2026 р. о 10:15 Ada Example <ada@example.org> пише:",
    "2026/11/21 10:15、Ada Example <ada@example.org>のメール:",
    "2026年11月21日(土) 10:15 Ada Example <ada@example.org>:",
    "在 2026年11月21日，10:15，Ada Example <ada@example.org> 写道：",
    "2026年11月21日 10:15，Ada Example <ada@example.org> 写道：",
    "Ada Example <ada@example.org> 于2026年11月21日周六 10:15写道：",
    "Ada Example <ada@example.org> 於 2026年11月21日 週六 上午10:15寫道：",
    "2026. 11. 21. 오전 10:15, Ada Example <ada@example.org> 작성:",
    "2026년 11월 21일 (토) 오전 10:15, Ada Example <ada@example.org>님이 작성:",
    "Ada Example <ada@example.org>, 21 Kas 2026 Cmt, 10:15 tarihinde şunu yazdı:",
    "Ada Example <ada@example.org> ezt írta (időpont: 2026. nov. 21., Szo, 10:15):",
    "sâm., 21 nov. 2026 la 10:15, Ada Example <ada@example.org> a scris:",
    "Στις Σάβ 21 Νοε 2026 στις 10:15 π.μ., ο χρήστης Ada Example <ada@example.org> έγραψε:",
    "\u{202b}בתאריך שבת, 21 בנוב׳ 2026 ב-10:15 מאת \u{202a}Ada Example\u{202c}\u{200f} <\u{202a}ada@example.org\u{202c}\u{200f}>:\u{202c}",
    "Vào 10:15, Th 7, 21 thg 11, 2026 Ada Example <ada@example.org> đã viết:",
    "Pada tanggal Sab, 21 Nov 2026 pukul 10:15 Ada Example <ada@example.org> menulis:",
    "На сб, 21.11.2026 г. в 10:15 Ada Example <ada@example.org> написа:",
    "sub, 21. stu 2026. u 10:15 Ada Example <ada@example.org> napisao je:",
    "V V sob., 21. nov. 2026 ob 10:15 je oseba Ada Example <ada@example.org> napisala:",
    "2026-11-21, št, 10:15 Ada Example <ada@example.org> rašė:",
    "Kuupäev L, 21. november 2026 kell 10:15 kirjutas Ada Example <ada@example.org>:",
    "Missatge de Ada Example <ada@example.org> del dia ds., 21 de nov. 2026 a les 10:15:",
    "ในวันที่ ส. 21 พ.ย. 2026 เวลา 10:15 Ada Example <ada@example.org> เขียนว่า:",
    "في السبت، 21 نوفمبر 2026 في 10:15 ص تمت كتابة ما يلي بواسطة \u{202a}Ada Example\u{202c}\u{200f} <\u{202a}ada@example.org\u{202c}\u{200f}>:",
    "On Saturday, November 21, 2026 at 10:15:00 AM GMT+1, Ada Example <ada@example.org> wrote:",
    "Am Samstag, 21. November 2026 um 10:15:00 MEZ hat Ada Example <ada@example.org> Folgendes geschrieben:",
    "Le samedi 21 novembre 2026 à 10:15:00 UTC+1, Ada Example <ada@example.org> a écrit :",
    "El sábado, 21 de noviembre de 2026, 10:15:00 CET, Ada Example <ada@example.org> escribió:",
    "Il sabato 21 novembre 2026 alle ore 10:15:00 CET, Ada Example <ada@example.org> ha scritto:",
    "On Saturday, November 21st, 2026 at 10:15, Ada Example <ada@example.org> wrote:",
    "Ada Example <ada@example.org> schrieb am Samstag, 21. November 2026 um 10:15:",
    "At 2026-11-21 10:15:00, \"Ada Example\" <ada@example.org> wrote:",
    "在 2026-11-21 10:15:00，\"Ada Example\" <ada@example.org> 写道：",
    "Am 21.11.26 um 10:15 schrieb Ada Example:",
    "On 21/11/2026 10:15, Ada Example wrote:",
    "El 21/11/26 a las 10:15, Ada Example escribió:",
    "Il 21/11/26 10:15, Ada Example ha scritto:",
    "Op 21-11-2026 om 10:15 schreef Ada Example:",
    "Em 21/11/2026 10:15, Ada Example escreveu:",
    "Dne 21.11.2026 v 10:15 Ada Example napsal(a):",
    "21.11.2026 10:15, Ada Example пишет:",
    "Den 2026-11-21 kl. 10:15, skrev Ada Example:",
    "Den 21-11-2026 kl. 10:15 skrev Ada Example:",
    "Ada Example kirjoitti 21.11.2026 klo 10:15:",
    "On 2026/11/21 10:15, Ada Example wrote:",
    "2026. 11. 21. 10:15 keltezéssel, Ada Example írta:",
    "Ada Example <ada@example.org> wrote on 21 November 2026 at 10:15:",
    "On Sat, 21 Nov 2026, at 10:15, Ada Example wrote:",
    "On Saturday, 21 November 2026 10:15:00 CET Ada Example wrote:",
    "On Sat, Nov 21, 2026 at 10:15:00AM +0100, Ada Example wrote:",
    "Ada Example <ada@example.org> writes:",
    "Am 21.11.2026 um 10:15 Uhr schrieb \"Ada Example\" <ada@example.org>",
    "21. Nov. 2026, 10:15 von ada@example.org:",
    "Nov 21, 2026, 10:15 by ada@example.org:",
    "On 21. Nov 2026, 10:15 +0100, Ada Example <ada@example.org>, wrote:",
    "Il 21/11/2026 10:15 CET Ada Example <ada@example.org> ha scritto:",
    "Ada Example <ada@example.org> hat am 21.11.2026 10:15 CET geschrieben:",
    "On 11/21/2026 10:15 AM CET Ada Example <ada@example.org> wrote:",
];

/// Of Outlook in its languages, with and without stars, of phones, and of older programs.
const BLOCKS: &[&str] = &[
    "От:\u{a0}Ada Example\nОтправлено:\u{a0}\u{200e}суббота\u{200e}, \u{200e}21\u{200e} \u{200e}ноября\u{200e} \u{200e}2026\u{200e} г. \u{200e}10\u{200e}:\u{200e}15\nКому:\u{a0}Support",
    "From: Ada Example\nSent: Saturday, 21 November 2026 10:15\nTo: Support",
    "Gesendet: Samstag, 21. November 2026 um 10:15 Uhr\nVon: \"Ada Example\" <ada@example.org>\nAn: support@desk.example\nBetreff: Drucker",
    "------- Original Message -------\nOn Saturday, November 21st, 2026 at 10:15 AM, Ada Example <ada@example.org> wrote:",
    "-------- Original message --------\nFrom: Ada Example <ada@example.org>\nDate: 21/11/2026 10:15 (GMT+01:00)\nTo: support@desk.example\nSubject: Printer",
    "-------- Ursprüngliche Nachricht --------\nVon: Ada Example <ada@example.org>\nDatum: 21.11.26 10:15 (GMT+01:00)\nAn: support@desk.example\nBetreff: Drucker",
    "-------- Message d'origine --------\nDe : Ada Example <ada@example.org>\nDate : 21/11/2026 10:15 (GMT+01:00)\nÀ : support@desk.example\nObjet : Imprimante",
    "-------- Mensaje original --------\nDe: Ada Example <ada@example.org>\nFecha: 21/11/26 10:15 (GMT+01:00)\nPara: support@desk.example\nAsunto: Impresora",
    "From: Ada Example <ada@example.org>\nSent: Saturday, November 21, 2026 10:15 AM\nTo: Support <support@desk.example>\nSubject: Printer",
    "*From:* Ada Example <ada@example.org>\n*Sent:* Saturday, November 21, 2026 10:15 AM\n*To:* Support <support@desk.example>\n*Subject:* Printer",
    "**From:** Ada Example <ada@example.org>\n**Sent:** Saturday, November 21, 2026 10:15 AM\n**To:** Support <support@desk.example>\n**Subject:** Printer",
    "________________________________\nFrom: Ada Example <ada@example.org>\nDate: Saturday, November 21, 2026 at 10:15\nTo: Support <support@desk.example>\nSubject: Printer",
    "Von: Ada Example <ada@example.org>\nGesendet: Samstag, 21. November 2026 10:15\nAn: Support <support@desk.example>\nBetreff: Drucker",
    "De : Ada Example <ada@example.org>\nEnvoyé : samedi 21 novembre 2026 10:15\nÀ : Support <support@desk.example>\nObjet : Imprimante",
    "De: Ada Example <ada@example.org>\nEnviado: sábado, 21 de noviembre de 2026 10:15\nPara: Support <support@desk.example>\nAsunto: Impresora",
    "Da: Ada Example <ada@example.org>\nInviato: sabato 21 novembre 2026 10:15\nA: Support <support@desk.example>\nOggetto: Stampante",
    "Van: Ada Example <ada@example.org>\nVerzonden: zaterdag 21 november 2026 10:15\nAan: Support <support@desk.example>\nOnderwerp: Printer",
    "De: Ada Example <ada@example.org>\nEnviada: 21 de novembro de 2026 10:15\nPara: Support <support@desk.example>\nAssunto: Impressora",
    "Od: Ada Example <ada@example.org>\nWysłano: sobota, 21 listopada 2026 10:15\nDo: Support <support@desk.example>\nTemat: Drukarka",
    "Från: Ada Example <ada@example.org>\nSkickat: den 21 november 2026 10:15\nTill: Support <support@desk.example>\nÄmne: Skrivare",
    "Fra: Ada Example <ada@example.org>\nSendt: 21. november 2026 10:15\nTil: Support <support@desk.example>\nEmne: Printer",
    "Lähettäjä: Ada Example <ada@example.org>\nLähetetty: lauantai 21. marraskuuta 2026 10.15\nVastaanottaja: Support <support@desk.example>\nAihe: Tulostin",
    "Od: Ada Example <ada@example.org>\nOdesláno: sobota 21. listopadu 2026 10:15\nKomu: Support <support@desk.example>\nPředmět: Tiskárna",
    "Od: Ada Example <ada@example.org>\nOdoslané: sobota 21. novembra 2026 10:15\nKomu: Support <support@desk.example>\nPredmet: Tlačiareň",
    "Feladó: Ada Example <ada@example.org>\nElküldve: 2026. november 21., szombat 10:15\nCímzett: Support <support@desk.example>\nTárgy: Nyomtató",
    "De la: Ada Example <ada@example.org>\nTrimis: sâmbătă, 21 noiembrie 2026 10:15\nCătre: Support <support@desk.example>\nSubiect: Imprimantă",
    "От: Ada Example <ada@example.org>\nОтправлено: 21 ноября 2026 г. 10:15\nКому: Support <support@desk.example>\nТема: Принтер",
    "Від: Ada Example <ada@example.org>\nНадіслано: 21 листопада 2026 р. 10:15\nКому: Support <support@desk.example>\nТема: Принтер",
    "От: Ada Example <ada@example.org>\nИзпратено: събота, 21 ноември 2026 г. 10:15\nДо: Support <support@desk.example>\nОтносно: Принтер",
    "Από: Ada Example <ada@example.org>\nΣτάλθηκε: Σάββατο, 21 Νοεμβρίου 2026 10:15\nΠρος: Support <support@desk.example>\nΘέμα: Εκτυπωτής",
    "Gönderen: Ada Example <ada@example.org>\nGönderildi: 21 Kasım 2026 Cumartesi 10:15\nKime: Support <support@desk.example>\nKonu: Yazıcı",
    "Kimden: Ada Example <ada@example.org>\nGönderme Tarihi: 21 Kasım 2026 Cumartesi 10:15\nKime: Support <support@desk.example>\nKonu: Yazıcı",
    "差出人: Ada Example <ada@example.org>\n送信日時: 2026年11月21日 10:15\n宛先: Support <support@desk.example>\n件名: プリンター",
    "发件人: Ada Example <ada@example.org>\n发送时间: 2026年11月21日 10:15\n收件人: Support <support@desk.example>\n主题: 打印机",
    "发件人： Ada Example <ada@example.org>\n日期： 星期六, 2026年11月21日 10:15\n收件人： Support <support@desk.example>\n主题： 打印机",
    "寄件者: Ada Example <ada@example.org>\n寄件日期: 2026年11月21日 10:15\n收件者: Support <support@desk.example>\n主旨: 印表機",
    "보낸 사람: Ada Example <ada@example.org>\n보낸 날짜: 2026년 11월 21일 10:15\n받는 사람: Support <support@desk.example>\n제목: 프린터",
    "מאת: Ada Example <ada@example.org>\nנשלח: יום שבת 21 נובמבר 2026 10:15\nאל: Support <support@desk.example>\nנושא: מדפסת",
    "من: Ada Example <ada@example.org>\nتم الإرسال: السبت 21 نوفمبر 2026 10:15\nإلى: Support <support@desk.example>\nالموضوع: طابعة",
    "Od: Ada Example <ada@example.org>\nPoslano: 21. studenog 2026. 10:15\nPrima: Support <support@desk.example>\nPredmet: Pisač",
    "Od: Ada Example <ada@example.org>\nPoslano: sobota, 21. november 2026 10:15\nZa: Support <support@desk.example>\nZadeva: Tiskalnik",
    "De: Ada Example <ada@example.org>\nEnviat: dissabte, 21 de novembre de 2026 10:15\nPer a: Support <support@desk.example>\nAssumpte: Impressora",
    "จาก: Ada Example <ada@example.org>\nส่ง: 21 พฤศจิกายน 2026 10:15\nถึง: Support <support@desk.example>\nเรื่อง: เครื่องพิมพ์",
    "Fra: Ada Example <ada@example.org>\nSendt: lørdag 21. november 2026 10:15\nTil: Support <support@desk.example>\nEmne: Skriver",
    "Từ: Ada Example <ada@example.org>\nĐã gửi: 21 Tháng Mười Một 2026 10:15\nTới: Support <support@desk.example>\nChủ đề: Máy in",
    "From: Ada Example/ORG\nTo: Support/DESK\nDate: 21.11.2026 10:15\nSubject: Printer",
    "------------------ 原始邮件 ------------------\n发件人: \"Ada Example\" <ada@example.org>;\n发送时间: 2026年11月21日(星期六) 上午10:15\n收件人: \"Support\"<support@desk.example>;\n主题: 打印机",
    "------------------ Original ------------------\nFrom: \"Ada Example\" <ada@example.org>;\nDate: Sat, Nov 21, 2026 10:15 AM\nTo: \"Support\"<support@desk.example>;\nSubject: Printer",
    "De : \"Ada Example\" <ada@example.org>\nA : \"Support\" <support@desk.example>\nEnvoyé: samedi 21 novembre 2026 10:15\nObjet : Imprimante",
    "----- Original Message -----\nFrom: \"Ada Example\" <ada@example.org>\nTo: \"Support\" <support@desk.example>\nSent: Saturday, November 21, 2026 10:15:00 AM\nSubject: Printer",
    "----- Ursprüngliche Mail -----\nVon: \"Ada Example\" <ada@example.org>\nAn: \"Support\" <support@desk.example>\nGesendet: Samstag, 21. November 2026 10:15:00\nBetreff: Drucker",
    "----- Mail original -----\nDe: \"Ada Example\" <ada@example.org>\nÀ: \"Support\" <support@desk.example>\nEnvoyé: Samedi 21 Novembre 2026 10:15:00\nObjet: Imprimante",
    "----- Original Message -----\nFrom: Ada Example\nTo: Support\nSent: Sat, 21 Nov 2026 10:15:00 -0000 (UTC)\nSubject: Printer",
];

#[test]
fn below_an_announcement_everything_is_a_quote() {
    for announcement in LINES.iter().chain(BLOCKS) {
        assert_eq!(reply(&format!("{NEW}\n\n{announcement}\n\n{OLD}")), NEW, "{announcement}");
    }
}

#[test]
fn what_is_marked_goes_with_its_announcement() {
    let marked: String = OLD.lines().map(|line| format!("> {line}\n")).collect();
    for announcement in LINES.iter().chain(BLOCKS) {
        assert_eq!(reply(&format!("{NEW}\n\n{announcement}\n\n{marked}")), NEW, "{announcement}");
    }
}

#[test]
fn an_answer_below_the_quote_is_the_new_part() {
    let marked: String = OLD.lines().map(|line| format!("> {line}\n")).collect();
    for announcement in LINES {
        assert_eq!(reply(&format!("{announcement}\n{marked}\n{NEW}\n")), NEW, "{announcement}");
    }
}
