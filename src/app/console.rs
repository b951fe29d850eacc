//! Gives the console, and what shows mails to people, what they need.

use std::sync::Arc;

use tokio::runtime::Handle;
use tracing::warn;

use super::doctor;
use super::installation::{self, Installation};
use crate::base::clock::SystemClock;
use crate::base::journal::Journal;
use crate::config::StartUp;
use crate::console::{Console, Examination, Fixed, Parts};
use crate::desk::reader::Readers;
use crate::files::{self, MailFiles};
use crate::mailbox::detect::Detector;
use crate::mailbox::detect::detector::Directory;
use crate::net::names::Names;
use crate::net::reach::Reach;
use crate::net::stranger::Strangers;
use crate::store::StoreAt;
use crate::web::local::LocalService;

/// The console, unless it is switched off. What it looks up elsewhere, it looks up on `runtime`.
pub(super) fn console(
    start_up: &Arc<StartUp>,
    installation: &Installation,
    journal: Journal,
    runtime: &Handle,
) -> Option<Arc<dyn LocalService>> {
    if !start_up.console.enabled {
        return None;
    }
    Some(Arc::new(Console::new(Parts {
        store: installation.store.clone(),
        sealer: installation.sealer.clone(),
        secret: installation.secret.clone(),
        http: installation.providers.clone(),
        clock: Arc::new(SystemClock),
        registrations: installation.registrations.clone(),
        keeper: installation.keeper.clone(),
        public_url: start_up.console.public_url.clone(),
        from_address: start_up.mail.from_address.clone(),
        bot_configured: start_up.desk.bot.is_some(),
        fixed: Fixed {
            from_name: start_up.mail.from_name.clone(),
            reply_to: start_up.mail.reply_to.clone(),
            poll_interval: Some(start_up.mail.poll_interval),
        },
        origins: start_up.origins.clone(),
        detect: Arc::new(detector(start_up, runtime)),
        mailboxes: installation.mailboxes.clone(),
        trials: installation.trials.clone(),
        worker: installation.wake.clone(),
        audit: installation.parts.audit.clone(),
        journal,
        facts: facts(start_up),
        examine: examination(start_up.clone(), runtime.clone()),
    })))
}

/// What `mintgate doctor` finds, for a page. Its calls are made on `runtime`.
fn examination(start_up: Arc<StartUp>, runtime: Handle) -> Examination {
    Arc::new(move || {
        let start_up = Arc::clone(&start_up);
        let look = runtime.spawn(async move { doctor::examine(&start_up, installation::now()).await });
        Box::pin(async move {
            match look.await {
                Ok(Ok(lines)) => lines.iter().map(ToString::to_string).collect(),
                Ok(Err(error)) => vec![format!("It cannot look: {error:#}.")],
                Err(_) => vec!["It broke down while it looked.".to_owned()],
            }
        })
    })
}

/// What an operator's support wants to know of the configuration; no secret, no address of a person.
fn facts(start_up: &StartUp) -> Vec<(String, String)> {
    let mail = &start_up.mail;
    let store = match start_up.store {
        StoreAt::Sqlite(_) => "SQLite",
        StoreAt::Postgres(_) => "PostgreSQL",
    };
    let yes = |answer: bool| if answer { "yes" } else { "no" }.to_owned();
    let entry_points = start_up.entry_points.iter().map(|point| {
        let tls = if point.tls { ", TLS" } else { "" };
        (format!("entry point {}", point.name), format!("{}{tls}", point.address))
    });
    let others = [
        ("store", store.to_owned()),
        ("log level", start_up.log.level.clone()),
        ("desk", start_up.desk.url.origin().ascii_serialization()),
        ("desk API", start_up.desk.api_url.origin().ascii_serialization()),
        ("mail", yes(mail.enabled)),
        ("poll interval", format!("{} s", mail.poll_interval.as_secs())),
        ("requests per minute and mailbox", mail.rate_limit.to_string()),
        ("largest mail", format!("{} bytes", mail.max_size)),
        ("EXCHANGE_FROM_EMAIL set", yes(mail.from_address.is_some())),
        ("reply-to set", yes(mail.reply_to.is_some())),
        ("previous vault keys", start_up.previous_keys.len().to_string()),
        ("hosts in egress.allow", start_up.egress_allow.len().to_string()),
        ("warnings at start", start_up.warnings.len().to_string()),
    ];
    entry_points.chain(others.map(|(name, value)| (name.to_owned(), value))).collect()
}

/// What mails brought; also while mail is off, since tickets go on naming it.
pub(super) fn mail_files(start_up: &StartUp, installation: &Installation) -> Arc<dyn LocalService> {
    Arc::new(MailFiles::new(files::Parts {
        store: installation.store.clone(),
        readers: Readers::new(installation.desk_http.clone(), start_up.desk.api_url.clone()),
        audit: installation.parts.audit.clone(),
        max_size: start_up.mail.max_size,
    }))
}

/// Without a name service the built-in table still answers.
fn detector(start_up: &StartUp, runtime: &Handle) -> Detector {
    let _entered = runtime.enter();
    let inside = start_up.mail.private_networks.clone();
    let strangers = Names::system()
        .map_err(anyhow::Error::from)
        .and_then(|names| Ok(Strangers::new(names, Reach::with(inside), Vec::new())?));
    match strangers {
        Ok(strangers) => Detector::new(runtime.clone(), Arc::new(strangers), Directory::None),
        Err(error) => {
            warn!(error = format!("{error:#}"), "mailboxes are found by the built-in table alone");
            Detector::offline()
        }
    }
}
