//! What the router does with refused decisions and with nonsense, and that its state is all it remembers.

use crate::support::{
    ADA, BEN, CHAT, CLEO, DAY_MS, DESK, Edit, HOUR_MS, MAIL, TICKETS, World, assigned, at, directory, outcome_text, people,
};
use std::sync::Arc;
use switchboard_core::{CoreError, Router};
use switchboard_model::{
    Arrival, AssignedMark, Case, Decision, Directory, Distribution, Effect, Input, ItemId, ItemKind, ItemState, ItemStatus,
    LoadGroup, ManualStatus, OwnedItem, Refusal, RefusalReason, RouterState, StatusChange, StatusOrigin, StatusValue, Timestamp,
    UserId,
};

fn refusal(decision: &Decision, reason: RefusalReason, retry: Option<Arrival>) -> Input {
    let state = ItemState {
        item: decision.item,
        item_kind: ItemKind::Conversation,
        conversation: None,
        workspace: DESK,
        group: decision.group,
        status: ItemStatus::Open,
        owner: None,
        owned_since: None,
        created_at: None,
        waiting_on_contact: false,
    };
    Input::Refused(Refusal { decision: Box::new(decision.clone()), reason, state, retry })
}

fn round_robin(users: &[UserId]) -> World {
    World::with_case(MAIL, Case { distribution: Some(Distribution::RoundRobin), ..Case::new(people(users)) })
}

fn decisions(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .map(|effect| match effect {
            Effect::Decide(decision) => outcome_text(&decision.outcome),
            Effect::NotifyOwner { user, .. } => format!("told {user}"),
            Effect::LeftQueue { arrival } => format!("left queue: {}", arrival.item),
            Effect::Reject { reason } => format!("rejected: {reason}"),
        })
        .collect()
}

/// The state without number and time, which every input moves.
fn memory(world: &World) -> RouterState {
    RouterState { no: 0, now: Timestamp(0), ..world.router.state() }
}

#[test]
fn r6_2_a_refused_decision_neither_costs_a_turn_nor_a_mark() {
    let mut world = round_robin(&[ADA, BEN]);
    assert_eq!(world.taker(MAIL), Some(ADA));
    for _ in 0..2 {
        let before = memory(&world);
        let arrival = world.arrival(MAIL);
        let (decision, ..) = world.route(&arrival);
        assert_ne!(memory(&world), before);
        assert_eq!(world.step(&refusal(&decision, RefusalReason::ItemChanged, None)), []);
        assert_eq!(memory(&world), before, "as if it had never been decided");
        world.taker(MAIL);
    }
    assert_eq!(world.taker(MAIL), Some(BEN));
}

#[test]
fn r6_2_a_refusal_that_comes_late_takes_nothing_from_later_decisions() {
    let mut world = round_robin(&[ADA]);
    let first = world.arrive(MAIL);
    let second = world.arrive(MAIL);
    world.step(&refusal(&first, RefusalReason::ItemChanged, None));
    let state = world.router.state();
    assert_eq!(state.marks, [AssignedMark { user: ADA, group: LoadGroup::InboxMail, no: second.mark() }]);
    assert_eq!(state.turns[0].served.get(&ADA).copied(), second.turn);
    assert_eq!(state.owned.len(), 1);
}

#[test]
fn r5_4_decisions_of_one_person_refused_in_a_row_leave_no_trace_whatever_their_order() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1]] {
        let mut world = round_robin(&[ADA]);
        world.arrive(MAIL);
        let held = world.router.state();
        let refused = [world.arrive(MAIL), world.arrive(MAIL), world.arrive(MAIL)];
        for index in order {
            let text = serde_json::to_string(&world.router.state()).expect("a state that can be written");
            let state = serde_json::from_str(&text).expect("a state that can be read");
            world.router = Router::new(world.router.directory().clone(), state).expect("a state that fits");
            world.step(&refusal(&refused[index], RefusalReason::StatusChanged, None));
        }
        let state = world.router.state();
        assert_eq!((state.marks, state.turns), (held.marks, held.turns), "{order:?}");
    }
}

#[test]
fn r5_4_what_holds_between_refused_decisions_stays() {
    let mut world = round_robin(&[ADA]);
    let (first, second, third) = (world.arrive(MAIL), world.arrive(MAIL), world.arrive(MAIL));
    world.step(&refusal(&first, RefusalReason::ItemChanged, None));
    world.step(&refusal(&third, RefusalReason::ItemChanged, None));
    let state = world.router.state();
    assert_eq!(state.marks, [AssignedMark { user: ADA, group: LoadGroup::InboxMail, no: second.mark() }]);
    assert_eq!(state.turns[0].served.get(&ADA).copied(), second.turn);
}

#[test]
fn r5_5_whom_the_database_found_full_is_left_out_of_the_retry() {
    let mut world = World::with_case(TICKETS, Case::new(people(&[ADA, BEN])));
    let arrival = world.arrival(TICKETS);
    let (decision, ..) = world.route(&arrival);
    assert_eq!(assigned(&decision), Some(ADA));
    let input = refusal(&decision, RefusalReason::AtCapacity, Some(arrival));
    let explanation = world.router.explain_input(world.router.no() + 1, world.now, &input).expect("a retry decides");
    let effects = world.step(&input);
    assert_eq!(effects, [Effect::Decide(explanation.decision.clone())], "explanation and step decide alike");
    assert_eq!(decisions(&effects), ["assigned 102"]);
    let reasons = format!("{:?}", explanation.stages[0].candidates[0].verdict);
    assert!(reasons.contains("AtCapacity"), "{reasons}");
    assert_eq!((world.router.open(ADA), world.router.open(BEN)), (0, 1));
}

#[test]
fn r4_1_a_status_that_changed_meanwhile_is_unknown_until_it_comes_in() {
    let mut world = World::with_case(TICKETS, Case::new(people(&[ADA, BEN])));
    let arrival = world.arrival(TICKETS);
    let (decision, ..) = world.route(&arrival);
    let effects = world.step(&refusal(&decision, RefusalReason::StatusChanged, Some(arrival)));
    assert_eq!(decisions(&effects), ["assigned 102"]);
    assert!(!world.router.availability(ADA, world.now).available);
    world.by_hand(ADA, StatusValue::Available);
    assert_eq!(world.taker(TICKETS), Some(ADA));
}

#[test]
fn r4_1_a_status_that_came_in_before_the_refusal_is_kept() {
    let mut world = World::with_case(TICKETS, Case::new(people(&[ADA])));
    let arrival = world.arrival(TICKETS);
    let (decision, ..) = world.route(&arrival);
    world.by_hand(ADA, StatusValue::Available);
    let effects = world.step(&refusal(&decision, RefusalReason::StatusChanged, Some(arrival)));
    assert_eq!(decisions(&effects), ["assigned 101"]);
}

#[test]
fn a_refusal_puts_the_items_real_state_in_place_of_the_assumed_one() {
    let mut world = World::with_case(CHAT, Case::new(people(&[ADA])));
    let decision = world.arrive(CHAT);
    let Input::Refused(mut refusal) = refusal(&decision, RefusalReason::ItemChanged, None) else { unreachable!() };
    refusal.state.owner = Some(switchboard_model::Owner::User { id: CLEO });
    refusal.state.owned_since = Some(world.now);
    assert_eq!(world.step(&Input::Refused(refusal)), []);
    assert_eq!((world.router.open(ADA), world.router.open(CLEO)), (0, 1));
}

#[test]
fn a_refusal_that_speaks_of_two_items_is_rejected_and_changes_nothing() {
    let mut world = World::with_case(MAIL, Case::new(people(&[ADA])));
    let decision = world.arrive(MAIL);
    let other = world.arrival(MAIL);
    let before = memory(&world);
    let input = refusal(&decision, RefusalReason::AtCapacity, Some(other));
    assert_eq!(world.router.explain_input(world.router.no() + 1, world.now, &input), None);
    let effects = world.step(&input);
    assert!(matches!(effects.as_slice(), [Effect::Reject { .. }]), "{effects:?}");
    assert_eq!(memory(&world), before);
}

#[test]
fn numbers_ascend_by_one_and_anything_else_changes_nothing() {
    let mut world = World::with_case(MAIL, Case::new(people(&[ADA])));
    let state = world.router.state();
    for no in [0, 1, state.no, state.no + 2, u64::MAX] {
        let effects = world.router.step(no, world.now.plus_ms(5), &Input::Tick);
        assert!(matches!(effects.as_slice(), [Effect::Reject { .. }]), "{no}: {effects:?}");
        assert_eq!(world.router.state(), state, "{no}");
    }
    assert_eq!(world.step(&Input::Tick), []);
    let exhausted = RouterState { no: u64::MAX, directory_version: 1, ..RouterState::default() };
    let mut router = Router::new(Arc::new(directory()), exhausted).expect("a state that fits");
    assert!(matches!(router.step(0, Timestamp(0), &Input::Tick).as_slice(), [Effect::Reject { .. }]));
}

#[test]
fn time_that_goes_back_counts_as_the_last_one() {
    let mut world = World::new(directory());
    let now = world.now;
    for early in [now.plus_ms(-HOUR_MS), Timestamp(i64::MIN)] {
        world.now = early;
        world.step(&Input::Tick);
        assert_eq!(world.router.now(), now);
    }
}

#[test]
fn a_directory_without_content_or_older_than_the_one_in_force_is_rejected() {
    let mut world = World::with_case(MAIL, Case::new(people(&[ADA])));
    world.edit(|_| {});
    let content = |version| Some(Arc::new(Directory { version, ..directory() }));
    for (version, directory) in [(3, None), (3, content(4)), (1, content(1))] {
        let before = memory(&world);
        let effects = world.step(&Input::Directory { version, directory });
        assert!(matches!(effects.as_slice(), [Effect::Reject { .. }]), "{effects:?}");
        assert_eq!(memory(&world), before);
    }
    assert_eq!(world.step(&Input::Directory { version: 2, directory: content(2) }), [], "the same version again");
    assert_eq!(decisions(&[Effect::Decide(world.arrive(MAIL))]), ["unassigned no_rule"]);
}

#[test]
fn an_older_status_than_the_known_one_is_rejected() {
    let mut world = World::new(directory());
    let status = ManualStatus { value: StatusValue::Away, reason: None, set_at: world.now, origin: StatusOrigin::ByHand };
    let effects = world.step(&Input::Status(StatusChange { user: BEN, status, version: 1 }));
    assert!(matches!(effects.as_slice(), [Effect::Reject { .. }]), "{effects:?}");
    assert!(world.router.availability(BEN, world.now).available);
}

#[test]
fn work_and_statuses_of_users_whom_the_directory_does_not_know_are_kept_for_later() {
    let mut world = World::with_case(MAIL, Case::new(people(&[ADA])));
    let stranger = UserId(105);
    world.give(stranger, LoadGroup::InboxMail, 0);
    world.status(stranger, StatusValue::Available, StatusOrigin::Initial);
    assert_eq!((world.router.open(stranger), world.router.availability(stranger, world.now).available), (1, false));
    world.edit(|directory| {
        directory.users.push(crate::support::user(stranger));
        directory.route(MAIL, Case::new(people(&[stranger])));
    });
    assert_eq!(world.taker(MAIL), Some(stranger));
    assert_eq!(world.router.open(stranger), 2);
}

#[test]
fn times_and_ids_beyond_reason_do_no_harm() {
    let extremes = [Timestamp(i64::MIN), Timestamp(0), at("9999-12-30T00:00:00Z"), Timestamp(i64::MAX)];
    for now in extremes {
        for set_at in extremes {
            let mut directory = directory();
            directory.person(ADA).hours = crate::support::hours(&["mon-fri 08:00-16:00"]);
            directory.person(ADA).out_of_office = vec![switchboard_model::OutOfOffice { from: set_at, to: now }];
            directory.route(TICKETS, Case::new(people(&[ADA])));
            let mut world = World::silent(directory);
            world.now = now;
            for value in [StatusValue::Available, StatusValue::Away] {
                let status = ManualStatus { value, reason: None, set_at, origin: StatusOrigin::ByHand };
                world.step(&Input::Status(StatusChange { user: ADA, status, version: i64::MAX }));
                world.own(ItemId(i64::MIN), None, Some(ADA), LoadGroup::TicketEmailOther, i64::MAX);
                let arrival = world.arrival(TICKETS);
                assert_eq!(world.step(&Input::Arrived(arrival)).len(), 1);
                let _ = world.router.availability(ADA, set_at);
            }
        }
    }
}

#[test]
fn a_router_cannot_start_from_a_state_that_contradicts_itself() {
    let state = RouterState { no: 3, directory_version: 7, ..RouterState::default() };
    let error = Router::new(Arc::new(directory()), state).expect_err("another version");
    assert_eq!(error, CoreError::DirectoryVersion { state: 7, directory: 1 });
    let item = OwnedItem {
        item: ItemId(1),
        conversation: None,
        user: ADA,
        group: LoadGroup::InboxMail,
        owned_since: Timestamp(0),
        created_at: None,
        waiting_on_contact: false,
    };
    let state = RouterState { owned: vec![item.clone(), item], ..RouterState::default() };
    assert_eq!(Router::new(Arc::new(directory()), state).expect_err("twice"), CoreError::DuplicateItem(ItemId(1)));
}

#[test]
fn r13_2_the_state_is_sorted_and_everything_there_is() {
    let mut world = round_robin(&[BEN, ADA]);
    world.give(CLEO, LoadGroup::TicketMessaging, 31 * DAY_MS);
    world.give(BEN, LoadGroup::InboxChat, 0);
    world.by_hand(ADA, StatusValue::Finishing);
    for _ in 0..5 {
        world.arrive(MAIL);
    }
    let state = world.router.state();
    assert!(state.owned.is_sorted_by_key(|owned| owned.item));
    assert!(state.statuses.is_sorted_by_key(|status| status.user));
    assert!(state.marks.is_sorted());
    assert!(state.turns.is_sorted());
    let rebuilt = Router::new(Arc::clone(world.router.directory()), state.clone()).expect("a router's own state fits");
    assert_eq!(rebuilt.state(), state);
    for user in [ADA, BEN, CLEO] {
        assert_eq!(rebuilt.open(user), world.router.open(user));
        for group in LoadGroup::ALL {
            assert_eq!(rebuilt.load(user, *group, world.now), world.router.load(user, *group, world.now));
        }
    }
}
