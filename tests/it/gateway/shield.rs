//! The session shield on real sockets: what a browser holds is worth nothing elsewhere, and half of it nothing
//! at all.

mod browsers;
mod mail_files;
mod replies;
mod requests;
mod rights;
pub mod scene;
mod sessions;
