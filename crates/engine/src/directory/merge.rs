//! Merges a directory file into the directory in force: names become ids, new entries get new ones.

mod rules;

pub(crate) use rules::set_rules;

use super::file::{CapacityFile, ChannelFile, ChatFile, DirectoryFile, UserFile, WorkspaceFile};
use super::zones::attach_zones;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_core::skill_uses;
use switchboard_model::{
    Capacity, CapacityWeights, ChannelEntry, ChannelId, ChannelKind, ChatSettings, Directory, Fault, OutOfOffice, QueueOrder,
    Skill, SkillId, Sla, Spoken, Team, TeamId, Timestamp, Transcript, User, UserId, UserSkill, Workspace, WorkspaceAccess,
    WorkspaceId,
};

/// Answers by mail are offered within a day or never.
const MAX_OFFER_MINUTES: u32 = 24 * 60;

/// How to treat what the file does not name.
#[derive(Clone, Copy, Debug, Default)]
pub struct MergeOptions {
    /// Absent users are deactivated, everything else that is absent is removed.
    pub prune: bool,
}

/// Reads a directory file and merges it into the directory in force. What could be read is merged even when reading had
/// faults, so that a fault in one part hides none in another.
///
/// # Errors
/// The faults of [`DirectoryFile::read`] and of [`merge`], all at once.
pub fn merge_text(current: &Directory, text: &str, options: MergeOptions) -> Result<Directory, Vec<Fault>> {
    let (file, mut faults) = DirectoryFile::read_what_is_there(text);
    match merge(current, &file, options) {
        Ok(directory) if faults.is_empty() => Ok(directory),
        merged => {
            faults.extend(merged.err().unwrap_or_default());
            Err(faults)
        }
    }
}

/// Merges a file into the directory in force; the result is to be stored as the next version.
///
/// # Errors
/// Names that resolve to nothing, duplicates and unknown zones, all at once. Whether the rules can work is
/// checked by `switchboard_core::validate` on the result.
pub fn merge(current: &Directory, file: &DirectoryFile, options: MergeOptions) -> Result<Directory, Vec<Fault>> {
    let mut merge = Merge::new(current, options);
    merge.name_everything(file);
    merge.settings(file);
    merge.skills(file);
    merge.holidays(file);
    merge.teams(file);
    merge.users(file);
    merge.workspaces(file);
    merge.channels(file);
    merge.check_skills_that_go();
    let mut directory = merge.next;
    let mut faults = merge.faults;
    faults.extend(attach_zones(&mut directory));
    if faults.is_empty() { Ok(directory) } else { Err(faults) }
}

/// The names of a directory, for resolving references.
#[derive(Default)]
struct Names {
    users: BTreeMap<String, UserId>,
    teams: BTreeMap<String, TeamId>,
    workspaces: BTreeMap<String, WorkspaceId>,
    channels: BTreeMap<String, ChannelId>,
    skills: BTreeMap<String, SkillId>,
    holidays: BTreeSet<String>,
}

struct Merge<'a> {
    current: &'a Directory,
    next: Directory,
    names: Names,
    faults: Vec<Fault>,
    options: MergeOptions,
}

impl<'a> Merge<'a> {
    fn new(current: &'a Directory, options: MergeOptions) -> Self {
        let mut next = current.clone();
        next.version = current.version + 1;
        Self { current, next, names: Names::default(), faults: Vec::new(), options }
    }

    /// Gives every name its id, so that references may run in any direction.
    fn name_everything(&mut self, file: &DirectoryFile) {
        let current = self.current;
        self.names.teams = current.teams.iter().map(|team| (team.slug.clone(), team.id)).collect();
        self.names.users = current.users.iter().map(|user| (user.email.clone(), user.id)).collect();
        self.names.workspaces = current.workspaces.iter().map(|entry| (entry.slug.clone(), entry.id)).collect();
        self.names.channels = current.channels.iter().map(|entry| (entry.slug.clone(), entry.id)).collect();
        self.names.skills = current.skills.iter().map(|skill| (skill.slug.clone(), skill.id)).collect();
        if !self.options.prune {
            self.names.holidays = current.holidays.keys().cloned().collect();
        }
        self.names.holidays.extend(file.holidays.iter().map(|calendar| calendar.slug.clone()));
        let last_id = &mut self.next.last_id;
        let faults = &mut self.faults;
        name_new(file.teams.iter().map(|entry| &entry.slug), "teams", &mut self.names.teams, TeamId, last_id, faults);
        name_new(file.users.iter().map(|entry| &entry.email), "users", &mut self.names.users, UserId, last_id, faults);
        name_new(
            file.workspaces.iter().map(|entry| &entry.slug),
            "workspaces",
            &mut self.names.workspaces,
            WorkspaceId,
            last_id,
            faults,
        );
        name_new(file.channels.iter().map(|entry| &entry.slug), "channels", &mut self.names.channels, ChannelId, last_id, faults);
        name_new(file.skills.iter().map(|entry| &entry.slug), "skills", &mut self.names.skills, SkillId, last_id, faults);
        name_once(file.holidays.iter().map(|entry| &entry.slug), "holidays", faults);
    }

    fn settings(&mut self, file: &DirectoryFile) {
        match file.queue_order {
            Some(order) => self.next.queue_order = order,
            None if self.options.prune => self.next.queue_order = QueueOrder::default(),
            None => {}
        }
    }

    fn skills(&mut self, file: &DirectoryFile) {
        if self.options.prune {
            self.next.skills.retain(|skill| file.skills.iter().any(|entry| entry.slug == skill.slug));
        }
        for entry in &file.skills {
            let Some(&id) = self.names.skills.get(&entry.slug) else { continue };
            let skill = Skill { id, slug: entry.slug.clone(), category: entry.category.clone(), name: entry.name.clone() };
            put(&mut self.next.skills, skill, |skill| skill.id);
        }
    }

    /// A skill in use stays (ROUTING 8.4), also where those who have it are not in the file.
    fn check_skills_that_go(&mut self) {
        for skill in self.current.skills.iter().filter(|skill| self.next.skill(skill.id).is_none()) {
            let uses = skill_uses(&self.next, skill.id);
            if !uses.is_empty() {
                let message = format!("is in use and cannot go; it is named in {}", uses.join(", "));
                self.faults.push(Fault::new(format!("skills.\"{}\"", skill.slug), message));
            }
        }
    }

    fn holidays(&mut self, file: &DirectoryFile) {
        if self.options.prune {
            self.next.holidays.retain(|slug, _| file.holidays.iter().any(|entry| entry.slug == *slug));
        }
        for entry in &file.holidays {
            self.next.holidays.insert(entry.slug.clone(), entry.dates.clone());
        }
    }

    fn teams(&mut self, file: &DirectoryFile) {
        if self.options.prune {
            self.next.teams.retain(|team| file.teams.iter().any(|entry| entry.slug == team.slug));
        }
        for (index, entry) in file.teams.iter().enumerate() {
            let Some(&id) = self.names.teams.get(&entry.slug) else { continue };
            let parent = entry.parent.as_ref().and_then(|slug| self.team(format!("teams[{index}].parent"), slug));
            let team = Team { id, slug: entry.slug.clone(), name: entry.name.clone(), parent, presence: entry.presence };
            put(&mut self.next.teams, team, |team| team.id);
        }
    }

    fn users(&mut self, file: &DirectoryFile) {
        if self.options.prune {
            for user in self.next.users.iter_mut().filter(|user| !file.users.iter().any(|entry| entry.email == user.email)) {
                user.active = false;
            }
        }
        for (index, entry) in file.users.iter().enumerate() {
            let Some(&id) = self.names.users.get(&entry.email) else { continue };
            let user = self.user(id, index, entry);
            put(&mut self.next.users, user, |user| user.id);
        }
    }

    fn user(&mut self, id: UserId, index: usize, entry: &UserFile) -> User {
        let team = entry.team.as_ref().and_then(|slug| self.team(format!("users[{index}].team"), slug));
        let extra_teams = (entry.extra_teams.iter().enumerate())
            .filter_map(|(nth, slug)| self.team(format!("users[{index}].extra_teams[{nth}]"), slug))
            .collect();
        let skills = (entry.skills.iter().enumerate())
            .filter_map(|(nth, held)| {
                let skill = self.skill(format!("users[{index}].skills[{nth}].skill"), &held.skill)?;
                Some(UserSkill { skill, level: held.level })
            })
            .collect();
        User {
            id,
            email: entry.email.clone(),
            name: entry.name.clone(),
            role: entry.role,
            seat: entry.seat,
            active: entry.active,
            accepted: entry.accepted,
            ticket_access: entry.ticket_access,
            team,
            extra_teams,
            zone: entry.zone.clone(),
            hours: entry.hours.clone(),
            holidays: self.calendars(&format!("users[{index}].holidays"), &entry.holidays),
            out_of_office: entry
                .out_of_office
                .iter()
                .map(|absence| OutOfOffice {
                    from: Timestamp(absence.from.as_millisecond()),
                    to: Timestamp(absence.to.as_millisecond()),
                })
                .collect(),
            capacity: capacity(&entry.capacity),
            skills,
            languages: (entry.languages.iter())
                .map(|spoken| Spoken { language: spoken.language.clone(), main: spoken.main })
                .collect(),
            language: entry.language.clone(),
        }
    }

    fn workspaces(&mut self, file: &DirectoryFile) {
        if self.options.prune {
            self.next.workspaces.retain(|workspace| file.workspaces.iter().any(|entry| entry.slug == workspace.slug));
        }
        for (index, entry) in file.workspaces.iter().enumerate() {
            let Some(&id) = self.names.workspaces.get(&entry.slug) else { continue };
            let workspace = self.workspace(id, index, entry);
            put(&mut self.next.workspaces, workspace, |workspace| workspace.id);
        }
    }

    fn workspace(&mut self, id: WorkspaceId, index: usize, entry: &WorkspaceFile) -> Workspace {
        let access = match &entry.access {
            None => WorkspaceAccess::Everyone,
            Some(access) => WorkspaceAccess::Restricted {
                users: (access.users.iter().enumerate())
                    .filter_map(|(nth, email)| self.person(format!("workspaces[{index}].access.users[{nth}]"), email))
                    .collect(),
                teams: (access.teams.iter().enumerate())
                    .filter_map(|(nth, slug)| self.team(format!("workspaces[{index}].access.teams[{nth}]"), slug))
                    .collect(),
            },
        };
        let skill_rules = (entry.skill_rules.iter().enumerate())
            .map(|(nth, rule)| self.skill_rule(&format!("workspaces[{index}].skill_rules[{nth}]"), rule))
            .collect();
        let sla = entry.sla.clone().map(|sla| {
            let holidays = self.calendars(&format!("workspaces[{index}].sla.holidays"), &sla.holidays);
            Sla { holidays, ..sla }
        });
        Workspace {
            id,
            slug: entry.slug.clone(),
            name: entry.name.clone(),
            kind: entry.kind,
            access,
            seats: entry.seats.clone().unwrap_or_else(|| Workspace::default_seats(entry.kind)),
            close_together: entry.close_together,
            reassign_limited: entry.reassign_limited,
            skill_rules,
            sla,
        }
    }

    fn channels(&mut self, file: &DirectoryFile) {
        if self.options.prune {
            self.next.channels.retain(|channel| file.channels.iter().any(|entry| entry.slug == channel.slug));
        }
        for (index, entry) in file.channels.iter().enumerate() {
            let Some(&id) = self.names.channels.get(&entry.slug) else { continue };
            let channel = self.channel(id, index, entry, file);
            put(&mut self.next.channels, channel, |channel| channel.id);
        }
    }

    fn channel(&mut self, id: ChannelId, index: usize, entry: &ChannelFile, file: &DirectoryFile) -> ChannelEntry {
        let key = format!("channels[{index}].workspace");
        let workspace = match entry.workspace.as_str() {
            "" => None, // Reading the file has said so.
            slug => self.workspace_id(key, slug),
        };
        let own = entry.rule.as_ref().map(|rule| self.rule(&format!("channels[{index}].rule"), rule));
        let chatflows = (entry.chatflows.iter().enumerate())
            .map(|(nth, flow)| self.chatflow(&format!("channels[{index}].chatflows[{nth}]"), flow))
            .collect();
        let mut channel = ChannelEntry {
            id,
            slug: entry.slug.clone(),
            name: entry.name.clone(),
            kind: entry.kind,
            workspace: workspace.unwrap_or(WorkspaceId(0)),
            on: entry.on,
            zone: entry.zone.clone(),
            hours: entry.hours.clone(),
            holidays: self.calendars(&format!("channels[{index}].holidays"), &entry.holidays),
            reopen_owner: entry.reopen_owner,
            chat: entry.chat.as_ref().map(|chat| self.chat(&format!("channels[{index}].chat"), entry, chat, file)),
            rule: None,
            chatflows: None,
        };
        set_rules(self.current.channel(id), &mut channel, chatflows, own, self.next.version);
        channel
    }

    /// How chats end, and the email channel of the file or the directory in force that mails go through.
    fn chat(&mut self, key: &str, channel: &ChannelFile, chat: &ChatFile, file: &DirectoryFile) -> ChatSettings {
        if channel.kind != ChannelKind::Chat {
            let message = format!("belongs to channels of kind `chat`; `{}` is of kind `{}`", channel.slug, channel.kind);
            self.faults.push(Fault::new(key, message));
        }
        let named = chat.mail_channel.as_deref().map(|slug| (slug, format!("{key}.mail_channel")));
        let mail_channel = named.and_then(|(slug, key)| {
            let id = resolve(&self.names.channels, key.clone(), "channel", slug, &mut self.faults)?;
            let in_file = file.channels.iter().find(|other| other.slug == slug).map(|other| other.kind);
            let kind = in_file.or_else(|| self.current.channel(id).map(|other| other.kind));
            if kind.is_some_and(|kind| kind != ChannelKind::Email) {
                self.faults.push(Fault::new(key, format!("`{slug}` is no channel of kind `email`")));
            }
            Some(id)
        });
        if chat.transcript == Transcript::OnClose && chat.mail_channel.is_none() {
            self.faults.push(Fault::new(format!("{key}.transcript"), "`on_close` needs a `mail_channel` to go out through"));
        }
        if chat.offer_mail_after_minutes > MAX_OFFER_MINUTES {
            let found = chat.offer_mail_after_minutes;
            let message = format!("{found} is out of range; it is 0 to {MAX_OFFER_MINUTES}");
            self.faults.push(Fault::new(format!("{key}.offer_mail_after_minutes"), message));
        }
        ChatSettings {
            close_after_min: chat.close_after_min,
            mail_channel,
            transcript: chat.transcript,
            offer_mail_after_minutes: chat.offer_mail_after_minutes,
        }
    }

    fn team(&mut self, key: String, slug: &str) -> Option<TeamId> {
        resolve(&self.names.teams, key, "team", slug, &mut self.faults)
    }

    fn skill(&mut self, key: String, slug: &str) -> Option<SkillId> {
        match slug.trim() {
            "" => None, // Reading the file has said so.
            slug => resolve(&self.names.skills, key, "skill", slug, &mut self.faults),
        }
    }

    fn workspace_id(&mut self, key: String, slug: &str) -> Option<WorkspaceId> {
        resolve(&self.names.workspaces, key, "workspace", slug, &mut self.faults)
    }

    fn calendars(&mut self, key: &str, slugs: &[String]) -> Vec<String> {
        for (nth, slug) in slugs.iter().enumerate().filter(|(_, slug)| !self.names.holidays.contains(*slug)) {
            let known = self.names.holidays.iter().map(String::as_str);
            self.faults.push(Fault::unknown(format!("{key}[{nth}]"), "holiday calendar", slug, known));
        }
        slugs.to_vec()
    }

    fn person(&mut self, key: String, email: &str) -> Option<UserId> {
        resolve(&self.names.users, key, "user", &email.trim().to_lowercase(), &mut self.faults)
    }
}

fn name_new<'a, I: Copy>(
    keys: impl Iterator<Item = &'a String>,
    list: &str,
    names: &mut BTreeMap<String, I>,
    id: fn(i64) -> I,
    last_id: &mut i64,
    faults: &mut Vec<Fault>,
) {
    for key in name_once(keys, list, faults) {
        names.entry(key.clone()).or_insert_with(|| {
            *last_id += 1;
            id(*last_id)
        });
    }
}

/// The keys of a list; one that stands there twice is a fault.
fn name_once<'a>(keys: impl Iterator<Item = &'a String>, list: &str, faults: &mut Vec<Fault>) -> Vec<&'a String> {
    let mut seen = BTreeMap::new();
    // A key that could not be read is empty, and has its fault already.
    let keys: Vec<(usize, &String)> = keys.enumerate().filter(|(_, key)| !key.is_empty()).collect();
    for (index, key) in &keys {
        if let Some(first) = seen.insert(*key, index) {
            faults.push(Fault::new(format!("{list}[{index}]"), format!("`{key}` stands in {list}[{first}] already")));
        }
    }
    keys.into_iter().map(|(_, key)| key).collect()
}

fn capacity(file: &CapacityFile) -> Capacity {
    let weights = file.weights.as_ref();
    Capacity {
        total: file.total,
        per_type: file.per_type.to_map(),
        leave_out: file.leave_out,
        weights: weights.map(|weights| CapacityWeights { limit: weights.limit, per_type: weights.per_type.to_map() }),
    }
}

fn resolve<I: Copy>(names: &BTreeMap<String, I>, key: String, what: &str, name: &str, faults: &mut Vec<Fault>) -> Option<I> {
    let found = names.get(name).copied();
    if found.is_none() {
        faults.push(Fault::unknown(key, what, name, names.keys().map(String::as_str)));
    }
    found
}

fn put<T, I: Ord>(sorted: &mut Vec<T>, entry: T, key: impl Fn(&T) -> I) {
    match sorted.binary_search_by(|other| key(other).cmp(&key(&entry))) {
        Ok(index) => sorted[index] = entry,
        Err(index) => sorted.insert(index, entry),
    }
}
