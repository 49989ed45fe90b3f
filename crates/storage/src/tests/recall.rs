//! Taking replies back, and who is first: whoever sends, or whoever takes back.

use crate::tests::fixtures::{CHANNEL, NOON, conversation, id, insert, message, write};
use crate::tests::on_both;
use crate::{NewAttachment, NewMessage, NewOutbox, Store, StoreErrorKind};
use bytes::Bytes;
use futures::FutureExt;
use switchboard_model::{Address, Attachment, BlobId, ChannelKind, ConversationId, Identity, MessageId, MessageKind, Timestamp};

const HOLD_MS: i64 = 10_000;

async fn held_reply(store: &Store, conversation: ConversationId, at: Timestamp) -> MessageId {
    let ids = store.next_ids(3).await.unwrap();
    let file =
        Attachment { name: "a".into(), content_type: "text/plain".into(), content_id: None, bytes: Bytes::from_static(b"a") };
    let reply = NewMessage {
        kind: MessageKind::Reply,
        attachments: vec![NewAttachment { blob: BlobId(ids[2]), attachment: file }],
        ..message(ids[0], conversation, "Svaret", at)
    };
    insert(store, reply).await;
    let (key, message) = (format!("m{}", ids[0]), MessageId(ids[0]));
    let entry = NewOutbox { id: ids[1], key, channel: CHANNEL, conversation, message, at, hold_ms: HOLD_MS };
    assert!(write(store, move |tx| async move { tx.enqueue(&entry).await }.boxed()).await.unwrap());
    message
}

async fn recall(store: &Store, message: MessageId) -> Result<ConversationId, StoreErrorKind> {
    let recalled = write(store, move |tx| async move { tx.recall_message(message, NOON.plus_ms(5)).await }.boxed()).await;
    recalled.map_err(|error| error.kind)
}

async fn claimed(store: &Store, now: Timestamp) -> usize {
    write(store, move |tx| async move { tx.claim_due("a", now, 10, 1_000).await }.boxed()).await.unwrap().len()
}

on_both! {
    async fn a_reply_that_waits_can_be_taken_back_and_leaves_no_trace(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let asked = id(&db.store).await;
        insert(&db.store, message(asked, conversation, "Hvor er pakken?", NOON)).await;
        let before = db.store.item_record(conversation.into()).await.unwrap().unwrap();
        let reply = held_reply(&db.store, conversation, NOON.plus_ms(1)).await;
        let delivery = db.store.message(reply).await.unwrap().unwrap().delivery.unwrap();
        assert!(delivery.recallable && delivery.next_attempt_at == Some(NOON.plus_ms(1 + HOLD_MS)));
        assert_eq!(claimed(&db.store, NOON.plus_ms(HOLD_MS)).await, 0, "it is not due before its time");
        assert!(db.store.item_record(conversation.into()).await.unwrap().unwrap().waiting_since.is_none());

        assert_eq!(recall(&db.store, reply).await, Ok(conversation));
        let after = db.store.item_record(conversation.into()).await.unwrap().unwrap();
        assert_eq!((after.preview, after.last_message_at), (before.preview, before.last_message_at));
        assert_eq!((after.waiting_since, after.first_reply_at), (before.waiting_since, before.first_reply_at));
        assert!(db.store.message(reply).await.unwrap().is_none());
        assert_eq!(db.store.statistics().await.unwrap().outbox, 0);
        assert_eq!(recall(&db.store, reply).await, Err(StoreErrorKind::NotFound), "once");
    }

    async fn whom_only_a_reply_that_was_taken_back_named_takes_no_part(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let person = |address: &str| Address { name: None, address: address.to_owned() };
        let asked = NewMessage { recipients: vec![person("boss@x.test")], ..message(id(&db.store).await, conversation, "Hvor?", NOON) };
        insert(&db.store, asked).await;
        let number = id(&db.store).await;
        let reply = NewMessage {
            kind: MessageKind::Reply,
            recipients: vec![person("boss@x.test"), person("Wrong@x.test")],
            to: vec![person("other@x.test")],
            bcc: vec![person("quiet@x.test")],
            ..message(number, conversation, "Svaret", NOON.plus_ms(1))
        };
        insert(&db.store, reply).await;
        let (key, reply) = (format!("m{number}"), MessageId(number));
        let entry = NewOutbox { id: id(&db.store).await, key, channel: CHANNEL, conversation, message: reply, at: NOON, hold_ms: HOLD_MS };
        write(&db.store, move |tx| async move { tx.enqueue(&entry).await }.boxed()).await.unwrap();
        let takes_part = async |address: &str| {
            let identities = [Identity::email(address)];
            write(&db.store, move |tx| async move { tx.takes_part(conversation, &identities).await }.boxed()).await.unwrap()
        };
        assert!(takes_part("wrong@x.test").await && takes_part("quiet@x.test").await);
        assert_eq!(recall(&db.store, reply).await, Ok(conversation));
        for (address, stays) in [("boss@x.test", true), ("wrong@x.test", false), ("other@x.test", false), ("quiet@x.test", false)] {
            assert_eq!(takes_part(address).await, stays, "{address}");
        }
    }

    async fn a_reply_on_its_way_and_one_that_was_not_held_back_stay(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let reply = held_reply(&db.store, conversation, NOON).await;
        assert_eq!(claimed(&db.store, NOON.plus_ms(HOLD_MS)).await, 1);
        assert_eq!(recall(&db.store, reply).await, Err(StoreErrorKind::Conflict));
        assert!(!db.store.message(reply).await.unwrap().unwrap().delivery.unwrap().recallable);

        let number = id(&db.store).await;
        insert(&db.store, NewMessage { kind: MessageKind::Reply, ..message(number, conversation, "Chat", NOON) }).await;
        let entry = NewOutbox { id: id(&db.store).await, key: "chat".into(), channel: CHANNEL, conversation, message: MessageId(number), at: NOON, hold_ms: 0 };
        write(&db.store, move |tx| async move { tx.enqueue(&entry).await }.boxed()).await.unwrap();
        assert_eq!(recall(&db.store, MessageId(number)).await, Err(StoreErrorKind::Conflict));
    }

    async fn of_a_claim_and_a_recall_at_once_one_wins(db) {
        let (mut sent, mut taken_back) = (0, 0);
        for round in 0..40 {
            let conversation = conversation(&db.store, ChannelKind::Email).await;
            let reply = held_reply(&db.store, conversation, NOON.plus_ms(-HOLD_MS)).await;
            let claims = async { claimed(&db.store, NOON).await };
            let recalls = async { recall(&db.store, reply).await };
            let (claims, recalled) = if round % 2 == 0 { futures::join!(claims, recalls) } else {
                let (recalled, claims) = futures::join!(recalls, claims);
                (claims, recalled)
            };
            match (claims, recalled) {
                (1, Err(StoreErrorKind::Conflict)) => sent += 1,
                (0, Ok(_)) => taken_back += 1,
                other => panic!("round {round}: {other:?}"),
            }
        }
        assert_eq!(sent + taken_back, 40);
    }
}
