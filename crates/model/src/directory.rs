//! The directory: who works here, in which teams and workspaces, and which rule feeds them from which channel.
//!
//! A directory version is immutable once stored; a person's status is not part of it (it is a router input).

use crate::chatflow::Chatflows;
use crate::hours::{CivilDate, WeeklyHours};
use crate::id::{ChannelId, SkillId, TeamId, UserId, WorkspaceId};
use crate::kind::{ChannelKind, WorkType, words};
use crate::rule::Rule;
use crate::skill::{Skill, SkillRule, Spoken, UserSkill};
use crate::sla::Sla;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

words! {
    /// What a user may do, ascending.
    Role {
        /// Reads.
        Viewer = "viewer",
        /// Answers and assigns.
        Agent = "agent",
        /// Also edits rules, changes colleagues' status and reassigns everything.
        Lead = "lead",
        /// Also edits people, teams, channels and tokens.
        Admin = "admin",
    }
}

words! {
    /// The seat that makes a user routable (ROUTING 3.2).
    Seat {
        /// Not routable.
        None = "none",
        /// Inboxes.
        Sales = "sales",
        /// Inboxes and help desks.
        Service = "service",
    }
}

words! {
    /// What a workspace holds.
    WorkspaceKind {
        /// Work items are conversations.
        Inbox = "inbox",
        /// Work items are tickets.
        HelpDesk = "help_desk",
    }
}

words! {
    /// Who owns a conversation that a new message reopens (ROUTING 12.2).
    ReopenOwner {
        /// The owner it had, if still selectable.
        Keep = "keep",
        /// Whoever the rule says.
        Route = "route",
        /// Nobody.
        Unassign = "unassign",
    }
}

words! {
    /// In which order waiting items are served (ROUTING 7.4).
    #[derive(Default)]
    QueueOrder {
        /// Priority, then slack, then the time queued.
        #[default]
        Priority = "priority",
        /// The cost of waiting in units of each item's own target, weighed by priority, with a cap against starvation.
        Gcmu = "gcmu",
    }
}

/// A person who signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct User {
    /// Id, never reused.
    pub id: UserId,
    /// Sign-in name, notification address, and key in directory files. Lower case.
    pub email: String,
    /// Name shown to colleagues and contacts.
    pub name: String,
    /// Permissions.
    pub role: Role,
    /// Seat.
    pub seat: Seat,
    /// Not deactivated.
    pub active: bool,
    /// Has accepted the invitation.
    pub accepted: bool,
    /// May open help desk tickets.
    pub ticket_access: bool,
    /// The team this user is a main member of.
    pub team: Option<TeamId>,
    /// Teams this user is an extra member of.
    pub extra_teams: Vec<TeamId>,
    /// IANA time zone of the working hours.
    pub zone: String,
    /// Weekly working hours; empty is always.
    pub hours: WeeklyHours,
    /// Holiday calendars, whose dates in `zone` count as outside hours (ROUTING 4.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<String>,
    /// Absences.
    pub out_of_office: Vec<OutOfOffice>,
    /// Limits on open work.
    pub capacity: Capacity,
    /// Skills with levels (ROUTING 8.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<UserSkill>,
    /// Languages spoken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Spoken>,
    /// Language of the desk: `en`, `nl`, `nb` or `da`; `None` follows the browser.
    pub language: Option<String>,
}

/// A period of absence, start included, end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OutOfOffice {
    /// First instant of absence.
    pub from: Timestamp,
    /// First instant of presence.
    pub to: Timestamp,
}

/// Limits on open items owned at once (ROUTING 5.5). Absent is unlimited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Capacity {
    /// Limit over all types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// Limit per type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub per_type: BTreeMap<WorkType, u32>,
    /// A limit on the sum of what open items weigh, beside the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<CapacityWeights>,
    /// Open items that use no capacity.
    #[serde(default, skip_serializing_if = "LeaveOut::is_nothing")]
    pub leave_out: LeaveOut,
}

/// Which open items use no capacity of a person: they are left out of the total, the types and the weights
/// (ROUTING 5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LeaveOut {
    /// Items created more than so many days of 24 hours ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than_days: Option<u32>,
    /// Items of a conversation in which ours is the last message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting_on_contact: bool,
}

impl LeaveOut {
    /// Whether every open item uses capacity.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.older_than_days.is_none() && !self.waiting_on_contact
    }
}

/// What an open item of each type weighs, and how much a person bears (ROUTING 5.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CapacityWeights {
    /// The most that open items may weigh together.
    pub limit: u32,
    /// Weight per type; a type that is left out weighs nothing.
    pub per_type: BTreeMap<WorkType, u32>,
}

/// A team. Membership is stored with the users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Team {
    /// Id, never reused.
    pub id: TeamId,
    /// Key in directory files, `[a-z0-9_]+`.
    pub slug: String,
    /// Name shown.
    pub name: String,
    /// Parent team.
    pub parent: Option<TeamId>,
    /// Main members who are not there are set away; `None` leaves everybody as they set themselves (ROUTING 4.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
}

/// When somebody counts as not being there, whatever they say (ROUTING 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Presence {
    /// After so many minutes without any connected desk.
    pub away_after_min: u32,
}

/// Who may open a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WorkspaceAccess {
    /// Every user.
    Everyone,
    /// The named users, and main and extra members of the named teams.
    Restricted {
        /// Users named directly.
        users: Vec<UserId>,
        /// Teams whose members may open it. With any, manual assignment is limited to them (ROUTING 2.4).
        teams: Vec<TeamId>,
    },
}

/// An inbox or a help desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Workspace {
    /// Id, never reused.
    pub id: WorkspaceId,
    /// Key in directory files, `[a-z0-9_]+`.
    pub slug: String,
    /// Name shown.
    pub name: String,
    /// Inbox or help desk.
    pub kind: WorkspaceKind,
    /// Who may open it.
    pub access: WorkspaceAccess,
    /// Seats accepted for automatic routing; the default depends on the kind (ROUTING 3.2).
    pub seats: Vec<Seat>,
    /// Closing a ticket closes its conversations and the reverse (ROUTING 12.3).
    pub close_together: bool,
    /// Reassigning somebody else's item needs its owner or a lead (ROUTING 2.2).
    pub reassign_limited: bool,
    /// Which work demands which skills; the first that applies wins (ROUTING 8.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skill_rules: Vec<SkillRule>,
    /// Service targets; none where absent (ROUTING 14.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla: Option<Sla>,
}

words! {
    /// When a contact is mailed what was said in a chat.
    Transcript {
        /// Never.
        Never = "never",
        /// When somebody at the desk asks for it.
        OnRequest = "on_request",
        /// When somebody asks for it, and when the chat is closed.
        OnClose = "on_close",
    }
}

/// The directory's side of a connected channel: where its work goes and by which rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChannelEntry {
    /// Id, never reused.
    pub id: ChannelId,
    /// The slug that the configuration uses, `[a-z0-9_]+`.
    pub slug: String,
    /// Name shown.
    pub name: String,
    /// Kind; must agree with the configuration.
    pub kind: ChannelKind,
    /// The workspace it feeds.
    pub workspace: WorkspaceId,
    /// Takes messages in; when off, adapters answer that the channel is closed.
    pub on: bool,
    /// Time zone of the channel hours.
    pub zone: String,
    /// Channel hours; empty is always open (ROUTING 4.6).
    pub hours: WeeklyHours,
    /// Holiday calendars, on whose dates in `zone` the channel is closed (ROUTING 4.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<String>,
    /// Owner of a reopened conversation.
    pub reopen_owner: ReopenOwner,
    /// How conversations of a live chat end, and what is mailed; the defaults when absent.
    #[serde(default)]
    pub chat: Option<ChatSettings>,
    /// The rule that is routed by; `None` leaves everything unassigned (ROUTING 2.1). With chatflows it is what they
    /// come to, which [`ChannelEntry::set_rules`] makes.
    pub rule: Option<Rule>,
    /// The chatflows of a live chat and the rule beside them; `None` where `rule` is the channel's own.
    #[serde(default)]
    pub chatflows: Option<Chatflows>,
}

/// How conversations of a live chat end, and what is mailed to contacts (ROUTING 12.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChatSettings {
    /// A chat closes itself after so many minutes of silence from the contact; 0 is never.
    pub close_after_min: u32,
    /// The email channel that replies go out through when the contact has left without reading them, and transcripts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_channel: Option<ChannelId>,
    /// When a contact with a known address is mailed what was said.
    pub transcript: Transcript,
    /// Whoever has waited so many minutes for an answer is asked whether they prefer it by mail; 0 is never.
    #[serde(default = "usual_offer_minutes")]
    pub offer_mail_after_minutes: u32,
}

const fn usual_offer_minutes() -> u32 {
    3
}

impl Default for ChatSettings {
    fn default() -> Self {
        Self {
            close_after_min: 30,
            mail_channel: None,
            transcript: Transcript::OnRequest,
            offer_mail_after_minutes: usual_offer_minutes(),
        }
    }
}

impl ChannelEntry {
    /// The settings in force of a live chat; `None` for any other channel.
    #[must_use]
    pub fn chat_settings(&self) -> Option<ChatSettings> {
        (self.kind == ChannelKind::Chat).then(|| self.chat.clone().unwrap_or_default())
    }
}

/// Zone data as it was when the directory version was made, so that history replays unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ZoneData(
    /// The bytes of a TZif file, in base64.
    pub String,
);

/// One immutable version of the directory. Every list is sorted by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Version, from 1 upwards; 0 is the empty directory before the first `apply`.
    pub version: i64,
    /// The highest id given out so far, over all kinds of entries.
    pub last_id: i64,
    /// Users, deactivated ones included.
    pub users: Vec<User>,
    /// Teams.
    pub teams: Vec<Team>,
    /// Workspaces.
    pub workspaces: Vec<Workspace>,
    /// Channels.
    pub channels: Vec<ChannelEntry>,
    /// Skills.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<Skill>,
    /// Holiday calendars by their key in directory files, `[a-z0-9_]+`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub holidays: BTreeMap<String, BTreeSet<CivilDate>>,
    /// In which order waiting items are served.
    #[serde(default)]
    pub queue_order: QueueOrder,
    /// Data of every zone that is named above.
    pub zones: BTreeMap<String, ZoneData>,
}

/// A stored directory that cannot be read.
#[derive(Debug, Error)]
#[error("directory version {version} cannot be read: {source}")]
pub struct InvalidDirectory {
    /// The version.
    pub version: i64,
    /// What the parser said.
    pub source: serde_json::Error,
}

impl Directory {
    /// The user with this id.
    #[must_use]
    pub fn user(&self, id: UserId) -> Option<&User> {
        find(&self.users, id, |user| user.id)
    }

    /// The user with this email address, whatever its letter case.
    #[must_use]
    pub fn user_by_email(&self, email: &str) -> Option<&User> {
        self.users.iter().find(|user| user.email.eq_ignore_ascii_case(email.trim()))
    }

    /// The team with this id.
    #[must_use]
    pub fn team(&self, id: TeamId) -> Option<&Team> {
        find(&self.teams, id, |team| team.id)
    }

    /// The workspace with this id.
    #[must_use]
    pub fn workspace(&self, id: WorkspaceId) -> Option<&Workspace> {
        find(&self.workspaces, id, |workspace| workspace.id)
    }

    /// The channel with this id.
    #[must_use]
    pub fn channel(&self, id: ChannelId) -> Option<&ChannelEntry> {
        find(&self.channels, id, |channel| channel.id)
    }

    /// The channel with this slug.
    #[must_use]
    pub fn channel_by_slug(&self, slug: &str) -> Option<&ChannelEntry> {
        self.channels.iter().find(|channel| channel.slug == slug)
    }

    /// The skill with this id.
    #[must_use]
    pub fn skill(&self, id: SkillId) -> Option<&Skill> {
        find(&self.skills, id, |skill| skill.id)
    }

    /// Main members of a team, by ascending id.
    pub fn main_members(&self, team: TeamId) -> impl Iterator<Item = &User> {
        self.users.iter().filter(move |user| user.team == Some(team))
    }
}

impl User {
    /// Main or extra member of the team.
    #[must_use]
    pub fn is_member(&self, team: TeamId) -> bool {
        self.team == Some(team) || self.extra_teams.contains(&team)
    }

    /// Active with the invitation accepted (ROUTING 3.1).
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.active && self.accepted
    }
}

impl Workspace {
    /// Whether the user may open the workspace: its access list, and ticket access for a help desk
    /// (ROUTING 3.3).
    #[must_use]
    pub fn may_open(&self, user: &User) -> bool {
        let listed = match &self.access {
            WorkspaceAccess::Everyone => true,
            WorkspaceAccess::Restricted { users, teams } => {
                users.contains(&user.id) || teams.iter().any(|team| user.is_member(*team))
            }
        };
        listed && (self.kind == WorkspaceKind::Inbox || user.ticket_access)
    }

    /// Seats that automatic routing accepts when nothing else is set (ROUTING 3.2).
    #[must_use]
    pub fn default_seats(kind: WorkspaceKind) -> Vec<Seat> {
        match kind {
            WorkspaceKind::Inbox => vec![Seat::Sales, Seat::Service],
            WorkspaceKind::HelpDesk => vec![Seat::Service],
        }
    }
}

fn find<T, I: Ord>(sorted: &[T], id: I, key: impl Fn(&T) -> I) -> Option<&T> {
    sorted.binary_search_by(|entry| key(entry).cmp(&id)).ok().map(|index| &sorted[index])
}
