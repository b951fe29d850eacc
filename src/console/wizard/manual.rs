//! Step 3 without a provider's sign-in: servers, name and password.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use tracing::info;

use crate::base::audit::Outcome;
use crate::base::id::MailboxId;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::console::connected::forget_earlier;
use crate::console::form::{Field, secret};
use crate::console::frame::Frame;
use crate::console::guard::{Client, Submitted};
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::wizard::draft::{Draft, PasswordUse, State as At, Step, Stored};
use crate::console::wizard::drafts;
use crate::console::wizard::rail::{Mark, rail};
use crate::mailbox::settings::{MailboxSettings, Security, Server, SignIn};
use crate::oauth::source::Purpose;
use crate::store::{MailboxRow, MailboxState};
use crate::web::local::Admin;

#[derive(Template)]
#[template(path = "wizard/manual.html")]
struct ManualPage {
    frame: Frame,
    rail: Vec<Mark>,
    id: String,
    version: i64,
    address: String,
    provider: String,
    app_password: bool,
    help: Option<String>,
    warnings: Vec<String>,
    servers: Vec<ServerFields>,
    password: Field,
    fields: Vec<Field>,
}

/// Host, port and name of one server, and how it is secured.
struct ServerFields {
    fields: Vec<Field>,
    /// Name of the select.
    name: &'static str,
    security: Security,
}

#[derive(Deserialize)]
pub struct Entered {
    version: i64,
    #[serde(default)]
    incoming_host: String,
    #[serde(default)]
    incoming_port: String,
    #[serde(default)]
    incoming_security: String,
    #[serde(default)]
    incoming_user: String,
    #[serde(default)]
    outgoing_host: String,
    #[serde(default)]
    outgoing_port: String,
    #[serde(default)]
    outgoing_security: String,
    #[serde(default)]
    outgoing_user: String,
    #[serde(default, deserialize_with = "secret")]
    password: SecretString,
}

/// The form as the draft has it.
pub fn page(frame: Frame, stored: Stored) -> Page {
    let entered = Entered::of(&stored);
    form(frame, stored, entered, StatusCode::OK, &Problems::default())
}

/// POST `/admin/exchange/setup/{id}/manual`.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(id): Path<String>,
    client: Client,
    Submitted(admin, entered): Submitted<Entered>,
) -> Result<Response, Page> {
    let mut stored = match drafts::open_version(&shared, &id, Step::Connect, entered.version).await {
        Ok(stored) => stored,
        Err(response) => return Ok(response),
    };
    if stored.draft.settings.sign_in != SignIn::Password {
        return Ok(page::see_other(&drafts::path_of(&id, Step::Connect)));
    }
    let (servers, problems) = entered.read();
    let Some((incoming, outgoing)) = servers.filter(|_| problems.is_empty()) else {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(form(frame, stored, entered, status, &problems).into_response());
    };
    stored.draft.settings.incoming = Some(incoming);
    stored.draft.settings.outgoing = Some(outgoing);
    if let Some(present) = shared.mailbox_of(&stored.draft.address).await? {
        let settings = MailboxSettings::parse(&present.settings);
        let settings = settings.map_err(|refused| Shared::broken(&refused))?;
        stored.draft.settings = settings.opened_like(&stored.draft.settings);
    }
    let Draft { address, settings, .. } = &stored.draft;
    let mailbox = connect(&shared, &client, &admin, address, settings, &entered.password).await?;
    stored.draft.state = At::Test { mailbox: mailbox.to_string() };
    Ok(drafts::save(&shared, &stored).await)
}

/// Connects a mailbox with a password, which is sealed before the mailbox exists, so that the worker never
/// meets one without. What opened the mailbox before goes to none of these servers.
pub async fn connect(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    address: &str,
    settings: &MailboxSettings,
    password: &SecretString,
) -> Result<MailboxId, Page> {
    let now = shared.parts.clock.now();
    let _one_by_one = shared.connecting.lock().await;
    let present = shared.mailbox_of(address).await?;
    let id = match &present {
        Some(row) => row.id.clone(),
        None => shared.mailbox_id_for(address).await?,
    };
    let settings = MailboxSettings { sign_in: SignIn::Password, ..settings.clone() };
    let row = MailboxRow {
        id: id.clone(),
        kind: "imap".to_owned(),
        address: address.to_owned(),
        state: MailboxState::Connected,
        scopes: String::new(),
        connected_at: now,
        accept_since: present.as_ref().map_or_else(|| now.whole_second(), |row| row.accept_since),
        last_poll_at: None,
        last_mail_at: None,
        last_error: None,
        failing_since: None,
        settings: settings.to_json(),
    };
    if let Some(present) = &present {
        forget_earlier(shared, present, &row).await?;
    }
    let forgotten = shared.passwords.forget(&id, Purpose::Outgoing).await;
    forgotten.map_err(|failure| Shared::broken(&failure))?;
    let kept = shared.passwords.keep(&id, Purpose::Incoming, password).await;
    kept.map_err(|failure| Shared::broken(&failure))?;
    let connected = shared.parts.store.connect_mailbox(&row).await;
    connected.map_err(|failure| Shared::broken(&failure))?;
    let settled = shared.parts.store.set_mailbox_settings(&id, &row.settings).await;
    settled.map_err(|failure| Shared::broken(&failure))?;
    info!(mailbox = %id, "mailbox connected");
    shared.note_action(client, admin, Outcome::Success, "mailbox connected", Some(&id));
    shared.parts.worker.ring();
    Ok(id)
}

/// Message keys of what is wrong, by field.
#[derive(Default)]
struct Problems(Vec<(&'static str, &'static str)>);

impl Problems {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, field: &str) -> Option<&'static str> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, key)| *key)
    }
}

impl Entered {
    fn of(stored: &Stored) -> Self {
        let settings = &stored.draft.settings;
        let part = |server: &Option<Server>, standard: u16| match server {
            Some(server) => (
                server.host.clone(),
                server.port.to_string(),
                word(server.security).to_owned(),
                server.user.clone(),
            ),
            None => (String::new(), standard.to_string(), "tls".to_owned(), stored.draft.address.clone()),
        };
        let (incoming_host, incoming_port, incoming_security, incoming_user) = part(&settings.incoming, 993);
        let (outgoing_host, outgoing_port, outgoing_security, outgoing_user) = part(&settings.outgoing, 465);
        Self {
            version: stored.version,
            incoming_host,
            incoming_port,
            incoming_security,
            incoming_user,
            outgoing_host,
            outgoing_port,
            outgoing_security,
            outgoing_user,
            password: SecretString::default(),
        }
    }

    fn read(&self) -> (Option<(Server, Server)>, Problems) {
        let mut problems = Problems::default();
        if self.password.expose_secret().is_empty() {
            problems.0.push(("password", "password-missing"));
        }
        let incoming = server(
            [("incoming_host", &self.incoming_host), ("incoming_port", &self.incoming_port)],
            ("incoming_user", &self.incoming_user),
            &self.incoming_security,
            &mut problems,
        );
        let outgoing = server(
            [("outgoing_host", &self.outgoing_host), ("outgoing_port", &self.outgoing_port)],
            ("outgoing_user", &self.outgoing_user),
            &self.outgoing_security,
            &mut problems,
        );
        (incoming.zip(outgoing), problems)
    }
}

fn server(
    [(host_name, host), (port_name, port)]: [(&'static str, &String); 2],
    (user_name, user): (&'static str, &String),
    security: &str,
    problems: &mut Problems,
) -> Option<Server> {
    let (host, user) = (read_host(host), user.trim());
    let before = problems.0.len();
    if host.is_none() {
        problems.0.push((host_name, "host-wrong"));
    }
    let number = port.trim().parse::<u16>().ok().filter(|port| *port != 0);
    if number.is_none() {
        problems.0.push((port_name, "port-wrong"));
    }
    if user.is_empty() || user.len() > 255 || user.chars().any(char::is_control) {
        problems.0.push((user_name, "user-wrong"));
    }
    let security = if security == "starttls" { Security::StartTls } else { Security::Tls };
    let (host, port) = host.zip(number)?;
    (problems.0.len() == before).then(|| Server::new(host, port, security, user))
}

/// A name in A-labels, or an address; what it leads to is checked when it is called. Neither the name service nor
/// a certificate knows a name by other letters.
pub fn read_host(text: &str) -> Option<String> {
    let text = text.trim();
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Some(text.to_owned());
    }
    match url::Host::parse(text) {
        Ok(url::Host::Domain(name)) if (1..=253).contains(&name.len()) => Some(name),
        _ => None,
    }
}

fn word(security: Security) -> &'static str {
    match security {
        Security::StartTls => "starttls",
        Security::Tls | Security::None => "tls",
    }
}

fn form(frame: Frame, stored: Stored, entered: Entered, status: StatusCode, problems: &Problems) -> Page {
    let field = |name: &'static str, value: String| {
        let error = problems.of(name).map(|key| frame.t.say(key).to_string());
        Field::new(name, value).required().failing(error)
    };
    let incoming = ServerFields {
        fields: vec![
            field("incoming_host", entered.incoming_host),
            field("incoming_port", entered.incoming_port).kind("number"),
            field("incoming_user", entered.incoming_user),
        ],
        name: "incoming_security",
        security: security_of(&entered.incoming_security),
    };
    let outgoing = ServerFields {
        fields: vec![
            field("outgoing_host", entered.outgoing_host),
            field("outgoing_port", entered.outgoing_port).kind("number"),
            field("outgoing_user", entered.outgoing_user),
        ],
        name: "outgoing_security",
        security: security_of(&entered.outgoing_security),
    };
    let password = field("password", String::new()).kind("password").complete("off");
    let all = incoming.fields.iter().chain(&outgoing.fields).chain([&password]).cloned().collect();
    let (app_password, help) = match &stored.draft.found.password {
        PasswordUse::AppPassword { help } => (true, help.clone()),
        PasswordUse::Accepted | PasswordUse::Refused => (false, None),
    };
    let page = ManualPage {
        rail: rail(&stored.id, Some(&stored.draft), Step::Connect),
        warnings: stored.draft.found.warnings.iter().map(|code| format!("warning-{code}")).collect(),
        id: stored.id,
        version: stored.version,
        address: stored.draft.address,
        provider: stored.draft.found.name,
        app_password,
        help,
        servers: vec![incoming, outgoing],
        password,
        fields: all,
        frame,
    };
    Page::console(status, &page)
}

fn security_of(word: &str) -> Security {
    if word == "starttls" { Security::StartTls } else { Security::Tls }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_name_is_kept_as_name_services_and_certificates_know_it() {
        let long = format!("{}.example", "x".repeat(300));
        for (text, kept) in [
            (" imap.desk.example\n", Some("imap.desk.example")),
            ("IMAP.Desk.Example", Some("imap.desk.example")),
            ("imap.b\u{fc}cher.example", Some("imap.xn--bcher-kva.example")),
            ("10.0.0.5", Some("10.0.0.5")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("", None),
            ("imap desk", None),
            ("imap.desk.example/x", None),
            ("user@imap.desk.example", None),
            ("imap.desk.example:993", None),
            ("0x7f.1", None),
            (&long, None),
        ] {
            assert_eq!(read_host(text).as_deref(), kept, "{text}");
        }
    }
}
