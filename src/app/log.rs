//! The log: structured lines on standard output. `RUST_LOG` refines the configured level.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::base::audit::TARGET;
use crate::config::Log;

/// Libraries that would tell about every connection. pingora would also print requests; what fails there the
/// gateway tells in its own words.
const QUIET: &str =
    "h2=warn,hyper=warn,reqwest=warn,sqlx=warn,rustls=warn,pingora_core=off,pingora_proxy=off";

pub(super) fn start(settings: &Log) -> anyhow::Result<()> {
    let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| format!("{},{QUIET}", settings.level));
    // Whoever wants fewer audit records has to say so by name.
    let wanted = if wanted.contains(TARGET) { wanted } else { format!("{wanted},{TARGET}=info") };
    let filter = EnvFilter::try_new(&wanted).with_context(|| format!("`{wanted}` is not a log level"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stdout().is_terminal());
    let started = if settings.json { lines.json().try_init() } else { lines.try_init() };
    started.map_err(|source| anyhow::anyhow!(source).context("the log cannot be started"))
}
