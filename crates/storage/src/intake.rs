//! Taking in: duplicates, contacts, threads, new conversations and tickets.

use crate::error::StoreError;
use crate::store::{Store, Tx};
use switchboard_model::{
    Actor, ChannelId, ContactId, ConversationId, Identity, LoadGroup, MessageId, Priority, TicketId, TicketType, Timestamp,
    WorkspaceId,
};

/// Where an external message was stored before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboundKeyHit {
    /// The conversation.
    pub conversation: ConversationId,
    /// The message.
    pub message: MessageId,
}

/// A contact to find, or to make under `id`.
#[derive(Clone)]
pub struct NewContact {
    /// The id it gets if it is new.
    pub id: ContactId,
    /// Its identities, the one that the channel answers to first. The first that is known decides; unknown ones
    /// are added to the contact found.
    pub identities: Vec<Identity>,
    /// Display name, kept if the contact has none.
    pub name: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A conversation to store.
#[derive(Clone)]
pub struct NewConversation {
    /// Its id.
    pub id: ConversationId,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// The channel.
    pub channel: ChannelId,
    /// The contact.
    pub contact: ContactId,
    /// The identity that the contact writes from and is answered at.
    pub identity: Identity,
    /// The platform's thread key, unique per channel.
    pub thread_key: Option<String>,
    /// The ticket that is created with it, in a help desk.
    pub ticket: Option<TicketId>,
    /// Subject.
    pub subject: Option<String>,
    /// How it counts.
    pub group: LoadGroup,
    /// Priority.
    pub priority: Priority,
    /// It is the work item; false in a help desk, where its ticket is.
    pub routed: bool,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
}

/// A ticket to store.
#[derive(Clone)]
pub struct NewTicket {
    /// Its id.
    pub id: TicketId,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// The channel it came through.
    pub channel: Option<ChannelId>,
    /// The contact.
    pub contact: Option<ContactId>,
    /// The contact's identity.
    pub identity: Option<Identity>,
    /// Its conversation.
    pub conversation: Option<ConversationId>,
    /// Its type, which says how it counts.
    pub ticket_type: TicketType,
    /// Subject.
    pub subject: Option<String>,
    /// Priority.
    pub priority: Priority,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
}

impl Store {
    /// Where this external message was stored, if it was (ROUTING 12.1).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn find_inbound_key(&self, channel: ChannelId, external_id: &str) -> Result<Option<InboundKeyHit>, StoreError> {
        todo!()
    }

    /// The contact with this identity.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn identity_contact(&self, identity: &Identity) -> Result<Option<ContactId>, StoreError> {
        todo!()
    }
}

impl Tx {
    /// As [`Store::find_inbound_key`], within the transaction.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn find_inbound_key(&self, channel: ChannelId, external_id: &str) -> Result<Option<InboundKeyHit>, StoreError> {
        todo!()
    }

    /// As [`Store::identity_contact`], within the transaction.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn identity_contact(&self, identity: &Identity) -> Result<Option<ContactId>, StoreError> {
        todo!()
    }

    /// The contact that one of the identities names, or a new one; also adds identities that were unknown. The
    /// flag says whether it is new.
    ///
    /// # Errors
    /// `Invalid` without any identity.
    pub async fn find_or_create_contact(&self, contact: &NewContact) -> Result<(ContactId, bool), StoreError> {
        todo!()
    }

    /// Sets the contact owner.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_contact_owner(
        &self,
        contact: ContactId,
        owner: Option<switchboard_model::UserId>,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// The conversation with the platform's thread key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn conversation_by_thread_key(&self, channel: ChannelId, key: &str) -> Result<Option<ConversationId>, StoreError> {
        todo!()
    }

    /// Conversations of the channel that the references name, in the order of the references; the first is the
    /// best. Follow one only if [`Tx::takes_part`] says so.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn conversations_by_references(
        &self,
        channel: ChannelId,
        references: &[String],
    ) -> Result<Vec<ConversationId>, StoreError> {
        todo!()
    }

    /// Whether one of the identities takes part: it belongs to the conversation's contact, has written in it, or
    /// was a recipient of one of its messages.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn takes_part(&self, conversation: ConversationId, identities: &[Identity]) -> Result<bool, StoreError> {
        todo!()
    }

    /// Stores a conversation: open, without owner, version 1, with its history and search entries.
    ///
    /// # Errors
    /// `Conflict` when the thread key is taken.
    pub async fn insert_conversation(&self, conversation: &NewConversation) -> Result<(), StoreError> {
        todo!()
    }

    /// Stores a ticket: open, without owner, version 1, with its history.
    ///
    /// # Errors
    /// `Conflict` when the id is taken.
    pub async fn insert_ticket(&self, ticket: &NewTicket) -> Result<(), StoreError> {
        todo!()
    }
}
