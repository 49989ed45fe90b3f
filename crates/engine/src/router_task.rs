//! Routing: inputs that wait in the log go through the core, and what it decides is committed under its guards.
//!
//! One host at a time routes, by a lease with an epoch. Its memory is dropped and rebuilt whenever a commit
//! failed, was superseded, or got no answer (DESIGN 3.6, 3.7).

use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind, Result};
use crate::intake::apply;
use crate::memory::{Memory, remember};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use switchboard_core::Router;
use switchboard_model::{Actor, BEHAVIOUR_VERSION, DecisionId, Effect, Input, ItemId, Timestamp, UnassignedReason};
use switchboard_storage::{Consumed, ItemUpdate, Lease, NewInput, StoredInput};
use tokio_util::sync::CancellationToken;

/// The name of the router's lease.
pub(crate) const LEASE: &str = "router";
const LEASE_MS: i64 = 8_000;
const RENEW_BEFORE_MS: i64 = 5_000;
const BATCH: u32 = 256;
/// Where commits of other hosts are not heard, the log is looked at this often.
const POLL_SHARED: Duration = Duration::from_millis(100);
const POLL_ALONE: Duration = Duration::from_secs(2);
const STAND_BY: Duration = Duration::from_secs(1);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);
/// A checkpoint this often keeps explaining one decision fast. One holds every open item, so with many open they come
/// further apart: what is stored per decision stays bounded.
const OPEN_PER_DECISION: u64 = 4;
const CHECKPOINT_EVERY: u64 = 1_000;
/// After this many failures in a row, some seconds of them, inputs are taken one at a time, so that one bad input stops
/// nobody else's. A database that refuses everything for a moment is no reason to put good inputs aside.
const FAILURES_BEFORE_CARE: u32 = 8;

impl Engine {
    /// Routes until the token is cancelled; stands by while another host routes.
    pub async fn run_router(self, shutdown: CancellationToken) {
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            match self.acquire_router().await {
                Ok(Some(lease)) => {
                    let (lease, end) = self.route_until_lost(lease, failures, &shutdown).await;
                    failures = match end {
                        End::Passing => 0,
                        End::NotStarted => failures,
                        End::Failed => failures + 1,
                    };
                    if shutdown.is_cancelled() {
                        self.release_router(lease).await;
                    }
                }
                Ok(None) => pause(&shutdown, STAND_BY).await,
                Err(error) => {
                    tracing::error!(%error, "the router cannot be started; trying again");
                    pause(&shutdown, STAND_BY).await;
                }
            }
        }
    }

    pub(crate) async fn acquire_router(&self) -> Result<Option<Lease>> {
        let (now, holder) = (self.now(), self.inner.holder.clone());
        self.inner
            .store
            .write(move |tx| Box::pin(async move { tx.acquire_lease(LEASE, &holder, now, LEASE_MS).await }))
            .await
            .map_err(EngineError::from)
    }

    async fn release_router(&self, lease: Lease) {
        let released = self.inner.store.write(move |tx| Box::pin(async move { tx.release_lease(&lease).await })).await;
        if let Err(error) = released {
            tracing::warn!(%error, "the router's lease could not be given back; it runs out by itself");
        }
    }

    /// Routes until the lease or the memory is lost, and answers with the lease as it was last.
    async fn route_until_lost(&self, lease: Lease, failures: u32, shutdown: &CancellationToken) -> (Lease, End) {
        let mut routing = match Routing::start(self.clone(), lease.clone(), failures >= FAILURES_BEFORE_CARE, failures > 0).await
        {
            Ok(routing) => routing,
            Err(error) => {
                tracing::error!(%error, "the router's memory cannot be rebuilt; trying again");
                pause(shutdown, PAUSE_AFTER_FAILURE).await;
                return (lease, End::NotStarted);
            }
        };
        tracing::info!(epoch = routing.lease.epoch, no = routing.router.no(), "routing");
        let mut end = End::Passing;
        let mut careful_rounds = 0;
        while !shutdown.is_cancelled() {
            match routing.round(shutdown).await {
                Ok(()) if routing.is_careful => {
                    careful_rounds += 1;
                    routing.is_careful = careful_rounds < BATCH;
                }
                Ok(()) => {}
                Err(error) if error.kind == EngineErrorKind::Forbidden => {
                    tracing::info!("another host routes now");
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, "a decision was not committed; the router's memory is rebuilt");
                    metrics::counter!("switchboard_router_rebuilds_total").increment(1);
                    end = if is_passing(&error) { End::Passing } else { End::Failed };
                    pause(shutdown, PAUSE_AFTER_FAILURE).await;
                    break;
                }
            }
        }
        self.forget_sweep();
        (routing.lease, end)
    }
}

/// How a stretch of routing ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Told to stop, superseded, or held up by something that passes.
    Passing,
    /// Before it began, which says nothing about any input.
    NotStarted,
    /// By a failure that may come back with the same input.
    Failed,
}

/// Whether the failure goes away by itself: a full disk, a lost connection, a lock.
const fn is_passing(error: &EngineError) -> bool {
    matches!(
        error.kind,
        EngineErrorKind::Unavailable | EngineErrorKind::Busy | EngineErrorKind::Unknown | EngineErrorKind::Forbidden
    )
}

pub(crate) async fn pause(shutdown: &CancellationToken, time: Duration) {
    let _ = tokio::time::timeout(time, shutdown.cancelled()).await;
}

/// A router at work.
pub(crate) struct Routing {
    pub engine: Engine,
    pub lease: Lease,
    pub router: Router,
    /// How often in a row the database has refused an item's decision.
    pub refusals: BTreeMap<ItemId, u32>,
    /// One input at a time, to find the one that the database always refuses.
    is_careful: bool,
    next_checkpoint: u64,
    /// When stranded work is next looked for.
    pub next_sweep_at: Timestamp,
}

/// One input with what the core answered.
pub(crate) struct Stepped {
    pub input: StoredInput,
    pub consumed: Consumed,
    pub duration_us: u64,
    pub effects: Vec<Effect>,
    /// Ids for the decisions among the effects, in order.
    pub decisions: Vec<DecisionId>,
}

impl Routing {
    /// After a failure what was committed counts, whatever the log has led to.
    pub(crate) async fn start(engine: Engine, lease: Lease, is_careful: bool, after_failure: bool) -> Result<Self> {
        let Memory { router, is_kept } = remember(&engine, after_failure).await?;
        let next_sweep_at = engine.now();
        let mut routing =
            Self { engine, lease, router, refusals: BTreeMap::new(), is_careful, next_checkpoint: 0, next_sweep_at };
        if is_kept {
            routing.next_checkpoint = routing.router.no() + CHECKPOINT_EVERY;
        } else {
            routing.checkpoint().await?;
        }
        Ok(routing)
    }

    /// Takes what waits and decides it, or waits for something to come.
    async fn round(&mut self, shutdown: &CancellationToken) -> Result<()> {
        self.renew_when_due().await?;
        let waiting = self.engine.inner.store.next_inputs(if self.is_careful { 1 } else { BATCH }).await?;
        self.sweep_when_due(waiting.is_empty()).await;
        if waiting.is_empty() {
            return self.rest(shutdown).await;
        }
        let (stepped, culprit) = self.step_all(waiting).await?;
        if let Some(culprit) = culprit {
            // The memory is half changed: what was decided before it is decided again by a fresh one.
            self.park(culprit).await?;
            return Err(EngineError::new(EngineErrorKind::Internal, "the router failed on an input"));
        }
        let notifies = stepped.iter().flat_map(|step| &step.effects).any(|effect| matches!(effect, Effect::NotifyOwner { .. }));
        let only = (self.is_careful && stepped.len() == 1).then(|| stepped[0].input.clone());
        match (self.commit(stepped).await, only) {
            (Err(error), Some(culprit)) if !is_passing(&error) => {
                self.park(culprit).await?;
                return Err(error);
            }
            (outcome, _) => outcome?,
        }
        if notifies {
            self.engine.ring();
        } else {
            self.engine.ring_for_news();
        }
        if self.router.no() >= self.next_checkpoint {
            self.checkpoint().await?;
        }
        Ok(())
    }

    /// Waits for something to come, or for the next instant at which time alone lets somebody have what waits
    /// (ROUTING 7.4): then a tick goes into the log like any other input.
    async fn rest(&self, shutdown: &CancellationToken) -> Result<()> {
        let poll = if self.engine.inner.store.is_shared() { POLL_SHARED } else { POLL_ALONE };
        let mut rest = poll;
        if let Some(wake) = self.router.next_wake() {
            let now = self.engine.inner.store.now(self.engine.now()).await?;
            // A wake that a step has left behind it would come back at once, so it gets no more than the usual pace.
            if wake <= now && wake > self.router.now() {
                let tick = NewInput { at: now, item: None, input: Input::Tick, consumed: None };
                return self.engine.commit(move |tx| Box::pin(async move { Ok(tx.append_inputs(&[tick]).await?) })).await;
            }
            if wake > now {
                rest = poll.min(Duration::from_millis(u64::try_from(wake.ms_since(now)).unwrap_or(0)));
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.engine.inner.router_bell.notified() => {}
            () = tokio::time::sleep(rest) => {}
        }
        Ok(())
    }

    async fn renew_when_due(&mut self) -> Result<()> {
        let now = self.engine.inner.store.now(self.engine.now()).await?;
        if self.lease.expires_at.ms_since(now) > RENEW_BEFORE_MS {
            return Ok(());
        }
        let (lease, given) = (self.lease.clone(), self.engine.now());
        let renewed = self
            .engine
            .inner
            .store
            .write(move |tx| Box::pin(async move { tx.renew_lease(&lease, given, LEASE_MS).await }))
            .await
            .map_err(EngineError::from)?;
        self.lease = renewed.ok_or_else(|| EngineError::forbidden("another host routes now"))?;
        Ok(())
    }

    /// Steps through the inputs, up to one that makes the core panic.
    async fn step_all(&mut self, waiting: Vec<StoredInput>) -> Result<(Vec<Stepped>, Option<StoredInput>)> {
        let now = self.engine.inner.store.now(self.engine.now()).await?;
        let (mut stepped, mut culprit) = (Vec::with_capacity(waiting.len()), None);
        for mut input in waiting {
            self.attach_directory(&mut input.input).await?;
            match self.step(&input, now) {
                Some((consumed, duration_us, effects)) => {
                    let decisions = effects.iter().filter(|effect| matches!(effect, Effect::Decide(_))).count();
                    stepped.push(Stepped { input, consumed, duration_us, effects, decisions: vec![DecisionId(0); decisions] });
                }
                None => {
                    culprit = Some(input);
                    break;
                }
            }
        }
        let wanted = stepped.iter().map(|step| step.decisions.len()).sum();
        let mut ids = self.engine.inner.store.next_ids(wanted).await?.into_iter().map(DecisionId);
        for id in stepped.iter_mut().flat_map(|step| &mut step.decisions) {
            *id = ids.next().expect("as many ids were drawn as there are decisions");
        }
        Ok((stepped, culprit))
    }

    async fn attach_directory(&self, input: &mut Input) -> Result<()> {
        if let Input::Directory { version, directory } = input {
            *directory = Some(self.engine.inner.store.directory(*version).await?);
        }
        Ok(())
    }

    /// One input through the core; `None` when it panicked.
    fn step(&mut self, input: &StoredInput, now: Timestamp) -> Option<(Consumed, u64, Vec<Effect>)> {
        let no = self.router.no() + 1;
        let started_us = self.engine.inner.clock.monotonic_us();
        let effects = catch_unwind(AssertUnwindSafe(|| self.router.step(no, now, &input.input))).ok()?;
        let duration_us = self.engine.inner.clock.monotonic_us().saturating_sub(started_us);
        metrics::histogram!("switchboard_decision_seconds").record(Duration::from_micros(duration_us));
        Some((Consumed { no, at: now, directory_version: self.router.directory().version }, duration_us, effects))
    }

    /// Puts aside an input that made the core panic and leaves its item unassigned, visibly.
    async fn park(&self, input: StoredInput) -> Result<()> {
        tracing::error!(seq = input.seq, "the router failed on this input; it is parked and its item left unassigned");
        metrics::counter!("switchboard_inputs_parked_total").increment(1);
        let now = self.engine.now();
        let parked = self.engine.inner.store.write(move |tx| {
            Box::pin(async move {
                tx.park_input(input.seq, "the router failed on this input").await?;
                if let Some(item) = input.item {
                    let reason = Some(Some(UnassignedReason::Fault));
                    let update =
                        ItemUpdate { owner: Some(None), unassigned_reason: reason, ..ItemUpdate::new(item, Actor::System, now) };
                    apply(tx, &update).await?;
                }
                Ok(())
            })
        });
        parked.await
    }

    pub(crate) async fn checkpoint(&mut self) -> Result<()> {
        let (state, now) = (self.router.state(), self.engine.now());
        let open = u64::try_from(state.owned.len()).unwrap_or(u64::MAX);
        self.next_checkpoint = state.no + CHECKPOINT_EVERY.max(open / OPEN_PER_DECISION);
        let epoch = self.lease.epoch;
        let saved = self.engine.inner.store.write(move |tx| {
            Box::pin(async move {
                // A host that froze must not put its memory in the place of another's.
                tx.advance_cursor(epoch, state.no, state.no, state.now, state.directory_version).await?;
                tx.save_checkpoint(now, BEHAVIOUR_VERSION, &state).await
            })
        });
        saved.await.map_err(EngineError::from)
    }
}
