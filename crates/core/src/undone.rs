//! Refused decisions that later ones found in place. A refusal goes back to what the decision found; where that was
//! the mark or turn of a decision refused in the meantime, it goes back to what that one had found, so that refused
//! decisions leave no trace, however many of one person are refused in a row (ROUTING 5.4, 6.2).

use std::collections::BTreeMap;
use switchboard_model::{ChannelId, Decision, LoadGroup, Undone, UndoneMark, UndoneTurn, UserId};

/// What was taken by the refused decision, and what to go back to instead of it.
type Links<K> = BTreeMap<K, (u64, Option<u64>)>;

/// The last such decision of each person, group and case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refused {
    marks: Links<(UserId, LoadGroup)>,
    turns: Links<(ChannelId, u32, UserId)>,
}

impl Refused {
    /// What was remembered.
    pub(crate) fn new(undone: &Undone) -> Self {
        Self {
            marks: undone.marks.iter().map(|one| ((one.user, one.group), (one.no, one.before))).collect(),
            turns: undone.turns.iter().map(|one| ((one.channel, one.case, one.user), (one.turn, one.before))).collect(),
        }
    }

    /// What is to be remembered.
    pub(crate) fn undone(&self) -> Undone {
        let marks = self.marks.iter().map(|(&(user, group), &(no, before))| UndoneMark { user, group, no, before });
        let turns = self.turns.iter();
        let turns = turns.map(|(&(channel, case, user), &(turn, before))| UndoneTurn { channel, case, user, turn, before });
        Undone { marks: marks.collect(), turns: turns.collect() }
    }

    /// The mark to go back to, where the refused decision's own is the `current` one.
    pub(crate) fn mark(&mut self, decision: &Decision, user: UserId, current: Option<u64>) -> Option<u64> {
        go_back(&mut self.marks, (user, decision.group), current, decision.mark(), decision.mark_before)
    }

    /// The same for a turn that the refused decision took in a case.
    pub(crate) fn turn(
        &mut self,
        case: (ChannelId, u32, UserId),
        current: Option<u64>,
        taken: u64,
        before: Option<u64>,
    ) -> Option<u64> {
        go_back(&mut self.turns, case, current, taken, before)
    }
}

/// What comes before the refused `taken`, as far as it holds. Where something later is in place, which may be refused
/// as well, the link is kept for that.
fn go_back<K: Ord>(links: &mut Links<K>, key: K, current: Option<u64>, taken: u64, before: Option<u64>) -> Option<u64> {
    let before = match links.get_mut(&key) {
        Some((refused, earlier)) if before == Some(*refused) => {
            let earlier = *earlier;
            links.remove(&key);
            earlier
        }
        Some((_, earlier)) if *earlier == Some(taken) => {
            *earlier = before;
            return before;
        }
        _ => before,
    };
    if current > Some(taken) {
        links.insert(key, (taken, before));
    }
    before
}
