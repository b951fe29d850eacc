//! The helpdesk's API as a type. Facts: Peppermint main of September 2025, as observed.

pub mod admin;

use crate::base::secret::SecretString;

/// The desk user that opens tickets and adds comments; not an admin.
#[derive(Debug, Clone)]
pub struct Bot {
    pub email: String,
    pub password: SecretString,
}
