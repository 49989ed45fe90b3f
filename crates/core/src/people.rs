//! What is known of each person: status, presence, marks and counters, each in a place that never moves.

use crate::availability::{Hold, Presence, UNKNOWN, hold, presence};
use crate::calendar::{Absences, Calendar};
use crate::idle::Totals;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_model::{LeaveOut, LoadGroup, StatusChange, Timestamp, UserId, WorkType};

/// How many load groups there are.
pub(crate) const GROUPS: usize = LoadGroup::ALL.len();
/// How many work types there are.
pub(crate) const TYPES: usize = WorkType::ALL.len();

/// The place of a person in [`People`]; never reused.
pub(crate) type PersonIndex = u32;

/// One person, known from the directory or only by a status, a mark or owned work.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// The user.
    pub user: UserId,
    /// Open items per load group, aged tickets left out (ROUTING 5.1, 5.2).
    pub loads: [u32; GROUPS],
    /// Open items that use capacity, a conversation and its ticket counted once (ROUTING 5.5).
    pub open: u32,
    /// The same per type.
    pub open_per_type: [u32; TYPES],
    /// Mark of the last assignment per group (ROUTING 5.4).
    pub marks: [Option<u64>; GROUPS],
    /// The last status.
    pub status: Option<StatusChange>,
    /// What the directory says; `None` for somebody it does not know.
    pub profile: Option<Profile>,
    hold: Hold,
    presence: Presence,
}

/// What the directory says of a person, as far as decisions need it at hand.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// Position in the directory's list of users.
    pub position: usize,
    /// Position in the list of calendars.
    pub calendar: usize,
    /// Absences.
    pub absences: Absences,
    /// Limit over all types.
    pub limit: Option<u32>,
    /// Limit per type.
    pub limit_per_type: [Option<u32>; TYPES],
    /// Limit on the sum of weights, and the weight of an item per type.
    pub weights: Option<(u32, [u32; TYPES])>,
    /// What uses no capacity.
    pub leave_out: LeaveOut,
}

/// Everybody, by place and by user.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    index: BTreeMap<UserId, PersonIndex>,
    list: Vec<Person>,
    /// When whose presence is to be evaluated again.
    rechecks: BTreeSet<(Timestamp, PersonIndex)>,
    /// Who may have changed since the ladders were last brought up to date, each once.
    changed: Vec<PersonIndex>,
    /// Per person: stands in `changed`.
    is_changed: Vec<bool>,
    totals: Totals,
}

impl Person {
    fn new(user: UserId) -> Self {
        Self {
            user,
            loads: [0; GROUPS],
            open: 0,
            open_per_type: [0; TYPES],
            marks: [None; GROUPS],
            status: None,
            profile: None,
            hold: Hold::Away(None),
            presence: UNKNOWN,
        }
    }

    /// Why the person is not available at `now`, which is not before the last step.
    pub(crate) fn cause(&self, calendars: &[Calendar], now: Timestamp) -> Presence {
        if self.presence.holds(now) {
            return self.presence;
        }
        match &self.profile {
            Some(profile) => presence(self.hold, &calendars[profile.calendar], &profile.absences, now),
            None => UNKNOWN,
        }
    }

    /// What uses no capacity of the person; of somebody the directory does not know, everything does.
    pub(crate) fn leave_out(&self) -> LeaveOut {
        self.profile.as_ref().map(|profile| profile.leave_out).unwrap_or_default()
    }

    /// What the manual status amounts to.
    pub(crate) const fn hold(&self) -> Hold {
        self.hold
    }
}

impl People {
    /// The place of a user, who gets one if new.
    pub(crate) fn place(&mut self, user: UserId) -> PersonIndex {
        if let Some(index) = self.index.get(&user) {
            return *index;
        }
        let index = PersonIndex::try_from(self.list.len()).expect("fewer people than fit in memory");
        self.list.push(Person::new(user));
        self.is_changed.push(false);
        self.index.insert(user, index);
        index
    }

    /// The place of a user who has one.
    pub(crate) fn find(&self, user: UserId) -> Option<PersonIndex> {
        self.index.get(&user).copied()
    }

    /// The person at a place.
    pub(crate) fn at(&self, index: PersonIndex) -> &Person {
        &self.list[index as usize]
    }

    /// The person at a place, to change.
    pub(crate) fn at_mut(&mut self, index: PersonIndex) -> &mut Person {
        self.touch(index);
        &mut self.list[index as usize]
    }

    /// Somebody who may have changed since this was last asked; each once.
    pub(crate) fn next_changed(&mut self) -> Option<PersonIndex> {
        let index = self.changed.pop()?;
        self.is_changed[index as usize] = false;
        Some(index)
    }

    /// How many people there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// When somebody's presence is next evaluated again.
    pub(crate) fn next_recheck(&self) -> Option<Timestamp> {
        self.rechecks.first().map(|(due, _)| *due)
    }

    /// How long everybody was idle.
    pub(crate) const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The same, to change.
    pub(crate) const fn totals_mut(&mut self) -> &mut Totals {
        &mut self.totals
    }

    /// Takes in who of those who changed is idle since `at`, or until then.
    pub(crate) fn account(&mut self, calendars: &[Calendar], at: Timestamp) {
        for index in self.totals.take_touched() {
            self.account_one(index, calendars, at);
        }
    }

    /// The same of everybody.
    pub(crate) fn account_all(&mut self, calendars: &[Calendar], at: Timestamp) {
        let everybody = if self.totals.is_kept() { self.list.len() } else { 0 };
        for index in (0..).take(everybody) {
            self.account_one(index, calendars, at);
        }
    }

    fn account_one(&mut self, index: PersonIndex, calendars: &[Calendar], at: Timestamp) {
        let person = &self.list[index as usize];
        let calendar = person.profile.as_ref().map(|profile| &calendars[profile.calendar]);
        let is_available = person.cause(calendars, at).cause.is_none();
        self.totals.account(index, (is_available, &person.loads), calendar, at);
    }

    /// Has the totals of those begin anew whose shifts start at `at`, at which everybody was accounted for.
    pub(crate) fn begin_shifts(&mut self, calendars: &[Calendar], at: Timestamp) {
        while let Some(index) = self.totals.take_start(at) {
            let profile = self.list[index as usize].profile.as_ref();
            let calendar = profile.map(|profile| &calendars[profile.calendar]);
            if calendar.is_some_and(|calendar| calendar.starts_at(at)) {
                self.totals.restart(index, at);
                self.touch(index);
            }
            self.totals.watch(index, calendar, at);
        }
    }

    /// Passes over the time before `from` for everybody for whom that is right, given the first start of a shift after
    /// it: their totals begin there.
    pub(crate) fn skip_to(&mut self, from: Timestamp, calendars: &[Calendar], is_right: impl Fn(Option<Timestamp>) -> bool) {
        for index in (0..).take(self.list.len()) {
            let Some(profile) = &self.list[index as usize].profile else { continue };
            let calendar = &calendars[profile.calendar];
            if is_right(calendar.look(from).next_start) {
                self.settle(index, calendars, from);
                self.totals.forget(index);
                self.account_one(index, calendars, from);
            }
        }
    }

    fn touch(&mut self, index: PersonIndex) {
        self.totals.touch(index);
        let is_changed = &mut self.is_changed[index as usize];
        if !*is_changed {
            *is_changed = true;
            self.changed.push(index);
        }
    }

    /// Everybody by ascending user id.
    pub(crate) fn by_user(&self) -> impl Iterator<Item = &Person> {
        self.index.values().map(|index| self.at(*index))
    }

    /// Forgets what the directory said of everybody.
    pub(crate) fn clear_profiles(&mut self) {
        self.rechecks.clear();
        for person in &mut self.list {
            person.profile = None;
            person.hold = Hold::Away(None);
            person.presence = UNKNOWN;
        }
    }

    /// Sets or forgets a status.
    pub(crate) fn set_status(&mut self, user: UserId, status: Option<StatusChange>, calendars: &[Calendar], now: Timestamp) {
        let index = self.place(user);
        self.at_mut(index).status = status;
        self.settle(index, calendars, now);
    }

    /// Evaluates a person anew after the status, the directory or the time changed.
    pub(crate) fn settle(&mut self, index: PersonIndex, calendars: &[Calendar], now: Timestamp) {
        self.touch(index);
        let person = &mut self.list[index as usize];
        if let Some(recheck) = person.presence.recheck {
            self.rechecks.remove(&(recheck, index));
        }
        let Some(profile) = &person.profile else { return };
        let calendar = &calendars[profile.calendar];
        person.hold = hold(person.status.as_ref().map(|status| &status.status), calendar, &profile.absences);
        person.presence = presence(person.hold, calendar, &profile.absences, now);
        if let Some(recheck) = person.presence.recheck {
            self.rechecks.insert((recheck, index));
        }
    }

    /// Evaluates everybody anew for whom an edge has passed.
    pub(crate) fn advance(&mut self, calendars: &[Calendar], now: Timestamp) {
        while let Some((due, index)) = self.rechecks.first().copied()
            && due <= now
        {
            self.rechecks.remove(&(due, index));
            self.touch(index);
            let person = &mut self.list[index as usize];
            person.presence = person.cause(calendars, now);
            // Something due in the past would come up here for ever.
            if let Some(recheck) = person.presence.recheck.filter(|recheck| now < *recheck) {
                self.rechecks.insert((recheck, index));
            }
        }
    }
}
