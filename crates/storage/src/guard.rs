//! Every change of an item's owner, team, status or priority, under its guards (DESIGN 3.5, 3.6; ROUTING 2.6, 5.5).

use crate::error::StoreError;
use crate::items::ItemRecord;
use crate::store::Tx;
use switchboard_model::{
    Actor, DecisionId, ItemId, ItemStatus, Owner, Priority, RefusalReason, TeamId, Timestamp, UnassignedReason, UserId,
    WorkspaceId,
};

/// A change of an item. `None` leaves a value as it is.
#[derive(Clone, Debug)]
pub struct ItemUpdate {
    /// The item.
    pub item: ItemId,
    /// Refuse when the item has another version.
    pub expected_version: Option<i64>,
    /// New owner.
    pub owner: Option<Option<Owner>>,
    /// New team.
    pub team: Option<Option<TeamId>>,
    /// New status. A status other than snoozed clears `snoozed_until`.
    pub status: Option<ItemStatus>,
    /// New priority.
    pub priority: Option<Priority>,
    /// New workspace.
    pub workspace: Option<WorkspaceId>,
    /// Until when it is put aside, with the status snoozed.
    pub snoozed_until: Option<Timestamp>,
    /// Why nobody owns it now; an owner clears it without being asked.
    pub unassigned_reason: Option<Option<UnassignedReason>>,
    /// By whom.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// The decision behind it; becomes the item's last decision.
    pub decision: Option<DecisionId>,
    /// The note of an owner who returns the item (ROUTING 2.7): kept as such in the history.
    pub returned: Option<Option<String>>,
    /// Refuse when the item would take the new owner over a limit (ROUTING 5.5).
    pub capacity_guard: bool,
    /// Refuse when the person's availability version is another.
    pub availability: Option<(UserId, i64)>,
}

/// What a change came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The item before.
    pub before: ItemRecord,
    /// The item after.
    pub after: ItemRecord,
}

/// Why a change was refused; nothing was written. Carries the item as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The item has another version.
    ItemChanged(Box<ItemRecord>),
    /// The person is full.
    AtCapacity(Box<ItemRecord>),
    /// The person's availability version is another.
    StatusChanged(Box<ItemRecord>),
}

impl Guard {
    /// The reason in the router's words.
    #[must_use]
    pub const fn reason(&self) -> RefusalReason {
        match self {
            Self::ItemChanged(_) => RefusalReason::ItemChanged,
            Self::AtCapacity(_) => RefusalReason::AtCapacity,
            Self::StatusChanged(_) => RefusalReason::StatusChanged,
        }
    }

    /// The item as it is.
    #[must_use]
    pub fn item(&self) -> &ItemRecord {
        match self {
            Self::ItemChanged(item) | Self::AtCapacity(item) | Self::StatusChanged(item) => item,
        }
    }
}

impl ItemUpdate {
    /// A change of nothing, to be filled in.
    #[must_use]
    pub const fn new(item: ItemId, actor: Actor, at: Timestamp) -> Self {
        Self {
            item,
            expected_version: None,
            owner: None,
            team: None,
            status: None,
            priority: None,
            workspace: None,
            snoozed_until: None,
            unassigned_reason: None,
            actor,
            at,
            decision: None,
            returned: None,
            capacity_guard: false,
            availability: None,
        }
    }
}

impl Changed {
    /// A new ownership by a person began, which counts for ROUTING 5.4.
    #[must_use]
    pub fn assigned(&self) -> bool {
        matches!(self.after.owner, Some(Owner::User { .. })) && self.after.owner != self.before.owner
    }
}

impl Tx {
    /// Changes an item under its guards, moves the counted work of the people concerned, and writes history and
    /// live events. The version rises if owner, team, status, priority or workspace came out different.
    ///
    /// # Errors
    /// `NotFound`. A refusal by a guard is no error: it is the inner result, and nothing was written.
    pub async fn change_item(&self, update: &ItemUpdate) -> Result<Result<Changed, Guard>, StoreError> {
        todo!()
    }
}
