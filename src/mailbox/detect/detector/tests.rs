//! What is asked and what is not, and that a silent world is not waited for. Time is tokio's, and stands still.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;

use super::*;
use crate::net::names::MailExchanger;

/// A world that answers what it was given, notes what it was asked, and else stays silent for ever.
#[derive(Default)]
struct Scripted {
    exchangers: Option<Vec<MailExchanger>>,
    /// The address whose file is served.
    file_at: Option<&'static str>,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    fn note(&self, question: &str) {
        self.asked.lock().expect("unpoisoned").push(question.to_owned());
    }

    fn asked(&self, beginning: &str) -> usize {
        self.asked.lock().expect("unpoisoned").iter().filter(|asked| asked.starts_with(beginning)).count()
    }
}

#[async_trait]
impl Outside for Scripted {
    async fn mail_exchangers(&self, domain: &str) -> Result<Vec<MailExchanger>, OutsideError> {
        self.note(&format!("mx {domain}"));
        match &self.exchangers {
            Some(found) => Ok(found.clone()),
            None => std::future::pending().await,
        }
    }

    async fn services(&self, name: &str) -> Result<Vec<Service>, OutsideError> {
        self.note(&format!("srv {name}"));
        std::future::pending().await
    }

    async fn texts(&self, name: &str) -> Result<Vec<String>, OutsideError> {
        self.note(&format!("txt {name}"));
        std::future::pending().await
    }

    async fn aliases(&self, name: &str) -> Result<Vec<String>, OutsideError> {
        self.note(&format!("cname {name}"));
        std::future::pending().await
    }

    async fn fetch(&self, url: &Url) -> Result<Bytes, OutsideError> {
        self.note(url.as_str());
        match self.file_at {
            Some(beginning) if url.as_str().starts_with(beginning) => Ok(Bytes::from_static(FILE)),
            _ => std::future::pending().await,
        }
    }

    async fn greet(&self, place: &Place) -> Result<Greeting, OutsideError> {
        self.note(&format!("greet {}:{}", place.host, place.port));
        std::future::pending().await
    }
}

const FILE: &[u8] = b"<clientConfig><emailProvider id='x'><incomingServer type='imap'>\
    <hostname>imap.hoster.example</hostname><port>993</port><socketType>SSL</socketType>\
    <username>%EMAILADDRESS%</username></incomingServer></emailProvider></clientConfig>";

fn exchanger(host: &str) -> Option<Vec<MailExchanger>> {
    Some(vec![MailExchanger { priority: 10, host: host.to_owned() }])
}

async fn detect(world: &Arc<Scripted>, directory: Directory, address: &str) -> Detection {
    let detector = Detector::new(Handle::current(), world.clone(), directory);
    detector.detect(address).await.expect("an address")
}

#[tokio::test(start_paused = true)]
async fn a_silent_world_is_given_up_within_ten_seconds() {
    let world = Arc::new(Scripted::default());
    let begun = Instant::now();
    let detection = detect(&world, Directory::None, "help@shop.example").await;
    assert!(begun.elapsed() <= Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(detection.confidence, Confidence::None);
    assert!(detection.warnings.contains(&Warning::NamesUnanswered));
    assert_eq!(world.asked("greet "), 12);
    assert!(detection.evidence.iter().all(|step| step.result.starts_with("no answer within")));
}

#[tokio::test(start_paused = true)]
async fn a_domain_of_the_table_is_answered_at_once_and_nobody_is_asked() {
    let world = Arc::new(Scripted::default());
    let begun = Instant::now();
    let detection = detect(&world, Directory::Thunderbird, "help@gmail.com").await;
    assert_eq!((detection.confidence, begun.elapsed()), (Confidence::Exact, Duration::ZERO));
    assert_eq!(world.asked(""), 0);
}

#[tokio::test(start_paused = true)]
async fn a_known_exchanger_ends_the_search() {
    let world = Arc::new(Scripted { exchangers: exchanger("aspmx.l.google.com"), ..Scripted::default() });
    let detection = detect(&world, Directory::Thunderbird, "help@shop.example").await;
    assert_eq!(detection.confidence, Confidence::Mx);
    assert_eq!(world.asked("http") + world.asked("greet"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_file_ends_the_search_before_servers_are_tried() {
    let file_at = Some("https://shop.example/.well-known/");
    let world = Arc::new(Scripted { exchangers: Some(Vec::new()), file_at, ..Scripted::default() });
    let detection = detect(&world, Directory::None, "help@shop.example").await;
    assert_eq!(detection.incoming.map(|server| server.host), Some("imap.hoster.example".to_owned()));
    assert_eq!(world.asked("greet"), 0);
}

#[tokio::test(start_paused = true)]
async fn only_the_domain_itself_is_told_the_name_and_only_by_https() {
    let world = Arc::new(Scripted { exchangers: exchanger("mx1.hoster.example"), ..Scripted::default() });
    detect(&world, Directory::Thunderbird, "secret@shop.example").await;
    let asked = world.asked.lock().expect("unpoisoned").clone();
    let told: Vec<&String> = asked.iter().filter(|url| url.contains("secret")).collect();
    assert_eq!(
        told,
        ["https://autoconfig.shop.example/mail/config-v1.1.xml?emailaddress=secret%40shop.example"]
    );
    assert!(asked.iter().any(|url| url == "https://autoconfig.thunderbird.net/v1.1/shop.example"));
    assert!(asked.iter().any(|url| url.starts_with("https://autoconfig.hoster.example/")));
}

#[tokio::test(start_paused = true)]
async fn no_third_party_learns_the_domain_unasked() {
    let world = Arc::new(Scripted { exchangers: exchanger("mail.co.uk"), ..Scripted::default() });
    detect(&world, Directory::None, "help@shop.example").await;
    let foreign: Vec<String> = world
        .asked
        .lock()
        .expect("unpoisoned")
        .iter()
        .filter(|q| !q.contains("shop.example"))
        .cloned()
        .collect();
    assert_eq!(foreign, Vec::<String>::new());
}

#[tokio::test]
async fn offline_nothing_but_the_table_answers() {
    let detector = Detector::offline();
    let known = detector.detect("help@posteo.de").await.expect("an address");
    assert_eq!(known.confidence, Confidence::Exact);
    let unknown = detector.detect("help@shop.example").await.expect("an address");
    assert_eq!((unknown.confidence, unknown.evidence.len()), (Confidence::None, 0));
    assert!(detector.detect("no address").await.is_err());
}
