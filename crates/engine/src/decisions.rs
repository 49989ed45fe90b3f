//! Why this person: stored decisions, and their candidates rebuilt from the log (ROUTING 13.1, DESIGN 3.3).

use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind, Result};
use crate::memory::replay_to;
use crate::request::{Caller, Explained, Names};
use std::collections::BTreeMap;
use std::sync::Arc;
use switchboard_core::Router;
use switchboard_model::{
    BEHAVIOUR_VERSION, Decision, DecisionId, DecisionView, Directory, Explanation, Input, ItemId, Outcome, RuleRef, TeamId,
    UserId,
};
use switchboard_storage::StoredInput;

impl Engine {
    /// The decisions about an item, newest first.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn decisions(&self, caller: &Caller, id: ItemId) -> Result<Vec<DecisionView>> {
        self.open_record(caller, id).await?;
        let mut decisions = self.inner.store.decisions_of(id).await?;
        decisions.reverse();
        Ok(decisions)
    }

    /// A decision with everybody who was looked at.
    ///
    /// # Errors
    /// `NotFound`; `Internal` when the log cannot be read back.
    pub async fn explanation(&self, caller: &Caller, id: DecisionId) -> Result<Explained> {
        let missing = || EngineError::not_found(format!("decision {id}"));
        let decision = self.inner.store.decision(id).await?.ok_or_else(missing)?;
        self.open_record(caller, decision.decision.item).await.map_err(|_| missing())?;
        let explanation = self.rebuild_explanation(&decision).await?;
        let mut names = self.names_of(&decision.decision, explanation.as_ref());
        if let Some(rule) = decision.decision.rule.filter(|_| names.case.is_none() && names.chatflow.is_none())
            && let Ok(directory) = self.inner.store.directory(rule.version).await
        {
            name_case(&mut names, &directory, rule);
        }
        Ok(Explained { decision, explanation, names })
    }

    /// A decision without its candidates, for lists.
    #[must_use]
    pub fn brief(&self, decision: DecisionView) -> Explained {
        let names = self.names_of(&decision.decision, None);
        Explained { decision, explanation: None, names }
    }

    /// Steps a router from the last checkpoint to the moment before the decision, and asks it.
    async fn rebuild_explanation(&self, view: &DecisionView) -> Result<Option<Explanation>> {
        if view.decision.behaviour != BEHAVIOUR_VERSION {
            return Ok(None);
        }
        let before = view.no.saturating_sub(1);
        let store = &self.inner.store;
        let Some(checkpoint) =
            store.checkpoint_before(before).await?.filter(|checkpoint| checkpoint.behaviour == BEHAVIOUR_VERSION)
        else {
            return Ok(None);
        };
        let from = checkpoint.state.no;
        let mut directories = DirectoryCache::default();
        let directory = directories.at(self, checkpoint.state.directory_version).await?;
        let mut router = Router::new(directory, checkpoint.state).map_err(|error| {
            EngineError::new(EngineErrorKind::Internal, format!("the checkpoint at {from} is not usable: {error}"))
        })?;
        replay_to(self, &mut directories, &mut router, before).await?;
        let Some(mut input) = store.inputs_between(before, view.no).await?.pop() else { return Ok(None) };
        directories.attach(self, &mut input).await?;
        let explained =
            input.consumed.and_then(|consumed| router.explain_item(consumed.no, consumed.at, &input.input, view.decision.item));
        Ok(explained)
    }

    fn names_of(&self, decision: &Decision, explanation: Option<&Explanation>) -> Names {
        let directory = self.directory();
        let mut names = Names::default();
        let mut user = |id: UserId| drop(directory.user(id).map(|user| names.users.insert(id, user.name.clone())));
        let mut teams: Vec<TeamId> = Vec::new();
        match decision.outcome {
            Outcome::Assigned { user: id, team } => {
                user(id);
                teams.extend(team);
            }
            Outcome::Kept { user: id } => user(id),
            Outcome::TeamSet { team } => teams.push(team),
            Outcome::Queued | Outcome::Unassigned { .. } => {}
        }
        for candidate in explanation.iter().flat_map(|explanation| &explanation.stages).flat_map(|stage| &stage.candidates) {
            user(candidate.user);
            teams.extend(candidate.team);
        }
        for team in teams {
            if let Some(entry) = directory.team(team) {
                names.teams.insert(team, entry.name.clone());
            }
        }
        names.channel = decision.rule.and_then(|rule| directory.channel(rule.channel)).map(|channel| channel.name.clone());
        if let Some(rule) = decision.rule {
            name_case(&mut names, &directory, rule);
        }
        names
    }
}

/// Names the chatflow and the case in it, where the directory has the rule in the version that decided.
fn name_case(names: &mut Names, directory: &Directory, rule: RuleRef) {
    let channel = directory.channel(rule.channel);
    let channel = channel.filter(|channel| channel.rule.as_ref().is_some_and(|found| found.version == rule.version));
    if let Some(place) = channel.and_then(|channel| channel.case_place(rule.case)) {
        (names.chatflow, names.case) = (place.chatflow.map(|flow| flow.name.clone()), place.case);
    }
}

/// Directory versions that a stretch of the log needs.
#[derive(Default)]
pub(crate) struct DirectoryCache(BTreeMap<i64, Arc<Directory>>);

impl DirectoryCache {
    pub(crate) async fn at(&mut self, engine: &Engine, version: i64) -> Result<Arc<Directory>> {
        if let Some(directory) = self.0.get(&version) {
            return Ok(Arc::clone(directory));
        }
        let directory = engine.inner.store.directory(version).await?;
        self.0.insert(version, Arc::clone(&directory));
        Ok(directory)
    }

    pub(crate) async fn attach(&mut self, engine: &Engine, input: &mut StoredInput) -> Result<()> {
        if let Input::Directory { version, directory } = &mut input.input {
            *directory = Some(self.at(engine, *version).await?);
        }
        Ok(())
    }
}
