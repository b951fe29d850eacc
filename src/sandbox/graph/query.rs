//! OData's query options: what is known, what they may say. Everything else is refused.

use crate::base::clock::Timestamp;

use super::facts::Facts;
use super::refusal::Refusal;
use super::shape::PROPERTIES;
use super::world::Stored;

/// The read options of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// `None` shows the usual properties.
    pub select: Option<Vec<String>>,
    pub top: Option<usize>,
    pub skip: usize,
    pub filter: Vec<Condition>,
    /// The one expansion there is: the size, MAPI property 0x0E08.
    pub with_size: bool,
    pub skip_token: Option<String>,
    pub delta_token: Option<String>,
}

/// One comparison of a filter; all of them hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    MessageId(String),
    ConversationId(String),
    Subject(String),
    IsRead(bool),
    ReceivedFrom(Timestamp),
    ReceivedBefore(Timestamp),
}

const SIZE: &str = "singleValueExtendedProperties($filter=id eq 'Long 0x0E08')";

impl Query {
    /// Reads the options; `allowed` names those this resource takes.
    pub fn parse(pairs: &[(String, String)], allowed: &[&str]) -> Result<Self, Refusal> {
        let mut query = Self::default();
        for (name, value) in pairs {
            if !allowed.contains(&name.as_str()) {
                return Err(Refusal::query(format!("The query parameter '{name}' is not supported.")));
            }
            query.read(name, value)?;
        }
        Ok(query)
    }

    fn read(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        match name {
            "$select" => self.select = Some(select(value)?),
            "$top" => self.top = Some(number(name, value, 1..=1000)?),
            "$skip" => self.skip = number(name, value, 0..=100_000)?,
            "$filter" => self.filter = filter(value)?,
            "$expand" if value == SIZE => self.with_size = true,
            "$orderby" if matches!(value.to_ascii_lowercase().as_str(), "receiveddatetime desc") => {}
            "$count" if matches!(value, "true" | "false") => {}
            "$skiptoken" => self.skip_token = Some(value.to_owned()),
            "$deltatoken" if value == "latest" => {
                return Err(Refusal::query("$deltatoken=latest is not supported for messages."));
            }
            "$deltatoken" => self.delta_token = Some(value.to_owned()),
            _ => return Err(Refusal::query(format!("The value of '{name}' is not supported."))),
        }
        Ok(())
    }

    /// The floor that a delta listing was asked for; no other filter is possible there.
    pub fn floor(&self) -> Result<Option<Timestamp>, Refusal> {
        match self.filter.as_slice() {
            [] => Ok(None),
            [Condition::ReceivedFrom(floor)] => Ok(Some(*floor)),
            _ => Err(Refusal::query("The only filter of change tracking is receivedDateTime ge.")),
        }
    }

    pub fn matches(&self, message: &Stored) -> bool {
        let facts = Facts::of(&message.raw);
        self.filter.iter().all(|condition| condition.holds(message, &facts))
    }
}

impl Condition {
    fn holds(&self, message: &Stored, facts: &Facts) -> bool {
        match self {
            Self::MessageId(id) => facts.message_id == *id,
            Self::ConversationId(id) => super::shape::conversation_id(facts) == *id,
            Self::Subject(subject) => facts.subject.eq_ignore_ascii_case(subject),
            Self::IsRead(is_read) => message.is_read == *is_read,
            Self::ReceivedFrom(moment) => message.received_at >= *moment,
            Self::ReceivedBefore(moment) => message.received_at < *moment,
        }
    }
}

fn select(value: &str) -> Result<Vec<String>, Refusal> {
    value
        .split(',')
        .map(|name| {
            let known = PROPERTIES.iter().find(|known| known.eq_ignore_ascii_case(name.trim()));
            known.map(|known| (*known).to_owned()).ok_or_else(|| Refusal::no_property(name))
        })
        .collect()
}

fn number(name: &str, value: &str, range: std::ops::RangeInclusive<usize>) -> Result<usize, Refusal> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| Refusal::query(format!("Invalid value '{value}' for {name} query option found.")))
}

fn filter(value: &str) -> Result<Vec<Condition>, Refusal> {
    value.split(" and ").map(condition).collect()
}

fn condition(text: &str) -> Result<Condition, Refusal> {
    let refused = || Refusal::query("The filter is not supported.");
    let (property, rest) = text.trim().split_once(' ').ok_or_else(refused)?;
    let (operator, operand) = rest.trim().split_once(' ').ok_or_else(refused)?;
    let moment = || Timestamp::parse_rfc3339(operand).ok_or_else(refused);
    match (property, operator) {
        ("internetMessageId", "eq") => Ok(Condition::MessageId(quoted(operand).ok_or_else(refused)?)),
        ("conversationId", "eq") => Ok(Condition::ConversationId(quoted(operand).ok_or_else(refused)?)),
        ("subject", "eq") => Ok(Condition::Subject(quoted(operand).ok_or_else(refused)?)),
        ("isRead", "eq") => Ok(Condition::IsRead(operand.parse().map_err(|_| refused())?)),
        ("receivedDateTime", "ge") => Ok(Condition::ReceivedFrom(moment()?)),
        ("receivedDateTime", "lt") => Ok(Condition::ReceivedBefore(moment()?)),
        _ => Err(refused()),
    }
}

/// OData doubles a quote within a string.
fn quoted(operand: &str) -> Option<String> {
    let inner = operand.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    let single = inner.replace("''", "");
    (!single.contains('\'')).then(|| inner.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, value: &str) -> Result<Query, Refusal> {
        Query::parse(&[(name.to_owned(), value.to_owned())], &["$select", "$filter", "$top", "$deltatoken"])
    }

    #[test]
    fn an_unknown_property_or_option_is_refused() {
        assert_eq!(parse("$select", "id,messageid").unwrap_err().code, "RequestBroker--ParseUri");
        assert_eq!(parse("$orderBy", "x").unwrap_err().code, "ErrorInvalidUrlQuery");
        assert!(parse("$top", "0").is_err());
        assert!(parse("$deltatoken", "latest").is_err());
    }

    #[test]
    fn a_message_id_with_a_quote_is_found_doubled() {
        let query = parse("$filter", "internetMessageId eq '<o''b@x>'").unwrap();
        assert_eq!(query.filter, [Condition::MessageId("<o'b@x>".to_owned())]);
        assert!(parse("$filter", "internetMessageId eq '<o'b@x>'").is_err());
    }

    #[test]
    fn change_tracking_takes_one_filter_only() {
        assert!(
            parse("$filter", "receivedDateTime ge 2026-11-21T00:00:00Z").unwrap().floor().unwrap().is_some()
        );
        assert!(parse("$filter", "isRead eq false").unwrap().floor().is_err());
    }
}
