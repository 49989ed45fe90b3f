//! ROUTING 7.4: how long what waits will probably wait.

use crate::queue::{arrive, change, one_at_a_time, patient, wait};
use crate::support::{ADA, BEN, Edit, HOUR_MS, MAIL, MINUTE_MS, World};
use std::sync::Arc;
use switchboard_core::Router;
use switchboard_model::{ItemId, ItemStatus};

/// Ada at work on an item, and others that wait for her.
fn line(length: usize) -> (World, ItemId, Vec<ItemId>) {
    let mut directory = one_at_a_time();
    directory.route(MAIL, patient(&[ADA]));
    let mut world = World::new(directory);
    let (busy, _) = arrive(&mut world, MAIL);
    let waiting = (0..length).map(|_| wait(&mut world, MAIL, |_| {})).collect();
    (world, busy, waiting)
}

/// Ada closes one after the other, a minute each, beginning with `busy`.
fn work_through(world: &mut World, busy: ItemId, next: &[ItemId]) {
    for (closed, picked) in std::iter::once(&busy).chain(next).zip(next) {
        world.now = world.now.plus_ms(MINUTE_MS);
        assert_eq!(change(world, *closed, Some(ADA), ItemStatus::Closed), format!("{picked} assigned 101"));
    }
}

#[test]
fn r7_4_the_wait_is_estimated_by_how_fast_others_were_picked_up() {
    let (mut world, busy, waiting) = line(20);
    let range = |world: &World, place: usize| world.router.wait(waiting[place], world.now);
    work_through(&mut world, busy, &waiting[..4]);
    assert_eq!(range(&world, 5), None, "four pick-ups say too little");
    work_through(&mut world, waiting[3], &waiting[4..10]);
    assert_eq!(world.router.wait(busy, world.now), None, "it does not wait");
    let (first, last) = (range(&world, 10).expect("known"), range(&world, 19).expect("known"));
    assert!(first.low_ms < MINUTE_MS && first.high_ms > MINUTE_MS && first.high_ms < 4 * MINUTE_MS, "{first:?}");
    assert!(last.low_ms > 4 * MINUTE_MS && last.low_ms < 10 * MINUTE_MS, "ten in line: {last:?}");
    assert!(last.high_ms > 10 * MINUTE_MS && last.high_ms < 22 * MINUTE_MS, "ten in line: {last:?}");
    let later = world.router.wait(waiting[10], world.now.plus_ms(HOUR_MS / 2)).expect("known");
    assert!(later.high_ms > 3 * first.high_ms, "it has stood still since: {later:?}");
    assert_eq!(world.router.wait(waiting[10], world.now.plus_ms(2 * HOUR_MS)), None, "that was long ago");
}

#[test]
fn r7_4_who_is_taken_by_hand_moves_the_line_and_who_goes_away_does_not() {
    let (mut world, busy, waiting) = line(20);
    work_through(&mut world, busy, &waiting[..4]);
    for gone in &waiting[4..10] {
        change(&mut world, *gone, None, ItemStatus::Closed);
    }
    assert_eq!(world.router.wait(waiting[19], world.now), None);
    world.now = world.now.plus_ms(MINUTE_MS);
    change(&mut world, waiting[10], Some(BEN), ItemStatus::Open);
    assert!(world.router.wait(waiting[19], world.now).is_some());
}

#[test]
fn r7_4_a_router_that_begins_anew_takes_over_how_fast_the_line_moved() {
    let (mut world, busy, waiting) = line(20);
    work_through(&mut world, busy, &waiting[..6]);
    let directory = world.router.directory();
    let mut anew = Router::new(Arc::clone(directory), world.router.state()).expect("a router's own state fits");
    assert_eq!(anew.wait(waiting[12], world.now), None, "no state keeps it");
    anew.inherit(&world.router.paces());
    assert!(anew.wait(waiting[12], world.now).is_some());
    assert_eq!(anew.wait(waiting[12], world.now), world.router.wait(waiting[12], world.now));
    let mut changed = (**directory).clone();
    changed.version += 1;
    let state = switchboard_model::RouterState { directory_version: changed.version, ..world.router.state() };
    let mut other = Router::new(Arc::new(changed), state).expect("it belongs to that version");
    other.inherit(&world.router.paces());
    assert_eq!(other.wait(waiting[12], world.now), None, "other rules make other lines");
}
