//! Reads a directory file: every table key by key, every fault at once.

use super::entry::Entry;
use super::file::{
    CapacityFile, ChannelFile, ChatFile, DirectoryFile, HolidaysFile, PerTypeFile, SkillFile, SpokenFile, TeamFile, UserFile,
    UserSkillFile, WeightsFile, WorkspaceFile,
};
use super::read_rule::{read_chatflow, read_rule, read_skill_rule};
use switchboard_model::{
    ChannelKind, ChatSettings, CivilDate, Fault, LeaveOut, Presence, ReopenOwner, Role, SKILL_LEVELS, Seat, Sla, WeeklyHours,
    WorkspaceKind,
};
use toml::Value;

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
            queue_order: root.optional("queue_order"),
            skills: read_all(&mut root, "skills", &mut faults, read_skill),
            holidays: read_all(&mut root, "holidays", &mut faults, read_holidays),
            teams: read_all(&mut root, "teams", &mut faults, read_team),
            users: read_all(&mut root, "users", &mut faults, read_user),
            workspaces: read_all(&mut root, "workspaces", &mut faults, read_workspace),
            channels: read_all(&mut root, "channels", &mut faults, read_channel),
        };
        // Test cases of rules are run by `check` and are no part of the directory.
        root.skip("tests");
        root.finish(&mut faults);
        (file, faults)
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

fn read_skill(entry: &mut Entry) -> SkillFile {
    let slug = read_slug(entry);
    SkillFile { name: entry.optional("name").unwrap_or_else(|| slug.clone()), slug, category: entry.required_text("category") }
}

fn read_holidays(entry: &mut Entry) -> HolidaysFile {
    let slug = read_slug(entry);
    let elsewhere = entry.has("ical");
    entry.skip("ical");
    if elsewhere {
        let message = "an iCal file is read by `switchboard apply` and `check`, which have it at hand; write `dates` here";
        entry.fault("ical", message);
    } else if !entry.has("dates") {
        entry.fault("dates", "missing; name `dates`, or with `ical` a file that holds them");
    }
    let dates = entry.list("dates", read_date).into_iter().collect();
    HolidaysFile { slug, dates }
}

/// TOML has dates of its own, and a text does as well.
fn read_date(value: Value) -> Result<CivilDate, String> {
    match value {
        Value::String(text) => text,
        Value::Datetime(date) => date.to_string(),
        other => other.to_string(),
    }
    .parse()
    .map_err(|error: switchboard_model::InvalidDate| error.to_string())
}

fn read_team(entry: &mut Entry) -> TeamFile {
    let slug = read_slug(entry);
    TeamFile {
        name: entry.optional("name").unwrap_or_else(|| slug.clone()),
        slug,
        parent: entry.optional("parent"),
        presence: entry.nested("presence", |presence| Presence { away_after_min: presence.required("away_after_min") }),
    }
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
        holidays: entry.optional("holidays").unwrap_or_default(),
        languages: entry.list("languages", read_spoken),
        language: entry.optional("language"),
        out_of_office: entry.optional("out_of_office").unwrap_or_default(),
        capacity: read_capacity(entry),
        skills: entry.each("skills", read_user_skill),
    }
}

fn read_spoken(value: Value) -> Result<SpokenFile, String> {
    match value {
        Value::String(text) => text.parse(),
        other => Err(format!("must be a text like `nb` or `en:secondary`, not {}", other.type_str())),
    }
}

fn read_user_skill(entry: &mut Entry) -> UserSkillFile {
    UserSkillFile { skill: entry.required_text("skill"), level: read_level(entry, "level", true).unwrap_or(1) }
}

/// A level of a skill (ROUTING 8.1).
pub(super) fn read_level(entry: &mut Entry, key: &'static str, required: bool) -> Option<u8> {
    if required && !entry.has(key) {
        entry.fault(key, "missing; levels go from 1 to 5");
    }
    let found: Option<i64> = entry.optional(key);
    let level = found.and_then(|level| u8::try_from(level).ok()).filter(|level| SKILL_LEVELS.contains(level));
    if let (Some(found), None) = (found, level) {
        entry.fault(key, format!("{found} is no level; levels go from 1 to 5"));
    }
    level
}

fn read_capacity(user: &mut Entry) -> CapacityFile {
    user.nested("capacity", |entry| CapacityFile {
        total: entry.optional("total"),
        per_type: read_per_type(entry),
        leave_out: entry.nested("leave_out", read_leave_out).unwrap_or_default(),
        weights: entry
            .nested("weights", |weights| WeightsFile { limit: weights.required("limit"), per_type: read_per_type(weights) }),
    })
    .unwrap_or_default()
}

fn read_leave_out(entry: &mut Entry) -> LeaveOut {
    LeaveOut {
        older_than_days: entry.optional("older_than_days"),
        waiting_on_contact: entry.optional("waiting_on_contact").unwrap_or(false),
    }
}

fn read_per_type(entry: &mut Entry) -> PerTypeFile {
    PerTypeFile { chat: entry.optional("chat"), mail: entry.optional("mail"), call: entry.optional("call") }
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
        seats: entry.optional("seats"),
        close_together: entry.optional("close_together").unwrap_or(true),
        reassign_limited: entry.optional("reassign_limited").unwrap_or(false),
        access: entry.optional("access"),
        sla: entry.nested("sla", read_sla),
        skill_rules: entry.each("skill_rules", read_skill_rule),
    }
}

fn read_sla(entry: &mut Entry) -> Sla {
    let (hours, holidays): (WeeklyHours, Vec<String>) =
        (entry.optional("hours").unwrap_or_default(), entry.optional("holidays").unwrap_or_default());
    let asks_zone = !hours.0.is_empty() || !holidays.is_empty();
    Sla {
        first_reply_min: entry.optional("first_reply_min"),
        next_reply_min: entry.optional("next_reply_min"),
        close_min: entry.optional("close_min"),
        zone: entry.optional("zone").unwrap_or_else(|| if asks_zone { utc() } else { String::new() }),
        hours,
        holidays,
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
        holidays: entry.optional("holidays").unwrap_or_default(),
        reopen_owner: entry.optional("reopen_owner").unwrap_or(ReopenOwner::Keep),
        chat: entry.nested("chat", read_chat),
        rule: read_rule(entry),
        chatflows: entry.each("chatflows", read_chatflow),
    }
}

fn read_chat(entry: &mut Entry) -> ChatFile {
    let usual = ChatSettings::default();
    ChatFile {
        close_after_min: entry.optional("close_after_min").unwrap_or(usual.close_after_min),
        mail_channel: entry.optional("mail_channel"),
        transcript: entry.optional("transcript").unwrap_or(usual.transcript),
        offer_mail_after_minutes: entry.optional("offer_mail_after_minutes").unwrap_or(usual.offer_mail_after_minutes),
    }
}

pub(super) fn read_slug(entry: &mut Entry) -> String {
    let slug = entry.required_text("slug");
    if !slug.is_empty() && !slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        entry.fault("slug", format!("`{slug}` may hold only a-z, 0-9 and _"));
    }
    slug
}

fn utc() -> String {
    String::from("UTC")
}
