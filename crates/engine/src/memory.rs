//! The router's memory: the last checkpoint and what the log says since then (DESIGN 3.2, 3.6).
//!
//! The log is the only source. After a change of the router's behaviour the log alone may lead elsewhere than it did,
//! so then owners, statuses and the queue are taken from the tables, which hold what was committed.

use crate::decisions::DirectoryCache;
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind, Result};
use std::collections::BTreeSet;
use switchboard_core::Router;
use switchboard_model::{BEHAVIOUR_VERSION, RouterState};

/// Inputs read at once.
const STRETCH: u64 = 1_000;

/// A router as it was at the cursor.
pub(crate) struct Memory {
    pub router: Router,
    /// Its state is stored already, or follows from what is.
    pub is_kept: bool,
}

/// The router's memory at the cursor. After a failure what was committed counts: an input that was parked, or that the
/// router failed on, may have left the log behind the tables.
///
/// # Errors
/// `Internal` when checkpoint or log cannot be used.
pub(crate) async fn remember(engine: &Engine, after_failure: bool) -> Result<Memory> {
    let mut directories = DirectoryCache::default();
    let state = match from_log(engine, &mut directories).await {
        Ok((router, Some(BEHAVIOUR_VERSION))) if !after_failure => return Ok(Memory { router, is_kept: true }),
        Ok((router, None)) if router.no() == 0 => return Ok(Memory { router, is_kept: false }),
        Ok((router, _)) => router.state(),
        // What waits is found by the sweep, and decided on anew; turns and marks begin again.
        Err(error) if after_failure && error.kind == EngineErrorKind::Internal => {
            tracing::error!(%error, "the router's log cannot be used; its memory begins with the tables");
            let cursor = engine.inner.store.cursor().await?;
            let state = RouterState { no: cursor.no, now: cursor.now, ..RouterState::default() };
            RouterState { directory_version: cursor.directory_version, ..state }
        }
        Err(error) => return Err(error),
    };
    tracing::info!(no = state.no, after_failure, "owners, statuses and queue are taken from the tables");
    let state = committed(engine, state).await?;
    Ok(Memory { router: router_of(engine, &mut directories, state).await?, is_kept: false })
}

/// The router as the last checkpoint and the log since then have it, and the behaviour that saved the checkpoint.
async fn from_log(engine: &Engine, directories: &mut DirectoryCache) -> Result<(Router, Option<u32>)> {
    let store = &engine.inner.store;
    let no = store.cursor().await?.no;
    let checkpoint = store.checkpoint_before(no).await?;
    let behaviour = checkpoint.as_ref().map(|checkpoint| checkpoint.behaviour);
    let state = checkpoint.map(|checkpoint| checkpoint.state).unwrap_or_default();
    let mut router = router_of(engine, directories, state).await?;
    replay_to(engine, directories, &mut router, no).await?;
    Ok((router, behaviour))
}

async fn router_of(engine: &Engine, directories: &mut DirectoryCache, state: RouterState) -> Result<Router> {
    let no = state.no;
    let directory = directories.at(engine, state.directory_version).await?;
    Router::new(directory, state).map_err(|error| {
        EngineError::new(EngineErrorKind::Internal, format!("the router's state at {no} is not usable: {error}"))
    })
}

/// Steps a router through the log up to a number.
pub(crate) async fn replay_to(engine: &Engine, directories: &mut DirectoryCache, router: &mut Router, to: u64) -> Result<()> {
    while router.no() < to {
        let (from, stretch_end) = (router.no(), to.min(router.no() + STRETCH));
        for mut input in engine.inner.store.inputs_between(from, stretch_end).await? {
            directories.attach(engine, &mut input).await?;
            if let Some(consumed) = input.consumed {
                router.step(consumed.no, consumed.at, &input.input);
            }
        }
        if router.no() != stretch_end {
            let message = format!("the log has no input {}, so the router cannot remember", router.no() + 1);
            return Err(EngineError::new(EngineErrorKind::Internal, message));
        }
    }
    Ok(())
}

/// A remembered state with the owners, statuses and queue that were committed.
async fn committed(engine: &Engine, remembered: RouterState) -> Result<RouterState> {
    let tables = engine.inner.store.table_state().await?;
    let queued: BTreeSet<_> = tables.queued.into_iter().map(|(item, _)| item).collect();
    let mut waiting = remembered.waiting;
    waiting.retain(|waiting| queued.contains(&waiting.arrival.item));
    Ok(RouterState { owned: tables.owned, statuses: tables.statuses, waiting, ..remembered })
}
