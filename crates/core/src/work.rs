//! Open items with a human owner, and the counters that follow from them (ROUTING 5.1, 5.2, 5.5).

use crate::people::{People, Person, PersonIndex};
use crate::usage::Usage;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_model::{ConversationId, ItemId, LoadGroup, Timestamp, WorkType};

/// How long a help desk ticket counts as load, from the beginning of its ownership (ROUTING 5.1). At exactly this
/// age it still counts; a millisecond later it does not.
const LOAD_WINDOW_MS: i64 = 30 * 86_400_000;

/// An open item with a human owner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owned {
    /// Its conversation.
    pub conversation: Option<ConversationId>,
    /// The owner.
    pub person: PersonIndex,
    /// How it counts.
    pub group: LoadGroup,
    /// When the ownership began.
    pub since: Timestamp,
    /// What decides whether it uses capacity.
    pub usage: Usage,
    /// Too old to count as load.
    aged: bool,
    /// When it stops using capacity of its owner by its age, if it uses any and ever does.
    ends_at: Option<Timestamp>,
}

/// One item among those that count once per owner: a conversation and its ticket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    /// The item.
    pub item: ItemId,
    /// Its owner.
    pub person: PersonIndex,
    /// Its type.
    pub work: WorkType,
    /// It uses capacity of its owner.
    pub counts: bool,
}

/// An item that stopped using capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The item.
    pub item: ItemId,
    /// Its owner.
    pub person: PersonIndex,
    /// What it counts once under.
    pub key: i64,
}

/// All owned items.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    items: BTreeMap<ItemId, Owned>,
    /// Items by what they count once for; only keys with items.
    shares: BTreeMap<i64, Vec<Share>>,
    /// When which item stops counting as load.
    ageing: BTreeSet<(Timestamp, ItemId)>,
    /// When which item stops using capacity.
    ending: BTreeSet<(Timestamp, ItemId)>,
}

/// What an item counts once for: its conversation, or itself. Items and conversations share their ids.
pub(crate) fn share_key(item: ItemId, conversation: Option<ConversationId>) -> i64 {
    conversation.map_or(item.0, |conversation| conversation.0)
}

impl Owned {
    /// An item owned from `since` on.
    pub(crate) const fn new(
        conversation: Option<ConversationId>,
        person: PersonIndex,
        group: LoadGroup,
        since: Timestamp,
        usage: Usage,
    ) -> Self {
        Self { conversation, person, group, since, usage, aged: false, ends_at: None }
    }

    /// The first instant at which the item counts as load no more; `None` if it always does.
    const fn aged_at(&self) -> Option<Timestamp> {
        if self.group.is_help_desk() { Some(self.since.plus_ms(LOAD_WINDOW_MS + 1)) } else { None }
    }

    /// Whether the counters hold the item as load.
    pub(crate) const fn is_counted(&self) -> bool {
        !self.aged
    }

    /// Whether the item counts as load at `now`.
    fn is_load(&self, now: Timestamp) -> bool {
        self.aged_at().is_none_or(|aged_at| now < aged_at)
    }
}

impl Work {
    /// The owned item.
    pub(crate) fn find(&self, item: ItemId) -> Option<&Owned> {
        self.items.get(&item)
    }

    /// Every owned item by ascending id.
    pub(crate) fn items(&self) -> impl Iterator<Item = (ItemId, &Owned)> {
        self.items.iter().map(|(item, owned)| (*item, owned))
    }

    /// Everything that counts once under this key.
    pub(crate) fn shares(&self, key: i64) -> &[Share] {
        self.shares.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Takes an item in, in place of what was known of it.
    pub(crate) fn put(&mut self, item: ItemId, mut owned: Owned, people: &mut People, now: Timestamp) {
        self.remove(item, people);
        let work = owned.group.work_type();
        let shares = self.shares.entry(share_key(item, owned.conversation)).or_default();
        let person = people.at_mut(owned.person);
        let leave_out = person.leave_out();
        let share = Share { item, person: owned.person, work, counts: owned.usage.counts(leave_out, now) };
        if share.counts {
            count(person, shares, &share, 1);
            owned.ends_at = owned.usage.ends_at(leave_out);
            self.ending.extend(owned.ends_at.map(|ends_at| (ends_at, item)));
        }
        shares.push(share);
        owned.aged = !owned.is_load(now);
        if !owned.aged {
            person.loads[owned.group as usize] += 1;
            if let Some(aged_at) = owned.aged_at() {
                self.ageing.insert((aged_at, item));
            }
        }
        self.items.insert(item, owned);
    }

    /// Lets an item go.
    pub(crate) fn remove(&mut self, item: ItemId, people: &mut People) {
        let Some(owned) = self.items.remove(&item) else { return };
        let key = share_key(item, owned.conversation);
        let person = people.at_mut(owned.person);
        if let Some(shares) = self.shares.get_mut(&key)
            && let Some(place) = shares.iter().position(|share| share.item == item)
        {
            let share = shares.remove(place);
            if share.counts {
                count(person, shares, &share, -1);
            }
            if shares.is_empty() {
                self.shares.remove(&key);
            }
        }
        if let Some(ends_at) = owned.ends_at {
            self.ending.remove(&(ends_at, item));
        }
        if !owned.aged {
            person.loads[owned.group as usize] -= 1;
            if let Some(aged_at) = owned.aged_at() {
                self.ageing.remove(&(aged_at, item));
            }
        }
    }

    /// Lets go of load that became too old.
    pub(crate) fn advance(&mut self, people: &mut People, now: Timestamp) {
        while let Some((due, item)) = self.ageing.first().copied()
            && due <= now
        {
            self.ageing.remove(&(due, item));
            if let Some(owned) = self.items.get_mut(&item) {
                owned.aged = true;
                people.at_mut(owned.person).loads[owned.group as usize] -= 1;
            }
        }
    }

    /// When load next becomes too old.
    pub(crate) fn next_ageing(&self) -> Option<Timestamp> {
        self.ageing.first().map(|(due, _)| *due)
    }

    /// Lets go of what became too old to use capacity, and says what that was.
    pub(crate) fn end(&mut self, people: &mut People, now: Timestamp) -> Vec<Ended> {
        let mut ended = Vec::new();
        while let Some((due, item)) = self.ending.first().copied()
            && due <= now
        {
            self.ending.remove(&(due, item));
            let Some(owned) = self.items.get_mut(&item) else { continue };
            owned.ends_at = None;
            let (person, key) = (owned.person, share_key(item, owned.conversation));
            let shares = self.shares.get_mut(&key).map_or(&mut [][..], Vec::as_mut_slice);
            if let Some(place) = shares.iter().position(|share| share.item == item) {
                shares[place].counts = false;
                count(people.at_mut(person), shares, &shares[place], -1);
            }
            ended.push(Ended { item, person, key });
        }
        ended
    }

    /// When something next stops using capacity by its age.
    pub(crate) fn next_end(&self) -> Option<Timestamp> {
        self.ending.first().map(|(due, _)| *due)
    }

    /// Counts everything anew that uses capacity of its owner now and did not, or the reverse, or does so for longer
    /// or shorter, as the directory changed.
    pub(crate) fn recount(&mut self, people: &mut People, now: Timestamp) {
        let is_other = |item: ItemId, owned: &Owned| {
            let leave_out = people.at(owned.person).leave_out();
            let counts = owned.usage.counts(leave_out, now);
            let ends_at = owned.usage.ends_at(leave_out).filter(|_| counts);
            let shares = self.shares(share_key(item, owned.conversation));
            ends_at != owned.ends_at || shares.iter().any(|share| share.item == item && share.counts != counts)
        };
        let changed: Vec<(ItemId, Owned)> =
            self.items().filter(|(item, owned)| is_other(*item, owned)).map(|(item, owned)| (item, *owned)).collect();
        for (item, owned) in changed {
            self.put(item, Owned { ends_at: None, ..owned }, people, now);
        }
    }

    /// A copy of some items alone, for questions about their owners.
    pub(crate) fn only(&self, keep: impl Fn(ItemId, &Owned) -> bool) -> Self {
        let mut part = Self::default();
        for (item, owned) in self.items().filter(|(item, owned)| keep(*item, owned)) {
            let key = share_key(item, owned.conversation);
            let share = self.shares(key).iter().filter(|share| share.item == item);
            part.shares.entry(key).or_default().extend(share);
            part.ageing.extend(owned.aged_at().filter(|_| !owned.aged).map(|aged_at| (aged_at, item)));
            part.ending.extend(owned.ends_at.map(|ends_at| (ends_at, item)));
            part.items.insert(item, *owned);
        }
        part
    }

    /// Items that stop counting as load by `now` and still do in the counters: for a look ahead without a step.
    pub(crate) fn ageing_until(&self, now: Timestamp) -> impl Iterator<Item = (ItemId, &Owned)> {
        let due = self.ageing.iter().take_while(move |(due, _)| *due <= now);
        due.filter_map(|(_, item)| Some((*item, self.items.get(item)?)))
    }
}

/// Adds an item that uses capacity to its owner's counters, or takes it out of them, beside the others that count once
/// with it.
fn count(person: &mut Person, shares: &[Share], share: &Share, by: i32) {
    let beside = |other: &&Share| other.counts && other.person == share.person && other.item != share.item;
    if !shares.iter().any(|other| beside(&other)) {
        person.open = person.open.saturating_add_signed(by);
    }
    if !shares.iter().any(|other| beside(&other) && other.work == share.work) {
        let open = &mut person.open_per_type[share.work as usize];
        *open = open.saturating_add_signed(by);
    }
}
