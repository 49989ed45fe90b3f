//! What people do on conversations right now, told among hosts (PostgreSQL only; a host alone keeps it in memory).
//!
//! One short-lived row for each who is there, overwritten in place: no history, nothing for desks that come back to
//! replay, and the table need not survive a crash. Hosts write what changed in one statement now and then, whatever the
//! number of people, and read what the others wrote.

use crate::error::StoreError;
use crate::row::{Row, execute, insert_rows, rows, values};
use crate::store::{Store, Tx};
use switchboard_model::{ChannelId, ConversationId, UserId, WorkspaceId};

/// The database's clock in milliseconds.
const CLOCK: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
/// What was written this long ago is read again, because commits may come later than what they wrote.
const OVERLAP_MS: i64 = 5_000;

/// What one person, or the contact, does on a conversation, as one host knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalRow {
    /// The conversation.
    pub conversation: ConversationId,
    /// A person at the desk; `None` is the contact.
    pub user: Option<UserId>,
    /// The host that knows.
    pub host: String,
    /// Where the conversation is.
    pub workspace: WorkspaceId,
    /// Its channel.
    pub channel: Option<ChannelId>,
    /// What it is, in the engine's words.
    pub state: String,
    /// It is over after so many milliseconds; 0 or less is over.
    pub left_ms: i64,
}

impl Store {
    /// What other hosts wrote since a position, and the position to go on from; 0 is the beginning.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn signals_since(&self, host: &str, position: i64) -> Result<(Vec<SignalRow>, i64), StoreError> {
        let sql = format!(
            "SELECT conversation_id, who, host, workspace_id, channel_id, state, until - {CLOCK} AS left_ms, changed_at \
             FROM signal WHERE changed_at > $1 AND host <> $2 ORDER BY changed_at"
        );
        let found = rows(self.reads(), sql, values![position.saturating_sub(OVERLAP_MS), host]).await?;
        let newest = found.last().map(|row| row.get::<i64>("changed_at")).transpose()?;
        let signals = found.iter().map(signal).collect::<Result<_, _>>()?;
        Ok((signals, newest.map_or(position, |newest| newest.max(position))))
    }
}

impl Tx {
    /// Writes what changed on a host.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn write_signals(&self, signals: &[SignalRow]) -> Result<(), StoreError> {
        // A crash of the server loses seconds of presence, which nobody misses.
        execute(self, "SET LOCAL synchronous_commit = off", values![]).await?;
        let record = |signal: &SignalRow| {
            values![
                signal.conversation,
                signal.user.map_or(0, |user| user.0),
                signal.host.as_str(),
                signal.workspace,
                signal.channel,
                signal.state.as_str(),
                signal.left_ms.max(0),
                0_i64,
            ]
        };
        let head = "INSERT INTO signal (conversation_id, who, host, workspace_id, channel_id, state, until, changed_at)";
        let tail = format!(
            "ON CONFLICT (conversation_id, who, host) DO UPDATE SET workspace_id = excluded.workspace_id, \
             channel_id = excluded.channel_id, state = excluded.state, until = {CLOCK} + excluded.until, changed_at = {CLOCK}"
        );
        // New rows get their times by the update below, so that only the database's clock counts.
        insert_rows(self, head, &tail, signals.iter().map(record).collect()).await?;
        let sql = format!("UPDATE signal SET until = {CLOCK} + until, changed_at = {CLOCK} WHERE host = $1 AND changed_at = 0");
        let Some(first) = signals.first() else { return Ok(()) };
        execute(self, sql, values![first.host.as_str()]).await.map(|_| ())
    }

    /// Drops what is over, of all hosts.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn prune_signals(&self) -> Result<(), StoreError> {
        execute(self, "SET LOCAL synchronous_commit = off", values![]).await?;
        execute(self, format!("DELETE FROM signal WHERE until < {CLOCK} - $1"), values![2 * OVERLAP_MS]).await.map(|_| ())
    }

    /// A host that starts or stops knows of nobody.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn end_signals(&self, host: &str) -> Result<(), StoreError> {
        let sql = format!("UPDATE signal SET until = 0, changed_at = {CLOCK} WHERE host = $1");
        execute(self, sql, values![host]).await.map(|_| ())
    }
}

fn signal(row: &Row) -> Result<SignalRow, StoreError> {
    Ok(SignalRow {
        conversation: row.id("conversation_id", ConversationId)?,
        user: Some(row.id("who", UserId)?).filter(|user| user.0 != 0),
        host: row.get("host")?,
        workspace: row.id("workspace_id", WorkspaceId)?,
        channel: row.opt_id("channel_id", ChannelId)?,
        state: row.get("state")?,
        left_ms: row.get("left_ms")?,
    })
}
