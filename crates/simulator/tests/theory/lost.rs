//! Law 9: offers that are missed cost the time they block.

use crate::support::{Demand, SERVICE_S, Sample, channel, check, controls, over_seeds, pool, run};
use switchboard_model::Distribution;
use switchboard_simulator::erlang::ErlangC;
use switchboard_simulator::{Durations, MissedOffers, Settings, Span};

/// Mean wait until somebody takes an item up, in seconds, and the share of people's time that is taken.
fn measured(series: u64, people: usize, load: f64, missed: &MissedOffers, exclude_who_missed: bool) -> Vec<(f64, f64)> {
    let arrivals = 12_000;
    let directory = pool(people, Distribution::LongestIdle);
    let demand = Demand::new(1, load, arrivals);
    let settings = Settings { exclude_who_missed, ..Settings::default() };
    over_seeds(series, 32, |seed| {
        let mut load = demand.load(seed);
        load.missed.insert(channel(0), missed.clone());
        let warm = arrivals / 5;
        let outcome = run(&directory, &load, &settings, &mut ());
        let window = Span { from: load.jobs[warm].at, to: load.jobs[arrivals - 1].at };
        let visits = &outcome.visits[warm..];
        let count = visits.len() as f64;
        let taken_ms: i64 = outcome.people.values().flat_map(|person| &person.items).map(|span| span.overlap_ms(window)).sum();
        let figures = vec![
            visits.iter().map(|visit| visit.wait_ms).sum::<i64>() as f64 / 1_000.0 / count,
            taken_ms as f64 / window.to.ms_since(window.from) as f64 / people as f64,
        ];
        let mut controls = controls(&demand, &load, warm);
        let offers = visits.iter().map(|visit| f64::from(visit.offers)).sum::<f64>() / count;
        controls.push(offers * (1.0 - missed.probability) - 1.0);
        Sample { figures, controls }
    })
}

#[test]
fn law_9_lost_offers_take_the_time_of_the_formula() {
    for (series, people, load, probability, blocks_s) in
        [(91, 10, 7.5, 0.15, 30.0), (92, 4, 2.0, 0.4, 60.0), (93, 25, 20.0, 0.05, 120.0)]
    {
        let missed = MissedOffers { probability, blocks: Durations::Fixed { mean_s: blocks_s } };
        let service_s = SERVICE_S + probability / (1.0 - probability) * blocks_s;
        let measured = measured(series, people, load, &missed, true);
        let exact = load / SERVICE_S * service_s / people as f64;
        check(&format!("{people} people, {probability} missed: time taken"), measured[1], exact, 0.01);
    }
}

#[test]
fn law_9_lost_offers_are_a_longer_service_at_best() {
    // Offers that block as long as a service, exponentially: number in system and mean stay are those of Erlang C with
    // the longer service, where the item may go to anybody at once. Leaving out who missed can only add to that.
    for (series, people, load, probability) in [(194, 10, 7.0, 0.15), (96, 3, 1.8, 0.2)] {
        let missed = MissedOffers { probability, blocks: Durations::Exponential { mean_s: SERVICE_S } };
        let service_s = SERVICE_S / (1.0 - probability);
        let longer = ErlangC::new(people, load / (1.0 - probability), service_s).unwrap();
        let best_s = longer.mean_wait_s + service_s - SERVICE_S;
        let what = format!("{people} people, {probability} missed");
        let free = measured(series, people as usize, load, &missed, false);
        check(&format!("{what}, anybody next: E[W]"), free[0], best_s, 0.03);
        let (mean, error) = measured(series + 1, people as usize, load, &missed, true)[0];
        println!("{what}, somebody else next: E[W] {mean:.3} ± {error:.3}, at best {best_s:.3}");
        assert!(error < 0.03 * best_s && mean >= best_s - 3.0 * error, "{what}: {mean} ± {error} is better than {best_s}");
    }
}
