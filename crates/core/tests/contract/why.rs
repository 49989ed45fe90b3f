//! ROUTING 13.1: why an item waits, and why somebody does not have it.

use crate::answers::{PARCELS, check, crowd, parcels, skilled};
use crate::queue::{feed, patient, wait};
use crate::support::{
    ADA, BEN, CHAT, CLEO, DAG, Edit, HOUR_MS, INBOX, MAIL, MINUTE_MS, RED, TICKETS, World, directory, hours, monday, people,
};
use switchboard_core::Subject;
use switchboard_model::{
    Arrival, CapacityWeights, Case, Change, ChannelId, Demand, Distribution, Fallback, Input, ItemId, ItemStatus, LoadGroup,
    Member, OverflowStep, Preference, Remedy, SkipReason, Spoken, StatusValue, Target, UserId, UserSkill, Wanted, WhyNot,
    WhyWaiting, WorkType,
};

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
