//! Laws 1, 4 and 5: what no rule can change.

use crate::support::{Demand, SERVICE_S, START, Sample, Watch, centre, check, controls, ordered_centre, over_seeds, pool, run};
use std::collections::BTreeSet;
use switchboard_model::{Distribution, Priority, Timestamp};
use switchboard_simulator::erlang::ErlangC;
use switchboard_simulator::{Durations, Fate, Load, Outcome, ServiceTimes, Settings, Stream};

const FAR: Timestamp = Timestamp(i64::MAX);

fn waits_ms(outcome: &Outcome) -> Vec<i64> {
    outcome.visits.iter().map(|visit| visit.wait_ms).collect()
}

/// Demands of all sorts that equal people meet.
fn demands(people: usize) -> Vec<(&'static str, Demand)> {
    let plain = Demand::new(people, 0.9, 6_000);
    let spread = Durations::LogNormal { mean_s: SERVICE_S, cv: 1.4 };
    let patience = Some(Durations::Exponential { mean_s: 200.0 });
    vec![
        ("exponential", plain.clone()),
        ("log-normal, by day and night", Demand { service: spread.clone(), swing: 0.6, ..plain.clone() }),
        ("impatient", Demand { patience, swing: 0.9, service: spread, ..plain.clone() }),
        ("all the same", Demand { service: Durations::Fixed { mean_s: SERVICE_S }, ..plain }),
    ]
}

#[test]
fn law_1_every_rule_of_choosing_people_gives_the_same_waits_to_the_last_digit() {
    for people in [2, 7, 25] {
        for (seed, (what, demand)) in (0..).zip(demands(people)) {
            let load = demand.load(seed);
            let runs: Vec<Outcome> = Distribution::ALL
                .iter()
                .map(|distribution| run(&pool(people, *distribution), &load, &Settings::default(), &mut ()))
                .collect();
            let first = waits_ms(&runs[0]);
            assert!(first.iter().any(|wait_ms| *wait_ms > 0) && first.contains(&0), "{what}: some wait and some do not");
            for (outcome, distribution) in runs.iter().zip(Distribution::ALL) {
                assert!(waits_ms(outcome) == first, "{people} people, {what}: {distribution} changes somebody's wait");
            }
            let owners = |outcome: &Outcome| outcome.visits.iter().map(|visit| visit.fate).collect::<Vec<Fate>>();
            let different: BTreeSet<Vec<Fate>> = runs.iter().map(owners).collect();
            assert!(different.len() >= 2, "{what}: the rules choose different people, or nothing was compared");
        }
    }
}

/// Gives every item one of three priorities, each with its share.
fn prioritised(mut load: Load, seed: u64, shares: [f64; 3]) -> Load {
    let mut stream = Stream::new(seed, &[77]);
    for job in &mut load.jobs {
        let drawn = stream.share();
        job.priority = match drawn {
            _ if drawn < shares[0] => Priority::Urgent,
            _ if drawn < shares[0] + shares[1] => Priority::Normal,
            _ => Priority::Low,
        };
        job.due_at = Some(job.at.plus_ms(Durations::Exponential { mean_s: 600.0 }.draw_ms(&mut stream)));
    }
    load
}

#[test]
fn law_4_conservation_is_exact_where_services_are_drawn_as_they_begin() {
    let settings = Settings { service_times: ServiceTimes::InOrderOfStart, ..Settings::default() };
    for people in [1, 6, 20] {
        for (seed, (what, demand)) in (10..).zip(demands(people)).filter(|(_, (_, demand))| demand.patience.is_none()) {
            let plain = demand.load(seed);
            let ordered = prioritised(plain.clone(), seed, [0.3, 0.3, 0.4]);
            let mut upside_down = ordered.clone();
            for job in &mut upside_down.jobs {
                job.priority = if job.priority == Priority::Low { Priority::Urgent } else { Priority::Low };
                job.due_at = None;
            }
            let all: Vec<usize> = (0..people).collect();
            let by_priority = pool(people, Distribution::LongestIdle);
            let by_cost = ordered_centre(people, &[&all], Distribution::LongestIdle, "gcmu");
            let runs = [(&by_priority, &plain), (&by_priority, &ordered), (&by_priority, &upside_down), (&by_cost, &ordered)]
                .map(|(directory, load)| waits_ms(&run(directory, load, &settings, &mut ())));
            let sums: BTreeSet<i64> = runs.iter().map(|waits| waits.iter().sum()).collect();
            assert!(sums.len() == 1, "{people} people, {what}: the sum of waits changes: {sums:?}");
            let orders: BTreeSet<&Vec<i64>> = runs.iter().collect();
            assert!(orders.len() == runs.len(), "{what}: every order makes others wait, or nothing was compared");
        }
    }
}

#[test]
fn law_4_conservation_and_the_waits_of_each_priority_are_those_of_theory() {
    // Cobham: a class waits C·S/N / ((1 − σ of those before it)(1 − σ with itself)).
    let (people, utilisation, shares) = (8_u32, 0.9, [0.2, 0.3, 0.5]);
    let count = f64::from(people);
    let pooled = ErlangC::new(people, count * utilisation, SERVICE_S).unwrap();
    let before = [0.0, shares[0], shares[0] + shares[1]].map(|share| 1.0 - utilisation * share);
    let with = [shares[0], shares[0] + shares[1], 1.0].map(|share| 1.0 - utilisation * share);
    let exact: Vec<f64> = (0..3).map(|i| pooled.wait_probability * SERVICE_S / count / (before[i] * with[i])).collect();
    let total: f64 = exact.iter().zip(shares).map(|(wait, share)| wait * share).sum();
    assert!((total - pooled.mean_wait_s).abs() < 1e-9, "the classes' oracle keeps the law itself");
    let (arrivals, directory) = (50_000, pool(8, Distribution::LeastBusy));
    let demand = Demand::new(8, utilisation, arrivals);
    let measured = over_seeds(41, 32, |seed| {
        let mut load = prioritised(demand.load(seed), seed, shares);
        load.jobs.iter_mut().for_each(|job| job.due_at = None);
        let warm = arrivals / 5;
        let outcome = run(&directory, &load, &Settings::default(), &mut ());
        let mean_s = |priority: Option<Priority>| {
            let jobs = load.jobs.iter().zip(&outcome.visits).skip(warm);
            let waits = jobs.filter(|(job, _)| priority.is_none_or(|priority| job.priority == priority));
            let waits: Vec<f64> = waits.map(|(_, visit)| visit.wait_ms as f64 / 1_000.0).collect();
            waits.iter().sum::<f64>() / waits.len() as f64
        };
        let figures = [Some(Priority::Urgent), Some(Priority::Normal), Some(Priority::Low), None].map(mean_s).to_vec();
        Sample { figures, controls: controls(&demand, &load, warm) }
    });
    for (class, exact) in exact.iter().enumerate() {
        check(&format!("class {class}: E[W]"), measured[class], *exact, 0.03);
    }
    check("all classes: E[W]", measured[3], pooled.mean_wait_s, 0.03);
}

#[test]
fn law_5_littles_law_is_exact_from_empty_to_empty_in_every_queue() {
    let lists: [&[usize]; 3] = [&[0, 1, 2], &[2, 3, 4], &[5]];
    for (seed, (what, demand)) in (20..).zip(demands(5)) {
        let rates = vec![2.4 / SERVICE_S, 1.8 / SERVICE_S, 0.7 / SERVICE_S];
        let load = prioritised(Demand { rates, ..demand }.load(seed), seed, [0.2, 0.5, 0.3]);
        let mut watch = Watch::new(lists.len(), START, FAR);
        let outcome = run(&centre(6, &lists, Distribution::RoundRobin), &load, &Settings::default(), &mut watch);
        for (index, queue_ms) in watch.queue_ms.iter().enumerate() {
            let of_channel =
                load.jobs.iter().zip(&outcome.visits).filter(|(job, _)| job.channel == crate::support::channel(index));
            let waited_ms: i64 = of_channel.map(|(_, visit)| visit.wait_ms).sum();
            assert!(waited_ms > 0, "{what}: somebody waits on channel {index}");
            assert!((queue_ms - waited_ms as f64).abs() < 0.5, "{what}, channel {index}: {queue_ms} and {waited_ms}");
        }
    }
}

#[test]
fn law_5_littles_law_gives_the_mean_queue_from_the_rate_of_arrival() {
    let lists: [&[usize]; 2] = [&[0, 1, 2, 3], &[3, 4, 5]];
    let rates = vec![3.2 / SERVICE_S, 2.0 / SERVICE_S];
    let service = Durations::LogNormal { mean_s: SERVICE_S, cv: 1.2 };
    let (arrivals, directory) = (20_000, centre(6, &lists, Distribution::Random));
    let demand = Demand { rates: rates.clone(), service, ..Demand::new(6, 0.8, arrivals) };
    let measured = over_seeds(51, 32, |seed| {
        let load = demand.load(seed);
        let warm = arrivals / 5;
        let mut watch = Watch::new(2, load.jobs[warm].at, load.jobs[arrivals - 1].at);
        let outcome = run(&directory, &load, &Settings::default(), &mut watch);
        let mean_s = |index: usize| {
            let jobs = load.jobs.iter().zip(&outcome.visits).skip(warm);
            let of_channel = jobs.filter(|(job, _)| job.channel == crate::support::channel(index));
            let waits: Vec<f64> = of_channel.map(|(_, visit)| visit.wait_ms as f64 / 1_000.0).collect();
            waits.iter().sum::<f64>() / waits.len() as f64
        };
        let figures = (0..2).flat_map(|index| [watch.mean_queue(index), watch.mean_queue(index) - rates[index] * mean_s(index)]);
        Sample { figures: figures.collect(), controls: controls(&demand, &load, warm) }
    });
    for index in 0..2 {
        let ((queue, _), (gap, error)) = (measured[2 * index], measured[2 * index + 1]);
        println!("channel {index}: E[Q] {queue:.4}, off by {gap:.6} ± {error:.6}");
        assert!(error < 0.01 * queue, "channel {index}: {error} says nothing about {queue}");
        assert!(gap.abs() <= 3.0 * error, "channel {index}: E[Q] is off λ·E[W] by {gap} ± {error}");
    }
}
