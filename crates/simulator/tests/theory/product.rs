//! Law 7: the oldest compatible item to the longest-idle compatible person has a product form.

use crate::support::{Demand, SERVICE_S, Sample, centre, channel, check, controls, over_seeds, person, published, run};
use switchboard_model::Distribution;
use switchboard_simulator::{IdleSince, Settings, Span};

/// The stationary figures of a system of types and servers, by summing the product form over all orders of servers.
struct ProductForm {
    mean_wait: Vec<f64>,
    wait_probability: Vec<f64>,
    idle: Vec<f64>,
}

struct System<'a> {
    /// Arrival rate of each type.
    types: &'a [f64],
    /// Service rate of each server.
    servers: &'a [f64],
    /// Which servers may serve each type.
    lists: &'a [&'a [usize]],
}

impl System<'_> {
    /// Types served only inside a set of servers.
    fn confined(&self, set: &[usize]) -> Vec<usize> {
        let inside = |list: &[usize]| list.iter().all(|server| set.contains(server));
        (0..self.types.len()).filter(|kind| inside(self.lists[*kind])).collect()
    }

    /// The rate of all types that somebody of a set serves.
    fn reached(&self, set: &[usize]) -> f64 {
        let some = |kind: &usize| self.lists[*kind].iter().any(|server| set.contains(server));
        (0..self.types.len()).filter(some).map(|kind| self.types[kind]).sum()
    }

    fn solve(&self) -> ProductForm {
        let count = self.servers.len();
        let mut all = 0.0;
        let mut form = ProductForm {
            mean_wait: vec![0.0; self.types.len()],
            wait_probability: vec![0.0; self.types.len()],
            idle: vec![0.0; count],
        };
        for order in permutations(count) {
            for busy in 0..=count {
                let idle: f64 = (busy..count).map(|j| 1.0 / self.reached(&order[j..])).product();
                let (mut weight, mut gaps) = (idle, Vec::new());
                for j in 1..=busy {
                    let confined = self.confined(&order[..j]);
                    let arriving: f64 = confined.iter().map(|kind| self.types[*kind]).sum();
                    let serving: f64 = order[..j].iter().map(|server| self.servers[*server]).sum();
                    assert!(arriving < serving, "the system is stable");
                    weight /= serving - arriving;
                    gaps.push((confined, arriving, arriving / (serving - arriving)));
                }
                all += weight;
                for (confined, arriving, waiting) in &gaps {
                    for kind in confined {
                        form.mean_wait[*kind] += weight * waiting / arriving;
                    }
                }
                for kind in self.confined(&order[..busy]) {
                    form.wait_probability[kind] += weight;
                }
                for server in &order[busy..] {
                    form.idle[*server] += weight;
                }
            }
        }
        for figure in form.mean_wait.iter_mut().chain(&mut form.wait_probability).chain(&mut form.idle) {
            *figure /= all;
        }
        form
    }
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for value in 0..count {
        all = all
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |place| {
                    let mut longer = order.clone();
                    longer.insert(place, value);
                    longer
                })
            })
            .collect();
    }
    all
}

const N_SYSTEM: System<'_> = System { types: &[0.7, 0.9], servers: &[1.0, 1.0], lists: &[&[0], &[0, 1]] };
const RING: System<'_> = System { types: &[0.8; 3], servers: &[1.0; 3], lists: &[&[0, 1], &[1, 2], &[2, 0]] };

#[test]
fn law_7_product_form_has_the_published_values() {
    let form = N_SYSTEM.solve();
    for (computed, printed) in form.mean_wait.iter().zip([4.1365, 1.6670]) {
        published("N-system: E[W]", *computed, printed, 1e-4);
    }
    for (computed, printed) in form.wait_probability.iter().zip([0.8947, 0.6668]) {
        published("N-system: P(W > 0)", *computed, printed, 1e-4);
    }
    for (computed, printed) in form.idle.iter().zip([0.1053, 0.2947]) {
        published("N-system: idle", *computed, printed, 1e-4);
    }
    let form = RING.solve();
    for kind in 0..3 {
        published("ring: E[W]", form.mean_wait[kind], 1.2487, 1e-4);
        published("ring: P(W > 0)", form.wait_probability[kind], 0.6857, 1e-4);
        published("ring: idle", form.idle[kind], 0.2, 1e-4);
    }
}

/// Holds the router against the product form of a system, its rates in units of one service time.
fn product(series: u64, name: &str, system: &System<'_>, arrivals: usize) {
    let exact = system.solve();
    let directory = centre(system.servers.len(), system.lists, Distribution::LongestIdle);
    let rates = system.types.iter().map(|rate| rate / SERVICE_S).collect();
    let demand = Demand { rates, ..Demand::new(1, 0.5, arrivals) };
    let pace = system.servers.iter().enumerate().map(|(index, rate)| (person(index), 1.0 / rate)).collect();
    let settings = Settings { pace, idle_since: IdleSince::Freed, ..Settings::default() };
    let measured = over_seeds(series, 32, |seed| {
        let load = demand.load(seed);
        let warm = arrivals / 5;
        let outcome = run(&directory, &load, &settings, &mut ());
        let window = Span { from: load.jobs[warm].at, to: load.jobs[arrivals - 1].at };
        let mut figures = Vec::new();
        for kind in 0..system.types.len() {
            let jobs = load.jobs.iter().zip(&outcome.visits).skip(warm);
            let waits: Vec<i64> = jobs.filter(|(job, _)| job.channel == channel(kind)).map(|(_, visit)| visit.wait_ms).collect();
            let count = waits.len() as f64;
            figures.push(waits.iter().sum::<i64>() as f64 / 1_000.0 / count / SERVICE_S);
            figures.push(waits.iter().filter(|wait_ms| **wait_ms > 0).count() as f64 / count);
        }
        for index in 0..system.servers.len() {
            let busy_ms: i64 = outcome.people[&person(index)].busy.iter().map(|busy| busy.overlap_ms(window)).sum();
            figures.push(1.0 - busy_ms as f64 / window.to.ms_since(window.from) as f64);
        }
        let mut controls = controls(&demand, &load, warm);
        let of_first = load.jobs[warm..].iter().filter(|job| job.channel == channel(0)).count() as f64;
        controls.push(of_first / (arrivals - warm) as f64 - system.types[0] / system.types.iter().sum::<f64>());
        Sample { figures, controls }
    });
    for kind in 0..system.types.len() {
        check(&format!("{name}, type {kind}: E[W]"), measured[2 * kind], exact.mean_wait[kind], 0.03);
        check(&format!("{name}, type {kind}: P(W > 0)"), measured[2 * kind + 1], exact.wait_probability[kind], 0.02);
    }
    for (index, idle) in exact.idle.iter().enumerate() {
        check(&format!("{name}, person {index}: idle"), measured[2 * system.types.len() + index], *idle, 0.03);
    }
}

/// Ten kinds of work for ten people each, at nine tenths of what they can do, under a directory; waits in seconds.
fn ten_by_ten(lists: &[Vec<usize>]) -> (f64, f64) {
    let arrivals = 40_000;
    let lists: Vec<&[usize]> = lists.iter().map(Vec::as_slice).collect();
    let directory = centre(100, &lists, Distribution::LongestIdle);
    let demand = Demand { rates: vec![9.0 / SERVICE_S; 10], ..Demand::new(100, 0.9, arrivals) };
    over_seeds(74, 12, |seed| {
        let load = demand.load(seed);
        let warm = arrivals / 5;
        let outcome = run(&directory, &load, &Settings::default(), &mut ());
        let waits_s = outcome.visits[warm..].iter().map(|visit| visit.wait_ms as f64 / 1_000.0);
        Sample { figures: vec![waits_s.sum::<f64>() / (arrivals - warm) as f64], controls: controls(&demand, &load, warm) }
    })[0]
}

#[test]
fn two_overlapping_skills_each_take_ten_teams_of_ten_most_of_the_way_to_one_pool() {
    let team = |kind: usize| kind * 10..kind * 10 + 10;
    let apart: Vec<Vec<usize>> = (0..10).map(|kind| team(kind).collect()).collect();
    let chained: Vec<Vec<usize>> = (0..10).map(|kind| team(kind).chain(team((kind + 1) % 10)).collect()).collect();
    let pooled: Vec<Vec<usize>> = vec![(0..100).collect(); 10];
    // Published for 160, 17.8 and 5.3 seconds; the first and the last are Erlang C.
    for (lists, expected_s, reach) in [(apart, 160.5, 0.15), (chained, 17.8, 0.15), (pooled, 5.2, 0.25)] {
        let (mean_s, error_s) = ten_by_ten(&lists);
        println!("mean wait {mean_s:.2} ± {error_s:.2} s, published {expected_s}");
        assert!((mean_s / expected_s - 1.0).abs() < reach, "{mean_s} ± {error_s} is not about {expected_s}");
    }
}

#[test]
fn law_7_product_form_holds_for_the_n_system() {
    product(71, "N-system", &N_SYSTEM, 30_000);
}

#[test]
fn law_7_product_form_holds_for_the_ring_of_three() {
    product(72, "ring", &RING, 20_000);
}

#[test]
fn law_7_product_form_holds_for_unequal_people_and_overlapping_lists() {
    let system = System {
        types: &[0.5, 0.9, 0.4, 0.8],
        servers: &[0.6, 1.0, 1.4, 0.8, 0.7],
        lists: &[&[0, 1], &[1, 2], &[4], &[0, 2, 3]],
    };
    product(73, "four types, five people", &system, 30_000);
}
