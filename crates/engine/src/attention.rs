//! A person at the desk opens, reads, writes in and leaves a conversation.

use crate::engine::{Engine, caller_user};
use crate::error::{EngineError, Result};
use crate::request::Caller;
use crate::signals::Whereabouts;
use switchboard_model::{Attention, ChannelKind, ConversationId, ConversationPresence, ItemId, MessageId};
use switchboard_storage::{ItemRecord, Mark};

impl Engine {
    /// Says what the caller does on an item's conversation, to colleagues and, as far as it is writing, to the contact;
    /// to be said again every 15 s, and `None` when it is over. `seen` is the newest message that was looked at. Answers
    /// with everybody who is there.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for a program; `Invalid` for a ticket without a conversation.
    pub async fn attend(
        &self,
        caller: &Caller,
        id: ItemId,
        attention: Option<Attention>,
        seen: Option<MessageId>,
    ) -> Result<ConversationPresence> {
        let (record, conversation) = self.conversation_of(caller, id).await?;
        let user = caller_user(&self.directory(), caller)?.id;
        let at = Whereabouts { workspace: record.workspace, channel: record.channel };
        self.note_attention(user, conversation, at, attention);
        if let Some(seen) = seen.filter(|_| attention.is_some_and(|attention| attention != Attention::Parked)) {
            self.note_seen(&record, conversation, seen).await?;
        }
        Ok(self.presence_on(conversation, record.workspace))
    }

    /// Everybody who is on an item's conversation.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a ticket without a conversation.
    pub async fn presence(&self, caller: &Caller, id: ItemId) -> Result<ConversationPresence> {
        let (record, conversation) = self.conversation_of(caller, id).await?;
        Ok(self.presence_on(conversation, record.workspace))
    }

    async fn conversation_of(&self, caller: &Caller, id: ItemId) -> Result<(ItemRecord, ConversationId)> {
        let record = self.open_record(caller, id).await?;
        let conversation = record.conversation.ok_or_else(|| EngineError::invalid("this ticket has no conversation"))?;
        Ok((record, conversation))
    }

    /// Contacts whose side is connected are told what was seen.
    async fn note_seen(&self, record: &ItemRecord, conversation: ConversationId, seen: MessageId) -> Result<()> {
        let directory = self.directory();
        let kind = record.channel.and_then(|channel| directory.channel(channel)).map(|channel| channel.kind);
        if kind != Some(ChannelKind::Chat) {
            return Ok(());
        }
        match self.inner.store.thread(conversation).await? {
            Some(thread) => self.move_mark(&thread, Mark::Seen, seen).await,
            None => Ok(()),
        }
    }
}
