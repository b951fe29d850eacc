//! The authorization endpoint: the account picker, and the way back to the app.

use http::StatusCode;

use crate::base::clock::Timestamp;
use crate::web::answer::Answer;

use super::pages;
use super::problem::{Problem, Trace};
use super::scope::Scopes;
use super::world::{CODE_LIFETIME, Code, World};
use crate::sandbox::call::{Call, first, redirect};

/// Why a request is not shown the account picker.
enum Refused {
    /// The app or its address is not known: nothing is sent anywhere.
    Here(Problem),
    /// The app is told.
    Back(Box<Ask>, Problem),
}

/// An authorization request that names our app and one of its addresses.
struct Ask {
    redirect_uri: String,
    state: Option<String>,
    nonce: Option<String>,
    challenge: Option<String>,
    login_hint: String,
}

/// The page on which an account is chosen.
pub(super) fn show(world: &World, tenant: &str, call: &Call, now: Timestamp) -> Answer {
    let query = call.query.as_deref().unwrap_or_default();
    match read(world, tenant, &call.pairs()) {
        Ok((ask, scopes)) => pages::picker(&world.accounts, &call.path, query, &scopes, &ask.login_hint),
        Err(refused) => refused.answer(now),
    }
}

/// The form of that page: the request comes along and is read once more.
pub(super) fn decide(world: &mut World, tenant: &str, call: &Call, now: Timestamp) -> Answer {
    let form = call.form();
    let query = first(&form, "request").unwrap_or_default();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let (ask, scopes) = match read(world, tenant, &pairs) {
        Ok(read) => read,
        Err(refused) => return refused.answer(now),
    };
    if first(&form, "decision") != Some("accept") {
        let message = "User declined to consent to access the app.";
        return ask.back(&Problem::new(65_004, "access_denied", message), now);
    }
    let address = first(&form, "account").unwrap_or_default();
    let Some(account) = world.account(address) else {
        let message = "User account from identity provider 'live.com' does not exist in tenant and \
                       cannot access the application. The account needs to be added as an external user \
                       in the tenant first.";
        return Refused::Here(Problem::new(50_020, "access_denied", message)).answer(now);
    };
    if !world.settings.consent {
        return ask.back(&Problem { error: "consent_required".to_owned(), ..Problem::consent() }, now);
    }
    let code = Code {
        address: account.address.clone(),
        redirect_uri: ask.redirect_uri.clone(),
        scopes: scopes.all(),
        challenge: ask.challenge.clone(),
        nonce: ask.nonce.clone(),
        expires_at: now + CODE_LIFETIME,
        used: false,
    };
    let code = world.add_code(code);
    ask.redirect(&[("code", &code), ("session_state", &uuid::Uuid::new_v4().to_string())])
}

fn read(world: &World, tenant: &str, pairs: &[(String, String)]) -> Result<(Ask, Scopes), Refused> {
    let parameter = |name: &str| first(pairs, name);
    check_tenant(world, tenant).map_err(Refused::Here)?;
    let client_id = parameter("client_id").ok_or_else(|| Refused::Here(Problem::missing("client_id")))?;
    if client_id != world.app.client_id {
        return Err(Refused::Here(unknown_app(client_id)));
    }
    let redirect_uri = parameter("redirect_uri").unwrap_or_default();
    if !world.app.redirect_uris.iter().any(|known| known == redirect_uri) {
        let message = format!(
            "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs \
             configured for the application '{client_id}'."
        );
        return Err(Refused::Here(Problem::new(50_011, "invalid_request", message)));
    }
    let ask = Ask {
        redirect_uri: redirect_uri.to_owned(),
        state: parameter("state").map(str::to_owned),
        nonce: parameter("nonce").map(str::to_owned),
        challenge: parameter("code_challenge").map(str::to_owned),
        login_hint: parameter("login_hint").unwrap_or_default().to_owned(),
    };
    match check(&ask, pairs) {
        Ok(scopes) => Ok((ask, scopes)),
        Err(problem) => Err(Refused::Back(Box::new(ask), problem)),
    }
}

fn check(ask: &Ask, pairs: &[(String, String)]) -> Result<Scopes, Problem> {
    let parameter = |name: &str| first(pairs, name);
    if parameter("response_type") != Some("code") {
        return Err(Problem::new(
            700_051,
            "unsupported_response_type",
            "Only response_type 'code' is enabled.",
        ));
    }
    if !matches!(parameter("response_mode"), None | Some("query")) {
        return Err(Problem::new(
            9_002_017,
            "invalid_request",
            "Only response_mode 'query' is supported here.",
        ));
    }
    if ask.challenge.is_some() && parameter("code_challenge_method") != Some("S256") {
        return Err(Problem::new(50_147, "invalid_request", "The code_challenge_method must be S256."));
    }
    if parameter("prompt") == Some("none") {
        let message = "Session information is not sufficient for single-sign-on.";
        return Err(Problem::new(50_058, "login_required", message));
    }
    let scope = parameter("scope").ok_or_else(|| Problem::missing("scope"))?;
    Scopes::parse(scope.split_whitespace())
}

/// A directory of one's own takes no other name than its id.
pub(super) fn check_tenant(world: &World, tenant: &str) -> Result<(), Problem> {
    match tenant {
        _ if tenant.eq_ignore_ascii_case(&world.app.tenant) => Ok(()),
        "common" | "organizations" | "consumers" => {
            let message = format!(
                "Application '{}' is not configured as a multi-tenant application. Usage of the /common \
                 endpoint is not supported for such apps.",
                world.app.client_id
            );
            Err(Problem::new(50_194, "invalid_request", message))
        }
        other => Err(Problem::new(90_002, "invalid_request", format!("Tenant '{other}' not found."))),
    }
}

pub(super) fn unknown_app(client_id: &str) -> Problem {
    let message = format!("Application with identifier '{client_id}' was not found in the directory 'Demo'.");
    Problem::new(700_016, "unauthorized_client", message)
}

impl Refused {
    fn answer(self, now: Timestamp) -> Answer {
        match self {
            Self::Here(problem) => pages::problem(&problem, now),
            Self::Back(ask, problem) => ask.back(&problem, now),
        }
    }
}

impl Ask {
    fn back(&self, problem: &Problem, now: Timestamp) -> Answer {
        let description = problem.description(&Trace::new(), now);
        let mut pairs = vec![("error", problem.error.as_str()), ("error_description", &description)];
        if problem.number == 65_004 {
            pairs.push(("error_subcode", "cancel"));
        }
        self.redirect(&pairs)
    }

    /// A redirect after a form was posted. Microsoft sends no `iss` (RFC 9207).
    fn redirect(&self, pairs: &[(&str, &str)]) -> Answer {
        let state = self.state.as_deref().map(|state| ("state", state));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.iter().copied().chain(state));
        let joint = if self.redirect_uri.contains('?') { '&' } else { '?' };
        redirect(StatusCode::FOUND, &format!("{}{joint}{}", self.redirect_uri, query.finish()))
    }
}
