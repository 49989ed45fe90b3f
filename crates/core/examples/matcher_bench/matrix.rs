//! Every size, each in a process of its own, and how figures grow from one to another.

use crate::instructions::per_decision;
use crate::row::{Row, Target};
use crate::size::{Kind, PER_DECISION, Size};
use std::process::Command;
use switchboard_model::Distribution;

const AGENTS: [usize; 4] = [100, 1_000, 10_000, 50_000];
const WAITING: [usize; 4] = [0, 10_000, 100_000, 1_000_000];
/// Where instructions are counted, which takes fifty times as long as running.
const COUNTED: [(usize, usize); 5] = [(1_000, 0), (10_000, 0), (1_000, 10_000), (10_000, 10_000), (10_000, 100_000)];
const TIME_GROWTH: f64 = 2.5;
const INSTRUCTION_GROWTH: f64 = 1.5;

/// Measures everything.
pub(crate) fn rows(quick: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for size in sizes(quick) {
        eprintln!("{}", size.name());
        match measured_apart(&size, quick) {
            Ok(measured) => rows.extend(measured),
            Err(why) => rows.push(Row::new(size.name(), "", Vec::new(), Target::None).noting(why)),
        }
    }
    for (agents, waiting) in COUNTED {
        let size = Size { agents, waiting, kind: Kind::Mixed };
        let (samples, note) = match per_decision(&size) {
            Ok(count) => (vec![count], String::from("callgrind; making the inputs included")),
            Err(why) => (Vec::new(), why),
        };
        let is_missing = samples.is_empty();
        rows.push(Row::new(named(&size, "instructions"), "instructions", samples, Target::None).noting(note));
        if is_missing {
            break;
        }
    }
    let growth = growth(&rows);
    rows.extend(growth);
    rows
}

fn sizes(quick: bool) -> Vec<Size> {
    let mut sizes = Vec::new();
    for agents in AGENTS {
        for waiting in WAITING {
            if !quick || (agents < 50_000 && waiting < 1_000_000) {
                sizes.push(Size { agents, waiting, kind: Kind::Mixed });
            }
        }
    }
    let only = Distribution::ALL.iter().map(|distribution| Kind::Only(*distribution));
    sizes.extend(only.chain([Kind::Gcmu]).map(|kind| Size { agents: 10_000, waiting: 10_000, kind }));
    sizes.push(Size { agents: 10_000, waiting: 100_000, kind: Kind::SignOn });
    sizes
}

fn measured_apart(size: &Size, quick: bool) -> Result<Vec<Row>, String> {
    let program = std::env::current_exe().map_err(|error| format!("this program is not to be found: {error}"))?;
    let mut command = Command::new(program);
    command.args(size.arguments()).arg("--json").args(quick.then_some("--quick"));
    let output = command.stderr(std::process::Stdio::inherit()).output().map_err(|error| error.to_string())?;
    let parsed: Option<serde_json::Value> = serde_json::from_slice(&output.stdout).ok();
    let rows = parsed.as_ref().and_then(|value| value.as_array()?.iter().map(Row::from_json).collect());
    rows.ok_or_else(|| format!("could not be measured: {}", output.status))
}

/// How time and instructions of a decision grow where agents or waiting items are ten times as many.
fn growth(rows: &[Row]) -> Vec<Row> {
    let mut grown = Vec::new();
    let find = |size: &Size, what: &str| rows.iter().find(|row| row.name == named(size, what) && !row.samples.is_empty());
    for agents in AGENTS {
        for waiting in WAITING {
            let from = Size { agents, waiting, kind: Kind::Mixed };
            for to in [Size { agents: agents * 10, ..from }, Size { waiting: waiting * 10, ..from }] {
                let is_other = (to.agents, to.waiting) != (agents, waiting);
                for (what, most) in [(PER_DECISION, TIME_GROWTH), ("instructions", INSTRUCTION_GROWTH)] {
                    if let (Some(before), Some(after), true) = (find(&from, what), find(&to, what), is_other) {
                        let ratios = before.samples.iter().zip(&after.samples).map(|(before, after)| after / before).collect();
                        let name = format!("{} → {}, growth of {what}", from.name(), to.name().replace("matcher, ", ""));
                        grown.push(Row::new(name, "×", ratios, Target::AtMost(most)));
                    }
                }
            }
        }
    }
    grown
}

fn named(size: &Size, what: &str) -> String {
    format!("{}, {what}", size.name())
}

impl Size {
    /// What the command line says of the size.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let (agents, waiting) = (self.agents.to_string(), self.waiting.to_string());
        [String::from("--agents"), agents, "--waiting".into(), waiting, "--kind".into(), self.kind.name()].into()
    }
}
