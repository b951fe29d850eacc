//! What an OAuth error means for people: who has to act, where, and whether trying again helps.
//!
//! The OAuth `error` decides; Microsoft's number only chooses the wording, because Microsoft may change
//! numbers (Microsoft identity platform, "Error codes"). Says nothing itself: each piece of advice is a
//! key, and the texts of the keys are the console's.

/// Who can put it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever runs this helpdesk: the settings here or the app registration.
    Operator,
    /// Whoever signs in with the mailbox account.
    MailboxOwner,
    /// The administrator of the Microsoft 365 tenant or of the Google Workspace.
    TenantAdmin,
    /// Nobody; it passes.
    Nobody,
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

/// Where it is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The sign-in at the provider, once more.
    SignIn,
    /// The mailbox's own settings here.
    Settings,
    /// The wizard, for another way to sign in.
    Wizard,
    /// The page of the app registrations here.
    Apps,
    EntraAuthentication,
    EntraSecrets,
    EntraPermissions,
    EntraOverview,
    EntraConsent,
    EntraUsers,
    EntraSignInLogs,
    EntraAccounts,
    ExchangeMailboxes,
    MicrosoftErrors,
    GoogleClients,
    GoogleConsentScreen,
    GoogleApi,
    GoogleAdmin,
    GoogleAppPasswords,
    GoogleAccount,
}

/// Advice on one error; `key` names its sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    pub key: &'static str,
    pub who: Who,
    pub retry: Retry,
    pub place: Option<Place>,
}

impl Advice {
    pub const fn new(key: &'static str, who: Who, retry: Retry, place: Option<Place>) -> Self {
        Self { key, who, retry, place }
    }
}

/// Key of the advice on what nobody here has heard of.
pub const UNKNOWN: &str = "unknown";

/// What was granted opens no mailbox.
pub const NOTHING_READABLE: Advice =
    Advice::new("nothing-readable", Who::Operator, Retry::Reconnect, Some(Place::EntraPermissions));

/// Advice on an OAuth `error` and, if known, Microsoft's number.
pub fn advise(error: &str, code: Option<u32>) -> Advice {
    let general = general(error);
    match code.and_then(wording) {
        Some((key, who, place)) => Advice { key, who, place, ..general },
        None => general,
    }
}

/// Advice on what a person copied from a provider's error page: Microsoft's number or an OAuth `error`
/// somewhere in it.
pub fn advise_pasted(text: &str) -> Advice {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
    let error = words.filter(|word| word.contains('_')).find(|word| general(word).key != UNKNOWN);
    advise(error.unwrap_or_default(), number_in(text))
}

/// Advice on a reason that ends with a refusal's reference in brackets, such as
/// `… [invalid_grant (AADSTS50173), trace …]`; `None` where there is no such reference.
pub fn advise_on_reason(reason: &str) -> Option<Advice> {
    let (_, reference) = reason.trim_end().strip_suffix(']')?.rsplit_once('[')?;
    let error = reference.split([' ', ',']).next().unwrap_or_default();
    let advice = advise(error, number_in(reference));
    (advice.key != UNKNOWN || error.contains('_')).then_some(advice)
}

fn number_in(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("AADSTS")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn general(error: &str) -> Advice {
    use Place as P;
    use Retry::{AfterConfiguration, Later, Reconnect};
    use Who::{MailboxOwner, Nobody, Operator, TenantAdmin};
    let (key, who, retry, place) = match error {
        "access_denied" => ("denied", MailboxOwner, Reconnect, Some(P::SignIn)),
        "invalid_grant" => ("grant-dead", MailboxOwner, Reconnect, Some(P::SignIn)),
        "interaction_required" | "login_required" | "account_selection_required" => {
            ("interaction", MailboxOwner, Reconnect, Some(P::SignIn))
        }
        "consent_required" => ("consent", TenantAdmin, Reconnect, Some(P::EntraConsent)),
        "invalid_client" | "unauthorized_client" | "deleted_client" => {
            ("client-refused", Operator, AfterConfiguration, Some(P::EntraOverview))
        }
        "invalid_scope" | "invalid_resource" => {
            ("permissions-missing", Operator, AfterConfiguration, Some(P::EntraPermissions))
        }
        "invalid_request" | "unsupported_grant_type" | "unsupported_response_type" => {
            ("request-refused", Operator, AfterConfiguration, Some(P::EntraAuthentication))
        }
        "temporarily_unavailable" | "server_error" | "rate_limit_exceeded" => {
            ("provider-busy", Nobody, Later, None)
        }
        // Google, "Authorization errors" of OAuth 2.0 for web server applications.
        "redirect_uri_mismatch" => ("google-redirect", Operator, AfterConfiguration, Some(P::GoogleClients)),
        "admin_policy_enforced" => ("google-policy", TenantAdmin, Reconnect, Some(P::GoogleAdmin)),
        "disallowed_useragent" => ("google-browser", MailboxOwner, Reconnect, Some(P::SignIn)),
        "org_internal" => ("google-internal", Operator, AfterConfiguration, Some(P::GoogleConsentScreen)),
        "access_not_configured" => ("google-api", Operator, AfterConfiguration, Some(P::GoogleApi)),
        "restricted_client" => {
            ("google-unverified", Operator, AfterConfiguration, Some(P::GoogleConsentScreen))
        }
        _ => (UNKNOWN, Operator, Later, Some(P::MicrosoftErrors)),
    };
    Advice::new(key, who, retry, place)
}

fn wording(code: u32) -> Option<(&'static str, Who, Option<Place>)> {
    use Place as P;
    use Who::{MailboxOwner, Nobody, Operator, TenantAdmin};
    let (key, who, place) = match code {
        50_011 => ("redirect-unregistered", Operator, P::EntraAuthentication),
        700_016 | 700_011 | 70_001 => ("client-unknown", Operator, P::EntraOverview),
        90_002 | 900_023 => ("tenant-unknown", Operator, P::EntraOverview),
        7_000_215 | 70_002 => ("secret-wrong", Operator, P::EntraSecrets),
        7_000_222 => ("secret-expired", Operator, P::EntraSecrets),
        700_025 => ("client-public", Operator, P::EntraAuthentication),
        9_002_326 | 9_002_327 => ("platform-wrong", Operator, P::EntraAuthentication),
        50_194 => ("tenant-single", Operator, P::EntraOverview),
        65_001 | 90_008 | 90_093 | 90_094 | 90_095 => ("admin-consent", TenantAdmin, P::EntraConsent),
        65_004 => ("declined", MailboxOwner, P::SignIn),
        650_052 | 650_056 | 650_057 | 500_011 => ("permission-unlisted", TenantAdmin, P::EntraPermissions),
        70_011 | 28_002 | 28_003 => ("scope-invalid", Operator, P::EntraPermissions),
        54_005 | 70_000 => ("code-used", MailboxOwner, P::SignIn),
        501_481 | 50_147 | 50_148 => ("other-tab", MailboxOwner, P::SignIn),
        50_173 | 50_132 | 50_133 | 50_089 => ("revoked", MailboxOwner, P::SignIn),
        700_082 | 70_008 | 700_084 => ("expired", MailboxOwner, P::SignIn),
        70_043 => ("frequency", TenantAdmin, P::SignIn),
        50_072 | 50_074 | 50_076 | 50_078 | 50_079 | 50_158 => ("second-factor", MailboxOwner, P::SignIn),
        53_000..=53_004 | 530_035 | 50_131 => ("conditional-access", TenantAdmin, P::EntraSignInLogs),
        50_020 | 50_034 | 51_004 | 16_000 | 500_208 => ("other-account", MailboxOwner, P::SignIn),
        50_105 => ("unassigned", TenantAdmin, P::EntraUsers),
        50_053 | 50_055 | 50_057 | 50_126 | 50_144 => ("account-locked", TenantAdmin, P::EntraAccounts),
        50_196 => return Some(("asked-too-often", Nobody, None)),
        90_033 | 50_033 | 40_010 => return Some(("provider-busy", Nobody, None)),
        _ => return None,
    };
    Some((key, who, Some(place)))
}

/// Every key that advice on OAuth errors may have, for whoever keeps the texts.
pub const KEYS: [&str; 39] = [
    NOTHING_READABLE.key,
    "denied",
    "grant-dead",
    "interaction",
    "consent",
    "client-refused",
    "permissions-missing",
    "request-refused",
    "provider-busy",
    "google-redirect",
    "google-policy",
    "google-browser",
    "google-internal",
    "google-api",
    "google-unverified",
    UNKNOWN,
    "redirect-unregistered",
    "client-unknown",
    "tenant-unknown",
    "secret-wrong",
    "secret-expired",
    "client-public",
    "platform-wrong",
    "tenant-single",
    "admin-consent",
    "declined",
    "permission-unlisted",
    "scope-invalid",
    "code-used",
    "other-tab",
    "revoked",
    "expired",
    "frequency",
    "second-factor",
    "conditional-access",
    "other-account",
    "unassigned",
    "account-locked",
    "asked-too-often",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Every number that the provider's documents and other people's trackers name for this flow.
    const NUMBERS: [u32; 67] = [
        90_008, 50_011, 700_016, 700_011, 70_001, 7_000_215, 7_000_222, 70_002, 700_025, 50_194, 9_002_326,
        9_002_327, 65_001, 90_094, 90_095, 90_093, 65_004, 650_052, 650_056, 650_057, 500_011, 70_011,
        28_002, 28_003, 54_005, 70_000, 70_008, 501_481, 50_147, 50_148, 50_173, 50_132, 50_133, 50_089,
        700_082, 700_084, 70_043, 50_076, 50_079, 50_074, 50_072, 50_078, 50_158, 53_000, 53_001, 53_002,
        53_003, 53_004, 530_035, 50_131, 50_020, 50_034, 51_004, 16_000, 500_208, 50_105, 50_053, 50_055,
        50_057, 50_126, 50_144, 50_196, 90_033, 50_033, 40_010, 90_002, 900_023,
    ];
    const ERRORS: [&str; 20] = [
        "access_denied",
        "invalid_grant",
        "interaction_required",
        "login_required",
        "account_selection_required",
        "consent_required",
        "invalid_client",
        "unauthorized_client",
        "deleted_client",
        "invalid_scope",
        "invalid_resource",
        "invalid_request",
        "temporarily_unavailable",
        "server_error",
        "redirect_uri_mismatch",
        "admin_policy_enforced",
        "disallowed_useragent",
        "org_internal",
        "access_not_configured",
        "restricted_client",
    ];

    #[test]
    fn every_known_error_and_number_has_advice_of_its_own() {
        for error in ERRORS {
            let key = advise(error, None).key;
            assert!(key != UNKNOWN && KEYS.contains(&key), "{error}");
        }
        for number in NUMBERS {
            let key = advise("", Some(number)).key;
            assert!(key != UNKNOWN && KEYS.contains(&key), "{number}");
        }
    }

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
        assert_eq!((wrong.key, expired.key), ("secret-wrong", "secret-expired"));
        assert_eq!(wrong.retry, Retry::AfterConfiguration);
    }

    #[test]
    fn an_unknown_error_has_advice_too() {
        assert_eq!(advise("", None), advise("something_new", Some(1)));
    }

    #[test]
    fn a_stored_reason_is_understood_by_its_reference() {
        let key = |reason| advise_on_reason(reason).map(|advice| advice.key);
        let stored = "the provider refused [invalid_grant (AADSTS50173), trace 5-1, at 2026-11-21 08:00:00Z]";
        assert_eq!(key(stored), Some("revoked"));
        assert_eq!(key("the provider refused [invalid_grant]"), Some("grant-dead"));
        assert_eq!(key("the provider refused [something_new]"), Some(UNKNOWN));
        for other in ["", "503", "the folder `[a]` is missing", "[mail-password]", "]["] {
            assert_eq!(key(other), None, "{other}");
        }
    }
}
