//! A scene whose mailbox lies at real mail servers.

use std::ops::{Deref, DerefMut};

use mintgate::base::clock::Clock;
use mintgate::mailbox::settings::{MailboxSettings, Provider, Security, Server, SignIn};
use mintgate::sandbox::desk::AGENT;
use mintgate::store::MailboxRow;

use crate::desk_user::DeskUser;
use crate::support::cutter::Cutter;
use crate::support::dovecot::{Dovecot, Kind, PASSWORD, USER};
use crate::support::mail_server::Sink;
use crate::worker::mails::{header, question, question_id, reply};
use crate::worker::scene::{LONG, Scene, mailbox_row};

/// The scene, the servers, and the wires to them.
pub struct Post {
    scene: Scene,
    pub dovecot: Dovecot,
    /// Where the submission server relays to.
    pub world: Sink,
    pub imap: Cutter,
    pub submission: Cutter,
}

impl Deref for Post {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        &self.scene
    }
}

impl DerefMut for Post {
    fn deref_mut(&mut self) -> &mut Scene {
        &mut self.scene
    }
}

impl Post {
    /// `None` (with the reason printed) where Dovecot is not installed.
    pub async fn new() -> Option<Self> {
        Self::with(Kind::default(), MailboxSettings::default()).await
    }

    /// At a Dovecot of `kind`, with what an administrator has chosen.
    pub async fn with(kind: Kind, chosen: MailboxSettings) -> Option<Self> {
        let world = Sink::start().await;
        let dovecot = Dovecot::start_as(kind, world.address.port()).await?;
        let [imap, submission] = dovecot.ports();
        let (imap, submission) = (Cutter::before(imap).await, Cutter::before(submission).await);
        let mut scene = Scene::new().await;
        scene.password = Some(PASSWORD);
        let post = Self { scene, dovecot, world, imap, submission };
        post.choose(chosen).await;
        Some(post)
    }

    /// Connects the mailbox with other choices.
    pub async fn choose(&self, chosen: MailboxSettings) {
        let row = row_at([self.imap.port, self.submission.port], chosen);
        self.scene.store.connect_mailbox(&row).await.expect("a mailbox");
        self.scene.store.set_mailbox_settings(&row.id, &row.settings).await.expect("chosen");
    }

    /// Connects the mailbox again as it was.
    pub async fn connect_again(&self) {
        self.scene.store.connect_mailbox(&self.scene.mailbox_row().await).await.expect("a mailbox");
    }

    /// A mail arrives now.
    pub fn arrives(&self, raw: &[u8]) {
        self.dovecot.deliver_at(raw, self.scene.clock.now());
    }

    /// The mails that have left and hold `text`.
    pub fn left_with(&self, text: &str) -> Vec<Vec<u8>> {
        let mails = self.world.mails().into_iter().filter(|mail| mail.contains(text));
        mails.map(String::into_bytes).collect()
    }

    /// The ticket with this title.
    pub fn ticket(&self, title: &str) -> Option<String> {
        self.scene.desk.tickets().into_iter().find(|ticket| ticket.title == title).map(|ticket| ticket.id)
    }

    /// Bob's question `number` becomes a ticket, is answered, and he replies; `pass` is the worker's first try at
    /// each.
    pub async fn conversation(&self, number: u32, pass: impl AsyncFn(&Scene)) {
        self.arrives(&question(number));
        pass(&self.scene).await;
        self.come_to_rest().await;
        let ticket = self.ticket(&format!("Printer {number} smokes")).expect("a ticket");
        // The clock has gone on by hours: an earlier sign-in may have ended.
        let agent = DeskUser::sign_in(&self.scene.desk.url(), AGENT).await;
        agent.comment(&ticket, &answer(number), true).await;
        pass(&self.scene).await;
        self.come_to_rest().await;
        let answers = self.left_with(&answer(number));
        let id = header(answers.first().expect("the answer has left"), "Message-ID").expect("an id");
        self.arrives(&reply(
            id.trim_matches(['<', '>']),
            &format!("reply-{number}@customer.example"),
            "It still smokes.",
        ));
        pass(&self.scene).await;
        self.come_to_rest().await;
    }

    /// Looks twice, long enough apart for every retry to be due; in the end all must be well.
    async fn come_to_rest(&self) {
        self.scene.clock.advance(LONG);
        self.scene.any_pass().await;
        self.scene.clock.advance(LONG);
        self.scene.pass().await;
    }

    /// What became of the conversation: tickets, the customer's comments, mails to him.
    pub fn outcome(&self, number: u32) -> [usize; 3] {
        let title = format!("Printer {number} smokes");
        let tickets = self.scene.desk.tickets().into_iter().filter(|ticket| ticket.title == title);
        let tickets: Vec<_> = tickets.map(|ticket| ticket.id).collect();
        let comments = tickets.iter().map(|ticket| self.scene.customers_comments(ticket)).sum();
        [tickets.len(), comments, self.left_with(&answer(number)).len()]
    }

    /// The text of an answer's Message-IDs, one per copy that left.
    pub fn answer_ids(&self, number: u32) -> Vec<String> {
        let answers = self.left_with(&answer(number));
        answers.iter().filter_map(|mail| header(mail, "Message-ID")).collect()
    }

    /// The parent that Bob's client would show for the answer.
    pub fn threading(&self, number: u32) -> [Option<String>; 2] {
        let answers = self.left_with(&answer(number));
        let wanted = format!("<{}>", question_id(number));
        ["In-Reply-To", "References"]
            .map(|name| header(&answers[0], name).filter(|value| value.contains(&wanted)))
    }
}

/// The mailbox at IMAP and submission on these ports of this machine.
pub fn row_at([imap, submission]: [u16; 2], chosen: MailboxSettings) -> MailboxRow {
    let server = |port| Server::new("127.0.0.1", port, Security::None, USER);
    let settings = MailboxSettings {
        provider: Provider::Other,
        sign_in: SignIn::Password,
        incoming: Some(server(imap)),
        outgoing: Some(server(submission)),
        ..chosen
    };
    MailboxRow { kind: "imap".to_owned(), settings: settings.to_json(), ..mailbox_row(&[]) }
}

fn answer(number: u32) -> String {
    format!("Extinguish number {number}.")
}
