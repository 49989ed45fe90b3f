//! ROUTING 13.1: what would change that an item waits.

use crate::queue::{arrive, feed, patient, wait};
use crate::support::{
    ADA, BEN, BLUE, CLEO, DAG, DAY_MS, DESK, Edit, INBOX, MAIL, RED, TICKETS, World, absence, directory, hours, members, monday,
    people,
};
use std::fmt::Write;
use switchboard_core::Subject;
use switchboard_model::{
    CapacityWeights, Case, Change, ConversationId, Demand, Directory, Input, ItemChange, ItemId, ItemState, ItemStatus, LeaveOut,
    LoadGroup, Member, OutsideHours, OverflowStep, Owner, Remedy, Seat, Skill, SkillId, SkillRule, StatusValue, Target,
    Timestamp, UserId, UserSkill, Wanted, WorkType, WorkspaceAccess,
};

pub(crate) const PARCELS: SkillId = SkillId(31);

/// A remedy in short, as in `101 in 60 min: becomes available (outside_hours)`.
fn line(remedy: &Remedy, now: Timestamp) -> String {
    let mut text = remedy.user.to_string();
    if let Some(at) = remedy.at {
        write!(text, " in {} s", at.ms_since(now) / 1_000).expect("text can be written");
    }
    let changes: Vec<String> = remedy.changes.iter().map(change).collect();
    write!(text, ": {}", changes.join(", ")).expect("text can be written");
    text
}

fn change(change: &Change) -> String {
    match change {
        Change::BecomesAvailable { cause } => format!("becomes available ({cause})"),
        Change::SetsAvailable { cause } => format!("sets available ({cause})"),
        Change::Closes { items, work: None } => format!("closes {items}"),
        Change::Closes { items, work: Some(work) } => format!("closes {items} of {work}"),
        Change::Ages => "ages".to_owned(),
        Change::Learns { skill, level: None } => format!("learns {skill}"),
        Change::Learns { skill, level: Some(level) } => format!("learns {skill} at {level}"),
        Change::Relaxes => "relaxes".to_owned(),
        Change::Widens { step } => format!("step {step}"),
        Change::Admin { reason } => format!("admin {reason:?}"),
        Change::ChannelOpens => "opens".to_owned(),
        Change::RuleOn => "rule on".to_owned(),
    }
}

/// The one helper: what would help the item, one line each.
pub(crate) fn check(world: &World, subject: Subject<'_>, expected: &[&str]) {
    let before = world.router.state();
    let found: Vec<String> = world.router.remedies(subject, world.now).iter().map(|remedy| line(remedy, world.now)).collect();
    assert_eq!(found, expected);
    assert_eq!(world.router.state(), before, "asking changes nothing");
}

/// The directory with one item each as a limit and everybody in the mail case, which waits.
pub(crate) fn crowd() -> Directory {
    let mut directory = directory();
    for user in [ADA, BEN, CLEO, DAG] {
        directory.person(user).capacity.total = Some(1);
    }
    directory.route(MAIL, patient(&[ADA, BEN, CLEO, DAG]));
    directory
}

pub(crate) fn parcels(required: bool, relax_after_s: Option<u32>) -> SkillRule {
    let wanted = Wanted::Skill { skill: PARCELS, min_level: 3, best_first: false };
    SkillRule { when: None, demands: vec![Demand { wanted, required, relax_after_s }] }
}

pub(crate) fn skilled(mut directory: Directory, rule: SkillRule) -> Directory {
    directory.skills =
        vec![Skill { id: PARCELS, slug: "parcels".to_owned(), category: "products".to_owned(), name: "Parcels".to_owned() }];
    directory.place(INBOX).skill_rules = vec![rule];
    directory
}

#[test]
fn r13_1_each_reason_has_its_remedy_and_the_soonest_comes_first() {
    let mut directory = crowd();
    directory.person(CLEO).hours = hours(&["mon-fri 10:00-16:00"]);
    directory.person(DAG).out_of_office = vec![absence("2027-02-01T00:00:00Z", "2027-02-01T09:30:00Z")];
    let mut world = World::new(directory);
    world.by_hand(BEN, StatusValue::Away);
    world.give(ADA, LoadGroup::InboxMail, 0);
    world.give(ADA, LoadGroup::InboxChat, 0);
    let item = wait(&mut world, MAIL, |_| {});
    check(
        &world,
        Subject::Waiting(item),
        &[
            "102: sets available (away)",
            "101: closes 2",
            "104 in 1800 s: becomes available (out_of_office)",
            "103 in 3600 s: becomes available (outside_hours)",
            "103: sets available (outside_hours)",
            "104: sets available (out_of_office)",
        ],
    );
}

#[test]
fn r13_1_whoever_has_several_things_in_the_way_is_told_all_of_them() {
    let mut directory = skilled(crowd(), parcels(true, None));
    directory.person(CLEO).hours = hours(&["mon-fri 10:00-16:00"]);
    for user in [BEN, CLEO] {
        directory.person(user).skills = vec![UserSkill { skill: PARCELS, level: 5 }];
    }
    directory.person(DAG).skills = vec![UserSkill { skill: PARCELS, level: 1 }];
    let mut world = World::new(directory);
    world.by_hand(BEN, StatusValue::Away);
    for user in [ADA, BEN, CLEO] {
        world.give(user, LoadGroup::InboxMail, 0);
    }
    let item = wait(&mut world, MAIL, |_| {});
    check(
        &world,
        Subject::Waiting(item),
        &[
            "102: sets available (away), closes 1",
            "103 in 3600 s: becomes available (outside_hours), closes 1",
            "103: sets available (outside_hours), closes 1",
            "104: learns Parcels at 3",
            "101: closes 1, learns Parcels at 3",
        ],
    );
}

#[test]
fn r13_1_how_many_items_are_over_is_counted_by_the_limit_that_binds() {
    let mut directory = directory();
    directory.person(ADA).capacity.per_type = [(WorkType::Mail, 2)].into();
    directory.person(BEN).capacity.weights =
        Some(CapacityWeights { limit: 100, per_type: [(WorkType::Mail, 10), (WorkType::Call, 90)].into() });
    directory.route(MAIL, patient(&[ADA, BEN]));
    let mut world = World::new(directory);
    for group in [LoadGroup::InboxChat, LoadGroup::InboxMail, LoadGroup::InboxMail, LoadGroup::TicketEmailOther] {
        world.give(ADA, group, 0);
    }
    world.give(BEN, LoadGroup::InboxMail, 0);
    world.give(BEN, LoadGroup::InboxMail, 0);
    world.give(BEN, LoadGroup::TicketCalling, 0);
    let item = wait(&mut world, MAIL, |_| {});
    check(&world, Subject::Waiting(item), &["102: closes 1", "101: closes 2 of mail"]);
}

#[test]
fn r13_1_a_conversation_and_its_ticket_are_closed_together() {
    let mut directory = crowd();
    directory.route(MAIL, patient(&[ADA]));
    let mut world = World::new(directory);
    let conversation = world.item();
    let key = Some(ConversationId(conversation.0));
    world.own(conversation, key, Some(ADA), LoadGroup::InboxChat, 0);
    let ticket = world.item();
    world.own(ticket, key, Some(ADA), LoadGroup::TicketMessaging, 0);
    let item = wait(&mut world, MAIL, |_| {});
    check(&world, Subject::Waiting(item), &["101: closes 1"]);
}

#[test]
fn r13_1_waiting_alone_helps_where_a_skill_relaxes_or_a_step_asks_others() {
    let mut directory = skilled(directory(), parcels(true, Some(120)));
    directory.person(BEN).hours = hours(&["mon-fri 10:00-16:00"]);
    let step = |after_s, user| OverflowStep { after_s, members: vec![Member::User(user)], workspaces: Vec::new() };
    let case = Case { overflow: vec![step(60, BEN), step(180, CLEO)], ..patient(&[ADA]) };
    directory.route(MAIL, case);
    let mut world = World::new(directory);
    let item = wait(&mut world, MAIL, |_| {});
    world.now = world.now.plus_ms(30_000);
    check(
        &world,
        Subject::Waiting(item),
        &[
            "101 in 90 s: relaxes",
            "103 in 150 s: step 1",
            "102 in 3570 s: step 0, becomes available (outside_hours)",
            "101: learns Parcels at 3",
        ],
    );
}

#[test]
fn r13_1_the_directory_stands_against_somebody_until_an_admin_changes_it() {
    let mut directory = crowd();
    directory.person(ADA).active = false;
    directory.person(BEN).seat = Seat::None;
    directory.person(CLEO).team = Some(BLUE);
    directory.person(CLEO).extra_teams = vec![RED];
    directory.place(INBOX).access = WorkspaceAccess::Restricted { users: vec![ADA, BEN, CLEO], teams: Vec::new() };
    let listed = [Member::User(ADA), Member::User(BEN), Member::Team(RED), Member::User(DAG)];
    directory.route(MAIL, Case::new(members(&listed)));
    let mut world = World::new(directory);
    let arrival = world.arrival(MAIL);
    world.route(&arrival);
    check(
        &world,
        Subject::Arrival(&arrival),
        &["101: admin Inactive", "102: admin NoSeat", "103: admin NotMainMember", "104: admin NoAccess"],
    );
}

#[test]
fn r13_1_a_help_desk_asks_for_ticket_access() {
    let mut directory = directory();
    directory.person(ADA).ticket_access = false;
    directory.person(ADA).seat = Seat::Sales;
    directory.route(TICKETS, Case::new(people(&[ADA])));
    let mut world = World::new(directory);
    let arrival = world.arrival(TICKETS);
    world.route(&arrival);
    check(&world, Subject::Arrival(&arrival), &["101: admin NoSeat, admin NoAccess"]);
    world.edit(|directory| directory.route(TICKETS, Case::new(Target::TeamOnly { team: RED })));
    world.edit(|directory| directory.person(BEN).extra_teams = vec![RED]);
    world.edit(|directory| directory.person(BEN).active = false);
    check(&world, Subject::Arrival(&arrival), &["102: admin Inactive"]);
    assert_eq!(world.router.directory().workspace(DESK).map(|desk| desk.seats.clone()), Some(vec![Seat::Service]));
}

#[test]
fn r13_1_a_rule_that_is_off_and_a_closed_channel_are_found_too() {
    let mut directory = directory();
    directory.route(MAIL, Case { outside_hours: OutsideHours::Unassigned, ..Case::new(people(&[ADA, BEN])) });
    directory.feed(MAIL).hours = hours(&["mon-fri 10:00-16:00"]);
    directory.person(BEN).hours = hours(&["mon-fri 10:30-16:00"]);
    let mut world = World::new(directory);
    let arrival = world.arrival(MAIL);
    world.route(&arrival);
    let opened = ["101 in 3600 s: opens", "102 in 5400 s: opens, becomes available (outside_hours)"];
    check(&world, Subject::Arrival(&arrival), &opened);
    world.edit(|directory| directory.feed(MAIL).rule.as_mut().expect("a rule").on = false);
    check(
        &world,
        Subject::Arrival(&arrival),
        &["101 in 3600 s: rule on, opens", "102 in 5400 s: rule on, opens, becomes available (outside_hours)"],
    );
    world.edit(|directory| directory.feed(MAIL).hours = hours(&[]));
    check(
        &world,
        Subject::Arrival(&arrival),
        &[
            "102 in 5400 s: rule on, becomes available (outside_hours)",
            "102: rule on, sets available (outside_hours)",
            "101: rule on",
        ],
    );
    world.edit(|directory| directory.route(MAIL, Case::new(Target::Nobody)));
    check(&world, Subject::Arrival(&arrival), &[]);
}

#[test]
fn r13_1_items_that_grow_too_old_make_room() {
    let mut directory = directory();
    directory.person(ADA).capacity.total = Some(1);
    directory.person(ADA).capacity.leave_out = LeaveOut { older_than_days: Some(2), waiting_on_contact: false };
    directory.route(MAIL, patient(&[ADA]));
    let mut world = World::new(directory);
    let (first, _) = arrive(&mut world, MAIL);
    let mut arrival = world.arrival(MAIL);
    arrival.item = first;
    let state = ItemState {
        item: first,
        item_kind: arrival.item_kind,
        conversation: None,
        workspace: INBOX,
        group: LoadGroup::InboxMail,
        status: ItemStatus::Open,
        owner: Some(Owner::User { id: ADA }),
        owned_since: Some(world.now),
        created_at: Some(monday().plus_ms(-DAY_MS)),
        waiting_on_contact: false,
    };
    feed(&mut world, &Input::Changed(ItemChange { state, assigned: false }));
    let item = wait(&mut world, MAIL, |_| {});
    check(&world, Subject::Waiting(item), &["101: closes 1", "101 in 86400 s: ages"]);
}

#[test]
fn r13_1_at_most_twenty_are_named_and_whoever_was_left_out_is_not() {
    let mut directory = directory();
    for place in 0..30 {
        let mut person = crate::support::user(UserId(200 + place));
        person.hours = hours(&["mon-fri 10:00-16:00"]);
        directory.users.push(person);
    }
    let listed: Vec<UserId> = std::iter::once(ADA).chain((0..30).map(|place| UserId(200 + place))).collect();
    directory.route(MAIL, patient(&listed));
    let mut world = World::new(directory);
    let item = wait(&mut world, MAIL, |arrival| arrival.excluded = vec![ADA]);
    let found = world.router.remedies(Subject::Waiting(item), world.now);
    assert_eq!(found.len(), 20);
    let users: Vec<i64> = found.iter().map(|remedy| remedy.user.0).collect();
    assert_eq!(users, (200..220).collect::<Vec<_>>(), "by id where they come at the same time, and not Ada, who returned it");
}

#[test]
fn r13_1_an_item_that_nobody_asks_about_or_that_somebody_could_have_at_once() {
    let mut world = World::new(crowd());
    check(&world, Subject::Waiting(ItemId(77)), &[]);
    assert_eq!(world.router.why_waiting(Subject::Waiting(ItemId(77)), world.now), None);
    let arrival = world.arrival(MAIL);
    check(&world, Subject::Arrival(&arrival), &["101: "]);
}

/// Does in earnest what a remedy says, by inputs alone.
fn carry_out(world: &mut World, remedy: &Remedy) {
    for change in &remedy.changes {
        match change {
            Change::BecomesAvailable { .. } | Change::Ages | Change::Relaxes | Change::Widens { .. } | Change::ChannelOpens => {
                world.now = world.now.max(remedy.at.expect("a time"));
                world.step(&Input::Tick);
            }
            Change::SetsAvailable { .. } => {
                crate::queue::status(world, remedy.user, StatusValue::Available);
            }
            Change::Closes { items, .. } => {
                let owned = world.router.state().owned.into_iter().filter(|owned| owned.user == remedy.user);
                for owned in owned.take(*items as usize) {
                    crate::queue::change(world, owned.item, None, ItemStatus::Closed);
                }
            }
            Change::Learns { .. } => {
                crate::queue::edit(world, |directory| {
                    directory.person(remedy.user).skills = vec![UserSkill { skill: PARCELS, level: 3 }];
                });
            }
            Change::Admin { .. } | Change::RuleOn => {
                crate::queue::edit(world, |directory| directory.person(remedy.user).seat = Seat::Service);
            }
        }
    }
}

#[test]
fn r13_1_every_remedy_does_what_it_says_when_it_is_carried_out() {
    let mut tried = 0;
    for seed in 0..80_u64 {
        // Bits of the seed say what stands against whom.
        let mut directory = skilled(crowd(), parcels(true, (seed % 3 == 0).then_some(600)));
        for (bit, user) in [ADA, BEN, CLEO, DAG].into_iter().enumerate() {
            let bits = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(u32::try_from(bit * 16).expect("small")) & 0xff;
            if bits & 1 > 0 {
                directory.person(user).skills = vec![UserSkill { skill: PARCELS, level: 4 }];
            }
            if bits & 6 == 6 {
                directory.person(user).hours = hours(&["mon-fri 10:00-16:00"]);
            }
            if bits & 24 == 24 {
                directory.person(user).seat = Seat::None;
            }
        }
        let step = OverflowStep { after_s: 300, members: vec![Member::User(DAG)], workspaces: Vec::new() };
        directory.route(MAIL, Case { overflow: vec![step], ..patient(&[ADA, BEN, CLEO]) });
        let mut world = World::new(directory);
        for (bit, user) in [ADA, BEN, CLEO, DAG].into_iter().enumerate() {
            let bits = seed.wrapping_mul(0xd134_2543_de82_ef95).rotate_left(u32::try_from(bit * 16).expect("small")) & 0xff;
            if bits & 1 > 0 {
                world.by_hand(user, StatusValue::Away);
            }
            for _ in 0..(bits >> 1) % 3 {
                world.give(user, LoadGroup::InboxMail, 0);
            }
        }
        let arrival = world.arrival(MAIL);
        let text = feed(&mut world, &Input::Arrived(arrival.clone()));
        if text != format!("{} queued", arrival.item) {
            continue;
        }
        for remedy in world.router.remedies(Subject::Waiting(arrival.item), world.now) {
            let mut real = World { router: world.router.clone(), now: world.now, next_item: world.next_item };
            let others: Vec<UserId> = [ADA, BEN, CLEO, DAG].into_iter().filter(|user| *user != remedy.user).collect();
            for user in others {
                crate::queue::status(&mut real, user, StatusValue::Finishing);
            }
            carry_out(&mut real, &remedy);
            let owner = real.router.state().owned.into_iter().find(|owned| owned.item == arrival.item).map(|owned| owned.user);
            assert_eq!(owner, Some(remedy.user), "seed {seed}: {remedy:?}");
            tried += 1;
        }
    }
    assert!(tried > 80, "{tried} remedies were carried out");
}
