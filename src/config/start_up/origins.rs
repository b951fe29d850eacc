//! Which variable, or which line of the file, says each of the values that pages show.

use super::Reading;
use crate::config::origins::Origins;

/// Section and keys of one value, and its variables, which win over the file.
type Setting = (&'static str, &'static [&'static str], &'static [&'static str]);

/// The first key names the setting.
const SETTINGS: [Setting; 10] = [
    ("microsoft", &["clientId"], &["MICROSOFT_CLIENT_ID"]),
    ("microsoft", &["clientSecret", "clientSecretFile"], &["MICROSOFT_CLIENT_SECRET"]),
    ("microsoft", &["clientSecretExpires"], &["MICROSOFT_CLIENT_SECRET_EXPIRES"]),
    ("microsoft", &["tenantId"], &["MICROSOFT_TENANT_ID"]),
    ("google", &["clientId"], &["GOOGLE_CLIENT_ID"]),
    ("google", &["clientSecret", "clientSecretFile"], &["GOOGLE_CLIENT_SECRET"]),
    ("mail", &["from"], &["EXCHANGE_FROM_EMAIL"]),
    ("mail", &["fromName"], &["EXCHANGE_FROM_NAME"]),
    ("mail", &["replyTo"], &["EXCHANGE_REPLY_TO_EMAIL"]),
    ("mail", &["pollInterval"], &["EXCHANGE_EMAIL_POLL_INTERVAL", "EXCHANGE_EMAIL_PROCESSING_INTERVAL"]),
];

pub fn origins(reading: &Reading<'_>) -> Origins {
    let said = |&(section, keys, variables): &Setting| {
        let place = variables
            .iter()
            .find_map(|name| reading.variables.given_by(name))
            .or_else(|| keys.iter().find_map(|key| in_file(reading, section, key)));
        place.map(|place| (format!("{section}.{}", keys[0]), place))
    };
    SETTINGS.iter().filter_map(said).collect()
}

/// `microsoft.clientId (config/mintgate.yml:12)`.
fn in_file(reading: &Reading<'_>, section: &str, key: &str) -> Option<String> {
    let place = reading.root.place_within(section, key)?;
    Some(format!("{section}.{key} ({}:{})", reading.root.source().path.display(), place.line))
}
