//! What is promised before every provider; its clock is the real one, so the tests start at its time.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use mintgate::base::clock::{Clock, SystemClock, Timestamp};
use mintgate::base::secret::{ExposeSecret, SecretString};
use mintgate::oauth::app::{App, Vendor};
use mintgate::oauth::callback::Callback;
use mintgate::oauth::discovery::discover;
use mintgate::oauth::flow::{Exchange, Outcome, Parked, Pending, Start, Wanted};
use mintgate::oauth::grant::{Grant, GrantError, redeem, refresh};
use mintgate::oauth::granted::can_read;
use mintgate::oauth::http::get_json;
use mintgate::oauth::id_token::{self, Expected, IdTokenError};
use mintgate::oauth::provider::Endpoints;
use mintgate::oauth::revoke::revoke;
use mintgate::oauth::source::{Resource, TokenError, TokenSource};
use mintgate::store::{MailboxRow, MailboxState, StoreAt};
use mintgate::token::keeper::{Connection, Ended};
use mintgate::web::call::HttpCall;

use crate::console::wizard::leave_by_the_wizard;
use crate::support::installation::{CALLBACK_URL, Installation, client_of, mailbox, url};
use crate::support::provider::{ACCOUNT, Provider};
use crate::support::sign_in::{Browser, Page, path_of, query_of};

const HOUR: Duration = Duration::from_secs(3600);
const SESSION: [u8; 32] = [7; 32];

pub async fn an_admin_connects_the_mailbox(provider: &dyn Provider) {
    let installation = Installation::start().await.before_another_provider(provider.app());
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let authorize = match provider.app().vendor() {
        Vendor::Microsoft => browser.leave().await,
        Vendor::Google => leave_by_the_wizard(&browser, ACCOUNT, "google").await,
    };
    let back = provider.sign_in(&*installation.http, &authorize).await;
    let parked = browser.get(&path_of(&back)).await;
    assert!(parked.text().contains(provider.app().vendor().name()), "{}", parked.text());
    let end = browser.get(&parked.onward().expect("a way on")).await;
    assert!(end.location().starts_with("/admin/exchange"), "{}", end.text());
    let rows = installation.store.mailboxes().await.expect("listed");
    let [row] = rows.as_slice() else { panic!("one row: {rows:?}") };
    assert_eq!((row.address.as_str(), row.state), (ACCOUNT, MailboxState::Connected));
}

pub async fn a_code_needs_its_own_verifier(provider: &dyn Provider) {
    let answered = Answered::by(provider).await;
    let (other, redirect_uri) = (SecretString::from("w".repeat(43)), url(CALLBACK_URL));
    let Answered { http, app, endpoints, now, .. } = &answered;
    let code = &answered.code;
    let refused = redeem(http, app, &endpoints.token, code, &other, &redirect_uri, *now).await;
    assert_invalid_grant(refused);
}

pub async fn a_code_is_good_for_one_token(provider: &dyn Provider) {
    let answered = Answered::by(provider).await;
    let grant = answered.redeem().await.expect("a grant");
    let scopes = &grant.access.scopes;
    assert!(can_read(resource(&answered.app), scopes) && grant.refresh.is_some(), "{scopes:?}");
    assert_invalid_grant(answered.redeem().await);
}

pub async fn the_id_token_speaks_for_this_sign_in_alone(provider: &dyn Provider) {
    let answered = Answered::by(provider).await;
    let token = answered.redeem().await.expect("a grant").id_token.expect("an id_token");
    let keys = answered.keys().await;
    let (nonce, other) = (answered.exchange().nonce, SecretString::from("another"));
    let issuer = answered.endpoints.issuer.as_str();
    let check = |client_id: &str, nonce: &SecretString, now| {
        id_token::check(&token, &keys, &Expected { issuer, client_id, nonce }, now).err()
    };
    let (ours, now) = (answered.app.client_id(), answered.now);
    assert_eq!(check(ours, &nonce, now), None);
    assert_eq!(check(ours, &other, now), Some(IdTokenError::Nonce));
    assert_eq!(check("another-app", &nonce, now), Some(IdTokenError::Audience));
    assert_eq!(check(ours, &nonce, now + 24 * HOUR), Some(IdTokenError::Time));
}

pub async fn a_forged_id_token_is_refused(provider: &dyn Provider) {
    let answered = Answered::by(provider).await;
    let token = answered.redeem().await.expect("a grant").id_token.expect("an id_token");
    let keys = answered.keys().await;
    let nonce = answered.exchange().nonce;
    let (issuer, client_id) = (answered.endpoints.issuer.as_str(), "another-app");
    let expected = Expected { issuer, client_id, nonce: &nonce };
    let forged = with_audience(&token, client_id);
    let refused = id_token::check(&forged, &keys, &expected, answered.now);
    assert_eq!(refused.err(), Some(IdTokenError::Signature));
}

pub async fn rotation_is_followed_through_many_refreshes(provider: &dyn Provider) {
    let connected = Connected::to(provider).await;
    let mut before = connected.token().await.expect("a token");
    for _ in 0..3 {
        connected.installation.clock.advance(HOUR);
        let after = connected.token().await.expect("a token");
        assert_ne!(after, before);
        before = after;
    }
}

pub async fn a_refresh_token_that_somebody_else_used_ends_the_connection(provider: &dyn Provider) {
    let connected = Connected::to(provider).await;
    connected.use_the_refresh_token_elsewhere().await;
    connected.installation.clock.advance(HOUR);
    let refused = connected.token().await;
    assert!(matches!(refused, Err(TokenError::NeedsReconnect { .. })), "{refused:?}");
    let row = connected.installation.store.mailbox(&mailbox()).await.expect("read").expect("a row");
    assert_eq!(row.state, MailboxState::NeedsReconnect);
}

pub async fn an_id_token_without_a_published_key_is_refused(provider: &dyn Provider) {
    let end = end_of_the_wizard(provider).await;
    assert!(end.text().contains("Sign-in not accepted"), "{}", end.text());
}

pub async fn an_unticked_box_is_told_as_such(provider: &dyn Provider) {
    let end = end_of_the_wizard(provider).await;
    assert_eq!(end.status(), http::StatusCode::FORBIDDEN);
    assert!(end.text().contains("Access to mail was not allowed"), "{}", end.text());
}

/// The last page of a sign-in that connects nothing.
async fn end_of_the_wizard(provider: &dyn Provider) -> Page {
    let installation = Installation::start().await.before_another_provider(provider.app());
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let authorize = leave_by_the_wizard(&browser, ACCOUNT, "google").await;
    let back = provider.sign_in(&*installation.http, &authorize).await;
    let parked = browser.get(&path_of(&back)).await;
    let end = browser.get(&parked.onward().expect("a way on")).await;
    assert!(installation.store.mailboxes().await.expect("listed").is_empty());
    end
}

pub async fn disconnecting_ends_the_grant_at_the_provider(provider: &dyn Provider) {
    let connected = Connected::to(provider).await;
    let ended = connected.installation.keeper.disconnect(&mailbox()).await.expect("disconnected");
    assert_eq!(ended, Ended::AtTheProvider);
    assert_invalid_grant(connected.refresh_elsewhere().await);
}

pub async fn the_refresh_token_stays_when_no_new_one_comes(provider: &dyn Provider) {
    let connected = Connected::to(provider).await;
    for _ in 0..3 {
        let before = connected.token().await.expect("a token");
        connected.installation.clock.advance(HOUR);
        assert_ne!(connected.token().await.expect("a token"), before);
    }
    connected.refresh_elsewhere().await.expect("the first refresh token still works");
}

pub async fn a_grant_that_its_owner_ended_is_told_and_not_asked_for_again(provider: &dyn Provider) {
    let connected = Connected::to(provider).await;
    let Installation { http, store, clock, .. } = &connected.installation;
    let endpoints = discover(&**http, &connected.app).await.expect("endpoints");
    let url = endpoints.revoke.expect("one");
    revoke(&**http, &connected.app, &url, &connected.refresh).await.expect("revoked");
    clock.advance(HOUR);
    let refused = connected.token().await;
    let Err(TokenError::NeedsReconnect { reason, .. }) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("invalid_grant"), "{reason}");
    let row = store.mailbox(&mailbox()).await.expect("read").expect("a row");
    assert_eq!(row.state, MailboxState::NeedsReconnect);
}

/// A flow that the provider has answered with a code.
struct Answered {
    http: Arc<dyn HttpCall>,
    app: App,
    endpoints: Endpoints,
    now: Timestamp,
    code: SecretString,
    pending: Pending,
    parked: Parked,
}

impl Answered {
    async fn by(provider: &dyn Provider) -> Self {
        let (app, now) = (provider.app(), SystemClock.now());
        let http = client_of(&[app.authority()]);
        let endpoints = discover(&*http, &app).await.expect("endpoints");
        let (redirect_uri, resource) = (url(CALLBACK_URL), resource(&app));
        let start = Start { redirect_uri, wanted: Wanted::Anybody, resource, session: SESSION };
        let (pending, authorize) = start.begin(&app, endpoints.clone(), now);
        let back = provider.sign_in(&*http, &authorize).await;
        let code = SecretString::from(query_of(&back)["code"].as_str());
        let callback = Callback::parse(back.query().expect("a query")).expect("a callback");
        let parked = pending.accept(callback, now).expect("our own flow's");
        Self { http, app, endpoints, now, code, pending, parked }
    }

    /// What a completion makes of the flow; here it can be completed again and again.
    fn exchange(&self) -> Exchange {
        let pending = Pending::from_bytes(&self.pending.to_bytes()).expect("a flow");
        let parked = Parked::from_bytes(&self.parked.to_bytes()).expect("an answer");
        match pending.complete(parked, &SESSION, self.now).expect("complete") {
            Outcome::Exchange(exchange) => *exchange,
            Outcome::Refused { error, .. } => panic!("{error}"),
        }
    }

    async fn redeem(&self) -> Result<Grant, GrantError> {
        self.exchange().redeem(&self.http, &self.app, self.now).await
    }

    async fn keys(&self) -> JwkSet {
        get_json(&*self.http, &self.endpoints.keys, None).await.expect("keys")
    }
}

/// An installation whose keeper has the tokens of a sign-in.
pub struct Connected {
    pub installation: Installation,
    app: App,
    resource: Resource,
    token_url: url::Url,
    refresh: SecretString,
}

impl Connected {
    async fn to(provider: &dyn Provider) -> Self {
        Self::on(None, provider).await
    }

    /// On a store of its own where no place is given.
    pub async fn on(place: Option<&StoreAt>, provider: &dyn Provider) -> Self {
        let installation = match place {
            Some(place) => Installation::start_on(place).await,
            None => Installation::start().await,
        };
        let installation = installation.before_another_provider(provider.app());
        let answered = Answered::by(provider).await;
        let grant = answered.redeem().await.expect("a grant");
        let refresh = grant.refresh.clone().expect("a refresh token");
        let token_url = answered.endpoints.token.clone();
        let connection = Connection {
            vendor: answered.app.vendor(),
            client_id: answered.app.client_id().to_owned(),
            token_url: token_url.clone(),
            revoke_url: answered.endpoints.revoke.clone(),
            refresh: refresh.clone(),
            grant,
        };
        let resource = resource(&answered.app);
        let connected = installation.keeper.connect(&row(resource, answered.now), connection).await;
        connected.expect("connected");
        Self { installation, app: answered.app, resource, token_url, refresh }
    }

    async fn token(&self) -> Result<String, TokenError> {
        let token = self.installation.keeper.token(&mailbox(), self.resource).await?;
        Ok(token.secret.expose_secret().to_owned())
    }

    async fn refresh_elsewhere(&self) -> Result<Grant, GrantError> {
        let (http, now) = (&self.installation.http, self.installation.now());
        refresh(http, &self.app, &self.token_url, &self.refresh, &[], now).await
    }

    async fn use_the_refresh_token_elsewhere(&self) {
        let grant = self.refresh_elsewhere().await.expect("a grant");
        let rotated = grant.refresh.expect("a refresh token");
        assert_ne!(rotated.expose_secret(), self.refresh.expose_secret());
    }
}

/// What the provider's mailboxes are opened by.
fn resource(app: &App) -> Resource {
    match app.vendor() {
        Vendor::Microsoft => Resource::Graph,
        Vendor::Google => Resource::Mail,
    }
}

fn row(resource: Resource, now: Timestamp) -> MailboxRow {
    MailboxRow {
        id: mailbox(),
        kind: if resource == Resource::Graph { "microsoft-graph" } else { "imap" }.to_owned(),
        address: ACCOUNT.to_owned(),
        state: MailboxState::Connected,
        scopes: String::new(),
        connected_at: now,
        accept_since: now,
        last_poll_at: None,
        last_mail_at: None,
        last_error: None,
        failing_since: None,
        settings: String::new(),
    }
}

fn assert_invalid_grant(answer: Result<Grant, GrantError>) {
    match answer {
        Err(GrantError::Refused(refusal)) => assert_eq!(refusal.error, "invalid_grant"),
        other => panic!("{other:?}"),
    }
}

/// The token with another audience under the old signature.
fn with_audience(token: &SecretString, audience: &str) -> SecretString {
    let mut parts: Vec<String> = token.expose_secret().split('.').map(str::to_owned).collect();
    let claims = URL_SAFE_NO_PAD.decode(&parts[1]).expect("base64url");
    let mut claims: serde_json::Value = serde_json::from_slice(&claims).expect("claims");
    claims["aud"] = audience.into();
    parts[1] = URL_SAFE_NO_PAD.encode(claims.to_string());
    parts.join(".").into()
}
