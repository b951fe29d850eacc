//! Mails that were put aside: what of them can be seen, and what can be done with them.

use http::StatusCode;
use mintgate::store::InboundState;

use super::quarantined;
use super::queues::{submit, waiting};
use crate::support::installation::Installation;
use crate::support::sign_in::Browser;

const QUARANTINE: &str = "/admin/exchange/quarantine";

const HOSTILE: &str = "From: \"<b>Eve\" <eve@stranger.example>\r\nSubject: <script>alert(1)</script>\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
    --m\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <h1 onclick=\"alert(2)\">Win</h1><script>alert(3)</script><img src=\"https://stranger.example/pixel.png\">\
    <form action=\"https://stranger.example\"><input name=password></form>\r\n\
    --m\r\nContent-Type: application/pdf; name=\"<i>invoice.pdf\"\r\nContent-Disposition: attachment\r\n\r\n%PDF\r\n--m--\r\n";

#[tokio::test]
async fn a_hostile_mail_is_looked_at_without_harm() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let id = quarantined(&installation, HOSTILE.as_bytes(), "the desk refuses it").await;

    let page = browser.get(&format!("{QUARANTINE}/{id}")).await;
    let text = page.text();
    assert_eq!(page.status(), StatusCode::OK, "{text}");
    for bad in ["<script>", "<b>", "<i>", "onclick=\"", "<form action=\"https"] {
        assert!(!text.contains(bad), "{bad}: {text}");
    }
    for part in ["invoice.pdf", "application/pdf", "Subject: &#60;script", "eve@stranger.example"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        text.contains(&format!("<iframe class=\"mail\" sandbox src=\"{QUARANTINE}/{id}/page\"")),
        "{text}"
    );
    assert!(!text.contains(&format!("href=\"{QUARANTINE}/{id}/page")), "only in its frame");
    assert!(page.header("content-security-policy").contains("frame-src 'self'"));

    let inner = browser.get(&format!("{QUARANTINE}/{id}/page")).await;
    let text = inner.text();
    assert!(text.contains("Win"), "{text}");
    for bad in ["script", "onclick", "stranger.example", "<form", "<input"] {
        assert!(!text.contains(bad), "{bad}: {text}");
    }
    let policy = inner.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; img-src data:") && policy.ends_with("; sandbox"),
        "{policy}"
    );
    assert_eq!(inner.header("x-frame-options"), "SAMEORIGIN");
    assert_eq!(
        (inner.header("cache-control"), inner.header("x-content-type-options")),
        ("no-store", "nosniff")
    );
}

#[tokio::test]
async fn a_mail_that_cannot_be_read_still_shows_its_first_lines() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let id = quarantined(&installation, b"\x1b[2J no header at all \xff\r\n", "no header").await;

    let text = browser.get(&format!("{QUARANTINE}/{id}")).await.text();

    assert!(text.contains("It cannot be read as a mail.") && text.contains("[2J no header at all"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains("<iframe"), "{text}");
    let page = browser.get(&format!("{QUARANTINE}/{id}/page")).await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_list_tells_each_mail_with_its_reason() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    assert!(browser.get(QUARANTINE).await.text().contains("No mail is put aside."));
    let id = quarantined(&installation, b"raw", "<b>unreadable</b>").await;

    let text = browser.get(QUARANTINE).await.text();

    assert!(text.contains(&format!("href=\"{QUARANTINE}/{id}\"")), "{text}");
    assert!(text.contains("&#60;b&#62;unreadable") && !text.contains("<b>unreadable"), "{text}");
}

#[tokio::test]
async fn dropping_asks_once_more_and_keeps_the_reason() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let id = quarantined(&installation, b"raw", "unreadable").await;
    let path = format!("{QUARANTINE}/{id}/drop");

    let asked = browser.get(&path).await.text();
    assert!(asked.contains(&format!("Drop mail {id}?")) && asked.contains("unreadable"), "{asked}");
    let row = async || installation.store.inbound(id).await.expect("read").expect("there");
    assert_eq!(row().await.state, InboundState::Quarantined, "nothing has happened yet");
    let dropped = submit(&browser, &path, &[("seen", "quarantined"), ("reason", "spam")]).await;

    assert_eq!(dropped.location(), format!("/admin/exchange/queues/in/{id}?told=dropped"));
    assert_eq!(row().await.reason.as_deref(), Some("left alone by an operator: spam"));
    assert_eq!(browser.get(&path).await.status(), StatusCode::NOT_FOUND);
    let again = submit(&browser, &path, &[("seen", "quarantined")]).await;
    assert_eq!(again.location(), format!("/admin/exchange/queues/in/{id}?told=overtaken"));
}

#[tokio::test]
async fn only_what_is_put_aside_can_be_looked_at_here() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let other = waiting(&installation, "a").await;
    for rest in [format!("{other}"), format!("{other}.eml"), format!("{other}/page"), format!("{other}/drop")]
    {
        let page = browser.get(&format!("{QUARANTINE}/{rest}")).await;
        assert_eq!(page.status(), StatusCode::NOT_FOUND, "{rest}");
    }
    let aside = quarantined(&installation, b"raw", "unreadable").await;
    let stranger = Browser::stranger(&console);
    for rest in ["", &format!("/{aside}"), &format!("/{aside}/page"), &format!("/{aside}/drop")] {
        let page = stranger.get(&format!("{QUARANTINE}{rest}")).await;
        assert_eq!(page.status(), StatusCode::FORBIDDEN, "{rest}");
    }
}
