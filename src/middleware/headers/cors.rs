//! Cross-origin requests: the preflight is answered here, other answers get their headers (Fetch
//! standard, "CORS protocol").

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, HeaderName, HeaderValue,
    ORIGIN, VARY,
};
use http::{HeaderMap, Method, Response};
use regex::bytes::Regex;

use super::spec::Spec;
use crate::middleware::registry::SpecError;
use crate::rule::read_pattern;
use crate::web::answer::Answer;
use crate::web::head::{Headers, RequestHead, ResponseHead};

pub(super) struct Cors {
    origins: Vec<HeaderValue>,
    /// Unanchored, as in Traefik.
    patterns: Vec<Regex>,
    credentials: bool,
    headers: Option<HeaderValue>,
    methods: Option<HeaderValue>,
    exposed: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
    vary: bool,
}

impl Cors {
    pub(super) fn is_asked_for(spec: &Spec) -> bool {
        spec.access_control_allow_credentials
            || spec.add_vary_header
            || spec.access_control_max_age.is_some()
            || !spec.access_control_allow_origin_list_regex.is_empty()
            || [
                &spec.access_control_allow_headers,
                &spec.access_control_allow_methods,
                &spec.access_control_allow_origin_list,
                &spec.access_control_expose_headers,
            ]
            .iter()
            .any(|list| !list.is_empty())
    }

    pub(super) fn compile(spec: &Spec, errors: &mut Vec<SpecError>) -> Option<Self> {
        if !Self::is_asked_for(spec) {
            return None;
        }
        let mut patterns = Vec::new();
        for text in &spec.access_control_allow_origin_list_regex {
            match read_pattern(&text.value) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => errors.push(SpecError::at(text, error.to_string())),
            }
        }
        let mut line = |name: &str, texts: &[String]| match HeaderValue::from_str(&texts.join(",")) {
            Ok(value) => (!texts.is_empty()).then_some(value),
            Err(_) => {
                errors.push(SpecError::whole(format!("`{name}` has an entry that cannot stand in a header")));
                None
            }
        };
        let headers = line("accessControlAllowHeaders", &spec.access_control_allow_headers);
        let methods = line("accessControlAllowMethods", &spec.access_control_allow_methods);
        let exposed = line("accessControlExposeHeaders", &spec.access_control_expose_headers)
            .filter(|exposed| !(spec.access_control_allow_credentials && has_star(exposed)));
        let origins = spec.access_control_allow_origin_list.iter();
        let origins = origins
            .filter_map(|origin| line("accessControlAllowOriginList", std::slice::from_ref(origin)))
            .collect();
        let max_age = spec.access_control_max_age.map(HeaderValue::from);
        let credentials = spec.access_control_allow_credentials;
        Some(Self {
            origins,
            patterns,
            credentials,
            headers,
            methods,
            exposed,
            max_age,
            vary: spec.add_vary_header,
        })
    }

    /// What the answer names as allowed: the listed `*`, or the request's own origin.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN);
        let listed = self.origins.iter().find(|&listed| listed == "*" || Some(listed) == origin);
        listed.cloned().or_else(|| {
            let origin = origin?;
            self.patterns.iter().any(|pattern| pattern.is_match(origin.as_bytes())).then(|| origin.clone())
        })
    }

    /// What a preflight is told of a list. With credentials browsers take `*` for a name and not for everything, so
    /// what was asked for is named in its place.
    fn asked(&self, list: &Option<HeaderValue>, headers: &HeaderMap, by: HeaderName) -> Option<HeaderValue> {
        let list = list.as_ref()?;
        if self.credentials && has_star(list) { headers.get(by).cloned() } else { Some(list.clone()) }
    }

    /// The answer to a preflight; `None` for any other request.
    pub(super) fn preflight(&self, head: &dyn RequestHead) -> Option<Answer> {
        let asks = head.map().contains_key(ACCESS_CONTROL_REQUEST_METHOD) && head.map().contains_key(ORIGIN);
        if !asks || *head.method() != Method::OPTIONS {
            return None;
        }
        let mut answer = Response::new(Bytes::new());
        let headers = answer.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let lines = [
            (
                ACCESS_CONTROL_ALLOW_HEADERS,
                self.asked(&self.headers, head.map(), ACCESS_CONTROL_REQUEST_HEADERS),
            ),
            (
                ACCESS_CONTROL_ALLOW_METHODS,
                self.asked(&self.methods, head.map(), ACCESS_CONTROL_REQUEST_METHOD),
            ),
            (ACCESS_CONTROL_MAX_AGE, self.max_age.clone()),
            (ACCESS_CONTROL_ALLOW_ORIGIN, self.allowed(head.map())),
            (ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed.clone()),
        ];
        for (name, value) in lines {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        Some(answer)
    }

    pub(super) fn respond(&self, request: &dyn RequestHead, response: &mut dyn ResponseHead) {
        if let Some(origin) = self.allowed(request.map()) {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        if self.credentials {
            response.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if let Some(exposed) = &self.exposed {
            response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
        if self.vary {
            let headers: &mut dyn Headers = response;
            add_vary(headers);
        }
    }
}

fn has_star(list: &HeaderValue) -> bool {
    list.as_bytes().split(|&byte| byte == b',').any(|entry| entry == b"*")
}

/// Adds `Origin` to the Vary header's one line.
fn add_vary(headers: &mut dyn Headers) {
    let lines: Vec<&[u8]> = headers.map().get_all(VARY).iter().map(HeaderValue::as_bytes).collect();
    let told = lines.join(&b","[..]);
    if told.split(|&byte| byte == b',').any(|name| name.trim_ascii().eq_ignore_ascii_case(b"origin")) {
        return;
    }
    let both = if told.is_empty() { b"Origin".to_vec() } else { [&told, &b",Origin"[..]].concat() };
    if let Ok(value) = HeaderValue::from_bytes(&both) {
        headers.insert(VARY, value);
    }
}
