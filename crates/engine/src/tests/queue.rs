//! The waiting queue over a real database: who gets what waits, in which order, and across a restart (ROUTING 7.4).

use super::{DIRECTORY, Desk, HOUR_MS, MINUTE_MS, eventually};
use crate::{ApplyOptions, Caller, NewStatus};
use switchboard_model::{ItemId, ItemStatus, Outcome, Priority, StatusValue, View};

pub(super) async fn set(desk: &Desk, name: &str, value: StatusValue) {
    desk.engine.set_availability(&desk.as_user(name), desk.user(name), NewStatus { value, reason: None }).await.unwrap();
    desk.routed().await;
}

/// A desk whose two agents are away.
async fn nobody_there() -> Desk {
    let desk = Desk::open().await;
    for name in ["bo", "cy"] {
        set(&desk, name, StatusValue::Away).await;
    }
    desk
}

async fn comes_back(desk: &Desk, name: &str) {
    set(desk, name, StatusValue::Available).await;
}

pub(super) async fn close(desk: &Desk, item: ItemId) {
    let version = desk.row(item).await.version;
    desk.engine.set_item_status(&Caller::system(), item, version, ItemStatus::Closed, None).await.unwrap();
    desk.routed().await;
}

#[tokio::test]
async fn r7_4_what_waits_is_assigned_in_order_when_somebody_comes_back_and_when_room_frees() {
    let desk = nobody_there().await;
    let mut items = Vec::new();
    for _ in 0..4 {
        items.push(desk.mail("queue", "kim@customer.test").await);
        desk.advance(MINUTE_MS);
    }
    let row = desk.row(items[0]).await;
    assert_eq!((row.owner, row.unassigned_reason, row.queued_since.is_some()), (None, None, true));
    assert_eq!(desk.list("bo", View::Waiting).await.len(), 4);
    comes_back(&desk, "bo").await;
    let waiting = async || desk.list("bo", View::Waiting).await;
    assert_eq!(desk.list("bo", View::Mine).await, [items[1], items[0]], "two, as there is room for two");
    assert_eq!(waiting().await, [items[3], items[2]]);
    close(&desk, items[1]).await;
    assert_eq!(desk.owner(items[2]).await, desk.owned_by("bo"), "the older of those that wait");
    assert_eq!(waiting().await, [items[3]]);
    let row = desk.row(items[2]).await;
    assert_eq!((row.queued_since, row.unassigned_reason), (None, None));
}

#[tokio::test]
async fn r7_4_the_queue_survives_a_restart_and_goes_by_priority() {
    let desk = nobody_there().await;
    let first = desk.mail("queue", "kim@customer.test").await;
    let second = desk.mail("queue", "lu@customer.test").await;
    let third = desk.mail("queue", "mo@customer.test").await;
    let version = desk.row(third).await.version;
    desk.engine.set_priority(&Caller::system(), third, version, Priority::Urgent).await.unwrap();
    desk.routed().await;
    let desk = desk.reopen().await;
    comes_back(&desk, "cy").await;
    assert_eq!(desk.owner(third).await, desk.owned_by("cy"), "urgent work goes first");
    assert_eq!(desk.owner(first).await, desk.owned_by("cy"), "then the oldest");
    assert_eq!(desk.owner(second).await, None);
    let decisions = desk.engine.decisions(&Caller::system(), third).await.unwrap();
    assert!(decisions.iter().all(|decision| decision.refused.is_none()), "the router knew of the new version");
    assert_eq!(decisions[1].decision.outcome, Outcome::Queued);
    let explained = desk.engine.explanation(&Caller::system(), decisions[0].id).await.unwrap().explanation.expect("rebuilt");
    assert_eq!(explained.decision, decisions[0].decision);
    let report = desk.engine.replay(0).await.unwrap();
    assert_eq!((report.differences, report.decisions), (0, 5), "{report:#?}");
}

#[tokio::test]
async fn r7_4_the_beginning_of_a_shift_serves_what_waits_without_anybody_doing_anything() {
    let desk = Desk::open().await;
    let hours = DIRECTORY.replace(
        "team = \"support\"\ncapacity",
        "team = \"support\"\nzone = \"Europe/Oslo\"\nhours = [\"mon 11:00-15:00\"]\ncapacity",
    );
    desk.engine.apply(&Caller::system(), &hours, ApplyOptions::default()).await.unwrap();
    let item = desk.mail("queue", "kim@customer.test").await;
    assert!(desk.row(item).await.queued_since.is_some(), "it is ten o'clock, and they begin at eleven");
    desk.advance(HOUR_MS);
    eventually("the shift has begun", async || desk.owner(item).await.is_some()).await;
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
}

#[tokio::test]
async fn what_waits_leaves_the_queue_when_it_is_closed_or_taken_by_hand() {
    let desk = nobody_there().await;
    let closed = desk.mail("queue", "kim@customer.test").await;
    let taken = desk.mail("queue", "lu@customer.test").await;
    let left = desk.mail("queue", "mo@customer.test").await;
    close(&desk, closed).await;
    desk.reply("ann", taken, "I take this.").await;
    assert_eq!(desk.owner(taken).await, desk.owned_by("ann"));
    assert_eq!(desk.list("bo", View::Waiting).await, [left]);
    comes_back(&desk, "bo").await;
    assert_eq!(desk.list("bo", View::Mine).await, [left]);
    assert_eq!((desk.owner(closed).await, desk.owner(taken).await), (None, desk.owned_by("ann")));
}

#[tokio::test]
async fn r14_3_what_is_due_first_goes_first_and_a_reply_stops_the_clock() {
    let desk = Desk::open().await;
    let with_targets = DIRECTORY.replace(
        "slug = \"mail\"\nkind = \"inbox\"",
        "slug = \"mail\"\nkind = \"inbox\"\nsla = { first_reply_min = 60, next_reply_min = 30, close_min = 480 }",
    );
    for name in ["bo", "cy"] {
        set(&desk, name, StatusValue::Away).await;
    }
    let before = desk.mail("queue", "kim@customer.test").await;
    desk.advance(MINUTE_MS);
    desk.engine.apply(&Caller::system(), &with_targets, ApplyOptions::default()).await.unwrap();
    let item = desk.mail("queue", "lu@customer.test").await;
    let row = desk.row(item).await;
    assert_eq!(desk.row(before).await.due_at, None, "it came before there were targets");
    assert_eq!(row.due_at, Some(row.created_at.plus_ms(HOUR_MS)));
    comes_back(&desk, "bo").await;
    let decisions = desk.engine.decisions(&Caller::system(), item).await.unwrap();
    let others = desk.engine.decisions(&Caller::system(), before).await.unwrap();
    let order = |decision: &switchboard_model::DecisionView| (decision.no, decision.decision.place);
    assert!(order(&decisions[0]) < order(&others[0]), "a target comes before none, though it came later");
    desk.reply("bo", item, "On its way.").await;
    assert_eq!(desk.row(item).await.due_at, None, "nothing runs while it waits on the contact");
    desk.advance(HOUR_MS);
    let mut again = desk.message("queue", "lu@customer.test");
    again.thread.conversation = desk.row(item).await.conversation;
    desk.receive(again).await;
    let row = desk.row(item).await;
    assert_eq!(row.due_at, Some(row.last_message_at.plus_ms(HOUR_MS / 2)), "half an hour for the next reply");
    close(&desk, item).await;
    assert_eq!(desk.row(item).await.due_at, None);
}
