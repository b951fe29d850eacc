//! Keeps providers willing to call when mail arrives. Only a wake-up: without it, or when it fails, mail is
//! looked for at the usual times, so nothing here can fail a round.

use std::time::Duration;

use tracing::{info, warn};

use super::Worker;
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::base::report::Report;
use crate::mailbox::{Mailbox, MailboxError, Wish};
use crate::store::MailboxRow;
use crate::token::subscription::Subscribed;
use crate::token::vault::VaultError;
use crate::web::own::mail_hook_url;

/// Renewed when less than this is left: a day and a half of failed renewals is borne.
const RENEW_BEFORE: Duration = Duration::from_secs(36 * 3600);
/// After a refusal. Each new try has the provider call back, so it is not made often.
const TRY_AGAIN: Duration = Duration::from_secs(3600);

/// Why there is no subscription now.
#[derive(Debug, thiserror::Error)]
enum NotSubscribed {
    #[error("the record of the subscription cannot be used")]
    Vault(#[from] VaultError),
    #[error("the provider does not promise to call")]
    Mailbox(#[from] MailboxError),
}

/// What is to be done about a subscription.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    /// Nobody is to be told any more.
    End,
    Make {
        old: Option<String>,
    },
    Renew {
        id: String,
    },
}

/// `url` is where calls are wanted, if they are.
fn step(kept: Option<&Subscribed>, url: Option<&str>, now: Timestamp) -> Step {
    let (kept, url) = match (kept, url) {
        (None, None) => return Step::Nothing,
        (None, Some(_)) => return Step::Make { old: None },
        (Some(_), None) => return Step::End,
        (Some(kept), Some(url)) => (kept, url),
    };
    if kept.url != url {
        return Step::Make { old: kept.id.clone() };
    }
    if now < kept.try_again_at {
        return Step::Nothing;
    }
    match &kept.id {
        Some(id) if kept.expires_at > now => {
            let due = kept.renewal_asked || kept.expires_at.since(now) < RENEW_BEFORE;
            if due { Step::Renew { id: id.clone() } } else { Step::Nothing }
        }
        _ => Step::Make { old: None },
    }
}

impl Worker {
    /// Makes, renews or ends the mailbox's subscription, whichever is due.
    pub(super) async fn keep_subscribed(&self, row: &MailboxRow, mailbox: &dyn Mailbox) {
        let told_at = self.parts.settings.told_at.as_ref().filter(|_| mailbox.announces());
        let url = told_at.map(|origin| mail_hook_url(origin, &row.id));
        if let Err(error) = self.try_to_keep_subscribed(&row.id, mailbox, url.as_deref()).await {
            warn!(mailbox = %row.id, error = %Report(&error), "new mail is not announced; it is looked for");
        }
    }

    async fn try_to_keep_subscribed(
        &self,
        id: &MailboxId,
        mailbox: &dyn Mailbox,
        url: Option<&str>,
    ) -> Result<(), NotSubscribed> {
        let kept = self.parts.subscriptions.read(id).await?;
        match (step(kept.as_ref(), url, self.parts.clock.now()), url) {
            (Step::Make { old }, Some(url)) => self.make(id, mailbox, url, old).await,
            (Step::Renew { id: subscription }, _) => self.renew(id, mailbox, &subscription).await,
            (Step::End, _) => end(mailbox, self.parts.subscriptions.take(id).await?).await,
            (Step::Nothing | Step::Make { .. }, _) => Ok(()),
        }
    }

    /// The secret is stored before anybody is told it: the first call may come before the answer.
    async fn make(
        &self,
        id: &MailboxId,
        mailbox: &dyn Mailbox,
        url: &str,
        old: Option<String>,
    ) -> Result<(), NotSubscribed> {
        let (records, now) = (&self.parts.subscriptions, self.parts.clock.now());
        let prepared = |one: &mut Subscribed| {
            url.clone_into(&mut one.url);
            one.id = None;
            one.try_again_at = now + TRY_AGAIN;
        };
        let mut wanted = Subscribed::wanted(url);
        prepared(&mut wanted);
        if !records.add(id, &wanted).await? {
            let Some(changed) = records.change(id, prepared).await? else { return Ok(()) };
            wanted = changed;
        }
        end(mailbox, old).await?;
        let wish = Wish { url, secret: &wanted.secret };
        let made = mailbox.subscribe(&wish).await?;
        let noted = records.change(id, |one| {
            one.id = Some(made.id.clone());
            one.expires_at = made.expires_at;
            one.renewal_asked = false;
            one.try_again_at = Timestamp(0);
        });
        if noted.await?.is_none() {
            // Disconnected meanwhile.
            return end(mailbox, Some(made.id)).await;
        }
        info!(mailbox = %id, until = %made.expires_at, "the provider announces new mail");
        Ok(())
    }

    async fn renew(
        &self,
        id: &MailboxId,
        mailbox: &dyn Mailbox,
        subscription: &str,
    ) -> Result<(), NotSubscribed> {
        let (records, now) = (&self.parts.subscriptions, self.parts.clock.now());
        match mailbox.renew_subscription(subscription).await {
            Ok(expires_at) => {
                records
                    .change(id, |one| {
                        one.expires_at = expires_at;
                        one.renewal_asked = false;
                    })
                    .await?;
                Ok(())
            }
            Err(MailboxError::Refused { status: 404, .. }) => {
                let url = records.change(id, |one| one.id = None).await?.map(|one| one.url);
                match url {
                    Some(url) => self.make(id, mailbox, &url, None).await,
                    None => Ok(()),
                }
            }
            Err(error) => {
                records.change(id, |one| one.try_again_at = now + TRY_AGAIN).await?;
                Err(error.into())
            }
        }
    }
}

async fn end(mailbox: &dyn Mailbox, subscription: Option<String>) -> Result<(), NotSubscribed> {
    match subscription {
        Some(id) => Ok(mailbox.unsubscribe(&id).await?),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_219_200_000);
    const URL: &str = "https://desk.example/mail-hooks/graph/m1";
    const HOUR: Duration = Duration::from_secs(3600);

    fn kept(expires_in: Duration) -> Subscribed {
        Subscribed { id: Some("s1".to_owned()), expires_at: NOW + expires_in, ..Subscribed::wanted(URL) }
    }

    fn due(kept: &Subscribed) -> Step {
        step(Some(kept), Some(URL), NOW)
    }

    #[test]
    fn a_subscription_is_made_renewed_in_time_and_ended() {
        let id = || "s1".to_owned();
        assert_eq!(step(None, None, NOW), Step::Nothing);
        assert_eq!(step(None, Some(URL), NOW), Step::Make { old: None });
        assert_eq!(due(&kept(60 * HOUR)), Step::Nothing);
        assert_eq!(due(&kept(35 * HOUR)), Step::Renew { id: id() });
        assert_eq!(due(&kept(Duration::ZERO)), Step::Make { old: None });
        assert_eq!(step(Some(&kept(60 * HOUR)), None, NOW), Step::End);
    }

    #[test]
    fn another_public_url_makes_another_subscription() {
        let moved = step(Some(&kept(60 * HOUR)), Some("https://other.example/"), NOW);
        assert_eq!(moved, Step::Make { old: Some("s1".to_owned()) });
    }

    #[test]
    fn a_renewal_that_was_asked_for_is_made_at_once() {
        let asked = Subscribed { renewal_asked: true, ..kept(60 * HOUR) };
        assert_eq!(due(&asked), Step::Renew { id: "s1".to_owned() });
    }

    #[test]
    fn after_a_refusal_there_is_a_pause() {
        let refused = Subscribed { id: None, try_again_at: NOW + HOUR, ..kept(HOUR) };
        assert_eq!(due(&refused), Step::Nothing);
        assert_eq!(step(Some(&refused), Some(URL), NOW + HOUR), Step::Make { old: None });
    }
}
