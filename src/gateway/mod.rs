//! The routing table and pingora's proxy around it.
