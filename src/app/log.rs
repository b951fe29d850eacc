//! The log: structured lines on standard output, written by a thread of its own. `RUST_LOG` refines the configured level.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use anyhow::Context;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, registry};

use super::lines::{Farewell, Lines};
use crate::base::audit::TARGET;
use crate::base::clock::SystemClock;
use crate::base::journal::{Capture, Journal};
use crate::config::Log;

/// Libraries that would print what passes through them: cookies, credentials, mail. Holds whatever is asked for;
/// what fails there the gateway tells in its own words.
const QUIET: &str = "h2=warn,hyper=warn,reqwest=warn,sqlx=warn,rustls=warn,tokio_rustls=warn,tungstenite=warn,\
                     async_imap=warn,imap_proto=warn,mail_send=warn,pingora=off";

/// Starts the log; what the console may show of it is in the journal. Lines that wait are written when the other
/// half is dropped.
pub(super) fn start(settings: &Log) -> anyhow::Result<(Journal, Farewell)> {
    let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| settings.level.clone());
    let filter =
        EnvFilter::try_new(directives(&wanted)).with_context(|| format!("`{wanted}` is not a log level"))?;
    let (writer, farewell) = Lines::to(io::stdout()).context("the log cannot be started")?;
    let lines = fmt::layer().with_ansi(io::stdout().is_terminal()).with_writer(writer);
    let lines = if settings.json { lines.json().boxed() } else { lines.boxed() };
    let journal = Journal::default();
    let capture = Capture::new(journal.clone(), Arc::new(SystemClock)).with_filter(Capture::filter());
    registry()
        .with(capture)
        .with(lines.with_filter(filter))
        .try_init()
        .context("the log cannot be started")?;
    Ok((journal, farewell))
}

/// What is wanted, without the libraries that would tell too much and with the audit records.
fn directives(wanted: &str) -> String {
    let quiet: Vec<&str> = QUIET.split(',').filter_map(|one| one.split('=').next()).collect();
    let loud = |one: &&str| !quiet.iter().any(|library| one.trim_start_matches('[').starts_with(library));
    let kept: Vec<&str> = wanted.split(',').map(str::trim).filter(loud).collect();
    // Whoever wants fewer audit records has to say so by name.
    let audit = if wanted.contains(TARGET) { String::new() } else { format!(",{TARGET}=info") };
    format!("{},{QUIET}{audit}", kept.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_makes_a_library_print_what_passes_through_it() {
        assert_eq!(
            directives("trace,hyper=trace,pingora_proxy::proxy_h1=debug"),
            format!("trace,{QUIET},audit=info")
        );
        assert_eq!(
            directives("info,mintgate::worker=debug,audit=off"),
            format!("info,mintgate::worker=debug,audit=off,{QUIET}")
        );
        assert!(EnvFilter::try_new(directives("trace,h2=trace")).is_ok());
    }
}
