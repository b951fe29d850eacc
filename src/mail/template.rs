//! Texts that an operator writes once and that name what differs from mail to mail: `{{ticket.number}}`.
//! No conditions, no loops: a template that was read can always be written.

/// What a template may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// What an agent wrote.
    Text,
    Signature,
    TicketNumber,
    TicketSubject,
    Customer,
    Mailbox,
    MailboxAddress,
    /// The largest mail that is taken, such as `25 MB`.
    Limit,
}

/// Every name as it is written.
pub const NAMES: [(&str, Placeholder); 8] = [
    ("text", Placeholder::Text),
    ("signature", Placeholder::Signature),
    ("ticket.number", Placeholder::TicketNumber),
    ("ticket.subject", Placeholder::TicketSubject),
    ("customer.name", Placeholder::Customer),
    ("mailbox.name", Placeholder::Mailbox),
    ("mailbox.address", Placeholder::MailboxAddress),
    ("limit", Placeholder::Limit),
];

/// In characters; more is a mistake.
const LONGEST: usize = 20_000;

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("`{{{{{name}}}}}` is not known; known are {}", known())]
    Unknown { name: String },
    #[error("a `{{{{` is never closed by `}}}}`")]
    Open,
    #[error("a template is at most {LONGEST} characters long")]
    TooLong,
    #[error("a template needs some text")]
    Empty,
}

fn known() -> String {
    NAMES.map(|(word, _)| format!("`{{{{{word}}}}}`")).join(", ")
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Named(Placeholder),
}

/// A text with names in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

/// What the names stand for in one mail.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    pub text: &'a str,
    pub signature: &'a str,
    pub ticket_number: Option<i64>,
    pub ticket_subject: &'a str,
    pub customer_name: &'a str,
    pub mailbox_name: &'a str,
    pub mailbox_address: &'a str,
    pub limit: &'a str,
}

impl Template {
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.trim().is_empty() {
            return Err(TemplateError::Empty);
        }
        if text.chars().count() > LONGEST {
            return Err(TemplateError::TooLong);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((plain, behind)) = rest.split_once("{{") {
            let (word, after) = behind.split_once("}}").ok_or(TemplateError::Open)?;
            pieces.push(Piece::Plain(plain.to_owned()));
            pieces.push(Piece::Named(name(word.trim())?));
            rest = after;
        }
        pieces.push(Piece::Plain(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// Whether it says this at all; some values cost a question to the desk.
    pub fn names(&self, wanted: Placeholder) -> bool {
        self.0.contains(&Piece::Named(wanted))
    }

    /// The text. What a name stands for is put in as it is: a name in it is not read again.
    pub fn write(&self, values: &Values<'_>) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Named(name) => values.of(*name),
        });
        pieces.collect::<String>().trim_end().to_owned()
    }
}

fn name(word: &str) -> Result<Placeholder, TemplateError> {
    let found = NAMES.iter().find(|(known, _)| *known == word);
    found.map(|(_, name)| *name).ok_or_else(|| TemplateError::Unknown { name: word.to_owned() })
}

impl Values<'_> {
    fn of(&self, name: Placeholder) -> String {
        match name {
            Placeholder::Text => self.text.to_owned(),
            Placeholder::Signature => self.signature.to_owned(),
            Placeholder::TicketNumber => {
                self.ticket_number.map(|number| number.to_string()).unwrap_or_default()
            }
            Placeholder::TicketSubject => self.ticket_subject.to_owned(),
            Placeholder::Customer => self.customer_name.to_owned(),
            Placeholder::Mailbox => self.mailbox_name.to_owned(),
            Placeholder::MailboxAddress => self.mailbox_address.to_owned(),
            Placeholder::Limit => self.limit.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_nothing_else() {
        let template = Template::parse("Dear {{ customer.name }}, #{{ticket.number}} { {x} }} ok\n")
            .expect("a template");
        let values =
            Values { ticket_number: Some(7), customer_name: "{{text}}", text: "no", ..Values::default() };
        assert_eq!(template.write(&values), "Dear {{text}}, #7 { {x} }} ok");
        assert!(template.names(Placeholder::TicketNumber) && !template.names(Placeholder::Text));
    }

    #[test]
    fn a_text_that_is_no_template_says_why() {
        let cases = [
            ("{{ticket.nummer}}", TemplateError::Unknown { name: "ticket.nummer".into() }),
            ("a {{ b", TemplateError::Open),
            ("  ", TemplateError::Empty),
        ];
        for (text, wanted) in cases {
            assert_eq!(Template::parse(text), Err(wanted), "{text}");
        }
        assert_eq!(Template::parse(&"x".repeat(20_001)), Err(TemplateError::TooLong));
        let told = TemplateError::Unknown { name: "x".into() }.to_string();
        assert!(told.starts_with("`{{x}}` is not known; known are `{{text}}`, "), "{told}");
    }
}
