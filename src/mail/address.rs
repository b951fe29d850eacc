//! Addresses put right where writers go wrong: quotes, brackets and words in places where they do not belong.
//! Takes what a parser of RFC 5322 found; never makes up an address that nobody wrote.

use super::{Mailbox, clean};

const LONGEST_NAME: usize = 200;
/// RFC 5321, 4.5.3.1: 64 before the at sign, 255 after it.
const LONGEST_ADDRESS: usize = 320;

/// The mailbox that a parser found as these two; `field` is what it read. `None` when there is no address.
pub(super) fn mended(name: &str, address: &str, field: &str) -> Option<Mailbox> {
    let name = clean::line(name, LONGEST_NAME);
    let address = bare(&closed_up(&clean::line(address, LONGEST_ADDRESS)));
    let Some((local, domain)) = address.rsplit_once('@') else {
        return within_quotes(&name).filter(|_| address.is_empty());
    };
    if local.is_empty() {
        return beside_quotes(&name, domain);
    }
    // Several without a comma between them.
    if let Some((first, others)) = address.split_once(' ').filter(|(_, others)| others.contains('@'))
        && is_deliverable(first)
        && others.split(' ').all(is_deliverable)
    {
        return Some(Mailbox { name, address: first.to_owned() });
    }
    // Between brackets, words are no name: what stands there is one address, or none.
    let bracketed = field.contains(&format!("<{address}"));
    match address.rsplit_once(' ') {
        Some((words, last)) if !bracketed && !words.contains(['@', '"']) && last.contains('@') => {
            let name = if name.is_empty() { words.to_owned() } else { format!("{words} ({name})") };
            Some(Mailbox { name, address: last.to_owned() })
        }
        _ => Some(Mailbox { name: name.strip_suffix(" >").unwrap_or(&name).to_owned(), address }),
    }
}

/// Whether a server would take mail for it: one word with something on both sides of the at sign. What a writer
/// left spaces in is somebody else's address without them.
pub(super) fn is_deliverable(address: &str) -> bool {
    let plain =
        !address.contains(|one: char| one.is_whitespace() || one.is_control() || "<>,;".contains(one));
    plain && address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

/// Space around the signs that hold an address together says nothing (RFC 5322, 4.4).
fn closed_up(address: &str) -> String {
    if address.starts_with('"') {
        return address.to_owned();
    }
    ["@", "."].iter().fold(address.to_owned(), |text, sign| {
        text.replace(&format!(" {sign}"), sign).replace(&format!("{sign} "), sign)
    })
}

/// Without what was put around it, a link's scheme or a route (RFC 5322, 4.4: `@relay:ada@x.example`).
fn bare(address: &str) -> String {
    const AROUND: [char; 11] = ['<', '>', '(', ')', '{', '}', '\'', ',', ';', ' ', '`'];
    let address = address.trim_matches(AROUND);
    let scheme = address.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:"));
    let address = scheme.map_or(address, |scheme| &address[scheme.len()..]);
    let address = match address.rsplit_once(':') {
        Some((route, rest)) if route.starts_with('@') => rest,
        _ => address,
    };
    // A domain may be a literal, which ends with this bracket.
    if address.contains("@[") { address.to_owned() } else { address.trim_matches(['[', ']']).to_owned() }
}

/// `"ada@x.example"` and `"Ada <ada@x.example>"` with nothing behind them.
fn within_quotes(name: &str) -> Option<Mailbox> {
    let (words, address) = match name.split_once('<') {
        Some((words, rest)) => (words.trim(), rest.trim_end_matches('>').trim()),
        None => ("", name.trim_matches(['\'', '"', ' '])),
    };
    let fits = is_deliverable(address) && address.matches('@').count() == 1;
    fits.then(|| Mailbox { name: words.to_owned(), address: address.to_owned() })
}

/// `"Ada Example"@x.example`: quoted because of its space, or an encoded word where none may stand.
fn beside_quotes(local: &str, domain: &str) -> Option<Mailbox> {
    if local.is_empty() || domain.is_empty() {
        return None;
    }
    let is_word = local.chars().all(|one| one.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(one));
    let local = if is_word {
        local.to_owned()
    } else {
        format!("\"{}\"", local.replace('\\', "\\\\").replace('"', "\\\""))
    };
    Some(Mailbox { name: String::new(), address: format!("{local}@{domain}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_a_quoted_name_says_nothing() {
        let name = "Ada <ada@x.example>";
        let kept = found(name, "list@y.example", "\"Ada <ada@x.example>\" <list@y.example>");
        assert_eq!(kept, Some((name.to_owned(), "list@y.example".to_owned())));
    }

    fn found(name: &str, address: &str, field: &str) -> Option<(String, String)> {
        mended(name, address, field).map(|one| (one.name, one.address))
    }

    #[test]
    fn addresses_are_found_where_writers_put_them() {
        let table = [
            ("Ada", "ada@x.example", "Ada <ada@x.example>", "Ada", "ada@x.example"),
            ("", "Ada ada@x.example", "Ada ada@x.example", "Ada", "ada@x.example"),
            ("home", "Ada ada@x.example", "Ada ada@x.example (home)", "Ada (home)", "ada@x.example"),
            ("", "<ada@x.example>", "", "", "ada@x.example"),
            ("Ada >", "<ada@x.example", "", "Ada", "ada@x.example"),
            ("Ada", "mailto:ada@x.example", "", "Ada", "ada@x.example"),
            ("", "ada@x.example]", "", "", "ada@x.example"),
            ("", "'ada@x.example'", "", "", "ada@x.example"),
            ("", "ada@x.example bob@x.example", "", "", "ada@x.example"),
            ("", "ada @ x. example", "", "", "ada@x.example"),
            ("", "@a.example,@b.example:ada@x.example", "", "", "ada@x.example"),
            ("", "ada@[192.0.2.1]", "", "", "ada@[192.0.2.1]"),
            ("ada@x.example", "", "", "", "ada@x.example"),
            ("Ada <ada@x.example>", "", "", "Ada", "ada@x.example"),
            ("Ada B", "@x.example", "", "", "\"Ada B\"@x.example"),
            ("ada", "@x.example", "", "", "ada@x.example"),
            ("Ada \"A\"", "@x.example", "", "", "\"Ada \\\"A\\\"\"@x.example"),
        ];
        for (name, address, field, wanted, wanted_address) in table {
            let wanted = Some((wanted.to_owned(), wanted_address.to_owned()));
            assert_eq!(found(name, address, field), wanted, "{name} {address}");
        }
    }

    #[test]
    fn what_is_no_address_stays_none() {
        for (name, address) in [("Ada", ""), ("", "@x.example"), ("Ada", "ada"), ("a@b@c", ""), ("", "")] {
            assert_eq!(found(name, address, ""), None, "{name} {address}");
        }
    }

    #[test]
    fn words_between_brackets_do_not_become_somebody_s_address() {
        let kept = found("", "ad a@x.example", "<ad a@x.example>").expect("an address");
        assert_eq!(kept.1, "ad a@x.example");
        assert!(!is_deliverable(&kept.1));
        assert!(is_deliverable("ada@x.example") && !is_deliverable("ada@") && !is_deliverable("ada"));
    }
}
