//! The YAML of `headers`, and its check.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use serde::Deserialize;
use serde_yaml::Spanned;

use super::cors::Cors;
use super::security::Security;
use super::{Change, Headers};
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};

/// A header's text in YAML.
pub(super) type Text = Option<Spanned<String>>;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    custom_request_headers: BTreeMap<String, Spanned<String>>,
    custom_response_headers: BTreeMap<String, Spanned<String>>,

    pub(super) access_control_allow_credentials: bool,
    pub(super) access_control_allow_headers: Vec<String>,
    pub(super) access_control_allow_methods: Vec<String>,
    pub(super) access_control_allow_origin_list: Vec<String>,
    pub(super) access_control_allow_origin_list_regex: Vec<Spanned<String>>,
    pub(super) access_control_expose_headers: Vec<String>,
    pub(super) access_control_max_age: Option<i64>,
    pub(super) add_vary_header: bool,

    pub(super) allowed_hosts: Vec<String>,
    pub(super) hosts_proxy_headers: Vec<String>,
    pub(super) ssl_proxy_headers: BTreeMap<String, Spanned<String>>,
    pub(super) sts_seconds: Option<u64>,
    pub(super) sts_include_subdomains: bool,
    pub(super) sts_preload: bool,
    #[serde(rename = "forceSTSHeader")]
    pub(super) force_sts_header: bool,
    pub(super) frame_deny: bool,
    pub(super) custom_frame_options_value: Text,
    pub(super) content_type_nosniff: bool,
    pub(super) browser_xss_filter: bool,
    #[serde(rename = "customBrowserXSSValue")]
    pub(super) custom_browser_xss_value: Text,
    pub(super) content_security_policy: Text,
    pub(super) content_security_policy_report_only: Text,
    pub(super) referrer_policy: Text,
    pub(super) permissions_policy: Text,
    pub(super) is_development: bool,

    ssl_redirect: Option<Spanned<bool>>,
    ssl_temporary_redirect: Option<Spanned<bool>>,
    ssl_host: Text,
    ssl_force_host: Option<Spanned<bool>>,
    feature_policy: Text,
    public_key: Text,
}

impl Checked for Spec {
    fn compile(&self, _parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let (mut errors, mut warnings) = (self.gone(), Vec::new());
        if errors.is_empty() && self.says_nothing() {
            errors.push(SpecError::whole("`headers` changes nothing").hint("name at least one option"));
        }
        let mut request = changes(&self.custom_request_headers, &mut errors, &mut warnings);
        let host = request.extract_if(.., |(name, _)| *name == HOST).last();
        let response = changes(&self.custom_response_headers, &mut errors, &mut warnings);
        let security = Security::compile(self, &mut errors);
        let cors = Cors::compile(self, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let everybody = self.access_control_allow_origin_list.iter().any(|origin| origin == "*");
        if everybody && self.access_control_allow_credentials {
            let message = "browsers refuse `accessControlAllowCredentials` together with the origin `*`";
            warnings.push(SpecError::whole(message).hint("list the origins"));
        }
        Ok(Compiled { runs: Arc::new(Headers { request, host, response, security, cors }), warnings })
    }
}

impl Spec {
    /// Options that Traefik has dropped or that no browser reads any more: an operator who still has
    /// them counts on something that does not happen.
    fn gone(&self) -> Vec<SpecError> {
        let mut errors = Vec::new();
        let redirect = "use the middleware redirectScheme, or the entry point's http.redirections";
        for (name, given) in [
            ("sslRedirect", &self.ssl_redirect),
            ("sslTemporaryRedirect", &self.ssl_temporary_redirect),
            ("sslForceHost", &self.ssl_force_host),
        ] {
            if let Some(given) = given {
                errors.push(SpecError::at(given, format!("`{name}` is no longer supported")).hint(redirect));
            }
        }
        for (name, given, hint) in [
            ("sslHost", &self.ssl_host, redirect),
            ("featurePolicy", &self.feature_policy, "permissionsPolicy"),
            ("publicKey", &self.public_key, "leave it out: no browser pins keys any more"),
        ] {
            if let Some(given) = given {
                errors.push(SpecError::at(given, format!("`{name}` is no longer supported")).hint(hint));
            }
        }
        errors
    }

    fn says_nothing(&self) -> bool {
        self.custom_request_headers.is_empty()
            && self.custom_response_headers.is_empty()
            && !Cors::is_asked_for(self)
            && !Security::is_asked_for(self)
    }
}

/// An empty text removes the header. What belongs to a connection is left out, as Traefik leaves it out of what it
/// forwards: how a message's body ends is not for a file to say.
fn changes(
    texts: &BTreeMap<String, Spanned<String>>,
    errors: &mut Vec<SpecError>,
    warnings: &mut Vec<SpecError>,
) -> Vec<Change> {
    let mut changes = Vec::with_capacity(texts.len());
    for (name, text) in texts {
        let read = name_of(name).map_err(|message| SpecError::at(text, message));
        let change = read.and_then(|name| {
            let value = (!text.value.is_empty()).then(|| value_of(text)).transpose()?;
            Ok((name, value))
        });
        match change {
            Ok((name, _)) if is_for_one_connection(&name) => {
                let message = format!("`{name}` belongs to a connection and is left out");
                warnings.push(SpecError::at(text, message));
            }
            Ok(change) => changes.push(change),
            Err(error) => errors.push(error),
        }
    }
    changes
}

fn is_for_one_connection(name: &HeaderName) -> bool {
    [CONNECTION, CONTENT_LENGTH, TE, TRAILER, TRANSFER_ENCODING, UPGRADE].contains(name)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

pub(super) fn name_of(text: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(text.as_bytes()).map_err(|_| format!("`{text}` is no header name"))
}

pub(super) fn value_of(text: &Spanned<String>) -> Result<HeaderValue, SpecError> {
    let refused = |_| SpecError::at(text, "a header's value is one line of visible characters");
    HeaderValue::from_str(&text.value).map_err(refused)
}
