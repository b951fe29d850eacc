//! The set-up guide's production checklist, answered line by line as far as it shows in here.

use std::sync::Arc;

use super::Line;
use crate::config::StartUp;
use crate::store::{Counts, MailboxRow, MailboxState, Store};

/// What the other parts have found.
pub(super) struct Seen<'s> {
    pub start_up: &'s StartUp,
    /// Whether an app is registered at a provider.
    pub registered: bool,
    pub bot_works: bool,
    pub provider_answers: bool,
    /// A mailbox signs in at a provider, or may yet.
    pub needs_provider: bool,
    pub store: Option<Arc<dyn Store>>,
}

const NOT_SEEN: &str = "This does not show from here.";

/// The twelve lines, in the guide's order.
pub(super) async fn answer(seen: &Seen<'_>) -> Vec<Line> {
    let mailboxes = match &seen.store {
        Some(store) => store.mailboxes().await.ok(),
        None => None,
    };
    let counts = match &seen.store {
        Some(store) => store.counts().await.ok(),
        None => None,
    };
    let mailbox = mailboxes.as_ref().and_then(|rows| told_of(rows, seen.start_up));
    vec![
        registration(seen),
        permissions(mailbox),
        service_account(mailbox, seen.start_up),
        reply_to(seen.start_up),
        Line::ok(
            "guide: environment variables",
            "They were read; what has no effect is told above under `configuration`.",
        ),
        Line::ok("guide: Docker Compose", "The configuration reached this process whole."),
        Line::cannot_tell(
            "guide: backup",
            NOT_SEEN,
            "Back up Peppermint's database, the store and, apart from it, the vault's key.",
        ),
        deployed(seen),
        connection(mailbox, mailboxes.is_some()),
        counted(
            "guide: test email",
            counts.as_ref(),
            |counts| counts.inbound_done,
            "mail(s) became tickets or comments",
            "Send a mail to the mailbox and look for its ticket.",
        ),
        counted(
            "guide: reply",
            counts.as_ref(),
            |counts| counts.outgoing_sent,
            "answer(s) were mailed",
            "Write a public comment on such a ticket and look for the mail.",
        ),
        monitoring(seen.start_up),
    ]
}

fn registration(seen: &Seen<'_>) -> Line {
    const TOPIC: &str = "guide: app registration";
    match (seen.registered, seen.provider_answers) {
        (true, true) => Line::ok(TOPIC, "It is configured, and the provider answers for it."),
        (true, false) => Line::problem(
            TOPIC,
            "It is configured, and the provider does not answer for it.",
            "See `identity provider`.",
        ),
        (false, _) if !seen.needs_provider => Line::ok(TOPIC, "No mailbox needs one."),
        (false, _) => {
            let to_do =
                "Register an app and enter it at /admin/exchange/apps, or set `microsoft.*` or `google.*`.";
            Line::warning(TOPIC, "None is configured.", to_do)
        }
    }
}

/// The mailbox of the configured sender, where there is one; the first otherwise.
fn told_of<'r>(rows: &'r [MailboxRow], start_up: &StartUp) -> Option<&'r MailboxRow> {
    let sender = start_up.mail.from_address.as_deref().unwrap_or_default();
    rows.iter().find(|row| row.address.eq_ignore_ascii_case(sender)).or_else(|| rows.first())
}

fn permissions(mailbox: Option<&MailboxRow>) -> Line {
    const TOPIC: &str = "guide: API permissions";
    let to_do = "Add User.Read, Mail.ReadWrite and Mail.Send, grant consent, and connect again.";
    let Some(mailbox) = mailbox else {
        return Line::cannot_tell(
            TOPIC,
            "The provider tells what was granted only at a sign-in.",
            "Connect a mailbox.",
        );
    };
    let granted = |scope: &str| mailbox.scopes.split(' ').any(|one| one.eq_ignore_ascii_case(scope));
    let reads = granted("mail.read") || granted("mail.readwrite");
    match (mailbox.kind.as_str(), reads && granted("mail.send")) {
        ("microsoft-graph", true) => Line::ok(TOPIC, "Mail can be read and sent."),
        ("microsoft-graph", false) => {
            Line::problem(TOPIC, "Mail cannot be both read and sent with what was granted.", to_do)
        }
        _ => Line::ok(TOPIC, "This kind of mailbox needs none."),
    }
}

fn service_account(mailbox: Option<&MailboxRow>, start_up: &StartUp) -> Line {
    const TOPIC: &str = "guide: service account";
    match (mailbox, &start_up.mail.from_address) {
        (Some(mailbox), Some(wanted)) if !mailbox.address.eq_ignore_ascii_case(wanted) => Line::problem(
            TOPIC,
            "Another account than EXCHANGE_FROM_EMAIL is connected.",
            "Connect again with that account.",
        ),
        (Some(_), _) => Line::ok(TOPIC, "Its mailbox is connected."),
        (None, _) => Line::cannot_tell(TOPIC, NOT_SEEN, "Connect its mailbox at /admin/exchange."),
    }
}

fn reply_to(start_up: &StartUp) -> Line {
    const TOPIC: &str = "guide: distribution group";
    match &start_up.mail.reply_to {
        Some(_) => Line::cannot_tell(
            TOPIC,
            "Answers name it as Reply-To; whether it delivers to the mailbox does not show from here.",
            "Send a mail to it and look for the ticket.",
        ),
        None => Line::ok(TOPIC, "None is used: answers come back to the mailbox itself."),
    }
}

fn deployed(seen: &Seen<'_>) -> Line {
    const TOPIC: &str = "guide: deployed and running";
    match seen.bot_works {
        true => Line::ok(TOPIC, "The desk answers and the bot can work there."),
        false => Line::problem(TOPIC, "Mail cannot be brought to the desk.", "See `desk's API` and `bot`."),
    }
}

fn connection(mailbox: Option<&MailboxRow>, known: bool) -> Line {
    const TOPIC: &str = "guide: OAuth connection";
    match mailbox.map(|mailbox| (mailbox.state, mailbox.failing_since)) {
        Some((MailboxState::Connected, None)) => Line::ok(TOPIC, "It stands."),
        Some((MailboxState::Connected, Some(since))) => Line::problem(
            TOPIC,
            format!("Mail has not been fetched since {since}."),
            "The page at /admin/exchange says why.",
        ),
        Some((MailboxState::NeedsReconnect, _)) => {
            Line::problem(TOPIC, "The grant is dead.", "Connect again at /admin/exchange.")
        }
        None if known => Line::warning(TOPIC, "No mailbox is connected.", "Connect one at /admin/exchange."),
        None => Line::cannot_tell(TOPIC, "The store cannot be read.", ""),
    }
}

fn counted(
    topic: &'static str,
    counts: Option<&Counts>,
    which: fn(&Counts) -> u64,
    what: &str,
    to_do: &str,
) -> Line {
    match counts.map(which) {
        Some(0) => Line::warning(topic, format!("0 {what}."), to_do),
        Some(count) => Line::ok(topic, format!("{count} {what}.")),
        None => Line::cannot_tell(topic, "The store cannot be read.", ""),
    }
}

fn monitoring(start_up: &StartUp) -> Line {
    const TOPIC: &str = "guide: monitoring";
    match (&start_up.metrics, &start_up.ping) {
        (Some(_), Some(_)) => {
            Line::ok(TOPIC, "/metrics and /ping are on; alert on mintgate_audit_total and on /ping.")
        }
        _ => Line::warning(
            TOPIC,
            "/metrics or /ping is off.",
            "Set `metrics.prometheus.entryPoint` and `ping.entryPoint`.",
        ),
    }
}
