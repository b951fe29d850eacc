//! Gives the console what it needs.

use std::sync::Arc;

use super::installation::Installation;
use crate::config::StartUp;
use crate::web::local::LocalService;

/// The console, unless it is switched off.
pub(super) fn console(_start_up: &StartUp, _installation: &Installation) -> Option<Arc<dyn LocalService>> {
    None
}
