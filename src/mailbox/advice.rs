//! What a mailbox's failure means for people: the key of its sentences, who can put it right, and where.
//! Says nothing itself; the texts are the console's.

use crate::mailbox::MailboxError;
use crate::oauth::advice::{Advice, Place, Retry, Who, advise_on_reason};
use crate::oauth::source::TokenError;
use crate::web::call::CallError;

use Place as P;
use Retry::{AfterConfiguration, Later, Reconnect};
use Who::{MailboxOwner, Nobody, Operator, TenantAdmin};

/// Everything that can be said about a mail server.
const ALL: [Advice; 33] = [
    Advice::new("mail-password", MailboxOwner, Reconnect, Some(P::Settings)),
    Advice::new("mail-no-password", MailboxOwner, Reconnect, Some(P::Settings)),
    Advice::new("mail-app-password", MailboxOwner, Reconnect, Some(P::GoogleAppPasswords)),
    Advice::new("mail-browser", MailboxOwner, Reconnect, Some(P::GoogleAccount)),
    Advice::new("mail-password-gone", Operator, AfterConfiguration, Some(P::Wizard)),
    Advice::new("mail-smtp-off", TenantAdmin, AfterConfiguration, Some(P::ExchangeMailboxes)),
    Advice::new("mail-imap-off", TenantAdmin, AfterConfiguration, Some(P::Settings)),
    Advice::new("mail-token-refused", TenantAdmin, Reconnect, Some(P::SignIn)),
    Advice::new("mail-reconnect", MailboxOwner, Reconnect, Some(P::SignIn)),
    Advice::new("mail-registration", Operator, AfterConfiguration, Some(P::EntraOverview)),
    Advice::new("mail-no-app", Operator, AfterConfiguration, Some(P::Apps)),
    Advice::new("mail-app-replaced", MailboxOwner, Reconnect, Some(P::SignIn)),
    Advice::new("mail-token-later", Nobody, Later, None),
    Advice::new("mail-vault", Operator, Later, None),
    Advice::new("mail-forbidden", Operator, AfterConfiguration, None),
    Advice::new("mail-unreachable", Operator, Later, Some(P::Settings)),
    Advice::new("mail-silent", Operator, Later, Some(P::Settings)),
    Advice::new("mail-tls", Operator, Later, Some(P::Settings)),
    Advice::new("mail-broken", Nobody, Later, None),
    Advice::new("mail-protocol", Operator, AfterConfiguration, Some(P::Settings)),
    Advice::new("mail-throttled", Nobody, Later, None),
    Advice::new("mail-not-granted", Operator, Reconnect, Some(P::EntraPermissions)),
    Advice::new("mail-folder", Operator, AfterConfiguration, Some(P::Settings)),
    Advice::new("mail-send-as", TenantAdmin, AfterConfiguration, Some(P::ExchangeMailboxes)),
    Advice::new("mail-no-mailbox", TenantAdmin, AfterConfiguration, Some(P::ExchangeMailboxes)),
    Advice::new("mail-access-denied", TenantAdmin, Reconnect, Some(P::ExchangeMailboxes)),
    Advice::new("mail-too-large", Operator, AfterConfiguration, None),
    Advice::new("mail-full", MailboxOwner, AfterConfiguration, None),
    Advice::new("mail-daily-limit", Nobody, Later, None),
    Advice::new("mail-recipient", Operator, AfterConfiguration, None),
    Advice::new("mail-refused", Operator, AfterConfiguration, None),
    Advice::new("mail-server", Nobody, Later, None),
    Advice::new("trip-lost", Operator, AfterConfiguration, None),
];

/// The advice of a key, where it is one of a mail server's.
pub fn of_key(key: &str) -> Option<Advice> {
    ALL.iter().find(|advice| advice.key == key).copied()
}

/// Every key, for whoever keeps the texts.
pub fn keys() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|advice| advice.key)
}

/// Advice on a failure.
pub fn advise(error: &MailboxError) -> Advice {
    if let MailboxError::Token(
        TokenError::NeedsReconnect { reason, .. } | TokenError::Misconfigured { reason },
    ) = error
        && let Some(advice) = of_reason(reason)
    {
        return advice;
    }
    of_key(key_of(error)).expect("every key has its row")
}

/// Advice on a reason that ends with its key, or with a refusal's reference, in brackets.
pub fn of_reason(reason: &str) -> Option<Advice> {
    let bracket = reason.trim_end().strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
    let key = bracket.map(|(_, key)| key);
    key.and_then(of_key).or_else(|| advise_on_reason(reason))
}

/// `told` with the key of the advice at its end, unless it names its advice already.
pub fn keyed(told: String, error: &MailboxError) -> String {
    match of_reason(&told) {
        Some(_) => told,
        None => format!("{told} [{}]", advise(error).key),
    }
}

fn key_of(error: &MailboxError) -> &'static str {
    match error {
        MailboxError::Token(TokenError::NeedsReconnect { .. }) => "mail-reconnect",
        MailboxError::Token(TokenError::Misconfigured { .. }) => "mail-registration",
        MailboxError::Token(TokenError::Unavailable { .. }) => "mail-token-later",
        MailboxError::Token(TokenError::Vault { .. }) => "mail-vault",
        MailboxError::Call(call) => of_call(call),
        MailboxError::Throttled { .. } => "mail-throttled",
        MailboxError::NotGranted { .. } => "mail-not-granted",
        MailboxError::CursorLost => "mail-server",
        MailboxError::Refused { status, code } | MailboxError::Closed { status: status @ 500.., code } => {
            of_refusal(*status, code)
        }
        MailboxError::Closed { code, .. } => of_code(code).unwrap_or("mail-server"),
        MailboxError::Server { code, .. } if code == "AuthenticationFailed" => "mail-password",
        MailboxError::Server { status: 401, .. } => "mail-reconnect",
        MailboxError::Server { code, .. } => of_code(code).unwrap_or("mail-server"),
        MailboxError::Garbled { .. } | MailboxError::ForeignLink { .. } => "mail-protocol",
    }
}

fn of_call(call: &CallError) -> &'static str {
    match call {
        CallError::Forbidden { .. } => "mail-forbidden",
        CallError::Timeout { .. } => "mail-silent",
        CallError::Unreachable { .. } => "mail-unreachable",
        CallError::Insecure { .. } => "mail-tls",
        CallError::Broken { .. } => "mail-broken",
        CallError::TooLarge { .. } => "mail-protocol",
    }
}

fn of_refusal(status: u16, code: &str) -> &'static str {
    match (of_code(code), status) {
        (Some(key), _) => key,
        (None, 403) => "mail-access-denied",
        (None, 404) => "mail-no-mailbox",
        (None, 0) if code.starts_with("NO to SELECT") || code == "NoSuchFolder" => "mail-folder",
        (None, 552) => "mail-too-large",
        _ => "mail-refused",
    }
}

/// Graph's error codes, and the enhanced status codes of SMTP (RFC 3463; Exchange Online, "NDR error codes").
fn of_code(code: &str) -> Option<&'static str> {
    if let Some(advice) = of_key(code) {
        return Some(advice.key);
    }
    Some(match code {
        "ErrorAccessDenied" => "mail-access-denied",
        "ErrorSendAsDenied" | "5.7.60" | "5.2.252" => "mail-send-as",
        "MailboxNotEnabledForRESTAPI"
        | "ResourceNotFound"
        | "ErrorInvalidUser"
        | "ErrorNonExistentMailbox" => "mail-no-mailbox",
        "ErrorItemNotFound" | "ErrorFolderNotFound" => "mail-folder",
        "InvalidAuthenticationToken" => "mail-reconnect",
        "ErrorMessageSizeExceeded" | "ErrorAttachmentSizeLimitExceeded" | "5.3.4" | "5.2.3" => {
            "mail-too-large"
        }
        "ErrorQuotaExceeded" | "5.2.2" | "4.2.2" => "mail-full",
        "ErrorExceededMessageLimit" | "5.4.5" | "5.1.90" | "4.5.3" | "5.5.3" => "mail-daily-limit",
        "5.1.1" | "5.1.2" | "5.1.3" | "5.1.10" | "5.4.1" => "mail-recipient",
        "5.7.30" => "mail-password-gone",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Timestamp;
    use crate::base::id::MailboxId;
    use crate::mailbox::refusal::SignInRefusal;

    fn needs(reason: &str) -> MailboxError {
        let mailbox = MailboxId::parse("m1").expect("an id");
        MailboxError::Token(TokenError::NeedsReconnect { mailbox, reason: reason.to_owned() })
    }

    fn refused(status: u16, code: &str) -> MailboxError {
        MailboxError::Refused { status, code: code.to_owned() }
    }

    #[test]
    fn every_failure_has_its_advice() {
        let call = |call| MailboxError::Call(call);
        let host = || "imap.example.com".to_owned();
        let wait = || Timestamp(0);
        for (error, key) in [
            (needs("no more [invalid_grant (AADSTS50173), trace x]"), "revoked"),
            (needs("the sign-in is refused [mail-app-password]"), "mail-app-password"),
            (needs("it has no stored password [mail-no-password]"), "mail-no-password"),
            (needs("who knows"), "mail-reconnect"),
            (call(CallError::Timeout { host: host(), after: std::time::Duration::ZERO }), "mail-silent"),
            (call(CallError::Insecure { host: host(), source: "UnknownIssuer".into() }), "mail-tls"),
            (call(CallError::Unreachable { host: host(), source: "refused".into() }), "mail-unreachable"),
            (call(CallError::Broken { host: host(), source: "reset".into() }), "mail-broken"),
            (call(CallError::Forbidden { host: host(), reason: "private" }), "mail-forbidden"),
            (MailboxError::Throttled { retry_at: wait() }, "mail-throttled"),
            (MailboxError::NotGranted { scope: "Mail.Send" }, "mail-not-granted"),
            (MailboxError::Garbled { what: "no greeting".to_owned() }, "mail-protocol"),
            (MailboxError::Server { status: 0, code: "AuthenticationFailed".to_owned() }, "mail-password"),
            (MailboxError::Server { status: 0, code: "mail-browser".to_owned() }, "mail-browser"),
            (MailboxError::Server { status: 401, code: String::new() }, "mail-reconnect"),
            (MailboxError::Server { status: 500, code: String::new() }, "mail-server"),
            (refused(403, "ErrorAccessDenied"), "mail-access-denied"),
            (refused(403, "ErrorSendAsDenied"), "mail-send-as"),
            (refused(404, "MailboxNotEnabledForRESTAPI"), "mail-no-mailbox"),
            (refused(404, "ErrorItemNotFound"), "mail-folder"),
            (refused(550, "5.7.60"), "mail-send-as"),
            (refused(550, "5.7.30"), "mail-password-gone"),
            (refused(550, "5.1.1"), "mail-recipient"),
            (refused(552, "5.3.4"), "mail-too-large"),
            (refused(550, "5.4.5"), "mail-daily-limit"),
            (refused(0, "NO to SELECT"), "mail-folder"),
            (refused(554, ""), "mail-refused"),
        ] {
            assert_eq!(advise(&error).key, key, "{error}");
        }
    }

    #[test]
    fn every_refused_sign_in_has_its_row() {
        for refusal in [
            SignInRefusal::Credentials,
            SignInRefusal::AppPassword,
            SignInRefusal::Browser,
            SignInRefusal::PasswordGone,
            SignInRefusal::SmtpOff,
            SignInRefusal::ImapOff,
        ] {
            assert!(of_key(refusal.key()).is_some(), "{refusal:?}");
        }
    }
}
