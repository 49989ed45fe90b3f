//! Work that is stranded on purpose, behind the router's back, and how the sweep finds and repairs it (ROUTING 12.6).

use super::{Desk, HOUR_MS, MINUTE_MS, eventually};
use crate::router_task::Routing;
use crate::sweep::Why;
use crate::{Caller, NewStatus, OwnerChange};
use futures::future::BoxFuture;
use std::sync::Arc;
use switchboard_model::{
    Actor, Directory, ItemId, ItemStatus, Owner, StatusValue, Timestamp, UnassignedReason, UserId, WorkspaceAccess,
};
use switchboard_storage::{ItemUpdate, StoreError, Tx};

/// Waits until the router's first sweep is over: what is tampered with before, it would find itself.
async fn has_swept(desk: &Desk) {
    eventually("the sweep at the start is over", async || desk.engine.statistics().await.unwrap().sweeps > 0).await;
}

/// Writes to the tables without telling anybody.
async fn behind_the_back<F>(desk: &Desk, work: F)
where
    F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<(), StoreError>> + Send,
{
    has_swept(desk).await;
    desk.engine.inner.store.write(work).await.unwrap();
}

async fn change(desk: &Desk, update: impl FnOnce(ItemUpdate) -> ItemUpdate, item: ItemId) {
    let update = update(ItemUpdate::new(item, Actor::System, desk.engine.now()));
    behind_the_back(desk, move |tx| Box::pin(async move { tx.change_item(&update).await.map(|changed| drop(changed.unwrap())) }))
        .await;
}

async fn adopt(desk: &Desk, edit: impl FnOnce(&mut Directory)) {
    let mut next = Directory::clone(&desk.engine.directory());
    let (before, at) = (next.version, desk.engine.now());
    next.version += 1;
    edit(&mut next);
    let next = Arc::new(next);
    let stored = Arc::clone(&next);
    behind_the_back(desk, move |tx| {
        Box::pin(async move {
            tx.insert_directory(&stored, before, at, &Actor::System, "behind the back").await?;
            let input = switchboard_model::Input::Directory { version: stored.version, directory: None };
            tx.insert_inputs(&[switchboard_storage::NewInput { at, item: None, input, consumed: None }]).await.map(drop)
        })
    })
    .await;
    desk.engine.set_directory(next);
    desk.engine.ring();
    desk.routed().await;
}

/// Lets the next sweep happen, and what it repairs be decided. Answers with how many items it found stranded.
async fn sweep(desk: &Desk) -> u64 {
    desk.routed().await;
    has_swept(desk).await;
    let before = desk.engine.statistics().await.unwrap().sweeps;
    desk.advance(5 * MINUTE_MS);
    eventually("there was a sweep", async || desk.engine.statistics().await.unwrap().sweeps > before).await;
    desk.engine.settle().await.unwrap();
    desk.routed().await;
    desk.engine.statistics().await.unwrap().stranded
}

async fn away(desk: &Desk, names: &[&str]) {
    for name in names {
        let status = NewStatus { value: StatusValue::Away, reason: None };
        desk.engine.set_availability(&desk.as_user(name), desk.user(name), status).await.unwrap();
    }
    desk.routed().await;
}

async fn back(desk: &Desk, name: &str) {
    let status = NewStatus { value: StatusValue::Available, reason: None };
    desk.engine.set_availability(&desk.as_user(name), desk.user(name), status).await.unwrap();
    desk.routed().await;
}

async fn corrections(desk: &Desk) -> u64 {
    desk.engine.statistics().await.unwrap().corrections
}

#[tokio::test]
async fn r12_6_work_of_somebody_who_is_gone_goes_to_somebody_else() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let bo = desk.user("bo");
    adopt(&desk, |directory| directory.users.iter_mut().filter(|user| user.id == bo).for_each(|user| user.active = false)).await;
    assert_eq!(desk.owner(item).await, Some(Owner::User { id: bo }), "stranded");
    assert_eq!(sweep(&desk).await, 1);
    assert_eq!(desk.owner(item).await, desk.owned_by("cy"));
    assert_eq!((sweep(&desk).await, corrections(&desk).await), (0, 0));
}

#[tokio::test]
async fn r12_6_an_owner_whom_nobody_knows_is_replaced_and_the_router_believes_the_tables() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let nobody = Some(Owner::User { id: UserId(999_999) });
    change(&desk, |update| ItemUpdate { owner: Some(nobody), ..update }, item).await;
    assert_eq!(sweep(&desk).await, 1);
    assert_eq!(desk.owner(item).await, desk.owned_by("cy"), "as Bo had the last one");
    assert_eq!(corrections(&desk).await, 1);
    assert_eq!((sweep(&desk).await, corrections(&desk).await), (0, 1));
}

#[tokio::test]
async fn r12_6_what_lost_its_owner_without_a_reason_is_routed_again() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    away(&desk, &["bo"]).await;
    change(&desk, |update| ItemUpdate { owner: Some(None), unassigned_reason: Some(None), ..update }, item).await;
    assert_eq!(sweep(&desk).await, 1);
    assert_eq!(desk.owner(item).await, desk.owned_by("cy"));
    assert_eq!((sweep(&desk).await, corrections(&desk).await), (0, 1));
}

#[tokio::test]
async fn r12_6_what_waits_in_the_tables_and_not_in_the_router_waits_again_in_its_place() {
    let desk = Desk::open().await;
    away(&desk, &["bo", "cy"]).await;
    let item = desk.mail("triage", "kim@customer.test").await;
    desk.advance(MINUTE_MS);
    let other = desk.mail("queue", "lu@customer.test").await;
    let since = Timestamp(desk.engine.now().0 - MINUTE_MS);
    change(&desk, |update| ItemUpdate { unassigned_reason: Some(None), queued_since: Some(Some(since)), ..update }, item).await;
    assert_eq!(sweep(&desk).await, 1, "nothing in the router waits with it");
    assert_eq!(desk.row(item).await.unassigned_reason, Some(UnassignedReason::NoRule), "its channel has no rule");
    assert!(desk.row(other).await.queued_since.is_some(), "the other one waits as before");
    assert_eq!(sweep(&desk).await, 0);
    back(&desk, "bo").await;
    assert_eq!(desk.owner(other).await, desk.owned_by("bo"));
}

#[tokio::test]
async fn r12_6_what_waits_in_the_router_and_not_in_the_tables_is_found() {
    let desk = Desk::open().await;
    away(&desk, &["bo", "cy"]).await;
    let first = desk.mail("queue", "kim@customer.test").await;
    desk.advance(MINUTE_MS);
    let second = desk.mail("queue", "lu@customer.test").await;
    change(&desk, |update| ItemUpdate { queued_since: Some(None), ..update }, first).await;
    assert_eq!(sweep(&desk).await, 1);
    assert_eq!(corrections(&desk).await, 1, "the router forgot what the tables do not have");
    assert!(desk.row(first).await.queued_since.is_some());
    back(&desk, "bo").await;
    assert_eq!((desk.owner(first).await, desk.owner(second).await), (desk.owned_by("bo"), desk.owned_by("bo")));
    assert_eq!((sweep(&desk).await, corrections(&desk).await), (0, 1));
}

#[tokio::test]
async fn r12_6_a_snooze_without_a_timer_gets_it_back() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let (version, until) = (desk.row(item).await.version, desk.engine.now().plus_ms(HOUR_MS));
    desk.engine.set_item_status(&Caller::system(), item, version, ItemStatus::Snoozed, Some(until)).await.unwrap();
    behind_the_back(&desk, move |tx| Box::pin(async move { tx.delete_timers_of(item, crate::timers::SNOOZE).await.map(drop) }))
        .await;
    assert_eq!(sweep(&desk).await, 1);
    assert_eq!(desk.row(item).await.status, ItemStatus::Snoozed);
    assert_eq!(sweep(&desk).await, 0);
    desk.advance(HOUR_MS);
    eventually("it wakes", async || desk.row(item).await.status == ItemStatus::Open).await;
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
}

#[tokio::test]
async fn r12_6_a_status_that_the_router_never_heard_of_is_taken_from_the_tables() {
    let desk = Desk::open().await;
    let (bo, at) = (desk.user("bo"), desk.engine.now());
    let status = switchboard_model::ManualStatus {
        value: StatusValue::Away,
        reason: None,
        set_at: at,
        origin: switchboard_model::StatusOrigin::ByHand,
    };
    behind_the_back(&desk, move |tx| {
        Box::pin(async move { tx.set_status(bo, &status, None, at, &Actor::System).await.map(drop) })
    })
    .await;
    assert_eq!((sweep(&desk).await, corrections(&desk).await), (0, 1));
    let item = desk.mail("support", "kim@customer.test").await;
    assert_eq!(desk.owner(item).await, desk.owned_by("cy"));
}

#[tokio::test]
async fn r12_6_work_in_a_workspace_that_nobody_may_open_is_reported_as_long_as_it_is_so() {
    let desk = Desk::open().await;
    let item = desk.mail("triage", "kim@customer.test").await;
    let workspace = desk.row(item).await.workspace;
    let restrict = |access: WorkspaceAccess| {
        move |directory: &mut Directory| {
            directory.workspaces.iter_mut().filter(|entry| entry.id == workspace).for_each(|entry| entry.access = access.clone());
        }
    };
    adopt(&desk, restrict(WorkspaceAccess::Restricted { users: vec![UserId(999_999)], teams: vec![] })).await;
    assert_eq!(sweep(&desk).await, 1);
    assert_eq!(sweep(&desk).await, 1, "there is nothing that a program could do");
    adopt(&desk, restrict(WorkspaceAccess::Everyone)).await;
    assert_eq!(sweep(&desk).await, 0);
}

#[tokio::test]
async fn r12_6_an_ordinary_day_strands_nothing() {
    let desk = Desk::open().await;
    let mut items = Vec::new();
    for channel in ["support", "queue", "triage", "sales", "form", "support", "queue", "support"] {
        items.push(desk.mail(channel, "kim@customer.test").await);
        desk.advance(1_000);
    }
    let version = async |item: ItemId| desk.row(item).await.version;
    let ann = desk.as_user("ann");
    let (release, give) = (OwnerChange { user: None, team: None }, OwnerChange { user: Some(desk.user("di")), team: None });
    desk.engine.set_owner(&ann, items[0], version(items[0]).await, release).await.unwrap();
    desk.engine.set_owner(&ann, items[1], version(items[1]).await, give).await.unwrap();
    desk.reply("ann", items[4], "I take this.").await;
    desk.engine.return_to_queue(&ann, items[5], version(items[5]).await, None).await.unwrap();
    let system = Caller::system();
    desk.engine.set_item_status(&system, items[3], version(items[3]).await, ItemStatus::Closed, None).await.unwrap();
    let until = Some(desk.engine.now().plus_ms(HOUR_MS));
    desk.engine.set_item_status(&ann, items[6], version(items[6]).await, ItemStatus::Snoozed, until).await.unwrap();
    away(&desk, &["bo", "cy"]).await;
    items.push(desk.mail("queue", "mo@customer.test").await);
    assert_eq!((sweep(&desk).await, corrections(&desk).await), (0, 0));
    assert_eq!(desk.owner(items[0]).await, None, "a person left it so");
    desk.engine.deactivate(&ann, desk.user("bo"), None, false).await.unwrap();
    back(&desk, "cy").await;
    desk.advance(HOUR_MS);
    eventually("the snooze is over", async || desk.row(items[6]).await.status == ItemStatus::Open).await;
    desk.routed().await;
    assert_ne!(desk.owner(items[6]).await, desk.owned_by("bo"), "who left meanwhile");
    assert_eq!((sweep(&desk).await, corrections(&desk).await), (0, 0));
    let desk = desk.reopen().await;
    assert_eq!((sweep(&desk).await, corrections(&desk).await), (0, 0));
    let report = desk.engine.replay(0).await.unwrap();
    assert_eq!(report.differences, 0, "{report:#?}");
}

#[tokio::test]
async fn r12_6_an_input_that_nobody_has_taken_for_a_minute_is_reported() {
    let desk = Desk::without_router().await;
    let item = ItemId::from(desk.push(desk.message("support", "kim@customer.test")).await.conversation);
    let engine = &desk.engine;
    let lease = engine.acquire_router().await.unwrap().unwrap();
    let routing = Routing::start(engine.clone(), lease, false, false).await.unwrap();
    let state = engine.inner.store.sweep_state(crate::timers::SNOOZE, &[]).await.unwrap();
    let find = |ms: i64| routing.find(&state, &engine.directory(), engine.now().plus_ms(ms));
    assert_eq!(find(MINUTE_MS).get(&item), None, "it is on its way");
    assert_eq!(find(MINUTE_MS + 1).get(&item), Some(&Why::InputStuck));
}
