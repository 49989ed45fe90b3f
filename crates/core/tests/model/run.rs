//! Runs made-up histories, and cuts one down to what matters when model and router differ.

use crate::dice::Dice;
use crate::duel::{Difference, Duel};
use crate::history::{Entry, Event, History};
use crate::people::{DAY_MS, new_directory};
use crate::world::World;
use std::collections::BTreeMap;
use switchboard_model::{Input, Outcome, Timestamp};

/// Steps of one history before it settles.
const STEPS_EACH: usize = 400;

/// Moments shortly before clock changes somewhere, in milliseconds since 1970.
const STARTS: [i64; 7] = [
    1_804_896_000_000, // 2027-03-13, the night before New York changes
    1_806_105_600_000, // 2027-03-27, the night before Oslo changes
    1_806_624_000_000, // 2027-04-02, before Lord Howe and Chatham change
    1_808_956_800_000, // 2027-04-29, the night before Cairo changes
    1_821_916_800_000, // 2027-09-25, the night before Chatham changes
    1_824_681_600_000, // 2027-10-27, before Cairo and Oslo change
    1_825_891_200_000, // 2027-11-10, after all of them
];

/// How far a run came.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub histories: u64,
    pub steps: u64,
    pub decisions: u64,
    pub refusals: u64,
    /// Items that went to wait, and items that left the queue by a decision.
    pub queued: u64,
    pub matched: u64,
    /// Decisions by what came out and how the person was chosen.
    pub kinds: BTreeMap<String, u64>,
}

/// Runs histories from consecutive seeds until so many steps are done.
///
/// # Errors
///
/// The report of the first difference: seed, command to repeat, what differed, and a minimal history.
pub fn run(first_seed: u64, steps: u64) -> Result<Tally, String> {
    let mut tally = Tally::default();
    while tally.steps < steps {
        one_history(first_seed.wrapping_add(tally.histories), &mut tally)?;
        tally.histories += 1;
    }
    Ok(tally)
}

fn one_history(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut dice = Dice::new(seed);
    let start = Timestamp(dice.one_of(&STARTS)).plus_ms(dice.between(0, DAY_MS));
    let directory = new_directory(&mut dice, start);
    let mut history = History { seed, start, directory, entries: Vec::new() };
    let mut duel = Duel::new(&history);
    let mut world = World::new(dice, start, start.plus_ms(120 * DAY_MS));
    world.sign_on(&duel.model);
    loop {
        let entry = if history.entries.len() < STEPS_EACH {
            world.next(&duel.model)
        } else if let Some(entry) = world.settle(&duel.model) {
            entry
        } else {
            break;
        };
        history.entries.push(entry.clone());
        tally.steps += 1;
        tally.refusals += u64::from(matches!(entry.event, Event::Refused { .. }));
        match duel.step(&entry) {
            Ok(round) => world.absorb(&round.input, &round.effects, &duel.model, round.wake),
            Err(difference) => return Err(report(&history, &difference)),
        }
    }
    for decision in &duel.decisions {
        let queued = decision.outcome == Outcome::Queued;
        tally.decisions += 1;
        tally.queued += u64::from(queued);
        tally.matched += u64::from(!queued && decision.queued_since.is_some());
        let kind = match (decision.outcome, decision.distribution) {
            (Outcome::Assigned { .. }, Some(distribution)) => distribution.to_string(),
            (Outcome::Assigned { .. }, None) => "a person named alone".to_owned(),
            (Outcome::Unassigned { reason }, _) => reason.to_string(),
            (Outcome::Kept { .. }, _) => "kept".to_owned(),
            (Outcome::TeamSet { .. }, _) => "team".to_owned(),
            (Outcome::Queued, _) => "queued".to_owned(),
        };
        *tally.kinds.entry(kind).or_default() += 1;
    }
    settled(&history, &duel, &world)
}

/// Once everything is told, the router knows exactly what the database has.
fn settled(history: &History, duel: &Duel, world: &World) -> Result<(), String> {
    let mut known: Vec<_> = duel.model.owned.iter().map(|owned| (owned.item, owned.user, Some(owned.owned_since))).collect();
    known.sort();
    let stored = world.owned();
    let wrong: Vec<_> = known.iter().filter(|one| !stored.contains(one)).collect();
    let missing: Vec<_> = stored.iter().filter(|one| !known.contains(one)).collect();
    let seed = history.seed;
    let mut waiting: Vec<_> = duel.model.waiting.iter().map(|waiting| (waiting.arrival.item, waiting.since)).collect();
    waiting.sort();
    let stored_waiting = world.waiting();
    if waiting != stored_waiting {
        return Err(format!("seed {seed}: settled waiting for {waiting:?} while the database has {stored_waiting:?}"));
    }
    if wrong.is_empty() && missing.is_empty() {
        return Ok(());
    }
    Err(format!("seed {seed}: settled with {wrong:?} which the database does not have and without {missing:?}"))
}

fn report(history: &History, difference: &Difference) -> String {
    let (history, difference) = shrunk(history, difference);
    let Difference { what, detail } = difference;
    let seed = history.seed;
    format!(
        "{what} differs at no {}\n{detail}\nrepeat with: cargo run -p switchboard-core --example model_million -- {seed} 1\n{}",
        history.entries.len(),
        history.as_lines()
    )
}

/// Replaces entries by ticks, larger runs first, as long as the same thing differs.
fn shrunk(history: &History, difference: &Difference) -> (History, Difference) {
    let (mut history, mut difference) = (history.clone(), difference.clone());
    let mut run = history.entries.len().next_power_of_two();
    while run > 0 {
        let mut from = 0;
        while from < history.entries.len() {
            let mut tried = history.clone();
            let until = history.entries.len().min(from + run);
            let changed = tried.entries[from..until].iter_mut().filter(|entry| !entry.event.is_tick());
            let mut count = 0;
            for entry in changed {
                *entry = Entry { now: entry.now, event: Event::Input(Input::Tick) };
                count += 1;
            }
            if count > 0
                && let Some((at, found)) = first_difference(&tried)
                && found.what == difference.what
            {
                tried.entries.truncate(at + 1);
                (history, difference) = (tried, found);
            }
            from += run;
        }
        run /= 2;
    }
    (history, difference)
}

fn first_difference(history: &History) -> Option<(usize, Difference)> {
    let mut duel = Duel::new(history);
    history.entries.iter().enumerate().find_map(|(at, entry)| duel.step(entry).err().map(|difference| (at, difference)))
}
