//! Taking a reply back that has not left yet.

use crate::error::{StoreError, StoreErrorKind};
use crate::messages::preview;
use crate::row::{Db, Row, execute, row, values};
use crate::store::Tx;
use switchboard_model::{ConversationId, MessageId, Timestamp};

/// What people wrote to each other in conversation `$1`.
const WRITTEN: &str = "FROM message WHERE conversation_id = $1 AND kind <> 'note' AND nature IN ('message', 'malformed')";

impl Tx {
    /// Takes a reply out of the outbox and out of its conversation, which is then as if it had not been written, but for
    /// its owner. Whoever claims the entry first has it: a reply that was claimed once cannot be taken back.
    ///
    /// # Errors
    /// `NotFound` when it is not in the outbox; `Conflict` when it is on its way, or was not held back.
    pub async fn recall_message(&self, message: MessageId, at: Timestamp) -> Result<ConversationId, StoreError> {
        let sql = "DELETE FROM outbox WHERE message_id = $1 AND held AND state = 'queued' AND attempts = 0 \
            RETURNING conversation_id";
        let Some(entry) = row(self, sql, values![message]).await? else {
            let known = row(self, "SELECT 1 AS here FROM outbox WHERE message_id = $1", values![message]).await?.is_some();
            return Err(if known {
                StoreError::new(StoreErrorKind::Conflict, format!("message {message} is on its way"))
            } else {
                StoreError::new(StoreErrorKind::NotFound, format!("message {message} is not in the outbox"))
            });
        };
        let told = entry.id("conversation_id", ConversationId)?;
        let found = row(self, "SELECT conversation_id FROM message WHERE id = $1", values![message]).await?;
        let gone = || StoreError::new(StoreErrorKind::NotFound, format!("message {message} is not stored"));
        let conversation = found.ok_or_else(gone)?.id("conversation_id", ConversationId)?;
        let words =
            if self.is_shared() { "DELETE FROM search_entry WHERE id = $1" } else { "DELETE FROM search_entry WHERE rowid = $1" };
        for sql in [
            "DELETE FROM attachment WHERE message_id = $1",
            "DELETE FROM blob WHERE message_id = $1",
            "DELETE FROM message_reference WHERE message_id = $1",
            words,
            "DELETE FROM message WHERE id = $1",
        ] {
            execute(self, sql, values![message]).await?;
        }
        self.settle_items(conversation).await?;
        self.tell_delivery(message, told, at).await?;
        Ok(conversation)
    }

    /// What the items of a conversation say about its messages, found anew: preview, last message, first reply, and since
    /// when the contact waits.
    async fn settle_items(&self, conversation: ConversationId) -> Result<(), StoreError> {
        let last =
            row(self, format!("SELECT text, at {WRITTEN} ORDER BY at DESC, id DESC LIMIT 1"), values![conversation]).await?;
        let shown = |row: &Row| Ok::<_, StoreError>((preview(&row.get::<String>("text")?), row.id("at", Timestamp)?));
        if let Some((preview, at)) = last.as_ref().map(shown).transpose()? {
            let sql = "UPDATE item SET preview = $2, last_message_at = $3 WHERE count_key = $1";
            execute(self, sql, values![conversation, preview, at]).await?;
        }
        let sql = format!(
            "UPDATE item SET first_reply_at = (SELECT MIN(at) {WRITTEN} AND kind = 'reply'), \
             waiting_since = CASE WHEN status IN ('open', 'snoozed') THEN (SELECT MIN(at) {WRITTEN} AND kind = 'inbound' \
             AND at >= COALESCE((SELECT MAX(at) {WRITTEN} AND kind = 'reply'), 0)) END WHERE count_key = $1"
        );
        execute(self, sql, values![conversation]).await.map(|_| ())
    }
}
