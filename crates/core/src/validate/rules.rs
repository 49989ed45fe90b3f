//! Faults of rules: their shape, and the people they name (ROUTING 7).

use super::{cases_key, chatflows, repeated, team_name, user_name};
use crate::eligibility::{named, selectable, unselectable};
use crate::plan::listed;
use std::collections::BTreeSet;
use switchboard_model::{
    Case, ChannelEntry, Condition, Directory, Distribution, FactField, Fallback, Fault, HandBack, Member, OutsideHours, Rule,
    Target, UserId, WorkspaceId, WorkspaceKind,
};

/// The most cases that a rule can have.
pub(super) const MAX_CASES: usize = 100;
/// The most users and teams that a case can name.
const MAX_MEMBERS: usize = 10_000;
/// The most overflow steps of a case, and the latest of them.
const MAX_STEPS: usize = 20;
const MAX_STEP_S: u32 = 30 * 86_400;
/// The most workspaces that an overflow step can name.
const MAX_WORKSPACES: usize = 100;
/// The greatest weight of a name: passes of all weights up to this are whole numbers.
const MAX_WEIGHT: u32 = 20;
/// The longest time for which a last owner is preferred.
const MAX_AFFINITY_DAYS: u32 = 3_650;
/// The longest time after which open work goes back to routing: 30 days.
const MAX_HAND_BACK_MIN: u32 = 30 * 24 * 60;
/// The longest value of a comparison, in characters, and the most values of one.
const MAX_VALUE_CHARS: usize = 1_000;
const MAX_VALUES: usize = 1_000;

/// What is wrong with a rule whoever is active, has a seat or access.
pub(super) fn shape(directory: &Directory, channel: &ChannelEntry) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (flow, rule) in channel.written_rules() {
        if let Some(rule) = rule {
            written(directory, channel, &cases_key(channel, flow), rule, &mut faults);
        }
    }
    faults.extend(chatflows::all(channel));
    faults
}

fn written(directory: &Directory, channel: &ChannelEntry, at: &str, rule: &Rule, faults: &mut Vec<Fault>) {
    if rule.cases.is_empty() {
        faults.push(Fault::new(at, "a rule has at least one case"));
    }
    if rule.cases.len() > MAX_CASES {
        faults.push(Fault::new(at, format!("{} cases, {MAX_CASES} at most", rule.cases.len())));
    }
    let comparisons: usize = rule.cases.iter().filter_map(|case| case.when.as_ref()).map(comparisons).sum();
    if comparisons > Condition::MAX_COMPARISONS {
        let message = format!("{comparisons} comparisons in all, {} at most", Condition::MAX_COMPARISONS);
        faults.push(Fault::new(at, message));
    }
    for (index, case) in rule.cases.iter().enumerate() {
        let at = format!("{at}[{index}]");
        let last = index + 1 == rule.cases.len();
        match &case.when {
            None if !last => faults.push(Fault::new(
                format!("{at}.when"),
                "only the last case has no condition, the cases after this one would never apply",
            )),
            Some(_) if last => {
                faults.push(Fault::new(format!("{at}.when"), "the last case has no condition, so that it applies to the rest"));
            }
            _ => {}
        }
        if let Some(when) = &case.when {
            condition(&format!("{at}.when"), when, faults);
        }
        settings(&at, case, faults);
        weights(directory, &at, case, faults);
        overflow(directory, &at, case, faults);
        target(directory, channel, &format!("{at}.target"), &case.target, faults);
    }
}

/// Who is named in a rule and cannot be given work by it (ROUTING 3.9). A rule that is off routes nothing and may
/// name them, so that a broken rule can be switched off as it is.
pub(super) fn people(directory: &Directory, channel: &ChannelEntry, is_asked: impl Fn(Option<&str>) -> bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (flow, rule) in channel.written_rules() {
        if let Some(rule) = rule.filter(|rule| rule.on && is_asked(flow.map(|flow| flow.slug.as_str()))) {
            names(directory, channel, &cases_key(channel, flow), rule, &mut faults);
        }
    }
    faults.dedup();
    faults
}

fn names(directory: &Directory, channel: &ChannelEntry, cases: &str, rule: &Rule, faults: &mut Vec<Fault>) {
    for (index, case) in rule.cases.iter().enumerate() {
        let at = format!("{cases}[{index}].target");
        let places = places(&at, &case.target);
        for (member, reason) in unselectable(directory, channel.workspace, &case.target) {
            let (key, name) = place(directory, &at, &places, member);
            if is_known(directory, member) {
                faults.push(Fault::new(key, format!("{name} {reason}")));
            }
        }
        for (step, found) in case.overflow.iter().enumerate() {
            let at = format!("{cases}[{index}].overflow[{step}]");
            let target = Target::UsersAndTeams { members: found.members.clone() };
            for (member, reason) in unselectable(directory, channel.workspace, &target) {
                let position = found.members.iter().position(|named| *named == member).unwrap_or_default();
                if is_known(directory, member) {
                    let name = member_name(directory, member);
                    faults.push(Fault::new(format!("{at}.members[{position}]"), format!("{name} {reason}")));
                }
            }
            for (position, workspace) in found.workspaces.iter().enumerate() {
                let can = |id, user| selectable(directory, id, user).is_ok();
                let both = |user: UserId| can(*workspace, user) && can(channel.workspace, user);
                let (there, here) = (workspace_slug(directory, *workspace), workspace_slug(directory, channel.workspace));
                if !directory.users.iter().any(|user| both(user.id))
                    && let Some((there, here)) = there.zip(here)
                {
                    let message = format!("nobody can be given work in both `{there}` and `{here}`");
                    faults.push(Fault::new(format!("{at}.workspaces[{position}]"), message));
                }
            }
        }
    }
}

fn settings(at: &str, case: &Case, faults: &mut Vec<Fault>) {
    if let Some(days) = case.affinity_days {
        let key = format!("{at}.affinity_days");
        if !(1..=MAX_AFFINITY_DAYS).contains(&days) {
            faults.push(Fault::new(key, format!("{days} days; 1 to {MAX_AFFINITY_DAYS} are allowed")));
        }
    }
    if let Some(hand_back) = &case.hand_back {
        hands_back(&format!("{at}.hand_back"), hand_back, faults);
    }
    if case.outside_hours == OutsideHours::Assistant {
        let message = "there is no assistant yet; use `route` or `unassigned`";
        faults.push(Fault::new(format!("{at}.outside_hours"), message));
    }
}

fn hands_back(at: &str, hand_back: &HandBack, faults: &mut Vec<Fault>) {
    let named = [("absent_min", hand_back.absent_min), ("unanswered_min", hand_back.unanswered_min)];
    if named.iter().all(|(_, minutes)| minutes.is_none()) {
        faults.push(Fault::new(at, "names no time; set `absent_min` or `unanswered_min`, or leave it out"));
    }
    for (key, minutes) in named {
        if let Some(minutes) = minutes.filter(|minutes| !(1..=MAX_HAND_BACK_MIN).contains(minutes)) {
            let message = format!("{minutes} minutes; 1 to {MAX_HAND_BACK_MIN} are allowed");
            faults.push(Fault::new(format!("{at}.{key}"), message));
        }
    }
}

/// Weights are those of names that the case lists, and mean something under `round_robin` only.
fn weights(directory: &Directory, at: &str, case: &Case, faults: &mut Vec<Fault>) {
    if !case.weights.is_empty() && case.distribution != Some(Distribution::RoundRobin) {
        faults.push(Fault::new(format!("{at}.weights"), "only `round_robin` goes by weights; choose it or leave them out"));
    }
    let steps = case.overflow.iter().flat_map(|step| &step.members);
    let names: BTreeSet<Member> = listed(&case.target).into_iter().flatten().chain(steps).copied().collect();
    for (member, weight) in &case.weights {
        let key = format!("{at}.weights.\"{}\"", member_name(directory, *member));
        if !names.contains(member) {
            faults.push(Fault::new(&key, "is not among the users and teams that the case lists"));
        }
        if !(1..=MAX_WEIGHT).contains(weight) {
            faults.push(Fault::new(key, format!("{weight}; weights go from 1 to {MAX_WEIGHT}")));
        }
    }
}

/// Steps come one after the other and name people and workspaces that exist.
fn overflow(directory: &Directory, at: &str, case: &Case, faults: &mut Vec<Fault>) {
    let mut before_s = 0;
    if case.overflow.len() > MAX_STEPS {
        faults.push(Fault::new(format!("{at}.overflow"), format!("{} steps, {MAX_STEPS} at most", case.overflow.len())));
    }
    if matches!(case.target, Target::Nobody | Target::TeamOnly { .. }) && !case.overflow.is_empty() {
        faults.push(Fault::new(format!("{at}.overflow"), "only work that is routed to people overflows to others"));
    }
    for (index, step) in case.overflow.iter().enumerate() {
        let at = format!("{at}.overflow[{index}]");
        if step.after_s <= before_s || step.after_s > MAX_STEP_S {
            let message = format!("{} s; must come after the step before it and by {MAX_STEP_S} s", step.after_s);
            faults.push(Fault::new(format!("{at}.after_s"), message));
        }
        before_s = step.after_s;
        if step.members.is_empty() && step.workspaces.is_empty() {
            faults.push(Fault::new(format!("{at}.members"), "names nobody; name users, teams or workspaces"));
        }
        if step.workspaces.len() > MAX_WORKSPACES {
            let message = format!("{} workspaces, {MAX_WORKSPACES} at most", step.workspaces.len());
            faults.push(Fault::new(format!("{at}.workspaces"), message));
        }
        for (place, id) in step.workspaces.iter().enumerate().filter(|(_, id)| workspace_slug(directory, **id).is_none()) {
            let known = directory.workspaces.iter().map(|workspace| workspace.slug.as_str());
            faults.push(Fault::unknown(format!("{at}.workspaces[{place}]"), "workspace", &id.to_string(), known));
        }
        for place in repeated(&step.workspaces) {
            faults.push(Fault::new(format!("{at}.workspaces[{place}]"), "the workspace is named twice"));
        }
        for (place, member) in step.members.iter().enumerate().filter(|(_, member)| !is_known(directory, **member)) {
            let name = member_name(directory, *member);
            faults.push(Fault::new(format!("{at}.members[{place}]"), format!("{name} does not exist")));
        }
    }
}

fn target(directory: &Directory, channel: &ChannelEntry, at: &str, target: &Target, faults: &mut Vec<Fault>) {
    let workspace = directory.workspaces.iter().find(|workspace| workspace.id == channel.workspace);
    match target {
        Target::Assistant { .. } => {
            faults.push(Fault::new(
                at,
                "there is no assistant yet; use `users_and_teams`, `team_only`, `contact_owner` or `nobody`",
            ));
        }
        Target::TeamOnly { .. } if workspace.is_some_and(|workspace| workspace.kind != WorkspaceKind::HelpDesk) => {
            faults.push(Fault::new(at, "`team_only` is for help desks; in an inbox name the team in `users_and_teams`"));
        }
        _ => {}
    }
    let lists_people = matches!(
        target,
        Target::UsersAndTeams { .. }
            | Target::ContactOwner { fallback: Fallback::UsersAndTeams { .. }, .. }
            | Target::Assistant { if_cannot_answer: Fallback::UsersAndTeams { .. } }
    );
    let members = named(target);
    let places = places(at, target);
    if lists_people && members.is_empty() {
        faults.push(Fault::new(format!("{}members", places.prefix), "names nobody; name users or teams, or use `nobody`"));
    }
    if members.len() > MAX_MEMBERS {
        let message = format!("{} users and teams, {MAX_MEMBERS} at most; name teams instead", members.len());
        faults.push(Fault::new(format!("{}members", places.prefix), message));
    }
    for member in members.iter().copied().filter(|member| !is_known(directory, *member)) {
        let (key, name) = place(directory, at, &places, member);
        faults.push(Fault::new(key, format!("{name} does not exist")));
    }
}

pub(super) fn condition(at: &str, when: &Condition, faults: &mut Vec<Fault>) {
    if when.depth() > Condition::MAX_DEPTH {
        faults.push(Fault::new(at, format!("nested {} deep, {} at most", when.depth(), Condition::MAX_DEPTH)));
        return;
    }
    match when {
        Condition::All(parts) => {
            parts.iter().enumerate().for_each(|(i, part)| condition(&format!("{at}.all[{i}]"), part, faults))
        }
        Condition::Any(parts) => {
            parts.iter().enumerate().for_each(|(i, part)| condition(&format!("{at}.any[{i}]"), part, faults))
        }
        Condition::Not(part) => condition(&format!("{at}.not"), part, faults),
        Condition::Is { field, values } => comparison(&format!("{at}.is"), field, values, false, faults),
        Condition::Contains { field, values } => comparison(&format!("{at}.contains"), field, values, true, faults),
    }
}

fn comparison(at: &str, field: &FactField, values: &[String], contains: bool, faults: &mut Vec<Fault>) {
    if !field.is_known() {
        let known = FactField::FIXED.iter().copied().chain(["form.<field>"]);
        faults.push(Fault::unknown(format!("{at}.field"), "fact", &field.0, known));
    }
    if values.is_empty() || values.len() > MAX_VALUES {
        faults.push(Fault::new(format!("{at}.values"), format!("has {} values, 1 to {MAX_VALUES} are allowed", values.len())));
    }
    for (index, value) in values.iter().enumerate() {
        if contains && value.trim().is_empty() {
            let message = "an empty value is contained in everything; name a text, or use `is` to find what is missing";
            faults.push(Fault::new(format!("{at}.values[{index}]"), message));
        }
        if value.chars().count() > MAX_VALUE_CHARS {
            faults.push(Fault::new(format!("{at}.values[{index}]"), format!("longer than {MAX_VALUE_CHARS} characters")));
        }
    }
}

pub(super) fn comparisons(condition: &Condition) -> usize {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().map(comparisons).sum(),
        Condition::Not(part) => comparisons(part),
        Condition::Is { .. } | Condition::Contains { .. } => 1,
    }
}

/// Where the members of a target stand in the file.
struct Places {
    /// What stands before `members`, `user` or `team`.
    prefix: String,
    members: Vec<Member>,
    /// The members stand in a list.
    listed: bool,
}

fn places(at: &str, target: &Target) -> Places {
    let within = |part: &str| if part.is_empty() { format!("{at}.") } else { format!("{at}.{part}.") };
    let (part, listed) = match target {
        Target::UsersAndTeams { .. } => ("", true),
        Target::Nobody | Target::TeamOnly { .. } => ("", false),
        Target::ContactOwner { fallback, .. } => ("fallback", matches!(fallback, Fallback::UsersAndTeams { .. })),
        Target::Assistant { if_cannot_answer } => {
            ("if_cannot_answer", matches!(if_cannot_answer, Fallback::UsersAndTeams { .. }))
        }
    };
    Places { prefix: within(part), members: named(target), listed }
}

/// The key and the name of a member.
fn place(directory: &Directory, at: &str, places: &Places, member: Member) -> (String, String) {
    let name = member_name(directory, member);
    let key = match (places.listed, member) {
        (true, _) => match places.members.iter().position(|named| *named == member) {
            Some(index) => format!("{}members[{index}]", places.prefix),
            None => at.to_owned(),
        },
        (false, Member::User(_)) => format!("{}user", places.prefix),
        (false, Member::Team(_)) => format!("{}team", places.prefix),
    };
    (key, name)
}

fn workspace_slug(directory: &Directory, id: WorkspaceId) -> Option<&str> {
    directory.workspaces.iter().find(|workspace| workspace.id == id).map(|workspace| workspace.slug.as_str())
}

fn member_name(directory: &Directory, member: Member) -> String {
    match member {
        Member::User(user) => user_name(directory, user),
        Member::Team(team) => team_name(directory, team),
    }
}

fn is_known(directory: &Directory, member: Member) -> bool {
    match member {
        Member::User(user) => directory.users.iter().any(|known| known.id == user),
        Member::Team(team) => directory.teams.iter().any(|known| known.id == team),
    }
}
