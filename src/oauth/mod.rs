//! OAuth 2.0 as values: the flow's states, the providers as rows, the `id_token` check, and the trait
//! by which everybody gets a valid access token. Calls go through [`crate::web::call::HttpCall`].

pub mod account;
pub mod advice;
pub mod app;
pub mod callback;
pub mod consent;
pub mod discovery;
pub mod flow;
pub mod google;
pub mod grant;
pub mod granted;
pub mod http;
pub mod id_token;
pub mod locations;
pub mod provider;
pub mod refresh;
pub mod registration;
pub mod revoke;
pub mod source;
pub mod trial;
