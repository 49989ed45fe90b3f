//! The directory made ready for decisions: people's profiles, shared calendars, and who stands in which case.
//! Made once per directory version.

use crate::calendar::{Absences, Calendar, zones};
use crate::eligibility::standing;
use crate::people::{People, PersonIndex, Profile, TYPES};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use switchboard_model::{
    Capacity, Case, ChannelEntry, ChannelId, CivilDate, Directory, Distribution, Fallback, Member, SkipReason, Target, TeamId,
    User, WeeklyHours, WorkType, Workspace, WorkspaceId,
};

/// A directory version made ready.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The directory.
    pub directory: Arc<Directory>,
    /// A case goes by how long people were idle over the shift (ROUTING 6.5).
    pub goes_by_idle_total: bool,
    /// Every age, in days, at which items stop using capacity of somebody; ascending.
    pub ages: Vec<u32>,
    channels: BTreeMap<ChannelId, ChannelPlan>,
}

/// A channel made ready.
#[derive(Clone, Debug)]
pub(crate) struct ChannelPlan {
    /// Position in the directory's list of channels.
    position: usize,
    /// Position of its hours in the list of calendars.
    pub calendar: usize,
    /// Per case.
    pub cases: Vec<CasePlan>,
}

/// A case made ready: the people it lists, if it lists any, before its first overflow step and after each.
#[derive(Clone, Debug)]
pub(crate) struct CasePlan {
    /// One more than there are steps.
    pub levels: Vec<Option<Roster>>,
    /// The names have weights (ROUTING 6.2).
    pub weighted: bool,
}

/// The people of a case in candidate order, teams expanded and duplicates dropped (ROUTING 6.2).
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    /// Everybody named.
    pub entries: Vec<Entry>,
    /// Per entry: why the person is skipped at any time in the channel's workspace (ROUTING 3.1 to 3.4).
    pub skipped: Vec<Option<SkipReason>>,
    /// Positions of the entries that are not.
    pub routable: Vec<u32>,
    /// The number of this list; equal lists have equal numbers.
    pub number: u32,
    /// Everybody named, with the position, sorted.
    named: Vec<(PersonIndex, u32)>,
}

/// A person in a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// The person.
    pub person: PersonIndex,
    /// The team through which the person was reached first; none when named directly first.
    pub team: Option<TeamId>,
    /// False for somebody who is named only through a team without being a main member of it (ROUTING 3.4).
    pub main: bool,
    /// The weight of the name through which the person was reached.
    pub weight: u32,
}

/// Part of a list of people.
#[derive(Clone, Copy, Debug)]
enum Listed<'a> {
    /// A name.
    Member(Member),
    /// Everybody selectable in one of these (ROUTING 7.5).
    Workspaces(&'a [WorkspaceId]),
}

/// What lists are turned into people by.
struct Lister<'a> {
    directory: &'a Directory,
    people: &'a People,
    members: BTreeMap<TeamId, Members>,
}

/// Somebody listed, by the position in the directory.
#[derive(Clone, Copy, Debug)]
struct Found {
    at: usize,
    team: Option<TeamId>,
    main: bool,
    weight: u32,
}

/// Main and extra members of a team, positions in the list of users by ascending user id.
#[derive(Debug, Default)]
struct Members {
    main: Vec<usize>,
    extra: Vec<usize>,
}

impl Plan {
    /// Makes a directory ready; every user in it gets a profile, everybody else loses theirs.
    pub(crate) fn new(directory: &Arc<Directory>, people: &mut People) -> (Self, Vec<Calendar>) {
        let zones = zones(directory);
        let mut calendars = Calendars { known: Some(&directory.holidays), ..Calendars::default() };
        people.clear_profiles();
        for (position, user) in directory.users.iter().enumerate() {
            let profile = Profile {
                position,
                calendar: calendars.place(&user.hours, &user.zone, &user.holidays, &zones),
                absences: Absences::new(&user.out_of_office),
                limit: user.capacity.total,
                limit_per_type: limits(&user.capacity),
                weights: weights(&user.capacity),
                leave_out: user.capacity.leave_out,
            };
            let index = people.place(user.id);
            people.at_mut(index).profile = Some(profile);
        }
        let lister = Lister { directory, people, members: members(directory) };
        let mut numbers = BTreeMap::new();
        let mut number = |roster: Roster| {
            let next = u32::try_from(numbers.len()).expect("fewer lists than fit in memory");
            let number = *numbers.entry((roster.entries.clone(), roster.skipped.clone())).or_insert(next);
            Roster { number, ..roster }
        };
        let channels = directory.channels.iter().enumerate().map(|(position, channel)| {
            let workspace = directory.workspace(channel.workspace);
            let mut levels = |case: &Case| {
                let mut roster = |listed: &[Listed<'_>]| number(lister.roster(listed, &case.weights, workspace));
                let member = |member: &Member| Listed::Member(*member);
                let mut named = listed(&case.target).map(|members| members.iter().map(member).collect::<Vec<_>>());
                let mut levels = vec![named.as_deref().map(&mut roster)];
                for step in &case.overflow {
                    let named = named.get_or_insert_default();
                    named.extend(step.members.iter().map(member));
                    named.push(Listed::Workspaces(&step.workspaces));
                    levels.push(Some(roster(named)));
                }
                CasePlan { levels, weighted: case.weights.values().any(|weight| *weight != 1) }
            };
            let cases = channel.rule.iter().flat_map(|rule| &rule.cases).map(&mut levels).collect();
            let calendar = calendars.place(&channel.hours, &channel.zone, &channel.holidays, &zones);
            (channel.id, ChannelPlan { position, calendar, cases })
        });
        let channels = channels.collect();
        let mut cases = directory.channels.iter().filter_map(|channel| channel.rule.as_ref()).flat_map(|rule| &rule.cases);
        let goes_by_idle_total = cases.any(|case| case.distribution == Some(Distribution::LongestIdleTotal));
        let ages: BTreeSet<u32> = directory.users.iter().filter_map(|user| user.capacity.leave_out.older_than_days).collect();
        (
            Self { directory: Arc::clone(directory), goes_by_idle_total, ages: ages.into_iter().collect(), channels },
            calendars.list,
        )
    }

    /// A channel and what was made ready of it.
    pub(crate) fn channel(&self, id: ChannelId) -> Option<(&ChannelEntry, &ChannelPlan)> {
        let plan = self.channels.get(&id)?;
        Some((self.directory.channels.get(plan.position)?, plan))
    }

    /// The directory's entry of a person.
    pub(crate) fn user(&self, profile: &Profile) -> &User {
        &self.directory.users[profile.position]
    }
}

impl Roster {
    /// The entry of a person.
    pub(crate) fn entry(&self, person: PersonIndex) -> Option<Entry> {
        let place = self.named.binary_search_by_key(&person, |(named, _)| *named).ok()?;
        self.entries.get(self.named[place].1 as usize).copied()
    }
}

impl Entry {
    /// Somebody who is looked at alone, or as one of a team without weights.
    pub(crate) const fn alone(person: PersonIndex, team: Option<TeamId>) -> Self {
        Self { person, team, main: true, weight: 1 }
    }

    /// The first reason of ROUTING 3.1 to 3.4 to skip the person.
    pub(crate) fn standing(&self, user: &User, workspace: &Workspace) -> Result<(), SkipReason> {
        standing(user, workspace)?;
        if self.main { Ok(()) } else { Err(SkipReason::NotMainMember) }
    }
}

/// The users and teams that a target lists, be it as its fallback.
pub(crate) fn listed(target: &Target) -> Option<&[Member]> {
    match target {
        Target::UsersAndTeams { members }
        | Target::ContactOwner { fallback: Fallback::UsersAndTeams { members }, .. }
        | Target::Assistant { if_cannot_answer: Fallback::UsersAndTeams { members } } => Some(members),
        Target::Nobody | Target::TeamOnly { .. } | Target::ContactOwner { .. } | Target::Assistant { .. } => None,
    }
}

impl Lister<'_> {
    fn roster(&self, listed: &[Listed<'_>], weights: &BTreeMap<Member, u32>, workspace: Option<&Workspace>) -> Roster {
        let mut roster = Roster { entries: Vec::new(), skipped: Vec::new(), routable: Vec::new(), number: 0, named: Vec::new() };
        for (position, entry) in self.expanded(listed, weights) {
            let user = &self.directory.users[position];
            let skipped = workspace.map_or(Some(SkipReason::NoAccess), |workspace| entry.standing(user, workspace).err());
            if skipped.is_none() {
                roster.routable.push(u32::try_from(roster.entries.len()).expect("fewer people than fit in memory"));
            }
            roster.entries.push(entry);
            roster.skipped.push(skipped);
        }
        roster.named = roster.entries.iter().map(|entry| entry.person).zip(0..).collect();
        roster.named.sort_unstable();
        roster
    }

    /// Everybody listed, each once: at the first place as a user, as a main member or of a workspace, else at the first
    /// as an extra member.
    fn expanded(&self, listed: &[Listed<'_>], weights: &BTreeMap<Member, u32>) -> Vec<(usize, Entry)> {
        let mut found: Vec<Found> = Vec::new();
        for one in listed {
            match one {
                Listed::Member(member) => {
                    let weight = weights.get(member).copied().unwrap_or(1);
                    found.extend(self.named(*member).into_iter().map(|one| Found { weight, ..one }));
                }
                Listed::Workspaces(workspaces) => found.extend(self.selectable(workspaces)),
            }
        }
        let in_full: BTreeSet<usize> = found.iter().filter(|one| one.main).map(|one| one.at).collect();
        let mut seen = BTreeSet::new();
        found.retain(|one| (one.main || !in_full.contains(&one.at)) && seen.insert(one.at));
        let entry = |Found { at, team, main, weight }: Found| {
            let person = self.people.find(self.directory.users[at].id)?;
            Some((at, Entry { person, team, main, weight }))
        };
        found.into_iter().filter_map(entry).collect()
    }

    /// Whom a name stands for.
    fn named(&self, member: Member) -> Vec<Found> {
        match member {
            Member::User(user) => {
                let profile = self.people.find(user).and_then(|index| self.people.at(index).profile.as_ref());
                profile.map(|profile| Found { at: profile.position, team: None, main: true, weight: 1 }).into_iter().collect()
            }
            Member::Team(team) => {
                let Some(members) = self.members.get(&team) else { return Vec::new() };
                let found = |main: bool| move |at: &usize| Found { at: *at, team: Some(team), main, weight: 1 };
                let mut all: Vec<Found> = members.main.iter().map(found(true)).collect();
                all.extend(members.extra.iter().map(found(false)));
                all.sort_by_key(|one| self.directory.users[one.at].id);
                all
            }
        }
    }

    /// Everybody selectable in one of these workspaces.
    fn selectable(&self, workspaces: &[WorkspaceId]) -> impl Iterator<Item = Found> {
        let workspaces: Vec<&Workspace> = workspaces.iter().filter_map(|id| self.directory.workspace(*id)).collect();
        let users = self.directory.users.iter().enumerate();
        let welcome = users.filter(move |(_, user)| workspaces.iter().any(|workspace| standing(user, workspace).is_ok()));
        welcome.map(|(at, _)| Found { at, team: None, main: true, weight: 1 })
    }
}

fn members(directory: &Directory) -> BTreeMap<TeamId, Members> {
    let mut teams: BTreeMap<TeamId, Members> = BTreeMap::new();
    for (position, user) in directory.users.iter().enumerate() {
        if let Some(team) = user.team {
            teams.entry(team).or_default().main.push(position);
        }
        for team in user.extra_teams.iter().filter(|team| user.team != Some(**team)) {
            teams.entry(*team).or_default().extra.push(position);
        }
    }
    teams
}

fn limits(capacity: &Capacity) -> [Option<u32>; TYPES] {
    let mut limits = [None; TYPES];
    for work in WorkType::ALL {
        limits[*work as usize] = capacity.per_type.get(work).copied();
    }
    limits
}

fn weights(capacity: &Capacity) -> Option<(u32, [u32; TYPES])> {
    let weights = capacity.weights.as_ref()?;
    let mut per_type = [0; TYPES];
    for work in WorkType::ALL {
        per_type[*work as usize] = weights.per_type.get(work).copied().unwrap_or(0);
    }
    Some((weights.limit, per_type))
}

/// Calendars, each once.
#[derive(Debug, Default)]
struct Calendars<'a> {
    list: Vec<Calendar>,
    places: BTreeMap<(&'a str, Vec<switchboard_model::HoursSpan>, BTreeSet<CivilDate>), usize>,
    /// Holidays by calendar.
    known: Option<&'a BTreeMap<String, BTreeSet<CivilDate>>>,
}

impl<'a> Calendars<'a> {
    fn place(&mut self, hours: &WeeklyHours, zone: &'a str, holidays: &[String], zones: &BTreeMap<&str, TimeZone>) -> usize {
        let named = holidays.iter().filter_map(|name| self.known?.get(name));
        let free: BTreeSet<CivilDate> = named.flatten().copied().collect();
        let zone = if hours.0.is_empty() && free.is_empty() { "" } else { zone };
        let calendar = Calendar::new(hours, zones.get(zone), &free);
        *self.places.entry((zone, hours.0.clone(), free)).or_insert_with(|| {
            self.list.push(calendar);
            self.list.len() - 1
        })
    }
}
