//! The indexed match beside the obvious pass over everybody (ROUTING 6), on a service centre of overlapping pools.

use crate::support::{CALLS, CHAT, CHAT_TICKETS, DESK, Edit, MAIL, MINUTE_MS, TICKETS, World, assigned, directory, hours, user};
use std::collections::BTreeMap;
use std::sync::Arc;
use switchboard_core::Router;
use switchboard_model::{
    Case, ChannelId, Condition, Decision, Demand, Directory, Distribution, FactField, Input, ItemId, ItemStatus, Member,
    RouterState, Skill, SkillId, SkillRule, Spoken, StatusOrigin, StatusValue, Target, Team, TeamId, UserId, UserSkill, Wanted,
    WorkType,
};

const PEOPLE: i64 = 60;
pub const CHANNELS: [ChannelId; 5] = [MAIL, CHAT, TICKETS, CHAT_TICKETS, CALLS];

/// Numbers that repeat for a seed.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(bound)).expect("below the bound")
    }

    pub fn person(&mut self) -> UserId {
        UserId(101 + i64::from(self.below(60)))
    }
}

/// Sixty people in eight teams, listed by five channels that overlap in all sorts of ways.
pub fn crowded(distribution: Distribution, numbers: &mut Numbers) -> Directory {
    let mut directory = directory();
    directory.teams = (21..29)
        .map(|id| Team { id: TeamId(id), slug: format!("team_{id}"), name: format!("Team {id}"), parent: None, presence: None })
        .collect();
    directory.users = (101..101 + PEOPLE).map(|id| user(UserId(id))).collect();
    for user in &mut directory.users {
        user.team = Some(TeamId(21 + i64::from(numbers.below(8))));
        user.capacity.total = Some(1 + numbers.below(6));
        if numbers.below(3) == 0 {
            user.capacity.per_type = [(WorkType::Chat, 2)].into();
        }
        if numbers.below(4) == 0 {
            user.hours = hours(&["mon-sun 08:00-09:30", "mon-sun 10:00-18:00"]);
        }
    }
    let skill = SkillId(61);
    directory.skills =
        vec![Skill { id: skill, slug: "repair".to_owned(), category: "trade".to_owned(), name: "Repair".to_owned() }];
    for user in &mut directory.users {
        let level = 1 + u8::try_from(numbers.below(5)).expect("a level");
        user.skills = if numbers.below(2) == 0 { vec![UserSkill { skill, level }] } else { Vec::new() };
        if numbers.below(2) == 0 {
            user.languages = vec![Spoken { language: "nb".to_owned(), main: numbers.below(2) == 0 }];
        }
    }
    let norwegian = Condition::Is { field: FactField("message.language".to_owned()), values: vec!["nb".to_owned()] };
    let language = Demand { wanted: Wanted::Language { language: "nb".to_owned() }, required: true, relax_after_s: Some(600) };
    let repair = Demand { wanted: Wanted::Skill { skill, min_level: 2, best_first: true }, required: false, relax_after_s: None };
    directory.workspaces[0].skill_rules = vec![
        SkillRule { when: Some(norwegian), demands: vec![language.clone(), repair.clone()] },
        SkillRule { when: None, demands: vec![repair] },
    ];
    directory.workspaces[1].skill_rules = vec![SkillRule { when: None, demands: vec![language] }];
    for channel in CHANNELS {
        let mut listed: Vec<Member> = (0..3).map(|_| Member::Team(TeamId(21 + i64::from(numbers.below(8))))).collect();
        listed.extend((0..5).map(|_| Member::User(numbers.person())));
        let weighs = distribution == Distribution::RoundRobin && numbers.below(2) == 0;
        let weight = |member: &Member| (*member, 1 + numbers.below(20));
        let weights = if weighs { listed.iter().map(weight).collect() } else { BTreeMap::new() };
        let case = Case { distribution: Some(distribution), weights, ..Case::new(Target::UsersAndTeams { members: listed }) };
        directory.route(channel, case);
    }
    directory
}

/// A history of arrivals, closures, handing over, breaks and edits. Every arrival is decided twice, by the ladders and
/// by looking at everybody, and both must agree in all that is recorded.
fn check(distribution: Distribution, seed: u64) -> Vec<Decision> {
    let mut numbers = Numbers(seed);
    let mut world = World::new(crowded(distribution, &mut numbers));
    let mut owned: Vec<ItemId> = Vec::new();
    let mut decisions = Vec::new();
    for _ in 0..400 {
        match numbers.below(12) {
            0 | 1 => {
                let value = StatusValue::ALL[numbers.below(3) as usize];
                let person = numbers.person();
                world.status(person, value, StatusOrigin::ByHand);
            }
            2 | 3 if !owned.is_empty() => {
                let place = numbers.below(u32::try_from(owned.len()).expect("few items"));
                let item = owned.swap_remove(place as usize);
                world.set_status_of(item, ItemStatus::Closed);
            }
            4 => {
                world.now = world.now.plus_ms(i64::from(numbers.below(40)) * MINUTE_MS);
                world.step(&Input::Tick);
            }
            5 if numbers.below(10) == 0 => {
                let person = numbers.person();
                world.edit(|directory| directory.person(person).active ^= true);
            }
            6 if numbers.below(10) == 0 => {
                let state: RouterState = world.router.state();
                world.router = Router::new(Arc::clone(world.router.directory()), state).expect("a router's own state fits");
            }
            _ => {
                let mut arrival = world.arrival(CHANNELS[numbers.below(5) as usize]);
                arrival.seed = u64::from(numbers.below(u32::MAX));
                if numbers.below(5) == 0 {
                    arrival.excluded = (0..4).map(|_| numbers.person()).collect();
                }
                if numbers.below(3) == 0 {
                    arrival.facts.insert(FactField("message.language".to_owned()), "nb".to_owned());
                }
                if numbers.below(9) == 0 {
                    arrival.workspace = DESK;
                }
                let decision = world.route(&arrival).0;
                if assigned(&decision).is_some() {
                    owned.push(arrival.item);
                }
                decisions.push(decision);
            }
        }
    }
    decisions
}

#[test]
fn r6_the_indexed_choice_is_the_one_that_looking_at_everybody_makes() {
    for distribution in Distribution::ALL {
        for seed in 0..6 {
            let decisions = check(*distribution, seed);
            let assigned = decisions.iter().filter(|decision| assigned(decision).is_some()).count();
            assert!(assigned * 3 > decisions.len(), "{distribution}, seed {seed}: only {assigned} of {}", decisions.len());
            assert!(decisions.iter().any(|decision| decision.eligible < decision.candidates), "{distribution}, seed {seed}");
        }
    }
}
