//! One question of a detection and what came of it: in English, and as codes that stay, for machines and for
//! pages in other languages.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::mailbox::detect::autoconfig::AutoconfigError;
use crate::mailbox::detect::greeting::GreetingError;
use crate::mailbox::detect::outside::OutsideError;
use crate::net::names::NamesError;
use crate::net::reach::ReachError;
use crate::net::stranger::StrangerError;

/// One question and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `mx`, `srv _imaps._tcp`, `https autoconfig.example.com`.
    pub step: String,
    pub result: String,
    #[serde(rename = "ms", serialize_with = "milliseconds")]
    pub took: Duration,
    pub question: Question,
    /// What in particular was asked about, such as a server; may be empty.
    #[serde(skip)]
    pub about: String,
    pub answer: Answer,
    /// What stands in the answer: names, a status, seconds; may be empty.
    #[serde(skip)]
    pub what: String,
}

fn milliseconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

macro_rules! codes {
    ($(#[$about:meta])* $kind:ident { $($(#[$comment:meta])* $name:ident = $code:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $kind { $($(#[$comment])* $name,)* }

        impl $kind {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }

        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }
    };
}

codes! {
    /// What was asked.
    Question {
        Exchangers = "exchangers",
        Service = "service",
        Policy = "policy",
        Alias = "alias",
        File = "file",
        Greeting = "greeting",
    }
}

codes! {
    /// What came of a question.
    Answer {
        /// What is listed.
        Found = "found",
        Nothing = "nothing",
        NamesServer = "namesServer",
        NamesNoServer = "namesNoServer",
        NoSuchName = "noSuchName",
        NamesUnanswered = "namesUnanswered",
        Late = "late",
        NotPublic = "notPublic",
        NotCalled = "notCalled",
        NoConnection = "noConnection",
        NoTrust = "noTrust",
        Status = "status",
        NoFile = "noFile",
        NotMail = "notMail",
        NoEncryption = "noEncryption",
        Broken = "broken",
    }
}

/// Why there is no answer, as a code and what stands in it.
pub(super) trait Wrong: std::error::Error {
    fn wrong(&self) -> (Answer, String);
}

impl Wrong for OutsideError {
    fn wrong(&self) -> (Answer, String) {
        match self {
            Self::Names(error) => (names(error), String::new()),
            Self::Stranger(error) => stranger(error),
            Self::Greeting(error) => greeting(error),
            Self::Late { after } => (Answer::Late, after.as_secs().to_string()),
        }
    }
}

impl Wrong for AutoconfigError {
    fn wrong(&self) -> (Answer, String) {
        (Answer::NoFile, String::new())
    }
}

fn names(error: &NamesError) -> Answer {
    match error {
        NamesError::NoSuchName | NamesError::Name { .. } => Answer::NoSuchName,
        NamesError::Unanswered(_) | NamesError::SetUp(_) => Answer::NamesUnanswered,
    }
}

fn stranger(error: &StrangerError) -> (Answer, String) {
    let answer = match error {
        StrangerError::Names { source, .. } => names(source),
        StrangerError::Refused { source: ReachError::Private, .. } => Answer::NotPublic,
        StrangerError::Refused { source: ReachError::Nothing, .. } => Answer::NoSuchName,
        StrangerError::Refused { source: ReachError::Port { .. }, .. } | StrangerError::Url { .. } => {
            Answer::NotCalled
        }
        StrangerError::Connect { .. } => Answer::NoConnection,
        StrangerError::Tls { .. } | StrangerError::Certificates { .. } => Answer::NoTrust,
        StrangerError::Status { status, .. } => return (Answer::Status, status.to_string()),
        // A connection that is not made, and one without trust, both arrive as this.
        StrangerError::Http { .. } => Answer::NoConnection,
        StrangerError::TooLarge { .. } | StrangerError::Redirects { .. } => Answer::NoFile,
    };
    (answer, String::new())
}

fn greeting(error: &GreetingError) -> (Answer, String) {
    match error {
        GreetingError::Stranger(error) => stranger(error),
        GreetingError::Broken(_) => (Answer::Broken, String::new()),
        GreetingError::NoEncryption => (Answer::NoEncryption, String::new()),
        GreetingError::NotMail | GreetingError::Injected | GreetingError::TooLong => {
            (Answer::NotMail, String::new())
        }
    }
}
