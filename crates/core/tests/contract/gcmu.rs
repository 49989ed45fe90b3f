//! ROUTING 7.4: the order of what waits by the cost of waiting.

use crate::queue::{arrive, change, edit, feed, one_at_a_time, patient, wait};
use crate::support::{ADA, BEN, CHAT, Edit, HOUR_MS, MAIL, MINUTE_MS, World, monday};
use switchboard_core::Router;
use switchboard_model::{
    Directory, Effect, Input, ItemChange, ItemId, ItemKind, ItemState, ItemStatus, LoadGroup, Owner, Priority, QueueOrder,
    Refusal, RefusalReason, Revision, RouterState, Timestamp, WorkspaceId,
};

/// Ada alone, busy with the item in the answer, and a queue by the cost of waiting.
fn costly() -> (World, ItemId) {
    let mut directory = Directory { queue_order: QueueOrder::Gcmu, ..one_at_a_time() };
    directory.route(MAIL, patient(&[ADA]));
    let mut world = World::new(directory);
    let (busy, _) = arrive(&mut world, MAIL);
    (world, busy)
}

/// Queues an item so many minutes after Monday's start, with a target so many minutes later.
fn wait_from(world: &mut World, minute: i64, priority: Priority, target_min: Option<i64>) -> ItemId {
    world.now = monday().plus_ms(minute * MINUTE_MS);
    let due_at = target_min.map(|minutes| world.now.plus_ms(minutes * MINUTE_MS));
    wait(world, MAIL, |arrival| (arrival.queue.priority, arrival.queue.due_at) = (priority, due_at))
}

/// Who is served when Ada is freed at this time, without freeing her.
fn next_at(world: &World, busy: ItemId, at: Timestamp) -> String {
    let mut world = World { router: world.router.clone(), now: at, next_item: world.next_item };
    change(&mut world, busy, Some(ADA), ItemStatus::Closed)
}

#[test]
fn r7_4_gcmu_weighs_the_wait_by_priority_and_by_the_square_of_the_target() {
    let (mut world, busy) = costly();
    let plain = wait_from(&mut world, 0, Priority::Normal, None);
    let tight = wait_from(&mut world, 5, Priority::Normal, Some(30));
    let next = |minute: i64| next_at(&world, busy, monday().plus_ms(minute * MINUTE_MS));
    assert_eq!(next(6), format!("{plain} assigned 101"), "2 x 6 against 2 x 1 x 4");
    assert_eq!(next(7), format!("{tight} assigned 101"), "2 x 7 against 2 x 2 x 4");
    let urgent = wait_from(&mut world, 30, Priority::Urgent, Some(34));
    let next = |minute: i64| next_at(&world, busy, monday().plus_ms(minute * MINUTE_MS));
    assert_eq!(next(38), format!("{tight} assigned 101"), "2 x 33 x 4 against 8 x 8 x 4, as 34 minutes count as 30 do");
    assert_eq!(next(39), format!("{urgent} assigned 101"), "2 x 34 x 4 against 8 x 9 x 4");
}

#[test]
fn r7_4_gcmu_targets_count_as_powers_of_two_of_milliseconds() {
    let (mut world, busy) = costly();
    let exact = wait(&mut world, MAIL, |arrival| arrival.queue.due_at = Some(monday().plus_ms(4_096)));
    let beyond = wait(&mut world, MAIL, |arrival| arrival.queue.due_at = Some(monday().plus_ms(4_097)));
    let breached = wait(&mut world, MAIL, |arrival| arrival.queue.due_at = Some(monday().plus_ms(-HOUR_MS)));
    let mut held = busy;
    world.now = monday().plus_ms(100);
    for next in [breached, exact, beyond] {
        assert_eq!(change(&mut world, held, Some(ADA), ItemStatus::Closed), format!("{next} assigned 101"));
        held = next;
    }
}

#[test]
fn r7_4_gcmu_puts_whoever_has_waited_for_more_than_four_targets_first() {
    let (mut world, busy) = costly();
    // An hour counts as 4,194,304 ms, a minute as 65,536 ms.
    let cap = monday().plus_ms(4 * 4_194_304);
    let low = wait_from(&mut world, 0, Priority::Low, None);
    world.now = cap.plus_ms(-3 * MINUTE_MS);
    let due_at = Some(world.now.plus_ms(MINUTE_MS));
    let urgent = wait(&mut world, MAIL, |arrival| (arrival.queue.priority, arrival.queue.due_at) = (Priority::Urgent, due_at));
    assert_eq!(next_at(&world, busy, cap), format!("{urgent} assigned 101"), "at exactly four targets nothing has changed");
    assert_eq!(next_at(&world, busy, cap.plus_ms(1)), format!("{low} assigned 101"));
    let both = cap.plus_ms(-3 * MINUTE_MS + 4 * 65_536 + 8_000);
    assert_eq!(next_at(&world, busy, both), format!("{urgent} assigned 101"), "4.12 targets of a minute against 4.02 of an hour");
}

#[test]
fn r7_4_gcmu_breaks_ties_by_the_time_queued_and_then_by_id() {
    let (mut world, busy) = costly();
    // 8 x 1 minute weighs as much as 2 x 4 minutes.
    let normal = wait_from(&mut world, 0, Priority::Normal, None);
    let twin = wait_from(&mut world, 0, Priority::Normal, None);
    let urgent = wait_from(&mut world, 3, Priority::Urgent, None);
    world.now = monday().plus_ms(4 * MINUTE_MS);
    feed(&mut world, &Input::Tick);
    assert_eq!([normal, twin, urgent].map(|item| world.router.position(item)), [Some(1), Some(2), Some(3)]);
    world.now = world.now.plus_ms(1);
    feed(&mut world, &Input::Tick);
    assert_eq!([normal, twin, urgent].map(|item| world.router.position(item)), [Some(2), Some(3), Some(1)]);
    let mut held = busy;
    for next in [urgent, normal, twin] {
        assert_eq!(change(&mut world, held, Some(ADA), ItemStatus::Closed), format!("{next} assigned 101"));
        held = next;
    }
}

#[test]
fn r7_4_gcmu_compares_what_waits_in_different_channels() {
    let mut directory = Directory { queue_order: QueueOrder::Gcmu, ..one_at_a_time() };
    directory.route(MAIL, patient(&[ADA]));
    directory.route(CHAT, patient(&[BEN, ADA]));
    let mut world = World::new(directory);
    let (busy, _) = arrive(&mut world, MAIL);
    let (ben, _) = arrive(&mut world, CHAT);
    let mail = wait(&mut world, MAIL, |_| {});
    world.now = world.now.plus_ms(2 * MINUTE_MS);
    let chat = wait(&mut world, CHAT, |arrival| arrival.queue.priority = Priority::High);
    world.now = world.now.plus_ms(MINUTE_MS);
    let next = |world: &World, minute: i64| next_at(world, busy, monday().plus_ms(minute * MINUTE_MS));
    assert_eq!(next(&world, 3), format!("{mail} assigned 101"), "2 x 3 against 4 x 1");
    assert_eq!(next(&world, 5), format!("{chat} assigned 101"), "2 x 5 against 4 x 3");
    assert_eq!(change(&mut world, ben, Some(BEN), ItemStatus::Closed), format!("{chat} assigned 102"), "Ben has no other");
}

#[test]
fn r7_4_news_of_priority_or_target_moves_an_item_under_gcmu() {
    let (mut world, busy) = costly();
    let first = wait_from(&mut world, 0, Priority::Normal, None);
    let second = wait_from(&mut world, 10, Priority::Normal, None);
    let at = monday().plus_ms(20 * MINUTE_MS);
    assert_eq!(next_at(&world, busy, at), format!("{first} assigned 101"));
    let due_at = Some(monday().plus_ms(20 * MINUTE_MS));
    let revision = Revision { item: second, version: 2, priority: Priority::Normal, due_at };
    assert_eq!(feed(&mut world, &Input::Revised(revision)), "");
    assert_eq!(next_at(&world, busy, at), format!("{second} assigned 101"), "ten minutes from the beginning of its wait");
}

#[test]
fn r7_4_a_directory_that_changes_the_order_puts_what_waits_in_that_order() {
    let (mut world, busy) = costly();
    let early = wait_from(&mut world, 0, Priority::Normal, None);
    let urgent = wait_from(&mut world, 10, Priority::Urgent, None);
    let at = monday().plus_ms(11 * MINUTE_MS);
    assert_eq!(next_at(&world, busy, at), format!("{early} assigned 101"));
    assert_eq!(edit(&mut world, |directory| directory.queue_order = QueueOrder::Priority), "");
    assert_eq!(next_at(&world, busy, at), format!("{urgent} assigned 101"));
    world.now = at;
    let text = edit(&mut world, |directory| {
        directory.queue_order = QueueOrder::Gcmu;
        directory.person(ADA).capacity.total = Some(2);
    });
    assert_eq!(text, format!("{early} assigned 101"), "the order in force decides about what an edit frees");
}

#[test]
fn r7_4_a_refused_match_goes_back_to_its_place_under_gcmu() {
    let (mut world, busy) = costly();
    let early = wait_from(&mut world, 0, Priority::Normal, None);
    let late = wait_from(&mut world, 10, Priority::Normal, None);
    let state = |item: ItemId, owner: Option<Owner>, status: ItemStatus| ItemState {
        item,
        item_kind: ItemKind::Conversation,
        conversation: None,
        workspace: WorkspaceId(1),
        group: LoadGroup::InboxMail,
        status,
        owner,
        owned_since: None,
        created_at: None,
        waiting_on_contact: false,
    };
    let closed = state(busy, Some(Owner::User { id: ADA }), ItemStatus::Closed);
    let effects = world.step(&Input::Changed(ItemChange { state: closed, assigned: false }));
    let [Effect::Decide(decision), Effect::LeftQueue { arrival }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(decision.item, early);
    let refusal = Input::Refused(Refusal {
        decision: Box::new(decision.clone()),
        reason: RefusalReason::ItemChanged,
        state: state(early, None, ItemStatus::Open),
        retry: Some((**arrival).clone()),
    });
    assert_eq!(feed(&mut world, &refusal), format!("{early} assigned 101"), "and not {late}");
}

#[test]
fn r7_4_a_directory_without_an_order_waits_by_priority() {
    let directory = Directory { queue_order: QueueOrder::Gcmu, ..one_at_a_time() };
    let mut json = serde_json::to_value(&directory).expect("a directory can be written");
    assert_eq!(json["queue_order"], "gcmu");
    json.as_object_mut().expect("an object").remove("queue_order");
    let read: Directory = serde_json::from_value(json).expect("an older directory can be read");
    assert_eq!(read.queue_order, QueueOrder::Priority);
    let _ = Router::new(read.into(), RouterState::default()).expect("an empty state fits");
}
