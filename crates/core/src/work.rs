//! Open items with a human owner, and the counters that follow from them (ROUTING 5.1, 5.2, 5.5).

use crate::people::{People, PersonIndex};
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
    /// Too old to count as load.
    aged: bool,
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
}

/// All owned items.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    items: BTreeMap<ItemId, Owned>,
    /// Items by what they count once for; only keys with items.
    shares: BTreeMap<i64, Vec<Share>>,
    /// When which item stops counting as load.
    ageing: BTreeSet<(Timestamp, ItemId)>,
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
    ) -> Self {
        Self { conversation, person, group, since, aged: false }
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
        if !shares.iter().any(|share| share.person == owned.person) {
            person.open += 1;
        }
        if !shares.iter().any(|share| share.person == owned.person && share.work == work) {
            person.open_per_type[work as usize] += 1;
        }
        shares.push(Share { item, person: owned.person, work });
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
        let work = owned.group.work_type();
        let key = share_key(item, owned.conversation);
        let person = people.at_mut(owned.person);
        if let Some(shares) = self.shares.get_mut(&key) {
            shares.retain(|share| share.item != item);
            if !shares.iter().any(|share| share.person == owned.person) {
                person.open -= 1;
            }
            if !shares.iter().any(|share| share.person == owned.person && share.work == work) {
                person.open_per_type[work as usize] -= 1;
            }
            if shares.is_empty() {
                self.shares.remove(&key);
            }
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

    /// Items that stop counting as load by `now` and still do in the counters: for a look ahead without a step.
    pub(crate) fn ageing_until(&self, now: Timestamp) -> impl Iterator<Item = (ItemId, &Owned)> {
        let due = self.ageing.iter().take_while(move |(due, _)| *due <= now);
        due.filter_map(|(_, item)| Some((*item, self.items.get(item)?)))
    }
}
