//! One language's messages.

use std::borrow::Borrow;
use std::fmt;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use tracing::error;
use unic_langid::LanguageIdentifier;

/// Language tag and messages; the first is the one that others fall back to.
pub(super) const CATALOGUES: [(&str, &[&str]); 2] = [
    (
        "en",
        &[
            include_str!("../locales/en/advice.ftl"),
            include_str!("../locales/en/apps.ftl"),
            include_str!("../locales/en/common.ftl"),
            include_str!("../locales/en/events.ftl"),
            include_str!("../locales/en/evidence.ftl"),
            include_str!("../locales/en/quarantine.ftl"),
            include_str!("../locales/en/queues.ftl"),
            include_str!("../locales/en/overview.ftl"),
            include_str!("../locales/en/settings.ftl"),
            include_str!("../locales/en/wizard.ftl"),
            include_str!("../locales/en/limits.ftl"),
            include_str!("../locales/en/providers.ftl"),
            include_str!("../locales/en/registration.ftl"),
            include_str!("../locales/en/desk.ftl"),
            include_str!("../locales/en/changes.ftl"),
            include_str!("../locales/en/reasons.ftl"),
        ],
    ),
    (
        "de",
        &[
            include_str!("../locales/de/advice.ftl"),
            include_str!("../locales/de/apps.ftl"),
            include_str!("../locales/de/common.ftl"),
            include_str!("../locales/de/events.ftl"),
            include_str!("../locales/de/evidence.ftl"),
            include_str!("../locales/de/quarantine.ftl"),
            include_str!("../locales/de/queues.ftl"),
            include_str!("../locales/de/overview.ftl"),
            include_str!("../locales/de/settings.ftl"),
            include_str!("../locales/de/wizard.ftl"),
            include_str!("../locales/de/limits.ftl"),
            include_str!("../locales/de/providers.ftl"),
            include_str!("../locales/de/registration.ftl"),
            include_str!("../locales/de/desk.ftl"),
            include_str!("../locales/de/changes.ftl"),
            include_str!("../locales/de/reasons.ftl"),
        ],
    ),
];

/// The messages of one language.
pub struct Texts {
    tag: &'static str,
    bundle: FluentBundle<FluentResource>,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Texts({})", self.tag)
    }
}

impl Texts {
    pub(super) fn read(tag: &'static str, sources: &[&str]) -> Self {
        let language: LanguageIdentifier = tag.parse().expect("a catalogue's language tag");
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // Isolation marks are for mixed directions; all catalogues run left to right.
        bundle.set_use_isolating(false);
        for &source in sources {
            let resource = FluentResource::try_new(source.to_owned());
            let resource = resource.map_err(|(_, errors)| errors).expect("a readable catalogue");
            bundle.add_resource(resource).expect("a catalogue without repeated messages");
        }
        Self { tag, bundle }
    }

    /// The language as HTML's `lang` takes it.
    pub fn tag(&self) -> &'static str {
        self.tag
    }

    /// The message `key`, or its attribute (`key.attribute`). Give arguments by [`Say::set`] and [`Say::count`].
    pub fn say(&self, key: impl fmt::Display) -> Say<'_> {
        Say { texts: self, key: key.to_string(), arguments: FluentArgs::new() }
    }

    /// Whether there is such a message.
    pub fn knows(&self, key: &str) -> bool {
        self.format(key, None).is_some()
    }

    /// The text, and whether every argument was there; `None` for an unknown key.
    fn format(&self, key: &str, arguments: Option<&FluentArgs<'_>>) -> Option<(String, bool)> {
        let pattern = match key.split_once('.') {
            Some((message, attribute)) => self.bundle.get_message(message)?.get_attribute(attribute)?.value(),
            None => self.bundle.get_message(key)?.value()?,
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, arguments, &mut errors).into_owned();
        Some((text, errors.is_empty()))
    }
}

/// A message with its arguments; shown by its `Display`, which does not escape HTML.
pub struct Say<'t> {
    texts: &'t Texts,
    key: String,
    arguments: FluentArgs<'t>,
}

impl<'t> Say<'t> {
    /// A text as the argument `name`.
    pub fn set(mut self, name: &'t str, value: impl fmt::Display) -> Self {
        self.arguments.set(name, FluentValue::from(value.to_string()));
        self
    }

    /// A number as the argument `name`; it chooses singular or plural.
    pub fn count(mut self, name: &'t str, value: impl Borrow<u64>) -> Self {
        self.arguments.set(name, FluentValue::from(*value.borrow()));
        self
    }
}

impl fmt::Display for Say<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((text, complete)) = self.texts.format(&self.key, Some(&self.arguments)) else {
            error!(key = %self.key, language = self.texts.tag, "a message is missing");
            return f.write_str(&self.key);
        };
        if !complete {
            error!(key = %self.key, language = self.texts.tag, "a message lacks an argument");
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

    use super::*;

    /// Every message and attribute with the variables it takes.
    fn messages(sources: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        let read = |source: &&str| FluentResource::try_new((*source).to_owned()).expect("readable");
        let resources: Vec<_> = sources.iter().map(read).collect();
        let mut all = BTreeMap::new();
        for entry in resources.iter().flat_map(FluentResource::entries) {
            let Entry::Message(message) = entry else { continue };
            let own = message.value.iter().map(|value| (message.id.name.to_owned(), variables(value)));
            all.extend(own);
            for attribute in &message.attributes {
                let name = format!("{}.{}", message.id.name, attribute.id.name);
                all.insert(name, variables(&attribute.value));
            }
        }
        all
    }

    fn variables(pattern: &Pattern<&str>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for element in &pattern.elements {
            if let PatternElement::Placeable { expression } = element {
                collect(expression, &mut found);
            }
        }
        found
    }

    fn collect(expression: &Expression<&str>, found: &mut BTreeSet<String>) {
        match expression {
            Expression::Inline(inline) => collect_inline(inline, found),
            Expression::Select { selector, variants } => {
                collect_inline(selector, found);
                variants.iter().for_each(|variant| found.extend(variables(&variant.value)));
            }
        }
    }

    fn collect_inline(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) {
        match inline {
            InlineExpression::VariableReference { id } => {
                found.insert(id.name.to_owned());
            }
            InlineExpression::Placeable { expression } => collect(expression, found),
            _ => {}
        }
    }

    #[test]
    fn every_language_says_everything_with_the_same_arguments() {
        let english = messages(CATALOGUES[0].1);
        assert!(english.len() > 10);
        for (tag, source) in &CATALOGUES[1..] {
            assert_eq!(messages(source), english, "{tag}");
        }
    }

    #[test]
    fn a_message_shows_its_arguments() {
        let source = "mails = { $count ->\n  [one] one mail\n *[other] { $count } mails\n }\n";
        let texts = Texts::read("en", &[source]);
        assert_eq!(texts.say("mails").count("count", 1).to_string(), "one mail");
        assert_eq!(texts.say("mails").count("count", 12).to_string(), "12 mails");
        assert_eq!(texts.say("absent").to_string(), "absent");
    }
}
