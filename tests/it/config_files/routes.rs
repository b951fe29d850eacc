//! What rule files mean.

use std::fs;

use mintgate::config::{Router, Routes, StartUp};

use super::{Folder, LEAST, certificate};

const TWO_ENTRY_POINTS: &str = "\
entryPoints:
  web: {address: \":8080\"}
  websecure: {address: \":8443\", http: {tls: {}, middlewares: [edge]}}
desk: {url: \"http://127.0.0.1:3000\", apiUrl: \"http://127.0.0.1:5003\"}
";

fn routes(start_up: &str, rules: &str) -> Routes {
    let folder = Folder::new();
    folder.write("rules/a.yml", rules);
    folder.routes(start_up).unwrap_or_else(|shown| panic!("{shown}"))
}

fn start_up(folder: &Folder) -> StartUp {
    let rules = folder.path("rules");
    let providers = format!("providers: {{file: {{directory: \"{}\"}}}}\n", rules.display());
    folder.start_up(&format!("{LEAST}{providers}"), &[]).expect("a start-up file")
}

fn names(router: &Router) -> Vec<&str> {
    router.middlewares.iter().map(|middleware| middleware.name.as_ref()).collect()
}

/// A router `a` with these settings, to a service with this server.
fn one_router(settings: &str, server: &str) -> String {
    format!(
        "http:\n  routers:\n    a: {{rule: \"PathPrefix(`/`)\", service: s{settings}}}\n  services:\n    \
         s: {{loadBalancer: {{servers: [{{url: \"{server}\"}}]}}}}\n  middlewares:\n    \
         edge: {{ipAllowList: {{sourceRange: [\"10.0.0.0/8\"]}}}}\n    \
         upgrade: {{plugin: {{allowUpgrade: {{}}}}}}\n    cookies: {{plugin: {{hardenCookies: {{}}}}}}\n    \
         admins: {{plugin: {{adminOnly: {{}}}}}}\n    headers: {{plugin: {{secureHeaders: {{}}}}}}\n    policy: {{plugin: {{contentSecurityPolicy: {{}}}}}}\n    brake: {{plugin: {{loginBrake: {{}}}}}}\n    shield: {{plugin: {{sessionShield: {{}}}}}}\n    both: {{chain: {{middlewares: [upgrade, office]}}}}\n    \
         office: {{chain: {{middlewares: [edge@file]}}}}\n"
    )
}

/// What a router to the desk gets before and after its own middlewares.
const BEFORE: &[&str] =
    &["hardenCookies@internal", "loginBrake@internal", "sessionShield@internal", "adminOnly@internal"];
const AFTER: &[&str] = &["secureHeaders@internal", "contentSecurityPolicy@internal"];

const OTHER: &str = "http://10.1.1.1:80";
const DESK: &str = "http://127.0.0.1:3000";

#[test]
fn without_rules_everything_goes_to_the_guarded_desk_and_that_is_said() {
    let routes = Folder::new().routes(LEAST).expect("routes");
    let [router] = &routes.routers[..] else { panic!("one router") };
    assert_eq!((router.rule.text(), router.desk, router.tls), ("PathPrefix(`/`)", true, false));
    assert_eq!(router.entry_points, ["web"]);
    assert_eq!(names(router), [BEFORE, AFTER].concat());
    assert_eq!(routes.service_of(router).servers[0].port, 3000);
    assert_eq!(routes.warnings, ["no router is given: every request goes to the desk, from every address"]);
}

#[test]
fn a_router_is_plain_or_tls_as_its_entry_points_are() {
    let routes = routes(TWO_ENTRY_POINTS, &one_router("", OTHER));
    let [plain, tls] = &routes.routers[..] else { panic!("one router for each") };
    assert_eq!((plain.tls, &plain.entry_points[..]), (false, &["web".to_owned()][..]));
    assert_eq!((tls.tls, &tls.entry_points[..]), (true, &["websecure".to_owned()][..]));
    assert_eq!((names(plain), names(tls)), (vec![], vec!["edge"]));
}

#[test]
fn a_router_with_tls_is_tls_on_every_entry_point() {
    let routes = routes(TWO_ENTRY_POINTS, &one_router(", tls: {}, entryPoints: [web]", OTHER));
    assert_eq!(routes.routers.len(), 1);
    assert!(routes.routers[0].tls);
}

#[test]
fn address_checks_come_first_and_chains_are_unfolded() {
    let routes = routes(LEAST, &one_router(", middlewares: [cookies, both@file]", DESK));
    let router = &routes.routers[0];
    assert_eq!(
        names(router),
        [
            &[
                "edge",
                "loginBrake@internal",
                "sessionShield@internal",
                "adminOnly@internal",
                "cookies",
                "upgrade"
            ],
            AFTER
        ]
        .concat()
    );
    assert!(router.upgrade);
}

#[test]
fn the_shield_stands_before_the_guard_however_they_are_written() {
    for (written, expected) in [
        ("[admins]", ["hardenCookies@internal", "loginBrake@internal", "sessionShield@internal", "admins"]),
        ("[shield]", ["hardenCookies@internal", "loginBrake@internal", "shield", "adminOnly@internal"]),
        ("[admins, shield]", ["hardenCookies@internal", "loginBrake@internal", "shield", "admins"]),
    ] {
        let routes = routes(LEAST, &one_router(&format!(", middlewares: {written}"), DESK));
        assert_eq!(names(&routes.routers[0]), [&expected, AFTER].concat(), "{written}");
    }
}

#[test]
fn a_router_to_the_desk_is_guarded_whatever_its_file_says() {
    for server in [DESK, "http://localhost:3000/", "http://127.0.0.1:5003", "http://[::1]:3000"] {
        let routes = routes(TWO_ENTRY_POINTS, &one_router(", entryPoints: [web]", server));
        assert!(routes.routers[0].desk, "{server}");
        assert_eq!(names(&routes.routers[0]), [BEFORE, AFTER].concat());
        assert_eq!(
            routes.warnings,
            [
                "router `a` leads to the desk: `plugin.hardenCookies`, `plugin.loginBrake`, `plugin.sessionShield`, `plugin.adminOnly`, `plugin.secureHeaders`, `plugin.contentSecurityPolicy` added",
                "router `a` leads to the desk and has no allow-list of addresses",
            ]
        );
    }
}

#[test]
fn a_router_without_a_shield_has_to_say_so_and_that_is_told() {
    let rules = one_router(", middlewares: [edge, cookies, brake, shield, admins, headers, policy]", DESK);
    let routes = routes(LEAST, &rules.replace("sessionShield: {}", "sessionShield: {enabled: false}"));
    assert_eq!(
        names(&routes.routers[0]),
        ["edge", "cookies", "brake", "shield", "admins", "headers", "policy"]
    );
    let [warning] = &routes.warnings[..] else { panic!("{:?}", routes.warnings) };
    assert!(warning.contains("the shield is off"), "{warning}");
}

#[test]
fn a_middleware_that_asks_the_desk_is_refused_on_the_way_to_another_service() {
    let folder = Folder::new();
    folder.write("rules/a.yml", &one_router(", middlewares: [policy]", OTHER));
    let Err(shown) = folder.routes(LEAST) else { panic!("it was accepted") };
    assert!(shown.contains("`plugin.contentSecurityPolicy` is for routers to the desk only"), "{shown}");
}

#[test]
fn guards_that_are_there_are_not_added_again() {
    let routes = routes(
        LEAST,
        &one_router(", middlewares: [edge, cookies, brake, shield, admins, headers, policy]", DESK),
    );
    assert_eq!(
        names(&routes.routers[0]),
        ["edge", "cookies", "brake", "shield", "admins", "headers", "policy"]
    );
    assert_eq!(routes.warnings, [""; 0]);
}

#[test]
fn an_allow_list_at_the_entry_point_counts_for_its_routers() {
    let routes = routes(
        TWO_ENTRY_POINTS,
        &one_router(
            ", entryPoints: [websecure], middlewares: [cookies, brake, shield, admins, headers, policy]",
            DESK,
        ),
    );
    assert_eq!(
        names(&routes.routers[0]),
        ["edge", "cookies", "brake", "shield", "admins", "headers", "policy"]
    );
    assert_eq!(routes.warnings, [""; 0]);
}

#[test]
fn an_entry_points_unknown_middleware_is_refused() {
    let folder = Folder::new();
    folder.write("rules/a.yml", "http: {routers: {a: {rule: \"Host(`a`)\", service: desk@internal}}}\n");
    let shown = folder.routes(TWO_ENTRY_POINTS).err().expect("refused");
    assert!(shown.contains("entry point `websecure`: there is no middleware `edge`"), "{shown}");
}

#[test]
fn a_router_elsewhere_is_left_alone_and_a_missing_desk_is_told() {
    for server in [OTHER, "http://127.0.0.1:3001", "http://127.0.0.2.example.com:3000"] {
        let routes = routes(LEAST, &one_router("", server));
        assert!(!routes.routers[0].desk && routes.routers[0].middlewares.is_empty(), "{server}");
        assert!(routes.warnings[0].starts_with("no router leads to the desk at http://127.0.0.1:3000/"));
    }
}

#[test]
fn the_desk_is_a_service_without_being_written() {
    let rules = "http: {routers: {a: {rule: \"Host(`a`)\", service: desk@internal}}}\n";
    let routes = routes(LEAST, rules);
    assert!(routes.routers[0].desk);
    assert_eq!(routes.service_of(&routes.routers[0]).name, "desk@internal");
}

#[test]
fn priority_is_the_rules_length_unless_given() {
    let length = |settings: &str| routes(LEAST, &one_router(settings, OTHER)).routers[0].priority;
    assert_eq!([length(""), length(", priority: 0"), length(", priority: -5")], [15, 15, -5]);
}

#[test]
fn the_clients_host_is_passed_unless_switched_off() {
    let yaml = "http:\n  services:\n    a: {loadBalancer: {servers: [{url: \"https://h\"}], passHostHeader: false}}\n    \
                b: {loadBalancer: {servers: [{url: \"https://h\"}]}}\n";
    let routes = routes(LEAST, yaml);
    let passed: Vec<_> =
        routes.services.iter().map(|service| (service.name.as_str(), service.pass_host)).collect();
    assert_eq!(passed, [("a", false), ("b", true), ("desk@internal", true)]);
}

#[test]
fn every_yaml_file_below_the_folder_counts_and_hidden_ones_do_not() {
    let folder = Folder::new();
    let router = |name: &str| {
        format!("http: {{routers: {{{name}: {{rule: \"Host(`a`)\", service: desk@internal}}}}}}\n")
    };
    for (file, name) in [
        ("b.yml", "two"),
        ("a/x.yaml", "one"),
        (".c.yml", "hidden"),
        ("..old/d.yml", "older"),
        ("e.txt", "no"),
        ("f.toml", "no"),
    ] {
        folder.write(&format!("rules/{file}"), &router(name));
    }
    let routes = folder.routes(LEAST).expect("routes");
    let routers: Vec<&str> = routes.routers.iter().map(|router| router.name.as_str()).collect();
    assert_eq!(routers, ["one", "two"]);
    let files: Vec<String> =
        routes.files.iter().map(|path| folder.shown(&path.display().to_string())).collect();
    assert_eq!(files, ["…/rules/a/x.yaml", "…/rules/b.yml"]);
    let warnings: Vec<String> = routes.warnings.iter().map(|warning| folder.shown(warning)).collect();
    assert!(warnings.contains(&"`…/rules/f.toml` is not read: rules are YAML".to_owned()), "{warnings:?}");
}

#[test]
fn a_folder_that_leads_into_itself_is_told() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("rules")).expect("a folder");
    std::os::unix::fs::symlink(folder.path("rules"), folder.path("rules/again")).expect("a link");
    let shown = folder.routes(LEAST).err().expect("refused");
    assert!(shown.contains("a link may lead in a circle"), "{shown}");
}

#[test]
fn the_start_up_file_may_hold_the_rules() {
    let folder = Folder::new();
    let yaml = format!("{LEAST}global: {{}}\n{}", one_router("", OTHER));
    let start_up = folder.start_up(&yaml, &[]).expect("a start-up file");
    let routes = folder.load(&start_up).expect("routes");
    assert_eq!(routes.routers[0].name, "a");
    assert_eq!(routes.files, [folder.path("mintgate.yml")]);
}

#[test]
fn a_certificate_is_loaded_with_its_names() {
    let folder = Folder::new();
    let (certificate, key) = certificate(&folder, &["desk.example.com", "*.example.org"]);
    let entry = format!("{{certFile: {}, keyFile: {}}}", certificate.display(), key.display());
    folder.write("rules/a.yml", &format!("tls: {{certificates: [{entry}]}}\n"));
    let routes = folder.routes(LEAST).expect("routes");
    assert_eq!(routes.certificates[0].names, ["desk.example.com", "*.example.org"]);
    let watched = start_up(&folder).rules.to_watch(&routes);
    assert_eq!(watched, [folder.path("rules"), certificate, key]);
}

#[test]
fn traefiks_own_broken_configurations_are_refused_and_sound_ones_are_not() {
    let service = "  services: {foo: {loadBalancer: {servers: [{url: \"http://127.0.0.1\"}]}}}\n";
    let router =
        |settings: &str| format!("http:\n  routers: {{bar: {{service: foo, {settings}}}}}\n{service}");
    assert!(!routes(LEAST, &router("rule: \"Host(`foo.bar`)\"")).routers.is_empty());
    for broken in [
        router("rule: \"WrongRule(`bar.foo`)\""),
        router("rule: \"Host(`foo.bar`)\", middlewares: [unknown]"),
        router("rule: \"Host(`foo.bar`)\", priority: 9223372036854775807"),
        "http: {services: {foo: {loadBalancer: null}}}\n".to_owned(),
    ] {
        let folder = Folder::new();
        folder.write("rules/a.yml", &broken);
        assert!(folder.routes(LEAST).is_err(), "{broken}");
    }
}

const APP: &str =
    "microsoft: {clientId: 11111111-2222-3333-4444-555555555555, clientSecret: b, tenantId: c.example}\n";

/// A router `a` with a Graph token, to a service with these servers.
fn graph_router(settings: &str, servers: &[&str], pass_host: bool) -> String {
    let servers: Vec<String> = servers.iter().map(|url| format!("{{url: \"{url}\"}}")).collect();
    let servers = servers.join(", ");
    format!(
        "http:\n  routers:\n    a:\n      rule: \"PathPrefix(`/v1.0/`)\"\n      service: s\n      {settings}\n  \
         services:\n    s: {{loadBalancer: {{servers: [{servers}], passHostHeader: {pass_host}}}}}\n  \
         middlewares:\n    token: {{plugin: {{graphToken: {{mailbox: m365, allow: [10.0.0.0/8]}}}}}}\n    \
         more: {{chain: {{middlewares: [token]}}}}\n"
    )
}

#[test]
fn a_graph_token_goes_to_the_configured_graph_and_to_nobody_else() {
    const GRAPH: &str = "https://graph.microsoft.com";
    let start_up = format!("{LEAST}{APP}");
    let loads = |start_up: &str, rules: &str| {
        let folder = Folder::new();
        folder.write("rules/a.yml", rules);
        folder.routes(start_up)
    };
    for servers in [&[GRAPH][..], &["https://GRAPH.microsoft.com:443/"], &[GRAPH, GRAPH]] {
        let loaded = loads(&start_up, &graph_router("middlewares: [token]", servers, false));
        assert!(loaded.is_ok(), "{servers:?}: {}", loaded.err().unwrap_or_default());
    }
    let refused = [
        (&["http://graph.microsoft.com"][..], false),
        (&["https://graph.microsoft.com:8443"], false),
        (&["https://graph.microsoft.com."], false),
        (&["https://graph.microsoft.us"], false),
        (&["https://graph.microsoft.com.evil.example"], false),
        (&[GRAPH, OTHER], false),
        (&[GRAPH], true),
        (&[DESK], false),
    ];
    for (servers, pass_host) in refused {
        for settings in ["middlewares: [token]", "middlewares: [more]"] {
            let Err(shown) = loads(&start_up, &graph_router(settings, servers, pass_host)) else {
                panic!("{servers:?} {pass_host} {settings} was accepted")
            };
            let told = "router `a`: `plugin.graphToken` is for routers to Microsoft Graph only";
            assert!(shown.contains(told) && shown.contains(GRAPH), "{servers:?}: {shown}");
            assert!(shown.contains("rules/a.yml:6:"), "{servers:?}: {shown}");
        }
    }
    let national = format!("{LEAST}{}", APP.replace('}', ", graphUrl: \"https://graph.microsoft.us\"}"));
    assert!(
        loads(&national, &graph_router("middlewares: [token]", &["https://graph.microsoft.us"], false))
            .is_ok()
    );
    assert!(loads(&national, &graph_router("middlewares: [token]", &[GRAPH], false)).is_err());
}

#[test]
fn a_graph_token_needs_no_app_in_the_configuration_since_one_may_be_entered_on_a_page() {
    for (server, accepted) in [("https://graph.microsoft.com", true), ("https://graph.microsoft.us", false)] {
        let folder = Folder::new();
        folder.write("rules/a.yml", &graph_router("middlewares: [token]", &[server], false));
        assert_eq!(folder.routes(LEAST).is_ok(), accepted, "{server}");
    }
}

#[test]
fn an_entry_points_graph_token_is_judged_at_each_router() {
    let folder = Folder::new();
    folder.write("rules/a.yml", &graph_router("priority: 7", &[OTHER], false));
    let start_up = format!(
        "entryPoints: {{web: {{address: \":8080\", http: {{middlewares: [token]}}}}}}\n\
         desk: {{url: \"http://127.0.0.1:3000\"}}\n{APP}"
    );
    let Err(shown) = folder.routes(&start_up) else { panic!("it was accepted") };
    assert!(shown.contains("`plugin.graphToken` is for routers to Microsoft Graph only"), "{shown}");
}
