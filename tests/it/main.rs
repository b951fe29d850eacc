//! The integration tests: one binary, a file per area, real servers where a user would have them.

mod abuse;
mod admins;
mod audit;
mod browser;
mod cli;
mod config_files;
mod console;
mod desk;
mod desk_user;
mod gateway;
mod ladder;
mod mail;
mod middleware;
mod net;
mod oauth;
mod paths;
mod providers;
mod rule;
mod sandbox;
mod shared;
mod signals;
mod store;
mod story;
mod support;
mod vault;
mod worker;
