//! Outbound messages to mail. Pure: the same message gives the same bytes, on every attempt.

#[cfg(test)]
mod tests;

use crate::config::Config;
use crate::token::Signer;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment as File, Mailbox as Named, MessageBuilder, MultiPart, SinglePart};
use lettre::{Address as MailAddress, Message};
use std::time::{Duration, SystemTime};
use switchboard_channel::{ChannelError, ErrorKind, Retry};
use switchboard_model::{Address, Attachment, OutboundMessage, Timestamp};

/// A mail, ready to be handed to a server.
pub(crate) struct Encoded {
    /// The mail with its envelope.
    pub(crate) mail: Message,
    /// Its Message-ID without angle brackets, which replies will refer to.
    pub(crate) reference: String,
}

/// How many references are written: the first, and the last ones.
const MAX_REFERENCES: usize = 20;
/// The longest reference that is written, in bytes; a header line holds 998.
const MAX_REFERENCE_BYTES: usize = 250;
/// The longest subject and name that are written, in characters.
const MAX_HEADER_CHARS: usize = 250;
/// The longest local part of an address (RFC 5321 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;
/// What replies begin with, in the languages that our users' contacts write.
const REPLY_PREFIXES: [&str; 7] = ["re", "sv", "vs", "antw", "aw", "ref", "odp"];

/// Writes a message as mail from the channel's mailbox.
///
/// # Errors
/// `Rejected` and never again when there is nobody to send it to, or an address is none.
pub(crate) fn encode(message: &OutboundMessage, config: &Config, signer: &Signer) -> Result<Encoded, ChannelError> {
    let (_, domain) = config.mailbox.parts();
    let reference = signer.message_id(message.conversation, message.message, domain);
    let mut builder = Message::builder()
        .message_id(Some(format!("<{reference}>")))
        .date(written(message.written_at))
        .from(named(sender_name(message, config), &config.mailbox.address)?)
        .subject(subject(message))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("X-Switchboard"), signer.mark()));
    builder = recipients(builder, message)?;
    if let Some(address) = reply_address(message, config, signer) {
        builder = builder.reply_to(named(config.name.clone(), &address)?);
    }
    let references = references(message);
    if let Some(answered) = references.last() {
        builder = builder.in_reply_to(answered.clone()).references(references.join(" "));
    }
    let mail = body(builder, message, signer).map_err(|error| rejected(&error.to_string()))?;
    Ok(Encoded { mail, reference })
}

fn recipients(mut builder: MessageBuilder, message: &OutboundMessage) -> Result<MessageBuilder, ChannelError> {
    let contact = [Address { name: None, address: message.identity.value.clone() }];
    let to = if message.to.is_empty() { &contact } else { message.to.as_slice() };
    for person in to {
        builder = builder.to(named(person.name.clone(), &person.address)?);
    }
    for person in &message.cc {
        builder = builder.cc(named(person.name.clone(), &person.address)?);
    }
    Ok(builder)
}

/// `Pia Berg (Shop)`, `Pia Berg`, `Shop`, or no name at all.
fn sender_name(message: &OutboundMessage, config: &Config) -> Option<String> {
    match (&message.author, &config.name) {
        (Some(author), Some(name)) => Some(format!("{author} ({name})")),
        (Some(author), None) => Some(author.clone()),
        (None, name) => name.clone(),
    }
}

/// The plus-address of the conversation; none when it would be too long to be an address.
fn reply_address(message: &OutboundMessage, config: &Config, signer: &Signer) -> Option<String> {
    let (local, domain) = config.mailbox.parts();
    let local = format!("{local}+{}", signer.reply_tag(message.conversation));
    (config.reply_token && local.len() <= MAX_LOCAL_BYTES).then(|| format!("{local}@{domain}"))
}

fn named(name: Option<String>, address: &str) -> Result<Named, ChannelError> {
    let address: MailAddress = address.trim().parse().map_err(|_| rejected("an address of the message is no email address"))?;
    let name = name.map(|name| one_line(&name)).filter(|name| !name.is_empty());
    Ok(Named::new(name, address))
}

/// The subject with `Re:` in front, once, when the message answers another.
fn subject(message: &OutboundMessage) -> String {
    let subject = one_line(message.subject.as_deref().unwrap_or_default());
    if message.references.is_empty() || is_reply(&subject) { subject } else { format!("Re: {subject}").trim_end().to_owned() }
}

/// Whether a subject begins like `Re:`, `SV:` or `Antw[2]:`.
fn is_reply(subject: &str) -> bool {
    let Some((head, _)) = subject.split_once([':', '：']) else { return false };
    let word = head.split(['[', '(']).next().unwrap_or_default().trim();
    REPLY_PREFIXES.iter().any(|prefix| word.eq_ignore_ascii_case(prefix))
}

/// Oldest first, in angle brackets: the first one, which every program threads by, and the last ones.
fn references(message: &OutboundMessage) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in message.references.iter().map(|id| id.trim().trim_start_matches('<').trim_end_matches('>')) {
        let printable = id.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'));
        if !id.is_empty() && id.len() <= MAX_REFERENCE_BYTES && printable {
            let id = format!("<{id}>");
            // The same id again counts where it stands last, because the last one is the one answered.
            ids.retain(|known| *known != id);
            ids.push(id);
        }
    }
    if ids.len() > MAX_REFERENCES {
        ids.drain(1..=ids.len() - MAX_REFERENCES);
    }
    ids
}

fn body(builder: MessageBuilder, message: &OutboundMessage, signer: &Signer) -> Result<Message, lettre::error::Error> {
    let boundary = |nth| signer.boundary(&message.key, nth);
    let (inline, files): (Vec<&Attachment>, Vec<&Attachment>) =
        message.attachments.iter().partition(|file| message.html.is_some() && file.content_id.is_some());
    let plain = SinglePart::plain(message.text.clone());
    let Some(html) = &message.html else {
        if files.is_empty() {
            return builder.singlepart(plain);
        }
        return builder.multipart(with_files(MultiPart::mixed().boundary(boundary(0)).singlepart(plain), &files));
    };
    let mut text = MultiPart::alternative().boundary(boundary(1)).singlepart(plain);
    let html = SinglePart::html(html.clone());
    text = if inline.is_empty() {
        text.singlepart(html)
    } else {
        text.multipart(with_files(MultiPart::related().boundary(boundary(2)).singlepart(html), &inline))
    };
    if files.is_empty() {
        return builder.multipart(text);
    }
    builder.multipart(with_files(MultiPart::mixed().boundary(boundary(0)).multipart(text), &files))
}

fn with_files(part: MultiPart, files: &[&Attachment]) -> MultiPart {
    files.iter().fold(part, |part, file| {
        let name = file_name(&file.name);
        let id = file
            .content_id
            .as_deref()
            .map(|id| id.chars().filter(|letter| letter.is_ascii_graphic() && !matches!(letter, '<' | '>')).collect::<String>());
        let disposition = match id.filter(|id| !id.is_empty()) {
            Some(id) => File::new_inline_with_name(id, name),
            None => File::new(name),
        };
        part.singlepart(disposition.body(file.bytes.to_vec(), media_type(&file.content_type)))
    })
}

/// Nested messages and multiparts may not be encoded (RFC 2046 5.2.1), so they go as plain bytes, and so does
/// what is no media type.
fn media_type(written: &str) -> ContentType {
    let plain = ContentType::parse("application/octet-stream").expect("a well-known media type");
    let main = written.split('/').next().unwrap_or_default().to_ascii_lowercase();
    if written.contains(char::is_control) || matches!(main.as_str(), "message" | "multipart") {
        return plain;
    }
    ContentType::parse(written).unwrap_or(plain)
}

fn file_name(name: &str) -> String {
    let name = one_line(name.rsplit(['/', '\\']).next().unwrap_or_default());
    if name.is_empty() { String::from("attachment") } else { name }
}

/// The date of the message, within the years that a mail can be dated.
fn written(at: Timestamp) -> SystemTime {
    const YEAR_9999_MS: i64 = 253_402_300_799_000;
    SystemTime::UNIX_EPOCH + Duration::from_millis(at.0.clamp(0, YEAR_9999_MS).unsigned_abs())
}

/// Text for a header: one line, without control characters.
fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|letter: char| letter.is_control() || letter.is_whitespace()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(MAX_HEADER_CHARS).collect::<String>().trim_end().to_owned()
}

fn rejected(message: &str) -> ChannelError {
    ChannelError::new(ErrorKind::Rejected, Retry::Never, "writing the mail", message)
}
