//! Who works at the desk. What they may do is not known here.

use serde::Deserialize;

use super::{Desk, DeskError};

const LIMIT: usize = 16 << 20;

/// A user of the desk; customers who sign in at its portal are none of its list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Person {
    pub id: String,
    pub email: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct PeopleReply {
    users: Vec<Person>,
}

impl Desk {
    /// Everybody who works at the desk, the bot among them.
    pub async fn people(&self) -> Result<Vec<Person>, DeskError> {
        let reply: PeopleReply = self.read("list its users", "/api/v1/users/all", LIMIT).await?;
        Ok(reply.users)
    }
}
