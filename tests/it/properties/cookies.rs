//! `Set-Cookie` lines of any bytes: what leaves is hardened, once, or does not leave.

use mintgate::web::cookie::{Hardening, harden};

use super::cases;

#[test]
fn whatever_line_leaves_has_each_attribute_once() {
    let pieces = [
        "a",
        "=",
        ";",
        " ",
        "Secure",
        "HttpOnly",
        "SameSite=None",
        "samesite=lax",
        "Domain=.x",
        "Path=/",
        "Max-Age=0",
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "__Host-",
        "__SECURE-",
        ",",
        "\"",
        "\t",
        "\u{0}",
        "é",
        "Partitioned",
    ];
    bolero::check!().with_iterations(cases(20_000) as usize).with_type::<Vec<u8>>().for_each(
        |bytes: &Vec<u8>| {
            // As they are, and as a choice of what cookies are made of.
            let made: String = bytes.iter().map(|byte| pieces[usize::from(*byte) % pieces.len()]).collect();
            for line in [bytes.as_slice(), made.as_bytes()] {
                let Some(hardened) = harden(line, &Hardening::default()) else { continue };
                let text = hardened.to_str().expect("visible text");
                let attributes: Vec<&str> = text.split(';').skip(1).map(str::trim).collect();
                let count =
                    |name: &str| attributes.iter().filter(|one| one.eq_ignore_ascii_case(name)).count();
                assert_eq!([count("Secure"), count("HttpOnly"), count("SameSite=Strict")], [1; 3], "{text}");
                let starts = |name: &str| {
                    let named = |one: &&&str| {
                        one.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
                    };
                    attributes.iter().filter(named).count()
                };
                assert_eq!((starts("SameSite"), starts("Domain")), (1, 0), "{text}");
            }
        },
    );
}
