//! What the configuration leaves open: who may reach the desk, certificates, the redirect URI.

use std::time::Duration;

use x509_parser::prelude::{FromDer, X509Certificate};

use super::Line;
use crate::base::clock::Timestamp;
use crate::config::{Routes, StartUp};
use crate::oauth::provider::redirect_uri;
use crate::web::client_address::Trusted;

const ALLOW_LIST: &str = "allow-list";
const CERTIFICATE: &str = "certificate";
const REDIRECT: &str = "redirect URI";
const FORWARDED: &str = "forwarding headers";

/// Renewals that have failed for a week show by then.
const SOON: Duration = Duration::from_secs(14 * 86_400);

pub(super) fn look(start_up: &StartUp, routes: &Routes, now: Timestamp) -> Vec<Line> {
    let mut lines = vec![allow_list(routes), redirect(start_up)];
    lines.extend(certificates(routes, start_up, now));
    lines.extend(forwarded(start_up));
    lines
}

fn allow_list(routes: &Routes) -> Line {
    let open: Vec<&str> = routes
        .routers
        .iter()
        .filter(|router| router.desk && !router.middlewares.iter().any(|one| one.runs.is_address_check()))
        .map(|router| router.name.as_str())
        .collect();
    match open.is_empty() {
        true => Line::ok(ALLOW_LIST, "Every router to the desk has one."),
        false => Line::warning(
            ALLOW_LIST,
            format!("The whole Internet may try these routers to the desk: {}.", open.join(", ")),
            "Give them an `ipAllowList`, unless that is what you want.",
        ),
    }
}

fn redirect(start_up: &StartUp) -> Line {
    let Some(public) = &start_up.console.public_url else {
        let to_do = "Set `console.publicUrl` to what browsers open.";
        return Line::warning(REDIRECT, "There is none: no mailbox can be connected by sign-in.", to_do);
    };
    let uri = redirect_uri(public);
    match uri.scheme() {
        "https" => Line::ok(REDIRECT, format!("{uri}; register exactly this one.")),
        _ => Line::problem(
            REDIRECT,
            format!("{uri} is not https: the provider's answer crosses the network readable."),
            "Serve TLS and set `console.publicUrl` to https.",
        ),
    }
}

fn certificates(routes: &Routes, start_up: &StartUp, now: Timestamp) -> Vec<Line> {
    let tls =
        start_up.entry_points.iter().any(|point| point.tls) || routes.routers.iter().any(|router| router.tls);
    if !tls {
        let to_do = "Give an entry point `http.tls`, unless a proxy before it speaks TLS.";
        return vec![Line::warning(
            CERTIFICATE,
            "No entry point speaks TLS; browsers keep the session's cookie only by HTTPS.",
            to_do,
        )];
    }
    if routes.certificates.is_empty() {
        let to_do = "Name certificate files under `tls.certificates`.";
        return vec![Line::warning(CERTIFICATE, "None is configured: a self-signed one is served.", to_do)];
    }
    let ends = routes.certificates.iter().map(|certificate| {
        let own = certificate.key.cert.first().and_then(|own| X509Certificate::from_der(own).ok());
        let end = own.map(|(_, read)| Timestamp(read.validity().not_after.timestamp().saturating_mul(1000)));
        certificate_line(&certificate.names.join(", "), end, now)
    });
    ends.collect()
}

fn certificate_line(names: &str, end: Option<Timestamp>, now: Timestamp) -> Line {
    let to_do = "Renew it; it is read again when its file changes.";
    match end {
        None => Line::cannot_tell(CERTIFICATE, format!("The one for {names} cannot be read."), to_do),
        Some(end) if end <= now => {
            Line::problem(CERTIFICATE, format!("The one for {names} expired on {end}."), to_do)
        }
        Some(end) if end <= now + SOON => {
            Line::warning(CERTIFICATE, format!("The one for {names} expires on {end}."), to_do)
        }
        Some(end) => Line::ok(CERTIFICATE, format!("The one for {names} is valid until {end}.")),
    }
}

fn forwarded(start_up: &StartUp) -> Option<Line> {
    let believing = start_up.entry_points.iter().filter(|point| matches!(point.trusted, Trusted::Everybody));
    let names: Vec<&str> = believing.map(|point| point.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        Line::problem(
            FORWARDED,
            format!(
                "Everybody may claim any address at: {}; allow-lists mean nothing there.",
                names.join(", ")
            ),
            "Replace `forwardedHeaders.insecure` by `trustedIPs`.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_certificate_is_told_before_it_ends() {
        let now = Timestamp(1_700_000_000_000);
        let day = Duration::from_secs(86_400);
        let state = |end| certificate_line("desk.example", end, now).state;
        assert_eq!(state(Some(now + 90 * day)), State::Ok);
        assert_eq!(state(Some(now + 13 * day)), State::Warning);
        assert_eq!(state(Some(now)), State::Problem);
        assert_eq!(state(None), State::CannotTell);
    }
}
