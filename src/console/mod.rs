//! The pages under /admin/exchange.
