//! Items that wait for somebody to become eligible (ROUTING 7.4).
//!
//! An item waits in lanes: one for each pool of people, and one for each single person, that its decision would look
//! at. A lane is open when somebody of it could have an item; the first of each open lane stands ready, and the first
//! of those that are ready is matched first. So a freed person costs a look at the heads of his own lanes, however
//! many wait behind them.

use crate::ladders::{LadderIndex, Ladders, Sight};
use crate::pace::{LanePace, Pace, WaitRange};
use crate::people::PersonIndex;
use crate::place::{Class, Place};
use crate::pool::{Shared, could_take};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_model::{Arrival, ItemId, QueueOrder, Timestamp, UserId, WaitingItem, WorkType};

/// Where people for an item come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LaneKey {
    /// A pool without those left out, given by their places in it.
    Pool {
        /// The pool.
        ladder: LadderIndex,
        /// Sorted.
        left_out: Vec<u32>,
    },
    /// One person, for items of a type.
    Person {
        /// The person.
        person: PersonIndex,
        /// The type.
        work: WorkType,
        /// The person must be available.
        only_available: bool,
        /// What the item counts once with.
        shared: Shared,
    },
}

/// A lane, while somebody stands in it.
pub(crate) type LaneIndex = usize;

#[derive(Clone, Debug)]
struct Lane {
    key: LaneKey,
    places: BTreeSet<Place>,
    is_open: bool,
    /// The places that stand ready for this lane: the first of each class, by class.
    called: Vec<Place>,
    /// Since when somebody has been waiting in it without a break, while somebody does.
    waiting_since: Timestamp,
    /// `None` before the first pick-up.
    pace: Option<Box<Pace>>,
}

/// An item that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    /// The item as it will be decided about.
    pub item: WaitingItem,
    place: Place,
    lanes: Vec<LaneIndex>,
    wake_at: Option<Timestamp>,
}

/// Where an item is to wait, and when that changes by itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lanes {
    /// The lanes.
    pub keys: Vec<LaneKey>,
    /// When they are to be found anew.
    pub wake_at: Option<Timestamp>,
}

/// Everything that waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    order: QueueOrder,
    items: BTreeMap<ItemId, Box<Waiter>>,
    lanes: Vec<Lane>,
    /// Lanes without a use, to use again.
    spare: Vec<LaneIndex>,
    index: BTreeMap<LaneKey, LaneIndex>,
    /// By ladder.
    of_ladder: Vec<Vec<LaneIndex>>,
    of_person: BTreeMap<PersonIndex, Vec<LaneIndex>>,
    ready: BTreeSet<(Place, LaneIndex)>,
    wakes: BTreeSet<(Timestamp, ItemId)>,
    /// Conversations, with the items that belong to them.
    shares: BTreeSet<(i64, ItemId)>,
    barred: BTreeMap<UserId, BTreeSet<ItemId>>,
}

impl Queue {
    /// An empty queue with this order.
    pub(crate) fn new(order: QueueOrder) -> Self {
        Self { order, ..Self::default() }
    }

    /// The place that an item has if it waits since then.
    pub(crate) fn place(&self, arrival: &Arrival, since: Timestamp) -> Place {
        Place::new(self.order, arrival, since)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// A waiting item.
    pub(crate) fn find(&self, item: ItemId) -> Option<&WaitingItem> {
        self.items.get(&item).map(|waiter| &waiter.item)
    }

    /// Everything that waits, by item.
    pub(crate) fn items(&self) -> impl Iterator<Item = &WaitingItem> {
        self.items.values().map(|waiter| &waiter.item)
    }

    /// Items that wait in no lane, and neither for a time nor for news of somebody that would change that.
    pub(crate) fn lost(&self) -> impl Iterator<Item = ItemId> {
        let is_lost = |waiter: &Waiter| waiter.lanes.is_empty() && waiter.wake_at.is_none() && waiter.item.barred.is_none();
        let lost = self.items.iter().filter(move |(_, waiter)| is_lost(waiter));
        lost.map(|(item, _)| *item)
    }

    /// Lets an item wait in these lanes.
    pub(crate) fn put(&mut self, item: WaitingItem, lanes: Lanes, ladders: &Ladders, sight: &Sight<'_>) {
        self.take(item.arrival.item);
        let place = self.place(&item.arrival, item.since);
        let (wake_at, lanes_kept) = (lanes.wake_at, Vec::with_capacity(lanes.keys.len()));
        let mut waiter = Box::new(Waiter { item, place, lanes: lanes_kept, wake_at });
        let id = waiter.item.arrival.item;
        for key in lanes.keys {
            let index = self.lane(key, ladders, sight);
            let lane = &mut self.lanes[index];
            let is_first = lane.places.is_empty() || waiter.item.since < lane.waiting_since;
            lane.waiting_since = if is_first { waiter.item.since } else { lane.waiting_since };
            if lane.places.insert(place) {
                waiter.lanes.push(index);
            }
            self.call(index, place.class);
        }
        if let Some(wake_at) = waiter.wake_at {
            self.wakes.insert((wake_at, id));
        }
        if let Some(barred) = waiter.item.barred {
            self.barred.entry(barred).or_default().insert(id);
        }
        if let Some(conversation) = waiter.item.arrival.conversation {
            self.shares.insert((conversation.0, id));
        }
        self.items.insert(id, waiter);
    }

    /// Takes an item out of the queue.
    pub(crate) fn take(&mut self, item: ItemId) -> Option<WaitingItem> {
        self.take_from(item).map(|(waiting, _)| waiting)
    }

    /// Takes an item out of the queue, with the lanes in which it stood.
    pub(crate) fn take_from(&mut self, item: ItemId) -> Option<(WaitingItem, Vec<LaneIndex>)> {
        let waiter = *self.items.remove(&item)?;
        for index in &waiter.lanes {
            self.lanes[*index].places.remove(&waiter.place);
            self.call(*index, waiter.place.class);
            self.drop_if_spare(*index);
        }
        if let Some(wake_at) = waiter.wake_at {
            self.wakes.remove(&(wake_at, item));
        }
        if let Some(barred) = waiter.item.barred
            && let Some(items) = self.barred.get_mut(&barred)
        {
            items.remove(&item);
        }
        if let Some(conversation) = waiter.item.arrival.conversation {
            self.shares.remove(&(conversation.0, item));
        }
        Some((waiter.item, waiter.lanes))
    }

    /// What was just taken out of these lanes went to somebody. Nothing may have been put into the queue since.
    pub(crate) fn picked_up(&mut self, lanes: &[LaneIndex], now: Timestamp) {
        for index in lanes {
            let lane = &mut self.lanes[*index];
            lane.pace.get_or_insert_default().pick(now, lane.waiting_since);
        }
    }

    /// How fast the lanes move in which somebody stands.
    pub(crate) fn paces(&self) -> Vec<LanePace> {
        let of_lane = |(index, lane): (LaneIndex, &Lane)| {
            let (pace, item) = (lane.pace.as_ref()?, lane.places.last()?.item);
            let lanes = &self.items.get(&item)?.lanes;
            let place = lanes.iter().position(|other| *other == index)?;
            Some(LanePace { item, lane: (place, lanes.len()), waiting_since: lane.waiting_since, pace: (**pace).clone() })
        };
        self.lanes.iter().enumerate().filter_map(of_lane).collect()
    }

    /// Takes over how fast lanes moved in an earlier queue under the same directory.
    pub(crate) fn inherit(&mut self, earlier: &[LanePace]) {
        for before in earlier {
            let lanes = self.items.get(&before.item).map(|waiter| waiter.lanes.as_slice()).unwrap_or_default();
            let index = lanes.get(before.lane.0).filter(|_| lanes.len() == before.lane.1);
            if let Some(index) = index {
                let lane = &mut self.lanes[*index];
                lane.waiting_since = lane.waiting_since.min(before.waiting_since);
                lane.pace.get_or_insert_default().follow(&before.pace);
            }
        }
    }

    /// Takes everything out, in the order in which it would be matched at `now` by another order, which holds from then
    /// on.
    pub(crate) fn drain(&mut self, order: QueueOrder, now: Timestamp) -> Vec<WaitingItem> {
        let all = std::mem::replace(self, Self::new(order)).items;
        let placed = |waiter: Box<Waiter>| (self.place(&waiter.item.arrival, waiter.item.since), waiter.item);
        let mut waiters: Vec<(Place, WaitingItem)> = all.into_values().map(placed).collect();
        waiters.sort_unstable_by(|(one, _), (other, _)| one.compare(other, now));
        waiters.into_iter().map(|(_, item)| item).collect()
    }

    /// Whether there is something that somebody could have.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The first item at `now` that somebody could have.
    pub(crate) fn first_ready(&self, now: Timestamp) -> Option<Place> {
        let mut best = self.ready.first()?.0;
        let mut head = best;
        while self.order != QueueOrder::Priority
            && let Some((next, _)) = self.ready.range((head.beyond_class(), 0)..).next()
        {
            head = *next;
            best = if head.compare(&best, now) == Ordering::Less { head } else { best };
        }
        Some(best)
    }

    /// Somebody in a ladder became eligible, or ceased to be.
    pub(crate) fn ladder_moved(&mut self, ladder: LadderIndex, ladders: &Ladders, sight: &Sight<'_>) {
        let Some(lanes) = self.of_ladder.get_mut(ladder as usize).map(std::mem::take) else { return };
        for index in &lanes {
            self.look(*index, ladders, sight);
        }
        self.of_ladder[ladder as usize] = lanes;
    }

    /// A person changed.
    pub(crate) fn person_changed(&mut self, person: PersonIndex, ladders: &Ladders, sight: &Sight<'_>) {
        if self.of_person.is_empty() {
            return;
        }
        for index in self.of_person.get(&person).cloned().unwrap_or_default() {
            self.look(index, ladders, sight);
        }
    }

    /// Items that count once together under this key with an item that does not wait.
    pub(crate) fn sharing(&self, key: i64, with: ItemId) -> Vec<ItemId> {
        let mut items = Vec::new();
        if !self.shares.is_empty() {
            let of_conversation = self.shares.range((key, ItemId(i64::MIN))..=(key, ItemId(i64::MAX)));
            items.extend(of_conversation.map(|(_, item)| *item));
        }
        if with.0 != key && self.items.contains_key(&ItemId(key)) && !items.contains(&ItemId(key)) {
            items.push(ItemId(key));
        }
        items
    }

    /// Items on which the database found this user full, who is left out no more.
    pub(crate) fn unbar(&mut self, user: UserId) -> Vec<ItemId> {
        let items = self.barred.remove(&user).unwrap_or_default();
        for item in &items {
            if let Some(waiter) = self.items.get_mut(item) {
                waiter.item.barred = None;
            }
        }
        items.into_iter().collect()
    }

    /// The next instant at which lanes change by themselves.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(due, _)| *due)
    }

    /// Items whose lanes are to be found anew by `now`.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<ItemId> {
        let mut due = Vec::new();
        while let Some((at, item)) = self.wakes.first().copied()
            && at <= now
        {
            self.wakes.remove(&(at, item));
            if let Some(waiter) = self.items.get_mut(&item) {
                waiter.wake_at = None;
            }
            due.push(item);
        }
        due
    }

    /// How many wait in front of an item at `now`, itself included, in the longest of its lanes.
    pub(crate) fn position(&self, item: ItemId, now: Timestamp) -> Option<usize> {
        let Waiter { lanes, place, .. } = &**self.items.get(&item)?;
        lanes.iter().map(|lane| self.place_in(*lane, place, now)).max()
    }

    /// How long an item will probably wait from `now` on, in the lane that gets to it first.
    pub(crate) fn wait(&self, item: ItemId, now: Timestamp) -> Option<WaitRange> {
        let Waiter { lanes, place, .. } = &**self.items.get(&item)?;
        let of_lane = |index: &LaneIndex| {
            let lane = &self.lanes[*index];
            lane.pace.as_ref()?.wait(self.place_in(*index, place, now), now, lane.waiting_since)
        };
        lanes.iter().filter_map(of_lane).min_by_key(|range| range.high_ms)
    }

    fn place_in(&self, lane: LaneIndex, place: &Place, now: Timestamp) -> usize {
        let places = &self.lanes[lane].places;
        match self.order {
            QueueOrder::Priority => places.range(..=*place).count(),
            QueueOrder::Gcmu => places.iter().filter(|other| other.compare(place, now) != Ordering::Greater).count(),
        }
    }

    fn lane(&mut self, key: LaneKey, ladders: &Ladders, sight: &Sight<'_>) -> LaneIndex {
        if let Some(index) = self.index.get(&key) {
            return *index;
        }
        let lane = Lane {
            key: key.clone(),
            places: BTreeSet::new(),
            is_open: false,
            called: Vec::new(),
            waiting_since: Timestamp(0),
            pace: None,
        };
        let index = match self.spare.pop() {
            Some(index) => {
                self.lanes[index] = lane;
                index
            }
            None => {
                self.lanes.push(lane);
                self.lanes.len() - 1
            }
        };
        match &key {
            LaneKey::Pool { ladder, .. } => {
                let ladder = *ladder as usize;
                self.of_ladder.resize(self.of_ladder.len().max(ladder + 1), Vec::new());
                self.of_ladder[ladder].push(index);
            }
            LaneKey::Person { person, .. } => self.of_person.entry(*person).or_default().push(index),
        }
        self.index.insert(key, index);
        self.look(index, ladders, sight);
        index
    }

    /// Gives up an empty lane, except one of a whole pool, of which there are few.
    fn drop_if_spare(&mut self, index: LaneIndex) {
        let lane = &mut self.lanes[index];
        if !lane.places.is_empty() {
            return;
        }
        let key = lane.key.clone();
        let emptied = match &key {
            LaneKey::Pool { left_out, .. } if left_out.is_empty() => return,
            LaneKey::Pool { ladder, .. } => self.of_ladder.get_mut(*ladder as usize),
            LaneKey::Person { person, .. } => {
                let lanes = self.of_person.get_mut(person);
                if lanes.as_ref().is_some_and(|lanes| lanes.len() == 1) {
                    self.of_person.remove(person);
                    None
                } else {
                    self.of_person.get_mut(person)
                }
            }
        };
        if let Some(lanes) = emptied {
            lanes.retain(|lane| *lane != index);
        }
        self.index.remove(&key);
        self.spare.push(index);
    }

    /// Finds out anew whether a lane is open.
    fn look(&mut self, index: LaneIndex, ladders: &Ladders, sight: &Sight<'_>) {
        let is_open = match &self.lanes[index].key {
            LaneKey::Pool { ladder, left_out } => {
                let barred = left_out.iter().filter(|place| ladders.is_eligible(*ladder, **place)).count();
                ladders.eligible(*ladder) as usize > barred
            }
            LaneKey::Person { person, work, only_available, shared } => {
                could_take(sight.people.at(*person), sight, *only_available, *work, *shared)
            }
        };
        let lane = &mut self.lanes[index];
        if lane.is_open == is_open {
            return;
        }
        lane.is_open = is_open;
        for called in lane.called.drain(..) {
            self.ready.remove(&(called, index));
        }
        let mut first = lane.places.first().copied().filter(|_| is_open);
        while let Some(place) = first {
            lane.called.push(place);
            self.ready.insert((place, index));
            first = match self.order {
                QueueOrder::Priority => None,
                QueueOrder::Gcmu => lane.places.range(place.beyond_class()..).next().copied(),
            };
        }
    }

    /// Has the first of a class stand ready in a lane that is open.
    fn call(&mut self, index: LaneIndex, class: Class) {
        let lane = &mut self.lanes[index];
        if !lane.is_open {
            return;
        }
        let first = lane.places.range(Place::first_of(class)..).next().copied().filter(|place| place.class == class);
        let found = lane.called.binary_search_by_key(&class, |called| called.class);
        let before = found.ok().map(|at| lane.called[at]);
        if before == first {
            return;
        }
        match (found, first) {
            (Ok(at), Some(first)) => lane.called[at] = first,
            (Ok(at), None) => {
                lane.called.remove(at);
            }
            (Err(at), Some(first)) => lane.called.insert(at, first),
            (Err(_), None) => {}
        }
        if let Some(before) = before {
            self.ready.remove(&(before, index));
        }
        if let Some(first) = first {
            self.ready.insert((first, index));
        }
    }
}
