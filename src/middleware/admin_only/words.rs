//! What the guard says to people, in their language. The console's catalogues lie above this module, so a
//! table holds the few sentences; English comes first and serves everybody else.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use crate::web::language::preferred;

/// One refusal, as a page says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) sentence: &'static str,
    /// Of the link that leads on.
    pub(super) onward: &'static str,
}

/// Every refusal in one language.
#[derive(Debug)]
pub(super) struct Language {
    pub(super) tag: &'static str,
    pub(super) anonymous: Words,
    pub(super) not_admin: Words,
    pub(super) desk_down: Words,
}

pub(super) static ENGLISH: Language = Language {
    tag: "en",
    anonymous: Words {
        title: "Please sign in",
        sentence: "Sign in to the helpdesk as an administrator first.",
        onward: "Sign in",
    },
    not_admin: Words {
        title: "Not allowed",
        sentence: "Only administrators of the helpdesk may do this.",
        onward: "Back to the helpdesk",
    },
    desk_down: Words {
        title: "Helpdesk not reachable",
        sentence: "The helpdesk cannot say right now who is an administrator. Try again in a moment.",
        onward: "Try again",
    },
};

static GERMAN: Language = Language {
    tag: "de",
    anonymous: Words {
        title: "Bitte anmelden",
        sentence: "Melden Sie sich zuerst im Helpdesk als Administrator an.",
        onward: "Anmelden",
    },
    not_admin: Words {
        title: "Nicht erlaubt",
        sentence: "Das dürfen nur Administratoren des Helpdesks.",
        onward: "Zurück zum Helpdesk",
    },
    desk_down: Words {
        title: "Helpdesk nicht erreichbar",
        sentence: "Der Helpdesk kann gerade nicht sagen, wer Administrator ist. Versuchen Sie es gleich noch einmal.",
        onward: "Noch einmal versuchen",
    },
};

/// The reader's language, as the browser names it: whoever is refused has no profile to ask.
pub(super) fn language(headers: &HeaderMap) -> &'static Language {
    let line = headers.get(ACCEPT_LANGUAGE).and_then(|line| line.to_str().ok());
    match line.and_then(|line| preferred(line, &[ENGLISH.tag, GERMAN.tag])) {
        Some("de") => &GERMAN,
        _ => &ENGLISH,
    }
}
