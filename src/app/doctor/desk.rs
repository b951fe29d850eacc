//! The desk: does it answer, who can sign in, does it send or fetch mail by itself.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};

use super::{Http, Line, clock_line};
use crate::base::clock::{SystemClock, Timestamp};
use crate::base::report::Report;
use crate::base::secret::SecretString;
use crate::config::StartUp;
use crate::desk::{Bot, Desk, DeskError};

const API: &str = "desk's API";
const CLOCK: &str = "desk's clock";
const DEFAULT_ADMIN: &str = "default admin";
pub(super) const BOT: &str = "bot";
const SMTP: &str = "desk's own SMTP";
const QUEUES: &str = "desk's e-mail queues";

/// What the desk is installed with, for everybody to read in its manual.
const DEFAULT: (&str, &str) = ("admin@admin.com", "1234");

pub(super) async fn look(start_up: &StartUp, http: &Http, now: Timestamp) -> Vec<Line> {
    let mut lines = api(start_up, http, now).await;
    lines.push(default_admin(start_up, http).await);
    lines.extend(bot(start_up, http).await);
    lines
}

async fn api(start_up: &StartUp, http: &Http, now: Timestamp) -> Vec<Line> {
    let to_do = "Start Peppermint, or put `desk.url` and `desk.apiUrl` right.";
    let Ok(url) = start_up.desk.api_url.join("/api/v1/auth/profile") else {
        return vec![Line::problem(API, "Its address cannot be asked.", to_do)];
    };
    let request = Request::get(url.as_str()).body(Bytes::new()).expect("a URL makes a request");
    match http.call(request, 1 << 20).await {
        // Without a token this is what the API says and nobody else.
        Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
            vec![Line::ok(API, "It answers."), clock_line(CLOCK, answer.headers(), now)]
        }
        Ok(answer) => {
            let found =
                format!("What answers there (status {}) is not Peppermint's API.", answer.status().as_u16());
            vec![Line::problem(API, found, to_do)]
        }
        Err(error) => vec![Line::problem(API, format!("{}.", Report(&error)), to_do)],
    }
}

fn signing_in(start_up: &StartUp, http: &Http, bot: Option<Bot>) -> Desk {
    Desk::new(http.clone(), start_up.desk.api_url.clone(), bot, Arc::new(SystemClock))
}

async fn default_admin(start_up: &StartUp, http: &Http) -> Line {
    let everybodys = Bot { email: DEFAULT.0.to_owned(), password: SecretString::from(DEFAULT.1) };
    match signing_in(start_up, http, Some(everybodys)).bot_user().await {
        Ok(_) => Line::problem(
            DEFAULT_ADMIN,
            "The administrator that Peppermint is installed with still has the password of its manual.",
            "Sign in as this administrator and change the password now.",
        ),
        Err(DeskError::SignIn { status }) if status < 500 => {
            Line::ok(DEFAULT_ADMIN, "Its password was changed.")
        }
        Err(_) => {
            Line::cannot_tell(DEFAULT_ADMIN, "The desk does not say.", "Run this again when it answers.")
        }
    }
}

async fn bot(start_up: &StartUp, http: &Http) -> Vec<Line> {
    if start_up.desk.bot.is_none() {
        let state = if start_up.mail.enabled { Line::warning } else { Line::cannot_tell };
        let to_do = "Make an ordinary user for it at the desk and set `desk.bot`; until then mail waits.";
        let unseen = |topic| Line::cannot_tell(topic, "Only a desk user can see this.", "Set `desk.bot`.");
        return vec![
            state(BOT, "No desk user is set for mail.".to_owned(), to_do.to_owned()),
            unseen(SMTP),
            unseen(QUEUES),
        ];
    }
    let desk = signing_in(start_up, http, start_up.desk.bot.clone());
    let mut lines = vec![match desk.bot_user().await {
        Ok(_) => Line::ok(BOT, "It can sign in."),
        Err(error) => Line::problem(
            BOT,
            format!("{}.", Report(&error)),
            "Put `desk.bot` right: its e-mail and password.",
        ),
    }];
    lines.extend(own_mail(&desk).await);
    lines
}

async fn own_mail(desk: &Desk) -> [Line; 2] {
    let Ok(own) = desk.has_own_mail().await else {
        return [SMTP, QUEUES].map(|topic| Line::cannot_tell(topic, "The desk does not say.", ""));
    };
    let smtp = match own.smtp {
        false => Line::ok(SMTP, "It is off."),
        true => Line::problem(
            SMTP,
            "The desk mails public comments by itself: customers would get every answer twice, so ours are held.",
            "Delete the provider under Admin → SMTP Email.",
        ),
    };
    let queues = match own.queues {
        0 => Line::ok(QUEUES, "There are none."),
        count => Line::problem(
            QUEUES,
            format!(
                "The desk fetches mail by itself ({count} queue(s)); one crafted subject ends its process."
            ),
            "Delete them under Admin → Email Queues.",
        ),
    };
    [smtp, queues]
}
