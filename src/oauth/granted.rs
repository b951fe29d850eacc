//! Granted permissions beside wanted ones.
//!
//! Graph returns short names (`Mail.Send`) or full ones (`https://graph.microsoft.com/Mail.Send`), in
//! any case and order; sign-in scopes such as `offline_access` are not echoed.

use crate::oauth::provider::{SHARED_SCOPES, SIGN_IN_SCOPES};
use crate::oauth::source::Resource;

/// Granted without being asked for, in place of a wider scope.
const DOWNGRADED: [&str; 2] = ["Mail.Read", "Mail.Read.Shared"];

/// Granted scopes as [`crate::oauth::source::AccessToken::scopes`] keeps them: lower case, without the
/// resource's prefix, without sign-in scopes.
pub fn short_names<'s>(scopes: impl IntoIterator<Item = &'s str>) -> Vec<String> {
    let mut names: Vec<String> = scopes.into_iter().map(short_name).collect();
    names.retain(|name| !name.is_empty() && !SIGN_IN_SCOPES.contains(&name.as_str()));
    names
}

/// Granted scopes as a provider is asked for them again: in its own spelling and with the resource's
/// prefix, by `known`. Scopes are case-sensitive (RFC 6749, section 3.3), even where Microsoft is not.
pub fn as_asked(granted: &[String], known: &[&str]) -> Vec<String> {
    let spelled = |name: &String| {
        let mut names = known.iter().chain(&SHARED_SCOPES).chain(&DOWNGRADED);
        names.find(|scope| short_name(scope) == *name).map_or_else(|| name.clone(), |&scope| scope.to_owned())
    };
    granted.iter().map(spelled).collect()
}

/// Wanted scopes that were not granted.
pub fn missing<'w>(granted: &[String], wanted: &[&'w str]) -> Vec<&'w str> {
    let lacks = |scope: &&&str| !granted.contains(&short_name(scope));
    wanted.iter().filter(lacks).copied().collect()
}

/// Whether mail can be read at `resource` with `granted` at all.
pub fn can_read(resource: Resource, granted: &[String]) -> bool {
    let reading: &[&str] = match resource {
        Resource::Graph => &["mail.read", "mail.readwrite"],
        Resource::Mail => &["imap.accessasuser.all", "https://mail.google.com/"],
    };
    granted.iter().any(|scope| reading.contains(&scope.as_str()))
}

/// Whether a mailbox that others share can be read with `granted`.
pub fn can_read_shared(granted: &[String]) -> bool {
    granted.iter().any(|scope| scope == "mail.read.shared" || scope == "mail.readwrite.shared")
}

fn short_name(scope: &str) -> String {
    let name = match scope.rsplit_once('/') {
        // Google's scope for mail is all prefix: `https://mail.google.com/`.
        Some((resource, name)) if resource.contains("://") && !name.is_empty() => name,
        _ => scope,
    };
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::provider::GRAPH_SCOPES;

    #[test]
    fn full_and_short_names_in_any_case_are_the_same() {
        let text = "openid https://graph.microsoft.com/mail.send USER.READ Mail.ReadWrite email";
        let granted = short_names(text.split(' '));
        assert_eq!(granted, ["mail.send", "user.read", "mail.readwrite"]);
        assert!(missing(&granted, &GRAPH_SCOPES).is_empty());
    }

    #[test]
    fn a_scope_is_asked_for_again_as_its_provider_spells_it() {
        let known = ["User.Read", "https://outlook.office.com/SMTP.Send"];
        let graph = ["user.read", "mail.readwrite.shared", "Mail.Read"];
        let granted = short_names(graph.into_iter().chain(["https://outlook.office.com/SMTP.Send", "Odd"]));
        let mail = "https://outlook.office.com/SMTP.Send";
        let expected = ["User.Read", "Mail.ReadWrite.Shared", "Mail.Read", mail, "odd"];
        assert_eq!(as_asked(&granted, &known), expected);
    }

    #[test]
    fn a_scope_that_is_all_prefix_is_kept_whole() {
        let granted = short_names("openid https://mail.google.com/ email".split(' '));
        assert_eq!(granted, ["https://mail.google.com/"]);
        assert!(can_read(Resource::Mail, &granted));
        let unticked = short_names("openid https://www.googleapis.com/auth/userinfo.email".split(' '));
        assert!(!can_read(Resource::Mail, &unticked));
    }

    #[test]
    fn what_opens_graph_does_not_open_a_mail_server() {
        let graph = short_names(GRAPH_SCOPES);
        assert!(can_read(Resource::Graph, &graph) && !can_read(Resource::Mail, &graph));
    }

    #[test]
    fn a_downgrade_is_named() {
        let granted = short_names(["User.Read", "Mail.Read", "Mail.Send"]);
        assert_eq!(missing(&granted, &GRAPH_SCOPES), ["Mail.ReadWrite"]);
        assert!(can_read(Resource::Graph, &granted));
    }

    #[test]
    fn a_scope_of_another_resource_does_not_pass_for_a_longer_name() {
        let granted = short_names(["Mail.Send.Shared", "Mail.ReadBasic"]);
        assert_eq!(missing(&granted, &GRAPH_SCOPES), GRAPH_SCOPES);
        assert!(!can_read(Resource::Graph, &granted));
    }

    #[test]
    fn a_shared_mailbox_needs_the_scopes_for_shared_ones() {
        let own = short_names(["Mail.ReadWrite", "Mail.Send"]);
        assert!(can_read(Resource::Graph, &own) && !can_read_shared(&own));
        assert!(can_read_shared(&short_names(["Mail.Read.Shared"])));
    }
}
