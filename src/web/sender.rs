//! Which page made a browser send a request: one of ours, or somebody else's.
//!
//! Only what browsers say of themselves and no script can change (Fetch Standard, forbidden headers). What
//! follows from it is decided elsewhere.

use http::header::{HOST, HeaderName, HeaderValue, ORIGIN, REFERER};
use http::{HeaderMap, Uri};
use url::Url;

use crate::web::exchange::Scheme;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A page of the host that is asked.
    SameOrigin,
    /// Another page, or a browser that will not say.
    Elsewhere,
    /// Nothing is said: no browser, or one that was typed an address in.
    Silent,
}

impl Sender {
    /// The sender by `Sec-Fetch-Site` and `Origin`; both have to agree where both are there. A browser that
    /// says neither (Safari before 16.4 at a GET of its own page's script) is known by `Referer`, which
    /// another site's page can leave out but not choose. `scheme` is the request's own where it is known:
    /// what came by TLS was not sent by a page that did not.
    pub fn of(headers: &HeaderMap, uri: &Uri, scheme: Option<Scheme>) -> Self {
        let is_ours = |line: &HeaderValue| {
            let page = line.to_str().ok().and_then(|text| Url::parse(text).ok());
            page.is_some_and(|page| is_ours(&page, headers, uri, scheme))
        };
        let site = headers.get(FETCH_SITE).map(|line| line.as_bytes() == b"same-origin");
        let origin = headers.get(ORIGIN).map(is_ours);
        let referrer = || headers.get(REFERER).map(is_ours);
        match (site, origin) {
            (None, None) => match referrer() {
                None => Self::Silent,
                Some(true) => Self::SameOrigin,
                Some(false) => Self::Elsewhere,
            },
            (site, origin) if site.unwrap_or(true) && origin.unwrap_or(true) => Self::SameOrigin,
            _ => Self::Elsewhere,
        }
    }
}

fn is_ours(origin: &Url, headers: &HeaderMap, uri: &Uri, scheme: Option<Scheme>) -> bool {
    let downgraded = scheme == Some(Scheme::Https) && origin.scheme() != "https";
    let host = asked_host(headers, uri);
    !downgraded && authority(origin).zip(host).is_some_and(|(ours, host)| host.eq_ignore_ascii_case(&ours))
}

/// Host and port the browser asked for.
pub fn asked_host<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    let host = headers.get(HOST).and_then(|line| line.to_str().ok());
    host.or_else(|| uri.authority().map(http::uri::Authority::as_str))
}

/// `host:port` as a Host line has it: the scheme's own port left out.
pub fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn sender(lines: &[(&'static str, &'static str)], scheme: Option<Scheme>) -> Sender {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        Sender::of(&headers, &Uri::from_static("/api/v1/ticket/create"), scheme)
    }

    #[test]
    fn our_own_origin_is_known() {
        for lines in [
            &[("host", "desk.example"), ("origin", "https://desk.example")][..],
            &[("host", "desk.example:8443"), ("origin", "https://DESK.example:8443")],
            &[("host", "desk.example"), ("sec-fetch-site", "same-origin")],
        ] {
            for scheme in [None, Some(Scheme::Https), Some(Scheme::Http)] {
                assert_eq!(sender(lines, scheme), Sender::SameOrigin, "{lines:?}");
            }
        }
    }

    #[test]
    fn every_other_origin_is_elsewhere() {
        for lines in [
            &[("host", "desk.example"), ("origin", "null")][..],
            &[("host", "desk.example"), ("origin", "https://evil.example")],
            &[("host", "desk.example"), ("origin", "https://desk.example:444")],
            &[("host", "desk.example"), ("sec-fetch-site", "same-site")],
            &[("host", "desk.example"), ("sec-fetch-site", "none")],
            &[("host", "desk.example"), ("origin", "https://desk.example"), ("sec-fetch-site", "cross-site")],
        ] {
            assert_eq!(sender(lines, None), Sender::Elsewhere, "{lines:?}");
        }
    }

    #[test]
    fn a_page_without_tls_is_another_origin_than_one_with_it() {
        let lines = [("host", "desk.example"), ("origin", "http://desk.example")];
        assert_eq!(sender(&lines, Some(Scheme::Https)), Sender::Elsewhere);
        assert_eq!(sender(&lines, Some(Scheme::Http)), Sender::SameOrigin);
    }

    #[test]
    fn a_referring_page_counts_where_nothing_else_is_said() {
        let ours = ("referer", "https://desk.example/auth/oidc?code=a");
        let theirs = ("referer", "https://evil.example/?https://desk.example/");
        let host = ("host", "desk.example");
        let table: [(&[(&'static str, &'static str)], Sender); 6] = [
            (&[host, ours], Sender::SameOrigin),
            (&[host, theirs], Sender::Elsewhere),
            (&[host, ("referer", "/auth/oidc")], Sender::Elsewhere),
            (&[host, ("referer", "http://desk.example/")], Sender::Elsewhere),
            (&[host, ours, ("origin", "https://evil.example")], Sender::Elsewhere),
            (&[host, ours, ("sec-fetch-site", "cross-site")], Sender::Elsewhere),
        ];
        for (lines, expected) in table {
            assert_eq!(sender(lines, Some(Scheme::Https)), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_program_says_nothing() {
        assert_eq!(sender(&[("host", "desk.example")], None), Sender::Silent);
    }
}
