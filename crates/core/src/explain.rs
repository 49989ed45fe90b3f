//! What a step would decide, with everybody who was looked at (ROUTING 13.1).

use crate::decide::{Ask, Mode, Resolution, decide};
use crate::matching::Outbox;
use crate::pool::Pool;
use crate::router::{Router, full};
use switchboard_model::{Arrival, Explanation, Input, ItemId, Timestamp, UserId};

impl Router {
    /// The decision that [`Router::step`] would make about this arrival now, with everybody who was looked at.
    #[must_use]
    pub fn explain(&self, now: Timestamp, arrival: &Arrival) -> Explanation {
        self.explain_arrival(self.no.saturating_add(1), now, arrival)
    }

    /// The same for any input; `None` when the input asks for no decision, or would be rejected. What else a step
    /// decides, about items that wait, [`Router::explain_item`] explains.
    #[must_use]
    pub fn explain_input(&self, no: u64, now: Timestamp, input: &Input) -> Option<Explanation> {
        match input {
            Input::Arrived(arrival) => Some(self.explain_arrival(no, now, arrival)),
            Input::Refused(refusal) => {
                let retry = refusal.retry.as_ref()?;
                let (mut before, mut out) = self.begun(no, now);
                before.undo(refusal).ok()?;
                let ask = before.ask((no, 0), before.now, retry, Some(refusal));
                before.match_waiting(Some(before.queue.place(retry, ask.since)), &mut out);
                Some(before.explain_ask(
                    before.now,
                    retry,
                    &Ask { place: out.place, ..ask },
                    full(refusal).or(before.barred(retry.item)),
                ))
            }
            Input::Directory { .. } | Input::Changed(_) | Input::Status(_) | Input::Revised(_) | Input::Tick => None,
        }
    }

    fn explain_arrival(&self, no: u64, now: Timestamp, arrival: &Arrival) -> Explanation {
        let now = now.max(self.now);
        if self.is_due(now) {
            let (before, out) = self.begun(no, now);
            let ask = before.ask((no, out.place), now, arrival, None);
            return before.explain_ask(now, arrival, &ask, before.barred(arrival.item));
        }
        self.explain_ask(now, arrival, &self.ask((no, 0), now, arrival, None), self.barred(arrival.item))
    }

    /// The router as it is when it turns to the input that comes at `now`, and what it has done by then.
    pub(crate) fn begun(&self, no: u64, now: Timestamp) -> (Self, Outbox) {
        let (mut begun, mut out) = (self.clone(), Outbox::default());
        begun.no = no;
        begun.advance(now.max(self.now));
        begun.match_waiting(None, &mut out);
        (begun, out)
    }

    /// The decision that a step about this input would make about one item, be it one that waits, with everybody who
    /// was looked at; `None` when the step decides nothing about it.
    #[must_use]
    pub fn explain_item(&self, no: u64, now: Timestamp, input: &Input, item: ItemId) -> Option<Explanation> {
        let subject = match input {
            Input::Arrived(arrival) => Some(arrival.item),
            Input::Refused(refusal) => refusal.retry.as_ref().map(|retry| retry.item),
            _ => None,
        };
        let mut before = self.clone();
        let mut out = Outbox { asked: Some(item), ..Outbox::default() };
        before.run(no, now, input, &mut out);
        out.found.or_else(|| self.explain_input(no, now, input).filter(|_| subject == Some(item)))
    }

    /// The decision about an arrival on an occasion, without those left out.
    pub(crate) fn explain_ask(&self, now: Timestamp, arrival: &Arrival, ask: &Ask, full: Option<UserId>) -> Explanation {
        let seen = (&self.people, &self.work, &self.turns);
        let pool = Pool::new((&self.plan, &self.calendars), seen, arrival, (now, ask.since), full);
        let Resolution { decision, stages, .. } = decide(&pool, arrival, ask, Mode::Explain);
        Explanation { decision, stages }
    }
}
