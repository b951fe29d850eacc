//! Every variable of the set-up guide does what it says, or says that it does nothing.

use std::time::Duration;

use mintgate::base::secret::ExposeSecret;
use mintgate::config::StartUp;
use mintgate::config::variables::{Fate, VARIABLES};
use mintgate::store::StoreAt;

use super::{Folder, LEAST};

fn with(variables: &[(&str, &str)]) -> StartUp {
    Folder::new().start_up(LEAST, variables).unwrap_or_else(|shown| panic!("{shown}"))
}

fn refused(variables: &[(&str, &str)]) -> String {
    Folder::new().start_up(LEAST, variables).expect_err("refused")
}

/// The guide's `.env.production.local`, and the bot.
const GUIDE: [(&str, &str); 8] = [
    ("MICROSOFT_CLIENT_ID", "11111111-2222-3333-4444-555555555555"),
    ("MICROSOFT_CLIENT_SECRET", "s3cret~value~of~about~forty~characters"),
    ("MICROSOFT_TENANT_ID", "66666666-7777-8888-9999-000000000000"),
    ("EMAIL_PROVIDER", "exchange"),
    ("EXCHANGE_FROM_EMAIL", "tickets@example.com"),
    ("EXCHANGE_REPLY_TO_EMAIL", "support@example.com"),
    ("MINTGATE_BOT_EMAIL", "bot@example.com"),
    ("MINTGATE_BOT_PASSWORD", "hunter2"),
];

#[test]
fn the_guides_variables_are_enough_for_mail() {
    let start_up = with(&GUIDE);
    let app = start_up.microsoft.as_ref().expect("an app registration");
    assert_eq!(app.client_id, "11111111-2222-3333-4444-555555555555");
    assert_eq!(app.client_secret.expose_secret(), "s3cret~value~of~about~forty~characters");
    assert_eq!(app.tenant, "66666666-7777-8888-9999-000000000000");
    assert_eq!(app.authority.as_str(), "https://login.microsoftonline.com/");
    assert_eq!(app.graph.as_str(), "https://graph.microsoft.com/");
    assert!(start_up.mail.enabled);
    assert_eq!(start_up.mail.from_address.as_deref(), Some("tickets@example.com"));
    assert_eq!(start_up.mail.reply_to.as_deref(), Some("support@example.com"));
    assert_eq!(start_up.mail.message_id_domain, "example.com");
    assert_eq!(start_up.warnings, [""; 0]);
    assert!(!format!("{start_up:?}").contains("s3cret") && !format!("{start_up:?}").contains("hunter2"));
}

#[test]
fn each_variable_may_be_given_as_a_file() {
    let folder = Folder::new();
    let files: Vec<(String, String)> = GUIDE
        .iter()
        .map(|(name, value)| {
            let path = folder.write(name, &format!("{value}\n"));
            (format!("{name}_FILE"), path.display().to_string())
        })
        .collect();
    let pairs: Vec<(&str, &str)> = files.iter().map(|(name, path)| (name.as_str(), path.as_str())).collect();
    let start_up = with(&pairs);
    assert_eq!(
        start_up.microsoft.expect("an app registration").client_secret.expose_secret(),
        "s3cret~value~of~about~forty~characters"
    );
    assert_eq!(start_up.mail.from_address.as_deref(), Some("tickets@example.com"));
}

#[test]
fn a_variable_and_its_file_at_once_are_refused() {
    let shown = refused(&[("EXCHANGE_FROM_NAME", "a"), ("EXCHANGE_FROM_NAME_FILE", "/b")]);
    assert!(
        shown.starts_with("error: EXCHANGE_FROM_NAME and EXCHANGE_FROM_NAME_FILE are both set"),
        "{shown}"
    );
}

#[test]
fn the_workers_pace_is_set_in_milliseconds_and_requests_per_minute() {
    let start_up = with(&[("EXCHANGE_EMAIL_POLL_INTERVAL", "60000"), ("EXCHANGE_RATE_LIMIT", "50")]);
    assert_eq!((start_up.mail.poll_interval, start_up.mail.rate_limit), (Duration::from_secs(60), 50));
    let start_up = with(&[("EXCHANGE_EMAIL_PROCESSING_INTERVAL", "1000")]);
    assert_eq!(start_up.mail.poll_interval, Duration::from_secs(1));
    for (name, value) in [
        ("EXCHANGE_EMAIL_POLL_INTERVAL", "999"),
        ("EXCHANGE_EMAIL_POLL_INTERVAL", "5m"),
        ("EXCHANGE_RATE_LIMIT", "0"),
        ("EXCHANGE_RATE_LIMIT", "-1"),
        ("EXCHANGE_FROM_EMAIL", "Tickets <tickets@example.com>"),
        ("EXCHANGE_FROM_NAME", "a\nBcc: b@c.d"),
        ("EXCHANGE_GRAPH_API_VERSION", "beta"),
        ("EXCHANGE_ENABLE_EMAIL_PROCESSING", "on"),
    ] {
        let shown = refused(&[(name, value)]);
        assert!(shown.contains(&format!("--> environment variable {name}")), "{shown}");
    }
}

#[test]
fn another_mail_provider_turns_mail_off() {
    let mut variables = GUIDE.to_vec();
    variables[3].1 = "smtp";
    let start_up = with(&variables);
    assert!(!start_up.mail.enabled);
    assert!(start_up.warnings[0].starts_with("mail is off: EMAIL_PROVIDER is not `exchange`"));

    let mut variables = GUIDE.to_vec();
    variables.push(("EXCHANGE_ENABLE_EMAIL_PROCESSING", "false"));
    assert!(!with(&variables).mail.enabled);
}

#[test]
fn the_redirect_uri_gives_the_public_address() {
    let uri = "https://desk.example.com/admin/exchange/callback";
    for name in ["MICROSOFT_REDIRECT_URI", "EXCHANGE_OAUTH_REDIRECT_URI"] {
        let start_up = with(&[(name, uri)]);
        let url = start_up.console.public_url.expect("a public address");
        assert_eq!(url.as_str(), "https://desk.example.com/", "{name}");
        assert_eq!(start_up.mail.message_id_domain, "desk.example.com");
    }
    let domain = with(&[("EXCHANGE_CUSTOM_DOMAIN", "desk.example.com")]).console.public_url;
    assert_eq!(domain.expect("a public address").as_str(), "https://desk.example.com/");

    let shown = refused(&[("MICROSOFT_REDIRECT_URI", "https://desk.example.com/callback")]);
    assert!(shown.contains("MICROSOFT_REDIRECT_URI does not end in /admin/exchange/callback"), "{shown}");
    refused(&[("MICROSOFT_REDIRECT_URI", "http://desk.example.com/admin/exchange/callback")]);
    refused(&[("MICROSOFT_REDIRECT_URI", uri), ("EXCHANGE_CUSTOM_DOMAIN", "other.example.com")]);
}

#[test]
fn a_redirect_uri_of_another_address_than_the_files_is_refused() {
    let yaml = format!("{LEAST}console: {{publicUrl: \"https://a.example.com\"}}\n");
    let uri = "https://b.example.com/admin/exchange/callback";
    let shown = Folder::new().start_up(&yaml, &[("MICROSOFT_REDIRECT_URI", uri)]).expect_err("refused");
    assert!(shown.contains("it has to be https://a.example.com/admin/exchange/callback"), "{shown}");
}

#[test]
fn cookies_of_the_desk_follow_their_variables() {
    use cookie::SameSite;

    let strict = with(&[]).cookies;
    assert_eq!((strict.secure, strict.http_only, strict.same_site), (true, true, SameSite::Strict));

    let loose = with(&[
        ("EXCHANGE_COOKIE_SECURE", "false"),
        ("EXCHANGE_COOKIE_HTTPONLY", "false"),
        ("EXCHANGE_COOKIE_SAMESITE", "Lax"),
    ]);
    let cookies = &loose.cookies;
    assert_eq!((cookies.secure, cookies.http_only, cookies.same_site), (false, false, SameSite::Lax));
    assert_eq!(loose.warnings.len(), 1);

    refused(&[("EXCHANGE_COOKIE_SAMESITE", "none"), ("EXCHANGE_COOKIE_SECURE", "false")]);
    refused(&[("EXCHANGE_COOKIE_SAMESITE", "strickt")]);
}

#[test]
fn graph_may_be_another_clouds() {
    let mut variables = GUIDE.to_vec();
    variables.extend([
        ("EXCHANGE_GRAPH_API_BASE_URL", "https://graph.microsoft.us/v1.0"),
        ("EXCHANGE_GRAPH_API_VERSION", "v1.0"),
    ]);
    let graph = with(&variables).microsoft.expect("an app registration").graph;
    assert_eq!(graph.as_str(), "https://graph.microsoft.us/");
}

#[test]
fn half_an_app_registration_is_refused() {
    let shown = refused(&GUIDE[..2]);
    assert!(shown.contains("`microsoft.tenantId` (MICROSOFT_TENANT_ID) missing"), "{shown}");
    let shown = refused(&[GUIDE[0], GUIDE[1], ("MICROSOFT_TENANT_ID", "common")]);
    assert!(shown.contains("`common` is no tenant of yours"), "{shown}");
}

#[test]
fn a_variable_wins_over_the_file_and_says_so() {
    let yaml = format!("{LEAST}mail: {{from: a@example.com, rateLimit: 7}}\n");
    let folder = Folder::new();
    let variables = [("EXCHANGE_FROM_EMAIL", "b@example.com"), ("EXCHANGE_RATE_LIMIT", "7")];
    let start_up = folder.start_up(&yaml, &variables).expect("a start-up file");
    assert_eq!(start_up.mail.from_address.as_deref(), Some("b@example.com"));
    let warnings: Vec<String> = start_up.warnings.iter().map(|warning| folder.shown(warning)).collect();
    assert_eq!(warnings, ["…/mintgate.yml:3:14: `from` is left out: EXCHANGE_FROM_EMAIL is set and wins"]);
}

#[test]
fn each_value_knows_the_variable_or_the_line_that_says_it() {
    let yaml = format!("{LEAST}microsoft:\n  tenantId: c.example\n  clientId: {}\n", GUIDE[0].1);
    let folder = Folder::new();
    let secret = folder.write("secret", GUIDE[1].1).display().to_string();
    let variables = [
        ("MICROSOFT_TENANT_ID", "d.example"),
        ("MICROSOFT_CLIENT_SECRET_FILE", &secret),
        ("EXCHANGE_EMAIL_PROCESSING_INTERVAL", "60000"),
    ];
    let origins = folder.start_up(&yaml, &variables).expect("a start-up file").origins;
    let of = |setting: &str| origins.of(setting).map(|place| folder.shown(place));
    for (setting, place) in [
        ("microsoft.tenantId", Some("MICROSOFT_TENANT_ID")),
        ("microsoft.clientSecret", Some("MICROSOFT_CLIENT_SECRET_FILE")),
        ("microsoft.clientId", Some("microsoft.clientId (…/mintgate.yml:5)")),
        ("mail.pollInterval", Some("EXCHANGE_EMAIL_PROCESSING_INTERVAL")),
        ("microsoft.clientSecretExpires", None),
        ("mail.from", None),
    ] {
        assert_eq!(of(setting).as_deref(), place, "{setting}");
    }
}

#[test]
fn the_database_and_the_vaults_key_may_be_variables() {
    let folder = Folder::new();
    let key = folder.write("key", "k").display().to_string();
    let start_up =
        with(&[("MINTGATE_DATABASE_URL", "sqlite:///var/lib/m.db"), ("MINTGATE_VAULT_KEY_FILE", &key)]);
    assert_eq!(start_up.store, StoreAt::Sqlite("/var/lib/m.db".into()));
    assert!(
        matches!(start_up.vault, mintgate::config::VaultKey::File(path) if path.display().to_string() == key)
    );

    let start_up = with(&[("MINTGATE_DATABASE_URL", "postgres://a:b@db/m")]);
    assert!(matches!(start_up.store, StoreAt::Postgres(_)));
    let shown = refused(&[("MINTGATE_DATABASE_URL", "mysql://root:hunter2@db")]);
    assert!(!shown.contains("hunter2"), "{shown}");
    refused(&[("MINTGATE_VAULT_KEY_FILE", "/nonexistent")]);
}

#[test]
fn every_variable_without_effect_says_so() {
    let ignored = VARIABLES.iter().filter(|(_, fate)| matches!(fate, Fate::Ignored(_)));
    for (name, _) in ignored {
        let warnings = with(&[(name, "anything")]).warnings;
        assert_eq!(warnings.len(), 1, "{name}");
        assert!(warnings[0].starts_with(&format!("{name} has no effect: ")), "{}", warnings[0]);
    }
}

#[test]
fn the_start_up_file_may_be_named_by_a_variable() {
    let folder = Folder::new();
    let path = folder.write("m.yml", LEAST).display().to_string();
    let environment = [("MINTGATE_CONFIG", path)].into_iter().collect();
    assert!(StartUp::load(None, &environment).is_ok());
    let shown = StartUp::load(None, &Default::default()).expect_err("no file").to_string();
    assert_eq!(shown, "error: no start-up file is given\n  = help: use --config FILE or set MINTGATE_CONFIG");
}

#[test]
fn the_desk_may_be_named_by_a_variable_alone() {
    let entry_points = "entryPoints: {web: {address: \":8080\"}}\n";
    let start_up = Folder::new()
        .start_up(entry_points, &[("MINTGATE_DESK_URL", "http://peppermint:3000")])
        .unwrap_or_else(|shown| panic!("{shown}"));
    assert_eq!(start_up.desk.url.as_str(), "http://peppermint:3000/");
}
