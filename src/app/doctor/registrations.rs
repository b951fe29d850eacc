//! Who says what is registered at the providers.

use super::Line;
use crate::app::registered::Origin;
use crate::base::report::Report;
use crate::oauth::app::Vendor;
use crate::token::registrations::Registrations;

pub(super) async fn look(registrations: &Registrations) -> Vec<Line> {
    let mut lines = Vec::new();
    for vendor in Vendor::ALL {
        match Origin::of(registrations, vendor).await {
            Ok(None) => {}
            Ok(Some(origin)) => lines.push(line(topic(vendor), &origin)),
            Err(failure) => {
                lines.push(Line::cannot_tell(topic(vendor), format!("{}.", Report(&failure)), ""));
            }
        }
    }
    lines
}

fn topic(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Microsoft => "registration at Microsoft",
        Vendor::Google => "registration at Google",
    }
}

fn line(topic: &'static str, origin: &Origin) -> Line {
    let found = origin.to_string();
    match origin {
        Origin::Configured | Origin::Entered { .. } => Line::ok(topic, found),
        Origin::Idle => Line::warning(topic, found, "Remove the other one at /admin/exchange/apps."),
        Origin::Closed => {
            Line::problem(topic, found, "Bring the key back, or enter it again at /admin/exchange/apps.")
        }
    }
}
