//! The gateway on real sockets: what a client may send, what an upstream gets, how it ends.

mod before_tls;
mod bodies;
mod brakes;
pub mod client;
mod cookies;
mod draining;
mod failures;
mod graph_token;
mod heads;
mod http2;
mod mail_hooks;
mod nginx;
mod own_pages;
mod pages;
mod paths;
mod proxying;
mod refusals;
mod reload;
mod shield;
mod sign_ins;
mod start;
mod streaming;
pub mod tls;
mod trusted_proxies;
mod upgrade;
pub mod upstream;
