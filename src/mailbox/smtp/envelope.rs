//! Who a mail goes to, and the commands that say so. Pure.

use std::collections::BTreeSet;

use mail_parser::{Address, MessageParser};

use crate::mailbox::MailboxError;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    sender: String,
    /// Without them there is no point in sending.
    recipients: BTreeSet<String>,
    /// Who gets a copy, and is none of the recipients.
    copies: BTreeSet<String>,
}

/// The commands that say who a mail is from and who gets it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Commands<'e> {
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    /// With the address that each names.
    pub(super) copies: Vec<(&'e str, String)>,
    /// Copies that this server has no way to take.
    pub(super) refused: Vec<String>,
}

impl Envelope {
    /// From the mail's own To, Cc and Bcc; bounces go to `sender`.
    pub(super) fn of(mime: &[u8], sender: &str) -> Result<Self, MailboxError> {
        let parsed = MessageParser::default().parse_headers(mime);
        let parsed = parsed.ok_or_else(|| unusable("the mail has no head"))?;
        let mut recipients = addresses(&[parsed.to()]);
        let mut copies = addresses(&[parsed.cc(), parsed.bcc()]);
        if recipients.is_empty() {
            recipients = std::mem::take(&mut copies);
        }
        if recipients.is_empty() {
            return Err(unusable("the mail is addressed to nobody"));
        }
        copies.retain(|address| !recipients.contains(address));
        if !recipients.iter().map(String::as_str).chain([sender]).all(is_plain) {
            return Err(unusable("an address of the mail cannot stand in a command"));
        }
        Ok(Self { sender: sender.to_owned(), recipients, copies })
    }

    /// What to say to a server that offers `offers` about a mail of `size` bytes.
    pub(super) fn commands(&self, offers: &[String], size: usize) -> Result<Commands<'_>, MailboxError> {
        let offered = |name: &str| offers.iter().any(|offer| offer.split(' ').next() == Some(name));
        let takes_letters = offered("SMTPUTF8");
        let is_ascii = self.sender.is_ascii() && self.recipients.iter().all(|address| address.is_ascii());
        if !is_ascii && !takes_letters {
            return Err(unusable("the server takes no addresses with letters beyond ASCII"));
        }
        let (copies, refused): (Vec<_>, Vec<_>) = self
            .copies
            .iter()
            .map(String::as_str)
            .partition(|address| is_plain(address) && (takes_letters || address.is_ascii()));
        let mut sender = format!("MAIL FROM:<{}>", self.sender);
        if offered("SIZE") {
            sender.push_str(&format!(" SIZE={size}"));
        }
        if !is_ascii || copies.iter().any(|address| !address.is_ascii()) {
            // RFC 6531, section 3.4.
            sender.push_str(" BODY=8BITMIME SMTPUTF8");
        }
        Ok(Commands {
            sender,
            recipients: self.recipients.iter().map(|address| recipient(address)).collect(),
            copies: copies.into_iter().map(|address| (address, recipient(address))).collect(),
            refused: refused.into_iter().map(str::to_owned).collect(),
        })
    }
}

fn recipient(address: &str) -> String {
    format!("RCPT TO:<{address}>")
}

fn addresses(lists: &[Option<&Address<'_>>]) -> BTreeSet<String> {
    let named = lists.iter().flatten().flat_map(|list| list.iter());
    named.filter_map(|mailbox| mailbox.address()).map(str::to_owned).collect()
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

    fn commands(mime: &str, offers: &[&str]) -> Result<(Vec<String>, Vec<String>), MailboxError> {
        let envelope = Envelope::of(mime.as_bytes(), SENDER)?;
        let offers: Vec<String> = offers.iter().map(|offer| (*offer).to_owned()).collect();
        let commands = envelope.commands(&offers, 9)?;
        let copies = commands.copies.into_iter().map(|(_, command)| command);
        let said = std::iter::once(commands.sender).chain(commands.recipients).chain(copies).collect();
        Ok((said, commands.refused))
    }

    #[test]
    fn everybody_named_gets_the_mail_once() {
        let mime = "To: A <a@x.example>\r\nCc: b@x.example, a@x.example\r\nSubject: s\r\n\r\nText\r\n";
        let (said, refused) = commands(mime, &[]).expect("an envelope");
        let expected = ["MAIL FROM:<help@desk.example>", "RCPT TO:<a@x.example>", "RCPT TO:<b@x.example>"];
        assert_eq!((said.as_slice(), refused.len()), (expected.map(str::to_owned).as_slice(), 0));
    }

    #[test]
    fn an_address_cannot_bring_a_command_along() {
        for to in ["\"a>\r\nDATA\"@x.example", "a@x.example>", "<a@x.example> x y"] {
            let to = to.replace("\r\n", "=0D=0A");
            for mime in
                [format!("To: {to}\r\n\r\nText\r\n"), format!("To: b@x.example\r\nCc: {to}\r\n\r\nText\r\n")]
            {
                if let Ok((said, _)) = commands(&mime, &[]) {
                    let is_one =
                        |line: &String| !line.contains(['\r', '\n']) && line.matches('>').count() == 1;
                    assert!(said.iter().all(is_one), "{to}");
                }
            }
        }
        assert!(!is_plain("a@x\r\nRCPT TO:<b@x>") && !is_plain("a b@x") && !is_plain("nobody"));
    }

    #[test]
    fn a_mail_to_nobody_is_refused() {
        assert!(commands("Subject: x\r\n\r\nText\r\n", &[]).is_err());
    }

    #[test]
    fn addresses_beyond_ascii_need_a_server_that_takes_them() {
        let mime = "To: j\u{f6}rg@x.example\r\n\r\nText\r\n";
        assert!(commands(mime, &["SIZE 100"]).is_err());
        let (said, _) = commands(mime, &["SMTPUTF8", "SIZE 100"]).expect("commands");
        assert_eq!(said[0], "MAIL FROM:<help@desk.example> SIZE=9 BODY=8BITMIME SMTPUTF8");
    }

    #[test]
    fn a_copy_that_the_server_has_no_way_to_take_keeps_nobody_else_from_the_mail() {
        let mime = "To: a@x.example\r\nCc: j\u{f6}rg@x.example, b@x.example\r\n\r\nText\r\n";
        let (said, refused) = commands(mime, &[]).expect("commands");
        assert_eq!(said, ["MAIL FROM:<help@desk.example>", "RCPT TO:<a@x.example>", "RCPT TO:<b@x.example>"]);
        assert_eq!(refused, ["j\u{f6}rg@x.example"]);
    }
}
