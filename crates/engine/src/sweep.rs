//! The sweep for stranded work: proves that every open item has an owner, a place or a timer, and repairs what has none
//! (ROUTING 12.6). The host that routes runs it between two rounds, so that the router's memory stands still.

use crate::arrival::tell_change;
use crate::engine::Engine;
use crate::error::Result;
use crate::items::Reroute;
use crate::memory::{Memory, remember};
use crate::random;
use crate::router_task::Routing;
use crate::timers;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use switchboard_core::Stranded;
use switchboard_model::{
    Actor, Directory, HistoryChange, ItemId, ItemStatus, Outcome, Owner, RouteEvent, Timestamp, UnassignedReason, User, UserId,
    WorkspaceId,
};
use switchboard_storage::{Adrift, Changed, ItemRecord, ItemUpdate, NewTimer, SweepState, Tx};

const MINUTE_MS: i64 = 60_000;
/// How often there is a sweep, and how soon after one that found something.
const SWEEP_MS: i64 = 5 * MINUTE_MS;
const SWEEP_AGAIN_MS: i64 = MINUTE_MS;
/// An input that the router has not taken by then is stuck.
const STUCK_MS: i64 = MINUTE_MS;
/// This many items are named in the log.
const NAMED: usize = 50;
/// This many are repaired before routing goes on; the rest at the next sweep, a minute later.
const REPAIRED_AT_ONCE: usize = 100;

/// What sweeps have come to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Swept {
    /// Items that the last sweep found stranded.
    pub stranded: u64,
    /// How often the router's memory differed from the tables.
    pub corrections: u64,
    /// How many sweeps there were.
    pub sweeps: u64,
}

/// Why nobody will get to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Its owner is deactivated or unknown.
    OwnerGone { user: UserId },
    /// It waits in the tables, not in the router.
    NotQueued,
    /// It waits, and nobody could ever have it.
    WaitsForNobody,
    /// Nobody owns it, and nothing says why.
    Adrift,
    /// Nothing will wake it.
    NoTimer { until: Option<Timestamp> },
    /// Its input was never taken.
    InputStuck,
    /// Nobody may open its workspace.
    OutOfSight,
}

impl Routing {
    /// Sweeps when it is time: while nothing is to be decided, or when that has not been so for long.
    pub(crate) async fn sweep_when_due(&mut self, is_idle: bool) {
        let now = self.engine.now();
        let late_ms = now.ms_since(self.next_sweep_at);
        if late_ms < 0 || (!is_idle && late_ms < SWEEP_MS) {
            return;
        }
        self.next_sweep_at = now.plus_ms(match self.sweep(now).await {
            Ok(true) => SWEEP_AGAIN_MS,
            Ok(false) => SWEEP_MS,
            Err(error) => {
                tracing::warn!(%error, "the sweep for stranded work failed; trying again");
                SWEEP_AGAIN_MS
            }
        });
    }

    /// One sweep; whether it found anything.
    async fn sweep(&mut self, now: Timestamp) -> Result<bool> {
        // An old copy would take people for gone who are new.
        self.engine.refresh_directory().await?;
        let directory = self.engine.directory();
        let state = self.engine.inner.store.sweep_state(timers::SNOOZE, &openable(&directory)).await?;
        let differs = self.differs(&state);
        if differs {
            tracing::error!(no = self.router.no(), "the router's memory differs from the tables; the tables count");
            metrics::counter!("switchboard_router_rebuilds_total").increment(1);
            let Memory { router, .. } = remember(&self.engine, true).await?;
            self.router = router;
            self.refusals.clear();
            self.checkpoint().await?;
        }
        let found = self.find(&state, &directory, now);
        self.engine.note_sweep(u64::try_from(found.len()).unwrap_or(u64::MAX), u64::from(differs));
        for (item, why) in found.iter().take(REPAIRED_AT_ONCE) {
            if let Err(error) = self.engine.repair(*item, *why, &directory, now).await {
                tracing::warn!(%item, %error, "stranded work could not be repaired; trying again");
            }
        }
        Ok(differs || !found.is_empty())
    }

    /// Whether the router remembers something else than the tables hold. While an input is on its way they may differ.
    fn differs(&self, state: &SweepState) -> bool {
        let tables = &state.tables;
        if !state.pending.is_empty() || tables.cursor.no != self.router.no() {
            return false;
        }
        let known = self.router.state();
        let directory = self.router.directory();
        // Whose turn it is counts where the owner leaves out of capacity what waits on the contact.
        let owned = |item: &switchboard_model::OwnedItem| {
            let counts = directory.user(item.user).is_some_and(|user| user.capacity.leave_out.waiting_on_contact);
            (item.item, item.user, item.group, counts && item.waiting_on_contact)
        };
        let queued: BTreeSet<ItemId> = tables.queued.iter().map(|(item, _)| *item).collect();
        !known.owned.iter().map(owned).eq(tables.owned.iter().map(owned))
            || known.statuses != tables.statuses
            || known.waiting.iter().any(|waiting| !queued.contains(&waiting.arrival.item))
    }

    /// Everything that is stranded, by item.
    pub(crate) fn find(&self, state: &SweepState, directory: &Directory, now: Timestamp) -> BTreeMap<ItemId, Why> {
        let tables = &state.tables;
        let is_active = |user: UserId| directory.user(user).is_some_and(User::is_active);
        let gone = tables.owned.iter().filter(|owned| !is_active(owned.user));
        let mut found: BTreeMap<ItemId, Why> = gone.map(|owned| (owned.item, Why::OwnerGone { user: owned.user })).collect();
        if tables.cursor.no == self.router.no() {
            let waiting: BTreeSet<ItemId> = self.router.waiting().map(|waiting| waiting.arrival.item).collect();
            found.extend(
                tables.queued.iter().filter(|(item, _)| !waiting.contains(item)).map(|(item, _)| (*item, Why::NotQueued)),
            );
            let lost = self.router.stranded().into_iter().filter(|(_, why)| *why == Stranded::WaitsForNobody);
            found.extend(lost.map(|(item, _)| (item, Why::WaitsForNobody)));
        }
        found.extend(state.adrift.iter().filter(|adrift| !was_left_so(adrift)).map(|adrift| (adrift.item, Why::Adrift)));
        found.extend(state.out_of_sight.iter().map(|item| (*item, Why::OutOfSight)));
        found.retain(|item, _| !state.pending.contains_key(&Some(*item)));
        found.extend(state.asleep.iter().map(|(item, until)| (*item, Why::NoTimer { until: *until })));
        let stuck = state.pending.iter().filter(|(_, taken_at)| now.ms_since(**taken_at) > STUCK_MS);
        found.extend(stuck.filter_map(|(item, _)| Some(((*item)?, Why::InputStuck))));
        if !found.is_empty() {
            let named: Vec<_> = found.iter().take(NAMED).map(|(item, why)| format!("{item} {why:?}")).collect();
            tracing::warn!(count = found.len(), items = named.join(", "), "work was stranded; it is repaired");
        }
        found
    }
}

impl Engine {
    /// What sweeps of this host have come to.
    pub(crate) fn swept(&self) -> Swept {
        *self.inner.swept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_sweep(&self, stranded: u64, corrections: u64) {
        let mut swept = self.inner.swept.lock().unwrap_or_else(PoisonError::into_inner);
        *swept = Swept { stranded, corrections: swept.corrections + corrections, sweeps: swept.sweeps + 1 };
    }

    /// Another host routes now, and sweeps.
    pub(crate) fn forget_sweep(&self) {
        self.inner.swept.lock().unwrap_or_else(PoisonError::into_inner).stranded = 0;
    }

    async fn repair(&self, item: ItemId, why: Why, directory: &Arc<Directory>, at: Timestamp) -> Result<()> {
        let timer = self.inner.store.next_id().await?;
        let (directory, seed) = (Arc::clone(directory), random::seed());
        self.commit(move |tx| {
            Box::pin(async move {
                let Some(record) = tx.item_record(item, true).await? else { return Ok(()) };
                let again = Again { record: &record, directory: &directory, at, seed };
                match (why, record.status, record.owner) {
                    (Why::OwnerGone { user }, ItemStatus::Open, Some(Owner::User { id })) if id == user => {
                        again.hand_back(tx, user).await
                    }
                    (Why::NotQueued | Why::WaitsForNobody | Why::Adrift, ItemStatus::Open, None) => {
                        let unchanged = Changed { before: record.clone(), after: record.clone() };
                        again.ask(tx, &unchanged, RouteEvent::Requested, Vec::new()).await
                    }
                    (Why::NoTimer { until }, ItemStatus::Snoozed, _) => {
                        let (kind, body) = (timers::SNOOZE.to_owned(), serde_json::Value::Null);
                        let due_at = until.unwrap_or(at);
                        Ok(tx.insert_timer(&NewTimer { id: timer, due_at, kind, item: Some(item), body }).await?)
                    }
                    // Changed meanwhile, or nothing that can be done here.
                    _ => Ok(()),
                }
            })
        })
        .await
    }
}

/// A stranded item on its way to its rule.
struct Again<'a> {
    record: &'a ItemRecord,
    directory: &'a Arc<Directory>,
    at: Timestamp,
    seed: u64,
}

impl Again<'_> {
    async fn hand_back(&self, tx: &Tx, owner: UserId) -> Result<()> {
        let base = ItemUpdate::new(self.record.id, Actor::System, self.at);
        let update = ItemUpdate { expected_version: Some(self.record.version), owner: Some(None), ..base };
        let Ok(changed) = tx.change_item(&update).await? else { return Ok(()) };
        tell_change(tx, &changed, self.at).await?;
        self.ask(tx, &changed, RouteEvent::HandedBack, vec![owner]).await
    }

    /// Asks the rule; what no rule can route becomes unassigned with a reason.
    async fn ask(&self, tx: &Tx, changed: &Changed, event: RouteEvent, excluded: Vec<UserId>) -> Result<()> {
        let item = self.record;
        let is_routable = item.channel.is_some_and(|channel| self.directory.channel(channel).is_some()) && item.contact.is_some();
        if is_routable {
            return Reroute { event, excluded }.tell(tx, self.directory, changed, self.at, self.seed).await;
        }
        let base = ItemUpdate::new(item.id, Actor::System, self.at);
        let update = ItemUpdate { unassigned_reason: Some(Some(UnassignedReason::NoRule)), queued_since: Some(None), ..base };
        if let Ok(changed) = tx.change_item(&update).await? {
            tell_change(tx, &changed, self.at).await?;
        }
        Ok(())
    }
}

/// Workspaces that some active person may open.
fn openable(directory: &Directory) -> Vec<WorkspaceId> {
    let is_openable = |workspace: &&switchboard_model::Workspace| {
        directory.users.iter().any(|user| user.is_active() && workspace.may_open(user))
    };
    directory.workspaces.iter().filter(is_openable).map(|workspace| workspace.id).collect()
}

/// Whether the rule gave the item to its team as a whole, or a person, or a program for one, left it without an owner.
fn was_left_so(adrift: &Adrift) -> bool {
    if let (Some(team), Some(Outcome::TeamSet { team: set })) = (adrift.team, adrift.outcome) {
        return team == set;
    }
    let Some((actor, change)) = &adrift.last_change else { return false };
    let on_purpose = !matches!(change, HistoryChange::Owner { owner: Some(_), .. } | HistoryChange::Returned { .. });
    on_purpose && matches!(actor, Actor::User { .. } | Actor::Api { .. } | Actor::Workflow)
}
