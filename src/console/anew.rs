//! Where a form can be filled in anew when it was not accepted: the page that it stands on, told from the address
//! it was sent to. Nothing that a request says of other pages is believed, so this leads nowhere else.

use crate::console::PATH;

/// The page of the console with the form that is sent to `path`; `None` where it stands on the overview.
pub fn page_of(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.strip_prefix(PATH)?.split('/').skip(1).collect();
    let known = match parts.as_slice() {
        ["setup"] => parts.as_slice(),
        // Leads to the step where the set-up stands.
        ["setup", _, _] => &parts[..2],
        ["mailboxes", _, "settings" | "disconnect"] => parts.as_slice(),
        ["apps", _] | ["apps", _, "remove"] => parts.as_slice(),
        ["apps", _, "test"] => &parts[..1],
        ["queues", "in" | "out", _, _] => &parts[..3],
        ["quarantine", _, "drop"] => parts.as_slice(),
        ["quarantine", _, _] => &parts[..2],
        _ => return None,
    };
    let is_plain = |part: &&str| {
        !part.is_empty() && part.bytes().all(|one| one.is_ascii_alphanumeric() || matches!(one, b'-' | b'_'))
    };
    known.iter().all(is_plain).then(|| format!("{PATH}/{}", known.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_to_its_own_page_and_never_elsewhere() {
        for (sent_to, page) in [
            ("/admin/exchange/setup", Some("/admin/exchange/setup")),
            ("/admin/exchange/setup/a1/sign-in", Some("/admin/exchange/setup/a1")),
            ("/admin/exchange/setup/a1/manual", Some("/admin/exchange/setup/a1")),
            ("/admin/exchange/mailboxes/m1/settings", Some("/admin/exchange/mailboxes/m1/settings")),
            ("/admin/exchange/queues/out/7/skip", Some("/admin/exchange/queues/out/7")),
            ("/admin/exchange/quarantine/7/retry", Some("/admin/exchange/quarantine/7")),
            ("/admin/exchange/quarantine/7/drop", Some("/admin/exchange/quarantine/7/drop")),
            ("/admin/exchange/apps/microsoft", Some("/admin/exchange/apps/microsoft")),
            ("/admin/exchange/apps/google/remove", Some("/admin/exchange/apps/google/remove")),
            ("/admin/exchange/apps/google/test", Some("/admin/exchange/apps")),
            ("/admin/exchange/connect", None),
            ("/admin/exchange/mailboxes/m1/test", None),
            ("/admin/exchange/setup/..%2f..%2fx/test", None),
            ("/admin/exchange/setup//evil.example", None),
            ("/admin/exchange//evil.example/setup", None),
            ("/admin/exchangesetup", None),
            ("//evil.example/admin/exchange/setup", None),
        ] {
            assert_eq!(page_of(sent_to).as_deref(), page, "{sent_to}");
        }
    }
}
