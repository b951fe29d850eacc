//! The shape in which a mail is explained: docs/mail-explain.md tells it to those who read it by program.

use std::fmt;

use serde::Serialize;

use crate::base::clock::Timestamp;
use crate::base::secret::HashKey;
use crate::mail::authentication::{Authentication, Server, judge};
use crate::mail::decide::{Decision, Known, decide};
use crate::mail::{Attachment, Automatic, AutomaticKind, Mailbox, Message, message_id};

/// One file, explained or refused.
pub(super) enum Shown {
    Understood(Box<Explanation>),
    Refused(Refusal),
}

#[derive(Serialize)]
pub(super) struct Refusal {
    file: String,
    error: String,
}

#[derive(Serialize)]
pub(super) struct Explanation {
    file: String,
    from: Option<String>,
    from_name: Option<String>,
    reply_to: Option<String>,
    to: Vec<String>,
    cc: Vec<String>,
    subject: String,
    date: Option<String>,
    message_id: Option<String>,
    references: Vec<String>,
    text: String,
    reply: String,
    attachments: Vec<File>,
    automatic: Machine,
    authenticated: &'static str,
    decision: Verdict,
}

#[derive(Serialize)]
struct File {
    filename: String,
    mime: String,
    size: usize,
    sha256: String,
    inline: bool,
    content_id: Option<String>,
}

#[derive(Serialize)]
struct Machine {
    kind: &'static str,
    reason: Option<String>,
    status: Option<String>,
    recipient: Option<String>,
    permanent: Option<bool>,
    message_id: Option<String>,
}

#[derive(Serialize)]
struct Verdict {
    action: &'static str,
    reasons: Vec<String>,
    requester: Option<String>,
}

impl Shown {
    pub(super) fn understood(file: String, message: &Message) -> Self {
        let authentication = judge(message, &[Server::google(), Server::microsoft()].concat());
        Self::Understood(Box::new(Explanation {
            file,
            from: message.from.as_ref().map(|from| from.address.clone()),
            from_name: message.from.as_ref().map(|from| from.name.clone()).filter(|name| !name.is_empty()),
            reply_to: message.reply_to.as_ref().map(|reply_to| reply_to.address.clone()),
            to: addresses(&message.to),
            cc: addresses(&message.cc),
            subject: message.subject.clone(),
            date: message.date.map(Timestamp::rfc3339),
            message_id: Some(message.message_id.clone()).filter(|id| !message_id::is_synthetic(id)),
            references: message.references.clone(),
            text: message.text.clone(),
            reply: message.reply.clone(),
            attachments: message.attachments.iter().map(File::of).collect(),
            automatic: Machine::of(message.automatic.as_ref()),
            authenticated: authentication.name(),
            decision: Verdict::of(message, authentication),
        }))
    }

    pub(super) fn refused(file: String, error: String) -> Self {
        Self::Refused(Refusal { file, error })
    }

    pub(super) fn is_understood(&self) -> bool {
        matches!(self, Self::Understood(_))
    }

    pub(super) fn json(&self) -> String {
        let line = match self {
            Self::Understood(explanation) => serde_json::to_string(explanation),
            Self::Refused(refusal) => serde_json::to_string(refusal),
        };
        line.expect("strings, numbers and lists become JSON")
    }
}

fn addresses(mailboxes: &[Mailbox]) -> Vec<String> {
    mailboxes.iter().map(|mailbox| mailbox.address.clone()).collect()
}

impl File {
    fn of(file: &Attachment) -> Self {
        Self {
            filename: file.name.clone(),
            mime: file.media_type.clone(),
            size: file.size,
            sha256: file.sha256.clone(),
            inline: file.inline,
            content_id: file.content_id.clone(),
        }
    }
}

impl Machine {
    fn of(automatic: Option<&Automatic>) -> Self {
        let delivery = automatic.map(|found| found.delivery.clone()).unwrap_or_default();
        let kind = match automatic.map(|found| found.kind) {
            Some(AutomaticKind::AutoReply) => "auto-reply",
            Some(AutomaticKind::Bounce) => "bounce",
            Some(AutomaticKind::Feedback) => "feedback",
            Some(AutomaticKind::List) => "list",
            None => "none",
        };
        Self {
            kind,
            reason: automatic.map(|found| found.reason.clone()),
            status: delivery.status,
            recipient: delivery.recipient,
            permanent: delivery.permanent,
            message_id: delivery.message_id,
        }
    }
}

impl Verdict {
    /// What the worker would do if it knew no ticket and no earlier mail.
    fn of(message: &Message, authentication: Authentication) -> Self {
        let key = HashKey::random();
        let known = Known {
            own_addresses: &[],
            message_id_key: &key,
            ticket: None,
            duplicate: None,
            accept_since: Timestamp(0),
            received_at: Timestamp(0),
            authentication,
        };
        match decide(message, &known) {
            Decision::Open { requester, .. } => {
                let reasons = vec!["nothing speaks against a ticket of its own".to_owned()];
                Self { action: "open", reasons, requester: Some(requester.address) }
            }
            Decision::Reply { reason, .. } => {
                Self { action: "reply", reasons: vec![reason], requester: None }
            }
            Decision::Note { reason, .. } => Self { action: "note", reasons: vec![reason], requester: None },
            Decision::Ignore { reason, .. } => {
                Self { action: "ignore", reasons: vec![reason], requester: None }
            }
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Understood(explanation) => explanation.fmt(f),
            Self::Refused(refusal) => writeln!(f, "{}: {}", refusal.file, refusal.error),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = || "-".to_owned();
        writeln!(f, "{}", self.file)?;
        let name = self.from_name.clone().map(|name| format!("{name} ")).unwrap_or_default();
        writeln!(f, "  from        {name}<{}>", self.from.as_deref().unwrap_or_default())?;
        writeln!(f, "  to          {}", self.to.join(", "))?;
        if !self.cc.is_empty() {
            writeln!(f, "  cc          {}", self.cc.join(", "))?;
        }
        writeln!(f, "  subject     {}", self.subject)?;
        writeln!(f, "  message id  {}", self.message_id.clone().unwrap_or_else(unknown))?;
        for id in &self.references {
            writeln!(f, "  refers to   {id}")?;
        }
        for file in &self.attachments {
            let place = if file.inline { ", inline" } else { "" };
            writeln!(f, "  file        {} ({}, {} bytes{place})", file.filename, file.mime, file.size)?;
        }
        let reason = self.automatic.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        writeln!(f, "  automatic   {}{reason}", self.automatic.kind)?;
        writeln!(f, "  sender      authenticated: {}", self.authenticated)?;
        writeln!(f, "  decision    {}: {}", self.decision.action, self.decision.reasons.join("; "))?;
        writeln!(f, "  reply")?;
        self.reply.lines().try_for_each(|line| writeln!(f, "    {line}"))
    }
}
