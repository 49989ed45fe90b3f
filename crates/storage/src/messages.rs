//! Messages with their files, references and search entries.

use crate::error::StoreError;
use crate::store::{Store, Tx};
use bytes::Bytes;
use switchboard_model::{
    Actor, Address, Attachment, BlobId, ChannelId, ConversationId, Identity, MessageId, MessageKind, MessageView, Nature, Page,
    RawSource, Timestamp,
};

/// A message, reply or note to store.
#[derive(Clone)]
pub struct NewMessage {
    /// Its id.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The channel of the conversation.
    pub channel: ChannelId,
    /// The channel's id of an inbound message, unique per channel (ROUTING 12.1).
    pub external_id: Option<String>,
    /// Inbound, reply or note.
    pub kind: MessageKind,
    /// When it was taken in or written.
    pub at: Timestamp,
    /// When the sender says it was sent.
    pub sent_at: Option<Timestamp>,
    /// Who wrote it.
    pub author: Actor,
    /// Their name as it is now.
    pub author_name: Option<String>,
    /// The identity an inbound message came from.
    pub sender: Option<Identity>,
    /// Subject.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// Cleaned HTML.
    pub html: Option<String>,
    /// Form fields in order.
    pub fields: Vec<(String, String)>,
    /// Inbound: everybody else it was addressed to. Reply: the copies.
    pub recipients: Vec<Address>,
    /// Language tag.
    pub language: Option<String>,
    /// What an inbound message is; `message` for others.
    pub nature: Nature,
    /// The id by which later messages refer to it.
    pub own_reference: Option<String>,
    /// Files, each under an id of its own.
    pub attachments: Vec<NewAttachment>,
    /// The message as received.
    pub raw: Option<NewBlob>,
}

/// A file of a message to store.
#[derive(Clone, Debug)]
pub struct NewAttachment {
    /// The id its bytes get.
    pub blob: BlobId,
    /// The file.
    pub attachment: Attachment,
}

/// Bytes to store.
#[derive(Clone, Debug)]
pub struct NewBlob {
    /// Their id.
    pub id: BlobId,
    /// The bytes and their media type.
    pub source: RawSource,
}

/// Stored bytes, with what is needed to say who may read them.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredBlob {
    /// The id.
    pub id: BlobId,
    /// The conversation whose message carries them.
    pub conversation: ConversationId,
    /// The message.
    pub message: MessageId,
    /// File name; `None` for a message as received.
    pub name: Option<String>,
    /// Media type.
    pub content_type: String,
    /// The bytes.
    pub bytes: Bytes,
}

impl Store {
    /// A page of a thread, newest first; `before` is the cursor of the page before.
    ///
    /// # Errors
    /// `Invalid` for a broken cursor.
    pub async fn messages(
        &self,
        conversation: ConversationId,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Page<MessageView>, StoreError> {
        todo!()
    }

    /// One message.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn message(&self, message: MessageId) -> Result<Option<MessageView>, StoreError> {
        todo!()
    }

    /// Stored bytes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn blob(&self, blob: BlobId) -> Result<Option<StoredBlob>, StoreError> {
        todo!()
    }
}

impl Tx {
    /// Stores a message with its files, its reference, its search entry and the key of its duplicate check.
    ///
    /// A message that a person wrote (inbound of nature `message` or `malformed`, or a reply) also becomes the
    /// preview and the last message of the conversation and its ticket; an inbound one starts the wait for an
    /// answer, a reply ends it. Versions stay: only changes of owner, team, status, priority and workspace raise
    /// them.
    ///
    /// # Errors
    /// `Conflict` when the external id was stored before.
    pub async fn insert_message(&self, message: &NewMessage) -> Result<(), StoreError> {
        todo!()
    }
}
