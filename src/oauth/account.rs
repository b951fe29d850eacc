//! Whose mailbox the granted token opens.

use serde::Deserialize;

use crate::base::secret::SecretString;
use crate::oauth::app::App;
use crate::oauth::http::{EndpointError, get_json};
use crate::oauth::id_token::Claims;
use crate::oauth::provider::MicrosoftApp;
use crate::oauth::source::Resource;
use crate::web::call::HttpCall;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Me {
    mail: Option<String>,
    user_principal_name: Option<String>,
}

/// The signed-in account's addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Where its mail arrives: Graph's `mail`, or the sign-in name where that is empty.
    pub address: String,
    /// `userPrincipalName`.
    pub sign_in_name: Option<String>,
}

impl Account {
    /// Whether the account is the one that `wanted` names; letter case does not count.
    pub fn is(&self, wanted: &str) -> bool {
        let same = |address: &str| address.trim().eq_ignore_ascii_case(wanted.trim());
        same(&self.address) || self.sign_in_name.as_deref().is_some_and(same)
    }

    /// By addresses that the provider vouches for; empty ones do not count.
    fn of(address: Option<String>, sign_in_name: Option<String>) -> Result<Self, EndpointError> {
        let filled = |text: Option<String>| text.filter(|text| text.contains('@'));
        let sign_in_name = filled(sign_in_name);
        let address = filled(address).or_else(|| sign_in_name.clone());
        let address = address.ok_or(EndpointError::Incomplete { what: "an address of the account" })?;
        Ok(Self { address, sign_in_name })
    }
}

/// Who the token's owner is: Graph tells where the token is for Graph, otherwise the checked id_token.
pub async fn account(
    http: &dyn HttpCall,
    app: &App,
    resource: Resource,
    token: &SecretString,
    claims: &Claims,
) -> Result<Account, EndpointError> {
    match (app, resource) {
        (App::Microsoft(app), Resource::Graph) => ask_graph(http, app, token).await,
        // Graph cannot be asked with a token for mail servers. The app is one tenant's own, so that nobody
        // but its administrators could have written these claims; those of personal accounts Microsoft has
        // verified itself ("Optional claims": `xms_edov`). The mail server compares once more.
        (App::Microsoft(_), Resource::Mail) => {
            Account::of(claims.email.clone(), claims.preferred_username.clone())
        }
        (App::Google(_), _) => Account::of(claims.verified_email().map(str::to_owned), None),
    }
}

/// `GET /v1.0/me`.
async fn ask_graph(
    http: &dyn HttpCall,
    app: &MicrosoftApp,
    token: &SecretString,
) -> Result<Account, EndpointError> {
    let me: Me = get_json(http, &app.me_url(), Some(token)).await?;
    Account::of(me.mail, me.user_principal_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_known_by_either_address_and_by_no_other() {
        let account = Account::of(Some("tickets@example.com".into()), Some("t@corp.example".into()));
        let account = account.expect("an account");
        assert!(account.is("Tickets@Example.com"));
        assert!(account.is("t@corp.example"));
        assert!(!account.is("boss@example.com"));
    }

    #[test]
    fn a_sign_in_name_stands_in_for_an_address_and_nothing_for_both() {
        let account = Account::of(Some(String::new()), Some("t@corp.example".into())).expect("an account");
        assert_eq!(account.address, "t@corp.example");
        assert!(Account::of(None, Some("t".into())).is_err());
    }
}
