//! Several mailboxes beside each other, shared ones among them.

use http::StatusCode;
use mintgate::base::secret::SecretString;
use mintgate::mailbox::settings::MailboxSettings;
use mintgate::oauth::source::Purpose;
use mintgate::token::password::Passwords;
use url::Url;

use super::wizard::{draft, leads_to, submit};
use super::{button, row, rows};
use crate::support::installation::{Installation, MAILBOX, OTHER_MAILBOX, mailbox};
use crate::support::sign_in::{Browser, query_of};

/// The provider's page that the wizard leads to for `address`.
async fn leave_by_the_wizard(browser: &Browser<'_>, address: &str, fields: &[(&str, &str)]) -> Url {
    let sign_in = draft(browser, address).await;
    let connect = leads_to(&submit(browser, &sign_in, &sign_in, &[("way", "microsoft")]).await);
    let leave = submit(browser, &connect, &connect, fields).await;
    leave.onward().expect("a way on").parse().expect("a URL")
}

#[tokio::test]
async fn two_accounts_are_two_mailboxes_and_end_one_by_one() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    browser.connect(&*installation.http, OTHER_MAILBOX).await;
    let both = rows(&installation).await;
    assert_eq!(both.len(), 2);
    let overview = browser.get("/admin/exchange").await.text();
    for row in &both {
        assert!(overview.contains(&format!("/mailboxes/{}/disconnect", row.id)), "{overview}");
        assert!(overview.contains(&format!("<strong>{}</strong>", row.address)), "{overview}");
    }

    browser.press(&button(&installation, "disconnect").await).await;

    assert_eq!(rows(&installation).await, both[1..]);
    let names = installation.store.sealed_names().await.expect("names");
    assert_eq!(names, ["install/secret", &format!("mailbox/{}/tokens", both[1].id)]);
}

#[tokio::test]
async fn two_sign_ins_of_one_address_at_once_make_one_mailbox() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let mut ways = Vec::new();
    for _ in 0..2 {
        let parked = browser.sign_in(&*installation.http, MAILBOX).await;
        ways.push(parked.onward().expect("a way on"));
    }
    let (one, two) = tokio::join!(browser.get(&ways[0]), browser.get(&ways[1]));
    assert_eq!([one.status(), two.status()], [StatusCode::SEE_OTHER; 2]);
    assert_eq!(rows(&installation).await.len(), 1);
}

#[tokio::test]
async fn what_names_no_mailbox_is_not_found() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for id in ["0123456789abcdef", "NO%20ID", "m1'--"] {
        for action in ["connect", "test", "disconnect"] {
            let page = browser.press(&format!("/admin/exchange/mailboxes/{id}/{action}")).await;
            assert_eq!(page.status(), StatusCode::NOT_FOUND, "{id} {action}");
        }
    }
}

#[tokio::test]
async fn a_mailbox_keeps_its_id_and_loses_its_password_when_it_is_signed_in() {
    let installation = Installation::start().await;
    installation.knows("imap", MAILBOX).await;
    let passwords = Passwords::new(installation.store.clone(), installation.sealer.clone());
    let password = SecretString::from("hunter2");
    passwords.keep(&mailbox(), Purpose::Incoming, &password).await.expect("kept");
    let console = installation.console();
    let browser = Browser::admin(&console, 1);

    browser.connect(&*installation.http, MAILBOX).await;

    let row = row(&installation).await.expect("a row");
    assert_eq!((row.id, row.kind.as_str()), (mailbox(), "microsoft-graph"));
    let names = installation.store.sealed_names().await.expect("names");
    assert_eq!(names, ["install/secret", "mailbox/m365/tokens"]);
}

#[tokio::test]
async fn a_member_signs_in_for_a_shared_mailbox() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let authorize = leave_by_the_wizard(&browser, MAILBOX, &[("shared", "on")]).await;
    let scope = query_of(&authorize)["scope"].clone();
    assert!(scope.contains("Mail.ReadWrite.Shared Mail.Send.Shared"), "{scope}");

    let end = browser.finish(&*installation.http, &authorize, OTHER_MAILBOX).await;

    let test = leads_to(&browser.get(&leads_to(&end)).await);
    assert!(test.ends_with("/test"), "{test}");
    let row = row(&installation).await.expect("a row");
    assert_eq!(row.address, MAILBOX);
    assert!(MailboxSettings::parse(&row.settings).expect("settings").shared);
    let overview = browser.get("/admin/exchange").await.text();
    assert!(overview.contains("Shared mailbox") && !overview.contains("is missing"), "{overview}");
    let again = query_of(&browser.leave_by(&button(&installation, "connect").await).await);
    assert_eq!((again.get("login_hint"), &again["scope"]), (None, &scope));
}

#[tokio::test]
async fn without_the_scopes_for_shared_mailboxes_none_is_connected() {
    let installation = Installation::start().await;
    let granted = ["User.Read", "Mail.ReadWrite", "Mail.Send"].map(str::to_owned).to_vec();
    installation.sandbox.identity.change(|settings| settings.granted = Some(granted));
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let authorize = leave_by_the_wizard(&browser, MAILBOX, &[("shared", "on")]).await;
    let end = browser.finish(&*installation.http, &authorize, OTHER_MAILBOX).await;
    assert_eq!(end.status(), StatusCode::FORBIDDEN);
    assert!(rows(&installation).await.is_empty());
}

#[tokio::test]
async fn the_configured_sender_binds_the_wizard_too() {
    let installation = Installation::start().await;
    let console = installation.console_for(Some(MAILBOX));
    let browser = Browser::admin(&console, 1);
    for fields in [&[][..], &[("shared", "on")]] {
        let authorize = leave_by_the_wizard(&browser, OTHER_MAILBOX, fields).await;
        let end = browser.finish(&*installation.http, &authorize, OTHER_MAILBOX).await;
        assert_eq!(end.status(), StatusCode::FORBIDDEN, "{fields:?}");
        assert!(end.text().contains(MAILBOX), "{}", end.text());
    }
    assert!(rows(&installation).await.is_empty());
}
