//! The session shield on real sockets: what a browser holds is worth nothing elsewhere, and half of it nothing
//! at all.

mod replies;
mod requests;
pub mod scene;
mod sessions;
