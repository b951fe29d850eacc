//! Where the configuration says a value: a variable, or a line of the start-up file. For people; holds no value.

use std::collections::BTreeMap;

/// Places by setting, such as `microsoft.clientId`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, String>);

impl Origins {
    /// `MICROSOFT_CLIENT_ID`, `MICROSOFT_CLIENT_SECRET_FILE`, `microsoft.clientId (config/mintgate.yml:12)`; `None` for
    /// what the configuration does not say.
    pub fn of(&self, setting: &str) -> Option<&str> {
        self.0.get(setting).map(String::as_str)
    }
}

impl<S: Into<String>, P: Into<String>> FromIterator<(S, P)> for Origins {
    fn from_iter<I: IntoIterator<Item = (S, P)>>(places: I) -> Self {
        Self(places.into_iter().map(|(setting, place)| (setting.into(), place.into())).collect())
    }
}
