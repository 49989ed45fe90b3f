//! ROUTING 14.3: service targets, and the clock they run by.

use crate::support::{DAY_MS, DESK, Edit, HOUR_MS, INBOX, MINUTE_MS, at, directory, hours};
use switchboard_core::{Pause, SlaClock, SlaFacts, due_at, validate};
use switchboard_model::{Directory, Sla, Timestamp};

/// A clock with these hours in a zone.
fn office(zone: &str, spans: &[&str]) -> Sla {
    Sla { zone: zone.to_owned(), hours: hours(spans), ..Sla::default() }
}

/// When so many minutes from an instant are over.
fn after(sla: &Sla, from: &str, minutes: u32) -> Option<Timestamp> {
    let mut directory = directory();
    let dates = ["2027-05-17", "2027-05-06"].map(|date| date.parse().expect("a date"));
    directory.holidays.insert("norway".to_owned(), dates.into());
    SlaClock::new(&directory, sla).after_minutes(at(from), minutes)
}

/// Facts of an item created on a Monday morning that nobody has answered.
fn fresh() -> SlaFacts {
    let created_at = at("2027-02-01T09:00:00Z");
    SlaFacts { created_at, first_replied: false, unanswered_since: Some(created_at), paused: false, pauses: Vec::new() }
}

/// First reply within an hour, next within two, closed within a day; the clock always runs.
fn targets() -> Sla {
    Sla { first_reply_min: Some(60), next_reply_min: Some(120), close_min: Some(1_440), ..Sla::default() }
}

/// Minutes from the creation to the next breach.
fn due_min(sla: Sla, facts: &SlaFacts) -> Option<i64> {
    let mut directory = directory();
    directory.place(DESK).sla = Some(sla);
    assert_eq!(due_at(&directory, INBOX, facts), None, "a workspace without targets");
    due_at(&directory, DESK, facts).map(|due| due.ms_since(facts.created_at) / MINUTE_MS)
}

#[test]
fn r14_3_without_hours_the_clock_always_runs() {
    assert_eq!(after(&Sla::default(), "2027-02-06T23:30:00Z", 90), Some(at("2027-02-07T01:00:00Z")));
}

#[test]
fn r14_3_minutes_count_in_working_hours_only() {
    let sla = office("UTC", &["mon-fri 08:00-16:00"]);
    for (from, minutes, expected) in [
        ("2027-02-01T09:00:00Z", 60, "2027-02-01T10:00:00Z"),
        ("2027-02-01T09:00:00Z", 420, "2027-02-01T16:00:00Z"),
        ("2027-02-01T09:00:00Z", 421, "2027-02-02T08:01:00Z"),
        ("2027-02-01T07:00:00Z", 1, "2027-02-01T08:01:00Z"),
        ("2027-02-05T15:30:00Z", 60, "2027-02-08T08:30:00Z"),
        ("2027-02-06T12:00:00Z", 480, "2027-02-08T16:00:00Z"),
        ("2027-02-01T08:00:00Z", 4_800, "2027-02-12T16:00:00Z"),
    ] {
        assert_eq!(after(&sla, from, minutes), Some(at(expected)), "{minutes} minutes from {from}");
    }
}

#[test]
fn r14_3_the_clock_keeps_time_where_other_clocks_are_changed() {
    let nights = office("Europe/Oslo", &["sun 00:00-06:00"]);
    // In spring the hour from two to three is skipped, in autumn it comes twice.
    assert_eq!(after(&nights, "2027-03-27T23:00:00Z", 180), Some(at("2027-03-28T04:00:00+02:00")));
    assert_eq!(after(&nights, "2027-03-27T23:00:00Z", 301), Some(at("2027-04-04T00:01:00+02:00")));
    assert_eq!(after(&nights, "2027-10-30T22:00:00Z", 180), Some(at("2027-10-31T02:00:00+01:00")));
    assert_eq!(after(&nights, "2027-10-30T22:00:00Z", 420), Some(at("2027-10-31T06:00:00+01:00")));
}

#[test]
fn r14_3_the_clock_stands_on_holidays() {
    let sla = Sla { holidays: vec!["norway".to_owned()], ..office("Europe/Oslo", &["mon-fri 08:00-16:00"]) };
    assert_eq!(after(&sla, "2027-05-14T15:00:00+02:00", 120), Some(at("2027-05-18T09:00:00+02:00")));
    let always = Sla { hours: hours(&[]), ..sla };
    assert_eq!(after(&always, "2027-05-16T23:00:00+02:00", 120), Some(at("2027-05-18T01:00:00+02:00")));
}

#[test]
fn r14_3_a_year_of_working_minutes_can_be_told_and_hours_in_no_known_zone_cannot() {
    let sla = office("UTC", &["mon 09:00-10:00", "mon 11:00-12:00"]);
    assert_eq!(after(&sla, "2027-02-01T09:00:00Z", 120 * 52), Some(at("2028-01-24T12:00:00Z")));
    assert_eq!(after(&office("Nowhere/Else", &["mon 09:00-10:00"]), "2027-02-01T09:00:00Z", 1), None);
}

#[test]
fn r14_3_the_first_reply_is_due_until_there_is_one_then_the_next() {
    assert_eq!(due_min(targets(), &fresh()), Some(60));
    let asked = Some(fresh().created_at.plus_ms(30 * MINUTE_MS));
    assert_eq!(due_min(targets(), &SlaFacts { unanswered_since: asked, ..fresh() }), Some(60), "from the creation");
    let replied = SlaFacts { first_replied: true, unanswered_since: asked, ..fresh() };
    assert_eq!(due_min(targets(), &replied), Some(150));
    assert_eq!(due_min(targets(), &SlaFacts { unanswered_since: None, ..replied.clone() }), Some(1_440));
    assert_eq!(due_min(Sla { first_reply_min: None, ..targets() }, &fresh()), Some(1_440));
    assert_eq!(due_min(Sla { next_reply_min: None, ..targets() }, &replied), Some(1_440));
}

#[test]
fn r14_3_the_earliest_of_the_running_targets_counts() {
    assert_eq!(due_min(Sla { close_min: Some(45), ..targets() }, &fresh()), Some(45));
    let only_close = Sla { close_min: Some(500), ..Sla::default() };
    assert_eq!(due_min(only_close, &fresh()), Some(500));
    let late = SlaFacts { first_replied: true, unanswered_since: Some(fresh().created_at.plus_ms(DAY_MS)), ..fresh() };
    assert_eq!(due_min(targets(), &late), Some(1_440), "the end is due before the next reply");
}

#[test]
fn r14_3_nothing_is_due_while_the_item_is_paused_and_pauses_are_made_up_for() {
    assert_eq!(due_min(targets(), &SlaFacts { paused: true, ..fresh() }), None);
    let pause = |from_min: i64, to_min: i64| Pause {
        from: fresh().created_at.plus_ms(from_min * MINUTE_MS),
        to: fresh().created_at.plus_ms(to_min * MINUTE_MS),
    };
    for (pauses, expected) in [
        (vec![pause(10, 40)], 90),
        (vec![pause(30, 50), pause(10, 40)], 100),
        (vec![pause(-20, 10), pause(60, 70)], 80),
        (vec![pause(-20, -10), pause(59, 60), pause(61, 100), pause(5, 5)], 61),
        (vec![pause(60, 100)], 60),
    ] {
        let facts = SlaFacts { pauses: pauses.clone(), ..fresh() };
        assert_eq!(due_min(targets(), &facts), Some(expected), "{pauses:?}");
    }
}

#[test]
fn r14_3_a_pause_over_night_costs_working_time_only() {
    let mut directory = directory();
    directory.place(DESK).sla = Some(Sla { close_min: Some(540), ..office("UTC", &["mon-fri 08:00-16:00"]) });
    let pause = Pause { from: at("2027-02-01T15:00:00Z"), to: at("2027-02-02T09:00:00Z") };
    let facts = SlaFacts { pauses: vec![pause], ..fresh() };
    assert_eq!(due_at(&directory, DESK, &facts), Some(at("2027-02-02T12:00:00Z")));
}

#[test]
fn r14_3_targets_and_their_clock_are_checked_on_save() {
    let check = |sla: Sla, expected: &[&str]| {
        let mut directory: Directory = directory();
        directory.place(INBOX).sla = Some(sla);
        let found: Vec<String> = validate(&directory).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    };
    check(targets(), &[]);
    check(Sla::default(), &["workspaces.\"inbox\".sla: names no target; set `first_reply_min`, `next_reply_min` or `close_min`"]);
    let odd = Sla { first_reply_min: Some(0), close_min: Some(600_000), ..office("Mars/Base", &["mon 09:00-10:00"]) };
    check(
        Sla { holidays: vec!["mars".to_owned()], ..odd },
        &[
            "workspaces.\"inbox\".sla.first_reply_min: 0 minutes; 1 to 527040 are allowed, leave it out to set no target",
            "workspaces.\"inbox\".sla.close_min: 600000 minutes; 1 to 527040 are allowed, leave it out to set no target",
            "workspaces.\"inbox\".sla.zone: unknown time zone `Mars/Base`, write one such as `Europe/Oslo`",
            "workspaces.\"inbox\".sla.holidays[0]: unknown holiday calendar `mars`; there is none yet",
        ],
    );
    check(Sla { zone: "Mars/Base".to_owned(), ..targets() }, &[]);
}

#[test]
fn r14_3_the_clock_agrees_with_a_count_minute_by_minute() {
    let mut directory = directory();
    let clocked = [
        office("Europe/Oslo", &["mon-fri 07:30-15:45", "sat 22:00-03:00"]),
        office("America/New_York", &["mon-sun 01:00-03:30"]),
        Sla { holidays: vec!["days".to_owned()], ..office("Asia/Kolkata", &["mon-fri 09:00-17:00"]) },
    ];
    directory.holidays.insert("days".to_owned(), ["2027-11-05".parse().expect("a date")].into());
    for sla in clocked {
        // A target of one minute is due a minute later exactly while the clock runs.
        let mut clock = SlaClock::new(&directory, &sla);
        let (from, mut worked) = (at("2027-10-28T00:00:00Z"), 0);
        for minute in 1..=(14 * DAY_MS / MINUTE_MS) {
            let start = from.plus_ms((minute - 1) * MINUTE_MS);
            if clock.after_minutes(start, 1) == Some(start.plus_ms(MINUTE_MS)) {
                worked += 1;
                if worked % 97 == 0 {
                    assert_eq!(clock.after_minutes(from, worked), Some(start.plus_ms(MINUTE_MS)), "{worked} minutes of {sla:?}");
                }
            }
        }
        assert!(i64::from(worked) * MINUTE_MS > 10 * HOUR_MS, "the clock ran");
    }
}
