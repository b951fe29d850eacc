//! `mintgate mailbox`: the connected mailboxes, beside a running gateway or without one.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{ConfigArgument, Form};
use crate::app::installation::{self, Installation};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::console::{end_subscription, in_english, reason_in_english};
use crate::store::{self, MailboxRow, MailboxState, Store};
use crate::token::keeper::Ended;
use crate::token::subscription::Subscriptions;
use crate::worker::orders::Order;

/// How long a running gateway may take to look.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Every connected mailbox and how it does
    List {
        #[command(flatten)]
        config: ConfigArgument,
        #[command(flatten)]
        form: Form,
    },
    /// Try a mailbox step by step: token, user, folder
    Test(One),
    /// Have the running gateway look for mail now, and wait for it
    Poll(One),
    /// Forget a mailbox and its secrets; what became of its mail stays known
    Disconnect(One),
}

#[derive(Debug, clap::Args)]
struct One {
    /// The mailbox's id, as `mintgate mailbox list` shows it
    mailbox: String,
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    form: Form,
}

/// Exit code 0 when it went well, 1 otherwise.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    match &arguments.act {
        Act::List { config, form } => runtime.block_on(list(config, *form)),
        Act::Test(one) => runtime.block_on(test(one, runtime.handle())),
        Act::Poll(one) => runtime.block_on(poll(one)),
        Act::Disconnect(one) => runtime.block_on(disconnect(one, runtime.handle())),
    }
}

async fn list(config: &ConfigArgument, form: Form) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(config)?;
    let rows = store::open_beside(&start_up.store).await?.mailboxes().await?;
    form.tell(&Value::from_iter(rows.iter().map(shown)), || {
        for row in &rows {
            println!("{}  {}  {}  {}", row.id, row.address, row.kind, state(row));
        }
        if rows.is_empty() {
            println!("No mailbox is connected.");
        }
    });
    Ok(ExitCode::SUCCESS)
}

fn shown(row: &MailboxRow) -> Value {
    let moment = |at: Option<Timestamp>| at.map(|at| at.rfc3339());
    json!({
        "id": row.id.as_str(),
        "kind": row.kind,
        "address": row.address,
        "connected": row.state == MailboxState::Connected,
        "lastPoll": moment(row.last_poll_at),
        "lastMail": moment(row.last_mail_at),
        "lastError": row.last_error,
        "failingSince": moment(row.failing_since),
    })
}

fn state(row: &MailboxRow) -> String {
    match (row.state, &row.last_error, row.last_poll_at) {
        (MailboxState::NeedsReconnect, reason, _) => {
            let reason = reason.as_deref().map(reason_in_english);
            format!("has to be connected again: {}", reason.as_deref().unwrap_or("no reason was noted"))
        }
        (MailboxState::Connected, Some(error), _) => format!("fails: {}", reason_in_english(error)),
        (MailboxState::Connected, None, Some(at)) => format!("well, last looked at {at}"),
        (MailboxState::Connected, None, None) => "not looked at yet".to_owned(),
    }
}

/// The mailbox an operator named.
pub(super) async fn find(store: &dyn Store, name: &str) -> anyhow::Result<MailboxRow> {
    let id = MailboxId::parse(name).with_context(|| format!("`{name}` is no mailbox id"))?;
    let found = store.mailbox(&id).await?;
    found.with_context(|| format!("no mailbox `{name}` is connected; `mintgate mailbox list` shows them"))
}

async fn test(one: &One, runtime: &tokio::runtime::Handle) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(&one.config)?;
    let installation = Installation::beside(&start_up, runtime).await?;
    let row = find(&*installation.store, &one.mailbox).await?;
    let Some(mailbox) = (installation.mailboxes)(&row) else {
        bail!("a mailbox of the kind `{}` cannot be made with this configuration", row.kind);
    };
    let checks = mailbox.probe().await;
    let now = installation::now();
    let told = checks.iter().map(|check| {
        let (Ok(told) | Err(told)) = &check.outcome;
        let text = in_english(told, now);
        json!({"step": check.step, "ok": check.outcome.is_ok(), "tookMs": check.took_ms, "text": text})
    });
    one.form.tell(&Value::from_iter(told), || {
        for check in &checks {
            match &check.outcome {
                Ok(told) => {
                    println!("OK      {} ({} ms): {}", check.step, check.took_ms, in_english(told, now))
                }
                Err(told) => {
                    println!("FAILED  {} ({} ms): {}", check.step, check.took_ms, in_english(told, now))
                }
            }
        }
    });
    let passed = !checks.is_empty() && checks.iter().all(|check| check.outcome.is_ok());
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn poll(one: &One) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(&one.config)?;
    let store = store::open_beside(&start_up.store).await?;
    let row = find(&*store, &one.mailbox).await?;
    let order = Order::Poll { mailbox: row.id.clone() };
    leave(&*store, &order).await?;
    // The order is taken when the round begins, the result written when it ends.
    let begun = Instant::now();
    loop {
        sleep(Duration::from_millis(250)).await;
        let now = find(&*store, &one.mailbox).await?;
        if now.last_poll_at > row.last_poll_at {
            one.form.tell(&shown(&now), || println!("{}: {}", now.id, state(&now)));
            return Ok(if now.last_error.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        if begun.elapsed() > PATIENCE {
            store.take_hint(&order.hint()).await?;
            bail!("no gateway has looked within {} s; is one running with mail on?", PATIENCE.as_secs());
        }
    }
}

/// Leaves an order for the running gateway.
pub(super) async fn leave(store: &dyn Store, order: &Order) -> anyhow::Result<()> {
    Ok(store.add_hint(&order.hint(), installation::now()).await?)
}

async fn disconnect(one: &One, runtime: &tokio::runtime::Handle) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(&one.config)?;
    let store = store::open_beside(&start_up.store).await?;
    let row = find(&*store, &one.mailbox).await?;
    // Without the vault's key there is no grant to end, and the mailbox can still be forgotten.
    let ended = match installation::present_sealer(&start_up) {
        Ok(_) => {
            let installation = Installation::beside(&start_up, runtime).await?;
            let Installation { store, sealer, mailboxes, keeper, .. } = &installation;
            let subscriptions = Subscriptions::new(store.clone(), sealer.clone());
            end_subscription(&subscriptions, mailboxes, &row).await;
            keeper.disconnect(&row.id).await?
        }
        Err(_) => {
            store.disconnect_mailbox(&row.id).await?;
            Ended::Here
        }
    };
    let at_provider = ended == Ended::AtTheProvider;
    let told = json!({"id": row.id.as_str(), "disconnected": true, "endedAtProvider": at_provider});
    one.form.tell(&told, || match ended {
        Ended::AtTheProvider => println!("OK: {} is forgotten, and its grant is ended.", row.id),
        Ended::Here => {
            println!(
                "OK: {} is forgotten here; the provider's own list of allowed apps still names it.",
                row.id
            );
        }
    });
    Ok(ExitCode::SUCCESS)
}
