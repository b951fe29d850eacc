//! Whose mailbox the granted token opens.

use serde::Deserialize;

use crate::base::secret::SecretString;
use crate::oauth::http::{EndpointError, get_json};
use crate::oauth::provider::MicrosoftApp;
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
}

/// Asks Graph who the token's owner is (`GET /v1.0/me`).
pub async fn account(
    http: &dyn HttpCall,
    app: &MicrosoftApp,
    token: &SecretString,
) -> Result<Account, EndpointError> {
    let me: Me = get_json(http, &app.me_url(), Some(token)).await?;
    let filled = |text: Option<String>| text.filter(|text| text.contains('@'));
    let sign_in_name = filled(me.user_principal_name);
    let address = filled(me.mail).or_else(|| sign_in_name.clone());
    let address = address.ok_or(EndpointError::Incomplete { what: "an address of the account" })?;
    Ok(Account { address, sign_in_name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_known_by_either_address_and_by_no_other() {
        let account =
            Account { address: "tickets@example.com".into(), sign_in_name: Some("t@corp.example".into()) };
        assert!(account.is("Tickets@Example.com"));
        assert!(account.is("t@corp.example"));
        assert!(!account.is("boss@example.com"));
    }
}
