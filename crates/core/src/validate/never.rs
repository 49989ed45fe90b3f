//! Rules that can be saved and yet never assign anything: cases that are never reached, and cases that reach nobody
//! (ROUTING 7.7).

use super::cases_key;
use super::implied::Norm;
use crate::calendar::Calendar;
use crate::people::{People, Profile};
use crate::plan::{Plan, Roster};
use crate::pool::has_room_at_all;
use crate::skills::{meets, wanted_name};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use switchboard_model::{
    Case, CasePlace, ChannelEntry, Condition, Demand, Directory, FactField, Facts, Fallback, Fault, OutsideHours, Target,
    Timestamp, User, WhenNobody, WorkType, Workspace,
};

/// Hours are compared over a year from this Monday, 6 January 2025, so that every clock change is met.
const YEAR_FROM: Timestamp = Timestamp(1_736_121_600_000);
const YEAR_MS: i64 = 371 * 86_400_000;

/// Cases and skill rules of a directory that can never do anything as it stands, each with the reason. They are no
/// faults that refuse a save: whoever is missing may come back. Rules that are off are left out.
#[must_use]
pub fn never(directory: &Directory) -> Vec<Fault> {
    let mut people = People::default();
    let shared = Arc::new(directory.clone());
    let (plan, calendars) = Plan::new(&shared, &mut people);
    let mut search = Search { directory: &shared, plan: &plan, people: &people, calendars, overlaps: BTreeMap::new() };
    let mut found = Vec::new();
    for channel in shared.channels.iter().filter(|channel| channel.rule.as_ref().is_some_and(|rule| rule.on)) {
        search.channel(channel, &mut found);
    }
    for workspace in &shared.workspaces {
        let at = format!("workspaces.\"{}\".skill_rules", workspace.slug);
        let conditions = workspace.skill_rules.iter().map(|rule| rule.when.as_ref());
        let unreached = unreached(conditions, &Facts::new(), |index| (format!("{at}[{index}]"), format!("[{index}]")));
        found
            .extend(unreached.into_values().map(|(key, reason)| Fault::new(key, format!("{reason}, so the rule never applies"))));
    }
    found
}

/// Places of conditions that are never reached, by position, with the reason. `at` names a position: its key, and how
/// the others speak of it.
fn unreached<'a>(
    conditions: impl Iterator<Item = Option<&'a Condition>>,
    given: &Facts,
    at: impl Fn(usize) -> (String, String),
) -> BTreeMap<usize, (String, String)> {
    let mut found = BTreeMap::new();
    let mut before: Vec<Norm> = Vec::new();
    for (index, condition) in conditions.enumerate() {
        let norm = condition.map_or(Norm::TRUE, |condition| Norm::of(condition, given));
        let first = before.iter().position(|earlier| norm.implies(earlier));
        let reason = if norm.is_never() {
            Some("never holds".to_owned())
        } else if let Some(earlier) = first {
            Some(format!("whatever meets it has met the condition at {} before", at(earlier).1))
        } else {
            let earlier = Norm::Any(before.clone());
            norm.implies(&earlier).then(|| "whatever meets it has met one of the conditions before it".to_owned())
        };
        if let Some(reason) = reason {
            found.insert(index, (format!("{}.when", at(index).0), reason));
        }
        before.push(norm);
    }
    found
}

/// The key of a case of the rule that is routed by, at the place where it was written.
fn case_key(channel: &ChannelEntry, index: usize) -> String {
    let place = u32::try_from(index).ok().and_then(|index| channel.case_place(index));
    match place {
        Some(CasePlace { chatflow, case: Some(case) }) => format!("{}[{case}]", cases_key(channel, chatflow)),
        Some(CasePlace { chatflow: Some(flow), case: None }) => format!("channels.{}.chatflows.{}", channel.slug, flow.slug),
        _ => format!("{}[{index}]", cases_key(channel, None)),
    }
}

fn has_own(channel: &ChannelEntry) -> bool {
    channel.own_rule().is_some_and(|rule| rule.on)
}

struct Search<'a> {
    directory: &'a Directory,
    plan: &'a Plan,
    people: &'a People,
    calendars: Vec<Calendar>,
    /// Whether the hours of a channel and of a person ever meet.
    overlaps: BTreeMap<(Option<usize>, usize), bool>,
}

/// Somebody whom a case can reach.
type Candidate<'a> = (&'a User, &'a Profile);

impl<'a> Search<'a> {
    fn channel(&mut self, channel: &'a ChannelEntry, found: &mut Vec<Fault>) {
        let Some(workspace) = self.directory.workspace(channel.workspace) else { return };
        let cases: &[Case] = channel.rule.as_ref().map_or(&[], |rule| &rule.cases);
        let given: Facts = [("channel.kind", channel.kind.as_str()), ("channel.slug", channel.slug.as_str())]
            .map(|(field, fact)| (FactField(field.to_owned()), fact.to_owned()))
            .into();
        let key = |index: usize| case_key(channel, index);
        let named = |index: usize| {
            let key = key(index);
            let short = if channel.chatflows.is_some() { key.clone() } else { format!("[{index}]") };
            (key, short)
        };
        let unreached = unreached(cases.iter().map(|case| case.when.as_ref()), &given, named);
        for (index, case) in cases.iter().enumerate() {
            if let Some((key, reason)) = unreached.get(&index) {
                found.push(Fault::new(key, format!("{reason}, so the case never applies")));
                continue;
            }
            let at = format!("{}.target", key(index));
            let reasons = self.case(channel, workspace, (index, case), &given);
            found.extend(reasons.into_iter().map(|reason| Fault::new(at.as_str(), reason)));
        }
        if let Some(taker) = channel.chatflows().iter().find(|flow| flow.when.is_none()).filter(|_| has_own(channel)) {
            let message =
                format!("the chatflow `{}` has no condition and takes every chat, so the rule never applies", taker.slug);
            found.push(Fault::new(format!("channels.{}.rule", channel.slug), message));
        }
    }

    /// Why a case never assigns anything, or never what a skill rule applies to.
    fn case(
        &mut self,
        channel: &'a ChannelEntry,
        workspace: &'a Workspace,
        (index, case): (usize, &Case),
        given: &Facts,
    ) -> Vec<String> {
        let Some(candidates) = self.candidates(channel, workspace, index, case) else { return Vec::new() };
        if candidates.is_empty() {
            return vec!["nobody whom it names can be given work, so it never assigns anything".to_owned()];
        }
        let work: WorkType = channel.kind.work_type();
        let able: Vec<Candidate<'a>> = candidates.into_iter().filter(|(_, profile)| has_room_at_all(profile, work)).collect();
        if able.is_empty() {
            return vec![format!(
                "the capacity of everybody whom it names leaves no room for a single {work}, so it never assigns anything"
            )];
        }
        let waits = case.when_nobody == WhenNobody::Wait || !case.overflow.is_empty();
        let mut reasons = self.unskilled(workspace, &able, waits, given);
        if case.only_available && !waits {
            let open = self.plan.channel(channel.id).map(|(_, plan)| plan.calendar);
            let open = open.filter(|_| case.outside_hours != OutsideHours::Route);
            let calendars: BTreeSet<usize> = able.iter().map(|(_, profile)| profile.calendar).collect();
            if !calendars.into_iter().any(|person| self.overlap(open, person)) {
                let hours = if open.is_some() { "works while the channel is open" } else { "ever works" };
                reasons.push(format!("nobody whom it names {hours}, and it does not wait, so it never assigns anything"));
            }
        }
        reasons
    }

    /// Everybody whom a case can reach at any time; `None` where it reaches for nobody in particular.
    fn candidates(&self, channel: &ChannelEntry, workspace: &Workspace, index: usize, case: &Case) -> Option<Vec<Candidate<'a>>> {
        let (_, plan) = self.plan.channel(channel.id)?;
        let roster: Option<&Roster> = plan.cases.get(index)?.levels.last()?.as_ref();
        let listed = roster.iter().flat_map(|roster| {
            roster
                .routable
                .iter()
                .filter_map(|position| self.people.at(roster.entries[*position as usize].person).profile.as_ref())
        });
        let mut profiles: Vec<&Profile> = listed.collect();
        match &case.target {
            Target::Nobody | Target::TeamOnly { .. } => return None,
            Target::UsersAndTeams { .. } => {}
            // Anybody who may be given work can be the owner of a contact.
            Target::ContactOwner { .. } => {
                profiles = self.people.by_user().filter_map(|person| person.profile.as_ref()).collect()
            }
            Target::Assistant { if_cannot_answer } => {
                if let Fallback::User { user } = if_cannot_answer {
                    let person = self.people.find(*user).map(|index| self.people.at(index));
                    profiles.extend(person.and_then(|person| person.profile.as_ref()));
                }
            }
        }
        let users = profiles.into_iter().map(|profile| (&self.directory.users[profile.position], profile));
        Some(users.filter(|(user, _)| crate::eligibility::standing(user, workspace).is_ok()).collect())
    }

    /// Skill rules that may apply on the channel and that nobody able meets, however long an item waits.
    fn unskilled(&self, workspace: &Workspace, able: &[Candidate<'a>], waits: bool, given: &Facts) -> Vec<String> {
        let mut reasons = Vec::new();
        for (index, rule) in workspace.skill_rules.iter().enumerate() {
            let norm = rule.when.as_ref().map_or(Norm::TRUE, |when| Norm::of(when, given));
            // A demand relaxes by waiting alone.
            let lasts = |demand: &&Demand| demand.required && !(waits && demand.relax_after_s.is_some());
            let lasting: Vec<&Demand> = rule.demands.iter().filter(lasts).collect();
            let met = able.iter().any(|(user, _)| lasting.iter().all(|demand| meets(&demand.wanted, user)));
            if !norm.is_never() && !met {
                let names: Vec<String> = lasting.iter().map(|demand| wanted_name(&demand.wanted, self.directory)).collect();
                reasons.push(format!(
                    "nobody whom it names and who has room has what workspaces.\"{}\".skill_rules[{index}] requires ({}), so it \
                     never assigns what that applies to",
                    workspace.slug,
                    names.join(", ")
                ));
            }
            if norm.is_always() {
                break;
            }
        }
        reasons
    }

    /// Whether the hours of a channel, or all hours, and those of a person ever meet within a year.
    fn overlap(&mut self, channel: Option<usize>, person: usize) -> bool {
        if let Some(known) = self.overlaps.get(&(channel, person)) {
            return *known;
        }
        let mut person_hours = self.calendars[person].clone();
        let mut open_hours = channel.map_or(Calendar::Always, |channel| self.calendars[channel].clone());
        let (mut at, end) = (YEAR_FROM, YEAR_FROM.plus_ms(YEAR_MS));
        let mut meet = false;
        while at < end {
            person_hours.prepare(at);
            open_hours.prepare(at);
            let looks = [person_hours.look(at), open_hours.look(at)];
            if looks.iter().all(|look| look.inside) {
                meet = true;
                break;
            }
            let next = looks.iter().filter_map(|look| look.next_edge.or(look.recheck)).filter(|next| at < *next).min();
            let Some(next) = next else { break };
            at = next;
        }
        self.overlaps.insert((channel, person), meet);
        meet
    }
}
