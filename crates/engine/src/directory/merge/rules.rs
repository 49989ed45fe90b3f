//! Merges the rules of a file: names of people, teams and skills become ids.

use super::Merge;
use crate::directory::rule_file::{CaseFile, ChatflowFile, DemandFile, FallbackFile, RuleFile, SkillRuleFile, TargetFile};
use switchboard_model::{
    Case, ChannelEntry, Chatflow, Demand, Fallback, Member, OverflowStep, Rule, SkillRule, Target, TeamId, UserId, Wanted,
};

impl Merge<'_> {
    pub(super) fn skill_rule(&mut self, path: &str, rule: &SkillRuleFile) -> SkillRule {
        let demands = (rule.demands.iter().enumerate())
            .filter_map(|(nth, demand)| self.demand(&format!("{path}.demands[{nth}]"), demand))
            .collect();
        SkillRule { when: rule.when.clone(), demands }
    }

    /// None where the demand names nothing that is known, which is a fault by then.
    fn demand(&mut self, path: &str, demand: &DemandFile) -> Option<Demand> {
        let wanted = match (&demand.skill, &demand.language) {
            (Some(slug), _) => Wanted::Skill {
                skill: self.skill(format!("{path}.skill"), slug)?,
                min_level: demand.min_level.unwrap_or(1),
                best_first: demand.best_first,
            },
            (None, Some(language)) => Wanted::Language { language: language.clone() },
            (None, None) => return None,
        };
        Some(Demand { wanted, required: demand.required, relax_after_s: demand.relax_after_s })
    }

    pub(super) fn rule(&mut self, path: &str, rule: &RuleFile) -> Rule {
        let cases = rule.cases.iter().enumerate().map(|(nth, case)| self.case(&format!("{path}.cases[{nth}]"), case)).collect();
        Rule { on: rule.on, version: 0, cases }
    }

    pub(super) fn chatflow(&mut self, path: &str, flow: &ChatflowFile) -> Chatflow {
        Chatflow {
            slug: flow.slug.clone(),
            name: flow.name.clone(),
            when: flow.when.clone(),
            rule: flow.rule.as_ref().map(|rule| self.rule(&format!("{path}.rule"), rule)),
        }
    }

    fn case(&mut self, path: &str, case: &CaseFile) -> Case {
        let key = format!("{path}.target");
        let target = match &case.target {
            TargetFile::Nobody => Target::Nobody,
            TargetFile::UsersAndTeams(members) => Target::UsersAndTeams { members: self.members(&key, members) },
            TargetFile::TeamOnly(slug) => Target::TeamOnly { team: self.team(key, slug).unwrap_or(TeamId(0)) },
            TargetFile::ContactOwner { require_cookie, fallback } => {
                Target::ContactOwner { require_cookie: *require_cookie, fallback: self.fallback(&key, fallback) }
            }
            TargetFile::Assistant { if_cannot_answer } => {
                Target::Assistant { if_cannot_answer: self.fallback(&key, if_cannot_answer) }
            }
        };
        let overflow = (case.overflow.iter().enumerate())
            .map(|(nth, step)| OverflowStep {
                after_s: step.after_s,
                members: self.members(&format!("{path}.overflow[{nth}].to"), &step.to),
                workspaces: (step.workspaces.iter().enumerate())
                    .filter_map(|(place, slug)| self.workspace_id(format!("{path}.overflow[{nth}].workspaces[{place}]"), slug))
                    .collect(),
            })
            .collect();
        let weights = (case.weights.iter())
            .filter_map(|(name, weight)| Some((self.member(format!("{path}.weights.\"{name}\""), name)?, *weight)))
            .collect();
        Case {
            when: case.when.clone(),
            target,
            distribution: case.distribution,
            weights,
            only_available: case.only_available,
            when_nobody: case.when_nobody,
            outside_hours: case.outside_hours,
            overflow,
            affinity_days: case.affinity_days,
            hand_back: case.hand_back,
        }
    }

    fn fallback(&mut self, key: &str, fallback: &FallbackFile) -> Fallback {
        match fallback {
            FallbackFile::Nobody => Fallback::Nobody,
            FallbackFile::User(email) => Fallback::User { user: self.person(key.to_owned(), email).unwrap_or(UserId(0)) },
            FallbackFile::UsersAndTeams(members) => Fallback::UsersAndTeams { members: self.members(key, members) },
        }
    }

    fn members(&mut self, key: &str, members: &[String]) -> Vec<Member> {
        let named = members.iter().enumerate();
        named.filter_map(|(nth, name)| self.member(format!("{key}[{nth}]"), name)).collect()
    }

    /// A person by email address, or a team as `team:slug`.
    fn member(&mut self, key: String, name: &str) -> Option<Member> {
        match name.trim().strip_prefix("team:") {
            Some(slug) => self.team(key, slug.trim()).map(Member::Team),
            None => self.person(key, name).map(Member::User),
        }
    }
}

/// Gives a channel its rules. Each keeps the version it has where nothing in it changed, and the rule that is routed by
/// does where none of them and no chatflow changed; otherwise `version`, that of the directory.
pub(crate) fn set_rules(
    before: Option<&ChannelEntry>,
    channel: &mut ChannelEntry,
    mut chatflows: Vec<Chatflow>,
    own: Option<Rule>,
    version: i64,
) {
    for flow in &mut chatflows {
        let was = before.and_then(|before| before.chatflow(&flow.slug)?.rule.as_ref());
        flow.rule = flow.rule.take().map(|rule| versioned(was, rule, version));
    }
    let own = own.map(|rule| versioned(before.and_then(ChannelEntry::own_rule), rule, version));
    channel.set_rules(chatflows, own, version);
    if let (Some(before), Some(rule)) = (before, &mut channel.rule) {
        let same = before.chatflows == channel.chatflows;
        // A case of a rule with chatflows has another number than in the rule without: the two share no version.
        rule.version = if same { versioned_as(before.rule.as_ref(), rule, version) } else { version };
    }
}

fn versioned(before: Option<&Rule>, rule: Rule, version: i64) -> Rule {
    Rule { version: versioned_as(before, &rule, version), ..rule }
}

/// The version a rule keeps when nothing in it changed, or the new directory version.
fn versioned_as(before: Option<&Rule>, after: &Rule, version: i64) -> i64 {
    match before {
        Some(before) if before.on == after.on && before.cases == after.cases => before.version,
        _ => version,
    }
}
