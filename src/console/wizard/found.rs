//! What a draft keeps of a detection, and the messages that tell of it.

use crate::console::language::Texts;
use crate::console::wizard::draft::{Found, Looked, PasswordUse};
use crate::mailbox::detect::step::Step;
use crate::mailbox::detect::{AddressError, AppPassword, Detection, Way};

impl Found {
    pub fn of(detection: &Detection) -> Self {
        Self {
            provider: detection.vendor(),
            name: detection.provider.as_ref().map(|provider| provider.name.clone()).unwrap_or_default(),
            password: password(detection),
            incoming: detection.incoming.clone(),
            outgoing: detection.outgoing.clone(),
            looked: detection.evidence.iter().map(looked).collect(),
            warnings: detection.warnings.iter().map(|warning| warning.code().to_owned()).collect(),
        }
    }
}

fn looked(step: &Step) -> Looked {
    Looked {
        question: step.question.code().to_owned(),
        about: step.about.clone(),
        answer: step.answer.code().to_owned(),
        what: step.what.clone(),
    }
}

/// A question and its answer in the reader's words.
pub fn told(looked: &Looked, t: &Texts) -> String {
    let question = t.say(format!("question-{}", looked.question)).set("about", &looked.about);
    let answer = t.say(format!("answer-{}", looked.answer)).set("what", &looked.what);
    t.say("looked").set("question", question).set("answer", answer).to_string()
}

fn password(detection: &Detection) -> PasswordUse {
    if detection.password_refused.is_some() {
        return PasswordUse::Refused;
    }
    let ways = detection.sign_in.iter().find_map(|way| match way {
        Way::Password { app_password, help_url, .. } => Some((app_password, help_url)),
        Way::OAuth { .. } => None,
    });
    match ways {
        Some((AppPassword::Required | AppPassword::WithTwoFactor, help)) => {
            PasswordUse::AppPassword { help: help.clone() }
        }
        _ => PasswordUse::Accepted,
    }
}

/// Message key of why an address is refused.
pub fn refusal_key(refused: AddressError) -> &'static str {
    match refused {
        AddressError::NotAnAddress => "address-none",
        AddressError::TooLong | AddressError::LocalTooLong => "address-long",
        AddressError::Local { .. } | AddressError::LocalDots | AddressError::Invisible => {
            "address-characters"
        }
        AddressError::Domain | AddressError::IpAddress => "address-domain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::language::Languages;
    use crate::mailbox::detect::step::{Answer, Question};

    #[test]
    fn every_question_and_every_answer_has_its_words_in_every_language() {
        let languages = Languages::new();
        for language in ["en", "de"] {
            let t = languages.pick(Some(language), None);
            let questions = Question::ALL.iter().map(|question| format!("question-{}", question.code()));
            let answers = Answer::ALL.iter().map(|answer| format!("answer-{}", answer.code()));
            for key in questions.chain(answers) {
                assert!(t.knows(&key), "{language}: {key}");
            }
        }
    }

    #[test]
    fn evidence_is_told_in_the_readers_language() {
        let looked = Looked {
            question: "greeting".to_owned(),
            about: "imap.desk.example:993".to_owned(),
            answer: "late".to_owned(),
            what: "3".to_owned(),
        };
        let languages = Languages::new();
        for (language, expected) in [
            ("en", "Server imap.desk.example:993: no answer within 3 s"),
            ("de", "Server imap.desk.example:993: keine Antwort innerhalb von 3 s"),
        ] {
            assert_eq!(told(&looked, languages.pick(Some(language), None)), expected);
        }
    }
}
