//! Raw mail to an inbound message. Pure: bytes, envelope, mailbox and time in, message out.
//!
//! Nothing is ever refused here. What cannot be read becomes a message of nature `malformed` that carries its
//! bytes; a person may be behind it.

mod authentication;
mod body;
mod bounce;
mod calendar;
mod charset;
mod fingerprint;
mod headers;
mod nature;
mod people;
mod quoted;
mod structure;
#[cfg(test)]
mod tests;
mod thread;

use crate::config::{Mailbox, ProofRule};
use crate::token::Signer;
pub(crate) use authentication::fields as head_fields;
#[cfg(test)]
pub(crate) use authentication::proof;
use bytes::Bytes;
pub(crate) use charset::western_text;
use mail_parser::{HeaderName, HeaderValue, Message, MessageParser};
use structure::Structure;
use switchboard_model::{
    Authentication, Identity, InboundMessage, MessageDetails, Nature, Proof, RawSource, Sender, ThreadHints, Timestamp,
};

/// What the protocol said besides the mail itself.
#[derive(Clone, Copy)]
pub(crate) struct Envelope<'e> {
    /// The return path; `None` is the null sender `<>`.
    pub(crate) sender: Option<&'e str>,
    /// Every address of this mailbox that the mail was sent to.
    pub(crate) recipients: &'e [String],
}

/// Who receives: the mailbox and its secret.
#[derive(Clone, Copy)]
pub(crate) struct Receiving<'r> {
    /// The mailbox.
    pub(crate) mailbox: &'r Mailbox,
    /// Verifies what we signed.
    pub(crate) signer: &'r Signer,
}

/// Text beyond this many bytes is cut off; the raw message keeps it.
const MAX_TEXT_BYTES: usize = 2_097_152;
/// How much of an unreadable message is shown.
const MAX_UNREADABLE_BYTES: usize = 65_536;
/// A subject beyond this many characters is cut off.
const MAX_SUBJECT_CHARS: usize = 998;

/// Reads one mail. `now` bounds the date that the sender claims.
pub(crate) fn decode(raw: &Bytes, envelope: Envelope<'_>, receiving: Receiving<'_>, now: Timestamp) -> InboundMessage {
    read(raw, envelope, receiving, now, None)
}

/// Whether a server that the mailbox trusts has written down what it found out about the sender.
pub(crate) fn is_vouched_for(raw: &[u8], mailbox: &Mailbox) -> bool {
    authentication::claimed(raw, &mailbox.authentication, "").is_some()
}

/// Reads one mail as [`decode`] does, with what we found out about its sender ourselves; what anybody else wrote down
/// does not count then.
pub(crate) fn decode_checked(
    raw: &Bytes,
    envelope: Envelope<'_>,
    receiving: Receiving<'_>,
    now: Timestamp,
    checked: Authentication,
) -> InboundMessage {
    read(raw, envelope, receiving, now, Some(checked))
}

fn read(
    raw: &Bytes,
    envelope: Envelope<'_>,
    receiving: Receiving<'_>,
    now: Timestamp,
    checked: Option<Authentication>,
) -> InboundMessage {
    let Structure::Readable(prepared) = structure::prepare(raw) else {
        return unreadable(raw, envelope, receiving, checked);
    };
    let parsed = MessageParser::default().parse(prepared.as_ref()).filter(has_mail_header);
    let Some(message) = parsed else {
        return unreadable(raw, envelope, receiving, checked);
    };
    let mut thread = thread::hints(&message, envelope, receiving);
    let (nature, failure) = nature::classify(&message, raw, envelope, receiving, &mut thread);
    let body = body::read(&message, raw);
    let recoded = headers::recoded(&message, raw);
    let reread = recoded.as_deref().and_then(|head| MessageParser::default().parse_headers(head));
    let named = reread.as_ref().unwrap_or(&message);
    let (sender, authentication) = vouched(people::sender(named, envelope, receiving.mailbox), named, raw, receiving, checked);
    let subject = named.subject().map(|subject| one_line(subject, MAX_SUBJECT_CHARS)).filter(|subject| !subject.is_empty());
    let folded_from = quoted::folded_from(&body.text, subject.as_deref());
    InboundMessage {
        channel: receiving.mailbox.slug.clone(),
        external_id: fingerprint::external_id(&message, raw),
        further_ids: Vec::new(),
        sent_at: sent_at(&message, now),
        sender,
        thread,
        subject,
        text: body.text,
        html: body.html,
        fields: Vec::new(),
        attachments: body.attachments,
        recipients: people::recipients(named, receiving.mailbox),
        language: language(&message),
        nature,
        details: MessageDetails { authentication, folded_from, failure, invitation: body.invitation },
        raw: Some(source(raw)),
    }
}

/// The sender with as much proof as there is: of whom the domain disowns, or who cannot be told apart from somebody else,
/// the address is as good as typed.
fn vouched(
    mut sender: Sender,
    message: &Message<'_>,
    raw: &[u8],
    receiving: Receiving<'_>,
    checked: Option<Authentication>,
) -> (Sender, Option<Authentication>) {
    let config = &receiving.mailbox.authentication;
    let domain = sender.identity.value.rsplit_once('@').map_or("", |(_, domain)| domain);
    let found = checked.or_else(|| authentication::claimed(raw, config, domain));
    let checks = found.is_some() || config.proof == ProofRule::OnlyPassed;
    let unproven = authentication::proof(found.as_ref(), config.proof) == Proof::Typed
        || (checks && !people::is_only_author(message, domain));
    if sender.proof == Proof::Channel && unproven {
        sender.proof = Proof::Typed;
    }
    (sender, found)
}

/// A mail that cannot be read, kept as it is; also the way out when reading it failed in an unforeseen way.
///
/// Its sender is the return path, of which no check of an author says anything. So where checks are made at all it is as
/// good as typed, else a mail that is broken on purpose would be worth more than one that can be read.
pub(crate) fn unreadable(
    raw: &Bytes,
    envelope: Envelope<'_>,
    receiving: Receiving<'_>,
    checked: Option<Authentication>,
) -> InboundMessage {
    let shown = &raw[..raw.len().min(MAX_UNREADABLE_BYTES)];
    let config = &receiving.mailbox.authentication;
    let sender = people::envelope_sender(envelope);
    let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
    let authentication = checked.or_else(|| authentication::claimed(raw, config, domain));
    let proof = if config.checks() { Proof::Typed } else { Proof::Channel };
    InboundMessage {
        channel: receiving.mailbox.slug.clone(),
        external_id: fingerprint::of_bytes(raw),
        further_ids: Vec::new(),
        sent_at: None,
        sender: Sender { identity: Identity::email(sender), also: Vec::new(), proof, name: None },
        thread: ThreadHints { conversation: thread::from_recipients(envelope, receiving), ..ThreadHints::default() },
        subject: None,
        text: storable(&String::from_utf8_lossy(shown)),
        html: None,
        fields: Vec::new(),
        attachments: Vec::new(),
        recipients: Vec::new(),
        language: None,
        nature: Nature::Malformed,
        details: MessageDetails { authentication, ..MessageDetails::default() },
        raw: Some(source(raw)),
    }
}

fn source(raw: &Bytes) -> RawSource {
    RawSource { content_type: String::from("message/rfc822"), bytes: raw.clone() }
}

/// Whether anything makes this a mail: one header that mail has.
fn has_mail_header(message: &Message<'_>) -> bool {
    message.headers().iter().any(|header| {
        matches!(
            header.name,
            HeaderName::From
                | HeaderName::Sender
                | HeaderName::Date
                | HeaderName::Subject
                | HeaderName::To
                | HeaderName::Cc
                | HeaderName::MessageId
                | HeaderName::MimeVersion
                | HeaderName::ContentType
                | HeaderName::Received
                | HeaderName::ReturnPath
        )
    })
}

/// The date that the sender claims, between 1990 and a day from now.
fn sent_at(message: &Message<'_>, now: Timestamp) -> Option<Timestamp> {
    const YEAR_1990_MS: i64 = 631_152_000_000;
    const DAY_MS: i64 = 86_400_000;
    let date = message.date().filter(|date| date.is_valid())?;
    let sent = Timestamp(date.to_timestamp().checked_mul(1_000)?);
    (sent.0 >= YEAR_1990_MS && sent <= now.plus_ms(DAY_MS)).then_some(sent)
}

/// The first language tag of `Content-Language`.
fn language(message: &Message<'_>) -> Option<String> {
    let tag = texts(message.header_values(HeaderName::ContentLanguage)).next()?.trim();
    let subtags_fit =
        tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    (tag.len() <= 35 && subtags_fit && tag.as_bytes()[0].is_ascii_alphabetic()).then(|| tag.to_owned())
}

/// Every text of some header values.
fn texts<'m>(values: impl Iterator<Item = &'m HeaderValue<'m>>) -> impl Iterator<Item = &'m str> {
    values
        .flat_map(|value| match value {
            HeaderValue::Text(text) => std::slice::from_ref(text).iter(),
            HeaderValue::TextList(texts) => texts.iter(),
            _ => [].iter(),
        })
        .map(AsRef::as_ref)
}

/// The values of a header that has no form of its own, whatever the letter case of its name.
fn plain_values<'m>(message: &'m Message<'m>, name: &'static str) -> impl Iterator<Item = &'m str> {
    let named = message.headers().iter().filter(move |header| header.name.as_str().eq_ignore_ascii_case(name));
    texts(named.map(|header| &header.value)).map(str::trim)
}

/// Text for one line: control characters and runs of space become one space.
fn one_line(text: &str, max_chars: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max_chars));
    for letter in text.chars().take(max_chars) {
        if !(letter.is_control() || letter.is_whitespace() || is_direction_mark(letter)) {
            line.push(letter);
        } else if !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Characters that reorder what stands around them, which is how `gpj.exe` is made to look like a picture.
fn is_direction_mark(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// Text as it is stored: line feeds only, no NUL (which PostgreSQL refuses), and within the limit.
fn storable(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}")
}
