//! The headers that tell a browser to be careful, and the check of the Host header.

use http::StatusCode;
use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
};

use super::spec::{Spec, Text, name_of, value_of};
use super::{Change, apply};
use crate::middleware::registry::SpecError;
use crate::web::answer::{Answer, short};
use crate::web::client_address::authority;
use crate::web::exchange::{Exchange, Scheme};
use crate::web::head::{RequestHead, ResponseHead};

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

#[derive(Default)]
pub(super) struct Security {
    /// On every answer, in place of what the upstream says.
    always: Vec<Change>,
    sts: Option<HeaderValue>,
    /// Also over plain HTTP.
    sts_everywhere: bool,
    /// A request header with this value says that the client came by TLS.
    tls_marks: Vec<(HeaderName, HeaderValue)>,
    /// Hosts, ports included, that may be asked for; empty for any.
    allowed_hosts: Vec<String>,
    host_headers: Vec<HeaderName>,
}

impl Security {
    /// Whether the YAML names any of these options; `stsSeconds: 0` counts.
    pub(super) fn is_asked_for(spec: &Spec) -> bool {
        spec.sts_seconds.is_some()
            || [spec.sts_include_subdomains, spec.sts_preload, spec.force_sts_header, spec.is_development]
                .contains(&true)
            || !spec.allowed_hosts.is_empty()
            || !spec.hosts_proxy_headers.is_empty()
            || !spec.ssl_proxy_headers.is_empty()
            || texts(spec).iter().any(|(_, text, fixed)| text.is_some() || fixed.is_some())
    }

    pub(super) fn compile(spec: &Spec, errors: &mut Vec<SpecError>) -> Self {
        let mut security = Self { sts_everywhere: spec.force_sts_header, ..Self::default() };
        for (name, text, fixed) in texts(spec) {
            match text.as_ref().filter(|text| !text.value.is_empty()).map(value_of) {
                Some(Ok(value)) => security.always.push((name, Some(value))),
                Some(Err(error)) => errors.push(error),
                None => {
                    security.always.extend(fixed.map(|value| (name, Some(HeaderValue::from_static(value)))))
                }
            }
        }
        for (name, text) in &spec.ssl_proxy_headers {
            match name_of(name).map_err(|message| SpecError::at(text, message)) {
                Err(error) => errors.push(error),
                Ok(name) => match value_of(text) {
                    Ok(value) => security.tls_marks.push((name, value)),
                    Err(error) => errors.push(error),
                },
            }
        }
        for name in &spec.hosts_proxy_headers {
            match name_of(name) {
                Ok(name) => security.host_headers.push(name),
                Err(message) => errors.push(SpecError::whole(message)),
            }
        }
        // During development neither is wanted (Traefik, `isDevelopment`).
        if !spec.is_development {
            security.sts = sts(spec);
            security.allowed_hosts =
                spec.allowed_hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        }
        security
    }

    /// The answer to a request for a host that is not allowed. Traefik's status for it is 500.
    pub(super) fn refusal(&self, exchange: &Exchange, head: &dyn RequestHead) -> Option<Answer> {
        if self.allowed_hosts.is_empty() {
            return None;
        }
        let host = self.told_host(exchange, head).or_else(|| authority(head.uri(), head.map())).unwrap_or("");
        if self.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) {
            return None;
        }
        let path = exchange.path.text(head.uri().path());
        Some(short(StatusCode::INTERNAL_SERVER_ERROR, path, "This host is not served here."))
    }

    /// The host as a trusted proxy tells it in the first of `hostsProxyHeaders` that is there.
    fn told_host<'h>(&self, exchange: &Exchange, head: &'h dyn RequestHead) -> Option<&'h str> {
        if !exchange.is_through_proxy() {
            return None;
        }
        let mut values = self.host_headers.iter().flat_map(|name| head.map().get(name));
        // One that is no text is a host nobody allowed.
        values.find(|value| !value.is_empty()).map(|value| value.to_str().unwrap_or(""))
    }

    pub(super) fn respond(
        &self,
        exchange: &Exchange,
        request: &dyn RequestHead,
        response: &mut dyn ResponseHead,
    ) {
        apply(&self.always, response);
        let by_tls = || {
            let is_marked =
                |(name, value): &(HeaderName, HeaderValue)| request.map().get(name) == Some(value);
            exchange.scheme == Scheme::Https || self.tls_marks.iter().any(is_marked)
        };
        if let Some(sts) = self.sts.as_ref().filter(|_| self.sts_everywhere || by_tls()) {
            response.insert(STRICT_TRANSPORT_SECURITY, sts.clone());
        }
    }
}

/// Header, its text in YAML, and its text when only switched on.
fn texts(spec: &Spec) -> [(HeaderName, &Text, Option<&'static str>); 7] {
    [
        (X_FRAME_OPTIONS, &spec.custom_frame_options_value, spec.frame_deny.then_some("DENY")),
        (X_CONTENT_TYPE_OPTIONS, &None, spec.content_type_nosniff.then_some("nosniff")),
        (
            X_XSS_PROTECTION,
            &spec.custom_browser_xss_value,
            spec.browser_xss_filter.then_some("1; mode=block"),
        ),
        (CONTENT_SECURITY_POLICY, &spec.content_security_policy, None),
        (CONTENT_SECURITY_POLICY_REPORT_ONLY, &spec.content_security_policy_report_only, None),
        (REFERRER_POLICY, &spec.referrer_policy, None),
        (PERMISSIONS_POLICY, &spec.permissions_policy, None),
    ]
}

/// RFC 6797 section 6.1; zero seconds say nothing, as in Traefik.
fn sts(spec: &Spec) -> Option<HeaderValue> {
    let seconds = spec.sts_seconds.filter(|&seconds| seconds > 0)?;
    let mut text = format!("max-age={seconds}");
    if spec.sts_include_subdomains {
        text.push_str("; includeSubDomains");
    }
    if spec.sts_preload {
        text.push_str("; preload");
    }
    Some(HeaderValue::from_str(&text).expect("digits and letters"))
}
