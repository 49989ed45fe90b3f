//! Changing the directory: apply, rules, language, deactivation. Every version is validated, stored and audited in
//! one transaction, and told to the router.

use crate::arrival::tell_change;
use crate::directory::{MergeOptions, diff, export, loses_last_admin, merge_text, set_rules};
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind, Result};
use crate::items::Reroute;
use crate::random;
use crate::request::{ApplyOptions, ApplyReport, Caller, Deactivation, RuleInForce, StaleMember};
use std::sync::Arc;
use switchboard_core::{NotSelectable, may_assign_by_hand, stale_members, validate_people, validate_structure};
use switchboard_model::{
    Actor, ChannelEntry, ChannelId, Directory, Fault, Input, ItemRow, ManualStatus, Owner, RouteEvent, Rule, StatusChange,
    StatusOrigin, StatusValue, Timestamp, UserId,
};
use switchboard_storage::{Changed, ItemUpdate, NewAudit, NewInput, StoreErrorKind, Tx};

impl Engine {
    /// Applies a directory file, or says what it would change.
    ///
    /// # Errors
    /// `Invalid` with every fault at once; `Conflict`-like `Busy` when somebody else changed the directory meanwhile.
    pub async fn apply(&self, caller: &Caller, text: &str, options: ApplyOptions) -> Result<ApplyReport> {
        let current = self.directory();
        let next = merge_text(&current, text, MergeOptions { prune: options.prune }).map_err(EngineError::faulty)?;
        let changes = diff(&current, &next);
        check(&current, &next)?;
        if changes.is_empty() || options.dry_run {
            return Ok(ApplyReport { version: current.version, changes });
        }
        let summary = format!("apply: {} changes", changes.len());
        let detail = serde_json::to_value(&changes).unwrap_or_default();
        let edit = Edit {
            next: Arc::new(next),
            actor: caller.actor.clone(),
            action: "directory.apply",
            target: String::from("directory"),
            summary,
            detail,
        };
        let version = edit.next.version;
        self.store_edit(edit, |_, _| Box::pin(async { Ok(()) })).await?;
        Ok(ApplyReport { version, changes })
    }

    /// The directory in force as a file.
    #[must_use]
    pub fn export(&self) -> String {
        export(&self.directory())
    }

    /// The rule of a channel, or of one of its chatflows, with the directory version it belongs to.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn rule(&self, slug: &str, chatflow: Option<&str>) -> Result<RuleInForce> {
        let directory = self.directory();
        let channel = directory.channel_by_slug(slug).ok_or_else(|| EngineError::not_found(format!("channel `{slug}`")))?;
        let rule = match chatflow {
            Some(flow) => channel.chatflow(flow).ok_or_else(|| no_chatflow(slug, flow))?.rule.clone(),
            None => channel.own_rule().cloned(),
        };
        Ok(RuleInForce { version: directory.version, rule })
    }

    /// Sets the rule of a channel, or of one of its chatflows.
    ///
    /// # Errors
    /// `Invalid` with every fault at once (ROUTING 7.7); `NotFound`; `Conflict` when the directory has another version by
    /// now.
    pub async fn put_rule(
        &self,
        caller: &Caller,
        slug: &str,
        chatflow: Option<&str>,
        version: i64,
        rule: Option<Rule>,
    ) -> Result<RuleInForce> {
        let current = self.directory();
        if current.version != version {
            return Err(EngineError::new(EngineErrorKind::Conflict, "the directory was changed meanwhile; load the rule again"));
        }
        let mut next = (*current).clone();
        next.version += 1;
        let channel = next
            .channels
            .iter_mut()
            .find(|channel| channel.slug == slug)
            .ok_or_else(|| EngineError::not_found(format!("channel `{slug}`")))?;
        let (mut chatflows, mut own) = (channel.chatflows().to_vec(), channel.own_rule().cloned());
        match chatflow {
            Some(name) => {
                let flow = chatflows.iter_mut().find(|flow| flow.slug == name).ok_or_else(|| no_chatflow(slug, name))?;
                flow.rule = rule;
            }
            None => own = rule,
        }
        set_rules(current.channel(channel.id), channel, chatflows, own, next.version);
        check(&current, &next)?;
        let changes = diff(&current, &next);
        let target = chatflow.map_or_else(|| slug.to_owned(), |flow| format!("{slug}/{flow}"));
        let edit = Edit {
            next: Arc::new(next),
            actor: caller.actor.clone(),
            action: "rule.put",
            summary: format!("rule of {target}"),
            target,
            detail: serde_json::to_value(&changes).unwrap_or_default(),
        };
        self.store_edit(edit, |_, _| Box::pin(async { Ok(()) })).await?;
        self.rule(slug, chatflow)
    }

    /// Members of the channel's rule that can no longer be selected and are skipped (ROUTING 3.9).
    #[must_use]
    pub fn stale_members(&self, channel: ChannelId) -> Vec<StaleMember> {
        let stale = stale_members(&self.directory()).into_iter().filter(|stale| stale.channel == channel);
        stale
            .map(|stale| StaleMember {
                case: stale.case,
                member: stale.member,
                reason: match stale.reason {
                    NotSelectable::User(reason) => Some(reason),
                    _ => None,
                },
            })
            .collect()
    }

    /// Deactivates a user and hands the open work on: to a named person, or back to routing. One step (ROUTING 12.5).
    ///
    /// # Errors
    /// `Invalid` for oneself, the last administrator, or somebody who may not take the work.
    pub async fn deactivate(
        &self,
        caller: &Caller,
        user: UserId,
        hand_to: Option<UserId>,
        dry_run: bool,
    ) -> Result<Deactivation> {
        let current = self.directory();
        let entry = current.user(user).ok_or_else(|| EngineError::not_found(format!("user {user}")))?;
        if caller.user == Some(user) || hand_to == Some(user) {
            return Err(EngineError::invalid("nobody deactivates themselves or hands work to whoever is being deactivated"));
        }
        let open = self.inner.store.open_items_of(user).await?;
        if let Some(heir) = hand_to {
            for item in &open {
                may_assign_by_hand(&current, item.workspace, heir)
                    .map_err(|refusal| EngineError::invalid(refusal.to_string()))?;
            }
        }
        let rows = self.rows(open.iter().map(|item| item.id)).await?;
        if dry_run {
            return Ok(Deactivation { open: rows, version: current.version });
        }
        let mut next = (*current).clone();
        next.version += 1;
        let target = entry.email.clone();
        next.users.iter_mut().filter(|entry| entry.id == user).for_each(|entry| entry.active = false);
        check(&current, &next)?;
        let edit = Edit {
            next: Arc::new(next),
            actor: caller.actor.clone(),
            action: "user.deactivate",
            summary: format!("deactivate {target}"),
            target,
            detail: serde_json::json!({ "open": open.len(), "hand_to": hand_to }),
        };
        let version = edit.next.version;
        let hand_over =
            HandOver { user, hand_to, actor: caller.actor.clone(), directory: Arc::clone(&edit.next), at: self.now() };
        self.store_edit(edit, move |tx, _| Box::pin(async move { hand_over.run(tx).await })).await?;
        Ok(Deactivation { open: rows, version })
    }

    async fn rows(&self, ids: impl Iterator<Item = switchboard_model::ItemId>) -> Result<Vec<ItemRow>> {
        let mut rows = Vec::new();
        for id in ids {
            rows.push(self.row(id).await?);
        }
        Ok(rows)
    }

    /// Stores a directory version with its audit entry and the router's input, and whatever goes with it.
    async fn store_edit<F>(&self, edit: Edit, also: F) -> Result<()>
    where
        F: for<'t> FnOnce(&'t Tx, Timestamp) -> futures::future::BoxFuture<'t, Result<()>> + Send + 'static,
    {
        let at = self.now();
        let next = Arc::clone(&edit.next);
        let inputs = edit_inputs(&self.directory(), &next, at);
        let stored = self.commit(move |tx| {
            Box::pin(async move {
                let version = edit.next.version;
                match tx.insert_directory(&edit.next, version - 1, at, &edit.actor, &edit.summary).await {
                    Err(error) if error.kind == StoreErrorKind::Conflict => return Ok(false),
                    other => other?,
                }
                tx.append_inputs(&inputs).await?;
                tx.insert_audit(&NewAudit {
                    at,
                    actor: edit.actor,
                    action: edit.action.into(),
                    target: edit.target,
                    detail: edit.detail,
                })
                .await?;
                also(tx, at).await?;
                Ok(true)
            })
        });
        if stored.await? {
            self.set_directory(next);
            return Ok(());
        }
        self.refresh_directory().await?;
        Err(EngineError::new(
            EngineErrorKind::Conflict,
            "the directory was changed meanwhile; look at its current state and try again",
        ))
    }
}

fn no_chatflow(channel: &str, slug: &str) -> EngineError {
    EngineError::not_found(format!("chatflow `{slug}` of channel `{channel}`"))
}

/// One new directory version on its way into the database.
struct Edit {
    next: Arc<Directory>,
    actor: Actor,
    action: &'static str,
    target: String,
    summary: String,
    detail: serde_json::Value,
}

/// The open work of somebody who is being deactivated.
struct HandOver {
    user: UserId,
    hand_to: Option<UserId>,
    actor: Actor,
    directory: Arc<Directory>,
    at: Timestamp,
}

impl HandOver {
    async fn run(self, tx: &Tx) -> Result<()> {
        tx.revoke_sessions_of(self.user).await?;
        for item in tx.open_items_of(self.user).await? {
            let owner = self.hand_to.map(|id| Owner::User { id });
            let update = ItemUpdate { owner: Some(owner), ..ItemUpdate::new(item.id, self.actor.clone(), self.at) };
            let changed = tx.change_item(&update).await?;
            let Ok(changed) = changed else {
                return Err(EngineError::new(EngineErrorKind::Internal, format!("item {} refused an unguarded change", item.id)));
            };
            tell_change(tx, &changed, self.at).await?;
            if owner.is_none() && is_routable(&changed) {
                let reroute = Reroute { event: RouteEvent::HandedBack, excluded: vec![self.user] };
                reroute.tell(tx, &self.directory, &changed, self.at, random::seed()).await?;
            }
        }
        Ok(())
    }
}

/// What the router is told: the version, then the initial status of whoever is new in it.
fn edit_inputs(before: &Directory, after: &Directory, at: Timestamp) -> Vec<NewInput> {
    let status = ManualStatus { value: StatusValue::Available, reason: None, set_at: at, origin: StatusOrigin::Initial };
    let newcomers = after.users.iter().filter(|user| before.user(user.id).is_none());
    let statuses = newcomers.map(|user| Input::Status(StatusChange { user: user.id, status: status.clone(), version: 0 }));
    let inputs = [Input::Directory { version: after.version, directory: None }].into_iter().chain(statuses);
    inputs.map(|input| NewInput { at, item: None, input, consumed: None }).collect()
}

fn is_routable(changed: &Changed) -> bool {
    changed.after.routed && changed.after.channel.is_some() && changed.after.contact.is_some()
}

/// What no version may have, and what refuses a rule that is being changed; a rule that stays as it was may name
/// people who have lost their seat since (ROUTING 3.9).
fn check(before: &Directory, after: &Directory) -> Result<()> {
    let mut faults = validate_structure(after);
    for channel in &after.channels {
        let old = before.channel(channel.id).filter(|old| old.workspace == channel.workspace);
        let kept = |flow: Option<&str>| {
            let rule = |entry: &ChannelEntry| match flow {
                Some(slug) => entry.chatflow(slug).map(|flow| flow.rule.clone()),
                None => Some(entry.own_rule().cloned()),
            };
            old.is_some_and(|old| rule(old).is_some_and(|rule_before| rule(channel) == Some(rule_before)))
        };
        faults.extend(validate_people(after, channel.id, |flow| !kept(flow)));
    }
    if loses_last_admin(before, after) {
        faults.push(Fault::new("users", "the last active administrator would be gone"));
    }
    if faults.is_empty() { Ok(()) } else { Err(EngineError::faulty(faults)) }
}
