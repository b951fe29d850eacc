//! What lies in a raw mail besides its text: the bytes of its files, its HTML page and the pictures in it.
//! Nothing is decoded further than the mail's own transfer encoding; nothing is fetched.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{MimeHeaders, PartType};

use super::{Limits, ReadError, attachment, parse, readable, repair};
use crate::mail::message_id;

/// The page of a mail, as its author sent it: nothing in it can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub html: String,
    pub pictures: Vec<Picture>,
}

/// A part that the page may name as `cid:…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Without angle brackets.
    pub content_id: String,
    pub bytes: Vec<u8>,
}

/// The bytes of [`crate::mail::Message::attachments`], in their order.
///
/// # Errors
/// As for reading the mail.
pub fn files(raw: &[u8], limits: &Limits) -> Result<Vec<Vec<u8>>, ReadError> {
    guarded(|| {
        let raw = &readable(raw, limits)?;
        let mail = parse(raw)?;
        Ok(attachment::contents(&mail))
    })
}

/// The HTML of the mail; `None` when it has none.
///
/// # Errors
/// As for reading the mail.
pub fn page(raw: &[u8], limits: &Limits) -> Result<Option<Page>, ReadError> {
    guarded(|| {
        let raw = &readable(raw, limits)?;
        let mail = parse(raw)?;
        // A plain text in the place of a page is no page.
        let pages: Vec<_> = mail
            .html_bodies()
            .filter_map(|part| match &part.body {
                PartType::Html(html) => Some(repair::text(&mail, part, html).to_string()),
                _ => None,
            })
            .collect();
        if pages.is_empty() {
            return Ok(None);
        }
        let pictures = mail.attachments().filter_map(|part| {
            let content_id = message_id::normalise(part.content_id()?)?;
            Some(Picture { content_id, bytes: part.contents().to_vec() })
        });
        Ok(Some(Page { html: pages.join("\n"), pictures: pictures.collect() }))
    })
}

fn guarded<T>(read: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(ReadError::Panicked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::read::read;

    const MAIL: &str = "From: a@x.example\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
        --r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>See <img src=\"cid:logo@x\"></p>\r\n\
        --r\r\nContent-Type: image/png\r\nContent-ID: <logo@x>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n\
        --r\r\nContent-Type: text/plain; name=notes.txt\r\nContent-Disposition: attachment\r\n\r\nnotes\r\n--r--\r\n";

    #[test]
    fn files_are_the_bytes_behind_the_names() {
        let files = files(MAIL.as_bytes(), &Limits::default()).expect("a mail");
        let names = read(MAIL.as_bytes()).expect("a mail").attachments;
        assert_eq!(files.len(), names.len());
        assert_eq!(files, [&b"\x89PNG\r\n\x1a\n"[..], b"notes"]);
    }

    #[test]
    fn a_file_written_into_the_text_is_one_too() {
        let mail = "From: a@x.example\r\n\r\nSee:\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n";
        assert_eq!(read(mail.as_bytes()).expect("a mail").attachments[0].name, "a.txt");
        assert_eq!(files(mail.as_bytes(), &Limits::default()).expect("a mail"), [b"Cat"]);
    }

    #[test]
    fn a_page_comes_with_the_pictures_it_names() {
        let page = page(MAIL.as_bytes(), &Limits::default()).expect("a mail").expect("a page");
        assert!(page.html.contains("cid:logo@x"), "{}", page.html);
        assert_eq!(page.pictures.len(), 1);
        assert_eq!(page.pictures[0].content_id, "logo@x");
    }

    #[test]
    fn a_plain_mail_has_no_page_and_no_files() {
        let mail = b"From: a@x.example\r\n\r\nHello <b>you</b>\r\n";
        assert_eq!(page(mail, &Limits::default()), Ok(None));
        assert_eq!(files(mail, &Limits::default()), Ok(Vec::new()));
    }

    #[test]
    fn what_is_too_much_to_read_is_refused_here_too() {
        let few = Limits { parts: 1, ..Limits::default() };
        assert_eq!(files(MAIL.as_bytes(), &few), Err(ReadError::TooManyParts { limit: 1 }));
        assert_eq!(page(b"", &Limits::default()), Err(ReadError::NotAMail));
    }
}
