//! ROUTING 7, 12 and 13.1: rules, reopened and handed back items, the record.

use crate::support::{
    ADA, BEN, CHAT, CLEO, DAG, DAY_MS, Edit, INBOX, MAIL, RED, TICKETS, World, check, directory, hours, members, monday, people,
    rule,
};
use switchboard_model::{
    Arrival, BEHAVIOUR_VERSION, Capacity, Case, ChannelId, Condition, Distribution, FactField, Fallback, Input, LoadGroup,
    Member, Outcome, Owner, ReopenOwner, RouteEvent, RuleRef, Seat, StatusValue, Target, UserId, WhenNobody, WorkspaceId,
};

fn about(word: &str) -> Option<Condition> {
    Some(Condition::Contains { field: FactField("message.subject".to_owned()), values: vec![word.to_owned()] })
}

fn contact_owner(fallback: Fallback) -> Case {
    Case::new(Target::ContactOwner { require_cookie: false, fallback })
}

fn from_contact_of(world: &mut World, owner: UserId) -> Arrival {
    let mut arrival = world.arrival(MAIL);
    arrival.contact.owner = Some(owner);
    arrival
}

fn reopened(world: &mut World, channel: ChannelId, owner: Option<UserId>) -> Arrival {
    let mut arrival = world.arrival(channel);
    arrival.event = RouteEvent::Reopened;
    arrival.previous_owner = owner.map(|id| Owner::User { id });
    arrival
}

#[test]
fn r7_0_the_first_case_that_matches_wins_and_the_last_takes_the_rest() {
    let mut directory = directory();
    directory.feed(TICKETS).rule = rule([
        Case { when: about("invoice"), ..Case::new(people(&[ADA])) },
        Case { when: about("parcel"), ..Case::new(people(&[BEN])) },
        Case::new(people(&[CLEO])),
    ]);
    let mut world = World::new(directory);
    for (subject, expected, case) in
        [("Parcel and INVOICE", ADA, 0), ("Where is my parcel", BEN, 1), ("Hello", CLEO, 2), ("", CLEO, 2)]
    {
        let mut arrival = world.arrival(TICKETS);
        arrival.facts.insert(FactField("message.subject".to_owned()), subject.to_owned());
        let (decision, ..) = world.route(&arrival);
        assert_eq!(decision.outcome, Outcome::Assigned { user: expected, team: None }, "{subject}");
        assert_eq!(decision.rule, Some(RuleRef { channel: TICKETS, version: 1, case }));
    }
}

#[test]
fn r7_1_nobody_leaves_work_for_triage() {
    let mut world = World::with_case(MAIL, Case::new(Target::Nobody));
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned nobody");
}

#[test]
fn r7_1_a_user_chosen_through_a_team_sets_the_first_team_listed() {
    let mut directory = directory();
    directory.person(ADA).team = Some(RED);
    directory.route(TICKETS, Case::new(members(&[Member::Team(RED), Member::User(ADA)])));
    let mut world = World::new(directory);
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 101 via 21 | users_and_teams: 101 chosen");
    world.edit(|directory| directory.route(TICKETS, Case::new(members(&[Member::User(ADA), Member::Team(RED)]))));
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen");
}

#[test]
fn r7_1_team_only_sets_the_team_and_no_owner() {
    let mut directory = directory();
    directory.person(ADA).extra_teams = vec![RED];
    directory.person(BEN).team = Some(RED);
    directory.person(BEN).seat = Seat::Sales;
    directory.route(TICKETS, Case::new(Target::TeamOnly { team: RED }));
    let mut world = World::new(directory);
    world.by_hand(ADA, StatusValue::Away);
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "team 21 | team_only: 101 eligible, 102 no_seat");
    world.edit(|directory| directory.person(ADA).active = false);
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "unassigned team_not_usable | team_only: 101 inactive, 102 no_seat");
}

#[test]
fn r7_1_the_assistant_that_is_not_there_hands_to_people() {
    let fallback = Fallback::UsersAndTeams { members: vec![Member::User(ADA)] };
    let mut world = World::with_case(CHAT, Case::new(Target::Assistant { if_cannot_answer: fallback }));
    let arrival = world.arrival(CHAT);
    check(&mut world, &arrival, "assigned 101 | fallback: 101 chosen");
}

#[test]
fn r7_2_nobody_eligible_leaves_work_unassigned_with_the_reason() {
    let mut world = World::with_case(MAIL, Case::new(people(&[ADA])));
    world.by_hand(ADA, StatusValue::Away);
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned nobody_eligible | users_and_teams: 101 away");
    world.edit(|directory| directory.route(MAIL, Case::new(members(&[Member::Team(RED), Member::User(UserId(77))]))));
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned no_candidates | users_and_teams: ");
}

#[test]
fn r7_2_keep_leaves_the_owner_it_had_unless_that_one_returned_it_or_is_not_selectable() {
    let mut directory = directory();
    directory.feed(MAIL).reopen_owner = ReopenOwner::Route;
    directory.route(MAIL, Case { when_nobody: WhenNobody::Keep, ..Case::new(people(&[ADA])) });
    let mut world = World::new(directory);
    world.by_hand(ADA, StatusValue::Away);
    let without = world.arrival(MAIL);
    check(&mut world, &without, "unassigned nobody_eligible | users_and_teams: 101 away");
    let mut arrival = world.arrival(MAIL);
    arrival.previous_owner = Some(Owner::User { id: BEN });
    check(&mut world, &arrival, "kept 102 | users_and_teams: 101 away | previous_owner: 102 chosen");
    arrival.excluded = vec![BEN];
    check(&mut world, &arrival, "unassigned nobody_eligible | users_and_teams: 101 away | previous_owner: 102 excluded");
    arrival.excluded = Vec::new();
    arrival.event = RouteEvent::HandedBack;
    world.edit(|directory| directory.person(BEN).active = false);
    check(&mut world, &arrival, "unassigned nobody_eligible | users_and_teams: 101 away | previous_owner: 102 inactive");
    arrival.previous_owner = Some(Owner::Assistant);
    check(&mut world, &arrival, "unassigned nobody_eligible | users_and_teams: 101 away");
}

#[test]
fn r7_2_ignoring_availability_leaves_the_status_unguarded() {
    let mut world = World::with_case(MAIL, Case { only_available: false, ..Case::new(people(&[ADA])) });
    world.by_hand(ADA, StatusValue::Away);
    let decision = world.arrive(MAIL);
    assert_eq!((decision.availability_version, decision.capacity_guarded), (None, true));
    world.edit(|directory| directory.route(MAIL, Case::new(people(&[BEN]))));
    let decision = world.arrive(MAIL);
    assert_eq!((decision.availability_version, decision.capacity_guarded), (Some(2), true));
}

#[test]
fn r7_3_a_contact_known_by_the_channels_own_proof_goes_to_its_owner() {
    let mut world = World::with_case(MAIL, contact_owner(Fallback::User { user: BEN }));
    let arrival = from_contact_of(&mut world, ADA);
    check(&mut world, &arrival, "assigned 101 | contact_owner: 101 chosen");
    let mut typed = from_contact_of(&mut world, ADA);
    typed.contact.proven = false;
    check(&mut world, &typed, "assigned 102 | fallback: 102 chosen");
    let mut nobodys = from_contact_of(&mut world, ADA);
    nobodys.contact.owner = None;
    check(&mut world, &nobodys, "assigned 102 | fallback: 102 chosen");
}

#[test]
fn r7_3_require_cookie_insists_on_the_cookie() {
    let target = Target::ContactOwner { require_cookie: true, fallback: Fallback::Nobody };
    let mut world = World::with_case(MAIL, Case::new(target));
    let mut arrival = from_contact_of(&mut world, ADA);
    check(&mut world, &arrival, "unassigned no_contact_owner");
    arrival.contact.cookie = true;
    check(&mut world, &arrival, "assigned 101 | contact_owner: 101 chosen");
}

#[test]
fn r7_3_an_owner_who_is_not_selectable_is_passed_over_without_a_word() {
    let mut directory = directory();
    directory.person(ADA).seat = Seat::None;
    directory.route(MAIL, contact_owner(Fallback::UsersAndTeams { members: vec![Member::User(BEN)] }));
    let mut world = World::new(directory);
    let arrival = from_contact_of(&mut world, ADA);
    check(&mut world, &arrival, "assigned 102 | contact_owner: 101 no_seat | fallback: 102 chosen");
    let arrival = from_contact_of(&mut world, UserId(77));
    check(&mut world, &arrival, "assigned 102 | contact_owner:  | fallback: 102 chosen");
}

#[test]
fn r7_3_an_owner_who_is_unavailable_or_full_is_told_of_what_went_to_the_fallback() {
    let mut directory = directory();
    directory.person(CLEO).capacity = Capacity { total: Some(0), ..Capacity::default() };
    directory.route(MAIL, contact_owner(Fallback::UsersAndTeams { members: vec![Member::User(BEN)] }));
    let mut world = World::new(directory);
    world.by_hand(ADA, StatusValue::Away);
    let arrival = from_contact_of(&mut world, ADA);
    check(&mut world, &arrival, "assigned 102 | contact_owner: 101 away | fallback: 102 chosen | told 101");
    let arrival = from_contact_of(&mut world, CLEO);
    let (decision, ..) = world.route(&arrival);
    assert!(decision.fallback);
    let arrival = from_contact_of(&mut world, CLEO);
    check(&mut world, &arrival, "assigned 102 | contact_owner: 103 at_capacity | fallback: 102 chosen | told 103");
    world.edit(|directory| directory.route(MAIL, contact_owner(Fallback::Nobody)));
    let arrival = from_contact_of(&mut world, CLEO);
    check(&mut world, &arrival, "unassigned no_contact_owner | contact_owner: 103 at_capacity | told 103");
    world.edit(|directory| {
        directory.route(MAIL, Case { only_available: false, ..contact_owner(Fallback::Nobody) });
    });
    let arrival = from_contact_of(&mut world, ADA);
    check(&mut world, &arrival, "assigned 101 | contact_owner: 101 chosen");
}

#[test]
fn r7_3_a_default_user_passes_section_3_when_used() {
    let mut world = World::with_case(MAIL, contact_owner(Fallback::User { user: BEN }));
    world.by_hand(BEN, StatusValue::Away);
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned nobody_eligible | fallback: 102 away");
    world.edit(|directory| directory.route(MAIL, contact_owner(Fallback::User { user: UserId(77) })));
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, "unassigned no_candidates | fallback: ");
}

#[test]
fn r7_3_each_person_is_counted_once_over_the_stages() {
    let fallback = Fallback::UsersAndTeams { members: vec![Member::User(ADA), Member::User(BEN)] };
    let mut world = World::with_case(MAIL, contact_owner(fallback));
    world.by_hand(ADA, StatusValue::Away);
    let arrival = from_contact_of(&mut world, ADA);
    let (decision, ..) = world.route(&arrival);
    assert_eq!((decision.candidates, decision.eligible), (2, 1));
}

#[test]
fn r12_2_a_reopened_item_stays_with_its_owner_even_when_full_or_away() {
    let mut directory = directory();
    directory.person(ADA).capacity.total = Some(0);
    directory.route(MAIL, Case::new(people(&[BEN])));
    let mut world = World::new(directory);
    world.by_hand(ADA, StatusValue::Away);
    let arrival = reopened(&mut world, MAIL, Some(ADA));
    check(&mut world, &arrival, "kept 101 | previous_owner: 101 chosen");
    let (decision, ..) = world.route(&arrival);
    assert_eq!((decision.capacity_guarded, decision.availability_version, decision.rule), (false, None, None));
    assert_eq!(world.router.open(ADA), 1);
}

#[test]
fn r12_2_an_owner_who_is_not_selectable_any_more_does_not_keep_it() {
    let mut world = World::with_case(MAIL, Case::new(people(&[BEN])));
    world.edit(|directory| directory.person(ADA).seat = Seat::None);
    let arrival = reopened(&mut world, MAIL, Some(ADA));
    check(&mut world, &arrival, "assigned 102 | previous_owner: 101 no_seat | users_and_teams: 102 chosen");
    let arrival = reopened(&mut world, MAIL, None);
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 102 chosen");
}

#[test]
fn r12_2_a_chats_owner_who_is_unavailable_is_not_kept() {
    let mut world = World::with_case(CHAT, Case::new(people(&[BEN])));
    let arrival = reopened(&mut world, CHAT, Some(ADA));
    check(&mut world, &arrival, "kept 101 | previous_owner: 101 chosen");
    world.by_hand(ADA, StatusValue::Away);
    let arrival = reopened(&mut world, CHAT, Some(ADA));
    check(&mut world, &arrival, "assigned 102 | previous_owner: 101 away | users_and_teams: 102 chosen");
}

#[test]
fn r12_2_the_channel_may_route_again_or_unassign() {
    let mut world = World::with_case(MAIL, Case::new(people(&[BEN])));
    world.edit(|directory| directory.feed(MAIL).reopen_owner = ReopenOwner::Route);
    let arrival = reopened(&mut world, MAIL, Some(ADA));
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 102 chosen");
    world.edit(|directory| directory.feed(MAIL).reopen_owner = ReopenOwner::Unassign);
    let arrival = reopened(&mut world, MAIL, Some(ADA));
    check(&mut world, &arrival, "unassigned reopened_unassigned");
}

#[test]
fn r12_2_the_kept_owner_needs_no_rule_and_no_open_hours_and_goes_on_with_the_ownership() {
    let mut world = World::new(directory());
    world.edit(|directory| directory.feed(TICKETS).hours = hours(&["sat 10:00-11:00"]));
    let mut arrival = reopened(&mut world, TICKETS, Some(ADA));
    arrival.owned_since = Some(monday().plus_ms(-31 * DAY_MS));
    check(&mut world, &arrival, "kept 101 | previous_owner: 101 chosen");
    assert_eq!(world.router.load(ADA, LoadGroup::TicketEmailOther, world.now), 0, "owned for longer than 30 days");
    assert_eq!(world.router.open(ADA), 1);
    assert_eq!(world.router.state().marks, [], "keeping is no assignment");
}

#[test]
fn r12_5_work_of_a_deactivated_user_goes_to_the_others() {
    let mut world = World::with_case(TICKETS, Case::new(people(&[ADA, BEN])));
    let mut arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen, 102 eligible");
    world.edit(|directory| directory.person(ADA).active = false);
    arrival.event = RouteEvent::HandedBack;
    arrival.previous_owner = Some(Owner::User { id: ADA });
    check(&mut world, &arrival, "assigned 102 | users_and_teams: 101 inactive, 102 chosen");
    assert_eq!((world.router.open(ADA), world.router.open(BEN)), (0, 1));
}

#[test]
fn r13_1_a_decision_records_what_it_went_by() {
    let case = Case { distribution: Some(Distribution::RoundRobin), ..Case::new(people(&[ADA, BEN, CLEO])) };
    let mut world = World::with_case(MAIL, case);
    world.by_hand(BEN, StatusValue::Away);
    world.give(ADA, LoadGroup::InboxMail, 0);
    let mark = switchboard_model::mark(world.router.no(), 0);
    let arrival = world.arrival(MAIL);
    let (decision, explanation, _) = world.route(&arrival);
    assert_eq!(decision.no, world.router.no());
    assert_eq!((decision.item, decision.item_version, decision.event), (arrival.item, 1, RouteEvent::Arrived));
    assert_eq!((decision.candidates, decision.eligible, decision.tied, decision.load), (3, 2, 1, Some(1)));
    assert_eq!((decision.mark_before, decision.turn_before, decision.turn), (Some(mark), None, Some(1)));
    assert_eq!((decision.behaviour, decision.distribution), (BEHAVIOUR_VERSION, Some(Distribution::RoundRobin)));
    let ada = &explanation.stages[0].candidates[0];
    assert_eq!((ada.user, ada.load, ada.open, ada.limit, ada.last_assigned, ada.rank), (ADA, 1, 1, None, Some(mark), Some(1)));
}

#[test]
fn r13_1_an_arrival_is_never_lost_whatever_is_unknown_about_it() {
    let mut world = World::with_case(MAIL, Case::new(people(&[ADA])));
    let mut arrival = world.arrival(MAIL);
    arrival.channel = ChannelId(77);
    check(&mut world, &arrival, "unassigned no_rule");
    arrival.channel = MAIL;
    arrival.workspace = WorkspaceId(77);
    check(&mut world, &arrival, "unassigned fault");
    arrival.workspace = INBOX;
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen");
    let tick = world.router.explain_input(world.router.no() + 1, world.now, &Input::Tick);
    assert_eq!(tick, None);
    assert_eq!(world.router.open(DAG), 0);
}

#[test]
fn r13_1_who_had_the_item_and_is_looked_at_again_among_others_is_counted_once() {
    let mut directory = directory();
    directory.route(MAIL, Case { when_nobody: WhenNobody::Keep, ..Case::new(people(&[ADA, BEN])) });
    directory.person(CLEO).team = Some(RED);
    directory.route(TICKETS, Case::new(Target::TeamOnly { team: RED }));
    let mut world = World::new(directory);
    for user in [ADA, BEN] {
        world.by_hand(user, StatusValue::Away);
    }
    let mut listed = world.arrival(MAIL);
    listed.previous_owner = Some(Owner::User { id: ADA });
    check(&mut world, &listed, "kept 101 | users_and_teams: 101 away, 102 away | previous_owner: 101 chosen");
    let mut member = world.arrival(TICKETS);
    (member.event, member.previous_owner) = (RouteEvent::Reopened, Some(Owner::User { id: CLEO }));
    member.excluded = vec![CLEO];
    check(&mut world, &member, "team 21 | previous_owner: 103 excluded | team_only: 103 eligible");
    let counted = |world: &mut World, arrival: &Arrival| {
        let (decision, ..) = world.route(arrival);
        (decision.candidates, decision.eligible)
    };
    assert_eq!(counted(&mut world, &listed), (2, 0));
    assert_eq!(counted(&mut world, &member), (1, 1));
}
