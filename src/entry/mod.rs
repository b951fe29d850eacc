//! A connection before it is HTTP.
