//! Who a mail goes to, and the commands that say so. Pure.

use std::collections::BTreeSet;

use mail_parser::{Address, MessageParser};

use crate::mailbox::MailboxError;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    sender: String,
    recipients: BTreeSet<String>,
}

impl Envelope {
    /// From the mail's own To, Cc and Bcc; bounces go to `sender`.
    pub(super) fn of(mime: &[u8], sender: &str) -> Result<Self, MailboxError> {
        let parsed = MessageParser::default().parse_headers(mime);
        let parsed = parsed.ok_or_else(|| unusable("the mail has no head"))?;
        let lists = [parsed.to(), parsed.cc(), parsed.bcc()];
        let named = lists.into_iter().flatten().flat_map(Address::iter);
        let recipients: BTreeSet<String> =
            named.filter_map(|mailbox| mailbox.address()).map(str::to_owned).collect();
        if recipients.is_empty() {
            return Err(unusable("the mail is addressed to nobody"));
        }
        for address in recipients.iter().map(String::as_str).chain([sender]) {
            if !is_plain(address) {
                return Err(unusable("an address of the mail cannot stand in a command"));
            }
        }
        Ok(Self { sender: sender.to_owned(), recipients })
    }

    /// What MAIL FROM has to say besides the sender.
    pub(super) fn parameters(&self, offers: &[String], size: usize) -> Result<String, MailboxError> {
        let offered = |name: &str| offers.iter().any(|offer| offer.split(' ').next() == Some(name));
        let mut parameters = String::new();
        if offered("SIZE") {
            parameters.push_str(&format!(" SIZE={size}"));
        }
        let is_ascii = self.sender.is_ascii() && self.recipients.iter().all(|address| address.is_ascii());
        match (is_ascii, offered("SMTPUTF8")) {
            (true, _) => {}
            // RFC 6531, section 3.4.
            (false, true) => parameters.push_str(" BODY=8BITMIME SMTPUTF8"),
            (false, false) => {
                return Err(unusable("the server takes no addresses with letters beyond ASCII"));
            }
        }
        Ok(parameters)
    }

    pub(super) fn commands(&self, parameters: &str) -> Vec<String> {
        let sender = format!("MAIL FROM:<{}>{parameters}", self.sender);
        let recipients = self.recipients.iter().map(|address| format!("RCPT TO:<{address}>"));
        std::iter::once(sender).chain(recipients).collect()
    }
}

/// Whether an address can neither end its command nor its brackets.
fn is_plain(address: &str) -> bool {
    address.len() <= 254
        && address.contains('@')
        && !address
            .contains(|letter: char| letter.is_control() || letter.is_whitespace() || "<>".contains(letter))
}

fn unusable(what: &str) -> MailboxError {
    MailboxError::Refused { status: 0, code: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: &str = "help@desk.example";

    #[test]
    fn everybody_named_gets_the_mail_once() {
        let mime = b"To: A <a@x.example>, b@x.example\r\nCc: a@x.example\r\nSubject: s\r\n\r\nText\r\n";
        let envelope = Envelope::of(mime, SENDER).expect("an envelope");
        let commands = envelope.commands("");
        let expected = ["MAIL FROM:<help@desk.example>", "RCPT TO:<a@x.example>", "RCPT TO:<b@x.example>"];
        assert_eq!(commands, expected);
    }

    #[test]
    fn an_address_cannot_bring_a_command_along() {
        for to in ["\"a>\r\nDATA\"@x.example", "a@x.example>", "<a@x.example> x y"] {
            let mime = format!("To: {}\r\n\r\nText\r\n", to.replace("\r\n", "=0D=0A"));
            if let Ok(envelope) = Envelope::of(mime.as_bytes(), SENDER) {
                assert!(
                    envelope
                        .commands("")
                        .iter()
                        .all(|line| !line.contains(['\r', '\n']) && line.matches('>').count() == 1),
                    "{to}"
                );
            }
        }
        assert!(!is_plain("a@x\r\nRCPT TO:<b@x>") && !is_plain("a b@x") && !is_plain("nobody"));
    }

    #[test]
    fn a_mail_to_nobody_is_refused() {
        assert!(Envelope::of(b"Subject: x\r\n\r\nText\r\n", SENDER).is_err());
    }

    #[test]
    fn addresses_beyond_ascii_need_a_server_that_takes_them() {
        let mime = "To: j\u{f6}rg@x.example\r\n\r\nText\r\n".as_bytes();
        let envelope = Envelope::of(mime, SENDER).expect("an envelope");
        assert!(envelope.parameters(&["SIZE 100".to_owned()], 9).is_err());
        let parameters = envelope.parameters(&["SMTPUTF8".to_owned(), "SIZE 100".to_owned()], 9);
        assert_eq!(parameters.expect("parameters"), " SIZE=9 BODY=8BITMIME SMTPUTF8");
    }
}
