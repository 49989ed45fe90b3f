//! The ladders of every pool that decisions were made about, kept up to date as people change.
//!
//! A ladder is made when a decision first asks for its pool, and lives as long as the directory version. Cases that
//! list the same people in the same order, and rank them by the same numbers, share one. A person knows the ladders
//! he stands in, so a change costs one walk in each of them, however large they are. What a ladder holds follows
//! from the people alone, so a router that goes on from a stored state makes them anew.

use crate::calendar::Calendar;
use crate::distribution::{Choice, Method, Ranking, Spot};
use crate::ladder::{Key, Ladder, Leaf};
use crate::people::{People, PersonIndex, TYPES};
use crate::pool::{Pool, Slate, could_take};
use crate::random::draw;
use crate::skills::NeedKey;
use crate::turns::Turns;
use crate::usage::Exemption;
use std::collections::BTreeMap;
use switchboard_model::{Distribution, LoadGroup, Timestamp, WorkType, WorkspaceId};

/// The place of a ladder in [`Ladders`], for the life of a directory version.
pub(crate) type LadderIndex = u32;

/// What makes a ladder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LadderKey {
    /// The list of people.
    pub roster: u32,
    /// The workspace of the item, where it is not that of the channel.
    pub workspace: Option<WorkspaceId>,
    /// The skills demanded.
    pub need: Option<NeedKey>,
    /// What people are ranked by.
    pub ranking: Ranking,
    /// The group of the item: whose marks count, and which limits.
    pub group: LoadGroup,
    /// Skip who is not available.
    pub only_available: bool,
    /// Of whom the item uses no capacity.
    pub exemption: Exemption,
}

/// All that the leaves of ladders follow from.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    /// Everybody.
    pub people: &'a People,
    /// Their hours.
    pub calendars: &'a [Calendar],
    /// The turns of every case.
    pub turns: &'a Turns,
    /// The time.
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
struct Rungs {
    key: LadderKey,
    ladder: Ladder,
    /// Per place.
    places: Vec<Seat>,
    /// Stands in `moved`.
    is_moved: bool,
}

/// Who stands at a place.
#[derive(Clone, Copy, Debug)]
struct Seat {
    person: PersonIndex,
    /// In the roster.
    spot: Spot,
    /// How far the person falls short of the preferred skills.
    shortfall: u32,
}

/// What an item asks of a person besides room for its type: availability, and what it is exempt from.
type Question = (bool, Exemption);

/// Where a person stands, with what is looked at whenever the person changes.
#[derive(Clone, Copy, Debug)]
struct Standing {
    ladder: LadderIndex,
    place: u32,
    seat: Seat,
}

/// Every ladder there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ladders {
    list: Vec<Rungs>,
    index: BTreeMap<LadderKey, LadderIndex>,
    /// Per person.
    standings: Vec<Vec<Standing>>,
    /// Ladders in which somebody became eligible or ceased to be.
    moved: Vec<LadderIndex>,
}

impl Ladders {
    /// The ladder of a slate's people, made if it is new.
    pub(crate) fn find(&mut self, key: LadderKey, slate: &Slate<'_>, pool: &Pool<'_>) -> LadderIndex {
        if let Some(index) = self.index.get(&key) {
            return *index;
        }
        let sight = pool.sight();
        let index = LadderIndex::try_from(self.list.len()).expect("fewer ladders than fit in memory");
        let mut rungs = Rungs { key: key.clone(), ladder: Ladder::new(Vec::new()), places: Vec::new(), is_moved: false };
        slate.lasting(pool, false, |position, entry| {
            let shortfall = pool.shortfall(entry.person);
            rungs.places.push(Seat { person: entry.person, spot: Spot { position, weight: entry.weight }, shortfall });
        });
        rungs.ladder =
            Ladder::new(rungs.places.iter().map(|seat| key.leaf(seat, key.takes(seat.person, &sight), &sight)).collect());
        self.standings.resize(self.standings.len().max(sight.people.len()), Vec::new());
        for (place, seat) in (0..).zip(&rungs.places) {
            self.standings[seat.person as usize].push(Standing { ladder: index, place, seat: *seat });
        }
        self.list.push(rungs);
        self.index.insert(key, index);
        index
    }

    /// Brings every ladder up to date with a person.
    pub(crate) fn refresh(&mut self, person: PersonIndex, sight: &Sight<'_>) {
        let Some(standings) = self.standings.get(person as usize) else { return };
        // Most ladders ask one of very few questions about a person.
        let mut known: [Option<(Question, bool)>; TYPES] = [None; TYPES];
        for Standing { ladder, place, seat } in standings {
            let rungs = &mut self.list[*ladder as usize];
            let (work, question) = rungs.key.question();
            let asked = known[work as usize].filter(|(asked, _)| *asked == question).map(|(_, answer)| answer);
            let eligible = asked.unwrap_or_else(|| rungs.key.takes(person, sight));
            known[work as usize] = Some((question, eligible));
            let (place, leaf) = (*place as usize, rungs.key.leaf(seat, eligible, sight));
            let moves = rungs.ladder.leaf(place).eligible != leaf.eligible;
            rungs.ladder.set(place, leaf);
            if moves && !rungs.is_moved {
                rungs.is_moved = true;
                self.moved.push(*ladder);
            }
        }
    }

    /// A ladder in which somebody became eligible or ceased to be since this was last asked; each once.
    pub(crate) fn next_moved(&mut self) -> Option<LadderIndex> {
        let index = self.moved.pop()?;
        self.list[index as usize].is_moved = false;
        Some(index)
    }

    /// Forgets every ladder, as the directory changed.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many people stand in a ladder.
    pub(crate) fn len(&self, index: LadderIndex) -> usize {
        self.list[index as usize].ladder.len()
    }

    /// How many of them are eligible.
    pub(crate) fn eligible(&self, index: LadderIndex) -> u32 {
        self.list[index as usize].ladder.eligible()
    }

    /// The place of a person in a ladder.
    pub(crate) fn place(&self, index: LadderIndex, person: PersonIndex) -> Option<u32> {
        let standings = self.standings.get(person as usize)?;
        standings.iter().find(|standing| standing.ladder == index).map(|standing| standing.place)
    }

    /// Whether the person at a place is eligible, apart from what concerns one item only.
    pub(crate) fn is_eligible(&self, index: LadderIndex, place: u32) -> bool {
        self.list[index as usize].ladder.leaf(place as usize).eligible
    }

    /// What [`Method::choose`] finds by looking at everybody, found by looking at those only whom this item concerns
    /// in particular: its owner, the owners of what counts together with it, and those left out.
    pub(crate) fn choose(
        &mut self,
        index: LadderIndex,
        pool: &Pool<'_>,
        slate: &Slate<'_>,
        method: &Method<'_>,
    ) -> (Option<Choice>, u32) {
        if matches!(self.list[index as usize].key.ranking, Ranking::IdleTotal(_)) && !slate.terms.only_available {
            // Who is away and free gains nothing while others do, so that no order of everybody lasts.
            return method.choose(pool, slate);
        }
        let mut before: Vec<(usize, Leaf)> = Vec::new();
        for person in pool.concerned() {
            let Some(place) = self.place(index, person).map(|place| place as usize) else { continue };
            let rungs = &mut self.list[index as usize];
            let Seat { spot, shortfall, .. } = rungs.places[place];
            let key = rungs.key.ranking.key(pool, person, spot, method);
            let eligible = slate.skip(pool, spot.position as usize).is_none();
            let leaf = Leaf { key: Key { shortfall, ..key }, eligible };
            before.push((place, rungs.ladder.leaf(place)));
            rungs.ladder.set(place, leaf);
        }
        let chosen = self.list[index as usize].chosen(pool, slate, method);
        let rungs = &mut self.list[index as usize];
        for (place, leaf) in before.into_iter().rev() {
            rungs.ladder.set(place, leaf);
        }
        chosen
    }
}

impl LadderKey {
    /// What decides whether a person could have an item of a type.
    const fn question(&self) -> (WorkType, Question) {
        (self.group.work_type(), (self.only_available, self.exemption))
    }

    /// Whether a person could have an item.
    fn takes(&self, person: PersonIndex, sight: &Sight<'_>) -> bool {
        let person = sight.people.at(person);
        let shared = self.exemption.shared(person.leave_out());
        could_take(person, sight, self.only_available, self.group.work_type(), shared)
    }

    /// What stands for a person at a seat. Nobody looks at the key of whoever is not eligible.
    fn leaf(&self, seat: &Seat, eligible: bool, sight: &Sight<'_>) -> Leaf {
        if !eligible {
            return Leaf::default();
        }
        let key = self.ranking.plain_key(seat.person, seat.spot, self.group, sight);
        Leaf { key: Key { shortfall: seat.shortfall, ..key }, eligible }
    }
}

impl Rungs {
    fn chosen(&self, pool: &Pool<'_>, slate: &Slate<'_>, method: &Method<'_>) -> (Option<Choice>, u32) {
        let eligible = self.ladder.eligible();
        let Some(top) = self.ladder.top() else { return (None, eligible) };
        let entry = |place: usize| slate.entries[self.places[place].spot.position as usize];
        let choice = match method.distribution {
            Distribution::Random => {
                let index = draw(method.seed, top.tied);
                let place = self.ladder.nth_best(index).unwrap_or(top.place);
                Choice { entry: entry(place), tied: top.tied, draw: Some(index), turn: None }
            }
            Distribution::RoundRobin => {
                let turned = if method.weighted { None } else { self.ladder.first_below(method.turns.bound()) };
                let entry = entry(turned.unwrap_or(top.place));
                Choice { entry, tied: 1, draw: None, turn: Some(method.turn(pool, &entry)) }
            }
            Distribution::LoadBalanced | Distribution::LeastBusy | Distribution::LongestIdle | Distribution::LongestIdleTotal => {
                Choice { entry: entry(top.place), tied: top.tied, draw: None, turn: None }
            }
        };
        (Some(choice), eligible)
    }
}
