//! What another process, or the console, asks of the running worker, as rows: look at a mailbox now, take
//! old mail in.

use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

/// All orders begin so.
pub const ORDER: &str = "order:";

/// Something to do for a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Look for mail now.
    Poll { mailbox: MailboxId },
    /// Take in mail that was received from `since` on, also from before the mailbox was connected.
    ImportSince { mailbox: MailboxId, since: Timestamp },
}

impl Order {
    /// The row that carries it.
    pub fn hint(&self) -> String {
        match self {
            Self::Poll { mailbox } => format!("{ORDER}{mailbox}:poll"),
            Self::ImportSince { mailbox, since } => format!("{ORDER}{mailbox}:import:{}", since.0),
        }
    }

    /// Reads what [`Order::hint`] wrote.
    pub fn read(hint: &str) -> Option<Self> {
        let (mailbox, what) = hint.strip_prefix(ORDER)?.split_once(':')?;
        let mailbox = MailboxId::parse(mailbox)?;
        match what.split_once(':') {
            None if what == "poll" => Some(Self::Poll { mailbox }),
            Some(("import", since)) => {
                Some(Self::ImportSince { mailbox, since: Timestamp(since.parse().ok()?) })
            }
            _ => None,
        }
    }
}

/// The mailbox an order is for.
pub fn mailbox_of(hint: &str) -> Option<MailboxId> {
    MailboxId::parse(hint.strip_prefix(ORDER)?.split_once(':')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written() {
        let mailbox = MailboxId::parse("support-1").expect("an id");
        let orders = [
            Order::Poll { mailbox: mailbox.clone() },
            Order::ImportSince { mailbox: mailbox.clone(), since: Timestamp(-5) },
        ];
        for order in orders {
            assert_eq!(mailbox_of(&order.hint()), Some(mailbox.clone()));
            assert_eq!(Order::read(&order.hint()), Some(order));
        }
        for strange in ["order:", "order:a", "order:a:sing", "order:a:import:x", "ticket:1"] {
            assert_eq!(Order::read(strange), None, "{strange}");
        }
    }
}
