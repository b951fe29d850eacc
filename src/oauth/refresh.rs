//! What a failed refresh means: ask an admin, stop, or try again and when. Pure.

use std::time::Duration;

use crate::base::backoff::Backoff;
use crate::base::clock::Timestamp;
use crate::oauth::advice::{Advice, Retry};
use crate::oauth::app::Vendor;
use crate::oauth::grant::GrantError;
use crate::oauth::http::EndpointError;

/// Waits between tries while the provider does not answer.
const WAITS: Backoff = Backoff { floor: Duration::from_secs(1), ceiling: Duration::from_secs(300) };

/// A provider that asks for longer is asked again after this all the same.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// What to do after a refresh brought no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The grant is dead; asking again is useless until an admin connects again.
    Reconnect(Advice),
    /// The app registration or the configuration is wrong.
    Misconfigured(Advice),
    /// Nothing is known to be wrong; the refresh token stays as it is.
    Later { wait: Duration },
}

/// Decides by the OAuth `error` of `vendor`; `failures` in a row including this one, `chance` uniform in 0..=255.
pub fn judge(vendor: Vendor, error: &GrantError, failures: u32, chance: u8, now: Timestamp) -> Failure {
    let steady = WAITS.wait(failures, chance);
    match error {
        GrantError::Refused(refusal) => {
            let advice = vendor.advise(&refusal.error, refusal.code);
            match advice.retry {
                Retry::Reconnect => Failure::Reconnect(advice),
                Retry::AfterConfiguration => Failure::Misconfigured(advice),
                Retry::Later => Failure::Later { wait: steady },
            }
        }
        GrantError::Endpoint(EndpointError::Busy { retry_after: Some(asked), .. }) => {
            Failure::Later { wait: asked.wait(now).clamp(steady, LONGEST_RETRY_AFTER.max(steady)) }
        }
        GrantError::ForeignEndpoint => Failure::Reconnect(vendor.advise("invalid_grant", None)),
        GrantError::Endpoint(_) | GrantError::Garbled { .. } => Failure::Later { wait: steady },
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::oauth::grant::Refusal;
    use crate::oauth::http::RetryAfter;

    const NOW: Timestamp = Timestamp(1_000);

    fn refused(error: &str, code: Option<u32>) -> GrantError {
        GrantError::Refused(Refusal {
            error: error.to_owned(),
            code,
            trace_id: None,
            correlation_id: None,
            timestamp: None,
        })
    }

    fn busy(retry_after: Option<RetryAfter>) -> GrantError {
        let status = StatusCode::TOO_MANY_REQUESTS;
        GrantError::Endpoint(EndpointError::Busy { status, retry_after })
    }

    #[test]
    fn a_dead_grant_asks_for_an_admin_whatever_its_number() {
        for (error, code) in [
            ("invalid_grant", None),
            ("invalid_grant", Some(700_082)),
            ("invalid_grant", Some(90_033)),
            ("interaction_required", Some(50_076)),
            ("consent_required", Some(65_001)),
        ] {
            let failure = judge(Vendor::Microsoft, &refused(error, code), 1, 128, NOW);
            assert!(matches!(failure, Failure::Reconnect(_)), "{error} {code:?}");
        }
    }

    #[test]
    fn a_wrong_registration_stops() {
        for error in ["invalid_client", "unauthorized_client", "invalid_scope", "invalid_request"] {
            let failure = judge(Vendor::Microsoft, &refused(error, None), 1, 128, NOW);
            assert!(matches!(failure, Failure::Misconfigured(_)), "{error}");
        }
    }

    #[test]
    fn a_provider_in_trouble_is_asked_again_ever_more_slowly() {
        let wait = |failures| match judge(
            Vendor::Microsoft,
            &refused("temporarily_unavailable", None),
            failures,
            128,
            NOW,
        ) {
            Failure::Later { wait } => wait.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!([wait(1), wait(4), wait(40)], [1, 8, 300]);
    }

    #[test]
    fn retry_after_is_honoured_and_never_shortens_the_wait() {
        let wait = |seconds, failures| match judge(
            Vendor::Microsoft,
            &busy(Some(RetryAfter::Seconds(seconds))),
            failures,
            0,
            NOW,
        ) {
            Failure::Later { wait } => wait,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(17, 1), Duration::from_secs(17));
        assert_eq!(wait(0, 9), Duration::from_secs_f64(256.0 * 0.75));
        assert_eq!(wait(9_999_999, 1), LONGEST_RETRY_AFTER);
    }
}
