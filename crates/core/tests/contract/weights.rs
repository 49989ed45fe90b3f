//! ROUTING 6.2: round robin by weights.

use crate::support::{ADA, BEN, CHAT, CLEO, DAG, Edit, MAIL, RED, World, assigned, directory, members};
use std::collections::BTreeMap;
use switchboard_model::{
    Case, Distribution, Effect, Input, ItemKind, ItemState, ItemStatus, Member, Refusal, RefusalReason, RouterState, StatusValue,
    TurnState, UserId, WorkspaceId,
};

/// Divisible by 1 to 20: half the distance between passes of weight 1.
const L: u64 = 232_792_560;

fn weighted(listed: &[(Member, u32)]) -> Case {
    let names: Vec<Member> = listed.iter().map(|(member, _)| *member).collect();
    let weights = listed.iter().copied().filter(|(_, weight)| *weight != 1).collect();
    Case { distribution: Some(Distribution::RoundRobin), weights, ..Case::new(members(&names)) }
}

fn users(listed: &[(UserId, u32)]) -> Case {
    weighted(&listed.iter().map(|(user, weight)| (Member::User(*user), *weight)).collect::<Vec<_>>())
}

fn takers(world: &mut World, count: usize) -> Vec<i64> {
    (0..count).map(|_| world.taker(MAIL).map_or(0, |user| user.0)).collect()
}

#[test]
fn r6_2_weights_give_shares_evenly_spaced() {
    let mut world = World::with_case(MAIL, users(&[(ADA, 3), (BEN, 1)]));
    assert_eq!(takers(&mut world, 8), [101, 101, 102, 101, 101, 101, 102, 101]);
    let mut world = World::with_case(MAIL, users(&[(BEN, 1), (ADA, 3)]));
    assert_eq!(takers(&mut world, 8), [101, 102, 101, 101, 101, 102, 101, 101], "ties go in the listed order");
    let mut world = World::with_case(MAIL, users(&[(ADA, 5), (BEN, 3), (CLEO, 2)]));
    assert_eq!(takers(&mut world, 10), [101, 102, 103, 101, 101, 102, 101, 103, 102, 101]);
}

#[test]
fn r6_2_no_share_is_ever_more_than_one_item_off() {
    let weights = [(ADA, 20), (BEN, 7), (CLEO, 1), (DAG, 13)];
    let mut world = World::with_case(MAIL, users(&weights));
    let mut counts: BTreeMap<UserId, i64> = BTreeMap::new();
    for served in 1..=410_i64 {
        *counts.entry(world.taker(MAIL).expect("everybody is there")).or_default() += 1;
        for (user, weight) in weights {
            let due = served * i64::from(weight);
            let got = counts.get(&user).copied().unwrap_or(0) * 41;
            assert!((got - due).abs() < 41 * 3 / 2, "{user} has {got}/41 of {due}/41 after {served}");
        }
    }
    assert_eq!(counts, [(ADA, 200), (BEN, 70), (CLEO, 10), (DAG, 130)].into());
}

#[test]
fn r6_2_a_teams_weight_holds_for_each_of_its_members() {
    let mut directory = directory();
    directory.person(BEN).team = Some(RED);
    directory.person(CLEO).team = Some(RED);
    let listed = [(Member::User(ADA), 1), (Member::Team(RED), 2), (Member::User(BEN), 9)];
    directory.route(MAIL, weighted(&listed));
    let mut world = World::new(directory);
    let mut counts: BTreeMap<i64, u32> = BTreeMap::new();
    for user in takers(&mut world, 50) {
        *counts.entry(user).or_default() += 1;
    }
    assert_eq!(counts, [(101, 10), (102, 20), (103, 20)].into(), "the first place in the list counts");
}

#[test]
fn r6_2_who_was_away_gets_one_item_at_once_and_no_flood() {
    let mut world = World::with_case(MAIL, users(&[(ADA, 2), (BEN, 2), (CLEO, 1)]));
    world.by_hand(CLEO, StatusValue::Away);
    assert_eq!(takers(&mut world, 6), [101, 102, 101, 102, 101, 102]);
    world.by_hand(CLEO, StatusValue::Available);
    assert_eq!(takers(&mut world, 7), [103, 101, 102, 101, 102, 103, 101]);
    world.edit(|directory| directory.route(MAIL, users(&[(ADA, 2), (BEN, 2), (CLEO, 1), (DAG, 1)])));
    assert_eq!(takers(&mut world, 4), [104, 102, 101, 102], "nor does a newcomer");
}

#[test]
fn r6_2_a_pass_is_kept_where_turns_are_and_given_back_by_a_refusal() {
    let mut world = World::with_case(MAIL, users(&[(ADA, 4), (BEN, 1)]));
    let state = |world: &World| RouterState { no: 0, ..world.router.state() }.turns;
    world.arrive(MAIL);
    let first = state(&world);
    let served = [(ADA, L / 4)].into();
    assert_eq!(first, [TurnState { channel: MAIL, case: 0, cycle: L / 4, served }]);
    let decision = world.arrive(MAIL);
    assert_eq!((assigned(&decision), decision.turn_before, decision.turn), (Some(ADA), Some(L / 4), Some(L / 4 * 3)));
    let item_state = ItemState {
        item: decision.item,
        item_kind: ItemKind::Conversation,
        conversation: None,
        workspace: WorkspaceId(1),
        group: decision.group,
        status: ItemStatus::Open,
        owner: None,
        owned_since: None,
        created_at: None,
        waiting_on_contact: false,
    };
    let decision = Box::new(decision);
    let refusal = Refusal { decision, reason: RefusalReason::ItemChanged, state: item_state, retry: None };
    assert_eq!(world.step(&Input::Refused(refusal)), Vec::<Effect>::new());
    assert_eq!(state(&world), first);
}

#[test]
fn r6_2_weights_of_one_are_turns_as_ever() {
    let ones = [(Member::User(ADA), 1), (Member::User(BEN), 1)].into();
    let mut world = World::with_case(MAIL, Case { weights: ones, ..users(&[(ADA, 1), (BEN, 1)]) });
    assert_eq!(takers(&mut world, 3), [101, 102, 101]);
    assert_eq!(world.router.state().turns[0].cycle, 2);
    world.edit(|directory| directory.route(CHAT, users(&[(ADA, 1), (BEN, 1)])));
}

#[test]
fn r6_2_weights_put_on_and_taken_off_go_on_without_a_flood() {
    let mut world = World::with_case(MAIL, users(&[(ADA, 1), (BEN, 1)]));
    assert_eq!(takers(&mut world, 3), [101, 102, 101]);
    world.edit(|directory| directory.route(MAIL, users(&[(ADA, 2), (BEN, 1)])));
    assert_eq!(takers(&mut world, 6), [101, 102, 101, 101, 102, 101]);
    world.edit(|directory| directory.route(MAIL, users(&[(ADA, 1), (BEN, 1)])));
    assert_eq!(takers(&mut world, 5), [102, 101, 102, 101, 102]);
}

#[test]
fn r6_2_weights_are_written_as_a_list() {
    let case = users(&[(ADA, 3), (BEN, 1)]);
    let json = serde_json::to_value(&case).expect("a case can be written");
    assert_eq!(json["weights"], serde_json::json!([{"member": {"user": 101}, "weight": 3}]));
    assert_eq!(serde_json::from_value::<Case>(json).expect("a case can be read"), case);
    let plain = serde_json::to_value(users(&[(ADA, 1)])).expect("a case can be written");
    assert!(plain.get("weights").is_none());
    assert!(serde_json::from_value::<Case>(plain).expect("a case can be read").weights.is_empty());
}
