//! The router's log: inputs, decisions, checkpoints, and the state rebuilt from the tables (DESIGN 3.2, 3.6).

use crate::error::StoreError;
use crate::store::{Store, Tx};
use switchboard_model::{
    AssignedMark, Decision, DecisionId, DecisionView, Input, ItemId, RefusalReason, RouterState, Timestamp, TurnState,
};

/// An input for the log.
#[derive(Clone, Debug)]
pub struct NewInput {
    /// When it came about.
    pub at: Timestamp,
    /// The item it is about.
    pub item: Option<ItemId>,
    /// The input; `Directory` keeps its version only.
    pub input: Input,
    /// Set when the router consumes it in the same transaction.
    pub consumed: Option<Consumed>,
}

/// How an input was consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumed {
    /// Consumption number.
    pub no: u64,
    /// The `now` of the step.
    pub at: Timestamp,
    /// The directory version in force after the step.
    pub directory_version: i64,
}

/// An input of the log that has just been consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumption {
    /// Which.
    pub seq: i64,
    /// How.
    pub consumed: Consumed,
}

/// An input of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInput {
    /// Its place in the log; the order of taking, not of consumption.
    pub seq: i64,
    /// When it came about.
    pub at: Timestamp,
    /// The item it is about.
    pub item: Option<ItemId>,
    /// The input; `Directory` without its content.
    pub input: Input,
    /// How it was consumed, if it was.
    pub consumed: Option<Consumed>,
    /// Why it was parked, if it was.
    pub parked: Option<String>,
}

/// A decision to store.
#[derive(Clone, Debug)]
pub struct NewDecision {
    /// Its id.
    pub id: DecisionId,
    /// The input it answers.
    pub input_seq: i64,
    /// Consumption number of that input.
    pub no: u64,
    /// When.
    pub at: Timestamp,
    /// Directory version in force.
    pub directory_version: i64,
    /// The decision.
    pub decision: Decision,
    /// How long deciding took, in microseconds.
    pub duration_us: u64,
    /// The guard that refused it.
    pub refused: Option<RefusalReason>,
}

/// Where the router is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Consumption number of the last input.
    pub no: u64,
    /// Its time.
    pub now: Timestamp,
    /// Directory version in force at it.
    pub directory_version: i64,
    /// The epoch of the host that routes.
    pub epoch: i64,
}

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// When it was saved.
    pub at: Timestamp,
    /// Behaviour version of the router that saved it.
    pub behaviour: u32,
    /// The state, with its consumption number, time and directory version.
    pub state: RouterState,
}

/// The router's state, rebuilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Where the router was.
    pub cursor: Cursor,
    /// Its state. Owners and statuses are those of the tables, so inputs that are still to be consumed may tell
    /// of what it already holds; consuming them changes nothing then.
    pub state: RouterState,
}

impl Store {
    /// Inputs that are neither consumed nor parked, in the order of taking.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn next_inputs(&self, limit: u32) -> Result<Vec<StoredInput>, StoreError> {
        todo!()
    }

    /// Consumed inputs with `after < no <= to`, by number.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn inputs_between(&self, after: u64, to: u64) -> Result<Vec<StoredInput>, StoreError> {
        todo!()
    }

    /// Parked inputs, newest first.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn parked_inputs(&self, limit: u32) -> Result<Vec<StoredInput>, StoreError> {
        todo!()
    }

    /// Where the router is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cursor(&self) -> Result<Cursor, StoreError> {
        todo!()
    }

    /// The router's state from the tables, all of one moment.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read back.
    pub async fn rebuild(&self) -> Result<Rebuilt, StoreError> {
        todo!()
    }

    /// The newest checkpoint with a consumption number of at most `no`.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read back.
    pub async fn checkpoint_before(&self, no: u64) -> Result<Option<StoredCheckpoint>, StoreError> {
        todo!()
    }

    /// Decisions about an item, oldest first.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn decisions_of(&self, item: ItemId) -> Result<Vec<DecisionView>, StoreError> {
        todo!()
    }

    /// A decision.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read back.
    pub async fn decision(&self, decision: DecisionId) -> Result<Option<DecisionView>, StoreError> {
        todo!()
    }

    /// Decisions with `after < no <= to`, by number.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn decisions_between(&self, after: u64, to: u64) -> Result<Vec<DecisionView>, StoreError> {
        todo!()
    }
}

impl Tx {
    /// Appends inputs; answers their sequence numbers, in order.
    ///
    /// # Errors
    /// `Conflict` when a consumption number is taken.
    pub async fn insert_inputs(&self, inputs: &[NewInput]) -> Result<Vec<i64>, StoreError> {
        todo!()
    }

    /// Inputs that are neither consumed nor parked, in the order of taking.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn next_inputs(&self, limit: u32) -> Result<Vec<StoredInput>, StoreError> {
        todo!()
    }

    /// Marks inputs as consumed.
    ///
    /// # Errors
    /// `Conflict` when one was consumed or parked before, or a number is taken.
    pub async fn consume(&self, consumptions: &[Consumption]) -> Result<(), StoreError> {
        todo!()
    }

    /// Puts an input aside with the reason; it is not given out again.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn park_input(&self, seq: i64, reason: &str) -> Result<(), StoreError> {
        todo!()
    }

    /// Stores decisions.
    ///
    /// # Errors
    /// `Conflict` when an id is taken.
    pub async fn insert_decisions(&self, decisions: &[NewDecision]) -> Result<(), StoreError> {
        todo!()
    }

    /// Marks a stored decision as refused.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn refuse_decision(&self, decision: DecisionId, reason: RefusalReason) -> Result<(), StoreError> {
        todo!()
    }

    /// Stores last assignments (ROUTING 5.4).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn save_marks(&self, marks: &[AssignedMark]) -> Result<(), StoreError> {
        todo!()
    }

    /// Forgets last assignments, which a refused decision took back to never.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_marks(
        &self,
        marks: &[(switchboard_model::UserId, switchboard_model::LoadGroup)],
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Stores turns (ROUTING 6.2).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn save_turns(&self, turns: &[TurnState]) -> Result<(), StoreError> {
        todo!()
    }

    /// Moves the cursor on, holding its row until the commit. Do this first in a decision transaction.
    ///
    /// # Errors
    /// `Superseded` when the epoch is another or the cursor is not at `from_no`.
    pub async fn advance_cursor(
        &self,
        epoch: i64,
        from_no: u64,
        no: u64,
        now: Timestamp,
        directory_version: i64,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Stores a checkpoint under the consumption number of its state, in place of one that is there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn save_checkpoint(&self, at: Timestamp, behaviour: u32, state: &RouterState) -> Result<(), StoreError> {
        todo!()
    }
}
