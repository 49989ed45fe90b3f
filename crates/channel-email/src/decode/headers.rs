//! Reads names and subjects that were sent as bare bytes, without the encoding that headers require.
//!
//! Old programs write headers in the character set of their body. The parser takes every header for UTF-8, so the
//! fields that people read are parsed a second time from what was meant.

use super::charset;
use mail_parser::{HeaderName, Message, MimeHeaders, decoders::charsets::map::charset_decoder};

/// The headers that name people and the matter.
const READ_BY_PEOPLE: [HeaderName<'static>; 6] =
    [HeaderName::From, HeaderName::Sender, HeaderName::ReplyTo, HeaderName::To, HeaderName::Cc, HeaderName::Subject];

/// The headers that people read, in UTF-8 and ready to be parsed; `None` when they are so already.
///
/// A field that is no UTF-8 is in the charset that the body declares, if that reads it without a fault, else in
/// Windows-1252.
pub(super) fn recoded(message: &Message<'_>, raw: &[u8]) -> Option<Vec<u8>> {
    let fields =
        || {
            message.headers().iter().filter(|header| READ_BY_PEOPLE.contains(&header.name)).filter_map(|header| {
                Some((header.name.as_str(), raw.get(header.offset_start as usize..header.offset_end as usize)?))
            })
        };
    if fields().all(|(_, value)| std::str::from_utf8(value).is_ok()) {
        return None;
    }
    let declared = declared_charset(message);
    let mut head = Vec::new();
    for (name, value) in fields() {
        let value = within_encoded_words(value);
        let text = match std::str::from_utf8(&value) {
            Ok(text) => String::from(text),
            Err(_) => declared.and_then(|name| decoded(&value, name)).unwrap_or_else(|| charset::western_text(&value)),
        };
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        // No charset may end the field: whatever breaks the line, folding included, becomes a space.
        let one_line = text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter });
        head.extend_from_slice(one_line.collect::<String>().as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    Some(head)
}

/// The value with bare bytes within quoted-printable encoded words encoded as well: the word names their charset.
fn within_encoded_words(value: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = rest.windows(2).position(|pair| pair == b"=?") {
        let (before, word) = rest.split_at(start);
        encoded.extend_from_slice(before);
        let head = word.windows(3).take(80).position(|piece| piece.eq_ignore_ascii_case(b"?q?"));
        let end = head.and_then(|head| word[head + 3..].windows(2).position(|pair| pair == b"?=").map(|at| head + 3 + at + 2));
        let Some(end) = end else {
            encoded.extend_from_slice(b"=?");
            rest = &word[2..];
            continue;
        };
        for byte in &word[..end] {
            if byte.is_ascii() {
                encoded.push(*byte);
            } else {
                encoded.extend_from_slice(format!("={byte:02X}").as_bytes());
            }
        }
        rest = &word[end..];
    }
    encoded.extend_from_slice(rest);
    encoded
}

/// The charset of the first text that declares one.
fn declared_charset<'m>(message: &'m Message<'_>) -> Option<&'m str> {
    let parts = message.text_body.iter().chain(&message.html_body).take(100).filter_map(|id| message.part(*id));
    parts.filter_map(|part| part.content_type()?.attribute("charset")).next()
}

/// The bytes in a charset; `None` when it is unknown, does not fit, or does not contain ASCII as it is.
fn decoded(bytes: &[u8], charset: &str) -> Option<String> {
    const SYNTAX: &str = "Az09 <>@\",;:()=?+&~\\";
    let decode = charset_decoder(charset.trim().to_ascii_lowercase().as_bytes())?;
    let text = (decode(SYNTAX.as_bytes()) == SYNTAX).then(|| decode(bytes))?;
    (!text.contains('\u{fffd}')).then_some(text)
}
