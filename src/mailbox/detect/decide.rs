//! What follows from the evidence. Pure: the same evidence gives the same answer.

use crate::mailbox::detect::address::{MailAddress, is_domain};
use crate::mailbox::detect::autoconfig::{Autoconfig, Found};
use crate::mailbox::detect::evidence::{Carriage, Evidence, Exchangers, Heard, ServiceKind};
use crate::mailbox::detect::greeting::Protocol;
use crate::mailbox::detect::table::{AppPassword, Kind, Password, Row, Table, Template, UserForm};
use crate::mailbox::detect::{Confidence, Detection, ProviderName, Warning, Way};
use crate::mailbox::settings::{Provider, Server};

/// Why no password is asked for a Microsoft mailbox.
const BASIC_IS_GONE: &str = "Microsoft has switched off passwords and app passwords for mail programs; sign in with Microsoft instead";

/// The best answer that `evidence` allows. The order: the built-in table, the mail exchanger, a file by https, SRV,
/// a file by http, what greets.
pub(super) fn decide(table: &Table, address: &MailAddress, evidence: &Evidence) -> Detection {
    let mut detection = Detection::of(address);
    detection.evidence.clone_from(&evidence.steps);
    if address.is_international() {
        detection.warnings.push(Warning::InternationalName);
    }
    let mut decision = Decision { table, address, evidence, detection };
    let settled = decision.by_domain()
        || decision.by_exchanger()
        || decision.by_file(Carriage::Https)
        || decision.by_services()
        || decision.by_file(Carriage::Http)
        || decision.by_greetings();
    tracing::trace!(settled, "decided on a domain's mail servers");
    decision.finish()
}

struct Decision<'a> {
    table: &'a Table,
    address: &'a MailAddress,
    evidence: &'a Evidence,
    detection: Detection,
}

/// Each `by_…` returns whether nothing below it has to be looked at.
impl Decision<'_> {
    fn warn(&mut self, warning: Warning) {
        if !self.detection.warnings.contains(&warning) {
            self.detection.warnings.push(warning);
        }
    }

    fn by_domain(&mut self) -> bool {
        let row = self.table.by_domain(&self.address.domain);
        row.is_some_and(|row| self.conclude(row, Confidence::Exact, None))
    }

    fn by_exchanger(&mut self) -> bool {
        let exchangers = match &self.evidence.exchangers {
            Exchangers::NotAsked => return false,
            Exchangers::Unanswered => {
                self.warn(Warning::NamesUnanswered);
                return false;
            }
            Exchangers::NoSuchDomain => {
                self.warn(Warning::NoSuchDomain);
                return true;
            }
            Exchangers::Known(exchangers) => exchangers,
        };
        self.detection.exchangers.clone_from(exchangers);
        let Some(best) = exchangers.first() else { return false };
        if exchangers.len() == 1 && best.host.is_empty() {
            self.warn(Warning::TakesNoMail);
            return true;
        }
        // Only the best priority: backups are often somebody else's.
        let equals = exchangers.iter().take_while(|exchanger| exchanger.priority == best.priority);
        let known = equals.filter_map(|exchanger| self.table.by_exchanger(&exchanger.host)).next();
        match known {
            Some((row, _)) if row.kind == Kind::Gateway => self.behind(row),
            Some((row, region)) => self.conclude(row, Confidence::Mx, region.as_deref()),
            None => false,
        }
    }

    /// Behind a filter only hints are left: where Outlook would look, and who may send for the domain.
    fn behind(&mut self, gateway: &Row) -> bool {
        self.detection.gateway = Some(gateway.name.to_owned());
        self.warn(Warning::BehindGateway);
        let points = |name: &String| name == "autodiscover.outlook.com" || name.ends_with(".outlook.com");
        let microsoft = "microsoft-365";
        if self.evidence.autodiscover.iter().any(points) {
            return self.conclude_id(microsoft, Confidence::Mx);
        }
        let sends = |wanted: &str| {
            let mut policies = self.evidence.texts.iter().filter(|text| text.starts_with("v=spf1"));
            policies.any(|policy| policy.split(' ').any(|term| term.trim_start_matches('+') == wanted))
        };
        match (sends("include:spf.protection.outlook.com"), sends("include:_spf.google.com")) {
            (true, false) => self.conclude_id(microsoft, Confidence::Guess),
            (false, true) => self.conclude_id("google", Confidence::Guess),
            // Both may send, so that neither is known to keep the mailbox.
            (true, true) | (false, false) => false,
        }
    }

    fn conclude_id(&mut self, id: &str, confidence: Confidence) -> bool {
        let row = self.table.by_id(id).expect("the table has Microsoft's and Google's rows");
        self.conclude(row, confidence, None)
    }

    fn conclude(&mut self, row: &Row, confidence: Confidence, region: Option<&str>) -> bool {
        let fill = |template: &Template| fill(template, self.address, region);
        self.detection.incoming = row.incoming.as_ref().map(fill);
        self.detection.outgoing = row.outgoing.as_ref().map(fill);
        self.detection.user_form = row.incoming.as_ref().map(|template| template.user);
        self.detection.confidence = confidence;
        self.offer(row);
        match row.kind {
            Kind::Mailbox | Kind::Gateway => {}
            Kind::NoMailbox => self.warn(Warning::NoMailbox),
            Kind::PopOnly => self.warn(Warning::PopOnly),
            Kind::Unencrypted => self.warn(Warning::Unencrypted),
        }
        true
    }

    /// The provider's name and its ways to sign in.
    fn offer(&mut self, row: &Row) {
        self.detection.provider = Some(ProviderName { id: row.id.to_owned(), name: row.name.to_owned() });
        self.detection.sign_in.clear();
        if row.oauth != Provider::Other {
            self.detection.sign_in.push(Way::OAuth { vendor: row.oauth });
        }
        match row.password {
            Password::Taken(app_password) => self.detection.sign_in.push(Way::Password {
                app_password,
                note: row.note.map(str::to_owned),
                help_url: row.help.map(str::to_owned),
            }),
            Password::Gone => self.detection.password_refused = Some(BASIC_IS_GONE),
            Password::NotAsked => {}
        }
        match row.id {
            "outlook.com" => self.warn(Warning::PersonalAccount),
            "proton" => self.warn(Warning::Bridge),
            _ => {}
        }
    }

    fn by_file(&mut self, carriage: Carriage) -> bool {
        let files = self.evidence.files.iter().filter(|(came, _)| *came == carriage);
        let useful =
            files.filter_map(|(_, file)| file.incoming.as_ref().map(|incoming| (file, incoming))).next();
        let Some((file, incoming)) = useful else { return false };
        let confidence = match carriage {
            Carriage::Https => Confidence::Autoconfig,
            Carriage::Http => {
                self.warn(Warning::Unauthenticated);
                Confidence::Guess
            }
        };
        self.take(incoming, file, confidence);
        true
    }

    fn take(&mut self, incoming: &Found, file: &Autoconfig, confidence: Confidence) {
        self.detection.incoming = Some(incoming.server.clone());
        self.detection.outgoing = file.outgoing.as_ref().map(|found| found.server.clone());
        self.detection.user_form = incoming.user_form;
        self.detection.confidence = confidence;
        self.sign_in_at(&incoming.server.host.clone(), incoming.takes_password);
        if self.detection.provider.is_none() {
            let named = file.name.clone();
            self.detection.provider = named.map(|name| ProviderName { id: "autoconfig".to_owned(), name });
        }
    }

    fn by_services(&mut self) -> bool {
        let incoming = self.service(Protocol::Imap);
        let Some(incoming) = incoming else { return false };
        self.detection.outgoing = self.service(Protocol::Smtp);
        self.detection.user_form = Some(UserForm::Address);
        self.detection.confidence = Confidence::Srv;
        self.sign_in_at(&incoming.host, true);
        let servers = [Some(&incoming), self.detection.outgoing.as_ref()];
        let is_foreign = |server: &Server| !is_below(&server.host, &self.address.domain);
        if self.detection.provider.is_none() && servers.into_iter().flatten().any(is_foreign) {
            // RFC 6186, section 6: a name elsewhere is to be confirmed by the user.
            self.warn(Warning::OtherDomain);
        }
        self.detection.incoming = Some(incoming);
        true
    }

    /// The first that the domain's SRV records offer, implicit TLS before STARTTLS.
    fn service(&self, protocol: Protocol) -> Option<Server> {
        let kinds = ServiceKind::ALL.into_iter().filter(|kind| kind.protocol() == protocol);
        let mut offered =
            kinds.flat_map(|kind| self.evidence.services.iter().filter(move |(found, _)| *found == kind));
        let usable = offered.find(|(_, service)| service.port > 0 && is_domain(&service.host));
        usable.map(|(kind, service)| {
            Server::new(&service.host, service.port, kind.security(), self.address.ascii())
        })
    }

    fn by_greetings(&mut self) -> bool {
        let heard = self.evidence.greetings.iter();
        if heard.clone().any(|(_, heard)| *heard == Heard::BadCertificate) {
            self.warn(Warning::BadCertificate);
        }
        let first = |protocol| {
            heard.clone().find_map(move |(place, heard)| match heard {
                Heard::Greeting(greeting) if place.protocol == protocol => Some((place, greeting)),
                _ => None,
            })
        };
        let user = self.address.ascii();
        let Some((place, greeting)) = first(Protocol::Imap) else { return false };
        let outgoing = first(Protocol::Smtp);
        self.detection.outgoing =
            outgoing.map(|(place, _)| Server::new(&place.host, place.port, place.security, &user));
        self.detection.incoming = Some(Server::new(&place.host, place.port, place.security, &user));
        self.detection.confidence = Confidence::Guess;
        self.sign_in_at(&place.host, greeting.takes_password(Protocol::Imap));
        self.warn(Warning::Guessed);
        true
    }

    /// The ways to sign in at a server that no row of the table named, unless it is Microsoft's or Google's.
    fn sign_in_at(&mut self, host: &str, takes_password: bool) {
        let known = ["microsoft-365", "google"].into_iter().filter_map(|id| self.table.by_id(id));
        let mut known = known.filter(|row| row.incoming.as_ref().is_some_and(|server| server.host == host));
        match known.next() {
            Some(row) => self.offer(row),
            None if takes_password => self.detection.sign_in.push(Way::Password {
                app_password: AppPassword::Unknown,
                note: None,
                help_url: None,
            }),
            None => self.warn(Warning::NoPassword),
        }
    }

    fn finish(mut self) -> Detection {
        if self.detection.incoming.is_some() && self.detection.outgoing.is_none() {
            self.warn(Warning::NoOutgoing);
        }
        self.detection
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn fill(template: &Template, address: &MailAddress, region: Option<&str>) -> Server {
    let host =
        template.host.replace("{domain}", &address.domain).replace("{region}", region.unwrap_or_default());
    let user = match template.user {
        UserForm::Address => address.ascii(),
        UserForm::Local => address.local.clone(),
        UserForm::LocalDotDomain => format!("{}.{}", address.local, address.domain),
    };
    Server::new(host, template.port, template.security, user)
}

#[cfg(test)]
mod tests;
