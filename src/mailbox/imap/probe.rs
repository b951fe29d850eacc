//! "Test the connection" by IMAP and SMTP: signing in to read, the folder, signing in to send. Each
//! failure says in one sentence what an administrator can do.

use super::ImapMailbox;
use crate::base::report::Report;
use crate::mailbox::{Check, MailboxError};
use crate::oauth::source::{Purpose, TokenError};
use crate::web::call::CallError;

pub(super) async fn probe(mailbox: &ImapMailbox, halves: &[Purpose]) -> Vec<Check> {
    let mut checks = Vec::new();
    for half in halves {
        let began = mailbox.clock.now();
        let (step, outcome) = match half {
            Purpose::Incoming => ("incoming", incoming(mailbox).await),
            Purpose::Outgoing => {
                let signed_in = mailbox.submission.sign_in().await;
                ("outgoing", signed_in.map(|()| "signed in, ready to send".to_owned()))
            }
        };
        let took = mailbox.clock.now().since(began).as_millis();
        let took_ms = u64::try_from(took).unwrap_or(u64::MAX);
        let failed = outcome.is_err();
        checks.push(Check { step, took_ms, outcome: outcome.map_err(|error| advice(&error)) });
        if failed {
            break;
        }
    }
    checks
}

/// In a session of its own: a test must not meet what another call is doing.
async fn incoming(mailbox: &ImapMailbox) -> Result<String, MailboxError> {
    let mut session = mailbox.open().await?;
    let folder = session.select(&mailbox.folder).await?;
    let told = if session.can.idle { "new mail is told at once" } else { "new mail is looked for" };
    session.log_out().await;
    Ok(format!("{} mails in `{}`; {told}", folder.exists, folder.name))
}

fn advice(error: &MailboxError) -> String {
    let todo = match error {
        MailboxError::Token(TokenError::NeedsReconnect { .. }) => "Connect again.",
        MailboxError::Token(_) => "Nothing to do: it is tried again by itself.",
        MailboxError::Call(CallError::Forbidden { .. }) => {
            "If it is meant to be called, name its network in `mail.privateNetworks`, or the host in \
             `egress.allow`."
        }
        MailboxError::Call(_) => "Check host, port, encryption, and that this machine may reach the server.",
        MailboxError::Server { code, .. } if code == "AuthenticationFailed" => {
            "Check the user name and the password; many providers want an app password."
        }
        MailboxError::Refused { .. } => "Check that the folder exists and that this user may use it.",
        _ => "Try again; if it stays, ask the mail server's administrator.",
    };
    format!("{}. {todo}", Report(error))
}
