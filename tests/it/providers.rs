//! Our OAuth against identity providers that somebody else has written: what ours and the sandbox's
//! have in common by mistake would show here. Every promise is kept before each of them.

mod google_mail;
mod processes;
mod promises;

use crate::support::emulate::Emulate;
use crate::support::oidc_provider::OidcProvider;

/// Promises as tests before a provider.
macro_rules! kept_before {
    ($name:ident: $provider:ident::$start:ident, $($promise:ident,)*) => {
        mod $name {
            $(#[tokio::test]
            async fn $promise() {
                let Some(provider) = super::$provider::$start().await else { return };
                super::promises::$promise(&provider).await;
            })*
        }
    };
}

kept_before! {
    emulate: Emulate::start,
    an_admin_connects_the_mailbox,
    a_code_needs_its_own_verifier,
    a_code_is_good_for_one_token,
    the_id_token_speaks_for_this_sign_in_alone,
    a_forged_id_token_is_refused,
    rotation_is_followed_through_many_refreshes,
    a_refresh_token_that_somebody_else_used_ends_the_connection,
}

kept_before! {
    oidc_provider: OidcProvider::start,
    an_admin_connects_the_mailbox,
    a_code_needs_its_own_verifier,
    a_code_is_good_for_one_token,
    the_id_token_speaks_for_this_sign_in_alone,
    a_forged_id_token_is_refused,
    rotation_is_followed_through_many_refreshes,
    a_refresh_token_that_somebody_else_used_ends_the_connection,
}

kept_before! {
    oidc_provider_as_google: OidcProvider::google,
    an_admin_connects_the_mailbox,
    a_code_needs_its_own_verifier,
    a_code_is_good_for_one_token,
    the_id_token_speaks_for_this_sign_in_alone,
    a_forged_id_token_is_refused,
    the_refresh_token_stays_when_no_new_one_comes,
    a_grant_that_its_owner_ended_is_told_and_not_asked_for_again,
    disconnecting_ends_the_grant_at_the_provider,
}

kept_before! {
    emulate_as_google: Emulate::google,
    a_code_needs_its_own_verifier,
    a_code_is_good_for_one_token,
    an_id_token_without_a_published_key_is_refused,
    the_refresh_token_stays_when_no_new_one_comes,
    a_grant_that_its_owner_ended_is_told_and_not_asked_for_again,
    disconnecting_ends_the_grant_at_the_provider,
}

kept_before! {
    google_without_mail: OidcProvider::google_without_mail,
    an_unticked_box_is_told_as_such,
}
