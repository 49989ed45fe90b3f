//! ROUTING 8: skills, languages, levels, and what relaxes.

use crate::queue::{arrive, feed, one_at_a_time, patient, wait};
use crate::support::{ADA, BEN, CLEO, DAG, Edit, INBOX, MAIL, RED, TICKETS, World, check, directory, monday, people};
use switchboard_model::{
    Arrival, Case, Condition, Demand, Directory, Distribution, FactField, Fallback, Input, Skill, SkillId, SkillRule, SkipReason,
    Spoken, StatusValue, Target, UnavailableCause, UserId, UserSkill, Verdict, Wanted,
};

const BILLING: SkillId = SkillId(51);
const REPAIR: SkillId = SkillId(52);

fn skill(id: SkillId, slug: &str) -> Skill {
    Skill { id, slug: slug.to_owned(), category: "trade".to_owned(), name: slug.to_owned() }
}

fn wanted(skill: SkillId, min_level: u8) -> Wanted {
    Wanted::Skill { skill, min_level, best_first: false }
}

fn required(wanted: Wanted) -> Demand {
    Demand { wanted, required: true, relax_after_s: None }
}

fn preferred(wanted: Wanted) -> Demand {
    Demand { wanted, required: false, relax_after_s: None }
}

fn language(code: &str) -> Wanted {
    Wanted::Language { language: code.to_owned() }
}

fn about(value: &str) -> Option<Condition> {
    Some(Condition::Contains { field: FactField("message.subject".to_owned()), values: vec![value.to_owned()] })
}

fn skilled(directory: &mut Directory, user: UserId, skill: SkillId, level: u8) {
    directory.person(user).skills.push(UserSkill { skill, level });
}

fn speaks(directory: &mut Directory, user: UserId, code: &str, main: bool) {
    directory.person(user).languages.push(Spoken { language: code.to_owned(), main });
}

/// A directory with two skills and these demands on everything in the inbox, the mail going by load to all four.
fn demanding(demands: Vec<Demand>) -> Directory {
    let mut directory = directory();
    directory.skills = vec![skill(BILLING, "billing"), skill(REPAIR, "repair")];
    directory.place(INBOX).skill_rules = vec![SkillRule { when: None, demands }];
    let case = Case { distribution: Some(Distribution::LoadBalanced), ..Case::new(people(&[ADA, BEN, CLEO, DAG])) };
    directory.route(MAIL, case);
    directory
}

fn goes(directory: Directory, expected: &str) {
    let mut world = World::new(directory);
    let arrival = world.arrival(MAIL);
    check(&mut world, &arrival, expected);
}

#[test]
fn r3_7_who_lacks_a_required_skill_or_its_level_is_skipped() {
    let mut directory = demanding(vec![required(wanted(BILLING, 3))]);
    skilled(&mut directory, ADA, REPAIR, 5);
    skilled(&mut directory, BEN, BILLING, 2);
    skilled(&mut directory, CLEO, BILLING, 3);
    goes(directory, "assigned 103 | users_and_teams: 101 lacks_skill, 102 lacks_skill, 103 chosen, 104 lacks_skill");
}

#[test]
fn r3_7_a_skill_is_asked_for_only_of_somebody_who_is_there_and_has_room_and_named_as_it_is_called() {
    let mut directory = demanding(vec![required(language("nb")), required(wanted(BILLING, 1))]);
    directory.skills[0].name = "Billing and refunds".to_owned();
    directory.person(BEN).capacity.total = Some(0);
    speaks(&mut directory, CLEO, "nb", false);
    let mut world = World::new(directory);
    world.by_hand(ADA, StatusValue::Away);
    let arrival = world.arrival(MAIL);
    let explained = world.route(&arrival).1;
    let reasons: Vec<_> = explained.stages[0].candidates.iter().map(|candidate| candidate.verdict.clone()).collect();
    let skipped = |reason| Verdict::Skipped { reason };
    let lacks = |skill: &str| skipped(SkipReason::LacksSkill { skill: skill.to_owned() });
    let away = skipped(SkipReason::Unavailable { cause: UnavailableCause::Away });
    assert_eq!(reasons, [away, skipped(SkipReason::AtCapacity), lacks("Billing and refunds"), lacks("nb")]);
}

#[test]
fn r3_7_only_what_is_required_at_this_moment_keeps_somebody_away() {
    let relaxing = Demand { wanted: wanted(BILLING, 1), required: true, relax_after_s: Some(0) };
    let mut directory = demanding(vec![preferred(wanted(REPAIR, 1)), relaxing]);
    skilled(&mut directory, DAG, BILLING, 1);
    goes(directory, "assigned 104 | users_and_teams: 101 eligible, 102 eligible, 103 eligible, 104 chosen");
}

#[test]
fn r8_1_a_skill_has_a_category_and_a_level_and_a_language_is_main_or_secondary() {
    let mut directory = demanding(vec![required(wanted(BILLING, 5)), preferred(language("da"))]);
    for (user, level) in [(ADA, 4), (BEN, 5), (CLEO, 5)] {
        skilled(&mut directory, user, BILLING, level);
    }
    speaks(&mut directory, BEN, "da", false);
    speaks(&mut directory, CLEO, "da", true);
    assert_eq!(switchboard_core::validate(&directory), []);
    goes(directory.clone(), "assigned 103 | users_and_teams: 101 lacks_skill, 102 eligible, 103 chosen, 104 lacks_skill");
    directory.skills[0].category = String::new();
    let faults = switchboard_core::validate(&directory);
    assert_eq!(faults.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>(), ["skills.\"billing\".category"]);
    let people = directory.users.iter().flat_map(|user| &user.languages);
    assert_eq!(people.map(|spoken| spoken.main).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn r8_4_a_version_without_a_skill_that_is_in_use_is_refused_where_it_is_named() {
    let mut directory = demanding(vec![preferred(wanted(REPAIR, 1)), required(wanted(BILLING, 1))]);
    skilled(&mut directory, ADA, REPAIR, 1);
    skilled(&mut directory, CLEO, BILLING, 1);
    let uses = switchboard_core::skill_uses(&directory, BILLING);
    assert_eq!(uses, ["users.\"user103@example.org\".skills[0]", "workspaces.\"inbox\".skill_rules[0].demands[1]"]);
    directory.skills.remove(0);
    let faults = switchboard_core::validate_structure(&directory);
    let found: Vec<_> = faults.iter().map(|fault| fault.key.trim_end_matches(".skill")).collect();
    assert_eq!(found, uses);
    directory.person(CLEO).skills.clear();
    directory.place(INBOX).skill_rules[0].demands.remove(1);
    assert_eq!(switchboard_core::validate(&directory), [], "in use nowhere, it can go");
}

#[test]
fn r8_2_the_first_rule_that_applies_demands_and_without_one_nothing_is() {
    let mut directory = demanding(Vec::new());
    skilled(&mut directory, BEN, BILLING, 1);
    skilled(&mut directory, CLEO, REPAIR, 1);
    directory.place(INBOX).skill_rules = vec![
        SkillRule { when: about("invoice"), demands: vec![required(wanted(BILLING, 1))] },
        SkillRule { when: about("broken"), demands: vec![required(wanted(REPAIR, 1))] },
    ];
    let mut world = World::new(directory);
    for (subject, taker) in [("Broken invoice", BEN), ("it is broken", CLEO), ("hello", ADA)] {
        let mut arrival = world.arrival(MAIL);
        arrival.facts.insert(FactField("message.subject".to_owned()), subject.to_owned());
        assert_eq!(crate::support::assigned(&world.route(&arrival).0), Some(taker), "{subject}");
    }
}

#[test]
fn r8_2_skills_narrow_contact_owner_and_fallback_and_leave_team_only_alone() {
    let mut directory = demanding(vec![required(wanted(BILLING, 1))]);
    skilled(&mut directory, CLEO, BILLING, 1);
    let fallback = Fallback::User { user: BEN };
    let target = Target::ContactOwner { require_cookie: false, fallback };
    directory.route(MAIL, Case::new(target));
    let mut world = World::new(directory);
    let mut arrival = world.arrival(MAIL);
    arrival.contact.owner = Some(ADA);
    let expected = "unassigned nobody_eligible | contact_owner: 101 lacks_skill | fallback: 102 lacks_skill | told 101";
    check(&mut world, &arrival, expected);
    let mut arrival = world.arrival(MAIL);
    arrival.contact.owner = Some(CLEO);
    check(&mut world, &arrival, "assigned 103 | contact_owner: 103 chosen");
    world.edit(|directory| {
        let demands = vec![required(wanted(BILLING, 1))];
        directory.place(crate::support::DESK).skill_rules = vec![SkillRule { when: None, demands }];
        directory.person(ADA).team = Some(RED);
        directory.route(TICKETS, Case::new(Target::TeamOnly { team: RED }));
    });
    let arrival = world.arrival(TICKETS);
    check(&mut world, &arrival, "team 21 | team_only: 101 eligible");
}

#[test]
fn r8_3_a_preferred_skill_ranks_before_load_and_excludes_nobody() {
    let mut directory = demanding(vec![preferred(wanted(BILLING, 1))]);
    skilled(&mut directory, CLEO, BILLING, 1);
    let mut world = World::new(directory);
    for _ in 0..3 {
        assert_eq!(world.taker(MAIL), Some(CLEO));
    }
    world.by_hand(CLEO, switchboard_model::StatusValue::Away);
    assert_eq!(world.taker(MAIL), Some(ADA), "nobody else has it, so load decides");
}

#[test]
fn r8_3_a_main_language_ranks_above_a_secondary_one_and_none_is_skipped() {
    let mut directory = demanding(vec![required(language("nb"))]);
    speaks(&mut directory, ADA, "en", true);
    speaks(&mut directory, BEN, "nb", false);
    speaks(&mut directory, CLEO, "nb", true);
    let mut world = World::new(directory);
    let arrival = world.arrival(MAIL);
    let expected = "assigned 103 | users_and_teams: 101 lacks_skill, 102 eligible, 103 chosen, 104 lacks_skill";
    check(&mut world, &arrival, expected);
    assert_eq!(world.taker(MAIL), Some(CLEO), "load comes after the language");
}

#[test]
fn r8_3_levels_rank_only_where_the_rule_says_so() {
    for (best_first, taker) in [(false, ADA), (true, BEN)] {
        let mut directory = demanding(vec![required(Wanted::Skill { skill: BILLING, min_level: 2, best_first })]);
        skilled(&mut directory, ADA, BILLING, 2);
        skilled(&mut directory, BEN, BILLING, 5);
        skilled(&mut directory, CLEO, BILLING, 4);
        assert_eq!(World::new(directory).taker(MAIL), Some(taker));
    }
}

#[test]
fn r8_3_random_and_turns_go_among_those_who_fall_least_short() {
    for distribution in [Distribution::Random, Distribution::RoundRobin] {
        let mut directory = demanding(vec![preferred(wanted(BILLING, 1))]);
        skilled(&mut directory, BEN, BILLING, 1);
        skilled(&mut directory, DAG, BILLING, 1);
        directory.route(MAIL, Case { distribution: Some(distribution), ..Case::new(people(&[ADA, BEN, CLEO, DAG])) });
        let mut world = World::new(directory);
        let mut takers = std::collections::BTreeMap::new();
        for seed in 0..40 {
            let arrival = Arrival { seed, ..world.arrival(MAIL) };
            *takers.entry(crate::support::assigned(&world.route(&arrival).0)).or_insert(0) += 1;
        }
        assert_eq!(takers.keys().copied().collect::<Vec<_>>(), [Some(BEN), Some(DAG)], "{distribution}");
        assert!(takers.values().all(|count| *count > 8), "{distribution}: {takers:?}");
    }
}

#[test]
fn r8_3_a_required_skill_relaxes_to_preferred_after_so_many_seconds_of_waiting() {
    let mut directory = one_at_a_time();
    directory.skills = vec![skill(BILLING, "billing")];
    skilled(&mut directory, CLEO, BILLING, 1);
    let demand = Demand { relax_after_s: Some(90), ..required(wanted(BILLING, 1)) };
    directory.place(INBOX).skill_rules = vec![SkillRule { when: None, demands: vec![demand] }];
    directory.route(MAIL, patient(&[ADA, CLEO]));
    let mut world = World::new(directory);
    let (first, text) = arrive(&mut world, MAIL);
    assert_eq!(text, format!("{first} assigned 103"));
    let item = wait(&mut world, MAIL, |_| {});
    assert_eq!(world.router.next_wake(), Some(monday().plus_ms(90_000)));
    world.now = monday().plus_ms(89_999);
    assert_eq!(feed(&mut world, &Input::Tick), "");
    world.now = monday().plus_ms(90_000);
    assert_eq!(feed(&mut world, &Input::Tick), format!("{item} assigned 101"));
}

#[test]
fn r8_3_where_nobody_has_the_skill_an_item_waits_for_the_relaxation_only() {
    let demand = Demand { relax_after_s: Some(60), ..required(wanted(BILLING, 1)) };
    let mut directory = demanding(vec![demand]);
    directory.route(MAIL, patient(&[ADA]));
    let mut world = World::new(directory.clone());
    let item = wait(&mut world, MAIL, |_| {});
    assert_eq!(world.router.stranded(), []);
    world.now = monday().plus_ms(60_000);
    assert_eq!(feed(&mut world, &Input::Tick), format!("{item} assigned 101"));
    directory.place(INBOX).skill_rules[0].demands[0].relax_after_s = None;
    let mut world = World::new(directory);
    let (item, text) = arrive(&mut world, MAIL);
    assert_eq!(text, format!("{item} unassigned nobody_eligible"), "it would wait for ever");
}
