//! How far a folder has been read, as text; and the names of mails. Pure.

use crate::mailbox::MailboxError;

/// Everything up to `uid` of the folder's present life has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor<'f> {
    pub(super) validity: u32,
    pub(super) uid: u32,
    pub(super) folder: &'f str,
}

impl<'f> Cursor<'f> {
    pub(super) fn text(&self) -> String {
        format!("{}:{}:{}", self.validity, self.uid, self.folder)
    }

    /// `CursorLost` for whatever is no cursor: another kind of mailbox may have had the row before.
    pub(super) fn parse(text: &'f str) -> Result<Self, MailboxError> {
        let mut parts = text.splitn(3, ':');
        let mut number = || parts.next().and_then(|part| part.parse().ok());
        match (number(), number(), parts.next()) {
            (Some(validity), Some(uid), Some(folder)) => Ok(Self { validity, uid, folder }),
            _ => Err(MailboxError::CursorLost),
        }
    }
}

/// `uidvalidity:uid`.
pub(super) fn key(validity: u32, uid: u32) -> String {
    format!("{validity}:{uid}")
}

pub(super) fn parse_key(key: &str) -> Option<(u32, u32)> {
    let (validity, uid) = key.split_once(':')?;
    Some((validity.parse().ok()?, uid.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_whatever_the_folder_is_called() {
        for folder in ["INBOX", "a:b", ""] {
            let cursor = Cursor { validity: 7, uid: 9, folder };
            assert_eq!(Cursor::parse(&cursor.text()).expect("a cursor"), cursor);
        }
    }

    #[test]
    fn the_cursor_of_another_kind_of_mailbox_is_lost() {
        for text in ["https://graph.microsoft.com/v1.0/me", "", "7", "7:9", "7:x:INBOX", "-1:2:INBOX"] {
            assert!(matches!(Cursor::parse(text), Err(MailboxError::CursorLost)), "{text}");
        }
    }

    #[test]
    fn a_key_names_a_mail_in_one_life_of_its_folder() {
        assert_eq!(parse_key(&key(7, 9)), Some((7, 9)));
        assert_eq!(parse_key("AAMkAD="), None);
    }
}
