//! Repairs text whose character set was declared wrongly, or not at all.

use std::borrow::Cow;

/// Windows-1252 from 0x80 to 0x9f; its five holes are the control characters of the same number.
const HIGH_CONTROLS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’', '“', '”',
    '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Declared names under which programs send UTF-8 by mistake.
const WESTERN: [&str; 8] = ["us-ascii", "ascii", "iso-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252", "ansi_x3.4-1968"];

/// Text of a part, read again where its declaration must be wrong.
///
/// `declared` is the charset of the part, `unencoded` its bytes where they are at hand. Text declared as Western
/// European that is UTF-8 throughout is UTF-8; text without a declaration that is no UTF-8 is Windows-1252.
pub(super) fn repair<'t>(text: &'t str, declared: Option<&str>, unencoded: Option<&[u8]>) -> Cow<'t, str> {
    match (declared, unencoded) {
        (Some(name), _) if WESTERN.iter().any(|western| name.trim().eq_ignore_ascii_case(western)) => {
            misread_utf8(text).map_or(Cow::Borrowed(text), Cow::Owned)
        }
        (None, Some(bytes)) if std::str::from_utf8(bytes).is_err() => Cow::Owned(western_text(bytes)),
        _ => Cow::Borrowed(text),
    }
}

/// Bytes as Windows-1252, which reads any.
pub(crate) fn western_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| western(*byte)).collect()
}

/// The text that was meant, when UTF-8 was read as Windows-1252.
fn misread_utf8(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = text.chars().map(western_byte).collect();
    String::from_utf8(bytes?).ok()
}

fn western(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH_CONTROLS[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

fn western_byte(letter: char) -> Option<u8> {
    if let Some(at) = HIGH_CONTROLS.iter().position(|high| *high == letter) {
        return Some(0x80 + u8::try_from(at).ok()?);
    }
    u8::try_from(u32::from(letter)).ok()
}

#[cfg(test)]
mod tests {
    use super::repair;

    #[test]
    fn utf8_declared_as_western_is_read_as_utf8() {
        let misread: String = "Blåbær Åse – 5 €".bytes().map(super::western).collect();
        assert_eq!(repair(&misread, Some("US-ASCII"), None), "Blåbær Åse – 5 €");
        assert_eq!(repair(&misread, Some("koi8-r"), None), misread);
    }

    #[test]
    fn western_text_stays_as_it_is() {
        for text in ["Blåbær", "plain", "„nur heute“ – 5 €", "Ãrlig talt"] {
            assert_eq!(repair(text, Some("windows-1252"), None), text);
        }
    }

    #[test]
    fn undeclared_bytes_that_are_no_utf8_are_western() {
        assert_eq!(repair("Bl\u{fffd}b\u{fffd}r", None, Some(b"Bl\xe5b\xe6r")), "Blåbær");
        assert_eq!(repair("Blåbær", None, Some("Blåbær".as_bytes())), "Blåbær");
    }
}
