//! The access log: one line per answered request.
//!
//! Lines are handed to a thread that writes them, so that a slow disk never holds up a request. Query
//! strings, cookies and credentials never reach this file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use super::log_writer::Writer;
use crate::base::clock::Timestamp;
use crate::config;

/// Lines that may wait to be written.
const WAITING: usize = 8192;

/// One request, under Traefik's names where it has one.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Line<'a> {
    #[serde(rename = "StartUTC", serialize_with = "as_text")]
    pub start: Timestamp,
    pub client_host: Option<IpAddr>,
    pub entry_point_name: &'a str,
    pub request_method: &'a str,
    pub request_host: &'a str,
    pub request_path: &'a str,
    pub request_protocol: &'a str,
    pub downstream_status: u16,
    pub downstream_content_size: usize,
    #[serde(serialize_with = "as_nanoseconds")]
    pub duration: Duration,
    pub router_name: &'a str,
    pub service_name: &'a str,
    pub request_id: &'a str,
}

fn as_text<S: serde::Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}

fn as_nanoseconds<S: serde::Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
}

impl Line<'_> {
    fn json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).expect("a line holds nothing but text and numbers");
        text.push(b'\n');
        text
    }

    /// The common log format, with Traefik's additions at its end.
    fn common(&self) -> Vec<u8> {
        let date = format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
        let moment = OffsetDateTime::from_unix_timestamp(self.start.seconds());
        let date = moment.ok().and_then(|moment| moment.format(&date).ok());
        let client = self.client_host.map(|client| client.to_string());
        format!(
            "{} - - [{}] \"{} {} {}\" {} {} \"-\" \"-\" \"{}\" \"{}\" \"{}\" {}ms {}\n",
            client.as_deref().unwrap_or("-"),
            date.as_deref().unwrap_or("-"),
            self.request_method,
            self.request_path.replace('\\', "\\\\").replace('"', "\\\""),
            self.request_protocol,
            self.downstream_status,
            self.downstream_content_size,
            self.request_host.replace('"', ""),
            self.router_name,
            self.service_name,
            self.duration.as_millis(),
            self.request_id,
        )
        .into_bytes()
    }
}

/// What the writing thread is told.
#[derive(Debug)]
pub(super) enum Order {
    Line(Vec<u8>),
    Reopen,
}

/// Where lines go.
#[derive(Debug, Clone)]
pub struct AccessLog {
    orders: SyncSender<Order>,
    json: bool,
}

impl AccessLog {
    /// Opens the file for appending, or takes standard output, and starts the writing thread.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(settings: &config::AccessLog) -> io::Result<Self> {
        match &settings.file {
            Some(path) => Self::start(Box::new(append(path)?), Some(path.clone()), settings.json),
            None => Self::into_writer(Box::new(io::stdout()), settings.json),
        }
    }

    /// Writes to `target`, JSON or the common log format.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn into_writer(target: Box<dyn Write + Send>, json: bool) -> io::Result<Self> {
        Self::start(target, None, json)
    }

    fn start(target: Box<dyn Write + Send>, file: Option<PathBuf>, json: bool) -> io::Result<Self> {
        let (orders, waiting) = sync_channel(WAITING);
        let writer = Writer::new(target, file);
        std::thread::Builder::new().name("access log".to_owned()).spawn(move || writer.run(&waiting))?;
        Ok(Self { orders, json })
    }

    /// `false` when the line was dropped because writing lags behind.
    pub fn write(&self, line: &Line<'_>) -> bool {
        let text = if self.json { line.json() } else { line.common() };
        self.orders.try_send(Order::Line(text)).is_ok()
    }

    /// Lines from now on go into a file newly opened under the same name. `false` when writing lags
    /// behind too far to be told so.
    pub fn reopen(&self) -> bool {
        self.orders.try_send(Order::Reopen).is_ok()
    }
}

pub(super) fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line<'static> {
        Line {
            start: Timestamp(1_700_000_000_000),
            client_host: Some(IpAddr::from([192, 0, 2, 1])),
            entry_point_name: "web",
            request_method: "GET",
            request_host: "desk.example",
            request_path: "/a\"b",
            request_protocol: "HTTP/1.1",
            downstream_status: 200,
            downstream_content_size: 12,
            duration: Duration::from_millis(3),
            router_name: "helpdesk",
            service_name: "desk",
            request_id: "abc",
        }
    }

    #[test]
    fn a_quote_in_the_path_cannot_end_the_field() {
        let text = String::from_utf8(line().common()).expect("text");
        assert_eq!(
            text,
            "192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"GET /a\\\"b HTTP/1.1\" 200 12 \"-\" \"-\" \
             \"desk.example\" \"helpdesk\" \"desk\" 3ms abc\n"
        );
    }

    #[test]
    fn json_lines_use_traefiks_names() {
        let json: serde_json::Value = serde_json::from_slice(&line().json()).expect("JSON");
        assert_eq!(json["ClientHost"], "192.0.2.1");
        assert_eq!(json["DownstreamStatus"], 200);
        assert_eq!(json["Duration"], 3_000_000);
        assert_eq!(json["StartUTC"], "2023-11-14T22:13:20Z");
        assert_eq!(json["RequestPath"], "/a\"b");
    }
}
