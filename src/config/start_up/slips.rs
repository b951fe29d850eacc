//! Tells slips in a registration's values where they were written.

use super::Reading;
use crate::config::section::Section;
use crate::oauth::app::App;
use crate::oauth::registration::{Field, Slip, slips};

/// The variables of a registration.
pub struct Names {
    pub client_id: &'static str,
    pub client_secret: &'static str,
}

/// What cannot work is a problem; what only looks odd is a warning.
pub fn tell_slips(reading: &Reading<'_>, section: Option<&Section<'_>>, app: &App, names: &Names) {
    for slip in slips(app) {
        tell(reading, section, slip, names);
    }
}

fn tell(reading: &Reading<'_>, section: Option<&Section<'_>>, slip: Slip, names: &Names) {
    let (keys, name) = match slip.field() {
        Field::ClientId => (&["clientId"][..], names.client_id),
        Field::ClientSecret => (&["clientSecret", "clientSecretFile"][..], names.client_secret),
    };
    // A variable wins over the file.
    let is_variable = reading.variables.is_given(name);
    let place = section.and_then(|section| keys.iter().find_map(|key| section.key_place(key)));
    match (slip.is_certain(), place.filter(|_| !is_variable)) {
        (true, Some(place)) => reading.root.problem(place, slip.to_string(), None),
        (true, None) => reading.variables.problem(name, slip.to_string(), None),
        (false, Some(place)) => reading.root.warn(place, &slip.to_string()),
        (false, None) => reading.findings.warn(format!("{name}: {slip}")),
    }
}
