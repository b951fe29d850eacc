//! Takes the lines for the journal from where all log lines pass.

use std::fmt;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Filter, Layer};

use super::{FIELDS, Journal, Level, TARGETS};
use crate::base::clock::Clock;
use crate::base::redact::redacted;

/// Characters of a message and of a field.
const LONGEST: usize = 300;

/// A layer of the log that fills a journal. Keeps warnings and what is said in passing, never details.
pub struct Capture {
    journal: Journal,
    clock: Arc<dyn Clock>,
}

impl Capture {
    pub fn new(journal: Journal, clock: Arc<dyn Clock>) -> Self {
        Self { journal, clock }
    }

    /// Lets only what a journal keeps come to its layer: other parts of the program pay nothing for it.
    pub fn filter<S>() -> impl Filter<S> {
        filter_fn(is_kept).with_max_level_hint(LevelFilter::INFO)
    }
}

fn is_kept(metadata: &Metadata<'_>) -> bool {
    let below = |root: &str| metadata.target().strip_prefix(root).is_some_and(is_whole);
    *metadata.level() <= tracing::Level::INFO && TARGETS.into_iter().any(below)
}

/// Whether what follows a module's name is another module's, or nothing.
fn is_whole(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with("::")
}

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Once more: a layer may stand without its filter.
        if !is_kept(event.metadata()) {
            return;
        }
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            _ => Level::Info,
        };
        let mut found = Found::default();
        event.record(&mut found);
        self.journal.add(self.clock.now(), level, found.message, found.fields);
    }
}

#[derive(Default)]
struct Found {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Found {
    fn take(&mut self, field: &Field, value: &dyn fmt::Display) {
        if field.name() == "message" {
            self.message = redacted(&value.to_string(), LONGEST);
        } else if let Some(name) = FIELDS.into_iter().find(|known| *known == field.name()) {
            self.fields.push((name, redacted(&value.to_string(), LONGEST)));
        }
    }
}

impl Visit for Found {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, &format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::registry;

    use super::*;
    use crate::base::clock::{ManualClock, Timestamp};
    use crate::base::journal::{KEPT_LINES, Line};

    const NOW: Timestamp = Timestamp(1_795_222_800_000);

    fn lines(log: impl FnOnce()) -> Vec<Line> {
        let journal = Journal::default();
        let layer = Capture::new(journal.clone(), Arc::new(ManualClock::at(NOW)));
        let subscriber = registry().with(layer.with_filter(Capture::filter()));
        tracing::subscriber::with_default(subscriber, log);
        journal.newest(KEPT_LINES)
    }

    #[test]
    fn a_line_has_its_message_and_the_fields_that_are_named() {
        let lines = lines(|| {
            tracing::warn!(target: "mintgate::worker::round", mailbox = %"m365", mail = 7, error = "503", "a step failed");
        });
        let fields =
            vec![("mailbox", "m365".to_owned()), ("mail", "7".to_owned()), ("error", "503".to_owned())];
        let message = "a step failed".to_owned();
        assert_eq!(lines, [Line { number: 1, at: NOW, level: Level::Warning, message, fields }]);
    }

    #[test]
    fn no_other_field_and_no_other_part_of_the_program_is_kept() {
        const CANARY: &str = "sings";
        let lines = lines(|| {
            tracing::info!(target: "mintgate::worker", token = CANARY, body = CANARY, from = CANARY, "kept");
            tracing::info!(target: "mintgate::gateway::log", reason = CANARY, "left out");
            tracing::info!(target: "mintgate::workers", reason = CANARY, "left out");
            tracing::info!(target: "hyper::client", reason = CANARY, "left out");
            tracing::debug!(target: "mintgate::worker", reason = CANARY, "left out");
            tracing::info!(target: "audit", user = CANARY, "left out");
        });
        assert_eq!(lines.len(), 1);
        assert!(!format!("{lines:?}").contains(CANARY), "{lines:?}");
    }

    #[test]
    fn texts_of_others_lose_addresses_and_tokens() {
        let lines = lines(|| {
            let error = "550 <cora@customer.example> refused Bearer eyJ0eXAiOiJKV1QiLCJub25jZSI6";
            tracing::error!(target: "mintgate::mailbox", error, "cora@customer.example is not taken");
        });
        let shown = format!("{lines:?}");
        assert!(!shown.contains("cora") && !shown.contains("eyJ"), "{shown}");
        assert!(shown.contains("[address]") && shown.contains("[hidden]"), "{shown}");
    }

    #[test]
    fn the_oldest_lines_make_room() {
        let lines = lines(|| {
            for mail in 0..KEPT_LINES + 3 {
                tracing::info!(target: "mintgate::worker", mail, "a mail is stored");
            }
        });
        assert_eq!(lines.len(), KEPT_LINES);
        assert_eq!((lines[0].number, lines[KEPT_LINES - 1].number), (KEPT_LINES as u64 + 3, 4));
    }
}
