//! Which paths on a desk's router mintgate answers itself; nothing at or below them reaches the desk.

use crate::web::path::is_at_or_below;

/// The console's pages.
pub const CONSOLE: &str = "/admin/exchange";

/// The console's JSON, under the names that earlier helpdesk mail integrations gave it. The desk has
/// nothing there.
pub const API: [&str; 3] = ["/api/tickets/email-settings", "/api/v1/exchange", "/api/v1/email-provider"];

/// Whether a canonical path is ours.
pub fn is_own(path: &str) -> bool {
    is_at_or_below(path, CONSOLE) || is_api(path)
}

/// Whether a canonical path is the console's JSON.
pub fn is_api(path: &str) -> bool {
    API.iter().any(|base| is_at_or_below(path, base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_ours() {
        for path in [
            "/admin/exchange",
            "/admin/exchange/x",
            "/api/tickets/email-settings/detect/",
            "/api/v1/exchange/connections",
            "/api/v1/email-provider/stats",
        ] {
            assert!(is_own(path), "{path}");
        }
        for path in
            ["/", "/admin", "/admin/exchanges", "/api/v1/exchanges", "/api/tickets", "/api/v1/email-queue"]
        {
            assert!(!is_own(path), "{path}");
        }
    }
}
