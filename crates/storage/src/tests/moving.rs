//! Moving work to another workspace (ROUTING 12.4).

use crate::tests::fixtures::{
    NOON, WORKSPACE, assign, conversation, events, id, insert, message, owner, people, ticket, user, write,
};
use crate::tests::guards::{change, recounted, stored_counts};
use crate::tests::on_both;
use crate::{Guard, ItemMove, ItemRecord, ItemUpdate, Moved, NewTimer, Store};
use futures::FutureExt;
use std::collections::BTreeMap;
use switchboard_model::{
    Actor, ChannelKind, HistoryChange, ItemId, ItemKind, ItemStatus, LiveEventKind, LoadGroup, Owner, Priority, TeamId, TicketId,
    TicketType, UserId, WorkspaceId, WorkspaceKind,
};

const ELSEWHERE: WorkspaceId = WorkspaceId(22);
const ACTOR: Actor = Actor::User { id: UserId(9) };

async fn wish(store: &Store, item: impl Into<ItemId>, kind: WorkspaceKind) -> ItemMove {
    let item = item.into();
    ItemMove {
        item,
        expected_version: record(store, item).await.version,
        workspace: ELSEWHERE,
        kind,
        ticket: (TicketId(id(store).await), TicketType::EmailOther),
        keep_owner: true,
        keep_team: true,
        keep_waiting: false,
        actor: ACTOR,
        at: NOON.plus_ms(5),
    }
}

async fn moved(store: &Store, wish: ItemMove) -> Result<Moved, Guard> {
    write(store, move |tx| async move { tx.move_item(&wish).await }.boxed()).await.unwrap()
}

pub(super) async fn record(store: &Store, item: impl Into<ItemId>) -> ItemRecord {
    store.item_record(item.into()).await.unwrap().unwrap()
}

async fn history(store: &Store, item: ItemId) -> Vec<HistoryChange> {
    store.item(item).await.unwrap().unwrap().history.into_iter().map(|entry| entry.change).collect()
}

on_both! {
    async fn r12_4_into_a_help_desk_a_ticket_takes_over_state_history_and_count(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        insert(&db.store, message(900_001, conversation, "Where is it?", NOON)).await;
        let team = ItemUpdate { team: Some(Some(TeamId(3))), priority: Some(Priority::High), ..assign(conversation, 1) };
        change(&db.store, team).await.unwrap();
        let last = db.store.last_event_id().await.unwrap();
        let wish = wish(&db.store, conversation, WorkspaceKind::HelpDesk).await;
        let (ticket, version) = (wish.ticket.0, wish.expected_version);
        let Moved { after, left, .. } = moved(&db.store, wish.clone()).await.unwrap();
        assert_eq!((after.id, after.kind, after.group), (ticket.into(), ItemKind::Ticket, LoadGroup::TicketEmailOther));
        assert_eq!((after.workspace, after.owner, after.owned_since), (ELSEWHERE, owner(1), Some(NOON)));
        assert_eq!((after.team, after.priority, after.waiting_since), (Some(TeamId(3)), Priority::High, Some(NOON)));
        assert_eq!((after.created_at, after.preview.as_str()), (NOON, "Where is it?"));
        let left = left.unwrap();
        assert_eq!((left.id, left.routed, left.owner, left.ticket), (conversation.into(), false, None, Some(ticket)));
        assert_eq!((record(&db.store, ticket).await, record(&db.store, conversation).await), (after, left));
        assert_eq!(stored_counts(&db.store).await, BTreeMap::from([(1, [1, 0, 1, 0])]));
        assert_eq!(recounted(&db.store).await, stored_counts(&db.store).await);
        let told = events(&db.store, last, 3).await;
        for workspace in [WORKSPACE, ELSEWHERE] {
            assert!(told.iter().any(|event| event.kind == LiveEventKind::Item && event.workspace == Some(workspace)));
        }
        let shown = history(&db.store, ticket.into()).await;
        assert_eq!(shown[0], HistoryChange::Created);
        assert_eq!(shown[1], HistoryChange::Owner { owner: owner(1), team: Some(TeamId(3)) });
        assert_eq!(shown[2], HistoryChange::Moved { from: WORKSPACE, to: ELSEWHERE });
        assert_eq!(shown.len(), 3);
        let again = ItemMove { expected_version: version, ..wish };
        assert!(matches!(moved(&db.store, again).await, Err(Guard::ItemChanged(item)) if item.id == conversation.into()));
    }

    async fn r12_4_out_of_a_help_desk_the_conversation_is_the_work_item_and_the_ticket_comes_back(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        let (conversation, ticket) = ticket(&db.store, TicketType::EmailOther).await;
        change(&db.store, assign(ticket, 1)).await.unwrap();
        let wish_in = wish(&db.store, ticket, WorkspaceKind::Inbox).await;
        let Moved { after, left, .. } = moved(&db.store, wish_in).await.unwrap();
        assert_eq!((after.id, after.owner, after.routed), (conversation.into(), owner(1), true));
        assert_eq!((after.workspace, after.ticket), (ELSEWHERE, Some(ticket)));
        let left = left.unwrap();
        assert_eq!((left.status, left.workspace, left.routed), (ItemStatus::Closed, ELSEWHERE, false));
        assert_eq!(recounted(&db.store).await, stored_counts(&db.store).await);
        assert!(history(&db.store, after.id).await.contains(&HistoryChange::Owner { owner: owner(1), team: None }));
        let back = ItemMove { workspace: WORKSPACE, ..wish(&db.store, conversation, WorkspaceKind::HelpDesk).await };
        let Moved { after, .. } = moved(&db.store, back).await.unwrap();
        assert_eq!((after.id, after.status, after.owner, after.workspace), (ticket.into(), ItemStatus::Open, owner(1), WORKSPACE));
        assert_eq!(record(&db.store, conversation).await.ticket, Some(ticket), "no other ticket was made");
        assert_eq!(stored_counts(&db.store).await, BTreeMap::from([(1, [1, 0, 1, 0])]));
        assert_eq!(recounted(&db.store).await, stored_counts(&db.store).await);
        let moves = history(&db.store, ticket.into()).await;
        let moves = moves.iter().filter(|change| matches!(change, HistoryChange::Moved { .. })).count();
        assert_eq!(moves, 2, "each move once");
    }

    async fn r12_4_an_owner_who_does_not_come_along_and_a_wait_that_ends_leave_nothing_behind(db) {
        people(&db.store, vec![user(1, None, &[]), user(2, None, &[])]).await;
        let owned = conversation(&db.store, ChannelKind::Chat).await;
        change(&db.store, ItemUpdate { team: Some(Some(TeamId(3))), ..assign(owned, 1) }).await.unwrap();
        let alone = ItemMove { keep_owner: false, keep_team: false, ..wish(&db.store, owned, WorkspaceKind::Inbox).await };
        let Moved { after, left, .. } = moved(&db.store, alone).await.unwrap();
        assert_eq!((after.owner, after.owned_since, after.team, left), (None, None, None, None));
        assert!(stored_counts(&db.store).await.is_empty());
        let waiting = conversation(&db.store, ChannelKind::Email).await;
        let queued = ItemUpdate { queued_since: Some(Some(NOON)), ..ItemUpdate::new(waiting.into(), Actor::System, NOON) };
        change(&db.store, queued).await.unwrap();
        let kept = ItemMove { keep_waiting: true, ..wish(&db.store, waiting, WorkspaceKind::HelpDesk).await };
        let Moved { after, left, .. } = moved(&db.store, kept).await.unwrap();
        assert_eq!((after.queued_since, left.unwrap().queued_since), (Some(NOON), None));
        let ended = ItemMove { workspace: WORKSPACE, ..wish(&db.store, after.id, WorkspaceKind::HelpDesk).await };
        assert_eq!(moved(&db.store, ended).await.unwrap().after.queued_since, None);
        assert_eq!(db.store.table_state().await.unwrap().queued, []);
    }

    async fn r5_3_a_snoozed_item_counts_for_nobody_wherever_it_is_moved_and_its_timer_goes_along(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        let item = conversation(&db.store, ChannelKind::Email).await;
        let until = Some(NOON.plus_ms(60_000));
        let snooze = ItemUpdate { status: Some(ItemStatus::Snoozed), snoozed_until: until, ..assign(item, 1) };
        change(&db.store, snooze).await.unwrap();
        let timer = NewTimer { id: id(&db.store).await, due_at: NOON, kind: "snooze".into(), item: Some(item.into()), body: serde_json::Value::Null };
        write(&db.store, move |tx| async move { tx.insert_timer(&timer).await }.boxed()).await.unwrap();
        let wish = wish(&db.store, item, WorkspaceKind::HelpDesk).await;
        let Moved { after, .. } = moved(&db.store, wish).await.unwrap();
        assert_eq!((after.status, after.snoozed_until, after.owner), (ItemStatus::Snoozed, until, owner(1)));
        assert!(stored_counts(&db.store).await.is_empty());
        assert_eq!(db.store.due_timers(NOON, &crate::Timers::default(), 10).await.unwrap()[0].item, Some(after.id));
        let woken = ItemUpdate { status: Some(ItemStatus::Open), ..ItemUpdate::new(after.id, Actor::System, NOON) };
        change(&db.store, woken).await.unwrap();
        assert_eq!(stored_counts(&db.store).await, BTreeMap::from([(1, [1, 0, 1, 0])]));
        assert_eq!(record(&db.store, after.id).await.owner, Some(Owner::User { id: UserId(1) }));
    }
}
