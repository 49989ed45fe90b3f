//! A decision in plain words.

use crate::rule_test::person;
use switchboard_model::{
    Candidate, Directory, Explanation, Outcome, SkipReason, StageTarget, TeamId, UnassignedReason, UnavailableCause, Verdict,
};

/// An outcome, to go on with after `but`.
pub(crate) fn outcome_text(directory: &Directory, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Assigned { user, team: Some(team) } => {
            format!("{} got it through {}", person(directory, *user), team_name(directory, *team))
        }
        Outcome::Assigned { user, team: None } => format!("{} got it", person(directory, *user)),
        Outcome::Kept { user } => format!("{} kept it", person(directory, *user)),
        Outcome::TeamSet { team } => format!("{} got it without an owner", team_name(directory, *team)),
        Outcome::Queued => "it waits".to_owned(),
        Outcome::Unassigned { reason } => format!("nobody got it, because of `{reason}` ({})", because(*reason)),
    }
}

/// Why: the case that applied, and everybody who was looked at.
pub(crate) fn reasons(directory: &Directory, explanation: &Explanation) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(rule) = explanation.decision.rule {
        let slug = directory.channel(rule.channel).map(|channel| channel.slug.as_str()).unwrap_or_default();
        let how = explanation.decision.distribution.map_or_else(String::new, |how| format!(", people chosen by `{how}`"));
        lines.push(format!("case {} of the rule of `{slug}` applied{how}", rule.case + 1));
    }
    for stage in &explanation.stages {
        if stage.candidates.is_empty() {
            lines.push(format!("{}: nobody there is to look at", target_name(stage.target)));
        }
        for candidate in &stage.candidates {
            let who = person(directory, candidate.user);
            lines.push(format!("{}: {who} {}", target_name(stage.target), verdict(candidate)));
        }
    }
    lines
}

/// How a team is shown.
pub(crate) fn team_name(directory: &Directory, team: TeamId) -> String {
    directory.team(team).map_or_else(|| format!("team {team}"), |team| format!("team {}", team.name))
}

fn verdict(candidate: &Candidate) -> String {
    let limit = candidate.limit.map_or_else(String::new, |limit| format!(" of {limit}"));
    let work = format!("load {}, {}{limit} open", candidate.load, candidate.open);
    let rank = candidate.rank.map_or_else(String::new, |rank| format!(", rank {rank}"));
    match &candidate.verdict {
        Verdict::Chosen => format!("was chosen ({work}{rank})"),
        Verdict::Eligible => format!("was eligible ({work}{rank})"),
        Verdict::Skipped { reason } => format!("was skipped: {} ({work})", skipped(reason)),
    }
}

fn skipped(reason: &SkipReason) -> String {
    match reason {
        SkipReason::Inactive => "not active".to_owned(),
        SkipReason::NoSeat => "without an accepted seat".to_owned(),
        SkipReason::NoAccess => "without access to the workspace".to_owned(),
        SkipReason::NotMainMember => "no main member of the team".to_owned(),
        SkipReason::Unavailable { cause } => match cause {
            UnavailableCause::Away => "away".to_owned(),
            UnavailableCause::OutOfOffice => "out of office".to_owned(),
            UnavailableCause::OutsideHours => "outside working hours".to_owned(),
        },
        SkipReason::AtCapacity => "at capacity".to_owned(),
        SkipReason::LacksSkill { skill } => format!("lacks {skill}"),
        SkipReason::OnCall => "on a call".to_owned(),
        SkipReason::Excluded => "left out of this decision".to_owned(),
    }
}

const fn because(reason: UnassignedReason) -> &'static str {
    match reason {
        UnassignedReason::NoRule => "no rule or no case applies",
        UnassignedReason::RuleOff => "the rule is off",
        UnassignedReason::Nobody => "the rule says so",
        UnassignedReason::OutsideHours => "outside the channel hours",
        UnassignedReason::NoCandidates => "the rule names nobody who exists",
        UnassignedReason::NobodyEligible => "nobody who was looked at could have it",
        UnassignedReason::NoContactOwner => "the contact has no usable owner",
        UnassignedReason::ReopenedUnassigned => "the channel unassigns what is reopened",
        UnassignedReason::TeamNotUsable => "the team has nobody active with the seat",
        UnassignedReason::Fault => "the workspace does not exist",
    }
}

const fn target_name(target: StageTarget) -> &'static str {
    match target {
        StageTarget::PreviousOwner => "previous owner",
        StageTarget::ContactOwner => "contact owner",
        StageTarget::LastOwner => "last owner",
        StageTarget::UsersAndTeams => "users and teams",
        StageTarget::Fallback => "fallback",
        StageTarget::Overflow => "overflow",
        StageTarget::TeamOnly => "team",
    }
}
