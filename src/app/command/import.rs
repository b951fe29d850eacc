//! `mintgate import old-mail`: mail from before a mailbox was connected becomes tickets too.

use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::mailbox::{find, leave};
use super::{ConfigArgument, Form};
use crate::app::installation;
use crate::base::clock::Timestamp;
use crate::store;
use crate::worker::orders::Order;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Have the running gateway take in mail received since a day; nobody is sent a notice about it
    OldMail {
        /// A day, such as 2026-01-31, or a moment as RFC 3339 writes it
        #[arg(long, value_parser = moment)]
        since: Timestamp,
        /// Only this mailbox; otherwise every one
        #[arg(long)]
        mailbox: Option<String>,
        #[command(flatten)]
        config: ConfigArgument,
        #[command(flatten)]
        form: Form,
    },
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let Act::OldMail { since, mailbox, config, form } = &arguments.act;
    runtime.block_on(old_mail(*since, mailbox.as_deref(), config, *form))
}

async fn old_mail(
    since: Timestamp,
    mailbox: Option<&str>,
    config: &ConfigArgument,
    form: Form,
) -> anyhow::Result<ExitCode> {
    if since > installation::now() {
        bail!("{since} is yet to come");
    }
    let start_up = super::load_start_up(config)?;
    let store = store::open_beside(&start_up.store).await?;
    let rows = match mailbox {
        Some(name) => vec![find(&*store, name).await?],
        None => store.mailboxes().await?,
    };
    if rows.is_empty() {
        bail!("no mailbox is connected");
    }
    for row in &rows {
        leave(&*store, &Order::ImportSince { mailbox: row.id.clone(), since }).await?;
    }
    let told = rows.iter().map(|row| json!({"mailbox": row.id.as_str(), "since": since.rfc3339()}));
    form.tell(&Value::from_iter(told), || {
        for row in &rows {
            println!("OK: {} takes in mail since {since}, with its next look", row.id);
        }
    });
    Ok(ExitCode::SUCCESS)
}

fn moment(text: &str) -> anyhow::Result<Timestamp> {
    let day = format!("{text}T00:00:00Z");
    let read = Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_rfc3339(&day));
    read.context("a day such as 2026-01-31 is expected")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_utc() {
        let told = |text| moment(text).map(Timestamp::rfc3339).ok();
        assert_eq!(told("2026-01-31").as_deref(), Some("2026-01-31T00:00:00Z"));
        assert_eq!(told("2026-01-31T10:00:00+01:00").as_deref(), Some("2026-01-31T09:00:00Z"));
        assert!(told("yesterday").is_none() && told("2026-02-31").is_none());
    }
}
