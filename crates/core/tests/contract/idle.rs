//! ROUTING 6.5: the longest idle over the shift.

use crate::matcher::Numbers;
use crate::queue::feed;
use crate::support::{
    ADA, BEN, CLEO, DAY_MS, Edit, HOUR_MS, MAIL, MINUTE_MS, TICKETS, World, absence, at, directory, hours, monday, people,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use switchboard_core::Router;
use switchboard_model::{
    Arrival, Case, Distribution, IdleTotal, Input, ItemId, ItemStatus, LoadGroup, Owner, RouteEvent, RouterState, StatusOrigin,
    StatusValue, Timestamp, UserId,
};

fn idlest(users: &[UserId]) -> Case {
    Case { distribution: Some(Distribution::LongestIdleTotal), ..Case::new(people(users)) }
}

fn world(users: &[UserId]) -> World {
    World::with_case(MAIL, idlest(users))
}

/// So many minutes after the Monday's start.
fn minute(minutes: i64) -> Timestamp {
    monday().plus_ms(minutes * MINUTE_MS)
}

/// Idle minutes of whoever is listed, as a decision about a new item would see them.
fn idle_minutes(world: &mut World) -> Vec<(i64, i64)> {
    let arrival = world.arrival(MAIL);
    let found = world.router.explain(world.now, &arrival);
    let listed = found.stages.into_iter().flat_map(|stage| stage.candidates);
    let minutes = |ms: u64| i64::try_from(ms).expect("a short time") / MINUTE_MS;
    listed.map(|candidate| (candidate.user.0, minutes(candidate.idle_ms.expect("the case goes by it")))).collect()
}

#[test]
fn r6_5_longest_idle_total_goes_to_whoever_was_idle_longest_in_all() {
    let mut world = world(&[ADA, BEN]);
    world.now = minute(5);
    world.by_hand(ADA, StatusValue::Away);
    world.now = minute(25);
    world.by_hand(ADA, StatusValue::Available);
    world.now = minute(30);
    let decision = world.arrive(MAIL);
    assert_eq!(crate::support::assigned(&decision), Some(BEN));
    world.now = minute(31);
    world.set_status_of(decision.item, ItemStatus::Closed);
    world.now = minute(35);
    assert_eq!(idle_minutes(&mut world), [(101, 15), (102, 34)]);
    assert_eq!(world.taker(MAIL), Some(BEN), "though Ada was never assigned anything");
}

#[test]
fn r6_5_equal_totals_go_to_the_least_recently_assigned() {
    let mut world = world(&[ADA, BEN]);
    let first = world.arrive(MAIL);
    assert_eq!((crate::support::assigned(&first), first.tied), (Some(ADA), 2), "nobody was idle for any time yet");
    world.now = minute(10);
    let second = world.arrive(MAIL);
    world.now = minute(20);
    world.set_status_of(first.item, ItemStatus::Closed);
    world.set_status_of(second.item, ItemStatus::Closed);
    world.now = minute(30);
    world.by_hand(BEN, StatusValue::Away);
    world.now = minute(40);
    world.by_hand(BEN, StatusValue::Available);
    assert_eq!(idle_minutes(&mut world), [(101, 20), (102, 20)]);
    let decision = world.arrive(MAIL);
    assert_eq!((crate::support::assigned(&decision), decision.tied), (Some(ADA), 2));
}

#[test]
fn r6_5_who_owns_nothing_comes_first_and_the_others_follow_by_their_totals() {
    let mut world = world(&[ADA, BEN, CLEO]);
    world.by_hand(CLEO, StatusValue::Away);
    let (mut taken, mut at_minute) = (Vec::new(), 10);
    for expected in [ADA, BEN] {
        world.now = minute(at_minute);
        taken.push(world.taker(MAIL));
        assert_eq!(taken.last(), Some(&Some(expected)));
        at_minute += 10;
    }
    world.now = minute(30);
    world.by_hand(CLEO, StatusValue::Available);
    assert_eq!(idle_minutes(&mut world), [(101, 10), (102, 20), (103, 0)]);
    assert_eq!([world.taker(MAIL), world.taker(MAIL), world.taker(MAIL)], [Some(CLEO), Some(BEN), Some(BEN)]);
}

#[test]
fn r6_5_only_load_of_the_items_group_ends_idleness() {
    let mut world = world(&[ADA, BEN]);
    world.now = minute(10);
    world.give(ADA, LoadGroup::InboxChat, 0);
    world.give(BEN, LoadGroup::InboxMail, 0);
    world.now = minute(20);
    assert_eq!(idle_minutes(&mut world), [(101, 20), (102, 10)]);
}

#[test]
fn r6_5_sums_begin_with_the_shift_and_toggling_the_status_resets_nothing() {
    let mut directory = directory();
    directory.person(ADA).hours = hours(&["mon-fri 08:00-12:00", "mon-fri 13:00-17:00"]);
    directory.person(BEN).hours = hours(&["mon-fri 08:00-12:00", "mon-fri 12:00-17:00"]);
    directory.person(BEN).out_of_office = vec![absence("2027-02-01T10:00:00Z", "2027-02-01T11:00:00Z")];
    directory.route(MAIL, idlest(&[ADA, BEN]));
    let mut world = World::new(directory);
    world.now = at("2027-02-01T11:30:00Z");
    assert_eq!(idle_minutes(&mut world), [(101, 150), (102, 90)]);
    world.now = at("2027-02-01T13:30:00Z");
    assert_eq!(idle_minutes(&mut world), [(101, 30), (102, 210)], "a lunch break ends a shift, spans that touch are one");
    world.by_hand(BEN, StatusValue::Away);
    world.now = at("2027-02-01T14:30:00Z");
    world.by_hand(BEN, StatusValue::Available);
    world.now = at("2027-02-01T16:30:00Z");
    assert_eq!(idle_minutes(&mut world), [(101, 210), (102, 330)]);
    world.now = at("2027-02-01T20:00:00Z");
    assert_eq!(idle_minutes(&mut world), [(101, 240), (102, 360)], "kept until the next shift, of the time worked");
    world.now = at("2027-02-02T08:00:00Z");
    assert_eq!(idle_minutes(&mut world), [(101, 0), (102, 0)]);
    world.now = at("2027-03-30T09:00:00Z");
    assert_eq!(idle_minutes(&mut world), [(101, 60), (102, 60)], "after weeks without any input");
}

#[test]
fn r6_5_a_shift_that_starts_while_somebody_is_away_counts_too() {
    let mut directory = directory();
    directory.person(ADA).hours = hours(&["mon-fri 08:00-10:00", "mon-fri 12:00-16:00"]);
    directory.route(MAIL, Case { only_available: false, ..idlest(&[ADA, BEN]) });
    let mut world = World::new(directory);
    world.now = at("2027-02-01T10:30:00Z");
    world.by_hand(ADA, StatusValue::Away);
    world.by_hand(BEN, StatusValue::Away);
    world.now = at("2027-02-01T11:59:00Z");
    assert_eq!(idle_minutes(&mut world), [(101, 60), (102, 90)]);
    assert_eq!(world.taker(MAIL), Some(BEN));
    world.now = at("2027-02-01T12:30:00Z");
    assert_eq!(idle_minutes(&mut world), [(101, 0), (102, 90)]);
}

#[test]
fn r6_5_without_regard_to_availability_totals_are_compared_at_the_present() {
    let mut world = World::with_case(MAIL, Case { only_available: false, ..idlest(&[ADA, BEN]) });
    world.now = minute(10);
    world.by_hand(ADA, StatusValue::Away);
    let ben = world.give(BEN, LoadGroup::InboxMail, 0);
    world.now = minute(20);
    world.by_hand(BEN, StatusValue::Away);
    world.set_status_of(ben, ItemStatus::Closed);
    world.now = minute(25);
    world.by_hand(BEN, StatusValue::Available);
    for (at_minute, expected) in [(26, [(101, 10), (102, 11)]), (27, [(101, 10), (102, 12)])] {
        world.now = minute(at_minute);
        assert_eq!(idle_minutes(&mut world), expected);
    }
    world.by_hand(BEN, StatusValue::Away);
    world.by_hand(ADA, StatusValue::Available);
    world.now = minute(28);
    let arrival = world.arrival(MAIL);
    assert_eq!(crate::support::assigned(&world.router.explain(world.now, &arrival).decision), Some(BEN));
    world.now = minute(30);
    assert_eq!(idle_minutes(&mut world), [(101, 13), (102, 12)]);
    assert_eq!(world.taker(MAIL), Some(ADA), "she has gone past Ben's total by waiting alone");
}

#[test]
fn r2_7_the_item_that_is_decided_on_does_not_make_its_owner_busy() {
    let mut world = world(&[ADA, BEN]);
    world.now = minute(20);
    let first = world.arrival(MAIL);
    assert_eq!(crate::support::assigned(&world.route(&first).0), Some(ADA));
    world.give(BEN, LoadGroup::InboxMail, 0);
    world.now = minute(50);
    let again = Arrival { event: RouteEvent::Requested, previous_owner: Some(Owner::User { id: ADA }), ..first };
    let (decision, explanation, _) = world.route(&again);
    let found: Vec<_> = explanation.stages[0].candidates.iter().map(|one| (one.user, one.load, one.idle_ms, one.rank)).collect();
    let total = Some(20 * MINUTE_MS.cast_unsigned());
    assert_eq!(found, [(ADA, 0, total, Some(1)), (BEN, 1, total, Some(2))]);
    assert_eq!(crate::support::assigned(&decision), Some(ADA));
}

#[test]
fn r5_1_a_ticket_too_old_to_be_load_leaves_its_owner_idle_from_that_instant() {
    let mut world = World::with_case(TICKETS, idlest(&[ADA]));
    world.give(ADA, LoadGroup::TicketEmailOther, 30 * DAY_MS - HOUR_MS);
    world.now = world.now.plus_ms(3 * HOUR_MS);
    world.step(&Input::Tick);
    let idle = world.router.state().idle;
    let of = |group| idle.iter().find(|total| total.group == group).map(|total| total.total_ms);
    assert_eq!(of(LoadGroup::TicketEmailOther), Some((2 * HOUR_MS - 1).cast_unsigned()));
    assert_eq!(of(LoadGroup::InboxMail), Some((3 * HOUR_MS).cast_unsigned()));
}

#[test]
fn r6_5_sums_are_kept_while_a_rule_goes_by_them() {
    let mut world = World::with_case(MAIL, Case::new(people(&[ADA])));
    world.now = minute(30);
    world.step(&Input::Tick);
    assert_eq!(world.router.state().idle, []);
    world.edit(|directory| directory.route(MAIL, idlest(&[ADA])));
    world.now = minute(40);
    world.step(&Input::Tick);
    assert_eq!(idle_minutes(&mut world), [(101, 10)]);
    world.edit(|directory| directory.person(ADA).hours = hours(&["mon-fri 08:00-12:00"]));
    world.now = minute(50);
    assert_eq!(idle_minutes(&mut world), [(101, 20)], "editing somebody's hours resets nothing");
    world.edit(|directory| directory.route(MAIL, Case::new(people(&[ADA]))));
    assert_eq!(world.router.state().idle, []);
}

#[test]
fn r13_2_a_state_without_idle_time_can_be_read() {
    let mut json = serde_json::to_value(RouterState::default()).expect("a state can be written");
    json.as_object_mut().expect("an object").remove("idle");
    assert_eq!(serde_json::from_value::<RouterState>(json).expect("an older state can be read"), RouterState::default());
}

/// What idle time amounts to by looking at every single minute.
struct Minutes {
    sums: BTreeMap<(UserId, LoadGroup), i64>,
    /// First minutes of shifts.
    starts: BTreeMap<UserId, Vec<&'static str>>,
}

const USERS: [UserId; 3] = [ADA, BEN, CLEO];
const GROUPS: [LoadGroup; 2] = [LoadGroup::InboxMail, LoadGroup::InboxChat];

impl Minutes {
    /// The minute that begins now passes.
    fn pass(&mut self, router: &Router, now: Timestamp) {
        let time = jiff::Timestamp::from_millisecond(now.0).expect("an instant").to_string();
        for user in USERS {
            let starts = self.starts.get(&user).is_some_and(|starts| starts.iter().any(|start| time.ends_with(start)));
            for group in GROUPS {
                let sum = self.sums.entry((user, group)).or_default();
                *sum = if starts { 0 } else { *sum };
                let is_idle = router.availability(user, now).available && router.load(user, group, now) == 0;
                *sum += i64::from(is_idle) * MINUTE_MS;
            }
        }
    }

    fn totals(&self) -> Vec<IdleTotal> {
        let total =
            |(&(user, group), sum): (&(UserId, LoadGroup), &i64)| IdleTotal { user, group, total_ms: sum.cast_unsigned() };
        self.sums.iter().map(total).filter(|total| total.total_ms > 0).collect()
    }
}

#[test]
fn r6_5_totals_are_those_of_looking_at_every_minute_however_seldom_the_router_is_asked() {
    for seed in 0..6 {
        let mut numbers = Numbers(seed);
        let mut directory = directory();
        directory.person(ADA).hours = hours(&["mon-sun 06:00-10:00", "mon-sun 10:30-15:00"]);
        directory.person(BEN).hours = hours(&["mon-sun 22:00-06:00"]);
        directory.person(CLEO).out_of_office = vec![absence("2027-02-02T01:00:00Z", "2027-02-02T05:00:00Z")];
        directory.route(MAIL, idlest(&USERS));
        let starts = [(ADA, vec!["T06:00:00Z", "T10:30:00Z"]), (BEN, vec!["T22:00:00Z"])].into();
        let mut minutes = Minutes { sums: BTreeMap::new(), starts };
        let mut world = World::new(directory);
        let mut owned: Vec<ItemId> = Vec::new();
        for _ in 0..3 * 24 * 60 {
            minutes.pass(&world.router, world.now);
            world.now = world.now.plus_ms(MINUTE_MS);
            match numbers.below(200) {
                0 | 1 => {
                    let (user, value) = (USERS[numbers.below(3) as usize], StatusValue::ALL[numbers.below(2) as usize]);
                    world.status(user, value, StatusOrigin::ByHand);
                }
                2 => owned.push(world.give(USERS[numbers.below(3) as usize], GROUPS[numbers.below(2) as usize], 0)),
                3 | 4 if !owned.is_empty() => {
                    let place = numbers.below(u32::try_from(owned.len()).expect("few items")) as usize;
                    world.set_status_of(owned.swap_remove(place), ItemStatus::Closed);
                }
                5 => {
                    let state = world.router.state();
                    world.router = Router::new(Arc::clone(world.router.directory()), state).expect("a router's own state fits");
                }
                6 => {
                    assert_eq!(feed(&mut world, &Input::Tick), "");
                    let found = world.router.state().idle.into_iter();
                    let found: Vec<_> = found.filter(|one| USERS.contains(&one.user) && GROUPS.contains(&one.group)).collect();
                    let mut looked: Vec<_> = minutes.totals();
                    // A shift that starts now has begun for the router, and not yet for the minutes that passed.
                    let time = jiff::Timestamp::from_millisecond(world.now.0).expect("an instant").to_string();
                    looked
                        .retain(|one| !minutes.starts.get(&one.user).is_some_and(|all| all.iter().any(|it| time.ends_with(it))));
                    looked.sort();
                    assert_eq!(found, looked, "seed {seed} at {time}");
                }
                _ => {}
            }
        }
    }
}
