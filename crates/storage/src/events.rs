//! Live events in their order (DESIGN 3.7).
//!
//! On SQLite the position of an event is its row number: there is one writer, so numbers are commit order. On
//! PostgreSQL a position is the number of the transaction followed by the event's place in it, and events are
//! served only below the oldest transaction that still runs, so nothing can turn up behind a reader's back.

use crate::bind::Bind;
use crate::error::{StoreError, StoreErrorKind};
use crate::held::Table;
use crate::row::{Bundle, Db, Row, execute, one, rows, values};
use crate::store::{Store, Tx};
use sea_orm::Value;
use std::sync::atomic::Ordering;
use switchboard_model::{ConversationId, ItemId, LiveEvent, LiveEventKind, MessageId, Timestamp, UserId, WorkspaceId};

/// SQL for the number of the transaction at hand.
pub(crate) const CURRENT_TRANSACTION: &str = "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)";
/// SQL for the number of the oldest transaction that still runs.
const OLDEST_TRANSACTION: &str = "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)";
/// Bits of a position that count the events of one transaction. The rest lasts for 2^37 transactions before a
/// position leaves the numbers that a browser can hold.
pub(crate) const POSITION_BITS: i64 = 16;

/// Events written by one statement.
const PER_STATEMENT: usize = 1_000;

/// A live event to write; its position is given by the database.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: LiveEventKind,
    /// The workspace, for permission.
    pub workspace: Option<WorkspaceId>,
    /// The item.
    pub item: Option<ItemId>,
    /// The item's conversation.
    pub conversation: Option<ConversationId>,
    /// The item's version.
    pub version: Option<i64>,
    /// The message.
    pub message: Option<MessageId>,
    /// The person concerned.
    pub user: Option<UserId>,
}

impl NewEvent {
    /// An event about nothing yet, to be filled in.
    #[must_use]
    pub const fn new(kind: LiveEventKind, at: Timestamp) -> Self {
        Self { at, kind, workspace: None, item: None, conversation: None, version: None, message: None, user: None }
    }
}

impl Store {
    /// Events after a position, in order. On PostgreSQL only those that nothing can come before any more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events_after(&self, position: i64, limit: u32) -> Result<Vec<LiveEvent>, StoreError> {
        let settled =
            if self.is_shared() { format!("AND id < ({OLDEST_TRANSACTION} << {POSITION_BITS})") } else { String::new() };
        let sql = format!(
            "SELECT id, at, kind, workspace_id, item_id, conversation_id, version, message_id, user_id FROM event \
             WHERE id > $1 {settled} ORDER BY id LIMIT $2"
        );
        rows(self.reads(), sql, values![position, limit]).await?.iter().map(event).collect()
    }

    /// The position to start from: that of the last event that [`Store::events_after`] would serve; 0 before the
    /// first. A reader whose position is greater, or lower than [`Store::first_event_id`] less one, has to read
    /// everything anew.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_event_id(&self) -> Result<i64, StoreError> {
        let settled =
            if self.is_shared() { format!("WHERE id < ({OLDEST_TRANSACTION} << {POSITION_BITS})") } else { String::new() };
        one(self.reads(), format!("SELECT COALESCE(MAX(id), 0) AS id FROM event {settled}"), values![]).await?.get("id")
    }

    /// The oldest position that is kept; 0 when none is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_event_id(&self) -> Result<i64, StoreError> {
        one(self.reads(), "SELECT COALESCE(MIN(id), 0) AS id FROM event", values![]).await?.get("id")
    }
}

impl Tx {
    /// Writes events in the order given. [`Tx::change_item`], [`Tx::set_status`], [`Tx::insert_directory`] and
    /// the outbox write theirs themselves; new items and messages need them here.
    ///
    /// # Errors
    /// `Invalid` for more than 65,535 events in one transaction on PostgreSQL.
    pub async fn insert_events(&self, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut bundle = Bundle::default();
        self.add_events(&mut bundle, events).await?;
        bundle.run(self).await
    }

    /// As [`Tx::insert_events`], as a part of a bundle.
    pub(crate) async fn add_events(&self, bundle: &mut Bundle, events: &[NewEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let first = if self.is_shared() { Some(self.reserve_positions(events.len()).await?) } else { None };
        for (part, place) in events.chunks(PER_STATEMENT).zip((0_i64..).step_by(PER_STATEMENT)) {
            let records = (place..).zip(part).map(|(place, event)| record(first.map(|first| first + place), event));
            bundle.insert(Table::Event, records.collect());
        }
        Ok(())
    }

    /// Drops events from before an instant; answers how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn prune_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        execute(self, "DELETE FROM event WHERE at < $1", values![before]).await
    }

    /// Positions for the next `count` events of this transaction (PostgreSQL).
    async fn reserve_positions(&self, count: usize) -> Result<i64, StoreError> {
        let mut last = self.event_position.load(Ordering::Relaxed);
        if last == 0 {
            let number: i64 = one(self, format!("SELECT {CURRENT_TRANSACTION} AS number"), values![]).await?.get("number")?;
            last = number << POSITION_BITS;
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let new_last = last.saturating_add(count);
        if new_last >> POSITION_BITS != last >> POSITION_BITS {
            return Err(StoreError::new(StoreErrorKind::Invalid, "too many live events in one transaction"));
        }
        self.event_position.store(new_last, Ordering::Relaxed);
        Ok(last + 1)
    }
}

fn record(position: Option<i64>, event: &NewEvent) -> Vec<Value> {
    let mut record =
        values![event.at, event.kind, event.workspace, event.item, event.conversation, event.version, event.message, event.user,];
    record.insert(0, position.bind());
    record
}

fn event(row: &Row) -> Result<LiveEvent, StoreError> {
    Ok(LiveEvent {
        id: row.get("id")?,
        at: row.id("at", Timestamp)?,
        kind: row.word("kind")?,
        workspace: row.opt_id("workspace_id", WorkspaceId)?,
        item: row.opt_id("item_id", ItemId)?,
        conversation: row.opt_id("conversation_id", ConversationId)?,
        version: row.opt("version")?,
        message: row.opt_id("message_id", MessageId)?,
        user: row.opt_id("user_id", UserId)?,
    })
}
