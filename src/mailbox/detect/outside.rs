//! The questions that detection asks the world, as a trait; and the world itself.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use url::Url;

use crate::mailbox::detect::evidence::Place;
use crate::mailbox::detect::greeting::{Greeting, GreetingError, greet};
use crate::net::names::{MailExchanger, NamesError, Service};
use crate::net::stranger::{StrangerError, Strangers};

/// Why a question brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    #[error(transparent)]
    Names(#[from] NamesError),
    #[error(transparent)]
    Stranger(#[from] StrangerError),
    #[error(transparent)]
    Greeting(#[from] GreetingError),
    #[error("no answer within {} s", .after.as_secs())]
    Late { after: Duration },
}

/// Everything outside that detection asks.
#[async_trait]
pub trait Outside: Send + Sync {
    /// By priority.
    async fn mail_exchangers(&self, domain: &str) -> Result<Vec<MailExchanger>, OutsideError>;
    /// By priority.
    async fn services(&self, name: &str) -> Result<Vec<Service>, OutsideError>;
    async fn texts(&self, name: &str) -> Result<Vec<String>, OutsideError>;
    async fn aliases(&self, name: &str) -> Result<Vec<String>, OutsideError>;
    /// The body of a 200.
    async fn fetch(&self, url: &Url) -> Result<Bytes, OutsideError>;
    async fn greet(&self, place: &Place) -> Result<Greeting, OutsideError>;
}

#[async_trait]
impl Outside for Strangers {
    async fn mail_exchangers(&self, domain: &str) -> Result<Vec<MailExchanger>, OutsideError> {
        Ok(self.names().mail_exchangers(domain).await?)
    }

    async fn services(&self, name: &str) -> Result<Vec<Service>, OutsideError> {
        Ok(self.names().services(name).await?)
    }

    async fn texts(&self, name: &str) -> Result<Vec<String>, OutsideError> {
        Ok(self.names().texts(name).await?)
    }

    async fn aliases(&self, name: &str) -> Result<Vec<String>, OutsideError> {
        Ok(self.names().aliases(name).await?)
    }

    async fn fetch(&self, url: &Url) -> Result<Bytes, OutsideError> {
        Ok(self.fetch(url).await?)
    }

    async fn greet(&self, place: &Place) -> Result<Greeting, OutsideError> {
        Ok(greet(self, &place.host, place.port, place.protocol, place.security).await?)
    }
}
