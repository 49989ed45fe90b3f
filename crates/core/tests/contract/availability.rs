//! ROUTING 4: availability, working hours across zones and clock changes, channel hours.

use crate::support::{
    ADA, BEN, CHAT, DAY_MS, Edit, HOUR_MS, MAIL, MINUTE_MS, TICKETS, World, absence, at, check, directory, hours, monday, people,
};
use switchboard_model::{
    Case, LoadGroup, OutOfOffice, OutsideHours, StatusOrigin, StatusValue, Target, Timestamp, UnavailableCause, ZoneData,
};

/// A world in which Ada works these hours in this zone, beginning at an instant.
fn shifts(zone: &str, spans: &[&str], absences: &[OutOfOffice], start: &str) -> World {
    let mut directory = directory();
    let ada = directory.person(ADA);
    (ada.zone, ada.hours, ada.out_of_office) = (zone.to_owned(), hours(spans), absences.to_vec());
    directory.route(TICKETS, Case::new(people(&[ADA])));
    let mut world = World::silent(directory);
    world.now = at(start);
    world.status(ADA, StatusValue::Available, StatusOrigin::Initial);
    world
}

/// Compares Ada's availability at instants with `in` or a cause; a router that lives through them and one that is
/// asked ahead must both say so.
fn check_times(mut world: World, expected: &[(&str, &str)]) {
    let ahead = world.router.clone();
    for (time, answer) in expected {
        let now = at(time);
        world.now = now;
        world.step(&switchboard_model::Input::Tick);
        for (router, whose) in [(&world.router, "lived through"), (&ahead, "asked ahead")] {
            let found = router.availability(ADA, now);
            assert_eq!(found.cause.map_or("in", UnavailableCause::as_str), *answer, "at {time}, {whose}");
            assert_eq!(found.available, *answer == "in");
        }
        let arrival = world.arrival(TICKETS);
        let decision = world.router.explain(now, &arrival).decision;
        assert_eq!(decision.eligible == 1, *answer == "in", "the decision at {time}");
    }
}

#[test]
fn r4_1_status_hours_and_absences_all_have_to_agree() {
    let holiday = absence("2027-02-02T12:00:00Z", "2027-02-03T12:00:00Z");
    let world = shifts("UTC", &["mon-fri 08:00-16:00"], &[holiday], "2027-02-01T07:00:00Z");
    check_times(
        world,
        &[
            ("2027-02-01T07:59:59.999Z", "outside_hours"),
            ("2027-02-01T08:00:00Z", "in"),
            ("2027-02-01T15:59:59.999Z", "in"),
            ("2027-02-01T16:00:00Z", "outside_hours"),
            ("2027-02-02T11:59:59.999Z", "in"),
            ("2027-02-02T12:00:00Z", "out_of_office"),
            ("2027-02-03T12:00:00Z", "in"),
            ("2027-02-06T10:00:00Z", "outside_hours"),
        ],
    );
}

#[test]
fn r4_1_who_is_unknown_is_unavailable_and_no_hours_mean_always_inside() {
    let mut world = World::silent(directory());
    world.edit(|directory| directory.route(TICKETS, Case::new(people(&[ADA, BEN]))));
    world.status(BEN, StatusValue::Available, StatusOrigin::Initial);
    world.now = at("2027-02-07T03:00:00Z");
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 101 away, 102 chosen");
}

#[test]
fn r4_1_hours_in_an_unknown_zone_or_with_unreadable_data_are_never_inside() {
    for data in [None, Some("bm8gemljIGZpbGU="), Some("§")] {
        let mut directory = directory();
        directory.zones.remove("Europe/Oslo");
        directory.zones.extend(data.map(|data| ("Europe/Oslo".to_owned(), ZoneData(data.to_owned()))));
        let ada = directory.person(ADA);
        (ada.zone, ada.hours) = ("Europe/Oslo".to_owned(), hours(&["mon-sun 00:00-24:00"]));
        let mut world = World::new(directory);
        world.by_hand(ADA, StatusValue::Available);
        assert_eq!(world.router.availability(ADA, world.now).cause, Some(UnavailableCause::OutsideHours), "{data:?}");
    }
}

#[test]
fn r4_1_finishing_keeps_work_and_gets_none() {
    let mut world = World::with_case(TICKETS, Case::new(people(&[ADA])));
    world.give(ADA, LoadGroup::TicketEmailOther, 0);
    world.by_hand(ADA, StatusValue::Finishing);
    assert_eq!(world.router.open(ADA), 1);
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "unassigned nobody_eligible | users_and_teams: 101 away");
}

#[test]
fn r4_2_away_set_by_hand_during_a_shift_ends_at_the_next_shift_start() {
    for value in [StatusValue::Away, StatusValue::Finishing] {
        let mut world = shifts("UTC", &["mon-fri 08:00-12:00", "mon-fri 13:00-17:00"], &[], "2027-02-01T08:00:00Z");
        world.by_hand(ADA, value);
        check_times(world, &[("2027-02-01T11:00:00Z", "away"), ("2027-02-01T12:30:00Z", "away"), ("2027-02-01T13:00:00Z", "in")]);
    }
}

#[test]
fn r4_2_away_set_outside_hours_stays_until_changed() {
    let mut world = shifts("UTC", &["mon-fri 08:00-16:00"], &[], "2027-02-01T16:00:00Z");
    world.by_hand(ADA, StatusValue::Away);
    check_times(world, &[("2027-02-02T08:00:00Z", "away"), ("2027-03-02T09:00:00Z", "away")]);
}

#[test]
fn r4_2_without_a_next_shift_start_away_stays_until_changed() {
    for spans in [&[][..], &["mon-sun 00:00-24:00"]] {
        let mut world = shifts("Europe/Oslo", spans, &[], "2027-03-20T10:00:00Z");
        world.by_hand(ADA, StatusValue::Away);
        check_times(world, &[("2027-03-22T10:00:00Z", "away"), ("2027-04-20T10:00:00Z", "away")]);
    }
}

#[test]
fn r4_2_available_set_outside_hours_or_absent_holds_until_the_next_boundary() {
    let mut world = shifts("UTC", &["mon-fri 08:00-16:00"], &[], "2027-02-01T18:00:00Z");
    world.by_hand(ADA, StatusValue::Available);
    check_times(
        world,
        &[("2027-02-01T23:00:00Z", "in"), ("2027-02-02T08:00:00Z", "in"), ("2027-02-02T16:00:00Z", "outside_hours")],
    );
    let week = absence("2027-02-01T00:00:00Z", "2027-02-06T00:00:00Z");
    let mut world = shifts("UTC", &["mon-fri 08:00-16:00"], &[week], "2027-02-02T10:00:00Z");
    world.by_hand(ADA, StatusValue::Available);
    check_times(
        world,
        &[
            ("2027-02-02T15:59:00Z", "in"),
            ("2027-02-02T16:00:00Z", "out_of_office"),
            ("2027-02-03T09:00:00Z", "out_of_office"),
            ("2027-02-06T00:00:00Z", "outside_hours"),
            ("2027-02-08T08:00:00Z", "in"),
        ],
    );
}

#[test]
fn r4_2_an_initial_status_never_overrides_hours() {
    let world = shifts("UTC", &["mon-fri 08:00-16:00"], &[], "2027-02-01T18:00:00Z");
    check_times(world, &[("2027-02-01T18:00:00Z", "outside_hours"), ("2027-02-02T08:00:00Z", "in")]);
    let mut world = shifts("UTC", &["mon-fri 08:00-16:00"], &[], "2027-02-01T09:00:00Z");
    world.status(ADA, StatusValue::Away, StatusOrigin::Initial);
    check_times(world, &[("2027-02-02T08:00:00Z", "away")]);
}

#[test]
fn r4_2_spans_across_midnight_belong_to_the_day_they_start_on() {
    let world = shifts("Asia/Kolkata", &["fri 22:00-06:00"], &[], "2027-02-01T00:00:00Z");
    check_times(
        world,
        &[
            ("2027-02-05T21:59:00+05:30", "outside_hours"),
            ("2027-02-05T22:00:00+05:30", "in"),
            ("2027-02-06T05:59:59+05:30", "in"),
            ("2027-02-06T06:00:00+05:30", "outside_hours"),
            ("2027-02-06T22:00:00+05:30", "outside_hours"),
        ],
    );
}

#[test]
fn r4_2_a_day_until_24_00_runs_into_the_next() {
    let mut world = shifts("UTC", &["mon 16:00-24:00", "tue 00:00-08:00"], &[], "2027-02-01T17:00:00Z");
    assert_eq!(world.router.availability(ADA, world.now).until, Some(at("2027-02-02T08:00:00Z")), "one shift, not two");
    world.by_hand(ADA, StatusValue::Away);
    check_times(world, &[("2027-02-02T00:00:00Z", "away"), ("2027-02-08T16:00:00Z", "in")]);
}

#[test]
fn r4_2_in_oslo_a_boundary_that_spring_skips_comes_at_the_jump() {
    // 2027-03-28: 02:00 becomes 03:00 at 01:00 UTC.
    let spans = ["sun 02:30-10:00"];
    check_times(
        shifts("Europe/Oslo", &spans, &[], "2027-03-27T00:00:00Z"),
        &[
            ("2027-03-28T00:59:59.999Z", "outside_hours"),
            ("2027-03-28T01:00:00Z", "in"),
            ("2027-03-28T08:00:00Z", "outside_hours"),
        ],
    );
    check_times(
        shifts("Europe/Oslo", &["sun 01:00-02:30"], &[], "2027-03-27T00:00:00Z"),
        &[("2027-03-28T00:00:00Z", "in"), ("2027-03-28T00:59:59.999Z", "in"), ("2027-03-28T01:00:00Z", "outside_hours")],
    );
    check_times(
        shifts("Europe/Oslo", &["sun 02:10-02:50"], &[], "2027-03-27T00:00:00Z"),
        &[("2027-03-28T01:00:00Z", "outside_hours"), ("2027-04-04T00:10:00Z", "in"), ("2027-04-04T00:50:00Z", "outside_hours")],
    );
}

#[test]
fn r4_2_in_oslo_a_boundary_that_autumn_repeats_counts_the_first_time() {
    // 2027-10-31: 03:00 becomes 02:00 at 01:00 UTC.
    check_times(
        shifts("Europe/Oslo", &["sun 02:30-10:00"], &[], "2027-10-30T00:00:00Z"),
        &[
            ("2027-10-31T00:29:59Z", "outside_hours"),
            ("2027-10-31T00:30:00Z", "in"),
            ("2027-10-31T01:10:00Z", "in"),
            ("2027-10-31T08:59:59Z", "in"),
            ("2027-10-31T09:00:00Z", "outside_hours"),
        ],
    );
    check_times(
        shifts("Europe/Oslo", &["sat 22:00-02:30"], &[], "2027-10-30T00:00:00Z"),
        &[("2027-10-31T00:29:59Z", "in"), ("2027-10-31T00:30:00Z", "outside_hours"), ("2027-10-31T01:10:00Z", "outside_hours")],
    );
}

#[test]
fn r4_2_night_shifts_are_an_hour_shorter_in_spring_and_longer_in_autumn() {
    let cases = [
        ("Europe/Oslo", "2027-03-27T22:00:00+01:00", 7),
        ("Europe/Oslo", "2027-10-30T22:00:00+02:00", 9),
        ("America/New_York", "2027-03-13T22:00:00-05:00", 7),
        ("America/New_York", "2027-11-06T22:00:00-04:00", 9),
    ];
    for (zone, start, length_hours) in cases {
        let mut world = shifts(zone, &["sat 22:00-06:00"], &[], "2027-01-01T00:00:00Z");
        world.now = at(start);
        let before = world.router.availability(ADA, world.now.plus_ms(-1));
        assert!(!before.available, "{zone}");
        let availability = world.router.availability(ADA, world.now);
        assert_eq!(availability.until, Some(world.now.plus_ms(length_hours * HOUR_MS)), "{zone} from {start}");
    }
}

#[test]
fn r4_2_a_zone_that_moves_its_clocks_by_half_an_hour_works() {
    // Lord Howe: on 2027-10-03 at 02:00 the clock goes to 02:30; on 2027-04-04 at 02:00 back to 01:30.
    for (start, length_ms) in
        [("2027-10-03T00:00:00+10:30", 5 * HOUR_MS + 30 * MINUTE_MS), ("2027-04-04T00:00:00+11:00", 6 * HOUR_MS + 30 * MINUTE_MS)]
    {
        let world = shifts("Australia/Lord_Howe", &["sun 00:00-06:00"], &[], "2027-01-01T00:00:00Z");
        let availability = world.router.availability(ADA, at(start));
        assert_eq!((availability.available, availability.until), (true, Some(at(start).plus_ms(length_ms))), "{start}");
    }
}

#[test]
fn r4_2_several_spans_a_day_work_week_after_week() {
    let world = shifts(
        "America/New_York",
        &["mon-fri 08:30-12:00", "mon-fri 12:30-17:00", "sat-sun 10:00-11:00"],
        &[],
        "2027-01-01T00:00:00Z",
    );
    for week in 0..60 {
        let monday = Timestamp(at("2027-01-04T12:00:00Z").0 + week * 7 * DAY_MS);
        let local_noon: jiff::Zoned = jiff::Timestamp::from_millisecond(monday.0)
            .unwrap()
            .in_tz("America/New_York")
            .unwrap()
            .date()
            .at(12, 0, 0, 0)
            .in_tz("America/New_York")
            .unwrap();
        let noon = Timestamp(local_noon.timestamp().as_millisecond());
        let offsets = [(-211, false), (-210, true), (-1, true), (0, false), (29, false), (30, true), (299, true), (300, false)];
        for (minutes, expected) in offsets {
            let found = world.router.availability(ADA, noon.plus_ms(minutes * MINUTE_MS)).available;
            assert_eq!(found, expected, "week {week}, {minutes} minutes from noon");
        }
    }
}

#[test]
fn r4_2_the_next_change_is_told_and_edges_without_effect_are_passed_over() {
    let week = absence("2027-02-01T00:00:00Z", "2027-02-08T12:00:00Z");
    let world = shifts("UTC", &["mon-fri 08:00-16:00"], &[week], "2027-02-02T10:00:00Z");
    let availability = world.router.availability(ADA, world.now);
    assert_eq!(availability.cause, Some(UnavailableCause::OutOfOffice));
    assert_eq!(availability.until, Some(at("2027-02-08T12:00:00Z")));
    let always = shifts("Europe/Oslo", &["mon-sun 00:00-24:00"], &[], "2027-02-02T10:00:00Z");
    let availability = always.router.availability(ADA, always.now);
    assert_eq!((availability.available, availability.until), (true, None), "hours without a gap never end");
    assert_eq!(world.router.availability(BEN, world.now).until, None, "somebody of unknown status is away until told otherwise");
}

#[test]
fn r4_5_going_away_leaves_owned_work_where_it_is() {
    let mut world = World::with_case(MAIL, Case::new(people(&[ADA])));
    world.arrive(MAIL);
    world.by_hand(ADA, StatusValue::Away);
    assert_eq!(world.router.open(ADA), 1);
    assert_eq!(world.router.state().owned.len(), 1);
}

#[test]
fn r4_6_outside_channel_hours_a_case_routes_or_leaves_unassigned_as_it_says() {
    let mut directory = directory();
    let channel = directory.feed(CHAT);
    (channel.hours, channel.zone) = (hours(&["mon-fri 10:00-15:00"]), "America/New_York".to_owned());
    let mut case = Case::new(people(&[ADA]));
    case.outside_hours = OutsideHours::Unassigned;
    directory.route(CHAT, case.clone());
    let mut world = World::new(directory);
    for (time, expected) in [
        ("2027-02-01T14:59:59Z", "unassigned outside_hours"),
        ("2027-02-01T15:00:00Z", "assigned 101 | users_and_teams: 101 chosen"),
        ("2027-02-01T19:59:59Z", "assigned 101 | users_and_teams: 101 chosen"),
        ("2027-02-01T20:00:00Z", "unassigned outside_hours"),
    ] {
        world.now = at(time);
        let arrival = world.arrival(CHAT);
        check(&mut world, &arrival, expected);
    }
    case.outside_hours = OutsideHours::Route;
    world.edit(|directory| directory.route(CHAT, case));
    let arrival = world.arrival(CHAT);
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen");
}

#[test]
fn r4_6_channel_hours_come_before_the_target_and_no_hours_are_always_open() {
    let mut case = Case::new(Target::Nobody);
    case.outside_hours = OutsideHours::Unassigned;
    let mut world = World::with_case(MAIL, case);
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned nobody");
    world.edit(|directory| directory.feed(MAIL).hours = hours(&["sat 10:00-11:00"]));
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned outside_hours");
}

#[test]
fn r4_6_channel_hours_in_an_unknown_zone_count_as_closed() {
    let mut world = World::with_case(MAIL, Case { outside_hours: OutsideHours::Unassigned, ..Case::new(people(&[ADA])) });
    world.edit(|directory| {
        let channel = directory.feed(MAIL);
        (channel.hours, channel.zone) = (hours(&["mon-sun 00:00-24:00"]), "Nowhere/Land".to_owned());
    });
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned outside_hours");
}

#[test]
fn r4_a_change_of_hours_is_felt_at_once() {
    let mut world = World::with_case(TICKETS, Case::new(people(&[ADA])));
    assert_eq!(world.now, monday());
    assert_eq!(world.taker(TICKETS), Some(ADA));
    world.edit(|directory| directory.person(ADA).hours = hours(&["mon 10:00-11:00"]));
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "unassigned nobody_eligible | users_and_teams: 101 outside_hours");
    world.now = at("2027-02-01T10:00:00Z");
    assert_eq!(world.taker(TICKETS), Some(ADA));
}

fn with_holidays(directory: &mut switchboard_model::Directory, dates: &[&str]) {
    let dates = dates.iter().map(|date| date.parse().expect("a date")).collect();
    directory.holidays.insert("norway".to_owned(), dates);
}

#[test]
fn r4_2_public_holidays_count_as_outside_hours_in_the_zone_of_whoever_keeps_them() {
    for spans in [&["mon-sun 00:00-24:00"][..], &[]] {
        let mut directory = directory();
        with_holidays(&mut directory, &["2027-05-17", "2027-05-18", "2027-10-31"]);
        let ada = directory.person(ADA);
        (ada.zone, ada.hours, ada.holidays) = ("Europe/Oslo".to_owned(), hours(spans), vec!["norway".to_owned()]);
        directory.route(TICKETS, Case::new(people(&[ADA])));
        let mut world = World::silent(directory);
        world.now = at("2027-05-01T00:00:00Z");
        world.status(ADA, StatusValue::Available, StatusOrigin::Initial);
        assert_eq!(world.router.availability(ADA, at("2027-05-16T00:00:00Z")).until, Some(at("2027-05-17T00:00:00+02:00")));
        check_times(
            world,
            &[
                ("2027-05-16T23:59:59.999+02:00", "in"),
                ("2027-05-17T00:00:00+02:00", "outside_hours"),
                ("2027-05-18T23:59:59.999+02:00", "outside_hours"),
                ("2027-05-19T00:00:00+02:00", "in"),
                ("2027-10-31T00:00:00+02:00", "outside_hours"),
                ("2027-10-31T23:59:59+01:00", "outside_hours"),
                ("2027-11-01T00:00:00+01:00", "in"),
            ],
        );
    }
}

#[test]
fn r4_2_a_holiday_cuts_a_night_shift_at_midnight_and_others_do_not_keep_it() {
    let mut directory = directory();
    with_holidays(&mut directory, &["2027-02-02"]);
    for user in [ADA, BEN] {
        directory.person(user).hours = hours(&["mon-sun 22:00-06:00"]);
    }
    directory.person(ADA).holidays = vec!["norway".to_owned()];
    directory.route(TICKETS, Case::new(people(&[ADA])));
    let mut world = World::silent(directory);
    world.now = at("2027-02-01T21:00:00Z");
    for user in [ADA, BEN] {
        world.status(user, StatusValue::Available, StatusOrigin::Initial);
    }
    assert!(world.router.availability(BEN, at("2027-02-02T03:00:00Z")).available);
    check_times(
        world,
        &[
            ("2027-02-01T22:00:00Z", "in"),
            ("2027-02-02T00:00:00Z", "outside_hours"),
            ("2027-02-02T22:30:00Z", "outside_hours"),
            ("2027-02-03T00:00:00Z", "in"),
            ("2027-02-03T06:00:00Z", "outside_hours"),
        ],
    );
}

#[test]
fn r4_6_a_channel_is_closed_on_its_holidays() {
    let mut directory = directory();
    with_holidays(&mut directory, &["2027-02-01"]);
    directory.feed(MAIL).holidays = vec!["norway".to_owned()];
    directory.route(MAIL, Case { outside_hours: OutsideHours::Unassigned, ..Case::new(people(&[ADA])) });
    let mut world = World::new(directory);
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned outside_hours");
    world.now = world.now.plus_ms(DAY_MS);
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen");
}

#[test]
fn r4_2_away_ends_after_a_holiday_however_far_ahead_also_for_a_router_made_anew_on_the_way() {
    let mut directory = directory();
    with_holidays(&mut directory, &["2027-03-26", "2027-04-13", "2027-04-14"]);
    let ada = directory.person(ADA);
    (ada.zone, ada.holidays) = ("Europe/Oslo".to_owned(), vec!["norway".to_owned()]);
    directory.route(TICKETS, Case::new(people(&[ADA])));
    let mut world = World::silent(directory);
    world.now = at("2027-03-27T10:00:00Z");
    world.status(ADA, StatusValue::Finishing, StatusOrigin::ByHand);
    for (time, answer) in [
        ("2027-04-02T00:00:00Z", Some(UnavailableCause::Away)),
        ("2027-04-12T12:00:00Z", Some(UnavailableCause::Away)),
        ("2027-04-14T21:59:59.999Z", Some(UnavailableCause::Away)),
        ("2027-04-14T22:00:00Z", None),
    ] {
        world.now = at(time);
        world.step(&switchboard_model::Input::Tick);
        let directory = std::sync::Arc::clone(world.router.directory());
        let anew = switchboard_core::Router::new(directory, world.router.state()).expect("its own state");
        for router in [&world.router, &anew] {
            assert_eq!(router.availability(ADA, world.now).cause, answer, "at {time}");
            assert_eq!(router.availability(ADA, at("2027-04-14T22:00:00Z")).cause, None, "ahead from {time}");
        }
    }
}
