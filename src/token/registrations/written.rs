//! A registration as the bytes that are sealed. Where the provider is belongs to the configuration and is not in
//! them: whoever could write the store could send the client secret elsewhere.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base::clock::Timestamp;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::oauth::app::{App, Vendor};
use crate::oauth::google::GoogleApp;
use crate::oauth::locations::Locations;
use crate::oauth::provider::MicrosoftApp;
use crate::token::registrations::Registration;

#[derive(Serialize, Deserialize)]
struct Written {
    client_id: String,
    client_secret: String,
    /// Microsoft only.
    tenant: Option<String>,
    secret_expires: Option<i64>,
    set_at: i64,
    set_by: String,
}

pub(super) fn bytes(registration: &Registration) -> Zeroizing<Vec<u8>> {
    let app = &registration.app;
    let (tenant, secret_expires) = match app {
        App::Microsoft(app) => (Some(app.tenant.clone()), app.secret_expires),
        App::Google(_) => (None, None),
    };
    let written = Written {
        client_id: app.client_id().to_owned(),
        client_secret: app.client_secret().expose_secret().to_owned(),
        tenant,
        secret_expires: secret_expires.map(|end| end.0),
        set_at: registration.set_at.0,
        set_by: registration.set_by.clone(),
    };
    Zeroizing::new(serde_json::to_vec(&written).expect("strings and numbers are JSON"))
}

/// `None` when the bytes are no registration at `vendor`; serde's own message may quote them.
pub(super) fn read(bytes: &[u8], vendor: Vendor, locations: &Locations) -> Option<Registration> {
    let written: Written = serde_json::from_slice(bytes).ok()?;
    let client_secret = SecretString::from(written.client_secret);
    let client_id = written.client_id;
    let app = match vendor {
        Vendor::Microsoft => App::Microsoft(MicrosoftApp {
            client_id,
            client_secret,
            secret_expires: written.secret_expires.map(Timestamp),
            tenant: written.tenant?,
            authority: locations.microsoft.clone(),
            graph: locations.graph.clone(),
        }),
        Vendor::Google => {
            App::Google(GoogleApp { client_id, client_secret, authority: locations.google.clone() })
        }
    };
    Some(Registration { app, set_at: Timestamp(written.set_at), set_by: written.set_by })
}
