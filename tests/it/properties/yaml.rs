//! Configuration files of any text: read, or refused with the place; never an end of the program.

use mintgate::base::report::Report;
use mintgate::config::StartUp;
use mintgate::config::environment::Environment;
use mintgate::middleware::registry::MiddlewareSpec;
use proptest::prelude::*;

use super::{cases, runner};

const GOOD: &str = "\
entryPoints:
  web:
    address: \":8080\"
    http: { tls: {} }
    forwardedHeaders: { trustedIPs: [10.0.0.0/8] }
desk:
  url: \"http://127.0.0.1:3000\"
  locales: [en, de]
mail: { enabled: true, pollInterval: 5m }
log: { level: info }
";

/// What stands in place of a part of a good file.
fn odd() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "", ":", "- ", "{", "}", "[", "]", "&a", "*a", "!!binary", "|", ">", "\t", "\"", "'", "#", "---",
        "...", "? ", "<<: ", "null", "yes", "0x10", "1e999", "é", "\u{0}", "\n", "%", "@",
    ]);
    odd.prop_map(str::to_owned)
}

#[test]
fn a_broken_file_is_read_or_refused_with_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mintgate.yml");
    let environment: Environment = std::iter::empty::<(&str, &str)>().collect();
    let given = (any::<prop::sample::Index>(), 0_usize..6, odd());
    let checked = runner(1_000).run(&given, |(at, length, odd)| {
        let at = at.index(GOOD.len());
        let end = GOOD.len().min(at + length);
        std::fs::write(&path, format!("{}{odd}{}", &GOOD[..at], &GOOD[end..])).expect("written");
        if let Err(problems) = StartUp::load(Some(&path), &environment) {
            prop_assert!(problems.to_string().contains("mintgate.yml"), "{}", problems);
        }
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn no_text_stops_the_reading_of_a_middleware() {
    let pieces = [
        "plugin",
        "adminOnly",
        "sessionShield",
        "ipAllowList",
        "sourceRange",
        "headers",
        ":",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\n",
        "  ",
        "- ",
        "10.0.0.0/8",
        "*a",
        "&a ",
        "|",
        "\"",
        "x",
        "true",
        "~",
    ];
    let iterations = cases(5_000) as usize;
    bolero::check!().with_iterations(iterations).with_type::<Vec<u8>>().for_each(|bytes: &Vec<u8>| {
        let made: String = bytes.iter().map(|byte| pieces[usize::from(*byte) % pieces.len()]).collect();
        for text in [String::from_utf8_lossy(bytes).into_owned(), made] {
            if let Err(error) = serde_yaml::from_str::<MiddlewareSpec>(&text) {
                assert!(!Report(&error).to_string().is_empty());
            }
        }
    });
}
