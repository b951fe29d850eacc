//! `entryPoints`: listening addresses, and what holds for every request that arrives there.

use std::time::Duration;

use crate::base::address::parse_network;
use crate::config::problem::suggestion;
use crate::config::section::{At, Foreign, Section, Shape};
use crate::config::tree::Key;
use crate::config::{EntryPoint, EntryTimeouts, Redirection, value};
use crate::web::client_address::Trusted;
use crate::web::exchange::Scheme;

const ENTRY_POINT: Shape = Shape {
    keys: &["address", "http", "forwardedHeaders", "transport", "proxyProtocol", "asDefault"],
    foreign: &[
        ("http2", Foreign::Refused("its limits are built in; leave it out")),
        ("http3", Foreign::Refused("HTTP/3 is not supported; HTTP/2 is, without a setting")),
        ("udp", Foreign::Refused("only HTTP over TCP is served")),
        ("observability", Foreign::Ignored("what is logged and counted is the same for every entry point")),
        ("reusePort", Foreign::Ignored("it is always so")),
        ("allowACMEByPass", Foreign::Refused("certificates are files")),
    ],
};

const HTTP: Shape = Shape {
    keys: &["redirections", "tls", "middlewares"],
    foreign: &[
        ("sanitizePath", Foreign::Ignored("access is always decided on the canonical path")),
        ("encodedCharacters", Foreign::Ignored("encoded separators are always refused for the desk")),
        ("encodeQuerySemicolons", Foreign::Refused("queries are forwarded as they came")),
        ("maxHeaderBytes", Foreign::Refused("a request's head may have 32 KiB")),
        ("aliasHeadersStrategy", Foreign::Ignored(ALIASES)),
        ("underscoreHeadersStrategy", Foreign::Ignored(ALIASES)),
    ],
};

const ALIASES: &str = "header names with other signs than letters, digits and hyphens are always removed";

const TLS: Shape = Shape {
    keys: &[],
    foreign: &[
        ("certResolver", Foreign::Refused("name certificate files under `tls.certificates` in a rule file")),
        ("domains", Foreign::Refused("a certificate's own names count")),
        ("options", Foreign::Refused("TLS options are not supported yet")),
    ],
};

const REDIRECTIONS: Shape = Shape { keys: &["entryPoint"], foreign: &[] };

const REDIRECTION: Shape = Shape {
    keys: &["to", "scheme", "permanent"],
    foreign: &[("priority", Foreign::Ignored("a redirection comes before every router of its entry point"))],
};

const FORWARDED: Shape = Shape {
    keys: &["trustedIPs", "insecure"],
    foreign: &[
        ("connection", Foreign::Refused("a client's `Connection` line never removes our headers")),
        (
            "notAppendXForwardedFor",
            Foreign::Refused("X-Forwarded-For is always rebuilt: one address, the client's"),
        ),
    ],
};

const PROXY_PROTOCOL: Shape = Shape { keys: &["trustedIPs", "insecure"], foreign: &[] };

const TRANSPORT: Shape = Shape {
    keys: &["respondingTimeouts", "lifeCycle"],
    foreign: &[
        ("keepAliveMaxRequests", Foreign::Refused("it is not supported; leave it out")),
        ("keepAliveMaxTime", Foreign::Refused("it is not supported; leave it out")),
    ],
};

const TIMEOUTS: Shape = Shape { keys: &["readTimeout", "writeTimeout", "idleTimeout"], foreign: &[] };

const LIFE_CYCLE: Shape = Shape {
    keys: &["graceTimeOut"],
    foreign: &[(
        "requestAcceptGraceTimeout",
        Foreign::Refused("on SIGTERM no new connection is accepted at once; leave it out"),
    )],
};

/// An entry point and where its parts that others refer to stand.
struct Drafted {
    entry_point: EntryPoint,
    address: At<()>,
    redirect: Option<RedirectDraft>,
}

struct RedirectDraft {
    to: At<String>,
    scheme: Scheme,
    permanent: bool,
}

/// All entry points, in the file's order.
pub fn read(root: &Section<'_>) -> Vec<EntryPoint> {
    let sections = root.named_sections("entryPoints", &ENTRY_POINT);
    if sections.is_empty() {
        let place = root.key_place("entryPoints").unwrap_or(root.place);
        let help = "for example `entryPoints: {web: {address: \":8080\"}}`";
        root.problem(place, "no entry point is given", Some(help.into()));
    }
    let read_one = |(name, section): &(&Key, Section<'_>)| draft(&name.text, section);
    let mut drafts: Vec<Drafted> = sections.iter().filter_map(read_one).collect();
    tell_shared_addresses(root, &drafts);
    let ports: Vec<(String, u16)> = drafts
        .iter()
        .map(|draft| (draft.entry_point.name.clone(), draft.entry_point.address.port()))
        .collect();
    for draft in &mut drafts {
        draft.entry_point.redirect = draft
            .redirect
            .as_ref()
            .and_then(|redirect| redirection(root, &draft.entry_point.name, redirect, &ports));
    }
    drafts.into_iter().map(|draft| draft.entry_point).collect()
}

/// Traefik's rule: where none says `asDefault`, all are, except `traefik` and the one for `metrics`.
pub fn settle_defaults(entry_points: &mut [EntryPoint], metrics: Option<&str>) {
    if entry_points.iter().any(|entry_point| entry_point.default) {
        return;
    }
    for entry_point in entry_points {
        entry_point.default = entry_point.name != "traefik" && Some(entry_point.name.as_str()) != metrics;
    }
}

fn draft(name: &str, section: &Section<'_>) -> Option<Drafted> {
    let http = section.section("http", &HTTP);
    let http = http.as_ref();
    let tls = http.is_some_and(|http| http.section("tls", &TLS).is_some());
    let redirect = http
        .and_then(|http| http.section("redirections", &REDIRECTIONS))
        .and_then(|redirections| redirections.section("entryPoint", &REDIRECTION))
        .and_then(|section| redirect_draft(&section));
    let trusted = trusted(section);
    let timeouts = timeouts(section);
    let default = section.flag("asDefault").is_some_and(|flag| flag.value);
    let middlewares = http.map(|http| http.texts("middlewares")).into_iter().flatten();
    let Some(address) = section.parsed("address", value::listen_address) else {
        if section.key_place("address").is_none() {
            section.problem(section.place, format!("entry point `{name}` has no `address`"), None);
        }
        return None;
    };
    let entry_point = EntryPoint {
        name: name.to_owned(),
        address: address.value,
        tls,
        redirect: None,
        trusted,
        proxy_header: proxy_header(section),
        timeouts,
        middlewares: middlewares.map(|text| text.value.to_owned()).collect(),
        default,
    };
    Some(Drafted { entry_point, address: At { place: address.place, value: () }, redirect })
}

fn redirect_draft(section: &Section<'_>) -> Option<RedirectDraft> {
    let scheme = section.parsed("scheme", |text| match text {
        "http" => Ok(Scheme::Http),
        "https" => Ok(Scheme::Https),
        _ => Err("`scheme` is `http` or `https`"),
    });
    let permanent = section.flag("permanent");
    let Some(to) = section.text("to") else {
        if section.key_place("to").is_none() {
            section.problem(section.place, "the redirection has no `to`", None);
        }
        return None;
    };
    Some(RedirectDraft {
        to: At { place: to.place, value: to.value.to_owned() },
        scheme: scheme.map_or(Scheme::Https, |scheme| scheme.value),
        permanent: permanent.is_none_or(|permanent| permanent.value),
    })
}

/// `to` is another entry point's name, or a port such as `:443` that something before us maps.
fn redirection(
    root: &Section<'_>,
    own_name: &str,
    draft: &RedirectDraft,
    ports: &[(String, u16)],
) -> Option<Redirection> {
    let to = draft.to.value.as_str();
    let port = match to.strip_prefix(':') {
        Some(port) => port.parse().ok(),
        None if to == own_name => {
            root.problem(draft.to.place, format!("entry point `{to}` redirects to itself"), None);
            return None;
        }
        None => ports.iter().find(|(name, _)| name == to).map(|(_, port)| *port),
    };
    let Some(port) = port else {
        let names: Vec<&str> = ports.iter().map(|(name, _)| name.as_str()).collect();
        root.problem(draft.to.place, format!("there is no entry point `{to}`"), suggestion(to, &names));
        return None;
    };
    Some(Redirection { scheme: draft.scheme, port, permanent: draft.permanent })
}

fn trusted(section: &Section<'_>) -> Trusted {
    section.section("forwardedHeaders", &FORWARDED).map_or(Trusted::Nobody, |forwarded| peers(&forwarded))
}

/// Traefik lets everybody else in without the header; here it is demanded of every connection, so that
/// nobody chooses his own address by leaving it out.
fn proxy_header(section: &Section<'_>) -> Option<Trusted> {
    let proxy_protocol = section.section("proxyProtocol", &PROXY_PROTOCOL)?;
    let senders = peers(&proxy_protocol);
    if senders == Trusted::Nobody {
        let help = "list the balancer's addresses under `trustedIPs`";
        proxy_protocol.problem(proxy_protocol.place, "`proxyProtocol` trusts nobody", Some(help.into()));
    }
    Some(senders)
}

/// `trustedIPs` and `insecure`.
fn peers(section: &Section<'_>) -> Trusted {
    let mut networks = Vec::new();
    for text in section.texts("trustedIPs") {
        match parse_network(text.value) {
            Ok(network) => {
                if network.host_bits_masked {
                    section.warn(text.place, &format!("`{}` is read as {}", text.value, network.range));
                }
                networks.push(network.range);
            }
            Err(error) => section.problem(text.place, error.to_string(), None),
        }
    }
    match section.flag("insecure") {
        Some(At { value: true, place }) => {
            section.warn(
                place,
                "everybody is trusted to say who the client is; address lists mean nothing then",
            );
            Trusted::Everybody
        }
        _ if networks.is_empty() => Trusted::Nobody,
        _ => Trusted::Networks(networks),
    }
}

fn timeouts(section: &Section<'_>) -> EntryTimeouts {
    let transport = section.section("transport", &TRANSPORT);
    let responding =
        transport.as_ref().and_then(|transport| transport.section("respondingTimeouts", &TIMEOUTS));
    let life_cycle = transport.as_ref().and_then(|transport| transport.section("lifeCycle", &LIFE_CYCLE));
    let limit = |key| responding.as_ref().and_then(|section| section.parsed(key, value::limit));
    let write = responding.as_ref().and_then(|section| section.parsed("writeTimeout", value::duration));
    let grace = life_cycle.as_ref().and_then(|section| section.parsed("graceTimeOut", value::duration));
    EntryTimeouts {
        read: limit("readTimeout").map_or(Duration::from_secs(10), |span| span.value),
        write: write.map(|span| span.value).filter(|span| !span.is_zero()),
        idle: limit("idleTimeout").map_or(Duration::from_secs(180), |span| span.value),
        grace: grace.map_or(Duration::from_secs(10), |span| span.value),
    }
}

/// Two entry points may not listen on one port of one address. Port 0 is a new one each time.
fn tell_shared_addresses(root: &Section<'_>, drafts: &[Drafted]) {
    for (index, draft) in drafts.iter().enumerate() {
        let address = draft.entry_point.address;
        let overlaps = |other: &&Drafted| {
            let theirs = other.entry_point.address;
            let same_address =
                theirs.ip() == address.ip() || theirs.ip().is_unspecified() || address.ip().is_unspecified();
            address.port() != 0 && theirs.port() == address.port() && same_address
        };
        if let Some(other) = drafts[..index].iter().find(overlaps) {
            let (name, other) = (&draft.entry_point.name, &other.entry_point.name);
            root.problem(
                draft.address.place,
                format!("entry points `{name}` and `{other}` listen on one address"),
                Some("give each a port of its own".into()),
            );
        }
    }
}
