//! Makes a mail safe to hand to the parser.
//!
//! The parser descends into nested messages, and what it builds is as deep as the mail nests, so a mail of
//! nothing but nested messages would exhaust the stack. We want nested messages as files anyway: their media
//! type is disguised by one character before parsing, and [`reveal`] undoes it. The disguise keeps every offset,
//! so files that are not encoded can be taken from the original.
//! Two more shapes cost time that grows with the square of the mail and are refused: very many multiparts in a
//! large mail, and very many parameters in one header.

use std::borrow::Cow;

/// Whether a mail can be handed to the parser.
pub(super) enum Structure<'m> {
    /// Yes, in this form.
    Readable(Cow<'m, [u8]>),
    /// No: it is made to cost more than it could be worth.
    Refused,
}

/// Media subtypes whose content the parser would read as messages, and the letter that disguises each: the last
/// one, kept apart by case.
const NESTING: [&[u8]; 3] = [b"rfc822", b"global", b"digest"];
const DISGUISE: u8 = b'~';
const DISGUISE_UPPER: u8 = b'`';
/// The most `=` that a Content-Type or Content-Disposition may have.
const MAX_PARAMETERS: usize = 2_000;
/// The most bytes that looking for the ends of multiparts may read.
const MAX_SEARCH_BYTES: usize = 20_000_000_000;
/// The most header fields at the top.
const MAX_HEADERS: usize = 20_000;
/// The most bytes of headers at the top.
const MAX_HEADER_BYTES: usize = 2_097_152;

/// Prepares a mail for the parser.
pub(super) fn prepare(raw: &[u8]) -> Structure<'_> {
    if head_is_flooded(raw) {
        return Structure::Refused;
    }
    let mut prepared = Cow::Borrowed(raw);
    let (mut read_to, mut multiparts) = (0, 0_usize);
    for colon in raw.iter().enumerate().filter_map(|(at, byte)| (*byte == b':').then_some(at)) {
        let is_type = ends_with_name(&raw[..colon], b"content-type");
        if colon < read_to || !(is_type || ends_with_name(&raw[..colon], b"content-disposition")) {
            continue;
        }
        let value = colon + 1..field_end(raw, colon + 1);
        read_to = value.end;
        if raw[value.clone()].iter().filter(|byte| **byte == b'=').count() > MAX_PARAMETERS {
            return Structure::Refused;
        }
        if is_type {
            let media_type = colon + 1..media_type_end(raw, value);
            multiparts += usize::from(find(&raw[media_type.clone()], b"multipart").is_some());
            disguise(&mut prepared, media_type);
        }
    }
    if multiparts.saturating_mul(raw.len()) > MAX_SEARCH_BYTES {
        return Structure::Refused;
    }
    Structure::Readable(prepared)
}

/// Undoes the disguise in a media type or a text.
pub(super) fn reveal(text: &str) -> Cow<'_, str> {
    match reveal_bytes(text.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Cow::Owned(text),
            Err(_) => Cow::Borrowed(text),
        },
    }
}

/// Undoes the disguise in a file.
pub(super) fn reveal_bytes(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut revealed = Cow::Borrowed(bytes);
    for at in 5..bytes.len() {
        if !matches!(bytes[at], DISGUISE | DISGUISE_UPPER) {
            continue;
        }
        let head = &bytes[at - 5..at];
        if let Some(word) = NESTING.iter().find(|word| head.eq_ignore_ascii_case(&word[..5])) {
            let last = word[5];
            revealed.to_mut()[at] = if bytes[at] == DISGUISE_UPPER { last.to_ascii_uppercase() } else { last };
        }
    }
    revealed
}

fn disguise(prepared: &mut Cow<'_, [u8]>, media_type: std::ops::Range<usize>) {
    for word in NESTING {
        let mut from = media_type.start;
        while let Some(found) = find(&prepared[from..media_type.end], word) {
            let last = from + found + word.len() - 1;
            let disguised = if prepared[last].is_ascii_uppercase() { DISGUISE_UPPER } else { DISGUISE };
            prepared.to_mut()[last] = disguised;
            from = last;
        }
    }
}

/// Whether the bytes end with a header name, with blanks allowed within as the parser allows them.
fn ends_with_name(bytes: &[u8], name: &[u8]) -> bool {
    let mut expected = name.iter().rev();
    let mut wanted = expected.next();
    for byte in bytes.iter().rev() {
        match wanted {
            None => return true,
            Some(_) if *byte != b'\n' && byte.is_ascii_whitespace() => {}
            Some(letter) if byte.eq_ignore_ascii_case(letter) => wanted = expected.next(),
            Some(_) => return false,
        }
    }
    wanted.is_none()
}

/// The end of a header field, folded lines included.
fn field_end(raw: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(line) = raw[at..].iter().position(|byte| *byte == b'\n') {
        at += line + 1;
        if !raw.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            break;
        }
    }
    if at == from || raw[at - 1] != b'\n' || raw.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
        return raw.len();
    }
    at
}

/// The end of the media type: the first `;` outside comments.
fn media_type_end(raw: &[u8], value: std::ops::Range<usize>) -> usize {
    let (mut depth, mut escaped) = (0_usize, false);
    for at in value.clone() {
        match raw[at] {
            _ if escaped => escaped = false,
            b'\\' if depth > 0 => escaped = true,
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => return at,
            _ => {}
        }
    }
    value.end
}

/// Whether the headers at the top are more than any mail program writes.
fn head_is_flooded(raw: &[u8]) -> bool {
    let (mut fields, mut bytes) = (0_usize, 0_usize);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line.iter().all(u8::is_ascii_whitespace) {
            return false;
        }
        fields += usize::from(!line[0].is_ascii_whitespace() && line.contains(&b':'));
        bytes += line.len();
        if fields > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
            return fields > 0;
        }
    }
    false
}

fn find(haystack: &[u8], word: &[u8]) -> Option<usize> {
    haystack.windows(word.len()).position(|window| window.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::{Structure, prepare, reveal, reveal_bytes};

    fn check(raw: &str, expected: &str) {
        let Structure::Readable(prepared) = prepare(raw.as_bytes()) else { panic!("refused: {raw}") };
        assert_eq!(String::from_utf8_lossy(&prepared), expected);
        assert_eq!(reveal_bytes(&prepared), raw.as_bytes(), "the disguise comes off again");
        assert_eq!(reveal(expected), raw);
    }

    #[test]
    fn nested_types_are_disguised_however_they_are_written() {
        check("Content-Type: message/rfc822\n\nx", "Content-Type: message/rfc82~\n\nx");
        check(
            "--bCONTENT - TYPE:\n (;a\\)) message / GLOBAL; a=digest\n\n",
            "--bCONTENT - TYPE:\n (;a\\)) message / GLOBA`; a=digest\n\n",
        );
        check("content-type: multipart/digest; boundary=digest", "content-type: multipart/diges~; boundary=digest");
    }

    #[test]
    fn other_text_is_left_alone() {
        for raw in ["Subject: message/rfc822\n\nContent: message/rfc822", "X-Content-Typ: multipart/digest\n\n", ""] {
            check(raw, raw);
        }
    }

    #[test]
    fn shapes_made_to_cost_time_are_refused() {
        let parameters = format!("Content-Type: text/plain; {}\n\n", "a*1=b;".repeat(3_000));
        let headers = "X-A: b\n".repeat(30_000);
        let parts = format!("From: a@b.test\n\n{}{}", "Content-Type: multipart/mixed\n".repeat(5_000), "x".repeat(5_000_000));
        for raw in [parameters, headers, parts] {
            assert!(matches!(prepare(raw.as_bytes()), Structure::Refused), "{}", &raw[..40]);
        }
    }
}
