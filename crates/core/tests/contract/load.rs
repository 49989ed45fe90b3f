//! ROUTING 5: load and capacity.

use crate::support::{
    ADA, BEN, CALLS, CHAT, CHAT_TICKETS, CLEO, DAY_MS, Edit, MAIL, TICKETS, World, assigned, check, directory, people,
};
use switchboard_model::{
    Capacity, Case, ConversationId, Distribution, Input, ItemStatus, LoadGroup, Outcome, RouteEvent, UserId, WorkType,
};

fn balanced(users: &[UserId]) -> Case {
    Case { distribution: Some(Distribution::LoadBalanced), ..Case::new(people(users)) }
}

#[test]
fn r5_1_help_desk_load_counts_open_tickets_of_the_same_type_only() {
    let mut world = World::with_case(TICKETS, balanced(&[ADA, BEN]));
    world.give(ADA, LoadGroup::TicketEmailOther, 0);
    world.give(BEN, LoadGroup::TicketMessaging, 0);
    world.give(BEN, LoadGroup::TicketCalling, 0);
    world.give(BEN, LoadGroup::InboxMail, 0);
    assert_eq!(world.router.load(BEN, LoadGroup::TicketEmailOther, world.now), 0);
    let decision = world.arrive(TICKETS);
    assert_eq!((assigned(&decision), decision.load), (Some(BEN), Some(0)));
}

#[test]
fn r5_1_ownership_of_exactly_30_days_counts_and_a_millisecond_more_does_not() {
    for (age_ms, expected) in [(30 * DAY_MS - 1_000, 1), (30 * DAY_MS, 1), (30 * DAY_MS + 1, 0), (30 * DAY_MS + 1_000, 0)] {
        let mut world = World::with_case(TICKETS, balanced(&[ADA]));
        world.give(ADA, LoadGroup::TicketEmailOther, age_ms);
        assert_eq!(world.router.load(ADA, LoadGroup::TicketEmailOther, world.now), expected, "aged {age_ms} ms");
        assert_eq!(world.router.open(ADA), 1, "capacity knows no age");
    }
}

#[test]
fn r5_1_tickets_age_out_before_any_input_at_that_time() {
    let mut world = World::with_case(TICKETS, balanced(&[ADA, BEN]));
    world.give(ADA, LoadGroup::TicketEmailOther, 0);
    world.give(ADA, LoadGroup::TicketEmailOther, 0);
    let began = world.now;
    world.give(BEN, LoadGroup::TicketEmailOther, 0);
    world.now = began.plus_ms(30 * DAY_MS);
    assert_eq!(world.router.load(ADA, LoadGroup::TicketEmailOther, world.now), 2);
    assert_eq!(world.router.load(ADA, LoadGroup::TicketEmailOther, world.now.plus_ms(1)), 0, "asked ahead");
    let arrival = world.arrival(TICKETS);
    assert_eq!(world.router.explain(world.now, &arrival).decision.outcome, Outcome::Assigned { user: BEN, team: None });
    let later = world.router.explain(world.now.plus_ms(1), &arrival).decision;
    assert_eq!((assigned(&later), later.load), (Some(ADA), Some(0)), "all are at nothing, and Ada was served longer ago");
    world.now = began.plus_ms(30 * DAY_MS + 1);
    assert_eq!(world.taker(TICKETS), Some(ADA));
    assert_eq!(world.router.load(ADA, LoadGroup::TicketEmailOther, world.now), 1);
    assert_eq!(world.router.open(ADA), 3);
}

#[test]
fn r5_2_inbox_load_counts_the_same_kind_group_whatever_its_age() {
    let mut world = World::with_case(MAIL, balanced(&[ADA, BEN]));
    world.give(ADA, LoadGroup::InboxMail, 400 * DAY_MS);
    world.give(BEN, LoadGroup::InboxChat, 0);
    world.give(BEN, LoadGroup::TicketEmailOther, 0);
    assert_eq!(world.router.load(ADA, LoadGroup::InboxMail, world.now), 1);
    assert_eq!(world.taker(MAIL), Some(BEN));
}

#[test]
fn r5_3_snoozed_closed_and_spam_items_are_not_open() {
    for status in [ItemStatus::Snoozed, ItemStatus::Closed, ItemStatus::Spam] {
        let mut world = World::with_case(MAIL, balanced(&[ADA]));
        let item = world.give(ADA, LoadGroup::InboxMail, 0);
        assert_eq!((world.router.open(ADA), world.router.load(ADA, LoadGroup::InboxMail, world.now)), (1, 1));
        world.set_status_of(item, status);
        assert_eq!((world.router.open(ADA), world.router.load(ADA, LoadGroup::InboxMail, world.now)), (0, 0), "{status}");
    }
}

#[test]
fn r5_4_tie_goes_to_least_recently_assigned() {
    let mut world = World::with_case(MAIL, balanced(&[ADA, BEN, CLEO]));
    for user in [CLEO, ADA, BEN] {
        let item = world.give(user, LoadGroup::InboxMail, 0);
        world.set_status_of(item, ItemStatus::Closed);
    }
    let mut takers = Vec::new();
    for _ in 0..3 {
        let decision = world.arrive(MAIL);
        takers.push((assigned(&decision), decision.tied));
    }
    assert_eq!(takers, [(Some(CLEO), 3), (Some(ADA), 2), (Some(BEN), 1)]);
}

#[test]
fn r5_4_never_assigned_comes_first_then_the_lowest_id() {
    let mut world = World::with_case(MAIL, balanced(&[CLEO, BEN, ADA]));
    let item = world.give(ADA, LoadGroup::InboxMail, 0);
    world.set_status_of(item, ItemStatus::Closed);
    let takers: Vec<_> = (0..3).map(|_| world.taker(MAIL)).collect();
    assert_eq!(takers, [Some(BEN), Some(CLEO), Some(ADA)]);
}

#[test]
fn r5_4_only_such_work_counts_and_the_order_is_by_sequence_not_clock() {
    let mut world = World::with_case(MAIL, balanced(&[ADA, BEN]));
    let now = world.now;
    for (user, ahead_ms) in [(BEN, 0), (ADA, -DAY_MS)] {
        world.now = now.plus_ms(ahead_ms);
        let item = world.give(user, LoadGroup::InboxMail, 0);
        world.set_status_of(item, ItemStatus::Closed);
    }
    world.now = now;
    let chat = world.give(BEN, LoadGroup::InboxChat, 0);
    world.set_status_of(chat, ItemStatus::Closed);
    assert_eq!(world.taker(MAIL), Some(BEN), "Ada's assignment came in later, whatever the clock said");
}

#[test]
fn r5_5_capacity_counts_everything_owned_in_total_and_per_type() {
    let mut directory = directory();
    directory.person(ADA).capacity = Capacity { total: Some(3), per_type: [(WorkType::Chat, 1)].into(), ..Capacity::default() };
    directory.route(CHAT, Case::new(people(&[ADA])));
    directory.route(MAIL, Case::new(people(&[ADA])));
    let mut world = World::new(directory);
    assert_eq!(world.taker(CHAT), Some(ADA));
    let arrival = world.arrival(CHAT);
    check(&mut world, &arrival, "unassigned nobody_eligible | users_and_teams: 101 at_capacity");
    world.give(ADA, LoadGroup::TicketEmailOther, 400 * DAY_MS);
    assert_eq!(world.taker(MAIL), Some(ADA), "mail is not limited by itself, and this is the third");
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned nobody_eligible | users_and_teams: 101 at_capacity");
    assert_eq!((world.router.open(ADA), world.router.open_of_type(ADA, WorkType::Mail)), (3, 2));
}

#[test]
fn r5_5_a_conversation_and_its_ticket_count_once() {
    let mut directory = directory();
    directory.person(ADA).capacity = Capacity { total: Some(1), per_type: [(WorkType::Chat, 1)].into(), ..Capacity::default() };
    directory.route(CHAT_TICKETS, Case::new(people(&[ADA])));
    let mut world = World::new(directory);
    let conversation = world.item();
    let key = Some(ConversationId(conversation.0));
    world.own(conversation, key, Some(ADA), LoadGroup::InboxChat, 0);
    let mut ticket = world.arrival(CHAT_TICKETS);
    let other = world.arrival(CHAT_TICKETS);
    check(&mut world, &other, "unassigned nobody_eligible | users_and_teams: 101 at_capacity");
    ticket.conversation = key;
    check(&mut world, &ticket, "assigned 101 | users_and_teams: 101 chosen");
    assert_eq!((world.router.open(ADA), world.router.open_of_type(ADA, WorkType::Chat)), (1, 1));
    world.own(conversation, key, None, LoadGroup::InboxChat, 0);
    assert_eq!(world.router.open(ADA), 1, "the ticket is still there");
    world.own(ticket.item, key, None, LoadGroup::TicketMessaging, 0);
    assert_eq!((world.router.open(ADA), world.router.open_of_type(ADA, WorkType::Chat)), (0, 0));
}

#[test]
fn r5_5_by_hand_one_may_go_over_the_limit() {
    let mut directory = directory();
    directory.person(ADA).capacity.total = Some(1);
    let mut world = World::new(directory);
    world.give(ADA, LoadGroup::InboxMail, 0);
    world.give(ADA, LoadGroup::InboxMail, 0);
    assert_eq!(world.router.open(ADA), 2);
}

#[test]
fn r5_5_an_item_does_not_count_against_its_own_owner_when_it_is_routed_again() {
    let mut directory = directory();
    directory.person(ADA).capacity.total = Some(1);
    directory.route(MAIL, balanced(&[ADA]));
    let mut world = World::new(directory);
    let mut arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen");
    arrival.event = RouteEvent::Requested;
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen");
    assert_eq!(world.router.open(ADA), 1);
    let (decision, ..) = world.route(&arrival);
    assert_eq!(decision.load, Some(0));
}

#[test]
fn r5_5_nor_against_its_owners_limit_for_the_type() {
    let mut directory = directory();
    directory.person(ADA).capacity.per_type.insert(WorkType::Mail, 1);
    directory.route(MAIL, balanced(&[ADA]));
    let mut world = World::new(directory);
    let mut arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen");
    arrival.event = RouteEvent::Requested;
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen");
    let other = world.arrival(MAIL);
    check(&mut world, &other, "unassigned nobody_eligible | users_and_teams: 101 at_capacity");
}

#[test]
fn r5_1_an_item_that_is_about_to_age_is_left_out_once_when_it_is_routed_again() {
    let mut world = World::with_case(TICKETS, balanced(&[ADA]));
    let mut arrival = world.arrival(TICKETS);
    world.own(arrival.item, None, Some(ADA), LoadGroup::TicketEmailOther, 20 * DAY_MS);
    world.give(ADA, LoadGroup::TicketEmailOther, 0);
    arrival.event = RouteEvent::Requested;
    for days in [0, 11] {
        let decision = world.router.explain(world.now.plus_ms(days * DAY_MS), &arrival).decision;
        assert_eq!(decision.load, Some(1), "the other one, {days} days from now");
    }
}

#[test]
fn r5_5_decisions_made_at_once_fill_everybody_to_the_limit_and_no_further() {
    let mut directory = directory();
    for user in [ADA, BEN, CLEO] {
        directory.person(user).capacity.total = Some(2);
    }
    directory.route(CALLS, Case::new(people(&[ADA, BEN, CLEO])));
    let mut world = World::new(directory);
    let takers: Vec<_> = (0..8).map(|_| world.taker(CALLS)).collect();
    let expected = [ADA, BEN, CLEO, ADA, BEN, CLEO].map(Some).into_iter().chain([None, None]).collect::<Vec<_>>();
    assert_eq!(takers, expected);
}

#[test]
fn r5_a_tick_alone_lets_load_age() {
    let mut world = World::new(directory());
    world.give(ADA, LoadGroup::TicketMessaging, 0);
    world.now = world.now.plus_ms(31 * DAY_MS);
    assert_eq!(world.step(&Input::Tick), []);
    assert_eq!(world.router.load(ADA, LoadGroup::TicketMessaging, world.now), 0);
    assert_eq!(world.router.state().owned.len(), 1);
}
