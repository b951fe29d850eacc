//! Scopes as they are asked for and as they are told: permissions of one resource, and OpenID's own.

use super::problem::Problem;

const GRAPH: &str = "https://graph.microsoft.com/";
const OUTLOOK: &str = "https://outlook.office.com/";
const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];
const KNOWN: [&str; 13] = [
    "User.Read",
    "Mail.Read",
    "Mail.ReadBasic",
    "Mail.ReadWrite",
    "Mail.Send",
    "Mail.Read.Shared",
    "Mail.ReadWrite.Shared",
    "Mail.Send.Shared",
    "MailboxSettings.Read",
    "IMAP.AccessAsUser.All",
    "POP.AccessAsUser.All",
    "SMTP.Send",
    ".default",
];

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scopes {
    /// Without the resource's prefix, spelt as they are known.
    pub permissions: Vec<String>,
    pub openid: Vec<String>,
    resource: &'static str,
}

impl Scopes {
    /// Reads a space separated list; permissions of two resources cannot be had at once.
    pub fn parse<'s>(list: impl IntoIterator<Item = &'s str>) -> Result<Self, Problem> {
        let mut scopes = Self { permissions: Vec::new(), openid: Vec::new(), resource: "" };
        for scope in list {
            if OPENID.contains(&scope) {
                scopes.openid.push(scope.to_owned());
                continue;
            }
            let (resource, name) = split(scope);
            let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name));
            let known = known.ok_or_else(|| unknown(scope))?;
            if !scopes.resource.is_empty() && scopes.resource != resource {
                let message = "The provided value for the input parameter 'scope' is not valid because \
                               it contains more than one resource.";
                return Err(Problem::new(28_000, "invalid_request", message));
            }
            scopes.resource = resource;
            scopes.permissions.push((*known).to_owned());
        }
        Ok(scopes)
    }

    pub fn has(&self, openid: &str) -> bool {
        self.openid.iter().any(|scope| scope == openid)
    }

    /// As the answer tells it: `offline_access` is never in it.
    pub fn told(&self, permissions: &[String], full_names: bool) -> String {
        let prefix = if full_names || self.resource == OUTLOOK { self.resource } else { "" };
        let permissions = permissions.iter().map(|name| format!("{prefix}{name}"));
        let openid = self.openid.iter().filter(|scope| *scope != "offline_access").cloned();
        permissions.chain(openid).collect::<Vec<_>>().join(" ")
    }

    /// Everything, as it can be parsed again.
    pub fn all(&self) -> Vec<String> {
        let permissions = self.permissions.iter().map(|name| format!("{}{name}", self.resource));
        permissions.chain(self.openid.iter().cloned()).collect()
    }
}

fn split(scope: &str) -> (&'static str, &str) {
    match (scope.strip_prefix(GRAPH), scope.strip_prefix(OUTLOOK)) {
        (Some(name), _) => (GRAPH, name),
        (_, Some(name)) => (OUTLOOK, name),
        _ => (GRAPH, scope),
    }
}

fn unknown(scope: &str) -> Problem {
    let message = format!(
        "The provided request must include a 'scope' input parameter. The scope {scope} is not valid."
    );
    Problem::new(70_011, "invalid_scope", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_and_short_names_are_the_same_permission() {
        let short = Scopes::parse(["openid", "mail.read"]).unwrap();
        let full = Scopes::parse(["openid", "https://graph.microsoft.com/Mail.Read"]).unwrap();
        assert_eq!(short, full);
        assert_eq!(short.told(&short.permissions, false), "Mail.Read openid");
        assert_eq!(short.told(&short.permissions, true), "https://graph.microsoft.com/Mail.Read openid");
    }

    #[test]
    fn two_resources_at_once_are_refused() {
        let both = Scopes::parse(["Mail.Read", "https://outlook.office.com/SMTP.Send"]);
        assert_eq!(both.unwrap_err().number, 28_000);
        assert_eq!(Scopes::parse(["Mail.Raed"]).unwrap_err().number, 70_011);
    }
}
