//! Idle time over the shift, added up piece by piece (ROUTING 6.5).

use crate::facts::Facts;
use crate::room::MONTH_MS;
use switchboard_model::{Distribution, IdleTotal, LoadGroup, Timestamp, UserId};

impl Facts {
    /// Idle time of a person in a group up to now, in milliseconds.
    pub fn idle_ms(&self, user: UserId, group: LoadGroup) -> u64 {
        self.idle.iter().find(|idle| (idle.user, idle.group) == (user, group)).map_or(0, |idle| idle.total_ms)
    }

    /// Sums begin for everybody who is new, and end with the last case that goes by them.
    pub fn know_idle(&mut self) {
        let cases = self.directory.channels.iter().filter_map(|channel| channel.rule.as_ref()).flat_map(|rule| &rule.cases);
        let kept = cases.filter(|case| case.distribution == Some(Distribution::LongestIdleTotal)).count() > 0;
        let mut idle = Vec::new();
        for user in self.directory.users.iter().map(|user| user.id).filter(|_| kept) {
            for group in LoadGroup::ALL {
                idle.push(IdleTotal { user, group: *group, total_ms: self.idle_ms(user, *group) });
            }
        }
        self.idle = idle;
    }

    /// Adds what goes by until `now`, under what has been known so far.
    pub fn add_idle(&mut self, now: Timestamp) {
        let mut idle = std::mem::take(&mut self.idle);
        for sum in &mut idle {
            let mut from = self.now;
            for to in self.edges_of(sum.user, now) {
                if self.unavailable(sum.user, from).is_none() && self.load(sum.user, sum.group, from) == 0 {
                    sum.total_ms += u64::try_from(to.ms_since(from)).unwrap_or(0);
                }
                if self.calendar(sum.user).is_some_and(|calendar| calendar.starts().contains(&to)) {
                    sum.total_ms = 0;
                }
                from = to;
            }
        }
        self.idle = idle;
    }

    /// Every moment after the last input up to `now`, itself included, at which somebody may begin or cease to be idle.
    fn edges_of(&self, user: UserId, now: Timestamp) -> Vec<Timestamp> {
        let mut edges = vec![now];
        edges.extend(self.calendar(user).map(|calendar| calendar.edges()).unwrap_or_default());
        let absences = self.directory.user(user).map(|user| user.out_of_office.clone()).unwrap_or_default();
        edges.extend(absences.iter().flat_map(|away| [away.from, away.to]));
        edges.extend(self.owned.iter().filter(|owned| owned.user == user).map(|owned| owned.owned_since.plus_ms(MONTH_MS + 1)));
        edges.retain(|edge| self.now < *edge && *edge <= now);
        edges.sort();
        edges.dedup();
        edges
    }
}
