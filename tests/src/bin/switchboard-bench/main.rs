//! Measures Switchboard on this machine, beside the floor and the targets that it is held to.
//!
//! Start it with `cargo xtask bench`, which builds everything with optimisation and provides a PostgreSQL. Every row is
//! the median of several repetitions; where there is a floor, it runs right before each of them.

mod chat;
mod desk;
mod drain;
mod driver;
mod durable;
mod floor;
mod machine;
mod mail;
mod matcher;
mod plan;
mod report;
mod stored;
mod stream;
mod visitor;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use plan::Plan;
use report::{Row, table};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "switchboard-bench", about = "Measures Switchboard on this machine")]
struct Arguments {
    /// Short runs, to see that everything works; no figures to quote.
    #[arg(long)]
    quick: bool,
    /// Measure only this; may be given several times.
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// Where databases and the report are written.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    folder: PathBuf,
    /// The commit that was built.
    #[arg(long, default_value = "unknown")]
    commit: String,
}

/// What can be measured, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Decisions of the router alone.
    Matcher,
    /// Taking in and routing on SQLite, beside plain SQL.
    Sqlite,
    /// Taking in and routing on PostgreSQL, beside plain SQL.
    Postgres,
    /// Mail through one real host.
    Mail,
    /// Mail through one and three real hosts on one PostgreSQL.
    Hosts,
    /// From a form to its owner on the live stream.
    Stream,
    /// A mailbox on a real Dovecot, emptied.
    Drain,
    /// Ten thousand visitors of a chat.
    Visitors,
    /// A thousand chats, talking both ways.
    Talk,
    /// A host at rest.
    Idle,
    /// A host on a long-used database, and explaining decisions.
    Stored,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = folder.canonicalize().context("the folder of the databases")?;
    let plan = Plan::new(arguments.quick, &folder);
    let (load_before, sync) = (machine::load(), machine::sync_us(&folder)?);
    let facts = machine::facts();
    println!("{facts}\nload {load_before}; fdatasync of 4 KiB: median {:.0} µs, p99 {:.0} µs", sync.0, sync.1);
    let parts = Part::value_variants().iter().filter(|part| arguments.only.is_empty() || arguments.only.contains(part));
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for part in parts {
        eprintln!("{part:?}");
        match part.measure(&plan).await {
            Ok(measured) => {
                print!("{}", table(&measured));
                rows.extend(measured);
            }
            Err(error) => {
                eprintln!("{part:?} could not be measured: {error:#}");
                failures.push(format!("{part:?}: {error:#}"));
            }
        }
    }
    let load_after = machine::load();
    let report = json!({
        "commit": arguments.commit,
        "quick": arguments.quick,
        "machine": facts,
        "load": { "start": load_before, "end": load_after },
        "fdatasync_us": { "median": sync.0, "p99": sync.1 },
        "rows": rows.iter().map(Row::to_json).collect::<Vec<Value>>(),
        "failures": failures,
    });
    let file = save(&folder, &arguments.commit, &report)?;
    println!("\n{}\nload {load_before} before, {load_after} after; the report is {}", table(&rows), file.display());
    anyhow::ensure!(failures.is_empty(), "{}", failures.join("; "));
    Ok(())
}

impl Part {
    async fn measure(self, plan: &Plan) -> Result<Vec<Row>> {
        match self {
            Self::Matcher => matcher::rows(plan),
            Self::Sqlite => durable::sqlite(plan).await,
            Self::Postgres => durable::postgres(plan).await,
            Self::Mail => mail::sqlite(plan).await,
            Self::Hosts => mail::three_hosts(plan).await,
            Self::Stream => stream::sqlite(plan).await,
            Self::Drain => drain::sqlite(plan).await,
            Self::Visitors => chat::visitors(plan).await,
            Self::Talk => chat::talk(plan).await,
            Self::Idle => stored::idle(plan).await,
            Self::Stored => stored::long_used(plan).await,
        }
    }
}

fn save(folder: &Path, commit: &str, report: &Value) -> Result<PathBuf> {
    let file = folder.join(format!("{commit}.json"));
    std::fs::write(&file, format!("{report:#}\n")).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}
