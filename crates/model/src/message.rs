//! Messages on their way in and out, and what a channel says it can do.

use crate::details::MessageDetails;
use crate::id::{ConversationId, MessageId};
use crate::identity::{Identity, Proof};
use crate::kind::words;
use crate::time::Timestamp;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

words! {
    /// What an inbound message is. Only `message` and `malformed` route and reopen (ROUTING 12.1).
    Nature {
        /// Written by a person.
        Message = "message",
        /// An automatic reply: kept, nothing else.
        AutoReply = "auto_reply",
        /// A delivery report: kept, marks the message that failed.
        Bounce = "bounce",
        /// Judged to be spam: kept, nothing else.
        Spam = "spam",
        /// Not readable as its format says: kept raw, shown as such, and routed, because a person may be behind it.
        Malformed = "malformed",
    }
}

/// A message from outside, as an adapter hands it to the inbox.
///
/// Text has no size limit here; adapters keep to the limits of their configuration. `Debug` shows neither
/// text nor addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct InboundMessage {
    /// Slug of the channel that received it.
    pub channel: String,
    /// Unique within the channel; the same id again is the same message (ROUTING 12.1).
    pub external_id: String,
    /// Further ids under which the same message may have come already, or may come yet; empty for most channels. Whichever
    /// comes first is stored, under all of its ids.
    pub further_ids: Vec<String>,
    /// When the sender says it was sent.
    pub sent_at: Option<Timestamp>,
    /// Who sent it.
    pub sender: Sender,
    /// What says which conversation it belongs to.
    pub thread: ThreadHints,
    /// Subject, where the channel has one.
    pub subject: Option<String>,
    /// Plain text, never absent; empty when there is none.
    pub text: String,
    /// Cleaned HTML, safe to show in a sandboxed frame.
    pub html: Option<String>,
    /// Declared form fields with their labels' names, in order.
    pub fields: Vec<(String, String)>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// Everybody else it was addressed to.
    pub recipients: Vec<Address>,
    /// Language tag, where the channel knows it.
    pub language: Option<String>,
    /// What it is.
    pub nature: Nature,
    /// What else the channel found out about it.
    pub details: MessageDetails,
    /// The message as it came over the wire.
    pub raw: Option<RawSource>,
}

/// Who sent an inbound message.
#[derive(Clone, PartialEq, Eq)]
pub struct Sender {
    /// The identity that the channel answers to.
    pub identity: Identity,
    /// Further identities of the same sender: with [`Proof::Channel`] and [`Proof::Cookie`] the channel vouches for them, with
    /// [`Proof::Typed`] they belong to whoever typed, and are tied to a contact only when it is made by this message.
    pub also: Vec<Identity>,
    /// How the channel knows.
    pub proof: Proof,
    /// Display name.
    pub name: Option<String>,
}

/// What a message says about the conversation it belongs to, strongest first.
///
/// The engine follows a hint only into a conversation on the same channel in which the sender takes part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadHints {
    /// A conversation named by a token that the adapter signed and has verified.
    pub conversation: Option<ConversationId>,
    /// The platform's own thread key: one conversation per key.
    pub key: Option<String>,
    /// Message ids that it refers to, nearest first (In-Reply-To, then References from the end).
    pub references: Vec<String>,
    /// The id of the message itself in that id space.
    pub own_reference: Option<String>,
}

/// A name and an address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Address {
    /// Display name.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

/// A file that came or goes with a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// File name, without any path.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// The id by which HTML refers to it (`cid:`).
    pub content_id: Option<String>,
    /// The file.
    pub bytes: Bytes,
}

/// A message as received.
#[derive(Clone, PartialEq, Eq)]
pub struct RawSource {
    /// Media type, such as `message/rfc822`.
    pub content_type: String,
    /// The bytes.
    pub bytes: Bytes,
}

/// What the inbox answers after its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The conversation it landed in.
    pub conversation: ConversationId,
    /// The stored message.
    pub message: MessageId,
    /// It had been taken in before; nothing changed.
    pub duplicate: bool,
}

/// A message for a contact, as the outbox hands it to an adapter.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboundMessage {
    /// Our key: the same key twice must go out once.
    pub key: String,
    /// Slug of the channel.
    pub channel: String,
    /// The conversation.
    pub conversation: ConversationId,
    /// The message.
    pub message: MessageId,
    /// Name of the person who wrote it.
    pub author: Option<String>,
    /// The contact.
    pub to: Vec<Address>,
    /// Copies that everybody sees.
    pub cc: Vec<Address>,
    /// Copies that nobody else sees.
    pub bcc: Vec<Address>,
    /// Addresses among the three lists that do not have the message yet, when others have it; empty means all.
    pub only: Vec<String>,
    /// The contact's identity on the channel.
    pub identity: Identity,
    /// Subject, where the channel has one.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// HTML, when the author wrote any.
    pub html: Option<String>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// References of the earlier messages of the conversation, oldest first; the last is the one answered.
    pub references: Vec<String>,
    /// The language tag of the contact's last message, where it is known.
    pub language: Option<String>,
    /// Nobody wrote it: it is a notice of Switchboard's own.
    pub automatic: bool,
    /// When it was written.
    pub written_at: Timestamp,
}

/// What an adapter reports about a message that the other side has accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The id that replies will refer to; stored for threading.
    pub reference: Option<String>,
    /// Recipients who were refused while others were not.
    pub refused: Vec<RefusedRecipient>,
}

/// One of several recipients whom the other side refused. `Debug` does not show who.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RefusedRecipient {
    /// Who.
    pub address: String,
    /// Why, in one line for a person.
    pub reason: String,
    /// It is tried again for them.
    pub again: bool,
}

/// What a channel can do. The desk and the engine ask this, never the kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Capabilities {
    /// Replies can be sent.
    pub reply: bool,
    /// Messages have subjects.
    pub subject: bool,
    /// Messages can carry files.
    pub attachments: bool,
    /// Messages can carry HTML.
    pub html: bool,
    /// Messages can have copies.
    pub copies: bool,
    /// A message may wait before it goes out, so that its writer can take it back.
    pub recall: bool,
}

impl fmt::Debug for InboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundMessage")
            .field("channel", &self.channel)
            .field("nature", &self.nature)
            .field("text_bytes", &self.text.len())
            .field("attachments", &self.attachments.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("kind", &self.identity.kind).field("proof", &self.proof).finish_non_exhaustive()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(redacted)")
    }
}

impl fmt::Debug for RefusedRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusedRecipient").field("again", &self.again).finish_non_exhaustive()
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment")
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RawSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawSource").field("content_type", &self.content_type).field("bytes", &self.bytes.len()).finish()
    }
}

impl fmt::Debug for OutboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundMessage")
            .field("key", &self.key)
            .field("channel", &self.channel)
            .field("conversation", &self.conversation)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}
