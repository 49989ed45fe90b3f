//! What says which conversation a mail belongs to.

use super::{Envelope, Receiving, texts};
use mail_parser::{HeaderName, Message};
use switchboard_model::{ConversationId, ThreadHints};

/// How many references are kept.
const MAX_REFERENCES: usize = 100;
/// The longest Message-ID that is kept, in bytes.
const MAX_ID_BYTES: usize = 500;

/// The hints of a mail. A conversation is named only by something that we signed: the plus-address that the
/// mail was sent to, or one of our Message-IDs that it refers to. Ids are kept without angle brackets.
pub(super) fn hints(message: &Message<'_>, envelope: Envelope<'_>, receiving: Receiving<'_>) -> ThreadHints {
    let references = references(message);
    let named = || references.iter().find_map(|id| receiving.signer.verify_message_id(id));
    ThreadHints {
        conversation: from_recipients(envelope, receiving).or_else(named),
        key: None,
        own_reference: message.message_id().and_then(clean_id),
        references,
    }
}

/// The conversation that a plus-address of the envelope names.
pub(super) fn from_recipients(envelope: Envelope<'_>, receiving: Receiving<'_>) -> Option<ConversationId> {
    let tags = envelope.recipients.iter().filter_map(|address| receiving.mailbox.tag(address));
    tags.filter(|tag| !tag.is_empty()).find_map(|tag| receiving.signer.verify_reply_tag(&tag))
}

/// A Message-ID without its brackets, when it is one.
pub(super) fn clean_id(id: &str) -> Option<String> {
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    let printable = id.chars().all(|letter| !letter.is_control() && !letter.is_whitespace() && !matches!(letter, '<' | '>'));
    (!id.is_empty() && id.len() <= MAX_ID_BYTES && printable).then(|| id.to_owned())
}

/// Nearest first: `In-Reply-To`, then `References` from the end.
fn references(message: &Message<'_>) -> Vec<String> {
    let answered = texts(message.header_values(HeaderName::InReplyTo)).take(MAX_REFERENCES);
    let earlier: Vec<&str> = texts(message.header_values(HeaderName::References)).collect();
    let mut nearest: Vec<String> = Vec::new();
    for id in answered.chain(earlier.into_iter().rev()).filter_map(clean_id) {
        if nearest.len() == MAX_REFERENCES {
            break;
        }
        if !nearest.contains(&id) {
            nearest.push(id);
        }
    }
    nearest
}
