//! The router itself: state in, inputs through, effects out.

use std::sync::Arc;
use switchboard_model::{
    Arrival, Directory, Effect, Explanation, Input, ItemId, LoadGroup, RouterState, Timestamp, UnavailableCause, UserId, WorkType,
};
use thiserror::Error;

/// A state that no router can start from.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CoreError {
    /// The state was made under another directory version. A state that has consumed nothing fits any.
    #[error("the router's state belongs to directory version {state}, but version {directory} was given")]
    DirectoryVersion {
        /// The version that the state names.
        state: i64,
        /// The version that was given.
        directory: i64,
    },
    /// An item stands in the state twice.
    #[error("item {0} stands in the router's state twice")]
    DuplicateItem(ItemId),
}

/// Whether a person takes work (ROUTING 4.1), and how long that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Availability {
    /// Takes work.
    pub available: bool,
    /// Why not; `None` when available.
    pub cause: Option<UnavailableCause>,
    /// When the answer changes by itself; `None` when only somebody's action changes it.
    pub until: Option<Timestamp>,
}

/// The router. Everything it knows is in its [`RouterState`] and the directory.
#[derive(Clone, Debug)]
pub struct Router {
    directory: Arc<Directory>,
    state: RouterState,
}

impl Router {
    /// A router that goes on from `state` under `directory`.
    ///
    /// # Errors
    /// When state and directory do not belong together or the state contradicts itself.
    pub fn new(directory: Arc<Directory>, state: RouterState) -> Result<Self, CoreError> {
        Ok(Self { directory, state })
    }

    /// What the router remembers, sorted, so that equal routers have equal states.
    #[must_use]
    pub fn state(&self) -> RouterState {
        self.state.clone()
    }

    /// The directory in force.
    #[must_use]
    pub const fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Consumption number of the last input.
    #[must_use]
    pub const fn no(&self) -> u64 {
        self.state.no
    }

    /// Time of the last input.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.state.now
    }

    /// Consumes one input: the only mutation. `no` is the number after [`Router::no`]; a `now` that goes back
    /// counts as the last one. An input that makes no sense gives [`Effect::Reject`] and changes nothing but
    /// number and time; a wrong number changes nothing at all.
    pub fn step(&mut self, _no: u64, _now: Timestamp, _input: &Input) -> Vec<Effect> {
        todo!()
    }

    /// The decision that [`Router::step`] would make about this arrival now, with everybody who was looked at.
    #[must_use]
    pub fn explain(&self, _now: Timestamp, _arrival: &Arrival) -> Explanation {
        todo!()
    }

    /// The same for any input; `None` when the input decides nothing.
    #[must_use]
    pub fn explain_input(&self, _no: u64, _now: Timestamp, _input: &Input) -> Option<Explanation> {
        todo!()
    }

    /// Whether the user takes work at `now`. Somebody unknown is away.
    #[must_use]
    pub fn availability(&self, _user: UserId, _now: Timestamp) -> Availability {
        todo!()
    }

    /// Load of the user in a group at `now` (ROUTING 5.1, 5.2).
    #[must_use]
    pub fn load(&self, _user: UserId, _group: LoadGroup, _now: Timestamp) -> u32 {
        todo!()
    }

    /// Open items that the user owns, a conversation and its ticket counted once (ROUTING 5.5).
    #[must_use]
    pub fn open(&self, _user: UserId) -> u32 {
        todo!()
    }

    /// The same of one type.
    #[must_use]
    pub fn open_of_type(&self, _user: UserId, _work: WorkType) -> u32 {
        todo!()
    }
}
