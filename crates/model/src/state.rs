//! What the router remembers between inputs, as it is stored and read back.

use crate::id::{ChannelId, ConversationId, ItemId, UserId};
use crate::kind::LoadGroup;
use crate::routing::{Arrival, StatusChange};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the router remembers, as it is rebuilt at start and kept as a checkpoint. Lists are sorted by their
/// first fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterState {
    /// Consumption number of the last input.
    pub no: u64,
    /// Time of the last input.
    pub now: Timestamp,
    /// Version of the directory in force.
    pub directory_version: i64,
    /// Open items with a human owner.
    pub owned: Vec<OwnedItem>,
    /// The last status of every person.
    pub statuses: Vec<StatusChange>,
    /// Last assignments per person and group (ROUTING 5.4).
    pub marks: Vec<AssignedMark>,
    /// Turns per rule case (ROUTING 6.2).
    pub turns: Vec<TurnState>,
    /// Refused decisions that later ones found in place (ROUTING 5.4, 6.2).
    #[serde(default)]
    pub undone: Undone,
    /// Items that wait, by item (ROUTING 7.4).
    #[serde(default)]
    pub waiting: Vec<WaitingItem>,
    /// Idle time of everybody who has any, while a rule goes by it (ROUTING 6.5).
    #[serde(default)]
    pub idle: Vec<IdleTotal>,
}

/// How long a person was idle over the shift: available, without load in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IdleTotal {
    /// The user.
    pub user: UserId,
    /// The group.
    pub group: LoadGroup,
    /// Milliseconds up to the time of the state.
    pub total_ms: u64,
}

/// An item that waits for somebody to become eligible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingItem {
    /// The item with the facts that it is decided on.
    pub arrival: Arrival,
    /// When it began to wait.
    pub since: Timestamp,
    /// Whom the database found full on this item, left out until there is news of that person.
    #[serde(default)]
    pub barred: Option<UserId>,
}

/// What refused decisions left behind because later ones had built on them: should those be refused as well, they go
/// back to what was before all of them. The last of each person, group and case; lists are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// Marks.
    pub marks: Vec<UndoneMark>,
    /// Turns.
    pub turns: Vec<UndoneTurn>,
}

/// A mark that a refused decision had set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UndoneMark {
    /// The user.
    pub user: UserId,
    /// The group.
    pub group: LoadGroup,
    /// That of the refused assignment.
    pub no: u64,
    /// That of the one before it which holds.
    pub before: Option<u64>,
}

/// A turn that a refused decision had taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UndoneTurn {
    /// The channel.
    pub channel: ChannelId,
    /// The case, counted from 0.
    pub case: u32,
    /// The user.
    pub user: UserId,
    /// The cycle of the refused turn.
    pub turn: u64,
    /// That of the one before it which holds.
    pub before: Option<u64>,
}

/// An open item with a human owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedItem {
    /// The item.
    pub item: ItemId,
    /// Its conversation.
    pub conversation: Option<ConversationId>,
    /// The owner.
    pub user: UserId,
    /// How it counts.
    pub group: LoadGroup,
    /// When the ownership began.
    pub owned_since: Timestamp,
    /// When it was created; unknown never becomes too old to use capacity (ROUTING 5.5).
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// Ours is the last message of its conversation.
    #[serde(default)]
    pub waiting_on_contact: bool,
}

/// When a person was last assigned work of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AssignedMark {
    /// The user.
    pub user: UserId,
    /// The group.
    pub group: LoadGroup,
    /// What orders assignments: see [`mark`](crate::mark).
    pub no: u64,
}

/// The turns of one case of one rule: who was served in which cycle; where names have weights, who took which pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TurnState {
    /// The channel.
    pub channel: ChannelId,
    /// The case, counted from 0.
    pub case: u32,
    /// The running cycle, from 1; with weights the highest pass taken.
    pub cycle: u64,
    /// The cycle in which each user was last served; with weights the last pass taken.
    pub served: BTreeMap<UserId, u64>,
}
