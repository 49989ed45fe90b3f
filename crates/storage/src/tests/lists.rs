//! Lists, counts and search.

use crate::tests::fixtures::{
    CHANNEL, NOON, WORKSPACE, assign, contact, conversation, id, insert, message, new_conversation, people, ticket, user, write,
};
use crate::tests::on_both;
use crate::{ItemQuery, ItemUpdate, ListScope, NewConversation, NewMessage, NewTicket, SearchQuery, Store, StoreErrorKind};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::FutureExt;
use switchboard_model::{
    Actor, ChannelId, ChannelKind, ContactId, ConversationId, ItemId, ItemKind, ItemSort, ItemStatus, Nature, Priority, TeamId,
    TicketId, TicketType, UserId, View, WorkspaceId,
};

fn scope() -> ListScope {
    ListScope {
        reader: UserId(1),
        teams: vec![TeamId(5)],
        workspaces: vec![WORKSPACE],
        kind: None,
        routed_only: true,
        channel: None,
        contact: None,
    }
}

async fn listed(store: &Store, scope: ListScope, view: View, sort: ItemSort, limit: u32) -> Vec<ItemId> {
    let mut query = ItemQuery { scope, view, sort, cursor: None, limit };
    let mut seen = vec![];
    loop {
        let page = store.items(&query).await.unwrap();
        seen.extend(page.rows.iter().map(|row| row.id));
        query.cursor = page.next;
        if query.cursor.is_none() {
            assert_eq!(page.total, u64::try_from(seen.len()).unwrap(), "{view} by {sort}");
            return seen;
        }
        assert_eq!(page.rows.len(), usize::try_from(limit).unwrap());
    }
}

async fn change(store: &Store, update: ItemUpdate) {
    write(store, move |tx| async move { tx.change_item(&update).await }.boxed()).await.unwrap().unwrap();
}

async fn found(store: &Store, text: &str, scope: ListScope) -> Vec<ItemId> {
    let query = SearchQuery { text: text.into(), scope, cursor: None, limit: 50 };
    store.search(&query).await.unwrap().rows.iter().map(|row| row.id).collect()
}

async fn with_message(store: &Store, text: &str) -> ItemId {
    let conversation = conversation(store, ChannelKind::Email).await;
    insert(store, message(id(store).await, conversation, text, NOON)).await;
    conversation.into()
}

on_both! {
    async fn r14_2_each_view_shows_what_it_says(db) {
        people(&db.store, vec![user(1, None, &[]), user(2, None, &[])]).await;
        let mut items: Vec<ItemId> = vec![];
        for _ in 0..7 {
            items.push(conversation(&db.store, ChannelKind::Email).await.into());
        }
        let bare = |item| ItemUpdate::new(item, Actor::System, NOON);
        let team = Some(Some(TeamId(5)));
        change(&db.store, assign(items[1], 1)).await;
        change(&db.store, ItemUpdate { team, ..assign(items[2], 2) }).await;
        change(&db.store, ItemUpdate { team, ..bare(items[3]) }).await;
        change(&db.store, ItemUpdate { status: Some(ItemStatus::Closed), ..bare(items[4]) }).await;
        change(&db.store, ItemUpdate { status: Some(ItemStatus::Snoozed), ..bare(items[5]) }).await;
        change(&db.store, ItemUpdate { queued_since: Some(Some(NOON)), ..bare(items[6]) }).await;
        let expected: [(View, &[usize]); 8] = [
            (View::Unassigned, &[0, 3, 6]),
            (View::Mine, &[1]),
            (View::TeamUnassigned, &[3]),
            (View::TeamOpen, &[2, 3]),
            (View::Open, &[0, 1, 2, 3, 6]),
            (View::Closed, &[4]),
            (View::Waiting, &[6]),
            (View::Snoozed, &[5]),
        ];
        let counts = db.store.view_counts(&scope()).await.unwrap();
        for (view, places) in expected {
            let wanted: Vec<_> = places.iter().map(|place| items[*place]).collect();
            assert_eq!(listed(&db.store, scope(), view, ItemSort::Oldest, 50).await, wanted, "{view}");
            let counted = (view != View::Closed).then_some(u64::try_from(wanted.len()).unwrap());
            assert_eq!(counts.get(&view).copied(), counted, "{view}");
        }
    }

    async fn pages_have_neither_gaps_nor_repetitions_in_any_order(db) {
        let ids = db.store.next_ids(23).await.unwrap();
        let kari = contact(&db.store, "kari@example.com", None).await;
        for (place, number) in (0_i64..).zip(&ids) {
            let priority = Priority::ALL[usize::try_from(place % 4).unwrap()];
            // Few distinct instants, so that the id has to tell rows apart.
            let at = NOON.plus_ms(place % 3);
            let new = NewConversation { priority, at, ..new_conversation(ConversationId(*number), kari, ChannelKind::Email) };
            write(&db.store, move |tx| async move { tx.insert_conversation(&new).await }.boxed()).await.unwrap();
            if place % 2 == 0 {
                insert(&db.store, message(id(&db.store).await, ConversationId(*number), "hi", at)).await;
            }
        }
        for sort in ItemSort::ALL {
            let whole = listed(&db.store, scope(), View::Open, *sort, 200).await;
            assert_eq!(whole.len(), 23);
            for limit in [1, 4, 7] {
                assert_eq!(listed(&db.store, scope(), View::Open, *sort, limit).await, whole, "{sort} by {limit}");
            }
        }
        let urgent = listed(&db.store, scope(), View::Open, ItemSort::Priority, 200).await;
        let rank = |item: &ItemId| ids.iter().position(|id| *id == item.0).unwrap() % 4;
        assert!(urgent.iter().map(rank).is_sorted_by(|one, next| one >= next));
        let newest = listed(&db.store, scope(), View::Open, ItemSort::Newest, 200).await;
        let oldest: Vec<_> = listed(&db.store, scope(), View::Open, ItemSort::Oldest, 200).await.into_iter().rev().collect();
        assert_eq!(newest, oldest);
    }

    async fn a_cursor_of_another_order_is_invalid(db) {
        for _ in 0..3 {
            conversation(&db.store, ChannelKind::Email).await;
        }
        let query = ItemQuery { scope: scope(), view: View::Open, sort: ItemSort::Newest, cursor: None, limit: 1 };
        let cursor = db.store.items(&query).await.unwrap().next;
        for cursor in [cursor, Some("nonsense".into()), Some("e30".into())] {
            let other = ItemQuery { sort: ItemSort::Oldest, cursor, ..query.clone() };
            assert_eq!(db.store.items(&other).await.unwrap_err().kind, StoreErrorKind::Invalid);
        }
    }

    async fn a_forged_cursor_with_a_key_that_nothing_has_is_invalid(db) {
        for _ in 0..3 {
            conversation(&db.store, ChannelKind::Email).await;
        }
        for sort in ItemSort::ALL {
            for major in [i64::MIN, i64::MIN + 1, i64::MAX] {
                let text = serde_json::json!({ "sort": sort, "major": major, "minor": i64::MIN, "id": i64::MAX, "total": 3 }).to_string();
                let cursor = Some(URL_SAFE_NO_PAD.encode(text));
                let query = ItemQuery { scope: scope(), view: View::Open, sort: *sort, cursor, limit: 1 };
                match db.store.items(&query).await {
                    Ok(_) => assert_ne!(major, i64::MIN, "{sort}"),
                    Err(error) => assert_eq!((error.kind, major), (StoreErrorKind::Invalid, i64::MIN), "{sort}: {error}"),
                }
            }
        }
    }

    async fn a_scope_lets_nothing_else_through(db) {
        let inbox: ItemId = conversation(&db.store, ChannelKind::Email).await.into();
        let (hidden, ticket) = ticket(&db.store, TicketType::EmailOther).await;
        let ticket = ItemId::from(ticket);
        let open = |scope| listed(&db.store, scope, View::Open, ItemSort::Oldest, 50);
        assert_eq!(open(scope()).await, [inbox, ticket]);
        assert_eq!(open(ListScope { routed_only: false, ..scope() }).await, [inbox, hidden.into(), ticket]);
        assert_eq!(open(ListScope { kind: Some(ItemKind::Ticket), ..scope() }).await, [ticket]);
        assert!(open(ListScope { workspaces: vec![], ..scope() }).await.is_empty());
        assert!(open(ListScope { workspaces: vec![WorkspaceId(99)], ..scope() }).await.is_empty());
        assert!(open(ListScope { channel: Some(ChannelId(99)), ..scope() }).await.is_empty());
        assert!(open(ListScope { contact: Some(ContactId(9_999_999)), ..scope() }).await.is_empty());
        let kari = db.store.item(inbox).await.unwrap().unwrap().row.contact.unwrap().id;
        assert_eq!(open(ListScope { contact: Some(kari), channel: Some(CHANNEL), ..scope() }).await, [inbox, ticket]);
    }

    async fn open_items_of_a_person_are_listed(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        let (one, other) = (conversation(&db.store, ChannelKind::Email).await, conversation(&db.store, ChannelKind::Chat).await);
        change(&db.store, assign(other, 1)).await;
        change(&db.store, assign(one, 1)).await;
        let open = db.store.open_items_of(UserId(1)).await.unwrap();
        assert_eq!(open.iter().map(|item| item.id).collect::<Vec<_>>(), [ItemId::from(one), other.into()]);
        assert!(db.store.open_items_of(UserId(2)).await.unwrap().is_empty());
    }

    async fn statistics_count_what_is_open(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        let (_, ticket) = ticket(&db.store, TicketType::EmailOther).await;
        conversation(&db.store, ChannelKind::Email).await;
        change(&db.store, assign(ticket, 1)).await;
        let numbers = db.store.statistics().await.unwrap();
        assert_eq!((numbers.open, numbers.unassigned, numbers.outbox, numbers.unconsumed), (2, 1, 0, 0));
    }

    async fn r14_2_search_finds_any_spelling_of_nordic_names(db) {
        let item: ItemId = conversation(&db.store, ChannelKind::Email).await.into();
        for text in ["Ødegård", "oedegaard", "odegard", "ODEG", "kari ødeg", "kari@example"] {
            assert_eq!(found(&db.store, text, scope()).await, [item], "{text}");
        }
        assert!(found(&db.store, "ødegårdstad", scope()).await.is_empty());
    }

    async fn r14_2_search_looks_at_text_subject_and_fields(db) {
        let (one, other) = (with_message(&db.store, "Pakke #8841 er borte").await, with_message(&db.store, "Hvor er fakturaen?").await);
        assert_eq!(found(&db.store, "8841 borte", scope()).await, [one]);
        assert_eq!(found(&db.store, "faktura", scope()).await, [other]);
        assert!(found(&db.store, "faktura 8841", scope()).await.is_empty());
        let third = ConversationId(with_message(&db.store, "Hei").await.0);
        let number = id(&db.store).await;
        insert(&db.store, NewMessage {
            subject: Some("Kvittering".into()),
            fields: vec![("order".into(), "ZX-77".into())],
            ..message(number, third, "Takk", NOON)
        }).await;
        for text in ["kvitt", "zx 77", "takk"] {
            assert_eq!(found(&db.store, text, scope()).await, [ItemId::from(third)], "{text}");
        }
    }

    async fn search_answers_the_ticket_of_a_conversation_and_keeps_to_the_scope(db) {
        let (conversation, ticket) = ticket(&db.store, TicketType::EmailOther).await;
        insert(&db.store, message(id(&db.store).await, conversation, "unik setning", NOON)).await;
        assert_eq!(found(&db.store, "unik", scope()).await, [ItemId::from(ticket)]);
        let all = ListScope { routed_only: false, ..scope() };
        assert_eq!(found(&db.store, "unik", all).await.len(), 2);
        assert!(found(&db.store, "unik", ListScope { workspaces: vec![WorkspaceId(99)], ..scope() }).await.is_empty());
    }

    async fn search_finds_a_ticket_made_by_hand_by_its_subject(db) {
        let number = id(&db.store).await;
        let new = NewTicket {
            id: TicketId(number),
            workspace: WORKSPACE,
            channel: None,
            contact: None,
            identity: None,
            conversation: None,
            ticket_type: TicketType::EmailOther,
            subject: Some("Ring tilbake".into()),
            priority: Priority::High,
            at: NOON,
            actor: Actor::System,
        };
        write(&db.store, move |tx| async move { tx.insert_ticket(&new).await }.boxed()).await.unwrap();
        assert_eq!(found(&db.store, "tilbake", scope()).await, [ItemId(number)]);
    }

    async fn search_takes_any_text_without_failing(db) {
        let item = with_message(&db.store, "AND OR NOT NEAR 'quoted' \"double\" 東京 1e5 3.14 a-b").await;
        for text in ["'quoted'", "\"double\"", "NOT", "near", "東京", "1e5", "3 14", "a b", "NEAR(a b)", "and or"] {
            assert_eq!(found(&db.store, text, scope()).await, [item], "{text}");
        }
        for text in ["", "  ", "*", "':* & '", "\\", "\0", "--"] {
            assert!(found(&db.store, text, scope()).await.is_empty(), "{text:?}");
        }
        insert(&db.store, message(id(&db.store).await, ConversationId(item.0), &"langtord".repeat(500), NOON)).await;
        assert_eq!(found(&db.store, &"langtord".repeat(500), scope()).await, [item]);
        let huge: String = (0..90_000).map(|number| format!("w{number} ")).collect();
        insert(&db.store, message(id(&db.store).await, ConversationId(item.0), &huge, NOON)).await;
        assert_eq!(found(&db.store, "w123", scope()).await, [item]);
    }

    async fn search_is_paged_and_newest_first(db) {
        let mut items = vec![];
        for number in 0..5 {
            let conversation = conversation(&db.store, ChannelKind::Email).await;
            insert(&db.store, NewMessage { nature: Nature::Message, ..message(id(&db.store).await, conversation, "samme", NOON.plus_ms(number)) }).await;
            items.insert(0, ItemId::from(conversation));
        }
        let mut query = SearchQuery { text: "samme".into(), scope: scope(), cursor: None, limit: 2 };
        let mut seen = vec![];
        loop {
            let page = db.store.search(&query).await.unwrap();
            assert_eq!(page.total, 5);
            seen.extend(page.rows.iter().map(|row| row.id));
            query.cursor = page.next;
            if query.cursor.is_none() { break }
        }
        assert_eq!(seen, items);
    }
}
