//! The directory made ready for decisions: people's profiles, shared calendars, and who stands in which case.
//! Made once per directory version.

use crate::calendar::{Absences, Calendar, zones};
use crate::eligibility::standing;
use crate::people::{People, PersonIndex, Profile, TYPES};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use switchboard_model::{
    Capacity, Case, ChannelEntry, ChannelId, CivilDate, Directory, Fallback, Member, SkipReason, Target, TeamId, User, UserId,
    WeeklyHours, WorkType, Workspace,
};

/// A directory version made ready.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The directory.
    pub directory: Arc<Directory>,
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
        let members = members(directory);
        let mut numbers = BTreeMap::new();
        let mut number = |roster: Roster| {
            let next = u32::try_from(numbers.len()).expect("fewer lists than fit in memory");
            let number = *numbers.entry((roster.entries.clone(), roster.skipped.clone())).or_insert(next);
            Roster { number, ..roster }
        };
        let channels = directory.channels.iter().enumerate().map(|(position, channel)| {
            let workspace = directory.workspace(channel.workspace);
            let mut roster = |listed: &[Member]| number(Roster::new(listed, directory, &members, workspace, people));
            let mut levels = |case: &Case| {
                let mut named = listed(&case.target).map(<[Member]>::to_vec);
                let mut levels = vec![named.as_deref().map(&mut roster)];
                for step in &case.overflow {
                    named.get_or_insert_default().extend(&step.members);
                    levels.push(named.as_deref().map(&mut roster));
                }
                CasePlan { levels }
            };
            let cases = channel.rule.iter().flat_map(|rule| &rule.cases).map(&mut levels).collect();
            let calendar = calendars.place(&channel.hours, &channel.zone, &channel.holidays, &zones);
            (channel.id, ChannelPlan { position, calendar, cases })
        });
        let channels = channels.collect();
        let ages: BTreeSet<u32> = directory.users.iter().filter_map(|user| user.capacity.leave_out.older_than_days).collect();
        (Self { directory: Arc::clone(directory), ages: ages.into_iter().collect(), channels }, calendars.list)
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
    fn new(
        listed: &[Member],
        directory: &Directory,
        members: &BTreeMap<TeamId, Members>,
        workspace: Option<&Workspace>,
        people: &People,
    ) -> Self {
        let mut roster = Self { entries: Vec::new(), skipped: Vec::new(), routable: Vec::new(), number: 0, named: Vec::new() };
        for (position, entry) in expanded(listed, directory, members, people) {
            let user = &directory.users[position];
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

    /// The entry of a person.
    pub(crate) fn entry(&self, person: PersonIndex) -> Option<Entry> {
        let place = self.named.binary_search_by_key(&person, |(named, _)| *named).ok()?;
        self.entries.get(self.named[place].1 as usize).copied()
    }
}

impl Entry {
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

/// Everybody named, each once: at the first place as a user or main member, else at the first as an extra member.
fn expanded(
    listed: &[Member],
    directory: &Directory,
    members: &BTreeMap<TeamId, Members>,
    people: &People,
) -> Vec<(usize, Entry)> {
    let position = |user: UserId| Some(people.at(people.find(user)?).profile.as_ref()?.position);
    let mut named: Vec<(usize, Option<TeamId>, bool)> = Vec::new();
    for member in listed {
        match member {
            Member::User(user) => named.extend(position(*user).map(|at| (at, None, true))),
            Member::Team(team) => {
                let Some(members) = members.get(team) else { continue };
                let mut all: Vec<_> = members.main.iter().map(|at| (*at, Some(*team), true)).collect();
                all.extend(members.extra.iter().map(|at| (*at, Some(*team), false)));
                all.sort_by_key(|(at, ..)| directory.users[*at].id);
                named.extend(all);
            }
        }
    }
    let in_full: BTreeSet<usize> = named.iter().filter(|(.., main)| *main).map(|(at, ..)| *at).collect();
    let mut seen = BTreeSet::new();
    named.retain(|(at, _, main)| (*main || !in_full.contains(at)) && seen.insert(*at));
    let place = |at: usize| people.find(directory.users[at].id);
    named.into_iter().filter_map(|(at, team, main)| Some((at, Entry { person: place(at)?, team, main }))).collect()
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
