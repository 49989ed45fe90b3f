//! What work demands, and how people meet it (ROUTING 8).

use crate::facts::Facts;
use switchboard_model::{Arrival, Demand, User, Wanted};

/// How far somebody falls short of what is wanted: preferred demands that are not met, secondary languages, levels
/// below 5. Less ranks first (ROUTING 8.3).
pub type Shortfall = (u32, u32, u32);

impl Facts {
    /// What the first skill rule that applies demands (ROUTING 8.2).
    pub fn demands(&self, arrival: &Arrival) -> Vec<Demand> {
        let rules = self.directory.workspace(arrival.workspace).map(|workspace| workspace.skill_rules.clone());
        let applies =
            |when: &Option<_>| when.as_ref().is_none_or(|when: &switchboard_model::Condition| when.holds(&arrival.facts));
        rules.unwrap_or_default().into_iter().find(|rule| applies(&rule.when)).map(|rule| rule.demands).unwrap_or_default()
    }

    /// What a demand is called in a record.
    pub fn called(&self, wanted: &Wanted) -> String {
        match wanted {
            Wanted::Skill { skill, .. } => self.directory.skill(*skill).map(|skill| skill.name.clone()).unwrap_or_default(),
            Wanted::Language { language } => language.clone(),
        }
    }
}

/// Whether nobody without it is eligible after so long a wait; `None` asks for ever.
pub fn is_required(demand: &Demand, waited_ms: Option<i64>) -> bool {
    let relaxes_ms = demand.relax_after_s.map(|after_s| i64::from(after_s) * 1_000);
    demand.required && relaxes_ms.is_none_or(|relaxes_ms| waited_ms.is_some_and(|waited_ms| waited_ms < relaxes_ms))
}

/// Whether somebody has what is wanted.
pub fn meets(user: &User, wanted: &Wanted) -> bool {
    match wanted {
        Wanted::Skill { skill, min_level, .. } => user.skills.iter().any(|has| has.skill == *skill && has.level >= *min_level),
        Wanted::Language { language } => user.languages.iter().any(|spoken| spoken.language == *language),
    }
}

/// The first demand that keeps somebody out.
pub fn lacking<'a>(user: &User, demands: &'a [Demand], waited_ms: Option<i64>) -> Option<&'a Demand> {
    demands.iter().find(|demand| is_required(demand, waited_ms) && !meets(user, &demand.wanted))
}

/// How far an eligible person falls short.
pub fn shortfall(user: &User, demands: &[Demand]) -> Shortfall {
    let (mut unmet, mut secondary, mut below) = (0, 0, 0);
    for demand in demands {
        if !meets(user, &demand.wanted) {
            unmet += 1;
            continue;
        }
        match &demand.wanted {
            Wanted::Skill { skill, best_first: true, .. } => {
                let level = user.skills.iter().filter(|has| has.skill == *skill).map(|has| has.level).max().unwrap_or(0);
                below += u32::from(5_u8.saturating_sub(level));
            }
            Wanted::Skill { .. } => {}
            Wanted::Language { language } => {
                let main = user.languages.iter().any(|spoken| spoken.language == *language && spoken.main);
                secondary += u32::from(!main);
            }
        }
    }
    (unmet, secondary, below)
}
