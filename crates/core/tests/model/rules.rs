//! Random channels and routing rules.

use crate::dice::Dice;
use crate::people::{ZONES, new_hours};
use switchboard_model::{
    Case, ChannelEntry, ChannelId, ChannelKind, Condition, Directory, Distribution, FactField, Fallback, Member, OutsideHours,
    ReopenOwner, Rule, Target, WhenNobody, WorkspaceId,
};

/// Words that subjects are made of, and that conditions look for.
pub const WORDS: [&str; 4] = ["invoice", "parcel", "refund", "password"];

const DISTRIBUTIONS: [Distribution; 8] = [
    Distribution::LoadBalanced,
    Distribution::RoundRobin,
    Distribution::RoundRobin,
    Distribution::RoundRobin,
    Distribution::Random,
    Distribution::LeastBusy,
    Distribution::LeastBusy,
    Distribution::LongestIdle,
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
        holidays: Vec::new(),
        reopen_owner: dice.one_of(&[ReopenOwner::Keep, ReopenOwner::Keep, ReopenOwner::Route, ReopenOwner::Unassign]),
        rule: None,
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
        case.when_nobody = dice.one_of(&[WhenNobody::Unassigned, WhenNobody::Unassigned, WhenNobody::Keep]);
        case.outside_hours = dice.one_of(&[OutsideHours::Route, OutsideHours::Route, OutsideHours::Unassigned]);
        rule.cases.push(case);
    }
    rule
}

fn target(dice: &mut Dice, directory: &Directory, help_desk: bool) -> Target {
    match dice.below(12) {
        0 => Target::Nobody,
        1 if help_desk => dice.pick(&directory.teams).map_or(Target::Nobody, |team| Target::TeamOnly { team: team.id }),
        2..=4 => Target::ContactOwner { require_cookie: dice.chance(30), fallback: fallback(dice, directory) },
        _ => Target::UsersAndTeams { members: members(dice, directory) },
    }
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
