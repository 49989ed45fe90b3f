//! Time passes: shifts begin and end, load ages, rules relax.

use crate::router::Router;
use switchboard_model::Timestamp;

const DAY_MS: i64 = 86_400_000;
/// How long the calendars' kept schedules are relied on.
const PREPARED_MS: i64 = 7 * DAY_MS;
/// After a longer pause, idle time before the last start of a shift is not looked at any more.
const LONG_PAUSE_MS: i64 = 8 * DAY_MS;
/// After an even longer one, nor is anybody's from before its last days.
const LONGEST_PAUSE_MS: i64 = 400 * DAY_MS;

impl Router {
    /// Moves on to a time, which is not before the last one.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        if self.people.totals().is_kept() {
            self.pass(now);
        }
        self.now = now;
        if now >= self.prepare_at {
            self.prepare();
        }
        self.people.advance(&self.calendars, now);
        self.work.advance(&mut self.people, now);
        self.end_usage();
        let due = self.queue.take_due(now);
        self.queue_again(due);
    }

    /// Whether somebody becomes idle, or ceases to be, by time alone until `now`.
    pub(crate) fn idleness_changes(&self, now: Timestamp) -> bool {
        self.people.totals().is_kept() && self.next_edge().is_some_and(|edge| edge <= now)
    }

    fn next_edge(&self) -> Option<Timestamp> {
        let edges = [self.people.next_recheck(), self.work.next_ageing(), self.people.totals().next_start()];
        edges.into_iter().flatten().min()
    }

    /// Goes from edge to edge, as idle time is summed up to the very instant at which it ended (ROUTING 6.5).
    fn pass(&mut self, now: Timestamp) {
        let pause_ms = now.ms_since(self.now);
        if pause_ms > LONG_PAUSE_MS {
            let from = now.plus_ms(-LONG_PAUSE_MS);
            self.people
                .skip_to(from, &self.calendars, |start| pause_ms > LONGEST_PAUSE_MS || start.is_some_and(|start| start <= now));
        }
        while let Some(edge) = self.next_edge().filter(|edge| *edge <= now) {
            self.people.advance(&self.calendars, edge);
            self.work.advance(&mut self.people, edge);
            self.people.account(&self.calendars, edge);
            self.people.begin_shifts(&self.calendars, edge);
        }
    }

    pub(crate) fn prepare(&mut self) {
        for calendar in &mut self.calendars {
            calendar.prepare(self.now);
        }
        self.prepare_at = self.now.plus_ms(PREPARED_MS);
    }

    /// Evaluates everybody anew under the directory in force.
    pub(crate) fn settle(&mut self) {
        self.prepare();
        for user in &self.plan.directory.users {
            let index = self.people.place(user.id);
            self.people.settle(index, &self.calendars, self.now);
        }
    }
}
