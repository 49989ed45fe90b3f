//! Replay: recorded history decided again by the same code and compared, bit for bit (ROUTING 13.2).

use crate::decisions::DirectoryCache;
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind, Result};
use crate::request::{Difference, HistoryEntry, ReplayReport};
use std::collections::BTreeMap;
use switchboard_core::Router;
use switchboard_model::{BEHAVIOUR_VERSION, Decision, DecisionView, Effect, Timestamp};
use switchboard_storage::StoredCheckpoint;

/// Inputs read at once.
const STRETCH: u64 = 1_000;
/// Differences listed in full; all of them are counted.
const LISTED: usize = 100;

impl Engine {
    /// Decides the log again from a consumption number on, stretch by stretch between checkpoints: where the router's
    /// memory was rebuilt, a new stretch begins with what it was rebuilt to.
    ///
    /// # Errors
    /// When the log cannot be read back.
    pub async fn replay(&self, from: u64) -> Result<ReplayReport> {
        let store = &self.inner.store;
        let mut report = ReplayReport::default();
        let mut directories = DirectoryCache::default();
        let mut start = match store.checkpoint_before(from).await? {
            Some(checkpoint) => Some(checkpoint),
            None => store.checkpoint_after(from).await?,
        };
        let end = store.cursor().await?.no;
        while let Some(checkpoint) = start {
            let next = store.checkpoint_after(checkpoint.state.no).await?;
            let to = next.as_ref().map_or(end, |next| next.state.no);
            if checkpoint.behaviour == BEHAVIOUR_VERSION {
                self.replay_stretch(checkpoint, to, &mut directories, &mut report).await?;
            } else {
                report.other_behaviour += to - checkpoint.state.no;
            }
            start = next;
        }
        Ok(report)
    }

    /// What the router consumed after a number, with the decisions that were applied, up to a thousand inputs at once.
    ///
    /// # Errors
    /// When the log cannot be read back.
    pub async fn history_after(&self, after: u64) -> Result<Vec<HistoryEntry>> {
        let (store, to) = (&self.inner.store, after + STRETCH);
        let mut applied: BTreeMap<u64, Vec<Decision>> = BTreeMap::new();
        for view in store.decisions_between(after, to).await?.into_iter().filter(|view| view.refused.is_none()) {
            applied.entry(view.no).or_default().push(view.decision);
        }
        let entries = store.inputs_between(after, to).await?.into_iter().filter_map(|input| {
            let consumed = input.consumed?;
            let decisions = applied.remove(&consumed.no).unwrap_or_default();
            Some(HistoryEntry { no: consumed.no, at: consumed.at, input: input.input, decisions })
        });
        Ok(entries.collect())
    }

    /// The number before the first input that was consumed at `at` or later.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn history_begins(&self, at: Timestamp) -> Result<Option<u64>> {
        Ok(self.inner.store.first_no_since(at).await?.map(|no| no.saturating_sub(1)))
    }

    async fn replay_stretch(
        &self,
        checkpoint: StoredCheckpoint,
        to: u64,
        directories: &mut DirectoryCache,
        report: &mut ReplayReport,
    ) -> Result<()> {
        let mut no = checkpoint.state.no;
        let directory = directories.at(self, checkpoint.state.directory_version).await?;
        let mut router = Router::new(directory, checkpoint.state).map_err(|error| {
            EngineError::new(EngineErrorKind::Internal, format!("the checkpoint at {no} is not usable: {error}"))
        })?;
        while no < to {
            let stretch_end = to.min(no + STRETCH);
            let mut recorded: BTreeMap<u64, Vec<DecisionView>> = BTreeMap::new();
            for decision in self.inner.store.decisions_between(no, stretch_end).await? {
                recorded.entry(decision.no).or_default().push(decision);
            }
            for mut input in self.inner.store.inputs_between(no, stretch_end).await? {
                directories.attach(self, &mut input).await?;
                let Some(consumed) = input.consumed else { continue };
                let effects = router.step(consumed.no, consumed.at, &input.input);
                let decided = effects.into_iter().filter_map(|effect| match effect {
                    Effect::Decide(decision) => Some(decision),
                    Effect::NotifyOwner { .. } | Effect::LeftQueue { .. } | Effect::Reject { .. } => None,
                });
                compare(consumed.no, decided.collect(), recorded.remove(&consumed.no).unwrap_or_default(), report);
                report.inputs += 1;
            }
            for (no, missing) in recorded {
                compare(no, Vec::new(), missing, report);
            }
            no = stretch_end;
        }
        Ok(())
    }
}

fn compare(no: u64, decided: Vec<Decision>, recorded: Vec<DecisionView>, report: &mut ReplayReport) {
    let mut decided = decided.into_iter();
    let mut recorded = recorded.into_iter();
    loop {
        let (now, then) = (decided.next(), recorded.next());
        if now.is_none() && then.is_none() {
            return;
        }
        report.decisions += 1;
        if now.as_ref() == then.as_ref().map(|view| &view.decision) {
            continue;
        }
        report.differences += 1;
        if report.listed.len() < LISTED {
            report.listed.push(Difference { no, then: then.map(|view| view.decision), now });
        }
    }
}
