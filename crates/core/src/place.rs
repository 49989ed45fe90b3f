//! The place of a waiting item among the others (ROUTING 7.4).
//!
//! Places are kept in classes within which their order never changes, so that the first of a class is the first of a
//! sorted set however long the queue is. The order by priority is one class. In the order by `gcmu`, whose costs grow at
//! different speeds, items of one weight and one target are a class, and the first of each class are compared at the
//! present: there are few of them.

use std::cmp::{Ordering, Reverse};
use switchboard_model::{Arrival, ItemId, Priority, QueueOrder, Timestamp};

/// What an item without a target is measured by.
const DEFAULT_TARGET_MS: i64 = 3_600_000;
/// The shortest target.
const MIN_TARGET_MS: i64 = 1_000;
/// Who has waited for more targets than two to this power goes first.
const CAP_LOG2: u32 = 2;

/// Items whose order among themselves never changes: of one weight and one target, given by their powers of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Class {
    weight_log2: u8,
    target_log2: u8,
}

/// A place in the total order of waiting items. Places of one class sort in that order; others are compared by
/// [`Place::compare`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The class.
    pub class: Class,
    priority: Reverse<Priority>,
    due_ms: i64,
    since: Timestamp,
    /// The item.
    pub item: ItemId,
}

impl Class {
    /// The only class of the order by priority.
    const ONLY: Self = Self { weight_log2: 0, target_log2: 0 };

    /// The smallest class beyond this one.
    const fn next(self) -> Self {
        match self.target_log2.checked_add(1) {
            Some(target_log2) => Self { target_log2, ..self },
            None => Self { weight_log2: self.weight_log2.saturating_add(1), target_log2: 0 },
        }
    }
}

impl Place {
    /// The place of an item that waits since then.
    pub(crate) fn new(order: QueueOrder, arrival: &Arrival, since: Timestamp) -> Self {
        let (priority, item) = (arrival.queue.priority, arrival.item);
        match order {
            QueueOrder::Priority => {
                let due_ms = arrival.queue.due_at.map_or(i64::MAX, |due| due.0);
                Self { class: Class::ONLY, priority: Reverse(priority), due_ms, since, item }
            }
            QueueOrder::Gcmu => {
                let target_ms = arrival.queue.due_at.map_or(DEFAULT_TARGET_MS, |due| due.ms_since(since)).max(MIN_TARGET_MS);
                let target_log2 = target_ms.cast_unsigned().next_power_of_two().trailing_zeros();
                let class = Class {
                    weight_log2: priority as u8,
                    target_log2: u8::try_from(target_log2).expect("a power of two of 64 bits"),
                };
                Self { class, priority: Reverse(Priority::Urgent), due_ms: 0, since, item }
            }
        }
    }

    /// The first place that an item of a class could have.
    pub(crate) const fn first_of(class: Class) -> Self {
        let (since, item) = (Timestamp(i64::MIN), ItemId(i64::MIN));
        Self { class, priority: Reverse(Priority::Urgent), due_ms: i64::MIN, since, item }
    }

    /// The first place behind everything of this one's class.
    pub(crate) const fn beyond_class(&self) -> Self {
        Self::first_of(self.class.next())
    }

    /// Which of two places comes first at `now`.
    pub(crate) fn compare(&self, other: &Self, now: Timestamp) -> Ordering {
        if self.class == other.class {
            return self.cmp(other);
        }
        let starves = other.starves(now).cmp(&self.starves(now));
        let cost = if self.starves(now) { other.targets(self, now) } else { other.cost(self, now) };
        starves.then(cost).then((self.since, self.item).cmp(&(other.since, other.item)))
    }

    fn waited_ms(&self, now: Timestamp) -> u64 {
        now.ms_since(self.since).max(0).cast_unsigned()
    }

    /// Whether the item has waited for longer than any order may let it.
    fn starves(&self, now: Timestamp) -> bool {
        u128::from(self.waited_ms(now)) > 1_u128 << (u32::from(self.class.target_log2) + CAP_LOG2)
    }

    /// How the waits compare in units of each target. Less than 2^126.
    fn targets(&self, other: &Self, now: Timestamp) -> Ordering {
        let scaled = |one: &Self, by: &Self| u128::from(one.waited_ms(now)) << by.class.target_log2;
        scaled(self, other).cmp(&scaled(other, self))
    }

    /// How weight × waited / target² compare, of items that do not starve. Both sides are multiplied by the square of
    /// the greater target over the smaller: as nobody has waited for more than 2^2 targets of 2^10 to 2^63, and weights
    /// go up to 2^3, that stays below 2^122.
    fn cost(&self, other: &Self, now: Timestamp) -> Ordering {
        let least = self.class.target_log2.min(other.class.target_log2);
        let scaled = |one: &Self, by: &Self| {
            let weighed = u128::from(one.waited_ms(now)) << one.class.weight_log2;
            weighed << (2 * (by.class.target_log2 - least))
        };
        scaled(self, other).cmp(&scaled(other, self))
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, Place};
    use crate::random::draw;
    use std::cmp::{Ordering, Reverse};
    use switchboard_model::{ItemId, Priority, Timestamp};

    const EXTREMES: [i64; 6] = [i64::MIN, 0, 1, 1_023, 4_096, i64::MAX];

    fn place(weight_log2: u8, target_log2: u8, since: i64, item: i64) -> Place {
        let class = Class { weight_log2, target_log2 };
        Place { class, priority: Reverse(Priority::Urgent), due_ms: 0, since: Timestamp(since), item: ItemId(item) }
    }

    /// The rule of the contract as it is written, in numbers small enough for whole fractions.
    fn plain(place: &Place, now: i64) -> (Reverse<bool>, Reverse<u128>, i64, i64) {
        let (target, waited) = (1_u128 << place.class.target_log2, u128::try_from(now - place.since.0).unwrap());
        let common = 1_u128 << 40;
        let starves = waited > 4 * target;
        let cost =
            if starves { waited * common / target } else { (waited << place.class.weight_log2) * common / (target * target) };
        (Reverse(starves), Reverse(cost), place.since.0, place.item.0)
    }

    #[test]
    fn r7_4_places_compare_as_the_rule_says() {
        let number = |seed: u64, bound: u32| u8::try_from(draw(seed, bound)).unwrap();
        for seed in 0..20_000_u64 {
            let one = |salt: u64| {
                let seed = seed * 977 + salt;
                place(number(seed, 4), 10 + number(seed ^ 1, 8), i64::from(draw(seed ^ 2, 40_000)), i64::from(draw(seed ^ 3, 9)))
            };
            let (one, other) = (one(1), one(500));
            let now = 40_000 + i64::from(draw(seed ^ 4, 400_000));
            assert_eq!(one.compare(&other, Timestamp(now)), plain(&one, now).cmp(&plain(&other, now)), "{one:?} {other:?} {now}");
        }
    }

    #[test]
    fn r7_4_places_compare_at_any_time_without_overflow_and_in_one_order() {
        let mut places = Vec::new();
        for weight in [0, 3] {
            for target in [10, 22, 62, 63] {
                places.extend(EXTREMES.map(|since| place(weight, target, since, since)));
            }
        }
        for now in EXTREMES.map(Timestamp) {
            let mut sorted = places.clone();
            sorted.sort_by(|one, other| one.compare(other, now));
            for (index, one) in sorted.iter().enumerate() {
                for other in &sorted[index + 1..] {
                    assert_ne!(one.compare(other, now), Ordering::Greater, "{one:?} {other:?} at {now:?}");
                    assert_eq!(one.compare(other, now), other.compare(one, now).reverse());
                }
            }
        }
    }

    #[test]
    fn the_first_place_of_a_class_lies_before_all_of_it_and_behind_the_class_before() {
        let places = [place(0, 63, i64::MAX, i64::MAX), place(0, u8::MAX, 0, 0), place(1, 0, i64::MIN, i64::MIN)];
        for pair in places.windows(2) {
            assert!(pair[0] < pair[0].beyond_class() && pair[0].beyond_class() <= pair[1]);
            assert!(Place::first_of(pair[1].class) <= pair[1]);
        }
    }
}
