//! Two directories under the same traffic.

use crate::house::{ADA, BEN, HOUR_MS, SKILL, TEAM, case, chats, directory, generated, house};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use switchboard_model::{Directory, Priority, StatusValue, Timestamp};
use switchboard_simulator::erlang::ErlangC;
use switchboard_simulator::report::Report;
use switchboard_simulator::{
    ChannelTraffic, Durations, Job, Mix, Options, Progress, Recorded, RecordedArrival, StatusEvent, Traffic, compare,
};

fn quick() -> Options {
    Options { seeds: 6, ..Options::default() }
}

fn compared(today: &Directory, draft: &Directory, traffic: &Traffic, options: &Options) -> Report {
    compare(today, draft, traffic, options, &mut |_| {}).expect("a comparison")
}

/// One chat at a time for everybody.
fn one_at_a_time() -> Value {
    let mut value = house();
    for user in value["users"].as_array_mut().expect("users") {
        user["capacity"] = json!({"total": 1});
    }
    value
}

#[test]
fn r13_3_the_same_rules_twice_differ_in_nothing() {
    let house = directory(house());
    let report = compared(&house, &house, &generated(3, chats(90.0)), &quick());
    assert_eq!(report.today, report.draft);
    let zero =
        |estimate: switchboard_simulator::statistics::Estimate| (estimate.mean, estimate.low, estimate.high) == (0.0, 0.0, 0.0);
    assert!(zero(report.difference.mean_s) && zero(report.difference.within), "{:?}", report.difference);
    assert!(report.today.all.mean_s.mean > 0.0 && report.today.all.mean_s.low < report.today.all.mean_s.high);
}

#[test]
fn r13_3_a_comparison_does_not_depend_on_the_number_of_threads() {
    let (today, mut draft) = (directory(one_at_a_time()), one_at_a_time());
    case(&mut draft, 0)["distribution"] = json!("random");
    let (draft, traffic) = (directory(draft), generated(2, chats(60.0)));
    let with = |threads| compared(&today, &draft, &traffic, &Options { threads, ..quick() });
    assert_eq!(with(1), with(3));
}

#[test]
fn r13_3_fewer_people_make_waits_longer_and_say_so_clearly() {
    let (today, mut draft) = (directory(one_at_a_time()), one_at_a_time());
    case(&mut draft, 0)["target"] = json!({"kind": "users_and_teams", "members": [{"user": ADA}, {"user": BEN}]});
    let report = compared(&today, &directory(draft), &generated(4, chats(34.0)), &quick());
    assert!(report.difference.mean_s.low > 100.0, "{:?}", report.difference.mean_s);
    assert!(report.difference.within.high < -0.3 && report.difference.within.is_clear());
    assert_eq!(report.today.people.len(), 4);
    let idle: BTreeMap<&str, f64> = report.draft.people.iter().map(|person| (person.email.as_str(), person.idle.mean)).collect();
    assert!(idle["ada@example.org"] < 0.25 && (idle["dag@example.org"] - 1.0).abs() < 1e-9, "{idle:?}");
    // Work is conserved: the same number of open items, on fewer people.
    let load =
        |variant: &switchboard_simulator::report::Variant| variant.people.iter().map(|person| person.load.mean).sum::<f64>();
    assert!((load(&report.today) - 34.0 * 180.0 / 3_600.0).abs() < 0.1, "{}", load(&report.today));
    assert!((load(&report.today) - load(&report.draft)).abs() < 0.05);
}

#[test]
fn law_2_erlang_c_is_the_floor_and_a_pool_stands_on_it() {
    let house = directory(one_at_a_time());
    let report = compared(&house, &house, &generated(20, chats(64.0)), &Options { seeds: 12, ..quick() });
    let exact = ErlangC::new(4, 64.0 * 180.0 / 3_600.0, 180.0).unwrap();
    let floor_s = report.today.floor_s.expect("a steady pool has a floor");
    assert!((floor_s / exact.mean_wait_s - 1.0).abs() < 0.1, "{floor_s} and {}", exact.mean_wait_s);
    let gap = report.today.pooling_gap.expect("it has a gap");
    assert!(gap.low < 1.1 && gap.high > 0.9 && gap.high - gap.low < 0.5, "{gap:?}");
}

#[test]
fn pooling_gap_grows_when_people_are_divided_up() {
    let (today, mut draft) = (one_at_a_time(), one_at_a_time());
    let members = |first: usize| json!([{"user": 101 + first}, {"user": 102 + first}]);
    let mut second = draft["channels"][0].clone();
    second["id"] = json!(13);
    second["slug"] = json!("chat_two");
    let mut whole = today;
    whole["channels"].as_array_mut().unwrap().push(second.clone());
    draft["channels"].as_array_mut().unwrap().push(second);
    for (place, first) in [(0, 0), (2, 2)] {
        case(&mut draft, place)["target"] = json!({"kind": "users_and_teams", "members": members(first)});
    }
    let Traffic::Generated(mut traffic) = generated(8, chats(30.0)) else { unreachable!("it was generated") };
    traffic.channels.insert("chat_two".to_owned(), chats(30.0));
    let report = compared(&directory(whole), &directory(draft), &Traffic::Generated(traffic), &quick());
    let [today, draft] = [&report.today, &report.draft].map(|variant| variant.pooling_gap.expect("a gap").mean);
    assert!((today - 1.0).abs() < 0.25 && draft > 1.8, "{today} and {draft}");
    assert_eq!(report.differences.keys().collect::<Vec<_>>(), ["chat", "chat_two"]);
}

/// A third of the chats need billing, which Ada alone has.
fn billing(demand: Value) -> (Directory, ChannelTraffic) {
    let mut value = one_at_a_time();
    value["users"][0]["skills"] = json!([{"skill": SKILL, "level": 3}]);
    value["workspaces"][0]["skill_rules"] =
        json!([{"when": {"is": {"field": "message.subject", "values": ["invoice"]}}, "demands": [demand]}]);
    let facts = BTreeMap::from([("message.subject".to_owned(), "Invoice".to_owned())]);
    let mix = vec![Mix { share: 0.33, facts, priority: Priority::Normal, due_min: None, contact_owner: None }];
    (directory(value), ChannelTraffic { mix, ..chats(45.0) })
}

#[test]
fn r8_2_a_skill_demand_has_its_price_in_seconds_of_waiting() {
    let wanted = json!({"kind": "skill", "skill": SKILL, "min_level": 2});
    let (required, traffic) = billing(json!({"wanted": wanted, "required": true}));
    let report = compared(&required, &required, &generated(6, traffic.clone()), &quick());
    let [price] = &report.demands[..] else { panic!("one demand is priced: {:?}", report.demands) };
    assert_eq!(price.name, "The inbox, skill rule 1: Billing from level 2, required");
    assert!(price.price_s.low > 20.0, "{:?}", price.price_s);
    // Among equally fast people a preference costs nothing, to the last digit (law 1).
    let (preferred, _) = billing(json!({"wanted": wanted, "required": false}));
    let report = compared(&preferred, &preferred, &generated(6, traffic), &quick());
    let price = &report.demands[0].price_s;
    assert_eq!((price.mean, price.low, price.high), (0.0, 0.0, 0.0));
}

#[test]
fn impatience_and_missed_offers_are_counted() {
    let house = directory(one_at_a_time());
    let patience = Some(Durations::Exponential { mean_s: 90.0 });
    let missed = toml::from_str("probability = 0.1\nblocks = { kind = \"fixed\", mean_s = 20 }\n").unwrap();
    let traffic = ChannelTraffic { patience, missed: Some(missed), ..chats(80.0) };
    let report = compared(&house, &house, &generated(5, traffic), &quick());
    let chat = &report.today.channels["chat"];
    assert!((0.05..0.4).contains(&chat.waits.abandoned.mean), "{:?}", chat.waits.abandoned);
    assert_eq!(chat.target_s, 60.0);
    assert!(report.today.pooling_gap.is_some(), "with patience the floor is Erlang A");
}

#[test]
fn more_work_than_people_has_a_simulated_floor_and_says_what_still_waits() {
    let house = directory(one_at_a_time());
    let options = Options { drain_h: 0.5, seeds: 2, ..Options::default() };
    let report = compared(&house, &house, &generated(1, chats(110.0)), &options);
    let why = report.today.not_exact.as_ref().expect("a reason");
    assert!(why.contains("24 of 24 hours"), "{why}");
    // The pool is run itself, and these people are one already.
    let gap = report.today.pooling_gap.expect("a gap");
    assert_eq!((gap.mean, gap.low, gap.high), (1.0, 1.0, 1.0));
    assert!(report.notes.iter().any(|note| note.contains("still wait")), "{:?}", report.notes);
}

#[test]
fn runs_are_counted_as_they_end() {
    let house = directory(house());
    let mut seen = Vec::new();
    compare(&house, &house, &generated(1, chats(10.0)), &Options { seeds: 3, ..quick() }, &mut |progress| seen.push(progress))
        .unwrap();
    assert_eq!(seen, (1..=6).map(|done| Progress { done, total: 6 }).collect::<Vec<_>>());
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let house = directory(house());
    let traffic = generated(2, chats(10.0));
    let targets_s = BTreeMap::from([("chta".to_owned(), 20.0)]);
    for options in [
        Options { seeds: 0, ..quick() },
        Options { drain_h: -1.0, ..quick() },
        Options { warm_up_h: Some(48.0), ..quick() },
        Options { targets_s, ..quick() },
    ] {
        assert!(compare(&house, &house, &traffic, &options, &mut |_| {}).is_err(), "{options:?}");
    }
    let short = generated(2, chats(10.0));
    assert!(compare(&house, &house, &short, &quick(), &mut |_| {}).is_ok());
}

#[test]
fn a_team_without_an_owner_and_what_is_unassigned_are_shares_and_not_waits() {
    let (today, mut draft) = (directory(house()), house());
    draft["channels"][0]["workspace"] = json!(2);
    case(&mut draft, 0)["target"] = json!({"kind": "team_only", "team": TEAM});
    let report = compared(&today, &directory(draft), &generated(2, chats(20.0)), &quick());
    assert_eq!(report.draft.all.to_team.mean, 1.0);
    assert_eq!((report.draft.all.within.mean, report.draft.all.mean_s.mean), (0.0, 0.0));
}

/// A week of chats in office hours as it might have been recorded: every second one closed, Ben away on Wednesday and until nine
/// on Thursday.
fn recorded() -> Recorded {
    let Traffic::Generated(mut profile) = generated(7, chats(0.0)) else { unreachable!("it was generated") };
    let day = [0, 0, 0, 0, 0, 0, 0, 0, 30, 60, 60, 40, 50, 60, 50, 30, 0, 0, 0, 0, 0, 0, 0, 0].map(f64::from);
    profile.channels.insert("chat".to_owned(), ChannelTraffic { per_hour: day.to_vec(), ..chats(0.0) });
    let start = "2027-02-01T00:00:00Z".parse::<jiff::Timestamp>().expect("an instant").as_millisecond();
    let at = |hours: i64, value| StatusEvent { at: Timestamp(start + hours * HOUR_MS), user: BEN, value };
    let jobs = Traffic::Generated(profile).draw(&[&directory(house())], 77).jobs;
    let arrival = |(index, job): (usize, Job)| RecordedArrival {
        at: job.at,
        channel: job.channel,
        event: job.event,
        contact: job.contact,
        facts: job.facts,
        previous_owner: None,
        priority: job.priority,
        due_in_ms: None,
        service_ms: index.is_multiple_of(2).then_some(job.service_ms),
    };
    Recorded {
        arrivals: jobs.into_iter().enumerate().map(arrival).collect(),
        statuses: vec![at(48, StatusValue::Away), at(80, StatusValue::Available)],
        ..Recorded::default()
    }
}

#[test]
fn r13_3_recorded_traffic_is_run_through_both_with_the_statuses_of_history() {
    let mut today = one_at_a_time();
    for user in today["users"].as_array_mut().expect("users") {
        user["hours"] = json!(["mon-fri 08:00-17:00"]);
    }
    let mut draft = today.clone();
    let asks = json!({"is": {"field": "message.language", "values": ["nb"]}});
    let mut first = case(&mut draft, 0).clone();
    first["when"] = asks;
    draft["channels"][0]["rule"]["cases"].as_array_mut().expect("cases").insert(0, first);
    let report = compared(&directory(today), &directory(draft), &Traffic::Recorded(recorded()), &quick());
    assert!(report.traffic.recorded && report.traffic.arrivals.low == report.traffic.arrivals.high);
    // Five days of nine hours but for what is before the first arrival; the weekend has arrivals but no shifts.
    let hours: BTreeMap<&str, f64> =
        report.today.people.iter().map(|person| (person.email.as_str(), person.available_h)).collect();
    assert!((hours["ada@example.org"] - 45.0).abs() < 0.05 && (hours["ben@example.org"] - 35.0).abs() < 0.05, "{hours:?}");
    // The new case sends the same work to the same people.
    assert_eq!(report.difference.mean_s.mean, 0.0);
    insta::assert_snapshot!(report.notes.join("\n"), @r"
    the draft asks for `message.language`, which no recorded arrival has
    how long 1329 of 2659 arrivals took is not known; they take as long as others
    ");
    assert!(report.today.not_exact.as_ref().is_some_and(|why| why.contains("more work comes")), "the weekend has nobody");
    assert!(report.today.pooling_gap.is_some_and(|gap| (gap.mean - 1.0).abs() < 1e-6), "they are one pool already");
}
