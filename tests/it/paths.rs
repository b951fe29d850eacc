//! Paths tidied as Traefik tidies them.

use mintgate::web::tidy_path::tidied;

use crate::shared::{text, traefik_cases};

#[test]
fn paths_are_sanitised_as_traefik_does() {
    for case in traefik_cases("path_sanitize").into_iter().flatten() {
        let path = text(&case, "request_path");
        assert_eq!(tidied(path).as_deref(), Ok(text(&case, "expect_path")), "{}", case["id"]);
    }
}

#[test]
fn paths_are_normalised_as_traefik_does() {
    for case in traefik_cases("path_normalize").into_iter().flatten() {
        let path = text(&case, "request_path");
        let Some(expected) = case["expect_escaped_path"].as_str() else { continue };
        assert_eq!(tidied(path).as_deref(), Ok(expected), "{}", case["id"]);
    }
}
