//! The model's memory: a list of what happened, and what follows from it by reading the whole list.

use crate::calendar::Calendar;
use std::collections::BTreeMap;
use std::sync::Arc;
use switchboard_model::{
    AssignedMark, ChannelId, CivilDate, Directory, IdleTotal, LoadGroup, OwnedItem, RouterState, StatusChange, StatusOrigin,
    StatusValue, Timestamp, TurnState, UnavailableCause, Undone, UserId, WaitingItem, WeeklyHours, mark,
};

/// Somebody was assigned work (ROUTING 5.4).
#[derive(Clone, Debug)]
pub struct Assignment {
    pub no: u64,
    pub place: u32,
    pub user: UserId,
    pub group: LoadGroup,
}

/// Somebody was served by a round robin (ROUTING 6.2).
#[derive(Clone, Debug)]
pub struct Served {
    pub no: u64,
    pub place: u32,
    pub channel: ChannelId,
    pub case: u32,
    pub user: UserId,
    pub cycle: u64,
}

/// Everything that the model knows.
#[derive(Clone, Debug)]
pub struct Facts {
    pub no: u64,
    /// How much was decided about and assigned on the input of this number so far (ROUTING 5.4).
    pub place: u32,
    /// What is routed again was held as waiting when the refused decision was made (ROUTING 7.4).
    pub held: bool,
    /// The refused decision was to wait.
    pub requeues: bool,
    /// What arrives was refused, which is no news of anybody.
    pub retries: bool,
    pub now: Timestamp,
    pub directory: Arc<Directory>,
    pub owned: Vec<OwnedItem>,
    pub statuses: Vec<StatusChange>,
    pub assignments: Vec<Assignment>,
    pub served: Vec<Served>,
    pub waiting: Vec<WaitingItem>,
    /// Idle time over the shift, while a case goes by it (ROUTING 6.5).
    pub idle: Vec<IdleTotal>,
    span: (Timestamp, Timestamp),
    people: Vec<(UserId, Arc<Calendar>)>,
    channels: Vec<(ChannelId, Arc<Calendar>)>,
}

impl Facts {
    /// Nothing has happened yet. Calendars reach from `span.0` to `span.1`.
    pub fn new(directory: Arc<Directory>, now: Timestamp, span: (Timestamp, Timestamp)) -> Self {
        let mut facts = Self {
            no: 0,
            place: 0,
            held: false,
            requeues: false,
            retries: false,
            now,
            directory: Arc::default(),
            owned: Vec::new(),
            statuses: Vec::new(),
            assignments: Vec::new(),
            served: Vec::new(),
            waiting: Vec::new(),
            idle: Vec::new(),
            span,
            people: Vec::new(),
            channels: Vec::new(),
        };
        facts.enact(directory);
        facts
    }

    /// A directory version comes into force.
    pub fn enact(&mut self, directory: Arc<Directory>) {
        let before = self.directory.clone();
        let same_days = before.zones == directory.zones && before.holidays == directory.holidays;
        let calendar = |hours: &WeeklyHours, holidays: &[String], zone: &str, known: Option<Arc<Calendar>>| {
            let kept = |name: &String| directory.holidays.get(name).into_iter().flatten().copied();
            let days: Vec<CivilDate> = holidays.iter().flat_map(kept).collect();
            let (from, to) = self.span;
            known.unwrap_or_else(|| Arc::new(Calendar::new(hours, &days, directory.zones.get(zone), from, to)))
        };
        let mut people = Vec::new();
        for user in &directory.users {
            let unchanged = same_days
                && before
                    .user(user.id)
                    .is_some_and(|was| was.hours == user.hours && was.zone == user.zone && was.holidays == user.holidays);
            let known = self.people.iter().find(|(id, _)| unchanged && *id == user.id).map(|(_, known)| known.clone());
            people.push((user.id, calendar(&user.hours, &user.holidays, &user.zone, known)));
        }
        let mut channels = Vec::new();
        for channel in &directory.channels {
            channels.push((channel.id, calendar(&channel.hours, &channel.holidays, &channel.zone, None)));
        }
        self.people = people;
        self.channels = channels;
        self.directory = directory;
        self.know_idle();
    }

    /// The shifts of a person.
    pub fn calendar(&self, user: UserId) -> Option<&Calendar> {
        self.people.iter().find(|(id, _)| *id == user).map(|(_, calendar)| calendar.as_ref())
    }

    /// Whether a channel is open (ROUTING 4.6).
    pub fn channel_open(&self, channel: ChannelId, at: Timestamp) -> bool {
        self.channels.iter().any(|(id, calendar)| *id == channel && calendar.inside(at))
    }

    /// Why a person takes no work now, if so (ROUTING 4.1, 4.2).
    pub fn unavailable(&self, user: UserId, at: Timestamp) -> Option<UnavailableCause> {
        let known = self.directory.user(user).zip(self.calendar(user));
        let status = self.statuses.iter().find(|status| status.user == user);
        let (Some((person, calendar)), Some(status)) = (known, status) else { return Some(UnavailableCause::Away) };
        let absent = |at: Timestamp| person.out_of_office.iter().any(|away| away.from <= at && at < away.to);
        let set_at = status.status.set_at;
        let passed = |edge: &Timestamp| set_at < *edge && *edge <= at;
        let by_hand = status.status.origin == StatusOrigin::ByHand;
        if status.status.value != StatusValue::Available {
            let ended = by_hand && calendar.inside(set_at) && calendar.starts().iter().any(passed);
            if !ended {
                return Some(UnavailableCause::Away);
            }
        } else if by_hand && (!calendar.inside(set_at) || absent(set_at)) {
            let absences = person.out_of_office.iter().flat_map(|away| [away.from, away.to]);
            let boundary_passed = calendar.edges().iter().any(passed) || absences.into_iter().any(|edge| passed(&edge));
            if !boundary_passed && !matches!(calendar, Calendar::Unreadable) {
                return None;
            }
        }
        if absent(at) {
            return Some(UnavailableCause::OutOfOffice);
        }
        (!calendar.inside(at)).then_some(UnavailableCause::OutsideHours)
    }

    /// The availability version of a person whose status is known.
    pub fn availability_version(&self, user: UserId) -> Option<i64> {
        self.statuses.iter().find(|status| status.user == user).map(|status| status.version)
    }

    /// The mark of the last assignment in a group (ROUTING 5.4).
    pub fn mark(&self, user: UserId, group: LoadGroup) -> Option<u64> {
        self.assignments.iter().filter(|one| one.user == user && one.group == group).map(|one| mark(one.no, one.place)).max()
    }

    /// The cycle in which a person was last served, and the running one (ROUTING 6.2).
    pub fn turn(&self, channel: ChannelId, case: u32, user: UserId) -> (Option<u64>, u64) {
        let all = self.served.iter().filter(|one| one.channel == channel && one.case == case);
        let running = all.clone().map(|one| one.cycle).max().unwrap_or(1);
        (all.filter(|one| one.user == user).map(|one| one.cycle).max(), running)
    }

    /// What a router with the same past remembers. What was refused is gone from the list, so nothing is undone.
    pub fn state(&self) -> RouterState {
        let mut owned = self.owned.clone();
        owned.sort_by_key(|item| item.item);
        let mut waiting = self.waiting.clone();
        waiting.sort_by_key(|waiting| waiting.arrival.item);
        let mut statuses = self.statuses.clone();
        statuses.sort_by_key(|status| status.user);
        let mut marks = BTreeMap::new();
        for one in &self.assignments {
            let no = mark(one.no, one.place);
            let last = marks.entry((one.user, one.group)).or_insert(no);
            *last = no.max(*last);
        }
        let mut turns: BTreeMap<(ChannelId, u32), TurnState> = BTreeMap::new();
        for one in &self.served {
            let (channel, case) = (one.channel, one.case);
            let turn = turns.entry((channel, case)).or_insert(TurnState { channel, case, cycle: 1, served: BTreeMap::new() });
            turn.cycle = turn.cycle.max(one.cycle);
            let last = turn.served.entry(one.user).or_insert(one.cycle);
            *last = one.cycle.max(*last);
        }
        RouterState {
            no: self.no,
            now: self.now,
            directory_version: self.directory.version,
            owned,
            statuses,
            marks: marks.into_iter().map(|((user, group), no)| AssignedMark { user, group, no }).collect(),
            turns: turns.into_values().collect(),
            undone: Undone::default(),
            waiting,
            idle: self.idle.iter().filter(|idle| idle.total_ms > 0).copied().collect(),
        }
    }
}

/// A count as the vocabulary has it.
pub fn count(found: usize) -> u32 {
    u32::try_from(found).unwrap_or(u32::MAX)
}
