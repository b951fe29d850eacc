//! What was entered for a registration, and what is wrong with it. Pure; what the provider says of it comes later.

use serde::Deserialize;

use crate::base::clock::Timestamp;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::console::form::secret;
use crate::oauth::app::{App, Vendor};
use crate::oauth::google::GoogleApp;
use crate::oauth::locations::Locations;
use crate::oauth::provider::MicrosoftApp;
use crate::oauth::registration::{Field as Part, TenantSlip, read_day, read_tenant, slips};

/// Far longer than any id or secret of a provider.
const LONGEST: usize = 512;

/// The form's fields.
#[derive(Deserialize)]
pub struct Entered {
    #[serde(default)]
    pub tenant: String,
    #[serde(default, alias = "google_client_id")]
    pub client_id: String,
    /// Empty keeps the one that is stored.
    #[serde(default, alias = "google_client_secret", deserialize_with = "secret")]
    pub client_secret: SecretString,
    #[serde(default)]
    pub secret_expires: String,
    /// Mark of the registration that the form was made of; empty where there was none.
    #[serde(default)]
    pub seen: String,
    /// Present when it is to be kept although the provider refuses it.
    pub despite: Option<String>,
}

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Tenant,
    ClientId,
    ClientSecret,
    SecretExpires,
}

/// What is wrong.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// Message keys by field.
    pub fields: Vec<(Name, &'static str)>,
    /// The provider says so; it may know better in a minute.
    pub by_provider: bool,
}

impl Problems {
    pub fn of(&self, field: Name) -> Option<&'static str> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, key)| *key)
    }
}

impl Entered {
    /// What a form begins with: what is stored, but for the secret.
    pub fn of(app: &App, seen: &str) -> Self {
        let (tenant, ends) = match app {
            App::Microsoft(app) => (app.tenant.clone(), app.secret_expires),
            App::Google(_) => (String::new(), None),
        };
        Self {
            tenant,
            client_id: app.client_id().to_owned(),
            client_secret: SecretString::default(),
            secret_expires: ends.map(day).unwrap_or_default(),
            seen: seen.to_owned(),
            despite: None,
        }
    }

    /// Nothing yet but the tenant that an address suggests.
    pub fn nothing(tenant: &str, seen: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            client_id: String::new(),
            client_secret: SecretString::default(),
            secret_expires: String::new(),
            seen: seen.to_owned(),
            despite: None,
        }
    }

    /// The app that was entered, at the places of this installation. `stored` is what it takes the place of.
    pub fn read(
        &self,
        vendor: Vendor,
        locations: &Locations,
        stored: Option<&App>,
        now: Timestamp,
    ) -> Result<App, Problems> {
        let mut problems = Vec::new();
        let client_id = self.client_id.trim().to_owned();
        if let Some(key) = wrong_id(&client_id) {
            problems.push((Name::ClientId, key));
        }
        let client_secret = self.secret(&client_id, stored).unwrap_or_else(|key| {
            problems.push((Name::ClientSecret, key));
            SecretString::default()
        });
        let app = match vendor {
            Vendor::Google => {
                App::Google(GoogleApp { client_id, client_secret, authority: locations.google.clone() })
            }
            Vendor::Microsoft => App::Microsoft(MicrosoftApp {
                client_id,
                client_secret,
                secret_expires: self.expires(stored, now).unwrap_or_else(|key| {
                    problems.push((Name::SecretExpires, key));
                    None
                }),
                tenant: read_tenant(&self.tenant.trim().to_ascii_lowercase()).unwrap_or_else(|slip| {
                    problems.push((Name::Tenant, wrong_tenant(self.tenant.trim(), slip)));
                    String::new()
                }),
                authority: locations.microsoft.clone(),
                graph: locations.graph.clone(),
            }),
        };
        let certain = slips(&app).into_iter().filter(|slip| slip.is_certain());
        for slip in certain {
            let name = match slip.field() {
                Part::ClientId => Name::ClientId,
                Part::ClientSecret => Name::ClientSecret,
            };
            // One sentence for each field, the plainest first.
            if !problems.iter().any(|(wrong, _)| *wrong == name) {
                problems.push((name, slip.key()));
            }
        }
        if problems.is_empty() { Ok(app) } else { Err(Problems { fields: problems, by_provider: false }) }
    }

    /// Copied together with its blanks, a secret works nowhere.
    fn secret(&self, client_id: &str, stored: Option<&App>) -> Result<SecretString, &'static str> {
        let entered = self.client_secret.expose_secret().trim();
        match (entered, stored) {
            ("", Some(stored)) if stored.client_id() == client_id => Ok(stored.client_secret().clone()),
            ("", Some(_)) => Err("app-secret-of-another"),
            ("", None) => Err("app-secret-missing"),
            (entered, _) if is_plain(entered) => Ok(SecretString::from(entered)),
            _ => Err("app-secret-wrong"),
        }
    }

    /// A day that is past is a slip, unless it is the stored secret's own and that one stays.
    fn expires(&self, stored: Option<&App>, now: Timestamp) -> Result<Option<Timestamp>, &'static str> {
        let text = self.secret_expires.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let end = read_day(text).ok_or("app-expires-wrong")?;
        let stays = self.client_secret.expose_secret().trim().is_empty();
        let known = matches!(stored, Some(App::Microsoft(app)) if app.secret_expires == Some(end));
        if end <= now && !(stays && known) {
            return Err("app-expires-past");
        }
        Ok(Some(end))
    }
}

fn wrong_id(client_id: &str) -> Option<&'static str> {
    match client_id {
        "" => Some("app-id-missing"),
        text if is_plain(text) => None,
        _ => Some("app-id-wrong"),
    }
}

fn wrong_tenant(tenant: &str, slip: TenantSlip) -> &'static str {
    match slip {
        _ if tenant.is_empty() => "app-tenant-missing",
        TenantSlip::Shape => "app-tenant-wrong",
        TenantSlip::Shared => "app-tenant-shared",
    }
}

/// Ids and secrets are one word of ASCII (RFC 6749, appendix A.1 and A.2, without the blank).
fn is_plain(text: &str) -> bool {
    text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// As a date field takes it.
fn day(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "11111111-2222-3333-4444-555555555555";
    const OTHER: &str = "66666666-2222-3333-4444-555555555555";
    const SECRET: &str = "abc8Q~0123456789012345678901234567890123";
    const GOOGLE_ID: &str = "1234-abc.apps.googleusercontent.com";
    const NOW: Timestamp = Timestamp(1_795_222_800_000);

    fn entered(tenant: &str, client_id: &str, client_secret: &str, secret_expires: &str) -> Entered {
        Entered {
            tenant: tenant.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: SecretString::from(client_secret),
            secret_expires: secret_expires.to_owned(),
            seen: String::new(),
            despite: None,
        }
    }

    fn read(vendor: Vendor, entered: &Entered, stored: Option<&App>) -> Result<App, Problems> {
        entered.read(vendor, &Locations::default(), stored, NOW)
    }

    #[test]
    fn each_wrong_value_has_its_field_and_its_sentence() {
        use Name::{ClientId, ClientSecret, SecretExpires, Tenant};
        for (tenant, id, secret, expires, expected) in [
            ("c.example", GUID, SECRET, "2027-05-01", &[][..]),
            (" C.example\n", " 11111111-2222-3333-4444-555555555555 ", SECRET, "", &[]),
            (
                "",
                "",
                "",
                "",
                &[
                    (ClientId, "app-id-missing"),
                    (ClientSecret, "app-secret-missing"),
                    (Tenant, "app-tenant-missing"),
                ],
            ),
            ("common", GUID, SECRET, "", &[(Tenant, "app-tenant-shared")]),
            ("c.example/x", GUID, SECRET, "", &[(Tenant, "app-tenant-wrong")]),
            ("c.example", "my app", SECRET, "", &[(ClientId, "app-id-wrong")]),
            ("c.example", "app", SECRET, "", &[(ClientId, "slip-client-id")]),
            ("c.example", GUID, OTHER, "", &[(ClientSecret, "slip-secret-id")]),
            ("c.example", GUID, "two words", "", &[(ClientSecret, "app-secret-wrong")]),
            ("c.example", GUID, SECRET, "1.5.2027", &[(SecretExpires, "app-expires-wrong")]),
            ("c.example", GUID, SECRET, "2026-01-01", &[(SecretExpires, "app-expires-past")]),
        ] {
            let told = read(Vendor::Microsoft, &entered(tenant, id, secret, expires), None);
            let told = told.err().map(|problems| problems.fields).unwrap_or_default();
            assert_eq!(told, expected, "{tenant} {id} {expires}");
        }
        for (id, secret, expected) in [
            (GOOGLE_ID, "GOCSPX-abc", &[][..]),
            (
                "GOCSPX-abc",
                GOOGLE_ID,
                &[(ClientId, "slip-google-secret-as-id"), (ClientSecret, "slip-google-id-as-secret")],
            ),
        ] {
            let told = read(Vendor::Google, &entered("", id, secret, ""), None);
            assert_eq!(told.err().map(|problems| problems.fields).unwrap_or_default(), expected, "{id}");
        }
    }

    #[test]
    fn a_secret_that_is_left_empty_stays_for_the_same_app_only() {
        let stored = read(Vendor::Microsoft, &entered("c.example", GUID, SECRET, ""), None).expect("an app");
        let kept =
            read(Vendor::Microsoft, &entered("d.example", GUID, "", ""), Some(&stored)).expect("an app");
        assert!(kept.client_secret().expose_secret() == SECRET);
        let other = read(Vendor::Microsoft, &entered("c.example", OTHER, "", ""), Some(&stored));
        let expected = vec![(Name::ClientSecret, "app-secret-of-another")];
        assert_eq!(other.err().map(|problems| problems.fields), Some(expected));
    }

    #[test]
    fn the_day_of_a_secret_that_ended_may_stay_and_a_new_one_needs_another() {
        let Ok(App::Microsoft(app)) = read(Vendor::Microsoft, &entered("c.example", GUID, SECRET, ""), None)
        else {
            panic!("an app")
        };
        let stored = App::Microsoft(MicrosoftApp { secret_expires: read_day("2026-01-01"), ..app });
        assert!(
            read(Vendor::Microsoft, &entered("c.example", GUID, "", "2026-01-01"), Some(&stored)).is_ok()
        );
        let renewed =
            read(Vendor::Microsoft, &entered("c.example", GUID, SECRET, "2026-01-01"), Some(&stored));
        assert_eq!(renewed.err().and_then(|told| told.of(Name::SecretExpires)), Some("app-expires-past"));
    }

    #[test]
    fn a_form_begins_with_everything_but_the_secret() {
        let stored = read(Vendor::Microsoft, &entered("c.example", GUID, SECRET, "2027-05-01"), None);
        let form = Entered::of(&stored.expect("an app"), "mark");
        assert_eq!((form.tenant.as_str(), form.client_id.as_str()), ("c.example", GUID));
        assert_eq!(form.secret_expires, "2027-05-01");
        assert!(form.client_secret.expose_secret().is_empty());
    }
}
