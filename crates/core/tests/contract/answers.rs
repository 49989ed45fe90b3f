//! ROUTING 13.1: why an item waits, why somebody does not have it, and what would change that.

use crate::queue::{arrive, feed, patient, wait};
use crate::support::{
    ADA, BEN, BLUE, CHAT, CLEO, DAG, DAY_MS, DESK, Edit, HOUR_MS, INBOX, MAIL, MINUTE_MS, RED, TICKETS, World, absence,
    directory, hours, members, monday, people,
};
use std::fmt::Write;
use switchboard_core::Subject;
use switchboard_model::{
    Arrival, CapacityWeights, Case, Change, ChannelId, ConversationId, Demand, Directory, Distribution, Fallback, Input,
    ItemChange, ItemId, ItemState, ItemStatus, LeaveOut, LoadGroup, Member, OutsideHours, OverflowStep, Owner, Preference,
    Remedy, Seat, Skill, SkillId, SkillRule, SkipReason, Spoken, StatusValue, Target, Timestamp, UserId, UserSkill, Wanted,
    WhyNot, WhyWaiting, WorkType, WorkspaceAccess,
};

const PARCELS: SkillId = SkillId(31);

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
fn check(world: &World, subject: Subject<'_>, expected: &[&str]) {
    let before = world.router.state();
    let found: Vec<String> = world.router.remedies(subject, world.now).iter().map(|remedy| line(remedy, world.now)).collect();
    assert_eq!(found, expected);
    assert_eq!(world.router.state(), before, "asking changes nothing");
}

/// The directory with one item each as a limit and everybody in the mail case, which waits.
fn crowd() -> Directory {
    let mut directory = directory();
    for user in [ADA, BEN, CLEO, DAG] {
        directory.person(user).capacity.total = Some(1);
    }
    directory.route(MAIL, patient(&[ADA, BEN, CLEO, DAG]));
    directory
}

fn parcels(required: bool, relax_after_s: Option<u32>) -> SkillRule {
    let wanted = Wanted::Skill { skill: PARCELS, min_level: 3, best_first: false };
    SkillRule { when: None, demands: vec![Demand { wanted, required, relax_after_s }] }
}

fn skilled(mut directory: Directory, rule: SkillRule) -> Directory {
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

/// Queues an item whose contact's owner is told of it.
fn wait_for_owner(world: &mut World, channel: ChannelId, owner: UserId) -> ItemId {
    let mut arrival = world.arrival(channel);
    arrival.contact.owner = Some(owner);
    let item = arrival.item;
    assert_eq!(feed(world, &Input::Arrived(arrival)), format!("{item} queued, told {owner}"));
    item
}

fn why_waiting(world: &World, item: ItemId) -> WhyWaiting {
    world.router.why_waiting(Subject::Waiting(item), world.now).expect("it waits")
}

#[test]
fn r13_1_why_it_waits_tells_place_and_what_everybody_lacks() {
    let mut directory = skilled(crowd(), parcels(true, Some(600)));
    for user in [ADA, BEN, CLEO] {
        directory.person(user).skills = vec![UserSkill { skill: PARCELS, level: 3 }];
    }
    let fallback = Fallback::UsersAndTeams { members: [ADA, BEN, DAG].map(Member::User).into() };
    directory.route(MAIL, Case { target: Target::ContactOwner { require_cookie: false, fallback }, ..patient(&[]) });
    let mut world = World::new(directory);
    for user in [ADA, BEN] {
        world.give(user, LoadGroup::InboxMail, 0);
    }
    world.by_hand(CLEO, StatusValue::Away);
    let first = wait_for_owner(&mut world, MAIL, CLEO);
    world.now = world.now.plus_ms(1);
    let second = wait_for_owner(&mut world, MAIL, CLEO);
    let answer = why_waiting(&world, second);
    assert_eq!((answer.position, answer.ahead, answer.since), (Some(2), 1, Some(world.now)));
    assert_eq!(answer.changes_at, Some(world.now.plus_ms(600_000)));
    let lanes: Vec<String> = answer
        .lanes
        .iter()
        .map(|lane| {
            let lacks: Vec<String> = lane.lacks.iter().map(|lack| format!("{} {:?}", lack.people, lack.reason)).collect();
            format!("{}: {} of {} eligible; {}", lane.target, lane.eligible, lane.people, lacks.join(", "))
        })
        .collect();
    assert_eq!(
        lanes,
        [
            "contact_owner: 0 of 1 eligible; 1 Unavailable { cause: Away }",
            "fallback: 0 of 3 eligible; 2 AtCapacity, 1 LacksSkill { skill: \"Parcels\" }",
        ]
    );
    assert_eq!(why_waiting(&world, first).ahead, 0);
}

#[test]
fn r13_1_why_an_item_was_left_unassigned_can_be_asked_with_its_facts() {
    let mut world = World::with_case(MAIL, Case::new(people(&[ADA])));
    world.by_hand(ADA, StatusValue::Away);
    let arrival = world.arrival(MAIL);
    let answer = world.router.why_waiting(Subject::Arrival(&arrival), world.now).expect("its facts are given");
    assert_eq!((answer.position, answer.ahead, answer.since, answer.lanes.len()), (None, 0, None, 1));
    assert_eq!(answer.lanes[0].lacks[0].people, 1);
}

/// Why not this user, in short.
fn why_not(world: &World, arrival: &Arrival, user: UserId) -> String {
    match world.router.why_not(Subject::Arrival(arrival), user, world.now).expect("its facts are given") {
        WhyNot::Chosen => "chosen".to_owned(),
        WhyNot::Preferred { candidate, chosen, because } => {
            let chosen = chosen.map_or_else(|| "nobody".to_owned(), |chosen| chosen.user.to_string());
            assert_eq!(candidate.user, user);
            format!("{chosen} by {because}")
        }
        WhyNot::Skipped { candidate, until, capacity, lacking } => {
            let until = until.map_or(0, |until| until.ms_since(world.now) / MINUTE_MS);
            let capacity = capacity.map(|used| {
                let weight = used.weight_limit.map(|limit| format!("{}+{}/{limit}", used.weight, used.item_weight));
                format!(
                    "{}/{} {} {}/{} {}",
                    used.open,
                    used.limit.map_or(-1, i64::from),
                    used.work,
                    used.open_of_type,
                    used.limit_of_type.map_or(-1, i64::from),
                    weight.unwrap_or_default()
                )
            });
            format!("{:?} {until} {} {}", candidate.verdict, capacity.unwrap_or_default(), lacking.join("+"))
        }
        WhyNot::NotAsked { listed, joins_at } => {
            format!("not asked, listed {listed}, joins {:?}", joins_at.map(|at| at.ms_since(world.now) / 1_000))
        }
    }
}

#[test]
fn r13_1_why_not_names_by_what_somebody_else_came_first() {
    for (distribution, expected) in [
        (Distribution::LoadBalanced, ["102 by load", "chosen", "102 by last_assigned", "102 by skills"]),
        (Distribution::LongestIdle, ["102 by idle", "chosen", "102 by idle", "102 by skills"]),
        (Distribution::LongestIdleTotal, ["102 by idle", "chosen", "102 by last_assigned", "102 by skills"]),
        (Distribution::RoundRobin, ["chosen", "101 by turn", "101 by turn", "101 by skills"]),
        (Distribution::Random, ["102 by draw", "chosen", "102 by draw", "102 by skills"]),
    ] {
        let mut directory = skilled(directory(), parcels(false, None));
        for user in [ADA, BEN, CLEO] {
            directory.person(user).skills = vec![UserSkill { skill: PARCELS, level: 3 }];
        }
        let users = [ADA, BEN, CLEO, DAG];
        directory.route(MAIL, Case { distribution: Some(distribution), ..Case::new(people(&users)) });
        let mut world = World::new(directory);
        for user in [BEN, CLEO, ADA] {
            let item = world.give(user, LoadGroup::InboxMail, 0);
            if user != ADA {
                world.set_status_of(item, ItemStatus::Closed);
            }
        }
        world.now = world.now.plus_ms(MINUTE_MS);
        let mut arrival = world.arrival(MAIL);
        arrival.seed = (0..)
            .find(|seed| {
                arrival.seed = *seed;
                crate::support::assigned(&world.router.explain(world.now, &arrival).decision) == Some(BEN)
                    || distribution != Distribution::Random
            })
            .expect("some seed draws Ben");
        assert_eq!(users.map(|user| why_not(&world, &arrival, user)), expected, "{distribution}");
    }
}

#[test]
fn r13_1_why_not_tells_the_numbers_of_the_reason() {
    let mut directory = skilled(crowd(), parcels(true, None));
    directory.person(ADA).hours = hours(&["mon-fri 10:00-16:00"]);
    directory.person(BEN).capacity.per_type = [(WorkType::Mail, 1)].into();
    directory.person(BEN).capacity.weights = Some(CapacityWeights { limit: 15, per_type: [(WorkType::Mail, 10)].into() });
    let wanted = Wanted::Language { language: "nb".to_owned() };
    directory.place(INBOX).skill_rules[0].demands.push(Demand { wanted, required: true, relax_after_s: None });
    directory.person(DAG).languages = vec![Spoken { language: "nb".to_owned(), main: false }];
    let mut world = World::new(directory);
    world.give(BEN, LoadGroup::InboxMail, 0);
    let arrival = world.arrival(MAIL);
    assert_eq!(why_not(&world, &arrival, ADA), "Skipped { reason: Unavailable { cause: OutsideHours } } 60  ");
    assert_eq!(why_not(&world, &arrival, BEN), "Skipped { reason: AtCapacity } 0 1/1 mail 1/1 10+10/15 ");
    assert_eq!(why_not(&world, &arrival, CLEO), "Skipped { reason: LacksSkill { skill: \"Parcels\" } } 0  Parcels+nb");
    assert_eq!(why_not(&world, &arrival, DAG), "Skipped { reason: LacksSkill { skill: \"Parcels\" } } 0  Parcels");
}

#[test]
fn r13_1_why_not_tells_who_was_never_asked_and_when_that_changes() {
    let step = OverflowStep { after_s: 90, members: vec![Member::User(CLEO)], workspaces: Vec::new() };
    let target =
        Target::ContactOwner { require_cookie: false, fallback: Fallback::UsersAndTeams { members: vec![Member::User(BEN)] } };
    let case = Case { target, overflow: vec![step], ..patient(&[]) };
    let mut world = World::with_case(CHAT, case);
    let mut arrival = world.arrival(CHAT);
    arrival.contact.owner = Some(ADA);
    assert_eq!(why_not(&world, &arrival, ADA), "chosen");
    assert_eq!(why_not(&world, &arrival, BEN), "not asked, listed true, joins None");
    assert_eq!(why_not(&world, &arrival, DAG), "not asked, listed false, joins None");
    for user in [ADA, BEN] {
        world.by_hand(user, StatusValue::Away);
    }
    let item = wait_for_owner(&mut world, CHAT, ADA);
    arrival.item = item;
    world.now = world.now.plus_ms(30_000);
    assert_eq!(why_not(&world, &arrival, CLEO), "not asked, listed false, joins Some(60)");
    assert!(why_not(&world, &arrival, BEN).starts_with("Skipped"));
    crate::queue::status(&mut world, BEN, StatusValue::Available);
    assert_eq!(world.router.why_not(Subject::Waiting(item), BEN, world.now), None, "it waits no more");
}

#[test]
fn r13_1_somebody_eligible_does_not_get_what_only_a_team_gets() {
    let mut directory = directory();
    directory.person(ADA).team = Some(RED);
    directory.route(TICKETS, Case::new(Target::TeamOnly { team: RED }));
    let mut world = World::new(directory);
    let arrival = world.arrival(TICKETS);
    assert_eq!(why_not(&world, &arrival, ADA), "nobody by team_only");
    check(&world, Subject::Arrival(&arrival), &[]);
}

#[test]
fn r13_1_answers_ahead_of_time_know_what_happens_by_then() {
    let mut directory = crowd();
    directory.route(MAIL, patient(&[ADA]));
    directory.person(ADA).hours = hours(&["mon-fri 10:00-16:00"]);
    let mut world = World::new(directory);
    let first = wait(&mut world, MAIL, |_| {});
    world.now = world.now.plus_ms(1);
    let second = wait(&mut world, MAIL, |_| {});
    let later = world.now.plus_ms(2 * HOUR_MS);
    assert_eq!(world.router.why_waiting(Subject::Waiting(first), later), None, "served when the shift began");
    let answer = world.router.why_waiting(Subject::Waiting(second), later).expect("still waiting");
    assert_eq!((answer.ahead, answer.lanes[0].lacks[0].reason.clone()), (0, SkipReason::AtCapacity));
}

#[test]
fn r13_1_answers_can_be_written_and_read() {
    let because = Preference::LowestId;
    let json = serde_json::to_string(&because).expect("a word");
    assert_eq!(json, "\"lowest_id\"");
    let remedy = Remedy {
        user: ADA,
        at: Some(monday()),
        changes: vec![Change::Closes { items: 2, work: None }, Change::Admin { reason: SkipReason::NoSeat }],
    };
    let json = serde_json::to_string(&remedy).expect("it can be written");
    assert_eq!(serde_json::from_str::<Remedy>(&json).expect("it can be read"), remedy);
}
