//! Turns of `round_robin` (ROUTING 6.2).
//!
//! Each case keeps the number of its running cycle and, per person, the cycle in which the person was last served.
//! Whoever was not served in the running cycle has a turn in it; when no eligible person has one left, the next
//! cycle begins. Nothing is stored for people who were never served, so newcomers have exactly one turn in the
//! running cycle, as has somebody who missed any number of cycles. Editing the people of a case touches nothing.
//!
//! Where names have weights, the same numbers are passes: everybody's passes are spaced by the weight, and the lowest
//! comes first (Webster's method of odd divisors). A pass that lies behind the highest taken so far is taken as that
//! one, so a newcomer is served at once and then at the others' pace.

use std::collections::BTreeMap;
use switchboard_model::{ChannelId, TurnState, UserId};

/// Half the distance between the passes of weight 1: divisible by 1 to 20, so that no weight loses a fraction.
const SPACING: u64 = 232_792_560;

/// The turns of every case that ever took one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(BTreeMap<(ChannelId, u32), Cycle>);

/// The turns of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cycle {
    running: u64,
    served: BTreeMap<UserId, u64>,
}

impl Cycle {
    const FIRST: u64 = 1;

    const fn new() -> Self {
        Self { running: Self::FIRST, served: BTreeMap::new() }
    }

    /// Whether the user had a turn in the running cycle.
    pub(crate) fn is_served(&self, user: UserId) -> bool {
        self.served.get(&user).is_some_and(|cycle| *cycle >= self.running)
    }

    /// The cycle in which the user was last served.
    pub(crate) fn last(&self, user: UserId) -> Option<u64> {
        self.served.get(&user).copied()
    }

    /// The rank of somebody by the last turn, smallest for who was never served.
    pub(crate) fn rank(&self, user: UserId) -> u64 {
        self.last(user).map_or(0, |cycle| cycle.saturating_add(1))
    }

    /// Ranks below this have a turn left in the running cycle.
    pub(crate) const fn bound(&self) -> u64 {
        self.running.saturating_add(1)
    }

    /// The pass of somebody of this weight, the lowest of which comes first.
    pub(crate) fn pass(&self, user: UserId, weight: u32) -> u64 {
        let half = SPACING / u64::from(weight.max(1));
        self.last(user).map_or(half, |last| last.saturating_add(2 * half))
    }

    /// The pass that the user would take now.
    pub(crate) fn pass_taken(&self, user: UserId, weight: u32) -> u64 {
        self.pass(user, weight).max(self.running)
    }

    /// The turn that the user would take now: in the running cycle, or in the next if it is used up.
    pub(crate) fn turn(&self, user: UserId) -> u64 {
        if self.is_served(user) { self.running.saturating_add(1) } else { self.running }
    }
}

/// The turns of a case that never took one.
pub(crate) static UNTOUCHED: Cycle = Cycle::new();

impl Turns {
    /// The stored turns; the last of several for one case wins.
    pub(crate) fn new(states: &[TurnState]) -> Self {
        Self(
            states
                .iter()
                .map(|state| ((state.channel, state.case), Cycle { running: state.cycle, served: state.served.clone() }))
                .collect(),
        )
    }

    /// The turns to store, by channel and case.
    pub(crate) fn states(&self) -> Vec<TurnState> {
        self.0
            .iter()
            .map(|((channel, case), cycle)| TurnState {
                channel: *channel,
                case: *case,
                cycle: cycle.running,
                served: cycle.served.clone(),
            })
            .collect()
    }

    /// The turns of a case.
    pub(crate) fn of(&self, channel: ChannelId, case: u32) -> &Cycle {
        self.0.get(&(channel, case)).unwrap_or(&UNTOUCHED)
    }

    /// The user takes a turn.
    pub(crate) fn take(&mut self, channel: ChannelId, case: u32, user: UserId, turn: u64) {
        let cycle = self.0.entry((channel, case)).or_insert_with(Cycle::new);
        cycle.running = cycle.running.max(turn);
        cycle.served.insert(user, turn);
    }

    /// The user gets a turn back that a refused decision took, unless a later turn replaced it. A cycle in which
    /// nobody was served then has not begun.
    pub(crate) fn give_back(&mut self, channel: ChannelId, case: u32, user: UserId, turn: u64, before: Option<u64>) {
        let Some(cycle) = self.0.get_mut(&(channel, case)) else { return };
        if cycle.last(user) != Some(turn) {
            return;
        }
        match before {
            Some(before) => cycle.served.insert(user, before),
            None => cycle.served.remove(&user),
        };
        if cycle.running == turn && !cycle.served.values().any(|served| *served >= turn) {
            cycle.running = cycle.served.values().copied().max().unwrap_or(Cycle::FIRST);
        }
        if *cycle == UNTOUCHED {
            self.0.remove(&(channel, case));
        }
    }
}
