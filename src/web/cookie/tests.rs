//! Lines as careless, broken and hostile servers and clients send them.

use cookie::time::Duration;
use http::HeaderMap;
use http::header::COOKIE;
use proptest::prelude::*;

use super::*;

/// What a request may carry in cookies.
const MOST_COOKIES: usize = 100;
const LONGEST_COOKIES: usize = 8192;

fn hardened(line: &str) -> Option<String> {
    harden(line.as_bytes(), &Hardening::default()).map(|value| value.to_str().expect("ASCII").to_owned())
}

#[test]
fn attributes_are_rebuilt_and_stand_once() {
    let table = [
        ("a=b", "a=b; HttpOnly; SameSite=Strict; Secure"),
        ("a=b; secure; HTTPONLY; SameSite=None", "a=b; HttpOnly; SameSite=Strict; Secure"),
        ("a=b; SameSite=Lax; samesite=None; Secure=x", "a=b; HttpOnly; SameSite=Strict; Secure"),
        ("a=b; Path=/x; Domain=.example.com; Partitioned", "a=b; HttpOnly; SameSite=Strict; Secure; Path=/x"),
        ("a=b; Path=/x; Path=/y", "a=b; HttpOnly; SameSite=Strict; Secure; Path=/y"),
        ("a=b; Path=relative", "a=b; HttpOnly; SameSite=Strict; Secure"),
        ("a=b; ; ;Foo=bar", "a=b; HttpOnly; SameSite=Strict; Secure"),
        (" a = b c ", "a=b c; HttpOnly; SameSite=Strict; Secure"),
        ("a=", "a=; HttpOnly; SameSite=Strict; Secure"),
        ("a=\"x=y\"", "a=\"x=y\"; HttpOnly; SameSite=Strict; Secure"),
    ];
    for (line, expected) in table {
        assert_eq!(hardened(line).as_deref(), Some(expected), "{line}");
    }
}

#[test]
fn a_deletion_still_deletes() {
    let table = [
        ("a=; Max-Age=0", "; Max-Age=0"),
        ("a=; Max-Age=-5", "; Max-Age=0"),
        ("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        ("a=; Expires=Thu Jan 1 1970 00:00:00 UTC", "; Expires=Thu Jan 1 1970 00:00:00 UTC"),
        ("a=; max-age=5; Expires=x, 1", "; Max-Age=5; Expires=x, 1"),
    ];
    for (line, end) in table {
        let hardened = hardened(line).expect(line);
        assert!(hardened.ends_with(end), "{hardened}");
    }
}

#[test]
fn an_age_that_is_no_number_says_nothing() {
    for line in ["a=b; Max-Age=", "a=b; Max-Age=1.5", "a=b; Max-Age=+5", "a=b; Max-Age=--1", "a=b; Max-Age"] {
        assert_eq!(hardened(line).as_deref(), Some("a=b; HttpOnly; SameSite=Strict; Secure"), "{line}");
    }
}

#[test]
fn a_prefix_gets_what_it_demands_in_any_case() {
    let mild = Hardening { secure: false, http_only: false, same_site: SameSite::Lax, partitioned: false };
    let table = [
        ("__Host-a=b; Path=/x; Domain=d", "__Host-a=b; SameSite=Lax; Secure; Path=/"),
        ("__hOST-a=b", "__hOST-a=b; SameSite=Lax; Secure; Path=/"),
        ("__SECURE-a=b; Path=/x", "__SECURE-a=b; SameSite=Lax; Secure; Path=/x"),
        ("__Http-a=b", "__Http-a=b; HttpOnly; SameSite=Lax; Secure"),
        ("__Host-Http-a=b", "__Host-Http-a=b; HttpOnly; SameSite=Lax; Secure; Path=/"),
        ("a=b", "a=b; SameSite=Lax"),
    ];
    for (line, expected) in table {
        let value = harden(line.as_bytes(), &mild).expect(line);
        assert_eq!(value, expected, "{line}");
    }
}

#[test]
fn hardening_never_weakens() {
    let mild = Hardening { secure: false, http_only: false, same_site: SameSite::None, partitioned: false };
    let table = [
        ("a=b; Secure; HttpOnly; SameSite=Strict", "a=b; HttpOnly; SameSite=Strict; Secure"),
        ("a=b; SameSite=Lax", "a=b; SameSite=Lax"),
        ("a=b", "a=b; SameSite=None; Secure"),
    ];
    for (line, expected) in table {
        assert_eq!(harden(line.as_bytes(), &mild).expect(line), expected, "{line}");
    }
}

#[test]
fn what_cannot_be_understood_is_dropped() {
    let long = format!("a={}", "x".repeat(LONGEST_PAIR));
    for line in [
        "",
        ";",
        "a",
        "=b",
        "=__Host-x=1",
        " =b",
        "a b=c",
        "a,b=c",
        "a=\u{1}",
        "a=b\0",
        "a=b\tc",
        "a=é",
        &long,
    ] {
        assert_eq!(hardened(line), None, "{line}");
    }
    assert_eq!(harden(b"a=\xff", &Hardening::default()), None);
}

#[test]
fn an_overlong_attribute_is_left_out() {
    let line = format!("a=b; Path=/{}", "x".repeat(LONGEST_ATTRIBUTE));
    assert_eq!(hardened(&line).as_deref(), Some("a=b; HttpOnly; SameSite=Strict; Secure"));
}

/// Attributes of a line that left, without their values.
fn keys(line: &str) -> Vec<&str> {
    line.split("; ").skip(1).filter_map(|attribute| attribute.split('=').next()).collect()
}

fn is_hard_once(line: &str) -> bool {
    let once = |wanted| keys(line).iter().filter(|&&key| key == wanted).count() == 1;
    line.contains("; HttpOnly; SameSite=Strict; Secure")
        && ["Secure", "HttpOnly", "SameSite"].into_iter().all(once)
}

/// Pieces of lines, and bytes that have no place in one.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let words = "a = ; , Secure secure HttpOnly httponly SameSite samesite None Lax Path / Domain Max-Age max-age 1 \
                 - 99999999999 Expires Partitioned \" __Host- __secure- __Host-Http- é";
    let words: Vec<Vec<u8>> = words.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
    let piece = prop_oneof![
        8 => prop::sample::select(words),
        1 => prop::collection::vec(any::<u8>(), 1..4),
        1 => Just(b" ".to_vec()),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_out_is_hard_once_and_stays_as_it_is(line in line()) {
        if let Some(out) = harden(&line, &Hardening::default()) {
            let text = out.to_str().expect("ASCII");
            prop_assert!(is_hard_once(text), "{text}");
            let again = harden(out.as_bytes(), &Hardening::default()).expect("it was good");
            prop_assert_eq!(again.to_str().expect("ASCII"), text);
        }
    }

    #[test]
    fn a_well_formed_cookie_keeps_what_it_says(
        name in "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,20}",
        value in "[a-zA-Z0-9!#$%&'()*+./:<=>?@^_`{|}~-]{0,40}",
        path in "/[a-z0-9/]{0,20}",
        age in -5_i64..LONGEST_LIFE,
    ) {
        let line = format!("{name}={value}; Max-Age={age}; Path={path}; Domain=example.com; SameSite=None");
        let out = hardened(&line).expect("a good line");
        prop_assert!(is_hard_once(&out), "{out}");
        let read = Cookie::parse(out).expect("it can be read");
        prop_assert_eq!((read.name(), read.value()), (name.as_str(), value.as_str()));
        prop_assert_eq!(read.max_age(), Some(Duration::seconds(age.max(0))));
        prop_assert_eq!(read.path(), Some(path.as_str()));
        prop_assert_eq!(read.domain(), None);
    }

    #[test]
    fn a_line_among_others_changes_none_of_them(hostile in line()) {
        let mut headers = HeaderMap::new();
        let lines = [b"a=b".to_vec(), hostile, b"c=d".to_vec()];
        for value in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()) {
            headers.append(SET_COOKIE, value);
        }
        drop_own_set_cookies(&mut headers);
        let left: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        prop_assert_eq!((left[0].as_bytes(), left[left.len() - 1].as_bytes()), (&b"a=b"[..], &b"c=d"[..]));
    }
}

#[test]
fn odd_lines_mean_what_browsers_make_of_them() {
    // After the kinds of cases in RFC 6265bis section 5.6 and the http-state test suite.
    let table: [(&str, Option<&str>); 22] = [
        ("foo=bar", Some("foo=bar")),
        ("foo=bar;", Some("foo=bar")),
        ("foo=bar;;;", Some("foo=bar")),
        ("foo=bar ; ;", Some("foo=bar")),
        ("  foo  =  bar  ", Some("foo=bar")),
        ("foo=bar=baz", Some("foo=bar=baz")),
        ("foo==bar", Some("foo==bar")),
        ("foo=\"bar\"", Some("foo=\"bar\"")),
        ("foo=\"bar; baz\"", Some("foo=\"bar")),
        ("foo=bar, baz=qux", Some("foo=bar, baz=qux")),
        ("foo=b,a r", Some("foo=b,a r")),
        ("foo=", Some("foo=")),
        ("foo=\"\"", Some("foo=\"\"")),
        ("foo=bar; HttpOnly=no; Secure=no", Some("foo=bar")),
        ("foo=bar; max-age", Some("foo=bar")),
        ("foo=bar; path=", Some("foo=bar")),
        ("foo=bar; frob=1; domain=; version=1", Some("foo=bar")),
        ("foo", None),
        ("=bar", None),
        ("; foo=bar", None),
        ("foo\tbar=baz", None),
        ("\"foo\"=bar", None),
    ];
    for (line, pair) in table {
        let expected = pair.map(|pair| format!("{pair}; HttpOnly; SameSite=Strict; Secure"));
        assert_eq!(hardened(line), expected, "{line}");
    }
}

#[test]
fn nothing_lives_longer_than_400_days() {
    for (age, expected) in [
        ("34560000", 34_560_000),
        ("34560001", 34_560_000),
        ("999999999999999999999999", 34_560_000),
        ("60", 60),
    ] {
        let out = hardened(&format!("a=b; Max-Age={age}")).expect("a good line");
        assert!(out.ends_with(&format!("; Max-Age={expected}")), "{out}");
    }
}

#[test]
fn a_partitioned_cookie_stays_one_only_where_it_may() {
    let may = Hardening { partitioned: true, secure: false, ..Hardening::default() };
    let out = harden(b"a=b; Partitioned", &may).expect("a good line");
    let mut attributes = keys(out.to_str().expect("ASCII"));
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Partitioned", "SameSite", "Secure"]);
    assert_eq!(hardened("a=b; Partitioned").as_deref(), Some("a=b; HttpOnly; SameSite=Strict; Secure"));
}

#[test]
fn nobody_else_sets_one_of_the_gateways_own_cookies() {
    let mut headers = HeaderMap::new();
    for line in ["__Host-mintgate=x; Path=/", "a=b", "__HOST-MINTGATE-2=x", " __Host-mintgate =x", "c=d"] {
        headers.append(SET_COOKIE, HeaderValue::from_static(line));
    }
    drop_own_set_cookies(&mut headers);
    assert_eq!(headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["a=b", "c=d"]);
}

#[test]
fn a_cookie_of_a_request_is_found_once_or_refused() {
    let sent = |lines: &[&str]| {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_str(line).expect("a value"));
        }
        match cookie_value(&headers, "session") {
            Sent::One(value) => value.to_owned(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(sent(&["a=b; session=x=y; c=d"]), "x=y");
    assert_eq!(sent(&["a=b", "session=x"]), "x");
    assert_eq!(sent(&["Session=x; xsession=y; session"]), "None");
    assert_eq!(sent(&[]), "None");
    assert_eq!(sent(&["session=x; session=x"]), "Several");
    assert_eq!(sent(&["session=x", "session=y"]), "Several");
    assert_eq!(sent(&[&"a=b;".repeat(MOST_COOKIES), "session=x"]), "Several");
    assert_eq!(sent(&[&format!("session={}", "x".repeat(LONGEST_COOKIES))]), "Several");
}

/// A request with these `Cookie` lines.
fn request(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(COOKIE, HeaderValue::from_str(line).expect("a value"));
    }
    headers
}

#[test]
fn a_request_with_too_many_cookies_or_two_sessions_is_refused() {
    let many = "a=b;".repeat(MOST_COOKIES - 1);
    let table: [(&[&str], Result<(), CookieError>); 10] = [
        (&[], Ok(())),
        (&["a=1; a=2; session=x"], Ok(())),
        (&[&many], Ok(())),
        (&[&many, "a=b"], Err(CookieError::TooMany)),
        (&[&"x".repeat(8193)], Err(CookieError::TooLong)),
        (&[&"x".repeat(8000), &"x".repeat(193)], Err(CookieError::TooLong)),
        (&["session=x; session=x"], Err(CookieError::Twice)),
        (&["session=x", "a=b; session =y"], Err(CookieError::Twice)),
        (&["__Host-mintgate=x; __host-mintgate=y"], Err(CookieError::Twice)),
        (&["$Version=1; session=x; Session=y"], Ok(())),
    ];
    for (lines, expected) in table {
        assert_eq!(check_cookies(&request(lines), &["session"]), expected, "{lines:?}");
    }
}

#[test]
fn an_upstream_gets_one_line_without_the_gateways_cookies_and_old_markers() {
    let table: [(&[&str], Option<&str>); 8] = [
        (&[], None),
        (&["a=1"], Some("a=1")),
        (&["a=1", "b=2; c=3", "d=4"], Some("a=1; b=2; c=3; d=4")),
        (&["a=1; __Host-mintgate=x; b=2"], Some("a=1; b=2")),
        (&["__HOST-Mintgate=x"], None),
        (&["$Version=1; a=1; $Path=/; $Domain=x"], Some("a=1")),
        (&["a=1;b=2"], Some("a=1;b=2")),
        (&["a=$1"], Some("a=$1")),
    ];
    for (lines, expected) in table {
        let mut headers = request(lines);
        tidy_cookies(&mut headers);
        let left: Vec<&str> =
            headers.get_all(COOKIE).iter().map(|line| line.to_str().expect("text")).collect();
        assert_eq!(left, expected.into_iter().collect::<Vec<_>>(), "{lines:?}");
    }
}
