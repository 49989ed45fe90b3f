//! An inbox that remembers instead of storing.

use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use switchboard_channel::{Inbox, InboxError, InboxErrorKind, ThreadChange};
use switchboard_model::{ConversationId, InboundMessage, MessageId, Receipt};
use tokio::sync::broadcast;

/// How many changes a receiver may fall behind. Small, so that tests can make one fall behind.
pub(crate) const CHANGES_KEPT: usize = 64;

/// Records what is pushed, and dedupes by channel and external id as the real inbox does (ROUTING 12.1).
///
/// Every new message gets the next message id. It joins the conversation that its hints name (a token, a
/// thread key, or a reference to a recorded message) and opens the next conversation otherwise. On request it
/// fails as the real one can.
pub struct RecordingInbox {
    state: Mutex<State>,
    changes: broadcast::Sender<ThreadChange>,
}

#[derive(Default)]
struct State {
    recorded: Vec<(InboundMessage, Receipt)>,
    pushes: usize,
    conversations: i64,
    last_message: i64,
    failing: Option<InboxErrorKind>,
    lost_answers: usize,
}

impl Default for RecordingInbox {
    fn default() -> Self {
        Self { state: Mutex::default(), changes: broadcast::Sender::new(CHANGES_KEPT) }
    }
}

impl RecordingInbox {
    /// An empty inbox that takes everything.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The id of the next message, for one that did not come through the inbox.
    pub(crate) fn next_message_id(&self) -> MessageId {
        self.state().next_message_id()
    }

    /// What was recorded with its receipts, oldest first.
    pub(crate) fn recorded(&self) -> Vec<(InboundMessage, Receipt)> {
        self.state().recorded.clone()
    }

    /// Where each new message is told.
    pub(crate) const fn changes(&self) -> &broadcast::Sender<ThreadChange> {
        &self.changes
    }

    /// From now on every push is refused in this way, and nothing is recorded.
    pub fn fail_with(&self, kind: InboxErrorKind) {
        self.state().failing = Some(kind);
    }

    /// From now on pushes succeed again.
    pub fn recover(&self) {
        self.state().failing = None;
    }

    /// The next push is recorded, yet answered with [`InboxErrorKind::Unknown`], as when the connection to the
    /// database broke during the commit.
    pub fn lose_next_answer(&self) {
        self.state().lost_answers += 1;
    }

    /// What was recorded, oldest first, each external id once.
    #[must_use]
    pub fn messages(&self) -> Vec<InboundMessage> {
        self.state().recorded.iter().map(|(message, _)| message.clone()).collect()
    }

    /// The receipts of what was recorded, in the order of [`RecordingInbox::messages`].
    #[must_use]
    pub fn receipts(&self) -> Vec<Receipt> {
        self.state().recorded.iter().map(|(_, receipt)| *receipt).collect()
    }

    /// How often `push` was called, whatever came of it.
    #[must_use]
    pub fn pushes(&self) -> usize {
        self.state().pushes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Inbox for RecordingInbox {
    async fn push(&self, message: InboundMessage) -> Result<Receipt, InboxError> {
        let mut state = self.state();
        state.pushes += 1;
        if let Some(kind) = state.failing {
            return Err(InboxError::new(kind, "the test asked for this failure"));
        }
        let receipt = state.take(message);
        if !receipt.duplicate {
            // An error means that nobody listens.
            let _ = self.changes.send(ThreadChange::Message(receipt.conversation));
        }
        if state.lost_answers > 0 {
            state.lost_answers -= 1;
            return Err(InboxError::new(InboxErrorKind::Unknown, "the test asked for a lost answer"));
        }
        Ok(receipt)
    }
}

impl State {
    fn take(&mut self, message: InboundMessage) -> Receipt {
        let ids = |message: &InboundMessage| [std::slice::from_ref(&message.external_id), &message.further_ids].concat();
        let own = ids(&message);
        let known = |(other, _): &&(InboundMessage, Receipt)| {
            other.channel == message.channel && ids(other).iter().any(|id| own.contains(id))
        };
        if let Some((_, receipt)) = self.recorded.iter().find(known) {
            return Receipt { duplicate: true, ..*receipt };
        }
        let conversation = self.conversation_of(&message);
        let receipt = Receipt { conversation, message: self.next_message_id(), duplicate: false };
        self.recorded.push((message, receipt));
        receipt
    }

    fn next_message_id(&mut self) -> MessageId {
        self.last_message += 1;
        MessageId(self.last_message)
    }

    fn conversation_of(&mut self, message: &InboundMessage) -> ConversationId {
        let hints = &message.thread;
        let joined = self.recorded.iter().filter(|(other, _)| other.channel == message.channel).find(|(other, receipt)| {
            let own = other.thread.own_reference.as_ref();
            hints.conversation == Some(receipt.conversation)
                || (hints.key.is_some() && hints.key == other.thread.key)
                || own.is_some_and(|own| hints.references.contains(own))
        });
        if let Some((_, receipt)) = joined {
            return receipt.conversation;
        }
        self.conversations += 1;
        ConversationId(self.conversations)
    }
}
