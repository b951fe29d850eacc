//! Collects the evidence, all at once where it can, and stops as soon as the rest could not change the answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all, join5};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use url::Url;

use crate::base::report::Report;
use crate::mailbox::detect::address::{AddressError, MailAddress};
use crate::mailbox::detect::autoconfig::{self, Autoconfig};
use crate::mailbox::detect::decide::decide;
use crate::mailbox::detect::evidence::{Carriage, Evidence, Exchangers, Heard, Place, ServiceKind};
use crate::mailbox::detect::greeting::{Greeting, GreetingError, Protocol};
use crate::mailbox::detect::outside::{Outside, OutsideError};
use crate::mailbox::detect::step::{Answer, Question, Step, Wrong};
use crate::mailbox::detect::table::Table;
use crate::mailbox::detect::{Confidence, Detection, Warning};
use crate::mailbox::settings::Security;
use crate::net::names::{NamesError, Service};
use crate::net::stranger::StrangerError;

/// One question to the name service.
const NAMES_WITHIN: Duration = Duration::from_secs(2);
/// One file, redirects included.
const FILE_WITHIN: Duration = Duration::from_secs(3);
/// One server's greeting.
const GREETING_WITHIN: Duration = Duration::from_secs(3);

/// Whom to ask for a file that the domain does not publish itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Directory {
    /// Nobody: no third party learns the domain.
    #[default]
    None,
    /// Thunderbird's ISPDB, which learns the domain, never the name before the @.
    Thunderbird,
}

/// Finds out about addresses. Cheap to clone; each answer takes 8 s at most.
#[derive(Clone)]
pub struct Detector {
    table: Arc<Table>,
    /// `None` offline.
    outside: Option<(Handle, Arc<dyn Outside>)>,
    directory: Directory,
}

impl Detector {
    /// Asks nobody: only the built-in table answers.
    pub fn offline() -> Self {
        Self { table: Arc::new(Table::built_in()), outside: None, directory: Directory::None }
    }

    /// Asks `outside` on `runtime`, from whichever runtime it is called.
    pub fn new(runtime: Handle, outside: Arc<dyn Outside>, directory: Directory) -> Self {
        Self { outside: Some((runtime, outside)), directory, ..Self::offline() }
    }

    /// What is known about `address`, as it was typed.
    pub async fn detect(&self, address: &str) -> Result<Detection, AddressError> {
        let address = MailAddress::parse(address)?;
        let known = decide(&self.table, &address, &Evidence::default());
        let Some((runtime, outside)) = &self.outside else { return Ok(known) };
        if known.confidence == Confidence::Exact {
            return Ok(known);
        }
        let search = Search {
            table: self.table.clone(),
            outside: outside.clone(),
            directory: self.directory,
            address,
        };
        // A runtime that ends takes the search with it; what was known before remains.
        Ok(runtime.spawn(search.run()).await.unwrap_or(known))
    }
}

struct Search {
    table: Arc<Table>,
    outside: Arc<dyn Outside>,
    directory: Directory,
    address: MailAddress,
}

impl Search {
    async fn run(self) -> Detection {
        let mut evidence = Evidence::default();
        self.ask_names(&mut evidence).await;
        let detection = decide(&self.table, &self.address, &evidence);
        if detection.confidence >= Confidence::Mx || is_hopeless(&detection) {
            return detection;
        }
        self.ask_files(&mut evidence).await;
        let detection = decide(&self.table, &self.address, &evidence);
        if detection.incoming.is_some() {
            return detection;
        }
        self.listen(&mut evidence).await;
        decide(&self.table, &self.address, &evidence)
    }

    async fn ask_names(&self, evidence: &mut Evidence) {
        let domain = &self.address.domain;
        let autodiscover = format!("autodiscover.{domain}");
        let (exchangers, [imaps, imap], [submissions, submission], texts, aliases) = join5(
            timed(NAMES_WITHIN, self.outside.mail_exchangers(domain)),
            self.two_services([ServiceKind::Imaps, ServiceKind::Imap]),
            self.two_services([ServiceKind::Submissions, ServiceKind::Submission]),
            timed(NAMES_WITHIN, self.outside.texts(domain)),
            timed(NAMES_WITHIN, self.outside.aliases(&autodiscover)),
        )
        .await;
        let hosts = |found: &Vec<_>| {
            list(found, |mx: &crate::net::names::MailExchanger| {
                format!("{} {}", mx.priority, dotted(&mx.host))
            })
        };
        evidence.steps.push(exchangers.step(Question::Exchangers, "", hosts));
        evidence.exchangers = match exchangers.answer {
            Ok(found) => Exchangers::Known(found),
            Err(OutsideError::Names(NamesError::NoSuchName)) => Exchangers::NoSuchDomain,
            Err(_) => Exchangers::Unanswered,
        };
        for (kind, asked) in ServiceKind::ALL.into_iter().zip([imaps, imap, submissions, submission]) {
            let servers =
                |found: &Vec<Service>| list(found, |srv| format!("{}:{}", dotted(&srv.host), srv.port));
            evidence.steps.push(asked.step(Question::Service, kind.label(), servers));
            evidence.services.extend(asked.found().into_iter().map(|service| (kind, service)));
        }
        let is_policy = |text: &String| text.starts_with("v=spf1");
        let policies =
            |found: &Vec<String>| list(found.iter().filter(|text| is_policy(text)), |text| shown(text));
        evidence.steps.push(texts.step(Question::Policy, "", policies));
        evidence.texts = texts.found();
        evidence.steps.push(aliases.step(Question::Alias, "autodiscover", |found| list(found, Clone::clone)));
        evidence.autodiscover = aliases.found();
    }

    async fn two_services(&self, kinds: [ServiceKind; 2]) -> [Asked<Vec<Service>>; 2] {
        let names = kinds.map(|kind| format!("{}.{}", kind.label(), self.address.domain));
        let [one, other] = names.each_ref().map(|name| timed(NAMES_WITHIN, self.outside.services(name)));
        join(one, other).await.into()
    }

    async fn ask_files(&self, evidence: &mut Evidence) {
        let places = self.file_places(&evidence.exchangers);
        let asked = join_all(places.iter().map(|(_, url)| timed(FILE_WITHIN, self.file(url)))).await;
        for ((carriage, url), asked) in places.into_iter().zip(asked) {
            let name = format!("{} {}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path());
            evidence.steps.push(asked.step(Question::File, &name, |file| match &file.incoming {
                Some(found) => {
                    let server = format!("{}:{}", found.server.host, found.server.port);
                    (Answer::NamesServer, shown(&server))
                }
                None => (Answer::NamesNoServer, String::new()),
            }));
            evidence.files.extend(asked.answer.ok().map(|file| (carriage, file)));
        }
    }

    async fn file(&self, url: &Url) -> Result<Autoconfig, FileError> {
        let bytes = self.outside.fetch(url).await?;
        Ok(autoconfig::read(&bytes, &self.address)?)
    }

    /// The domain's own places, by https; its provider's; the directory; by http last. Only the domain itself is
    /// told the whole address, and only by https.
    fn file_places(&self, exchangers: &Exchangers) -> Vec<(Carriage, Url)> {
        let domain = &self.address.domain;
        let own = |domain: &str| {
            [
                format!("https://autoconfig.{domain}/mail/config-v1.1.xml"),
                format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
            ]
        };
        let parse = |text: String| Url::parse(&text).expect("a checked domain makes a URL");
        let mut urls: Vec<(Carriage, Url)> = own(domain).map(|text| (Carriage::Https, parse(text))).into();
        urls[0].1.query_pairs_mut().append_pair("emailaddress", &self.address.ascii());
        if let Some(hoster) = hoster(exchangers, domain) {
            urls.extend(own(&hoster).map(|text| (Carriage::Https, parse(text))));
        }
        if self.directory == Directory::Thunderbird {
            let text = format!("https://autoconfig.thunderbird.net/v1.1/{domain}");
            urls.push((Carriage::Https, parse(text)));
        }
        urls.push((Carriage::Http, parse(format!("http://autoconfig.{domain}/mail/config-v1.1.xml"))));
        urls
    }

    async fn listen(&self, evidence: &mut Evidence) {
        let places = places(&self.address.domain);
        let asked =
            join_all(places.iter().map(|place| timed(GREETING_WITHIN, self.outside.greet(place)))).await;
        for (place, asked) in places.into_iter().zip(asked) {
            let name = format!("{}:{}", place.host, place.port);
            let offers = |greeting: &Greeting| (Answer::Found, shown(&greeting.offers.join(" ")));
            evidence.steps.push(asked.step(Question::Greeting, &name, offers));
            let heard = match asked.answer {
                Ok(greeting) => Heard::Greeting(greeting),
                Err(OutsideError::Greeting(GreetingError::Stranger(StrangerError::Tls { .. }))) => {
                    Heard::BadCertificate
                }
                Err(_) => Heard::Nothing,
            };
            evidence.greetings.push((place, heard));
        }
    }
}

/// Why a place has no file.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error(transparent)]
    Outside(#[from] OutsideError),
    #[error(transparent)]
    Read(#[from] autoconfig::AutoconfigError),
}

impl Wrong for FileError {
    fn wrong(&self) -> (Answer, String) {
        match self {
            Self::Outside(error) => error.wrong(),
            Self::Read(error) => error.wrong(),
        }
    }
}

fn is_hopeless(detection: &Detection) -> bool {
    let ends = [Warning::NoSuchDomain, Warning::TakesNoMail, Warning::NoMailbox];
    detection.warnings.iter().any(|warning| ends.contains(warning))
}

/// The domain of the best mail exchanger, where it is another's. Short second labels such as `co.uk` are nobody's.
fn hoster(exchangers: &Exchangers, domain: &str) -> Option<String> {
    let Exchangers::Known(found) = exchangers else { return None };
    let (_, above) = found.first()?.host.split_once('.')?;
    let (second, _) = above.split_once('.')?;
    let is_suffix = above.matches('.').count() == 1 && second.len() <= 3;
    let usable = !is_suffix && above != domain && super::address::is_domain(above);
    usable.then(|| above.to_owned())
}

/// Where mail servers of `domain` often are, the best first.
fn places(domain: &str) -> Vec<Place> {
    let hosts = |first: &str| [format!("{first}.{domain}"), format!("mail.{domain}"), domain.to_owned()];
    let kinds = [
        ("imap", Protocol::Imap, 993, Security::Tls),
        ("imap", Protocol::Imap, 143, Security::StartTls),
        ("smtp", Protocol::Smtp, 465, Security::Tls),
        ("smtp", Protocol::Smtp, 587, Security::StartTls),
    ];
    let place = |host, protocol, port, security| Place { host, port, protocol, security };
    let all = kinds.into_iter().flat_map(|(first, protocol, port, security)| {
        hosts(first).map(|host| place(host, protocol, port, security))
    });
    all.collect()
}

/// An answer and how long it took.
struct Asked<T, E = OutsideError> {
    answer: Result<T, E>,
    took: Duration,
}

async fn timed<T, E: From<OutsideError>>(
    limit: Duration,
    question: impl Future<Output = Result<T, E>>,
) -> Asked<T, E> {
    let asked_at = Instant::now();
    let late = |_| Err(OutsideError::Late { after: limit }.into());
    let answer = timeout(limit, question).await.unwrap_or_else(late);
    Asked { answer, took: asked_at.elapsed() }
}

impl<T, E: Wrong> Asked<T, E> {
    /// `tell` says what was found.
    fn step(&self, question: Question, about: &str, tell: impl Fn(&T) -> (Answer, String)) -> Step {
        let (answer, what, result) = match &self.answer {
            Ok(found) => {
                let (answer, what) = tell(found);
                let result = in_english(answer, &what);
                (answer, what, result)
            }
            Err(error) => {
                let (answer, what) = error.wrong();
                (answer, what, shown(&Report(error).to_string()))
            }
        };
        Step {
            step: name(question, about),
            result,
            took: self.took,
            question,
            about: about.to_owned(),
            answer,
            what,
        }
    }
}

/// `mx`, `srv _imaps._tcp`.
fn name(question: Question, about: &str) -> String {
    match question {
        Question::Exchangers => "mx".to_owned(),
        Question::Service => format!("srv {about}"),
        Question::Policy => "spf".to_owned(),
        Question::Alias => format!("cname {about}"),
        Question::File => about.to_owned(),
        Question::Greeting => format!("greeting {about}"),
    }
}

fn in_english(answer: Answer, what: &str) -> String {
    match answer {
        Answer::Nothing => "nothing".to_owned(),
        Answer::NamesServer => format!("names {what}"),
        Answer::NamesNoServer => "names no IMAP server with encryption".to_owned(),
        _ => what.to_owned(),
    }
}

impl<T> Asked<Vec<T>> {
    /// What was found; nothing where nothing was answered, which the step tells.
    fn found(self) -> Vec<T> {
        self.answer.unwrap_or_else(|_| Vec::new())
    }
}

fn list<'t, T: 't>(found: impl IntoIterator<Item = &'t T>, tell: impl Fn(&T) -> String) -> (Answer, String) {
    let told: Vec<String> = found.into_iter().take(8).map(tell).collect();
    match told.is_empty() {
        true => (Answer::Nothing, String::new()),
        false => (Answer::Found, shown(&told.join(", "))),
    }
}

/// The root is what RFC 7505 and RFC 2782 write as a dot.
fn dotted(host: &str) -> &str {
    if host.is_empty() { "." } else { host }
}

/// Text from outside, short and without controls.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests;
