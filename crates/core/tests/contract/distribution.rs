//! ROUTING 6: distribution.

use crate::support::{
    ADA, BEN, BLUE, CALLS, CHAT, CLEO, DAG, Edit, MAIL, RED, TICKETS, World, assigned, check, directory, members, people,
};
use std::collections::BTreeMap;
use switchboard_core::default_distribution;
use switchboard_model::{
    Case, ChannelKind, Distribution, ItemStatus, LoadGroup, Member, StatusValue, UserId, Verdict, WorkspaceKind,
};

fn by(distribution: Distribution, users: &[UserId]) -> Case {
    Case { distribution: Some(distribution), ..Case::new(people(users)) }
}

fn takers(world: &mut World, count: usize) -> Vec<i64> {
    (0..count).map(|_| world.taker(MAIL).map_or(0, |user| user.0)).collect()
}

#[test]
fn r6_1_load_balanced_gives_to_the_least_loaded() {
    let mut world = World::with_case(TICKETS, by(Distribution::LoadBalanced, &[ADA, BEN, CLEO]));
    for (user, count) in [(ADA, 2), (BEN, 1), (CLEO, 3)] {
        for _ in 0..count {
            world.give(user, LoadGroup::TicketEmailOther, 0);
        }
    }
    let arrival = world.arrival(TICKETS);
    let (decision, explanation, _) = world.route(&arrival);
    assert_eq!((assigned(&decision), decision.load, decision.tied), (Some(BEN), Some(1), 1));
    let ranks: Vec<_> =
        explanation.stages[0].candidates.iter().map(|candidate| (candidate.user, candidate.load, candidate.rank)).collect();
    assert_eq!(ranks, [(ADA, 2, Some(2)), (BEN, 1, Some(1)), (CLEO, 3, Some(3))]);
}

#[test]
fn r6_2_round_robin_goes_in_the_listed_order() {
    let mut world = World::with_case(MAIL, by(Distribution::RoundRobin, &[CLEO, ADA, BEN]));
    assert_eq!(takers(&mut world, 7), [103, 101, 102, 103, 101, 102, 103]);
}

#[test]
fn r6_2_teams_are_expanded_by_user_id_at_their_place_and_duplicates_dropped() {
    let mut directory = directory();
    directory.person(ADA).team = Some(BLUE);
    directory.person(DAG).team = Some(RED);
    directory.person(BEN).team = Some(RED);
    let listed = [Member::User(CLEO), Member::Team(RED), Member::User(BEN), Member::Team(BLUE), Member::User(CLEO)];
    directory.route(MAIL, Case { distribution: Some(Distribution::RoundRobin), ..Case::new(members(&listed)) });
    let mut world = World::new(directory);
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "assigned 103 | users_and_teams: 103 chosen, 102 eligible, 104 eligible, 101 eligible");
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "assigned 102 via 21 | users_and_teams: 103 eligible, 102 chosen, 104 eligible, 101 eligible");
    assert_eq!(takers(&mut world, 3), [104, 101, 103]);
}

#[test]
fn r6_2_somebody_back_from_leave_gets_one_turn_in_the_running_cycle_and_no_flood() {
    let mut world = World::with_case(MAIL, by(Distribution::RoundRobin, &[ADA, BEN, CLEO]));
    world.by_hand(CLEO, StatusValue::Away);
    assert_eq!(takers(&mut world, 5), [101, 102, 101, 102, 101]);
    world.by_hand(CLEO, StatusValue::Available);
    assert_eq!(takers(&mut world, 5), [102, 103, 101, 102, 103]);
}

#[test]
fn r6_2_a_newcomer_joins_the_running_cycle_with_one_turn() {
    let mut world = World::with_case(MAIL, by(Distribution::RoundRobin, &[ADA, BEN]));
    assert_eq!(takers(&mut world, 3), [101, 102, 101]);
    world.edit(|directory| directory.route(MAIL, by(Distribution::RoundRobin, &[DAG, ADA, BEN])));
    assert_eq!(takers(&mut world, 5), [104, 102, 104, 101, 102]);
}

#[test]
fn r6_2_editing_the_people_neither_resets_nor_costs_a_turn() {
    let mut world = World::with_case(MAIL, by(Distribution::RoundRobin, &[ADA, BEN, CLEO]));
    assert_eq!(takers(&mut world, 2), [101, 102]);
    world.edit(|directory| directory.route(MAIL, by(Distribution::RoundRobin, &[BEN, CLEO])));
    world.edit(|directory| directory.route(MAIL, by(Distribution::RoundRobin, &[BEN, ADA, CLEO])));
    assert_eq!(takers(&mut world, 4), [103, 102, 101, 103], "taken out and put back, Ada has had her turn");
}

#[test]
fn r6_2_turns_belong_to_a_case() {
    let mut world = World::with_case(MAIL, by(Distribution::RoundRobin, &[ADA, BEN]));
    world.edit(|directory| directory.route(CHAT, by(Distribution::RoundRobin, &[ADA, BEN])));
    assert_eq!(world.taker(MAIL), Some(ADA));
    assert_eq!(world.taker(CHAT), Some(ADA));
    assert_eq!(world.taker(MAIL), Some(BEN));
    let turns = world.router.state().turns;
    let found: Vec<_> = turns.iter().map(|turn| (turn.channel, turn.case, turn.cycle, turn.served.clone())).collect();
    let (mail, chat) = (BTreeMap::from([(ADA, 1), (BEN, 1)]), BTreeMap::from([(ADA, 1)]));
    assert_eq!(found, [(MAIL, 0, 1, mail), (CHAT, 0, 1, chat)]);
}

#[test]
fn r6_3_random_is_uniform_over_the_eligible_and_the_draw_is_recorded() {
    let mut world = World::with_case(MAIL, by(Distribution::Random, &[ADA, BEN, CLEO, DAG]));
    world.by_hand(BEN, StatusValue::Away);
    let eligible = [ADA, CLEO, DAG];
    let mut counts: BTreeMap<UserId, u32> = BTreeMap::new();
    for seed in 0..6_000 {
        let mut arrival = world.arrival(MAIL);
        arrival.seed = seed;
        let decision = world.router.explain(world.now, &arrival).decision;
        let draw = decision.draw.expect("a random choice records its draw");
        let user = assigned(&decision).expect("three are eligible");
        assert_eq!(eligible[draw as usize], user, "the draw is an index into the eligible");
        assert_eq!((decision.eligible, decision.tied, decision.candidates), (3, 3, 4));
        *counts.entry(user).or_default() += 1;
    }
    assert_eq!(counts.len(), 3);
    assert!(counts.values().all(|count| count.abs_diff(2_000) < 150), "about a third each: {counts:?}");
}

#[test]
fn r6_3_the_same_seed_draws_the_same_person() {
    let mut world = World::with_case(MAIL, by(Distribution::Random, &[ADA, BEN, CLEO]));
    let arrival = world.arrival(MAIL);
    let (first, ..) = world.route(&arrival);
    let again = world.router.explain(world.now, &arrival).decision;
    assert_eq!((assigned(&first), first.draw), (assigned(&again), again.draw));
}

#[test]
fn r6_4_least_busy_looks_at_inbox_chats_whatever_the_item() {
    let mut world = World::with_case(MAIL, by(Distribution::LeastBusy, &[ADA, BEN]));
    world.give(ADA, LoadGroup::InboxChat, 0);
    world.give(BEN, LoadGroup::InboxMail, 0);
    world.give(BEN, LoadGroup::InboxMail, 0);
    world.give(BEN, LoadGroup::TicketMessaging, 0);
    let decision = world.arrive(MAIL);
    assert_eq!((assigned(&decision), decision.load), (Some(BEN), Some(0)));
}

#[test]
fn r6_4_least_busy_in_a_help_desk_is_load_balanced() {
    let mut world = World::with_case(TICKETS, by(Distribution::LeastBusy, &[ADA, BEN]));
    world.give(ADA, LoadGroup::TicketEmailOther, 0);
    world.give(BEN, LoadGroup::InboxChat, 0);
    assert_eq!(world.taker(TICKETS), Some(BEN));
}

#[test]
fn r6_5_longest_idle_goes_by_the_last_such_assignment_whatever_the_load() {
    let mut world = World::with_case(CALLS, by(Distribution::LongestIdle, &[ADA, BEN, CLEO]));
    world.give(BEN, LoadGroup::TicketCalling, 0);
    world.give(ADA, LoadGroup::TicketCalling, 0);
    let item = world.give(BEN, LoadGroup::TicketEmailOther, 0);
    world.set_status_of(item, ItemStatus::Closed);
    let order: Vec<_> = (0..4).map(|_| world.taker(CALLS)).collect();
    assert_eq!(order, [Some(CLEO), Some(BEN), Some(ADA), Some(CLEO)]);
}

#[test]
fn r6_6_every_channel_has_its_default_and_may_choose_any() {
    use Distribution::{LeastBusy, LoadBalanced, LongestIdle, Random};
    let expected = [
        (ChannelKind::Email, Random),
        (ChannelKind::Form, Random),
        (ChannelKind::Chat, LeastBusy),
        (ChannelKind::Messenger, LeastBusy),
        (ChannelKind::Whatsapp, LeastBusy),
        (ChannelKind::Custom, LeastBusy),
    ];
    for (kind, distribution) in expected {
        assert_eq!(default_distribution(kind, WorkspaceKind::Inbox), distribution, "{kind}");
        assert_eq!(default_distribution(kind, WorkspaceKind::HelpDesk), LoadBalanced, "{kind}");
    }
    for workspace in [WorkspaceKind::Inbox, WorkspaceKind::HelpDesk] {
        assert_eq!(default_distribution(ChannelKind::Calling, workspace), LongestIdle);
    }
    for (channel, distribution) in [(MAIL, Random), (CHAT, LeastBusy), (TICKETS, LoadBalanced), (CALLS, LongestIdle)] {
        let mut world = World::with_case(channel, Case::new(people(&[ADA, BEN])));
        assert_eq!(world.arrive(channel).distribution, Some(distribution));
        for chosen in [LoadBalanced, Distribution::RoundRobin, Random, LeastBusy, LongestIdle] {
            world.edit(|directory| directory.route(channel, by(chosen, &[ADA, BEN])));
            assert_eq!(world.arrive(channel).distribution, Some(chosen));
        }
    }
}

#[test]
fn r6_ranks_tell_the_order_in_which_people_would_have_come() {
    let mut world = World::with_case(MAIL, by(Distribution::RoundRobin, &[ADA, BEN, CLEO]));
    world.arrive(MAIL);
    world.by_hand(CLEO, StatusValue::Away);
    let arrival = world.arrival(MAIL);
    let (_, explanation, _) = world.route(&arrival);
    let found: Vec<_> = explanation.stages[0].candidates.iter().map(|candidate| (candidate.user, candidate.rank)).collect();
    assert_eq!(found, [(ADA, Some(2)), (BEN, Some(1)), (CLEO, None)]);
    assert_eq!(explanation.stages[0].candidates[1].verdict, Verdict::Chosen);
}
