//! Taking a reply back that has not left yet.

use crate::error::{StoreError, StoreErrorKind};
use crate::messages::preview;
use crate::row::{Db, Row, execute, row, rows, values};
use crate::store::Tx;
use std::collections::BTreeSet;
use switchboard_model::{Address, ConversationId, Identity, MessageDetails, MessageId, Timestamp};

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
        self.withdraw_invitations(conversation, message).await?;
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

    /// Whoever no other message of the conversation names may not write in it any more; contacts of what was merged into it
    /// go on taking part.
    async fn withdraw_invitations(&self, conversation: ConversationId, message: MessageId) -> Result<(), StoreError> {
        let sql = "SELECT recipients, addressed, bcc FROM message WHERE id = $1";
        let mut leaving = named(row(self, sql, values![message]).await?.iter())?;
        if leaving.is_empty() {
            return Ok(());
        }
        let sql = "SELECT recipients, addressed, bcc FROM message WHERE conversation_id = $1 AND id <> $2";
        let staying = named(rows(self, sql, values![conversation, message]).await?.iter())?;
        leaving.retain(|identity| !staying.contains(identity));
        let sql = "DELETE FROM participant WHERE conversation_id = $1 AND kind = $2 AND value = $3 AND NOT EXISTS (SELECT 1 \
            FROM item i JOIN identity d ON d.contact_id = i.contact_id WHERE (i.id = $1 OR i.merged_into = $1) \
            AND d.kind = $2 AND d.value = $3)";
        for identity in leaving {
            execute(self, sql, values![conversation, identity.kind, identity.value.as_str()]).await?;
        }
        Ok(())
    }

    /// What the items of a conversation say about its messages, found anew: preview, last message, first reply, and since
    /// when the contact waits.
    async fn settle_items(&self, conversation: ConversationId) -> Result<(), StoreError> {
        let last =
            row(self, format!("SELECT text, details, at {WRITTEN} ORDER BY at DESC, id DESC LIMIT 1"), values![conversation])
                .await?;
        let shown = |row: &Row| {
            let details: MessageDetails = row.opt_json("details")?.unwrap_or_default();
            Ok::<_, StoreError>((preview(&row.get::<String>("text")?, details.folded_from), row.id("at", Timestamp)?))
        };
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

/// Everybody whom messages are addressed to.
fn named<'a>(messages: impl Iterator<Item = &'a Row>) -> Result<BTreeSet<Identity>, StoreError> {
    let mut named = BTreeSet::new();
    for row in messages {
        for column in ["recipients", "addressed", "bcc"] {
            let listed: Vec<Address> = row.opt_json(column)?.unwrap_or_default();
            named.extend(listed.iter().map(|to| Identity::email(&to.address)));
        }
    }
    Ok(named)
}
