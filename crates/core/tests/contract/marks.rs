//! ROUTING 5.4: the order of assignments, also of several that one input brings about.

use crate::queue::{edit, feed, one_at_a_time, patient, wait};
use crate::support::{ADA, BEN, Edit, HOUR_MS, INBOX, MAIL, World, assigned, hours, outcome_text};
use switchboard_model::{
    Decision, Effect, Input, ItemChange, ItemId, ItemKind, ItemState, ItemStatus, LoadGroup, Owner, Refusal, RefusalReason,
    UserId,
};

/// Ben and Ada without any room, and two items that wait: the first for Ben alone, the second for either.
fn two_waiting() -> (World, ItemId, ItemId) {
    let mut directory = one_at_a_time();
    directory.route(MAIL, patient(&[ADA, BEN]));
    for user in [ADA, BEN] {
        directory.person(user).capacity.total = Some(0);
    }
    let mut world = World::new(directory);
    let first = wait(&mut world, MAIL, |arrival| arrival.excluded = vec![ADA]);
    let second = wait(&mut world, MAIL, |_| {});
    (world, first, second)
}

fn room(world: &mut World) -> Vec<Decision> {
    let mut directory = switchboard_model::Directory::clone(world.router.directory());
    directory.version += 1;
    for user in [ADA, BEN] {
        directory.person(user).capacity.total = Some(9);
    }
    let effects = world.step(&Input::Directory { version: directory.version, directory: Some(directory.into()) });
    let decided = |effect| if let Effect::Decide(decision) = effect { Some(decision) } else { None };
    effects.into_iter().filter_map(decided).collect()
}

fn unowned(item: ItemId) -> ItemState {
    ItemState {
        item,
        item_kind: ItemKind::Conversation,
        conversation: None,
        workspace: INBOX,
        group: LoadGroup::InboxMail,
        status: ItemStatus::Open,
        owner: None,
        owned_since: None,
        created_at: None,
        waiting_on_contact: false,
    }
}

#[test]
fn r5_4_assignments_of_one_input_count_in_the_order_in_which_they_were_made() {
    let (mut world, first, second) = two_waiting();
    let decisions = room(&mut world);
    let told: Vec<_> = decisions.iter().map(|made| (made.item, made.place, outcome_text(&made.outcome))).collect();
    assert_eq!(told, [(first, 0, "assigned 102".to_owned()), (second, 1, "assigned 101".to_owned())]);
    assert_eq!(world.router.mark(BEN, LoadGroup::InboxMail), Some(decisions[0].mark()));
    assert!(world.router.mark(BEN, LoadGroup::InboxMail) < world.router.mark(ADA, LoadGroup::InboxMail));
    assert_eq!(world.taker(MAIL), Some(BEN), "as busy as Ada, and assigned before her");
    assert_eq!(world.taker(MAIL), Some(ADA));
}

#[test]
fn r5_4_work_given_by_hand_counts_after_what_time_had_brought_about_before() {
    let mut directory = one_at_a_time();
    directory.route(MAIL, patient(&[BEN]));
    directory.person(BEN).hours = hours(&["mon-fri 10:00-16:00"]);
    let mut world = World::new(directory);
    let item = wait(&mut world, MAIL, |_| {});
    world.now = world.now.plus_ms(HOUR_MS);
    let state =
        ItemState { owner: Some(Owner::User { id: ADA }), owned_since: Some(world.now), ..unowned(ItemId(item.0 + 1_000)) };
    let text = feed(&mut world, &Input::Changed(ItemChange { state, assigned: true }));
    assert_eq!(text, format!("{item} assigned 102"));
    assert!(world.router.mark(BEN, LoadGroup::InboxMail) < world.router.mark(ADA, LoadGroup::InboxMail));
    edit(&mut world, |directory| {
        for user in [ADA, BEN] {
            directory.person(user).capacity.total = None;
        }
        directory.route(MAIL, patient(&[ADA, BEN]));
    });
    assert_eq!(world.taker(MAIL), Some(BEN));
}

#[test]
fn r5_4_refused_assignments_of_one_input_leave_no_mark_in_whatever_order() {
    for order in [[0, 1], [1, 0]] {
        let mut directory = one_at_a_time();
        directory.route(MAIL, patient(&[ADA]));
        let mut world = World::new(directory);
        world.give(ADA, LoadGroup::InboxMail, 0);
        let held = world.router.state().marks;
        for _ in 0..2 {
            wait(&mut world, MAIL, |_| {});
        }
        let made = room(&mut world);
        assert_eq!(made.iter().map(assigned).collect::<Vec<Option<UserId>>>(), [Some(ADA); 2]);
        assert_eq!((made[0].no, made[1].mark_before), (made[1].no, Some(made[0].mark())));
        for index in order {
            let decision = Box::new(made[index].clone());
            let state = unowned(decision.item);
            let reason = RefusalReason::ItemChanged;
            assert_eq!(world.step(&Input::Refused(Refusal { decision, reason, state, retry: None })), []);
        }
        assert_eq!(world.router.state().marks, held, "{order:?}");
    }
}

#[test]
fn r5_4_a_mark_is_the_number_of_the_input_and_then_the_place_within_it() {
    let marks = [(0, 0), (0, 1), (0, u32::MAX), (1, 0), (1, 7), (2, 0), (u64::MAX, 3)];
    let marks = marks.map(|(no, place)| switchboard_model::mark(no, place));
    assert!(marks.is_sorted_by(|one, other| one < other), "{marks:?}");
}
