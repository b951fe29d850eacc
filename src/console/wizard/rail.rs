//! The list of steps beside a wizard page.

use crate::console::wizard::draft::{Draft, Step};
use crate::console::wizard::drafts::path_of;

/// One step as the page shows it.
pub struct Mark {
    /// Message key.
    pub key: String,
    pub current: bool,
    pub done: bool,
    /// Where it can be opened again.
    pub path: Option<String>,
}

/// The rail of a page that shows `current`.
pub fn rail(id: &str, draft: Option<&Draft>, current: Step) -> Vec<Mark> {
    let mark = |step: Step| Mark {
        key: format!("step-{}", step.name()),
        current: step == current,
        done: draft.is_some_and(|draft| step < draft.step()),
        path: draft.filter(|draft| step != current && draft.reaches(step)).map(|_| path_of(id, step)),
    };
    Step::ALL.into_iter().map(mark).collect()
}
