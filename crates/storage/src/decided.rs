//! Many changes of items at once, as the router decides them: what they read and whom they count is asked for all of
//! them together, and whatever that leaves open is done one by one (SQLite; PostgreSQL does all of them one by one).

use crate::error::StoreError;
use crate::guard::{Changed, Counts, Guard, ItemUpdate, Moves, counts, counts_moved, room_within, taker};
use crate::held::{MOST_ROWS, blanks};
use crate::items::{ITEM_COLUMNS, ItemRecord, record};
use crate::row::{Bundle, Db, rows, values};
use crate::store::Tx;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_model::{ItemId, Owner, UserId};

/// What counts as one, by any of its items.
type Together = BTreeMap<ItemId, (i64, Vec<ItemRecord>)>;

/// A change that nothing but the room of its new owner can refuse.
struct Plan {
    changed: Changed,
    moves: Moves,
    /// Whose room has to be found for it.
    taker: Option<UserId>,
}

/// What one person is to take of all changes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Taken {
    counts: Counts,
    expected_version: Option<i64>,
    is_limited: bool,
}

impl Tx {
    /// As [`Tx::change_item`] for each of the updates in their order.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn change_items(&self, updates: &[ItemUpdate]) -> Result<Vec<Result<Changed, Guard>>, StoreError> {
        let mut plans = if self.is_shared() || updates.len() < 2 { Vec::new() } else { self.plan(updates).await? };
        plans.resize_with(updates.len(), || None);
        let mut outcomes = Vec::with_capacity(updates.len());
        for (update, plan) in updates.iter().zip(plans) {
            outcomes.push(match plan {
                None => self.change_item(update).await?,
                Some(Plan { changed, moves, .. }) => {
                    let mut bundle = Bundle::default();
                    self.add_change(&mut bundle, update, &changed, &moves).await?;
                    bundle.run(self).await?;
                    Ok(changed)
                }
            });
        }
        Ok(outcomes)
    }

    /// Plans what can be done at once, and counts it.
    async fn plan(&self, updates: &[ItemUpdate]) -> Result<Vec<Option<Plan>>, StoreError> {
        let together = self.all_counted_together(updates).await?;
        let mut plans = plans(updates, &together);
        let counted = self.count_all(&taken(updates, &mut plans)).await?;
        for plan in &mut plans {
            plan.take_if(|plan| plan.taker.is_some_and(|taker| !counted.contains(&taker)));
        }
        Ok(plans)
    }

    /// The items with what capacity counts together with each.
    async fn all_counted_together(&self, updates: &[ItemUpdate]) -> Result<Together, StoreError> {
        let mut by_key: BTreeMap<i64, Vec<ItemRecord>> = BTreeMap::new();
        for part in updates.chunks(MOST_ROWS) {
            let sql = format!(
                "SELECT {ITEM_COLUMNS} FROM item i WHERE i.count_key IN (SELECT count_key FROM item WHERE id IN \
                 (SELECT column1 FROM (VALUES {}))) ORDER BY i.id",
                blanks(part.len(), 1)
            );
            for row in rows(self, sql, part.iter().flat_map(|update| values![update.item]).collect()).await? {
                let (key, item) = (row.get("count_key")?, record(&row)?);
                let same: &mut Vec<ItemRecord> = by_key.entry(key).or_default();
                if same.iter().all(|known| known.id != item.id) {
                    same.push(item);
                }
            }
        }
        let mut together = Together::new();
        for (key, items) in by_key {
            together.extend(items.iter().map(|item| (item.id, (key, items.clone()))));
        }
        Ok(together)
    }

    /// Counts everybody who has room for all that they are to take; answers who that is.
    async fn count_all(&self, taken: &BTreeMap<UserId, Taken>) -> Result<BTreeSet<UserId>, StoreError> {
        let people: Vec<_> = taken.iter().collect();
        let mut counted = BTreeSet::new();
        for part in people.chunks(MOST_ROWS) {
            let sql = format!(
                "UPDATE person SET open_total = open_total + v.column2, open_chat = open_chat + v.column3, \
                 open_mail = open_mail + v.column4, open_call = open_call + v.column5 FROM (VALUES {}) AS v \
                 WHERE user_id = v.column1 AND (v.column6 IS NULL OR availability_version = v.column6) \
                 AND (v.column7 = 0 OR (TRUE {})) RETURNING user_id",
                blanks(part.len(), 7),
                room_within(["v.column2", "v.column3", "v.column4", "v.column5"])
            );
            let values = part.iter().flat_map(|(user, taken)| {
                let [total, chat, mail, call] = taken.counts;
                values![**user, total, chat, mail, call, taken.expected_version, taken.is_limited]
            });
            for row in rows(self, sql, values.collect()).await? {
                counted.insert(row.id("user_id", UserId)?);
            }
        }
        Ok(counted)
    }
}

/// A plan for each update that no other one of them touches and that concerns nobody but who gets the item.
fn plans(updates: &[ItemUpdate], together: &Together) -> Vec<Option<Plan>> {
    let mut touched: BTreeMap<i64, u32> = BTreeMap::new();
    for update in updates {
        if let Some((key, _)) = together.get(&update.item) {
            *touched.entry(*key).or_default() += 1;
        }
    }
    let plan = |update: &ItemUpdate| {
        let (key, items) = together.get(&update.item)?;
        if touched.get(key) == Some(&1) { plan_of(update, items) } else { None }
    };
    let mut plans: Vec<Option<Plan>> = updates.iter().map(plan).collect();
    // Whoever is concerned by what is done one by one is counted one by one, in the order of the updates.
    let mut apart = BTreeSet::new();
    for (update, _) in updates.iter().zip(&plans).filter(|(_, plan)| plan.is_none()) {
        let owners = together.get(&update.item).map(|(_, items)| counts(items).into_keys().collect::<Vec<_>>());
        apart.extend(owners.unwrap_or_default());
        apart.extend(update.availability.map(|(user, _)| user));
        if let Some(Some(Owner::User { id })) = update.owner {
            apart.insert(id);
        }
    }
    for plan in &mut plans {
        plan.take_if(|plan| plan.taker.is_some_and(|taker| apart.contains(&taker)));
    }
    plans
}

fn plan_of(update: &ItemUpdate, items: &[ItemRecord]) -> Option<Plan> {
    let before = items.iter().find(|item| item.id == update.item)?;
    let is_current = update.expected_version.is_none_or(|version| version == before.version) && before.merged_into.is_none();
    if !is_current {
        return None;
    }
    let (changed, moves) = counts_moved(update, before, items);
    let taker = taker(&changed.after).filter(|_| update.availability.is_some() || update.capacity_guard);
    let only_taker = moves.keys().all(|user| Some(*user) == taker) && moves.values().flatten().all(|count| *count >= 0);
    let is_expected = update.availability.is_none_or(|(user, _)| Some(user) == taker);
    (only_taker && is_expected).then_some(Plan { changed, moves, taker })
}

/// What everybody takes. Whoever is expected in two versions is left to the plain way.
fn taken(updates: &[ItemUpdate], plans: &mut [Option<Plan>]) -> BTreeMap<UserId, Taken> {
    let (mut taken, mut unclear) = (BTreeMap::<UserId, Taken>::new(), BTreeSet::new());
    for (update, plan) in updates.iter().zip(plans.iter()) {
        let Some((plan, taker)) = plan.as_ref().and_then(|plan| Some((plan, plan.taker?))) else { continue };
        let expected_version = update.availability.map(|(_, version)| version);
        let delta = plan.moves.get(&taker).copied().unwrap_or_default();
        let all = taken.entry(taker).or_insert(Taken { counts: Counts::default(), expected_version, is_limited: false });
        if all.expected_version != expected_version {
            unclear.insert(taker);
        }
        all.counts.iter_mut().zip(delta).for_each(|(count, more)| *count += more);
        all.is_limited |= update.capacity_guard;
    }
    taken.retain(|user, _| !unclear.contains(user));
    for plan in plans {
        plan.take_if(|plan| plan.taker.is_some_and(|taker| unclear.contains(&taker)));
    }
    taken
}
