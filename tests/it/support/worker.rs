//! The mail worker of an installation, over the sandbox's desk and whatever mailboxes a test has.

use std::sync::Arc;
use std::time::Duration;

use mintgate::base::secret::HashKey;
use mintgate::base::wake::Wake;
use mintgate::desk::{Bot, Desk};
use mintgate::mail::policy::Policy;
use mintgate::sandbox::desk::BOT;
use mintgate::token::subscription::Subscriptions;
use mintgate::worker::{MailboxFactory, Meters, Parts, Settings, Worker};

use super::installation::Installation;
use crate::desk_user::http_to;

pub fn worker(installation: &Installation, mailboxes: MailboxFactory, meters: &Meters) -> Arc<Worker> {
    let Installation { sandbox, clock, store, sealer, .. } = installation;
    let url = sandbox.desk.url();
    let bot = Bot { email: BOT.0.to_owned(), password: BOT.1.into() };
    let desk = Desk::new(http_to(&url), url.parse().expect("a URL"), Some(bot), clock.clone());
    Worker::new(Parts {
        store: store.clone(),
        desk: Arc::new(desk),
        mailboxes,
        clock: clock.clone(),
        wake: Wake::new(),
        written: Wake::new(),
        message_ids: HashKey::from_bytes([5; 32]),
        holder: "the only one".to_owned(),
        settings: Settings {
            poll_interval: Duration::from_secs(300),
            told_at: None,
            from_address: None,
            from_name: None,
            reply_to: None,
            max_size: 100_000,
            message_id_domain: "desk.example".to_owned(),
            policy: Policy::default(),
        },
        subscriptions: Subscriptions::new(store.clone(), sealer.clone()),
        meters: meters.clone(),
        at: Arc::new(|_| {}),
    })
}
