//! `Thread-Index`, by which Outlook puts mails into one conversation. Knows nothing of `References`.
//! Source: [MS-OXOMSG] 2.2.1.3, PidTagConversationIndex.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::clock::Timestamp;
use crate::base::secret::sha256;

const ROOT: usize = 22;
const CHILD: usize = 5;
/// A longer conversation goes on under its newest mark.
const LONGEST: usize = ROOT + 40 * CHILD;
/// Headers that are longer are not searched.
const LONGEST_HEAD: usize = 256 * 1024;

/// 100 ns steps from 1601 to 1970.
const EPOCH: u64 = 116_444_736_000_000_000;

/// The mark of a raw mail, if it has a usable one; base64.
pub fn of_mail(raw: &[u8]) -> Option<String> {
    let head = &raw[..raw.len().min(LONGEST_HEAD)];
    let mut lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut found: Option<Vec<u8>> = None;
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        match (&mut found, line.first()) {
            (Some(value), Some(b' ' | b'\t')) => value.extend_from_slice(line.trim_ascii()),
            (Some(_), _) => break,
            (None, _) => found = value_of(line).map(<[u8]>::to_vec),
        }
    }
    let text = String::from_utf8(found?).ok()?;
    decoded(&text).map(|_| text)
}

fn value_of(line: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"thread-index:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    name.eq_ignore_ascii_case(NAME).then(|| value.trim_ascii())
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    let whole = bytes.len() >= ROOT && (bytes.len() - ROOT).is_multiple_of(CHILD);
    (whole && bytes.len() <= LONGEST).then_some(bytes)
}

/// The mark of an answer sent at `at`: below `parent`, or below a mark made of `seed` (the same for all
/// answers of a conversation) and its beginning.
pub fn answer(parent: Option<&str>, seed: &str, began: Timestamp, at: Timestamp) -> String {
    let mut bytes = parent.and_then(decoded).unwrap_or_else(|| root(seed, began));
    if bytes.len() + CHILD <= LONGEST {
        let child = child(&bytes, at);
        bytes.extend_from_slice(&child);
    }
    STANDARD.encode(bytes)
}

fn root(seed: &str, began: Timestamp) -> Vec<u8> {
    // The first six bytes of the time begin with 1 until the year 2057, as the format demands.
    let mut bytes = file_time(began).to_be_bytes()[..6].to_vec();
    bytes.extend_from_slice(&sha256(seed.as_bytes())[..16]);
    bytes
}

/// Time since the root's, coarse, and a byte that tells siblings apart.
fn child(bytes: &[u8], at: Timestamp) -> [u8; CHILD] {
    let mut begin = [0; 8];
    begin[..6].copy_from_slice(&bytes[..6]);
    let passed = file_time(at).saturating_sub(u64::from_be_bytes(begin));
    let (flag, coarse) = if passed >> 49 == 0 { (0, passed >> 18) } else { (1 << 31, passed >> 23) };
    let word = u32::try_from(coarse & 0x7fff_ffff).expect("31 bits") | flag;
    let [one, two, three, four] = word.to_be_bytes();
    [one, two, three, four, sha256(&at.0.to_be_bytes())[0]]
}

fn file_time(at: Timestamp) -> u64 {
    u64::try_from(at.0).unwrap_or(0).saturating_mul(10_000).saturating_add(EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: Timestamp = Timestamp(1_795_219_323_000);
    const LATER: Timestamp = Timestamp(1_795_219_383_000);
    /// As Outlook wrote it.
    const OUTLOOK: &str = "Ac7gIvnbx4Uf3Z5pQK2vcbbmLHdoaA==";

    #[test]
    fn a_mails_mark_is_read_wherever_it_is_folded() {
        let cases = [
            (format!("Subject: x\r\nThread-Index: {OUTLOOK}\r\n\r\nbody"), true),
            (format!("THREAD-INDEX:\r\n {}\r\n {}\r\nTo: x\r\n\r\n", &OUTLOOK[..10], &OUTLOOK[10..]), true),
            (format!("Subject: x\r\n\r\nThread-Index: {OUTLOOK}\r\n"), false),
            ("Thread-Index: AAAA\r\n\r\n".to_owned(), false),
            ("Thread-Index: no base64\r\n\r\n".to_owned(), false),
        ];
        for (raw, there) in cases {
            assert_eq!(of_mail(raw.as_bytes()), there.then(|| OUTLOOK.to_owned()), "{raw}");
        }
    }

    #[test]
    fn an_answer_stands_below_its_conversation() {
        let below = |parent| STANDARD.decode(answer(parent, "t1", BEGAN, LATER)).expect("base64");
        let (own, theirs) = (below(None), below(Some(OUTLOOK)));
        assert_eq!((own.len(), own[0]), (ROOT + CHILD, 1));
        assert_eq!(theirs[..ROOT], STANDARD.decode(OUTLOOK).expect("base64"));
        assert_eq!(below(None), own);
        assert_eq!(below(Some("broken")), own, "an unusable mark is none");
    }

    #[test]
    fn the_time_in_a_mark_is_the_time_that_passed() {
        let bytes = STANDARD.decode(answer(None, "t1", BEGAN, LATER)).expect("base64");
        let word = u32::from_be_bytes(bytes[ROOT..ROOT + 4].try_into().expect("four bytes"));
        let seconds = (u64::from(word) << 18) / 10_000_000;
        assert!((59..=60).contains(&seconds), "{seconds}");
    }

    #[test]
    fn a_conversation_without_end_keeps_its_mark_short() {
        let mut mark = answer(None, "t1", BEGAN, LATER);
        for _ in 0..100 {
            mark = answer(Some(&mark), "t1", BEGAN, LATER);
        }
        assert!(STANDARD.decode(mark).expect("base64").len() <= LONGEST);
    }
}
