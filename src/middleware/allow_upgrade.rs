//! `plugin: allowUpgrade`: lets a router's requests turn into WebSockets.
//!
//! Only says so; the gateway, which refuses `Upgrade:` everywhere else, does the rest.

use serde::Deserialize;

use crate::middleware::Middleware;
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {}

struct AllowUpgrade;

impl Checked for Spec {
    fn compile(&self, _parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        Ok(Compiled::clean(AllowUpgrade))
    }
}

impl Middleware for AllowUpgrade {
    fn allows_upgrade(&self) -> bool {
        true
    }
}
