//! Laws 6 and 8: who idles, and for how long.

use crate::support::{Demand, SERVICE_S, Sample, check, controls, over_seeds, person, pool, published, run};
use std::collections::BTreeMap;
use switchboard_model::{Distribution, Timestamp, UserId};
use switchboard_simulator::erlang::ErlangC;
use switchboard_simulator::{IdleSince, Observer, Settings, Span};

/// What law 6 says about people of these rates.
struct IdleOrder {
    wait_probability: f64,
    mean_wait_s: f64,
    idle: Vec<f64>,
}

impl IdleOrder {
    fn new(rates: &[f64], arrivals: f64) -> Self {
        let r = arrivals / rates.iter().sum::<f64>();
        let all = symmetric(rates);
        let sum: f64 = all.iter().enumerate().map(|(k, e)| factorial(k) * e / arrivals.powi(power(k))).sum();
        let busy = 1.0 / (sum + r / (1.0 - r));
        let idle = |s: usize| {
            let others: Vec<f64> = rates.iter().enumerate().filter(|(i, _)| *i != s).map(|(_, rate)| *rate).collect();
            let terms = symmetric(&others).into_iter().enumerate();
            busy * terms.map(|(k, e)| factorial(k + 1) * e * rates[s] / arrivals.powi(power(k + 1))).sum::<f64>()
        };
        Self {
            wait_probability: busy / (1.0 - r),
            mean_wait_s: busy * r / ((1.0 - r).powi(2) * arrivals),
            idle: (0..rates.len()).map(idle).collect(),
        }
    }
}

/// The elementary symmetric polynomials, from that of degree 0.
fn symmetric(values: &[f64]) -> Vec<f64> {
    let mut all = vec![0.0; values.len() + 1];
    all[0] = 1.0;
    for value in values {
        for k in (1..all.len()).rev() {
            all[k] += all[k - 1] * value;
        }
    }
    all
}

fn factorial(k: usize) -> f64 {
    (1..=k).map(|factor| factor as f64).product()
}

fn power(k: usize) -> i32 {
    i32::try_from(k).expect("a small power")
}

#[test]
fn law_6_of_equal_people_is_erlang_c() {
    for (people, utilisation) in [(1, 0.5), (4, 0.8), (10, 0.9)] {
        let count = f64::from(people);
        let rates = vec![1.0 / SERVICE_S; usize::try_from(people).unwrap()];
        let order = IdleOrder::new(&rates, count * utilisation / SERVICE_S);
        let exact = ErlangC::new(people, count * utilisation, SERVICE_S).unwrap();
        assert!((order.wait_probability - exact.wait_probability).abs() < 1e-9);
        assert!((order.mean_wait_s - exact.mean_wait_s).abs() < 1e-6);
        assert!(order.idle.iter().all(|idle| (idle - (1.0 - utilisation)).abs() < 1e-9));
    }
}

/// Holds people of unequal pace against law 6, under a rule that looks at no more than the order of becoming idle.
fn unequal(series: u64, distribution: Distribution, paces: &[f64], utilisation: f64, arrivals: usize) {
    let rates: Vec<f64> = paces.iter().map(|pace| 1.0 / (SERVICE_S * pace)).collect();
    let capacity: f64 = rates.iter().sum();
    let exact = IdleOrder::new(&rates, capacity * utilisation);
    let directory = pool(paces.len(), distribution);
    let demand = Demand { rates: vec![capacity * utilisation], ..Demand::new(paces.len(), utilisation, arrivals) };
    let pace: BTreeMap<UserId, f64> = paces.iter().enumerate().map(|(index, pace)| (person(index), *pace)).collect();
    let settings = Settings { pace, idle_since: IdleSince::Freed, ..Settings::default() };
    let measured = over_seeds(series, 32, |seed| {
        let load = demand.load(seed);
        let warm = arrivals / 5;
        let outcome = run(&directory, &load, &settings, &mut ());
        let window = Span { from: load.jobs[warm].at, to: load.jobs[arrivals - 1].at };
        let visits = &outcome.visits[warm..];
        let count = visits.len() as f64;
        let mut figures = vec![
            visits.iter().filter(|visit| visit.wait_ms > 0).count() as f64 / count,
            visits.iter().map(|visit| visit.wait_ms).sum::<i64>() as f64 / 1_000.0 / count,
        ];
        for index in 0..paces.len() {
            let busy_ms: i64 = outcome.people[&person(index)].busy.iter().map(|busy| busy.overlap_ms(window)).sum();
            figures.push(1.0 - busy_ms as f64 / window.to.ms_since(window.from) as f64);
        }
        Sample { figures, controls: controls(&demand, &load, warm) }
    });
    let what = |figure: &str| format!("{distribution}, paces {paces:?}, utilisation {utilisation}: {figure}");
    check(&what("P(W > 0)"), measured[0], exact.wait_probability, 0.02);
    check(&what("E[W]"), measured[1], exact.mean_wait_s, 0.03);
    for (index, idle) in exact.idle.iter().enumerate() {
        check(&what(&format!("person {index} idle")), measured[2 + index], *idle, 0.03);
    }
}

#[test]
fn law_6_idle_order_holds_for_longest_idle_among_unequal_people() {
    unequal(61, Distribution::LongestIdle, &[0.5, 1.0, 2.0], 0.75, 15_000);
    unequal(62, Distribution::LongestIdle, &[0.4, 0.8, 1.0, 1.0, 2.5], 0.85, 25_000);
}

#[test]
fn law_6_idle_order_holds_for_random_among_unequal_people() {
    unequal(63, Distribution::Random, &[0.5, 1.0, 2.0], 0.75, 15_000);
    unequal(64, Distribution::Random, &[0.3, 3.0], 0.6, 15_000);
}

/// Spans of idleness between services, those of no length included, with what was in the system when they began.
#[derive(Default)]
struct Idleness {
    began: BTreeMap<UserId, (Timestamp, usize)>,
    spans: Vec<(f64, usize)>,
    from: Timestamp,
}

impl Observer for Idleness {
    fn busy(&mut self, now: Timestamp, user: UserId) {
        if let Some((began, left)) = self.began.remove(&user).filter(|(began, _)| *began >= self.from) {
            self.spans.push((now.ms_since(began) as f64 / 1_000.0, left));
        }
    }

    fn idle(&mut self, now: Timestamp, user: UserId, left: usize) {
        self.began.insert(user, (now, left));
    }
}

/// Mean and standard deviation of a person's idleness under the longest idle first: who is freed with j left behind
/// waits for N − j arrivals. What is left behind is distributed like the number in the system.
fn idleness(people: u32, utilisation: f64) -> (f64, f64) {
    let (count, load) = (f64::from(people), f64::from(people) * utilisation);
    let arrivals = load / SERVICE_S;
    let mut weights = vec![1.0];
    for k in 1..=people {
        weights.push(weights[k as usize - 1] * load / f64::from(k));
    }
    let all: f64 = weights[..people as usize].iter().sum::<f64>() + weights[people as usize] / (1.0 - utilisation);
    let (mut first, mut second) = (0.0, 0.0);
    for (j, weight) in weights[..people as usize].iter().enumerate() {
        let phases = count - j as f64;
        first += weight / all * phases / arrivals;
        second += weight / all * (phases + phases * phases) / (arrivals * arrivals);
    }
    (first, (second - first * first).sqrt())
}

#[test]
fn law_8_idleness_has_the_published_values() {
    for (people, utilisation, mean, deviation) in [(10, 0.85, 42.353, 66.195), (100, 0.95, 12.632, 18.198)] {
        let computed = idleness(people, utilisation);
        published("mean idleness", computed.0, mean, 1e-3);
        published("its deviation", computed.1, deviation, 1e-3);
        let load = f64::from(people) * utilisation;
        assert!((computed.0 - f64::from(people) * (1.0 - utilisation) / (load / SERVICE_S)).abs() < 1e-9, "N(1−ρ)/λ");
    }
}

#[test]
fn law_8_idleness_under_the_longest_idle_first_is_that_of_theory() {
    for (series, people, utilisation, arrivals) in [(81, 10, 0.85, 20_000), (82, 100, 0.95, 30_000), (83, 4, 0.6, 15_000)] {
        let (mean, deviation) = idleness(people, utilisation);
        let demand = Demand::new(people as usize, utilisation, arrivals);
        let directory = pool(people as usize, Distribution::LongestIdle);
        let settings = Settings { idle_since: IdleSince::Freed, ..Settings::default() };
        let rate = demand.rates[0];
        let measured = over_seeds(series, 32, |seed| {
            let load = demand.load(seed);
            let warm = arrivals / 5;
            let mut idleness = Idleness { from: load.jobs[warm].at, ..Idleness::default() };
            run(&directory, &load, &settings, &mut idleness);
            let spans = &idleness.spans;
            let count = spans.len() as f64;
            let first = spans.iter().map(|(span, _)| span).sum::<f64>() / count;
            let second = spans.iter().map(|(span, _)| span * span).sum::<f64>() / count;
            let none = spans.iter().filter(|(_, left)| *left >= people as usize).map(|(span, _)| *span).sum::<f64>();
            assert!(none == 0.0, "who leaves as many behind as there are people does not idle");
            let one_short: Vec<f64> =
                spans.iter().filter(|(_, left)| left + 2 == people as usize).map(|(span, _)| *span).collect();
            let figures = vec![first, second.sqrt(), one_short.iter().sum::<f64>() / one_short.len() as f64];
            Sample { figures, controls: controls(&demand, &load, warm) }
        });
        let what = |figure: &str| format!("N = {people}, utilisation {utilisation}: {figure}");
        check(&what("mean idleness"), measured[0], mean, 0.02);
        check(&what("its root mean square"), measured[1], mean.hypot(deviation), 0.03);
        check(&what("after leaving N − 2 behind"), measured[2], 2.0 / rate, 0.02);
    }
}

#[test]
fn law_8_mean_idleness_is_the_same_whatever_the_rule() {
    let arrivals = 6_000;
    for (series, distribution) in (84..).zip(Distribution::ALL) {
        let demand = Demand::new(10, 0.85, arrivals);
        let directory = pool(10, *distribution);
        let measured = over_seeds(series, 32, |seed| {
            let load = demand.load(seed);
            let warm = arrivals / 5;
            let mut idleness = Idleness { from: load.jobs[warm].at, ..Idleness::default() };
            run(&directory, &load, &Settings::default(), &mut idleness);
            let mean = idleness.spans.iter().map(|(span, _)| span).sum::<f64>() / idleness.spans.len() as f64;
            Sample { figures: vec![mean], controls: controls(&demand, &load, warm) }
        });
        check(&format!("{distribution}: mean idleness"), measured[0], idleness(10, 0.85).0, 0.02);
    }
}
