//! What a start-up file means.

use std::path::PathBuf;
use std::time::Duration;

use mintgate::config::{AccessLog, Log, Redirection, VaultKey};
use mintgate::mail::authentication::Server;
use mintgate::store::StoreAt;
use mintgate::web::client_address::Trusted;
use mintgate::web::exchange::Scheme;

use super::{Folder, LEAST};

#[test]
fn the_least_file_has_sane_defaults() {
    let start_up = Folder::new().start_up(LEAST, &[]).expect("a start-up file");

    let web = &start_up.entry_points[0];
    assert_eq!((web.address.to_string().as_str(), web.tls, web.default), ("[::]:8080", false, true));
    assert_eq!(web.trusted, Trusted::Nobody);
    assert_eq!((web.timeouts.read, web.timeouts.grace), (Duration::from_secs(10), Duration::from_secs(10)));
    assert_eq!(start_up.store, StoreAt::Sqlite(PathBuf::from("data/mintgate.db")));
    assert!(matches!(&start_up.vault, VaultKey::MadeIn(folder) if folder == &PathBuf::from("data")));
    assert_eq!(start_up.desk.api_url, start_up.desk.url);
    assert_eq!(start_up.desk.locales.len(), 16);
    assert_eq!(start_up.log, Log { level: "info".into(), json: false });
    assert_eq!((start_up.access_log, start_up.ping, start_up.metrics), (None, None, None));
    assert!(!start_up.mail.enabled && start_up.console.enabled && start_up.microsoft.is_none());
    assert_eq!(start_up.mail.poll_interval, Duration::from_secs(300));
    assert_eq!(start_up.warnings, [""; 0]);
}

#[test]
fn a_proxy_header_is_demanded_of_named_senders_only() {
    let of = |setting: &str| {
        let yaml = LEAST.replace("\":8080\"}", &format!("\":8080\", proxyProtocol: {setting}}}"));
        Folder::new().start_up(&yaml, &[]).map(|start_up| start_up.entry_points[0].proxy_header.clone())
    };
    let network = "192.0.2.0/24".parse().expect("a network");
    assert_eq!(of("{trustedIPs: [192.0.2.0/24]}"), Ok(Some(Trusted::Networks(vec![network]))));
    assert_eq!(of("{insecure: true}"), Ok(Some(Trusted::Everybody)));
    for nobody in ["{}", "{trustedIPs: []}", "{insecure: false}"] {
        let told = of(nobody).expect_err("nobody could connect");
        assert!(told.contains("mintgate.yml:1:") && told.contains("`proxyProtocol` trusts nobody"), "{told}");
    }
    assert!(of("{trustedIps: [x]}").expect_err("not an address").contains('`'));
}

#[test]
fn traefiks_entry_points_are_understood() {
    let yaml = "\
entryPoints:
  web:
    ADDRESS: \"127.0.0.1:80/tcp\"
    http: {redirections: {entryPoint: {to: websecure, permanent: false}}}
  websecure:
    address: \":8443\"
    asDefault: true
    http: {tls: {}, middlewares: [limit@file]}
    forwardedHeaders: {trustedIPs: [\"10.0.0.1/8\", \"::1\"]}
    transport:
      respondingTimeouts: {readTimeout: 1m30s, writeTimeout: 0, idleTimeout: 90}
      lifeCycle: {graceTimeOut: 250ms}
desk: {url: \"http://desk:3000\", apiUrl: \"http://desk:5003\", locales: [en]}
accessLog: {format: json, filePath: /tmp/access.log}
log: {level: DEBUG, format: json}
ping: {}
metrics: {prometheus: {entryPoint: web}}
";
    let start_up = Folder::new().start_up(yaml, &[]).expect("a start-up file");

    let [web, secure] = &start_up.entry_points[..] else { panic!("two entry points") };
    assert_eq!(web.redirect, Some(Redirection { scheme: Scheme::Https, port: 8443, permanent: false }));
    assert!(!web.default && secure.default && secure.tls);
    let networks = ["10.0.0.0/8", "::1/128"].map(|text| text.parse().expect("a network"));
    assert_eq!(secure.trusted, Trusted::Networks(networks.to_vec()));
    assert_eq!(secure.timeouts.read, Duration::from_secs(90));
    assert_eq!((secure.timeouts.write, secure.timeouts.idle), (None, Duration::from_secs(90)));
    assert_eq!(secure.timeouts.grace, Duration::from_millis(250));
    assert_eq!(secure.middlewares, ["limit@file"]);
    assert_eq!(start_up.access_log, Some(AccessLog { file: Some("/tmp/access.log".into()), json: true }));
    assert_eq!(start_up.log, Log { level: "debug".into(), json: true });
    assert_eq!((start_up.ping.as_deref(), start_up.metrics.as_deref()), (Some("web"), Some("web")));
    assert_eq!(start_up.warnings.len(), 1, "{:?}", start_up.warnings);
    assert!(start_up.warnings[0].contains("`10.0.0.1/8` is read as 10.0.0.0/8"));
}

#[test]
fn an_option_of_traefik_that_is_always_so_is_taken_with_a_warning() {
    for option in ["sanitizePath: true", "aliasHeadersStrategy: reject", "underscoreHeadersStrategy: keep"] {
        let yaml = LEAST.replace("\":8080\"", &format!("\":8080\", http: {{{option}}}"));
        let start_up = Folder::new().start_up(&yaml, &[]).expect("a start-up file");
        let name = option.split(':').next().expect("a name");
        let [warning] = &start_up.warnings[..] else { panic!("{:?}", start_up.warnings) };
        assert!(warning.contains(name) && warning.contains("always"), "{warning}");
    }
}

#[test]
fn a_redirection_may_name_a_port_that_is_published() {
    let yaml = LEAST.replace("\":8080\"", "\":8080\", http: {redirections: {entryPoint: {to: \":443\"}}}");
    let start_up = Folder::new().start_up(&yaml, &[]).expect("a start-up file");
    let expected = Redirection { scheme: Scheme::Https, port: 443, permanent: true };
    assert_eq!(start_up.entry_points[0].redirect, Some(expected));

    let to_itself = yaml.replace(":443", "web");
    let shown = Folder::new().start_up(&to_itself, &[]).expect_err("refused");
    assert!(shown.contains("entry point `web` redirects to itself"), "{shown}");
}

#[test]
fn trusting_everybody_is_possible_and_told() {
    let yaml = LEAST.replace("\":8080\"", "\":8080\", forwardedHeaders: {insecure: true}");
    let start_up = Folder::new().start_up(&yaml, &[]).expect("a start-up file");
    assert_eq!(start_up.entry_points[0].trusted, Trusted::Everybody);
    assert!(start_up.warnings[0].contains("everybody is trusted to say who the client is"));
}

#[test]
fn the_metrics_entry_point_serves_no_router_unless_asked_to() {
    let yaml = "entryPoints: {web: {address: \":80\"}, internal: {address: \"127.0.0.1:9100\"}}\n\
                desk: {url: \"http://127.0.0.1:3000\"}\nmetrics: {prometheus: {entryPoint: internal}}\n";
    let start_up = Folder::new().start_up(yaml, &[]).expect("a start-up file");
    let defaults: Vec<bool> = start_up.entry_points.iter().map(|entry_point| entry_point.default).collect();
    assert_eq!(defaults, [true, false]);
}

#[test]
fn keys_without_effect_are_left_out_with_a_warning() {
    let yaml = format!("{LEAST}global: {{checkNewVersion: false}}\naccessLog: {{bufferingSize: 100}}\n");
    let folder = Folder::new();
    let warnings = folder.start_up(&yaml, &[]).expect("a start-up file").warnings;
    assert_eq!(
        warnings.iter().map(|warning| folder.shown(warning)).collect::<Vec<_>>(),
        [
            "…/mintgate.yml:3:1: `global` is left out: nothing is reported to anybody and no version is looked up",
            "…/mintgate.yml:4:13: `bufferingSize` is left out: lines are written by a thread of their own",
        ]
    );
}

#[test]
fn secrets_may_stand_in_files() {
    let folder = Folder::new();
    let bot = folder.write("bot", "pa ss\n");
    let url = folder.write("url", "postgres://mintgate:hunter2@db/mintgate\n");
    let key = folder.write("key", "k");
    let yaml = format!(
        "{}store: {{postgres: {{urlFile: {}}}}}\nvault: {{keyFile: {}}}\n",
        LEAST
            .replace("3000\"}", &format!("3000\", bot: {{email: b@c.d, passwordFile: {}}}}}", bot.display())),
        url.display(),
        key.display(),
    );
    let start_up = folder.start_up(&yaml, &[]).expect("a start-up file");
    assert!(start_up.desk.bot.is_some());
    let StoreAt::Postgres(url) = &start_up.store else { panic!("PostgreSQL") };
    assert_eq!(url.0, "postgres://mintgate:hunter2@db/mintgate");
    assert!(matches!(&start_up.vault, VaultKey::File(path) if path == &key));
    assert!(!format!("{start_up:?}").contains("hunter2") && !format!("{start_up:?}").contains("pa ss"));
}

#[test]
fn only_what_is_a_part_of_the_network_can_be_opened_to_mail() {
    let read =
        |list: &str| Folder::new().start_up(&format!("{LEAST}mail: {{privateNetworks: [{list}]}}\n"), &[]);
    for (written, refused) in [
        ("10.0.0.0/8", None),
        ("\"10.0.0.5@1993\", \"fd00::/8\"", None),
        ("inside", Some("`inside` is not a network such as 10.0.0.0/8")),
        ("\"10.0.0.5:1993\"", Some("nor one port of it such as 10.0.0.5@1993")),
        ("0.0.0.0/0", Some("`0.0.0.0/0` is every address there is")),
        ("\"::/0@993\"", Some("`::/0@993` is every address there is")),
    ] {
        match (read(written), refused) {
            (Ok(start_up), None) => assert!(!start_up.mail.private_networks.is_empty(), "{written}"),
            (Err(problems), Some(sentence)) => {
                assert!(problems.contains(sentence) && problems.contains("mintgate.yml:"), "{problems}");
            }
            (outcome, _) => panic!("{written}: {}", outcome.is_ok()),
        }
    }
}

#[test]
fn mail_is_off_without_the_bot_and_says_so() {
    let microsoft = "microsoft: {clientId: 11111111-2222-3333-4444-555555555555, tenantId: c, \
                     clientSecret: abc8Q~0123456789012345678901234567890123}\n";
    let start_up = Folder::new().start_up(&format!("{LEAST}{microsoft}"), &[]).expect("a start-up file");
    assert!(!start_up.mail.enabled);
    assert!(start_up.warnings[0].starts_with("mail is off: the desk's bot is missing"));

    let bot = [("MINTGATE_BOT_EMAIL", "bot@example.com"), ("MINTGATE_BOT_PASSWORD", "x")];
    let start_up = Folder::new().start_up(&format!("{LEAST}{microsoft}"), &bot).expect("a start-up file");
    assert!(start_up.mail.enabled);
    assert_eq!(start_up.warnings, [""; 0]);

    // An app may be entered on a page, and a mailbox may have a password.
    let start_up = Folder::new().start_up(LEAST, &bot).expect("a start-up file");
    assert!(start_up.mail.enabled);
}

#[test]
fn the_readmes_yaml_is_what_the_program_reads() {
    let readme = include_str!("../../../README.md");
    let yaml = readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let folder = Folder::new();
    let start_up = folder.start_up(yaml, &[]).unwrap_or_else(|shown| panic!("{shown}"));
    let routes = folder.load(&start_up).unwrap_or_else(|shown| panic!("{shown}"));
    // One for the entry point without TLS, which only redirects, and one for the other.
    assert!(routes.routers.iter().all(|router| router.desk), "the helpdesk's router leads to the desk");
    assert!(routes.routers.iter().any(|router| router.tls), "and does so by TLS");
    assert!(yaml.lines().count() <= 14, "a dozen lines");
}

#[test]
fn a_server_that_vouches_for_senders_is_named_or_refused_with_its_place() {
    let of = |list: &str| {
        let yaml = format!("{LEAST}mail: {{authenticationServers: {list}}}\n");
        Folder::new().start_up(&yaml, &[]).map(|start_up| start_up.mail.policy.authentication_servers)
    };
    let named = ["mx.example.com", "*.in.example.com"].map(|name| Server::Named(name.to_owned())).to_vec();
    assert_eq!(of("[mx.example.com, \"*.in.example.com\"]"), Ok(named));
    for refused in ["\"*\"", "\"*.com\"", "a@example.com"] {
        let error = of(&format!("[mx.example.com, {refused}]")).expect_err("refused");
        assert!(error.contains("is not a mail server's name"), "{error}");
    }
}

#[test]
fn the_default_mailbox_and_the_subjects_mark_are_read_or_refused_with_their_place() {
    let of = |keys: &str| {
        let yaml = format!("{LEAST}mail: {{{keys}}}\n");
        Folder::new().start_up(&yaml, &[]).map(|start_up| start_up.mail.policy)
    };
    let policy = of("defaultMailbox: sales@example.com, subjectMark: true").expect("a start-up file");
    assert_eq!(policy.default_mailbox.as_deref(), Some("sales@example.com"));
    assert!(policy.letters.subject_mark);
    for refused in ["defaultMailbox: sales", "subjectMark: sometimes"] {
        let error = of(refused).expect_err("refused");
        assert!(error.contains("mintgate.yml:"), "{error}");
    }
}

#[test]
fn being_called_about_new_mail_is_asked_for_and_needs_a_public_url() {
    let of = |more: &str| {
        let start_up = Folder::new().start_up(&format!("{LEAST}{more}"), &[]);
        start_up.map(|start_up| start_up.mail.told_at.map(|url| url.to_string()))
    };
    let public = "console: {publicUrl: \"https://desk.example.com\"}\n";
    let asked = "mail: {changeNotifications: true}\n";
    assert_eq!(of(public), Ok(None));
    assert_eq!(of(&format!("{public}{asked}")), Ok(Some("https://desk.example.com/".to_owned())));
    assert_eq!(of("mail: {changeNotifications: false}\n"), Ok(None));
    let told = of(asked).expect_err("nobody could call");
    assert!(told.contains("mintgate.yml:3:") && told.contains("needs a public URL"), "{told}");
}
