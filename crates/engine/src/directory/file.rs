//! The shapes of a directory file, as people write them.

use super::entry::Entry;
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use switchboard_model::{
    ChannelKind, Condition, Distribution, Fault, OutsideHours, ReopenOwner, Role, Seat, WeeklyHours, WhenNobody, WorkType,
    WorkspaceKind,
};

/// A directory file. Lists are in file order, which is the order in which new entries get their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DirectoryFile {
    /// Teams.
    pub teams: Vec<TeamFile>,
    /// Users.
    pub users: Vec<UserFile>,
    /// Workspaces.
    pub workspaces: Vec<WorkspaceFile>,
    /// Channels.
    pub channels: Vec<ChannelFile>,
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
    /// Absences as instants, `2026-12-24T00:00:00+01:00`.
    pub out_of_office: Vec<AbsenceFile>,
    /// Limits on open work.
    pub capacity: CapacityFile,
    /// Desk language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
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

/// Limits on open work, `{ total = 10, chat = 3 }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapacityFile {
    /// Over all types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
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
    /// Who may open it; absent is everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessFile>,
    /// Accepted seats; absent is the default of the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seats: Option<Vec<Seat>>,
    /// Ticket and conversation close together; true when absent.
    pub close_together: bool,
    /// Only the owner and leads reassign; false when absent.
    pub reassign_limited: bool,
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
    /// Owner of what is reopened; `keep` when absent.
    pub reopen_owner: ReopenOwner,
    /// The rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleFile>,
}

/// `[channels.rule]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleFile {
    /// Applies; true when absent.
    pub on: bool,
    /// `[[channels.rule.cases]]`
    pub cases: Vec<CaseFile>,
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
    /// Skip people who are not available; true when absent.
    pub only_available: bool,
    /// When nobody is eligible; `unassigned` when absent.
    pub when_nobody: WhenNobody,
    /// Outside channel hours; `route` when absent.
    pub outside_hours: OutsideHours,
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

impl DirectoryFile {
    /// Reads a file's text; every fault at once.
    ///
    /// # Errors
    /// The faults, with key paths such as `users[2].team`; a file that is no TOML is one fault with its line.
    pub fn read(text: &str) -> Result<Self, Vec<Fault>> {
        match Self::read_what_is_there(text) {
            (file, faults) if faults.is_empty() => Ok(file),
            (_, faults) => Err(faults),
        }
    }

    /// What could be read of a file's text, beside the faults: other parts can be checked on it, but nothing that has
    /// faults may come into force. Missing and faulty values stand there as defaults, missing keys of entries as the
    /// empty text.
    pub(crate) fn read_what_is_there(text: &str) -> (Self, Vec<Fault>) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => return (Self::default(), vec![syntax_fault(text, &error)]),
        };
        let mut faults = Vec::new();
        let mut root = Entry::new("", table);
        let file = Self {
            teams: read_all(&mut root, "teams", &mut faults, read_team),
            users: read_all(&mut root, "users", &mut faults, read_user),
            workspaces: read_all(&mut root, "workspaces", &mut faults, read_workspace),
            channels: read_all(&mut root, "channels", &mut faults, read_channel),
        };
        root.finish(&mut faults);
        (file, faults)
    }
}

impl CapacityFile {
    /// The limits per type that are set.
    #[must_use]
    pub fn per_type(&self) -> BTreeMap<WorkType, u32> {
        [(WorkType::Chat, self.chat), (WorkType::Mail, self.mail), (WorkType::Call, self.call)]
            .into_iter()
            .filter_map(|(kind, limit)| limit.map(|limit| (kind, limit)))
            .collect()
    }
}

/// A TOML syntax error with its line and column.
#[must_use]
pub fn syntax_fault(text: &str, error: &toml::de::Error) -> Fault {
    let message = error.message().trim().replace('\n', " ");
    match error.span() {
        Some(span) => {
            let before = &text[..span.start.min(text.len())];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
            Fault::new(format!("line {line}, column {column}"), message)
        }
        None => Fault::new("file", message),
    }
}

fn read_all<T>(root: &mut Entry, key: &'static str, faults: &mut Vec<Fault>, read: fn(&mut Entry) -> T) -> Vec<T> {
    let mut all = Vec::new();
    for mut entry in root.entries(key) {
        all.push(read(&mut entry));
        entry.finish(faults);
    }
    all
}

fn read_team(entry: &mut Entry) -> TeamFile {
    let slug = read_slug(entry);
    TeamFile { name: entry.optional("name").unwrap_or_else(|| slug.clone()), slug, parent: entry.optional("parent") }
}

fn read_user(entry: &mut Entry) -> UserFile {
    let email = entry.required_text("email").to_lowercase();
    if !email.is_empty() && !email.contains('@') {
        entry.fault("email", format!("`{email}` is no email address"));
    }
    UserFile {
        name: entry.optional("name").unwrap_or_else(|| email.clone()),
        email,
        role: entry.optional("role").unwrap_or(Role::Agent),
        seat: entry.optional("seat").unwrap_or(Seat::None),
        active: entry.optional("active").unwrap_or(true),
        accepted: entry.optional("accepted").unwrap_or(true),
        ticket_access: entry.optional("ticket_access").unwrap_or(true),
        team: entry.optional("team"),
        extra_teams: entry.optional("extra_teams").unwrap_or_default(),
        zone: entry.optional("zone").unwrap_or_else(utc),
        hours: entry.optional("hours").unwrap_or_default(),
        out_of_office: entry.optional("out_of_office").unwrap_or_default(),
        capacity: entry.optional("capacity").unwrap_or_default(),
        language: entry.optional("language"),
    }
}

fn read_workspace(entry: &mut Entry) -> WorkspaceFile {
    let slug = read_slug(entry);
    WorkspaceFile {
        name: entry.optional("name").unwrap_or_else(|| slug.clone()),
        slug,
        kind: entry.optional("kind").unwrap_or_else(|| {
            entry.fault("kind", "missing; it is `inbox` or `help_desk`");
            WorkspaceKind::Inbox
        }),
        access: entry.optional("access"),
        seats: entry.optional("seats"),
        close_together: entry.optional("close_together").unwrap_or(true),
        reassign_limited: entry.optional("reassign_limited").unwrap_or(false),
    }
}

fn read_channel(entry: &mut Entry) -> ChannelFile {
    let slug = read_slug(entry);
    ChannelFile {
        name: entry.optional("name").unwrap_or_else(|| slug.clone()),
        slug,
        kind: entry.optional("kind").unwrap_or_else(|| {
            entry.fault("kind", "missing; it is the kind of the channel in the configuration, such as `email`");
            ChannelKind::Email
        }),
        workspace: entry.required_text("workspace"),
        on: entry.optional("on").unwrap_or(true),
        zone: entry.optional("zone").unwrap_or_else(utc),
        hours: entry.optional("hours").unwrap_or_default(),
        reopen_owner: entry.optional("reopen_owner").unwrap_or(ReopenOwner::Keep),
        rule: read_rule(entry),
    }
}

fn read_rule(channel: &mut Entry) -> Option<RuleFile> {
    let mut entry = channel.entry("rule")?;
    let on = entry.optional("on").unwrap_or(true);
    let cases = entry.required_entries("cases").into_iter().map(|case| read_case(&mut entry, case)).collect();
    channel.absorb(entry);
    Some(RuleFile { on, cases })
}

fn read_case(rule: &mut Entry, mut entry: Entry) -> CaseFile {
    let case = CaseFile {
        when: entry.optional("when"),
        target: entry.required_or("target", TargetFile::Nobody),
        distribution: entry.optional("distribution"),
        only_available: entry.optional("only_available").unwrap_or(true),
        when_nobody: entry.optional("when_nobody").unwrap_or(WhenNobody::Unassigned),
        outside_hours: entry.optional("outside_hours").unwrap_or(OutsideHours::Route),
    };
    rule.absorb(entry);
    case
}

fn read_slug(entry: &mut Entry) -> String {
    let slug = entry.required_text("slug");
    if !slug.is_empty() && !slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        entry.fault("slug", format!("`{slug}` may hold only a-z, 0-9 and _"));
    }
    slug
}

fn utc() -> String {
    String::from("UTC")
}
