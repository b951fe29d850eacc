//! `microsoft`: the app registration that mailboxes at Microsoft sign in through.

use url::Url;

use super::desk::secret;
use super::slips::{Names, tell_slips};
use super::{Reading, any};
use crate::base::clock::Timestamp;
use crate::config::section::{Section, Shape};
use crate::config::value;
use crate::oauth::app::App;
use crate::oauth::locations::Locations;
use crate::oauth::provider::MicrosoftApp;
use crate::oauth::registration::{read_day, read_tenant};

const MICROSOFT: Shape = Shape {
    keys: &[
        "clientId",
        "clientSecret",
        "clientSecretFile",
        "clientSecretExpires",
        "tenantId",
        "authorityUrl",
        "graphUrl",
    ],
    foreign: &[],
};

const NAMES: Names = Names { client_id: "MICROSOFT_CLIENT_ID", client_secret: "MICROSOFT_CLIENT_SECRET" };

/// The keys that say where Microsoft is, and nothing of a registration.
const PLACES: [&str; 2] = ["authorityUrl", "graphUrl"];

/// The app registration: all of id, secret and tenant, or nothing. Where Microsoft is may be said without one:
/// a registration that is entered on the console's pages then belongs there.
pub fn microsoft(reading: &Reading<'_>, locations: &mut Locations) -> Option<MicrosoftApp> {
    let section = reading.root.section("microsoft", &MICROSOFT);
    let section = section.as_ref();
    let client_id = reading.settle_parsed((section, "clientId"), "MICROSOFT_CLIENT_ID", any);
    let tenant = reading.settle_parsed((section, "tenantId"), "MICROSOFT_TENANT_ID", tenant);
    let in_file = section.and_then(|section| secret(section, "clientSecret", "clientSecretFile"));
    let client_secret = reading.variables.secret("MICROSOFT_CLIENT_SECRET").or(in_file);
    if let Some(authority) = section.and_then(|section| section.parsed("authorityUrl", value::secure_origin))
    {
        locations.microsoft = authority.value;
    }
    if let Some(graph) = graph_url(reading, section) {
        locations.graph = graph;
    }
    let expires =
        reading.settle_parsed((section, "clientSecretExpires"), "MICROSOFT_CLIENT_SECRET_EXPIRES", date);
    let missing: Vec<&str> = [
        (client_id.is_none(), "`microsoft.clientId` (MICROSOFT_CLIENT_ID)"),
        (client_secret.is_none(), "`microsoft.clientSecretFile` (MICROSOFT_CLIENT_SECRET)"),
        (tenant.is_none(), "`microsoft.tenantId` (MICROSOFT_TENANT_ID)"),
    ]
    .into_iter()
    .filter_map(|(missing, name)| missing.then_some(name))
    .collect();
    let says_where = section.is_some_and(|section| section.has_only(&PLACES));
    if !missing.is_empty() && (missing.len() < 3 || section.is_some() && !says_where) {
        let place = section.map_or(reading.root.place, |section| section.place);
        let message =
            format!("the app registration at Microsoft is not complete: {} missing", missing.join(" and "));
        reading.root.problem(place, message, None);
    }
    let app = MicrosoftApp {
        client_id: client_id?,
        client_secret: client_secret?,
        secret_expires: expires,
        tenant: tenant?,
        authority: locations.microsoft.clone(),
        graph: locations.graph.clone(),
    };
    tell_slips(reading, section, &App::Microsoft(app.clone()), &NAMES);
    Some(app)
}

fn date(text: &str) -> Result<Timestamp, String> {
    read_day(text).ok_or_else(|| format!("`{text}` is not a date such as 2027-05-01"))
}

fn tenant(text: &str) -> Result<String, String> {
    read_tenant(text).map_err(|slip| format!("`{text}` {slip}"))
}

fn graph_url(reading: &Reading<'_>, section: Option<&Section<'_>>) -> Option<Url> {
    let version = |text: &str| match text {
        "v1.0" => Ok(()),
        _ => Err(format!("Graph `{text}` is not supported; v1.0 is")),
    };
    reading.variables.parsed("EXCHANGE_GRAPH_API_VERSION", version);
    let without_version = |text: &str| {
        let text = text.trim_end_matches('/');
        value::secure_origin(text.strip_suffix("/v1.0").unwrap_or(text))
    };
    reading.settle_parsed((section, "graphUrl"), "EXCHANGE_GRAPH_API_BASE_URL", without_version)
}
