//! The vault: does everything open, and would a backup be worth something.

use std::path::Path;
use std::sync::Arc;

use super::Line;
use crate::app::installation::present_sealer;
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::config::{StartUp, VaultKey};
use crate::store::{Store, StoreAt, StoreError};
use crate::token::upkeep::{Census, census};

const STORE: &str = "store";
const VAULT: &str = "vault";
const COPY: &str = "vault's key";

pub(super) async fn look(
    start_up: &StartUp,
    store: Result<&Arc<dyn Store>, &StoreError>,
    now: Timestamp,
) -> Vec<Line> {
    let mut lines = vec![copy(start_up)];
    match store {
        Ok(store) => {
            lines.push(Line::ok(STORE, "It can be read."));
            lines.push(sealed(start_up, store, now).await);
        }
        Err(error) => {
            let to_do = "Nothing is there before the first start; otherwise see to the database.";
            lines.push(Line::cannot_tell(STORE, format!("{}.", Report(error)), to_do));
        }
    }
    lines
}

async fn sealed(start_up: &StartUp, store: &Arc<dyn Store>, now: Timestamp) -> Line {
    let sealer = match present_sealer(start_up) {
        Ok(sealer) => Arc::new(sealer),
        Err(error) => {
            return Line::problem(
                VAULT,
                format!("{}.", Report(error.as_ref())),
                "Bring the key back from its copy.",
            );
        }
    };
    match census(store, &sealer, now).await {
        Ok(census) => counted(&census, &sealer.active_key_id()),
        Err(error) => Line::cannot_tell(VAULT, format!("{}.", Report(&error)), ""),
    }
}

fn counted(census: &Census, active: &str) -> Line {
    let closed = census.closed.len();
    if closed > 0 {
        let to_do = "`mintgate vault check` names them; bring the key back that they need.";
        return Line::problem(VAULT, format!("{closed} sealed field(s) do not open."), to_do);
    }
    match census.opened.keys().any(|key| key != active) {
        true => Line::warning(
            VAULT,
            "Everything opens; some of it needs an earlier key.",
            "Run `mintgate vault rekey`.",
        ),
        false => Line::ok(VAULT, "Everything opens with the active key."),
    }
}

/// Nobody can see from here whether a copy exists.
fn copy(start_up: &StartUp) -> Line {
    let to_do = "Keep a copy of the key where the store's backups are not.";
    match &start_up.vault {
        VaultKey::MadeIn(folder) if lies_in(&start_up.store, folder) => {
            Line::warning(COPY, "It lies beside the store: who copies the folder has both.", to_do)
        }
        VaultKey::MadeIn(_) | VaultKey::File(_) => Line::cannot_tell(
            COPY,
            "Whether a copy exists cannot be seen; without it a backup is worth nothing.",
            to_do,
        ),
    }
}

fn lies_in(store: &StoreAt, folder: &Path) -> bool {
    matches!(store, StoreAt::Sqlite(file) if file.starts_with(folder))
}
