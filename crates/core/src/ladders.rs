//! The ladders of every pool that decisions were made about, kept up to date as people change.
//!
//! A ladder is made when a decision first asks for its pool, and lives as long as the directory version. Cases that
//! list the same people in the same order, and rank them by the same numbers, share one. A person knows the ladders
//! he stands in, so a change costs one walk in each of them, however large they are. What a ladder holds follows
//! from the people alone, so a router that goes on from a stored state makes them anew.

use crate::calendar::Calendar;
use crate::distribution::{Choice, Method, Ranking, Spot};
use crate::ladder::{Key, Ladder, Leaf};
use crate::people::{People, PersonIndex};
use crate::pool::{Pool, Slate, could_take};
use crate::random::draw;
use crate::skills::NeedKey;
use crate::turns::Turns;
use crate::usage::Exemption;
use std::collections::BTreeMap;
use switchboard_model::{Distribution, LoadGroup, Timestamp, WorkspaceId};

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

/// Every ladder there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ladders {
    list: Vec<Rungs>,
    index: BTreeMap<LadderKey, LadderIndex>,
    /// Per person: ladder and place.
    seats: Vec<Vec<(LadderIndex, u32)>>,
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
        rungs.ladder = Ladder::new((0..rungs.places.len()).map(|place| rungs.leaf(place, &sight)).collect());
        self.seats.resize(self.seats.len().max(sight.people.len()), Vec::new());
        for (place, seat) in (0..).zip(&rungs.places) {
            self.seats[seat.person as usize].push((index, place));
        }
        self.list.push(rungs);
        self.index.insert(key, index);
        index
    }

    /// Brings every ladder up to date with a person.
    pub(crate) fn refresh(&mut self, person: PersonIndex, sight: &Sight<'_>) {
        let Some(seats) = self.seats.get(person as usize) else { return };
        for (index, place) in seats {
            let rungs = &mut self.list[*index as usize];
            let (place, leaf) = (*place as usize, rungs.leaf(*place as usize, sight));
            let moves = rungs.ladder.leaf(place).eligible != leaf.eligible;
            rungs.ladder.set(place, leaf);
            if moves && !rungs.is_moved {
                rungs.is_moved = true;
                self.moved.push(*index);
            }
        }
    }

    /// Ladders in which somebody became eligible or ceased to be since this was last asked.
    pub(crate) fn take_moved(&mut self) -> Vec<LadderIndex> {
        for index in &self.moved {
            self.list[*index as usize].is_moved = false;
        }
        std::mem::take(&mut self.moved)
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
        let seats = self.seats.get(person as usize)?;
        seats.iter().find(|(ladder, _)| *ladder == index).map(|(_, place)| *place)
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

impl Rungs {
    fn leaf(&self, place: usize, sight: &Sight<'_>) -> Leaf {
        let Seat { person, spot, shortfall } = self.places[place];
        let key = self.key.ranking.plain_key(person, spot, self.key.group, sight);
        let person = sight.people.at(person);
        let work = self.key.group.work_type();
        let shared = self.key.exemption.shared(person.leave_out());
        let eligible = could_take(person, sight, self.key.only_available, work, shared);
        Leaf { key: Key { shortfall, ..key }, eligible }
    }

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
