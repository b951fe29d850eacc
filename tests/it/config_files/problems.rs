//! What is shown about a start-up file or a rule file that is wrong, to the letter.

use super::{Folder, LEAST};

/// Shows a start-up file that is [`LEAST`] and `yaml` after it.
fn shown(yaml: &str) -> String {
    Folder::new().start_up(&format!("{LEAST}{yaml}"), &[]).expect_err("wrong")
}

/// Shows a rule file.
fn shown_rules(yaml: &str) -> String {
    let folder = Folder::new();
    folder.write("rules/a.yml", yaml);
    folder.routes(LEAST).err().expect("wrong")
}

#[test]
fn an_unknown_key_is_shown_with_the_nearest_known_one() {
    let expected = "\
error: unknown key `acessLog`
 --> …/mintgate.yml:3:1
  |
3 | acessLog: {}
  | ^^^^^^^^
  = help: did you mean `accessLog`?";
    assert_eq!(shown("acessLog: {}\n"), expected);
}

#[test]
fn every_problem_of_a_file_is_shown_at_once() {
    let yaml =
        "mail:\n  pollInterval: soon\n  rateLimit: 0\n  replyTo: nobody\n  enabled: yes\n  maxsize: 10\n";
    let expected = "\
error: `soon` is not a duration such as 10s, 1m30s or 250ms
 --> …/mintgate.yml:4:17
  |
4 |   pollInterval: soon
  |                 ^^^^

error: `rateLimit` is a whole number from 1 to 10000
 --> …/mintgate.yml:5:14
  |
5 |   rateLimit: 0
  |              ^

error: this is not one mail address such as tickets@example.com
 --> …/mintgate.yml:6:12
  |
6 |   replyTo: nobody
  |            ^^^^^^

error: `enabled` is `true` or `false`
 --> …/mintgate.yml:7:12
  |
7 |   enabled: yes
  |            ^^^
  = help: without quotes; `yes` and `on` are texts";
    assert_eq!(shown(yaml), expected);
}

#[test]
fn traefiks_keys_that_mean_nothing_here_are_answered_with_what_to_do() {
    let yaml = "api: {}\nproviders: {docker: {exposedByDefault: false}}\ncertificatesResolvers: {}\n";
    let expected = "\
error: `api` is not supported
 --> …/mintgate.yml:3:1
  |
3 | api: {}
  | ^^^
  = help: there is no dashboard; leave `api` out

error: `docker` is not supported
 --> …/mintgate.yml:4:13
  |
4 | providers: {docker: {exposedByDefault: false}}
  |             ^^^^^^
  = help: labels are not read; write routers in a rule file under `providers.file`

error: `certificatesResolvers` is not supported
 --> …/mintgate.yml:5:1
  |
5 | certificatesResolvers: {}
  | ^^^^^^^^^^^^^^^^^^^^^
  = help: name certificate files under `tls.certificates` in a rule file";
    assert_eq!(shown(yaml), expected);
}

#[test]
fn broken_yaml_is_shown_with_its_place() {
    let expected = "\
error: unclosed bracket '['
 --> …/mintgate.yml:3:7
  |
3 | mail: [
  |       ^";
    assert_eq!(shown("mail: [\n"), expected);
}

#[test]
fn a_template_is_told_to_be_none() {
    let shown = shown_rules("http: {routers: {a: {rule: {{ env \"RULE\" }}, service: b}}}\n");
    assert!(
        shown.contains("files are plain YAML: templates such as {{ env \"NAME\" }} are not filled in"),
        "{shown}"
    );
}

#[test]
fn a_password_is_in_no_text() {
    for yaml in [
        "store: {sqlite: a, postgres: {url: \"mysql://root:hunter2@db/x\"}}\n",
        "store:\n  postgres:\n    url: \"mysql://root:hunter2@db/x\"\n",
        "microsoft:\n  clientSecret: [hunter2]\n",
        "console: {publicUrl: \"https://root:hunter2@desk.example.com\"}\n",
    ] {
        let shown = shown(yaml);
        assert!(shown.contains("mintgate.yml:") && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn entry_points_that_cannot_be_are_refused() {
    let yaml = "\
entryPoints:
  web: {address: 8080, htpp: {}}
  two: {address: \":80\", http: {redirections: {entryPoint: {to: thre}}}}
  three: {address: \"127.0.0.1:80\"}
  four: {}
  five: {address: \":90\", transport: {respondingTimeouts: {readTimeout: 0}}}
desk: {url: \"http://127.0.0.1:3000\"}
";
    let shown = Folder::new().start_up(yaml, &[]).expect_err("wrong");
    for expected in [
        "`8080` is not an address such as :8080, 127.0.0.1:8080 or [::1]:8080\n --> …/mintgate.yml:2:18",
        "unknown key `htpp`\n --> …/mintgate.yml:2:24",
        "there is no entry point `thre`\n --> …/mintgate.yml:3:64",
        "did you mean `three`?",
        "entry points `three` and `two` listen on one address\n --> …/mintgate.yml:4:20",
        "entry point `four` has no `address`\n --> …/mintgate.yml:5:9",
        "`0` has to be longer than nothing: without a limit one slow client holds a connection forever",
    ] {
        assert!(shown.contains(expected), "{expected}\n\nis not in\n\n{shown}");
    }
    assert_eq!(shown.matches("error:").count(), 6, "{shown}");
}

#[test]
fn what_is_needed_and_missing_is_told() {
    let shown = Folder::new().start_up("log: {}\n", &[]).expect_err("wrong");
    assert!(shown.contains("no entry point is given") && shown.contains("`desk` is missing"), "{shown}");
}

#[test]
fn a_start_up_file_that_is_not_there_is_told() {
    let folder = Folder::new();
    let path = folder.path("missing.yml");
    let error = mintgate::config::StartUp::load(Some(&path), &Default::default()).expect_err("missing");
    let expected =
        "error: the file cannot be read: No such file or directory (os error 2)\n --> …/missing.yml";
    assert_eq!(folder.shown(&error.to_string()), expected);
}

#[test]
fn a_router_is_told_all_that_is_wrong_with_it() {
    let yaml = "\
http:
  routers:
    a:
      rule: \"Host(`a`) && Hots(`b`)\"
      service: wbe
      entryPoints: [wbe]
      middlewares: [limits@file]
      priority: 9223372036854775807
      tls: {certResolver: cloudflare}
  services:
    web: {loadBalancer: {servers: [{url: \"http://127.0.0.1:3000\"}]}}
  middlewares:
    limit: {ipAllowList: {sourceRange: [\"10.0.0.0/8\"]}}
";
    let expected = "\
error: router `a`: there is no matcher `Hots`
 --> …/rules/a.yml:4:27
  |
4 |       rule: \"Host(`a`) && Hots(`b`)\"
  |                           ^^^^
  = help: did you mean `Host`?

error: there is no service `wbe`
 --> …/rules/a.yml:5:16
  |
5 |       service: wbe
  |                ^^^
  = help: did you mean `web`?

error: there is no entry point `wbe`
 --> …/rules/a.yml:6:21
  |
6 |       entryPoints: [wbe]
  |                     ^^^
  = help: did you mean `web`?

error: there is no middleware `limits`
 --> …/rules/a.yml:7:21
  |
7 |       middlewares: [limits@file]
  |                     ^^^^^^^^^^^
  = help: did you mean `limit`?

error: `priority` is a whole number from -9223372036854775808 to 9223372036854774807
 --> …/rules/a.yml:8:17
  |
8 |       priority: 9223372036854775807
  |                 ^^^^^^^^^^^^^^^^^^^

error: `certResolver` is not supported
 --> …/rules/a.yml:9:13
  |
9 |       tls: {certResolver: cloudflare}
  |             ^^^^^^^^^^^^
  = help: name certificate files under `tls.certificates`, and write `tls: {}` here";
    assert_eq!(shown_rules(yaml), expected);
}

#[test]
fn every_broken_middleware_is_told() {
    let yaml = "\
http:
  middlewares:
    a: {ipAllowList: {sourceRange: [\"10.0.0.0/33\", x]}}
    b: {ipAlowList: {}}
    c: {ipAllowList: {sourceRanges: [\"10.0.0.0/8\"]}}
    d: {chain: {middlewares: [e]}}
    e: {chain: {middlewares: [d, ab]}}
    f: {chain: {middlewares: []}}
    ac: {ipAllowList: {sourceRange: []}}
";
    let shown = shown_rules(yaml);
    for expected in [
        "middleware `a`: `10.0.0.0/33` is neither an IP address nor a CIDR range such as 192.0.2.0/24\n --> \
         …/rules/a.yml:3:37",
        "middleware `a`: `x` is neither an IP address nor a CIDR range such as 192.0.2.0/24\n --> \
         …/rules/a.yml:3:52",
        "unknown key `ipAlowList` in middleware `b`\n --> …/rules/a.yml:4:9",
        "did you mean `ipAllowList`?",
        "unknown key `sourceRanges` in middleware `c`\n --> …/rules/a.yml:5:23",
        "did you mean `sourceRange`?",
        "chain `d` contains itself: d → e → d\n --> …/rules/a.yml:6:8",
        "there is no middleware `ab`\n --> …/rules/a.yml:7:34",
        "chain `f` has no members\n --> …/rules/a.yml:8:8",
        "middleware `ac`: ",
    ] {
        assert!(shown.contains(expected), "{expected}\n\nis not in\n\n{shown}");
    }
    assert_eq!(shown.matches("error:").count(), 8, "{shown}");
}

#[test]
fn a_middleware_of_traefik_that_is_not_here_is_no_typing_error() {
    let yaml = "http:\n  middlewares:\n    old: {ipWhiteList: {sourceRange: [10.0.0.0/8]}}\n    door: {basicAuth: {}}\n";
    let expected = "\
error: middleware `old`: `ipWhiteList` is not supported
 --> …/rules/a.yml:3:11
  |
3 |     old: {ipWhiteList: {sourceRange: [10.0.0.0/8]}}
  |           ^^^^^^^^^^^
  = help: `ipAllowList` takes the same keys

error: middleware `door`: `basicAuth` is not supported
 --> …/rules/a.yml:4:12
  |
4 |     door: {basicAuth: {}}
  |            ^^^^^^^^^
  = help: who may enter is the service's to decide; `ipAllowList` lets networks in";
    assert_eq!(shown_rules(yaml), expected);
}

#[test]
fn services_that_lead_nowhere_are_refused() {
    let yaml = "\
http:
  services:
    a: {loadBalancer: {servers: [{url: \"127.0.0.1:3000\"}, {url: \"http://b/path\"}, {}]}}
    b: {loadBalancer: {servers: []}}
    c: {weighted: {}}
    d:
";
    let shown = shown_rules(yaml);
    for expected in [
        "`127.0.0.1:3000` is not a URL such as http://127.0.0.1:3000",
        "`http://b/path` has a path; an origin such as http://127.0.0.1:3000 is expected",
        "a server has no `url`",
        "service `b` has no servers",
        "`weighted` is not supported",
        "service `d` has no `loadBalancer`",
    ] {
        assert!(shown.contains(expected), "{expected}\n\nis not in\n\n{shown}");
    }
    assert_eq!(shown.matches("error:").count(), 6, "{shown}");
}

#[test]
fn certificates_that_cannot_be_used_are_refused() {
    let yaml = "\
tls:
  certificates:
    - certFile: /nonexistent/c.pem
      keyFile: /nonexistent/k.pem
    - certFile: x
  options: {}
";
    let shown = shown_rules(yaml);
    for expected in [
        "`/nonexistent/c.pem` cannot be read: No such file or directory (os error 2)\n --> …/rules/a.yml:3:7",
        "the certificate has no `keyFile`\n --> …/rules/a.yml:5:7",
        "`options` is not supported\n --> …/rules/a.yml:6:3",
    ] {
        assert!(shown.contains(expected), "{expected}\n\nis not in\n\n{shown}");
    }
}

#[test]
fn one_name_in_two_files_is_refused() {
    let folder = Folder::new();
    let service = "http: {services: {desk: {loadBalancer: {servers: [{url: \"http://127.0.0.1:1\"}]}}}}\n";
    folder.write("rules/a.yml", service);
    folder.write("rules/b/b.yaml", service);
    let expected = "\
error: `desk` is already in another file
 --> …/rules/b/b.yaml:1:19
  |
1 | http: {services: {desk: {loadBalancer: {servers: [{url: \"http://127.0.0.1:1\"}]}}}}
  |                   ^^^^
  = help: the first one is at …/rules/a.yml:1; rename one of them";
    assert_eq!(folder.routes(LEAST).err().as_deref(), Some(expected));
}

#[test]
fn problems_of_several_files_are_shown_together() {
    let folder = Folder::new();
    folder.write("rules/a.yml", "htpp: {}\n");
    folder.write("rules/b.yml", "http: {\n");
    let shown = folder.routes(LEAST).err().expect("wrong");
    assert!(shown.contains("…/rules/a.yml:1:1") && shown.contains("…/rules/b.yml:1:7"), "{shown}");
}
