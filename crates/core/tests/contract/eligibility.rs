//! ROUTING 2 and 3: triage by hand, and who is eligible.

use crate::support::{
    ADA, BEN, BLUE, CHAT, CLEO, DAG, DESK, Edit, INBOX, MAIL, RED, TICKETS, World, check, directory, members, people,
};
use switchboard_core::{
    AssignRefusal, NotSelectable, may_assign_by_hand, may_edit_rules, selectable, stale_members, team_selectable,
};
use switchboard_model::{
    Capacity, Case, Distribution, LoadGroup, Member, Role, Seat, SkipReason, StatusValue, TeamId, UserId, WorkspaceAccess,
    WorkspaceId,
};

#[test]
fn r2_1_without_a_rule_or_with_the_rule_off_work_stays_unassigned() {
    let mut world = World::new(directory());
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned no_rule");
    world.edit(|directory| {
        directory.route(MAIL, Case::new(people(&[ADA])));
        directory.feed(MAIL).rule.as_mut().unwrap().on = false;
    });
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned rule_off");
}

#[test]
fn r2_4_a_workspace_restricted_to_teams_takes_only_their_main_and_extra_members_by_hand() {
    let mut directory = directory();
    directory.place(INBOX).access = WorkspaceAccess::Restricted { users: vec![CLEO], teams: vec![RED] };
    directory.person(ADA).team = Some(RED);
    directory.person(ADA).seat = Seat::None;
    directory.person(BEN).extra_teams = vec![RED];
    let expected = [(ADA, Ok(())), (BEN, Ok(())), (CLEO, Err(AssignRefusal::NotInTeams)), (DAG, Err(AssignRefusal::NotInTeams))];
    for (user, answer) in expected {
        assert_eq!(may_assign_by_hand(&directory, INBOX, user), answer, "user {user}");
    }
    directory.person(ADA).active = false;
    assert_eq!(may_assign_by_hand(&directory, INBOX, ADA), Err(AssignRefusal::Inactive));
    assert_eq!(may_assign_by_hand(&directory, INBOX, UserId(1)), Err(AssignRefusal::UnknownUser));
    assert_eq!(may_assign_by_hand(&directory, WorkspaceId(77), ADA), Err(AssignRefusal::UnknownWorkspace));
}

#[test]
fn r2_4_elsewhere_whoever_may_open_the_workspace_takes_work_by_hand() {
    let mut directory = directory();
    directory.place(INBOX).access = WorkspaceAccess::Restricted { users: vec![CLEO], teams: Vec::new() };
    directory.person(BEN).ticket_access = false;
    assert_eq!(may_assign_by_hand(&directory, INBOX, CLEO), Ok(()));
    assert_eq!(may_assign_by_hand(&directory, INBOX, ADA), Err(AssignRefusal::NoAccess));
    assert_eq!(may_assign_by_hand(&directory, DESK, ADA), Ok(()));
    assert_eq!(may_assign_by_hand(&directory, DESK, BEN), Err(AssignRefusal::NoAccess));
}

#[test]
fn r2_7_who_returned_an_item_is_left_out_of_its_next_decision_only() {
    let mut world = World::with_case(TICKETS, Case::new(people(&[ADA, BEN])));
    world.give(BEN, LoadGroup::TicketEmailOther, 0);
    let mut arrival = world.arrival(TICKETS);
    arrival.excluded = vec![ADA];
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 101 excluded, 102 chosen");
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen, 102 eligible");
}

#[test]
fn r3_1_who_is_deactivated_or_has_not_accepted_the_invitation_is_inactive() {
    let mut directory = directory();
    directory.person(ADA).active = false;
    directory.person(BEN).accepted = false;
    directory.route(MAIL, Case::new(people(&[ADA, BEN, CLEO])));
    let mut world = World::new(directory);
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "assigned 103 | users_and_teams: 101 inactive, 102 inactive, 103 chosen");
}

#[test]
fn r3_2_an_inbox_takes_sales_and_service_seats_and_a_help_desk_service_only() {
    let mut directory = directory();
    directory.person(ADA).seat = Seat::None;
    directory.person(BEN).seat = Seat::Sales;
    let mut case = Case::new(people(&[ADA, BEN, CLEO]));
    case.distribution = Some(Distribution::RoundRobin);
    directory.route(MAIL, case.clone());
    directory.route(TICKETS, case);
    let mut world = World::new(directory);
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 101 no_seat, 102 chosen, 103 eligible");
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 103 | users_and_teams: 101 no_seat, 102 no_seat, 103 chosen");
    world.edit(|directory| directory.place(DESK).seats = vec![Seat::Sales]);
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 101 no_seat, 102 chosen, 103 no_seat");
}

#[test]
fn r3_3_access_to_the_workspace_and_for_a_help_desk_ticket_access_is_needed() {
    let mut directory = directory();
    directory.place(INBOX).access = WorkspaceAccess::Restricted { users: vec![BEN], teams: vec![RED] };
    directory.person(CLEO).extra_teams = vec![RED];
    directory.person(BEN).ticket_access = false;
    let mut case = Case::new(people(&[ADA, BEN, CLEO]));
    case.distribution = Some(Distribution::RoundRobin);
    directory.route(MAIL, case.clone());
    directory.route(TICKETS, case);
    let mut world = World::new(directory);
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 101 no_access, 102 chosen, 103 eligible");
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen, 102 no_access, 103 eligible");
}

#[test]
fn r3_3_an_item_elsewhere_than_its_channel_leads_is_judged_by_where_it_is() {
    let mut directory = directory();
    directory.person(ADA).seat = Seat::Sales;
    directory.route(MAIL, Case::new(people(&[ADA, BEN])));
    let mut world = World::new(directory);
    let mut arrival = world.arrival(MAIL);
    arrival.workspace = DESK;
    arrival.group = LoadGroup::TicketEmailOther;
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 101 no_seat, 102 chosen");
}

#[test]
fn r3_4_a_team_stands_for_its_main_members_only() {
    let mut directory = directory();
    directory.person(BEN).team = Some(RED);
    directory.person(ADA).extra_teams = vec![RED];
    directory.person(CLEO).extra_teams = vec![RED];
    directory.route(TICKETS, Case::new(members(&[Member::Team(RED)])));
    let mut world = World::new(directory);
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 102 via 21 | users_and_teams: 101 not_main_member, 102 chosen, 103 not_main_member");
}

#[test]
fn r3_4_an_extra_member_who_is_also_named_directly_counts_as_named() {
    let mut directory = directory();
    directory.person(BEN).team = Some(RED);
    directory.person(ADA).extra_teams = vec![RED];
    directory.route(TICKETS, Case::new(members(&[Member::Team(RED), Member::User(ADA)])));
    let mut world = World::new(directory);
    world.give(BEN, LoadGroup::TicketEmailOther, 0);
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 102 eligible, 101 chosen");
}

#[test]
fn r3_5_who_is_not_available_is_skipped_unless_the_rule_ignores_it() {
    let mut case = Case::new(people(&[ADA, BEN]));
    let mut world = World::with_case(TICKETS, case.clone());
    world.by_hand(ADA, StatusValue::Away);
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 101 away, 102 chosen");
    case.only_available = false;
    world.edit(|directory| directory.route(TICKETS, case));
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen, 102 eligible");
}

#[test]
fn r3_6_who_is_full_is_skipped_even_where_availability_is_ignored() {
    let mut directory = directory();
    directory.person(ADA).capacity = Capacity { total: Some(1), ..Capacity::default() };
    let mut case = Case::new(people(&[ADA, BEN]));
    case.only_available = false;
    directory.route(CHAT, case);
    let mut world = World::new(directory);
    world.give(ADA, LoadGroup::InboxMail, 0);
    world.give(BEN, LoadGroup::InboxChat, 0);
    let arrival = world.arrival(CHAT);
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 101 at_capacity, 102 chosen");
}

#[test]
fn r3_8_excluded_comes_last_among_the_reasons() {
    let mut world = World::with_case(TICKETS, Case::new(people(&[ADA, BEN])));
    world.by_hand(ADA, StatusValue::Away);
    let mut arrival = world.arrival(TICKETS);
    arrival.excluded = vec![ADA, BEN];
    check(&mut world, &arrival, "unassigned nobody_eligible | users_and_teams: 101 away, 102 excluded");
}

#[test]
fn r3_the_first_failing_reason_is_the_one_recorded() {
    let mut directory = directory();
    let ada = directory.person(ADA);
    (ada.active, ada.seat, ada.ticket_access) = (false, Seat::None, false);
    let ben = directory.person(BEN);
    (ben.seat, ben.ticket_access) = (Seat::None, false);
    let cleo = directory.person(CLEO);
    (cleo.ticket_access, cleo.extra_teams) = (false, vec![RED]);
    let dag = directory.person(DAG);
    dag.capacity.total = Some(0);
    directory.route(TICKETS, Case::new(members(&[Member::User(ADA), Member::User(BEN), Member::Team(RED), Member::User(DAG)])));
    let mut world = World::silent(directory);
    let arrival = world.arrival(TICKETS);
    check(
        &mut world,
        &arrival,
        "unassigned nobody_eligible | users_and_teams: 101 inactive, 102 no_seat, 103 no_access, 104 away",
    );
}

#[test]
fn r3_9_selectable_is_what_the_directory_alone_decides() {
    let mut directory = directory();
    directory.person(ADA).active = false;
    directory.person(BEN).seat = Seat::Sales;
    directory.person(CLEO).ticket_access = false;
    directory.person(ADA).team = Some(RED);
    let expected =
        [(ADA, Err(SkipReason::Inactive)), (BEN, Err(SkipReason::NoSeat)), (CLEO, Err(SkipReason::NoAccess)), (DAG, Ok(()))];
    for (user, answer) in expected {
        assert_eq!(selectable(&directory, DESK, user), answer, "user {user}");
    }
    assert_eq!(team_selectable(&directory, DESK, RED), Err(NotSelectable::NobodyInTeam));
    assert_eq!(team_selectable(&directory, DESK, BLUE), Err(NotSelectable::EmptyTeam));
    assert_eq!(team_selectable(&directory, DESK, TeamId(77)), Err(NotSelectable::Unknown));
    directory.person(DAG).extra_teams = vec![RED];
    assert_eq!(team_selectable(&directory, DESK, RED), Err(NotSelectable::NobodyInTeam), "an extra member does not count");
    directory.person(DAG).team = Some(RED);
    assert_eq!(team_selectable(&directory, DESK, RED), Ok(()));
}

#[test]
fn r3_9_who_is_not_selectable_any_more_stays_in_the_rule_marked_and_skipped() {
    let mut world = World::with_case(TICKETS, Case::new(members(&[Member::User(ADA), Member::User(BEN), Member::Team(RED)])));
    world.edit(|directory| directory.person(ADA).seat = Seat::None);
    let stale = stale_members(world.router.directory());
    let found: Vec<_> = stale.iter().map(|stale| (stale.channel, stale.case, stale.member, stale.reason.clone())).collect();
    assert_eq!(
        found,
        [
            (TICKETS, 0, Member::User(ADA), NotSelectable::User(SkipReason::NoSeat)),
            (TICKETS, 0, Member::Team(RED), NotSelectable::EmptyTeam),
        ]
    );
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 101 no_seat, 102 chosen");
}

#[test]
fn r7_8_editing_rules_needs_the_permission_of_a_lead() {
    let expected = [(Role::Viewer, false), (Role::Agent, false), (Role::Lead, true), (Role::Admin, true)];
    for (role, answer) in expected {
        assert_eq!(may_edit_rules(role), answer, "{role}");
    }
}
