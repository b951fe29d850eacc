//! The files inside Outlook's `winmail.dat`. Reads attachments and nothing else: the text of such a mail is in
//! the mail, too. Source: [MS-OXTNEF] 2.1.

use super::uuencode::File;
use crate::mail::decoding::decode;

const SIGNATURE: u32 = 0x223e_9f78;
/// Of one `winmail.dat`.
const MOST_FILES: usize = 100;
const MOST_PROPERTIES: u32 = 1_000;

const OF_ATTACHMENT: u8 = 2;
const BEGINS: u16 = 0x9002;
const TITLE: u16 = 0x8010;
const DATA: u16 = 0x800f;
const PROPERTIES: u16 = 0x9005;

/// MAPI's PidTagAttachLongFilename.
const LONG_NAME: u16 = 0x3707;
/// Properties from here on carry their own name.
const FIRST_NAMED: u16 = 0x8000;

/// What is in there, as far as it can be read.
pub(super) fn files(bytes: &[u8]) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    let mut reader = Reader(bytes);
    if reader.number() != Some(SIGNATURE) || reader.short().is_none() {
        return files;
    }
    while let Some((level, id, data)) = attribute(&mut reader) {
        if level != OF_ATTACHMENT {
            continue;
        }
        if id == BEGINS {
            if files.len() == MOST_FILES {
                break;
            }
            files.push(File { name: String::new(), bytes: Vec::new() });
        }
        let Some(file) = files.last_mut() else { continue };
        match id {
            TITLE if file.name.is_empty() => file.name = name(data),
            DATA => file.bytes = data.to_vec(),
            PROPERTIES => file.name = long_name(data).unwrap_or_else(|| std::mem::take(&mut file.name)),
            _ => {}
        }
    }
    // What is embedded without bytes of its own, such as a mail, has none here.
    files.retain(|file| !file.bytes.is_empty());
    files
}

/// Level, id and value of the next attribute; its checksum tells nothing that a mail server would not.
fn attribute<'b>(reader: &mut Reader<'b>) -> Option<(u8, u16, &'b [u8])> {
    let [level] = reader.take(1)? else { return None };
    let id = reader.short()?;
    reader.short()?;
    let length = reader.number()?;
    let data = reader.take(usize::try_from(length).ok()?)?;
    reader.short()?;
    Some((*level, id, data))
}

fn name(bytes: &[u8]) -> String {
    decode(bytes).trim_end_matches('\0').to_owned()
}

fn long_name(properties: &[u8]) -> Option<String> {
    let mut reader = Reader(properties);
    for _ in 0..reader.number()?.min(MOST_PROPERTIES) {
        let (kind, id) = (reader.short()?, reader.short()?);
        if id >= FIRST_NAMED {
            skip_own_name(&mut reader)?;
        }
        let value = value(&mut reader, kind)?;
        if id == LONG_NAME {
            return match kind {
                0x001f => Some(utf16(value)),
                _ => Some(name(value)),
            };
        }
    }
    None
}

fn skip_own_name(reader: &mut Reader<'_>) -> Option<()> {
    const GUID: usize = 16;
    reader.take(GUID)?;
    let is_text = reader.number()? == 1;
    let length = reader.number()?;
    if is_text {
        reader.padded(length)?;
    }
    Some(())
}

/// The value of a property, the last one of several; `None` for a kind whose length is not known.
fn value<'b>(reader: &mut Reader<'b>, kind: u16) -> Option<&'b [u8]> {
    const SEVERAL: u16 = 0x1000;
    let length = match kind & !SEVERAL {
        0x0002..=0x0004 | 0x000a | 0x000b => Some(4),
        0x0005..=0x0007 | 0x0014 | 0x0040 => Some(8),
        0x0048 => Some(16),
        0x000d | 0x001e | 0x001f | 0x0102 => None,
        _ => return None,
    };
    let values = if length.is_none() || kind & SEVERAL != 0 { reader.number()? } else { 1 };
    let mut last = &[][..];
    for _ in 0..values.min(MOST_PROPERTIES) {
        let length = match length {
            Some(length) => length,
            None => reader.number()?,
        };
        last = reader.padded(length)?;
    }
    Some(last)
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: String =
        char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.trim_end_matches('\0').to_owned()
}

/// Little-endian numbers and pieces, `None` at the end.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (piece, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(piece)
    }

    /// A piece that is filled up to a multiple of four bytes.
    fn padded(&mut self, length: u32) -> Option<&'b [u8]> {
        let length = usize::try_from(length).ok()?;
        let piece = self.take(length)?;
        self.take((4 - length % 4) % 4)?;
        Some(piece)
    }

    fn short(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn number(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute_of(level: u8, id: u16, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).expect("short").to_le_bytes();
        [&[level][..], &id.to_le_bytes(), &[0, 0], &length, data, &[0, 0]].concat()
    }

    fn packed(attributes: &[(u8, u16, &[u8])]) -> Vec<u8> {
        let start = [&SIGNATURE.to_le_bytes()[..], &[1, 0]].concat();
        let rest = attributes.iter().flat_map(|(level, id, data)| attribute_of(*level, *id, data));
        start.into_iter().chain(rest).collect()
    }

    /// One flag, one property with a name of its own, then the long name.
    fn properties(name: &str) -> Vec<u8> {
        let units: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        let padding = vec![0; (4 - units.len() % 4) % 4];
        let length = u32::try_from(units.len()).expect("short").to_le_bytes();
        let own_name =
            [&[0x03, 0, 0x01, 0x80][..], &[7; 16], &[0, 0, 0, 0, 9, 0, 0, 0], &[1, 0, 0, 0]].concat();
        let flag = [0x0b, 0, 0x01, 0x37, 1, 0, 0, 0];
        [&[3, 0, 0, 0][..], &flag, &own_name, &[0x1f, 0, 0x07, 0x37, 1, 0, 0, 0], &length, &units, &padding]
            .concat()
    }

    #[test]
    fn files_come_with_their_long_names() {
        let names = properties("Überweisung 2026.pdf");
        let bytes = packed(&[
            (1, 0x9007, &[0; 8]),
            (2, BEGINS, &[0; 14]),
            (2, TITLE, b"UBERWE~1.PDF\0"),
            (2, DATA, b"%PDF"),
            (2, PROPERTIES, &names),
            (2, BEGINS, &[0; 14]),
            (2, TITLE, b"notes.txt\0"),
            (2, DATA, b"notes"),
        ]);
        let found: Vec<_> = files(&bytes).into_iter().map(|file| (file.name, file.bytes)).collect();
        let wanted = [("Überweisung 2026.pdf", &b"%PDF"[..]), ("notes.txt", b"notes")];
        assert_eq!(found, wanted.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())));
    }

    #[test]
    fn what_is_cut_off_or_no_tnef_gives_what_was_whole() {
        let bytes =
            packed(&[(2, BEGINS, &[0; 14]), (2, TITLE, b"a\0"), (2, DATA, b"abc"), (2, DATA, b"later")]);
        for end in 0..bytes.len() {
            assert!(files(&bytes[..end]).iter().all(|file| file.bytes == b"abc"), "{end}");
        }
        assert!(files(b"PK\x03\x04 no tnef at all").is_empty());
    }
}
