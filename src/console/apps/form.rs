//! The form for a registration, with the way to each of its values: on a page of its own and in the wizard.

use crate::console::apps::entered::{Entered, Name, Problems};
use crate::console::form::{Field, wrong};
use crate::console::language::Texts;
use crate::console::wizard::new_app;
use crate::oauth::app::Vendor;
use crate::oauth::source::Resource;

/// What is asked for.
pub struct AppForm {
    pub vendor: &'static str,
    /// As people call the provider.
    pub provider: &'static str,
    /// Where it is sent.
    pub action: String,
    /// The provider's page where an app is registered.
    pub new_app: &'static str,
    /// Message key of the kind of accounts to choose there; `None` where nothing is to be chosen.
    pub accounts: Option<&'static str>,
    /// Message key of where permissions are added; `None` where none are.
    pub permissions: Option<&'static str>,
    pub scopes: &'static [&'static str],
    pub seen: String,
    /// Somebody else has changed the registration since.
    pub overtaken: bool,
    /// The provider refuses what was entered; it can be kept all the same.
    pub refused: bool,
    pub fields: Vec<Field>,
}

/// What a form is asked for with.
pub struct Asking<'a> {
    pub vendor: Vendor,
    pub action: String,
    /// For accounts such as those of outlook.com.
    pub personal: bool,
    /// The permissions to add.
    pub scopes: &'static [&'static str],
    /// There is a secret, which an empty field keeps.
    pub has_secret: bool,
    pub overtaken: bool,
    pub problems: &'a Problems,
}

impl AppForm {
    /// With what was entered; the secret is never given back.
    pub fn new(entered: &Entered, asking: Asking<'_>, t: &Texts) -> Self {
        let Asking { vendor, action, personal, scopes, has_secret, overtaken, problems } = asking;
        let accounts = match vendor {
            Vendor::Microsoft if personal => Some("app-accounts-personal"),
            Vendor::Microsoft => Some("app-accounts"),
            Vendor::Google => None,
        };
        let mut fields = match vendor {
            Vendor::Microsoft => vec![
                Field::new("tenant", &*entered.tenant).required(),
                Field::new("client_id", &*entered.client_id).required(),
                Field::new("client_secret", ""),
                Field::new("secret_expires", &*entered.secret_expires).kind("date"),
            ],
            Vendor::Google => {
                vec![
                    Field::new("google_client_id", &*entered.client_id).required(),
                    Field::new("google_client_secret", ""),
                ]
            }
        };
        for field in &mut fields {
            let name = name_of(field.name);
            field.error = problems.of(name).map(|key| t.say(key).to_string());
            if name == Name::ClientSecret {
                (field.kind, field.complete) = ("password", "new-password");
                field.required = !has_secret;
                field.origin = has_secret.then(|| t.say("app-secret-stays").to_string());
            }
        }
        Self {
            vendor: vendor.word(),
            provider: vendor.name(),
            action,
            new_app: new_app(vendor),
            accounts,
            permissions: permissions(vendor, scopes),
            scopes,
            seen: entered.seen.clone(),
            overtaken,
            refused: problems.by_provider,
            fields,
        }
    }

    pub fn is_wrong(&self) -> bool {
        self.overtaken || !wrong(&self.fields).is_empty()
    }
}

fn permissions(vendor: Vendor, scopes: &[&str]) -> Option<&'static str> {
    match (vendor, scopes == vendor.scopes(Resource::Mail)) {
        (Vendor::Microsoft, false) => Some("app-permissions-graph"),
        (Vendor::Microsoft, true) => Some("app-permissions-outlook"),
        // Whoever signs in is asked; nothing is listed before.
        (Vendor::Google, _) => None,
    }
}

fn name_of(field: &str) -> Name {
    match field {
        "tenant" => Name::Tenant,
        "client_id" | "google_client_id" => Name::ClientId,
        "secret_expires" => Name::SecretExpires,
        _ => Name::ClientSecret,
    }
}
