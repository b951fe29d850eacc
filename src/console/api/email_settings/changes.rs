//! What a PATCH of the settings may say, and the settings that come of it. Pure but for the secrets it carries.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::base::secret::SecretString;
use crate::console::api::email_settings::servers::{Entered, IMAP, SMTP, is_same_server};
use crate::console::form::secret;
use crate::console::settings_form::{Fixed, is_address};
use crate::mailbox::settings::{AfterProcessing, MailboxSettings, Server, SettingsError, SignIn};

/// What is left out stays; `null` and a blank text take a value away. A blank password keeps the stored one.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// The mailbox's address. One that is not connected yet is connected with a password.
    #[schema(nullable = false, max_length = 254, example = "support@example.com")]
    pub support_email_address: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 255, example = "Example Support")]
    from_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 254)]
    reply_to: Option<Option<String>>,
    /// Seconds between two looks.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, minimum = 30, maximum = 86400, example = 300)]
    check_interval_seconds: Option<Option<u32>>,
    #[schema(nullable = false)]
    delete_after_processing: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 255)]
    move_to_folder: Option<Option<String>>,
    /// The folder that is read; the inbox where it is `null`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 255)]
    imap_folder: Option<Option<String>>,
    #[schema(nullable = false)]
    acknowledge: Option<bool>,
    #[schema(nullable = false)]
    closing_notice: Option<bool>,
    #[schema(nullable = false)]
    quote_history: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 10000)]
    signature: Option<Option<String>>,
    #[schema(nullable = false, max_length = 253, example = "imap.example.com")]
    imap_host: Option<String>,
    #[schema(nullable = false, minimum = 1, maximum = 65535, example = 993)]
    imap_port: Option<u16>,
    /// `false` is STARTTLS.
    #[schema(nullable = false)]
    imap_use_ssl: Option<bool>,
    #[schema(nullable = false, max_length = 255)]
    imap_username: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = String, write_only, max_length = 1024)]
    imap_password: SecretString,
    #[schema(nullable = false, max_length = 253, example = "smtp.example.com")]
    smtp_host: Option<String>,
    #[schema(nullable = false, minimum = 1, maximum = 65535, example = 465)]
    smtp_port: Option<u16>,
    #[schema(nullable = false)]
    smtp_use_ssl: Option<bool>,
    /// STARTTLS.
    #[schema(nullable = false)]
    smtp_use_tls: Option<bool>,
    #[schema(nullable = false, max_length = 255)]
    smtp_username: Option<String>,
    /// For sending only; without it the password for reading is used.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = String, write_only, max_length = 1024)]
    smtp_password: SecretString,
}

/// Tells `null` from a field that is not there.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Why settings are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// A sentence that names the field.
    Value(String),
    /// It is right and cannot be done with this mailbox or installation.
    Conflict(&'static str),
}

impl Changes {
    pub fn imap(&self) -> Entered<'_> {
        Entered {
            host: self.imap_host.as_deref(),
            port: self.imap_port,
            ssl: self.imap_use_ssl,
            start_tls: None,
            user: self.imap_username.as_deref(),
            password: Some(&self.imap_password),
        }
    }

    pub fn smtp(&self) -> Entered<'_> {
        Entered {
            host: self.smtp_host.as_deref(),
            port: self.smtp_port,
            ssl: self.smtp_use_ssl,
            start_tls: self.smtp_use_tls,
            user: self.smtp_username.as_deref(),
            password: Some(&self.smtp_password),
        }
    }

    /// `before`, the settings of the connected mailbox of `address`, with what was sent.
    pub fn apply(
        &self,
        before: &MailboxSettings,
        address: &str,
        fixed: &Fixed,
    ) -> Result<MailboxSettings, Unfit> {
        let after = self.plain(before, fixed)?;
        let (imap, smtp) = (self.imap(), self.smtp());
        if imap.is_empty() && smtp.is_empty() {
            return Ok(after);
        }
        if before.sign_in == SignIn::OAuth {
            return Err(Unfit::Conflict(
                "This mailbox is signed in at its provider; it takes no servers and no password.",
            ));
        }
        let after = self.with_servers(after, address)?;
        let moved = |before: &Option<Server>, after: &Option<Server>| {
            after.as_ref().is_some_and(|after| !is_same_server(before.as_ref(), after))
        };
        let (new_imap, new_smtp) = (imap.new_password().is_some(), smtp.new_password().is_some());
        let sentence = "A stored password is only sent to the server it was given for: ";
        if moved(&before.incoming, &after.incoming) && !new_imap {
            return Err(Unfit::Value(format!("{sentence}send `imap_password` as well.")));
        }
        if moved(&before.outgoing, &after.outgoing) && !new_smtp {
            return Err(Unfit::Value(format!("{sentence}send `smtp_password` as well.")));
        }
        Ok(after)
    }

    /// `found`, the settings of a mailbox that is about to be connected with a password.
    pub fn begin(
        &self,
        found: &MailboxSettings,
        address: &str,
        fixed: &Fixed,
    ) -> Result<MailboxSettings, Unfit> {
        if self.imap().new_password().is_none() {
            return Err(Unfit::Value("`imap_password` is missing.".to_owned()));
        }
        self.with_servers(self.plain(found, fixed)?, address)
    }

    fn with_servers(&self, settings: MailboxSettings, address: &str) -> Result<MailboxSettings, Unfit> {
        let incoming = self.imap().over(settings.incoming.as_ref(), address, &IMAP).map_err(Unfit::Value)?;
        let outgoing = self.smtp().over(settings.outgoing.as_ref(), address, &SMTP).map_err(Unfit::Value)?;
        Ok(MailboxSettings { incoming: Some(incoming), outgoing: Some(outgoing), ..settings })
    }

    /// Everything but the servers.
    fn plain(&self, before: &MailboxSettings, fixed: &Fixed) -> Result<MailboxSettings, Unfit> {
        let decided = [(&self.from_name, &fixed.from_name), (&self.reply_to, &fixed.reply_to)];
        if decided.iter().any(|(sent, fixed)| sent.is_some() && fixed.is_some()) {
            let sentence = "The sender's name or the reply address is set by the configuration \
                            (EXCHANGE_FROM_NAME, EXCHANGE_REPLY_TO_EMAIL).";
            return Err(Unfit::Conflict(sentence));
        }
        let settings = MailboxSettings {
            from_name: text(&self.from_name, &before.from_name),
            reply_to: text(&self.reply_to, &before.reply_to),
            folder: text(&self.imap_folder, &before.folder),
            signature: text(&self.signature, &before.signature),
            check_interval: self.check_interval_seconds.unwrap_or(before.check_interval),
            after_processing: self.after(&before.after_processing)?,
            acknowledge: self.acknowledge.unwrap_or(before.acknowledge),
            closing_notice: self.closing_notice.unwrap_or(before.closing_notice),
            quote_history: self.quote_history.unwrap_or(before.quote_history),
            ..before.clone()
        };
        settings.check().map_err(|refused| Unfit::Value(sentence(&refused)))?;
        if settings.reply_to.as_deref().is_some_and(|text| !is_address(text)) {
            return Err(Unfit::Value("`reply_to` has to be one mail address.".to_owned()));
        }
        Ok(settings)
    }

    fn after(&self, before: &AfterProcessing) -> Result<AfterProcessing, Unfit> {
        let folder = self.move_to_folder.as_ref().map(|folder| present(folder.as_ref()));
        match (self.delete_after_processing, folder, before) {
            (Some(true), Some(Some(_)), _) => Err(Unfit::Value(
                "`delete_after_processing` and `move_to_folder` cannot both be chosen.".to_owned(),
            )),
            (Some(true), _, _) => Ok(AfterProcessing::Delete),
            (_, Some(Some(folder)), _) => Ok(AfterProcessing::Move { folder }),
            (Some(false), _, AfterProcessing::Delete) | (_, Some(None), AfterProcessing::Move { .. }) => {
                Ok(AfterProcessing::MarkRead)
            }
            _ => Ok(before.clone()),
        }
    }
}

fn present(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn text(sent: &Option<Option<String>>, before: &Option<String>) -> Option<String> {
    sent.as_ref().map_or_else(|| before.clone(), |sent| present(sent.as_ref()))
}

/// What the settings' own check says, by the names of this API.
fn sentence(refused: &SettingsError) -> String {
    let SettingsError::Value { key, wanted } = refused else {
        return "The settings cannot be kept.".to_owned();
    };
    let field = match *key {
        "checkInterval" => "check_interval_seconds",
        "folder" => "imap_folder",
        "fromName" => "from_name",
        "replyTo" => "reply_to",
        "afterProcessing" => "move_to_folder",
        other => other,
    };
    format!("`{field}`: {wanted}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::settings::{Provider, Security};

    const ADDRESS: &str = "help@desk.example";

    fn before() -> MailboxSettings {
        MailboxSettings {
            provider: Provider::Other,
            sign_in: SignIn::Password,
            incoming: Some(Server::new("imap.desk.example", 993, Security::Tls, "help")),
            outgoing: Some(Server::new("smtp.desk.example", 465, Security::Tls, "help")),
            from_name: Some("Help".to_owned()),
            after_processing: AfterProcessing::Leave,
            ..MailboxSettings::default()
        }
    }

    fn apply(json: &str) -> Result<MailboxSettings, Unfit> {
        let changes: Changes = serde_json::from_str(json).expect(json);
        changes.apply(&before(), ADDRESS, &Fixed::default())
    }

    #[test]
    fn what_is_left_out_stays_and_null_takes_away() {
        assert_eq!(apply("{}"), Ok(before()));
        assert_eq!(apply(r#"{"imap_password":""}"#), Ok(before()), "a blank password is nothing");
        assert_eq!(apply(r#"{"from_name":null}"#), Ok(MailboxSettings { from_name: None, ..before() }));
        assert_eq!(apply(r#"{"from_name":" "}"#), Ok(MailboxSettings { from_name: None, ..before() }));
        let interval = MailboxSettings { check_interval: Some(60), ..before() };
        assert_eq!(apply(r#"{"check_interval_seconds":60}"#), Ok(interval));
    }

    #[test]
    fn what_becomes_of_a_mail_is_one_thing() {
        let after = |json: &str| apply(json).map(|settings| settings.after_processing);
        let moved = || AfterProcessing::Move { folder: "Done".to_owned() };
        assert_eq!(after(r#"{"delete_after_processing":true}"#), Ok(AfterProcessing::Delete));
        assert_eq!(after(r#"{"delete_after_processing":false}"#), Ok(AfterProcessing::Leave));
        assert_eq!(after(r#"{"move_to_folder":"Done"}"#), Ok(moved()));
        assert_eq!(after(r#"{"move_to_folder":"Done","delete_after_processing":false}"#), Ok(moved()));
        assert_eq!(after(r#"{"move_to_folder":null}"#), Ok(AfterProcessing::Leave));
        assert!(after(r#"{"move_to_folder":"Done","delete_after_processing":true}"#).is_err());
    }

    #[test]
    fn a_stored_password_does_not_follow_to_another_server() {
        for json in [
            r#"{"imap_host":"evil.example"}"#,
            r#"{"imap_port":1993,"imap_password":""}"#,
            r#"{"imap_use_ssl":false}"#,
            r#"{"smtp_host":"evil.example"}"#,
            r#"{"smtp_host":"evil.example","imap_password":"new"}"#,
        ] {
            assert!(matches!(apply(json), Err(Unfit::Value(_))), "{json}");
        }
        let moved = apply(r#"{"imap_host":"new.example","imap_password":"new"}"#).expect("settings");
        assert_eq!(moved.incoming.expect("a server").host, "new.example");
        let named = apply(r#"{"imap_username":"other"}"#).expect("settings");
        assert_eq!(named.incoming.expect("a server").user, "other");
    }

    #[test]
    fn a_mailbox_of_a_provider_takes_no_servers() {
        let changes: Changes = serde_json::from_str(r#"{"imap_host":"evil.example"}"#).expect("changes");
        let refused = changes.apply(&MailboxSettings::default(), ADDRESS, &Fixed::default());
        assert!(matches!(refused, Err(Unfit::Conflict(_))));
    }

    #[test]
    fn what_the_configuration_decides_cannot_be_changed() {
        let fixed = Fixed { reply_to: Some("desk@desk.example".to_owned()), ..Fixed::default() };
        let changes = |json: &str| serde_json::from_str::<Changes>(json).expect(json);
        let refused = changes(r#"{"reply_to":"x@desk.example"}"#).apply(&before(), ADDRESS, &fixed);
        assert!(matches!(refused, Err(Unfit::Conflict(_))));
        assert!(changes(r#"{"from_name":"x"}"#).apply(&before(), ADDRESS, &fixed).is_ok());
    }

    #[test]
    fn what_cannot_be_meant_is_named_by_its_field() {
        for (json, field) in [
            (r#"{"check_interval_seconds":29}"#, "check_interval_seconds"),
            (r#"{"from_name":"a\r\nBcc: b@c.example"}"#, "from_name"),
            (r#"{"reply_to":"support"}"#, "reply_to"),
            (r#"{"reply_to":"a@b.example, c@d.example"}"#, "reply_to"),
            (r#"{"imap_folder":"a\u0000b"}"#, "imap_folder"),
            (r#"{"imap_host":"a b","imap_password":"x"}"#, "imap_host"),
        ] {
            let Err(Unfit::Value(sentence)) = apply(json) else { panic!("{json} was taken") };
            assert!(sentence.starts_with(&format!("`{field}`")), "{sentence}");
        }
    }
}
