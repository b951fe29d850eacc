//! `mail`, `console` and the set-up guide's variables for them.

use std::time::Duration;

use url::Url;

use super::Reading;
use super::mail_policy::{files, policy};
use crate::config::section::{At, Section, Shape};
use crate::config::{Console, Desk, Mail, value};
use crate::mail::policy::Policy;
use crate::net::reach::Inside;
use crate::web::cookie::Hardening;

const MAIL: Shape = Shape {
    keys: &[
        "enabled",
        "pollInterval",
        "rateLimit",
        "from",
        "fromName",
        "replyTo",
        "maxSize",
        "changeNotifications",
        "privateNetworks",
        // How mail is treated: `mail_policy`.
        "sameMail",
        "keepRaw",
        "authenticationServers",
        "acknowledge",
        "closingNotice",
        "quoteHistory",
        "subjectMark",
        "defaultMailbox",
        "signature",
        "templates",
    ],
    foreign: &[],
};
const CONSOLE: Shape = Shape { keys: &["enabled", "publicUrl"], foreign: &[] };
/// Where the provider sends the browser back to; the same for every provider.
const CALLBACK: &str = "/admin/exchange/callback";
const DAY: u64 = 24 * 60 * 60 * 1000;

/// The page below `/admin/exchange`, and the origin its redirect URI is made of.
pub fn console(reading: &Reading<'_>) -> Console {
    let section = reading.root.section("console", &CONSOLE);
    let in_file = section.as_ref().and_then(|section| section.parsed("publicUrl", value::secure_origin));
    let in_file = in_file.map(|url| At { place: url.place, value: url.value });
    let redirect = redirect_origin(reading);
    let domain = reading.variables.parsed("EXCHANGE_CUSTOM_DOMAIN", |text| {
        value::secure_origin(&if text.contains("://") { text.to_owned() } else { format!("https://{text}") })
    });
    if let (Some((name, redirect)), Some(domain)) = (&redirect, &domain)
        && redirect != domain
    {
        reading.variables.problem(
            name,
            format!("{name} and EXCHANGE_CUSTOM_DOMAIN name different hosts"),
            None,
        );
    }
    if let (Some((name, redirect)), Some(in_file)) = (&redirect, &in_file)
        && *redirect != in_file.value
    {
        let expected = format!("{}{CALLBACK}", in_file.value.as_str().trim_end_matches('/'));
        let message = format!("{name} does not fit `console.publicUrl`");
        reading.variables.problem(name, message, Some(&format!("it has to be {expected}")));
    }
    let domain = domain.map(|url| ("EXCHANGE_CUSTOM_DOMAIN".to_owned(), url));
    let (name, variable) = redirect.or(domain).unzip();
    Console {
        enabled: section.as_ref().and_then(|section| section.flag("enabled")).is_none_or(|flag| flag.value),
        public_url: reading.settle("publicUrl", in_file, name.as_deref().unwrap_or("a variable"), variable),
    }
}

/// The origin of `MICROSOFT_REDIRECT_URI`, whose path is given.
fn redirect_origin(reading: &Reading<'_>) -> Option<(String, Url)> {
    let (name, text) = reading.variables.either("MICROSOFT_REDIRECT_URI", "EXCHANGE_OAUTH_REDIRECT_URI")?;
    let Some(origin) = text.strip_suffix(CALLBACK) else {
        let help = format!("for example https://desk.example.com{CALLBACK}");
        reading.variables.problem(&name, format!("{name} does not end in {CALLBACK}"), Some(&help));
        return None;
    };
    match value::secure_origin(origin) {
        Ok(url) => Some((name, url)),
        Err(error) => {
            reading.variables.problem(&name, error.to_string(), None);
            None
        }
    }
}

/// The mail worker's settings.
pub fn mail(reading: &Reading<'_>, desk: &Option<Desk>, registered: bool, public_url: Option<&Url>) -> Mail {
    let section = reading.root.section("mail", &MAIL);
    let section = section.as_ref();
    let from_address = reading.settle_parsed((section, "from"), "EXCHANGE_FROM_EMAIL", value::mail_address);
    let rate_limit = section.and_then(|section| section.number("rateLimit", 1..=10_000));
    let variable = reading.variables.number("EXCHANGE_RATE_LIMIT", 1..=10_000);
    let rate_limit = reading.settle("rateLimit", rate_limit, "EXCHANGE_RATE_LIMIT", variable);
    let max_size = section.and_then(|section| section.parsed("maxSize", value::size));
    let message_id_domain = message_id_domain(public_url, from_address.as_deref(), desk.as_ref());
    let bot = desk.as_ref().is_some_and(|desk| desk.bot.is_some());
    Mail {
        enabled: enabled(reading, section, registered, bot),
        poll_interval: poll_interval(reading, section),
        rate_limit: rate_limit.unwrap_or(100),
        from_name: reading.settle_parsed((section, "fromName"), "EXCHANGE_FROM_NAME", display_name),
        reply_to: reading.settle_parsed((section, "replyTo"), "EXCHANGE_REPLY_TO_EMAIL", value::mail_address),
        max_size: max_size.map_or(25 * 1024 * 1024, |size| size.value),
        private_networks: private_networks(section),
        from_address,
        told_at: told_at(section, public_url),
        message_id_domain,
        policy: Policy { files: files(&reading.root, public_url), ..policy(section) },
    }
}

/// Where providers call, once they are asked to; that needs an address they can reach.
fn told_at(section: Option<&Section<'_>>, public_url: Option<&Url>) -> Option<Url> {
    let section = section?;
    let wanted = section.flag("changeNotifications").filter(|wanted| wanted.value)?;
    if public_url.is_none() {
        let help =
            "set `console.publicUrl` to what browsers open, such as https://desk.example.com".to_owned();
        section.problem(wanted.place, "`changeNotifications` needs a public URL", Some(help));
    }
    public_url.cloned()
}

/// Part of the inside that mail servers may be in. All of it opened is no list at all.
fn private_networks(section: Option<&Section<'_>>) -> Vec<Inside> {
    let Some(section) = section else { return Vec::new() };
    let read = |text: &str| match text.parse::<Inside>() {
        Ok(inside) if inside.is_everything() => Err(format!("`{text}` is every address there is")),
        Ok(inside) => Ok(inside),
        Err(_) => Err(format!(
            "`{text}` is not a network such as 10.0.0.0/8, nor one port of it such as 10.0.0.5@1993"
        )),
    };
    section.texts("privateNetworks").into_iter().filter_map(|text| section.read(text, read)).collect()
}

/// On unless somebody says otherwise; never without the desk's bot, which is missed where an app is registered.
fn enabled(reading: &Reading<'_>, section: Option<&Section<'_>>, registered: bool, bot: bool) -> bool {
    let in_file = section.and_then(|section| section.flag("enabled"));
    let provider = reading.variables.text("EMAIL_PROVIDER").map(|text| text.eq_ignore_ascii_case("exchange"));
    if provider == Some(false) {
        reading
            .findings
            .warn("mail is off: EMAIL_PROVIDER is not `exchange`, so the desk sends its mail itself");
    }
    let processing = reading.variables.flag("EXCHANGE_ENABLE_EMAIL_PROCESSING");
    let variable = match (provider, processing) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (provider, processing) => provider.or(processing),
    };
    let name = "EMAIL_PROVIDER or EXCHANGE_ENABLE_EMAIL_PROCESSING";
    let wanted = reading.settle("enabled", in_file, name, variable).unwrap_or(registered || bot);
    if wanted && !bot {
        reading.findings.warn(
            "mail is off: the desk's bot is missing (`desk.bot`, or MINTGATE_BOT_EMAIL and MINTGATE_BOT_PASSWORD)",
        );
    }
    wanted && bot
}

fn poll_interval(reading: &Reading<'_>, section: Option<&Section<'_>>) -> Duration {
    let (name, alias) = ("EXCHANGE_EMAIL_POLL_INTERVAL", "EXCHANGE_EMAIL_PROCESSING_INTERVAL");
    let in_file = section.and_then(|section| {
        section.parsed("pollInterval", |text| match value::duration(text) {
            Ok(span) if (1_000..=u128::from(DAY)).contains(&span.as_millis()) => Ok(span),
            Ok(_) => Err("`pollInterval` is between 1s and 24h".to_owned()),
            Err(error) => Err(error.to_string()),
        })
    });
    let variable = reading.variables.either(name, alias).and_then(|(name, text)| match text.parse::<u64>() {
        Ok(millis) if (1_000..=DAY).contains(&millis) => Some(Duration::from_millis(millis)),
        _ => {
            reading.variables.problem(&name, format!("{name} is in milliseconds, from 1000 to {DAY}"), None);
            None
        }
    });
    reading.settle("pollInterval", in_file, name, variable).unwrap_or(Duration::from_millis(300_000))
}

/// A sender's name; a line break in it could add header lines.
fn display_name(text: &str) -> Result<String, &'static str> {
    let plain = text.chars().count() <= 200 && !text.chars().any(char::is_control);
    if plain { Ok(text.to_owned()) } else { Err("a sender's name is one line of at most 200 characters") }
}

fn message_id_domain(public_url: Option<&Url>, from: Option<&str>, desk: Option<&Desk>) -> String {
    let of_url = |url: &Url| url.domain().map(str::to_owned);
    public_url
        .and_then(of_url)
        .or_else(|| {
            from.and_then(|from| from.rsplit_once('@')).map(|(_, domain)| domain.to_ascii_lowercase())
        })
        .or_else(|| desk.and_then(|desk| of_url(&desk.url)))
        .unwrap_or_else(|| "localhost".to_owned())
}

/// `EXCHANGE_COOKIE_*`: how the desk's own cookies leave. mintgate's own do not ask.
pub fn cookies(reading: &Reading<'_>) -> Hardening {
    let strict = Hardening::default();
    let same_site = |text: &str| match text.to_ascii_lowercase().as_str() {
        "strict" => Ok(cookie::SameSite::Strict),
        "lax" => Ok(cookie::SameSite::Lax),
        "none" => Ok(cookie::SameSite::None),
        _ => Err("EXCHANGE_COOKIE_SAMESITE is `strict`, `lax` or `none`"),
    };
    let cookies = Hardening {
        secure: reading.variables.flag("EXCHANGE_COOKIE_SECURE").unwrap_or(strict.secure),
        http_only: reading.variables.flag("EXCHANGE_COOKIE_HTTPONLY").unwrap_or(strict.http_only),
        same_site: reading
            .variables
            .parsed("EXCHANGE_COOKIE_SAMESITE", same_site)
            .unwrap_or(strict.same_site),
        partitioned: strict.partitioned,
    };
    if cookies.same_site == cookie::SameSite::None && !cookies.secure {
        let help = Some("browsers drop such cookies: set EXCHANGE_COOKIE_SECURE=true");
        reading.variables.problem("EXCHANGE_COOKIE_SAMESITE", "`none` needs Secure".into(), help);
    } else if cookies != strict {
        reading.findings.warn("the desk's cookies are less strict than they could be (EXCHANGE_COOKIE_*)");
    }
    cookies
}
