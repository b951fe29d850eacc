//! Form fields with what was entered and what is wrong with it.

use std::sync::Arc;

use serde::{Deserialize, Deserializer};

use crate::base::secret::SecretString;
use crate::console::language::Texts;

/// A field of a form. A secret is never given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Also its id on the page, and the message key after `field-`.
    pub name: &'static str,
    pub value: String,
    /// Sentence on what is wrong.
    pub error: Option<String>,
    /// Input type.
    pub kind: &'static str,
    /// Value of `autocomplete`.
    pub complete: &'static str,
    pub required: bool,
    /// Sentence on where the value comes from.
    pub origin: Option<String>,
}

impl Field {
    pub fn new(name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        Self { name, value, error: None, kind: "text", complete: "off", required: false, origin: None }
    }

    pub fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    pub fn complete(self, complete: &'static str) -> Self {
        Self { complete, ..self }
    }

    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub fn failing(self, error: Option<String>) -> Self {
        Self { error, ..self }
    }

    pub fn from(self, origin: impl ToString) -> Self {
        Self { origin: Some(origin.to_string()), ..self }
    }

    pub fn label_key(&self) -> String {
        format!("field-{}", self.name)
    }

    /// Whether the catalogue has a hint for the field.
    pub fn hint(&self, t: &Arc<Texts>) -> Option<String> {
        let key = format!("field-{}.hint", self.name);
        t.knows(&key).then(|| t.say(&key).to_string())
    }

    /// Value of `aria-describedby`; empty when nothing describes it.
    pub fn described_by(&self, t: &Arc<Texts>) -> String {
        let hint = self.hint(t).map(|_| format!("{}-hint", self.name));
        let origin = self.origin.as_ref().map(|_| format!("{}-origin", self.name));
        let error = self.error.as_ref().map(|_| format!("{}-error", self.name));
        hint.into_iter().chain(origin).chain(error).collect::<Vec<_>>().join(" ")
    }
}

/// Reads a secret that was entered.
pub fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// The fields that are wrong, for the summary at the top.
pub fn wrong(fields: &[Field]) -> Vec<&Field> {
    fields.iter().filter(|field| field.error.is_some()).collect()
}
