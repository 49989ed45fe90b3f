//! Faults of skills, of who has them, and of the rules that demand them (ROUTING 8).

use super::entries::{list, name, slug};
use super::repeated;
use super::rules::{comparisons, condition};
use switchboard_model::{Condition, Demand, Directory, Fault, SKILL_LEVELS, SkillId, Wanted};

/// The most skill rules of a workspace, and the most demands of one.
const MAX_RULES: usize = 100;
const MAX_DEMANDS: usize = 20;
/// The longest time after which a demand relaxes.
const MAX_RELAX_S: u32 = 30 * 86_400;

/// Every fault that has to do with skills.
pub(super) fn all(directory: &Directory) -> Vec<Fault> {
    let mut faults = Vec::new();
    list("skills", "slug", directory.skills.iter().map(|skill| (skill.id.0, skill.slug.clone())), directory, &mut faults);
    for skill in &directory.skills {
        let at = format!("skills.\"{}\"", skill.slug);
        slug(&at, &skill.slug, &mut faults);
        name(&at, &skill.name, &mut faults);
        if skill.category.trim().is_empty() {
            faults.push(Fault::new(format!("{at}.category"), "a skill has a category"));
        }
    }
    people(directory, &mut faults);
    for workspace in &directory.workspaces {
        rules(directory, workspace, &mut faults);
    }
    faults
}

/// Where a skill is in use, as keys of the directory file: with any, it cannot be deleted (ROUTING 8.4).
#[must_use]
pub fn skill_uses(directory: &Directory, skill: SkillId) -> Vec<String> {
    let mut uses = Vec::new();
    for user in &directory.users {
        let held = user.skills.iter().enumerate().filter(|(_, held)| held.skill == skill);
        uses.extend(held.map(|(index, _)| format!("users.\"{}\".skills[{index}]", user.email)));
    }
    for workspace in &directory.workspaces {
        for (rule, index, demand) in demands(workspace) {
            if matches!(&demand.wanted, Wanted::Skill { skill: wanted, .. } if *wanted == skill) {
                uses.push(demand_key(workspace, rule, index));
            }
        }
    }
    uses
}

fn demands(workspace: &switchboard_model::Workspace) -> impl Iterator<Item = (usize, usize, &Demand)> {
    let rules = workspace.skill_rules.iter().enumerate();
    rules.flat_map(|(rule, found)| found.demands.iter().enumerate().map(move |(index, demand)| (rule, index, demand)))
}

fn demand_key(workspace: &switchboard_model::Workspace, rule: usize, index: usize) -> String {
    format!("workspaces.\"{}\".skill_rules[{rule}].demands[{index}]", workspace.slug)
}

fn people(directory: &Directory, faults: &mut Vec<Fault>) {
    for user in &directory.users {
        let at = format!("users.\"{}\"", user.email);
        for (index, held) in user.skills.iter().enumerate() {
            let at = format!("{at}.skills[{index}]");
            known(directory, &at, held.skill, faults);
            level(&format!("{at}.level"), held.level, faults);
        }
        for index in repeated(user.skills.iter().map(|held| held.skill)) {
            faults.push(Fault::new(format!("{at}.skills[{index}]"), "the skill is named twice"));
        }
        for (index, spoken) in user.languages.iter().enumerate() {
            language(&format!("{at}.languages[{index}]"), &spoken.language, faults);
        }
        for index in repeated(user.languages.iter().map(|spoken| &spoken.language)) {
            faults.push(Fault::new(format!("{at}.languages[{index}]"), "the language is named twice"));
        }
    }
}

fn rules(directory: &Directory, workspace: &switchboard_model::Workspace, faults: &mut Vec<Fault>) {
    let at = format!("workspaces.\"{}\".skill_rules", workspace.slug);
    let count = workspace.skill_rules.len();
    if count > MAX_RULES {
        faults.push(Fault::new(&at, format!("{count} skill rules, {MAX_RULES} at most")));
    }
    let conditions = || workspace.skill_rules.iter().filter_map(|rule| rule.when.as_ref());
    let asked: usize = conditions().map(comparisons).sum();
    if asked > Condition::MAX_COMPARISONS {
        let message = format!("{asked} comparisons in all, {} at most", Condition::MAX_COMPARISONS);
        faults.push(Fault::new(&at, message));
    }
    for (index, rule) in workspace.skill_rules.iter().enumerate() {
        let at = format!("{at}[{index}]");
        match &rule.when {
            Some(when) => condition(&format!("{at}.when"), when, faults),
            None if index + 1 < count => {
                let message = "only the last rule can do without a condition, the rules after this one would never apply";
                faults.push(Fault::new(format!("{at}.when"), message));
            }
            None => {}
        }
        if rule.demands.len() > MAX_DEMANDS {
            let message = format!("{} demands, {MAX_DEMANDS} at most", rule.demands.len());
            faults.push(Fault::new(format!("{at}.demands"), message));
        }
    }
    for (rule, index, demand) in demands(workspace) {
        demanded(directory, &demand_key(workspace, rule, index), demand, faults);
    }
}

fn demanded(directory: &Directory, at: &str, demand: &Demand, faults: &mut Vec<Fault>) {
    match &demand.wanted {
        Wanted::Skill { skill, min_level, .. } => {
            known(directory, at, *skill, faults);
            level(&format!("{at}.min_level"), *min_level, faults);
        }
        Wanted::Language { language: code } => language(at, code, faults),
    }
    match demand.relax_after_s {
        Some(_) if !demand.required => {
            faults.push(Fault::new(format!("{at}.relax_after_s"), "only a required skill relaxes, this one is preferred"));
        }
        Some(after_s) if after_s > MAX_RELAX_S => {
            faults.push(Fault::new(format!("{at}.relax_after_s"), format!("{after_s} s, {MAX_RELAX_S} at most")));
        }
        _ => {}
    }
}

fn known(directory: &Directory, at: &str, skill: SkillId, faults: &mut Vec<Fault>) {
    if !directory.skills.iter().any(|known| known.id == skill) {
        let known = directory.skills.iter().map(|skill| skill.slug.as_str());
        faults.push(Fault::unknown(format!("{at}.skill"), "skill", &skill.to_string(), known));
    }
}

fn level(at: &str, level: u8, faults: &mut Vec<Fault>) {
    if !SKILL_LEVELS.contains(&level) {
        faults.push(Fault::new(at, format!("level {level}; levels go from 1 to 5")));
    }
}

fn language(at: &str, code: &str, faults: &mut Vec<Fault>) {
    if !(2..=3).contains(&code.len()) || !code.chars().all(|c| c.is_ascii_lowercase()) {
        faults.push(Fault::new(format!("{at}.language"), format!("`{code}` is no language code; write one such as `nb`")));
    }
}
