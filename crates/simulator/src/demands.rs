//! The skill demands of a directory, and the directory without one of them.

use std::collections::BTreeSet;
use switchboard_model::{Demand, Directory, Wanted, WorkspaceId};

/// A demand by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DemandPlace {
    workspace: WorkspaceId,
    rule: usize,
    demand: usize,
}

/// Every demand of a workspace that some of these channels feed, with its name for people.
pub(crate) fn demands(directory: &Directory, channels: &BTreeSet<&str>) -> Vec<(DemandPlace, String)> {
    let fed: BTreeSet<WorkspaceId> = directory
        .channels
        .iter()
        .filter(|channel| channels.contains(channel.slug.as_str()))
        .map(|channel| channel.workspace)
        .collect();
    let mut found = Vec::new();
    for workspace in directory.workspaces.iter().filter(|workspace| fed.contains(&workspace.id)) {
        for (rule, entry) in workspace.skill_rules.iter().enumerate() {
            for (demand, wanted) in entry.demands.iter().enumerate() {
                let name = format!("{}, skill rule {}: {}", workspace.name, rule + 1, described(directory, wanted));
                found.push((DemandPlace { workspace: workspace.id, rule, demand }, name));
            }
        }
    }
    found
}

/// The directory without a demand; its rule still applies, with what else it demands.
pub(crate) fn without(directory: &Directory, place: DemandPlace) -> Directory {
    let mut directory = directory.clone();
    let workspace = directory.workspaces.iter_mut().find(|workspace| workspace.id == place.workspace);
    if let Some(rule) = workspace.and_then(|workspace| workspace.skill_rules.get_mut(place.rule))
        && place.demand < rule.demands.len()
    {
        rule.demands.remove(place.demand);
    }
    directory
}

fn described(directory: &Directory, demand: &Demand) -> String {
    let what = match &demand.wanted {
        Wanted::Skill { skill, min_level, .. } => {
            let name = directory.skill(*skill).map_or_else(|| format!("skill {skill}"), |skill| skill.name.clone());
            format!("{name} from level {min_level}")
        }
        Wanted::Language { language } => format!("language {language}"),
    };
    match (demand.required, demand.relax_after_s) {
        (true, Some(after_s)) => format!("{what}, required for {after_s} s"),
        (true, None) => format!("{what}, required"),
        (false, _) => format!("{what}, preferred"),
    }
}
