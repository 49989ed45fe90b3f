//! The outbox: replies on their way out, in the order of their conversation.

use crate::error::{StoreError, StoreErrorKind};
use crate::events::NewEvent;
use crate::messages::add_reference;
use crate::row::{Bundle, Db, Row, execute, json, one, placeholders, row, rows, values};
use crate::store::{Store, Tx};
use bytes::Bytes;
use switchboard_model::{
    Address, Attachment, ChannelId, ConversationId, Identity, ItemId, LiveEventKind, MessageId, OutboundMessage,
    RefusedRecipient, Timestamp, WorkspaceId,
};

/// References that go out with a message; mail headers have limits.
const MAX_REFERENCES: u32 = 50;
/// Letters of an error that are kept.
const MAX_ERROR: usize = 500;

/// Whether entry `o` is the first of its conversation that is still to be sent. What some have and others are tried again
/// for holds up nobody: the contact is not to wait for a copy.
const FIRST_OF_CONVERSATION: &str = "NOT EXISTS (SELECT 1 FROM outbox e WHERE e.conversation_id = o.conversation_id \
    AND e.state IN ('queued', 'sending') AND e.refused IS NULL AND (e.created_at, e.id) < (o.created_at, o.id))";

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
    /// How long it waits, so that its writer can take it back; 0 for one that cannot be taken back.
    pub hold_ms: i64,
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
    /// Who is still to get it, when others have it.
    pub remaining: Vec<String>,
}

impl Store {
    /// The message of an entry, ready for the adapter of the channel with this slug.
    ///
    /// # Errors
    /// `NotFound` when message or conversation are gone, or the contact has no identity to answer to.
    pub async fn outbound_message(&self, entry: &OutboxEntry, slug: &str) -> Result<OutboundMessage, StoreError> {
        let db = self.reads();
        let sql = "SELECT m.at, m.author_name, COALESCE(m.subject, i.subject) AS subject, m.text, m.html, m.recipients, m.addressed, m.bcc, \
            i.identity_kind, i.identity_value, c.name, (SELECT l.language FROM message l WHERE \
            l.conversation_id = m.conversation_id AND l.kind = 'inbound' AND l.language IS NOT NULL ORDER BY l.at DESC, l.id DESC \
            LIMIT 1) AS language FROM message m JOIN item i ON i.id = $2 \
            LEFT JOIN contact c ON c.id = i.contact_id WHERE m.id = $1 AND i.identity_kind IS NOT NULL";
        let gone = || StoreError::new(StoreErrorKind::NotFound, format!("message {} has nobody to go to", entry.message));
        // The entry's own conversation says who it goes to, wherever the message was merged into since (ROUTING 12.4).
        let row = row(db, sql, values![entry.message, entry.conversation]).await?.ok_or_else(gone)?;
        let identity = Identity { kind: row.word("identity_kind")?, value: row.get("identity_value")? };
        let written_at = row.id("at", Timestamp)?;
        let mut to: Vec<Address> = row.opt_json("addressed")?.unwrap_or_default();
        if to.is_empty() {
            to.push(Address { name: row.opt("name")?, address: identity.value.clone() });
        }
        Ok(OutboundMessage {
            key: entry.key.clone(),
            channel: slug.to_owned(),
            conversation: entry.conversation,
            message: entry.message,
            author: row.opt("author_name")?,
            to,
            cc: row.opt_json("recipients")?.unwrap_or_default(),
            bcc: row.opt_json("bcc")?.unwrap_or_default(),
            only: entry.remaining.clone(),
            identity,
            subject: row.opt("subject")?,
            text: row.get("text")?,
            html: row.opt("html")?,
            attachments: attachments(db, entry.message).await?,
            references: references(db, entry, written_at).await?,
            language: row.opt("language")?,
            automatic: false,
            written_at,
        })
    }

    /// When an entry can be claimed next; `None` with an empty outbox. As in [`Tx::claim_due`], an entry whose
    /// conversation has an earlier one to send is not counted: it cannot be claimed before that one, however long it has
    /// been due.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_outbox_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = format!(
            "SELECT MIN(CASE o.state WHEN 'queued' THEN o.next_attempt_at ELSE o.lease_until END) AS due FROM outbox o \
             WHERE o.state IN ('queued', 'sending') AND {FIRST_OF_CONVERSATION}"
        );
        one(self.reads(), sql, values![]).await?.opt_id("due", Timestamp)
    }
}

impl Tx {
    /// Puts a reply into the outbox; false when the key is there already.
    ///
    /// # Errors
    /// `Conflict` when the message is in the outbox under another key, or is not stored.
    pub async fn enqueue(&self, entry: &NewOutbox) -> Result<bool, StoreError> {
        let sql = "INSERT INTO outbox (id, key, channel_id, conversation_id, message_id, state, attempts, next_attempt_at, \
            created_at, held) VALUES ($1, $2, $3, $4, $5, 'queued', 0, $6, $7, $8) ON CONFLICT (key) DO NOTHING";
        let due_at = entry.at.plus_ms(entry.hold_ms);
        let (channel, conversation, message) = (entry.channel, entry.conversation, entry.message);
        let values = values![entry.id, entry.key.as_str(), channel, conversation, message, due_at, entry.at, entry.hold_ms > 0];
        Ok(execute(self, sql, values).await? == 1)
    }

    /// Claims entries that are due, oldest first, for `lease_ms`; never one whose conversation has an earlier
    /// entry that nobody has been sent yet. Entries of a holder that died come up again when its lease is over.
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
        let lock = if self.is_shared() { "FOR UPDATE OF o SKIP LOCKED" } else { "" };
        let sql = format!(
            "WITH due AS MATERIALIZED (SELECT o.id FROM outbox o WHERE o.state IN ('queued', 'sending') \
             AND o.next_attempt_at <= $3 AND (o.state = 'queued' OR o.lease_until <= $3) \
             AND {FIRST_OF_CONVERSATION} ORDER BY o.next_attempt_at, o.id LIMIT $4 {lock}) \
             UPDATE outbox SET state = 'sending', attempts = attempts + 1, holder = $1, lease_until = $2 \
             WHERE id IN (SELECT id FROM due) \
             RETURNING id, key, channel_id, conversation_id, message_id, attempts, refused"
        );
        let lease_until = now.plus_ms(lease_ms);
        let entry = |row: &Row| {
            Ok(OutboxEntry {
                id: row.get("id")?,
                key: row.get("key")?,
                channel: row.id("channel_id", ChannelId)?,
                conversation: row.id("conversation_id", ConversationId)?,
                message: row.id("message_id", MessageId)?,
                attempts: row.small("attempts")?,
                holder: holder.to_owned(),
                lease_until,
                remaining: remaining(row.opt_json("refused")?.unwrap_or_default()),
            })
        };
        let found = rows(self, sql, values![holder, lease_until, now, limit]).await?;
        let mut entries = found.iter().map(entry).collect::<Result<Vec<_>, StoreError>>()?;
        entries.sort_by_key(|entry| entry.id);
        Ok(entries)
    }

    /// Keeps claims of a holder that is still at work on them for `lease_ms` more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn renew_claims(&self, holder: &str, entries: &[i64], now: Timestamp, lease_ms: i64) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "UPDATE outbox SET lease_until = $2 WHERE holder = $1 AND state = 'sending' AND id IN ({})",
            placeholders(3, entries.len())
        );
        let mut values = values![holder, now.plus_ms(lease_ms)];
        values.extend(entries.iter().flat_map(|id| values![*id]));
        execute(self, sql, values).await.map(|_| ())
    }

    /// Ends the claims that a holder of this name left behind: for a holder that starts and has none of its own yet.
    /// Answers how many there were.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn release_claims(&self, holder: &str, now: Timestamp) -> Result<u64, StoreError> {
        let sql = "UPDATE outbox SET lease_until = $2 WHERE holder = $1 AND state = 'sending' AND lease_until > $2";
        execute(self, sql, values![holder, now]).await
    }

    /// The other side has it; `reference` is the id that replies will refer to. False when the claim was lost.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mark_sent(&self, entry: &OutboxEntry, reference: Option<&str>, at: Timestamp) -> Result<bool, StoreError> {
        self.mark_sent_to_some(entry, reference, &[], None, at).await
    }

    /// As [`Tx::mark_sent`], when the other side refused some of the recipients. With a time it is tried again then, for
    /// those of them that say so; without, that was all.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mark_sent_to_some(
        &self,
        entry: &OutboxEntry,
        reference: Option<&str>,
        refused: &[RefusedRecipient],
        again_at: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let found = row(self, "SELECT refused FROM outbox WHERE id = $1", values![entry.id]).await?;
        let known: Vec<RefusedRecipient> =
            found.and_then(|row| row.opt_json("refused").transpose()).transpose()?.unwrap_or_default();
        let again = |one: &RefusedRecipient| RefusedRecipient { again: one.again && again_at.is_some(), ..one.clone() };
        // Those who were to be tried again have been, and are among the refused of now or have it.
        let all: Vec<RefusedRecipient> = known.into_iter().filter(|one| !one.again).chain(refused.iter().map(again)).collect();
        let state = if again_at.is_some() { "queued" } else { "sent" };
        if !self.settle(entry, state, again_at.unwrap_or(at), None, at).await? {
            return Ok(false);
        }
        if !all.is_empty() || !entry.remaining.is_empty() {
            let listed = if all.is_empty() { None } else { Some(json(&all)?) };
            execute(self, "UPDATE outbox SET refused = $2 WHERE id = $1", values![entry.id, listed]).await?;
        }
        if let Some(reference) = reference {
            let mut bundle = Bundle::default();
            bundle.add("UPDATE message SET own_reference = $2 WHERE id = $1", values![entry.message, reference]);
            add_reference(&mut bundle, entry.channel, reference, entry.conversation, entry.message);
            bundle.run(self).await?;
        }
        Ok(true)
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
        self.settle(entry, "queued", next_attempt_at, Some(error), at).await
    }

    /// It is given up. False when the claim was lost.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mark_failed(&self, entry: &OutboxEntry, error: &str, at: Timestamp) -> Result<bool, StoreError> {
        self.settle(entry, "failed", at, Some(error), at).await
    }

    /// Queues a message that was given up once more, with its attempts counted anew.
    ///
    /// # Errors
    /// `NotFound` when it is not in the outbox, `Conflict` when it was not given up.
    pub async fn retry_message(&self, message: MessageId, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET state = 'queued', attempts = 0, next_attempt_at = $2, lease_until = NULL, holder = NULL, \
            last_error = NULL WHERE message_id = $1 AND state = 'failed' RETURNING conversation_id";
        if let Some(queued) = row(self, sql, values![message, at]).await? {
            return self.tell_delivery(message, queued.id("conversation_id", ConversationId)?, at).await;
        }
        let known = row(self, "SELECT 1 AS here FROM outbox WHERE message_id = $1", values![message]).await?.is_some();
        Err(if known {
            StoreError::new(StoreErrorKind::Conflict, format!("message {message} was not given up"))
        } else {
            StoreError::new(StoreErrorKind::NotFound, format!("message {message} is not in the outbox"))
        })
    }

    /// The other side took a reply and reported later that it failed (a bounce): the reply of this conversation with this
    /// reference is shown as failed. `None` when the conversation has no such reply, or it was not sent.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mark_bounced(
        &self,
        conversation: ConversationId,
        channel: ChannelId,
        reference: &str,
        error: &str,
        at: Timestamp,
    ) -> Result<Option<MessageId>, StoreError> {
        // Replies of what was merged into the conversation keep their own.
        let sql = "UPDATE outbox SET state = 'failed', last_error = $3, lease_until = NULL, holder = NULL WHERE message_id IN \
            (SELECT message_id FROM message_reference WHERE channel_id = $1 AND reference = $2) AND state = 'sent' \
            AND conversation_id IN (SELECT id FROM item WHERE id = $4 OR merged_into = $4) \
            RETURNING message_id, conversation_id";
        let values = values![channel, reference, cut(error), conversation];
        let Some(failed) = row(self, sql, values).await? else { return Ok(None) };
        let message = failed.id("message_id", MessageId)?;
        self.tell_delivery(message, failed.id("conversation_id", ConversationId)?, at).await?;
        Ok(Some(message))
    }

    /// A reply that went out one way could not go out another way as well, which is said beside it as a failure.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mark_unmailed(
        &self,
        conversation: ConversationId,
        message: MessageId,
        error: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET state = 'failed', last_error = $2, lease_until = NULL, holder = NULL \
            WHERE message_id = $1 AND state = 'sent'";
        if execute(self, sql, values![message, cut(error)]).await? > 0 {
            self.tell_delivery(message, conversation, at).await?;
        }
        Ok(())
    }

    /// Ends a claim, if it is still the holder's.
    async fn settle(
        &self,
        entry: &OutboxEntry,
        state: &str,
        next_attempt_at: Timestamp,
        error: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE outbox SET state = $4, next_attempt_at = $5, last_error = $6, lease_until = NULL, holder = NULL \
            WHERE id = $1 AND holder = $2 AND attempts = $3 AND state = 'sending'";
        let values = values![entry.id, entry.holder.as_str(), entry.attempts, state, next_attempt_at, error.map(cut)];
        if execute(self, sql, values).await? == 0 {
            return Ok(false);
        }
        self.tell_delivery(entry.message, entry.conversation, at).await?;
        Ok(true)
    }

    pub(crate) async fn tell_delivery(
        &self,
        message: MessageId,
        conversation: ConversationId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        // Those who look at what the conversation was merged into are told.
        let sql = "SELECT workspace_id, COALESCE(merged_into, id) AS shown FROM item WHERE id = $1";
        let found = row(self, sql, values![conversation]).await?;
        let workspace = found.as_ref().map(|row| row.id("workspace_id", WorkspaceId)).transpose()?;
        let conversation = found.map_or(Ok(conversation), |row| row.id("shown", ConversationId))?;
        let event = NewEvent {
            workspace,
            item: Some(ItemId::from(conversation)),
            conversation: Some(conversation),
            message: Some(message),
            ..NewEvent::new(LiveEventKind::Message, at)
        };
        self.insert_events(&[event]).await
    }
}

async fn attachments(db: &impl Db, message: MessageId) -> Result<Vec<Attachment>, StoreError> {
    let sql = "SELECT a.name, a.content_type, a.content_id, b.bytes FROM attachment a JOIN blob b ON b.id = a.blob_id \
        WHERE a.message_id = $1 ORDER BY a.position";
    let attachment = |row: &Row| {
        Ok(Attachment {
            name: row.get("name")?,
            content_type: row.get("content_type")?,
            content_id: row.opt("content_id")?,
            bytes: Bytes::from(row.get::<Vec<u8>>("bytes")?),
        })
    };
    rows(db, sql, values![message]).await?.iter().map(attachment).collect()
}

/// References of the messages before an entry's, oldest first.
async fn references(db: &impl Db, entry: &OutboxEntry, written_at: Timestamp) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT own_reference FROM message WHERE conversation_id = (SELECT conversation_id FROM message WHERE id = $2) \
        AND own_reference IS NOT NULL AND (at, id) < ($1, $2) ORDER BY at DESC, id DESC LIMIT $3";
    let found = rows(db, sql, values![written_at, entry.message, MAX_REFERENCES]).await?;
    found.iter().rev().map(|row| row.get("own_reference")).collect()
}

/// Those of the refused who are to be tried again.
fn remaining(refused: Vec<RefusedRecipient>) -> Vec<String> {
    refused.into_iter().filter(|one| one.again).map(|one| one.address).collect()
}

/// An error as far as it is kept.
fn cut(error: &str) -> &str {
    error.char_indices().nth(MAX_ERROR).map_or(error, |(end, _)| &error[..end])
}
