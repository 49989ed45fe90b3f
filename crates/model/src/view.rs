//! What the desk and programs are shown: rows and details as storage reads them and the API returns them.

use crate::details::MessageDetails;
use crate::id::{
    BlobId, ChannelId, ContactId, ConversationId, DecisionId, ItemId, MessageId, TeamId, TicketId, UserId, WorkspaceId,
};
use crate::identity::Identity;
use crate::kind::{ItemKind, TicketType, WorkType, words};
use crate::message::{Address, Nature, RefusedRecipient};
use crate::record::{Decision, UnassignedReason};
use crate::routing::{Actor, ItemStatus, ManualStatus, Owner, Priority};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// The views of ROUTING 14.2 that exist.
    View {
        /// Open, without an owner.
        Unassigned = "unassigned",
        /// Open, owned by the reader.
        Mine = "mine",
        /// Open, without an owner, in a team of the reader.
        TeamUnassigned = "team_unassigned",
        /// Open, in a team of the reader, whoever owns it.
        TeamOpen = "team_open",
        /// Open.
        Open = "open",
        /// Closed.
        Closed = "closed",
        /// Queued for a person.
        Waiting = "waiting",
        /// Snoozed.
        Snoozed = "snoozed",
    }
}

words! {
    /// The orders of a list.
    ItemSort {
        /// Last message first.
        Newest = "newest",
        /// Oldest last message first.
        Oldest = "oldest",
        /// Longest without an answer first.
        WaitingLongest = "waiting_longest",
        /// Most urgent first, then longest without an answer.
        Priority = "priority",
    }
}

words! {
    /// What an entry of a thread is.
    MessageKind {
        /// From the contact.
        Inbound = "inbound",
        /// To the contact.
        Reply = "reply",
        /// Among colleagues.
        Note = "note",
    }
}

words! {
    /// How far a reply has got.
    DeliveryState {
        /// In the outbox.
        Queued = "queued",
        /// Being handed over.
        Sending = "sending",
        /// Accepted by the other side.
        Sent = "sent",
        /// Given up.
        Failed = "failed",
    }
}

words! {
    /// What a live event tells.
    LiveEventKind {
        /// An item is new or changed; `item` says which, `version` its version.
        Item = "item",
        /// A message was added or changed.
        Message = "message",
        /// A person's status or load changed.
        Person = "person",
        /// A new directory version is in force.
        Directory = "directory",
        /// The contact read a reply, or somebody at the desk saw a message of the contact; `message` says up to which.
        Mark = "mark",
        /// The contact owner should look at an item that went elsewhere (ROUTING 7.3).
        Notice = "notice",
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Opaque; ask for the next page with it. `None` on the last page.
    pub next: Option<String>,
    /// How many rows the whole list has.
    pub total: u64,
}

/// A contact in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ContactBrief {
    /// The contact.
    pub id: ContactId,
    /// Name, or the address where there is no name.
    pub name: String,
    /// The identity that it writes from.
    pub identity: Option<Identity>,
}

/// A contact in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ContactView {
    /// The contact.
    pub id: ContactId,
    /// Name.
    pub name: Option<String>,
    /// Contact owner.
    pub owner: Option<UserId>,
    /// Every identity.
    pub identities: Vec<Identity>,
    /// First seen.
    pub created_at: Timestamp,
    /// How many conversations there have been.
    pub conversations: u64,
}

/// A conversation or ticket in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ItemRow {
    /// The item; also the number that people quote.
    pub id: ItemId,
    /// Conversation or ticket.
    pub kind: ItemKind,
    /// Rises with every change; sent back with changes (409 when it is no longer current).
    pub version: i64,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// The channel it came through.
    pub channel: Option<ChannelId>,
    /// The conversation: itself, or the ticket's.
    pub conversation: Option<ConversationId>,
    /// The ticket: itself, or the one that the conversation created.
    pub ticket: Option<TicketId>,
    /// The contact.
    pub contact: Option<ContactBrief>,
    /// Subject.
    pub subject: Option<String>,
    /// The beginning of the last message.
    pub preview: String,
    /// Status.
    pub status: ItemStatus,
    /// Priority.
    pub priority: Priority,
    /// Type of a ticket.
    pub ticket_type: Option<TicketType>,
    /// Owner.
    pub owner: Option<Owner>,
    /// Team.
    pub team: Option<TeamId>,
    /// When the current ownership began.
    pub owned_since: Option<Timestamp>,
    /// Why nobody owns it, by the last decision.
    pub unassigned_reason: Option<UnassignedReason>,
    /// Since when the contact has been without an answer.
    pub waiting_since: Option<Timestamp>,
    /// Since when it has waited for somebody to become eligible (ROUTING 7.4).
    #[serde(default)]
    pub queued_since: Option<Timestamp>,
    /// When its next target is breached by the workspace's clock (ROUTING 14.3).
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// The last message of either side.
    pub last_message_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// The item that it was merged into, which has its messages and takes what comes later (ROUTING 12.4).
    #[serde(default)]
    pub merged_into: Option<ItemId>,
}

/// A conversation or ticket in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ItemView {
    /// As in lists.
    #[serde(flatten)]
    pub row: ItemRow,
    /// The linked item: the ticket of a conversation, the conversation of a ticket.
    pub linked: Option<ItemRow>,
    /// The contact in full.
    pub contact_detail: Option<ContactView>,
    /// The last decision.
    pub last_decision: Option<DecisionId>,
    /// Other contacts who take part, since their conversations were merged into this one (ROUTING 12.4).
    pub merged_contacts: Vec<ContactBrief>,
    /// Changes of owner, team, status and workspace, oldest first, the last 200; those of merged items included.
    pub history: Vec<History>,
}

/// A file of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttachmentView {
    /// Where its bytes are.
    pub id: BlobId,
    /// File name.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// Size in bytes.
    pub bytes: u64,
    /// The id by which HTML refers to it.
    pub content_id: Option<String>,
}

/// A message or note in a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MessageView {
    /// The message.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Inbound, reply or note.
    pub kind: MessageKind,
    /// When it was taken in or written.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: Actor,
    /// Their name as it was then.
    pub author_name: Option<String>,
    /// Subject.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// Cleaned HTML, for a sandboxed frame.
    pub html: Option<String>,
    /// Form fields in order.
    pub fields: Vec<(String, String)>,
    /// Files.
    pub attachments: Vec<AttachmentView>,
    /// Who else it was addressed to; the copies of a reply.
    pub recipients: Vec<Address>,
    /// Whom a reply went to instead of the contact; empty when to the contact.
    pub to: Vec<Address>,
    /// Copies of a reply that its other recipients do not see.
    pub bcc: Vec<Address>,
    /// What an inbound message is.
    pub nature: Nature,
    /// What else its channel found out about it.
    pub details: MessageDetails,
    /// The message as received.
    pub raw: Option<BlobId>,
    /// How far a reply has got.
    pub delivery: Option<Delivery>,
}

/// The way of a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// How far it has got.
    pub state: DeliveryState,
    /// The contact has read it, where the channel can tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read: bool,
    /// Attempts so far.
    pub attempts: u32,
    /// What the last attempt met, for a person.
    pub error: Option<String>,
    /// When the next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
    /// Recipients whom the other side refused while others got it.
    pub refused: Vec<RefusedRecipient>,
    /// It has not been tried yet, and its writer can take it back (until `next_attempt_at` at least).
    pub recallable: bool,
}

/// A change of an item, for its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct History {
    /// The item that changed: the item itself, or one that was merged into it.
    pub item: ItemId,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// What changed.
    pub change: HistoryChange,
    /// The decision behind it.
    pub decision: Option<DecisionId>,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HistoryChange {
    /// It was created.
    Created,
    /// Owner and team after the change.
    Owner {
        /// The owner.
        owner: Option<Owner>,
        /// The team.
        team: Option<TeamId>,
    },
    /// Status after the change.
    Status {
        /// The status.
        status: ItemStatus,
    },
    /// Returned to its rule, with the reason in the returner's words.
    Returned {
        /// The note.
        note: Option<String>,
    },
    /// Moved to another workspace (ROUTING 12.4).
    Moved {
        /// Where it was.
        from: WorkspaceId,
        /// Where it is.
        to: WorkspaceId,
    },
    /// Merged into an older item.
    MergedInto {
        /// That item.
        item: ItemId,
    },
    /// A newer item was merged into it.
    MergedFrom {
        /// That item.
        item: ItemId,
    },
}

/// A stored decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DecisionView {
    /// The decision.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// Consumption number of the input.
    pub no: u64,
    /// Directory version in force.
    pub directory_version: i64,
    /// What was decided.
    pub decision: Decision,
    /// How long deciding took, in microseconds.
    pub duration_us: u64,
    /// The database refused it, and why; the next decision of the item follows from that.
    pub refused: Option<crate::routing::RefusalReason>,
}

/// A person's status and counted work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonLoad {
    /// The user.
    pub user: UserId,
    /// Manual status; `None` when it was never set.
    pub status: Option<ManualStatus>,
    /// Rises with every change of status.
    pub availability_version: i64,
    /// Open items owned, a conversation and its ticket counted once (ROUTING 5.5).
    pub open: u32,
    /// The same per type.
    pub open_per_type: BTreeMap<WorkType, u32>,
}

/// Something that happened, for open desks. Carries no text: readers fetch what they may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LiveEvent {
    /// Position in the stream; resume after it.
    pub id: i64,
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
    /// The person concerned: of a status, or the one a notice is for.
    pub user: Option<UserId>,
}
