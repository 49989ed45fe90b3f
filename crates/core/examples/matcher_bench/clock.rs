//! Times of single decisions on a machine that others use as well.
//!
//! The system tells how often the process was put on a processor. Decisions are timed in short runs; a run within which
//! the process was put on one anew was interrupted, and its times say something about the machine. Both are kept: the
//! times as they were on the wall, and those of uninterrupted runs, which are time on the processor.

use std::time::{Duration, Instant};

/// How many decisions make a run.
const RUN: usize = 16;

/// Times of decisions.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    wall_us: Vec<f64>,
    undisturbed_us: Vec<f64>,
    /// Times of the present run.
    run_us: Vec<f64>,
    /// How often the process had been put on a processor when the run began.
    slices: Option<u64>,
    /// Items that found an owner.
    pub decided: usize,
    /// The same in uninterrupted runs.
    decided_undisturbed: usize,
    decided_run: usize,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Decisions per second.
    pub per_second: f64,
    /// Median time of one in microseconds.
    pub p50_us: f64,
    /// The time in microseconds that one in a hundred takes longer than.
    pub p99_us: f64,
}

impl Clock {
    /// Times a piece of work that answers with what is to be kept.
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        if self.run_us.is_empty() {
            self.slices = slices();
        }
        let start = Instant::now();
        let result = work();
        self.run_us.push(micros(start.elapsed()));
        result
    }

    /// Says how many items found an owner in the work timed last.
    pub(crate) fn decided(&mut self, decided: usize) {
        self.decided_run += decided;
        if self.run_us.len() >= RUN {
            self.end_run();
        }
    }

    fn end_run(&mut self) {
        if self.slices.is_some() && self.slices == slices() {
            self.undisturbed_us.extend_from_slice(&self.run_us);
            self.decided_undisturbed += self.decided_run;
        }
        self.wall_us.append(&mut self.run_us);
        self.decided += std::mem::take(&mut self.decided_run);
    }

    /// By the wall, and on the processor.
    pub(crate) fn figures(mut self) -> (Figures, Figures) {
        self.end_run();
        let wall = figures(&mut self.wall_us, self.decided);
        (wall, figures(&mut self.undisturbed_us, self.decided_undisturbed))
    }
}

fn figures(times_us: &mut [f64], decided: usize) -> Figures {
    let total_us: f64 = times_us.iter().sum();
    let per_second = if total_us > 0.0 { decided as f64 * 1e6 / total_us } else { 0.0 };
    Figures { per_second, p50_us: crate::row::percentile(times_us, 50), p99_us: crate::row::percentile(times_us, 99) }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// How often the process was put on a processor so far; `None` where the system does not tell.
fn slices() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().nth(2)?.parse().ok()
}

/// The greatest resident memory of the process so far in MiB; `None` where the system does not tell.
pub(crate) fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1_024.0)
}

/// The load of the machine over the last minute, as text; empty where the system does not tell.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or_default().to_owned()
}
