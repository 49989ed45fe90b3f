//! Routing rules: an ordered list of cases per channel (ROUTING 7).

use crate::condition::Condition;
use crate::id::{TeamId, UserId, WorkspaceId};
use crate::kind::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// How one of several eligible people is chosen (ROUTING 6).
    Distribution {
        /// Least load, ties to the least recently assigned.
        LoadBalanced = "load_balanced",
        /// Everyone eligible gets one before anyone gets a second.
        RoundRobin = "round_robin",
        /// Uniform over the eligible.
        Random = "random",
        /// Least inbox chat load; in a help desk the same as `load_balanced`.
        LeastBusy = "least_busy",
        /// The one who waited longest since the last such assignment.
        LongestIdle = "longest_idle",
        /// The one with the least work over the shift.
        LongestIdleTotal = "longest_idle_total",
    }
}

words! {
    /// What happens when nobody is eligible (ROUTING 7.2).
    WhenNobody {
        /// Unassigned with a recorded reason.
        Unassigned = "unassigned",
        /// Queued until somebody becomes eligible.
        Wait = "wait",
        /// The owner it had stays.
        Keep = "keep",
    }
}

words! {
    /// What happens outside the channel hours (ROUTING 4.6).
    OutsideHours {
        /// The rule applies as always.
        Route = "route",
        /// Unassigned.
        Unassigned = "unassigned",
        /// The assistant.
        Assistant = "assistant",
    }
}

/// A user or a team named in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Member {
    /// One user.
    User(UserId),
    /// The main members of a team (ROUTING 3.4).
    Team(TeamId),
}

/// Where a case sends work (ROUTING 7.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// Unassigned, for triage by hand.
    Nobody,
    /// One of these people, chosen by the distribution.
    UsersAndTeams {
        /// In the listed order.
        members: Vec<Member>,
    },
    /// A team without an owner; help desks only.
    TeamOnly {
        /// The team.
        team: TeamId,
    },
    /// The owner of the contact (ROUTING 7.3).
    ContactOwner {
        /// Only with the channel's cookie.
        #[serde(default)]
        require_cookie: bool,
        /// When there is no owner, or the owner cannot take it.
        fallback: Fallback,
    },
    /// The assistant; refused on save while there is none.
    Assistant {
        /// Who gets what it cannot answer.
        if_cannot_answer: Fallback,
    },
}

/// Who gets the work when the first choice cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fallback {
    /// Unassigned.
    Nobody,
    /// One default user.
    User {
        /// The user.
        user: UserId,
    },
    /// One of these, chosen by the distribution of the case.
    UsersAndTeams {
        /// In the listed order.
        members: Vec<Member>,
    },
}

/// One case of a rule: a condition, a target and its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Case {
    /// When the case applies; the last case of a rule has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Where the work goes.
    pub target: Target,
    /// How people are chosen; `None` is the default of the channel kind (ROUTING 6.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// Skip people who are not available (ROUTING 7.2).
    pub only_available: bool,
    /// When nobody is eligible.
    pub when_nobody: WhenNobody,
    /// Outside the channel hours.
    pub outside_hours: OutsideHours,
    /// How large a share each name gets under `round_robin`, 1 to 20; 1 for who is left out. With any other weight,
    /// shares are promised instead of turns (ROUTING 6.2).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "weights")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<MemberWeight>))]
    pub weights: BTreeMap<Member, u32>,
    /// Who else is asked the longer the item waits; with any, the item waits (ROUTING 7.5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overflow: Vec<OverflowStep>,
    /// For how many days the contact's last owner comes first, if listed and eligible (ROUTING 7.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity_days: Option<u32>,
    /// When open work goes back to routing by itself; `None` leaves it with its owner (ROUTING 4.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_back: Option<HandBack>,
}

/// When an owner's open work goes back to routing (ROUTING 4.5); whichever comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HandBack {
    /// After the owner has been absent for so many minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent_min: Option<u32>,
    /// After the contact has waited for the owner for so many minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered_min: Option<u32>,
}

/// Further people for an item that has waited (ROUTING 7.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OverflowStep {
    /// After so many seconds of waiting; later than the step before.
    pub after_s: u32,
    /// Who is asked besides those asked so far.
    pub members: Vec<Member>,
    /// Everybody whom automatic routing may choose there, by ascending id and behind the members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workspaces: Vec<WorkspaceId>,
}

/// The weight of a name under `round_robin`, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MemberWeight {
    /// A user, or a team for each of its members.
    pub member: Member,
    /// 1 to 20.
    pub weight: u32,
}

/// Weights as a list, as a name is more than a text and cannot be a key.
mod weights {
    use super::{Member, MemberWeight};
    use serde::{Deserialize, Deserializer, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<S: Serializer>(weights: &BTreeMap<Member, u32>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(weights.iter().map(|(member, weight)| MemberWeight { member: *member, weight: *weight }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Member, u32>, D::Error> {
        let listed = Vec::<MemberWeight>::deserialize(deserializer)?;
        Ok(listed.into_iter().map(|one| (one.member, one.weight)).collect())
    }
}

/// The rule of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Rule {
    /// Applies; a rule that is off leaves work unassigned (ROUTING 2.1).
    pub on: bool,
    /// The directory version in which the rule last changed.
    pub version: i64,
    /// Cases in order; the first that matches wins (ROUTING 7.0).
    pub cases: Vec<Case>,
}

impl Case {
    /// A case with the defaults of ROUTING 7.2.
    #[must_use]
    pub const fn new(target: Target) -> Self {
        Self {
            when: None,
            target,
            distribution: None,
            only_available: true,
            when_nobody: WhenNobody::Unassigned,
            outside_hours: OutsideHours::Route,
            weights: BTreeMap::new(),
            overflow: Vec::new(),
            affinity_days: None,
            hand_back: None,
        }
    }
}
