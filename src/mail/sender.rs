//! Who wrote a mail: From, or the field that stands in for it where From names nobody. Says too whether
//! servers can have judged that address; what they say is read elsewhere.

use mail_parser::HeaderName;

use super::Mailbox;
use super::headers::Headers;

/// Whom a mail is from.
pub(super) struct Sender {
    pub(super) mailbox: Option<Mailbox>,
    /// From names one mailbox and writes it as it should be: every server reads the same address there. Of
    /// anything else nobody knows whom a server has vouched for.
    pub(super) is_certain: bool,
}

/// From as written or put right; else Reply-To, Sender or Return-Path, whole: a name from one field says nothing
/// of an address in another. At last a local user's name (`MAILER-DAEMON`), which is no address.
pub(super) fn of(headers: &Headers<'_>) -> Sender {
    let from = headers.mailboxes(&HeaderName::From);
    let is_certain = from.len() == 1 && headers.is_plain(&HeaderName::From);
    let stands_in = || {
        let fields = [HeaderName::ReplyTo, HeaderName::Sender];
        let named = fields.iter().find_map(|name| headers.mailboxes(name).into_iter().next());
        named.or_else(|| headers.return_path()).or_else(|| headers.local_user(&HeaderName::From))
    };
    Sender { mailbox: from.into_iter().next().or_else(stands_in), is_certain }
}
