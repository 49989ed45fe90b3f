//! Availability for showing: the router's own judgement, on any host, without being the router.

use std::collections::BTreeMap;
use std::sync::Arc;
use switchboard_core::{Availability, Router};
use switchboard_model::{Directory, Input, PersonLoad, RouterState, StatusChange, Timestamp, UserId};

/// A router that knows people and no items. It is told of statuses as they are read from the database, and
/// answers who is available by the same code that decides.
pub(crate) struct Observer {
    directory: Arc<Directory>,
    router: Option<Router>,
    seen: BTreeMap<UserId, i64>,
}

impl Observer {
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        Self { router: empty_router(&directory), directory, seen: BTreeMap::new() }
    }

    /// Availability of each person, in the order given.
    pub(crate) fn availability(
        &mut self,
        directory: &Arc<Directory>,
        people: &[PersonLoad],
        now: Timestamp,
    ) -> Vec<Availability> {
        match self.informed(directory, people, now) {
            Some(router) => people.iter().map(|person| router.availability(person.user, now)).collect(),
            None => vec![Availability { available: false, cause: None, until: None }; people.len()],
        }
    }

    /// Since when each person has been absent, in the order given; see [`Router::absent_since`].
    pub(crate) fn absent_since(
        &mut self,
        directory: &Arc<Directory>,
        people: &[PersonLoad],
        now: Timestamp,
        from: Timestamp,
    ) -> Vec<Option<Timestamp>> {
        let router = self.informed(directory, people, now);
        people.iter().map(|person| router?.absent_since(person.user, now, from)).collect()
    }

    /// The router, told of every status that it has not seen.
    fn informed(&mut self, directory: &Arc<Directory>, people: &[PersonLoad], now: Timestamp) -> Option<&Router> {
        if directory.version != self.directory.version {
            *self = Self::new(Arc::clone(directory));
        }
        let router = self.router.as_mut()?;
        for person in people {
            let Some(status) = &person.status else { continue };
            if self.seen.insert(person.user, person.availability_version) != Some(person.availability_version) {
                let change = StatusChange { user: person.user, status: status.clone(), version: person.availability_version };
                router.step(router.no() + 1, now, &Input::Status(change));
            }
        }
        Some(router)
    }
}

fn empty_router(directory: &Arc<Directory>) -> Option<Router> {
    let state = RouterState { directory_version: directory.version, ..RouterState::default() };
    Router::new(Arc::clone(directory), state).inspect_err(|error| tracing::error!(%error, "availability cannot be shown")).ok()
}
