//! What the sweep for stranded work looks at, all of one moment (ROUTING 12.6).

use crate::error::StoreError;
use crate::rebuild::{TableState, table_state};
use crate::row::{Db, Row, rows, values};
use crate::store::Store;
use std::collections::BTreeMap;
use switchboard_model::{Actor, Decision, HistoryChange, ItemId, Outcome, TeamId, Timestamp, WorkspaceId};

/// Items whose history is read at once.
const CHUNK: usize = 500;

/// The tables as far as work can be stranded in them.
#[derive(Clone, Debug)]
pub struct SweepState {
    /// The router's world.
    pub tables: TableState,
    /// When the oldest input that is neither consumed nor parked was taken, per item; `None` is for those about no item.
    pub pending: BTreeMap<Option<ItemId>, Timestamp>,
    /// Open work items of a channel and a contact that nobody owns, without a reason, and that do not wait.
    pub adrift: Vec<Adrift>,
    /// Work items that are put aside without a timer, with the time until which they are.
    pub asleep: Vec<(ItemId, Option<Timestamp>)>,
    /// Open work items that nobody owns and that do not wait, in workspaces which nobody may open.
    pub out_of_sight: Vec<ItemId>,
}

/// An item that nobody owns, and nothing says why.
#[derive(Clone, Debug)]
pub struct Adrift {
    /// The item.
    pub item: ItemId,
    /// Its team.
    pub team: Option<TeamId>,
    /// What its last decision came to.
    pub outcome: Option<Outcome>,
    /// The last entry of its history, if it has any.
    pub last_change: Option<(Actor, HistoryChange)>,
}

impl Store {
    /// What a sweep looks at. `timer` is the kind of timer that wakes what is put aside, `openable` are the workspaces
    /// that somebody may open.
    ///
    /// # Errors
    /// `Corrupt` when something cannot be read back.
    pub async fn sweep_state(&self, timer: &str, openable: &[WorkspaceId]) -> Result<SweepState, StoreError> {
        let db = self.snapshot().await?;
        let state = SweepState {
            tables: table_state(&db).await?,
            pending: pending(&db).await?,
            adrift: adrift(&db).await?,
            asleep: asleep(&db, timer).await?,
            out_of_sight: out_of_sight(&db, openable).await?,
        };
        db.roll_back().await;
        Ok(state)
    }
}

async fn pending(db: &impl Db) -> Result<BTreeMap<Option<ItemId>, Timestamp>, StoreError> {
    let sql = "SELECT item_id, MIN(at) AS at FROM routing_input WHERE consumed_no IS NULL AND parked IS NULL GROUP BY item_id";
    let pending = |row: &Row| Ok((row.opt_id("item_id", ItemId)?, row.id("at", Timestamp)?));
    rows(db, sql, values![]).await?.iter().map(pending).collect()
}

async fn adrift(db: &impl Db) -> Result<Vec<Adrift>, StoreError> {
    let sql = "SELECT i.id, i.team_id, d.decision FROM item i LEFT JOIN decision d ON d.id = i.last_decision \
        WHERE i.status = 'open' AND i.owner_kind IS NULL AND i.routed AND i.queued_since IS NULL \
        AND i.unassigned_reason IS NULL AND i.channel_id IS NOT NULL AND i.contact_id IS NOT NULL ORDER BY i.id";
    let adrift = |row: &Row| {
        let decision: Option<Decision> = row.opt_json("decision")?;
        let (item, team) = (row.id("id", ItemId)?, row.opt_id("team_id", TeamId)?);
        Ok(Adrift { item, team, outcome: decision.map(|decision| decision.outcome), last_change: None })
    };
    let mut items = rows(db, sql, values![]).await?.iter().map(adrift).collect::<Result<Vec<_>, StoreError>>()?;
    for chunk in items.chunks_mut(CHUNK) {
        let ids: Vec<String> = chunk.iter().map(|adrift| adrift.item.to_string()).collect();
        let sql = format!(
            "SELECT item_id, actor, change FROM history WHERE id IN \
             (SELECT MAX(id) FROM history WHERE item_id IN ({}) GROUP BY item_id)",
            ids.join(", ")
        );
        let mut last_changes = BTreeMap::new();
        for row in rows(db, sql, values![]).await? {
            last_changes.insert(row.id("item_id", ItemId)?, (row.json("actor")?, row.json("change")?));
        }
        for adrift in chunk {
            adrift.last_change = last_changes.remove(&adrift.item);
        }
    }
    Ok(items)
}

async fn asleep(db: &impl Db, timer: &str) -> Result<Vec<(ItemId, Option<Timestamp>)>, StoreError> {
    let sql = "SELECT id, snoozed_until FROM item WHERE status = 'snoozed' AND routed \
        AND NOT EXISTS (SELECT 1 FROM timer WHERE timer.item_id = item.id AND timer.kind = $1) ORDER BY id";
    let asleep = |row: &Row| Ok((row.id("id", ItemId)?, row.opt_id("snoozed_until", Timestamp)?));
    rows(db, sql, values![timer]).await?.iter().map(asleep).collect()
}

async fn out_of_sight(db: &impl Db, openable: &[WorkspaceId]) -> Result<Vec<ItemId>, StoreError> {
    let mut ids: Vec<String> = openable.iter().map(ToString::to_string).collect();
    // No workspace has this number; an empty list is no SQL.
    ids.push("0".to_owned());
    let sql = format!(
        "SELECT id FROM item WHERE status = 'open' AND owner_kind IS NULL AND routed AND queued_since IS NULL \
         AND workspace_id NOT IN ({}) ORDER BY id",
        ids.join(", ")
    );
    rows(db, sql, values![]).await?.iter().map(|row| row.id("id", ItemId)).collect()
}
