//! Compares the router with its reference model for as long as one likes.
//!
//! `cargo run -p switchboard-core --example model_million -- 1 1000000` begins at seed 1 and does a million
//! steps; a report names the seed of the history that differed.

#[path = "../tests/model/acts.rs"]
mod acts;
#[path = "../tests/model/calendar.rs"]
mod calendar;
#[path = "../tests/model/database.rs"]
mod database;
#[path = "../tests/model/decide.rs"]
mod decide;
#[path = "../tests/model/dice.rs"]
mod dice;
#[path = "../tests/model/duel.rs"]
mod duel;
#[path = "../tests/model/facts.rs"]
mod facts;
#[path = "../tests/model/history.rs"]
mod history;
#[path = "../tests/model/idle.rs"]
mod idle;
#[path = "../tests/model/look.rs"]
mod look;
#[path = "../tests/model/people.rs"]
mod people;
#[path = "../tests/model/promises.rs"]
mod promises;
#[path = "../tests/model/queue.rs"]
mod queue;
#[path = "../tests/model/room.rs"]
mod room;
#[path = "../tests/model/rules.rs"]
mod rules;
#[path = "../tests/model/run.rs"]
mod run;
#[path = "../tests/model/skills.rs"]
mod skills;
#[path = "../tests/model/step.rs"]
mod step;
#[path = "../tests/model/waits.rs"]
mod waits;
#[path = "../tests/model/world.rs"]
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [seed, steps] = numbers[..] else {
        eprintln!("model_million SEED STEPS");
        return ExitCode::from(2);
    };
    match run::run(seed, steps) {
        Ok(tally) => {
            println!(
                "seed {seed}: {} steps in {} histories, {} decisions, {} refusals, {} queued, {} matched: no difference",
                tally.steps, tally.histories, tally.decisions, tally.refusals, tally.queued, tally.matched
            );
            let kinds: Vec<String> = tally.kinds.iter().map(|(kind, times)| format!("{kind} {times}")).collect();
            println!("decisions: {}", kinds.join(", "));
            ExitCode::SUCCESS
        }
        Err(report) => {
            eprintln!("{report}");
            ExitCode::FAILURE
        }
    }
}
