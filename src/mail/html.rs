//! HTML mail as plain text. Quotes come out as `> ` lines, links keep their target; nothing is fetched.

use std::collections::HashMap;

use html2text::RcDom;
use html2text::config::with_decorator;
use html2text::render::TextDecorator;
use mail_parser::decoders::html::html_to_text;

use super::html_quote;

/// More HTML than this is not laid out, only stripped of its tags.
pub(super) const LARGEST: usize = 512 * 1024;
/// The layout's time grows with the square of the depth.
const DEEPEST: usize = 500;
const MOST_TAGS: usize = 20_000;
/// Wide enough that a paragraph stays one line.
const WIDTH: usize = 4_000;
const LONGEST_TARGET: usize = 300;

/// The text of `html`. Always answers: what cannot be laid out within bounds is only stripped of tags.
pub fn to_text(html: &str) -> String {
    let laid_out = if within_bounds(html) { lay_out(html) } else { None };
    laid_out.unwrap_or_else(|| html_to_text(html))
}

/// The text of what is new in `html`: without the older mail and the signature that clients mark; the whole
/// text when nothing else would be left.
pub fn new_text(html: &str) -> String {
    let new = if within_bounds(html) { lay_out_part(html, html_quote::remove) } else { None };
    new.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| to_text(html))
}

fn lay_out(html: &str) -> Option<String> {
    lay_out_part(html, |_| {})
}

/// Lays the page out after `change`.
fn lay_out_part(html: &str, change: impl FnOnce(&RcDom)) -> Option<String> {
    let config = with_decorator(Plain { target: None })
        .raw_mode(true)
        .link_footnotes(false)
        .allow_width_overflow()
        .unicode_strikeout(false);
    let page = config.parse_html(rules_apart(html).as_bytes()).ok()?;
    change(&page);
    let tree = config.dom_to_render_tree(&page).ok()?;
    let text = config.render_to_string(tree, WIDTH).ok()?;
    Some(without_gaps(&without_doubled_targets(&text)))
}

/// Outlook's empty paragraphs hold a space that does not break, others three breaks: one empty line says as much.
fn without_gaps(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for line in text.lines() {
        let is_blank = line.trim().is_empty();
        if !(is_blank && gap) {
            out.push_str(if is_blank { "" } else { line });
            out.push('\n');
        }
        gap = is_blank;
    }
    out
}

/// A rule begins a new line; the layout would put what follows it behind what stands before it.
fn rules_apart(html: &str) -> String {
    let mut pieces = html.split('<');
    let mut apart = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let text_before = !apart.trim_end().ends_with('>');
        if text_before && name_of(piece) == "hr" {
            apart.push_str("<br>");
        }
        apart.push('<');
        apart.push_str(piece);
    }
    apart
}

/// Whether tags and depth stay small. An end tag counts only against its own name, so that made-up end
/// tags do not hide depth; elements that are often left open count as flat.
pub(super) fn within_bounds(html: &str) -> bool {
    if html.len() > LARGEST {
        return false;
    }
    let mut open: HashMap<String, usize> = HashMap::new();
    let (mut tags, mut depth) = (0usize, 0usize);
    for piece in html.split('<').skip(1) {
        tags += 1;
        let (closes, tag) = piece.strip_prefix('/').map_or((false, piece), |tag| (true, tag));
        let name = name_of(tag);
        if closes {
            if let Some(count) = open.get_mut(&name).filter(|count| **count > 0) {
                *count -= 1;
                depth -= 1;
            }
        } else if !name.is_empty() && !FLAT.contains(&name.as_str()) {
            *open.entry(name).or_default() += 1;
            depth += 1;
        }
        if tags > MOST_TAGS || depth > DEEPEST {
            return false;
        }
    }
    true
}

fn name_of(tag: &str) -> String {
    tag.chars().take_while(char::is_ascii_alphanumeric).take(20).collect::<String>().to_ascii_lowercase()
}

/// Elements without an end tag (HTML Living Standard, 13.1.2), and two whose end tag is optional.
const FLAT: [&str; 12] =
    ["br", "img", "hr", "meta", "link", "input", "col", "wbr", "base", "area", "p", "li"];

/// `https://a.example <https://a.example>` tells nothing twice.
fn without_doubled_targets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(" <http") {
        let (before, after) = rest.split_at(at);
        let Some(end) = after.find('>') else { break };
        out.push_str(before);
        if !before.ends_with(after[2..end].trim_end_matches('/')) {
            out.push_str(&after[..=end]);
        }
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    out
}

/// Shows a link's target after its text, quotes as `> `, lists as lists, and nothing else.
struct Plain {
    target: Option<String>,
}

const NOTHING: (String, ()) = (String::new(), ());

impl TextDecorator for Plain {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, ()) {
        let web = url.starts_with("https://") || url.starts_with("http://");
        let short =
            url.len() <= LONGEST_TARGET && !url.contains(|one: char| one.is_whitespace() || one == '>');
        self.target = (web && short).then(|| url.to_owned());
        NOTHING
    }
    fn decorate_link_end(&mut self) -> String {
        self.target.take().map(|url| format!(" <{url}>")).unwrap_or_default()
    }
    fn decorate_em_start(&self) -> (String, ()) {
        NOTHING
    }
    fn decorate_em_end(&self) -> String {
        String::new()
    }
    fn decorate_strong_start(&self) -> (String, ()) {
        NOTHING
    }
    fn decorate_strong_end(&self) -> String {
        String::new()
    }
    fn decorate_strikeout_start(&self) -> (String, ()) {
        NOTHING
    }
    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }
    fn decorate_code_start(&self) -> (String, ()) {
        NOTHING
    }
    fn decorate_code_end(&self) -> String {
        String::new()
    }
    fn decorate_preformat_first(&self) {}
    fn decorate_preformat_cont(&self) {}
    fn decorate_image(&mut self, _src: &str, title: &str) -> (String, ()) {
        (if title.is_empty() { String::new() } else { format!("[{title}]") }, ())
    }
    fn header_prefix(&self, _level: usize) -> String {
        String::new()
    }
    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }
    fn unordered_item_prefix(&self) -> String {
        "- ".to_owned()
    }
    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }
    fn make_subblock_decorator(&self) -> Self {
        Plain { target: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_as_text_with_quotes_lists_and_targets() {
        let html = "<p>Hello <b>you</b>,<br>see <a href='https://x.example/a'>this</a></p><ul><li>one<li>two</ul>\
                    <style>p{}</style><script>alert(1)</script>\
                    <div>On Monday Ada wrote:</div><blockquote>quoted<br>text</blockquote>";
        let text = to_text(html);
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        let wanted = [
            "Hello you,",
            "see this <https://x.example/a>",
            "- one",
            "- two",
            "On Monday Ada wrote:",
            "> quoted",
            "> text",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn what_stands_below_a_rule_is_a_line_of_its_own() {
        let text = to_text("<div>Bob<hr><b>From: </b>ada@x.example<br>Sent: Friday</div>");
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["Bob", "From: ada@x.example", "Sent: Friday"]);
    }

    #[test]
    fn empty_paragraphs_are_one_empty_line() {
        let text = to_text("<p>Hello,</p><p>&nbsp;</p><p> </p><br><br><p>it smokes.</p>");
        assert_eq!(text, "Hello,\n\nit smokes.\n");
    }

    #[test]
    fn a_target_that_is_its_own_text_is_told_once() {
        let text =
            to_text("<a href='https://x.example/'>https://x.example</a> and <a href='javascript:x'>y</a>");
        assert_eq!(text.trim(), "https://x.example and y");
    }

    #[test]
    fn deep_and_endless_pages_are_stripped_instead_of_laid_out() {
        for part in ["<div>", "<blockquote>", "<ul><li>", "<div><table><tr><td></div></td></tr></table>", "<"]
        {
            let html = format!("{}end", part.repeat(60_000));
            assert!(!within_bounds(&html), "{part}");
            to_text(&html);
        }
    }
}
