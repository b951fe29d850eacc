//! The app registrations at providers: what is registered and who says so, entering one, changing it, removing it.
//!
//! What the configuration names is shown and cannot be changed here. A client secret goes in and never comes out.

mod change;
mod entered;
mod form;
mod keep;
mod list;
mod remove;
mod trial;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;

use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::oauth::app::Vendor;

pub use entered::{Entered, Problems};
pub use form::{AppForm, Asking};
pub use keep::{Kept, keep};

/// The page of all registrations; each provider's lies below it.
pub const PATH: &str = "/admin/exchange/apps";

pub fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/exchange/apps", get(list::show))
        .route("/admin/exchange/apps/{vendor}", get(change::show).post(change::submit))
        .route("/admin/exchange/apps/{vendor}/test", post(trial::submit))
        .route("/admin/exchange/apps/{vendor}/remove", get(remove::confirm).post(remove::submit))
}

/// Where the registration at a provider is changed.
pub fn path_of(vendor: Vendor) -> String {
    format!("{PATH}/{}", vendor.word())
}

/// The provider that a path names, if its registration is entered here; what the configuration names is not.
fn changeable(shared: &Shared, word: &str) -> Result<Vendor, Page> {
    let vendor = vendor_of(word)?;
    match shared.parts.registrations.configured(vendor) {
        Some(_) => Err(page::problem(StatusCode::CONFLICT, &page::APP_CONFIGURED)),
        None => Ok(vendor),
    }
}

fn vendor_of(word: &str) -> Result<Vendor, Page> {
    let found = Vendor::ALL.into_iter().find(|vendor| vendor.word() == word);
    found.ok_or_else(|| page::problem(StatusCode::NOT_FOUND, &page::NOT_FOUND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::events;
    use crate::console::language::Languages;

    #[test]
    fn what_is_audited_of_a_registration_has_its_words_in_every_language() {
        let languages = Languages::new();
        for vendor in Vendor::ALL {
            let details = [
                keep::detail(vendor, false),
                keep::detail(vendor, true),
                remove::detail(vendor),
                trial::detail(vendor),
            ];
            for (detail, language) in details.into_iter().flat_map(|detail| [(detail, "en"), (detail, "de")])
            {
                let key = events::key_of(detail);
                assert!(languages.pick(Some(language), None).knows(&key), "{language}: {key}");
            }
        }
    }
}
