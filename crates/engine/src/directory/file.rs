//! The shapes of a directory file, as people write them.

use super::rule_file::{ChatflowFile, RuleFile, SkillRuleFile};
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use switchboard_model::{
    ChannelKind, CivilDate, LeaveOut, Presence, QueueOrder, ReopenOwner, Role, Seat, Sla, Transcript, WeeklyHours, WorkType,
    WorkspaceKind,
};

/// A directory file. Lists are in file order, which is the order in which new entries get their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DirectoryFile {
    /// In which order waiting items are served; absent leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_order: Option<QueueOrder>,
    /// Skills.
    pub skills: Vec<SkillFile>,
    /// Holiday calendars.
    pub holidays: Vec<HolidaysFile>,
    /// Teams.
    pub teams: Vec<TeamFile>,
    /// Users.
    pub users: Vec<UserFile>,
    /// Workspaces.
    pub workspaces: Vec<WorkspaceFile>,
    /// Channels.
    pub channels: Vec<ChannelFile>,
}

/// `[[skills]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkillFile {
    /// Key.
    pub slug: String,
    /// Name shown; the slug when absent.
    pub name: String,
    /// What kind of skill it is, as the desk groups them.
    pub category: String,
}

/// `[[holidays]]`: a calendar of days on which nobody works (ROUTING 4.2).
///
/// In a file its dates may also stand in an iCal file; whoever reads the file from disk writes them out as `dates`
/// before it goes on ([`expand_calendars`](super::expand_calendars)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HolidaysFile {
    /// Key.
    pub slug: String,
    /// The days, `2027-05-17`.
    pub dates: BTreeSet<CivilDate>,
}

/// `[[teams]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TeamFile {
    /// Key.
    pub slug: String,
    /// Name shown; the slug when absent.
    pub name: String,
    /// Slug of the parent team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// When main members who are not there are set away, `{ away_after_min = 30 }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
}

/// `[[users]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserFile {
    /// Key and sign-in name.
    pub email: String,
    /// Name shown.
    pub name: String,
    /// Permissions; `agent` when absent.
    pub role: Role,
    /// Seat; `none` when absent.
    pub seat: Seat,
    /// Not deactivated.
    pub active: bool,
    /// Has accepted the invitation; true when absent, since whoever writes the file vouches for the person.
    pub accepted: bool,
    /// May open tickets.
    pub ticket_access: bool,
    /// Slug of the main team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Slugs of extra teams.
    pub extra_teams: Vec<String>,
    /// IANA time zone; `UTC` when absent.
    pub zone: String,
    /// Working hours.
    pub hours: WeeklyHours,
    /// Slugs of holiday calendars.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<String>,
    /// Languages spoken, `"nb"` or `"en:secondary"`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<SpokenFile>,
    /// Desk language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Absences as instants, `2026-12-24T00:00:00+01:00`.
    pub out_of_office: Vec<AbsenceFile>,
    /// Limits on open work.
    pub capacity: CapacityFile,
    /// Skills with levels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<UserSkillFile>,
}

/// One absence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsenceFile {
    /// First instant of absence.
    pub from: Instant,
    /// First instant of presence.
    pub to: Instant,
}

/// A skill that a person has, `{ skill = "billing", level = 3 }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserSkillFile {
    /// Slug of the skill.
    pub skill: String,
    /// 1 to 5.
    pub level: u8,
}

/// A language that a person speaks: `nb` as a main language, `en:secondary` as a secondary one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenFile {
    /// ISO 639 code in lower case.
    pub language: String,
    /// A main language.
    pub main: bool,
}

/// Limits on open work, `{ total = 10, chat = 3 }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CapacityFile {
    /// Over all types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// Per type.
    #[serde(flatten)]
    pub per_type: PerTypeFile,
    /// Open items that use no capacity, `{ older_than_days = 14, waiting_on_contact = true }`.
    #[serde(skip_serializing_if = "LeaveOut::is_nothing")]
    pub leave_out: LeaveOut,
    /// A limit on what open items weigh together, `{ limit = 100, call = 100, chat = 25, mail = 10 }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsFile>,
}

/// What open items weigh.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WeightsFile {
    /// The most that they may weigh together.
    pub limit: u32,
    /// What one of each type weighs; absent is nothing.
    #[serde(flatten)]
    pub per_type: PerTypeFile,
}

/// A number per type of work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PerTypeFile {
    /// Chat-like work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<u32>,
    /// Mail-like work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<u32>,
    /// Calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<u32>,
}

/// `[[workspaces]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkspaceFile {
    /// Key.
    pub slug: String,
    /// Name shown.
    pub name: String,
    /// Inbox or help desk.
    pub kind: WorkspaceKind,
    /// Accepted seats; absent is the default of the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seats: Option<Vec<Seat>>,
    /// Ticket and conversation close together; true when absent.
    pub close_together: bool,
    /// Only the owner and leads reassign; false when absent.
    pub reassign_limited: bool,
    /// Who may open it; absent is everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessFile>,
    /// Service targets, `{ first_reply_min = 60, zone = "Europe/Oslo", hours = ["mon-fri 08:00-16:00"] }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla: Option<Sla>,
    /// `[[workspaces.skill_rules]]`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skill_rules: Vec<SkillRuleFile>,
}

/// Who may open a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessFile {
    /// Email addresses.
    pub users: Vec<String>,
    /// Team slugs.
    pub teams: Vec<String>,
}

/// `[[channels]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelFile {
    /// Slug of the configuration.
    pub slug: String,
    /// Name shown.
    pub name: String,
    /// Kind.
    pub kind: ChannelKind,
    /// Slug of the workspace.
    pub workspace: String,
    /// Takes messages in; true when absent.
    pub on: bool,
    /// Zone of the channel hours.
    pub zone: String,
    /// Channel hours.
    pub hours: WeeklyHours,
    /// Slugs of holiday calendars.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<String>,
    /// Owner of what is reopened; `keep` when absent.
    pub reopen_owner: ReopenOwner,
    /// How chats end; the defaults when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<ChatFile>,
    /// The rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleFile>,
    /// Chatflows of a live chat.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chatflows: Vec<ChatflowFile>,
}

/// `chat = { close_after_min = 30 }` of a channel
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChatFile {
    /// Minutes of silence; 0 is never.
    pub close_after_min: u32,
    /// Slug of an email channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_channel: Option<String>,
    /// When what was said is mailed.
    pub transcript: Transcript,
    /// Minutes without an answer; 0 is never.
    pub offer_mail_after_minutes: u32,
}

impl PerTypeFile {
    /// The numbers that are set.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<WorkType, u32> {
        [(WorkType::Chat, self.chat), (WorkType::Mail, self.mail), (WorkType::Call, self.call)]
            .into_iter()
            .filter_map(|(kind, number)| number.map(|number| (kind, number)))
            .collect()
    }

    /// The numbers of a map.
    #[must_use]
    pub fn from_map(map: &BTreeMap<WorkType, u32>) -> Self {
        let number = |kind: WorkType| map.get(&kind).copied();
        Self { chat: number(WorkType::Chat), mail: number(WorkType::Mail), call: number(WorkType::Call) }
    }
}

impl FromStr for SpokenFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (code, main) = match text.trim().split_once(':') {
            None => (text.trim(), true),
            Some((code, "main")) => (code, true),
            Some((code, "secondary")) => (code, false),
            Some(_) => ("", true),
        };
        if !(2..=3).contains(&code.len()) || !code.bytes().all(|letter| letter.is_ascii_alphabetic()) {
            return Err(format!("`{text}` is not like `nb` or `en:secondary`"));
        }
        Ok(Self { language: code.to_ascii_lowercase(), main })
    }
}

impl fmt::Display for SpokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.language, if self.main { "" } else { ":secondary" })
    }
}

impl Serialize for SpokenFile {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
