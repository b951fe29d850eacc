//! `mintgate queue`: mails that wait, that were put aside or given up; try them again, or leave them.
//! `in-12` is a mail from a customer, `out-5` one to a customer. Shows neither text nor addresses.

use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::{ConfigArgument, Form};
use crate::app::installation;
use crate::base::clock::Timestamp;
use crate::store::by_hand::{self, Change, QueuedMail};
use crate::store::{self, InboundRow, InboundState, OutboxRow, OutboxState, Store};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// What waits, was put aside or given up; newest first
    List {
        /// Also what is done
        #[arg(long)]
        all: bool,
        /// At most so many in each direction
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        #[command(flatten)]
        config: ConfigArgument,
        #[command(flatten)]
        form: Form,
    },
    /// One mail
    Show(One),
    /// Try it again now
    Retry(One),
    /// Do nothing more with it
    Skip {
        #[command(flatten)]
        one: One,
        /// Kept with the mail
        #[arg(long, default_value = "")]
        reason: String,
    },
}

#[derive(Debug, clap::Args)]
struct One {
    /// `in-12` or `out-5`, as `mintgate queue list` shows it
    mail: String,
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    form: Form,
}

/// Exit code 0 when it is done, 1 when there is no such mail or it cannot be done.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &arguments.act {
        Act::List { all, limit, config, form } => runtime.block_on(list(*all, *limit, config, *form)),
        Act::Show(one) => runtime.block_on(show(one)),
        Act::Retry(one) => runtime.block_on(retry(one)),
        Act::Skip { one, reason } => runtime.block_on(skip(one, reason)),
    }
}

async fn list(all: bool, limit: u32, config: &ConfigArgument, form: Form) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(config)?;
    let store = store::open_beside(&start_up.store).await?;
    let mut rows = Vec::new();
    for state in [InboundState::New, InboundState::Intent, InboundState::Quarantined] {
        rows.extend(store.recent_inbound(Some(state), limit).await?.iter().map(inbound));
    }
    for state in [OutboxState::Queued, OutboxState::Sending, OutboxState::Failed] {
        rows.extend(store.recent_outgoing(Some(state), limit).await?.iter().map(outgoing));
    }
    if all {
        for state in [InboundState::Done, InboundState::Ignored] {
            rows.extend(store.recent_inbound(Some(state), limit).await?.iter().map(inbound));
        }
        rows.extend(store.recent_outgoing(Some(OutboxState::Sent), limit).await?.iter().map(outgoing));
    }
    form.tell(&Value::Array(rows.clone()), || {
        rows.iter().for_each(|row| println!("{}", line(row)));
        if rows.is_empty() {
            println!("Nothing waits.");
        }
    });
    Ok(ExitCode::SUCCESS)
}

fn inbound(row: &InboundRow) -> Value {
    let state = match row.state {
        InboundState::New => "new",
        InboundState::Intent => "at the desk",
        InboundState::Done => "done",
        InboundState::Ignored => "left alone",
        InboundState::Quarantined => "put aside",
    };
    json!({
        "id": format!("in-{}", row.id),
        "state": state,
        "mailbox": row.mailbox.as_str(),
        "since": row.received_at.rfc3339(),
        "tries": row.attempts,
        "nextTry": next_try(matches!(row.state, InboundState::New | InboundState::Intent), row.next_try_at),
        "ticket": row.ticket,
        "reason": row.reason,
    })
}

fn outgoing(row: &OutboxRow) -> Value {
    let state = match row.state {
        OutboxState::Queued => "waiting",
        OutboxState::Sending => "sending",
        OutboxState::Sent => "sent",
        OutboxState::Failed => "given up",
    };
    json!({
        "id": format!("out-{}", row.id),
        "state": state,
        "mailbox": row.mailbox.as_str(),
        "since": row.created_at.rfc3339(),
        "tries": row.attempts,
        "nextTry": next_try(matches!(row.state, OutboxState::Queued | OutboxState::Sending), row.next_try_at),
        "ticket": row.ticket,
        "reason": row.reason,
        "possibleDoubles": row.doubled,
    })
}

fn next_try(waits: bool, at: Timestamp) -> Option<String> {
    waits.then(|| at.rfc3339())
}

fn line(row: &Value) -> String {
    let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let [id, state, mailbox, since] = ["id", "state", "mailbox", "since"].map(text);
    format!("{id:<8} {state:<11} {mailbox}  since {since}  tries {}  {}", row["tries"], text("reason"))
}

async fn show(one: &One) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(&one.config)?;
    let store = store::open_beside(&start_up.store).await?;
    let row = look_up(&*store, name(&one.mail)?).await?;
    let row = row.with_context(|| format!("there is no mail `{}`", one.mail))?;
    one.form.tell(&row, || {
        for (key, value) in row.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            println!("{key:<16} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
    });
    Ok(ExitCode::SUCCESS)
}

async fn look_up(store: &dyn Store, mail: QueuedMail) -> anyhow::Result<Option<Value>> {
    Ok(match mail {
        QueuedMail::In(id) => store.inbound(id).await?.as_ref().map(inbound),
        QueuedMail::Out(id) => store.outgoing(id).await?.as_ref().map(outgoing),
    })
}

async fn retry(one: &One) -> anyhow::Result<ExitCode> {
    change(one, async |store, mail| by_hand::retry(store, mail, None, installation::now()).await).await
}

async fn skip(one: &One, why: &str) -> anyhow::Result<ExitCode> {
    change(one, async |store, mail| by_hand::skip(store, mail, None, why, installation::now()).await).await
}

async fn change(
    one: &One,
    act: impl AsyncFnOnce(&dyn Store, QueuedMail) -> store::Result<Change>,
) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(&one.config)?;
    let store = store::open_beside(&start_up.store).await?;
    let mail = name(&one.mail)?;
    let changed = act(&*store, mail).await?;
    let Some(row) = look_up(&*store, mail).await? else { bail!("there is no mail `{}`", one.mail) };
    if changed != Change::Done {
        bail!(
            "`{}` is {}: nothing can be changed about it",
            one.mail,
            row["state"].as_str().unwrap_or("gone")
        );
    }
    one.form.tell(&row, || println!("OK: {}", line(&row)));
    Ok(ExitCode::SUCCESS)
}

fn name(text: &str) -> anyhow::Result<QueuedMail> {
    text.parse().with_context(|| format!("`{text}` is no mail; see `mintgate queue list`"))
}
