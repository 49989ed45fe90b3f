//! Text, HTML and files of a mail.

use super::{calendar, charset, one_line, storable, structure};
use crate::{flowed, html, tnef};
use bytes::Bytes;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use switchboard_model::{Attachment, Invitation};

/// What a mail says and carries.
pub(super) struct Body {
    /// Plain text; empty when there is none.
    pub(super) text: String,
    /// Cleaned HTML, when the mail has any.
    pub(super) html: Option<String>,
    /// Files in the order of the mail.
    pub(super) attachments: Vec<Attachment>,
    /// What a calendar file among them asks for.
    pub(super) invitation: Option<Invitation>,
}

/// How many parts are looked at; the raw message keeps the rest.
const MAX_PARTS: usize = 1_000;
/// How much of an attached mail is read for its subject, in bytes.
const MAX_HEAD_BYTES: usize = 16_384;
/// The longest file name in characters.
const MAX_FILE_NAME_CHARS: usize = 150;

/// Reads the body of a mail.
pub(super) fn read(message: &Message<'_>, raw: &Bytes) -> Body {
    let (attachments, packed) = unpacked(attachments(message, raw));
    let html = html_of(message, raw).or(packed.html).map(|source| html::clean(&source));
    let text = match (written_text(message, raw).or(packed.text), &html) {
        (Some(text), _) => text,
        (None, Some(cleaned)) => cleaned.text.clone(),
        (None, None) => unparted(message, raw).unwrap_or_default(),
    };
    Body {
        text: storable(&text),
        html: html.and_then(|cleaned| cleaned.html).map(|html| html.trim().replace('\0', "")).filter(|html| !html.is_empty()),
        invitation: attachments.iter().find(|file| is_calendar(file)).and_then(|file| calendar::invitation(&file.bytes, None)),
        attachments,
    }
}

/// What a multipart says that has no parts, because its boundary is nowhere to be found.
fn unparted(message: &Message<'_>, raw: &[u8]) -> Option<String> {
    let root = message.root_part();
    let body = raw.get(root.raw_body_offset() as usize..).filter(|_| message.parts.len() == 1)?;
    root.is_content_type("multipart", "mixed").then(|| structure::reveal(&String::from_utf8_lossy(body)).into_owned())
}

fn is_calendar(file: &Attachment) -> bool {
    let name = file.name.to_ascii_lowercase();
    matches!(file.content_type.as_str(), "text/calendar" | "application/ics") || name.ends_with(".ics")
}

/// The files with `winmail.dat` replaced by what is packed in it, and the text that the first of them holds. One in which
/// nothing is found stays as it is.
fn unpacked(files: Vec<Attachment>) -> (Vec<Attachment>, tnef::Unpacked) {
    let (mut kept, mut text) = (Vec::with_capacity(files.len()), tnef::Unpacked::default());
    for file in files {
        let is_packed = matches!(file.content_type.as_str(), "application/ms-tnef" | "application/vnd.ms-tnef")
            || file.name.eq_ignore_ascii_case("winmail.dat");
        let Some(found) = is_packed.then(|| tnef::unpack(&file.bytes)).flatten() else {
            kept.push(file);
            continue;
        };
        if found.files.is_empty() && found.text.is_none() && found.html.is_none() {
            kept.push(file);
        }
        for packed in found.files {
            if kept.len() == MAX_PARTS {
                break;
            }
            kept.push(packed_file(packed, kept.len() + 1));
        }
        text = tnef::Unpacked { text: text.text.or(found.text), html: text.html.or(found.html), files: Vec::new() };
    }
    (kept, text)
}

fn packed_file(packed: tnef::File, nth: usize) -> Attachment {
    let name = file_name(&packed.name);
    let written = packed.content_type.map(|kind| kind.to_ascii_lowercase()).filter(|kind| is_media_type(kind));
    let content_type = written.unwrap_or_else(|| String::from(type_by_name(name.as_deref().unwrap_or_default())));
    Attachment {
        name: name.unwrap_or_else(|| unnamed(nth, &content_type)),
        content_id: packed.content_id.map(|id| one_line(&id, 200)).filter(|id| !id.is_empty()),
        bytes: packed.bytes,
        content_type,
    }
}

fn is_media_type(text: &str) -> bool {
    text.split_once('/').is_some_and(|(main, sub)| is_token(main) && is_token(sub))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
}

/// The media type that the end of a name stands for.
fn type_by_name(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
        Some("txt") => "text/plain",
        Some("ics") => "text/calendar",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("pdf") => "application/pdf",
        _ => "application/octet-stream",
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
    let bytes = file_bytes(part, raw);
    let named = part.attachment_name().and_then(file_name).or_else(|| subject_as_name(&content_type, &bytes));
    Attachment {
        name: named.unwrap_or_else(|| unnamed(nth, &content_type)),
        content_id: part.content_id().map(|id| one_line(id, 200)).filter(|id| !id.is_empty()),
        bytes,
        content_type,
    }
}

/// A mail that was attached without a name goes by its subject.
fn subject_as_name(content_type: &str, bytes: &[u8]) -> Option<String> {
    if content_type != "message/rfc822" {
        return None;
    }
    let head = &bytes[..bytes.len().min(MAX_HEAD_BYTES)];
    let subject = MessageParser::default().parse_headers(head)?.subject().and_then(file_name)?;
    file_name(&format!("{subject}.eml"))
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
    let written = part.content_type().and_then(|kind| {
        let (main, sub) = (kind.ctype(), structure::reveal(kind.subtype()?));
        (is_token(main) && is_token(&sub)).then(|| format!("{main}/{sub}").to_ascii_lowercase())
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
