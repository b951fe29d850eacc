//! What several areas' tests stand on.

pub mod axe;
pub mod chromium;
pub mod cutter;
pub mod demo;
pub mod dovecot;
pub mod emulate;
pub mod follow;
pub mod installation;
pub mod log_lines;
pub mod mail_server;
pub mod many_mails;
pub mod name_server;
pub mod oidc_provider;
pub mod peers;
pub mod postgres;
pub mod process;
pub mod program;
pub mod provider;
pub mod screen;
pub mod shield;
pub mod sign_in;
pub mod skip;
pub mod small_png;
pub mod stage;
pub mod worker;
