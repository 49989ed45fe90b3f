//! Outbound messages to mail. Pure: the same message gives the same bytes, on every attempt.

mod address;
mod flow;
mod signature;
#[cfg(test)]
mod tests;

use crate::config::{Config, Shown};
use crate::token::Signer;
use address::{Recipients, header_address};
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment as File, Body, Mailbox as Named, MultiPart, SinglePart};
use signature::Words;
use std::time::{Duration, SystemTime};
use switchboard_channel::{ChannelError, ErrorKind, Retry};
use switchboard_model::{Attachment, OutboundMessage, Timestamp};

/// A mail, ready to be handed to a server.
pub(crate) struct Encoded {
    /// The mail, signed if there is a key.
    pub(crate) bytes: Vec<u8>,
    /// Who it comes from, towards servers.
    pub(crate) from: lettre::Address,
    /// Who it goes to, towards servers; nobody twice, never empty.
    pub(crate) to: Vec<lettre::Address>,
    /// An address has letters beyond ASCII before its `@`, so that only servers with SMTPUTF8 can have it.
    pub(crate) needs_utf8: bool,
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
    let from = header_address(&config.mailbox.address)?;
    let reference = signer.message_id(message.conversation, message.message, &message.key, from.domain());
    let (local_name, signature) = config.sender.in_language(message.language.as_deref());
    let name = local_name.or(config.name.as_deref());
    let mut builder = Message::builder()
        .message_id(Some(format!("<{reference}>")))
        .date(written(message.written_at))
        .from(named(sender_name(message, config.sender.shown, name), from.clone()))
        .subject(subject(message))
        .raw_header(raw("X-Switchboard", signer.mark()));
    let recipients = Recipients::of(message)?;
    builder = recipients.to.iter().cloned().fold(builder, lettre::message::MessageBuilder::to);
    builder = recipients.cc.iter().cloned().fold(builder, lettre::message::MessageBuilder::cc);
    if let Some(address) = reply_address(message, config, &from, signer) {
        builder = builder.reply_to(named(name.map(str::to_owned), header_address(&address)?));
    }
    let references = references(message);
    if let Some(answered) = references.last() {
        builder = builder.in_reply_to(answered.clone()).references(references.join(" "));
    }
    if message.automatic {
        builder = builder
            .raw_header(raw("Auto-Submitted", String::from("auto-generated")))
            .raw_header(raw("X-Auto-Response-Suppress", String::from("All")));
    }
    let words = Words::of(message, signature, name.unwrap_or_default(), &config.mailbox.address);
    // The envelope is ours; lettre only insists on one.
    let envelope = lettre::address::Envelope::new(Some(from.clone()), recipients.envelope.clone());
    let builder = builder.envelope(envelope.map_err(|error| rejected(&error.to_string()))?);
    let mail = body(builder, message, words, signer).map_err(|error| rejected(&error.to_string()))?;
    let needs_utf8 = recipients.needs_utf8 || !from.to_string().is_ascii();
    let bytes = signed(mail.formatted(), message, config)?;
    Ok(Encoded { bytes, from, to: recipients.envelope, needs_utf8, reference })
}

fn signed(mail: Vec<u8>, message: &OutboundMessage, config: &Config) -> Result<Vec<u8>, ChannelError> {
    let Some(dkim) = &config.dkim else { return Ok(mail) };
    let at = u64::try_from(message.written_at.0 / 1_000).unwrap_or(0);
    dkim.sign(mail, at)
        .map_err(|error| ChannelError::new(ErrorKind::Configuration, Retry::Later, "signing the mail (DKIM)", error))
}

fn raw(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// `Pia Berg (Shop)`, `Pia Berg`, `Shop`, or no name at all.
fn sender_name(message: &OutboundMessage, shown: Shown, mailbox: Option<&str>) -> Option<String> {
    match (message.author.as_deref(), mailbox, shown) {
        (Some(author), Some(mailbox), Shown::AgentAndMailbox) => Some(format!("{author} ({mailbox})")),
        (author, mailbox, Shown::AgentAndMailbox | Shown::Agent) => author.or(mailbox).map(str::to_owned),
        (author, mailbox, Shown::Mailbox) => mailbox.or(author).map(str::to_owned),
    }
}

/// The plus-address of the conversation; none when it would be too long to be an address.
fn reply_address(message: &OutboundMessage, config: &Config, from: &lettre::Address, signer: &Signer) -> Option<String> {
    let local = format!("{}+{}", from.user(), signer.reply_tag(message.conversation));
    (config.reply_token && local.len() <= MAX_LOCAL_BYTES).then(|| format!("{local}@{}", from.domain()))
}

fn named(name: Option<String>, address: lettre::Address) -> Named {
    Named::new(name.map(|name| one_line(&name)).filter(|name| !name.is_empty()), address)
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

fn body(
    builder: lettre::message::MessageBuilder,
    message: &OutboundMessage,
    words: Words,
    signer: &Signer,
) -> Result<Message, lettre::error::Error> {
    let boundary = |nth| signer.boundary(&message.key, nth);
    let (inline, files): (Vec<&Attachment>, Vec<&Attachment>) =
        message.attachments.iter().partition(|file| words.html.is_some() && file.content_id.is_some());
    let plain = plain(&words.text);
    let Some(html) = words.html else {
        if files.is_empty() {
            return builder.singlepart(plain);
        }
        return builder.multipart(with_files(MultiPart::mixed().boundary(boundary(0)).singlepart(plain), &files));
    };
    let mut text = MultiPart::alternative().boundary(boundary(1)).singlepart(plain);
    let html = SinglePart::html(html);
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

/// Text that programs may wrap as they like (RFC 3676); lettre encodes it where lines are long or letters beyond ASCII.
fn plain(text: &str) -> SinglePart {
    let flowed = ContentType::parse("text/plain; charset=utf-8; format=flowed").expect("a well-known media type");
    SinglePart::builder().header(flowed).body(flow::flowed(text))
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
        // Always in base64: a text file must arrive with the line ends that it has.
        let bytes = Body::new_with_encoding(file.bytes.to_vec(), ContentTransferEncoding::Base64);
        part.singlepart(disposition.body(bytes.expect("base64 holds any bytes"), media_type(&file.content_type)))
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
