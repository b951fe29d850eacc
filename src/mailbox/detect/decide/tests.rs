//! What follows from which evidence, without any network.

use super::*;
use crate::mailbox::detect::evidence::Place;
use crate::mailbox::detect::greeting::Greeting;
use crate::mailbox::settings::Security;
use crate::net::names::{MailExchanger, Service};

fn address(domain: &str) -> MailAddress {
    MailAddress::parse(&format!("help.desk@{domain}")).expect("an address")
}

fn offline(domain: &str) -> Detection {
    decide(&Table::built_in(), &address(domain), &Evidence::default())
}

fn exchangers(hosts: &[(u16, &str)]) -> Evidence {
    let found = hosts.iter().map(|&(priority, host)| MailExchanger { priority, host: host.to_owned() });
    Evidence { exchangers: Exchangers::Known(found.collect()), ..Evidence::default() }
}

fn found(evidence: &Evidence) -> Detection {
    decide(&Table::built_in(), &address("shop.example"), evidence)
}

fn id(detection: &Detection) -> &str {
    detection.provider.as_ref().map_or("none", |provider| &provider.id)
}

fn service(kind: ServiceKind, host: &str, port: u16) -> (ServiceKind, Service) {
    (kind, Service { priority: 0, weight: 1, port, host: host.to_owned() })
}

fn file(host: &str) -> Autoconfig {
    let server = Server::new(host, 993, Security::Tls, "help.desk@shop.example");
    let incoming = Found { server, user_form: Some(UserForm::Address), takes_password: true };
    Autoconfig { name: Some("Shop".to_owned()), incoming: Some(incoming), outgoing: None }
}

#[test]
fn every_domain_of_the_table_is_its_provider_without_a_network() {
    let table = Table::built_in();
    let mut seen = 0;
    for row in table.rows() {
        for domain in row.domains().iter().filter(|domain| !domain.starts_with('.')) {
            let detection = decide(&table, &address(domain), &Evidence::default());
            assert_eq!((id(&detection), detection.confidence), (row.id, Confidence::Exact), "{domain}");
            assert_eq!(detection.incoming.is_some(), row.kind == Kind::Mailbox, "{domain}");
            let explained =
                detection.warnings.iter().any(|w| [Warning::PopOnly, Warning::Unencrypted].contains(w));
            assert_eq!(explained, row.kind != Kind::Mailbox, "{domain}");
            seen += 1;
        }
    }
    assert_eq!(seen, 966);
}

#[test]
fn every_mail_exchanger_of_the_table_is_its_provider() {
    let table = Table::built_in();
    let mut seen = 0;
    for row in table.rows() {
        for pattern in row.exchangers() {
            let text = pattern.0.replace('#', "10").replace('*', "3").replace("{region}", "eu-west-1");
            let host = if text.starts_with('.') { format!("inbound{text}") } else { text };
            let detection = found(&exchangers(&[(10, &host), (20, "backup.example.net")]));
            match row.kind {
                Kind::Gateway => assert_eq!(detection.gateway.as_deref(), Some(row.name), "{host}"),
                _ => assert_eq!(id(&detection), row.id, "{host}"),
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 69);
}

#[test]
fn the_plans_domains_have_the_corrected_servers() {
    let of = |domain: &str| {
        let detection = offline(domain);
        let server = |server: Option<Server>| server.map(|server| format!("{}:{}", server.host, server.port));
        let (incoming, outgoing) = (server(detection.incoming.clone()), server(detection.outgoing.clone()));
        (incoming.expect("IMAP"), outgoing.expect("SMTP"), detection.vendor())
    };
    for (domain, incoming, outgoing, vendor) in [
        ("gmail.com", "imap.gmail.com:993", "smtp.gmail.com:465", Provider::Google),
        ("googlemail.com", "imap.gmail.com:993", "smtp.gmail.com:465", Provider::Google),
        ("outlook.com", "outlook.office365.com:993", "smtp-mail.outlook.com:587", Provider::Microsoft),
        ("hotmail.com", "outlook.office365.com:993", "smtp-mail.outlook.com:587", Provider::Microsoft),
        ("live.com", "outlook.office365.com:993", "smtp-mail.outlook.com:587", Provider::Microsoft),
        (
            "contoso.onmicrosoft.com",
            "outlook.office365.com:993",
            "smtp.office365.com:587",
            Provider::Microsoft,
        ),
        ("yahoo.com", "imap.mail.yahoo.com:993", "smtp.mail.yahoo.com:465", Provider::Other),
        ("icloud.com", "imap.mail.me.com:993", "smtp.mail.me.com:587", Provider::Other),
        ("aol.com", "imap.aol.com:993", "smtp.aol.com:465", Provider::Other),
    ] {
        let wanted = (incoming.to_owned(), outgoing.to_owned(), vendor);
        assert_eq!(of(domain), wanted, "{domain}");
    }
}

#[test]
fn icloud_signs_in_with_the_name_before_the_at_sign() {
    let detection = offline("icloud.com");
    assert_eq!(detection.incoming.expect("IMAP").user, "help.desk");
    assert_eq!(detection.outgoing.expect("SMTP").user, "help.desk@icloud.com");
    assert_eq!(detection.user_form, Some(UserForm::Local));
}

#[test]
fn a_microsoft_mailbox_takes_no_password_and_the_reason_is_told() {
    for detection in [offline("outlook.com"), found(&exchangers(&[(0, "shop.mail.protection.outlook.com")]))]
    {
        assert_eq!(detection.sign_in, [Way::OAuth { vendor: Provider::Microsoft }]);
        assert!(detection.password_refused.is_some_and(|reason| reason.contains("switched off")));
        assert_eq!(detection.settings().incoming, None, "Graph needs no server");
    }
    assert!(offline("outlook.com").warnings.contains(&Warning::PersonalAccount));
}

#[test]
fn yahoo_asks_for_an_app_password_and_offers_no_registration() {
    let ways = offline("yahoo.com").sign_in;
    assert!(matches!(ways[..], [Way::Password { app_password: AppPassword::Required, .. }]), "{ways:?}");
}

#[test]
fn the_exchanger_tells_the_kind_of_microsoft_and_of_zoho_account() {
    for (host, wanted) in [
        ("shop-example.mail.protection.outlook.com", "microsoft-365"),
        ("shop-example.p-v1.mx.microsoft", "microsoft-365"),
        ("hotmail-com.olc.protection.outlook.com", "outlook.com"),
        ("aspmx.l.google.com", "google"),
        ("smtp.google.com", "google"),
        ("mx-aol.mail.gm0.yahoodns.net", "aol"),
        ("mta5.am0.yahoodns.net", "yahoo"),
        ("mx.zoho.com", "zoho-pro.com"),
        ("smtpin.rzone.de", "strato.de"),
        ("mx00.kundenserver.de", "ionos.de"),
    ] {
        assert_eq!(id(&found(&exchangers(&[(10, host)]))), wanted, "{host}");
    }
}

#[test]
fn only_the_best_exchanger_counts() {
    let both = exchangers(&[(10, "mx.unknown.example"), (20, "aspmx.l.google.com")]);
    assert_eq!(found(&both).confidence, Confidence::None);
    let equal = exchangers(&[(10, "mx.unknown.example"), (10, "aspmx.l.google.com")]);
    assert_eq!(id(&found(&equal)), "google");
}

#[test]
fn microsoft_by_exchanger_beats_a_file_that_a_web_panel_left() {
    let mut evidence = exchangers(&[(0, "shop.mail.protection.outlook.com")]);
    evidence.files.push((Carriage::Https, file("mail.shop.example")));
    assert_eq!((id(&found(&evidence)), found(&evidence).confidence), ("microsoft-365", Confidence::Mx));
}

#[test]
fn behind_a_filter_the_hints_decide_unless_they_disagree() {
    let behind = |texts: &[&str], autodiscover: &[&str]| {
        let mut evidence = exchangers(&[(10, "eu-smtp-inbound-1.mimecast.com")]);
        evidence.texts = texts.iter().map(|&text| text.to_owned()).collect();
        evidence.autodiscover = autodiscover.iter().map(|&name| name.to_owned()).collect();
        let detection = found(&evidence);
        assert_eq!(detection.gateway.as_deref(), Some("Mimecast"));
        assert!(detection.warnings.contains(&Warning::BehindGateway));
        (id(&detection).to_owned(), detection.confidence)
    };
    let (microsoft, google) =
        ("v=spf1 include:spf.protection.outlook.com -all", "v=spf1 include:_spf.google.com ~all");
    assert_eq!(behind(&[microsoft], &[]), ("microsoft-365".to_owned(), Confidence::Guess));
    assert_eq!(behind(&[google], &[]), ("google".to_owned(), Confidence::Guess));
    assert_eq!(behind(&[], &["autodiscover.outlook.com"]), ("microsoft-365".to_owned(), Confidence::Mx));
    assert_eq!(behind(&[microsoft, google], &[]), ("none".to_owned(), Confidence::None));
    assert_eq!(
        behind(&["note include:_spf.google.com"], &["outlook.com.evil.example"]),
        ("none".to_owned(), Confidence::None)
    );
}

#[test]
fn a_domain_without_a_mailbox_is_told_and_nothing_is_offered() {
    let gone = Evidence { exchangers: Exchangers::NoSuchDomain, ..Evidence::default() };
    for (evidence, warning) in [
        (exchangers(&[(0, "")]), Warning::TakesNoMail),
        (gone, Warning::NoSuchDomain),
        (exchangers(&[(5, "route1.mx.cloudflare.net")]), Warning::NoMailbox),
        (exchangers(&[(5, "mxa.mailgun.org")]), Warning::NoMailbox),
    ] {
        let detection = found(&evidence);
        assert!(detection.warnings.contains(&warning), "{warning:?}");
        assert!(detection.incoming.is_none() && detection.sign_in.is_empty());
    }
}

#[test]
fn a_file_by_https_beats_srv_and_srv_beats_a_file_by_http() {
    let mut evidence = exchangers(&[]);
    evidence.greetings.push((
        Place {
            host: "mail.shop.example".into(),
            port: 993,
            protocol: Protocol::Imap,
            security: Security::Tls,
        },
        Heard::Greeting(Greeting::default()),
    ));
    let host = |evidence: &Evidence| found(evidence).incoming.expect("a server").host;
    assert_eq!(
        (host(&evidence).as_str(), found(&evidence).confidence),
        ("mail.shop.example", Confidence::Guess)
    );
    evidence.files.push((Carriage::Http, file("http.shop.example")));
    assert_eq!(host(&evidence), "http.shop.example");
    assert!(found(&evidence).warnings.contains(&Warning::Unauthenticated));
    evidence.services.push(service(ServiceKind::Imaps, "srv.shop.example", 993));
    assert_eq!(
        (host(&evidence).as_str(), found(&evidence).confidence),
        ("srv.shop.example", Confidence::Srv)
    );
    assert!(!found(&evidence).warnings.contains(&Warning::Unauthenticated));
    evidence.files.push((Carriage::Https, file("https.shop.example")));
    assert_eq!(
        (host(&evidence).as_str(), found(&evidence).confidence),
        ("https.shop.example", Confidence::Autoconfig)
    );
}

#[test]
fn srv_prefers_implicit_tls_and_knows_what_is_not_offered() {
    let mut evidence = exchangers(&[]);
    evidence.services = vec![
        service(ServiceKind::Imaps, "", 0),
        service(ServiceKind::Imap, "imap.shop.example", 143),
        service(ServiceKind::Submission, "smtp.shop.example", 587),
        service(ServiceKind::Submissions, "smtp.hoster.example", 465),
    ];
    let detection = found(&evidence);
    let user = "help.desk@shop.example";
    assert_eq!(detection.incoming, Some(Server::new("imap.shop.example", 143, Security::StartTls, user)));
    assert_eq!(detection.outgoing, Some(Server::new("smtp.hoster.example", 465, Security::Tls, user)));
    assert!(detection.warnings.contains(&Warning::OtherDomain));
}

#[test]
fn srv_to_microsoft_signs_in_with_microsoft() {
    let mut evidence = exchangers(&[]);
    evidence.services.push(service(ServiceKind::Imaps, "outlook.office365.com", 993));
    let detection = found(&evidence);
    assert_eq!((id(&detection), detection.vendor()), ("microsoft-365", Provider::Microsoft));
    assert!(detection.password_refused.is_some());
}

#[test]
fn a_server_with_a_foreign_certificate_is_not_offered() {
    let mut evidence = exchangers(&[]);
    evidence.greetings.push((
        Place {
            host: "mail.shop.example".into(),
            port: 993,
            protocol: Protocol::Imap,
            security: Security::Tls,
        },
        Heard::BadCertificate,
    ));
    let detection = found(&evidence);
    assert_eq!(detection.incoming, None);
    assert!(detection.warnings.contains(&Warning::BadCertificate));
}
