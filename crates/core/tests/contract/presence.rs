//! ROUTING 4.4 and 4.5: away for want of presence, and since when somebody has been absent.

use crate::support::{ADA, BEN, Edit, MINUTE_MS, TICKETS, World, at, directory, hours, people};
use switchboard_model::{Case, StatusOrigin, StatusValue, Timestamp};

/// Ada works from 8 to 16 UTC on weekdays; it is Monday the 1st of February 2027, 7 o'clock.
fn world() -> World {
    let mut directory = directory();
    (directory.person(ADA).zone, directory.person(ADA).hours) = ("UTC".to_owned(), hours(&["mon-fri 08:00-16:00"]));
    directory.route(TICKETS, Case::new(people(&[ADA])));
    let mut world = World::silent(directory);
    world.now = at("2027-02-01T07:00:00Z");
    world.status(ADA, StatusValue::Available, StatusOrigin::Initial);
    world
}

fn available(world: &World, time: &str) -> bool {
    world.router.availability(ADA, at(time)).available
}

/// Since when Ada has been absent, when nothing before `from` is looked at.
fn since(world: &World, now: &str, from: &str) -> Option<Timestamp> {
    world.router.absent_since(ADA, at(now), at(from))
}

#[test]
fn r4_4_away_for_want_of_presence_outlasts_shift_starts_and_ends_when_the_status_changes() {
    let mut world = world();
    world.now = at("2027-02-01T10:00:00Z");
    world.by_hand(ADA, StatusValue::Away);
    assert!(available(&world, "2027-02-02T08:00:00Z"), "by hand it ends at the next shift start");
    world.status(ADA, StatusValue::Away, StatusOrigin::Presence);
    assert!(!available(&world, "2027-02-02T08:00:00Z"));
    assert_eq!(world.router.availability(ADA, world.now).until, None);
    world.now = at("2027-02-03T12:00:00Z");
    world.status(ADA, StatusValue::Available, StatusOrigin::Initial);
    assert!(available(&world, "2027-02-03T12:00:00Z"));
    assert!(!available(&world, "2027-02-03T16:00:00Z"), "hours decide again");
}

#[test]
fn r4_5_absence_counts_from_the_end_of_the_shift_or_the_change_of_the_status() {
    let mut world = world();
    let monday = "2027-02-01T00:00:00Z";
    assert_eq!(since(&world, "2027-02-01T12:00:00Z", monday), None);
    assert_eq!(since(&world, "2027-02-01T16:45:00Z", monday), Some(at("2027-02-01T16:00:00Z")));
    assert_eq!(since(&world, "2027-02-08T07:00:00Z", monday), Some(at("2027-02-05T16:00:00Z")), "over a weekend");
    assert_eq!(since(&world, "2027-02-08T07:00:00Z", "2027-02-08T06:30:00Z"), Some(at("2027-02-08T06:30:00Z")));
    world.now = at("2027-02-01T11:00:00Z");
    world.by_hand(ADA, StatusValue::Away);
    assert_eq!(since(&world, "2027-02-01T11:30:00Z", monday), Some(at("2027-02-01T11:00:00Z")));
    assert_eq!(since(&world, "2027-02-02T08:00:00Z", monday), None, "the next shift has begun");
    assert_eq!(world.router.absent_since(BEN, world.now, world.now), None, "nothing is known of Ben");
}

#[test]
fn r4_5_whoever_is_finishing_is_there_until_the_shift_ends() {
    let mut world = world();
    world.now = at("2027-02-01T15:00:00Z");
    world.by_hand(ADA, StatusValue::Finishing);
    assert!(!available(&world, "2027-02-01T15:30:00Z"));
    assert_eq!(since(&world, "2027-02-01T15:59:00Z", "2027-02-01T00:00:00Z"), None);
    let ended = at("2027-02-01T16:00:00Z");
    let late = ended.plus_ms(10 * MINUTE_MS);
    assert_eq!(world.router.absent_since(ADA, late, world.now), Some(ended));
}
