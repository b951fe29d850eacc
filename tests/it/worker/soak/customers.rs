//! The people around the worker: customers write and answer, an agent answers and renames tickets. Each
//! text carries a word of its own, so that what is lost and what is there twice can be counted.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use mintgate::sandbox::desk::Desk;
use serde_json::json;

use super::carrier::Carrier;
use super::trouble::Chance;
use crate::desk_user::DeskUser;
use crate::worker::mails::{header, mail};

/// Everything that was written, by its word.
#[derive(Default)]
pub struct Customers {
    questions: u32,
    /// Words of answers, and who has to get them.
    answers: Vec<(String, String)>,
    replies: Vec<String>,
    /// Numbers of the answers that were replied to.
    replied: BTreeSet<usize>,
    answered: Vec<String>,
}

/// What became of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    pub questions: u32,
    pub answers: usize,
    pub replies: usize,
    pub lost: usize,
    pub duplicate_tickets: usize,
    pub duplicate_comments: usize,
    pub double_sends: usize,
    /// Mails that were handed over without the worker being able to know it.
    pub unclear: usize,
}

impl Tally {
    pub fn is_clean(&self) -> bool {
        self.lost + self.duplicate_tickets + self.duplicate_comments == 0 && self.double_sends <= self.unclear
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "questions={} answers={} replies={} lost={} duplicate_tickets={} duplicate_comments={} double_sends={} unclear={}",
            self.questions,
            self.answers,
            self.replies,
            self.lost,
            self.duplicate_tickets,
            self.duplicate_comments,
            self.double_sends,
            self.unclear
        )
    }
}

impl Customers {
    /// What people do between two lives.
    pub async fn write(&mut self, chance: &mut Chance, carrier: &dyn Carrier, desk: &Desk, agent: &DeskUser) {
        if chance.happens(45) {
            self.ask(carrier);
        }
        if chance.happens(45) {
            self.answer_one(desk, agent).await;
        }
        if chance.happens(30) {
            self.reply(carrier);
        }
        if chance.happens(25) {
            rename(chance, desk, agent).await;
        }
    }

    fn ask(&mut self, carrier: &dyn Carrier) {
        let number = self.questions;
        let (from, id) = (customer(number), format!("q{number}@customer.example"));
        let raw = mail(&from, &id, &format!("Printer {number} smokes"), "", &question(number));
        carrier.deliver(&raw);
        self.questions += 1;
    }

    /// Answers the oldest ticket without an answer; whether there was one.
    async fn answer_one(&mut self, desk: &Desk, agent: &DeskUser) -> bool {
        let open = desk.tickets().into_iter().find(|ticket| {
            ticket.created_by.is_some() && !self.answered.contains(&ticket.id) && ticket.email.is_some()
        });
        let Some(ticket) = open else { return false };
        let word = format!("answer-{}-word", self.answers.len());
        agent.comment(&ticket.id, &format!("Please see {word}."), true).await;
        self.answered.push(ticket.id);
        self.answers.push((word, ticket.email.expect("looked at before")));
        true
    }

    /// Somebody answers the oldest answer that has arrived and that nobody has answered. Not the oldest of all: one
    /// that waits to be sent again must not silence everybody.
    fn reply(&mut self, carrier: &dyn Carrier) {
        let arrived = |(number, (word, address)): (usize, &(String, String))| {
            let raw = carrier.received(address).into_iter().find(|raw| holds(raw, word))?;
            Some((number, address.clone(), raw))
        };
        let open = self.answers.iter().enumerate().filter(|(number, _)| !self.replied.contains(number));
        let Some((number, address, raw)) = open.into_iter().find_map(arrived) else { return };
        let parent = header(&raw, "Message-ID").expect("an id");
        let text = format!("reply-{number}-word");
        let threading = format!("In-Reply-To: {parent}\r\nReferences: {parent}\r\n");
        let id = format!("r{number}@customer.example");
        carrier.deliver(&mail(&address, &id, "Re: Printer smokes", &threading, &text));
        self.replied.insert(number);
        self.replies.push(text);
    }

    /// The agent answers whatever is a ticket by now and has no answer.
    pub async fn answer_everything(&mut self, desk: &Desk, agent: &DeskUser, patience: Duration) {
        let begun = Instant::now();
        while self.answers.len() < self.questions as usize {
            assert!(
                begun.elapsed() < patience,
                "{} of {} became tickets",
                self.answers.len(),
                self.questions
            );
            if !self.answer_one(desk, agent).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Waits until nothing is missing.
    pub async fn settle(&self, carrier: &dyn Carrier, desk: &Desk, patience: Duration) {
        let begun = Instant::now();
        while self.tally(carrier, desk).lost > 0 && begun.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    pub fn tally(&self, carrier: &dyn Carrier, desk: &Desk) -> Tally {
        let details: Vec<String> = desk.tickets().into_iter().filter_map(|ticket| ticket.detail).collect();
        let tickets = (0..self.questions).map(|number| {
            let word = question(number);
            details.iter().filter(|detail| detail.contains(&word)).count()
        });
        let tickets: Vec<usize> = tickets.collect();
        let comments: Vec<String> = desk
            .tickets()
            .iter()
            .flat_map(|ticket| desk.comments(&ticket.id))
            .map(|comment| comment.text)
            .collect();
        let replies: Vec<usize> = self
            .replies
            .iter()
            .map(|word| comments.iter().filter(|text| text.contains(word.as_str())).count())
            .collect();
        let answers: Vec<usize> = self
            .answers
            .iter()
            .map(|(word, address)| carrier.received(address).iter().filter(|raw| holds(raw, word)).count())
            .collect();
        let missing = |counts: &[usize]| counts.iter().filter(|&&count| count == 0).count();
        let doubled = |counts: &[usize]| counts.iter().map(|count| count.saturating_sub(1)).sum();
        Tally {
            questions: self.questions,
            answers: answers.len(),
            replies: replies.len(),
            lost: missing(&tickets) + missing(&replies) + missing(&answers),
            duplicate_tickets: doubled(&tickets),
            duplicate_comments: doubled(&replies),
            double_sends: doubled(&answers),
            unclear: carrier.unclear(),
        }
    }
}

async fn rename(chance: &mut Chance, desk: &Desk, agent: &DeskUser) {
    let tickets = desk.tickets();
    let Some(count) = u32::try_from(tickets.len()).ok().filter(|&count| count > 0) else { return };
    let ticket = &tickets[chance.below(count) as usize];
    let title = json!({"id": ticket.id, "title": format!("Renamed {}", ticket.number)});
    agent.call("PUT", "/ticket/update", &title).await;
}

fn customer(number: u32) -> String {
    format!("c{number}@customer.example")
}

fn question(number: u32) -> String {
    format!("question-{number}-word")
}

fn holds(raw: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(raw).contains(word)
}
