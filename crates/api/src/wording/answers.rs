//! Answers about one item in plain words: why it waits or has no owner, what would change that, and why somebody does
//! not have it (ROUTING 13.1).
//!
//! Times are said as lengths from now, so that they mean the same in every zone.

use super::Wording;
use switchboard_model::{
    CapacityUse, Change, LaneLack, Outcome, Remedy, SkipReason, Timestamp, UserId, Verdict, WhyNot, WhyWaiting,
};

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

impl Wording<'_> {
    /// Why an item waits or has no owner and what would change that, one fact a line; `why` is `None` for an item that
    /// does neither, or that no rule routes.
    pub(crate) fn waiting(&self, why: Option<&WhyWaiting>, remedies: &[Remedy], now: Timestamp) -> String {
        let Some(why) = why else { return self.say("waiting.none", &[]) };
        let mut lines = vec![self.state(why, now)];
        if let Some(position) = why.position {
            let key = if position <= 1 { "waiting.next" } else { "waiting.ahead" };
            lines.push(self.say(key, &[("n", &why.ahead.to_string())]));
        }
        if let Some(at) = why.changes_at {
            lines.push(self.say("waiting.changes_at", &[("time", &self.until(at, now))]));
        }
        for lane in &why.lanes {
            lines.extend(self.lane(lane));
        }
        if matches!(why.outcome, Outcome::Queued | Outcome::Unassigned { .. }) {
            let key = if remedies.is_empty() { "waiting.no_remedies" } else { "waiting.remedies" };
            lines.push(self.say(key, &[]));
            lines.extend(remedies.iter().map(|remedy| format!("- {}", self.remedy(remedy, now))));
        }
        lines.join("\n")
    }

    /// Why somebody does not have an item, one fact a line; `answer` is `None` for an item that no rule routes.
    pub(crate) fn why_not(&self, user: UserId, answer: Option<&WhyNot>, now: Timestamp) -> String {
        let name = self.user(user);
        let lines = match answer {
            None => vec![self.say("why_not.no_rule", &[])],
            Some(WhyNot::Chosen) => vec![self.say("why_not.chosen", &[("user", &name)])],
            Some(WhyNot::Preferred { chosen: None, .. }) => vec![self.say("why_not.team_only", &[("user", &name)])],
            Some(WhyNot::Preferred { candidate, chosen: Some(chosen), because }) => {
                let first = self.user(chosen.user);
                let because = self.say(&format!("preference.{because}"), &[]);
                let (own, theirs) = (candidate.load.to_string(), chosen.load.to_string());
                vec![
                    self.say("why_not.preferred", &[("user", &name), ("chosen", &first), ("reason", &because)]),
                    self.say("why_not.loads", &[("user", &name), ("load", &own), ("chosen", &first), ("chosen_load", &theirs)]),
                ]
            }
            Some(WhyNot::Skipped { candidate, until, capacity, lacking }) => {
                let mut lines = Vec::new();
                if let Verdict::Skipped { reason } = &candidate.verdict {
                    lines.push(self.say("explain.skipped", &[("user", &name), ("reason", &self.skip_reason(reason))]));
                }
                lines.extend(until.map(|at| self.say("why_not.until", &[("time", &self.until(at, now))])));
                lines.extend(capacity.iter().flat_map(|used| self.capacity(used)));
                if lacking.len() > 1 {
                    lines.push(self.say("why_not.lacking", &[("skills", &lacking.join(", "))]));
                }
                lines
            }
            Some(WhyNot::NotAsked { listed, joins_at }) => vec![match joins_at {
                Some(at) => self.say("why_not.joins", &[("user", &name), ("time", &self.until(*at, now))]),
                None => self.say(if *listed { "why_not.listed" } else { "why_not.not_listed" }, &[("user", &name)]),
            }],
        };
        lines.join("\n")
    }

    /// Waiting since when, without an owner for which reason, or what a new decision would come to.
    fn state(&self, why: &WhyWaiting, now: Timestamp) -> String {
        match (&why.outcome, why.since) {
            (Outcome::Queued, Some(since)) => self.say("waiting.since", &[("time", &self.length(now.ms_since(since)))]),
            (Outcome::Assigned { user, .. } | Outcome::Kept { user }, _) => {
                self.say("waiting.would_go", &[("user", &self.user(*user))])
            }
            (outcome, _) => self.outcome(outcome),
        }
    }

    fn lane(&self, lane: &LaneLack) -> Vec<String> {
        let stage = self.say(&format!("stage.{}", lane.target), &[]);
        let (people, eligible) = (lane.people.to_string(), lane.eligible.to_string());
        let mut lines = vec![self.say("waiting.lane", &[("stage", &stage), ("n", &people), ("eligible", &eligible)])];
        lines.extend(lane.lacks.iter().map(|lack| {
            let reason = self.skip_reason(&lack.reason);
            format!("- {}", self.say("waiting.lack", &[("reason", &reason), ("people", &lack.people.to_string())]))
        }));
        lines
    }

    fn remedy(&self, remedy: &Remedy, now: Timestamp) -> String {
        let user = self.user(remedy.user);
        if remedy.changes.is_empty() {
            return self.say("remedy.again", &[("user", &user)]);
        }
        let changes: Vec<String> = remedy.changes.iter().map(|change| self.change(change)).collect();
        let changes = changes.join(", ");
        match remedy.at {
            None => self.say("remedy.by_hand", &[("user", &user), ("changes", &changes)]),
            Some(at) => self.say("remedy.at", &[("user", &user), ("time", &self.until(at, now)), ("changes", &changes)]),
        }
    }

    fn change(&self, change: &Change) -> String {
        match change {
            Change::BecomesAvailable { cause } => self.say(&format!("change.becomes_available.{cause}"), &[]),
            Change::SetsAvailable { cause } => self.say(&format!("change.sets_available.{cause}"), &[]),
            Change::Closes { items, work: None } => self.say("change.closes", &[("n", &items.to_string())]),
            Change::Closes { items, work: Some(work) } => {
                let work = self.say(&format!("work_type.{work}"), &[]);
                self.say("change.closes_of", &[("n", &items.to_string()), ("work", &work)])
            }
            Change::Ages => self.say("change.ages", &[]),
            Change::Learns { skill, level: None } => self.say("change.learns", &[("skill", skill)]),
            Change::Learns { skill, level: Some(level) } => {
                self.say("change.learns_level", &[("skill", skill), ("level", &level.to_string())])
            }
            Change::Relaxes => self.say("change.relaxes", &[]),
            Change::Widens { step } => self.say("change.widens", &[("step", &step.saturating_add(1).to_string())]),
            Change::Admin { reason } => self.admin(reason),
            Change::ChannelOpens => self.say("change.channel_opens", &[]),
            Change::RuleOn => self.say("change.rule_on", &[]),
        }
    }

    /// What an admin does about a reason; only four are an admin's to lift (ROUTING 3.1 to 3.4).
    fn admin(&self, reason: &SkipReason) -> String {
        match reason {
            SkipReason::Inactive => self.say("change.admin.inactive", &[]),
            SkipReason::NoSeat => self.say("change.admin.no_seat", &[]),
            SkipReason::NoAccess => self.say("change.admin.no_access", &[]),
            SkipReason::NotMainMember => self.say("change.admin.not_main_member", &[]),
            SkipReason::Unavailable { .. }
            | SkipReason::AtCapacity
            | SkipReason::LacksSkill { .. }
            | SkipReason::OnCall
            | SkipReason::Excluded => self.say("change.admin.lifts", &[("reason", &self.skip_reason(reason))]),
        }
    }

    fn capacity(&self, used: &CapacityUse) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(limit) = used.limit {
            lines.push(self.say("capacity.open", &[("open", &used.open.to_string()), ("limit", &limit.to_string())]));
        }
        if let Some(limit) = used.limit_of_type {
            let work = self.say(&format!("work_type.{}", used.work), &[]);
            let (open, limit) = (used.open_of_type.to_string(), limit.to_string());
            lines.push(self.say("capacity.of_type", &[("work", &work), ("open", &open), ("limit", &limit)]));
        }
        if let Some(limit) = used.weight_limit {
            let (weight, item, limit) = (used.weight.to_string(), used.item_weight.to_string(), limit.to_string());
            lines.push(self.say("capacity.weight", &[("weight", &weight), ("item", &item), ("limit", &limit)]));
        }
        if used.found_full {
            lines.push(self.say("capacity.found_full", &[]));
        }
        lines
    }

    /// When something will be, as a length from now.
    fn until(&self, at: Timestamp, now: Timestamp) -> String {
        self.say("time.in", &[("time", &self.length(at.ms_since(now)))])
    }

    /// A length in its largest unit, two for hours.
    fn length(&self, length_ms: i64) -> String {
        let ms = length_ms.max(0);
        if ms < MINUTE_MS {
            return self.say("time.seconds", &[("seconds", &(ms / SECOND_MS).to_string())]);
        }
        if ms < HOUR_MS {
            return self.say("time.minutes", &[("minutes", &(ms / MINUTE_MS).to_string())]);
        }
        if ms < DAY_MS {
            let (hours, minutes) = (ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS);
            return self.say("time.hours", &[("hours", &hours.to_string()), ("minutes", &format!("{minutes:02}"))]);
        }
        self.say("time.days", &[("n", &(ms / DAY_MS).to_string())])
    }
}

#[cfg(test)]
mod tests;
