//! Reads the rules of a directory file.

use super::entry::Entry;
use super::read::{read_level, read_slug};
use super::rule_file::{CaseFile, ChatflowFile, DemandFile, OverflowFile, RuleFile, SkillRuleFile, TargetFile};
use switchboard_model::{Condition, FactField, HandBack, OutsideHours, WhenNobody};

/// The keys of a condition.
const CONDITIONS: [&str; 5] = ["all", "any", "not", "is", "contains"];

/// The rule of a channel, when there is one.
pub(super) fn read_rule(channel: &mut Entry) -> Option<RuleFile> {
    let mut entry = channel.entry("rule")?;
    let on = entry.optional("on").unwrap_or(true);
    let cases = entry.required_entries("cases").into_iter().map(|case| read_case(&mut entry, case)).collect();
    channel.absorb(entry);
    Some(RuleFile { on, cases })
}

/// A chatflow of a channel.
pub(super) fn read_chatflow(entry: &mut Entry) -> ChatflowFile {
    let slug = read_slug(entry);
    ChatflowFile {
        name: entry.optional("name").unwrap_or_else(|| slug.clone()),
        slug,
        when: read_when(entry),
        rule: read_rule(entry),
    }
}

/// A skill rule of a workspace.
pub(super) fn read_skill_rule(entry: &mut Entry) -> SkillRuleFile {
    let when = read_when(entry);
    if !entry.has("demands") {
        entry.fault("demands", "missing; a list such as `[{ skill = \"billing\" }]`, empty to demand nothing");
    }
    SkillRuleFile { when, demands: entry.each("demands", read_demand) }
}

fn read_case(rule: &mut Entry, mut entry: Entry) -> CaseFile {
    let case = CaseFile {
        when: read_when(&mut entry),
        target: entry.required_or("target", TargetFile::Nobody),
        distribution: entry.optional("distribution"),
        weights: entry.named("weights"),
        only_available: entry.optional("only_available").unwrap_or(true),
        when_nobody: entry.optional("when_nobody").unwrap_or(WhenNobody::Unassigned),
        outside_hours: entry.optional("outside_hours").unwrap_or(OutsideHours::Route),
        affinity_days: entry.optional("affinity_days"),
        hand_back: entry.nested("hand_back", |entry| HandBack {
            absent_min: entry.optional("absent_min"),
            unanswered_min: entry.optional("unanswered_min"),
        }),
        overflow: entry.each("overflow", read_step),
    };
    rule.absorb(entry);
    case
}

fn read_when(entry: &mut Entry) -> Option<Condition> {
    entry.nested("when", read_condition).flatten()
}

/// A condition is a table with one of these keys.
fn read_condition(entry: &mut Entry) -> Option<Condition> {
    let found = CONDITIONS.iter().copied().filter(|key| entry.has(key)).collect::<Vec<_>>();
    let condition = match found.first().copied() {
        Some("all") => Condition::All(entry.each("all", read_condition).into_iter().flatten().collect()),
        Some("any") => Condition::Any(entry.each("any", read_condition).into_iter().flatten().collect()),
        Some("not") => Condition::Not(Box::new(entry.nested("not", read_condition).flatten()?)),
        Some("is") => {
            let (field, values) = entry.nested("is", read_comparison)?;
            Condition::Is { field, values }
        }
        Some(_) => {
            let (field, values) = entry.nested("contains", read_comparison)?;
            Condition::Contains { field, values }
        }
        None => {
            CONDITIONS.iter().for_each(|key| entry.skip(key));
            entry.fault_of_all("is no condition; write `is`, `contains`, `all`, `any` or `not`");
            return None;
        }
    };
    for second in found.into_iter().skip(1) {
        entry.skip(second);
        entry.fault(second, "stands beside another; a condition has one of `is`, `contains`, `all`, `any`, `not`");
    }
    Some(condition)
}

fn read_comparison(entry: &mut Entry) -> (FactField, Vec<String>) {
    (FactField(entry.required_text("field")), entry.required("values"))
}

fn read_step(entry: &mut Entry) -> OverflowFile {
    let names_workspaces = entry.has("workspaces");
    OverflowFile {
        after_s: entry.required("after_s"),
        to: if names_workspaces { entry.optional("to").unwrap_or_default() } else { entry.required("to") },
        workspaces: entry.optional("workspaces").unwrap_or_default(),
    }
}

fn read_demand(entry: &mut Entry) -> DemandFile {
    let (has_skill, has_language) = (entry.has("skill"), entry.has("language"));
    let demand = DemandFile {
        skill: entry.optional("skill"),
        min_level: read_level(entry, "min_level", false),
        best_first: entry.optional("best_first").unwrap_or(false),
        language: entry.optional::<String>("language").map(|code| code.trim().to_ascii_lowercase()),
        required: entry.optional("required").unwrap_or(true),
        relax_after_s: entry.optional("relax_after_s"),
    };
    match (has_skill, has_language) {
        (false, false) => entry.fault("skill", "missing; a demand names a `skill` or a `language`"),
        (true, true) => entry.fault("language", "stands beside `skill`; a demand names one of the two"),
        (false, true) if demand.min_level.is_some() => entry.fault("min_level", "only skills have levels"),
        (false, true) if demand.best_first => entry.fault("best_first", "only skills have levels"),
        _ => {}
    }
    demand
}
