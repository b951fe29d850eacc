//! A customer's webmail: write to the desk, see answers threaded, reply. Plain HTML forms, no script.

use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue};
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;

use crate::base::clock::Timestamp;
use crate::base::id::short_id;
use crate::web::answer::Answer;

use super::facts::Facts;
use super::transport;
use super::world::{OutsideMail, World};
use crate::sandbox::call::{Call, escape, first, html, redirect};

/// A mail somebody outside wants to write.
pub(super) struct Letter<'l> {
    pub from: &'l str,
    pub to: &'l str,
    pub subject: &'l str,
    pub text: &'l str,
    /// The Message-ID of the mail it replies to.
    pub answers: Option<&'l str>,
}

/// Writes and delivers a letter; its Message-ID without brackets.
pub(super) fn send(world: &mut World, letter: &Letter<'_>, now: Timestamp) -> String {
    let domain = letter.from.rsplit_once('@').map_or("example.net", |(_, domain)| domain);
    let id = format!("{}.{}@{domain}", now.0, short_id());
    let mut builder = MessageBuilder::new()
        .from(letter.from.to_owned())
        .to(letter.to.to_owned())
        .subject(letter.subject.to_owned())
        .header("Message-ID", Raw::new(format!("<{id}>")))
        .header("Date", Raw::new(now.rfc2822()))
        .text_body(letter.text.replace("\r\n", "\n"));
    if let Some(answered) = letter.answers {
        let parents = parents_of(world, letter.from, answered);
        let references: Vec<String> = parents.iter().map(|parent| format!("<{parent}>")).collect();
        builder = builder
            .header("In-Reply-To", Raw::new(format!("<{answered}>")))
            .header("References", Raw::new(references.join(" ")));
    }
    let mut raw = Vec::new();
    builder.serialize(&mut raw);
    let box_of = world.outside.entry(letter.from.to_lowercase()).or_default();
    box_of.push(OutsideMail { raw: raw.clone(), at: now, sent: true });
    transport::deliver(world, letter.to, &raw, now);
    id
}

/// The references of an answer to `answered` (RFC 5322, 3.6.4).
fn parents_of(world: &World, owner: &str, answered: &str) -> Vec<String> {
    let all = world.outside.get(&owner.to_lowercase()).into_iter().flatten();
    let mut facts = all.map(|mail| Facts::of(&mail.raw));
    let found = facts.find(|facts| facts.message_id.trim_matches(['<', '>']) == answered);
    let mut parents = found.map(|facts| facts.parents).unwrap_or_default();
    parents.dedup();
    parents.push(answered.to_owned());
    parents
}

pub(super) fn answer(world: &mut World, call: &Call, now: Timestamp) -> Answer {
    if call.method == http::Method::POST {
        return write(world, &call.form(), now);
    }
    let query = call.pairs();
    let owner = first(&query, "as").unwrap_or("customer@example.net");
    let mut page = html(page(world, owner));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
                  frame-ancestors 'none'";
    page.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    page.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}

fn write(world: &mut World, form: &[(String, String)], now: Timestamp) -> Answer {
    let field = |name: &str| first(form, name).unwrap_or_default();
    let one_line = |name: &str| field(name).split(['\r', '\n']).collect::<Vec<_>>().join(" ");
    let (from, to, subject) = (one_line("as"), one_line("to"), one_line("subject"));
    let answers = Some(one_line("answers")).filter(|id| !id.is_empty());
    let letter =
        Letter { from: &from, to: &to, subject: &subject, text: field("text"), answers: answers.as_deref() };
    send(world, &letter, now);
    let owner = url::form_urlencoded::byte_serialize(from.as_bytes()).collect::<String>();
    redirect(StatusCode::SEE_OTHER, &format!("/webmail?as={owner}"))
}

fn page(world: &World, owner: &str) -> String {
    let mails = world.outside.get(&owner.to_lowercase()).map(Vec::as_slice).unwrap_or_default();
    let desk = world.mailboxes.first().map_or("", |mailbox| mailbox.address.as_str());
    let mut threads: Vec<(String, Vec<(&OutsideMail, Facts)>)> = Vec::new();
    for mail in mails {
        let facts = Facts::of(&mail.raw);
        let root = facts.root().to_owned();
        match threads.iter_mut().find(|(known, _)| *known == root) {
            Some((_, thread)) => thread.push((mail, facts)),
            None => threads.push((root, vec![(mail, facts)])),
        }
    }
    let shown: String = threads.iter().rev().map(|(_, thread)| show_thread(owner, thread)).collect();
    let form = form(owner, desk, "", "", "Write a mail");
    let owner = escape(owner);
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Webmail of {owner}</title>\
         <style>{STYLE}</style></head><body><h1>Webmail of {owner}</h1>\
         <p><a href=\"/webmail?as={owner}\">Look for new mail</a></p>{form}{shown}</body></html>\n"
    )
}

const STYLE: &str = ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{margin:0 auto;\
    max-width:46rem;padding:1rem}form{display:grid;gap:.5rem}label{display:grid}\
    input,textarea,button{font:inherit}article{border-left:3px solid #8886;margin:.75rem 0;\
    padding-left:.75rem}article.sent{border-color:#27a}\
    section{border-top:1px solid #8886;margin-top:1.5rem}pre{white-space:pre-wrap;overflow-wrap:anywhere}";

fn show_thread(owner: &str, thread: &[(&OutsideMail, Facts)]) -> String {
    let subject = thread.first().map_or("", |(_, facts)| facts.subject.as_str());
    let mails: String = thread.iter().map(|(mail, facts)| show_mail(mail, facts)).collect();
    let reply = thread.iter().rev().find(|(mail, _)| !mail.sent).map(|(_, facts)| {
        let to = facts.reply_to.first().or(facts.from.as_ref()).map_or("", |person| person.address.as_str());
        let again = facts.subject.to_ascii_lowercase().starts_with("re:");
        let subject = if again { facts.subject.clone() } else { format!("Re: {}", facts.subject) };
        form(owner, to, &subject, facts.message_id.trim_matches(['<', '>']), "Reply")
    });
    format!("<section><h2>{}</h2>{mails}{}</section>", escape(subject), reply.unwrap_or_default())
}

fn show_mail(mail: &OutsideMail, facts: &Facts) -> String {
    let from = facts.from.as_ref().map_or("", |from| from.address.as_str());
    let class = if mail.sent { "sent" } else { "received" };
    format!(
        "<article class=\"{class}\"><p><strong>{}</strong> · {}</p><pre>{}</pre></article>",
        escape(from),
        mail.at,
        escape(&facts.text)
    )
}

fn form(owner: &str, to: &str, subject: &str, answers: &str, verb: &str) -> String {
    let (owner, to, subject, answers) = (escape(owner), escape(to), escape(subject), escape(answers));
    format!(
        "<details{open}><summary>{verb}</summary><form method=\"post\" action=\"/webmail\">\
         <input type=\"hidden\" name=\"as\" value=\"{owner}\">\
         <input type=\"hidden\" name=\"answers\" value=\"{answers}\">\
         <label>To <input name=\"to\" value=\"{to}\" required></label>\
         <label>Subject <input name=\"subject\" value=\"{subject}\" required></label>\
         <label>Text <textarea name=\"text\" rows=\"6\" required></textarea></label>\
         <button>Send</button></form></details>",
        open = if answers.is_empty() { "" } else { " open" },
    )
}
