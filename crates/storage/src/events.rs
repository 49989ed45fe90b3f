//! Live events in their order (DESIGN 3.7).

use crate::error::StoreError;
use crate::store::{Store, Tx};
use switchboard_model::{ConversationId, ItemId, LiveEvent, LiveEventKind, MessageId, Timestamp, UserId, WorkspaceId};

/// A live event to write; its position is given by the database.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: LiveEventKind,
    /// The workspace, for permission.
    pub workspace: Option<WorkspaceId>,
    /// The item.
    pub item: Option<ItemId>,
    /// The item's conversation.
    pub conversation: Option<ConversationId>,
    /// The item's version.
    pub version: Option<i64>,
    /// The message.
    pub message: Option<MessageId>,
    /// The person concerned.
    pub user: Option<UserId>,
}

impl NewEvent {
    /// An event about nothing yet, to be filled in.
    #[must_use]
    pub const fn new(kind: LiveEventKind, at: Timestamp) -> Self {
        Self { at, kind, workspace: None, item: None, conversation: None, version: None, message: None, user: None }
    }
}

impl Store {
    /// Events after a position, in order. On PostgreSQL only those that nothing can come before any more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events_after(&self, position: i64, limit: u32) -> Result<Vec<LiveEvent>, StoreError> {
        todo!()
    }

    /// The position to start from; 0 before the first event. A reader whose position is greater, or lower than
    /// [`Store::first_event_id`] less one, has to read everything anew.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_event_id(&self) -> Result<i64, StoreError> {
        todo!()
    }

    /// The oldest position that is kept; 0 when none is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_event_id(&self) -> Result<i64, StoreError> {
        todo!()
    }
}

impl Tx {
    /// Writes events in the order given. [`Tx::change_item`], [`Tx::set_status`], [`Tx::insert_directory`] and
    /// the outbox write theirs themselves; new items and messages need them here.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_events(&self, events: &[NewEvent]) -> Result<(), StoreError> {
        todo!()
    }

    /// Drops events from before an instant; answers how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn prune_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        todo!()
    }
}
