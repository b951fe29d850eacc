//! What a failed call to Graph means: wait, list again, give up, or try again. Pure.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::base::clock::Timestamp;
use crate::mailbox::MailboxError;

/// Where Graph asks to wait and does not say how long.
const UNTOLD_WAIT: Duration = Duration::from_secs(30);
/// A longer wait is a mistake or an attack; the next answer will tell again.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

#[derive(Deserialize)]
struct Body {
    error: Inner,
}

#[derive(Deserialize)]
struct Inner {
    code: String,
}

/// Graph's error code (`ErrorAccessDenied`), empty when there is none. The message beside it is left
/// out: it may hold addresses.
pub(super) fn code(body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<Body>(body) else { return String::new() };
    body.error.code.chars().filter(char::is_ascii_alphanumeric).take(80).collect()
}

/// The error for an answer that is no success.
pub(super) fn of_status(
    status: StatusCode,
    code: String,
    retry_after: Option<&str>,
    now: Timestamp,
) -> MailboxError {
    let wait = retry_after.and_then(|text| wait(text, now));
    let throttled = |wait: Duration| MailboxError::Throttled { retry_at: now + wait.min(LONGEST_WAIT) };
    let status_number = status.as_u16();
    match (status_number, wait) {
        (429, wait) => throttled(wait.unwrap_or(UNTOLD_WAIT)),
        (503 | 504, Some(wait)) => throttled(wait),
        (410, _) => MailboxError::CursorLost,
        _ if is_lost_cursor(&code) => MailboxError::CursorLost,
        // 401 ends when the token does, 408, 409 and 423 by themselves.
        (401 | 408 | 409 | 423, _) => MailboxError::Server { status: status_number, code },
        (400..500, _) => MailboxError::Refused { status: status_number, code },
        _ => MailboxError::Server { status: status_number, code },
    }
}

fn is_lost_cursor(code: &str) -> bool {
    ["syncstatenotfound", "syncstateinvalid", "resyncrequired"]
        .iter()
        .any(|lost| code.eq_ignore_ascii_case(lost))
}

/// RFC 9110, 10.2.3: seconds, or an HTTP date.
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let dated = text.trim().strip_suffix("GMT").map(|date| format!("{date}+0000"))?;
    let moment = OffsetDateTime::parse(&dated, &Rfc2822).ok()?;
    Some(Timestamp(moment.unix_timestamp().saturating_mul(1000)).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T00:02:03Z
    const NOW: Timestamp = Timestamp(1_795_219_323_000);

    fn meant(status: u16, code: &str, retry_after: Option<&str>) -> MailboxError {
        of_status(StatusCode::from_u16(status).expect("a status"), code.into(), retry_after, NOW)
    }

    fn waits(status: u16, retry_after: Option<&str>) -> Option<u64> {
        match meant(status, "", retry_after) {
            MailboxError::Throttled { retry_at } => Some(retry_at.since(NOW).as_secs()),
            _ => None,
        }
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date() {
        assert_eq!(waits(429, Some("17")), Some(17));
        assert_eq!(waits(429, Some("Sat, 21 Nov 2026 00:03:00 GMT")), Some(57));
        assert_eq!(waits(503, Some("5")), Some(5));
    }

    #[test]
    fn a_strange_wait_is_bounded() {
        assert_eq!(waits(429, None), Some(30));
        assert_eq!(waits(429, Some("soon")), Some(30));
        assert_eq!(waits(429, Some("99999999999")), Some(3600));
        assert_eq!(waits(429, Some("Sat, 21 Nov 2020 00:03:00 GMT")), Some(0));
        assert_eq!(waits(503, None), None);
    }

    #[test]
    fn a_lost_cursor_is_known_by_status_or_code() {
        assert!(matches!(meant(410, "", None), MailboxError::CursorLost));
        for code in ["syncStateNotFound", "SyncStateNotFound", "resyncRequired"] {
            assert!(matches!(meant(400, code, None), MailboxError::CursorLost), "{code}");
        }
    }

    #[test]
    fn only_what_another_try_cannot_change_is_refused() {
        for status in [400, 403, 404, 413] {
            assert!(matches!(meant(status, "", None), MailboxError::Refused { .. }), "{status}");
        }
        for status in [302, 401, 408, 409, 423, 500, 502, 503, 504] {
            assert!(matches!(meant(status, "", None), MailboxError::Server { .. }), "{status}");
        }
    }

    #[test]
    fn the_code_is_taken_and_the_message_is_not() {
        assert_eq!(
            code(br#"{"error":{"code":"ErrorAccessDenied","message":"ada@x may not"}}"#),
            "ErrorAccessDenied"
        );
        for strange in [b"".as_slice(), b"<html>", br#"{"error":"x"}"#] {
            assert_eq!(code(strange), "");
        }
    }
}
