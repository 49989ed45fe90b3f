//! Random channels and routing rules.

use crate::dice::Dice;
use crate::people::{LANGUAGES, ZONES, new_holidays, new_hours};
use switchboard_model::{
    Case, ChannelEntry, ChannelId, ChannelKind, Condition, Demand, Directory, Distribution, FactField, Fallback, Member,
    OutsideHours, OverflowStep, ReopenOwner, Rule, SkillRule, Target, Wanted, WhenNobody, WorkspaceId,
};

/// Words that subjects are made of, and that conditions look for.
pub const WORDS: [&str; 4] = ["invoice", "parcel", "refund", "password"];

const DISTRIBUTIONS: [Distribution; 9] = [
    Distribution::LoadBalanced,
    Distribution::RoundRobin,
    Distribution::RoundRobin,
    Distribution::RoundRobin,
    Distribution::Random,
    Distribution::LeastBusy,
    Distribution::LeastBusy,
    Distribution::LongestIdle,
    Distribution::LongestIdleTotal,
];

/// A channel without a rule.
pub fn channel(dice: &mut Dice, id: ChannelId, directory: &Directory) -> ChannelEntry {
    let workspace = dice.pick(&directory.workspaces).map_or(WorkspaceId(1), |workspace| workspace.id);
    ChannelEntry {
        id,
        slug: format!("channel_{id}"),
        name: format!("Channel {id}"),
        kind: dice.one_of(ChannelKind::ALL),
        workspace,
        on: true,
        zone: dice.one_of(&ZONES).to_owned(),
        hours: new_hours(dice, 60),
        holidays: new_holidays(dice, directory),
        reopen_owner: dice.one_of(&[ReopenOwner::Keep, ReopenOwner::Keep, ReopenOwner::Route, ReopenOwner::Unassign]),
        chat: None,
        rule: None,
        chatflows: None,
    }
}

/// A rule, which may or may not be fit to be saved.
pub fn new_rule(dice: &mut Dice, directory: &Directory, index: usize) -> Rule {
    let cases = dice.one_of(&[1, 1, 2, 3]);
    let help_desk = directory
        .workspace(directory.channels[index].workspace)
        .is_some_and(|workspace| workspace.kind == switchboard_model::WorkspaceKind::HelpDesk);
    let mut rule = Rule { on: dice.chance(96), version: directory.version, cases: Vec::new() };
    for position in 1..=cases {
        let mut case = Case::new(target(dice, directory, help_desk));
        case.when = (position < cases).then(|| condition(dice, 2));
        case.distribution = dice.chance(75).then(|| dice.one_of(&DISTRIBUTIONS));
        case.only_available = dice.chance(70);
        case.when_nobody = dice.one_of(&[WhenNobody::Unassigned, WhenNobody::Wait, WhenNobody::Wait, WhenNobody::Keep]);
        case.outside_hours = dice.one_of(&[OutsideHours::Route, OutsideHours::Route, OutsideHours::Unassigned]);
        if dice.chance(25) {
            case.overflow = overflow(dice, directory);
        }
        if dice.chance(20) {
            case.distribution = Some(Distribution::RoundRobin);
            for member in named(&case) {
                if dice.chance(60) {
                    case.weights.insert(member, dice.one_of(&[1, 2, 3, 20]));
                }
            }
        }
        case.affinity_days = dice.chance(30).then(|| dice.one_of(&[1, 3, 30]));
        rule.cases.push(case);
    }
    rule
}

fn target(dice: &mut Dice, directory: &Directory, help_desk: bool) -> Target {
    match dice.below(12) {
        0 if dice.chance(40) => Target::Nobody,
        1 if help_desk => dice.pick(&directory.teams).map_or(Target::Nobody, |team| Target::TeamOnly { team: team.id }),
        2..=4 => Target::ContactOwner { require_cookie: dice.chance(30), fallback: fallback(dice, directory) },
        _ => Target::UsersAndTeams { members: members(dice, directory) },
    }
}

/// Everybody whom a case names in a list.
fn named(case: &Case) -> Vec<Member> {
    let listed = match &case.target {
        Target::UsersAndTeams { members } | Target::ContactOwner { fallback: Fallback::UsersAndTeams { members }, .. } => {
            &members[..]
        }
        _ => &[],
    };
    listed.iter().chain(case.overflow.iter().flat_map(|step| &step.members)).copied().collect()
}

fn fallback(dice: &mut Dice, directory: &Directory) -> Fallback {
    match dice.below(5) {
        0 => Fallback::Nobody,
        1 | 2 => dice.pick(&directory.users).map_or(Fallback::Nobody, |user| Fallback::User { user: user.id }),
        _ => Fallback::UsersAndTeams { members: members(dice, directory) },
    }
}

fn members(dice: &mut Dice, directory: &Directory) -> Vec<Member> {
    let mut members = Vec::new();
    for _ in 0..dice.between(1, 5) {
        let user = dice.pick(&directory.users).map(|user| Member::User(user.id));
        let team = dice.pick(&directory.teams).map(|team| Member::Team(team.id));
        members.extend(if dice.chance(60) { user } else { team });
    }
    if dice.chance(80) {
        let mut seen = Vec::new();
        members.retain(|member| {
            !seen.contains(member) && {
                seen.push(*member);
                true
            }
        });
    }
    members
}

/// Steps that come ever later, within the minutes by which time usually goes on.
fn overflow(dice: &mut Dice, directory: &Directory) -> Vec<OverflowStep> {
    let mut after_s = 0;
    let mut steps = Vec::new();
    for _ in 0..dice.one_of(&[1, 1, 2, 3]) {
        after_s += seconds(dice);
        let workspaces = dice.pick(&directory.workspaces).map(|workspace| workspace.id).filter(|_| dice.chance(25));
        let members = if workspaces.is_some() && dice.chance(50) { Vec::new() } else { members(dice, directory) };
        steps.push(OverflowStep { after_s, members, workspaces: workspaces.into_iter().collect() });
    }
    steps
}

fn seconds(dice: &mut Dice) -> u32 {
    u32::try_from(dice.one_of(&[1, 30, 60, 600])).unwrap_or(1) + u32::try_from(dice.between(0, 30)).unwrap_or(0)
}

/// What work of a workspace demands.
pub fn new_skill_rules(dice: &mut Dice, directory: &Directory) -> Vec<SkillRule> {
    let mut rules = Vec::new();
    let many = dice.one_of(&[0, 0, 1, 2]);
    for position in 1..=many {
        let when = (position < many || dice.chance(50)).then(|| condition(dice, 1));
        let demands: Vec<Demand> = (0..dice.one_of(&[1, 1, 2, 3])).map(|_| demand(dice, directory)).collect();
        rules.push(SkillRule { when, demands });
    }
    rules
}

fn demand(dice: &mut Dice, directory: &Directory) -> Demand {
    let skill = dice.pick(&directory.skills).map(|skill| skill.id).filter(|_| dice.chance(65));
    let wanted = match skill {
        Some(skill) => {
            let min_level = u8::try_from(dice.one_of(&[1, 1, 2, 3, 5])).unwrap_or(1);
            Wanted::Skill { skill, min_level, best_first: dice.chance(50) }
        }
        None => Wanted::Language { language: dice.one_of(&LANGUAGES).to_owned() },
    };
    let required = dice.chance(45);
    let relax_after_s = (required && dice.chance(65)).then(|| seconds(dice));
    Demand { wanted, required, relax_after_s }
}

fn condition(dice: &mut Dice, depth: usize) -> Condition {
    let field = |name: &str| FactField(name.to_owned());
    let values =
        |dice: &mut Dice| WORDS.iter().filter(|_| dice.chance(40)).chain([&WORDS[0]]).map(|word| (*word).to_owned()).collect();
    match dice.below(if depth == 0 { 3 } else { 6 }) {
        0 => Condition::Contains { field: field("message.subject"), values: values(dice) },
        1 => Condition::Is { field: field("form.topic"), values: values(dice) },
        2 => Condition::Is { field: field("contact.has_owner"), values: vec!["True".to_owned()] },
        3 => Condition::Not(Box::new(condition(dice, depth - 1))),
        4 => Condition::Any(vec![condition(dice, depth - 1), condition(dice, depth - 1)]),
        _ => Condition::All(vec![condition(dice, depth - 1), condition(dice, depth - 1)]),
    }
}
