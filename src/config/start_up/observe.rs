//! `accessLog`, `ping`, `metrics` and `log`: what can be seen from outside.

use std::path::PathBuf;

use crate::config::problem::suggestion;
use crate::config::section::{Foreign, Section, Shape};
use crate::config::{AccessLog, EntryPoint, Log};

const ACCESS_LOG: Shape = Shape {
    keys: &["filePath", "format"],
    foreign: &[
        ("filters", Foreign::Ignored("every request is logged")),
        ("fields", Foreign::Ignored("the fields are fixed; headers and queries are never logged")),
        ("bufferingSize", Foreign::Ignored("lines are written by a thread of their own")),
        ("addInternals", Foreign::Ignored("requests that mintgate answers itself are logged")),
        ("otlp", Foreign::Refused("it is not supported yet")),
    ],
};

const LOG: Shape = Shape {
    keys: &["level", "format"],
    foreign: &[
        ("filePath", Foreign::Refused("the log goes to stdout")),
        ("maxSize", Foreign::Refused("the log goes to stdout")),
        ("maxAge", Foreign::Refused("the log goes to stdout")),
        ("maxBackups", Foreign::Refused("the log goes to stdout")),
        ("compress", Foreign::Refused("the log goes to stdout")),
        ("noColor", Foreign::Ignored("colours are used on a terminal only")),
        ("otlp", Foreign::Refused("it is not supported yet")),
    ],
};

const PING: Shape = Shape {
    keys: &["entryPoint"],
    foreign: &[
        ("manualRouting", Foreign::Refused("`/ping` is answered before every router")),
        ("terminatingStatusCode", Foreign::Refused("it is 503 while requests are finished")),
    ],
};

const METRICS: Shape = Shape {
    keys: &["prometheus"],
    foreign: &[
        ("addInternals", Foreign::Ignored("requests that mintgate answers itself are counted")),
        ("otlp", Foreign::Refused("use `prometheus`")),
        ("datadog", Foreign::Refused("use `prometheus`")),
        ("statsD", Foreign::Refused("use `prometheus`")),
        ("influxDB2", Foreign::Refused("use `prometheus`")),
    ],
};

const PROMETHEUS: Shape = Shape {
    keys: &["entryPoint"],
    foreign: &[
        ("addEntryPointsLabels", Foreign::Ignored("entry points are always counted")),
        ("addRoutersLabels", Foreign::Ignored("routers are always counted")),
        ("addServicesLabels", Foreign::Ignored("services are always counted")),
        ("buckets", Foreign::Ignored("the buckets are fixed")),
        ("headerLabels", Foreign::Refused("a client could make labels without end")),
        ("manualRouting", Foreign::Refused("`/metrics` is answered before every router")),
    ],
};

pub struct Observed {
    pub access_log: Option<AccessLog>,
    pub ping: Option<String>,
    pub metrics: Option<String>,
    pub log: Log,
}

pub fn read(root: &Section<'_>, entry_points: &[EntryPoint]) -> Observed {
    let access_log = root.section("accessLog", &ACCESS_LOG).map(|section| AccessLog {
        file: section.text("filePath").map(|path| PathBuf::from(path.value)),
        json: is_json(&section),
    });
    let ping = root.section("ping", &PING).and_then(|section| {
        let first = entry_points.first().map(|entry_point| entry_point.name.clone());
        if section.key_place("entryPoint").is_some() { named(&section, entry_points) } else { first }
    });
    let metrics = root.section("metrics", &METRICS).and_then(|metrics| {
        let section = metrics.section("prometheus", &PROMETHEUS)?;
        if section.key_place("entryPoint").is_none() {
            let message = "`metrics.prometheus` has no `entryPoint`";
            section.problem(section.place, message, Some("name one that the public does not reach".into()));
        }
        named(&section, entry_points)
    });
    Observed { access_log, ping, metrics, log: log(root) }
}

fn named(section: &Section<'_>, entry_points: &[EntryPoint]) -> Option<String> {
    let name = section.text("entryPoint")?;
    let names: Vec<&str> = entry_points.iter().map(|entry_point| entry_point.name.as_str()).collect();
    if !names.contains(&name.value) {
        let help = suggestion(name.value, &names);
        section.problem(name.place, format!("there is no entry point `{}`", name.value), help);
    }
    Some(name.value.to_owned())
}

fn is_json(section: &Section<'_>) -> bool {
    let format = section.parsed("format", |text| match text.to_ascii_lowercase().as_str() {
        "json" => Ok(true),
        "common" | "genericclf" => Ok(false),
        _ => Err("`format` is `json` or `common`"),
    });
    format.is_some_and(|format| format.value)
}

fn log(root: &Section<'_>) -> Log {
    let section = root.section("log", &LOG);
    let level = section.as_ref().and_then(|section| {
        section.parsed("level", |text| {
            let level = text.to_ascii_lowercase();
            match level.as_str() {
                "trace" | "debug" | "info" | "warn" | "error" => Ok(level),
                "fatal" | "panic" => Ok("error".to_owned()),
                _ => Err("`level` is `trace`, `debug`, `info`, `warn` or `error`"),
            }
        })
    });
    Log {
        level: level.map_or_else(|| "info".to_owned(), |level| level.value),
        json: section.as_ref().is_some_and(is_json),
    }
}
