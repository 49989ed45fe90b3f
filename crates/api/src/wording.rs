//! Decisions in plain words of the reader's language (ROUTING 13.1).
//!
//! The words come from the catalogue through [`ApiOptions::translate`](crate::ApiOptions); this module knows only
//! which keys a decision is made of.

mod answers;

use crate::options::Translate;
use crate::views::Names;
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use switchboard_model::{Candidate, DecisionView, Explanation, Outcome, RuleRef, SkipReason, TeamId, UserId, Verdict};

/// Puts decisions into words.
pub(crate) struct Wording<'a> {
    translate: &'a Translate,
    language: &'a str,
    names: &'a Names,
}

impl<'a> Wording<'a> {
    /// Words in a language, with names for ids.
    pub(crate) fn new(translate: &'a Translate, language: &'a str, names: &'a Names) -> Self {
        Self { translate, language, names }
    }

    /// What came out, as one line.
    pub(crate) fn outcome(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Assigned { user, team: None } => self.say("outcome.assigned", &[("user", &self.user(*user))]),
            Outcome::Assigned { user, team: Some(team) } => {
                self.say("outcome.assigned_team", &[("user", &self.user(*user)), ("team", &self.team(*team))])
            }
            Outcome::TeamSet { team } => self.say("outcome.team_set", &[("team", &self.team(*team))]),
            Outcome::Kept { user } => self.say("outcome.kept", &[("user", &self.user(*user))]),
            Outcome::Queued => self.say("outcome.queued", &[]),
            Outcome::Unassigned { reason } => {
                let reason = self.say(&format!("unassigned.{reason}"), &[]);
                self.say("outcome.unassigned", &[("reason", &reason)])
            }
        }
    }

    /// All of a decision, one fact a line: what happened, by which rule, how the person was chosen, who was looked at.
    pub(crate) fn lines(&self, view: &DecisionView, explanation: Option<&Explanation>) -> String {
        let decision = &view.decision;
        let mut lines = vec![self.say(&format!("event.{}", decision.event), &[]), self.outcome(&decision.outcome)];
        lines.push(decision.rule.map_or_else(|| self.say("explain.no_rule", &[]), |rule| self.rule(rule)));
        let eligible = decision.eligible.to_string();
        if decision.candidates > 0 {
            lines.push(self.say("explain.candidates", &[("n", &decision.candidates.to_string()), ("eligible", &eligible)]));
        }
        if let (Some(distribution), Outcome::Assigned { .. }) = (decision.distribution, decision.outcome) {
            let distribution = self.say(&format!("distribution.{distribution}"), &[]);
            lines.push(self.say("explain.chosen_by", &[("distribution", &distribution)]));
        }
        if let (Some(load), Outcome::Assigned { user, .. }) = (decision.load, decision.outcome) {
            lines.push(self.say("explain.load", &[("user", &self.user(user)), ("load", &load.to_string())]));
        }
        if decision.tied > 1 && decision.draw.is_none() {
            lines.push(self.say("explain.tied", &[("n", &decision.tied.to_string())]));
        }
        if let Some(draw) = decision.draw {
            lines.push(self.say("explain.draw", &[("draw", &draw.to_string())]));
        }
        if decision.availability_version.is_none() && matches!(decision.outcome, Outcome::Assigned { .. }) {
            lines.push(self.say("explain.ignored_availability", &[]));
        }
        if decision.fallback {
            lines.push(self.say("explain.fallback", &[]));
        }
        if let Some(refused) = view.refused {
            let reason = self.say(&format!("refused.{refused}"), &[]);
            lines.push(self.say("explain.refused", &[("reason", &reason)]));
        }
        for stage in explanation.map(|explanation| explanation.stages.as_slice()).unwrap_or_default() {
            lines.push(format!("{}:", self.say(&format!("stage.{}", stage.target), &[])));
            lines.extend(stage.candidates.iter().map(|candidate| format!("- {}", self.candidate(candidate))));
        }
        lines.join("\n")
    }

    fn rule(&self, rule: RuleRef) -> String {
        let channel = self.names.channel.clone().unwrap_or_else(|| format!("#{}", rule.channel));
        let version = rule.version.to_string();
        let case = (self.names.case.unwrap_or(rule.case) + 1).to_string();
        match (&self.names.chatflow, self.names.case) {
            (None, _) => self.say("explain.rule", &[("channel", &channel), ("case", &case), ("version", &version)]),
            (Some(chatflow), Some(_)) => {
                let values = [("channel", channel.as_str()), ("chatflow", chatflow), ("case", &case), ("version", &version)];
                self.say("explain.chatflow", &values)
            }
            (Some(chatflow), None) => {
                self.say("explain.chatflow_off", &[("channel", &channel), ("chatflow", chatflow), ("version", &version)])
            }
        }
    }

    fn candidate(&self, candidate: &Candidate) -> String {
        let user = self.user(candidate.user);
        match &candidate.verdict {
            Verdict::Skipped { reason } => {
                let reason = self.skip_reason(reason);
                self.say("explain.skipped", &[("user", &user), ("reason", &reason)])
            }
            Verdict::Chosen | Verdict::Eligible => {
                let rank = candidate.rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string());
                self.say("explain.ranked", &[("user", &user), ("rank", &rank), ("load", &candidate.load.to_string())])
            }
        }
    }

    /// A reason for being skipped, by its stable code (ROUTING 3).
    pub(crate) fn skip_reason(&self, reason: &SkipReason) -> String {
        let code = match reason {
            SkipReason::Inactive => "reason.inactive",
            SkipReason::NoSeat => "reason.no_seat",
            SkipReason::NoAccess => "reason.no_access",
            SkipReason::NotMainMember => "reason.not_main_member",
            SkipReason::Unavailable { cause } => return self.say(&format!("reason.unavailable.{cause}"), &[]),
            SkipReason::AtCapacity => "reason.at_capacity",
            SkipReason::LacksSkill { skill } => return self.say("reason.lacks_skill", &[("skill", skill)]),
            SkipReason::OnCall => "reason.on_call",
            SkipReason::Excluded => "reason.excluded",
        };
        self.say(code, &[])
    }

    fn user(&self, id: UserId) -> String {
        self.names.users.get(&id).cloned().unwrap_or_else(|| format!("#{id}"))
    }

    fn team(&self, id: TeamId) -> String {
        self.names.teams.get(&id).cloned().unwrap_or_else(|| format!("#{id}"))
    }

    fn say(&self, key: &str, values: &[(&str, &str)]) -> String {
        (self.translate)(self.language, key, values)
    }
}

/// The language to answer in: the reader's own, else the first that the browser asks for and there is, else the
/// default. Norwegian goes by several tags.
pub(crate) fn language(own: Option<&str>, headers: &HeaderMap, known: &[String]) -> String {
    let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tags = asked.split(',').map(|entry| entry.split(';').next().unwrap_or_default().trim());
    own.into_iter()
        .chain(tags)
        .find_map(|tag| {
            let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
            let primary = if primary == "no" || primary == "nn" { "nb" } else { &primary };
            known.iter().find(|language| *language == primary)
        })
        .or_else(|| known.first())
        .map_or_else(|| "en".to_owned(), Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::{Wording, language};
    use crate::options::ApiOptions;
    use crate::views::Names;
    use http::{HeaderMap, HeaderValue};
    use std::collections::BTreeMap;
    use switchboard_model::{Outcome, SkipReason, TeamId, UnassignedReason, UnavailableCause, UserId};

    fn check(own: Option<&str>, accepted: &str) -> String {
        let known = ["en", "nl", "nb", "da"].map(String::from);
        let headers = HeaderMap::from_iter([(http::header::ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).expect("a value"))]);
        language(own, &headers, &known)
    }

    #[test]
    fn the_language_is_the_readers_then_the_browsers_then_the_default() {
        assert_eq!(check(Some("da"), "nl"), "da");
        assert_eq!(check(None, "fr, nl-BE;q=0.8"), "nl");
        assert_eq!(check(None, "nn-NO"), "nb");
        assert_eq!(check(None, "fr"), "en");
    }

    #[test]
    fn outcomes_and_reasons_use_the_keys_of_the_catalogue_with_names() {
        let names = Names {
            users: BTreeMap::from([(UserId(7), "Liv".to_owned())]),
            teams: BTreeMap::from([(TeamId(3), "Support".to_owned())]),
            channel: None,
            chatflow: None,
            case: None,
        };
        let options = ApiOptions::default();
        let wording = Wording::new(&options.translate, "en", &names);
        for (outcome, words) in [
            (Outcome::Assigned { user: UserId(7), team: None }, "outcome.assigned user=Liv"),
            (Outcome::Assigned { user: UserId(8), team: Some(TeamId(3)) }, "outcome.assigned_team user=#8 team=Support"),
            (Outcome::Kept { user: UserId(7) }, "outcome.kept user=Liv"),
            (Outcome::TeamSet { team: TeamId(3) }, "outcome.team_set team=Support"),
            (Outcome::Unassigned { reason: UnassignedReason::NoRule }, "outcome.unassigned reason=unassigned.no_rule"),
        ] {
            assert_eq!(wording.outcome(&outcome), words);
        }
        let away = SkipReason::Unavailable { cause: UnavailableCause::OutOfOffice };
        assert_eq!(wording.skip_reason(&away), "reason.unavailable.out_of_office");
    }
}
