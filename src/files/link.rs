//! The paths below `/mail-files`, byte for byte: what does not read exactly so is nothing.
//!
//! `/mail-files/<mail>` is the mail, `…/page` its page, `…/original.eml` its bytes, `…/<n>/<name>` a file. The
//! worker writes the same paths into tickets (`web::own` has them both).

use crate::web::own::MAIL_FILES;

pub(super) use crate::web::own::plain_name as name;

/// A mail, and what of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The ledger's id.
    pub(super) mail: i64,
    pub(super) wanted: Wanted,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Mail,
    Page,
    Original,
    File { position: u32, name: String },
}

impl Place {
    /// `path` as it was sent.
    pub(super) fn of(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(MAIL_FILES)?.strip_prefix('/')?;
        let mut segments = rest.split('/');
        let mail = number(segments.next()?)?;
        let segments: Vec<&str> = segments.collect();
        let wanted = match segments.as_slice() {
            [] => Wanted::Mail,
            ["page"] => Wanted::Page,
            ["original.eml"] => Wanted::Original,
            [position, name] => {
                Wanted::File { position: u32::try_from(number(position)?).ok()?, name: (*name).to_owned() }
            }
            _ => return None,
        };
        Some(Self { mail, wanted })
    }
}

/// One spelling per number: no sign, no zero in front.
fn number(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_means_one_thing() {
        let file = |position, name: &str| Wanted::File { position, name: name.to_owned() };
        for (path, wanted) in [
            ("/mail-files/7", Wanted::Mail),
            ("/mail-files/7/page", Wanted::Page),
            ("/mail-files/7/original.eml", Wanted::Original),
            ("/mail-files/7/2/invoice.pdf", file(2, "invoice.pdf")),
        ] {
            assert_eq!(Place::of(path), Some(Place { mail: 7, wanted }), "{path}");
        }
    }

    #[test]
    fn everything_else_is_nothing() {
        for path in [
            "/mail-files",
            "/mail-files/",
            "/mail-files/7/",
            "/mail-files/07",
            "/mail-files/+7",
            "/mail-files/-7",
            "/mail-files/7x",
            "/mail-files/99999999999999999999",
            "/mail-files/7/99999999999/a",
            "/mail-files/7/PAGE",
            "/Mail-Files/7",
            "/de/mail-files/7",
            "/mail-files/7/1",
            "/mail-files/7/1/a/b",
            "/mail-files/7/../8",
            "/mail-files/%37",
            "/mail-files/7;x",
        ] {
            assert_eq!(Place::of(path), None, "{path}");
        }
    }
}
