//! A host at rest, on an empty and on a long-used database: memory, time to start, and explaining one of many decisions.

use crate::desk::{Desk, Serials};
use crate::driver::Driver;
use crate::floor::{Numbers, Template};
use crate::machine::{percentile, resident_mib};
use crate::mail::stop;
use crate::plan::Plan;
use crate::report::{Row, Target, number};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use switchboard_engine::Caller;
use switchboard_tests::{Host, Site};

const IDLE_MIB: f64 = 60.0;
const READY_MS: f64 = 300.0;
const EXPLAIN_MS: f64 = 50.0;
/// What the long-used database holds, and how much of it is open.
const STORED: u64 = 1_000_000;
const OPEN: u64 = 5_000;
const IDLE: Duration = Duration::from_secs(30);
/// Messages per transaction while a database is filled.
const PORTION: u64 = 5_000;
/// Decisions that are explained per repetition.
const EXPLAINED: usize = 60;

/// A host on an empty database: time to start and memory, at once and after half a minute of nothing.
///
/// # Errors
/// When it does not start.
pub async fn idle(plan: &Plan) -> Result<Vec<Row>> {
    let (mut first, mut again, mut fresh, mut rested) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for repetition in 0..plan.repetitions {
        eprintln!("  idle {} of {}", repetition + 1, plan.repetitions);
        let mut site = Site::sqlite_at(plan.sqlite("idle")?).await;
        // Passwords are slow to make on purpose.
        site.set("demo", false);
        let (host, ms) = start(&site).await?;
        first.push(ms);
        stop(vec![host]).await?;
        let (host, ms) = start(&site).await?;
        again.push(ms);
        fresh.push(resident_mib(host.pid())?.0);
        // Once is enough: half a minute of nothing does not vary.
        if repetition == 0 && !plan.quick {
            tokio::time::sleep(IDLE).await;
            rested.push(resident_mib(host.pid())?.0);
        }
        stop(vec![host]).await?;
    }
    let mut rows = vec![
        Row::new("first start: new database to ready", "ms", first, Target::None),
        Row::new("start to ready, empty database", "ms", again, Target::AtMost(READY_MS)),
        Row::new("idle host, resident after start", "MiB", fresh, Target::AtMost(IDLE_MIB)),
    ];
    if !rested.is_empty() {
        rows.push(Row::new("idle host, resident after 30 s", "MiB", rested, Target::AtMost(IDLE_MIB)));
    }
    Ok(rows)
}

/// The same with a million conversations stored, and explaining decisions among as many.
///
/// # Errors
/// When the database cannot be made or used.
pub async fn long_used(plan: &Plan) -> Result<Vec<Row>> {
    let (stored, open) = if plan.quick { (STORED / 100, OPEN / 100) } else { (STORED, OPEN) };
    let path = filled(plan, stored, open).await?;
    let what = format!("{} stored, {} open", number(stored as f64), number(open as f64));
    let (mut ready, mut resident) = (Vec::new(), Vec::new());
    let site = {
        let mut site = Site::sqlite_at(path.clone()).await;
        site.set("demo", false);
        site
    };
    for repetition in 0..plan.repetitions {
        eprintln!("  stored {} of {}", repetition + 1, plan.repetitions);
        let (host, ms) = start(&site).await?;
        ready.push(ms);
        host.routes().await;
        resident.push(resident_mib(host.pid())?.0);
        stop(vec![host]).await?;
    }
    let (explained, decisions) = explain(plan, &path).await?;
    let name = format!("explain one decision out of {}", number(decisions as f64));
    Ok(vec![
        Row::new(format!("start to ready, {what}"), "ms", ready, Target::AtMost(READY_MS)),
        Row::new(format!("resident after start, {what}"), "MiB", resident, Target::None),
        Row::new(
            format!("{name}, median"),
            "ms",
            explained.iter().map(|(middle, _)| *middle).collect(),
            Target::AtMost(EXPLAIN_MS),
        ),
        Row::new(
            format!("{name}, slowest of {EXPLAINED}"),
            "ms",
            explained.iter().map(|(_, worst)| *worst).collect(),
            Target::None,
        ),
    ])
}

/// Starts a host; milliseconds from the call that makes the process to the answer that it is ready.
async fn start(site: &Site) -> Result<(Host, f64)> {
    let started = Instant::now();
    let host = site.start().await;
    let answer = host.stranger().get("/readyz").await;
    let ms = started.elapsed().as_secs_f64() * 1e3;
    ensure!(answer.status == 200, "/readyz answered {}: {}", answer.status, answer.text);
    Ok((host, ms))
}

/// Lets the engine decide some two thousand times more, and explains decisions spread over those: median and slowest
/// in milliseconds per repetition, and how many decisions there are.
async fn explain(plan: &Plan, path: &Path) -> Result<(Vec<(f64, f64)>, i64)> {
    let url = format!("sqlite:{}", path.display());
    let desk = Desk::open(&url).await?;
    let before = desk.store.cursor().await?.no;
    let serials = Serials::new();
    while desk.store.cursor().await?.no < before + 2_500 {
        desk.rate(plan.clients, Duration::from_millis(300), &serials).await?;
    }
    let decided = desk.store.decisions_between(before, desk.store.cursor().await?.no).await?;
    let mut results = Vec::new();
    for repetition in 0..plan.repetitions {
        let mut times = Vec::with_capacity(EXPLAINED);
        for place in 0..EXPLAINED {
            let one = &decided[(place * decided.len() / EXPLAINED + repetition * 7) % decided.len()];
            let started = Instant::now();
            let explained = desk.engine.explanation(&Caller::system(), one.id).await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            let rebuilt = explained.explanation.with_context(|| format!("decision {} has no explanation", one.id))?;
            ensure!(rebuilt.decision == one.decision, "the explanation of decision {} is about another one", one.id);
        }
        results.push((percentile(&mut times, 0.5), percentile(&mut times, 1.0)));
    }
    desk.close().await?;
    let mut driver = Driver::open(&url).await?;
    let decisions = driver.number("SELECT COUNT(*) AS n FROM decision").await?;
    driver.close().await;
    Ok((results, decisions))
}

/// A database with so many routed conversations, of which so many are open. Made once and kept in the folder; what
/// is handed out is a copy.
async fn filled(plan: &Plan, stored: u64, open: u64) -> Result<PathBuf> {
    let original = plan.folder.join(format!("stored-{stored}.db"));
    if !original.exists() {
        let path = plan.sqlite("filling")?;
        eprintln!("  filling a database with {stored} conversations");
        fill(&format!("sqlite:{}", path.display()), stored, open).await?;
        std::fs::rename(&path, &original).context("the filled database cannot be kept")?;
    }
    let path = plan.sqlite("stored")?;
    std::fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
    std::fs::copy(&original, &path).context("the filled database cannot be copied")?;
    Ok(path)
}

async fn fill(url: &str, stored: u64, open: u64) -> Result<()> {
    let (template, serials, numbers) = (Template::sample(url).await?, Serials::new(), Numbers::default());
    let mut driver = Driver::open(url).await?;
    driver.script("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000").await?;
    let mut closed = stored - open;
    while closed > 0 {
        let portion = PORTION.min(closed);
        template.fill(&mut driver, portion, false, &serials, &numbers).await?;
        closed -= portion;
    }
    template.fill(&mut driver, open, true, &serials, &numbers).await?;
    driver.script("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    driver.close().await;
    Ok(())
}
