//! Text that clients wrap for transport only (`format=flowed`, RFC 3676) as its paragraphs. Knows lines,
//! not parts.

/// The paragraphs, one line each. A quoted one keeps its depth as `>` marks. `delete_space` is the part's
/// `DelSp=yes`: the space at a line's end was added with the break.
pub(super) fn unwrapped(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // The depth of a paragraph that goes on in the next line.
    let mut open: Option<usize> = None;
    for line in text.split('\n') {
        let (depth, content) = quoted(line.trim_end_matches('\r'));
        let flows = content.ends_with(' ') && content != SIGNATURE_MARK;
        if open != Some(depth) || content == SIGNATURE_MARK {
            begin(&mut out, depth);
        }
        out.push_str(if flows && delete_space { &content[..content.len() - 1] } else { content });
        open = flows.then_some(depth);
    }
    // Every line was begun by a line break.
    out.split_off(out.len().min(1))
}

/// RFC 3676, section 4.3: never joined, though it ends in a space.
const SIGNATURE_MARK: &str = "-- ";

fn begin(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n('>', depth));
    if depth > 0 {
        out.push(' ');
    }
}

/// The depth of a line, and its content without the space that keeps it from being taken for a quote.
fn quoted(line: &str) -> (usize, &str) {
    let content = line.trim_start_matches('>');
    (line.len() - content.len(), content.strip_prefix(' ').unwrap_or(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_joined_and_keep_their_depth() {
        let table = [
            ("One \ntwo\nthree", "One two\nthree"),
            ("One \r\ntwo\r\n", "One two\n"),
            ("> a \n> b\n>> c \n>> d\ne", "> a b\n>> c d\ne"),
            ("a \n> b", "a \n> b"),
            ("Bye \n-- \nAda \nSupport", "Bye \n-- \nAda Support"),
            (" > not quoted\n From here", "> not quoted\nFrom here"),
            ("", ""),
            ("\n\n", "\n\n"),
        ];
        for (text, wanted) in table {
            assert_eq!(unwrapped(text, false), wanted, "{text:?}");
        }
    }

    #[test]
    fn an_added_space_goes_with_its_break() {
        assert_eq!(unwrapped("long \nword and  \nmore", true), "longword and more");
    }
}
