//! What several areas' tests stand on.

pub mod emulate;
pub mod installation;
pub mod postgres;
pub mod program;
pub mod sign_in;
