//! Gives the console, and what shows mails to people, what they need.

use std::sync::Arc;

use super::installation::Installation;
use crate::base::clock::SystemClock;
use crate::config::StartUp;
use crate::console::{Console, Microsoft, Parts};
use crate::desk::reader::Readers;
use crate::files::{self, MailFiles};
use crate::web::local::LocalService;

/// The console, unless it is switched off.
pub(super) fn console(start_up: &StartUp, installation: &Installation) -> Option<Arc<dyn LocalService>> {
    if !start_up.console.enabled {
        return None;
    }
    let registered = start_up.microsoft.clone().zip(installation.keeper.clone());
    Some(Arc::new(Console::new(Parts {
        store: installation.store.clone(),
        sealer: installation.sealer.clone(),
        secret: installation.secret.clone(),
        http: installation.providers.clone(),
        clock: Arc::new(SystemClock),
        microsoft: registered.map(|(app, keeper)| Microsoft { app, keeper }),
        public_url: start_up.console.public_url.clone(),
        from_address: start_up.mail.from_address.clone(),
        bot_configured: start_up.desk.bot.is_some(),
        mailboxes: installation.mailboxes.clone(),
        worker: installation.wake.clone(),
        audit: installation.parts.audit.clone(),
    })))
}

/// What mails brought, unless mail is off.
pub(super) fn mail_files(start_up: &StartUp, installation: &Installation) -> Option<Arc<dyn LocalService>> {
    if !start_up.mail.enabled {
        return None;
    }
    Some(Arc::new(MailFiles::new(files::Parts {
        store: installation.store.clone(),
        readers: Readers::new(installation.desk_http.clone(), start_up.desk.api_url.clone()),
        audit: installation.parts.audit.clone(),
        max_size: start_up.mail.max_size,
    })))
}
