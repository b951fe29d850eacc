//! Our own stand-ins for other people's servers: the desk, Microsoft's identity platform, Graph mail and
//! a customer's webmail. Real HTTP on loopback, for the demo and the tests.
//!
//! State lives in memory and ends with the process. Nothing here knows the gateway, the worker or the
//! console: they meet only over HTTP.

pub mod call;
pub mod desk;
pub mod fault;
pub mod grants;
pub mod graph;
mod mime;
pub mod server;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::clock::Timestamp;

/// The state behind `mutex`. A part that panicked half way is still the part the others see.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// RFC 3339 in UTC with milliseconds, as JavaScript writes it.
fn with_millis(moment: Timestamp) -> String {
    let whole = moment.rfc3339();
    format!("{}.{:03}Z", whole.trim_end_matches('Z'), moment.0.rem_euclid(1000))
}
