//! Which skills an item demands at this moment, and how people measure up (ROUTING 8).

use switchboard_model::{Demand, Directory, Facts, User, Wanted, Workspace, WorkspaceId};

/// A preferred demand that is not met counts more than any number of lesser shortfalls.
const UNMET: u32 = 10_000;
/// A language that is not a main one counts more than any level.
const SECONDARY: u32 = 100;
/// What the highest level falls short of.
const BEST_LEVEL: u8 = 5;

/// The demands on the people for one item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need<'a> {
    /// Equal for items with the same demands.
    pub key: NeedKey,
    demands: &'a [Demand],
}

/// What makes the demands of an item: the workspace's rule, and how far it has relaxed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NeedKey {
    workspace: WorkspaceId,
    rule: usize,
    /// Demands that relax after so many seconds are preferred only.
    relaxed_s: Option<u32>,
}

impl<'a> Need<'a> {
    /// What the workspace demands for an item with these facts that has waited for so long; none without a rule that
    /// applies.
    pub(crate) fn of(workspace: &'a Workspace, facts: &Facts, waited_ms: i64) -> Option<Self> {
        let applies = |when: &Option<_>| when.as_ref().is_none_or(|when: &switchboard_model::Condition| when.holds(facts));
        let (rule, found) = workspace.skill_rules.iter().enumerate().find(|(_, rule)| applies(&rule.when))?;
        let passed = found.demands.iter().filter_map(|demand| demand.relax_after_s).filter(|after_s| ms(*after_s) <= waited_ms);
        Some(Self { key: NeedKey { workspace: workspace.id, rule, relaxed_s: passed.max() }, demands: &found.demands })
    }

    /// When the demands next relax, in seconds of waiting.
    pub(crate) fn next_relax_s(&self) -> Option<u32> {
        let later = |after_s: &u32| self.key.relaxed_s.is_none_or(|relaxed_s| relaxed_s < *after_s);
        self.demands.iter().filter(|demand| demand.required).filter_map(|demand| demand.relax_after_s).filter(later).min()
    }

    /// The demands when everything has relaxed that ever does.
    pub(crate) fn at_last(self) -> Self {
        let relaxed_s = self.demands.iter().filter_map(|demand| demand.relax_after_s).max();
        Self { key: NeedKey { relaxed_s, ..self.key }, ..self }
    }

    /// The first skill required at this moment that the user lacks, by name (ROUTING 3.7).
    pub(crate) fn lacking(&self, user: &User, directory: &Directory) -> Option<String> {
        self.all_lacking(user).next().map(|wanted| wanted_name(wanted, directory))
    }

    /// Everything required at this moment that the user lacks.
    pub(crate) fn all_lacking(&self, user: &User) -> impl Iterator<Item = &'a Wanted> {
        let lacks = |demand: &&Demand| self.requires(demand) && shortfall(&demand.wanted, user).is_none();
        self.demands.iter().filter(lacks).map(|demand| &demand.wanted)
    }

    /// Whether the user has every skill required at this moment.
    pub(crate) fn is_met(&self, user: &User) -> bool {
        !self.demands.iter().any(|demand| self.requires(demand) && shortfall(&demand.wanted, user).is_none())
    }

    /// How far the user falls short of what is preferred; the smaller ranks first (ROUTING 8.3).
    pub(crate) fn shortfall(&self, user: &User) -> u32 {
        let of = |demand: &Demand| shortfall(&demand.wanted, user).unwrap_or(UNMET);
        self.demands.iter().map(of).fold(0, u32::saturating_add)
    }

    fn requires(&self, demand: &Demand) -> bool {
        let relaxed = match (demand.relax_after_s, self.key.relaxed_s) {
            (Some(after_s), Some(relaxed_s)) => after_s <= relaxed_s,
            _ => false,
        };
        demand.required && !relaxed
    }
}

/// The name of what is demanded.
pub(crate) fn wanted_name(wanted: &Wanted, directory: &Directory) -> String {
    match wanted {
        Wanted::Skill { skill, .. } => {
            directory.skill(*skill).map_or_else(|| format!("skill {skill}"), |skill| skill.name.clone())
        }
        Wanted::Language { language } => language.clone(),
    }
}

/// Whether somebody has what is demanded.
pub(crate) fn meets(wanted: &Wanted, user: &User) -> bool {
    shortfall(wanted, user).is_some()
}

/// Seconds of a setting as milliseconds.
pub(crate) fn ms(seconds: u32) -> i64 {
    i64::from(seconds) * 1_000
}

/// How far short of a demand somebody falls who meets it; none for somebody who does not.
fn shortfall(wanted: &Wanted, user: &User) -> Option<u32> {
    match wanted {
        Wanted::Skill { skill, min_level, best_first } => {
            let level = user.skills.iter().find(|known| known.skill == *skill).map(|known| known.level)?;
            (level >= *min_level).then(|| if *best_first { u32::from(BEST_LEVEL.saturating_sub(level)) } else { 0 })
        }
        Wanted::Language { language } => {
            let spoken = user.languages.iter().find(|spoken| spoken.language == *language)?;
            Some(if spoken.main { 0 } else { SECONDARY })
        }
    }
}
