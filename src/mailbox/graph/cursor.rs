//! How far a folder has been read, as text: Graph's link, whose place it is, and from when on mail is wanted while
//! the folder is listed for the first time. Pure.

use super::Place;
use crate::base::clock::Timestamp;
use crate::mailbox::MailboxError;

/// Between the parts; no folder's name has it.
const MARK: char = '\n';
/// Before the moment. A place has a slash in it, and a link is a URL.
const SINCE: &str = "since ";

/// Where a listing goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor<'c> {
    /// Older mail is left out; `None` once the folder has been listed whole.
    pub(super) floor: Option<Timestamp>,
    pub(super) link: &'c str,
}

impl<'c> Cursor<'c> {
    /// The link alone for a user's own inbox that has been listed whole.
    pub(super) fn text(&self, place: &Place) -> String {
        let floor = self.floor.map_or_else(String::new, |floor| format!("{SINCE}{}{MARK}", floor.0));
        let place = name(place).map_or_else(String::new, |name| format!("{name}{MARK}"));
        format!("{floor}{place}{}", self.link)
    }

    /// `CursorLost` for one that was made for another folder or mailbox.
    pub(super) fn parse(place: &Place, text: &'c str) -> Result<Self, MailboxError> {
        let (floor, rest) = match text.strip_prefix(SINCE).and_then(|rest| rest.split_once(MARK)) {
            Some((moment, rest)) => {
                let moment = moment.parse().map_err(|_| MailboxError::CursorLost)?;
                (Some(Timestamp(moment)), rest)
            }
            None => (None, text),
        };
        let (made_for, link) = match rest.split_once(MARK) {
            Some((place, link)) => (Some(place), link),
            None => (None, rest),
        };
        let same = made_for == name(place).as_deref();
        if same { Ok(Self { floor, link }) } else { Err(MailboxError::CursorLost) }
    }
}

fn name(place: &Place) -> Option<String> {
    let shared = place.shared_address.as_deref().unwrap_or_default();
    let folder = place.folder.as_deref().unwrap_or_default();
    (!shared.is_empty() || !folder.is_empty()).then(|| format!("{shared}/{folder}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://graph.microsoft.com/v1.0/me/mailFolders/inbox/messages/delta?$skiptoken=x";

    fn places() -> [Place; 3] {
        let shared = Place { shared_address: Some("info@desk.example".to_owned()), ..Place::default() };
        let folder = Place { folder: Some("since 1/Today".to_owned()), ..Place::default() };
        [Place::default(), shared, folder]
    }

    #[test]
    fn a_cursor_survives_its_text_and_is_lost_at_every_other_place() {
        for (at, place) in places().iter().enumerate() {
            for floor in [None, Some(Timestamp(1_795_219_323_000))] {
                let cursor = Cursor { floor, link: LINK };
                let text = cursor.text(place);
                for (other, elsewhere) in places().iter().enumerate() {
                    let read = Cursor::parse(elsewhere, &text).ok();
                    assert_eq!(read, (at == other).then_some(cursor), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_link_alone_is_the_inboxs_and_has_no_floor() {
        let read = Cursor::parse(&Place::default(), LINK).expect("a cursor");
        assert_eq!(read, Cursor { floor: None, link: LINK });
    }
}
