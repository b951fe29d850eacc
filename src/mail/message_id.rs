//! Message-IDs: one comparable form of other people's, and our own, which carry a proof.
//! Knows nothing of what an id is used for.

use crate::base::id::hex;
use crate::base::secret::{HashKey, equal_in_constant_time, sha256};

/// RFC 5322 allows lines of 998 characters; nothing longer can be an id.
const LONGEST: usize = 990;

/// The id without angle brackets and surrounding space; `None` when nothing is left. Case is kept: the
/// left side of a Message-ID is case-sensitive.
pub fn normalise(text: &str) -> Option<String> {
    let inner = match (text.find('<'), text.rfind('>')) {
        (Some(open), Some(close)) if open < close => &text[open + 1..close],
        _ => text.trim().trim_start_matches('<').trim_end_matches('>'),
    };
    let id: String = inner.chars().filter(|one| !one.is_whitespace() && !one.is_control()).collect();
    (!id.is_empty() && id.len() <= LONGEST).then_some(id)
}

const SYNTHETIC_DOMAIN: &str = "@mintgate.invalid";

/// The id of a mail that came without one; the same bytes always get the same.
pub fn synthetic(raw: &[u8]) -> String {
    format!("{}{SYNTHETIC_DOMAIN}", hex(&sha256(raw)))
}

/// Whether `id` may have been made by [`synthetic`]. No other mail has such a domain (RFC 2606, 2).
pub fn is_synthetic(id: &str) -> bool {
    id.ends_with(SYNTHETIC_DOMAIN)
}

/// The Message-ID of the answer that carries `comment` of `ticket` (the desk's ids), with angle
/// brackets: `<t.{ticket}.{comment}.{proof}@domain>`. The same arguments always make the same id.
pub fn make(key: &HashKey, ticket: &str, comment: &str, domain: &str) -> String {
    let (ticket, comment, domain) = (short(ticket), short(comment), domain.to_ascii_lowercase());
    format!("<t.{ticket}.{comment}.{}@{domain}>", proof(key, &ticket, &comment, &domain))
}

/// Whether `id` (with or without brackets) was made by [`make`] with this key.
pub fn is_ours(key: &HashKey, id: &str) -> bool {
    proven_ticket(key, id).is_some()
}

/// The [`short`] form of the ticket that `id` was made for, if [`make`] made it with this key. Whoever
/// shows such an id has seen an answer of that ticket.
pub fn proven_ticket(key: &HashKey, id: &str) -> Option<String> {
    let id = normalise(id)?;
    let (local, domain) = id.rsplit_once('@')?;
    let parts: Vec<&str> = local.split('.').collect();
    let ["t", ticket, comment, claimed] = parts[..] else { return None };
    let wanted = proof(key, ticket, comment, &domain.to_ascii_lowercase());
    equal_in_constant_time(claimed.as_bytes(), wanted.as_bytes()).then(|| ticket.to_owned())
}

/// The form in which our Message-IDs name a ticket or a comment, 12 hexadecimal digits: the desk's own
/// ids are nobody else's business.
pub fn short(id: &str) -> String {
    hex(&sha256(id.as_bytes())[..6])
}

fn proof(key: &HashKey, ticket: &str, comment: &str, domain: &str) -> String {
    let parts = [b"message-id".as_slice(), ticket.as_bytes(), comment.as_bytes(), domain.as_bytes()];
    hex(&key.hash(&parts)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> HashKey {
        HashKey::from_bytes([3; 32])
    }

    #[test]
    fn ids_are_compared_without_brackets_and_space() {
        let cases = [
            ("<a@b>", Some("a@b")),
            (" <a@b>\r\n", Some("a@b")),
            ("a@b", Some("a@b")),
            ("Message from X <a@ b>", Some("a@b")),
            ("<>", None),
            ("  ", None),
            ("<A.b@C>", Some("A.b@C")),
        ];
        for (given, wanted) in cases {
            assert_eq!(normalise(given).as_deref(), wanted, "{given:?}");
        }
        assert_eq!(normalise(&"x".repeat(5000)), None);
    }

    #[test]
    fn our_own_id_is_known_by_its_proof() {
        let id = make(&key(), "380fe5f0-b95c", "c-1", "Desk.Example");
        assert!(id.starts_with("<t.") && id.ends_with("@desk.example>"), "{id}");
        assert!(is_ours(&key(), &id));
        assert!(is_ours(&key(), id.trim_matches(['<', '>'])));
    }

    #[test]
    fn a_changed_or_foreign_id_is_not_ours() {
        let id = make(&key(), "t", "c", "desk.example");
        let other_domain = id.replace("desk.example", "evil.example");
        let shortened = id.replace("@", "x@");
        for foreign in [other_domain.as_str(), shortened.as_str(), "<t.a.b.c@desk.example>", "<x@y>", "t", ""]
        {
            assert!(!is_ours(&key(), foreign), "{foreign}");
        }
        assert!(!is_ours(&HashKey::from_bytes([4; 32]), &id));
    }

    #[test]
    fn different_comments_have_different_ids_and_the_same_comment_one() {
        let one = make(&key(), "t", "c1", "d");
        assert_ne!(one, make(&key(), "t", "c2", "d"));
        assert_eq!(one, make(&key(), "t", "c1", "d"));
    }
}
