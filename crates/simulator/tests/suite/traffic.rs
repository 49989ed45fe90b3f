//! Traffic that is drawn, and traffic that is refused.

use crate::house::{ADA, CHAT, HOUR_MS, MAIL, chats, directory, generated, house};
use std::collections::BTreeMap;
use switchboard_model::{FactField, Priority, RouteEvent, Timestamp};
use switchboard_simulator::{Durations, Generated, Job, Recorded, RecordedArrival, Traffic};

fn recorded(arrivals: usize, closed: usize) -> Recorded {
    let arrival = |index: usize| {
        let number = i64::try_from(index).expect("a small number");
        let job = Job::new(Timestamp(1_801_440_000_000 + number * 60_000), CHAT);
        RecordedArrival {
            at: job.at,
            channel: if index.is_multiple_of(2) { CHAT } else { MAIL },
            event: RouteEvent::Arrived,
            contact: job.contact,
            facts: job.facts,
            previous_owner: None,
            priority: Priority::Normal,
            due_in_ms: None,
            service_ms: (index < closed).then_some(number * 1_000),
        }
    };
    Recorded { arrivals: (0..arrivals).map(arrival).collect(), ..Recorded::default() }
}

fn faults(traffic: &Traffic) -> String {
    traffic.check(&[&directory(house())]).expect_err("it is refused").to_string()
}

#[test]
fn r13_3_too_little_history_is_an_error_that_says_what_to_do() {
    insta::assert_snapshot!(faults(&Traffic::Recorded(recorded(199, 59))), @r#"
the traffic cannot be simulated
  traffic.arrivals: 199 arrivals are too few for a comparison, which needs 200; take a longer stretch of history, or generate traffic from a profile
  traffic.service.mail: 29 closed items of this channel are too few to know how long they take, which needs 30; take a longer stretch of history, or say how long they take
"#);
}

#[test]
fn enough_history_is_accepted_and_given_times_make_up_for_missing_ones() {
    let house = directory(house());
    assert!(Traffic::Recorded(recorded(200, 60)).check(&[&house]).is_ok());
    assert!(Traffic::Recorded(recorded(200, 58)).check(&[&house]).is_err());
    let mut given = recorded(200, 0);
    given.service = [CHAT, MAIL].map(|channel| (channel, Durations::Exponential { mean_s: 60.0 })).into();
    assert!(Traffic::Recorded(given).check(&[&house]).is_ok());
}

#[test]
fn every_fault_of_a_traffic_file_is_named_at_once() {
    let file = r#"
days = 0
[channels.chta]
per_hour = [1, -2, 3]
service = { kind = "exponential", mean_s = -1 }
[channels.chat]
per_hour = [0]
service = { kind = "log_normal", mean_s = 100, cv = 1 }
missed = { probability = 1.0, blocks = { kind = "fixed", mean_s = 20 } }
mix = [{ share = 0.7 }, { share = 0.6, facts = { "message.lang" = "nb" }, contact_owner = "eda@example.org" }]
"#;
    let generated: Generated = toml::from_str(file).expect("it can be read");
    insta::assert_snapshot!(faults(&Traffic::Generated(generated)), @r#"
the traffic cannot be simulated
  traffic.days: `0` days are not possible; 1 to 366 are
  traffic.channels.chat.missed.probability: `1` is not possible; from 0 to 1, 1 excluded
  traffic.channels.chat.mix: shares are 0 to 1 and at most 1 together, not 1.300
  traffic.channels.chat.mix[1].facts: unknown fact `message.lang`; did you mean `message.language`?
  traffic.channels.chat.mix[1].contact_owner: unknown user `eda@example.org`; did you mean `ada@example.org`?
  traffic.channels.chta: unknown channel `chta`; did you mean `chat`?
  traffic.channels.chta.per_hour: has 3 numbers; 1 for all hours, 24 for a day or 168 for a week
  traffic.channels.chta.per_hour: -2 is not between 0 and 1000000
  traffic.channels.chta.service: `mean_s` is -1; 0 to 316224000 seconds are possible
"#);
}

#[test]
fn drawn_arrivals_follow_the_hours_of_the_channels_zone_and_the_mix() {
    let file = r#"
days = 28
[channels.chat]
per_hour = [0, 0, 0, 0, 0, 0, 0, 0, 40, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10]
service = { kind = "exponential", mean_s = 100 }
mix = [{ share = 0.25, facts = { "message.language" = "nb" }, priority = "high", due_min = 5, contact_owner = "ada@example.org" }]
"#;
    let generated: Generated = toml::from_str(file).expect("it can be read");
    let house = directory(house());
    let traffic = Traffic::Generated(generated);
    traffic.check(&[&house]).expect("it is sound");
    let load = traffic.draw(&[&house], 3);
    assert!(load.jobs.is_sorted_by_key(|job| job.at));
    let mut by_hour: BTreeMap<i64, usize> = BTreeMap::new();
    for job in &load.jobs {
        // Oslo is an hour ahead of UTC in February.
        *by_hour.entry((job.at.0 / HOUR_MS + 1) % 24).or_default() += 1;
    }
    assert_eq!(by_hour.keys().copied().collect::<Vec<i64>>(), [8, 9, 23]);
    for (hour, expected) in [(8, 40.0 * 28.0), (9, 20.0 * 28.0), (23, 10.0 * 28.0)] {
        let off = by_hour[&hour] as f64 - expected;
        assert!(off.abs() < 4.0 * f64::sqrt(expected), "hour {hour}: off by {off} of {expected}");
    }
    let field = FactField("message.language".to_owned());
    let sorted: Vec<&Job> = load.jobs.iter().filter(|job| job.facts.contains_key(&field)).collect();
    let share = sorted.len() as f64 / load.jobs.len() as f64;
    assert!((share - 0.25).abs() < 0.04, "{share}");
    for job in sorted {
        assert_eq!((job.priority, job.contact.owner), (Priority::High, Some(ADA)));
        assert_eq!(job.due_at, Some(job.at.plus_ms(300_000)));
        assert_eq!(job.facts[&FactField("contact.has_owner".to_owned())], "true");
    }
    let hourly = traffic.hourly(&[&house]);
    assert!((hourly.iter().sum::<f64>() - 28.0 * 70.0).abs() < 1e-6 && hourly.len() == 28 * 24);
}

#[test]
fn the_same_seed_draws_the_same_load_and_another_seed_another() {
    let (house, traffic) = (directory(house()), generated(2, chats(30.0)));
    assert!(traffic.draw(&[&house], 5) == traffic.draw(&[&house], 5));
    assert!(traffic.draw(&[&house], 5) != traffic.draw(&[&house], 6));
}

#[test]
fn recorded_services_are_as_they_were_at_seed_0_and_drawn_from_them_at_others() {
    let history = recorded(400, 300);
    let (house, traffic) = (directory(house()), Traffic::Recorded(history.clone()));
    let services = |seed| traffic.draw(&[&house], seed).jobs.iter().map(|job| job.service_ms).collect::<Vec<i64>>();
    let known: Vec<i64> = history.arrivals.iter().filter_map(|arrival| arrival.service_ms).collect();
    assert_eq!(services(0)[..300], known);
    assert!(services(1)[..300] != known);
    for (service_ms, arrival) in services(1).iter().zip(&history.arrivals) {
        let of_channel = history.arrivals.iter().filter(|other| other.channel == arrival.channel);
        assert!(of_channel.filter_map(|other| other.service_ms).any(|known| known == *service_ms), "{service_ms}");
    }
}

#[test]
fn the_files_of_the_readme_are_read() {
    #[derive(serde::Deserialize)]
    struct File {
        test: Vec<switchboard_simulator::RuleTest>,
    }
    let blocks: Vec<&str> =
        include_str!("../../README.md").split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [profile, tests] = blocks[..] else { panic!("two files: {blocks:?}") };
    let traffic = Traffic::Generated(toml::from_str(profile).expect("a profile"));
    traffic.check(&[&directory(house())]).expect("a sound one");
    assert_eq!(toml::from_str::<File>(tests).expect("tests").test.len(), 2);
}
