//! What goes into the router, and what comes out.
//!
//! The router consumes [`Input`]s one at a time, each at a stated `now` and with a consumption number `no`
//! that ascends by one, and answers each with [`Effect`]s. The same state, number, time and input give the
//! same effects, bit for bit (ROUTING 13.2). Inputs are stored as JSON and replayed.

use crate::condition::Facts;
use crate::directory::Directory;
use crate::id::{ChannelId, ContactId, ConversationId, ItemId, TokenId, UserId, WorkspaceId};
use crate::kind::{ItemKind, LoadGroup, words};
use crate::record::Decision;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The version of the router's behaviour; records carry it and replay compares equal versions only.
pub const BEHAVIOUR_VERSION: u32 = 2;

/// Something the router is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Input {
    /// A new directory version is in force.
    Directory {
        /// Its version, which is what the log keeps.
        version: i64,
        /// Its content, attached before the step.
        #[serde(skip)]
        directory: Option<Arc<Directory>>,
    },
    /// An item wants an owner.
    Arrived(Arrival),
    /// Somebody other than the router changed an item.
    Changed(ItemChange),
    /// A person's manual status changed.
    Status(StatusChange),
    /// The database refused what the router decided.
    Refused(Refusal),
    /// Something changed about a waiting item that its place or its commit depends on.
    Revised(Revision),
    /// Time passed.
    Tick,
}

/// An item that wants an owner, with every fact the decision needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The item.
    pub item: ItemId,
    /// Its version, which the assignment will be guarded by.
    pub version: i64,
    /// Why it is routed now.
    pub event: RouteEvent,
    /// Conversation or ticket.
    pub item_kind: ItemKind,
    /// The conversation, for counting it and its ticket once.
    pub conversation: Option<ConversationId>,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// The channel whose rule applies.
    pub channel: ChannelId,
    /// How it counts.
    pub group: LoadGroup,
    /// The contact.
    pub contact: ContactFacts,
    /// Facts that conditions may ask for.
    pub facts: Facts,
    /// The owner it has or had last.
    pub previous_owner: Option<Owner>,
    /// When the ownership of `previous_owner` began: an owner who keeps the item continues it (ROUTING 5.1, 12.2).
    #[serde(default)]
    pub owned_since: Option<Timestamp>,
    /// Users left out of this decision (ROUTING 2.7).
    pub excluded: Vec<UserId>,
    /// Drawn by the engine; the only randomness there is.
    pub seed: u64,
    /// What its place in the queue depends on (ROUTING 7.4).
    #[serde(default)]
    pub queue: QueueFacts,
    /// When it was created; unknown never becomes too old to use capacity (ROUTING 5.5).
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// Ours is the last message of its conversation.
    #[serde(default)]
    pub waiting_on_contact: bool,
}

/// What the place of a waiting item depends on (ROUTING 7.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueFacts {
    /// How urgent it is; the more urgent waits in front.
    #[serde(default)]
    pub priority: Priority,
    /// When its next target is breached by the workspace's clock (ROUTING 14.3); the earlier waits in front, no target
    /// behind all.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// When it began to wait, for an item that goes on waiting; `None` begins now.
    #[serde(default)]
    pub since: Option<Timestamp>,
}

/// News of a waiting item; of an item that does not wait, it changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The item.
    pub item: ItemId,
    /// The version it has now, which its assignment will be guarded by.
    pub version: i64,
    /// How urgent it is now.
    pub priority: Priority,
    /// When its next target is breached now.
    pub due_at: Option<Timestamp>,
}

words! {
    /// Why an item is routed.
    RouteEvent {
        /// It is new.
        Arrived = "arrived",
        /// The contact wrote again after it was closed or snoozed (ROUTING 12.2).
        Reopened = "reopened",
        /// Its owner returned it (ROUTING 2.7).
        Returned = "returned",
        /// Its owner was deactivated (ROUTING 12.5).
        HandedBack = "handed_back",
        /// A person asked for it.
        Requested = "requested",
    }
}

/// What the router knows about a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactFacts {
    /// The contact.
    pub id: ContactId,
    /// The contact owner.
    pub owner: Option<UserId>,
    /// Known by the channel's own proof (ROUTING 7.3).
    pub proven: bool,
    /// Known by the channel's cookie.
    pub cookie: bool,
    /// The user who owned the contact's last item, other than this one (ROUTING 7.6).
    #[serde(default)]
    pub last_owner: Option<UserId>,
    /// When that user last owned one.
    #[serde(default)]
    pub last_owned_at: Option<Timestamp>,
}

/// A change of an item that the router did not decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemChange {
    /// The state it has now.
    pub state: ItemState,
    /// A new ownership began with this change, which counts for ROUTING 5.4.
    pub assigned: bool,
}

/// What the router keeps of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemState {
    /// The item.
    pub item: ItemId,
    /// Conversation or ticket.
    pub item_kind: ItemKind,
    /// Its conversation.
    pub conversation: Option<ConversationId>,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// How it counts.
    pub group: LoadGroup,
    /// Whether it counts.
    pub status: ItemStatus,
    /// Owner.
    pub owner: Option<Owner>,
    /// When the current ownership began.
    pub owned_since: Option<Timestamp>,
    /// When it was created; unknown never becomes too old to use capacity (ROUTING 5.5).
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// Ours is the last message of its conversation.
    #[serde(default)]
    pub waiting_on_contact: bool,
}

words! {
    /// The status of an item. Only `open` counts as open (ROUTING 5.3).
    ItemStatus {
        /// Being worked on.
        Open = "open",
        /// Put aside until a time or the next message.
        Snoozed = "snoozed",
        /// Done.
        Closed = "closed",
        /// Kept out of sight.
        Spam = "spam",
    }
}

words! {
    /// How urgent an item is.
    #[derive(Default)]
    Priority {
        /// Can wait.
        Low = "low",
        /// The default.
        #[default]
        Normal = "normal",
        /// Before others.
        High = "high",
        /// At once.
        Urgent = "urgent",
    }
}

/// Who an item belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Owner {
    /// A person.
    User {
        /// The user.
        id: UserId,
    },
    /// A bot chatflow.
    Bot,
    /// The assistant.
    Assistant,
}

/// Who did something (ROUTING 1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A person.
    User {
        /// The user.
        id: UserId,
    },
    /// A bot chatflow.
    Bot,
    /// The assistant.
    Assistant,
    /// A workflow.
    Workflow,
    /// A channel's rule.
    Rule {
        /// The channel.
        channel: ChannelId,
    },
    /// A program with a token.
    Api {
        /// The token.
        token: TokenId,
    },
    /// The contact.
    Contact {
        /// The contact.
        id: ContactId,
    },
    /// Switchboard itself, the command line included.
    System,
}

/// A person's manual status from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StatusChange {
    /// The user.
    pub user: UserId,
    /// The status.
    pub status: ManualStatus,
    /// The availability version of the person after the change; assignments are guarded by it.
    pub version: i64,
}

/// A manual status (ROUTING 4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ManualStatus {
    /// Available, away or finishing.
    pub value: StatusValue,
    /// Why away, in the person's own words or a listed reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was set.
    pub set_at: Timestamp,
    /// By whom, which decides how long it holds (ROUTING 4.2).
    pub origin: StatusOrigin,
}

words! {
    /// The three manual statuses.
    StatusValue {
        /// Takes work.
        Available = "available",
        /// Takes none.
        Away = "away",
        /// Keeps work, gets none.
        Finishing = "finishing",
    }
}

words! {
    /// How a status came about.
    StatusOrigin {
        /// The initial status of a new user; hours and absences decide beside it.
        Initial = "initial",
        /// Set by hand, by the person or a lead.
        ByHand = "by_hand",
        /// Set because the person was not there (ROUTING 4.4).
        Presence = "presence",
    }
}

/// A decision that the database refused, with fresh facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What was refused.
    pub decision: Box<Decision>,
    /// Why.
    pub reason: RefusalReason,
    /// The item as it is.
    pub state: ItemState,
    /// The item's facts if it still wants an owner.
    pub retry: Option<Arrival>,
}

words! {
    /// Which guard refused (DESIGN 3.6).
    RefusalReason {
        /// The item changed meanwhile.
        ItemChanged = "item_changed",
        /// The person is full.
        AtCapacity = "at_capacity",
        /// The person's status changed meanwhile.
        StatusChanged = "status_changed",
    }
}

/// Something the router wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// A decision about an item: apply it under its guards and store it.
    Decide(Decision),
    /// Mail the message to the contact owner, who could not take it (ROUTING 7.3).
    NotifyOwner {
        /// The item.
        item: ItemId,
        /// The contact owner.
        user: UserId,
    },
    /// The item that was decided about just before has left the queue. The arrival is what it waited with, for a
    /// retry should the database refuse the decision.
    LeftQueue {
        /// With its `queue.since` set.
        arrival: Box<Arrival>,
    },
    /// The input made no sense; nothing changed.
    Reject {
        /// What was wrong with it, for the log and the person who looks into it.
        reason: String,
    },
}
