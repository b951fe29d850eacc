//! HTTP as values, borrowing the `http` crate's types. Without pingora, reqwest and axum.

pub mod answer;
pub mod call;
pub mod client_address;
pub mod connection;
pub mod cookie;
pub mod exchange;
pub mod forwarding;
pub mod grammar;
pub mod head;
pub mod language;
pub mod local;
pub mod own;
pub mod path;
pub mod plain;
pub mod sender;
pub mod tidy_path;
