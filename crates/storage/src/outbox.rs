//! The outbox: replies on their way out, in the order of their conversation.

use crate::error::StoreError;
use crate::store::{Store, Tx};
use switchboard_model::{ChannelId, ConversationId, MessageId, OutboundMessage, Timestamp};

/// A reply to send.
#[derive(Clone, Debug)]
pub struct NewOutbox {
    /// Its id.
    pub id: i64,
    /// Our key: the same key twice is one entry.
    pub key: String,
    /// The channel.
    pub channel: ChannelId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The stored message.
    pub message: MessageId,
    /// When.
    pub at: Timestamp,
}

/// An entry that was claimed for sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its id.
    pub id: i64,
    /// Our key.
    pub key: String,
    /// The channel.
    pub channel: ChannelId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The stored message.
    pub message: MessageId,
    /// Attempts, this one included.
    pub attempts: u32,
    /// Who claimed it.
    pub holder: String,
    /// Until when nobody else may.
    pub lease_until: Timestamp,
}

impl Store {
    /// The message of an entry, ready for the adapter of the channel with this slug.
    ///
    /// # Errors
    /// `NotFound` when message or conversation are gone.
    pub async fn outbound_message(&self, entry: &OutboxEntry, slug: &str) -> Result<OutboundMessage, StoreError> {
        todo!()
    }

    /// When the next entry is due; `None` with an empty outbox.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_outbox_at(&self) -> Result<Option<Timestamp>, StoreError> {
        todo!()
    }
}

impl Tx {
    /// Puts a reply into the outbox; false when the key is there already.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn enqueue(&self, entry: &NewOutbox) -> Result<bool, StoreError> {
        todo!()
    }

    /// Claims entries that are due, oldest first, for `lease_ms`; never one whose conversation has an earlier
    /// entry that is still to be sent. Entries of a holder that died come up again when its lease is over.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn claim_due(
        &self,
        holder: &str,
        now: Timestamp,
        limit: u32,
        lease_ms: i64,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        todo!()
    }

    /// The other side has it; `reference` is the id that replies will refer to. False when the claim was lost.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mark_sent(&self, entry: &OutboxEntry, reference: Option<&str>, at: Timestamp) -> Result<bool, StoreError> {
        todo!()
    }

    /// It will be tried again. False when the claim was lost.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mark_retry(
        &self,
        entry: &OutboxEntry,
        next_attempt_at: Timestamp,
        error: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    /// It is given up. False when the claim was lost.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mark_failed(&self, entry: &OutboxEntry, error: &str, at: Timestamp) -> Result<bool, StoreError> {
        todo!()
    }

    /// Queues a message that was given up once more, with its attempts counted anew.
    ///
    /// # Errors
    /// `NotFound` when it is not in the outbox, `Conflict` when it was not given up.
    pub async fn retry_message(&self, message: MessageId, at: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// The other side took a message and reported later that it failed (a bounce): the last reply of the
    /// conversation with this reference is shown as failed. `None` when there is none.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mark_bounced(
        &self,
        channel: ChannelId,
        reference: &str,
        error: &str,
        at: Timestamp,
    ) -> Result<Option<MessageId>, StoreError> {
        todo!()
    }
}
