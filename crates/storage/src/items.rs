//! Items and contacts as the engine works with them.

use crate::error::StoreError;
use crate::store::{Store, Tx};
use switchboard_model::{
    ChannelId, ContactId, ContactView, ConversationId, DecisionId, Identity, ItemId, ItemKind, ItemState, ItemStatus, ItemView,
    LoadGroup, Owner, Priority, TeamId, TicketId, TicketType, Timestamp, UnassignedReason, UserId, WorkspaceId,
};

/// A conversation or ticket as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRecord {
    /// The item.
    pub id: ItemId,
    /// Conversation or ticket.
    pub kind: ItemKind,
    /// Its version.
    pub version: i64,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// The channel it came through.
    pub channel: Option<ChannelId>,
    /// The contact.
    pub contact: Option<ContactId>,
    /// The identity that the contact writes from.
    pub identity: Option<Identity>,
    /// The conversation: itself, or the ticket's.
    pub conversation: Option<ConversationId>,
    /// The ticket: itself, or the one that the conversation created.
    pub ticket: Option<TicketId>,
    /// The platform's thread key.
    pub thread_key: Option<String>,
    /// Status.
    pub status: ItemStatus,
    /// Priority.
    pub priority: Priority,
    /// Type of a ticket.
    pub ticket_type: Option<TicketType>,
    /// How it counts.
    pub group: LoadGroup,
    /// Owner.
    pub owner: Option<Owner>,
    /// Team.
    pub team: Option<TeamId>,
    /// When the current ownership began.
    pub owned_since: Option<Timestamp>,
    /// It is the work item; false for the conversation of a help desk.
    pub routed: bool,
    /// Why nobody owns it, by the last decision.
    pub unassigned_reason: Option<UnassignedReason>,
    /// Since when the contact has been without an answer.
    pub waiting_since: Option<Timestamp>,
    /// The last message of either side.
    pub last_message_at: Timestamp,
    /// Subject.
    pub subject: Option<String>,
    /// The beginning of the last message.
    pub preview: String,
    /// Until when it is put aside.
    pub snoozed_until: Option<Timestamp>,
    /// When it began.
    pub created_at: Timestamp,
    /// The last decision.
    pub last_decision: Option<DecisionId>,
}

/// A contact as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRecord {
    /// The contact.
    pub id: ContactId,
    /// Name.
    pub name: Option<String>,
    /// Contact owner.
    pub owner: Option<UserId>,
    /// First seen.
    pub created_at: Timestamp,
}

impl ItemRecord {
    /// What the router keeps of it.
    #[must_use]
    pub fn state(&self) -> ItemState {
        ItemState {
            item: self.id,
            item_kind: self.kind,
            conversation: self.conversation,
            workspace: self.workspace,
            group: self.group,
            status: self.status,
            owner: self.owner,
            owned_since: self.owned_since,
        }
    }
}

impl Store {
    /// An item as it is stored.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn item_record(&self, item: ItemId) -> Result<Option<ItemRecord>, StoreError> {
        todo!()
    }

    /// An item in full, for showing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn item(&self, item: ItemId) -> Result<Option<ItemView>, StoreError> {
        todo!()
    }

    /// A contact in full, for showing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn contact(&self, contact: ContactId) -> Result<Option<ContactView>, StoreError> {
        todo!()
    }

    /// Every open item that the person owns, by ascending id (ROUTING 12.5).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_items_of(&self, user: UserId) -> Result<Vec<ItemRecord>, StoreError> {
        todo!()
    }
}

impl Tx {
    /// An item as it is stored. On PostgreSQL with `lock` its row, and that of its conversation or ticket, stay
    /// locked until the commit.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn item_record(&self, item: ItemId, lock: bool) -> Result<Option<ItemRecord>, StoreError> {
        todo!()
    }

    /// A contact as it is stored.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn contact_record(&self, contact: ContactId) -> Result<Option<ContactRecord>, StoreError> {
        todo!()
    }

    /// Every open item that the person owns, by ascending id (ROUTING 12.5).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_items_of(&self, user: UserId) -> Result<Vec<ItemRecord>, StoreError> {
        todo!()
    }
}
