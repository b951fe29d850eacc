//! `chain`: a name for several middlewares in a row.
//!
//! Has no runtime form: the configuration puts the members in its place, and finds circles.

use serde::Deserialize;

use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    middlewares: Vec<String>,
}

impl Checked for Spec {
    fn compile(&self, _parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        Err(vec![SpecError::whole("a chain is replaced by its members, never run")])
    }

    fn chain(&self) -> Option<&[String]> {
        Some(&self.middlewares)
    }
}
