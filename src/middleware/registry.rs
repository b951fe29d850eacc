//! Which key in YAML makes which middleware.
//!
//! The two tables at the end of the code are the only list there is: a new middleware is its file, one
//! `mod` line and one row here. What a middleware does is its own file's business.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_yaml::Spanned;

use crate::base::audit::Audit;
use crate::base::clock::Clock;
use crate::desk::admin::Admins;
use crate::middleware::Middleware;
use crate::middleware::{
    admin_only, allow_upgrade, chain, content_security_policy, harden_cookies, headers, in_flight_req,
    ip_allow_list, login_brake, rate_limit, redirect_scheme, secure_headers, session_shield,
};
use crate::web::cookie::Hardening;

/// Where in the file something stands; 1-based.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

impl Place {
    /// Where `value` was written; `None` when the YAML did not come from text.
    pub fn of<T>(value: &Spanned<T>) -> Option<Self> {
        let (line, column) = (value.defined.line(), value.defined.column());
        (line > 0).then_some(Self { line, column })
    }
}

/// A value that parses as YAML but cannot work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    /// Where the wrong value stands, when it is narrower than the whole middleware.
    pub place: Option<Place>,
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl SpecError {
    /// About the middleware as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { place: None, message: message.into(), hint: None }
    }

    /// About one value.
    pub fn at<T>(value: &Spanned<T>, message: impl Into<String>) -> Self {
        Self { place: Place::of(value), message: message.into(), hint: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What compiled middlewares are given from outside the YAML.
pub struct Parts {
    pub clock: Arc<dyn Clock>,
    pub admins: Arc<Admins>,
    /// `EXCHANGE_COOKIE_*`, or the strict default.
    pub cookies: Hardening,
    /// Cookies of upstreams that nobody could read.
    pub dropped_cookies: Counter,
    /// Who has tried how often to sign in.
    pub attempts: Arc<login_brake::Attempts>,
    /// The sessions behind every router's shield, and the way to the desk.
    pub shield: Arc<session_shield::Means>,
    pub audit: Audit,
}

/// A compiled middleware and what was odd about its YAML.
pub struct Compiled {
    pub runs: Arc<dyn Middleware>,
    pub warnings: Vec<SpecError>,
}

impl Compiled {
    /// Nothing was odd.
    pub fn clean(runs: impl Middleware + 'static) -> Self {
        Self { runs: Arc::new(runs), warnings: Vec::new() }
    }
}

/// The YAML of one middleware, read but not yet checked.
pub trait Spec: fmt::Debug + Send + Sync {
    /// Checks the values; all problems at once.
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>>;

    /// Names of the members of a chain.
    fn chain(&self) -> Option<&[String]> {
        None
    }
}

/// The value of one entry under `http.middlewares`: exactly one known key.
#[derive(Debug, Clone)]
pub struct MiddlewareSpec {
    key: &'static str,
    spec: Arc<dyn Spec>,
}

impl MiddlewareSpec {
    /// The key as written in YAML: `ipAllowList`, `plugin.adminOnly`.
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// Names of the members if this is a `chain`, which has no runtime form of its own.
    pub fn chain(&self) -> Option<&[String]> {
        self.spec.chain()
    }

    /// Checks the values; all problems at once. Not called for a chain.
    pub fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        self.spec.compile(parts)
    }
}

impl<'de> Deserialize<'de> for MiddlewareSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Entry::<Traefik>(PhantomData).deserialize(deserializer)
    }
}

/// One level of keys.
trait Table {
    const KEYS: &'static [&'static str];

    /// Reads the value that belongs to the key `written`; keys match without regard to case, as
    /// Traefik's do.
    fn read<'de, A: MapAccess<'de>>(written: &str, map: &mut A) -> Result<MiddlewareSpec, A::Error>;
}

/// A mapping with exactly one key of the table.
struct Entry<T>(PhantomData<T>);

impl<'de, T: Table> DeserializeSeed<'de> for Entry<T> {
    type Value = MiddlewareSpec;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<MiddlewareSpec, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Table> Visitor<'de> for Entry<T> {
    type Value = MiddlewareSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a mapping with exactly one of the keys {}", T::KEYS.join(", "))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MiddlewareSpec, A::Error> {
        let Some(written) = map.next_key::<String>()? else {
            return Err(A::Error::invalid_length(0, &self));
        };
        let spec = T::read(&written, &mut map)?;
        match map.next_key::<String>()? {
            None => Ok(spec),
            Some(second) => Err(A::Error::custom(format_args!(
                "a middleware has one key; `{second}` is a second one beside `{written}`"
            ))),
        }
    }
}

macro_rules! table {
    ($(#[$doc:meta])* $name:ident $prefix:literal: $($key:literal => $spec:ty,)+ $(; $outer:literal => $inner:ident)?) => {
        $(#[$doc])*
        struct $name;

        impl Table for $name {
            const KEYS: &'static [&'static str] = &[$($key,)+ $($outer)?];

            fn read<'de, A: MapAccess<'de>>(written: &str, map: &mut A) -> Result<MiddlewareSpec, A::Error> {
                $(if written.eq_ignore_ascii_case($key) {
                    let spec: Option<$spec> = map.next_value()?;
                    let spec = Arc::new(spec.unwrap_or_default());
                    return Ok(MiddlewareSpec { key: concat!($prefix, $key), spec });
                })+
                $(if written.eq_ignore_ascii_case($outer) {
                    return map.next_value_seed(Entry::<$inner>(PhantomData));
                })?
                Err(de::Error::unknown_field(written, Self::KEYS))
            }
        }
    };
}

table! {
    /// Traefik's own middlewares.
    Traefik "":
    "chain" => chain::Spec,
    "headers" => headers::Spec,
    "inFlightReq" => in_flight_req::Spec,
    "ipAllowList" => ip_allow_list::Spec,
    "rateLimit" => rate_limit::Spec,
    "redirectScheme" => redirect_scheme::Spec,
    ; "plugin" => Plugin
}

table! {
    /// Ours, where Traefik keeps what is not its own.
    Plugin "plugin.":
    "adminOnly" => admin_only::Spec,
    "allowUpgrade" => allow_upgrade::Spec,
    "contentSecurityPolicy" => content_security_policy::Spec,
    "hardenCookies" => harden_cookies::Spec,
    "loginBrake" => login_brake::Spec,
    "secureHeaders" => secure_headers::Spec,
    "sessionShield" => session_shield::Spec,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<MiddlewareSpec, String> {
        serde_yaml::from_str(yaml).map_err(|error: serde_yaml::Error| error.to_string())
    }

    #[test]
    fn one_key_makes_one_middleware() {
        assert_eq!(read("ipAllowList: {sourceRange: [10.0.0.0/8]}").expect("a spec").key(), "ipAllowList");
        assert_eq!(read("plugin: {allowUpgrade: {}}").expect("a spec").key(), "plugin.allowUpgrade");
        assert_eq!(read("plugin:\n  allowUpgrade:\n").expect("a spec").key(), "plugin.allowUpgrade");
    }

    #[test]
    fn keys_match_without_regard_to_case() {
        assert_eq!(read("IPALLOWLIST: {}").expect("a spec").key(), "ipAllowList");
    }

    #[test]
    fn a_second_key_is_refused() {
        let error = read("chain: {middlewares: [a]}\nipAllowList: {}\n").expect_err("two keys");
        assert!(error.contains("`ipAllowList` is a second one beside `chain`"), "{error}");
    }

    #[test]
    fn no_key_or_no_mapping_is_refused() {
        for yaml in ["{}", "plugin: {}"] {
            let error = read(yaml).expect_err(yaml);
            assert!(error.contains("exactly one of the keys"), "{yaml}: {error}");
        }
        for yaml in ["[]", "text"] {
            assert!(read(yaml).is_err(), "{yaml}");
        }
    }

    #[test]
    fn an_unknown_key_is_answered_with_the_known_ones() {
        let error = read("ipAlowList: {}").expect_err("unknown");
        assert!(error.contains("ipAlowList") && error.contains("ipAllowList"), "{error}");
        let error = read("plugin: {adminsOnly: {}}").expect_err("unknown");
        assert!(error.contains("adminsOnly") && error.contains("allowUpgrade"), "{error}");
    }

    #[test]
    fn an_unknown_key_inside_is_refused_with_its_place() {
        let error = read("ipAllowList:\n  sourceRanges: []\n").expect_err("unknown");
        assert!(error.contains("sourceRange") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn a_chain_tells_its_members() {
        let spec = read("chain: {middlewares: [a, b]}").expect("a chain");
        assert_eq!(spec.chain(), Some(&["a".to_owned(), "b".to_owned()][..]));
    }
}
