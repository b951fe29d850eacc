//! The identity provider: is an app registered, does the provider answer, is its clock ours.

use bytes::Bytes;
use http::Request;

use super::{Http, Line, clock_line};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::config::StartUp;
use crate::oauth::discovery::discover;

pub(super) const TOPIC: &str = "identity provider";
const CLOCK: &str = "provider's clock";

pub(super) async fn look(start_up: &StartUp, http: &Http, now: Timestamp) -> Vec<Line> {
    let Some(app) = &start_up.microsoft else {
        let to_do = "Set `microsoft.clientId`, `clientSecret` and `tenantId` from the app registration.";
        return vec![Line::warning(TOPIC, "No app registration is configured.", to_do)];
    };
    match discover(&**http, app).await {
        Ok(_) => vec![
            Line::ok(TOPIC, "It knows the tenant and answers."),
            clock(http, app.metadata_url().as_str(), now).await,
        ],
        Err(error) => {
            let to_do =
                "Check `microsoft.tenantId`, and that this machine may call login.microsoftonline.com.";
            vec![Line::problem(TOPIC, format!("{}.", Report(&error)), to_do)]
        }
    }
}

async fn clock(http: &Http, url: &str, now: Timestamp) -> Line {
    let request = Request::get(url).body(Bytes::new()).expect("a URL makes a request");
    match http.call(request, 1 << 20).await {
        Ok(answer) => clock_line(CLOCK, answer.headers(), now),
        Err(_) => Line::cannot_tell(CLOCK, "It did not answer again.", ""),
    }
}
