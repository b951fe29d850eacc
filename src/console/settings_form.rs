//! The form of a mailbox's settings, for the wizard's last step and for later changes.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::base::clock::Timestamp;
use crate::base::secret::SecretString;
use crate::console::form::Field;
use crate::console::language::Texts;
use crate::console::shared::Shared;
use crate::console::times::span;
use crate::mailbox::settings::{AfterProcessing, MailboxSettings};

/// What the installation's configuration decides; such a value is shown and cannot be changed here.
#[derive(Debug, Clone, Default)]
pub struct Fixed {
    pub from_name: Option<String>,
    pub reply_to: Option<String>,
    /// How often mailboxes are looked into that choose nothing else.
    pub poll_interval: Option<Duration>,
}

/// The form as a page shows it.
pub struct SettingsForm {
    pub fields: Vec<Field>,
    /// `leave`, `markRead`, `move`, `delete`.
    pub after: String,
    pub acknowledge: bool,
    pub closing_notice: bool,
    pub quote_history: bool,
    pub paused: bool,
    /// Old mail is to be taken in.
    pub import: bool,
    pub signature: String,
    pub signature_error: Option<String>,
    pub fixed: Vec<Decided>,
}

/// A value that the configuration decides.
pub struct Decided {
    pub name: &'static str,
    pub value: String,
    /// Sentence on where it is said.
    pub origin: String,
}

/// A setting of which one value is stored and another was entered.
pub struct Difference {
    pub label: String,
    pub stored: String,
    pub entered: String,
}

/// The form as it was sent.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Entered {
    #[serde(default)]
    pub version: i64,
    #[serde(default)]
    from_name: String,
    #[serde(default)]
    reply_to: String,
    #[serde(default)]
    folder: String,
    /// Minutes.
    #[serde(default)]
    check_interval: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    move_to: String,
    acknowledge: Option<String>,
    closing_notice: Option<String>,
    quote_history: Option<String>,
    paused: Option<String>,
    #[serde(default)]
    signature: String,
    /// `leave` or `import`.
    #[serde(default)]
    old_mail: String,
    #[serde(default)]
    import_since: String,
    /// Mark of the settings that the form was made of.
    #[serde(default)]
    pub seen: String,
    #[serde(default, deserialize_with = "secret")]
    pub new_password: SecretString,
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// Message keys of what is wrong, by field.
pub type Problems = Vec<(&'static str, &'static str)>;

const NAMES: [&str; 6] = ["from_name", "reply_to", "folder", "check_interval", "move_to", "import_since"];

/// Minutes between two looks; the settings keep seconds.
const MINUTES: std::ops::RangeInclusive<u32> = 1..=1440;
const LONGEST_SIGNATURE: usize = 10_000;

impl Entered {
    /// The form that shows `settings`.
    fn of(settings: &MailboxSettings) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (after, move_to) = match &settings.after_processing {
            AfterProcessing::Leave => ("leave", String::new()),
            AfterProcessing::MarkRead => ("markRead", String::new()),
            AfterProcessing::Move { folder } => ("move", folder.clone()),
            AfterProcessing::Delete => ("delete", String::new()),
        };
        let ticked = |on: bool| on.then(|| "on".to_owned());
        Self {
            from_name: text(&settings.from_name),
            reply_to: text(&settings.reply_to),
            folder: text(&settings.folder),
            check_interval: settings
                .check_interval
                .map(|seconds| seconds.div_ceil(60).to_string())
                .unwrap_or_default(),
            after: after.to_owned(),
            move_to,
            acknowledge: ticked(settings.acknowledge),
            closing_notice: ticked(settings.closing_notice),
            quote_history: ticked(settings.quote_history),
            paused: ticked(settings.paused),
            signature: text(&settings.signature),
            ..Self::default()
        }
    }

    fn value(&self, name: &str) -> &str {
        match name {
            "from_name" => &self.from_name,
            "reply_to" => &self.reply_to,
            "folder" => &self.folder,
            "check_interval" => &self.check_interval,
            "import_since" => &self.import_since,
            _ => &self.move_to,
        }
    }

    /// `settings` with what was entered; everything else stays.
    pub fn apply(&self, settings: &MailboxSettings) -> Result<MailboxSettings, Problems> {
        let mut problems = Problems::new();
        let given = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        for name in ["from_name", "folder", "move_to"] {
            let text = self.value(name);
            if text.len() > 255 || text.chars().any(char::is_control) {
                problems.push((name, "line-wrong"));
            }
        }
        if given(&self.reply_to).is_some_and(|text| !is_address(&text)) {
            problems.push(("reply_to", "address-none"));
        }
        let minutes =
            given(&self.check_interval).map(|text| text.parse::<u32>().ok().filter(|n| MINUTES.contains(n)));
        if minutes == Some(None) {
            problems.push(("check_interval", "interval-wrong"));
        }
        if self.signature.len() > LONGEST_SIGNATURE {
            problems.push(("signature", "signature-long"));
        }
        let after = match (self.after.as_str(), given(&self.move_to)) {
            ("leave", _) => AfterProcessing::Leave,
            ("move", Some(folder)) => AfterProcessing::Move { folder },
            ("move", None) => {
                problems.push(("move_to", "folder-missing"));
                AfterProcessing::MarkRead
            }
            ("delete", _) => AfterProcessing::Delete,
            _ => AfterProcessing::MarkRead,
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(MailboxSettings {
            from_name: given(&self.from_name),
            reply_to: given(&self.reply_to),
            folder: given(&self.folder),
            check_interval: minutes.flatten().map(|minutes| minutes * 60),
            after_processing: after,
            acknowledge: self.acknowledge.is_some(),
            closing_notice: self.closing_notice.is_some(),
            quote_history: self.quote_history.is_some(),
            paused: self.paused.is_some(),
            signature: given(&self.signature.replace("\r\n", "\n")),
            ..settings.clone()
        })
    }

    /// What becomes of a mail; what is none of the choices counts as the usual one.
    fn way(&self) -> &str {
        match self.after.as_str() {
            way @ ("leave" | "move" | "delete") => way,
            _ => "markRead",
        }
    }

    /// What was entered otherwise than `settings` has it, in the order of the form.
    pub fn differences(&self, settings: &MailboxSettings, t: &Arc<Texts>) -> Vec<Difference> {
        let stored = Self::of(settings);
        let word = |ticked: &Option<String>| t.say(if ticked.is_some() { "yes" } else { "no" }).to_string();
        let after = |one: &Self| t.say(format!("after-{}", one.way())).to_string();
        let texts = ["from_name", "reply_to", "folder", "check_interval"].into_iter();
        let texts = texts.map(|name| {
            (format!("field-{name}"), stored.value(name).to_owned(), self.value(name).trim().to_owned())
        });
        let rest = [
            ("after", after(&stored), after(self)),
            ("field-move_to", stored.move_to.clone(), self.move_to.trim().to_owned()),
            (
                "field-signature",
                stored.signature.clone(),
                self.signature.replace("\r\n", "\n").trim().to_owned(),
            ),
            ("acknowledge", word(&stored.acknowledge), word(&self.acknowledge)),
            ("closing-notice", word(&stored.closing_notice), word(&self.closing_notice)),
            ("quote-history", word(&stored.quote_history), word(&self.quote_history)),
            ("paused", word(&stored.paused), word(&self.paused)),
        ];
        let all = texts.chain(rest.map(|(key, stored, entered)| (key.to_owned(), stored, entered)));
        all.filter(|(_, stored, entered)| stored != entered)
            .map(|(key, stored, entered)| Difference { label: t.say(key).to_string(), stored, entered })
            .collect()
    }

    /// The day from which on old mail is wanted, at its beginning by UTC.
    pub fn old_mail_since(&self, now: Timestamp) -> Result<Option<Timestamp>, Problems> {
        if self.old_mail != "import" {
            return Ok(None);
        }
        let day = format!("{}T00:00:00Z", self.import_since.trim());
        match Timestamp::parse_rfc3339(&day) {
            None => Err(vec![("import_since", "import-missing")]),
            Some(since) if since > now => Err(vec![("import_since", "import-ahead")]),
            since => Ok(since),
        }
    }
}

/// Whether `text` is one mail address.
pub fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && parts.is_some_and(|(local, domain)| {
            !local.is_empty()
                && url::Host::parse(domain).is_ok_and(|host| matches!(host, url::Host::Domain(_)))
        })
}

impl SettingsForm {
    /// Of the mailbox at `address`.
    pub fn of(shared: &Shared, address: &str, settings: &MailboxSettings, t: &Arc<Texts>) -> Self {
        Self::entered(shared, address, (&Entered::of(settings), &Problems::new()), t)
    }

    /// With what was entered, and what is wrong with it.
    pub fn entered(
        shared: &Shared,
        address: &str,
        (entered, problems): (&Entered, &Problems),
        t: &Arc<Texts>,
    ) -> Self {
        let fixed = &shared.fixed(address);
        let problem = |name: &str| {
            problems.iter().find(|(field, _)| *field == name).map(|(_, key)| t.say(key).to_string())
        };
        let decided: Vec<Decided> =
            [("from_name", "mail.fromName", &fixed.from_name), ("reply_to", "mail.replyTo", &fixed.reply_to)]
                .into_iter()
                .filter_map(|(name, setting, value)| {
                    Some(Decided { name, value: value.clone()?, origin: shared.set_by(setting, t) })
                })
                .collect();
        let open = |name: &&'static str| decided.iter().all(|fixed| fixed.name != *name);
        let field = |name: &'static str| {
            let kind = match name {
                "reply_to" => "email",
                "check_interval" => "number",
                "import_since" => "date",
                _ => "text",
            };
            let field = Field::new(name, entered.value(name)).kind(kind).failing(problem(name));
            match origin(name, entered, shared, t) {
                Some(origin) => field.from(origin),
                None => field,
            }
        };
        Self {
            fields: NAMES.into_iter().filter(open).map(field).collect(),
            after: entered.after.clone(),
            acknowledge: entered.acknowledge.is_some(),
            closing_notice: entered.closing_notice.is_some(),
            quote_history: entered.quote_history.is_some(),
            paused: entered.paused.is_some(),
            import: entered.old_mail == "import",
            signature: entered.signature.clone(),
            signature_error: problem("signature"),
            fixed: decided,
        }
    }
}

/// Where the value of a field comes from, of those that are there without being chosen.
fn origin(name: &str, entered: &Entered, shared: &Shared, t: &Texts) -> Option<String> {
    let is_chosen = !entered.value(name).trim().is_empty();
    match (name, is_chosen, shared.parts.fixed.poll_interval) {
        ("move_to" | "import_since", ..) => None,
        (_, true, _) => Some(t.say("origin-chosen").to_string()),
        ("check_interval", false, Some(usual)) => {
            let said = match shared.parts.origins.of("mail.pollInterval") {
                Some(origin) => t.say("origin-interval").set("origin", origin),
                None => t.say("origin-interval-usual"),
            };
            Some(said.set("span", span(usual, t)).to_string())
        }
        (_, false, _) => Some(t.say("origin-none").to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_and_sent_back_changes_nothing() {
        let settings = MailboxSettings {
            from_name: Some("Help".to_owned()),
            reply_to: Some("support@desk.example".to_owned()),
            check_interval: Some(600),
            after_processing: AfterProcessing::Move { folder: "Done".to_owned() },
            acknowledge: true,
            paused: true,
            signature: Some("Yours\nHelp".to_owned()),
            ..MailboxSettings::default()
        };
        assert_eq!(Entered::of(&settings).apply(&settings).expect("fine"), settings);
    }

    #[test]
    fn old_mail_is_taken_in_from_a_day_that_has_been() {
        let now = Timestamp::parse_rfc3339("2026-11-21T08:00:00Z").expect("a moment");
        let wanted = |old_mail: &str, import_since: &str| {
            let (old_mail, import_since) = (old_mail.to_owned(), import_since.to_owned());
            Entered { old_mail, import_since, ..Entered::default() }.old_mail_since(now)
        };
        assert_eq!(wanted("", "2026-11-01"), Ok(None));
        assert_eq!(wanted("leave", "rubbish"), Ok(None));
        let day = Timestamp::parse_rfc3339("2026-11-01T00:00:00Z");
        assert_eq!(wanted("import", " 2026-11-01 "), Ok(day));
        assert_eq!(wanted("import", "2026-11-21").map(|day| day.is_some()), Ok(true));
        for (day, problem) in
            [("", "import-missing"), ("2026-02-31", "import-missing"), ("2026-11-22", "import-ahead")]
        {
            assert_eq!(wanted("import", day), Err(vec![("import_since", problem)]), "{day}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_named_by_its_field() {
        let wrong = |change: fn(&mut Entered)| {
            let mut entered = Entered::of(&MailboxSettings::default());
            change(&mut entered);
            entered.apply(&MailboxSettings::default()).map(drop)
        };
        for (change, field) in [
            ((|entered| entered.reply_to = "support".to_owned()) as fn(&mut Entered), "reply_to"),
            (|entered| entered.reply_to = "a@b\r\nBcc: c@d.example".to_owned(), "reply_to"),
            (|entered| entered.from_name = "Help\nBcc: x".to_owned(), "from_name"),
            (|entered| entered.check_interval = "0".to_owned(), "check_interval"),
            (|entered| entered.check_interval = "soon".to_owned(), "check_interval"),
            (|entered| entered.after = "move".to_owned(), "move_to"),
            (|entered| entered.signature = "x".repeat(10_001), "signature"),
        ] {
            let problems = wrong(change).expect_err(field);
            assert_eq!(problems.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [field]);
        }
        assert!(wrong(|_| ()).is_ok());
    }
}
