//! What is recorded of a decision, and its explanation (ROUTING 13.1).

use crate::id::{ChannelId, ItemId, TeamId, UserId};
use crate::kind::{LoadGroup, words};
use crate::routing::RouteEvent;
use crate::rule::Distribution;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What is stored of a decision: small and constant. The candidates are rebuilt from the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Decision {
    /// Consumption number of the input that was decided on.
    #[serde(default)]
    pub no: u64,
    /// Place among what was decided and assigned on that input, from 0.
    #[serde(default)]
    pub place: u32,
    /// The item.
    pub item: ItemId,
    /// The version of the item that the decision was made on.
    pub item_version: i64,
    /// Why it was routed.
    pub event: RouteEvent,
    /// How the item counts.
    pub group: LoadGroup,
    /// The rule and case that applied, if any did.
    pub rule: Option<RuleRef>,
    /// What came out.
    pub outcome: Outcome,
    /// How the person was chosen.
    pub distribution: Option<Distribution>,
    /// Load of the chosen person before this item.
    pub load: Option<u32>,
    /// How many eligible people shared the best rank before ties were broken.
    pub tied: u32,
    /// The random draw, an index into the eligible in candidate order.
    pub draw: Option<u32>,
    /// How many people were looked at.
    pub candidates: u32,
    /// How many of them were eligible.
    pub eligible: u32,
    /// The contact owner's fallback was used (ROUTING 7.3).
    pub fallback: bool,
    /// The chosen person's availability version, for the guard; `None` when availability was ignored.
    pub availability_version: Option<i64>,
    /// Whether capacity is guarded; not for an owner who keeps a reopened item (ROUTING 5.5).
    pub capacity_guarded: bool,
    /// The chosen person's mark (5.4) before the decision, to restore it when the database refuses.
    pub mark_before: Option<u64>,
    /// The chosen person's turn (6.2) before the decision, likewise.
    pub turn_before: Option<u64>,
    /// The turn that the decision took: the running cycle after it, in which the person was served.
    #[serde(default)]
    pub turn: Option<u64>,
    /// When the item began to wait, if it waits or has waited until now (ROUTING 7.4).
    #[serde(default)]
    pub queued_since: Option<Timestamp>,
    /// Behaviour version of the router.
    pub behaviour: u32,
}

/// How many marks one input can set.
const MARKS_PER_INPUT: u64 = 1 << 20;

/// The mark (ROUTING 5.4) of an assignment: by the consumption number of its input, then by its place within it. Should
/// one input assign more than a million items, those beyond share the last mark.
#[must_use]
pub const fn mark(no: u64, place: u32) -> u64 {
    let place = if (place as u64) < MARKS_PER_INPUT { place as u64 } else { MARKS_PER_INPUT - 1 };
    no.saturating_mul(MARKS_PER_INPUT).saturating_add(place)
}

impl Decision {
    /// The mark (ROUTING 5.4) that the decision sets if it assigns the item.
    #[must_use]
    pub const fn mark(&self) -> u64 {
        mark(self.no, self.place)
    }
}

/// A rule in the version that was in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RuleRef {
    /// The channel.
    pub channel: ChannelId,
    /// The rule's version.
    pub version: i64,
    /// The case, counted from 0.
    pub case: u32,
}

/// What came out of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// A person owns it.
    Assigned {
        /// The owner.
        user: UserId,
        /// The team through which the person was chosen, which is set too (ROUTING 7.1).
        team: Option<TeamId>,
    },
    /// The team was set, without an owner.
    TeamSet {
        /// The team.
        team: TeamId,
    },
    /// The owner it had keeps it.
    Kept {
        /// The owner.
        user: UserId,
    },
    /// It waits until somebody becomes eligible (ROUTING 7.4).
    Queued,
    /// Nobody owns it.
    Unassigned {
        /// Why.
        reason: UnassignedReason,
    },
}

words! {
    /// Why a decision left an item unassigned.
    UnassignedReason {
        /// The channel has no rule (ROUTING 2.1).
        NoRule = "no_rule",
        /// The rule is off (ROUTING 2.1).
        RuleOff = "rule_off",
        /// The rule says nobody.
        Nobody = "nobody",
        /// Outside the channel hours (ROUTING 4.6).
        OutsideHours = "outside_hours",
        /// The rule names nobody who exists any more.
        NoCandidates = "no_candidates",
        /// People were looked at; none was eligible.
        NobodyEligible = "nobody_eligible",
        /// The contact has no usable owner and the fallback is nobody.
        NoContactOwner = "no_contact_owner",
        /// The channel unassigns what is reopened (ROUTING 12.2).
        ReopenedUnassigned = "reopened_unassigned",
        /// The team of a `team_only` target has no active member with the seat.
        TeamNotUsable = "team_not_usable",
        /// The router failed on this input, which was parked.
        Fault = "fault",
    }
}

/// A decision with everybody who was looked at, rebuilt from the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The order in which people were looked at: the contact owner, then the fallback.
    pub stages: Vec<Stage>,
}

/// One group of candidates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Stage {
    /// What the candidates stand for.
    pub target: StageTarget,
    /// Everybody looked at, in candidate order.
    pub candidates: Vec<Candidate>,
}

words! {
    /// What a stage's candidates stand for.
    StageTarget {
        /// The owner who had the item.
        PreviousOwner = "previous_owner",
        /// The contact owner.
        ContactOwner = "contact_owner",
        /// The contact's last owner (ROUTING 7.6).
        LastOwner = "last_owner",
        /// Users and teams of the case.
        UsersAndTeams = "users_and_teams",
        /// The fallback of the case.
        Fallback = "fallback",
        /// Whom the overflow steps of the case name.
        Overflow = "overflow",
        /// A team without an owner.
        TeamOnly = "team_only",
    }
}

/// One person who was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Candidate {
    /// The user.
    pub user: UserId,
    /// The team through which the user was reached first.
    pub team: Option<TeamId>,
    /// Load in the group of the item (ROUTING 5.1, 5.2).
    pub load: u32,
    /// Open items owned, over all types (ROUTING 5.5).
    pub open: u32,
    /// The limit on open items over all types.
    pub limit: Option<u32>,
    /// Idle time over the shift up to now, in milliseconds, where the case goes by it (ROUTING 6.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u64>,
    /// Mark of the last such assignment (ROUTING 5.4).
    pub last_assigned: Option<u64>,
    /// Rank among the eligible, from 1.
    pub rank: Option<u32>,
    /// What became of the person.
    pub verdict: Verdict,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// Got the item.
    Chosen,
    /// Could have had it.
    Eligible,
    /// Was skipped, for the first reason that applied (ROUTING 3).
    Skipped {
        /// The reason.
        reason: SkipReason,
    },
}

/// Why a candidate was skipped (ROUTING 3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum SkipReason {
    /// Deactivated, or the invitation is not accepted (3.1).
    Inactive,
    /// No accepted seat (3.2).
    NoSeat,
    /// May not open the workspace or its tickets (3.3).
    NoAccess,
    /// Named through a team without being a main member (3.4).
    NotMainMember,
    /// Not available (3.5).
    Unavailable {
        /// Why not.
        cause: UnavailableCause,
    },
    /// Full (3.6).
    AtCapacity,
    /// Lacks a skill required at this moment (3.7).
    LacksSkill {
        /// The skill.
        skill: String,
    },
    /// In a call or in wrap-up (3.8).
    OnCall,
    /// Left out of this decision (2.7, 4.5).
    Excluded,
}

words! {
    /// Why somebody is not available (ROUTING 3.5).
    UnavailableCause {
        /// Away or finishing by hand, or of unknown status.
        Away = "away",
        /// Out of office.
        OutOfOffice = "out_of_office",
        /// Outside working hours.
        OutsideHours = "outside_hours",
    }
}
