//! The part of `mail` that says how mail is treated and how our own mails read.

use std::time::Duration;

use url::Url;

use crate::config::problem::suggestion;
use crate::config::section::{At, Section, Shape};
use crate::config::value;
use crate::mail::authentication::{NotAServer, Server};
use crate::mail::policy::{Files, Letters, Policy, SameMail, Templates};
use crate::mail::template::{NAMES, Placeholder, Template, TemplateError};

const FILES: Shape = Shape { keys: &["perMail", "total"], foreign: &[] };
const TEMPLATES: Shape = Shape { keys: &["answer", "acknowledgement", "closing", "tooLarge"], foreign: &[] };

const DAY: u64 = 24 * 3600;
const LONGEST_SIGNATURE: usize = 5_000;

/// What `mail` says; what it leaves out is as [`Policy::default`] has it.
pub fn policy(section: Option<&Section<'_>>) -> Policy {
    let usual = Policy::default();
    let Some(section) = section else { return usual };
    Policy {
        same_mail: section.parsed("sameMail", same_mail).map_or(usual.same_mail, |at| at.value),
        keep_raw: section.parsed("keepRaw", keep_raw).map_or(usual.keep_raw, |at| at.value),
        letters: letters(section),
        authentication_servers: servers(section),
        default_mailbox: section.parsed("defaultMailbox", value::mail_address).map(|at| at.value),
        ..usual
    }
}

/// `files`: how much of what mails bring is kept.
pub fn files(root: &Section<'_>, public_url: Option<&Url>) -> Files {
    let usual = Files::default();
    let section = root.section("files", &FILES);
    let size = |key, usual: u64| {
        let given = section.as_ref().and_then(|section| section.parsed(key, value::size));
        given.map_or(usual, |at| at.value as u64)
    };
    Files {
        per_mail: size("perMail", usual.per_mail),
        total: size("total", usual.total),
        origin: public_url.map_or_else(String::new, |url| url.origin().ascii_serialization()),
    }
}

fn servers(section: &Section<'_>) -> Vec<Server> {
    let mut servers = Vec::new();
    for text in section.texts("authenticationServers") {
        match text.value.parse() {
            Ok(server) => servers.push(server),
            Err(error) => {
                let message = format!("`{}` is not a mail server's name", text.value);
                section.problem(text.place, message, Some(NotAServer::to_string(&error)));
            }
        }
    }
    servers
}

fn letters(section: &Section<'_>) -> Letters {
    let flag = |key| section.flag(key).is_some_and(|flag| flag.value);
    Letters {
        acknowledge: flag("acknowledge"),
        closing_notice: flag("closingNotice"),
        quote_history: flag("quoteHistory"),
        subject_mark: flag("subjectMark"),
        signature: section.parsed("signature", signature).map(|at| at.value),
        templates: section.section("templates", &TEMPLATES).map_or_else(Templates::default, templates),
    }
}

fn templates(section: Section<'_>) -> Templates {
    let usual = Templates::default();
    let read = |key, usual| template(&section, key).unwrap_or(usual);
    let answer = section.text("answer");
    let templates = Templates {
        answer: read("answer", usual.answer),
        acknowledgement: read("acknowledgement", usual.acknowledgement),
        closing: read("closing", usual.closing),
        too_large: read("tooLarge", usual.too_large),
    };
    if let Some(At { place, .. }) = answer
        && !templates.answer.names(Placeholder::Text)
    {
        let help = "without it customers would never see what agents write".to_owned();
        section.problem(place, "`answer` needs `{{text}}`", Some(help));
    }
    templates
}

fn template(section: &Section<'_>, key: &str) -> Option<Template> {
    let text = section.text(key)?;
    match Template::parse(text.value) {
        Ok(template) => Some(template),
        Err(error) => {
            let help = match &error {
                TemplateError::Unknown { name } => suggestion(name, &NAMES.map(|(word, _)| word)),
                _ => None,
            };
            section.problem(text.place, error.to_string(), help);
            None
        }
    }
}

fn same_mail(text: &str) -> Result<SameMail, &'static str> {
    match text {
        "link" => Ok(SameMail::Link),
        "separate" => Ok(SameMail::Separate),
        _ => Err("`sameMail` is `link` (one ticket) or `separate` (a ticket per mailbox)"),
    }
}

/// Whole days, or `forever`.
fn keep_raw(text: &str) -> Result<Option<Duration>, &'static str> {
    const REFUSED: &str = "`keepRaw` is a number of days such as `30d`, from 1d to 3650d, or `forever`";
    if text == "forever" {
        return Ok(None);
    }
    let days: u64 = text.strip_suffix('d').and_then(|days| days.parse().ok()).ok_or(REFUSED)?;
    if (1..=3650).contains(&days) { Ok(Some(Duration::from_secs(days * DAY))) } else { Err(REFUSED) }
}

fn signature(text: &str) -> Result<String, &'static str> {
    let plain = text.chars().count() <= LONGEST_SIGNATURE
        && !text.chars().any(|one| one.is_control() && one != '\n' && one != '\t');
    if plain {
        Ok(text.trim_end().to_owned())
    } else {
        Err("a signature is plain text of at most 5,000 characters")
    }
}
