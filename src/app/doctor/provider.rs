//! The identity providers: is an app registered, does the provider answer, is its clock ours.

use bytes::Bytes;
use http::Request;

use super::{Http, Line, clock_line};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::config::StartUp;
use crate::oauth::app::{App, Apps, Vendor};
use crate::oauth::discovery::discover;

pub(super) const TOPIC: &str = "identity provider";
const GOOGLE: &str = "identity provider Google";
const CLOCK: &str = "provider's clock";

pub(super) async fn look(start_up: &StartUp, http: &Http, now: Timestamp) -> Vec<Line> {
    let apps = Apps::new(start_up.microsoft.clone(), start_up.google.clone());
    let mut lines = Vec::new();
    for app in apps.iter() {
        lines.extend(look_at(app, http, now).await);
    }
    if lines.is_empty() {
        let to_do = "Set `microsoft.clientId`, `clientSecret` and `tenantId` from the app registration, or \
                     `google.clientId` and `clientSecret` from the OAuth client.";
        lines.push(Line::warning(TOPIC, "No app registration is configured.", to_do));
    }
    lines
}

async fn look_at(app: &App, http: &Http, now: Timestamp) -> Vec<Line> {
    let (topic, found, to_do) = match app.vendor() {
        Vendor::Microsoft => (
            TOPIC,
            "It knows the tenant and answers.",
            "Check `microsoft.tenantId`, and that this machine may call login.microsoftonline.com.",
        ),
        Vendor::Google => (
            GOOGLE,
            "It answers; whether it knows the client id shows at a sign-in.",
            "Check that this machine may call accounts.google.com, oauth2.googleapis.com and www.googleapis.com.",
        ),
    };
    match discover(&**http, app).await {
        Ok(_) => vec![Line::ok(topic, found), clock(http, app.metadata_url().as_str(), now).await],
        Err(error) => vec![Line::problem(topic, format!("{}.", Report(&error)), to_do)],
    }
}

async fn clock(http: &Http, url: &str, now: Timestamp) -> Line {
    let request = Request::get(url).body(Bytes::new()).expect("a URL makes a request");
    match http.call(request, 1 << 20).await {
        Ok(answer) => clock_line(CLOCK, answer.headers(), now),
        Err(_) => Line::cannot_tell(CLOCK, "It did not answer again.", ""),
    }
}
