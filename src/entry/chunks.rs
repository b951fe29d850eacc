//! Where a chunked body ends, followed on the raw bytes and held to the letter of RFC 9112 section 7.1.
//!
//! The bytes themselves are passed on by others; this only counts. Pure.

use super::raw_head::{Refusal, is_token};

/// Bytes of one chunk-size line, extensions included.
const MOST_LINE: usize = 256;
/// Bytes of all trailer lines.
const MOST_TRAILERS: usize = 8 * 1024;

/// What the next byte is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Size { digits: u8, value: u64 },
    Extension { length: usize },
    SizeLineFeed,
    Data,
    DataReturn,
    DataLineFeed,
    TrailerStart,
    TrailerName,
    Trailer,
    TrailerLineFeed,
    LastLineFeed,
    End,
}

/// A position in a chunked body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunks {
    at: At,
    /// Data bytes of the current chunk still to come.
    left: u64,
    trailers: usize,
}

impl Chunks {
    pub fn new() -> Self {
        Self { at: At::Size { digits: 0, value: 0 }, left: 0, trailers: 0 }
    }

    /// Whether the last byte of the body was seen.
    pub fn ended(&self) -> bool {
        self.at == At::End
    }

    /// Follows `bytes` and returns how many of them belong to the body; fewer than all only at its end.
    ///
    /// # Errors
    /// When the framing leaves room for interpretation.
    pub fn follow(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let mut taken = 0;
        while taken < bytes.len() && !self.ended() {
            if self.at == At::Data {
                let here = (bytes.len() - taken).min(usize::try_from(self.left).unwrap_or(usize::MAX));
                taken += here;
                self.left -= here as u64;
                if self.left == 0 {
                    self.at = At::DataReturn;
                }
            } else {
                self.at = self.step(bytes[taken])?;
                taken += 1;
            }
        }
        Ok(taken)
    }

    fn step(&mut self, byte: u8) -> Result<At, Refusal> {
        let refused = Err(Refusal::malformed("The chunked body is malformed."));
        Ok(match (self.at, byte) {
            (At::Size { digits, value }, _) if byte.is_ascii_hexdigit() && digits < 15 => {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                At::Size { digits: digits + 1, value: value * 16 + digit }
            }
            (At::Size { digits: 1.., value }, b'\r') => self.size_known(value, At::SizeLineFeed),
            (At::Size { digits: 1.., value }, b';') => self.size_known(value, At::Extension { length: 0 }),
            (At::Extension { .. }, b'\r') => At::SizeLineFeed,
            (At::Extension { length }, b'\t' | b' '..=b'~') if length < MOST_LINE => {
                At::Extension { length: length + 1 }
            }
            (At::SizeLineFeed, b'\n') if self.left > 0 => At::Data,
            (At::SizeLineFeed, b'\n') => At::TrailerStart,
            (At::DataReturn, b'\r') => At::DataLineFeed,
            (At::DataLineFeed, b'\n') => At::Size { digits: 0, value: 0 },
            (At::TrailerStart, b'\r') => At::LastLineFeed,
            (At::Trailer, b'\r') => At::TrailerLineFeed,
            (At::TrailerStart | At::TrailerName, _) if is_token(byte) => {
                self.trailer_byte(At::TrailerName)?
            }
            (At::TrailerName, b':') | (At::Trailer, b'\t' | b' '..=b'~') => self.trailer_byte(At::Trailer)?,
            (At::TrailerLineFeed, b'\n') => At::TrailerStart,
            (At::LastLineFeed, b'\n') => At::End,
            _ => return refused,
        })
    }

    fn size_known(&mut self, value: u64, next: At) -> At {
        self.left = value;
        next
    }

    fn trailer_byte(&mut self, next: At) -> Result<At, Refusal> {
        self.trailers += 1;
        if self.trailers > MOST_TRAILERS { Err(Refusal::TOO_LARGE) } else { Ok(next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"5\r\nhello\r\n0A;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";

    #[test]
    fn the_end_is_found_and_nothing_after_it_is_taken() {
        let mut chunks = Chunks::new();
        let next = [BODY, b"GET / HTTP/1.1"].concat();
        assert_eq!(chunks.follow(&next), Ok(BODY.len()));
        assert!(chunks.ended());
    }

    #[test]
    fn a_body_cut_anywhere_ends_at_the_same_byte() {
        for cut in 0..BODY.len() {
            let mut chunks = Chunks::new();
            assert_eq!(chunks.follow(&BODY[..cut]), Ok(cut));
            assert!(!chunks.ended(), "cut at {cut}");
            assert_eq!(chunks.follow(&BODY[cut..]), Ok(BODY.len() - cut));
            assert!(chunks.ended());
        }
    }

    #[test]
    fn loose_framing_is_refused() {
        let table: [&[u8]; 18] = [
            b"\r\n",
            b"g\r\n",
            b"+5\r\nhello",
            b"0x5\r\nhello",
            b" 5\r\nhello",
            b"5 \r\nhello",
            b"5\nhello",
            b"5\r\rhello",
            b"5\r\nhello!\r\n",
            b"5\r\nhello\n",
            b"5;a\nb\r\nhello",
            b"1111111111111111\r\n",
            b"0\r\n X: folded\r\n\r\n",
            b"0\r\nX: y\n\r\n",
            b"0\r\nX\r\n\r\n",
            b"0\r\n: y\r\n\r\n",
            b"0\r\nX : y\r\n\r\n",
            b"0\r\nGET / HTTP/1.1\r\nX: y\r\n\r\n",
        ];
        for bytes in table {
            assert!(Chunks::new().follow(bytes).is_err(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn extensions_and_trailers_are_capped() {
        let extension = format!("1;{}", "x".repeat(MOST_LINE + 1));
        assert!(Chunks::new().follow(extension.as_bytes()).is_err());
        let trailers = format!("0\r\nX: {}", "y".repeat(MOST_TRAILERS));
        assert_eq!(Chunks::new().follow(trailers.as_bytes()), Err(Refusal::TOO_LARGE));
    }
}
