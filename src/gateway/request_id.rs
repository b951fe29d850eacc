//! The id that one request carries through logs, to the upstream and back to the client.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;

use crate::base::id::random_bytes;

const LONGEST: usize = 64;

/// Where ids come from: a random start, then no two alike. They are names, not secrets.
#[derive(Debug)]
pub struct RequestIds {
    next: AtomicU64,
}

/// The client's own id where it is a plain word, ours otherwise.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestIds {
    pub fn new() -> Self {
        Self { next: AtomicU64::new(u64::from_le_bytes(random_bytes())) }
    }

    pub fn take(&self, given: Option<&HeaderValue>) -> RequestId {
        match given {
            Some(value) if is_plain(value.as_bytes()) => RequestId(value.clone()),
            _ => RequestId(written(self.next.fetch_add(1, Ordering::Relaxed))),
        }
    }
}

impl RequestId {
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }

    pub fn text(&self) -> &str {
        self.0.to_str().unwrap_or("-")
    }
}

fn is_plain(bytes: &[u8]) -> bool {
    (1..=LONGEST).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// 16 hexadecimal digits of the number, shuffled one to one so that neighbours do not look alike.
/// Source: splitmix64 by Sebastiano Vigna.
fn written(number: u64) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let digits: [u8; 16] =
        std::array::from_fn(|place| DIGITS[usize::from((mixed >> (place * 4)) as u8 & 15)]);
    HeaderValue::from_bytes(&digits).expect("hexadecimal digits are visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_id_of_the_client_is_kept() {
        let given = HeaderValue::from_static("trace-1.2_x");
        assert_eq!(RequestIds::new().take(Some(&given)).text(), "trace-1.2_x");
    }

    #[test]
    fn an_id_that_could_forge_a_log_line_is_replaced() {
        let ids = RequestIds::new();
        let long = "x".repeat(LONGEST + 1);
        for given in ["", "a b", "a\"b", "a,b", &long] {
            let given = HeaderValue::from_str(given).expect("a header value");
            let id = ids.take(Some(&given));
            assert_eq!(id.text().len(), 16, "{given:?}");
        }
    }

    #[test]
    fn our_ids_differ() {
        let ids = RequestIds::new();
        let made: std::collections::HashSet<_> =
            (0..1000).map(|_| ids.take(None).text().to_owned()).collect();
        assert_eq!(made.len(), 1000);
    }
}
