//! OAuth 2.0 as values: the flow's states, the providers as rows, the `id_token` check, and the trait
//! by which everybody gets a valid access token. Calls go through [`crate::web::call::HttpCall`].

pub mod provider;
pub mod source;
