//! Skills, who has them, and which work demands them (ROUTING 8).

use crate::condition::Condition;
use crate::id::SkillId;
use serde::{Deserialize, Serialize};

/// The lowest and the highest level of a skill (ROUTING 8.1).
pub const SKILL_LEVELS: std::ops::RangeInclusive<u8> = 1..=5;

/// Something that a person can be good at. Languages are built in and are none of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Skill {
    /// Id, never reused.
    pub id: SkillId,
    /// Key in directory files, `[a-z0-9_]+`.
    pub slug: String,
    /// What kind of skill it is, as the desk groups them.
    pub category: String,
    /// Name shown.
    pub name: String,
}

/// A skill that a person has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct UserSkill {
    /// The skill.
    pub skill: SkillId,
    /// How good, 1 to 5.
    pub level: u8,
}

/// A language that a person speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Spoken {
    /// ISO 639 code in lower case, such as `nb`.
    pub language: String,
    /// A main language, which ranks above a secondary one.
    #[serde(default)]
    pub main: bool,
}

/// Which work demands which skills, in one workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SkillRule {
    /// When it applies; none is always. The first rule of the workspace that applies wins (ROUTING 8.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// What is demanded, the most important first.
    pub demands: Vec<Demand>,
}

/// One skill or language that is demanded (ROUTING 8.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Demand {
    /// What.
    pub wanted: Wanted,
    /// Nobody without it is eligible; else it is preferred.
    pub required: bool,
    /// After so many seconds of waiting a required one is preferred only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relax_after_s: Option<u32>,
}

/// What a demand asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Wanted {
    /// A skill.
    Skill {
        /// Which.
        skill: SkillId,
        /// At this level at least, 1 to 5.
        min_level: u8,
        /// Among those who have it, the higher level ranks first.
        #[serde(default)]
        best_first: bool,
    },
    /// A language; those who have it as a main language rank first.
    Language {
        /// ISO 639 code in lower case.
        language: String,
    },
}
