//! Single runs: what becomes of each item.

use crate::house::{ADA, BEN, CHAT, CLEO, DAG, HOUR_MS, MAIL, case, directory, house};
use serde_json::{Value, json};
use std::sync::Arc;
use switchboard_model::{ContactId, StatusValue, Timestamp, UnassignedReason};
use switchboard_simulator::{Durations, Fate, Job, Load, MissedOffers, Outcome, Settings, Span, StatusEvent, simulate};

/// Monday, 1 February 2027, 10:00 in Oslo.
const TEN: Timestamp = Timestamp(1_801_472_400_000);

fn run(value: Value, load: &Load) -> Outcome {
    simulate(&Arc::new(directory(value)), load, &Settings::default(), &mut ()).expect("a run")
}

fn job(seconds: i64, service_s: i64) -> Job {
    Job { service_ms: service_s * 1_000, ..Job::new(TEN.plus_ms(seconds * 1_000), CHAT) }
}

/// Only Ada is listed for chats, and takes two at a time.
fn only_ada() -> Value {
    let mut value = house();
    case(&mut value, 0)["target"] = json!({"kind": "users_and_teams", "members": [{"user": ADA}]});
    value
}

fn waits_s(outcome: &Outcome) -> Vec<i64> {
    outcome.visits.iter().map(|visit| visit.wait_ms / 1_000).collect()
}

#[test]
fn items_are_worked_on_at_once_up_to_the_limit_each_for_its_own_time() {
    let load = Load { jobs: vec![job(0, 100), job(10, 30), job(20, 50), job(21, 5)], ..Load::default() };
    let outcome = run(only_ada(), &load);
    // The second ends at 40 and the third begins; the first ends at 100, the third at 90, when the fourth begins.
    assert_eq!(waits_s(&outcome), [0, 0, 20, 69]);
    let ada = &outcome.people[&ADA];
    assert_eq!(ada.busy, [Span { from: TEN, to: TEN.plus_ms(100_000) }]);
    assert_eq!((ada.assigned, outcome.people.len()), (4, 1));
}

#[test]
fn who_loses_patience_leaves_the_queue_to_the_next() {
    let impatient = Job { patience_ms: Some(30_000), ..job(2, 50) };
    let load = Load { jobs: vec![job(0, 100), job(1, 100), impatient, job(3, 50)], ..Load::default() };
    let outcome = run(only_ada(), &load);
    assert_eq!(outcome.visits[2].fate, Fate::Abandoned);
    assert_eq!(waits_s(&outcome), [0, 0, 30, 97]);
}

#[test]
fn a_missed_offer_blocks_and_goes_to_somebody_else_in_its_place() {
    let mut load = Load { jobs: (0..200).map(|second| job(second * 400, 60)).collect(), ..Load::default() };
    for (seed, job) in (0..).zip(&mut load.jobs) {
        job.seed = seed;
    }
    let blocks = Durations::Fixed { mean_s: 25.0 };
    load.missed.insert(CHAT, MissedOffers { probability: 0.3, blocks });
    let outcome = run(house(), &load);
    let missed: Vec<_> = outcome.visits.iter().filter(|visit| visit.offers > 1).collect();
    assert!((30..100).contains(&missed.len()), "{}", missed.len());
    for visit in &outcome.visits {
        assert_eq!(visit.wait_ms, i64::from(visit.offers - 1) * 25_000);
        assert!(matches!(visit.fate, Fate::Served { .. }));
    }
    // With Ada alone there is nobody else, so what she misses is left unassigned with its reason (7.2).
    let alone = run(only_ada(), &load);
    let nobody = Fate::Unassigned { reason: UnassignedReason::NobodyEligible };
    assert!(alone.visits.iter().all(|visit| matches!(visit.fate, Fate::Served { .. }) || visit.fate == nobody));
    assert!(alone.visits.iter().any(|visit| visit.fate == nobody));
}

#[test]
fn whoever_leaves_while_an_offer_is_missed_is_gone_afterwards() {
    let mut load = Load { jobs: vec![Job { patience_ms: Some(10_000), ..job(0, 60) }], ..Load::default() };
    load.missed.insert(CHAT, MissedOffers { probability: 0.999_999, blocks: Durations::Fixed { mean_s: 25.0 } });
    let outcome = run(house(), &load);
    assert_eq!((outcome.visits[0].fate, outcome.visits[0].offers), (Fate::Abandoned, 1));
    assert_eq!(
        outcome.people.values().flat_map(|person| &person.items).map(|span| span.to.ms_since(span.from)).sum::<i64>(),
        25_000
    );
}

#[test]
fn what_waits_at_night_is_taken_up_when_the_shift_begins() {
    let mut value = only_ada();
    value["users"][0]["hours"] = json!(["mon-fri 08:00-16:00"]);
    let night = Job { service_ms: 60_000, ..Job::new(TEN.plus_ms(12 * HOUR_MS), CHAT) };
    let outcome = run(value, &Load { jobs: vec![job(0, 60), night], ..Load::default() });
    assert_eq!(waits_s(&outcome), [0, 10 * 3_600]);
}

#[test]
fn statuses_of_history_are_set_when_they_were() {
    let mut load = Load { jobs: vec![job(0, 10), job(100, 10), job(200, 10)], ..Load::default() };
    let at = |seconds: i64, value| StatusEvent { at: TEN.plus_ms(seconds * 1_000), user: ADA, value };
    load.statuses = vec![at(50, StatusValue::Away), at(150, StatusValue::Available)];
    assert_eq!(waits_s(&run(only_ada(), &load)), [0, 50, 0]);
}

#[test]
fn what_nobody_may_have_is_left_with_its_reason_and_teams_get_theirs() {
    let mut value = house();
    case(&mut value, 1)["target"] = json!({"kind": "team_only", "team": crate::house::TEAM});
    value["channels"][0]["rule"]["on"] = json!(false);
    let load = Load { jobs: vec![job(0, 10), Job::new(TEN.plus_ms(1_000), MAIL)], ..Load::default() };
    let fates: Vec<Fate> = run(value, &load).visits.iter().map(|visit| visit.fate).collect();
    let team = switchboard_model::TeamId(crate::house::TEAM);
    assert_eq!(fates, [Fate::Unassigned { reason: UnassignedReason::RuleOff }, Fate::TeamSet { team }]);
}

#[test]
fn an_item_that_nobody_gets_to_waits_until_the_end() {
    let mut load = Load { jobs: vec![job(0, 10), job(60, 10)], ..Load::default() };
    load.statuses = vec![StatusEvent { at: TEN.plus_ms(30_000), user: ADA, value: StatusValue::Away }];
    let settings = Settings { drain_ms: HOUR_MS, ..Settings::default() };
    let outcome = simulate(&Arc::new(directory(only_ada())), &load, &settings, &mut ()).unwrap();
    assert_eq!((outcome.visits[1].fate, outcome.visits[1].wait_ms), (Fate::StillWaiting, HOUR_MS));
}

#[test]
fn a_contact_who_comes_again_meets_the_owner_of_this_run() {
    let mut value = house();
    case(&mut value, 0)["affinity_days"] = json!(1);
    let from = |seconds: i64, contact: i64| {
        let mut job = job(seconds, 10);
        job.contact.id = ContactId(contact);
        job
    };
    // Everybody gets one; the fifth would go to Ada again, but its contact was Ben's.
    let load = Load { jobs: vec![from(0, 1), from(20, 2), from(40, 3), from(60, 4), from(80, 2)], ..Load::default() };
    let owners: Vec<Fate> = run(value, &load).visits.iter().map(|visit| visit.fate).collect();
    let served = |user| Fate::Served { user };
    assert_eq!(owners, [ADA, BEN, CLEO, DAG, BEN].map(served));
}
