//! `google`: the OAuth client that mailboxes at Google sign in through.

use super::desk::secret;
use super::slips::{Names, tell_slips};
use super::{Reading, any};
use crate::config::section::Shape;
use crate::config::value;
use crate::oauth::app::App;
use crate::oauth::google::GoogleApp;
use crate::oauth::locations::Locations;

const GOOGLE: Shape =
    Shape { keys: &["clientId", "clientSecret", "clientSecretFile", "authorityUrl"], foreign: &[] };

const NAMES: Names = Names { client_id: "GOOGLE_CLIENT_ID", client_secret: "GOOGLE_CLIENT_SECRET" };

/// The OAuth client: both id and secret, or nothing. Where Google is may be said without one.
pub fn google(reading: &Reading<'_>, locations: &mut Locations) -> Option<GoogleApp> {
    let section = reading.root.section("google", &GOOGLE);
    let section = section.as_ref();
    let client_id = reading.settle_parsed((section, "clientId"), "GOOGLE_CLIENT_ID", any);
    let in_file = section.and_then(|section| secret(section, "clientSecret", "clientSecretFile"));
    let client_secret = reading.variables.secret("GOOGLE_CLIENT_SECRET").or(in_file);
    if let Some(authority) = section.and_then(|section| section.parsed("authorityUrl", value::secure_origin))
    {
        locations.google = authority.value;
    }
    let says_where = section.is_none_or(|section| section.has_only(&["authorityUrl"]));
    let missing = match (&client_id, &client_secret) {
        (Some(_), Some(_)) => None,
        (None, Some(_)) => Some("`google.clientId` (GOOGLE_CLIENT_ID)"),
        (Some(_), None) => Some("`google.clientSecretFile` (GOOGLE_CLIENT_SECRET)"),
        (None, None) if says_where => None,
        (None, None) => Some("`google.clientId` and `google.clientSecretFile`"),
    };
    if let Some(missing) = missing {
        let place = section.map_or(reading.root.place, |section| section.place);
        let message = format!("the OAuth client at Google is not complete: {missing} missing");
        reading.root.problem(place, message, None);
    }
    let app = GoogleApp {
        client_id: client_id?,
        client_secret: client_secret?,
        authority: locations.google.clone(),
    };
    tell_slips(reading, section, &App::Google(app.clone()), &NAMES);
    Some(app)
}
