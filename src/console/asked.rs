//! What the address of a page asks for behind the question mark, each name once. What it means, the page knows.

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;

use crate::base::id::MailboxId;
use crate::console::page::{self, Page};

/// The pairs of a query.
pub struct Asked(Vec<(String, String)>);

impl Asked {
    /// The value of `name`; an empty one counts as none.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value of `name`, read.
    ///
    /// # Errors
    /// The page "not found", when the value cannot be read: then there is no such list.
    pub fn read<T>(&self, name: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Page> {
        self.value(name).map(|text| read(text).ok_or_else(not_found)).transpose()
    }

    /// The number of the entry behind which a list goes on.
    pub fn before(&self) -> Result<Option<i64>, Page> {
        self.read("before", |text| text.parse().ok().filter(|&id: &i64| id > 0))
    }

    pub fn mailbox(&self) -> Result<Option<MailboxId>, Page> {
        self.read("mailbox", MailboxId::parse)
    }
}

pub fn not_found() -> Page {
    page::problem(StatusCode::NOT_FOUND, &page::NOT_FOUND)
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Page;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Page> {
        let query = parts.uri.query().unwrap_or_default();
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(not_found());
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }
}

/// An address of ours with a query; pairs without a value are left out.
pub fn address(path: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    match query.finish().as_str() {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}
