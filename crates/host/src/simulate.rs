//! `switchboard simulate`: a draft of the directory over recorded or generated traffic, beside the one in force
//! (ROUTING 13.3).
//!
//! The running host gives directory and history; the simulation itself runs here, so it takes nothing from the host.

use crate::ConfigArgument;
use crate::config::Config;
use crate::control::{Answer, Job, perform, shown};
use crate::directory_file;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use switchboard_core::validate;
use switchboard_engine::Engine;
use switchboard_engine::directory::{MergeOptions, merge_text};
use switchboard_model::{Directory, Fault};
use switchboard_simulator::{Generated, History, Options, Progress, Recorded, Traffic, compare};

const DAY_MS: i64 = 86_400_000;
const BAR_WIDTH: usize = 40;

/// What to simulate.
#[derive(clap::Args)]
pub struct SimulateArguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The draft: a directory file, applied on top of the directory in force without storing it.
    draft: PathBuf,
    /// Traffic to generate, described in a TOML file (`days`, `channels.SLUG.per_hour`, `service`, `patience`, `mix`);
    /// without it, recorded history is used.
    #[arg(long, value_name = "FILE")]
    traffic: Option<PathBuf>,
    /// How many days of history to use.
    #[arg(long, default_value_t = 28, conflicts_with = "traffic")]
    days: u32,
    /// Runs of each directory; more make narrower intervals.
    #[arg(long, default_value_t = 10)]
    seeds: u32,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The target of a channel in seconds, as SLUG=SECONDS; may be given several times.
    #[arg(long = "target", value_name = "SLUG=SECONDS", value_parser = target)]
    targets: Vec<(String, f64)>,
    /// Write the report as JSON to this file; `-` prints it instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as a page with plots to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// What the host gives to a simulation.
#[derive(Serialize, Deserialize)]
struct Given {
    today: Directory,
    draft: Directory,
    recorded: Option<Recorded>,
}

/// Runs the comparison and prints it.
pub async fn simulate(arguments: SimulateArguments) -> Result<(), String> {
    let config = Config::load(&arguments.config.config)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let file = arguments.draft.display().to_string();
    let loaded = directory_file::load(&arguments.draft).map_err(|fault| fault.to_string())?;
    let generated = arguments.traffic.as_deref().map(read_traffic).transpose()?;
    let days = generated.is_none().then_some(arguments.days);
    let calendars = listed(&loaded.faults, &file);
    let answer = perform(&config, Job::Simulation { draft: loaded.text, file, days }).await;
    // Faults of calendars and of everything else are told together.
    let answer = match (loaded.faults.is_empty(), answer) {
        (true, answer) => answer?,
        (false, Ok(_)) => return Err(calendars),
        (false, Err(others)) => return Err(format!("{calendars}\n{others}")),
    };
    let given: Given = serde_json::from_str(&answer).map_err(|error| format!("the host's answer cannot be read: {error}"))?;
    let traffic = match (generated, given.recorded) {
        (Some(generated), _) => Traffic::Generated(generated),
        (None, recorded) => Traffic::Recorded(recorded.unwrap_or_default()),
    };
    let targets_s: BTreeMap<String, f64> = arguments.targets.iter().cloned().collect();
    let options = Options { seeds: arguments.seeds, seed: arguments.seed, targets_s, ..Options::default() };
    let mut bar = Bar::new();
    let report = compare(&given.today, &given.draft, &traffic, &options, &mut |progress| bar.show(progress));
    bar.end();
    let report = report.map_err(|error| error.to_string())?;
    let json = || report.to_json().map_err(|error| format!("the report cannot be written as JSON: {error}"));
    if let Some(path) = &arguments.html {
        write(path, &report.to_html())?;
    }
    match arguments.json.as_deref() {
        Some(path) if path == Path::new("-") => println!("{}", json()?),
        Some(path) => {
            write(path, &json()?)?;
            print!("{}", report.to_text());
        }
        None => print!("{}", report.to_text()),
    }
    Ok(())
}

/// Directory, draft and history, on the side of the database.
pub async fn give(engine: &Engine, draft: &str, file: &str, days: Option<u32>) -> Answer {
    let today = engine.directory();
    let drafted = merge_text(&today, draft, MergeOptions { prune: false }).map_err(|faults| listed(&faults, file))?;
    let faults = validate(&drafted);
    if !faults.is_empty() {
        return Err(listed(&faults, file));
    }
    let recorded = match days {
        Some(days) => Some(recorded(engine, days).await?),
        None => None,
    };
    let given = Given { today: (*today).clone(), draft: drafted, recorded };
    serde_json::to_string(&given).map_err(|error| format!("directory and history cannot be handed over: {error}"))
}

async fn recorded(engine: &Engine, days: u32) -> Result<Recorded, String> {
    let since = engine.now().plus_ms(-i64::from(days) * DAY_MS);
    let mut history = History::default();
    let mut after = engine.history_begins(since).await.map_err(shown)?;
    while let Some(no) = after {
        let entries = engine.history_after(no).await.map_err(shown)?;
        after = entries.last().map(|entry| entry.no);
        for entry in entries {
            history.input(entry.at, &entry.input);
            for decision in &entry.decisions {
                history.decision(entry.at, decision);
            }
        }
    }
    Ok(history.into_recorded())
}

fn read_traffic(path: &Path) -> Result<Generated, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{shown}: cannot be read: {error}"))?;
    toml::from_str(&text).map_err(|error| format!("{shown}: {error}"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: cannot be written: {error}", path.display()))
}

fn listed(faults: &[Fault], file: &str) -> String {
    faults.iter().map(|fault| fault.clone().in_file(file).to_string()).collect::<Vec<_>>().join("\n")
}

fn target(text: &str) -> Result<(String, f64), String> {
    let (slug, seconds) = text.split_once('=').ok_or_else(|| "give it as SLUG=SECONDS".to_owned())?;
    let seconds: f64 = seconds.trim().parse().map_err(|_| format!("`{seconds}` is no number of seconds"))?;
    Ok((slug.trim().to_owned(), seconds))
}

/// A bar on the terminal; silent where standard error goes elsewhere.
struct Bar {
    shows: bool,
}

impl Bar {
    fn new() -> Self {
        Self { shows: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, Progress { done, total }: Progress) {
        if self.shows {
            let filled = BAR_WIDTH * done / total.max(1);
            let bar = format!("{}{}", "#".repeat(filled), " ".repeat(BAR_WIDTH - filled));
            let _ = write!(std::io::stderr(), "\r[{bar}] {done} of {total} runs");
        }
    }

    fn end(&self) {
        if self.shows {
            let _ = writeln!(std::io::stderr());
        }
    }
}
