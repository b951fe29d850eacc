//! What the provider's redirect back says, read from the raw query.
//!
//! Anything a provider does not send is refused before the state is looked at: doubled or array
//! parameters, over-long values, control characters. Texts of the provider are never kept.

use crate::base::secret::SecretString;
use crate::oauth::grant::plain_word;

/// Longer queries are not read.
const QUERY_LIMIT: usize = 16 * 1024;
const VALUE_LIMIT: usize = 4096;

/// Why a callback is refused without touching any flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    #[error("the query or one of its values is too long")]
    TooLong,
    #[error("the query has characters that are not allowed")]
    Character,
    #[error("a parameter is there twice or as an array")]
    Doubled,
    #[error("the query has no state")]
    NoState,
    #[error("the query has neither exactly a code nor exactly an error")]
    NoAnswer,
}

/// A callback that can be looked up.
#[derive(Debug)]
pub struct Callback {
    pub state: SecretString,
    /// RFC 9207; Microsoft does not send it.
    pub issuer: Option<String>,
    pub answer: Answer,
}

/// What a provider sends a browser back with.
#[derive(Debug)]
pub enum Returned {
    SignIn(Callback),
    Consent(Consent),
}

/// An administrator's word on an app's permissions (Microsoft identity platform, "Admin consent"). It brings
/// no code and belongs to no flow.
#[derive(Debug)]
pub struct Consent {
    pub state: SecretString,
    /// OAuth `error`, and Microsoft's number where there is one; `None`: agreed.
    pub refused: Option<(String, Option<u32>)>,
}

/// What the provider decided.
#[derive(Debug)]
pub enum Answer {
    Code(SecretString),
    /// A plain word of RFC 6749, section 4.1.2.1, or empty; and the number of Microsoft's message.
    Error {
        error: String,
        code: Option<u32>,
    },
}

#[derive(Default)]
struct Known {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    issuer: Option<String>,
    admin_consent: Option<String>,
}

impl Callback {
    /// Reads the query of a sign-in, without its question mark.
    pub fn parse(query: &str) -> Result<Self, CallbackError> {
        match Returned::parse(query)? {
            Returned::SignIn(callback) => Ok(callback),
            Returned::Consent(_) => Err(CallbackError::NoAnswer),
        }
    }
}

impl Returned {
    /// Reads the query, without its question mark.
    pub fn parse(query: &str) -> Result<Self, CallbackError> {
        if query.len() > QUERY_LIMIT {
            return Err(CallbackError::TooLong);
        }
        let mut known = Known::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            check_characters(&name)?;
            check_characters(&value)?;
            if name.len() > VALUE_LIMIT || value.len() > VALUE_LIMIT {
                return Err(CallbackError::TooLong);
            }
            known.add(&name, value.into_owned())?;
        }
        known.returned()
    }
}

impl Known {
    fn add(&mut self, name: &str, value: String) -> Result<(), CallbackError> {
        let (bare, is_array) = match name.split_once('[') {
            Some((bare, _)) => (bare, true),
            None => (name, false),
        };
        let place = match bare {
            "state" => &mut self.state,
            "code" => &mut self.code,
            "error" => &mut self.error,
            "error_description" => &mut self.error_description,
            "iss" => &mut self.issuer,
            "admin_consent" => &mut self.admin_consent,
            _ => return Ok(()),
        };
        if is_array || place.replace(value).is_some() {
            return Err(CallbackError::Doubled);
        }
        Ok(())
    }

    fn returned(self) -> Result<Returned, CallbackError> {
        let state = self.state.filter(|state| !state.is_empty()).ok_or(CallbackError::NoState)?;
        let state = SecretString::from(state);
        let is_consent = self.admin_consent.is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let answer = match (self.code, self.error) {
            (None, error) if is_consent => {
                let number = self.error_description.as_deref().and_then(message_number);
                let refused = error.map(|error| (word(&error), number));
                return Ok(Returned::Consent(Consent { state, refused }));
            }
            (Some(code), None) if !code.is_empty() => Answer::Code(SecretString::from(code)),
            (None, Some(error)) => Answer::Error {
                error: word(&error),
                code: self.error_description.as_deref().and_then(message_number),
            },
            _ => return Err(CallbackError::NoAnswer),
        };
        Ok(Returned::SignIn(Callback { state, issuer: self.issuer, answer }))
    }
}

/// A plain word of RFC 6749, or nothing.
fn word(error: &str) -> String {
    plain_word(error).unwrap_or_default().to_owned()
}

fn check_characters(text: &str) -> Result<(), CallbackError> {
    // U+FFFD is what invalid UTF-8 was decoded to.
    let allowed = |character: char| !character.is_control() && character != '\u{FFFD}';
    if text.chars().all(allowed) { Ok(()) } else { Err(CallbackError::Character) }
}

/// The number in `AADSTS65004: …`.
fn message_number(description: &str) -> Option<u32> {
    let rest = description.trim_start().strip_prefix("AADSTS")?;
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::ExposeSecret;

    #[test]
    fn a_code_is_read() {
        let callback = Callback::parse("code=0.AX%2Bx&state=abc&session_state=zz").expect("a callback");
        let Answer::Code(code) = callback.answer else { panic!("a code") };
        assert_eq!(code.expose_secret(), "0.AX+x");
        assert_eq!(callback.state.expose_secret(), "abc");
    }

    #[test]
    fn an_error_keeps_its_word_and_number_and_loses_its_text() {
        let query = "error=access_denied&error_description=AADSTS65004%3a+User+declined.&state=abc";
        let callback = Callback::parse(query).expect("a callback");
        let Answer::Error { error, code } = callback.answer else { panic!("an error") };
        assert_eq!((error.as_str(), code), ("access_denied", Some(65004)));
        let odd = Callback::parse("error=%3Cscript%3E&state=abc").expect("a callback");
        assert!(matches!(odd.answer, Answer::Error { error, code: None } if error.is_empty()));
    }

    #[test]
    fn doubled_and_array_parameters_are_refused() {
        for query in [
            "code=a&code=a&state=s",
            "code=a&state=s&state=s",
            "error=a&error=b&state=s",
            "code[]=a&state=s",
            "code=a&state[0]=s",
            "code%5B%5D=a&state=s",
            "code=a&state=s&iss=x&iss=x",
        ] {
            assert_eq!(Callback::parse(query).err(), Some(CallbackError::Doubled), "{query}");
        }
    }

    #[test]
    fn long_values_and_control_characters_are_refused() {
        let long = format!("code={}&state=s", "a".repeat(4097));
        assert_eq!(Callback::parse(&long).err(), Some(CallbackError::TooLong));
        let longest = format!("code={}&state=s", "a".repeat(4096));
        assert!(Callback::parse(&longest).is_ok());
        for query in
            ["code=a%00&state=s", "code=a&state=s%0d%0aX", "code=%ff&state=s", "x%07=1&code=a&state=s"]
        {
            assert_eq!(Callback::parse(query).err(), Some(CallbackError::Character), "{query}");
        }
    }

    #[test]
    fn a_callback_without_state_or_with_code_and_error_is_refused() {
        assert_eq!(Callback::parse("code=a").err(), Some(CallbackError::NoState));
        assert_eq!(Callback::parse("code=a&state=").err(), Some(CallbackError::NoState));
        for query in ["state=s", "code=&state=s", "code=a&error=b&state=s"] {
            assert_eq!(Callback::parse(query).err(), Some(CallbackError::NoAnswer), "{query}");
        }
    }

    fn consent(query: &str) -> Option<Consent> {
        match Returned::parse(query) {
            Ok(Returned::Consent(consent)) => Some(consent),
            Ok(Returned::SignIn(_)) | Err(_) => None,
        }
    }

    #[test]
    fn an_agreement_and_a_refusal_are_told_apart_from_sign_ins() {
        let agreed = consent("admin_consent=True&tenant=t&state=s1").expect("an answer");
        assert!(agreed.refused.is_none() && agreed.state.expose_secret() == "s1");
        let query = "error=access_denied&error_description=AADSTS65004%3a+No.&admin_consent=True&state=s1";
        let refused = consent(query).expect("an answer").refused;
        assert_eq!(refused, Some(("access_denied".to_owned(), Some(65_004))));
        for other in [
            "code=a&state=s1",
            "code=a&state=s1&admin_consent=True",
            "error=access_denied&state=s1",
            "admin_consent=False&state=s1",
            "admin_consent=True",
            "admin_consent=True&admin_consent=True&state=s1",
            "",
        ] {
            assert!(consent(other).is_none(), "{other}");
        }
    }
}
