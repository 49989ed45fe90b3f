//! Writes a directory as a file that reads back to the same directory.

use super::file::{
    AbsenceFile, AccessFile, CapacityFile, ChannelFile, ChatFile, DirectoryFile, HolidaysFile, PerTypeFile, SkillFile,
    SpokenFile, TeamFile, UserFile, UserSkillFile, WeightsFile, WorkspaceFile,
};
use super::rule_file::{CaseFile, ChatflowFile, DemandFile, FallbackFile, OverflowFile, RuleFile, SkillRuleFile, TargetFile};
use jiff::Timestamp as Instant;
use switchboard_model::{
    Capacity, Case, ChannelEntry, ChatSettings, Demand, Directory, Fallback, Member, Rule, SkillId, SkillRule, Target, TeamId,
    Timestamp, User, UserId, Wanted, Workspace, WorkspaceAccess, WorkspaceId,
};

/// The directory as TOML text.
#[must_use]
pub fn export(directory: &Directory) -> String {
    toml::to_string_pretty(&to_file(directory)).expect("a directory file is made of tables, lists and plain values")
}

/// The directory in the shapes of the file. References to entries that are gone are left out.
pub(super) fn to_file(directory: &Directory) -> DirectoryFile {
    let names = Names(directory);
    DirectoryFile {
        queue_order: Some(directory.queue_order),
        skills: (directory.skills.iter())
            .map(|skill| SkillFile { slug: skill.slug.clone(), name: skill.name.clone(), category: skill.category.clone() })
            .collect(),
        holidays: (directory.holidays.iter())
            .map(|(slug, dates)| HolidaysFile { slug: slug.clone(), dates: dates.clone() })
            .collect(),
        teams: directory
            .teams
            .iter()
            .map(|team| TeamFile {
                slug: team.slug.clone(),
                name: team.name.clone(),
                parent: team.parent.and_then(|id| names.team(id)),
                presence: team.presence,
            })
            .collect(),
        users: directory.users.iter().map(|user| names.user_file(user)).collect(),
        workspaces: directory.workspaces.iter().map(|workspace| names.workspace_file(workspace)).collect(),
        channels: directory.channels.iter().map(|channel| names.channel_file(channel)).collect(),
    }
}

struct Names<'a>(&'a Directory);

impl Names<'_> {
    fn team(&self, id: TeamId) -> Option<String> {
        self.0.team(id).map(|team| team.slug.clone())
    }

    fn person(&self, id: UserId) -> Option<String> {
        self.0.user(id).map(|user| user.email.clone())
    }

    fn skill(&self, id: SkillId) -> Option<String> {
        self.0.skill(id).map(|skill| skill.slug.clone())
    }

    fn user_file(&self, user: &User) -> UserFile {
        UserFile {
            email: user.email.clone(),
            name: user.name.clone(),
            role: user.role,
            seat: user.seat,
            active: user.active,
            accepted: user.accepted,
            ticket_access: user.ticket_access,
            team: user.team.and_then(|id| self.team(id)),
            extra_teams: user.extra_teams.iter().filter_map(|id| self.team(*id)).collect(),
            zone: user.zone.clone(),
            hours: user.hours.clone(),
            out_of_office: user
                .out_of_office
                .iter()
                .map(|absence| AbsenceFile { from: instant(absence.from), to: instant(absence.to) })
                .collect(),
            capacity: capacity_file(&user.capacity),
            holidays: user.holidays.clone(),
            languages: (user.languages.iter())
                .map(|spoken| SpokenFile { language: spoken.language.clone(), main: spoken.main })
                .collect(),
            skills: (user.skills.iter())
                .filter_map(|held| Some(UserSkillFile { skill: self.skill(held.skill)?, level: held.level }))
                .collect(),
            language: user.language.clone(),
        }
    }

    fn workspace_file(&self, workspace: &Workspace) -> WorkspaceFile {
        let access = match &workspace.access {
            WorkspaceAccess::Everyone => None,
            WorkspaceAccess::Restricted { users, teams } => Some(AccessFile {
                users: users.iter().filter_map(|id| self.person(*id)).collect(),
                teams: teams.iter().filter_map(|id| self.team(*id)).collect(),
            }),
        };
        WorkspaceFile {
            slug: workspace.slug.clone(),
            name: workspace.name.clone(),
            kind: workspace.kind,
            access,
            seats: (workspace.seats != Workspace::default_seats(workspace.kind)).then(|| workspace.seats.clone()),
            close_together: workspace.close_together,
            reassign_limited: workspace.reassign_limited,
            sla: workspace.sla.clone(),
            skill_rules: workspace.skill_rules.iter().map(|rule| self.skill_rule_file(rule)).collect(),
        }
    }

    fn skill_rule_file(&self, rule: &SkillRule) -> SkillRuleFile {
        SkillRuleFile { when: rule.when.clone(), demands: rule.demands.iter().map(|demand| self.demand_file(demand)).collect() }
    }

    fn demand_file(&self, demand: &Demand) -> DemandFile {
        let (required, relax_after_s) = (demand.required, demand.relax_after_s);
        let common = DemandFile { required, relax_after_s, ..DemandFile::default() };
        match &demand.wanted {
            Wanted::Skill { skill, min_level, best_first } => DemandFile {
                skill: Some(self.skill(*skill).unwrap_or_default()),
                min_level: (*min_level != 1).then_some(*min_level),
                best_first: *best_first,
                ..common
            },
            Wanted::Language { language } => DemandFile { language: Some(language.clone()), ..common },
        }
    }

    fn channel_file(&self, channel: &ChannelEntry) -> ChannelFile {
        ChannelFile {
            slug: channel.slug.clone(),
            name: channel.name.clone(),
            kind: channel.kind,
            workspace: self.workspace(channel.workspace).unwrap_or_default(),
            on: channel.on,
            zone: channel.zone.clone(),
            hours: channel.hours.clone(),
            holidays: channel.holidays.clone(),
            reopen_owner: channel.reopen_owner,
            chat: channel.chat.as_ref().map(|chat| self.chat_file(chat)),
            rule: channel.own_rule().map(|rule| self.rule_file(rule)),
            chatflows: (channel.chatflows().iter())
                .map(|flow| ChatflowFile {
                    slug: flow.slug.clone(),
                    name: flow.name.clone(),
                    when: flow.when.clone(),
                    rule: flow.rule.as_ref().map(|rule| self.rule_file(rule)),
                })
                .collect(),
        }
    }

    fn chat_file(&self, chat: &ChatSettings) -> ChatFile {
        let mail_channel = chat.mail_channel.and_then(|id| self.0.channel(id)).map(|channel| channel.slug.clone());
        ChatFile {
            close_after_min: chat.close_after_min,
            mail_channel,
            transcript: chat.transcript,
            offer_mail_after_minutes: chat.offer_mail_after_minutes,
        }
    }

    fn rule_file(&self, rule: &Rule) -> RuleFile {
        RuleFile { on: rule.on, cases: rule.cases.iter().map(|case| self.case_file(case)).collect() }
    }

    fn case_file(&self, case: &Case) -> CaseFile {
        CaseFile {
            when: case.when.clone(),
            target: match &case.target {
                Target::Nobody => TargetFile::Nobody,
                Target::UsersAndTeams { members } => TargetFile::UsersAndTeams(self.members(members)),
                Target::TeamOnly { team } => TargetFile::TeamOnly(self.team(*team).unwrap_or_default()),
                Target::ContactOwner { require_cookie, fallback } => {
                    TargetFile::ContactOwner { require_cookie: *require_cookie, fallback: self.fallback(fallback) }
                }
                Target::Assistant { if_cannot_answer } => {
                    TargetFile::Assistant { if_cannot_answer: self.fallback(if_cannot_answer) }
                }
            },
            distribution: case.distribution,
            weights: (case.weights.iter()).filter_map(|(member, weight)| Some((self.member(*member)?, *weight))).collect(),
            only_available: case.only_available,
            when_nobody: case.when_nobody,
            outside_hours: case.outside_hours,
            affinity_days: case.affinity_days,
            hand_back: case.hand_back,
            overflow: (case.overflow.iter())
                .map(|step| OverflowFile {
                    after_s: step.after_s,
                    to: self.members(&step.members),
                    workspaces: step.workspaces.iter().filter_map(|id| self.workspace(*id)).collect(),
                })
                .collect(),
        }
    }

    fn fallback(&self, fallback: &Fallback) -> FallbackFile {
        match fallback {
            Fallback::Nobody => FallbackFile::Nobody,
            Fallback::User { user } => FallbackFile::User(self.person(*user).unwrap_or_default()),
            Fallback::UsersAndTeams { members } => FallbackFile::UsersAndTeams(self.members(members)),
        }
    }

    fn members(&self, members: &[Member]) -> Vec<String> {
        members.iter().filter_map(|member| self.member(*member)).collect()
    }

    fn member(&self, member: Member) -> Option<String> {
        match member {
            Member::User(id) => self.person(id),
            Member::Team(id) => self.team(id).map(|slug| format!("team:{slug}")),
        }
    }

    fn workspace(&self, id: WorkspaceId) -> Option<String> {
        self.0.workspace(id).map(|workspace| workspace.slug.clone())
    }
}

fn capacity_file(capacity: &Capacity) -> CapacityFile {
    let weights = capacity.weights.as_ref();
    CapacityFile {
        total: capacity.total,
        leave_out: capacity.leave_out,
        per_type: PerTypeFile::from_map(&capacity.per_type),
        weights: weights.map(|weights| WeightsFile { limit: weights.limit, per_type: PerTypeFile::from_map(&weights.per_type) }),
    }
}

fn instant(at: Timestamp) -> Instant {
    Instant::from_millisecond(at.0).unwrap_or(Instant::UNIX_EPOCH)
}
