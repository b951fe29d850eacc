//! Every environment variable of the set-up guide and of the image it describes, and what becomes of it.

use super::problem::nearest;

/// What a variable does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It sets something.
    Used,
    /// It sets nothing; the text says why, or what to set instead.
    Ignored(&'static str),
}

const LIMITS: &str = "EXCHANGE_RATE_LIMIT is the one limit, in requests per minute and mailbox";
const BATCH: &str = "mail is taken one by one, however many there are";

/// Names and fates. Each `Used` one may also be given as `NAME_FILE`.
pub const VARIABLES: &[(&str, Fate)] = &[
    ("MINTGATE_CONFIG", Fate::Used),
    ("MINTGATE_DESK_URL", Fate::Used),
    ("MINTGATE_BOT_EMAIL", Fate::Used),
    ("MINTGATE_BOT_PASSWORD", Fate::Used),
    ("MINTGATE_VAULT_KEY_FILE", Fate::Used),
    ("MINTGATE_DATABASE_URL", Fate::Used),
    ("MICROSOFT_CLIENT_ID", Fate::Used),
    ("MICROSOFT_CLIENT_SECRET", Fate::Used),
    ("MICROSOFT_CLIENT_SECRET_EXPIRES", Fate::Used),
    ("MICROSOFT_TENANT_ID", Fate::Used),
    ("GOOGLE_CLIENT_ID", Fate::Used),
    ("GOOGLE_CLIENT_SECRET", Fate::Used),
    ("MICROSOFT_REDIRECT_URI", Fate::Used),
    ("EXCHANGE_OAUTH_REDIRECT_URI", Fate::Used),
    ("EXCHANGE_CUSTOM_DOMAIN", Fate::Used),
    ("EMAIL_PROVIDER", Fate::Used),
    ("EXCHANGE_ENABLE_EMAIL_PROCESSING", Fate::Used),
    ("EXCHANGE_FROM_EMAIL", Fate::Used),
    ("EXCHANGE_FROM_NAME", Fate::Used),
    ("EXCHANGE_REPLY_TO_EMAIL", Fate::Used),
    ("EXCHANGE_EMAIL_POLL_INTERVAL", Fate::Used),
    ("EXCHANGE_EMAIL_PROCESSING_INTERVAL", Fate::Used),
    ("EXCHANGE_RATE_LIMIT", Fate::Used),
    ("EXCHANGE_COOKIE_SECURE", Fate::Used),
    ("EXCHANGE_COOKIE_HTTPONLY", Fate::Used),
    ("EXCHANGE_COOKIE_SAMESITE", Fate::Used),
    ("EXCHANGE_GRAPH_API_BASE_URL", Fate::Used),
    ("EXCHANGE_GRAPH_API_VERSION", Fate::Used),
    (
        "EXCHANGE_ENCRYPTION_KEY",
        Fate::Ignored("the vault's key stands in a file: set MINTGATE_VAULT_KEY_FILE or `vault.keyFile`"),
    ),
    (
        "EXCHANGE_OAUTH_SCOPES",
        Fate::Ignored("the scopes that mail needs are asked for; the console says which were granted"),
    ),
    ("EXCHANGE_REQUEST_TIMEOUT", Fate::Ignored("calls to the provider have fixed limits")),
    ("EXCHANGE_MAX_RETRIES", Fate::Ignored("mail is kept and tried again until it is done")),
    ("EXCHANGE_EMAIL_BATCH_SIZE", Fate::Ignored(BATCH)),
    ("EXCHANGE_MAX_EMAIL_BATCH_SIZE", Fate::Ignored(BATCH)),
    ("EXCHANGE_TOKEN_REFRESH_BUFFER", Fate::Ignored("tokens are refreshed at four fifths of their life")),
    ("EXCHANGE_ENABLE_WEBHOOKS", Fate::Ignored("mail is fetched, not pushed")),
    ("EXCHANGE_ENABLE_RATE_LIMITING", Fate::Ignored("the limit always holds")),
    ("EXCHANGE_OAUTH_RATE_LIMIT_WINDOW", Fate::Ignored(LIMITS)),
    ("EXCHANGE_OAUTH_RATE_LIMIT_MAX", Fate::Ignored(LIMITS)),
    ("EXCHANGE_EMAIL_RATE_LIMIT_WINDOW", Fate::Ignored(LIMITS)),
    ("EXCHANGE_EMAIL_RATE_LIMIT_MAX", Fate::Ignored(LIMITS)),
    ("EXCHANGE_GRAPH_RATE_LIMIT_WINDOW", Fate::Ignored(LIMITS)),
    ("EXCHANGE_GRAPH_RATE_LIMIT_MAX", Fate::Ignored(LIMITS)),
    ("JWT_SECRET", Fate::Ignored("sessions are the desk's own")),
    ("FRONTEND_URL", Fate::Ignored("the public address is `console.publicUrl`")),
    ("API_BASE_URL", Fate::Ignored("the desk's address is `desk.url`")),
];

/// What becomes of `name`, or of `name` without `_FILE`.
pub fn fate(name: &str) -> Option<Fate> {
    let known = |name: &str| VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, fate)| *fate);
    known(name).or_else(|| known(name.strip_suffix("_FILE")?))
}

/// The known name that an unknown one of our families is near to, or the family's prefix alone.
pub fn nearly(name: &str) -> Option<&'static str> {
    let ours = ["MINTGATE_", "MICROSOFT_", "EXCHANGE_", "EMAIL_"];
    let family = ours.iter().any(|prefix| name.starts_with(prefix));
    let plain = name.strip_suffix("_FILE").unwrap_or(name);
    family.then(|| nearest(plain, VARIABLES.iter().map(|(known, _)| *known))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_here_once() {
        let mut names: Vec<_> = VARIABLES.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), VARIABLES.len());
    }

    #[test]
    fn a_file_variant_shares_its_variables_fate() {
        assert_eq!(fate("MICROSOFT_CLIENT_SECRET_FILE"), Some(Fate::Used));
        assert_eq!(fate("MINTGATE_VAULT_KEY_FILE"), Some(Fate::Used));
        assert_eq!(fate("HOME"), None);
    }
}
