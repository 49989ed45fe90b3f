//! ROUTING 5.5 by weights, 7.5 and 7.6: how far a rule reaches for people.

use crate::queue::{arrive, change, edit, feed, one_at_a_time, patient, wait};
use crate::support::{
    ADA, BEN, BLUE, CHAT, CLEO, DAG, DAY_MS, DESK, Edit, INBOX, MAIL, RED, World, check, directory, members, monday, people,
};
use switchboard_model::{
    Arrival, CapacityWeights, Case, Directory, Distribution, Fallback, Input, ItemStatus, LoadGroup, Member, OverflowStep, Seat,
    Target, UserId, WhenNobody, WorkType, WorkspaceAccess,
};

fn step(after_s: u32, users: &[UserId]) -> OverflowStep {
    OverflowStep { after_s, members: users.iter().map(|user| Member::User(*user)).collect(), workspaces: Vec::new() }
}

/// Ada is asked first, Ben after a minute, Cleo and Dag after five.
fn widening() -> Directory {
    let mut directory = one_at_a_time();
    let overflow = vec![step(60, &[BEN]), step(300, &[CLEO, DAG])];
    directory.route(MAIL, Case { overflow, when_nobody: WhenNobody::Unassigned, ..patient(&[ADA]) });
    directory
}

#[test]
fn r7_5_overflow_steps_widen_the_circle_in_their_order_and_imply_waiting() {
    let mut world = World::new(widening());
    let (busy, _) = arrive(&mut world, MAIL);
    let [first, second, third] = [0; 3].map(|_| wait(&mut world, MAIL, |_| {}));
    assert_eq!(world.router.next_wake(), Some(monday().plus_ms(60_000)));
    world.now = monday().plus_ms(60_000);
    assert_eq!(feed(&mut world, &Input::Tick), format!("{first} assigned 102"));
    assert_eq!(change(&mut world, busy, Some(ADA), ItemStatus::Closed), format!("{second} assigned 101"), "Ada still counts");
    assert_eq!(world.router.next_wake(), Some(monday().plus_ms(300_000)));
    let late = wait(&mut world, MAIL, |_| {});
    world.now = monday().plus_ms(300_000);
    assert_eq!(feed(&mut world, &Input::Tick), format!("{third} assigned 103"));
    assert_eq!(world.router.position(late), Some(1), "it has not waited for so long yet");
}

#[test]
fn r7_5_overflow_reaches_beyond_a_contact_owner_without_fallback() {
    let mut directory = one_at_a_time();
    for fallback in [Fallback::Nobody, Fallback::User { user: BEN }] {
        let target = Target::ContactOwner { require_cookie: false, fallback };
        directory.person(BEN).active = false;
        directory.route(MAIL, Case { overflow: vec![step(60, &[CLEO])], ..Case::new(target) });
        let mut world = World::new(directory.clone());
        let item = wait(&mut world, MAIL, |_| {});
        world.now = monday().plus_ms(60_000);
        assert_eq!(feed(&mut world, &Input::Tick), format!("{item} assigned 103"));
    }
}

#[test]
fn r7_5_nothing_waits_for_steps_that_reach_nobody() {
    let mut directory = widening();
    directory.person(ADA).active = false;
    let mut world = World::new(directory.clone());
    let item = wait(&mut world, MAIL, |_| {});
    world.now = monday().plus_ms(60_000);
    assert_eq!(feed(&mut world, &Input::Tick), format!("{item} assigned 102"));
    for user in [BEN, CLEO, DAG] {
        directory.person(user).active = false;
    }
    let mut world = World::new(directory);
    let (item, text) = arrive(&mut world, MAIL);
    assert_eq!(text, format!("{item} unassigned nobody_eligible"));
}

/// A directory in which Ada and Ben may open the inbox, Ben and Cleo the desk, and Dag both without a seat there; mail
/// into the inbox is first for Ada, and after a minute for Dag and everybody of the help desk.
fn neighbours() -> Directory {
    let mut directory = one_at_a_time();
    let only = |users: &[UserId]| WorkspaceAccess::Restricted { users: users.to_vec(), teams: Vec::new() };
    directory.place(INBOX).access = only(&[ADA, BEN, DAG]);
    directory.place(DESK).access = only(&[BEN, CLEO, DAG]);
    directory.person(DAG).seat = Seat::Sales;
    let step = OverflowStep { workspaces: vec![DESK], ..step(60, &[DAG]) };
    directory.route(MAIL, Case { overflow: vec![step], ..patient(&[ADA]) });
    directory
}

#[test]
fn r7_5_a_step_may_reach_into_workspaces_for_whoever_may_have_the_item_where_it_is() {
    let mut world = World::new(neighbours());
    let (busy, _) = arrive(&mut world, MAIL);
    let items = [0; 3].map(|_| wait(&mut world, MAIL, |_| {}));
    world.now = monday().plus_ms(60_000);
    let text = feed(&mut world, &Input::Tick);
    assert_eq!(text, format!("{} assigned 102, {} assigned 104", items[0], items[1]), "Cleo may not open the inbox");
    let waiting = world.router.waiting().next().expect("one is left").arrival.clone();
    check(&mut world, &waiting, "queued | users_and_teams: 101 at_capacity, 104 at_capacity, 102 at_capacity, 103 no_access");
    assert_eq!(change(&mut world, busy, Some(ADA), ItemStatus::Closed), format!("{} assigned 101", items[2]));
}

#[test]
fn r7_5_whom_a_workspace_lets_in_follows_the_directory() {
    let mut world = World::new(neighbours());
    let (_, text) = arrive(&mut world, MAIL);
    assert!(text.ends_with("assigned 101"), "{text}");
    edit(&mut world, |directory| {
        directory.person(DAG).capacity.total = Some(0);
        directory.person(BEN).ticket_access = false;
        directory.place(INBOX).access = WorkspaceAccess::Everyone;
    });
    let item = wait(&mut world, MAIL, |_| {});
    world.now = monday().plus_ms(60_000);
    assert_eq!(feed(&mut world, &Input::Tick), format!("{item} assigned 103"), "Ben has lost the help desk, Cleo won the inbox");
}

fn loyal(distribution: Distribution) -> Case {
    let target = members(&[Member::User(ADA), Member::Team(RED)]);
    Case { affinity_days: Some(30), distribution: Some(distribution), ..Case::new(target) }
}

fn returning(world: &mut World, owner: UserId, days: i64) -> Arrival {
    let mut arrival = world.arrival(MAIL);
    arrival.contact.last_owner = Some(owner);
    arrival.contact.last_owned_at = Some(world.now.plus_ms(-days * DAY_MS));
    arrival
}

#[test]
fn r7_6_the_last_owner_comes_first_for_some_days_if_listed_and_eligible() {
    let mut directory = directory();
    directory.person(BEN).team = Some(RED);
    directory.person(CLEO).team = Some(BLUE);
    directory.route(MAIL, loyal(Distribution::LoadBalanced));
    let mut world = World::new(directory);
    world.give(BEN, LoadGroup::InboxMail, 0);
    let arrival = returning(&mut world, BEN, 30);
    check(&mut world, &arrival, "assigned 102 via 21 | last_owner: 102 chosen");
    let arrival = Arrival {
        contact: switchboard_model::ContactFacts {
            last_owned_at: arrival.contact.last_owned_at.map(|at| at.plus_ms(-1)),
            ..arrival.contact.clone()
        },
        ..world.arrival(MAIL)
    };
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen, 102 eligible");
    let arrival = returning(&mut world, CLEO, 1);
    check(&mut world, &arrival, "assigned 101 | users_and_teams: 101 chosen, 102 eligible");
    world.by_hand(BEN, switchboard_model::StatusValue::Away);
    let arrival = returning(&mut world, BEN, 1);
    check(&mut world, &arrival, "assigned 101 | last_owner: 102 away | users_and_teams: 101 chosen, 102 away");
}

#[test]
fn r7_6_the_last_owner_is_looked_at_as_the_list_reaches_him() {
    let mut directory = directory();
    (directory.person(BEN).team, directory.person(CLEO).team) = (Some(RED), Some(BLUE));
    directory.person(CLEO).extra_teams = vec![RED];
    directory.route(MAIL, loyal(Distribution::LoadBalanced));
    let mut world = World::new(directory);
    let arrival = returning(&mut world, CLEO, 1);
    let expected = "last_owner: 103 not_main_member | users_and_teams: 101 chosen, 102 eligible, 103 not_main_member";
    check(&mut world, &arrival, &format!("assigned 101 | {expected}"));
    world.by_hand(BEN, switchboard_model::StatusValue::Away);
    let arrival = returning(&mut world, BEN, 1);
    let (_, explanation, _) = world.route(&arrival);
    let teams: Vec<_> = explanation.stages.iter().flat_map(|stage| &stage.candidates).map(|one| (one.user, one.team)).collect();
    assert_eq!(teams, [(BEN, Some(RED)), (ADA, None), (BEN, Some(RED)), (CLEO, Some(RED))]);
}

#[test]
fn r7_6_what_waits_goes_to_the_last_owner_first_when_both_are_free() {
    let mut directory = one_at_a_time();
    directory.person(BEN).team = Some(RED);
    for user in [ADA, BEN] {
        directory.person(user).capacity.total = Some(0);
    }
    directory.route(MAIL, Case { when_nobody: WhenNobody::Wait, ..loyal(Distribution::LoadBalanced) });
    let mut world = World::new(directory);
    let arrival = returning(&mut world, BEN, 30);
    let item = arrival.item;
    assert_eq!(feed(&mut world, &Input::Arrived(arrival)), format!("{item} queued"));
    let both = |directory: &mut Directory| {
        for user in [ADA, BEN] {
            directory.person(user).capacity.total = Some(1);
        }
    };
    let mut late = World { router: world.router.clone(), now: world.now.plus_ms(1), next_item: world.next_item };
    assert_eq!(edit(&mut world, both), format!("{item} assigned 102 via 21"));
    assert_eq!(edit(&mut late, both), format!("{item} assigned 101"), "thirty days have passed while it waited");
}

#[test]
fn r7_6_going_to_the_last_owner_takes_no_turn() {
    let mut directory = directory();
    directory.person(BEN).team = Some(RED);
    directory.route(MAIL, loyal(Distribution::RoundRobin));
    let mut world = World::new(directory);
    for _ in 0..3 {
        let arrival = returning(&mut world, BEN, 1);
        let decision = world.route(&arrival).0;
        assert_eq!((crate::support::assigned(&decision), decision.turn), (Some(BEN), None));
    }
    assert_eq!([world.taker(MAIL), world.taker(MAIL), world.taker(MAIL)], [Some(ADA), Some(BEN), Some(ADA)]);
}

#[test]
fn r5_5_open_work_weighs_no_more_than_a_person_bears() {
    let mut directory = directory();
    directory.person(ADA).capacity.weights = Some(CapacityWeights {
        limit: 100,
        per_type: [(WorkType::Call, 100), (WorkType::Chat, 25), (WorkType::Mail, 10)].into(),
    });
    for channel in [MAIL, CHAT, crate::support::CALLS] {
        directory.route(channel, Case::new(people(&[ADA])));
    }
    let mut world = World::new(directory);
    let chats: Vec<_> = (0..3).map(|_| world.give(ADA, LoadGroup::InboxChat, 0)).collect();
    for _ in 0..2 {
        assert_eq!(world.taker(MAIL), Some(ADA));
    }
    assert_eq!((world.taker(MAIL), world.taker(CHAT)), (None, None), "95 of 100");
    world.set_status_of(chats[0], ItemStatus::Closed);
    assert_eq!((world.taker(crate::support::CALLS), world.taker(CHAT)), (None, Some(ADA)));
}
