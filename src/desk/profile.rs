//! The desk's profile answer, read only as far as it matters.
//!
//! Its notification list is unbounded and comes after the fields that count; reading stops before it.
//! Knows nothing of sessions or of HTTP.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// Who the desk says is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub user_id: String,
    pub email: String,
    pub name: String,
    pub language: String,
    /// Exactly the JSON value `true`.
    pub is_admin: bool,
}

/// Reads a growing body. Parses anew only when the body has doubled, so that many small pieces cost
/// no more than twice the whole.
#[derive(Debug, Default)]
pub struct Reader {
    next_look: usize,
}

impl Reader {
    /// The profile, if `body` (everything that came so far) already has all of its fields.
    pub fn more(&mut self, body: &[u8]) -> Option<Profile> {
        if body.len() < self.next_look {
            return None;
        }
        self.next_look = body.len().saturating_mul(2);
        let found = look(body).0;
        found.is_complete().then(|| found.profile()).flatten()
    }

    /// The profile of the complete `body`, if that is JSON and says who and whether admin.
    pub fn end(self, body: &[u8]) -> Option<Profile> {
        let (found, whole) = look(body);
        if whole || found.is_complete() { found.profile() } else { None }
    }
}

/// What was found, and whether the body was one whole JSON value.
fn look(body: &[u8]) -> (Found, bool) {
    let mut found = Found::default();
    let mut json = serde_json::Deserializer::from_slice(body);
    let whole = Answer(&mut found).deserialize(&mut json).is_ok() && json.end().is_ok();
    (found, whole)
}

#[derive(Debug, Default)]
struct Found {
    user_id: Option<Value>,
    email: Option<Value>,
    name: Option<Value>,
    language: Option<Value>,
    is_admin: Option<Value>,
}

impl Found {
    fn slot(&mut self, key: &str) -> Option<&mut Option<Value>> {
        match key {
            "id" => Some(&mut self.user_id),
            "email" => Some(&mut self.email),
            "name" => Some(&mut self.name),
            "language" => Some(&mut self.language),
            "isAdmin" => Some(&mut self.is_admin),
            _ => None,
        }
    }

    fn is_complete(&self) -> bool {
        [&self.user_id, &self.email, &self.name, &self.language, &self.is_admin]
            .iter()
            .all(|slot| slot.is_some())
    }

    fn profile(self) -> Option<Profile> {
        let Value::String(user_id) = self.user_id? else { return None };
        Some(Profile {
            user_id,
            email: text(self.email),
            name: text(self.name),
            language: text(self.language),
            is_admin: self.is_admin? == Value::Bool(true),
        })
    }
}

/// Names and languages may be null in the desk's database.
fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

/// `{"user": {…}}`.
struct Answer<'f>(&'f mut Found);

/// The object below `user`.
struct User<'f>(&'f mut Found);

impl<'de> DeserializeSeed<'de> for Answer<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Answer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a user")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "user" {
                map.next_value_seed(User(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for User<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for User<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a user")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match self.0.slot(&key) {
                Some(slot) => *slot = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if self.0.is_complete() {
                return Err(A::Error::custom("enough is known"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADMIN: &str = r#"{"user":{"id":"u1","email":"a@b.c","name":"Ann","isAdmin":true,"language":"en","#;

    fn at_end(body: &str) -> Option<Profile> {
        Reader::default().end(body.as_bytes())
    }

    fn says_admin(body: &str) -> bool {
        at_end(body).is_some_and(|profile| profile.is_admin)
    }

    #[test]
    fn reading_stops_before_the_notifications() {
        let body = format!("{ADMIN}\"notifcations\":[{{\"id\":");
        let profile = Reader::default().more(body.as_bytes()).expect("enough");
        assert!(profile.is_admin);
        assert_eq!((profile.user_id.as_str(), profile.language.as_str()), ("u1", "en"));
    }

    #[test]
    fn a_body_in_single_bytes_is_understood_once_its_fields_are_there() {
        let body = format!("{ADMIN}\"notifcations\":[]}}}}");
        for end in 0..ADMIN.rfind(",").expect("a comma") - 1 {
            assert_eq!(Reader::default().more(&body.as_bytes()[..end]), None, "{end}");
        }
        assert!(says_admin(&body));
    }

    #[test]
    fn text_inside_values_and_other_objects_says_nothing() {
        for body in [
            r#"{"user":{"id":"u1","name":"\"isAdmin\":true,","email":"","language":"en","isAdmin":false}}"#,
            r#"{"user":{"id":"u1","name":"x","email":"","language":"en","team":{"isAdmin":true},"isAdmin":false}}"#,
            r#"{"isAdmin":true,"user":{"id":"u1","name":"x","email":"","language":"en","isAdmin":false}}"#,
            r#"{"other":{"user":{"id":"u1","isAdmin":true}},"user":{"id":"u1","isAdmin":false}}"#,
        ] {
            assert!(!says_admin(body), "{body}");
        }
    }

    #[test]
    fn only_the_value_true_makes_an_admin() {
        for value in ["1", "\"true\"", "null", "[true]", "{\"a\":true}", "false"] {
            let body =
                format!(r#"{{"user":{{"id":"u1","email":"","name":"","language":"","isAdmin":{value}}}}}"#);
            assert!(!says_admin(&body), "{value}");
        }
    }

    #[test]
    fn what_is_not_a_whole_profile_makes_no_admin() {
        for body in [
            "",
            "null",
            "<html>",
            r#"{"user":{"isAdmin":true}}"#,
            r#"{"user":{"id":"u1","isAdmin":true}"#,
            r#"{"user":{"id":7,"isAdmin":true}}"#,
            r#"{"user":{"id":"u1","isAdmin":true}} trailing"#,
            r#"[{"user":{"id":"u1","isAdmin":true}}]"#,
        ] {
            assert!(!says_admin(body), "{body}");
        }
    }

    #[test]
    fn a_profile_without_a_language_is_still_one() {
        assert!(says_admin(r#"{"user":{"id":"u1","email":null,"isAdmin":true}}"#));
    }
}
