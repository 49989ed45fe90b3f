//! People: availability, counted work, and changes of status by hand (ROUTING 4).

use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::request::{Caller, NewStatus, PersonView, StatusEntry};
use std::sync::{Arc, PoisonError};
use switchboard_core::Availability;
use switchboard_model::{
    Directory, Input, LiveEventKind, ManualStatus, Page, PersonLoad, Role, StatusOrigin, StatusValue, Timestamp, UserId,
};
use switchboard_storage::{NewAudit, NewEvent, NewInput, StatusRecord};

const MAX_REASON_CHARS: usize = 200;

impl Engine {
    /// Everybody's availability and load, by ascending user id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn people(&self) -> Result<Vec<PersonView>> {
        let directory = self.directory();
        let people = self.inner.store.people().await?;
        Ok(self
            .judged(people)
            .await
            .into_iter()
            .map(|(person, availability)| person_view(&directory, person, availability, &[]))
            .collect())
    }

    /// One person's availability and load, with who changed the status last.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn person(&self, user: UserId) -> Result<PersonView> {
        let directory = self.directory();
        let person = self.inner.store.person(user).await?.ok_or_else(|| EngineError::not_found(format!("user {user}")))?;
        let history = self.inner.store.status_history(user, 2).await?;
        let (person, availability) =
            self.judged(vec![person]).await.into_iter().next().ok_or_else(|| EngineError::not_found(format!("user {user}")))?;
        Ok(person_view(&directory, person, availability, &history))
    }

    /// Sets a manual status: one's own, or a colleague's as a lead, who is told (ROUTING 4.3).
    ///
    /// # Errors
    /// `Forbidden` for a colleague's without being a lead; `NotFound`.
    pub async fn set_availability(&self, caller: &Caller, user: UserId, status: NewStatus) -> Result<PersonView> {
        let colleague = caller.user != Some(user);
        if colleague && caller.role < Role::Lead {
            return Err(EngineError::forbidden("only leads change a colleague's status"));
        }
        let known = self.directory().user(user).is_some();
        known.then_some(()).ok_or_else(|| EngineError::not_found(format!("user {user}")))?;
        let reason = status.reason.map(|reason| reason.trim().chars().take(MAX_REASON_CHARS).collect::<String>());
        let reason = reason.filter(|reason| !reason.is_empty() && status.value != StatusValue::Available);
        let (at, actor) = (self.now(), caller.actor.clone());
        let manual = ManualStatus { value: status.value, reason, set_at: at, origin: StatusOrigin::ByHand };
        self.commit(move |tx| {
            Box::pin(async move {
                let change = tx.set_status(user, &manual, None, at, &actor).await?;
                tx.append_inputs(&[NewInput { at, item: None, input: Input::Status(change), consumed: None }]).await?;
                if colleague {
                    let detail = serde_json::json!({ "status": manual.value });
                    tx.insert_audit(&NewAudit { at, actor, action: "user.status".into(), target: user.to_string(), detail })
                        .await?;
                    tx.insert_events(&[NewEvent { user: Some(user), ..NewEvent::new(LiveEventKind::Notice, at) }]).await?;
                }
                Ok(())
            })
        })
        .await?;
        self.person(user).await
    }

    /// A person's changes of status, newest first: one's own, or a colleague's for leads (ROUTING 4.3).
    ///
    /// # Errors
    /// `NotFound`, also for a colleague's without being a lead; `Invalid` for a broken cursor.
    pub async fn statuses(&self, caller: &Caller, user: UserId, cursor: Option<&str>, limit: u32) -> Result<Page<StatusEntry>> {
        let may_read = caller.user == Some(user) || caller.role >= Role::Lead;
        let known = may_read && self.directory().user(user).is_some();
        known.then_some(()).ok_or_else(|| EngineError::not_found(format!("user {user}")))?;
        let Page { rows, next, total } = self.inner.store.statuses_of(user, cursor, limit).await?;
        let entry = |record: StatusRecord| StatusEntry { at: record.at, actor: record.actor, status: record.change.status };
        Ok(Page { rows: rows.into_iter().map(entry).collect(), next, total })
    }

    /// Since when each person has been absent by the router's own judgement, in the order given.
    pub(crate) fn absent_since(
        &self,
        directory: &Arc<Directory>,
        people: &[PersonLoad],
        now: Timestamp,
        from: Timestamp,
    ) -> Vec<Option<Timestamp>> {
        let mut observer = self.inner.observer.lock().unwrap_or_else(PoisonError::into_inner);
        observer.absent_since(directory, people, now, from)
    }

    /// Each person with the router's own judgement of availability.
    pub(crate) async fn judged(&self, people: Vec<PersonLoad>) -> Vec<(PersonLoad, Availability)> {
        let directory = self.directory();
        let mut observer = self.inner.observer.lock().unwrap_or_else(PoisonError::into_inner);
        let availability = observer.availability(&directory, &people, self.now());
        people.into_iter().zip(availability).collect()
    }
}

/// `history` is newest first: the status in force, then the one before it.
fn person_view(directory: &Directory, load: PersonLoad, availability: Availability, history: &[StatusRecord]) -> PersonView {
    let capacity = directory.user(load.user).map(|user| user.capacity.clone()).unwrap_or_default();
    PersonView {
        available: availability.available,
        cause: availability.cause,
        until: availability.until,
        limit: capacity.total,
        limits: capacity.per_type,
        changed_by: history.first().map(|record| record.actor.clone()),
        previous: history.get(1).map(|record| record.change.status.clone()),
        load,
    }
}
