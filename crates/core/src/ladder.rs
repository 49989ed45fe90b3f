//! One pool of people in the order of a distribution: a tournament tree over the pool's places.
//!
//! Every inner node knows the best place below it, how many places below are eligible, and how many of them share
//! the best rank. So the best of all is read at the root, the eligible are counted there, and one person's change
//! costs a walk from the leaf towards the root, as far as anything changes there. Places stand in candidate order, so the n-th eligible and the first
//! whose turn it is (ROUTING 6.2, 6.3) are found by walking down.

/// What orders people, smallest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// How far short of the preferred skills the person falls (ROUTING 8.3).
    pub shortfall: u32,
    /// Load, last assignment or last turn, as the distribution has it. People of one rank are tied.
    pub rank: u64,
    /// The last assignment, counted from 1; 0 for never (ROUTING 5.4).
    pub mark: u64,
    /// What settles the rest.
    pub tie: i64,
}

/// One place: its key if the person there is eligible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// The order.
    pub key: Key,
    /// Could have an item now.
    pub eligible: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Node {
    best: u32,
    eligible: u32,
    tied: u32,
}

/// What the whole pool amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Top {
    /// The best place.
    pub place: usize,
    /// How many share its rank.
    pub tied: u32,
}

/// A pool in order.
#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    leaves: Vec<Leaf>,
    /// A heap-shaped tree: the root at 1, children of n at 2n and 2n + 1, leaves from `width` on.
    nodes: Vec<Node>,
    width: usize,
}

impl Ladder {
    /// The ladder of these places.
    pub(crate) fn new(leaves: Vec<Leaf>) -> Self {
        let width = leaves.len().next_power_of_two();
        let mut ladder = Self { nodes: vec![Node::default(); 2 * width], leaves, width };
        for place in 0..ladder.leaves.len() {
            ladder.nodes[width + place] = ladder.node_of(place);
        }
        for at in (1..width).rev() {
            ladder.nodes[at] = ladder.joined(at);
        }
        ladder
    }

    /// How many places there are.
    pub(crate) fn len(&self) -> usize {
        self.leaves.len()
    }

    /// What stands at a place.
    pub(crate) fn leaf(&self, place: usize) -> Leaf {
        self.leaves[place]
    }

    /// Puts a leaf at a place.
    pub(crate) fn set(&mut self, place: usize, leaf: Leaf) {
        if self.leaves[place] == leaf || (!leaf.eligible && !self.leaves[place].eligible) {
            return;
        }
        self.leaves[place] = leaf;
        let mut at = self.width + place;
        self.nodes[at] = self.node_of(place);
        while at > 1 {
            at /= 2;
            let node = self.joined(at);
            // Where somebody else is the best as before, nothing changes further up.
            if self.nodes[at] == node && node.best as usize != place {
                break;
            }
            self.nodes[at] = node;
        }
    }

    /// How many are eligible.
    pub(crate) fn eligible(&self) -> u32 {
        self.nodes[1].eligible
    }

    /// The best of the eligible.
    pub(crate) fn top(&self) -> Option<Top> {
        let root = self.nodes[1];
        (root.eligible > 0).then_some(Top { place: root.best as usize, tied: root.tied })
    }

    /// The `index`-th in candidate order of those who share the best rank.
    pub(crate) fn nth_best(&self, mut index: u32) -> Option<usize> {
        let best = self.leaves[self.top()?.place].key;
        let count = |node: Node| {
            let key = self.leaves[node.best as usize].key;
            if node.eligible > 0 && (key.shortfall, key.rank) == (best.shortfall, best.rank) { node.tied } else { 0 }
        };
        let mut at = 1;
        if index >= count(self.nodes[at]) {
            return None;
        }
        while at < self.width {
            at *= 2;
            let left = count(self.nodes[at]);
            if index >= left {
                index -= left;
                at += 1;
            }
        }
        Some(at - self.width)
    }

    /// The first in candidate order of those with the best skills whose rank lies below `bound`; where nobody's does,
    /// the first of them.
    pub(crate) fn first_below(&self, bound: u64) -> Option<usize> {
        let best = self.leaves[self.top()?.place].key;
        let bound = if best.rank < bound { Some(bound) } else { None };
        let fits = |node: Node| {
            let key = self.leaves[node.best as usize].key;
            node.eligible > 0 && key.shortfall == best.shortfall && bound.is_none_or(|bound| key.rank < bound)
        };
        let mut at = 1;
        while at < self.width {
            at *= 2;
            if !fits(self.nodes[at]) {
                at += 1;
            }
        }
        Some(at - self.width)
    }

    fn node_of(&self, place: usize) -> Node {
        let eligible = u32::from(self.leaves[place].eligible);
        Node { best: u32::try_from(place).expect("fewer people than fit in memory"), eligible, tied: eligible }
    }

    fn joined(&self, at: usize) -> Node {
        let (left, right) = (self.nodes[2 * at], self.nodes[2 * at + 1]);
        if left.eligible == 0 || right.eligible == 0 {
            return if left.eligible == 0 { right } else { left };
        }
        let (one, other) = (self.leaves[left.best as usize].key, self.leaves[right.best as usize].key);
        let tied = (one.shortfall, one.rank) == (other.shortfall, other.rank);
        let first = if other < one { right } else { left };
        Node {
            best: first.best,
            eligible: left.eligible + right.eligible,
            tied: if tied { left.tied + right.tied } else { first.tied },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Ladder, Leaf};
    use crate::random::draw;

    fn leaf(seed: u64, place: i64) -> Leaf {
        let key =
            Key { shortfall: draw(seed, 2), rank: u64::from(draw(seed ^ 1, 4)), mark: u64::from(draw(seed ^ 2, 4)), tie: place };
        Leaf { key, eligible: draw(seed ^ 3, 3) > 0 }
    }

    /// Every answer of the ladder beside the obvious pass over its leaves.
    fn check(ladder: &Ladder, leaves: &[Leaf]) {
        let eligible: Vec<(usize, Key)> =
            leaves.iter().enumerate().filter(|(_, leaf)| leaf.eligible).map(|(place, leaf)| (place, leaf.key)).collect();
        assert_eq!(ladder.eligible() as usize, eligible.len());
        let best = eligible.iter().min_by_key(|(_, key)| *key).copied();
        assert_eq!(ladder.top().map(|top| top.place), best.map(|(place, _)| place));
        let Some((_, best)) = best else {
            assert_eq!((ladder.nth_best(0), ladder.first_below(9)), (None, None));
            return;
        };
        let tied: Vec<usize> = eligible
            .iter()
            .filter(|(_, key)| (key.shortfall, key.rank) == (best.shortfall, best.rank))
            .map(|(place, _)| *place)
            .collect();
        assert_eq!(ladder.top().map(|top| top.tied as usize), Some(tied.len()));
        for index in 0..=tied.len() {
            assert_eq!(ladder.nth_best(u32::try_from(index).unwrap()), tied.get(index).copied());
        }
        for bound in 0..5 {
            let preferred = || eligible.iter().filter(|(_, key)| key.shortfall == best.shortfall);
            let first = preferred().find(|(_, key)| key.rank < bound).or_else(|| preferred().next());
            assert_eq!(ladder.first_below(bound), first.map(|(place, _)| *place));
        }
    }

    #[test]
    fn a_ladder_answers_as_a_pass_over_everybody_does() {
        for size in [0_u64, 1, 2, 3, 7, 8, 9, 33] {
            let mut leaves: Vec<Leaf> = (0..size).map(|place| leaf(place * 77, place.cast_signed())).collect();
            let mut ladder = Ladder::new(leaves.clone());
            check(&ladder, &leaves);
            for round in 0..if size == 0 { 0 } else { 300_u64 } {
                let place = usize::try_from(draw(round * 13 + size, u32::try_from(size).unwrap())).unwrap();
                leaves[place] = leaf(round * 1_000 + size, i64::try_from(place).unwrap());
                ladder.set(place, leaves[place]);
                check(&ladder, &leaves);
            }
        }
    }
}
