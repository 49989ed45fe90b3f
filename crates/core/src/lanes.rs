//! Which lanes an item waits in (ROUTING 7.4).

use crate::ladders::{LadderIndex, Ladders};
use crate::people::PersonIndex;
use crate::pool::{Pool, Terms};
use crate::queue::LaneKey;

/// How many people of a pool could ever have the item as the directory stands.
pub(crate) fn lasting_in(pool: &Pool<'_>, ladders: &Ladders, ladder: LadderIndex) -> usize {
    let mut excluded: Vec<u32> = pool.excluded().filter_map(|person| ladders.place(ladder, person)).collect();
    excluded.sort_unstable();
    excluded.dedup();
    ladders.len(ladder).saturating_sub(excluded.len())
}

/// The lanes of a pool: everybody not left out, and who has room for this item alone as it counts once with something.
pub(crate) fn pool_lanes(pool: &Pool<'_>, ladders: &Ladders, ladder: LadderIndex, terms: Terms) -> Vec<LaneKey> {
    let mut left_out: Vec<u32> =
        pool.concerned().filter(|person| pool.is_left_out(*person)).filter_map(|person| ladders.place(ladder, person)).collect();
    left_out.sort_unstable();
    left_out.dedup();
    let mut lanes = Vec::new();
    if ladders.len(ladder) > left_out.len() {
        lanes.push(LaneKey::Pool { ladder, left_out });
    }
    let sharers = pool.sharers().filter(|person| !pool.is_left_out(*person) && ladders.place(ladder, *person).is_some());
    lanes.extend(sharers.map(|person| person_lane(pool, person, terms)));
    lanes
}

/// The lane of one person.
pub(crate) fn person_lane(pool: &Pool<'_>, person: PersonIndex, terms: Terms) -> LaneKey {
    LaneKey::Person { person, work: pool.work(), only_available: terms.only_available, shared: pool.shared(person) }
}
