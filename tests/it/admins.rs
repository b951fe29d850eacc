//! Who is an admin, asked of the sandbox's desk over the wire.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use mintgate::base::audit::Audit;
use mintgate::base::clock::{Clock, ManualClock, SystemClock};
use mintgate::base::secret::{HashKey, SecretString};
use mintgate::desk::admin::{Admins, Standing};
use mintgate::desk::caller::Caller;
use mintgate::sandbox::desk::{self as sandbox, ADMIN, AGENT};

use crate::desk_user::{DeskUser, http_to};

struct Scene {
    server: sandbox::Desk,
    clock: Arc<ManualClock>,
    admins: Admins,
}

async fn scene() -> Scene {
    let server = sandbox::start(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let url = server.url().parse().expect("a URL");
    let admins = Admins::new(
        http_to(&server.url()),
        &url,
        clock.clone(),
        HashKey::random(),
        Audit::new(clock.clone()),
    );
    Scene { server, clock, admins }
}

impl Scene {
    /// Signed in by the browser that [`DeskUser`] is.
    async fn caller(&self, user: (&str, &str)) -> Caller {
        let user = DeskUser::sign_in(&self.server.url(), user).await;
        browser(user.token(), "127.0.0.1")
    }
}

fn browser(token: &str, address: &str) -> Caller {
    Caller {
        token: SecretString::from(token),
        user_agent: Some(HeaderValue::from_static("a browser")),
        client: address.parse::<IpAddr>().expect("an address"),
    }
}

#[tokio::test]
async fn the_desks_word_decides() {
    let scene = scene().await;
    let admin = scene.admins.recent(&scene.caller(ADMIN).await).await;
    let Standing::Admin(admin) = admin else { panic!("{admin:?}") };
    assert_eq!(Some(&admin.user_id), scene.server.user_id(ADMIN.0).as_ref());
    assert_eq!(scene.admins.recent(&scene.caller(AGENT).await).await, Standing::NotAdmin);
    assert_eq!(scene.admins.recent(&browser("rubbish", "127.0.0.1")).await, Standing::Anonymous);
    let expires_at = SystemClock.now() + Duration::from_secs(60);
    let signed_only = scene.server.token_without_session(ADMIN.0, expires_at);
    assert_eq!(scene.admins.recent(&browser(&signed_only, "127.0.0.1")).await, Standing::Anonymous);
}

#[tokio::test]
async fn asking_does_not_end_the_session_of_a_browser_that_moved() {
    let scene = scene().await;
    let elsewhere = Caller { client: IpAddr::from([203, 0, 113, 7]), ..scene.caller(ADMIN).await };
    for _ in 0..2 {
        assert!(matches!(scene.admins.fresh(&elsewhere).await, Standing::Admin(_)));
    }
    assert_eq!(scene.server.sessions(), 1);
}

#[tokio::test]
async fn who_is_no_admin_any_more_is_out_within_five_seconds() {
    let scene = scene().await;
    let caller = scene.caller(ADMIN).await;
    scene.admins.recent(&caller).await;
    scene.server.set_admin(ADMIN.0, false);
    scene.clock.advance(Duration::from_secs(5));
    assert_eq!(scene.admins.recent(&caller).await, Standing::NotAdmin);
}

#[tokio::test]
async fn who_is_no_admin_any_more_is_out_at_once_when_the_change_is_seen() {
    let scene = scene().await;
    let caller = scene.caller(ADMIN).await;
    scene.admins.recent(&caller).await;
    scene.server.set_admin(ADMIN.0, false);
    scene.admins.invalidate_all();
    assert_eq!(scene.admins.recent(&caller).await, Standing::NotAdmin);
}

#[tokio::test]
async fn a_desk_that_is_gone_is_down() {
    let scene = scene().await;
    let caller = scene.caller(ADMIN).await;
    drop(scene.server);
    assert_eq!(scene.admins.recent(&caller).await, Standing::DeskDown);
}
