//! The worker with a mailbox at mail servers: Dovecot's IMAP and submission, and wires that are cut.

mod arrival;
mod cut;
pub mod post;
mod settled;
mod story;
mod trouble;
