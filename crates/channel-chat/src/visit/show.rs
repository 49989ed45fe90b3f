//! What a connection is shown: conversations, their messages, and who writes.

use super::{Halt, Known, Visit};
use crate::encode::{ServerFrame, Shown, Standing, written};
use crate::hub::Notes;
use crate::token::Owner;
use std::collections::BTreeSet;
use std::sync::Arc;
use switchboard_channel::{Signal, Thread};
use switchboard_model::{ConversationId, MessageId};

/// Messages read at once.
const PAGE: u32 = 50;
/// How many messages are remembered as shown beyond the cursor. Two messages written in the same instant can become
/// visible in either order; one that comes late is found as long as no more than this have passed it.
const MOST_RECENT: usize = 16;

impl Visit {
    /// Reads the visitor's conversations, and watches those that are new.
    pub(super) async fn load(&mut self) -> Result<(), Halt> {
        for (owner, identity) in self.visitor.identities() {
            let threads = self.door.context.threads.of(&identity).await.map_err(Halt::Unread)?;
            for thread in threads {
                let newest = thread.newest;
                match self.known.get_mut(&thread.conversation) {
                    Some(known) => known.thread = thread,
                    // Older messages are shown when the client asks for them.
                    None => drop(self.learn(owner, thread, newest)),
                }
            }
        }
        Ok(())
    }

    /// A conversation of the visitor that was not known here, shown from the cursor on.
    pub(super) fn learn(&mut self, owner: Owner, thread: Thread, cursor: Option<MessageId>) -> &mut Known {
        let conversation = thread.conversation;
        self.stay.watch(conversation);
        self.known.entry(conversation).or_insert_with(|| Known {
            prefix: owner.prefix(),
            key: thread.key.clone(),
            thread,
            shown: None,
            cursor,
            recent: BTreeSet::new(),
        })
    }

    /// Whether the conversation is the visitor's. One that is not known yet is looked up by its key, which only its own
    /// visitor can have made.
    pub(super) async fn owns(&mut self, conversation: ConversationId) -> Result<bool, Halt> {
        if self.known.contains_key(&conversation) {
            return Ok(true);
        }
        if self.visitor.owner().is_none() {
            return Ok(false);
        }
        let thread = self.door.context.threads.thread(conversation).await.map_err(Halt::Unread)?;
        let owner = thread.as_ref().and_then(|thread| thread.key.as_deref()).and_then(Owner::of_key);
        let owner = owner.filter(|owner| self.visitor.owners().any(|own| own == *owner));
        if let (Some(owner), Some(thread)) = (owner, thread) {
            self.learn(owner, thread, None);
            return Ok(true);
        }
        Ok(false)
    }

    /// Sends everything after a message, or everything, once more.
    pub(super) async fn replay(&mut self, conversation: ConversationId, after: Option<MessageId>) -> Result<(), Halt> {
        if let Some(known) = self.known.get_mut(&conversation) {
            known.cursor = after;
            known.recent.clear();
        }
        self.show_messages(conversation).await?;
        self.send(written(&ServerFrame::Replayed { conversation })).await
    }

    /// Shows what the notes say is new, and crosses it out.
    pub(super) async fn show_noted(&mut self, notes: &mut Notes) -> Result<(), Halt> {
        if notes.everything {
            self.load().await?;
            notes.everything = false;
            notes.threads.extend(self.known.keys());
            notes.messages.extend(self.known.keys());
        }
        while let Some(conversation) = notes.threads.first().copied() {
            if self.owns(conversation).await? {
                self.show_thread(conversation).await?;
            }
            notes.threads.remove(&conversation);
        }
        while let Some(conversation) = notes.messages.first().copied() {
            if self.owns(conversation).await? {
                self.show_unknown_thread(conversation).await?;
                self.show_messages(conversation).await?;
            }
            notes.messages.remove(&conversation);
        }
        while let Some((conversation, (name, on))) = notes.writing.pop_first() {
            if self.known.contains_key(&conversation) {
                self.send(written(&ServerFrame::Typing { conversation, name: &name, on })).await?;
            }
        }
        Ok(())
    }

    /// Shows how a conversation stands, if that has changed.
    async fn show_thread(&mut self, conversation: ConversationId) -> Result<(), Halt> {
        let Some(thread) = self.door.context.threads.thread(conversation).await.map_err(Halt::Unread)? else {
            return Ok(());
        };
        let Some(known) = self.known.get_mut(&conversation) else { return Ok(()) };
        known.thread = thread;
        if known.is_shown() {
            return Ok(());
        }
        known.shown = Some(known.thread.clone());
        let frame = written(&ServerFrame::Thread(Standing::of(&known.thread)));
        self.send(frame).await
    }

    /// The first sign of a conversation is how it stands.
    pub(super) async fn show_unknown_thread(&mut self, conversation: ConversationId) -> Result<(), Halt> {
        let is_unknown = self.known.get(&conversation).is_some_and(|known| known.shown.is_none());
        if is_unknown { self.show_thread(conversation).await } else { Ok(()) }
    }

    /// Sends what is newer than what was shown.
    async fn show_messages(&mut self, conversation: ConversationId) -> Result<(), Halt> {
        let threads = Arc::clone(&self.door.context.threads);
        let Some(mut after) = self.known.get(&conversation).map(|known| known.cursor) else { return Ok(()) };
        loop {
            let page = threads.messages(conversation, after, PAGE).await.map_err(Halt::Unread)?;
            for message in &page {
                let Some(known) = self.known.get_mut(&conversation) else { return Ok(()) };
                if !known.mark(message.id) {
                    continue;
                }
                let frame = written(&ServerFrame::Message(Shown::of(conversation, message, &known.prefix)));
                self.send(frame).await?;
            }
            after = page.last().map(|message| message.id).or(after);
            if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    fn open(&self) -> Vec<ConversationId> {
        self.known.values().rev().filter(|known| known.thread.open).map(|known| known.thread.conversation).collect()
    }

    /// Tells the desk that the visitor of all open conversations is there.
    pub(super) async fn attend_open(&mut self) {
        for conversation in self.open() {
            self.stay.attend(conversation).await;
        }
    }

    /// Tells the desk which page the visitor looks at.
    pub(super) async fn signal_page(&mut self) {
        if let Some(page) = self.visitor.told.page.clone() {
            for conversation in self.open() {
                self.signal(conversation, Signal::Page(page.url.clone(), page.title.clone())).await;
            }
        }
    }

    /// Tells the desk something about a conversation, whose visitor is there then.
    pub(super) async fn signal(&mut self, conversation: ConversationId, signal: Signal) {
        self.stay.attend(conversation).await;
        self.door.signal(conversation, signal).await;
    }
}

impl Known {
    /// The newest message that the visitor can have seen.
    pub(super) fn newest(&self) -> Option<MessageId> {
        self.thread.newest.max(self.cursor).max(self.recent.last().copied())
    }

    /// Notes that a message is shown; false when it was before.
    pub(super) fn mark(&mut self, message: MessageId) -> bool {
        let is_new = Some(message) > self.cursor && self.recent.insert(message);
        if self.recent.len() > MOST_RECENT {
            self.cursor = self.cursor.max(self.recent.pop_first());
        }
        is_new
    }

    /// Whether the client knows how it stands. Its newest message is shown by itself.
    fn is_shown(&self) -> bool {
        let newest = self.thread.newest;
        self.shown.as_ref().is_some_and(|shown| Thread { newest, ..shown.clone() } == self.thread)
    }
}
