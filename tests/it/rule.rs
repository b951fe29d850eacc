//! Traefik's rules, matched and refused as Traefik does.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mintgate::rule::{Rule, Subject};
use mintgate::web::path::routing_path;
use serde_json::Value;

use crate::shared::{header_lines, text, traefik_cases};

struct Request {
    method: Method,
    host: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    peer: IpAddr,
}

impl Request {
    fn get(url: &str) -> Self {
        let rest = url.split_once("://").expect("a URL").1;
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let without_port = match authority.rfind(':') {
            Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
            _ => authority,
        };
        let host = without_port.strip_suffix('.').unwrap_or(without_port).to_ascii_lowercase();
        let path = if path.is_empty() { "/" } else { path };
        Self {
            method: Method::GET,
            host,
            path: routing_path(path).into_owned(),
            query: query.map(str::to_owned),
            headers: HeaderMap::new(),
            peer: IpAddr::from([192, 0, 2, 1]),
        }
    }

    /// `None` when the case's peer is no address: no connection has such a one.
    fn of_case(request: &Value) -> Option<Self> {
        let peer = text(request, "remote_addr");
        let peer = peer.parse().ok().or_else(|| peer.parse::<SocketAddr>().ok().map(|peer| peer.ip()))?;
        let mut headers = HeaderMap::new();
        for (name, value) in header_lines(&request["headers"]) {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.append(name, HeaderValue::from_str(&value).expect("a value"));
        }
        let method = Method::from_bytes(text(request, "method").as_bytes()).expect("a method");
        Some(Self { method, headers, peer, ..Self::get(text(request, "url")) })
    }

    fn is_matched_by(&self, rule: &Rule) -> bool {
        rule.matches(&Subject {
            method: &self.method,
            host: &self.host,
            path: &self.path,
            query: self.query.as_deref(),
            headers: &self.headers,
            peer: self.peer,
        })
    }
}

fn matches(rule: &str, url: &str) -> bool {
    Request::get(url).is_matched_by(&Rule::parse(rule).expect(rule))
}

#[test]
fn hosts_match_without_case_port_and_final_dot() {
    for (rule, url, expected) in [
        ("Host(`a.test`)", "http://A.TEST:8080/", true),
        ("Host(`A.test.`)", "http://a.test./", true),
        ("Host(`a.test`)", "http://b.a.test/", false),
        ("Host(`*.a.test`)", "http://b.a.test/", true),
        ("Host(`*.a.test`)", "http://c.b.a.test/", false),
        ("Host(`*.a.test`)", "http://a.test/", false),
        ("Host(`*`)", "http://any/", true),
        ("Host(`[::1]`) && Host(`::1`)", "http://[::1]:80/", true),
        ("HostRegexp(`^[a-z]+\\.test$`)", "http://a.test/", true),
        ("HostRegexp(`a.test`)", "http://xa-test/", true),
    ] {
        assert_eq!(matches(rule, url), expected, "{rule} {url}");
    }
}

#[test]
fn paths_match_exactly_and_prefixes_are_plain() {
    for (rule, url, expected) in [
        ("Path(`/a`)", "http://x/a", true),
        ("Path(`/a`)", "http://x/a/", false),
        ("Path(`/a`)", "http://x/A", false),
        ("PathPrefix(`/products`)", "http://x/products-for-sale", true),
        ("PathPrefix(`/a/b`)", "http://x/a%2Fb", false),
        ("PathPrefix(`/a b`)", "http://x/a%20b", true),
        ("PathRegexp(`^/\\d+$`)", "http://x/17", true),
    ] {
        assert_eq!(matches(rule, url), expected, "{rule} {url}");
    }
}

#[test]
fn parameters_match_decoded_and_broken_ones_do_not_count() {
    for (rule, url, expected) in [
        ("Query(`q`, `a b`)", "http://x/?q=a+b", true),
        ("Query(`q`, `a b`)", "http://x/?%71=a%20b", true),
        ("Query(`q`)", "http://x/?q", true),
        ("Query(`q`)", "http://x/?q=", true),
        ("Query(`q`)", "http://x/?q=1", false),
        ("Query(`q`, `1`)", "http://x/?q=1;r=2", true),
        ("Query(`r`, `2`)", "http://x/?q=1;r=2", true),
        ("Query(`q`, `1;r=2`)", "http://x/?q=1;r=2", false),
        ("Query(`q`, `1;r`)", "http://x/?q=1%3Br", true),
        ("Query(`q`, `1%2`)", "http://x/?q=1%2", false),
        ("Query(`q`, `2`)", "http://x/?q=1&q=2", true),
    ] {
        assert_eq!(matches(rule, url), expected, "{rule} {url}");
    }
}

#[test]
fn negation_and_precedence_hold() {
    let rule = "!(Host(`a`) || Path(`/x`)) && !Method(`POST`) || ClientIP(`10.0.0.0/8`)";
    assert!(matches(rule, "http://b/"));
    assert!(!matches(rule, "http://a/"));
    assert!(!matches(rule, "http://b/x"));
    let from_inside =
        Request { peer: "::ffff:10.1.2.3".parse().expect("an address"), ..Request::get("http://a/x") };
    assert!(from_inside.is_matched_by(&Rule::parse(rule).expect(rule)));
}

#[test]
fn the_default_priority_is_the_length_as_written() {
    assert_eq!(Rule::parse("Host(`example.org`)").expect("a rule").default_priority(), 19);
    assert_eq!(Rule::parse(" Path(`/é`) ").expect("a rule").default_priority(), 13);
}

#[test]
fn traefiks_match_cases_hold() {
    let Some(cases) = traefik_cases("rule_match") else { return };
    let mut run = 0;
    for case in &cases {
        let rule = Rule::parse(text(case, "rule"));
        let expected = text(case, "expect");
        if expected == "rule_error" {
            assert!(rule.is_err(), "{case}");
        } else {
            // A header name that is not canonical cannot come over a wire.
            let Some(request) = Request::of_case(&case["request"]).filter(|_| case["wire"] == true) else {
                continue;
            };
            assert_eq!(request.is_matched_by(&rule.expect("a rule")), expected == "match", "{case}");
        }
        run += 1;
    }
    println!("{run} of {} cases", cases.len());
    assert!(run * 10 > cases.len() * 9);
}

#[test]
fn traefiks_grammar_cases_hold() {
    for case in traefik_cases("rule_grammar").unwrap_or_default() {
        assert_eq!(Rule::parse(text(&case, "rule")).is_ok(), case["traefik_accepts"] == true, "{case}");
    }
}

#[test]
fn traefiks_priority_cases_hold() {
    for case in traefik_cases("rule_priority").unwrap_or_default() {
        let Some(routers) = case["routers"].as_array() else {
            let rule = Rule::parse(text(&case, "rule")).expect("a rule");
            assert_eq!(Some(rule.default_priority()), case["expect_priority"].as_i64(), "{case}");
            continue;
        };
        // Several providers do not exist here.
        if routers.iter().any(|router| router["provider"] != "") {
            continue;
        }
        let request = Request::get(&format!("http://x{}", text(&case, "request_path")));
        let ranked = routers.iter().filter_map(|router| {
            let rule = Rule::parse(text(router, "rule")).expect("a rule");
            let given = router["priority"].as_i64().filter(|&priority| priority != 0);
            request
                .is_matched_by(&rule)
                .then(|| (given.unwrap_or(rule.default_priority()), text(router, "name")))
        });
        assert_eq!(ranked.max().map(|(_, name)| name), case["expect_router"].as_str(), "{case}");
    }
}

#[test]
fn traefiks_routing_path_cases_hold() {
    for case in traefik_cases("path_routing_view").unwrap_or_default() {
        assert_eq!(routing_path(text(&case, "request_path")), text(&case, "expect_routing_path"), "{case}");
    }
}
