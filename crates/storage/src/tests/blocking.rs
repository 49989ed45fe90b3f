//! Contacts that are blocked (ROUTING 12.1).

use crate::tests::fixtures::{NOON, contact, conversation, id, new_conversation, ticket, write};
use crate::tests::groups::writer;
use crate::tests::on_both;
use crate::{ContactRecord, ItemUpdate, NewContact, Question, Store, StoreError, StoreErrorKind};
use futures::FutureExt;
use std::time::Duration;
use switchboard_model::{
    Actor, Blocked, ChannelKind, ContactId, ConversationId, Identity, ItemId, ItemStatus, TicketType, UserId,
};
use tokio::sync::oneshot;

const ACTOR: Actor = Actor::User { id: UserId(9) };

fn kari() -> Identity {
    Identity::email("kari@example.com")
}

async fn set(store: &Store, contact: ContactId, blocked: bool, by: Actor) -> Result<bool, StoreError> {
    write(store, move |tx| {
        async move { if blocked { tx.block_contact(contact, &by, NOON).await } else { tx.unblock_contact(contact).await } }
            .boxed()
    })
    .await
}

async fn known(store: &Store, identity: Identity) -> ContactRecord {
    write(store, move |tx| async move { tx.contact_of(&identity).await }.boxed()).await.unwrap().expect("somebody has it")
}

async fn pending(store: &Store, contact: ContactId, after: ItemId, limit: u32) -> Vec<ItemId> {
    let found = write(store, move |tx| async move { tx.pending_items_of(contact, after, limit).await }.boxed()).await.unwrap();
    found.into_iter().map(|item| item.id).collect()
}

on_both! {
    async fn r12_1_a_block_says_who_and_when_until_it_is_taken_back(db) {
        let (store, id) = (&db.store, contact(&db.store, "kari@example.com", Some("Kari")).await);
        assert_eq!((known(store, kari()).await.blocked, store.contact(id).await.unwrap().unwrap().blocked), (None, None));
        assert!(!set(store, id, false, ACTOR).await.unwrap());
        assert!(set(store, id, true, ACTOR).await.unwrap());
        let blocked = Some(Blocked { at: NOON, by: ACTOR });
        assert!(!set(store, id, true, Actor::System).await.unwrap(), "the first stays known for it");
        assert_eq!(known(store, kari()).await.blocked, blocked);
        assert_eq!(store.contact(id).await.unwrap().unwrap().blocked, blocked);
        let record = write(store, move |tx| async move { tx.contact_record(id).await }.boxed()).await.unwrap();
        assert_eq!(record.unwrap().blocked, blocked);
        assert!(set(store, id, false, ACTOR).await.unwrap());
        assert_eq!(known(store, kari()).await.blocked, None);
        for blocked in [true, false] {
            let missing = set(store, ContactId(9_999_999), blocked, ACTOR).await.unwrap_err();
            assert_eq!(missing.kind, StoreErrorKind::NotFound);
        }
    }

    async fn r12_1_a_blocked_contact_stays_so_with_a_new_identity_and_a_name(db) {
        let (store, id) = (&db.store, contact(&db.store, "kari@example.com", None).await);
        set(store, id, true, ACTOR).await.unwrap();
        let new = NewContact {
            id: ContactId(store.next_id().await.unwrap()),
            identities: vec![Identity::email("new@example.com"), kari()],
            name: Some("Kari".to_owned()),
            at: NOON,
        };
        let (found, is_new) = write(store, move |tx| async move { tx.find_or_create_contact(&new).await }.boxed()).await.unwrap();
        assert_eq!((found.id, is_new, found.blocked.is_some()), (id, false, true));
        assert!(known(store, Identity::email("new@example.com")).await.blocked.is_some());
    }

    async fn what_is_open_of_a_contact_is_listed_piece_by_piece(db) {
        let store = &db.store;
        let first = ItemId::from(conversation(store, ChannelKind::Email).await);
        let (ticket, closed) = (ticket(store, TicketType::EmailOther).await.1.into(), conversation(store, ChannelKind::Chat).await);
        let change = ItemUpdate { status: Some(ItemStatus::Closed), ..ItemUpdate::new(closed.into(), ACTOR, NOON) };
        write(store, move |tx| async move { tx.change_item(&change).await }.boxed()).await.unwrap().unwrap();
        let kari = known(store, kari()).await.id;
        assert_eq!(pending(store, kari, ItemId(0), 10).await, [first, ticket], "neither closed, nor the conversation of a ticket");
        assert_eq!(pending(store, kari, ItemId(0), 1).await, [first]);
        assert_eq!(pending(store, kari, first, 1).await, [ticket]);
        assert_eq!(pending(store, contact(store, "ola@example.com", None).await, ItemId(0), 10).await, []);
        let newest = write(store, move |tx| async move { tx.newest_items_of(kari, 10).await }.boxed()).await.unwrap();
        assert_eq!(newest.len(), 3);
    }

    async fn r12_1_a_block_waits_for_a_message_that_is_being_stored_and_sees_its_item(db) {
        let (store, contact, conversation) =
            (db.store.clone(), contact(&db.store, "kari@example.com", None).await, ConversationId(id(&db.store).await));
        let (has_read, read) = oneshot::channel();
        let (go_on, may_go_on) = oneshot::channel::<()>();
        let storing = write(&store, move |tx| {
            async move {
                let known = tx.contact_of(&kari()).await?.expect("she is known");
                has_read.send(known.blocked.is_some()).unwrap();
                may_go_on.await.unwrap();
                tx.insert_conversation(&new_conversation(conversation, known.id, ChannelKind::Email)).await
            }
            .boxed()
        });
        let blocking = async {
            assert!(!read.await.unwrap(), "she was not blocked when the message came");
            let block = write(&store, move |tx| {
                async move {
                    tx.block_contact(contact, &ACTOR, NOON).await?;
                    tx.pending_items_of(contact, ItemId(0), 10).await
                }
                .boxed()
            });
            let mut block = Box::pin(block);
            let early = tokio::time::timeout(Duration::from_millis(200), &mut block).await;
            assert!(early.is_err(), "the message is stored first");
            go_on.send(()).unwrap();
            block.await.unwrap()
        };
        let (stored, pending) = tokio::join!(storing, blocking);
        stored.unwrap();
        assert_eq!(pending.into_iter().map(|item| item.id).collect::<Vec<_>>(), [ItemId::from(conversation)]);
    }

    async fn what_a_group_read_ahead_of_a_contact_is_forgotten_when_one_of_it_blocks(db) {
        let (writer, _task) = writer(&db.store);
        let id = contact(&db.store, "kari@example.com", None).await;
        let ask = || {
            writer.run_asking::<_, StoreError, _>(vec![Question::Identity(kari())], |tx| {
                async move { Ok(tx.contact_of(&kari()).await?.expect("she is known").blocked.is_some()) }.boxed()
            })
        };
        let block = writer.run::<_, StoreError, _>(move |tx| async move { tx.block_contact(id, &ACTOR, NOON).await }.boxed());
        let (before, blocked, after) = futures::join!(ask(), block, ask());
        assert_eq!((before.unwrap(), blocked.unwrap(), after.unwrap()), (false, true, true));
    }
}
