//! Tokens that stay alive: the vault keeps them sealed, the keeper refreshes them in time.
//!
//! Everybody else asks the keeper as a [`crate::oauth::source::TokenSource`] and never sees a refresh token.

mod cached;
pub mod install;
pub mod keeper;
pub mod meters;
pub mod password;
pub mod record;
mod refreshing;
pub mod registrations;
mod replacing;
pub mod subscription;
pub mod upkeep;
pub mod vault;
