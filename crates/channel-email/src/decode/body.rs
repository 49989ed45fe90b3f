//! Text, HTML and files of a mail.

use super::{charset, one_line, storable, structure};
use crate::{flowed, html};
use bytes::Bytes;
use mail_parser::{Encoding, Message, MessagePart, MimeHeaders, PartType};
use switchboard_model::Attachment;

/// What a mail says and carries.
pub(super) struct Body {
    /// Plain text; empty when there is none.
    pub(super) text: String,
    /// Cleaned HTML, when the mail has any.
    pub(super) html: Option<String>,
    /// Files in the order of the mail.
    pub(super) attachments: Vec<Attachment>,
}

/// How many parts are looked at; the raw message keeps the rest.
const MAX_PARTS: usize = 1_000;
/// The longest file name in characters.
const MAX_FILE_NAME_CHARS: usize = 150;

/// Reads the body of a mail.
pub(super) fn read(message: &Message<'_>, raw: &Bytes) -> Body {
    let html = html_of(message, raw).map(|source| html::clean(&source));
    let text = match (written_text(message, raw), &html) {
        (Some(text), _) => text,
        (None, Some(cleaned)) => cleaned.text.clone(),
        (None, None) => String::new(),
    };
    Body {
        text: storable(&text),
        html: html.and_then(|cleaned| cleaned.html).map(|html| html.trim().replace('\0', "")).filter(|html| !html.is_empty()),
        attachments: attachments(message, raw),
    }
}

/// The text parts, when the author's program wrote any; HTML among them counts where it stands.
fn written_text(message: &Message<'_>, raw: &[u8]) -> Option<String> {
    let parts = || message.text_body.iter().take(MAX_PARTS).filter_map(|id| message.part(*id));
    if !parts().any(|part| matches!(&part.body, PartType::Text(text) if !text.trim().is_empty())) {
        return None;
    }
    let mut texts: Vec<String> = Vec::new();
    for part in parts() {
        match &part.body {
            PartType::Text(text) => texts.push(plain(part, &readable(part, text, raw))),
            PartType::Html(source) => texts.push(html::clean(&readable(part, source, raw)).text),
            _ => {}
        }
    }
    Some(texts.join("\n\n"))
}

fn plain(part: &MessagePart<'_>, text: &str) -> String {
    let says = |name, value| {
        part.content_type().and_then(|kind| kind.attribute(name)).is_some_and(|found| found.eq_ignore_ascii_case(value))
    };
    if says("format", "flowed") { flowed::unflow(text, says("delsp", "yes")) } else { text.to_owned() }
}

/// The HTML parts in one, with text between them escaped; `None` when no part is HTML.
fn html_of(message: &Message<'_>, raw: &[u8]) -> Option<String> {
    let parts = || message.html_body.iter().take(MAX_PARTS).filter_map(|id| message.part(*id));
    if !parts().any(|part| matches!(part.body, PartType::Html(_))) {
        return None;
    }
    let mut source = String::new();
    for part in parts() {
        match &part.body {
            PartType::Html(html) => source.push_str(&readable(part, html, raw)),
            PartType::Text(text) => source.push_str(&html::escape(&readable(part, text, raw))),
            _ => {}
        }
    }
    Some(source)
}

/// The text of a part in the right character set and without the disguise of nested types.
fn readable(part: &MessagePart<'_>, text: &str, raw: &[u8]) -> String {
    let declared = part.content_type().and_then(|kind| kind.attribute("charset"));
    let range = part.raw_body_offset() as usize..part.raw_end_offset() as usize;
    let unencoded = if matches!(part.encoding, Encoding::None) { raw.get(range) } else { None };
    structure::reveal(&charset::repair(text, declared, unencoded)).into_owned()
}

fn attachments(message: &Message<'_>, raw: &Bytes) -> Vec<Attachment> {
    let parts = message.attachments.iter().take(MAX_PARTS).filter_map(|id| message.part(*id));
    parts.filter(|part| !part.is_multipart()).enumerate().map(|(nth, part)| attachment(part, raw, nth + 1)).collect()
}

fn attachment(part: &MessagePart<'_>, raw: &Bytes, nth: usize) -> Attachment {
    let content_type = media_type(part);
    Attachment {
        name: part.attachment_name().and_then(file_name).unwrap_or_else(|| unnamed(nth, &content_type)),
        content_id: part.content_id().map(|id| one_line(id, 200)).filter(|id| !id.is_empty()),
        bytes: file_bytes(part, raw),
        content_type,
    }
}

/// The file's bytes. An unencoded file that is no text is a piece of the raw message and shares its memory.
fn file_bytes(part: &MessagePart<'_>, raw: &Bytes) -> Bytes {
    let range = part.raw_body_offset() as usize..part.raw_end_offset() as usize;
    let contents = part.contents();
    let untouched =
        matches!(part.encoding, Encoding::None) && matches!(part.body, PartType::Binary(_) | PartType::InlineBinary(_));
    if untouched && range.start <= range.end && range.end <= raw.len() && range.len() == contents.len() {
        return raw.slice(range);
    }
    Bytes::from(structure::reveal_bytes(contents).into_owned())
}

fn media_type(part: &MessagePart<'_>) -> String {
    let token = |text: &str| {
        !text.is_empty()
            && text.len() <= 100
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let written = part.content_type().and_then(|kind| {
        let (main, sub) = (kind.ctype(), structure::reveal(kind.subtype()?));
        (token(main) && token(&sub)).then(|| format!("{main}/{sub}").to_ascii_lowercase())
    });
    written.unwrap_or_else(|| match part.body {
        PartType::Text(_) => String::from("text/plain"),
        PartType::Html(_) => String::from("text/html"),
        _ => String::from("application/octet-stream"),
    })
}

/// A file name that is nothing but a name: no path, no control characters, no leading dots, not too long.
fn file_name(written: &str) -> Option<String> {
    let name = written.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|letter| !matches!(letter, ':' | '*' | '?' | '"' | '<' | '>' | '|')).collect();
    let name = one_line(&name, usize::MAX);
    let name = name.trim_matches(['.', ' ']);
    let length = name.chars().count();
    if length <= MAX_FILE_NAME_CHARS {
        return (length > 0).then(|| name.to_owned());
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension).filter(|extension| extension.chars().count() <= 10);
    let kept: String =
        name.chars().take(MAX_FILE_NAME_CHARS - extension.map_or(0, |extension| extension.chars().count() + 1)).collect();
    Some(extension.map_or(kept.clone(), |extension| format!("{kept}.{extension}")))
}

fn unnamed(nth: usize, content_type: &str) -> String {
    let extension = match content_type {
        "text/plain" => ".txt",
        "text/html" => ".html",
        "text/calendar" => ".ics",
        "message/rfc822" => ".eml",
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "image/gif" => ".gif",
        "application/pdf" => ".pdf",
        _ => "",
    };
    format!("attachment-{nth}{extension}")
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_file_name_is_a_name_and_no_path() {
        for (written, expected) in [
            ("../../etc/passwd", Some("passwd")),
            ("C:\\temp\\faktura.pdf", Some("faktura.pdf")),
            ("a\r\nb\0.txt", Some("a b .txt")),
            ("..", None),
            ("", None),
            (" . ", None),
            ("photo\u{202e}gpj.exe", Some("photo gpj.exe")),
            ("Kvittering på kjøp.pdf", Some("Kvittering på kjøp.pdf")),
        ] {
            assert_eq!(file_name(written).as_deref(), expected, "{written:?}");
        }
        let long = file_name(&format!("{}.pdf", "x".repeat(500))).expect("a name");
        assert!(long.ends_with("x.pdf") && long.len() == 150);
    }
}
