//! The new part of an HTML mail: what clients mark as an older mail or as a signature is taken out of the
//! page. Knows the marks, not the words; quotes that are marked as such stay, text shows them with `>`.

use html2text::{Comment, Element, Handle, RcDom};

use super::quote;

/// Elements that hold the older mail, by class.
const QUOTES: [&str; 10] = [
    "gmail_quote",
    "gmail_quote_container",
    "yahoo_quoted",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "moz-cite-prefix",
    "moz-email-headers-table",
    "gmail_extra_quote",
    "outlookmessageheader",
];

/// The same by id.
const QUOTE_IDS: [&str; 3] =
    ["olk_src_body_section", "mail-editor-reference-message-container", "replywithinheader"];

/// Outlook's: the older mail is everything below.
const ENDS: [&str; 2] = ["appendonsend", "divrplyfwdmsg"];

const SIGNATURES: [&str; 5] = [
    "gmail_signature",
    "gmail_signature_prefix",
    "moz-signature",
    "protonmail_signature_block",
    "ms-outlook-mobile-signature",
];

/// Takes the older mail and the signature out of the page. What is followed by text of the writer's is
/// left: he answers in it.
pub(super) fn remove(page: &RcDom) {
    cut_below_end(&page.document);
    remove_marked(&page.document, &mut false);
}

/// Removes the first element after which there is only the older mail, and all that follows it. Returns
/// whether it was within `node`.
fn cut_below_end(node: &Handle) -> bool {
    let children = node.children.borrow().clone();
    for (at, child) in children.iter().enumerate() {
        if has_id(child, &ENDS) {
            node.children.borrow_mut().truncate(at);
            return true;
        }
        if cut_below_end(child) {
            node.children.borrow_mut().truncate(at + 1);
            return true;
        }
    }
    false
}

/// From the end to the beginning, so that it is known of each quote whether text follows it.
fn remove_marked(node: &Handle, text_follows: &mut bool) {
    let children = node.children.borrow().clone();
    let mut kept: Vec<Handle> = Vec::new();
    for child in children.into_iter().rev() {
        if is_signature(&child) {
            continue;
        }
        if is_quote(&child) {
            if *text_follows || quote::begins_forward(&text_of(&child)) {
                kept.push(child);
            }
            continue;
        }
        if let Some(text) = text_in(&child) {
            *text_follows |= !text.trim().is_empty();
        } else if !is_hidden(&child) {
            remove_marked(&child, text_follows);
        }
        kept.push(child);
    }
    kept.reverse();
    *node.children.borrow_mut() = kept;
}

fn is_quote(node: &Handle) -> bool {
    has_class(node, &QUOTES) || has_id(node, &QUOTE_IDS)
}

fn is_signature(node: &Handle) -> bool {
    has_class(node, &SIGNATURES) || has_id(node, &SIGNATURES)
}

fn is_hidden(node: &Handle) -> bool {
    node.element_name().is_some_and(|name| ["head", "style", "script", "title"].contains(&name.as_str()))
}

fn has_class(node: &Handle, names: &[&str]) -> bool {
    attribute(node, "class")
        .is_some_and(|classes| classes.split_whitespace().any(|class| is_one_of(class, names)))
}

fn has_id(node: &Handle, names: &[&str]) -> bool {
    attribute(node, "id").is_some_and(|id| is_one_of(&id, names))
}

/// Outlook on the web renames what it shows: `x_gmail_quote`, `x_x_gmail_quote`.
fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.contains(&name.trim_start_matches("x_").to_ascii_lowercase().as_str())
}

pub(super) fn attribute(node: &Handle, name: &str) -> Option<String> {
    let Element { attrs, .. } = &node.data else { return None };
    let attributes = attrs.borrow();
    attributes.iter().find(|one| &*one.name.local == name).map(|one| one.value.to_string())
}

/// What text is written as in markup (HTML Living Standard, 13.3), the ampersand last.
const ESCAPES: [(&str, &str); 4] = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];

/// The text of a node that is nothing else.
pub(super) fn text_in(node: &Handle) -> Option<String> {
    if matches!(node.data, Element { .. } | Comment { .. }) || !node.children.borrow().is_empty() {
        return None;
    }
    let mut markup = Vec::new();
    node.serialize(&mut markup).ok()?;
    let text = String::from_utf8_lossy(&markup);
    Some(ESCAPES.iter().fold(text.into_owned(), |text, (escape, character)| text.replace(escape, character)))
}

/// The beginning of what an element says.
fn text_of(node: &Handle) -> String {
    const ENOUGH: usize = 200;
    let mut text = String::new();
    let mut open = vec![node.clone()];
    while let Some(next) = open.pop() {
        text.push_str(&text_in(&next).unwrap_or_default());
        if text.len() >= ENOUGH {
            break;
        }
        open.extend(next.children.borrow().iter().rev().cloned());
    }
    text.trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use crate::mail::html::new_text;

    #[test]
    fn every_client_s_mark_ends_the_new_part() {
        let pages = [
            "<div>New.</div><div class=\"gmail_quote\"><div class=\"gmail_attr\">Unbekannt &lt;b@d.example&gt;</div><blockquote>Old</blockquote></div>",
            "<div>New.</div><div class=\"x_x_gmail_quote\">Old</div>",
            "<div>New.<div class=\"gmail_signature\">Ada</div></div><div class=\"gmail_quote\">Old</div>",
            "<div>New.</div><div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\">Od: B</div><div>Old</div>",
            "<div><div>New.</div><div id=\"x_divRplyFwdMsg\">Von: B</div></div><div>Old</div>",
            "<div>New.</div><span id=\"OLK_SRC_BODY_SECTION\"><div>Old</div></span>",
            "<div>New.</div><div id=\"ydp1\" class=\"yahoo_quoted\">Old</div>",
            "<div>New.</div><div class=\"protonmail_signature_block\">Sent with Proton</div><div class=\"protonmail_quote\">Old</div>",
            "<div>New.</div><div class=\"zmail_extra\">Old</div>",
            "<div>New.</div><div id=\"ms-outlook-mobile-signature\">Get it</div><div id=\"mail-editor-reference-message-container\">Old</div>",
            "<p>New.</p><div class=\"moz-cite-prefix\">01.01.26, B:</div>",
        ];
        for page in pages {
            assert_eq!(new_text(page).trim(), "New.", "{page}");
        }
    }

    #[test]
    fn what_is_answered_within_or_passed_on_stays() {
        let inline = "<div class=\"gmail_quote\"><blockquote>Which?</blockquote></div><div>This one.</div>";
        assert!(new_text(inline).contains("Which?") && new_text(inline).contains("This one."));
        let forward = "<div>See.</div><div class=\"gmail_quote\">---------- Forwarded message ---------<br>Price: 5</div>";
        assert!(new_text(forward).contains("Price: 5"));
    }

    #[test]
    fn a_page_that_is_all_quote_stays_whole() {
        assert_eq!(new_text("<div class=\"gmail_quote\">Old</div>").trim(), "Old");
    }
}
