//! Where a server is that is called by a name: what is known is used at once, and asked for again beside the
//! requests. Only who comes before anything is known waits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::net::lookup_host;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long addresses are used before they are asked for again.
const LIFE: Duration = Duration::from_secs(10);
/// What a request waits for the first of them.
const PATIENCE: Duration = Duration::from_secs(2);

/// The server's name has no address, and never had one.
#[derive(Debug, thiserror::Error)]
#[error("no address is known for `{host}`")]
pub struct Unresolved {
    pub host: String,
}

/// A server's name.
pub struct Name {
    host: String,
    port: u16,
    known: ArcSwapOption<Known>,
    /// A look-up is under way beside the requests. One that hangs has a thread, so there is only one.
    asking: AtomicBool,
    /// Held by whoever asks first.
    first: Mutex<()>,
}

struct Known {
    addresses: Arc<[SocketAddr]>,
    since: Instant,
}

impl Name {
    pub fn new(host: String, port: u16) -> Self {
        let (known, asking, first) = Default::default();
        Self { host, port, known, asking, first }
    }

    /// One of the addresses; `attempt` walks through them.
    ///
    /// # Errors
    /// When none is known and none can be found in time.
    pub async fn address(self: &Arc<Self>, attempt: usize) -> Result<SocketAddr, Unresolved> {
        if let Some(chosen) = self.chosen(attempt) {
            return chosen;
        }
        let found = timeout(PATIENCE, async {
            let _first = self.first.lock().await;
            if self.known.load().is_none() {
                self.look_up().await;
            }
        });
        if found.await.is_err() {
            tracing::debug!(host = self.host, "the name service does not answer");
        }
        self.chosen(attempt).unwrap_or_else(|| Err(self.unresolved()))
    }

    /// From what is known; `None` where nothing is.
    fn chosen(self: &Arc<Self>, attempt: usize) -> Option<Result<SocketAddr, Unresolved>> {
        let known = self.known.load();
        let known = known.as_ref()?;
        if known.since.elapsed() >= LIFE {
            self.refresh();
        }
        let index = attempt.checked_rem(known.addresses.len());
        let chosen = index.and_then(|index| known.addresses.get(index)).copied();
        Some(chosen.ok_or_else(|| self.unresolved()))
    }

    /// Asks anew where nobody does.
    fn refresh(self: &Arc<Self>) {
        if self.asking.swap(true, Ordering::AcqRel) {
            return;
        }
        let asking = Asking(self.clone());
        tokio::spawn(async move {
            asking.0.look_up().await;
            drop(asking);
        });
    }

    /// What was known stays when nothing is found, and is not asked for again at once.
    async fn look_up(&self) {
        let addresses = match lookup_host((&*self.host, self.port)).await {
            Ok(found) => Some(found.collect()),
            Err(_) => self.known.load().as_ref().map(|known| known.addresses.clone()),
        };
        if let Some(addresses) = addresses {
            self.known.store(Some(Arc::new(Known { addresses, since: Instant::now() })));
        }
    }

    fn unresolved(&self) -> Unresolved {
        Unresolved { host: self.host.clone() }
    }
}

/// A look-up under way; over when dropped, however it ends.
struct Asking(Arc<Name>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.asking.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const OLD: [SocketAddr; 2] = [
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 80),
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)), 80),
    ];

    /// No name at all, so that the look-up fails without asking anybody.
    const NOWHERE: &str = "desk\0";

    /// A name of which the old addresses were found so long ago.
    fn known(host: &str, age: Duration) -> Arc<Name> {
        let name = Name::new(host.to_owned(), 80);
        let since = Instant::now().checked_sub(age).expect("the machine is older");
        name.known.store(Some(Arc::new(Known { addresses: OLD.into(), since })));
        Arc::new(name)
    }

    #[tokio::test]
    async fn a_name_with_several_addresses_is_walked_through() {
        let name = known(NOWHERE, Duration::ZERO);
        let found = [name.address(0).await, name.address(1).await, name.address(2).await];
        assert_eq!(found.map(|address| address.expect("known")), [OLD[0], OLD[1], OLD[0]]);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_name_that_was_known_and_one_asks_for_all() {
        let name = known(NOWHERE, LIFE);
        for _ in 0..100 {
            let address = name.address(0).now_or_never().expect("nobody waits");
            assert_eq!(address.expect("what was known"), OLD[0]);
        }
        // The name, and one look-up that has it too.
        assert_eq!(Arc::strong_count(&name), 2);
        while name.asking.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
        assert_eq!(name.address(0).await.expect("what was known stays"), OLD[0]);
        assert!(!name.asking.load(Ordering::Acquire), "not asked for again at once");
    }

    #[tokio::test]
    async fn an_address_that_moved_is_found() {
        let name = known("localhost", LIFE);
        while name.address(0).await.expect("known").ip() == OLD[0].ip() {
            tokio::task::yield_now().await;
        }
        assert!(name.address(0).await.expect("found").ip().is_loopback());
    }

    #[tokio::test]
    async fn who_comes_first_waits_for_the_answer() {
        let name = Arc::new(Name::new("localhost".to_owned(), 80));
        assert!(name.address(0).await.expect("found").ip().is_loopback());
        let absent = Arc::new(Name::new(NOWHERE.to_owned(), 80));
        assert_eq!(absent.address(0).await.expect_err("nobody").host, NOWHERE);
    }
}
