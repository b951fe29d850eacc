//! Questions to the name service. Judges no answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError as AskError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

/// One try; a second follows.
const PATIENCE: Duration = Duration::from_millis(900);
/// Far more than any honest name has.
const MOST_RECORDS: usize = 32;

/// Why a question brought no answer. A name that exists without such a record is an empty answer.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    #[error("the name does not exist")]
    NoSuchName,
    #[error("`{name}` is no host name")]
    Name { name: String },
    #[error("the name service does not answer")]
    Unanswered(#[source] AskError),
    #[error("the resolver cannot be set up; is /etc/resolv.conf readable?")]
    SetUp(#[source] AskError),
}

/// MX (RFC 5321, section 5.1); names in lower case without the final dot. RFC 7505's null MX has the name ``.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MailExchanger {
    pub priority: u16,
    pub host: String,
}

/// SRV (RFC 2782); the name `` means: not offered here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub host: String,
}

/// Asks the name servers of the machine, or one that is named.
#[derive(Clone)]
pub struct Names {
    resolver: TokioResolver,
}

impl Names {
    /// The servers of `/etc/resolv.conf`, and `/etc/hosts`.
    pub fn system() -> Result<Self, NamesError> {
        Self::build(TokioResolver::builder_tokio().map_err(NamesError::SetUp)?)
    }

    /// Only the server at `address`, by UDP and TCP.
    pub fn at(address: SocketAddr) -> Result<Self, NamesError> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = address.port();
            connection
        });
        let server = NameServerConfig::new(address.ip(), true, connections.to_vec());
        let config = ResolverConfig::from_name_servers(vec![server]);
        Self::build(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
    }

    fn build(
        mut builder: hickory_resolver::ResolverBuilder<TokioRuntimeProvider>,
    ) -> Result<Self, NamesError> {
        let options = builder.options_mut();
        options.timeout = PATIENCE;
        options.attempts = 2;
        Ok(Self { resolver: builder.build().map_err(NamesError::SetUp)? })
    }

    /// By priority, best first.
    pub async fn mail_exchangers(&self, domain: &str) -> Result<Vec<MailExchanger>, NamesError> {
        let mut found = self
            .ask(domain, RecordType::MX, |data| match data {
                RData::MX(mx) => Some(MailExchanger { priority: mx.preference, host: plain(&mx.exchange) }),
                _ => None,
            })
            .await?;
        found.sort_by_key(|exchanger| exchanger.priority);
        Ok(found)
    }

    /// By priority, then the heaviest first.
    pub async fn services(&self, name: &str) -> Result<Vec<Service>, NamesError> {
        let mut found = self
            .ask(name, RecordType::SRV, |data| match data {
                RData::SRV(srv) => Some(Service {
                    priority: srv.priority,
                    weight: srv.weight,
                    port: srv.port,
                    host: plain(&srv.target),
                }),
                _ => None,
            })
            .await?;
        found.sort_by_key(|service| (service.priority, std::cmp::Reverse(service.weight)));
        Ok(found)
    }

    /// TXT records, each with its pieces joined.
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, NamesError> {
        self.ask(name, RecordType::TXT, |data| match data {
            RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
            _ => None,
        })
        .await
    }

    /// What `name` is another name for.
    pub async fn aliases(&self, name: &str) -> Result<Vec<String>, NamesError> {
        self.ask(name, RecordType::CNAME, |data| match data {
            RData::CNAME(alias) => Some(plain(&alias.0)),
            _ => None,
        })
        .await
    }

    /// The addresses of `host`, or the one that it is.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NamesError> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        match self.resolver.lookup_ip(absolute(host)?).await {
            Ok(found) => Ok(found.iter().take(MOST_RECORDS).collect()),
            Err(error) => nothing(error),
        }
    }

    async fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, NamesError> {
        match self.resolver.lookup(absolute(name)?, kind).await {
            Ok(found) => Ok(found
                .answers()
                .iter()
                .filter_map(|record| read(&record.data))
                .take(MOST_RECORDS)
                .collect()),
            Err(error) => nothing(error),
        }
    }
}

/// Absolute, so that no search domain of this machine is tried.
fn absolute(name: &str) -> Result<Name, NamesError> {
    let mut absolute = Name::from_ascii(name).map_err(|_| NamesError::Name { name: name.to_owned() })?;
    absolute.set_fqdn(true);
    Ok(absolute)
}

fn nothing<T>(error: AskError) -> Result<Vec<T>, NamesError> {
    match error {
        error if error.is_nx_domain() => Err(NamesError::NoSuchName),
        error if error.is_no_records_found() => Ok(Vec::new()),
        error => Err(NamesError::Unanswered(error)),
    }
}

fn plain(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}
