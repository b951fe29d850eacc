//! Why something happened, in the reader's language as far as the words are known: advice by its key, fixed words
//! of the worker by their letters. What another server said stays as it is, and pages mark it as English.

use crate::console::advice::{About, Explained};
use crate::console::language::Texts;

/// A reason as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    /// It is not known in the reader's language.
    pub english: bool,
}

/// What a noted reason says.
pub fn said(reason: &str, t: &Texts) -> Said {
    if let Some(explained) = Explained::of_reason(reason, About::default(), t) {
        return Said { text: explained.happened, english: false };
    }
    match fixed(reason, t) {
        Some(text) => Said { text, english: false },
        None => Said { text: reason.to_owned(), english: true },
    }
}

/// Fixed words of the worker, which may have a name or somebody's own words behind them.
pub fn fixed(reason: &str, t: &Texts) -> Option<String> {
    let known = |words: &str| {
        let key = key_of(words);
        t.knows(&key).then(|| t.say(key).to_string())
    };
    if let Some(whole) = known(reason) {
        return Some(whole);
    }
    [": ", " ("].into_iter().find_map(|behind| {
        let (words, rest) = reason.split_once(behind)?;
        known(words).map(|words| format!("{words}{behind}{rest}"))
    })
}

/// The message of fixed words.
fn key_of(words: &str) -> String {
    let letter = |one: char| if one.is_ascii_alphanumeric() { one.to_ascii_lowercase() } else { '-' };
    "reason-".chars().chain(words.chars().map(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::language::Languages;

    #[test]
    fn fixed_words_are_translated_and_what_stands_behind_them_stays() {
        let languages = Languages::new();
        let german = languages.pick(Some("de"), None);
        for (reason, expected) in [
            ("the same mail was there before", "dieselbe Mail war schon da"),
            ("left alone by an operator: spam", "von einem Administrator unbearbeitet gelassen: spam"),
            ("an automatic reply (X-Auto-Reply: yes)", "eine automatische Antwort (X-Auto-Reply: yes)"),
        ] {
            assert_eq!(said(reason, german), Said { text: expected.to_owned(), english: false });
        }
        let unknown = "451 4.7.1 greylisted: come back";
        assert_eq!(said(unknown, german), Said { text: unknown.to_owned(), english: true });
        assert!(!said("status 500 [desk-refused]", german).english);
    }

    #[test]
    fn every_word_that_is_translated_is_one_that_the_program_says() {
        let english = include_str!("locales/en/reasons.ftl");
        let sources = [
            include_str!("../mail/decide.rs"),
            include_str!("../mail/read/mod.rs"),
            include_str!("../store/by_hand.rs"),
            include_str!("../token/refreshing.rs"),
            include_str!("../worker/fetch_again.rs"),
            include_str!("../worker/judge.rs"),
            include_str!("../worker/limits.rs"),
            include_str!("../worker/process.rs"),
            include_str!("../worker/reading.rs"),
            include_str!("../worker/send.rs"),
            include_str!("../worker/stranded.rs"),
        ];
        let words = english.lines().filter_map(|line| line.split_once(" = "));
        let mut count = 0;
        for (key, text) in words {
            assert_eq!(key_of(text), key);
            let literal = text.replace("registered at Microsoft", "registered at {}");
            let literal = literal.replace("registered at Google", "registered at {}").replace("20 s", "{} s");
            assert!(sources.iter().any(|source| source.contains(&literal)), "nobody says `{text}`");
            count += 1;
        }
        assert!(count > 20);
    }
}
