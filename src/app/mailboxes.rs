//! The mailboxes of an installation: one object for each, made of its row.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::clock::{SystemClock, Timestamp};
use crate::base::id::MailboxId;
use crate::config::StartUp;
use crate::console::TrialFactory;
use crate::mailbox::{Mailbox, registry};
use crate::net::Egress;
use crate::net::dial::Dialer;
use crate::token::keeper::Keeper;
use crate::token::password::{Passwords, Typed};
use crate::web::call::HttpCall;
use crate::worker::MailboxFactory;

/// A mailbox and what it was made of: kind, address, settings, and when it was connected, since another sign-in
/// may be another account's.
struct Made {
    of: (String, String, String, Timestamp),
    mailbox: Arc<dyn Mailbox>,
}

/// What mailboxes are made of.
pub(super) fn parts(
    start_up: &StartUp,
    keeper: &Arc<Keeper>,
    passwords: Passwords,
    providers: &Arc<dyn HttpCall>,
) -> anyhow::Result<registry::Parts> {
    let dialer = Dialer::new(Egress::default().allow(&start_up.egress_allow)?)?;
    Ok(registry::Parts {
        tokens: keeper.clone(),
        passwords: Arc::new(passwords),
        http: providers.clone(),
        dialer: Arc::new(dialer.reaching(start_up.mail.private_networks.clone())),
        clock: Arc::new(SystemClock),
        graph: start_up.locations.graph.clone(),
        requests_per_minute: start_up.mail.rate_limit,
        idle_renewal: registry::IDLE_RENEWAL,
    })
}

/// Makes mailboxes that are only tried, with a password that is not kept.
pub(super) fn trials(parts: registry::Parts) -> TrialFactory {
    Arc::new(move |row, password| registry::trial(row, Arc::new(Typed(password)), &parts))
}

/// Makes the mailbox of a row once, so that console and worker share its session and its request budget.
pub(super) fn factory(parts: registry::Parts) -> MailboxFactory {
    let made: Mutex<HashMap<MailboxId, Made>> = Mutex::default();
    Arc::new(move |row| {
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (row.kind.clone(), row.address.clone(), row.settings.clone(), row.connected_at);
        if let Some(kept) = made.get(&row.id).filter(|kept| kept.of == of) {
            return Some(kept.mailbox.clone());
        }
        let mailbox = registry::make(row, &parts)?;
        made.insert(row.id.clone(), Made { of, mailbox: mailbox.clone() });
        Some(mailbox)
    })
}
