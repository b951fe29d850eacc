//! The bot's sign-in, and calls made with it. It does not know what the calls are for.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Desk, DeskError};
use crate::base::clock::Timestamp;
use crate::base::secret::{ExposeSecret, SecretString};

/// The desk deletes a session whose User-Agent and address both change, so this one never changes.
const AGENT: &str = concat!("mintgate/", env!("CARGO_PKG_VERSION"), " (mail)");

/// The desk's tokens live 8 h; a new sign-in before that keeps a long call from losing its token.
const SESSION_LIFE: Duration = Duration::from_secs(7 * 3600);

/// A write is repeated after a new sign-in only this soon: whoever asked for it counts on its end.
const REPEATS_WITHIN: Duration = Duration::from_secs(10);

/// Answers that hold no list.
pub(super) const SMALL: usize = 1 << 20;

/// Who the bot is at the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotUser {
    pub id: String,
    pub name: String,
    pub email: String,
}

/// A sign-in, kept in memory only.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) token: SecretString,
    pub(super) user: BotUser,
    renew_at: Timestamp,
}

#[derive(Deserialize)]
struct LoginReply {
    token: SecretToken,
    user: LoginUser,
}

#[derive(Deserialize)]
struct LoginUser {
    id: String,
    name: Option<String>,
    email: String,
}

/// Keeps the token out of every Debug text from the moment it is read.
struct SecretToken(SecretString);

impl<'de> Deserialize<'de> for SecretToken {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        String::deserialize(reader).map(|text| Self(SecretString::from(text)))
    }
}

impl Desk {
    /// Who the bot is; signs in when that has not happened yet.
    pub async fn bot_user(&self) -> Result<BotUser, DeskError> {
        Ok(self.session().await?.user)
    }

    /// Reads `path`. A dead session shows as 401 or as 500, so both are tried once more after a new
    /// sign-in; reading twice does no harm.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        what: &'static str,
        path: &str,
        limit: usize,
    ) -> Result<T, DeskError> {
        let session = self.session().await?;
        let mut reply = self.ask(what, self.request(what, &session, path)?, limit).await?;
        if matches!(reply.0, StatusCode::UNAUTHORIZED | StatusCode::INTERNAL_SERVER_ERROR) {
            let session = self.session_after(&session).await?;
            reply = self.ask(what, self.request(what, &session, path)?, limit).await?;
        }
        parse(what, reply)
    }

    /// Writes to `path`. Repeated after a 401 only: every other failure may have been applied. A 500
    /// may also mean a dead session, so the next call signs in anew.
    pub(super) async fn write<T: DeserializeOwned>(
        &self,
        what: &'static str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<T, DeskError> {
        let session = self.session().await?;
        let began = self.clock.now();
        let mut reply =
            self.ask(what, self.request_with(what, &session, &method, path, body)?, SMALL).await?;
        if reply.0 == StatusCode::UNAUTHORIZED {
            let session = self.session_after(&session).await?;
            if self.clock.now().since(began) > REPEATS_WITHIN {
                return Err(DeskError::Refused { what, status: StatusCode::UNAUTHORIZED.as_u16() });
            }
            reply = self.ask(what, self.request_with(what, &session, &method, path, body)?, SMALL).await?;
        }
        if reply.0 == StatusCode::INTERNAL_SERVER_ERROR {
            self.forget(&session).await;
        }
        parse(what, reply)
    }

    /// The present session, or a new one.
    pub(super) async fn session(&self) -> Result<Session, DeskError> {
        let mut kept = self.session.lock().await;
        match kept.as_ref() {
            Some(session) if self.clock.now() < session.renew_at => Ok(session.clone()),
            _ => Ok(kept.insert(self.sign_in().await?).clone()),
        }
    }

    /// A session other than `dead`; of many callers with the same dead one, one signs in.
    pub(super) async fn session_after(&self, dead: &Session) -> Result<Session, DeskError> {
        self.forget(dead).await;
        self.session().await
    }

    async fn forget(&self, dead: &Session) {
        let mut kept = self.session.lock().await;
        kept.take_if(|session| session.token.expose_secret() == dead.token.expose_secret());
    }

    async fn sign_in(&self) -> Result<Session, DeskError> {
        const WHAT: &str = "sign the bot in";
        let bot = self.bot.as_ref().ok_or(DeskError::NoBot)?;
        let body = json!({"email": bot.email, "password": bot.password.expose_secret()});
        let request = Request::post(self.url(WHAT, "/api/v1/auth/login")?)
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()))
            .map_err(|_| garbled(WHAT))?;
        let reply =
            self.http.call(request, SMALL).await.map_err(|source| DeskError::SignInCall { source })?;
        if reply.status() != StatusCode::OK {
            return Err(DeskError::SignIn { status: reply.status().as_u16() });
        }
        let login: LoginReply = parse(WHAT, (reply.status(), reply.into_body()))?;
        Ok(Session {
            token: login.token.0,
            user: BotUser {
                id: login.user.id,
                name: login.user.name.unwrap_or_default(),
                email: login.user.email,
            },
            renew_at: self.clock.now() + SESSION_LIFE,
        })
    }

    /// A GET of `path` with the session's token.
    pub(super) fn request(
        &self,
        what: &'static str,
        session: &Session,
        path: &str,
    ) -> Result<Request<Bytes>, DeskError> {
        Request::get(self.url(what, path)?)
            .header(USER_AGENT, AGENT)
            .header(AUTHORIZATION, bearer(what, session)?)
            .body(Bytes::new())
            .map_err(|_| garbled(what))
    }

    fn request_with(
        &self,
        what: &'static str,
        session: &Session,
        method: &Method,
        path: &str,
        body: &Value,
    ) -> Result<Request<Bytes>, DeskError> {
        Request::builder()
            .method(method)
            .uri(self.url(what, path)?)
            .header(USER_AGENT, AGENT)
            .header(AUTHORIZATION, bearer(what, session)?)
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()))
            .map_err(|_| garbled(what))
    }

    async fn ask(
        &self,
        what: &'static str,
        request: Request<Bytes>,
        limit: usize,
    ) -> Result<(StatusCode, Bytes), DeskError> {
        let reply =
            self.http.call(request, limit).await.map_err(|source| DeskError::Call { what, source })?;
        Ok((reply.status(), reply.into_body()))
    }

    fn url(&self, what: &'static str, path: &str) -> Result<String, DeskError> {
        self.api_url.join(path).map(String::from).map_err(|_| garbled(what))
    }
}

fn bearer(what: &'static str, session: &Session) -> Result<HeaderValue, DeskError> {
    let text = format!("Bearer {}", session.token.expose_secret());
    let mut value = HeaderValue::try_from(text).map_err(|_| garbled(what))?;
    value.set_sensitive(true);
    Ok(value)
}

fn garbled(what: &'static str) -> DeskError {
    DeskError::Garbled { what, source: None }
}

fn parse<T: DeserializeOwned>(
    what: &'static str,
    (status, body): (StatusCode, Bytes),
) -> Result<T, DeskError> {
    match status {
        StatusCode::OK => {}
        // By now the token is a fresh one, so it is the bot's role.
        StatusCode::UNAUTHORIZED => return Err(DeskError::Forbidden { what }),
        other => return Err(DeskError::Refused { what, status: other.as_u16() }),
    }
    serde_json::from_slice(&body).map_err(|source| DeskError::Garbled { what, source: Some(source) })
}
