//! `desk`, `store` and `vault`: the helpdesk, and where things lie that must survive.

use std::path::{Path, PathBuf};

use super::{Reading, any};
use crate::base::report::Report;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::config::section::{Section, Shape};
use crate::config::{Desk, VaultKey, secret_file, value};
use crate::desk::Bot;
use crate::store::{PostgresUrl, StoreAt};

const DESK: Shape = Shape { keys: &["url", "apiUrl", "bot", "locales"], foreign: &[] };
const BOT: Shape = Shape { keys: &["email", "password", "passwordFile"], foreign: &[] };
const STORE: Shape = Shape { keys: &["sqlite", "postgres"], foreign: &[] };
const POSTGRES: Shape = Shape { keys: &["url", "urlFile"], foreign: &[] };
const VAULT: Shape = Shape { keys: &["keyFile", "previousKeyFiles"], foreign: &[] };

/// The web client's own, as its Next.js configuration has them.
const LOCALES: [&str; 16] =
    ["en", "de", "se", "es", "no", "fr", "pt", "da", "tl", "he", "tr", "it", "hu", "th", "zh-CN", "is"];

pub fn desk(reading: &Reading<'_>) -> Option<Desk> {
    let section = reading.root.section("desk", &DESK);
    let url = reading.settle_parsed((section.as_ref(), "url"), "MINTGATE_DESK_URL", value::origin);
    let bot = bot(reading, section.as_ref().and_then(|section| section.section("bot", &BOT)).as_ref());
    if url.is_none() {
        tell_missing(reading, section.as_ref());
    }
    let api_url = section.as_ref().and_then(|section| section.parsed("apiUrl", value::origin));
    let locales = section.as_ref().map_or_else(|| LOCALES.map(Box::from).to_vec(), locales);
    let url = url?;
    Some(Desk { api_url: api_url.map_or_else(|| url.clone(), |api| api.value), url, bot, locales })
}

/// Unless the address stands there and is wrong, which was told already.
fn tell_missing(reading: &Reading<'_>, section: Option<&Section<'_>>) {
    match section {
        Some(section) if section.key_place("url").is_none() => {
            section.problem(section.place, "`desk.url` is missing", None);
        }
        None if reading.root.key_place("desk").is_none() => {
            let help = "for example `desk: {url: \"http://127.0.0.1:3000\"}`, or MINTGATE_DESK_URL";
            reading.root.problem(reading.root.place, "`desk` is missing", Some(help.into()));
        }
        _ => {}
    }
}

fn locales(section: &Section<'_>) -> Vec<Box<str>> {
    if section.key_place("locales").is_none() {
        return LOCALES.map(Box::from).to_vec();
    }
    let locale = |text: &str| match text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        true => Ok(Box::from(text)),
        false => Err(format!("`{text}` is not a locale such as `en` or `zh-CN`")),
    };
    section.texts("locales").into_iter().filter_map(|text| section.read(text, locale)).collect()
}

fn bot(reading: &Reading<'_>, section: Option<&Section<'_>>) -> Option<Bot> {
    let email = reading.settle_parsed((section, "email"), "MINTGATE_BOT_EMAIL", value::mail_address);
    let file = section.and_then(|section| secret(section, "password", "passwordFile"));
    let password = reading.variables.secret("MINTGATE_BOT_PASSWORD").or(file);
    match (email, password) {
        (Some(email), Some(password)) => Some(Bot { email, password }),
        (None, None) => None,
        (email, _) => {
            let (there, missing) = if email.is_some() {
                ("email", "password (`desk.bot.passwordFile` or MINTGATE_BOT_PASSWORD)")
            } else {
                ("password", "email (`desk.bot.email` or MINTGATE_BOT_EMAIL)")
            };
            let place = section.map_or(reading.root.place, |section| section.place);
            reading.root.problem(place, format!("the desk's bot has a {there} but no {missing}"), None);
            None
        }
    }
}

/// The secret under `key`, or in the file that `file_key` names; both at once are a problem.
pub fn secret(section: &Section<'_>, key: &str, file_key: &str) -> Option<SecretString> {
    let (given, file) = (section.text(key), section.text(file_key));
    match (given, file) {
        (Some(_), Some(file)) => {
            let message = format!("`{key}` and `{file_key}` are both given");
            section.problem(file.place, message, Some("keep one of them".into()));
            None
        }
        (Some(given), None) => Some(SecretString::from(given.value)),
        (None, Some(file)) => match secret_file::read(Path::new(file.value)) {
            Ok(read) => {
                if read.world_readable {
                    section.warn(file.place, &format!("file `{}` can be read by everybody", file.value));
                }
                Some(read.value)
            }
            Err(error) => {
                section.problem(file.place, Report(&error).to_string(), None);
                None
            }
        },
        (None, None) => None,
    }
}

/// The store; a SQLite file in the data folder unless said otherwise.
pub fn store(reading: &Reading<'_>, data_dir: &Path) -> Option<StoreAt> {
    let section = reading.root.section("store", &STORE);
    let sqlite = section.as_ref().and_then(|section| section.text("sqlite"));
    let postgres = section.as_ref().and_then(|section| section.section("postgres", &POSTGRES));
    if let (Some(section), Some(sqlite), Some(_)) = (&section, sqlite, &postgres) {
        section.problem(
            sqlite.place,
            "`sqlite` and `postgres` are both given",
            Some("keep one of them".into()),
        );
    }
    let in_file = match &postgres {
        Some(section) => {
            let url = secret(section, "url", "urlFile");
            if section.key_place("url").or(section.key_place("urlFile")).is_none() {
                section.problem(section.place, "`store.postgres` has neither `url` nor `urlFile`", None);
            }
            url.and_then(|url| match postgres_at(&url) {
                Ok(store) => Some(store),
                Err(message) => {
                    let place = section.key_place("url").or(section.key_place("urlFile"));
                    section.problem(place.unwrap_or(section.place), message, None);
                    None
                }
            })
        }
        None => sqlite.map(|path| StoreAt::Sqlite(PathBuf::from(path.value))),
    };
    let variable = database_variable(reading);
    if let (Some(section), Some(variable), Some(file)) = (&section, &variable, &in_file)
        && variable != file
    {
        section.warn(section.place, "`store` is left out: MINTGATE_DATABASE_URL is set and wins");
    }
    let default = || StoreAt::Sqlite(data_dir.join("mintgate.db"));
    if postgres.is_some() && in_file.is_none() && variable.is_none() {
        return None;
    }
    Some(variable.or(in_file).unwrap_or_else(default))
}

fn database_variable(reading: &Reading<'_>) -> Option<StoreAt> {
    const NAME: &str = "MINTGATE_DATABASE_URL";
    let url = reading.variables.secret(NAME)?;
    let store = match url.expose_secret().strip_prefix("sqlite:") {
        Some(path) => Ok(StoreAt::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))),
        None => postgres_at(&url),
    };
    match store {
        Ok(store) => Some(store),
        Err(message) => {
            reading.variables.problem(NAME, message.to_owned(), None);
            None
        }
    }
}

/// The text of the error does not repeat the URL, which may hold a password.
fn postgres_at(url: &SecretString) -> Result<StoreAt, &'static str> {
    let text = url.expose_secret();
    let known = url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql") && url.has_host());
    if known {
        Ok(StoreAt::Postgres(PostgresUrl(text.to_owned())))
    } else {
        Err("the database's URL is not one such as postgres://user:password@host:5432/mintgate")
    }
}

/// The vault's key file and those of its earlier keys; they have to be there when they are named.
pub fn vault(reading: &Reading<'_>, data_dir: &Path) -> (Option<VaultKey>, Vec<PathBuf>) {
    const NAME: &str = "MINTGATE_VAULT_KEY_FILE";
    let section = reading.root.section("vault", &VAULT);
    let asked = section.as_ref().is_some_and(|section| section.key_place("keyFile").is_some())
        || reading.variables.text(NAME).is_some();
    let active = match reading.settle_parsed((section.as_ref(), "keyFile"), NAME, existing) {
        Some(path) => Some(VaultKey::File(PathBuf::from(path))),
        None if asked => None,
        None => Some(VaultKey::MadeIn(data_dir.to_owned())),
    };
    let previous = section.iter().flat_map(|section| {
        let files = section.texts("previousKeyFiles").into_iter();
        files.filter_map(|file| section.read(file, existing)).map(PathBuf::from)
    });
    (active, previous.collect())
}

fn existing(text: &str) -> Result<String, String> {
    match Path::new(text).is_file() {
        true => any(text),
        false => Err(format!("key file `{text}` is not there")),
    }
}
