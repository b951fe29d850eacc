//! The page of a mail made harmless: no script, no form, no style sheet, and nothing that is fetched.
//!
//! Its own pictures are put into it, so that whoever shows the page can forbid it to load anything. What a
//! browser is told besides is not known here.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use ammonia::{Builder, UrlRelative};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::html::within_bounds;
use super::picture;
use super::read::contents::{Page, Picture};

/// Bytes of pictures in one page, each counted as often as it is shown.
const MOST_PICTURES: usize = 16 << 20;

/// What old clients write instead of styles.
const LOOKS: [&str; 11] = [
    "align",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "color",
    "face",
    "height",
    "size",
    "valign",
    "width",
];

/// None of them takes an address.
const STYLES: [&str; 26] = [
    "background-color",
    "border",
    "border-bottom",
    "border-collapse",
    "border-color",
    "border-left",
    "border-radius",
    "border-right",
    "border-spacing",
    "border-top",
    "color",
    "direction",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "line-height",
    "margin",
    "padding",
    "text-align",
    "text-decoration",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
];

/// A fragment for the body of a page; `None` when the page is too large or too deep to be looked at.
pub fn sanitised(page: Page) -> Option<String> {
    if !within_bounds(&page.html) {
        return None;
    }
    let pictures = Pictures::new(page.pictures);
    let mut builder = Builder::default();
    builder
        .add_tags(["font"])
        .rm_tags(["area", "map"])
        .add_generic_attributes(["dir", "style"])
        // Markup hides in it from whoever reads the page a second time.
        .rm_generic_attributes(["title"])
        .filter_style_properties(STYLES.into())
        .url_schemes(["http", "https", "mailto", "tel", "cid"].into())
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(move |element, attribute, value| match (element, attribute) {
            ("img", "src") => pictures.shown(value).map(Cow::Owned),
            (_, "href" | "cite") if is_cid(value) => None,
            (_, "style") if names_address(value) => None,
            _ => Some(Cow::Borrowed(value)),
        });
    for tag in ["table", "tbody", "thead", "tr", "td", "th", "font", "img", "p", "div"] {
        builder.add_tag_attributes(tag, LOOKS);
    }
    Some(builder.clean(&page.html).to_string())
}

fn is_cid(value: &str) -> bool {
    value.trim_start().get(..4).is_some_and(|start| start.eq_ignore_ascii_case("cid:"))
}

/// Whether a style may fetch something. No style that is let through takes an address, but browsers change.
fn names_address(style: &str) -> bool {
    let style = style.to_ascii_lowercase();
    ["url", "image", "src", "\\", "/*"].iter().any(|sign| style.contains(sign))
}

/// The mail's own pictures as `data:` addresses.
struct Pictures {
    by_id: HashMap<String, String>,
    left: AtomicUsize,
}

impl Pictures {
    fn new(pictures: Vec<Picture>) -> Self {
        let known = pictures.into_iter().filter_map(|one| {
            let media_type = picture::media_type(&one.bytes)?;
            Some((one.content_id, format!("data:{media_type};base64,{}", STANDARD.encode(&one.bytes))))
        });
        Self { by_id: known.collect(), left: AtomicUsize::new(MOST_PICTURES) }
    }

    /// What stands in the place of an address; `None` for pictures from elsewhere.
    fn shown(&self, address: &str) -> Option<String> {
        let id = is_cid(address).then(|| &address.trim_start()[4..])?;
        let id = percent_decode_str(id.trim_end()).decode_utf8().ok()?;
        let shown = self.by_id.get(&*id)?;
        let room = |left: usize| left.checked_sub(shown.len());
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok()?;
        Some(shown.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    fn made(html: &str, pictures: &[(&str, &[u8])]) -> String {
        let pictures = pictures
            .iter()
            .map(|(id, bytes)| Picture { content_id: (*id).to_owned(), bytes: bytes.to_vec() });
        sanitised(Page { html: html.to_owned(), pictures: pictures.collect() }).expect("within bounds")
    }

    #[test]
    fn what_runs_or_loads_is_gone_and_the_words_stay() {
        let hostile = [
            "<script>alert(1)</script>words",
            "words<img src=x onerror=alert(1)>",
            "<svg onload=alert(1)><p>words",
            "<a href=\"javascript:alert(1)\">words</a>",
            "<a href=\" java\nscript:alert(1)\">words</a>",
            "<a href=\"data:text/html,<script>alert(1)</script>\">words</a>",
            "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>words",
            "<style>@import 'https://evil.example/x'</style>words",
            "<link rel=stylesheet href=https://evil.example/x>words",
            "<meta http-equiv=refresh content='0;url=https://evil.example/'>words",
            "<base href=https://evil.example/>words",
            "<form action=https://evil.example/><input name=a>words</form>",
            "<p style=\"background:url(https://evil.example/x);color:red\">words</p>",
            "<p style=\"background-color:url(https://evil.example/x)\">words</p>",
            "<img src=https://evil.example/pixel.png>words",
            "<img srcset=https://evil.example/pixel.png>words",
            "<img src=/api/v1/auth/user/1/logout>words",
            "<img src=//evil.example/x>words",
            "<video poster=https://evil.example/x></video>words",
            "<table background=https://evil.example/x><tr><td>words</table>",
            "<object data=https://evil.example/x></object>words",
            "words<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">words</noscript>",
        ];
        for html in hostile {
            let safe = made(html, &[]);
            assert!(safe.contains("words"), "{html}: {safe}");
            for bad in [
                "<script",
                "onerror=alert",
                "<iframe",
                "<style",
                "<form",
                "evil.example",
                "javascript",
                "src=",
            ] {
                assert!(!safe.contains(bad), "{html}: {safe}");
            }
        }
    }

    #[test]
    fn a_picture_of_the_mail_is_in_the_page() {
        let safe = made("<img alt=Logo src=\"cid:logo%40x\"><img src=CID:logo@x>", &[("logo@x", PNG)]);
        assert_eq!(safe.matches("src=\"data:image/png;base64,iVBORw0KGgo=\"").count(), 2, "{safe}");
    }

    #[test]
    fn a_part_that_is_no_picture_is_not_in_the_page() {
        let safe = made("<img src=\"cid:x\"><a href=\"cid:x\">x</a>", &[("x", b"<svg onload=alert(1)>")]);
        assert!(!safe.contains("data:") && !safe.contains("cid:"), "{safe}");
    }

    #[test]
    fn a_picture_shown_a_thousand_times_does_not_fill_the_memory() {
        let large = [PNG, &vec![0; 1 << 20]].concat();
        let safe = made(&"<img src=\"cid:x\">".repeat(1_000), &[("x", &large)]);
        assert!(safe.len() < MOST_PICTURES + 100_000, "{} bytes", safe.len());
    }

    #[test]
    fn looks_survive() {
        let safe = made(
            "<p style=\"color:red\"><font color=blue>b</font> <a href=https://a.example/>l</a></p>",
            &[],
        );
        for part in ["color:red", "color=\"blue\"", "href=\"https://a.example/\"", "noreferrer"] {
            assert!(safe.contains(part), "{part}: {safe}");
        }
    }

    #[test]
    fn a_page_too_deep_is_left_alone() {
        assert_eq!(sanitised(Page { html: "<div>".repeat(5_000), pictures: Vec::new() }), None);
    }
}
