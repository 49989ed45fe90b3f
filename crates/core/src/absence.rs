//! Since when somebody has been absent, which hands open work back where a rule says so (ROUTING 4.5).

use crate::availability::{Hold, presence};
use crate::router::Router;
use switchboard_model::{StatusValue, Timestamp, UserId};

/// How many edges of hours and absences are looked at.
const MAX_EDGES: u32 = 1_000;

impl Router {
    /// Since when the user has been absent at `now`, by the status in force, the working hours and the absences; `None`
    /// for somebody who is there, or of whom nothing is known. Nothing before `from` is looked at: an absence that began
    /// earlier began then. Whoever is finishing is there as long as hours and absences say so.
    #[must_use]
    pub fn absent_since(&self, user: UserId, now: Timestamp, from: Timestamp) -> Option<Timestamp> {
        let now = now.max(self.now);
        let person = self.people.at(self.people.find(user)?);
        let (profile, status) = (person.profile.as_ref()?, &person.status.as_ref()?.status);
        let hold = if status.value == StatusValue::Finishing { Hold::Neither } else { person.hold() };
        let look = |at| presence(hold, &self.calendars[profile.calendar], &profile.absences, at);
        look(now).cause?;
        let mut at = status.set_at.max(from).min(now);
        let mut since = None;
        for _ in 0..MAX_EDGES {
            let seen = look(at);
            since = seen.cause.and(since.or(Some(at)));
            match seen.until.filter(|edge| at < *edge && *edge <= now) {
                Some(edge) => at = edge,
                None => break,
            }
        }
        since.or(Some(now))
    }
}
