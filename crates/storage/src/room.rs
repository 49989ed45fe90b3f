//! Room of a person who leaves some open work out of capacity (ROUTING 5.5).
//!
//! The counters of a person hold all open work. They never say less than what uses capacity, so an item that they let
//! through fits; only where they refuse, and the person leaves something out, what uses capacity is counted anew.

use crate::error::StoreError;
use crate::items::ItemRecord;
use crate::row::{Db, Row, row, rows, values};
use crate::store::Tx;
use std::collections::BTreeSet;
use switchboard_model::{LoadGroup, Timestamp, UserId, WorkType};

/// A person's limits and what is left out of them.
struct Terms {
    total: Option<i64>,
    /// Limit and weight by type.
    types: Vec<(WorkType, Option<i64>, i64)>,
    weight: Option<i64>,
    older_ms: Option<i64>,
    waiting: bool,
}

/// Whether the item fits, counted from the items that the person owns. False for somebody who leaves nothing out, for
/// whom the counters are exact.
pub(crate) async fn has_room(tx: &Tx, user: UserId, item: &ItemRecord, at: Timestamp) -> Result<bool, StoreError> {
    let Some(terms) = terms(tx, user).await? else { return Ok(false) };
    let since = terms.older_ms.map_or(Timestamp(i64::MIN), |older_ms| at.plus_ms(-older_ms));
    let is_left_out = (terms.waiting && item.waits_on_contact()) || item.created_at < since;
    if is_left_out {
        return Ok(true);
    }
    let unanswered = if terms.waiting { "AND waiting_since IS NOT NULL" } else { "" };
    let sql = format!(
        "SELECT count_key, load_group FROM item WHERE owner_kind = 'user' AND owner_id = $1 AND status = 'open' \
         AND created_at >= $2 AND id <> $3 {unanswered}"
    );
    let mut used: BTreeSet<(i64, WorkType)> = BTreeSet::new();
    for found in rows(tx, sql, values![user, since, item.id]).await? {
        used.insert((found.get("count_key")?, found.word::<LoadGroup>("load_group")?.work_type()));
    }
    let key = item.conversation.map_or(item.id.0, |conversation| conversation.0);
    Ok(terms.fits(&used, (key, item.group.work_type())))
}

async fn terms(tx: &Tx, user: UserId) -> Result<Option<Terms>, StoreError> {
    let lock = if tx.is_shared() { "FOR UPDATE" } else { "" };
    let sql = format!(
        "SELECT limit_total, limit_chat, limit_mail, limit_call, limit_weight, weight_chat, weight_mail, weight_call, \
         leave_older_ms, leave_waiting FROM person WHERE user_id = $1 AND (leave_waiting OR leave_older_ms IS NOT NULL) {lock}"
    );
    let read = |row: &Row| {
        Ok(Terms {
            total: row.opt("limit_total")?,
            types: vec![
                (WorkType::Chat, row.opt("limit_chat")?, row.get("weight_chat")?),
                (WorkType::Mail, row.opt("limit_mail")?, row.get("weight_mail")?),
                (WorkType::Call, row.opt("limit_call")?, row.get("weight_call")?),
            ],
            weight: row.opt("limit_weight")?,
            older_ms: row.opt("leave_older_ms")?,
            waiting: row.get("leave_waiting")?,
        })
    };
    row(tx, sql, values![user]).await?.as_ref().map(read).transpose()
}

impl Terms {
    /// Whether one more fits beside what uses capacity. What counts once with something there already needs no room.
    fn fits(&self, used: &BTreeSet<(i64, WorkType)>, more: (i64, WorkType)) -> bool {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let keys: BTreeSet<i64> = used.iter().map(|(key, _)| *key).collect();
        let of_type = |work: WorkType| number(used.iter().filter(|(_, other)| *other == work).count());
        let has_key = keys.contains(&more.0);
        let has_both = used.contains(&more);
        let in_total = has_key || self.total.is_none_or(|limit| number(keys.len()) < limit);
        let in_type = has_both
            || self.types.iter().all(|(work, limit, _)| *work != more.1 || limit.is_none_or(|limit| of_type(*work) < limit));
        let weigh = |work: WorkType| self.types.iter().find(|(other, ..)| *other == work).map_or(0, |(.., weight)| *weight);
        let weighs: i64 = used.iter().map(|(_, work)| weigh(*work)).sum();
        let added = if has_both { 0 } else { weigh(more.1) };
        in_total && in_type && (added == 0 || self.weight.is_none_or(|limit| weighs + added <= limit))
    }
}
