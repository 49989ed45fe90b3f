//! Answers to what people ask of the router: why is this still waiting, what would change it, why not that person
//! (ROUTING 13.1).

use crate::id::{ItemId, UserId};
use crate::kind::{WorkType, words};
use crate::record::{Candidate, Outcome, SkipReason, StageTarget, UnavailableCause};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Why an item waits, or was left unassigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WhyWaiting {
    /// The item.
    pub item: ItemId,
    /// What a decision at this moment comes to.
    pub outcome: Outcome,
    /// When it began to wait; `None` when it does not.
    pub since: Option<Timestamp>,
    /// Its place among those that wait for the same people, from 1 (ROUTING 7.4).
    pub position: Option<u32>,
    /// How many wait in front of it.
    pub ahead: u32,
    /// When it may next go to somebody else by waiting alone, as a skill relaxes or others are asked too.
    pub changes_at: Option<Timestamp>,
    /// Whom it could come from, in the order in which they are asked, and what each group lacks.
    pub lanes: Vec<LaneLack>,
}

/// What one group of people lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LaneLack {
    /// What the people stand for.
    pub target: StageTarget,
    /// How many there are.
    pub people: u32,
    /// How many of them are eligible.
    pub eligible: u32,
    /// How many are skipped for each reason, sorted by reason.
    pub lacks: Vec<Lack>,
}

/// How many people are skipped for a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Lack {
    /// The reason.
    pub reason: SkipReason,
    /// How many.
    pub people: u32,
}

/// What would make somebody eligible for an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Remedy {
    /// Who.
    pub user: UserId,
    /// When it comes about by itself; `None` where somebody has to do something.
    pub at: Option<Timestamp>,
    /// All that has to change, in order; nothing where a new decision alone would do.
    pub changes: Vec<Change>,
}

/// One circumstance that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// The person becomes available by time alone: a shift starts, an absence or a status ends.
    BecomesAvailable {
        /// Why the person is not available now.
        cause: UnavailableCause,
    },
    /// The person sets available by hand.
    SetsAvailable {
        /// Why the person is not available now.
        cause: UnavailableCause,
    },
    /// So many items of the person are closed or go to somebody else.
    Closes {
        /// How many, at least.
        items: u32,
        /// The type that they must be of, where only that helps.
        work: Option<WorkType>,
    },
    /// Items of the person grow too old to use capacity (ROUTING 5.5).
    Ages,
    /// The person learns a skill or a language.
    Learns {
        /// Its name.
        skill: String,
        /// The level that is needed, for a skill.
        level: Option<u8>,
    },
    /// A required skill becomes a preferred one (ROUTING 8.3).
    Relaxes,
    /// An overflow step asks further people (ROUTING 7.5).
    Widens {
        /// The step, counted from 0.
        step: u32,
    },
    /// An admin lifts what the directory says against the person: a seat, access, the main team, deactivation.
    Admin {
        /// What it says.
        reason: SkipReason,
    },
    /// The channel opens (ROUTING 4.6).
    ChannelOpens,
    /// The channel's rule is switched on (ROUTING 2.1).
    RuleOn,
}

/// Why somebody does not have an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum WhyNot {
    /// The person has it.
    Chosen,
    /// The person was eligible, and somebody else came first.
    Preferred {
        /// The person asked about.
        candidate: Candidate,
        /// Who came first; `None` where only a team was set.
        chosen: Option<Candidate>,
        /// By what.
        because: Preference,
    },
    /// The person was skipped; the candidate's verdict names the reason.
    Skipped {
        /// The person, with load, open items and limit.
        candidate: Candidate,
        /// Until when the person is unavailable, where time alone ends that.
        until: Option<Timestamp>,
        /// The limits, for somebody who is full.
        capacity: Option<CapacityUse>,
        /// Every skill and language required at this moment that the person lacks.
        lacking: Vec<String>,
    },
    /// The person was not looked at.
    NotAsked {
        /// The case that applies lists the person: nobody was asked, or somebody who is asked earlier has the item.
        listed: bool,
        /// When an overflow step asks the person, if one does.
        joins_at: Option<Timestamp>,
    },
}

words! {
    /// By what one eligible person comes before another.
    Preference {
        /// Is asked before the others: the contact owner, the last owner.
        AskedFirst = "asked_first",
        /// Is nearer to the preferred skills (ROUTING 8.3).
        Skills = "skills",
        /// Has less load.
        Load = "load",
        /// Is first by turns (ROUTING 6.2).
        Turn = "turn",
        /// Has been idle for longer (ROUTING 6.5).
        Idle = "idle",
        /// A tie: was assigned such work less recently (ROUTING 5.4).
        LastAssigned = "last_assigned",
        /// A tie in everything: has the lower user id.
        LowestId = "lowest_id",
        /// Was drawn (ROUTING 6.3).
        Draw = "draw",
        /// Nobody: the team was set without an owner.
        TeamOnly = "team_only",
    }
}

/// What of a person's capacity is used, and what an item would add (ROUTING 5.5). An absent limit is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CapacityUse {
    /// Open items that use capacity.
    pub open: u32,
    /// The limit on them.
    pub limit: Option<u32>,
    /// The type of the item.
    pub work: WorkType,
    /// Open items of that type.
    pub open_of_type: u32,
    /// The limit on them.
    pub limit_of_type: Option<u32>,
    /// What all open items weigh together.
    pub weight: u64,
    /// What the item weighs.
    pub item_weight: u32,
    /// The limit on weight.
    pub weight_limit: Option<u32>,
    /// The database found the person full on this item, and there has been no news of the person since.
    pub found_full: bool,
}
