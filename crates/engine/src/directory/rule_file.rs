//! The shapes of rules in a directory file: which work demands which skills, and whom a channel's work goes to.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use switchboard_model::{Condition, Distribution, HandBack, OutsideHours, WhenNobody};

/// `[[workspaces.skill_rules]]`: what work demands (ROUTING 8.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkillRuleFile {
    /// Condition; absent is always, for the last rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// What is demanded, the most important first.
    pub demands: Vec<DemandFile>,
}

/// One demand: `{ skill = "billing", min_level = 3, relax_after_s = 300 }` or `{ language = "nb", required = false }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DemandFile {
    /// Slug of the skill; this or a language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// At this level at least, 1 to 5; 1 when absent. Skills only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_level: Option<u8>,
    /// Higher levels rank first. Skills only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub best_first: bool,
    /// ISO 639 code; this or a skill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Nobody without it is eligible; otherwise it is preferred. True when absent.
    pub required: bool,
    /// After so many seconds of waiting a required one is preferred only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relax_after_s: Option<u32>,
}

/// `[channels.rule]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleFile {
    /// Applies; true when absent.
    pub on: bool,
    /// `[[channels.rule.cases]]`
    pub cases: Vec<CaseFile>,
}

/// `[[channels.chatflows]]`: whose chats go by a rule of their own (ROUTING 7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChatflowFile {
    /// Key within the channel.
    pub slug: String,
    /// Name shown; the slug when absent.
    pub name: String,
    /// Whose chats are its; absent takes all that none before it has taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Its rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleFile>,
}

/// `[[channels.rule.cases]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseFile {
    /// Condition; the last case has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Target.
    pub target: TargetFile,
    /// Distribution; the default of the channel kind when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// Shares under `round_robin`, `{ "team:support" = 3, "pia@example.test" = 1 }`; 1 for who is left out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, u32>,
    /// Skip people who are not available; true when absent.
    pub only_available: bool,
    /// When nobody is eligible; `unassigned` when absent.
    pub when_nobody: WhenNobody,
    /// Outside channel hours; `route` when absent.
    pub outside_hours: OutsideHours,
    /// For so many days the contact's last owner comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity_days: Option<u32>,
    /// When open work goes back to routing by itself, `{ absent_min = 60, unanswered_min = 120 }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hand_back: Option<HandBack>,
    /// Who else is asked the longer the item waits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overflow: Vec<OverflowFile>,
}

/// One overflow step: `{ after_s = 60, to = ["team:sales"], workspaces = ["sales"] }` (ROUTING 7.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OverflowFile {
    /// After so many seconds of waiting.
    pub after_s: u32,
    /// People by email address, teams as `team:slug`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Slugs of workspaces: everybody who can be given work there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workspaces: Vec<String>,
}

/// A target: `"nobody"`, `{ users_and_teams = ["team:support", "pia@example.test"] }`, `{ team_only = "support" }`
/// or `{ contact_owner = { fallback = "nobody" } }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TargetFile {
    /// Nobody.
    Nobody,
    /// People by email address, teams as `team:slug`.
    UsersAndTeams(Vec<String>),
    /// A team, by slug.
    TeamOnly(String),
    /// The contact owner.
    ContactOwner {
        /// Only with the channel's cookie.
        #[serde(default)]
        require_cookie: bool,
        /// When there is no usable owner.
        fallback: FallbackFile,
    },
    /// The assistant.
    Assistant {
        /// Who gets what it cannot answer.
        if_cannot_answer: FallbackFile,
    },
}

/// A fallback: `"nobody"`, `{ user = "pia@example.test" }` or `{ users_and_teams = [...] }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FallbackFile {
    /// Nobody.
    Nobody,
    /// A user by email address.
    User(String),
    /// People by email address, teams as `team:slug`.
    UsersAndTeams(Vec<String>),
}
