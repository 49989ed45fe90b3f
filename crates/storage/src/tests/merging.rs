//! Merging items of a workspace (ROUTING 12.4).

use crate::tests::fixtures::{
    CHANNEL, NOON, WORKSPACE, assign, contact, conversation, events, id, insert, message, new_conversation, owner, people,
    ticket, user, write,
};
use crate::tests::guards::{change, recounted, stored_counts};
use crate::tests::moving::record;
use crate::tests::on_both;
use crate::{Guard, ItemMerge, ItemQuery, ItemUpdate, ListScope, Merged, NewConversation, NewOutbox, SearchQuery, Store};
use futures::FutureExt;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use switchboard_model::{
    Actor, ChannelKind, ConversationId, HistoryChange, Identity, ItemId, ItemSort, ItemStatus, LiveEventKind, MessageKind, Owner,
    Priority, TicketType, UserId, View, WorkType,
};

const ACTOR: Actor = Actor::User { id: UserId(9) };

async fn wish(store: &Store, survivor: impl Into<ItemId>, merged: impl Into<ItemId>) -> ItemMerge {
    let (survivor, merged) = (record(store, survivor).await, record(store, merged).await);
    ItemMerge {
        survivor: (survivor.id, survivor.version),
        merged: (merged.id, merged.version),
        owner: survivor.owner.or(merged.owner),
        actor: ACTOR,
        at: NOON.plus_ms(50),
    }
}

async fn merged(store: &Store, wish: ItemMerge) -> Result<Merged, Guard> {
    write(store, move |tx| async move { tx.merge_items(&wish).await }.boxed()).await.unwrap()
}

/// A conversation of somebody else than the fixtures' contact.
async fn of_ola(store: &Store) -> ConversationId {
    let ola = contact(store, "ola@example.com", Some("Ola")).await;
    let new = NewConversation {
        identity: Identity::email("ola@example.com"),
        ..new_conversation(ConversationId(id(store).await), ola, ChannelKind::Email)
    };
    let conversation = new.id;
    write(store, move |tx| async move { tx.insert_conversation(&new).await }.boxed()).await.unwrap();
    conversation
}

async fn texts(store: &Store, conversation: ConversationId) -> Vec<String> {
    let page = store.messages(conversation, None, 50).await.unwrap();
    page.rows.into_iter().rev().map(|message| message.text).collect()
}

async fn survivor(store: &Store, conversation: ConversationId) -> ConversationId {
    write(store, move |tx| async move { tx.surviving_conversation(conversation).await }.boxed()).await.unwrap()
}

fn scope() -> ListScope {
    let workspaces = vec![WORKSPACE];
    ListScope { reader: UserId(9), teams: vec![], workspaces, kind: None, routed_only: true, channel: None, contact: None }
}

on_both! {
    async fn r12_4_the_older_has_all_messages_in_order_of_time_and_both_histories(db) {
        people(&db.store, vec![user(1, None, &[]), user(2, None, &[])]).await;
        let (older, newer) = (conversation(&db.store, ChannelKind::Email).await, of_ola(&db.store).await);
        for (number, to, text) in [(1, older, "one"), (2, newer, "two"), (3, older, "three"), (4, newer, "four")] {
            insert(&db.store, message(900_000 + number, to, text, NOON.plus_ms(number))).await;
        }
        change(&db.store, assign(older, 1)).await.unwrap();
        change(&db.store, ItemUpdate { priority: Some(Priority::Urgent), ..assign(newer, 2) }).await.unwrap();
        let last = db.store.last_event_id().await.unwrap();
        let done = merged(&db.store, wish(&db.store, older, newer).await).await.unwrap();
        assert_eq!(done.messages, 2);
        assert_eq!(texts(&db.store, older).await, ["one", "two", "three", "four"]);
        assert_eq!(texts(&db.store, newer).await, [""; 0]);
        let after = record(&db.store, older).await;
        assert_eq!((&after, after.owner, after.priority), (&done.survivor.after, owner(1), Priority::Urgent));
        assert_eq!((after.preview.as_str(), after.last_message_at), ("four", NOON.plus_ms(4)));
        assert_eq!(after.version, done.survivor.before.version + 1);
        let shell = record(&db.store, newer).await;
        assert_eq!((shell.status, shell.merged_into), (ItemStatus::Closed, Some(older.into())));
        assert_eq!(stored_counts(&db.store).await.get(&2), None, "what was merged is not open");
        assert_eq!(recounted(&db.store).await, stored_counts(&db.store).await);
        let view = db.store.item(older.into()).await.unwrap().unwrap();
        let of = |item: ConversationId| view.history.iter().filter(move |entry| entry.item == ItemId::from(item)).map(|entry| entry.change.clone()).collect::<Vec<_>>();
        assert_eq!(of(older).last(), Some(&HistoryChange::MergedFrom { item: newer.into() }));
        assert_eq!(of(newer), [
            HistoryChange::Created,
            HistoryChange::Owner { owner: owner(2), team: None },
            HistoryChange::MergedInto { item: older.into() },
        ]);
        assert_eq!(view.merged_contacts.iter().map(|contact| contact.name.as_str()).collect::<Vec<_>>(), ["Ola"]);
        let told = events(&db.store, last, 3).await;
        let items: Vec<_> = told.iter().filter(|event| event.kind == LiveEventKind::Item).map(|event| event.item).collect();
        assert!(items.ends_with(&[Some(older.into()), Some(newer.into())]), "{items:?}");
    }

    async fn r12_4_both_contacts_take_part_and_every_way_into_the_newer_leads_into_the_older(db) {
        let older = conversation(&db.store, ChannelKind::Email).await;
        let newer = of_ola(&db.store).await;
        let mut first = message(900_001, newer, "Hello", NOON);
        (first.external_id, first.own_reference) = (Some("ext-1".into()), Some("<1@ola>".into()));
        first.recipients = vec![switchboard_model::Address { name: None, address: "kjell@example.com".into() }];
        insert(&db.store, first).await;
        merged(&db.store, wish(&db.store, older, newer).await).await.unwrap();
        assert_eq!(survivor(&db.store, newer).await, older);
        let (part, references) = write(&db.store, move |tx| async move {
            let mut part = Vec::new();
            for address in ["kari@example.com", "ola@example.com", "kjell@example.com", "mallory@example.com"] {
                part.push(tx.takes_part(older, &[Identity::email(address)]).await?);
            }
            Ok((part, tx.conversations_by_references(CHANNEL, &["<1@ola>".into()]).await?))
        }.boxed()).await.unwrap();
        assert_eq!(part, [true, true, true, false]);
        assert_eq!(survivor(&db.store, references[0]).await, older);
        let hit = db.store.find_inbound_key(CHANNEL, "ext-1").await.unwrap().unwrap();
        assert_eq!(survivor(&db.store, hit.conversation).await, older);
        // A second merge leads on, in one step.
        let third = of_ola(&db.store).await;
        merged(&db.store, wish(&db.store, third, older).await).await.unwrap();
        assert_eq!(record(&db.store, newer).await.merged_into, Some(third.into()));
        assert_eq!((survivor(&db.store, newer).await, db.store.survivor_of(older.into()).await.unwrap()), (third, third.into()));
    }

    async fn r12_4_a_reply_in_the_outbox_still_goes_to_whom_it_was_written(db) {
        let older = conversation(&db.store, ChannelKind::Email).await;
        let newer = of_ola(&db.store).await;
        let mut question = message(900_001, newer, "Hello?", NOON);
        question.own_reference = Some("<1@ola>".into());
        insert(&db.store, question).await;
        let mut reply = message(900_002, newer, "Hello Ola", NOON.plus_ms(1));
        reply.kind = MessageKind::Reply;
        insert(&db.store, reply.clone()).await;
        let entry = NewOutbox { id: id(&db.store).await, key: "m2".into(), channel: CHANNEL, conversation: newer, message: reply.id, at: NOON, hold_ms: 0 };
        write(&db.store, move |tx| async move { tx.enqueue(&entry).await }.boxed()).await.unwrap();
        merged(&db.store, wish(&db.store, older, newer).await).await.unwrap();
        let last = db.store.last_event_id().await.unwrap();
        let claimed = write(&db.store, |tx| async move { tx.claim_due("host", NOON, 10, 1_000).await }.boxed()).await.unwrap();
        let sent = db.store.outbound_message(&claimed[0], "support").await.unwrap();
        assert_eq!((sent.identity, sent.references), (Identity::email("ola@example.com"), vec!["<1@ola>".to_owned()]));
        assert_eq!(sent.to[0].name.as_deref(), Some("Ola"));
        let entry = claimed[0].clone();
        assert!(write(&db.store, move |tx| async move { tx.mark_sent(&entry, Some("<2@us>"), NOON).await }.boxed()).await.unwrap());
        assert_eq!(events(&db.store, last, 1).await[0].conversation, Some(older), "who looks at the survivor is told");
        let found = write(&db.store, |tx| async move { tx.conversations_by_references(CHANNEL, &["<2@us>".into()]).await }.boxed()).await.unwrap();
        assert_eq!(survivor(&db.store, found[0]).await, older, "an answer to it comes into the survivor");
    }

    async fn r12_4_tickets_merge_with_their_conversations(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        let (first, older) = ticket(&db.store, TicketType::EmailOther).await;
        let (second, newer) = ticket(&db.store, TicketType::Messaging).await;
        insert(&db.store, message(900_001, second, "Hello", NOON)).await;
        let closed = |item: ItemId| ItemUpdate { status: Some(ItemStatus::Closed), ..ItemUpdate::new(item, Actor::System, NOON) };
        for item in [ItemId::from(first), older.into()] {
            change(&db.store, closed(item)).await.unwrap();
        }
        change(&db.store, assign(newer, 1)).await.unwrap();
        let done = merged(&db.store, wish(&db.store, older, newer).await).await.unwrap();
        assert_eq!((done.survivor.after.status, done.survivor.after.owner), (ItemStatus::Open, owner(1)), "open work stays open");
        assert_eq!(record(&db.store, first).await.status, ItemStatus::Open);
        assert_eq!((record(&db.store, newer).await.merged_into, record(&db.store, second).await.merged_into), (Some(older.into()), Some(first.into())));
        assert_eq!(texts(&db.store, first).await, ["Hello"]);
        let person = db.store.person(UserId(1)).await.unwrap().unwrap();
        assert_eq!((person.open, person.open_per_type[&WorkType::Mail], person.open_per_type[&WorkType::Chat]), (1, 1, 0), "it counts as the survivor does");
        assert_eq!(recounted(&db.store).await, stored_counts(&db.store).await);
    }

    async fn what_was_merged_takes_no_change_and_is_in_no_list(db) {
        let older = conversation(&db.store, ChannelKind::Email).await;
        let newer = of_ola(&db.store).await;
        let before = wish(&db.store, older, newer).await;
        merged(&db.store, before.clone()).await.unwrap();
        assert!(matches!(merged(&db.store, before.clone()).await, Err(Guard::ItemChanged(_))), "the versions are old");
        assert!(matches!(merged(&db.store, wish(&db.store, older, newer).await).await, Err(Guard::ItemChanged(item)) if item.id == newer.into()));
        let shell = record(&db.store, newer).await;
        let open = ItemUpdate { status: Some(ItemStatus::Open), ..ItemUpdate::new(newer.into(), Actor::System, NOON) };
        let guarded = ItemUpdate { expected_version: Some(shell.version), ..open.clone() };
        assert!(change(&db.store, guarded).await.is_err());
        change(&db.store, open).await.expect("who only tidies up is told nothing");
        assert_eq!(record(&db.store, newer).await, shell);
        let query = ItemQuery { scope: scope(), view: View::Closed, sort: ItemSort::Newest, cursor: None, limit: 10 };
        assert_eq!(db.store.items(&query).await.unwrap().total, 0);
        let query = SearchQuery { text: "ola".into(), scope: scope(), cursor: None, limit: 10 };
        let found: Vec<ItemId> = db.store.search(&query).await.unwrap().rows.into_iter().map(|row| row.id).collect();
        assert_eq!(found, [older.into()], "the other contact leads to the survivor");
    }

    async fn r5_3_counters_are_right_after_random_merges_and_snoozes(db) {
        let seed = 20_261_122;
        let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
        people(&db.store, (1..=3).map(|id| user(id, Some(4), &[])).collect()).await;
        let mut items: Vec<ItemId> = vec![];
        for number in 0..12 {
            items.push(match number % 2 {
                0 => ticket(&db.store, TicketType::EmailOther).await.1.into(),
                _ => conversation(&db.store, ChannelKind::Chat).await.into(),
            });
        }
        let strategy = (0..items.len(), 0..items.len(), 0..4_i64, 0..ItemStatus::ALL.len(), proptest::bool::weighted(0.2));
        for round in 0..60 {
            let (one, other, person, status, merges) = strategy.new_tree(&mut runner).unwrap().current();
            if merges && one != other && one % 2 == other % 2 {
                let wish = wish(&db.store, items[one.min(other)], items[one.max(other)]).await;
                let _ = merged(&db.store, wish).await;
            } else {
                let owner = (person > 0).then_some(Owner::User { id: UserId(person) });
                let update = ItemUpdate { owner: Some(owner), status: Some(ItemStatus::ALL[status]), ..ItemUpdate::new(items[one], Actor::System, NOON) };
                change(&db.store, update).await.unwrap();
            }
            assert_eq!(recounted(&db.store).await, stored_counts(&db.store).await, "round {round} of seed {seed}");
        }
    }
}
