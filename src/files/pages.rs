//! The two pages: a mail as text with what it brought, and the frame around a mail's own page. Without
//! scripts; texts of strangers are escaped by the template engine.

use askama::Template;
use tracing::error;

use super::Refusal;
use crate::base::report::Report;
use crate::mail::{Mailbox, Message};
use crate::store::FileRow;
use crate::web::own::{mail_file_path, mail_path};

#[derive(Template)]
#[template(
    ext = "html",
    source = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<style>{{ crate::web::plain::STYLE|safe }}</style>
{% if let Some(text) = text -%}
<title>{{ text.subject }}</title>
<main>
<h1>{{ text.subject }}</h1>
<dl>
{%- for (what, who) in text.people %}
<dt>{{ what }}</dt><dd>{{ who }}</dd>
{%- endfor %}
</dl>
<p>{% if text.has_page %}<a href=\"{{ place }}/page\">As its author designed it</a> (without pictures from elsewhere) · {% endif -%}
<a href=\"{{ place }}/original.eml\">As it came (.eml)</a></p>
{%- else -%}
<title>Mail</title>
<main>
<h1>Mail</h1>
<p>The mail itself is not kept any more.</p>
{%- endif %}
{% if !files.is_empty() -%}
<h2>Files</h2>
<ul>
{%- for file in files %}
<li>{% if let Some(path) = file.path %}<a href=\"{{ path }}\">{{ file.name }}</a>{% else %}{{ file.name }}{% endif %} ({{ file.size }} bytes
{%- if file.path.is_none() %}; not kept: too large{% endif %})</li>
{%- endfor %}
</ul>
{%- endif %}
{% if let Some(text) = text -%}
<hr>
<pre>{{ text.text }}</pre>
{%- endif %}
</main>
</html>
"
)]
struct MailPage<'a> {
    place: String,
    text: Option<Text<'a>>,
    files: Vec<File<'a>>,
}

struct Text<'a> {
    subject: &'a str,
    people: Vec<(&'static str, String)>,
    text: &'a str,
    has_page: bool,
}

struct File<'a> {
    name: &'a str,
    size: u64,
    /// `None` when it was not kept.
    path: Option<String>,
}

/// `message` with whether it has a page of its own; `None` when its bytes are gone.
pub(super) fn mail(id: i64, message: Option<(Message, bool)>, files: &[FileRow]) -> Result<String, Refusal> {
    let text = message.as_ref().map(|(message, has_page)| Text {
        subject: if message.subject.is_empty() { "(no subject)" } else { &message.subject },
        people: people(message),
        text: &message.text,
        has_page: *has_page,
    });
    let files = files.iter().map(|file| File {
        name: &file.name,
        size: file.size,
        path: file.digest.as_ref().map(|_| mail_file_path(id, file.position, &file.name)),
    });
    let page = MailPage { place: mail_path(id), text, files: files.collect() };
    page.render().map_err(|failure| {
        error!(error = %Report(&failure), "the page of a mail could not be written");
        Refusal::Unreadable
    })
}

fn people(message: &Message) -> Vec<(&'static str, String)> {
    let listed = |people: &[Mailbox]| people.iter().map(shown).collect::<Vec<_>>().join(", ");
    let from = message.from.as_ref().map(shown).unwrap_or_default();
    let date = message.date.map(|at| at.rfc3339().replace('T', " ").replace('Z', " UTC")).unwrap_or_default();
    let lines = [("From", from), ("To", listed(&message.to)), ("Cc", listed(&message.cc)), ("Date", date)];
    lines.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn shown(one: &Mailbox) -> String {
    if one.name.is_empty() { one.address.clone() } else { format!("{} <{}>", one.name, one.address) }
}

/// A page around a fragment that is harmless already, in whatever language.
pub(super) fn framed(fragment: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"und\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Mail</title>\n<body>\n<main>\n{fragment}\n</main>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::read::read;

    #[test]
    fn what_a_stranger_wrote_is_text() {
        let raw = "From: \"<b>Eve\" <eve@x.example>\r\nSubject: <script>alert(1)</script>\r\n\r\n</pre><img src=x onerror=y>\r\n";
        let message = read(raw.as_bytes()).expect("a mail");
        let evil = FileRow {
            position: 1,
            name: "<i>\".html".to_owned(),
            media_type: "text/html".to_owned(),
            size: 3,
            digest: Some("d".to_owned()),
        };
        let refused = FileRow { position: 2, name: "big.iso".to_owned(), digest: None, ..evil.clone() };
        let html = mail(7, Some((message, true)), &[evil, refused]).expect("a page");
        for bad in ["<script", "<b>", "<img", "<i>", "</pre><"] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        for part in [
            "/mail-files/7/page\"",
            "/mail-files/7/original.eml\"",
            "/mail-files/7/1/_i__.html\"",
            "big.iso (3 bytes; not kept",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn a_mail_that_is_gone_still_lists_its_files() {
        let html = mail(7, None, &[]).expect("a page");
        assert!(html.contains("not kept any more") && !html.contains("original.eml"), "{html}");
    }
}
