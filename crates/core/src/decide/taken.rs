//! What is recorded of whoever takes an item, or keeps it.

use super::Decider;
use crate::distribution::{Choice, Method};
use crate::plan::Entry;
use crate::pool::Terms;
use switchboard_model::Outcome;

impl Decider<'_> {
    /// Somebody who was looked at alone takes the item.
    pub(super) fn assigned_alone(&mut self, entry: &Entry, terms: Terms) -> Outcome {
        self.decision.eligible = 1;
        let method = self.group_method();
        self.assigned_by(&Choice { entry: *entry, tied: 1, draw: None, turn: None }, &method, terms)
    }

    /// Somebody chosen from a list by its distribution takes the item.
    pub(super) fn assigned(&mut self, choice: &Choice, method: &Method<'_>, terms: Terms) -> Outcome {
        self.decision.distribution = Some(method.distribution);
        self.assigned_by(choice, method, terms)
    }

    fn assigned_by(&mut self, choice: &Choice, method: &Method<'_>, terms: Terms) -> Outcome {
        let person = self.pool.person(choice.entry.person);
        self.chosen(&choice.entry, method, terms);
        self.decision.tied = choice.tied;
        self.decision.draw = choice.draw;
        self.decision.capacity_guarded = true;
        self.decision.mark_before = person.marks[method.group as usize];
        self.decision.turn = choice.turn;
        self.decision.turn_before = choice.turn.and_then(|_| method.turns.last(person.user));
        Outcome::Assigned { user: person.user, team: choice.entry.team }
    }

    /// The owner it had keeps the item.
    pub(super) fn kept(&mut self, entry: &Entry, terms: Terms) -> Outcome {
        let method = self.group_method();
        self.chosen(entry, &method, terms);
        self.decision.tied = 1;
        Outcome::Kept { user: self.pool.person(entry.person).user }
    }

    fn chosen(&mut self, entry: &Entry, method: &Method<'_>, terms: Terms) {
        let status = self.pool.person(entry.person).status.as_ref();
        self.decision.load = Some(self.pool.load(entry.person, method.ranking_group()));
        self.decision.availability_version = status.filter(|_| terms.only_available).map(|status| status.version);
    }
}
