//! ROUTING 7.4: what is routed again while it waits, and who is left out after the database found him full.

use crate::queue::{change, edit, feed, one_at_a_time, patient, wait};
use crate::support::{ADA, BEN, CHAT, Edit, MAIL, World, monday};
use switchboard_model::{
    Arrival, Decision, Effect, Input, ItemId, ItemKind, ItemState, ItemStatus, LoadGroup, Owner, Refusal, RefusalReason,
    RouteEvent, UserId,
};

fn unowned(item: ItemId) -> ItemState {
    ItemState {
        item,
        item_kind: ItemKind::Conversation,
        conversation: None,
        workspace: crate::support::INBOX,
        group: LoadGroup::InboxMail,
        status: ItemStatus::Open,
        owner: None,
        owned_since: None,
        created_at: None,
        waiting_on_contact: false,
    }
}

fn refusal(decision: &Decision, reason: RefusalReason, retry: &Arrival) -> Input {
    let state = unowned(decision.item);
    Input::Refused(Refusal { decision: Box::new(decision.clone()), reason, state, retry: Some(retry.clone()) })
}

fn only_decision(effects: &[Effect]) -> Decision {
    let mut decided =
        effects.iter().filter_map(|effect| if let Effect::Decide(decision) = effect { Some(decision) } else { None });
    let decision = decided.next().expect("a decision").clone();
    assert_eq!(decided.next(), None);
    decision
}

/// An item that waits as the database found Ada, who owns the other one, full on it.
fn barred() -> (World, Arrival, ItemId) {
    let mut directory = one_at_a_time();
    directory.person(ADA).capacity.total = Some(2);
    directory.route(MAIL, patient(&[ADA]));
    let mut world = World::new(directory);
    let owned = world.give(ADA, LoadGroup::InboxMail, 0);
    let arrival = world.arrival(MAIL);
    let decision = world.route(&arrival).0;
    let text = feed(&mut world, &refusal(&decision, RefusalReason::AtCapacity, &arrival));
    assert_eq!(text, format!("{} queued", arrival.item));
    assert_eq!(bars(&world), [Some(ADA)]);
    (world, arrival, owned)
}

fn bars(world: &World) -> Vec<Option<UserId>> {
    world.router.waiting().map(|waiting| waiting.barred).collect()
}

#[test]
fn r7_4_who_was_found_full_stays_left_out_when_the_item_is_routed_again() {
    let (mut world, arrival, _) = barred();
    let again = Arrival { event: RouteEvent::Requested, ..arrival.clone() };
    let explained = world.router.explain(world.now, &again).decision;
    let effects = world.step(&Input::Arrived(again));
    assert_eq!(only_decision(&effects), explained);
    assert_eq!(bars(&world), [Some(ADA)]);
    let queued = only_decision(&effects);
    assert_eq!(feed(&mut world, &refusal(&queued, RefusalReason::ItemChanged, &arrival)), format!("{} queued", arrival.item));
    assert_eq!(bars(&world), [Some(ADA)]);
}

#[test]
fn r7_4_news_of_the_persons_work_or_a_new_directory_lets_him_in_again() {
    let (mut world, arrival, owned) = barred();
    assert_eq!(change(&mut world, owned, Some(ADA), ItemStatus::Closed), format!("{} assigned 101", arrival.item));
    let (mut world, arrival, _) = barred();
    assert_eq!(edit(&mut world, |_| {}), format!("{} assigned 101", arrival.item));
}

#[test]
fn r7_4_an_item_of_his_that_is_routed_elsewhere_is_news_of_his_work() {
    let (mut world, arrival, owned) = barred();
    let returned = Arrival {
        item: owned,
        event: RouteEvent::Returned,
        previous_owner: Some(Owner::User { id: ADA }),
        excluded: vec![ADA],
        ..world.arrival(MAIL)
    };
    let text = feed(&mut world, &Input::Arrived(returned));
    assert_eq!(text, format!("{owned} unassigned nobody_eligible, {} assigned 101", arrival.item));
}

#[test]
fn r7_4_what_is_routed_again_while_it_waits_says_since_when_and_keeps_that_after_a_refusal() {
    let mut directory = one_at_a_time();
    directory.route(MAIL, patient(&[ADA]));
    directory.person(ADA).capacity.total = Some(0);
    let mut world = World::new(directory);
    let item = wait(&mut world, MAIL, |_| {});
    world.now = world.now.plus_ms(60_000);
    let _later = wait(&mut world, MAIL, |_| {});
    // Routed again by another channel's rule, which reaches Ben.
    assert_eq!(edit(&mut world, |directory| directory.route(CHAT, patient(&[BEN]))), "");
    let again = Arrival { item, channel: CHAT, event: RouteEvent::Requested, ..world.arrival(MAIL) };
    let effects = world.step(&Input::Arrived(again.clone()));
    let decision = only_decision(&effects);
    assert_eq!((crate::support::assigned(&decision), decision.queued_since), (Some(BEN), Some(monday())));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::LeftQueue { .. })), "its arrival is the input's own");
    let retry = Arrival { channel: MAIL, ..again };
    assert_eq!(feed(&mut world, &refusal(&decision, RefusalReason::ItemChanged, &retry)), format!("{item} queued"));
    assert_eq!(world.router.position(item), Some(1), "in front of what came a minute later");
}
