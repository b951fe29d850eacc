//! `mintgate mail explain`: what it prints, and how it ends.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::program::MINTGATE;

const MAIL: &str = "From: Ada <ada@customer.example>\r\nTo: support@desk.example\r\nSubject: Re: Printer\r\n\
    Message-ID: <2@customer.example>\r\nReferences: <1@desk.example>\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain\r\n\r\nIt smokes.\r\n\r\nOn 1/4/26 10:00, Support wrote:\r\n> Does it smoke?\r\n\
    --b\r\nContent-Type: image/png; name=a.png\r\nContent-ID: <p1@x>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n--b--\r\n";

fn explain(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(MINTGATE);
    command.args(["mail", "explain"]).args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command.output().expect("it starts")
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn a_mail_is_explained_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.eml"), MAIL).expect("written");

    let output = explain(&["a.eml", "--json"], folder.path());

    let wanted = json!({
        "file": "a.eml",
        "from": "ada@customer.example",
        "from_name": "Ada",
        "reply_to": null,
        "to": ["support@desk.example"],
        "cc": [],
        "subject": "Re: Printer",
        "date": "2026-01-05T10:00:00Z",
        "message_id": "2@customer.example",
        "references": ["1@desk.example"],
        "text": "It smokes.\n\nOn 1/4/26 10:00, Support wrote:\n> Does it smoke?",
        "reply": "It smokes.",
        "attachments": [{
            "filename": "a.png",
            "mime": "image/png",
            "size": 4,
            "sha256": "0f4636c78f65d3639ece5a064b5ae753e3408614a14fb18ab4d7540d2c248543",
            "inline": true,
            "content_id": "p1@x",
        }],
        "automatic": {
            "kind": "none", "reason": null, "status": null, "recipient": null, "permanent": null, "message_id": null,
        },
        "authenticated": "none",
        "decision": {
            "action": "open",
            "reasons": ["nothing speaks against a ticket of its own"],
            "requester": "ada@customer.example",
        },
    });
    assert_eq!(lines(&output), [wanted]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_folder_is_explained_file_by_file_and_a_bad_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mails = folder.path().join("mails/below");
    std::fs::create_dir_all(&mails).expect("made");
    std::fs::write(mails.join("b.eml"), MAIL).expect("written");
    std::fs::write(folder.path().join("mails/a.eml"), b"").expect("written");

    let output = explain(&["mails", "none.eml", "--json"], folder.path());

    let lines = lines(&output);
    let files: Vec<&str> = lines.iter().map(|line| line["file"].as_str().expect("a name")).collect();
    assert_eq!(files, ["mails/a.eml", "mails/below/b.eml", "none.eml"]);
    assert!(lines[0]["error"].as_str().expect("an error").contains("not a mail"), "{}", lines[0]);
    assert!(lines[2]["error"].as_str().expect("an error").contains("cannot be read"), "{}", lines[2]);
    assert_eq!(lines[1]["error"], Value::Null);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn standard_input_is_read_and_told_as_a_page() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.eml"), MAIL).expect("written");
    let input = std::fs::File::open(folder.path().join("a.eml")).expect("open");

    let output =
        Command::new(MINTGATE).args(["mail", "explain", "-"]).stdin(input).output().expect("it starts");

    let page = String::from_utf8(output.stdout).expect("text");
    for part in ["Ada <ada@customer.example>", "a.png (image/png, 4 bytes, inline)", "    It smokes."] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn without_a_file_the_command_line_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(explain(&["--json"], folder.path()).status.code(), Some(2));
}
