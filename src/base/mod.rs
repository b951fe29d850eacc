//! Small things every other module stands on. No I/O, no tokio, no pingora.

pub mod address;
pub mod audit;
pub mod backoff;
pub mod clock;
pub mod duration;
pub mod id;
pub mod journal;
pub mod redact;
pub mod report;
pub mod secret;
pub mod sparing;
pub mod wake;
