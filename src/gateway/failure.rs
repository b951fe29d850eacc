//! What a failed request is answered with. Decides; sends nothing.

use std::io;

use pingora::{Error, ErrorSource, ErrorType};

/// The status for the client; `None` when nobody is left to read one.
pub fn status(error: &Error) -> Option<u16> {
    match (error.esource(), error.etype()) {
        (_, ErrorType::HTTPStatus(status)) => Some(*status),
        (
            ErrorSource::Upstream,
            ErrorType::ConnectTimedout
            | ErrorType::ReadTimedout
            | ErrorType::WriteTimedout
            | ErrorType::TLSHandshakeTimedout,
        ) => Some(504),
        (ErrorSource::Upstream, _) => Some(502),
        (ErrorSource::Downstream, ErrorType::ReadTimedout) => Some(408),
        // The gate says so of a body whose framing is broken; the client is still there.
        (ErrorSource::Downstream, ErrorType::ReadError) if is_invalid_data(error) => Some(400),
        (
            ErrorSource::Downstream,
            ErrorType::ReadError
            | ErrorType::WriteError
            | ErrorType::WriteTimedout
            | ErrorType::ConnectionClosed,
        ) => None,
        (ErrorSource::Downstream, _) => Some(400),
        (ErrorSource::Internal | ErrorSource::Unset, _) => Some(500),
    }
}

fn is_invalid_data(error: &Error) -> bool {
    let root = error.root_cause().downcast_ref::<io::Error>();
    root.is_some_and(|root| root.kind() == io::ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstreams_failure_is_a_bad_gateway_and_its_silence_a_timeout() {
        assert_eq!(status(&Error::new_up(ErrorType::ConnectRefused)), Some(502));
        assert_eq!(status(&Error::new_up(ErrorType::InvalidHTTPHeader)), Some(502));
        assert_eq!(status(&Error::new_up(ErrorType::ReadTimedout)), Some(504));
        assert_eq!(status(&Error::new_up(ErrorType::ConnectTimedout)), Some(504));
    }

    #[test]
    fn a_client_that_is_gone_gets_no_answer() {
        assert_eq!(status(&Error::new_down(ErrorType::WriteError)), None);
        assert_eq!(status(&Error::new_down(ErrorType::ConnectionClosed)), None);
    }

    #[test]
    fn a_client_that_breaks_its_framing_is_told() {
        let broken = io::Error::new(io::ErrorKind::InvalidData, "chunk");
        let mut error = Error::because(ErrorType::ReadError, "reading body", broken);
        error.as_down();
        assert_eq!(status(&error), Some(400));
    }
}
