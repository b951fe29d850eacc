//! Registrations with values in each other's place, and when their secrets end.

use mintgate::base::clock::Timestamp;

use super::{Folder, LEAST};

const GUID: &str = "11111111-2222-3333-4444-555555555555";
const SECRET: &str = "hunter8Q~0123456789012345678901234567890";

fn microsoft(client_id: &str, secret: &str, more: &str) -> String {
    format!(
        "{LEAST}microsoft:\n  clientId: {client_id}\n  clientSecret: {secret}\n  tenantId: c.example\n{more}"
    )
}

#[test]
fn values_in_each_others_place_are_refused_where_they_stand_and_not_shown() {
    let google_id = "hunter.apps.googleusercontent.com";
    for (yaml, place, sentence) in [
        (microsoft(GUID, GUID, ""), "mintgate.yml:5:3", "that is its Secret ID"),
        (microsoft("hunter2", SECRET, ""), "mintgate.yml:4:3", "the client id is no GUID"),
        (
            format!("{LEAST}google:\n  clientId: GOCSPX-hunter\n  clientSecret: b\n"),
            "mintgate.yml:4:3",
            "that is the client secret",
        ),
        (
            format!("{LEAST}google:\n  clientId: {google_id}\n  clientSecret: {google_id}\n"),
            "mintgate.yml:5:3",
            "that is the client id",
        ),
        (
            format!("{LEAST}google:\n  clientId: hunter2\n  clientSecret: b\n"),
            "mintgate.yml:4:3",
            "`.apps.googleusercontent.com`",
        ),
    ] {
        let told = Folder::new().start_up(&yaml, &[]).expect_err("refused");
        assert!(told.contains(place) && told.contains(sentence), "{told}");
        assert!(!told.contains("hunter"), "{told}");
    }
}

#[test]
fn a_variable_with_another_ones_value_is_refused_by_its_name() {
    let variables = [
        ("MICROSOFT_CLIENT_ID", GUID),
        ("MICROSOFT_CLIENT_SECRET", GUID),
        ("MICROSOFT_TENANT_ID", "c.example"),
    ];
    let told = Folder::new().start_up(LEAST, &variables).expect_err("refused");
    assert!(told.contains("environment variable MICROSOFT_CLIENT_SECRET"), "{told}");
    assert!(!told.contains("MICROSOFT_CLIENT_ID"), "{told}");
}

#[test]
fn a_secret_of_an_odd_shape_is_warned_of_and_taken() {
    let start_up = Folder::new().start_up(&microsoft(GUID, "hunter2", ""), &[]).expect("a start-up file");
    let told = start_up.warnings.join("\n");
    assert!(told.contains("does not look like Microsoft's") && !told.contains("hunter2"), "{told}");
    let start_up = Folder::new().start_up(&microsoft(GUID, SECRET, ""), &[]).expect("a start-up file");
    assert!(!start_up.warnings.iter().any(|warning| warning.contains("secret")), "{:?}", start_up.warnings);
}

#[test]
fn personal_accounts_have_a_tenant_of_their_own_and_the_other_shared_ones_are_refused() {
    let yaml = |tenant: &str| microsoft(GUID, SECRET, "").replace("c.example", tenant);
    let start_up = Folder::new().start_up(&yaml("consumers"), &[]).expect("a start-up file");
    assert_eq!(start_up.microsoft.expect("an app").tenant, "consumers");
    for shared in ["common", "organizations"] {
        let told = Folder::new().start_up(&yaml(shared), &[]).expect_err("refused");
        assert!(told.contains("mintgate.yml:6:13") && told.contains("is no tenant of yours"), "{told}");
    }
}

#[test]
fn a_secrets_last_day_is_a_date() {
    let expires = |text: &str| microsoft(GUID, SECRET, &format!("  clientSecretExpires: {text}\n"));
    let start_up = Folder::new().start_up(&expires("2027-05-01"), &[]).expect("a start-up file");
    let end = Timestamp::parse_rfc3339("2027-05-01T00:00:00Z");
    assert_eq!(start_up.microsoft.expect("an app").secret_expires, end);
    for wrong in ["2027-5-1", "01.05.2027", "2027-02-30", "\"2027-05-01T00:00:00Z\"", "soon"] {
        let told = Folder::new().start_up(&expires(wrong), &[]).expect_err("refused");
        assert!(told.contains("mintgate.yml:7:24") && told.contains("a date such as 2027-05-01"), "{told}");
    }
    let variables = [("MICROSOFT_CLIENT_SECRET_EXPIRES", "2028-01-31")];
    let start_up = Folder::new().start_up(&expires("2027-05-01"), &variables).expect("a start-up file");
    let end = Timestamp::parse_rfc3339("2028-01-31T00:00:00Z");
    assert_eq!(start_up.microsoft.expect("an app").secret_expires, end, "the variable wins");
}
