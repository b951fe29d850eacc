//! A connection before it is HTTP: the listening socket, caps, the PROXY header, addresses,
//! deadlines, TLS, and the raw check of every
//! HTTP/1 request head.
//!
//! Knows pingora only as the application that gets a checked stream; knows no routes.

pub mod accept;
pub mod bind;
mod chunks;
mod deadline;
mod farewell;
mod gate;
pub mod limits;
pub mod notice;
pub mod proxy_header;
pub mod raw_head;
mod reading;
pub mod stream;
pub mod tls;
mod transport;
