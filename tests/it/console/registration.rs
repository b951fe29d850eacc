//! What pages say of the registration at the provider: values in each other's place, the wrong kind of
//! account, a secret that ends, an administrator's consent, permissions that are missing.

use std::time::Duration;

use bytes::Bytes;
use http::header::LOCATION;
use http::{Request, StatusCode};
use mintgate::console::{Console, Parts};
use mintgate::oauth::app::Apps;
use mintgate::oauth::google::GoogleApp;
use mintgate::oauth::provider::MicrosoftApp;
use url::Url;

use super::wizard::{draft, leads_to, leave_by_the_wizard, submit, tested};
use super::{assert_gone, rows};
use crate::support::installation::{CALLBACK_URL, Installation, MAILBOX, OTHER_MAILBOX, START, url};
use crate::support::sign_in::{Browser, between, path_of};

const DAY: Duration = Duration::from_secs(86_400);
const PERSONAL: &str = "helpdesk@outlook.com";

/// The connect step for `address`, in the browser's language.
async fn connect_page(browser: &Browser<'_>, address: &str, way: &str) -> (String, String) {
    let sign_in = draft(browser, address).await;
    let connect = leads_to(&submit(browser, &sign_in, &sign_in, &[("way", way)]).await);
    let page = browser.get(&connect).await.text();
    (connect, page)
}

fn console_with(installation: &Installation, apps: Apps) -> Console {
    let registrations = installation.registrations_of(apps);
    Console::new(Parts { registrations, ..installation.console_parts() })
}

#[tokio::test]
async fn a_value_in_anothers_place_is_told_before_leaving_and_not_repeated() {
    let installation = Installation::start().await;
    let microsoft = MicrosoftApp {
        client_id: "11111111-2222-3333-4444-555555555555".into(),
        client_secret: "66666666-2222-3333-4444-555555555555".into(),
        authority: url("https://login.microsoftonline.com"),
        ..installation.app.clone()
    };
    let google = GoogleApp {
        client_id: "1234".into(),
        client_secret: "5678.apps.googleusercontent.com".into(),
        authority: url("https://accounts.google.com"),
    };
    let console = console_with(&installation, Apps::new(Some(microsoft), Some(google)));
    for (language, secret, id) in [
        ("en", "that is its Secret ID", "that is the client id"),
        ("de", "das ist seine Geheimnis-ID", "das ist die Client-ID"),
    ] {
        let browser = Browser::speaking(&console, language);
        let (_, page) = connect_page(&browser, MAILBOX, "microsoft").await;
        assert!(page.contains(secret) && !page.contains("66666666"), "{page}");
        let (_, page) = connect_page(&browser, "help@gmail.com", "google").await;
        assert!(page.contains(id) && !page.contains("5678"), "{page}");
    }
}

#[tokio::test]
async fn a_personal_account_is_told_what_registration_it_needs_before_leaving() {
    let installation = Installation::start().await;
    let (configured, bare) = (installation.console(), console_with(&installation, Apps::default()));
    for (language, said) in [
        ("en", "Accounts in any organizational directory and personal Microsoft accounts"),
        ("de", "Konten in einem beliebigen Organisationsverzeichnis und persönliche Microsoft-Konten"),
    ] {
        let (_, page) = connect_page(&Browser::speaking(&bare, language), PERSONAL, "microsoft").await;
        assert!(page.contains(said), "without an app, too: {page}");
        let browser = Browser::speaking(&configured, language);
        for address in [PERSONAL, "a@hotmail.com", "a@live.com", "a@msn.com"] {
            let (_, page) = connect_page(&browser, address, "microsoft").await;
            assert!(page.contains(said) && page.contains("consumers"), "{page}");
        }
        let (_, page) = connect_page(&browser, MAILBOX, "microsoft").await;
        assert!(!page.contains("consumers"), "{page}");
    }
}

#[tokio::test]
async fn with_a_registration_for_personal_accounts_one_is_connected() {
    let mut installation = Installation::start().await;
    installation.sandbox.identity.serve_personal_accounts();
    installation.sandbox.identity.add_account(PERSONAL, "Helpdesk");
    installation.sandbox.graph.add_mailbox(PERSONAL, "Helpdesk");
    let app = MicrosoftApp { tenant: "consumers".into(), ..installation.app.clone() };
    installation.configure(Apps::new(Some(app), None));
    installation.keeper = installation.another_keeper();
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let (_, page) = connect_page(&browser, PERSONAL, "microsoft").await;
    assert!(!page.contains("personal Microsoft accounts"), "{page}");
    assert!(
        !page.contains("name=\"shared\"") && !page.contains("adminconsent"),
        "nobody shares or agrees there"
    );
    let (_, page) = connect_page(&browser, MAILBOX, "microsoft").await;
    assert!(page.contains("signs in personal Microsoft accounts only"), "{page}");

    let authorize = leave_by_the_wizard(&browser, PERSONAL, "microsoft").await;
    let end = browser.finish(&*installation.http, &authorize, PERSONAL).await;

    assert_eq!(end.status(), StatusCode::SEE_OTHER, "{}", end.text());
    assert_eq!(rows(&installation).await[0].address, PERSONAL);
}

#[tokio::test]
async fn a_client_secret_that_ends_is_told_on_every_page_and_its_day_on_the_card() {
    let mut installation = Installation::start().await;
    let console = installation.console();
    Browser::admin(&console, 1).connect(&*installation.http, MAILBOX).await;
    let untold = Browser::admin(&console, 1).get("/admin/exchange").await.text();
    assert!(!untold.contains("Client secret valid until"), "{untold}");
    for (left, alarm, german) in [
        (Some(200 * DAY), None, None),
        (Some(29 * DAY), Some("(in 29 days)"), Some("(in 29 Tagen)")),
        (None, Some("no mail can be fetched or sent"), Some("keine Mail geholt")),
    ] {
        let end = left.map_or(START, |left| START + left);
        let app = MicrosoftApp { secret_expires: Some(end), ..installation.app.clone() };
        installation.configure(Apps::new(Some(app), None));
        let console = installation.console();
        let english = Browser::admin(&console, 1);
        for path in ["/admin/exchange", "/admin/exchange/setup"] {
            let page = english.get(path).await.text();
            let told = between(&page, "role=\"alert\">", "</div>");
            assert_eq!(
                told.is_some_and(|told| alarm.is_some_and(|alarm| told.contains(alarm))),
                alarm.is_some()
            );
            let new = format!("/Credentials/appId/{}", installation.app.client_id);
            assert_eq!(page.contains(&new), alarm.is_some(), "{page}");
        }
        assert!(english.get("/admin/exchange").await.text().contains("Client secret valid until"));
        let page = Browser::speaking(&console, "de").get("/admin/exchange").await.text();
        assert!(german.is_none_or(|german| page.contains(german)), "{page}");
    }
}

/// The link for an administrator on the connect step.
fn link_of(page: &str) -> Url {
    let link = between(page, "id=\"consent\" readonly value=\"", "\"").expect("a link");
    url(&link.replace("&#38;", "&"))
}

/// Opens the link as an administrator of the tenant who agrees; where the browser is sent.
async fn agree(installation: &Installation, link: &Url) -> Url {
    let request = Request::get(link.as_str()).body(Bytes::new()).expect("a request");
    let answer = installation.http.call(request, 1 << 20).await.expect("an answer");
    let location = answer.headers().get(LOCATION).unwrap_or_else(|| panic!("{:?}", answer.body()));
    url(location.to_str().expect("text"))
}

#[tokio::test]
async fn an_administrator_elsewhere_agrees_by_a_link_and_is_thanked() {
    let installation = Installation::start().await;
    installation.sandbox.identity.change(|settings| settings.consent = false);
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let authorize = leave_by_the_wizard(&browser, MAILBOX, "microsoft").await;
    let refused = browser.finish(&*installation.http, &authorize, MAILBOX).await;
    assert!(refused.text().contains("/v2.0/adminconsent?"), "{}", refused.text());
    let (connect, page) = connect_page(&browser, OTHER_MAILBOX, "microsoft").await;
    let link = link_of(&page);
    assert!(link.as_str().contains("Mail.Send") && !link.as_str().contains("secret"), "{link}");

    let back = agree(&installation, &link).await;

    assert!(back.as_str().starts_with(CALLBACK_URL), "{back}");
    let thanks = Browser::stranger(&console).get(&path_of(&back)).await;
    assert_eq!(thanks.status(), StatusCode::OK);
    assert!(thanks.text().contains("Thank you: the permissions are granted"), "{}", thanks.text());
    let leave = submit(&browser, &connect, &connect, &[]).await;
    let authorize = url(&leave.onward().expect("a way on"));
    let end = browser.finish(&*installation.http, &authorize, OTHER_MAILBOX).await;
    assert_eq!(end.status(), StatusCode::SEE_OTHER, "{}", end.text());
}

#[tokio::test]
async fn an_administrator_who_refuses_is_told_so_and_a_foreign_link_is_unknown() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let (_, page) = connect_page(&browser, MAILBOX, "microsoft").await;
    let state =
        link_of(&page).query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    let back = |state: &str, more: &str| {
        format!("/admin/exchange/callback?admin_consent=True&tenant=t&state={state}{more}")
    };
    let declined = "&error=access_denied&error_description=AADSTS65004%3a+%3Cscript%3E";
    let refused = Browser::stranger(&console).get(&back(&state, declined)).await;
    let text = refused.text();
    assert!(text.contains("The permissions were not granted") && !text.contains("script"), "{text}");
    let german = Browser::speaking(&console, "de").get(&back(&state, declined)).await.text();
    assert!(german.contains("Die Berechtigungen wurden nicht erteilt"), "{german}");

    assert_gone(&browser.get(&back("forged", "")).await);
    let other = Installation::start().await;
    let others = other.console();
    assert_gone(&Browser::admin(&others, 1).get(&back(&state, "")).await);
}

#[tokio::test]
async fn permissions_that_are_missing_are_told_at_the_test_with_what_follows() {
    for (granted, scope, consequence) in [
        (&["User.Read", "Mail.Read", "Mail.Send"][..], "Mail.ReadWrite", "cannot be marked as processed"),
        (&["User.Read", "Mail.ReadWrite"], "Mail.Send", "Answers cannot be sent."),
    ] {
        let installation = Installation::start().await;
        let granted = granted.iter().map(|&scope| scope.to_owned()).collect();
        installation.sandbox.identity.change(|settings| settings.granted = Some(granted));
        let console = installation.console();
        let browser = Browser::admin(&console, 1);
        let authorize = leave_by_the_wizard(&browser, MAILBOX, "microsoft").await;
        let end = browser.finish(&*installation.http, &authorize, MAILBOX).await;
        let test = leads_to(&browser.get(&leads_to(&end)).await);
        for page in [browser.get(&test).await.text(), browser.get("/admin/exchange").await.text()] {
            assert!(page.contains(&format!("The permission {scope} is missing.")), "{page}");
            assert!(page.contains(consequence), "{page}");
        }
    }
}

#[tokio::test]
async fn with_all_permissions_nothing_is_said_and_with_none_where_to_add_them() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let authorize = leave_by_the_wizard(&browser, MAILBOX, "microsoft").await;
    let end = browser.finish(&*installation.http, &authorize, MAILBOX).await;
    let test = leads_to(&browser.get(&leads_to(&end)).await);
    assert!(!browser.get(&test).await.text().contains("is missing"));

    let granted = vec!["User.Read".to_owned()];
    installation.sandbox.identity.change(|settings| settings.granted = Some(granted));
    let end = browser.connect(&*installation.http, OTHER_MAILBOX).await;
    let place = format!("/CallAnAPI/appId/{}", installation.app.client_id);
    assert_eq!(end.status(), StatusCode::FORBIDDEN);
    assert!(end.text().contains("Permissions are missing") && end.text().contains(&place), "{}", end.text());
    let german = Browser::speaking(&console, "de").connect(&*installation.http, OTHER_MAILBOX).await.text();
    assert!(german.contains("Berechtigungen fehlen"), "{german}");
}

#[tokio::test]
async fn a_member_without_full_access_is_told_so_by_the_test() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let (connect, _) = connect_page(&browser, MAILBOX, "microsoft").await;
    let leave = submit(&browser, &connect, &connect, &[("shared", "on")]).await;
    let authorize = url(&leave.onward().expect("a way on"));
    let end = browser.finish(&*installation.http, &authorize, OTHER_MAILBOX).await;
    let test = leads_to(&browser.get(&leads_to(&end)).await);
    let shown = tested(&installation, &browser, &test).await;
    assert!(shown.contains("The account may not open this mailbox."), "{shown}");
    assert!(shown.contains("Full Access"), "{shown}");
}
