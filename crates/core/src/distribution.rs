//! How one of several eligible people is chosen (ROUTING 6, 5.4).

use crate::ladder::Key as Rung;
use crate::ladders::Sight;
use crate::people::{Person, PersonIndex};
use crate::plan::Entry;
use crate::pool::{Pool, Slate};
use crate::random::draw;
use crate::turns::Cycle;
use switchboard_model::{Candidate, ChannelId, Distribution, LoadGroup, Verdict};

/// A distribution with what it ranks by.
pub(crate) struct Method<'a> {
    /// The distribution.
    pub distribution: Distribution,
    /// The group of the item.
    pub group: LoadGroup,
    /// The turns of the case.
    pub turns: &'a Cycle,
    /// The names of the case have weights, so its turns are passes (ROUTING 6.2).
    pub weighted: bool,
    /// The seed that came with the input.
    pub seed: u64,
}

/// What came of choosing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// The chosen entry.
    pub entry: Entry,
    /// How many eligible people shared the best rank before ties were broken.
    pub tied: u32,
    /// The random draw.
    pub draw: Option<u32>,
    /// The turn that the choice takes.
    pub turn: Option<u64>,
}

/// What the people of a ladder are ranked by: distributions that look at the same numbers share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ranking {
    /// Load in a group.
    Load(LoadGroup),
    /// The last assignment.
    Idle,
    /// Idle time over the shift in a group.
    IdleTotal(LoadGroup),
    /// The turns of a case.
    Turns(ChannelId, u32),
    /// The passes of a case whose names have weights.
    Passes(ChannelId, u32),
    /// Nothing.
    Even,
}

/// Where somebody stands in a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    /// In candidate order.
    pub position: u32,
    /// The weight of the name through which the person is listed (ROUTING 6.2).
    pub weight: u32,
}

impl Ranking {
    /// The key of somebody at this place of the list, as a decision by a method sees it.
    pub(crate) fn key(self, pool: &Pool<'_>, index: PersonIndex, spot: Spot, method: &Method<'_>) -> Rung {
        let person = pool.person(index);
        let rank = match self {
            Self::Load(group) => u64::from(pool.load(index, group)),
            Self::IdleTotal(group) => pool.idle_rank(index, group),
            Self::Turns(..) => method.turns.rank(person.user),
            Self::Passes(..) => method.turns.pass(person.user, spot.weight),
            Self::Idle | Self::Even => 0,
        };
        self.keyed(person, rank, spot, method.group)
    }

    /// The key of somebody by what the counters hold.
    pub(crate) fn plain_key(self, index: PersonIndex, spot: Spot, group: LoadGroup, sight: &Sight<'_>) -> Rung {
        let (person, turns) = (sight.people.at(index), sight.turns);
        let rank = match self {
            Self::Load(group) => u64::from(person.loads[group as usize]),
            Self::IdleTotal(group) => sight.people.totals().rank(index, group, person.loads[group as usize] == 0, sight.now),
            Self::Turns(channel, case) => turns.of(channel, case).rank(person.user),
            Self::Passes(channel, case) => turns.of(channel, case).pass(person.user, spot.weight),
            Self::Idle | Self::Even => 0,
        };
        self.keyed(person, rank, spot, group)
    }

    fn keyed(self, person: &Person, rank: u64, spot: Spot, group: LoadGroup) -> Rung {
        let mark = person.marks[group as usize].map_or(0, |no| no.saturating_add(1));
        let position = i64::from(spot.position);
        match self {
            Self::Load(_) | Self::IdleTotal(_) => Rung { shortfall: 0, rank, mark, tie: person.user.0 },
            Self::Idle => Rung { shortfall: 0, rank: mark, mark: 0, tie: person.user.0 },
            Self::Turns(..) | Self::Passes(..) => Rung { shortfall: 0, rank, mark: 0, tie: position },
            Self::Even => Rung { shortfall: 0, rank: 0, mark: 0, tie: position },
        }
    }
}

/// The order of people: preferred skills, rank, the last assignment, and what settles the rest.
type Key = ((u32, u64), Option<u64>, i64);

impl Method<'_> {
    /// The group whose load ranks people: `least_busy` in an inbox looks at chats, whatever the item (ROUTING 6.4).
    pub(crate) const fn ranking_group(&self) -> LoadGroup {
        match self.distribution {
            Distribution::LeastBusy if !self.group.is_help_desk() => LoadGroup::InboxChat,
            _ => self.group,
        }
    }

    /// What the method ranks by in a case.
    pub(crate) const fn ranking(&self, channel: ChannelId, case: u32) -> Ranking {
        match self.distribution {
            Distribution::LoadBalanced | Distribution::LeastBusy => Ranking::Load(self.ranking_group()),
            Distribution::LongestIdle => Ranking::Idle,
            Distribution::LongestIdleTotal => Ranking::IdleTotal(self.group),
            Distribution::RoundRobin if self.weighted => Ranking::Passes(channel, case),
            Distribution::RoundRobin => Ranking::Turns(channel, case),
            Distribution::Random => Ranking::Even,
        }
    }

    fn key(&self, pool: &Pool<'_>, position: usize, entry: &Entry) -> Key {
        let person = pool.person(entry.person);
        let mark = person.marks[self.group as usize];
        let (rank, mark, tie) = match self.distribution {
            Distribution::LoadBalanced | Distribution::LeastBusy => {
                (u64::from(pool.load(entry.person, self.ranking_group())), mark, person.user.0)
            }
            Distribution::LongestIdleTotal => (pool.idle_rank(entry.person, self.group), mark, person.user.0),
            Distribution::LongestIdle => (mark.map_or(0, |no| no.saturating_add(1)), mark, person.user.0),
            Distribution::RoundRobin => {
                let turn = if self.weighted {
                    self.turns.pass(person.user, entry.weight)
                } else {
                    u64::from(self.turns.is_served(person.user))
                };
                (turn, None, i64::try_from(position).unwrap_or(i64::MAX))
            }
            Distribution::Random => (0, None, 0),
        };
        ((pool.shortfall(entry.person), rank), mark, tie)
    }

    /// The turn, or the pass, that the person of an entry would take.
    pub(crate) fn turn(&self, pool: &Pool<'_>, entry: &Entry) -> u64 {
        let user = pool.person(entry.person).user;
        if self.weighted { self.turns.pass_taken(user, entry.weight) } else { self.turns.turn(user) }
    }

    /// Chooses one of the eligible by looking at everybody, and counts them.
    pub(crate) fn choose(&self, pool: &Pool<'_>, slate: &Slate<'_>) -> (Option<Choice>, u32) {
        let mut eligible = 0_u32;
        let mut best: Option<(Key, Entry)> = None;
        let mut tied = 0_u32;
        slate.eligible(pool, |position, entry| {
            eligible = eligible.saturating_add(1);
            let key = self.key(pool, position, entry);
            match &best {
                Some((found, _)) if key.0 > found.0 => {}
                Some((found, _)) if key.0 == found.0 => {
                    tied = tied.saturating_add(1);
                    if key < *found {
                        best = Some((key, *entry));
                    }
                }
                _ => {
                    tied = 1;
                    best = Some((key, *entry));
                }
            }
        });
        let choice = best.map(|(_, entry)| match self.distribution {
            Distribution::Random => self.drawn(pool, slate, tied).unwrap_or(Choice { entry, tied, draw: None, turn: None }),
            Distribution::RoundRobin => Choice { entry, tied: 1, draw: None, turn: Some(self.turn(pool, &entry)) },
            _ => Choice { entry, tied, draw: None, turn: None },
        });
        (choice, eligible)
    }

    /// One of those who fall least short of the preferred skills, of whom there are so many.
    fn drawn(&self, pool: &Pool<'_>, slate: &Slate<'_>, tied: u32) -> Option<Choice> {
        let index = draw(self.seed, tied);
        let mut preferred: Vec<(u32, Entry)> = Vec::new();
        slate.eligible(pool, |_, entry| preferred.push((pool.shortfall(entry.person), *entry)));
        let least = preferred.iter().map(|(shortfall, _)| *shortfall).min()?;
        let (_, entry) = preferred.into_iter().filter(|(shortfall, _)| *shortfall == least).nth(index as usize)?;
        Some(Choice { entry, tied, draw: Some(index), turn: None })
    }

    /// Everybody looked at, with rank or reason: what [`Method::choose`] went by, written down.
    pub(crate) fn candidates(&self, pool: &Pool<'_>, slate: &Slate<'_>, chosen: Option<PersonIndex>) -> Vec<Candidate> {
        let mut order: Vec<(Key, usize)> = Vec::new();
        slate.eligible(pool, |position, entry| order.push((self.key(pool, position, entry), position)));
        order.sort_unstable();
        let mut ranks = vec![None; slate.entries.len()];
        let first = order.first().map(|((measure, ..), _)| *measure);
        for (rank, ((measure, ..), position)) in (1..).zip(&order) {
            let even = self.distribution == Distribution::Random && first == Some(*measure);
            ranks[*position] = Some(if even { 1 } else { rank });
        }
        let candidate = |(position, entry): (usize, &Entry)| {
            let verdict = match slate.skip(pool, position) {
                Some(reason) => Verdict::Skipped { reason },
                None if chosen == Some(entry.person) => Verdict::Chosen,
                None => Verdict::Eligible,
            };
            self.candidate(pool, entry, ranks[position], verdict)
        };
        slate.entries.iter().enumerate().map(candidate).collect()
    }

    fn idle_ms(&self, pool: &Pool<'_>, person: PersonIndex) -> Option<u64> {
        let counts = self.distribution == Distribution::LongestIdleTotal;
        counts.then(|| pool.people.totals().total_ms(person, self.group, pool.now))
    }

    /// One person looked at, with the numbers that counted.
    pub(crate) fn candidate(&self, pool: &Pool<'_>, entry: &Entry, rank: Option<u32>, verdict: Verdict) -> Candidate {
        let person = pool.person(entry.person);
        Candidate {
            user: person.user,
            team: entry.team,
            load: pool.load(entry.person, self.ranking_group()),
            open: pool.open(entry.person),
            limit: person.profile.as_ref().and_then(|profile| profile.limit),
            idle_ms: self.idle_ms(pool, entry.person),
            last_assigned: person.marks[self.group as usize],
            rank,
            verdict,
        }
    }
}
