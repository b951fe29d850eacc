//! Values as operators write them: durations, addresses, origins, sizes. Pure.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use url::{Host, Url};

use super::Server;
use crate::web::exchange::Scheme;

/// Why a value cannot be used, and what it should look like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    #[error("`{0}` is not a duration such as 10s, 1m30s or 250ms")]
    Duration(String),
    #[error(
        "`{0}` has to be longer than nothing: without a limit one slow client holds a connection forever"
    )]
    NoLimit(String),
    #[error("`{0}` is not an address such as :8080, 127.0.0.1:8080 or [::1]:8080")]
    Address(String),
    #[error("`{0}`: UDP is not supported")]
    Udp(String),
    #[error("`{0}` is not a URL such as {1}")]
    Url(String, &'static str),
    #[error("`{0}` has a {1}; an origin such as {2} is expected")]
    NotAnOrigin(String, &'static str, &'static str),
    #[error("`{0}` has to be https; plain http is for localhost only")]
    PlainHttp(String),
    #[error("`{0}` is not a size such as 25MiB or a number of bytes")]
    Size(String),
    #[error("this is not one mail address such as tickets@example.com")]
    MailAddress,
    #[error("`{0}` is not a host name such as graph.example.com")]
    HostName(String),
}

/// As [`crate::base::duration::read`].
pub fn duration(text: &str) -> Result<Duration, ValueError> {
    crate::base::duration::read(text).ok_or_else(|| ValueError::Duration(text.to_owned()))
}

/// A duration that limits something, so not zero.
pub fn limit(text: &str) -> Result<Duration, ValueError> {
    let span = duration(text)?;
    if span.is_zero() { Err(ValueError::NoLimit(text.to_owned())) } else { Ok(span) }
}

/// `:8080` (every address, IPv6 and IPv4), `127.0.0.1:8080`, `[::1]:80`, each with or without `/tcp`.
pub fn listen_address(text: &str) -> Result<SocketAddr, ValueError> {
    let plain = match text.split_once('/') {
        None => text,
        Some((plain, "tcp")) => plain,
        Some((_, "udp")) => return Err(ValueError::Udp(text.to_owned())),
        Some(_) => return Err(ValueError::Address(text.to_owned())),
    };
    let parsed = match plain.strip_prefix(':') {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            port.parse().ok().map(|port| SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port))
        }
        Some(_) => None,
        None => plain.parse().ok(),
    };
    parsed.ok_or_else(|| ValueError::Address(text.to_owned()))
}

/// An origin over http or https, without path, query, fragment and user.
pub fn origin(text: &str) -> Result<Url, ValueError> {
    const EXAMPLE: &str = "http://127.0.0.1:3000";
    let refused = || {
        // What stands before an @ may be a password.
        let shown = text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, host)| format!("…@{host}"));
        ValueError::Url(shown, EXAMPLE)
    };
    let url = Url::parse(text).map_err(|_| refused())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refused());
    }
    if let Some(part) = beyond_origin(&url) {
        return Err(ValueError::NotAnOrigin(without_user(&url), part, EXAMPLE));
    }
    Ok(url)
}

fn beyond_origin(url: &Url) -> Option<&'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        Some("user")
    } else if !matches!(url.path(), "" | "/") {
        Some("path")
    } else if url.query().is_some() {
        Some("query")
    } else {
        url.fragment().map(|_| "fragment")
    }
}

fn without_user(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or(""), url.path())
}

/// An origin that is https, or http on this very machine (`localhost`, `*.localhost`, loopback).
pub fn secure_origin(text: &str) -> Result<Url, ValueError> {
    let url = origin(text)?;
    if url.scheme() == "https" || is_this_machine(&url) {
        Ok(url)
    } else {
        Err(ValueError::PlainHttp(text.to_owned()))
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A server of a service.
pub fn server(text: &str) -> Result<Server, ValueError> {
    origin(text).map(|url| server_of(&url))
}

/// The server an origin names.
pub fn server_of(origin: &Url) -> Server {
    let scheme = if origin.scheme() == "https" { Scheme::Https } else { Scheme::Http };
    let host = match origin.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        _ => origin.host_str().unwrap_or("").to_owned(),
    };
    let standard = if scheme == Scheme::Https { 443 } else { 80 };
    Server { scheme, host, port: origin.port().unwrap_or(standard) }
}

/// `25MiB`, `10MB`, `512KiB`, `2GiB` or a number of bytes; at least one.
pub fn size(text: &str) -> Result<usize, ValueError> {
    let refused = || ValueError::Size(text.to_owned());
    let number_ends = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(number_ends);
    let scale = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "kib" => 1_024,
        "mb" => 1_000_000,
        "mib" => 1_048_576,
        "gb" => 1_000_000_000,
        "gib" => 1_073_741_824,
        _ => return Err(refused()),
    };
    let bytes = number.parse::<usize>().ok().and_then(|number| number.checked_mul(scale));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(refused)
}

/// One mail address. Its text is not repeated in the error: errors reach log lines.
pub fn mail_address(text: &str) -> Result<String, ValueError> {
    let plain = text.len() <= 254
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains(['<', '>', ',', ';', '"']);
    match text.split_once('@') {
        Some((local, domain)) if plain && !local.is_empty() && host_name(domain).is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err(ValueError::MailAddress),
    }
}

/// A host name or an IP address, lower case; no scheme, no port.
pub fn host_name(text: &str) -> Result<String, ValueError> {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let named = text.len() <= 253 && text.split('.').all(label);
    if named || text.parse::<IpAddr>().is_ok() {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(ValueError::HostName(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        let cases =
            [("10s", 10_000), ("1m30s", 90_000), ("250ms", 250), ("7", 7_000), ("1.5s", 1_500), ("0", 0)];
        for (text, millis) in cases {
            assert_eq!(duration(text).map(|span| span.as_millis()), Ok(millis), "{text}");
        }
        for text in ["", "s", "10x", "-1s", "1..5s", "10 s", "99999999999h", "1s2"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        assert!(limit("0s").is_err());
        assert_eq!(limit("1s"), Ok(Duration::from_secs(1)));
    }

    #[test]
    fn listen_addresses_are_read_as_traefik_writes_them() {
        let cases = [
            (":8080", "[::]:8080"),
            ("127.0.0.1:80/tcp", "127.0.0.1:80"),
            ("[::1]:443", "[::1]:443"),
            (":0", "[::]:0"),
        ];
        for (text, expected) in cases {
            assert_eq!(listen_address(text).map(|address| address.to_string()), Ok(expected.to_owned()));
        }
        for text in ["8080", "localhost:80", ":", ":+80", ":80/udp", ":80/x", ":65536", ""] {
            assert!(listen_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_origin_is_nothing_but_scheme_host_and_port() {
        for text in ["http://desk:3000", "https://desk.example.com/", "http://[::1]:3000"] {
            assert!(origin(text).is_ok(), "{text}");
        }
        for text in [
            "desk:3000",
            "ftp://desk",
            "http://desk/x",
            "http://desk?x",
            "http://desk#x",
            "http://u@desk",
            "//x",
        ] {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_in_an_origin_is_not_repeated() {
        for text in ["http://user:hunter2@desk/", "http://user:hunter2@de sk", "ftp://user:hunter2@desk"] {
            let error = origin(text).expect_err("refused").to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for text in
            ["https://desk.example.com", "http://localhost:8080", "http://desk.localhost", "http://127.0.0.1"]
        {
            assert!(secure_origin(text).is_ok(), "{text}");
        }
        for text in ["http://desk.example.com", "http://10.0.0.1", "http://localhost.example.com"] {
            assert!(secure_origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_server_has_its_schemes_port_unless_given() {
        let server_at = |scheme, host: &str, port| Ok(Server { scheme, host: host.to_owned(), port });
        assert_eq!(server("http://Desk"), server_at(Scheme::Http, "desk", 80));
        assert_eq!(server("https://[::1]"), server_at(Scheme::Https, "::1", 443));
        assert_eq!(server("http://10.0.0.1:3000"), server_at(Scheme::Http, "10.0.0.1", 3000));
    }

    #[test]
    fn sizes_have_units() {
        let cases =
            [("25MiB", 26_214_400), ("10 MB", 10_000_000), ("7", 7), ("1kib", 1024), ("1GiB", 1 << 30)];
        for (text, bytes) in cases {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "MiB", "1TiB", "-1", "99999999999999999999MiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_one_plain_mail_address_is_accepted() {
        assert!(mail_address("tickets@example.com").is_ok());
        for text in ["tickets", "@example.com", "a@", "a@b, c@d", "A <a@b.c>", "a b@c.d", "a@b@c"] {
            assert!(mail_address(text).is_err(), "{text}");
        }
    }
}
