//! The OAuth client at Google, in the file and in the environment.

use mintgate::base::secret::ExposeSecret;
use mintgate::oauth::google::GoogleApp;

use super::{Folder, LEAST};

fn google(yaml: &str, variables: &[(&str, &str)]) -> Result<Option<GoogleApp>, String> {
    Folder::new().start_up(&format!("{LEAST}{yaml}"), variables).map(|start_up| start_up.google)
}

#[test]
fn file_and_environment_each_make_a_client_and_the_environment_wins() {
    let file = "google: {clientId: in-file.apps.googleusercontent.com, clientSecret: hunter2}\n";
    let variables =
        [("GOOGLE_CLIENT_ID", "in-variable.apps.googleusercontent.com"), ("GOOGLE_CLIENT_SECRET", "hunter3")];
    for (yaml, variables, id, secret) in [
        (file, &[][..], "in-file.apps.googleusercontent.com", "hunter2"),
        ("", &variables[..], "in-variable.apps.googleusercontent.com", "hunter3"),
        (file, &variables[..], "in-variable.apps.googleusercontent.com", "hunter3"),
    ] {
        let app = google(yaml, variables).expect("a start-up file").expect("a client");
        assert_eq!((app.client_id.as_str(), app.client_secret.expose_secret()), (id, secret));
        assert_eq!(app.authority.as_str(), "https://accounts.google.com/");
        assert!(!format!("{app:?}").contains("hunter"));
    }
}

#[test]
fn half_a_client_is_refused_with_what_is_missing() {
    for (yaml, variables, missing) in [
        ("google: {clientId: a}\n", &[][..], "GOOGLE_CLIENT_SECRET"),
        ("google: {clientSecret: a}\n", &[], "GOOGLE_CLIENT_ID"),
        ("google: {}\n", &[], "`google.clientId` and `google.clientSecretFile`"),
        ("", &[("GOOGLE_CLIENT_ID", "a")], "GOOGLE_CLIENT_SECRET"),
    ] {
        let told = google(yaml, variables).expect_err("refused");
        assert!(told.contains("at Google is not complete") && told.contains(missing), "{told}");
    }
    assert!(google("", &[]).expect("a start-up file").is_none());
}

#[test]
fn an_unknown_key_is_told_with_its_place_and_the_nearest_one() {
    let told = google("google: {clientID: a, clientSecrt: b}\n", &[]).expect_err("refused");
    assert!(told.contains("mintgate.yml:") && told.contains("clientSecret"), "{told}");
}

#[test]
fn a_client_at_google_alone_turns_mail_on() {
    let bot = [("MINTGATE_BOT_EMAIL", "bot@example.com"), ("MINTGATE_BOT_PASSWORD", "x")];
    let yaml = format!("{LEAST}google: {{clientId: a.apps.googleusercontent.com, clientSecret: b}}\n");
    let start_up = Folder::new().start_up(&yaml, &bot).expect("a start-up file");
    assert!(start_up.mail.enabled);
}
