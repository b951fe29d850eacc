//! The providers that are known without asking anybody. `providers.tsv` says what is in it and from where.

use std::collections::HashMap;

use crate::mailbox::detect::pattern::{Fit, Pattern};
use crate::mailbox::settings::{Provider, Security};

const TEXT: &str = include_str!("providers.tsv");

/// What stands behind a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mailbox,
    /// A filter; the mailbox behind it is somebody else's.
    Gateway,
    /// Mail is forwarded or handed to a program.
    NoMailbox,
    PopOnly,
    /// IMAP in the clear only.
    Unencrypted,
}

/// What the server takes as the user's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum UserForm {
    /// The whole address.
    Address,
    /// What stands before the @.
    Local,
    /// `local.domain`
    LocalDotDomain,
}

/// Whether the password of the account signs in, or one made for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AppPassword {
    /// Only an app password signs in.
    Required,
    /// An app password is needed where two-factor sign-in is on.
    WithTwoFactor,
    /// The account's own password signs in.
    No,
    /// Nobody told.
    Unknown,
}

/// A server as a table or a file names it, before an address is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    /// May hold `{domain}` and `{region}`.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) user: UserForm,
}

/// Whether a password is taken at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Password {
    Taken(AppPassword),
    /// Microsoft retired basic authentication.
    Gone,
    NotAsked,
}

/// One provider.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) incoming: Option<Template>,
    pub(super) outgoing: Option<Template>,
    pub(super) oauth: Provider,
    pub(super) password: Password,
    pub(super) note: Option<&'static str>,
    pub(super) help: Option<&'static str>,
    exchangers: Vec<Pattern>,
    domains: Vec<&'static str>,
}

/// All providers, by the domains of their addresses and by their mail exchangers.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    by_domain: HashMap<&'static str, usize>,
}

impl Table {
    /// The table that is part of the program.
    pub(super) fn built_in() -> Self {
        let rows: Vec<Row> = TEXT
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| read(line).expect("providers.tsv"))
            .collect();
        let domains =
            rows.iter().enumerate().flat_map(|(at, row)| row.domains.iter().map(move |name| (*name, at)));
        let by_domain = domains.collect();
        Self { rows, by_domain }
    }

    /// The provider whose addresses end in `@domain`.
    pub(super) fn by_domain(&self, domain: &str) -> Option<&Row> {
        let parent = domain.find('.').and_then(|dot| self.by_domain.get(&domain[dot..]));
        self.by_domain.get(domain).or(parent).map(|&at| &self.rows[at])
    }

    /// The provider to whom the mail exchanger `name` belongs: by pattern, else by the names above it, as ISPDB
    /// is asked ("Thunderbird:Autoconfiguration", section on MX).
    pub(super) fn by_exchanger(&self, name: &str) -> Option<(&Row, Option<String>)> {
        let fits = self.rows.iter().flat_map(|row| {
            row.exchangers.iter().filter_map(move |pattern| pattern.fit(name).map(|fit| (fit, row)))
        });
        let best = fits.max_by(|(one, _), (other, _): &(Fit, &Row)| one.cmp(other));
        if let Some((fit, row)) = best {
            return Some((row, fit.region));
        }
        let above = name.match_indices('.').map(|(dot, _)| &name[dot + 1..]);
        above
            .filter(|above| above.contains('.'))
            .find_map(|above| self.by_domain(above))
            .map(|row| (row, None))
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    #[cfg(test)]
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

#[cfg(test)]
impl Row {
    pub(super) fn domains(&self) -> &[&'static str] {
        &self.domains
    }
    pub(super) fn exchangers(&self) -> &[Pattern] {
        &self.exchangers
    }
}

fn read(line: &'static str) -> Option<Row> {
    let columns: Vec<&'static str> = line.split('\t').collect();
    let [id, name, _, kind, incoming, outgoing, oauth, password, note, help, exchangers, domains] =
        columns[..]
    else {
        return None;
    };
    Some(Row {
        id,
        name,
        kind: read_kind(kind)?,
        incoming: optional(incoming, read_template)?,
        outgoing: optional(outgoing, read_template)?,
        oauth: match oauth {
            "microsoft" => Provider::Microsoft,
            "google" => Provider::Google,
            "-" => Provider::Other,
            _ => return None,
        },
        password: read_password(password)?,
        note: optional(note, Some)?,
        help: optional(help, Some)?,
        exchangers: list(exchangers).map(Pattern).collect(),
        domains: list(domains).collect(),
    })
}

/// `None` inside for `-`; `None` outside when it cannot be read.
fn optional<T>(text: &'static str, read: impl Fn(&'static str) -> Option<T>) -> Option<Option<T>> {
    if text == "-" { Some(None) } else { read(text).map(Some) }
}

fn list(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split(' ').filter(|item| *item != "-")
}

fn read_kind(text: &str) -> Option<Kind> {
    Some(match text {
        "mailbox" => Kind::Mailbox,
        "gateway" => Kind::Gateway,
        "none" => Kind::NoMailbox,
        "popOnly" => Kind::PopOnly,
        "unencrypted" => Kind::Unencrypted,
        _ => return None,
    })
}

fn read_password(text: &str) -> Option<Password> {
    Some(match text {
        "plain" => Password::Taken(AppPassword::No),
        "required" => Password::Taken(AppPassword::Required),
        "withTwoFactor" => Password::Taken(AppPassword::WithTwoFactor),
        "gone" => Password::Gone,
        "-" => Password::NotAsked,
        _ => return None,
    })
}

fn read_template(text: &str) -> Option<Template> {
    let parts: Vec<&str> = text.split(':').collect();
    let [host, port, security, user] = parts[..] else { return None };
    let security = match security {
        "tls" => Security::Tls,
        "startTls" => Security::StartTls,
        _ => return None,
    };
    let user = match user {
        "address" => UserForm::Address,
        "local" => UserForm::Local,
        "local.domain" => UserForm::LocalDotDomain,
        _ => return None,
    };
    Some(Template { host: host.to_owned(), port: port.parse().ok()?, security, user })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_every_domain_has_one_provider() {
        let table = Table::built_in();
        let named: usize = table.rows.iter().map(|row| row.domains.len()).sum();
        assert_eq!((table.rows.len(), named), (181, 967));
        assert_eq!(table.by_domain.len(), named, "no domain stands twice");
    }

    #[test]
    fn a_mailbox_is_never_offered_in_the_clear() {
        for row in Table::built_in().rows() {
            assert_eq!(row.incoming.is_some(), row.kind == Kind::Mailbox, "{}", row.id);
        }
    }

    #[test]
    fn a_tenant_of_microsoft_is_known_by_its_parent() {
        let table = Table::built_in();
        let row = |domain| table.by_domain(domain).map(|row| row.id);
        assert_eq!(row("contoso.onmicrosoft.com"), Some("microsoft-365"));
        assert_eq!(row("contoso.gmail.com"), None);
    }
}
