//! What an OAuth error means for people: who has to act, what to do, and whether trying again helps.
//!
//! The OAuth `error` decides; Microsoft's number only chooses the wording, because Microsoft may change
//! numbers (Microsoft identity platform, "Error codes"). All texts are fixed: nothing of the answer is
//! ever repeated.

/// Who can put it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever runs this helpdesk: the settings here or the app registration.
    Operator,
    /// Whoever signs in with the mailbox account.
    MailboxOwner,
    /// The administrator of the Microsoft 365 tenant.
    TenantAdmin,
    /// Nobody; it passes.
    Nobody,
}

impl Who {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "Whoever set up the app registration",
            Self::MailboxOwner => "Whoever signs in with the mailbox account",
            Self::TenantAdmin => "The administrator of your Microsoft 365 tenant",
            Self::Nobody => "Nobody; this usually passes by itself",
        }
    }
}

/// When another try makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// By itself, after a while.
    Later,
    /// Once an admin connects the mailbox again.
    Reconnect,
    /// Once the settings or the app registration are put right.
    AfterConfiguration,
}

/// Fixed texts about one error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    pub who: Who,
    pub happened: &'static str,
    pub to_do: &'static str,
    pub retry: Retry,
}

/// Advice on an OAuth `error` and, if known, Microsoft's number.
pub fn advise(error: &str, code: Option<u32>) -> Advice {
    let general = general(error);
    match code.and_then(wording) {
        Some((who, happened, to_do)) => Advice { who, happened, to_do, retry: general.retry },
        None => general,
    }
}

/// Advice on what a person copied from a provider's error page: Microsoft's number or an OAuth `error`
/// somewhere in it.
pub fn advise_pasted(text: &str) -> Advice {
    let number = text.split("AADSTS").nth(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    let number = number.flatten().and_then(|digits| digits.parse().ok());
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
    let unknown = general("");
    let error = words.filter(|word| word.contains('_')).find(|word| general(word) != unknown);
    advise(error.unwrap_or_default(), number)
}

fn general(error: &str) -> Advice {
    let (who, happened, to_do, retry) = match error {
        "access_denied" => (
            Who::MailboxOwner,
            "The sign-in was cancelled or not allowed.",
            "Connect again and accept the permissions, or ask your Microsoft 365 administrator to do it.",
            Retry::Reconnect,
        ),
        "invalid_grant" => (
            Who::MailboxOwner,
            "Microsoft no longer accepts the stored sign-in.",
            "Connect the mailbox again.",
            Retry::Reconnect,
        ),
        "interaction_required" | "login_required" | "account_selection_required" => (
            Who::MailboxOwner,
            "Microsoft asks for the sign-in to be confirmed by a person.",
            "Connect the mailbox again.",
            Retry::Reconnect,
        ),
        "consent_required" => (
            Who::TenantAdmin,
            "The permissions have not been agreed to.",
            "Connect again and accept the permissions, or ask your Microsoft 365 administrator to grant them.",
            Retry::Reconnect,
        ),
        "invalid_client" | "unauthorized_client" => (
            Who::Operator,
            "Microsoft does not accept the app registration's client id or secret.",
            "Compare the client id, tenant id and client secret with the app registration.",
            Retry::AfterConfiguration,
        ),
        "invalid_scope" | "invalid_resource" => (
            Who::Operator,
            "The app registration does not have the permissions that are asked for.",
            "Add the delegated permissions User.Read, Mail.ReadWrite and Mail.Send of Microsoft Graph.",
            Retry::AfterConfiguration,
        ),
        "invalid_request" | "unsupported_grant_type" | "unsupported_response_type" => (
            Who::Operator,
            "Microsoft does not accept the request as the app registration is set up.",
            "Check that the redirect URI is registered for the platform Web and the tenant id is right.",
            Retry::AfterConfiguration,
        ),
        "temporarily_unavailable" | "server_error" => (
            Who::Nobody,
            "Microsoft's sign-in service cannot answer now.",
            "Wait; mintgate tries again by itself.",
            Retry::Later,
        ),
        _ => (
            Who::Operator,
            "Microsoft refused for a reason that is not known here.",
            "Try again; if it stays, look the numbers below up at login.microsoftonline.com/error.",
            Retry::Later,
        ),
    };
    Advice { who, happened, to_do, retry }
}

fn wording(code: u32) -> Option<(Who, &'static str, &'static str)> {
    Some(match code {
        50_011 => (
            Who::Operator,
            "The redirect URI is not registered.",
            "Register the redirect URI shown on this page, exactly, for the platform Web.",
        ),
        700_016 | 700_011 | 70_001 => (
            Who::Operator,
            "Microsoft does not know the client id in this tenant.",
            "Compare the client id and the tenant id with the app registration's overview page.",
        ),
        90_002 | 900_023 => (
            Who::Operator,
            "Microsoft does not know the tenant.",
            "The tenant id is the directory's GUID or one of its verified domains.",
        ),
        7_000_215 | 70_002 => (
            Who::Operator,
            "The client secret is wrong.",
            "Create a client secret and use its Value; the Secret ID beside it does not work.",
        ),
        7_000_222 => (
            Who::Operator,
            "The client secret has expired.",
            "Create a new client secret, set its Value and restart mintgate.",
        ),
        700_025 | 9_002_326 | 9_002_327 => (
            Who::Operator,
            "The redirect URI is registered for another platform than Web.",
            "Move the redirect URI to the platform Web in the app registration.",
        ),
        50_194 => (
            Who::Operator,
            "The app registration belongs to one tenant, but another was asked.",
            "Set the tenant id of the directory that holds the app registration.",
        ),
        65_001 | 90_093 | 90_094 | 90_095 => (
            Who::TenantAdmin,
            "An administrator has to agree to the permissions first.",
            "Ask your Microsoft 365 administrator to grant admin consent to the app registration, then connect again.",
        ),
        65_004 => {
            (Who::MailboxOwner, "The permissions were declined.", "Connect again and accept the permissions.")
        }
        650_052 | 650_056 | 650_057 | 500_011 => (
            Who::TenantAdmin,
            "A permission is not listed in the app registration, or the tenant has no Exchange licence.",
            "Add the delegated permissions User.Read, Mail.ReadWrite and Mail.Send, and check the licence.",
        ),
        54_005 | 70_000 => {
            (Who::MailboxOwner, "The sign-in was used twice or took too long.", "Connect again.")
        }
        501_481 | 50_147 | 50_148 => (
            Who::MailboxOwner,
            "The sign-in does not belong to the request that was made, perhaps because of a second tab.",
            "Connect again, in one tab.",
        ),
        50_173 | 50_132 | 50_133 | 50_089 => (
            Who::MailboxOwner,
            "The sign-in was revoked: the password was changed or an administrator ended the sessions.",
            "Connect the mailbox again.",
        ),
        700_082 | 70_008 | 700_084 => (
            Who::MailboxOwner,
            "The sign-in was not used for too long and has expired.",
            "Connect the mailbox again.",
        ),
        70_043 => (
            Who::TenantAdmin,
            "A sign-in frequency policy ended the sign-in.",
            "Connect the mailbox again and ask your administrator to exempt the service account.",
        ),
        50_072 | 50_074 | 50_076 | 50_078 | 50_079 | 50_158 => (
            Who::MailboxOwner,
            "Microsoft now asks for a second factor.",
            "Connect the mailbox again and confirm the second factor.",
        ),
        53_000..=53_004 | 530_035 | 50_131 => (
            Who::TenantAdmin,
            "A conditional access policy blocks the sign-in.",
            "Ask your administrator to look the correlation id up in the sign-in logs.",
        ),
        50_020 | 50_034 | 51_004 | 16_000 | 500_208 => (
            Who::MailboxOwner,
            "The account belongs to another tenant.",
            "Connect again and choose the mailbox's own account.",
        ),
        50_105 => (
            Who::TenantAdmin,
            "The account is not assigned to the app.",
            "Assign the account under Enterprise applications, Users and groups.",
        ),
        50_053 | 50_055 | 50_057 | 50_126 | 50_144 => (
            Who::TenantAdmin,
            "The account is locked or disabled, or its password has expired.",
            "Put the account in order, then connect again.",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_changes_words_and_never_the_decision() {
        let numbers =
            (0..10_000u32).chain(16_000..100_000).chain(500_000..1_000_000).chain([7_000_215, 7_000_222]);
        for code in numbers {
            assert_eq!(advise("invalid_grant", Some(code)).retry, Retry::Reconnect, "{code}");
        }
    }

    #[test]
    fn an_expired_secret_is_told_apart_from_a_wrong_one() {
        let (wrong, expired) =
            (advise("invalid_client", Some(7_000_215)), advise("invalid_client", Some(7_000_222)));
        assert_ne!(wrong.happened, expired.happened);
        assert_eq!(wrong.retry, Retry::AfterConfiguration);
    }

    #[test]
    fn an_unknown_error_has_advice_too() {
        assert_eq!(advise("", None), advise("something_new", Some(1)));
    }
}
