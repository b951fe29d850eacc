//! The only way out: one HTTP client, DNS and the rules on who may be called.
