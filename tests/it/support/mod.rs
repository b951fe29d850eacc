//! What several areas' tests stand on.

pub mod postgres;
