//! docs/openapi.json against the running program: schemathesis makes calls of it that fit and calls that do
//! not, and holds every answer against it.

use std::path::Path;
use std::process::{Output, Stdio};

use mintgate::sandbox::desk::ADMIN;
use serde_json::Value;
use tokio::process::Command;

use crate::story::{Pair, Story};
use crate::support::peers::python_program;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");

/// What every answer is held to. TRACE and paths that two readers could read in two ways are refused before
/// the API is asked, so schemathesis' own ideas of what has to be taken do not fit.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// Methods of all paths.
fn operations() -> usize {
    let document = std::fs::read_to_string(DOCUMENT).expect("docs/openapi.json");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    paths.values().map(|path| path.as_object().map_or(0, |methods| methods.len())).sum()
}

async fn examine(program: &Path, story: &Story, admin: &Pair) -> Output {
    let public = &story.scene.public;
    let port = public.port().expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    // Its own name service does not know names below localhost.
    let headers = [
        format!("Host: desk.localhost:{port}"),
        format!("Origin: {}", public.origin().ascii_serialization()),
        format!("Authorization: Bearer {}", admin.handle),
        format!("Cookie: {}", admin.cookie),
        "User-Agent: Test/1".to_owned(),
    ];
    let mut command = Command::new(program);
    command.args(["run", DOCUMENT, "--url", &format!("http://127.0.0.1:{port}"), "--checks", CHECKS]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--seed", "1"]);
    command.arg("--no-color");
    command.args(headers.iter().flat_map(|header| ["--header", header.as_str()]));
    command.current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
    command.output().await.expect("schemathesis runs")
}

#[tokio::test]
async fn the_document_tells_every_answer_of_the_api() {
    let Some(program) = python_program("schemathesis") else { return };
    let story = Story::begin().await;
    let _running = story.scene.start_program().await;
    let admin = story.sign_in(ADMIN).await;

    let output = examine(&program, &story, &admin).await;

    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains(&format!("Tested: {}", operations())), "{told}");
}
