//! Two directories under the same traffic, over several seeds at once.

use crate::demands::{demands, without};
use crate::figures::{Counting, Figures};
use crate::floor::{Floor, NoFloor};
use crate::outcome::Span;
use crate::pool::pooled;
use crate::presence::available;
use crate::report::Report;
use crate::simulation::{Settings, SimulationError, simulate};
use crate::summary::{Run, Summary};
use crate::traffic::{Traffic, TrafficError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use switchboard_core::CoreError;
use switchboard_model::{ChannelId, Directory, UserId, WorkType};
use thiserror::Error;

const HOUR_MS: f64 = 3_600_000.0;
/// The most seeds of one comparison.
const MAX_SEEDS: u32 = 1_000;

/// How to compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// How many runs of each directory, 1 to 1000; intervals need at least 2.
    pub seeds: u32,
    /// The first seed. Recorded traffic at seed 0 takes services as they were.
    pub seed: u64,
    /// Threads; 0 is one for each processor.
    pub threads: usize,
    /// Hours at the beginning whose arrivals do not count, as everybody begins without work; by default one day of
    /// generated traffic that goes on for longer, and nothing of recorded traffic.
    pub warm_up_h: Option<f64>,
    /// For how many hours a run goes on after the last arrival, while something waits.
    pub drain_h: f64,
    /// Targets in seconds by the slug of the channel; by default 20 for calls, 60 for chats and 4 hours for mail.
    pub targets_s: BTreeMap<String, f64>,
    /// How many skill demands of the draft are priced at most; each takes as many runs as there are seeds.
    pub max_priced: usize,
}

/// How far a comparison has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Runs that have ended.
    pub done: usize,
    /// Runs there are.
    pub total: usize,
}

/// A comparison that cannot be made.
#[derive(Debug, Error)]
pub enum CompareError {
    /// The traffic says too little, or nothing sensible.
    #[error(transparent)]
    Traffic(#[from] TrafficError),
    /// A run came to no end.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// An option makes no sense.
    #[error("{0}")]
    Options(String),
}

impl From<CoreError> for CompareError {
    fn from(error: CoreError) -> Self {
        Self::Simulation(SimulationError::Core(error))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { seeds: 10, seed: 0, threads: 0, warm_up_h: None, drain_h: 168.0, targets_s: BTreeMap::new(), max_priced: 12 }
    }
}

/// A directory that is run, with what does not depend on the seed.
pub(crate) struct Variant {
    pub directory: Arc<Directory>,
    pub available: BTreeMap<UserId, Vec<Span>>,
    pub targets_s: BTreeMap<ChannelId, f64>,
}

/// Runs both directories, and the draft without each of its skill demands, over the same traffic; and, where theory has
/// no floor for them, the pool of everybody who took part. `progress` hears of every run that ends, on the calling
/// thread; the runs of a pool are counted by themselves.
///
/// # Errors
/// When the traffic is too short or faulty, an option makes no sense, or the router contradicts itself.
pub fn compare(
    today: &Directory,
    draft: &Directory,
    traffic: &Traffic,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, CompareError> {
    let directories = [today, draft];
    traffic.check(&directories)?;
    options.check(&directories)?;
    let span = counted(traffic, options)?;
    let slugs = used(traffic, &directories);
    let all_demands = demands(draft, &slugs);
    let priced = &all_demands[..all_demands.len().min(options.max_priced)];
    let statuses = if let Traffic::Recorded(recorded) = traffic { &recorded.statuses[..] } else { &[] };
    let variant = |directory: Directory| -> Result<Variant, CompareError> {
        let available = available(&directory, statuses, Span { from: traffic.span().0, to: span.to })?;
        let targets_s = targets(&directory, options);
        Ok(Variant { directory: Arc::new(directory), available, targets_s })
    };
    let mut variants = vec![variant(today.clone())?, variant(draft.clone())?];
    for (place, _) in priced {
        variants.push(variant(without(draft, *place))?);
    }
    let runs = run_all(&variants, traffic, &directories, (span, options), progress)?;
    let names = priced.iter().map(|(_, name)| name.clone()).collect();
    let summary = Summary { traffic, directories: &directories, slugs: &slugs, variants: &variants, runs: &runs, span };
    let mut floors = Vec::new();
    for (index, base) in variants.iter().enumerate().take(2) {
        floors.push(match summary.floor(index) {
            Ok(floor_s) => Floor::Exact(floor_s),
            Err(NoFloor::NothingWaits(why)) => Floor::None(why),
            Err(NoFloor::TooFull(why)) => {
                let pool = [variant(pooled(&base.directory, &summary.workers(index), &slugs))?];
                let runs = run_all(&pool, traffic, &directories, (span, options), progress)?;
                Floor::Simulated(runs[0].iter().map(Run::mean_wait_s).collect(), why)
            }
        });
    }
    Ok(summary.report(&floors, names, all_demands.len()))
}

impl Options {
    fn check(&self, directories: &[&Directory]) -> Result<(), CompareError> {
        let refuse = |message: String| Err(CompareError::Options(message));
        if !(1..=MAX_SEEDS).contains(&self.seeds) {
            return refuse(format!("{} seeds are not possible; 1 to {MAX_SEEDS} are", self.seeds));
        }
        if !(0.0..=24.0 * 366.0).contains(&self.drain_h) || self.warm_up_h.is_some_and(|hours| !(0.0..1e6).contains(&hours)) {
            return refuse("a run may go on for 0 to 8784 hours after the last arrival, and leave out 0 or more".to_owned());
        }
        let slugs: Vec<&str> =
            directories.iter().flat_map(|directory| &directory.channels).map(|channel| channel.slug.as_str()).collect();
        for (slug, target_s) in &self.targets_s {
            if !slugs.contains(&slug.as_str()) {
                return refuse(format!("there is no channel `{slug}` to have a target; there are {}", slugs.join(", ")));
            }
            if !(0.0..=1e9).contains(target_s) {
                return refuse(format!("a target of {target_s} seconds for `{slug}` is not possible"));
            }
        }
        Ok(())
    }
}

/// The span whose arrivals count.
fn counted(traffic: &Traffic, options: &Options) -> Result<Span, CompareError> {
    let (from, to) = traffic.span();
    let by_default_h = match traffic {
        Traffic::Generated(generated) if generated.days > 1 => 24.0,
        _ => 0.0,
    };
    let warm_up_ms = (options.warm_up_h.unwrap_or(by_default_h) * HOUR_MS).round() as i64;
    if from.plus_ms(warm_up_ms) >= to {
        let hours = to.ms_since(from) as f64 / HOUR_MS;
        return Err(CompareError::Options(format!("the traffic goes on for {hours:.1} hours, all of which are left out")));
    }
    Ok(Span { from: from.plus_ms(warm_up_ms), to })
}

/// The slugs of the channels that have traffic.
fn used<'a>(traffic: &'a Traffic, directories: &[&'a Directory]) -> BTreeSet<&'a str> {
    match traffic {
        Traffic::Generated(generated) => generated.channels.keys().map(String::as_str).collect(),
        Traffic::Recorded(recorded) => {
            let channels: BTreeSet<ChannelId> = recorded.arrivals.iter().map(|arrival| arrival.channel).collect();
            let entry = |channel| directories.iter().find_map(|directory| directory.channel(channel));
            channels.into_iter().filter_map(entry).map(|channel| channel.slug.as_str()).collect()
        }
    }
}

fn targets(directory: &Directory, options: &Options) -> BTreeMap<ChannelId, f64> {
    let target_s = |slug: &String, work: WorkType| {
        options.targets_s.get(slug).copied().unwrap_or(match work {
            WorkType::Call => 20.0,
            WorkType::Chat => 60.0,
            WorkType::Mail => 4.0 * 3_600.0,
        })
    };
    let channels = directory.channels.iter();
    channels.map(|channel| (channel.id, target_s(&channel.slug, channel.kind.work_type()))).collect()
}

/// Every variant at every seed, on several threads: for each variant, its runs by seed.
fn run_all(
    variants: &[Variant],
    traffic: &Traffic,
    directories: &[&Directory],
    (span, options): (Span, &Options),
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Vec<Run>>, CompareError> {
    let seeds = options.seeds as usize;
    let total = variants.len() * seeds;
    let settings = Settings { drain_ms: (options.drain_h * HOUR_MS).round() as i64, ..Settings::default() };
    let one = |task: usize| -> Result<Run, SimulationError> {
        let (seed, variant) = (task / variants.len(), &variants[task % variants.len()]);
        let load = traffic.draw(directories, options.seed + seed as u64);
        let outcome = simulate(&variant.directory, &load, &settings, &mut ())?;
        let counting = Counting { from: span.from, to: span.to, targets_s: &variant.targets_s, available: &variant.available };
        Ok(Run::new(&load, Figures::of(&load, &outcome, &counting)))
    };
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = if options.threads == 0 { processors } else { options.threads }.min(total);
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let mut runs: BTreeMap<usize, Run> = BTreeMap::new();
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..threads {
            let (sender, one, next, failed) = (sender.clone(), &one, &next, &failed);
            scope.spawn(move || {
                while !failed.load(Ordering::Relaxed) {
                    let task = next.fetch_add(1, Ordering::Relaxed);
                    if task >= total || sender.send((task, one(task))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (task, run) in receiver {
            match run {
                Ok(run) => runs.insert(task, run),
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            };
            progress(Progress { done: runs.len(), total });
        }
        Ok(())
    })?;
    let mut by_variant: Vec<Vec<Run>> = variants.iter().map(|_| Vec::with_capacity(seeds)).collect();
    for (task, run) in runs {
        by_variant[task % variants.len()].push(run);
    }
    Ok(by_variant)
}
