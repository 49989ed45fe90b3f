//! The external id: what makes a mail the same mail.
//!
//! A mail with a Message-ID is the same mail when its author's headers and its body are the same, whatever
//! the relays on the way have added: `Received`, `Return-Path`, signatures, filters' notes, other line ends, other
//! folding. The body counts because some programs give two mails one Message-ID. A relay that recodes the body
//! makes a second mail of it: shown twice is better than lost.
//! A mail without a Message-ID is the same mail when all its bytes are, trace headers included, because nothing
//! else tells a repeat from a second mail with the same words.
//! The id is a hash, so that it carries no personal data into indexes and logs.

use crate::token::hex;
use mail_parser::{HeaderName, Message};
use sha2::{Digest, Sha256};

/// Bytes of the hash that the id carries.
const ID_BYTES: usize = 20;

/// Headers that the author's program writes and no relay changes.
const AUTHORED: [HeaderName<'static>; 12] = [
    HeaderName::MessageId,
    HeaderName::Date,
    HeaderName::From,
    HeaderName::Sender,
    HeaderName::ReplyTo,
    HeaderName::To,
    HeaderName::Cc,
    HeaderName::Subject,
    HeaderName::InReplyTo,
    HeaderName::References,
    HeaderName::ContentType,
    HeaderName::ContentTransferEncoding,
];

/// The external id of a mail that could be read.
pub(super) fn external_id(message: &Message<'_>, raw: &[u8]) -> String {
    if message.message_id().is_none_or(|id| id.trim().is_empty()) {
        return of_bytes(raw);
    }
    let mut hash = Sha256::new();
    for name in AUTHORED {
        let values = message.headers().iter().filter(|header| header.name == name);
        for header in values {
            let value = raw.get(header.offset_start as usize..header.offset_end as usize).unwrap_or_default();
            hash.update([1]);
            for word in value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
                hash.update(word);
                hash.update(b" ");
            }
        }
        hash.update([0]);
    }
    let body_start = message.root_part().raw_body_offset() as usize;
    hash_lines(&mut hash, raw.get(body_start..).unwrap_or_default());
    finish("m", hash)
}

/// The external id of bytes that are the same only when every one of them is.
pub(super) fn of_bytes(raw: &[u8]) -> String {
    finish("b", Sha256::new_with_prefix(raw))
}

/// Hashes lines without their ends, and without the empty ones at the end.
fn hash_lines(hash: &mut Sha256, body: &[u8]) {
    let end = body.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    for line in body[..end].split(|byte| *byte == b'\n') {
        hash.update(line.strip_suffix(b"\r").unwrap_or(line));
        hash.update(b"\n");
    }
}

fn finish(kind: &str, hash: Sha256) -> String {
    format!("{kind}-{}", hex(&hash.finalize()[..ID_BYTES]))
}
