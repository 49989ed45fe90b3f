//! Load and capacity, counted anew from everything that is owned (ROUTING 5).

use crate::facts::{Facts, count};
use switchboard_model::{Arrival, LoadGroup, OwnedItem, Timestamp, User, UserId, WorkType};

/// Thirty days in milliseconds (ROUTING 5.1).
pub const MONTH_MS: i64 = 30 * 24 * 3_600_000;

impl Facts {
    /// Load in one group (ROUTING 5.1, 5.2).
    pub fn load(&self, user: UserId, group: LoadGroup, at: Timestamp) -> u32 {
        let counts = |item: &&OwnedItem| {
            let young = at.ms_since(item.owned_since) <= MONTH_MS;
            item.user == user && item.group == group && (young || !group.is_help_desk())
        };
        count(self.owned.iter().filter(counts).count())
    }

    /// Open items, a conversation and its ticket counted once, in all or of one type (ROUTING 5.5).
    pub fn open(&self, user: UserId, work: Option<WorkType>) -> u32 {
        count(self.counted(user, work).len())
    }

    /// Whether automatic routing may give the item to the person: room in the total, in the type and by weight, each
    /// where the item is not counted already (ROUTING 5.5).
    pub fn has_room(&self, user: UserId, arrival: &Arrival) -> bool {
        let Some(person) = self.directory.user(user) else { return false };
        let uses = arrival.created_at.is_none_or(|created_at| !too_old(person, created_at, self.now))
            && !(person.capacity.leave_out.waiting_on_contact && arrival.waiting_on_contact);
        if !uses {
            return true;
        }
        let key = arrival.conversation.map_or(arrival.item.0, |conversation| conversation.0);
        let work = arrival.group.work_type();
        let room = |work: Option<WorkType>, limit: Option<u32>| {
            let counted = self.counted(user, work);
            counted.contains(&key) || limit.is_none_or(|limit| count(counted.len()) < limit)
        };
        let by_weight = person.capacity.weights.as_ref().is_none_or(|weights| {
            let weight = |work: WorkType| u64::from(weights.per_type.get(&work).copied().unwrap_or(0));
            let owned = |work: WorkType| u64::from(self.open(user, Some(work))) * weight(work);
            let borne: u64 = WorkType::ALL.iter().map(|work| owned(*work)).sum();
            self.counted(user, Some(work)).contains(&key) || borne + weight(work) <= u64::from(weights.limit)
        });
        let of_type = person.capacity.per_type.get(&work).copied();
        room(None, person.capacity.total) && room(Some(work), of_type) && by_weight
    }

    /// Whether an item uses its owner's capacity (ROUTING 5.5).
    pub fn uses(&self, item: &OwnedItem, at: Timestamp) -> bool {
        let waits = self.directory.user(item.user).is_some_and(|user| user.capacity.leave_out.waiting_on_contact);
        !(self.is_old(item, at) || waits && item.waiting_on_contact)
    }

    /// Whether an item is too old to use its owner's capacity (ROUTING 5.5).
    pub fn is_old(&self, item: &OwnedItem, at: Timestamp) -> bool {
        let owner = self.directory.user(item.user);
        owner.zip(item.created_at).is_some_and(|(owner, created_at)| too_old(owner, created_at, at))
    }

    /// What the open items of a person that use capacity count as, each once.
    fn counted(&self, user: UserId, work: Option<WorkType>) -> Vec<i64> {
        let same = |item: &&OwnedItem| item.user == user && work.is_none_or(|work| item.group.work_type() == work);
        let mut keys: Vec<i64> =
            self.owned.iter().filter(same).filter(|item| self.uses(item, self.now)).map(counted_as).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

fn too_old(person: &User, created_at: Timestamp, at: Timestamp) -> bool {
    let days = person.capacity.leave_out.older_than_days;
    days.is_some_and(|days| at.ms_since(created_at) > i64::from(days) * 24 * 3_600_000)
}

/// What an item is counted as: its conversation where it has one, so that a ticket beside it is no second piece of work.
pub fn counted_as(item: &OwnedItem) -> i64 {
    item.conversation.map_or(item.item.0, |conversation| conversation.0)
}
