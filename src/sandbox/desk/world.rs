//! What the desk remembers, in the shapes its API shows.

use serde::Serialize;
use serde_json::Value;

use crate::base::clock::Timestamp;
use crate::base::id::{hex, random_bytes};

use super::token::Signer;
use crate::sandbox::with_millis;

/// A desk user. Passwords are kept as given: nobody's real one comes here.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub id: String,
    pub name: String,
    pub email: String,
    pub password: String,
    pub is_admin: bool,
    pub external: bool,
    pub first_login: bool,
    pub language: String,
    pub created_at: String,
}

#[derive(Debug, Clone)]
pub(super) struct Session {
    pub id: String,
    pub token: String,
    pub user: String,
    pub user_agent: String,
    pub ip_address: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A ticket as its table row reads; `created_by` is stored as sent.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    pub id: String,
    pub created_at: String,
    pub updated_at: String,
    pub name: Option<String>,
    pub title: String,
    /// JSON in a string after a create, whatever was sent after an update.
    pub detail: Option<String>,
    pub email: Option<String>,
    pub note: Option<String>,
    pub is_complete: bool,
    pub priority: String,
    pub linked: Option<Value>,
    pub from_imap: bool,
    #[serde(rename = "Number")]
    pub number: u32,
    pub status: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub hidden: bool,
    pub created_by: Option<Value>,
    pub locked: bool,
    pub following: Option<Value>,
    pub team_id: Option<String>,
    pub client_id: Option<String>,
    pub user_id: Option<String>,
}

/// A comment as its table row reads.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    pub id: String,
    pub created_at: String,
    pub text: String,
    pub public: bool,
    pub reply: bool,
    pub reply_email: Option<String>,
    pub edited: bool,
    pub edited_at: Option<String>,
    pub previous: Option<String>,
    pub user_id: Option<String>,
    pub ticket_id: String,
}

/// A line in a user's `notifcations`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    pub id: String,
    pub created_at: String,
    pub updated_at: String,
    pub read: bool,
    pub text: String,
    pub user_id: String,
    pub ticket_id: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Queue {
    pub id: String,
    pub name: String,
    pub service_type: String,
    pub active: bool,
    pub teams: Option<String>,
    pub username: String,
    pub hostname: String,
    pub tls: bool,
    pub client_id: Option<String>,
    pub redirect_uri: Option<String>,
}

/// A named set of permissions and who has it.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub id: String,
    pub name: String,
    pub permissions: Vec<String>,
    pub users: Vec<String>,
    pub created_at: String,
}

pub(super) struct World {
    pub signer: Signer,
    pub users: Vec<User>,
    pub sessions: Vec<Session>,
    pub tickets: Vec<Ticket>,
    pub comments: Vec<Comment>,
    pub notifications: Vec<Notification>,
    /// The outgoing mail settings, as put.
    pub smtp: Option<Value>,
    pub queues: Vec<Queue>,
    pub webhooks: Vec<Value>,
    pub roles_active: bool,
    pub roles: Vec<Role>,
    /// Ticket pages show the HTML that a ticket holds.
    pub careless: bool,
}

impl World {
    /// The default admin, an agent and the user for a mail worker.
    pub fn seeded(now: Timestamp) -> Self {
        let mut world = Self {
            signer: Signer::random(),
            users: Vec::new(),
            sessions: Vec::new(),
            tickets: Vec::new(),
            comments: Vec::new(),
            notifications: Vec::new(),
            smtp: None,
            queues: Vec::new(),
            webhooks: Vec::new(),
            roles_active: false,
            roles: Vec::new(),
            careless: false,
        };
        world.add_user("admin", "admin@admin.com", "1234", now).is_admin = true;
        world.add_user("Anna Agent", "agent@desk.localhost", "agent", now);
        world.add_user("Mail Worker", "mail-worker@desk.localhost", "mail-worker", now);
        world
    }

    pub fn add_user(&mut self, name: &str, email: &str, password: &str, now: Timestamp) -> &mut User {
        self.users.push(User {
            id: uuid(),
            name: name.to_owned(),
            email: email.to_lowercase(),
            password: password.to_owned(),
            is_admin: false,
            external: false,
            first_login: true,
            language: "en".to_owned(),
            created_at: with_millis(now),
        });
        self.users.last_mut().expect("a user was just added")
    }

    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub fn user_by_email(&self, email: &str) -> Option<&User> {
        self.users.iter().find(|user| user.email == email)
    }

    pub fn ticket(&self, id: &str) -> Option<&Ticket> {
        self.tickets.iter().find(|ticket| ticket.id == id)
    }

    pub fn ticket_mut(&mut self, id: &str) -> Option<&mut Ticket> {
        self.tickets.iter_mut().find(|ticket| ticket.id == id)
    }

    /// Tells everybody concerned with a ticket, except who did it.
    pub fn notify(&mut self, ticket: &str, actor: &str, text: &str, now: Timestamp) {
        let Some(ticket) = self.ticket(ticket) else { return };
        let creator = ticket.created_by.as_ref().and_then(|by| by["id"].as_str()).map(str::to_owned);
        let ticket_id = ticket.id.clone();
        let mut concerned: Vec<String> = creator.into_iter().chain(ticket.user_id.clone()).collect();
        concerned.dedup();
        for user_id in concerned.into_iter().filter(|id| id != actor) {
            self.notifications.push(Notification {
                id: uuid(),
                created_at: with_millis(now),
                updated_at: with_millis(now),
                read: false,
                text: text.to_owned(),
                user_id,
                ticket_id: ticket_id.clone(),
            });
        }
    }
}

/// A random UUID (version 4).
pub(super) fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// An id of the kind that the desk gives sessions.
pub(super) fn cuid() -> String {
    format!("c{}", hex(&random_bytes::<12>()))
}
