//! Laws 2 and 3: pooled queues, with endless patience and with little.

use crate::support::{Demand, SERVICE_S, Sample, Watch, check, controls, over_seeds, pool, published, run};
use switchboard_model::Distribution;
use switchboard_simulator::erlang::{ErlangA, ErlangC};
use switchboard_simulator::statistics::percentile;
use switchboard_simulator::{Durations, Fate, Settings};

#[test]
fn law_2_erlang_c_has_the_published_values() {
    for (people, utilisation, wait_probability, mean_wait_s, within, queue, p95_s) in [
        (10, 0.80, 0.409_180, 49.1016, 0.65364, 1.6367, 252.26),
        (10, 0.90, 0.668_732, 160.4956, 0.38474, 6.0186, 622.41),
        (50, 0.95, 0.629_095, 60.3931, 0.48922, 11.9528, 243.10),
        (100, 0.90, 0.216_940, 5.2066, 0.90572, 1.9525, 35.22),
        (100, 0.95, 0.506_457, 24.3099, 0.66612, 9.6227, 111.14),
    ] {
        let what = format!("N = {people}, utilisation {utilisation}");
        let exact = ErlangC::new(people, f64::from(people) * utilisation, SERVICE_S).unwrap();
        published(&what, exact.wait_probability, wait_probability, 1e-6);
        published(&what, exact.mean_wait_s, mean_wait_s, 1e-4);
        published(&what, exact.within(20.0), within, 1e-5);
        published(&what, exact.mean_queue, queue, 1e-4);
        published(&what, exact.percentile_s(0.95), p95_s, 1e-2);
    }
}

#[test]
fn law_3_erlang_a_has_the_published_values() {
    for (people, load, wait_probability, abandoned, mean_wait_s) in [
        (10, 9.0, 0.356_053, 0.104_876, 12.585),
        (50, 50.0, 0.436_660, 0.065_941, 7.913),
        (100, 95.0, 0.268_349, 0.025_392, 3.047),
    ] {
        let what = format!("N = {people}, load {load}");
        let exact = ErlangA::new(people, load, SERVICE_S, 120.0).unwrap();
        published(&what, exact.wait_probability, wait_probability, 1e-6);
        published(&what, exact.abandoned, abandoned, 1e-6);
        published(&what, exact.mean_wait_s, mean_wait_s, 1e-3);
    }
}

/// Holds the router against Erlang C; `precision` is that of the mean wait.
fn erlang_c(series: u64, people: u32, utilisation: f64, arrivals: usize, precision: f64) {
    let count = people as usize;
    let exact = ErlangC::new(people, f64::from(people) * utilisation, SERVICE_S).expect("a stable queue");
    let directory = pool(count, Distribution::LongestIdle);
    let demand = Demand::new(count, utilisation, arrivals);
    let measured = over_seeds(series, 32, |seed| {
        let load = demand.load(seed);
        let warm = arrivals / 5;
        let mut watch = Watch::new(1, load.jobs[warm].at, load.jobs[arrivals - 1].at);
        let outcome = run(&directory, &load, &Settings::default(), &mut watch);
        let mut waits_ms: Vec<i64> = outcome.visits[warm..].iter().map(|visit| visit.wait_ms).collect();
        waits_ms.sort_unstable();
        let count = waits_ms.len() as f64;
        let share = |limit_ms: i64| waits_ms.partition_point(|wait_ms| *wait_ms <= limit_ms) as f64 / count;
        let figures = vec![
            1.0 - share(0),
            waits_ms.iter().sum::<i64>() as f64 / 1_000.0 / count,
            share(20_000),
            watch.mean_queue(0),
            percentile(&waits_ms, 0.95).expect("some waits") as f64 / 1_000.0,
        ];
        Sample { figures, controls: controls(&demand, &load, warm) }
    });
    let what = |figure: &str| format!("N = {people}, utilisation {utilisation}: {figure}");
    check(&what("P(W > 0)"), measured[0], exact.wait_probability, precision);
    check(&what("E[W]"), measured[1], exact.mean_wait_s, precision);
    check(&what("P(W <= 20 s)"), measured[2], exact.within(20.0), precision);
    check(&what("E[Q]"), measured[3], exact.mean_queue, precision);
    check(&what("p95"), measured[4], exact.percentile_s(0.95), precision * 1.5);
}

#[test]
fn law_2_erlang_c_holds_for_ten_people() {
    erlang_c(21, 10, 0.80, 20_000, 0.025);
    erlang_c(22, 10, 0.90, 35_000, 0.025);
}

#[test]
fn law_2_erlang_c_holds_for_fifty_people() {
    erlang_c(23, 50, 0.95, 60_000, 0.04);
}

#[test]
fn law_2_erlang_c_holds_for_a_hundred_people() {
    erlang_c(24, 100, 0.90, 40_000, 0.05);
}

#[test]
fn law_2_erlang_c_holds_for_a_hundred_people_who_are_very_busy() {
    erlang_c(25, 100, 0.95, 60_000, 0.06);
}

#[test]
fn law_2_erlang_c_holds_for_one_person_and_for_three() {
    erlang_c(26, 1, 0.70, 20_000, 0.02);
    erlang_c(27, 3, 0.85, 25_000, 0.02);
}

/// Holds the router against Erlang A.
fn erlang_a(series: u64, people: u32, load: f64, patience_s: f64, arrivals: usize, precision: f64) {
    let exact = ErlangA::new(people, load, SERVICE_S, patience_s).expect("a queue");
    let directory = pool(people as usize, Distribution::LoadBalanced);
    let patience = Some(Durations::Exponential { mean_s: patience_s });
    let demand = Demand { patience, ..Demand::new(1, load, arrivals) };
    let measured = over_seeds(series, 32, |seed| {
        let load = demand.load(seed);
        let warm = arrivals / 5;
        let outcome = run(&directory, &load, &Settings::default(), &mut ());
        let visits = &outcome.visits[warm..];
        let count = visits.len() as f64;
        let waited = visits.iter().filter(|visit| visit.wait_ms > 0).count() as f64 / count;
        let left = visits.iter().filter(|visit| visit.fate == Fate::Abandoned).count() as f64 / count;
        let mean_wait_s = visits.iter().map(|visit| visit.wait_ms).sum::<i64>() as f64 / 1_000.0 / count;
        let figures = vec![waited, left, mean_wait_s, left - mean_wait_s / patience_s];
        Sample { figures, controls: controls(&demand, &load, warm) }
    });
    let what = |figure: &str| format!("N = {people}, load {load}, patience {patience_s} s: {figure}");
    check(&what("P(W > 0)"), measured[0], exact.wait_probability, precision);
    check(&what("P(abandon)"), measured[1], exact.abandoned, precision);
    check(&what("E[W]"), measured[2], exact.mean_wait_s, precision);
    let (gap, error) = measured[3];
    assert!(gap.abs() <= 3.0 * error && error < 0.01 * exact.abandoned, "P(abandon) = θ·E[W]: off by {gap} ± {error}");
}

#[test]
fn law_3_erlang_a_holds_for_impatient_callers() {
    erlang_a(531, 10, 9.0, 120.0, 25_000, 0.02);
    erlang_a(32, 50, 50.0, 120.0, 20_000, 0.02);
    erlang_a(33, 100, 95.0, 120.0, 20_000, 0.03);
}

#[test]
fn law_3_erlang_a_holds_under_more_load_than_there_are_people() {
    erlang_a(34, 5, 8.0, 60.0, 15_000, 0.02);
    erlang_a(35, 20, 24.0, 600.0, 20_000, 0.02);
}
