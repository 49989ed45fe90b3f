//! Unpacks `winmail.dat` (TNEF), in which Outlook and Exchange hide the files and the formatted text of a mail.
//!
//! The format is a list of attributes, each with a length; properties of MAPI are lists within two of them
//! ([MS-OXTNEF]). Every length is checked against what is there, nothing is read twice, and what does not fit ends the
//! reading: what was found until then counts.

mod rtf;

use bytes::Bytes;

/// What was packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// The text, when it was packed as plain text or as RTF.
    pub(crate) text: Option<String>,
    /// The text as HTML.
    pub(crate) html: Option<String>,
    /// Files in their order.
    pub(crate) files: Vec<File>,
}

/// A packed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct File {
    /// Its name as written.
    pub(crate) name: String,
    /// Its media type, where one was written.
    pub(crate) content_type: Option<String>,
    /// The id by which the HTML refers to it.
    pub(crate) content_id: Option<String>,
    /// The file.
    pub(crate) bytes: Bytes,
}

const SIGNATURE: u32 = 0x223e_9f78;
/// The most attributes and properties that are read.
const MAX_ENTRIES: usize = 20_000;
/// The most files.
const MAX_FILES: usize = 500;
/// The longest text that is kept, in bytes.
const MAX_TEXT_BYTES: usize = 2_097_152;

const ATTACHMENT_BEGINS: u32 = 0x0006_9002;
const ATTACHMENT_TITLE: u32 = 0x0001_8010;
const ATTACHMENT_DATA: u32 = 0x0006_800f;
const ATTACHMENT_PROPERTIES: u32 = 0x0006_9005;
const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
const MESSAGE_BODY: u32 = 0x0002_800c;

const BODY: u16 = 0x1000;
const RTF: u16 = 0x1009;
const HTML: u16 = 0x1013;
const DATA: u16 = 0x3701;
const LONG_NAME: u16 = 0x3707;
const DISPLAY_NAME: u16 = 0x3001;
const MEDIA_TYPE: u16 = 0x370e;
const CONTENT_ID: u16 = 0x3712;

/// Unpacks; `None` when it is no TNEF.
pub(crate) fn unpack(bytes: &Bytes) -> Option<Unpacked> {
    let mut reader = Reader { bytes: bytes.clone() };
    if reader.number(4)? != SIGNATURE {
        return None;
    }
    reader.number(2)?;
    let mut found = Unpacked::default();
    for _ in 0..MAX_ENTRIES {
        let Some((id, data)) = reader.attribute() else { break };
        match id {
            ATTACHMENT_BEGINS if found.files.len() == MAX_FILES => break,
            ATTACHMENT_BEGINS => found.files.push(File::default()),
            MESSAGE_BODY => found.text = found.text.or_else(|| Some(western(&data))),
            MESSAGE_PROPERTIES => properties(data, |property, value| message_property(&mut found, property, &value)),
            _ => {
                let Some(file) = found.files.last_mut() else { continue };
                match id {
                    ATTACHMENT_TITLE if file.name.is_empty() => file.name = western(&data),
                    ATTACHMENT_DATA => file.bytes = data,
                    ATTACHMENT_PROPERTIES => properties(data, |property, value| file_property(file, property, value)),
                    _ => {}
                }
            }
        }
    }
    found.text = found.text.filter(|text| !text.trim().is_empty());
    found.files.retain(|file| !file.bytes.is_empty());
    Some(found)
}

fn message_property(found: &mut Unpacked, property: Property, value: &Bytes) {
    match property.id {
        BODY => found.text = Some(property.text(value)),
        HTML => found.html = Some(if property.is_wide() { property.text(value) } else { html_text(value) }),
        RTF => {
            if let Some(rich) = rtf::decompress(value, MAX_TEXT_BYTES) {
                match rtf::read(&rich) {
                    rtf::Content::Html(html) => found.html = found.html.take().or(Some(html)),
                    rtf::Content::Text(text) => found.text = found.text.take().or(Some(text)),
                }
            }
        }
        _ => {}
    }
}

fn file_property(file: &mut File, property: Property, value: Bytes) {
    let text = |value: &Bytes| Some(property.text(value)).filter(|text| !text.is_empty());
    match property.id {
        LONG_NAME => file.name = property.text(&value),
        DISPLAY_NAME if file.name.is_empty() => file.name = property.text(&value),
        MEDIA_TYPE => file.content_type = text(&value),
        CONTENT_ID => file.content_id = text(&value),
        DATA if file.bytes.is_empty() => file.bytes = value,
        _ => {}
    }
}

/// A property of MAPI.
#[derive(Clone, Copy)]
struct Property {
    kind: u16,
    id: u16,
}

impl Property {
    const fn is_wide(self) -> bool {
        self.kind & 0x0fff == 0x1f
    }

    fn text(self, value: &[u8]) -> String {
        if !self.is_wide() {
            return western(value);
        }
        let units: Vec<u16> = value
            .chunks_exact(2)
            .take(MAX_TEXT_BYTES)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .take_while(|unit| *unit != 0)
            .collect();
        String::from_utf16_lossy(&units)
    }
}

/// Calls `found` with every property of a list and its first value.
fn properties(list: Bytes, mut found: impl FnMut(Property, Bytes)) {
    let mut reader = Reader { bytes: list };
    let Some(count) = reader.number(4) else { return };
    for _ in 0..(count as usize).min(MAX_ENTRIES) {
        let Some((property, value)) = reader.property() else { return };
        found(property, value);
    }
}

/// Reads little-endian numbers and pieces, from what is left.
struct Reader {
    bytes: Bytes,
}

impl Reader {
    fn number(&mut self, size: usize) -> Option<u32> {
        let piece = self.piece(size)?;
        Some(piece.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn piece(&mut self, size: usize) -> Option<Bytes> {
        (size <= self.bytes.len()).then(|| self.bytes.split_to(size))
    }

    /// The next attribute: level, id, length, data, checksum.
    fn attribute(&mut self) -> Option<(u32, Bytes)> {
        self.number(1)?;
        let id = self.number(4)?;
        let length = self.number(4)? as usize;
        let data = self.piece(length)?;
        self.number(2)?;
        Some((id, data))
    }

    /// The next property with its first value. Values of no fixed size are counted, have a length each, and are padded to
    /// four bytes.
    fn property(&mut self) -> Option<(Property, Bytes)> {
        let property = Property { kind: self.number(2)? as u16, id: self.number(2)? as u16 };
        if property.id >= 0x8000 {
            self.piece(16)?;
            if self.number(4)? == 0 {
                self.number(4)?;
            } else {
                let length = self.number(4)? as usize;
                self.padded(length)?;
            }
        }
        let is_list = property.kind & 0x1000 != 0;
        let fixed = match property.kind & 0x0fff {
            0x02 | 0x03 | 0x04 | 0x0a | 0x0b => Some(4),
            0x05 | 0x06 | 0x07 | 0x14 | 0x40 => Some(8),
            0x48 => Some(16),
            0x0d | 0x1e | 0x1f | 0x102 => None,
            0x00 | 0x01 => Some(0),
            _ => return None,
        };
        let count = if is_list || fixed.is_none() { self.number(4)? as usize } else { 1 };
        let mut first = Bytes::new();
        for nth in 0..count.min(MAX_ENTRIES) {
            let value = match fixed {
                Some(size) => self.piece(size)?,
                None => {
                    let length = self.number(4)? as usize;
                    self.padded(length)?
                }
            };
            if nth == 0 {
                // An object begins with the id of its interface.
                first = if property.kind & 0x0fff == 0x0d {
                    value.get(16..).map(|_| value.slice(16..)).unwrap_or_default()
                } else {
                    value
                };
            }
        }
        Some((property, first))
    }

    fn padded(&mut self, length: usize) -> Option<Bytes> {
        let piece = self.piece(length)?;
        let padding = (4 - length % 4) % 4;
        self.piece(padding.min(self.bytes.len()))?;
        Some(piece)
    }
}

/// Text in a charset that nobody names: UTF-8, else Windows-1252.
fn western(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(MAX_TEXT_BYTES)];
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => crate::decode::western_text(bytes),
    }
}

/// HTML in the charset that it names.
fn html_text(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(MAX_TEXT_BYTES)];
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| crate::decode::western_text(bytes))
}

#[cfg(test)]
mod tests {
    use super::{File, unpack};
    use bytes::Bytes;
    use proptest::prelude::{any, proptest};

    fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
        let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        [&[level], &id.to_le_bytes()[..], &(data.len() as u32).to_le_bytes(), data, &sum.to_le_bytes()].concat()
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    fn property(kind: u16, id: u16, value: &[u8]) -> Vec<u8> {
        let mut property =
            [&kind.to_le_bytes()[..], &id.to_le_bytes(), &1_u32.to_le_bytes(), &(value.len() as u32).to_le_bytes(), value]
                .concat();
        property.resize(property.len().next_multiple_of(4), 0);
        property
    }

    fn packed() -> Vec<u8> {
        let message = [
            2_u32.to_le_bytes().to_vec(),
            property(0x1f, super::BODY, &wide("Hei på deg")),
            property(0x102, super::HTML, b"<p>Hei</p>"),
        ]
        .concat();
        let file = [
            3_u32.to_le_bytes().to_vec(),
            property(0x1f, super::LONG_NAME, &wide("rapport for året.pdf")),
            property(0x1e, super::MEDIA_TYPE, b"application/pdf\0"),
            property(0x1e, super::CONTENT_ID, b"part1@x\0"),
        ]
        .concat();
        [
            0x223e_9f78_u32.to_le_bytes().to_vec(),
            vec![1, 0],
            attribute(1, super::MESSAGE_PROPERTIES, &message),
            attribute(2, super::ATTACHMENT_BEGINS, &[0; 14]),
            attribute(2, super::ATTACHMENT_TITLE, b"RAPPORT.PDF\0"),
            attribute(2, super::ATTACHMENT_DATA, b"%PDF"),
            attribute(2, super::ATTACHMENT_PROPERTIES, &file),
        ]
        .concat()
    }

    #[test]
    fn text_html_and_files_come_out() {
        let found = unpack(&Bytes::from(packed())).expect("TNEF");
        assert_eq!((found.text.as_deref(), found.html.as_deref()), (Some("Hei på deg"), Some("<p>Hei</p>")));
        let file = File {
            name: "rapport for året.pdf".into(),
            content_type: Some("application/pdf".into()),
            content_id: Some("part1@x".into()),
            bytes: Bytes::from_static(b"%PDF"),
        };
        assert_eq!(found.files, [file]);
    }

    #[test]
    fn what_is_cut_gives_what_came_before() {
        let whole = packed();
        for end in 0..whole.len() {
            let found = unpack(&Bytes::copy_from_slice(&whole[..end]));
            assert_eq!(found.is_some(), end >= 6, "{end}");
        }
        assert_eq!(unpack(&Bytes::from_static(b"PK\x03\x04 a zip")), None);
    }

    proptest! {
        #[test]
        fn changed_bytes_are_read_without_harm(at in any::<proptest::sample::Index>(), byte in any::<u8>(), tail in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut bytes = packed();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.extend(tail);
            let length = bytes.len();
            let found = unpack(&Bytes::from(bytes)).unwrap_or_default();
            assert!(found.files.iter().map(|file| file.bytes.len()).sum::<usize>() <= length);
        }
    }
}
