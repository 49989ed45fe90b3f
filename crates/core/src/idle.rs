//! How long everybody was idle over the shift, for `longest_idle_total` (ROUTING 6.5).
//!
//! Per person and group, a sum of finished idle time and, while the person is idle, the instant since when. So the
//! order of idle people does not change while they are: all their totals grow alike. A shift that starts sets the sums
//! to nothing; starts are watched only for people who have something to lose. All of this is kept only while a rule
//! goes by it.

use crate::calendar::Calendar;
use crate::people::{GROUPS, PersonIndex};
use std::collections::BTreeSet;
use switchboard_model::{LoadGroup, Timestamp};

/// Beyond this ranks belong to people who own something.
const BUSY: u64 = 1 << 63;
/// The rank of somebody idle since the epoch; instants and sums are far smaller.
const EPOCH_RANK: i64 = 1 << 61;

/// The idle time of one person.
#[derive(Clone, Copy, Debug, Default)]
struct Idle {
    sums_ms: [i64; GROUPS],
    since: [Option<Timestamp>; GROUPS],
    /// When the next shift starts, while that is watched.
    start: Option<Timestamp>,
}

/// The idle time of everybody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    is_kept: bool,
    /// By place; people beyond its end were never idle.
    list: Vec<Idle>,
    starts: BTreeSet<(Timestamp, PersonIndex)>,
    /// Who may have become idle, or ceased to be, since this was last looked at.
    touched: Vec<PersonIndex>,
}

impl Totals {
    /// Whether totals are kept.
    pub(crate) const fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Keeps totals from now on, or forgets them. Starts of shifts are found anew.
    pub(crate) fn keep(&mut self, is_kept: bool) {
        self.starts.clear();
        self.touched.clear();
        self.is_kept = is_kept;
        if !is_kept {
            self.list.clear();
        }
        for idle in &mut self.list {
            idle.start = None;
        }
    }

    /// A person is another than before.
    pub(crate) fn touch(&mut self, index: PersonIndex) {
        if self.is_kept {
            self.touched.push(index);
        }
    }

    /// Whoever was touched, each once.
    pub(crate) fn take_touched(&mut self) -> Vec<PersonIndex> {
        self.touched.sort_unstable();
        self.touched.dedup();
        std::mem::take(&mut self.touched)
    }

    /// Takes in who is idle at `at`: available, without load in a group.
    pub(crate) fn account(
        &mut self,
        index: PersonIndex,
        (is_available, loads): (bool, &[u32; GROUPS]),
        calendar: Option<&Calendar>,
        at: Timestamp,
    ) {
        let idle = self.at_mut(index);
        for (group, load) in loads.iter().enumerate() {
            let is_idle = is_available && *load == 0;
            match idle.since[group] {
                Some(since) if !is_idle => {
                    idle.sums_ms[group] = idle.sums_ms[group].saturating_add(at.ms_since(since).max(0));
                    idle.since[group] = None;
                }
                None if is_idle => idle.since[group] = Some(at),
                _ => {}
            }
        }
        self.watch(index, calendar, at);
    }

    /// When a shift next starts for somebody who has something to lose.
    pub(crate) fn next_start(&self) -> Option<Timestamp> {
        self.starts.first().map(|(due, _)| *due)
    }

    /// Somebody whose watched start has come.
    pub(crate) fn take_start(&mut self, at: Timestamp) -> Option<PersonIndex> {
        let (due, index) = self.starts.first().copied().filter(|(due, _)| *due <= at)?;
        self.starts.remove(&(due, index));
        self.at_mut(index).start = None;
        Some(index)
    }

    /// A shift starts: everything counts from here.
    pub(crate) fn restart(&mut self, index: PersonIndex, at: Timestamp) {
        let idle = self.at_mut(index);
        idle.sums_ms = [0; GROUPS];
        idle.since = idle.since.map(|since| since.map(|_| at));
    }

    /// Forgets the idle time of a person.
    pub(crate) fn forget(&mut self, index: PersonIndex) {
        let start = std::mem::take(self.at_mut(index)).start;
        if let Some(start) = start {
            self.starts.remove(&(start, index));
        }
    }

    /// Watches for the next start of a shift while there is something to lose by it.
    pub(crate) fn watch(&mut self, index: PersonIndex, calendar: Option<&Calendar>, at: Timestamp) {
        let idle = *self.at_mut(index);
        let has_any = idle.since.iter().any(Option::is_some) || idle.sums_ms.iter().any(|sum| *sum > 0);
        if has_any && idle.start.is_none() {
            let start = calendar.and_then(|calendar| calendar.next_shift(at));
            self.at_mut(index).start = start;
            self.starts.extend(start.map(|start| (start, index)));
        }
    }

    /// A sum as it was stored.
    pub(crate) fn restore(&mut self, index: PersonIndex, group: LoadGroup, sum_ms: u64) {
        if self.is_kept {
            self.at_mut(index).sums_ms[group as usize] = i64::try_from(sum_ms).unwrap_or(i64::MAX);
        }
    }

    /// The idle time of a person in a group up to `now`.
    pub(crate) fn total_ms(&self, index: PersonIndex, group: LoadGroup, now: Timestamp) -> u64 {
        let Some(idle) = self.list.get(index as usize) else { return 0 };
        let running = idle.since[group as usize].map_or(0, |since| now.ms_since(since).max(0));
        idle.sums_ms[group as usize].saturating_add(running).max(0).cast_unsigned()
    }

    /// The rank of a person, smallest first: who owns nothing of the group before the others, and the greatest total
    /// first. Of somebody idle it is the same at any `now`.
    pub(crate) fn rank(&self, index: PersonIndex, group: LoadGroup, is_free: bool, now: Timestamp) -> u64 {
        if !is_free {
            return BUSY + i64::MAX.cast_unsigned().saturating_sub(self.total_ms(index, group, now));
        }
        let idle = self.list.get(index as usize).copied().unwrap_or_default();
        let since = idle.since[group as usize].unwrap_or(now);
        let ahead = idle.sums_ms[group as usize].saturating_sub(since.0).clamp(-EPOCH_RANK, EPOCH_RANK);
        (EPOCH_RANK - ahead).cast_unsigned()
    }

    fn at_mut(&mut self, index: PersonIndex) -> &mut Idle {
        let place = index as usize;
        if self.list.len() <= place {
            self.list.resize(place + 1, Idle::default());
        }
        &mut self.list[place]
    }
}
