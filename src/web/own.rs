//! Which paths on a desk's router mintgate answers itself; nothing at or below them reaches the desk.

use url::Url;

use crate::base::id::MailboxId;
use crate::web::path::is_at_or_below;

/// The console's pages.
pub const CONSOLE: &str = "/admin/exchange";

/// The console's JSON, under the names that earlier helpdesk mail integrations gave it. The desk has
/// nothing there.
pub const API: [&str; 3] = ["/api/tickets/email-settings", "/api/v1/exchange", "/api/v1/email-provider"];

/// What mails brought: their files, and the mails as they came.
pub const MAIL_FILES: &str = "/mail-files";

/// Where mail providers call when mail has arrived; open to everybody.
pub const MAIL_HOOKS: &str = "/mail-hooks";
/// Graph's calls, by mailbox.
const GRAPH_HOOKS: &str = "/mail-hooks/graph/";

/// Whether a canonical path is ours.
pub fn is_own(path: &str) -> bool {
    is_at_or_below(path, CONSOLE) || is_api(path) || is_mail_file(path) || is_mail_hook(path)
}

/// Whether a canonical path is one of [`MAIL_HOOKS`].
pub fn is_mail_hook(path: &str) -> bool {
    is_at_or_below(path, MAIL_HOOKS)
}

/// What a provider calls for this mailbox: `https://desk.example.com/mail-hooks/graph/3f2a9c77`.
pub fn mail_hook_url(origin: &Url, mailbox: &MailboxId) -> String {
    format!("{}{GRAPH_HOOKS}{mailbox}", origin.origin().ascii_serialization())
}

/// The id in such a path.
pub fn hooked_mailbox(path: &str) -> Option<&str> {
    path.strip_prefix(GRAPH_HOOKS)
}

/// Whether a canonical path is one of [`MAIL_FILES`].
pub fn is_mail_file(path: &str) -> bool {
    is_at_or_below(path, MAIL_FILES)
}

/// A mail's place: `/mail-files/7`. `mail` is the ledger's id.
pub fn mail_path(mail: i64) -> String {
    format!("{MAIL_FILES}/{mail}")
}

/// A file's place: `/mail-files/7/1/invoice.pdf`. `position` counts from 1.
pub fn mail_file_path(mail: i64, position: u32, name: &str) -> String {
    format!("{MAIL_FILES}/{mail}/{position}/{}", plain_name(name))
}

/// The end of a file's path: its name as far as it has one spelling in a URL, in every router and to the eye.
pub fn plain_name(name: &str) -> String {
    let plain = |one: char| if one.is_ascii_alphanumeric() || one == '.' { one } else { '_' };
    let text: String = name.chars().take(80).map(plain).collect();
    // Never a dot segment.
    if text.trim_matches('.').is_empty() { "file".to_owned() } else { text }
}

/// Whether a canonical path is the console's JSON.
pub fn is_api(path: &str) -> bool {
    API.iter().any(|base| is_at_or_below(path, base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_path_has_one_spelling() {
        for (name, end) in [
            ("invoice 3.pdf", "invoice_3.pdf"),
            ("../../etc", ".._.._etc"),
            ("..", "file"),
            ("", "file"),
            ("Ü%2f?#.txt", "__2f__.txt"),
        ] {
            assert_eq!(mail_file_path(7, 1, name), format!("/mail-files/7/1/{end}"), "{name}");
        }
    }

    #[test]
    fn only_our_own_paths_are_ours() {
        for path in [
            "/admin/exchange",
            "/admin/exchange/x",
            "/api/tickets/email-settings/detect/",
            "/api/v1/exchange/connections",
            "/api/v1/email-provider/stats",
            "/mail-files",
            "/mail-files/1/page",
            "/mail-hooks/graph/m1",
        ] {
            assert!(is_own(path), "{path}");
        }
        for path in [
            "/",
            "/admin",
            "/admin/exchanges",
            "/api/v1/exchanges",
            "/api/tickets",
            "/api/v1/email-queue",
            "/mail-filesx",
            "/mail-hooksx",
        ] {
            assert!(!is_own(path), "{path}");
        }
    }
}
