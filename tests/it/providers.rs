//! Our OAuth against identity providers that somebody else has written: what ours and the sandbox's
//! have in common by mistake would show here. Every promise is kept before each of them.

mod promises;

/// Each promise as a test before each provider.
macro_rules! kept_before_every_provider {
    ($($promise:ident,)*) => {
        mod emulate {
            $(#[tokio::test]
            async fn $promise() {
                let Some(provider) = crate::support::emulate::Emulate::start().await else { return };
                super::promises::$promise(&provider).await;
            })*
        }
        mod oidc_provider {
            $(#[tokio::test]
            async fn $promise() {
                let Some(provider) = crate::support::oidc_provider::OidcProvider::start().await else { return };
                super::promises::$promise(&provider).await;
            })*
        }
    };
}

kept_before_every_provider! {
    an_admin_connects_the_mailbox,
    a_code_needs_its_own_verifier,
    a_code_is_good_for_one_token,
    the_id_token_speaks_for_this_sign_in_alone,
    a_forged_id_token_is_refused,
    rotation_is_followed_through_many_refreshes,
    a_refresh_token_that_somebody_else_used_ends_the_connection,
}
