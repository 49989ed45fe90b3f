//! Moving work to another workspace (ROUTING 12.4), and what the router makes of it.

use super::{Desk, MINUTE_MS};
use crate::memory::remember;
use crate::{EngineErrorKind, MoveWish, NewStatus};
use switchboard_model::{
    HistoryChange, ItemId, ItemKind, ItemRow, ItemStatus, LoadGroup, OwnedItem, Priority, StatusValue, TicketType,
    UnassignedReason, View, WorkspaceId,
};

pub(super) fn workspace(desk: &Desk, slug: &str) -> WorkspaceId {
    desk.engine.directory().workspaces.iter().find(|workspace| workspace.slug == slug).unwrap().id
}

pub(super) async fn set(desk: &Desk, name: &str, value: StatusValue) {
    desk.engine.set_availability(&desk.as_user(name), desk.user(name), NewStatus { value, reason: None }).await.unwrap();
    desk.routed().await;
}

/// The router's memory and the tables say the same of owners, queue and counted work.
pub(super) async fn agrees(desk: &Desk) {
    desk.routed().await;
    let router = remember(&desk.engine, false).await.unwrap().router;
    let (state, tables) = (router.state(), desk.engine.inner.store.table_state().await.unwrap());
    // Whose turn it is is told only where that counts.
    let told = |owned: Vec<OwnedItem>| -> Vec<OwnedItem> {
        owned.into_iter().map(|owned| OwnedItem { waiting_on_contact: false, ..owned }).collect()
    };
    assert_eq!(told(state.owned), told(tables.owned));
    let waiting: Vec<ItemId> = state.waiting.iter().map(|waiting| waiting.arrival.item).collect();
    assert_eq!(waiting, tables.queued.iter().map(|(item, _)| *item).collect::<Vec<_>>());
    for user in &desk.engine.directory().users {
        let load = desk.engine.person(user.id).await.unwrap().load;
        assert_eq!(router.open(user.id), load.open, "open work of {}", user.name);
        for (work, open) in &load.open_per_type {
            assert_eq!(router.open_of_type(user.id, *work), *open, "{work} of {}", user.name);
        }
    }
}

async fn load(desk: &Desk, name: &str, group: LoadGroup) -> u32 {
    let router = remember(&desk.engine, false).await.unwrap().router;
    router.load(desk.user(name), group, desk.engine.now())
}

async fn moved(desk: &Desk, name: &str, item: ItemId, to: &str, route: bool) -> ItemRow {
    let wish = MoveWish { version: desk.row(item).await.version, workspace: workspace(desk, to), route };
    let row = desk.engine.move_item(&desk.as_user(name), item, wish).await.unwrap();
    desk.routed().await;
    row
}

#[tokio::test]
async fn r12_4_a_conversation_that_moves_into_a_help_desk_is_a_ticket_with_messages_owner_and_history() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    desk.reply("bo", item, "It is on its way.").await;
    let before = desk.row(item).await;
    let row = moved(&desk, "bo", item, "tickets", false).await;
    assert_eq!((row.kind, row.ticket_type, row.owner), (ItemKind::Ticket, Some(TicketType::EmailOther), desk.owned_by("bo")));
    assert_eq!((row.owned_since, row.subject.clone()), (before.owned_since, before.subject));
    agrees(&desk).await;
    assert_eq!((load(&desk, "bo", LoadGroup::InboxMail).await, load(&desk, "bo", LoadGroup::TicketEmailOther).await), (0, 1));
    let thread = desk.engine.messages(&desk.as_user("bo"), row.id, None, 10).await.unwrap();
    assert_eq!(thread.rows.len(), 2);
    let view = desk.view(row.id).await;
    assert_eq!(view.history[0].change, HistoryChange::Created);
    let (from, to) = (before.workspace, row.workspace);
    assert!(view.history.iter().any(|entry| entry.change == HistoryChange::Moved { from, to }));
    assert!(view.history.iter().any(|entry| entry.decision.is_some()), "the decision is still told");
    assert_eq!(desk.engine.decisions(&desk.as_user("bo"), row.id).await.unwrap().len(), 1);
    let mut answer = desk.message("support", "kim@customer.test");
    answer.thread.references = vec!["<in-0@customer.test>".to_owned()];
    assert_eq!(desk.receive(answer).await, row.id, "the contact's next message comes to the ticket");
    assert_eq!(desk.list("bo", View::Mine).await, [row.id]);
}

#[tokio::test]
async fn r12_4_a_ticket_that_moves_into_an_inbox_is_closed_and_comes_back_with_its_conversation() {
    let desk = Desk::open().await;
    let ticket = desk.mail("form", "kim@customer.test").await;
    let owner = desk.owner(ticket).await;
    let row = moved(&desk, "ann", ticket, "mail", false).await;
    assert_eq!((row.kind, row.owner, row.ticket.map(ItemId::from)), (ItemKind::Conversation, owner, Some(ticket)));
    let left = desk.row(ticket).await;
    assert_eq!((left.status, left.workspace), (ItemStatus::Closed, row.workspace));
    agrees(&desk).await;
    let ann = desk.as_user("ann");
    let refused = desk.engine.set_priority(&ann, ticket, left.version, Priority::High).await;
    assert!(refused.is_ok(), "what counts nowhere may still be marked");
    let version = desk.row(ticket).await.version;
    let refused = desk.engine.set_item_status(&ann, ticket, version, ItemStatus::Open, None).await.unwrap_err();
    assert!(refused.message.contains(&format!("conversation {}", row.id)), "{refused}");
    for status in [ItemStatus::Closed, ItemStatus::Open] {
        let version = desk.row(row.id).await.version;
        desk.engine.set_item_status(&ann, row.id, version, status, None).await.unwrap();
        assert_eq!(desk.row(ticket).await.status, ItemStatus::Closed, "only the conversation goes by its status now");
    }
    agrees(&desk).await;
    let back = moved(&desk, "ann", row.id, "tickets", false).await;
    assert_eq!((back.id, back.status, back.owner), (ticket, ItemStatus::Open, owner));
    agrees(&desk).await;
}

#[tokio::test]
async fn r12_4_an_owner_who_may_not_open_the_new_workspace_is_cleared_and_a_rule_may_be_asked() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
    let row = moved(&desk, "di", item, "closed_circle", false).await;
    assert_eq!((row.id, row.owner, row.unassigned_reason), (item, None, None));
    assert_eq!(desk.engine.item(&desk.as_user("bo"), item).await.unwrap_err().kind, EngineErrorKind::NotFound);
    agrees(&desk).await;
    moved(&desk, "di", item, "mail", true).await;
    assert_eq!(desk.owner(item).await, desk.owned_by("cy"), "bo had one last");
    let sent = moved(&desk, "ann", item, "tickets", true).await;
    assert!(desk.owner(sent.id).await.is_some());
    agrees(&desk).await;
    let decisions = desk.engine.decisions(&desk.as_user("ann"), sent.id).await.unwrap();
    assert_eq!((decisions.len(), decisions[0].decision.item), (3, sent.id));
    assert!(decisions.iter().all(|decision| decision.refused.is_none()));
}

#[tokio::test]
async fn r12_4_only_who_may_open_both_workspaces_moves_and_only_in_the_version_seen() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let version = desk.row(item).await.version;
    let wish = |version, slug: &str| MoveWish { version, workspace: workspace(&desk, slug), route: false };
    let mover = |name: &str, wish: MoveWish| {
        let (engine, caller) = (desk.engine.clone(), desk.as_user(name));
        async move { engine.move_item(&caller, item, wish).await.unwrap_err() }
    };
    assert_eq!(mover("bo", wish(version, "closed_circle")).await.kind, EngineErrorKind::Invalid);
    assert_eq!(mover("bo", wish(version, "mail")).await.kind, EngineErrorKind::Invalid, "it is there");
    let stale = mover("bo", wish(version - 1, "tickets")).await;
    assert_eq!((stale.kind, stale.current.unwrap().version), (EngineErrorKind::Conflict, version));
    let secret = desk.mail("sales", "lu@customer.test").await;
    let refused = desk.engine.move_item(&desk.as_user("bo"), secret, wish(1, "mail")).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::NotFound);
    let ticket = desk.mail("form", "mo@customer.test").await;
    let conversation = desk.view(ticket).await.linked.unwrap();
    let wish = wish(conversation.version, "mail");
    let refused = desk.engine.move_item(&desk.as_user("ann"), conversation.id, wish).await.unwrap_err();
    assert!(refused.message.contains(&format!("ticket {ticket}")), "{refused}");
}

#[tokio::test]
async fn r12_4_what_waits_keeps_its_place_when_it_is_routed_there_and_waits_no_more_otherwise() {
    let desk = Desk::open().await;
    for name in ["bo", "cy"] {
        set(&desk, name, StatusValue::Away).await;
    }
    let mut items = Vec::new();
    for _ in 0..3 {
        items.push(desk.mail("queue", "kim@customer.test").await);
        desk.advance(MINUTE_MS);
    }
    let since = desk.row(items[1]).await.queued_since;
    let dropped = moved(&desk, "di", items[0], "closed_circle", false).await.id;
    let routed = moved(&desk, "ann", items[1], "tickets", true).await.id;
    let row = desk.row(routed).await;
    assert_eq!((row.owner, row.queued_since), (None, since));
    assert_eq!((desk.row(dropped).await.queued_since, desk.row(items[1]).await.queued_since), (None, None));
    agrees(&desk).await;
    set(&desk, "bo", StatusValue::Available).await;
    assert_eq!(desk.list("bo", View::Mine).await.len(), 2);
    assert_eq!((desk.owner(routed).await, desk.owner(items[2]).await), (desk.owned_by("bo"), desk.owned_by("bo")));
    assert_eq!(desk.owner(dropped).await, None);
    agrees(&desk).await;
}

#[tokio::test]
async fn r5_3_moving_and_snoozing_full_work_frees_room_only_where_it_is_not_open() {
    let desk = Desk::open().await;
    set(&desk, "cy", StatusValue::Away).await;
    let mut items = Vec::new();
    for _ in 0..3 {
        items.push(desk.mail("queue", "kim@customer.test").await);
        desk.advance(MINUTE_MS);
    }
    assert_eq!(desk.owner(items[2]).await, None, "bo has two, which is the limit");
    let ticket = moved(&desk, "bo", items[0], "tickets", false).await;
    agrees(&desk).await;
    assert_eq!(desk.owner(items[2]).await, None, "a moved item is open as before");
    let until = Some(desk.engine.now().plus_ms(10 * MINUTE_MS));
    desk.engine.set_item_status(&desk.as_user("bo"), ticket.id, ticket.version, ItemStatus::Snoozed, until).await.unwrap();
    agrees(&desk).await;
    assert_eq!(desk.owner(items[2]).await, desk.owned_by("bo"), "a snoozed one is not");
    let back = moved(&desk, "bo", ticket.id, "mail", false).await;
    assert_eq!((back.id, back.status), (items[0], ItemStatus::Snoozed));
    desk.advance(11 * MINUTE_MS);
    super::eventually("the snooze is over", async || desk.row(items[0]).await.status == ItemStatus::Open).await;
    agrees(&desk).await;
    assert_eq!(desk.engine.person(desk.user("bo")).await.unwrap().load.open, 3, "it wakes with its owner, over the limit");
}

#[tokio::test]
async fn r12_4_an_item_that_is_moved_before_it_is_routed_gets_no_owner_as_what_it_was() {
    let desk = Desk::without_router().await;
    let receipt = desk.push(desk.message("support", "kim@customer.test")).await;
    let item = ItemId::from(receipt.conversation);
    let wish = MoveWish { version: desk.row(item).await.version, workspace: workspace(&desk, "tickets"), route: true };
    let row = desk.engine.move_item(&desk.as_user("ann"), item, wish).await.unwrap();
    desk.start_router();
    agrees(&desk).await;
    assert_eq!(desk.owner(item).await, None, "the conversation is the work item no more");
    assert_eq!(desk.owner(row.id).await, desk.owned_by("bo"));
    assert_eq!(desk.row(row.id).await.unassigned_reason, None::<UnassignedReason>);
}
