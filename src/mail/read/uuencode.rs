//! Files written into a text (`begin 644 name` … `end`, POSIX uuencode), as mail had them before MIME and
//! some systems still write them. Knows text, not parts.

/// Of one text.
const MOST_FILES: usize = 100;

/// A file taken out of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    /// As written; not fit for a file system.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// The text without its files, and the files. What is not a file from `begin` to `end` stays text.
pub(super) fn split(text: &str) -> (String, Vec<File>) {
    let mut files = Vec::new();
    if !text.starts_with("begin ") && !text.contains("\nbegin ") {
        return (text.to_owned(), files);
    }
    let lines: Vec<&str> = text.lines().collect();
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < lines.len() {
        match file(&lines[at..]).filter(|_| files.len() < MOST_FILES) {
            Some((file, length)) => {
                files.push(file);
                at += length;
            }
            None => {
                kept.push(lines[at]);
                at += 1;
            }
        }
    }
    (kept.join("\n"), files)
}

/// The bytes of a part whose transfer encoding this is: its `begin` and `end` may be missing. `None` when it is
/// something else.
pub(super) fn decoded(body: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for line in body.trim_start().lines().skip_while(|line| line.starts_with("begin ")) {
        if line.trim_end() == "end" {
            break;
        }
        data(line, &mut bytes)?;
    }
    Some(bytes)
}

/// The file that begins with the first of these lines, and how many lines it takes.
fn file(lines: &[&str]) -> Option<(File, usize)> {
    let (mode, name) = lines.first()?.strip_prefix("begin ")?.split_once(' ')?;
    let is_mode = (3..=4).contains(&mode.len()) && mode.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    if !is_mode || name.trim().is_empty() {
        return None;
    }
    let mut bytes = Vec::new();
    for (at, line) in lines.iter().enumerate().skip(1) {
        if line.trim_end() == "end" {
            return Some((File { name: name.trim().to_owned(), bytes }, at + 1));
        }
        data(line, &mut bytes)?;
    }
    None
}

/// Adds the bytes of one line: its first character tells how many, each further four hold three.
fn data(line: &str, bytes: &mut Vec<u8>) -> Option<()> {
    let line = line.trim_end_matches('\r').as_bytes();
    let Some((&first, rest)) = line.split_first() else { return Some(()) };
    let length = usize::from(value(first)?);
    let needed = length.div_ceil(3) * 4;
    // Spaces at the end may be lost on the way, and some writers add a checksum.
    if rest.len() > needed + 1 {
        return None;
    }
    let start = bytes.len();
    for group in 0..length.div_ceil(3) {
        let mut sextets = [0u8; 4];
        for (at, sextet) in sextets.iter_mut().enumerate() {
            *sextet = rest.get(group * 4 + at).map_or(Some(0), |&one| value(one))?;
        }
        let [one, two, three, four] = sextets;
        bytes.extend([one << 2 | two >> 4, two << 4 | three >> 2, three << 6 | four]);
    }
    bytes.truncate(start + length);
    Some(())
}

fn value(one: u8) -> Option<u8> {
    (b' '..=b'`').contains(&one).then(|| (one - b' ') & 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_out_of_its_text() {
        let (text, files) = split("Hello\nbegin 644 cat photo.txt\n#0V%T\n`\nend\nBye\n");
        assert_eq!(text, "Hello\nBye");
        assert_eq!(files, [File { name: "cat photo.txt".to_owned(), bytes: b"Cat".to_vec() }]);
    }

    #[test]
    fn a_part_is_decoded_with_or_without_its_frame() {
        for body in ["#0V%T\n`\n", "\r\nbegin 644 x\r\n#0V%T\r\n`\r\nend\r\n"] {
            assert_eq!(decoded(body).as_deref(), Some(b"Cat".as_slice()), "{body}");
        }
        assert_eq!(decoded("{not so}"), None);
    }

    #[test]
    fn what_only_looks_like_a_file_stays_text() {
        let table = [
            "begin 644 x\n#0V%T\n`\n",
            "begin 644 x\nthis is what I wrote\nend",
            "begin with this\nend",
            "begin 999 x\nend",
            "begin 644 \nend",
        ];
        for text in table {
            let (kept, files) = split(text);
            assert_eq!((kept.as_str(), files.len()), (text.trim_end_matches('\n'), 0), "{text}");
        }
    }
}
