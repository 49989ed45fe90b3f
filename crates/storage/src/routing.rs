//! The router's log: inputs, decisions, checkpoints (DESIGN 3.2, 3.6).

use crate::error::{StoreError, StoreErrorKind};
use crate::held::{MOST_ROWS, Table, blanks};
use crate::row::{Bundle, Db, Row, execute, json, one, row, rows, tuples, values};
use crate::store::{Store, Tx};
use sea_orm::Value;
use switchboard_model::{Arrival, Decision, DecisionId, DecisionView, Input, ItemId, RefusalReason, RouterState, Timestamp};

const INPUT: &str = "SELECT seq, at, item_id, body, consumed_no, consumed_at, directory_version, parked FROM routing_input";
const DECISION: &str = "SELECT id, at, no, directory_version, decision, duration_us, refused FROM decision";

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

impl Store {
    /// Inputs that are neither consumed nor parked, in the order of taking.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn next_inputs(&self, limit: u32) -> Result<Vec<StoredInput>, StoreError> {
        next_inputs(self.reads(), limit).await
    }

    /// Consumed inputs with `after < no <= to`, by number.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn inputs_between(&self, after: u64, to: u64) -> Result<Vec<StoredInput>, StoreError> {
        let sql = format!("{INPUT} WHERE consumed_no > $1 AND consumed_no <= $2 ORDER BY consumed_no");
        rows(self.reads(), sql, values![after, to]).await?.iter().map(stored_input).collect()
    }

    /// The lowest number of an input that was consumed at `at` or later; `None` when none was.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_no_since(&self, at: Timestamp) -> Result<Option<u64>, StoreError> {
        // Inputs are consumed in the order of their numbers at times that never go back, so the newest come first here.
        let sql = "SELECT MIN(consumed_no) AS no FROM routing_input WHERE consumed_no IS NOT NULL AND consumed_at >= $1";
        let found = one(self.reads(), sql, values![at]).await?;
        found.opt::<i64>("no")?.map(|_| found.count("no")).transpose()
    }

    /// Parked inputs, newest first.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn parked_inputs(&self, limit: u32) -> Result<Vec<StoredInput>, StoreError> {
        let sql = format!("{INPUT} WHERE parked IS NOT NULL AND consumed_no IS NULL ORDER BY seq DESC LIMIT $1");
        rows(self.reads(), sql, values![limit]).await?.iter().map(stored_input).collect()
    }

    /// Where the router is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cursor(&self) -> Result<Cursor, StoreError> {
        cursor(self.reads()).await
    }

    /// The newest checkpoint with a consumption number of at most `no`.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read back.
    pub async fn checkpoint_before(&self, no: u64) -> Result<Option<StoredCheckpoint>, StoreError> {
        let sql = "SELECT at, behaviour, state FROM checkpoint WHERE no <= $1 ORDER BY no DESC LIMIT 1";
        row(self.reads(), sql, values![no]).await?.map(checkpoint).transpose()
    }

    /// Consumption number of the newest checkpoint; `None` before the first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn newest_checkpoint_no(&self) -> Result<Option<u64>, StoreError> {
        let found = row(self.reads(), "SELECT no FROM checkpoint ORDER BY no DESC LIMIT 1", values![]).await?;
        found.map(|row| row.count("no")).transpose()
    }

    /// The oldest checkpoint with a consumption number above `no`.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read back.
    pub async fn checkpoint_after(&self, no: u64) -> Result<Option<StoredCheckpoint>, StoreError> {
        let sql = "SELECT at, behaviour, state FROM checkpoint WHERE no > $1 ORDER BY no LIMIT 1";
        row(self.reads(), sql, values![no]).await?.map(checkpoint).transpose()
    }

    /// Decisions about an item, oldest first: with those about what held the same work before it was moved, and what was
    /// merged into it (ROUTING 12.4).
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn decisions_of(&self, item: ItemId) -> Result<Vec<DecisionView>, StoreError> {
        let sql = format!(
            "{DECISION} WHERE item_id IN (SELECT o.id FROM item i JOIN item o ON o.count_key = i.count_key WHERE i.id = $1 \
             AND (i.routed OR o.id = i.id) UNION SELECT id FROM item WHERE merged_into = $1) ORDER BY no, id"
        );
        rows(self.reads(), sql, values![item]).await?.iter().map(decision_view).collect()
    }

    /// The facts with which the item was last decided on; `None` for one that was never decided on, or whose last
    /// decisions took it from the queue.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn last_arrival_of(&self, item: ItemId) -> Result<Option<Arrival>, StoreError> {
        let sql = "SELECT i.body FROM decision d JOIN routing_input i ON i.seq = d.input_seq \
            WHERE d.item_id = $1 ORDER BY d.no DESC, d.id DESC LIMIT 20";
        for found in rows(self.reads(), sql, values![item]).await? {
            let arrival = match found.json::<Input>("body")? {
                Input::Arrived(arrival) => Some(arrival),
                Input::Refused(refusal) => refusal.retry,
                _ => None,
            };
            if let Some(arrival) = arrival.filter(|arrival| arrival.item == item) {
                return Ok(Some(arrival));
            }
        }
        Ok(None)
    }

    /// A decision.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read back.
    pub async fn decision(&self, decision: DecisionId) -> Result<Option<DecisionView>, StoreError> {
        let found = row(self.reads(), format!("{DECISION} WHERE id = $1"), values![decision]).await?;
        found.as_ref().map(decision_view).transpose()
    }

    /// Decisions with `after < no <= to`, by number.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn decisions_between(&self, after: u64, to: u64) -> Result<Vec<DecisionView>, StoreError> {
        let sql = format!("{DECISION} WHERE no > $1 AND no <= $2 ORDER BY no, id");
        rows(self.reads(), sql, values![after, to]).await?.iter().map(decision_view).collect()
    }
}

impl Tx {
    /// Appends inputs; answers their sequence numbers, in order.
    ///
    /// # Errors
    /// `Conflict` when a consumption number is taken.
    pub async fn insert_inputs(&self, inputs: &[NewInput]) -> Result<Vec<i64>, StoreError> {
        let sql = "INSERT INTO routing_input (at, item_id, kind, body, consumed_no, consumed_at, directory_version) \
            VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING seq";
        let mut numbers = Vec::with_capacity(inputs.len());
        for input in inputs {
            numbers.push(one(self, sql, input_values(input)?).await?.get("seq")?);
        }
        Ok(numbers)
    }

    /// Appends inputs whose numbers nobody asks for.
    ///
    /// # Errors
    /// `Conflict` when a consumption number is taken.
    pub async fn append_inputs(&self, inputs: &[NewInput]) -> Result<(), StoreError> {
        let mut bundle = Bundle::default();
        bundle.insert(Table::Input, inputs.iter().map(input_values).collect::<Result<_, _>>()?);
        bundle.run(self).await
    }

    /// Inputs that are neither consumed nor parked, in the order of taking.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn next_inputs(&self, limit: u32) -> Result<Vec<StoredInput>, StoreError> {
        next_inputs(self, limit).await
    }

    /// Marks inputs as consumed.
    ///
    /// # Errors
    /// `Conflict` when one was consumed or parked before, or a number is taken.
    pub async fn consume(&self, consumptions: &[Consumption]) -> Result<(), StoreError> {
        for part in consumptions.chunks(if self.is_shared() { 1_000 } else { MOST_ROWS }) {
            let sql = format!(
                "UPDATE routing_input SET consumed_no = v.column2, consumed_at = v.column3, directory_version = v.column4 \
                 FROM (VALUES {}) AS v WHERE seq = v.column1 AND consumed_no IS NULL AND parked IS NULL",
                if self.is_shared() { tuples(1, part.len(), 4) } else { blanks(part.len(), 4) }
            );
            let parameters = part
                .iter()
                .flat_map(|Consumption { seq, consumed }| values![*seq, consumed.no, consumed.at, consumed.directory_version])
                .collect();
            let done = execute(self, sql, parameters).await?;
            if usize::try_from(done).ok() != Some(part.len()) {
                return Err(StoreError::new(StoreErrorKind::Conflict, "an input was consumed or parked before"));
            }
        }
        Ok(())
    }

    /// Puts an input aside with the reason; it is not given out again.
    ///
    /// # Errors
    /// `NotFound` when there is none, or it was consumed.
    pub async fn park_input(&self, seq: i64, reason: &str) -> Result<(), StoreError> {
        let sql = "UPDATE routing_input SET parked = $2 WHERE seq = $1 AND consumed_no IS NULL";
        match execute(self, sql, values![seq, reason]).await? {
            0 => Err(StoreError::new(StoreErrorKind::NotFound, format!("there is no unconsumed input {seq}"))),
            _ => Ok(()),
        }
    }

    /// Stores decisions.
    ///
    /// # Errors
    /// `Conflict` when an id is taken or there is no such item.
    pub async fn insert_decisions(&self, decisions: &[NewDecision]) -> Result<(), StoreError> {
        let mut records = Vec::with_capacity(decisions.len());
        for new in decisions {
            records.push(values![
                new.id,
                new.decision.item,
                new.input_seq,
                new.no,
                new.at,
                new.directory_version,
                json(&new.decision)?,
                new.duration_us,
                new.refused,
            ]);
        }
        let mut bundle = Bundle::default();
        bundle.insert(Table::Decision, records);
        bundle.run(self).await
    }

    /// Marks a stored decision as refused.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn refuse_decision(&self, decision: DecisionId, reason: RefusalReason) -> Result<(), StoreError> {
        match execute(self, "UPDATE decision SET refused = $2 WHERE id = $1", values![decision, reason]).await? {
            0 => Err(StoreError::new(StoreErrorKind::NotFound, format!("there is no decision {decision}"))),
            _ => Ok(()),
        }
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
        let sql = "UPDATE router_cursor SET no = $3, now = $4, directory_version = $5 WHERE epoch = $1 AND no = $2";
        match execute(self, sql, values![epoch, from_no, no, now, directory_version]).await? {
            0 => Err(StoreError::new(
                StoreErrorKind::Superseded,
                format!("the router is no longer of epoch {epoch} at number {from_no}"),
            )),
            _ => Ok(()),
        }
    }

    /// Stores a checkpoint under the consumption number of its state, in place of one that is there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn save_checkpoint(&self, at: Timestamp, behaviour: u32, state: &RouterState) -> Result<(), StoreError> {
        let sql = "INSERT INTO checkpoint (no, at, behaviour, directory_version, state) VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (no) DO UPDATE SET at = excluded.at, behaviour = excluded.behaviour, \
            directory_version = excluded.directory_version, state = excluded.state";
        execute(self, sql, values![state.no, at, behaviour, state.directory_version, json(state)?]).await.map(|_| ())
    }
}

fn input_values(input: &NewInput) -> Result<Vec<Value>, StoreError> {
    let consumed = input.consumed;
    Ok(values![
        input.at,
        input.item,
        kind(&input.input),
        json(&input.input)?,
        consumed.map(|consumed| consumed.no),
        consumed.map(|consumed| consumed.at),
        consumed.map(|consumed| consumed.directory_version),
    ])
}

async fn next_inputs(db: &impl Db, limit: u32) -> Result<Vec<StoredInput>, StoreError> {
    let sql = format!("{INPUT} WHERE consumed_no IS NULL AND parked IS NULL ORDER BY seq LIMIT $1");
    rows(db, sql, values![limit]).await?.iter().map(stored_input).collect()
}

pub(crate) async fn cursor(db: &impl Db) -> Result<Cursor, StoreError> {
    let row = one(db, "SELECT no, now, directory_version, epoch FROM router_cursor", values![]).await?;
    Ok(Cursor {
        no: row.count("no")?,
        now: row.id("now", Timestamp)?,
        directory_version: row.get("directory_version")?,
        epoch: row.get("epoch")?,
    })
}

fn checkpoint(row: Row) -> Result<StoredCheckpoint, StoreError> {
    let (at, behaviour) = (row.id("at", Timestamp)?, row.small("behaviour")?);
    Ok(StoredCheckpoint { at, behaviour, state: row.json("state")? })
}

fn stored_input(row: &Row) -> Result<StoredInput, StoreError> {
    let consumed = match row.opt::<i64>("consumed_no")? {
        None => None,
        Some(_) => Some(Consumed {
            no: row.count("consumed_no")?,
            at: row.id("consumed_at", Timestamp)?,
            directory_version: row.get("directory_version")?,
        }),
    };
    Ok(StoredInput {
        seq: row.get("seq")?,
        at: row.id("at", Timestamp)?,
        item: row.opt_id("item_id", ItemId)?,
        input: row.json("body")?,
        consumed,
        parked: row.opt("parked")?,
    })
}

fn decision_view(row: &Row) -> Result<DecisionView, StoreError> {
    Ok(DecisionView {
        id: row.id("id", DecisionId)?,
        at: row.id("at", Timestamp)?,
        no: row.count("no")?,
        directory_version: row.get("directory_version")?,
        decision: row.json("decision")?,
        duration_us: row.count("duration_us")?,
        refused: row.opt_word("refused")?,
    })
}

/// The word that the log keeps beside the input, for people who read the table.
const fn kind(input: &Input) -> &'static str {
    match input {
        Input::Directory { .. } => "directory",
        Input::Arrived(_) => "arrived",
        Input::Changed(_) => "changed",
        Input::Status(_) => "status",
        Input::Refused(_) => "refused",
        Input::Revised(_) => "revised",
        Input::Tick => "tick",
    }
}
