//! Keeps the audit's records about mail as events, so that administrators can read them. Whoever records is
//! never kept waiting; the log has every record in any case.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tracing::warn;

use super::{EventKind, NewEvent, Store};
use crate::base::audit::{Audit, Event, Outcome, Record};
use crate::base::clock::Timestamp;
use crate::base::report::Report;

/// Events that may wait to be written.
const MOST_WAITING: usize = 256;

/// Writes events on `runtime` from now on, for as long as `audit` lives.
pub fn follow(audit: &Audit, store: Arc<dyn Store>, runtime: &Handle) {
    let (sender, mut waiting) = mpsc::channel::<NewEvent>(MOST_WAITING);
    audit.tell(Arc::new(move |at, record| {
        if let Some(event) = event(at, record)
            && sender.try_send(event).is_err()
        {
            warn!("too many events at once: one is only in the log");
        }
    }));
    runtime.spawn(async move {
        while let Some(event) = waiting.recv().await {
            if let Err(error) = store.add_event(&event).await {
                warn!(error = %Report(&error), "an event is only in the log");
            }
        }
    });
}

/// Who signs in and who is refused at the desk is no matter of mail.
fn event(at: Timestamp, record: &Record<'_>) -> Option<NewEvent> {
    let kind = match record.event {
        Event::ConsoleAction => EventKind::Admin,
        Event::OauthComplete => EventKind::SignIn,
        Event::Refresh => EventKind::Token,
        Event::Unusual if record.mailbox.is_some() => EventKind::Token,
        _ => return None,
    };
    let detail = match (record.event, record.outcome, record.detail) {
        (Event::OauthComplete, Outcome::Success, "") => "sign-in finished",
        (Event::OauthComplete, _, "") => "sign-in not accepted",
        (Event::Refresh, Outcome::Success, "") => "access token refreshed",
        (_, _, detail) => detail,
    };
    Some(NewEvent {
        mailbox: record.mailbox.cloned(),
        actor: record.name.or(record.user).map(str::to_owned),
        client: record.client,
        ..NewEvent::new(at, kind, record.outcome, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrators_act_has_who_and_where_from() {
        let record = Record::new(Event::ConsoleAction, Outcome::Success, "connection tested");
        let record = record.from([203, 0, 113, 7].into()).by("u1").named("Ada Admin");
        let kept = event(Timestamp(7), &record).expect("an event");
        assert_eq!((kept.at, kept.kind), (Timestamp(7), EventKind::Admin));
        assert_eq!(kept.actor.as_deref(), Some("Ada Admin"));
        assert_eq!(kept.client, record.client);
    }

    #[test]
    fn what_happens_at_the_desk_is_no_event_of_mail() {
        for other in [Event::SignIn, Event::SignOut, Event::Refusal, Event::Brake, Event::Unusual] {
            assert_eq!(event(Timestamp(0), &Record::new(other, Outcome::Success, "")), None, "{other:?}");
        }
    }
}
