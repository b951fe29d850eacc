//! Mail servers as calls name them. Pure.
//!
//! A stored password is only ever sent to the server that it was given for, so that nobody can have it sent
//! to a server of his own.

use crate::base::secret::{ExposeSecret, SecretString};
use crate::console::wizard::read_host;
use crate::mailbox::settings::{Security, Server};

const LONGEST_NAME: usize = 255;
const LONGEST_PASSWORD: usize = 1024;

/// What of one server was sent; what was not stays as it is.
pub struct Entered<'e> {
    pub host: Option<&'e str>,
    pub port: Option<u16>,
    /// TLS from the first byte.
    pub ssl: Option<bool>,
    /// TLS before anything is said.
    pub start_tls: Option<bool>,
    pub user: Option<&'e str>,
    pub password: Option<&'e SecretString>,
}

/// The names of the fields, for what is said about them.
pub struct Fields {
    pub host: &'static str,
    pub port: &'static str,
    pub security: &'static str,
    pub user: &'static str,
    pub password: &'static str,
    /// Port and security where nobody says.
    pub usual: (u16, Security),
}

pub const IMAP: Fields = Fields {
    host: "imap_host",
    port: "imap_port",
    security: "imap_use_ssl",
    user: "imap_username",
    password: "imap_password",
    usual: (993, Security::Tls),
};

pub const SMTP: Fields = Fields {
    host: "smtp_host",
    port: "smtp_port",
    security: "smtp_use_ssl",
    user: "smtp_username",
    password: "smtp_password",
    usual: (465, Security::Tls),
};

impl Entered<'_> {
    /// Whether nothing of the server was sent; a blank password is nothing.
    pub fn is_empty(&self) -> bool {
        let flags = self.ssl.is_none() && self.start_tls.is_none();
        self.host.is_none()
            && self.port.is_none()
            && flags
            && self.user.is_none()
            && self.new_password().is_none()
    }

    /// The password, if one was typed.
    pub fn new_password(&self) -> Option<&SecretString> {
        self.password.filter(|password| !password.expose_secret().is_empty())
    }

    /// `stored` with what was sent, for the mailbox of `address`; otherwise a sentence that names the field.
    pub fn over(&self, stored: Option<&Server>, address: &str, fields: &Fields) -> Result<Server, String> {
        let kept = stored.map(|server| server.host.as_str());
        let host = self.host.or(kept).ok_or(format!("`{}` is missing.", fields.host))?;
        let host = read_host(host)
            .ok_or(format!("`{}` has to be the name or the address of a mail server.", fields.host))?;
        let (usual_port, usual_security) = fields.usual;
        let port = self.port.or(stored.map(|server| server.port)).unwrap_or(usual_port);
        if port == 0 {
            return Err(format!("`{}` has to be a port from 1 to 65535.", fields.port));
        }
        let user = self.user.map(str::trim).or(stored.map(|server| server.user.as_str())).unwrap_or(address);
        if user.is_empty() || user.len() > LONGEST_NAME || user.contains(char::is_control) {
            return Err(format!("`{}` has to be one line of 1 to {LONGEST_NAME} bytes.", fields.user));
        }
        if self.password.is_some_and(|password| password.expose_secret().len() > LONGEST_PASSWORD) {
            return Err(format!("`{}` is longer than {LONGEST_PASSWORD} bytes.", fields.password));
        }
        let security = match stored {
            Some(server) => server.security,
            None if [143, 587].contains(&port) => Security::StartTls,
            None => usual_security,
        };
        Ok(Server::new(host, port, self.security(security, fields)?, user))
    }

    fn security(&self, otherwise: Security, fields: &Fields) -> Result<Security, String> {
        match (self.ssl, self.start_tls) {
            (Some(true), Some(true)) => {
                Err(format!("`{}` and `smtp_use_tls` cannot both be true.", fields.security))
            }
            (Some(false), Some(false)) => Err("A mail server is never spoken to without TLS.".to_owned()),
            (Some(true), _) | (None, Some(false)) => Ok(Security::Tls),
            (_, Some(true)) | (Some(false), None) => Ok(Security::StartTls),
            (None, None) => Ok(otherwise),
        }
    }
}

/// Whether a password that was given for `stored` may be sent to `wanted`.
pub fn is_same_server(stored: Option<&Server>, wanted: &Server) -> bool {
    stored.is_some_and(|stored| {
        stored.host.eq_ignore_ascii_case(&wanted.host)
            && stored.port == wanted.port
            && stored.security == wanted.security
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Entered<'_> =
        Entered { host: None, port: None, ssl: None, start_tls: None, user: None, password: None };

    fn stored() -> Server {
        Server::new("mail.desk.example", 587, Security::StartTls, "help")
    }

    #[test]
    fn what_was_not_sent_stays() {
        let kept = NOTHING.over(Some(&stored()), "help@desk.example", &SMTP).expect("a server");
        assert_eq!(kept, stored());
        let moved = Entered { host: Some(" Other.example"), ..NOTHING };
        let moved = moved.over(Some(&stored()), "help@desk.example", &SMTP).expect("a server");
        assert_eq!(moved, Server { host: "other.example".to_owned(), ..stored() });
    }

    #[test]
    fn a_new_server_has_the_usual_port_security_and_name() {
        let host = Entered { host: Some("h.example"), ..NOTHING };
        let made =
            |entered: &Entered<'_>, fields| entered.over(None, "a@h.example", fields).expect("a server");
        assert_eq!(made(&host, &IMAP), Server::new("h.example", 993, Security::Tls, "a@h.example"));
        let port = Entered { port: Some(587), ..host };
        assert_eq!(made(&port, &SMTP), Server::new("h.example", 587, Security::StartTls, "a@h.example"));
    }

    #[test]
    fn tls_is_said_in_either_way_and_cannot_be_switched_off() {
        for (ssl, start_tls, security) in [
            (Some(true), None, Some(Security::Tls)),
            (Some(true), Some(false), Some(Security::Tls)),
            (None, Some(false), Some(Security::Tls)),
            (Some(false), None, Some(Security::StartTls)),
            (Some(false), Some(true), Some(Security::StartTls)),
            (None, None, Some(Security::StartTls)),
            (Some(true), Some(true), None),
            (Some(false), Some(false), None),
        ] {
            let entered = Entered { ssl, start_tls, ..NOTHING };
            let server = entered.over(Some(&stored()), "a@b.example", &SMTP);
            assert_eq!(server.ok().map(|server| server.security), security, "{ssl:?} {start_tls:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_named_by_its_field() {
        let long = "a".repeat(256);
        let secret = SecretString::from("a".repeat(1025));
        for (entered, field) in [
            (Entered { host: Some("a b"), ..NOTHING }, "smtp_host"),
            (Entered { host: Some("h.example/x"), ..NOTHING }, "smtp_host"),
            (Entered { port: Some(0), ..NOTHING }, "smtp_port"),
            (Entered { user: Some("a\r\nRCPT"), ..NOTHING }, "smtp_username"),
            (Entered { user: Some(&long), ..NOTHING }, "smtp_username"),
            (Entered { password: Some(&secret), ..NOTHING }, "smtp_password"),
        ] {
            let refused = entered.over(Some(&stored()), "a@b.example", &SMTP).expect_err(field);
            assert!(refused.starts_with(&format!("`{field}`")), "{refused}");
        }
    }

    #[test]
    fn a_stored_password_belongs_to_its_server_alone() {
        assert!(is_same_server(Some(&stored()), &Server { user: "other".to_owned(), ..stored() }));
        for other in [
            Server { host: "evil.example".to_owned(), ..stored() },
            Server { port: 465, ..stored() },
            Server { security: Security::Tls, ..stored() },
        ] {
            assert!(!is_same_server(Some(&stored()), &other), "{other:?}");
        }
        assert!(!is_same_server(None, &stored()));
    }
}
