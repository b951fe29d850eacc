//! mintgate: the gateway in front of a Peppermint helpdesk.
//!
//! The modules stand on a ladder; each uses only rungs above it in this list, and modules of one
//! rung do not know each other. `tests/it/ladder.rs` holds it.

pub mod base;

pub mod web;

pub mod mail;
pub mod oauth;
pub mod rule;

pub mod net;
pub mod store;

pub mod desk;
pub mod mailbox;
pub mod token;

pub mod middleware;

pub mod config;

pub mod console;
pub mod entry;
pub mod files;
pub mod gateway;
pub mod worker;

pub mod sandbox;

pub mod app;
