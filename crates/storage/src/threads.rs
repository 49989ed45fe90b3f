//! What contacts may see of their own conversations, on channels whose other side is connected.
//!
//! A message is shown because it has an entry here, and for no other reason: whatever the contact wrote on the channel
//! and whatever we replied gets one, notes and what came in by other ways do not. The entry keeps the conversation that
//! the message was part of when it was written, so that of two conversations that were merged each contact goes on
//! seeing the own one only.

use crate::error::StoreError;
use crate::held::Table;
use crate::messages::{MESSAGE, add_reference};
use crate::row::{Bundle, Row, execute, one, placeholders, row, rows, values};
use crate::store::{Store, Tx};
use bytes::Bytes;
use switchboard_model::{
    Attachment, ChannelId, ContactId, ConversationId, Identity, ItemId, ItemStatus, MessageId, MessageView, Owner, Timestamp,
    WorkspaceId,
};

/// A conversation as its contact may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadRecord {
    /// Its id.
    pub conversation: ConversationId,
    /// The item that has an owner: the conversation, or its ticket in a help desk.
    pub item: ItemId,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// Its channel.
    pub channel: ChannelId,
    /// Its contact.
    pub contact: Option<ContactId>,
    /// The thread key that its messages came with.
    pub thread_key: Option<String>,
    /// The conversation's status.
    pub status: ItemStatus,
    /// Who has the item.
    pub owner: Option<Owner>,
    /// The item waits for somebody to become eligible.
    pub is_queued: bool,
    /// The newest message of the contact that was seen at the desk.
    pub seen: Option<MessageId>,
    /// The newest message for the contact that was read.
    pub read: Option<MessageId>,
    /// The newest message for the contact that was mailed because nobody read it.
    pub mailed: Option<MessageId>,
    /// Its newest message.
    pub newest: Option<MessageId>,
}

/// A message with the id that its channel gave it.
#[derive(Clone, PartialEq, Eq)]
pub struct ThreadEntry {
    /// The message.
    pub message: MessageView,
    /// The external id; `None` for what we wrote.
    pub external_id: Option<String>,
}

/// Which mark of a conversation moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Somebody at the desk has seen the contact's messages up to one.
    Seen,
    /// The contact has read ours up to one.
    Read,
    /// Ours up to one were mailed.
    Mailed,
}

/// Columns of a [`ThreadRecord`], of conversation `c` and work item `w`.
const THREAD: &str = "SELECT c.id, w.id AS item_id, c.workspace_id, c.channel_id, c.contact_id, c.thread_key, c.status, \
    w.owner_kind, w.owner_id, w.queued_since, k.seen_id, k.read_id, k.mailed_id, \
    (SELECT MAX(e.message_id) FROM thread_entry e WHERE e.conversation_id IN (SELECT o.id FROM item o WHERE o.id = c.id \
        OR (o.merged_into = c.id AND o.channel_id = c.channel_id AND o.contact_id = c.contact_id))) AS newest \
    FROM item c JOIN item w ON w.id = CASE WHEN c.routed OR c.ticket_id IS NULL THEN c.id ELSE c.ticket_id END \
    LEFT JOIN thread_mark k ON k.conversation_id = c.id";
/// Conversations whose entries conversation `$1` shows: itself, and those of the same contact and channel that were
/// merged into it.
const ORIGINS: &str = "SELECT o.id FROM item o JOIN item c ON c.id = $1 WHERE o.id = c.id \
    OR (o.merged_into = c.id AND o.channel_id = c.channel_id AND o.contact_id = c.contact_id)";

impl Store {
    /// A conversation as its contact may see it, or the one of the same contact and channel that it was merged into.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn thread(&self, conversation: ConversationId) -> Result<Option<ThreadRecord>, StoreError> {
        let sql = format!(
            "{THREAD} WHERE c.kind = 'conversation' AND c.channel_id IS NOT NULL AND c.id = COALESCE((SELECT s.id FROM item o \
             JOIN item s ON s.id = o.merged_into AND s.channel_id = o.channel_id AND s.contact_id = o.contact_id \
             WHERE o.id = $1), $1)"
        );
        row(self.reads(), sql, values![conversation]).await?.map(|row| thread(&row)).transpose()
    }

    /// Conversations of a contact on a channel, newest first, without those that were merged into another of them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn threads_of(&self, channel: ChannelId, contact: ContactId, limit: u32) -> Result<Vec<ThreadRecord>, StoreError> {
        let sql = format!(
            "{THREAD} WHERE c.contact_id = $2 AND c.channel_id = $1 AND c.kind = 'conversation' AND NOT EXISTS (SELECT 1 FROM \
             item s WHERE s.id = c.merged_into AND s.channel_id = c.channel_id AND s.contact_id = c.contact_id) \
             ORDER BY c.last_message_at DESC, c.id DESC LIMIT $3"
        );
        rows(self.reads(), sql, values![channel, contact, limit]).await?.iter().map(thread).collect()
    }

    /// The channels of conversations.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn channels_of(&self, conversations: &[ConversationId]) -> Result<Vec<(ConversationId, ChannelId)>, StoreError> {
        if conversations.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT id, channel_id FROM item WHERE channel_id IS NOT NULL AND id IN ({})",
            placeholders(1, conversations.len())
        );
        let found = rows(self.reads(), sql, conversations.iter().flat_map(|id| values![*id]).collect()).await?;
        found.iter().map(|row| Ok((row.id("id", ConversationId)?, row.id("channel_id", ChannelId)?))).collect()
    }

    /// The conversations in which contacts are shown these messages; those that nobody is shown are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn shown_in(&self, messages: &[MessageId]) -> Result<Vec<(MessageId, ConversationId)>, StoreError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT e.message_id, COALESCE(s.id, e.conversation_id) AS shown FROM thread_entry e \
             LEFT JOIN item o ON o.id = e.conversation_id \
             LEFT JOIN item s ON s.id = o.merged_into AND s.channel_id = o.channel_id AND s.contact_id = o.contact_id \
             WHERE e.message_id IN ({}) ORDER BY e.message_id",
            placeholders(1, messages.len())
        );
        let found = rows(self.reads(), sql, messages.iter().flat_map(|id| values![*id]).collect()).await?;
        found.iter().map(|row| Ok((row.id("message_id", MessageId)?, row.id("shown", ConversationId)?))).collect()
    }

    /// What the contact may see after a message, oldest first; ids grow.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn thread_entries(
        &self,
        conversation: ConversationId,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<ThreadEntry>, StoreError> {
        self.entries(conversation, after, "ORDER BY e.message_id LIMIT $3", limit).await
    }

    /// The newest of what the contact may see after a message, oldest first, and whether there is more than that.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn newest_entries(
        &self,
        conversation: ConversationId,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<(Vec<ThreadEntry>, bool), StoreError> {
        let mut entries =
            self.entries(conversation, after, "ORDER BY e.message_id DESC LIMIT $3", limit.saturating_add(1)).await?;
        let excess = entries.len().saturating_sub(limit as usize);
        entries.drain(..excess);
        Ok((entries, excess > 0))
    }

    async fn entries(
        &self,
        conversation: ConversationId,
        after: Option<MessageId>,
        which: &str,
        limit: u32,
    ) -> Result<Vec<ThreadEntry>, StoreError> {
        let db = self.reads();
        let sql = format!(
            "SELECT e.message_id, e.external_id FROM thread_entry e WHERE e.conversation_id IN ({ORIGINS}) \
             AND e.message_id > $2 {which}"
        );
        let after = after.unwrap_or(MessageId(0));
        let mut external = std::collections::BTreeMap::new();
        for row in rows(db, sql, values![conversation, after, limit]).await? {
            external.insert(row.id("message_id", MessageId)?, row.opt::<String>("external_id")?);
        }
        if external.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("{MESSAGE} WHERE m.id IN ({}) ORDER BY m.id", placeholders(1, external.len()));
        let found = rows(db, sql, external.keys().flat_map(|id| values![*id]).collect()).await?;
        let views = crate::messages::views(db, &found).await?;
        Ok(views
            .into_iter()
            .map(|message| ThreadEntry { external_id: external.remove(&message.id).flatten(), message })
            .collect())
    }

    /// The newest reply after a message.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn newest_reply(
        &self,
        conversation: ConversationId,
        after: Option<MessageId>,
    ) -> Result<Option<MessageId>, StoreError> {
        self.reply_after(conversation, after, "ORDER BY e.message_id DESC").await
    }

    /// Whether a person, not a program, has replied after a message, or at all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn has_person_replied(&self, conversation: ConversationId, after: Option<MessageId>) -> Result<bool, StoreError> {
        let by_person = "AND m.author LIKE '{\"kind\":\"user\",%'";
        Ok(self.reply_after(conversation, after, by_person).await?.is_some())
    }

    async fn reply_after(
        &self,
        conversation: ConversationId,
        after: Option<MessageId>,
        which: &str,
    ) -> Result<Option<MessageId>, StoreError> {
        let sql = format!(
            "SELECT m.id FROM thread_entry e JOIN message m ON m.id = e.message_id WHERE e.conversation_id IN ({ORIGINS}) \
             AND e.message_id > $2 AND m.kind = 'reply' {which} LIMIT 1"
        );
        let found = row(self.reads(), sql, values![conversation, after.unwrap_or(MessageId(0))]).await?;
        found.map(|row| row.id("id", MessageId)).transpose()
    }

    /// The contact's messages that have a field of this name, newest first, each with all its fields.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn with_field(
        &self,
        conversation: ConversationId,
        name: &str,
        limit: u32,
    ) -> Result<Vec<(MessageId, Vec<(String, String)>)>, StoreError> {
        // Within a value the quotation marks of JSON are escaped, so this finds names only.
        let sql = format!(
            "SELECT m.id, m.fields FROM thread_entry e JOIN message m ON m.id = e.message_id WHERE e.conversation_id IN ({ORIGINS}) \
             AND m.kind = 'inbound' AND m.fields LIKE $2 ORDER BY e.message_id DESC LIMIT $3"
        );
        let found = rows(self.reads(), sql, values![conversation, format!("%[\"{name}\",%"), limit]).await?;
        found.iter().map(|row| Ok((row.id("id", MessageId)?, row.opt_json("fields")?.unwrap_or_default()))).collect()
    }

    /// How many email addresses take part in a conversation besides this one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn other_addresses(&self, conversation: ConversationId, address: &str) -> Result<u32, StoreError> {
        let sql = "SELECT COUNT(*) AS n FROM participant WHERE conversation_id = $1 AND kind = 'email' AND value <> $2";
        match row(self.reads(), sql, values![conversation, Identity::email(address).value]).await? {
            Some(row) => Ok(u32::try_from(row.get::<i64>("n")?).unwrap_or(u32::MAX)),
            None => Ok(0),
        }
    }

    /// A file of a message that the contact may see, by its place.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn thread_file(
        &self,
        conversation: ConversationId,
        message: MessageId,
        place: usize,
    ) -> Result<Option<Attachment>, StoreError> {
        let sql = format!(
            "SELECT a.name, a.content_type, a.content_id, b.bytes FROM thread_entry e \
             JOIN attachment a ON a.message_id = e.message_id AND a.position = $3 JOIN blob b ON b.id = a.blob_id \
             WHERE e.message_id = $2 AND e.conversation_id IN ({ORIGINS})"
        );
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let file = |row: Row| {
            Ok(Attachment {
                name: row.get("name")?,
                content_type: row.get("content_type")?,
                content_id: row.opt("content_id")?,
                bytes: Bytes::from(row.get::<Vec<u8>>("bytes")?),
            })
        };
        row(self.reads(), sql, values![conversation, message, place]).await?.map(file).transpose()
    }

    /// The language that the contact last wrote in, where the channel knows.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn language_of(&self, conversation: ConversationId) -> Result<Option<String>, StoreError> {
        let sql = "SELECT language FROM message WHERE conversation_id = $1 AND kind = 'inbound' AND language IS NOT NULL \
            ORDER BY at DESC, id DESC LIMIT 1";
        row(self.reads(), sql, values![conversation]).await?.map(|row| row.get("language")).transpose()
    }

    /// Items of these channels that wait for somebody to become eligible, with their conversations, longest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn queued_threads(
        &self,
        channels: &[ChannelId],
        limit: u32,
    ) -> Result<Vec<(ItemId, ConversationId, ChannelId)>, StoreError> {
        if channels.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT id, conversation_id, channel_id FROM item WHERE queued_since IS NOT NULL AND conversation_id IS NOT NULL \
             AND channel_id IN ({}) ORDER BY queued_since, id LIMIT $1",
            placeholders(2, channels.len())
        );
        let mut parameters = values![limit];
        parameters.extend(channels.iter().flat_map(|id| values![*id]));
        let found = rows(self.reads(), sql, parameters).await?;
        let queued =
            |row: &Row| Ok((row.id("id", ItemId)?, row.id("conversation_id", ConversationId)?, row.id("channel_id", ChannelId)?));
        found.iter().map(queued).collect()
    }
}

impl Tx {
    /// An id for a message that the contact of the conversation may see: the one that was drawn, or a later one where a
    /// newer message has that already. The conversation stays locked on PostgreSQL, so ids grow in the order of commits
    /// however many hosts write.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn growing_id(&self, conversation: ConversationId, drawn: MessageId) -> Result<MessageId, StoreError> {
        self.item_record(conversation.into(), true).await?;
        let sql = "SELECT MAX(e.message_id) AS newest FROM thread_entry e WHERE e.conversation_id IN (SELECT o.id FROM item o \
            WHERE o.id = $1 OR o.merged_into = $1)";
        let newest = one(self, sql, values![conversation]).await?.opt_id("newest", MessageId)?;
        if newest.is_none_or(|newest| newest < drawn) {
            return Ok(drawn);
        }
        let taken = one(self, "UPDATE id_block SET next_id = next_id + 1 RETURNING next_id - 1 AS id", values![]).await?;
        taken.id("id", MessageId)
    }

    /// The newest message that the contact of a conversation is shown. The conversation stays locked on PostgreSQL.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn newest_shown(&self, conversation: ConversationId) -> Result<Option<MessageId>, StoreError> {
        self.item_record(conversation.into(), true).await?;
        let sql = format!("SELECT MAX(e.message_id) AS newest FROM thread_entry e WHERE e.conversation_id IN ({ORIGINS})");
        one(self, sql, values![conversation]).await?.opt_id("newest", MessageId)
    }

    /// Shows a message to the contact of a conversation.
    ///
    /// # Errors
    /// `Conflict` when it is shown already.
    pub async fn show_message(
        &self,
        conversation: ConversationId,
        message: MessageId,
        external_id: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut bundle = Bundle::default();
        bundle.insert(Table::ThreadEntry, vec![values![message, conversation, external_id]]);
        bundle.run(self).await
    }

    /// When either side last said something in a conversation.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_words_at(&self, conversation: ConversationId) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT MAX(at) AS at FROM message WHERE conversation_id = $1 AND kind IN ('inbound', 'reply') \
            AND nature IN ('message', 'malformed')";
        one(self, sql, values![conversation]).await?.opt_id("at", Timestamp)
    }

    /// Whoever writes from this identity may write in the conversation.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn add_participant(&self, conversation: ConversationId, identity: &Identity) -> Result<(), StoreError> {
        let sql = "INSERT INTO participant (conversation_id, kind, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        execute(self, sql, values![conversation, identity.kind, identity.value.as_str()]).await.map(|_| ())
    }

    /// Answers that refer to this on a channel belong to the conversation.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_reference(
        &self,
        channel: ChannelId,
        reference: &str,
        conversation: ConversationId,
        message: MessageId,
    ) -> Result<(), StoreError> {
        let mut bundle = Bundle::default();
        add_reference(&mut bundle, channel, reference, conversation, message);
        bundle.run(self).await
    }

    /// Moves a mark forward to a message that is shown in the conversation; false when it is there already, further on,
    /// or the message is not shown there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn move_mark(&self, conversation: ConversationId, mark: Mark, to: MessageId) -> Result<bool, StoreError> {
        let column = match mark {
            Mark::Seen => "seen_id",
            Mark::Read => "read_id",
            Mark::Mailed => "mailed_id",
        };
        let sql = format!(
            "INSERT INTO thread_mark (conversation_id, {column}) SELECT $1, e.message_id FROM thread_entry e \
             WHERE e.message_id = $2 AND e.conversation_id IN ({ORIGINS}) \
             ON CONFLICT (conversation_id) DO UPDATE SET {column} = excluded.{column} \
             WHERE COALESCE(thread_mark.{column}, 0) < excluded.{column}"
        );
        Ok(execute(self, sql, values![conversation, to]).await? == 1)
    }
}

fn thread(row: &Row) -> Result<ThreadRecord, StoreError> {
    Ok(ThreadRecord {
        conversation: row.id("id", ConversationId)?,
        item: row.id("item_id", ItemId)?,
        workspace: row.id("workspace_id", WorkspaceId)?,
        channel: row.id("channel_id", ChannelId)?,
        contact: row.opt_id("contact_id", ContactId)?,
        thread_key: row.opt("thread_key")?,
        status: row.word("status")?,
        owner: crate::items::owner(row)?,
        is_queued: row.opt::<i64>("queued_since")?.is_some(),
        seen: row.opt_id("seen_id", MessageId)?,
        read: row.opt_id("read_id", MessageId)?,
        mailed: row.opt_id("mailed_id", MessageId)?,
        newest: row.opt_id("newest", MessageId)?,
    })
}
