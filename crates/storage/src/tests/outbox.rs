//! The outbox, timers and live events.

use crate::tests::fixtures::{CHANNEL, NOON, conversation, events, id, insert, message, write};
use crate::tests::{TestDb, on_both};
use crate::{NewAttachment, NewEvent, NewMessage, NewOutbox, NewTimer, OutboxEntry, Store, StoreErrorKind, Timers};
use bytes::Bytes;
use futures::FutureExt;
use std::collections::BTreeSet;
use switchboard_model::{
    Address, Attachment, BlobId, ChannelKind, ConversationId, DeliveryState, Identity, ItemId, LiveEventKind, MessageId,
    MessageKind, RefusedRecipient, Timestamp,
};

/// Stores a reply and puts it into the outbox.
async fn reply(store: &Store, conversation: ConversationId, at: Timestamp) -> MessageId {
    let number = id(store).await;
    insert(store, NewMessage { kind: MessageKind::Reply, ..message(number, conversation, "Svar", at) }).await;
    let entry = NewOutbox {
        id: id(store).await,
        key: format!("reply-{number}"),
        channel: CHANNEL,
        conversation,
        message: MessageId(number),
        at,
        hold_ms: 0,
    };
    assert!(write(store, move |tx| async move { tx.enqueue(&entry).await }.boxed()).await.unwrap());
    MessageId(number)
}

async fn claim(store: &Store, holder: &'static str, now: Timestamp, limit: u32) -> Vec<OutboxEntry> {
    write(store, move |tx| async move { tx.claim_due(holder, now, limit, 1_000).await }.boxed()).await.unwrap()
}

async fn sent(store: &Store, entry: &OutboxEntry, reference: Option<&'static str>) -> bool {
    let entry = entry.clone();
    write(store, move |tx| async move { tx.mark_sent(&entry, reference, NOON).await }.boxed()).await.unwrap()
}

async fn delivery(store: &Store, message: MessageId) -> (DeliveryState, u32) {
    let delivery = store.message(message).await.unwrap().unwrap().delivery.unwrap();
    (delivery.state, delivery.attempts)
}

on_both! {
    async fn a_key_is_queued_once(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let message = reply(&db.store, conversation, NOON).await;
        let again = NewOutbox { id: id(&db.store).await, key: format!("reply-{message}"), channel: CHANNEL, conversation, message, at: NOON, hold_ms: 0 };
        assert!(!write(&db.store, move |tx| async move { tx.enqueue(&again).await }.boxed()).await.unwrap());
        assert_eq!(db.store.statistics().await.unwrap().outbox, 1);
    }

    async fn a_reply_goes_from_queued_to_sent_and_its_reference_threads(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let message = reply(&db.store, conversation, NOON).await;
        assert_eq!(delivery(&db.store, message).await, (DeliveryState::Queued, 0));
        assert_eq!(db.store.next_outbox_at().await.unwrap(), Some(NOON));
        let claimed = claim(&db.store, "a", NOON, 10).await;
        assert_eq!(claimed.iter().map(|entry| (entry.message, entry.attempts)).collect::<Vec<_>>(), [(message, 1)]);
        assert_eq!(delivery(&db.store, message).await, (DeliveryState::Sending, 1));
        assert!(sent(&db.store, &claimed[0], Some("<out@us>")).await);
        assert!(!sent(&db.store, &claimed[0], None).await, "a claim ends once");
        assert_eq!(delivery(&db.store, message).await, (DeliveryState::Sent, 1));
        assert_eq!(db.store.next_outbox_at().await.unwrap(), None);
        let found = write(&db.store, |tx| async move { tx.conversations_by_references(CHANNEL, &["<out@us>".into()]).await }.boxed());
        assert_eq!(found.await.unwrap(), [conversation]);
    }

    async fn replies_of_one_conversation_keep_their_order(db) {
        let (one, other) = (conversation(&db.store, ChannelKind::Chat).await, conversation(&db.store, ChannelKind::Chat).await);
        let first = reply(&db.store, one, NOON).await;
        let second = reply(&db.store, one, NOON.plus_ms(1)).await;
        let apart = reply(&db.store, other, NOON.plus_ms(2)).await;
        let now = NOON.plus_ms(10);
        let claimed = claim(&db.store, "a", now, 10).await;
        assert_eq!(claimed.iter().map(|entry| entry.message).collect::<Vec<_>>(), [first, apart]);
        assert!(claim(&db.store, "b", now, 10).await.is_empty());
        let entry = claimed[0].clone();
        let retried = write(&db.store, move |tx| async move { tx.mark_retry(&entry, NOON.plus_ms(500), "try later", NOON).await }.boxed());
        assert!(retried.await.unwrap());
        assert!(claim(&db.store, "b", now, 10).await.is_empty(), "the second still waits for the first");
        let again = claim(&db.store, "b", NOON.plus_ms(500), 10).await;
        assert_eq!((again[0].message, again[0].attempts), (first, 2));
        assert!(sent(&db.store, &again[0], None).await);
        assert_eq!(claim(&db.store, "b", now, 10).await[0].message, second);
    }

    async fn a_reply_behind_one_that_waits_for_a_retry_is_not_due(db) {
        let (one, other) = (conversation(&db.store, ChannelKind::Email).await, conversation(&db.store, ChannelKind::Email).await);
        reply(&db.store, one, NOON).await;
        reply(&db.store, one, NOON.plus_ms(1)).await;
        let entry = claim(&db.store, "a", NOON, 10).await.remove(0);
        assert_eq!(db.store.next_outbox_at().await.unwrap(), Some(NOON.plus_ms(1_000)), "nothing before the lease ends");
        let retried = write(&db.store, move |tx| async move { tx.mark_retry(&entry, NOON.plus_ms(500), "try later", NOON).await }.boxed());
        assert!(retried.await.unwrap());
        assert_eq!(db.store.next_outbox_at().await.unwrap(), Some(NOON.plus_ms(500)), "the second waits for the first");
        reply(&db.store, other, NOON.plus_ms(9)).await;
        assert_eq!(db.store.next_outbox_at().await.unwrap(), Some(NOON.plus_ms(9)), "another conversation does not wait");
    }

    async fn a_reply_behind_one_that_some_have_already_goes_out(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let first = reply(&db.store, conversation, NOON).await;
        let second = reply(&db.store, conversation, NOON.plus_ms(1)).await;
        let busy = |again| vec![RefusedRecipient { address: "cc@x.test".into(), reason: "450".into(), again }];
        let entry = claim(&db.store, "a", NOON, 10).await.remove(0);
        let put_off = write(&db.store, move |tx| async move {
            tx.mark_sent_to_some(&entry, Some("<out@us>"), &busy(true), Some(NOON.plus_ms(500)), NOON).await
        }.boxed());
        assert!(put_off.await.unwrap());
        assert_eq!(db.store.next_outbox_at().await.unwrap(), Some(NOON.plus_ms(1)), "the second does not wait");
        let claimed = claim(&db.store, "a", NOON.plus_ms(1), 10).await;
        assert_eq!(claimed.iter().map(|entry| entry.message).collect::<Vec<_>>(), [second]);
        assert!(sent(&db.store, &claimed[0], None).await);
        let third = reply(&db.store, conversation, NOON.plus_ms(2)).await;
        let claimed = claim(&db.store, "a", NOON.plus_ms(500), 10).await;
        let remaining: Vec<_> = claimed.iter().map(|entry| (entry.message, entry.remaining.len())).collect();
        assert_eq!(remaining, [(first, 1), (third, 0)], "nor while the one is tried again");
    }

    async fn an_entry_of_a_holder_that_died_comes_up_again(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let message = reply(&db.store, conversation, NOON).await;
        let dead = claim(&db.store, "dead", NOON, 10).await;
        assert!(claim(&db.store, "b", NOON.plus_ms(999), 10).await.is_empty());
        let taken = claim(&db.store, "b", NOON.plus_ms(1_000), 10).await;
        assert_eq!((taken[0].message, taken[0].attempts), (message, 2));
        assert!(!sent(&db.store, &dead[0], None).await, "the dead holder lost its claim");
        assert!(sent(&db.store, &taken[0], None).await);
    }

    async fn a_message_given_up_can_be_queued_once_more(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let message = reply(&db.store, conversation, NOON).await;
        let later = reply(&db.store, conversation, NOON.plus_ms(1)).await;
        let retry = |message| write(&db.store, move |tx| async move { tx.retry_message(message, NOON.plus_ms(5)).await }.boxed());
        assert_eq!(retry(message).await.unwrap_err().kind, StoreErrorKind::Conflict);
        assert_eq!(retry(MessageId(9_999_999)).await.unwrap_err().kind, StoreErrorKind::NotFound);
        let entry = claim(&db.store, "a", NOON, 1).await.remove(0);
        let failed = entry.clone();
        let wordy = "mailbox unknown ".repeat(100);
        assert!(write(&db.store, move |tx| async move { tx.mark_failed(&failed, &wordy, NOON).await }.boxed()).await.unwrap());
        let view = db.store.message(message).await.unwrap().unwrap().delivery.unwrap();
        assert_eq!((view.state, view.next_attempt_at), (DeliveryState::Failed, None));
        assert_eq!(view.error.unwrap().len(), 500);
        assert_eq!(db.store.statistics().await.unwrap().outbox_failed, 1);
        assert_eq!(claim(&db.store, "a", NOON.plus_ms(1), 10).await[0].message, later, "a failed one holds up nobody");
        retry(message).await.unwrap();
        assert_eq!(delivery(&db.store, message).await, (DeliveryState::Queued, 0));
    }

    async fn a_bounce_marks_the_reply_that_failed(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let message = reply(&db.store, conversation, NOON).await;
        let entry = claim(&db.store, "a", NOON, 1).await.remove(0);
        sent(&db.store, &entry, Some("<out@us>")).await;
        let other = crate::tests::fixtures::conversation(&db.store, ChannelKind::Email).await;
        let bounce = |conversation: ConversationId, reference: &'static str| {
            write(&db.store, move |tx| async move { tx.mark_bounced(conversation, CHANNEL, reference, "no such user", NOON).await }.boxed())
        };
        assert_eq!(bounce(conversation, "<unknown>").await.unwrap(), None);
        assert_eq!(bounce(other, "<out@us>").await.unwrap(), None, "the reply of another conversation");
        assert_eq!(bounce(conversation, "<out@us>").await.unwrap(), Some(message));
        assert_eq!(bounce(conversation, "<out@us>").await.unwrap(), None, "it has failed already");
        assert_eq!(delivery(&db.store, message).await.0, DeliveryState::Failed);
    }

    async fn a_message_is_made_ready_for_its_adapter(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        for (reference, at) in [("<1>", 1), ("<2>", 2)] {
            let number = id(&db.store).await;
            insert(&db.store, NewMessage { own_reference: Some(reference.into()), ..message(number, conversation, "Hei", NOON.plus_ms(at)) }).await;
        }
        let ids = db.store.next_ids(3).await.unwrap();
        let file = Attachment { name: "a.txt".into(), content_type: "text/plain".into(), content_id: None, bytes: Bytes::from_static(b"a") };
        let copy = Address { name: None, address: "boss@example.com".into() };
        let new = NewMessage {
            kind: MessageKind::Reply,
            recipients: vec![copy.clone()],
            attachments: vec![NewAttachment { blob: BlobId(ids[1]), attachment: file.clone() }],
            ..message(ids[0], conversation, "Svar", NOON.plus_ms(3))
        };
        insert(&db.store, new).await;
        let entry = NewOutbox { id: ids[2], key: "k".into(), channel: CHANNEL, conversation, message: MessageId(ids[0]), at: NOON, hold_ms: 0 };
        write(&db.store, move |tx| async move { tx.enqueue(&entry).await }.boxed()).await.unwrap();
        let entry = claim(&db.store, "a", NOON, 1).await.remove(0);
        let ready = db.store.outbound_message(&entry, "support").await.unwrap();
        assert_eq!((ready.key.as_str(), ready.channel.as_str(), ready.text.as_str()), ("k", "support", "Svar"));
        assert_eq!((ready.references, ready.subject.as_deref()), (vec!["<1>".to_owned(), "<2>".into()], Some("Pakken mangler")));
        assert_eq!(ready.identity, Identity::email("kari@example.com"));
        assert!(ready.to == [Address { name: Some("Kari Ødegård".into()), address: "kari@example.com".into() }]);
        assert!(ready.cc == [copy] && ready.attachments == [file]);
    }

    async fn hidden_copies_other_recipients_and_the_language_reach_the_adapter(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let inbound = id(&db.store).await;
        insert(&db.store, NewMessage { language: Some("nn".into()), ..message(inbound, conversation, "Hei", NOON) }).await;
        let person = |address: &str| Address { name: None, address: address.into() };
        let number = id(&db.store).await;
        let (to, bcc) = (vec![person("one@example.com")], vec![person("quiet@example.com")]);
        let new = NewMessage { kind: MessageKind::Reply, to: to.clone(), bcc: bcc.clone(), ..message(number, conversation, "Svar", NOON.plus_ms(1)) };
        insert(&db.store, new).await;
        let entry = NewOutbox { id: id(&db.store).await, key: "k".into(), channel: CHANNEL, conversation, message: MessageId(number), at: NOON, hold_ms: 0 };
        write(&db.store, move |tx| async move { tx.enqueue(&entry).await }.boxed()).await.unwrap();
        let entry = claim(&db.store, "a", NOON, 1).await.remove(0);
        let ready = db.store.outbound_message(&entry, "support").await.unwrap();
        assert!(ready.to == to && ready.bcc == bcc && ready.only.is_empty());
        assert_eq!(ready.language.as_deref(), Some("nn"));
        let view = db.store.message(MessageId(number)).await.unwrap().unwrap();
        assert!(view.to == to && view.bcc == bcc);
    }

    async fn those_who_were_refused_are_tried_again_alone_and_named_in_the_end(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let message = reply(&db.store, conversation, NOON).await;
        let refused = |address: &str, again| RefusedRecipient { address: address.into(), reason: "450 4.2.1".into(), again };
        let partly = |entry: OutboxEntry, refused: Vec<RefusedRecipient>, again_at| {
            write(&db.store, move |tx| async move { tx.mark_sent_to_some(&entry, Some("<r>"), &refused, again_at, NOON).await }.boxed())
        };
        let first = claim(&db.store, "a", NOON, 1).await.remove(0);
        let both = vec![refused("gone@x.test", false), refused("busy@x.test", true)];
        assert!(partly(first.clone(), both.clone(), Some(NOON.plus_ms(10))).await.unwrap());
        assert!(!partly(first, both.clone(), None).await.unwrap(), "a claim ends once");
        let view = db.store.message(message).await.unwrap().unwrap().delivery.unwrap();
        assert_eq!((view.state, view.refused), (DeliveryState::Queued, both));
        let second = claim(&db.store, "a", NOON.plus_ms(10), 1).await.remove(0);
        assert_eq!(second.remaining, ["busy@x.test"]);
        assert_eq!(db.store.outbound_message(&second, "support").await.unwrap().only, ["busy@x.test"]);
        assert!(partly(second, vec![], None).await.unwrap());
        let view = db.store.message(message).await.unwrap().unwrap().delivery.unwrap();
        assert_eq!((view.state, view.refused), (DeliveryState::Sent, vec![refused("gone@x.test", false)]));
    }

    async fn a_holder_that_lives_keeps_its_claims_and_one_that_starts_anew_lets_go_of_them(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        reply(&db.store, conversation, NOON).await;
        let entry = claim(&db.store, "a", NOON, 1).await.remove(0);
        let (ids, late) = (vec![entry.id], NOON.plus_ms(900));
        write(&db.store, move |tx| async move { tx.renew_claims("a", &ids, late, 1_000).await }.boxed()).await.unwrap();
        assert!(claim(&db.store, "b", NOON.plus_ms(1_500), 1).await.is_empty(), "renewed until 1,900");
        let release = |holder: &'static str| write(&db.store, move |tx| async move { tx.release_claims(holder, NOON.plus_ms(1_500)).await }.boxed());
        assert_eq!(release("b").await.unwrap(), 0);
        assert_eq!(release("a").await.unwrap(), 1);
        assert_eq!(claim(&db.store, "a", NOON.plus_ms(1_500), 1).await[0].attempts, 2);
        assert!(!sent(&db.store, &entry, None).await, "the earlier life lost its claim");
    }

    async fn claims_made_at_once_are_never_doubled(db) {
        let mut queued = BTreeSet::new();
        for _ in 0..30 {
            let conversation = conversation(&db.store, ChannelKind::Email).await;
            queued.insert(reply(&db.store, conversation, NOON).await);
        }
        let claims = (0..4).map(|_| async {
            let mut mine = vec![];
            loop {
                let claimed = claim(&db.store, "h", NOON, 3).await;
                if claimed.is_empty() { return mine }
                assert!(claimed.len() <= 3);
                mine.extend(claimed.into_iter().map(|entry| entry.message));
            }
        });
        let claimed: Vec<_> = futures::future::join_all(claims).await.concat();
        assert_eq!(claimed.len(), 30);
        assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>(), queued);
    }

    async fn timers_are_due_in_order_and_run_once(db) {
        let ids = db.store.next_ids(3).await.unwrap();
        let timer = |place: usize, due_ms| NewTimer {
            id: ids[place],
            due_at: NOON.plus_ms(due_ms),
            kind: "snooze".into(),
            item: Some(ItemId(4)),
            body: serde_json::json!({ "place": place }),
        };
        let timers = [timer(0, 20), timer(1, 10), timer(2, 30)];
        write(&db.store, move |tx| async move {
            for timer in &timers {
                tx.insert_timer(timer).await?;
            }
            Ok(())
        }.boxed()).await.unwrap();
        assert_eq!(db.store.next_timer_at(&Timers::default()).await.unwrap(), Some(NOON.plus_ms(10)));
        let due = db.store.due_timers(NOON.plus_ms(20), &Timers::default(), 10).await.unwrap();
        assert_eq!(due.iter().map(|timer| timer.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
        assert_eq!(due[0].body["place"], 1);
        let none = Timers { without: &["wakes", "snooze"], ..Timers::default() };
        assert!(db.store.due_timers(NOON.plus_ms(20), &none, 10).await.unwrap().is_empty());
        assert_eq!(db.store.next_timer_at(&none).await.unwrap(), None);
        let others = Timers { only: &["snooze"], skipped: &[ids[1]], ..Timers::default() };
        assert_eq!(db.store.due_timers(NOON.plus_ms(20), &others, 10).await.unwrap()[0].id, ids[0]);
        assert_eq!(db.store.next_timer_at(&others).await.unwrap(), Some(NOON.plus_ms(20)));
        let delete = |id| write(&db.store, move |tx| async move { tx.delete_timer(id).await }.boxed());
        assert!(delete(ids[1]).await.unwrap());
        assert!(!delete(ids[1]).await.unwrap());
        let rest = write(&db.store, |tx| async move { tx.delete_timers_of(ItemId(4), "snooze").await }.boxed());
        assert_eq!(rest.await.unwrap(), 2);
        assert_eq!(db.store.next_timer_at(&Timers::default()).await.unwrap(), None);
    }

    async fn a_timer_that_is_set_is_brought_forward_unless_its_work_is_being_done(db) {
        let ids = db.store.next_ids(4).await.unwrap();
        let timer = move |place: usize, due_ms, body| NewTimer {
            id: ids[place],
            due_at: NOON.plus_ms(due_ms),
            kind: "mail".into(),
            item: Some(ItemId(4)),
            body,
        };
        for (nth, (due_ms, body, expected)) in [
            (20, serde_json::json!({ "gone_at": null }), (0, 20)),
            (30, serde_json::Value::Null, (0, 20)),
            (10, serde_json::Value::Null, (0, 10)),
        ].into_iter().enumerate() {
            let set = timer(nth, due_ms, body);
            write(&db.store, move |tx| async move { tx.insert_or_hasten_timer(&set).await }.boxed()).await.unwrap();
            let all = db.store.due_timers(NOON.plus_ms(99), &Timers::default(), 10).await.unwrap();
            let found: Vec<_> = all.iter().map(|timer| (timer.id, timer.due_at)).collect();
            assert_eq!(found, [(timer(expected.0, 0, serde_json::Value::Null).id, NOON.plus_ms(expected.1))]);
        }
        let (claimed, hasty) = (timer(0, 50, serde_json::json!({ "gone_at": null, "attempts": 1 })), timer(3, 1, serde_json::Value::Null));
        write(&db.store, move |tx| async move {
            assert!(tx.delete_timer(claimed.id).await?);
            tx.insert_timer(&claimed).await?;
            tx.insert_or_hasten_timer(&hasty).await
        }.boxed()).await.unwrap();
        assert_eq!(db.store.next_timer_at(&Timers::default()).await.unwrap(), Some(NOON.plus_ms(50)));
    }

    async fn events_come_in_order_and_are_pruned(db) {
        for round in 0..3 {
            write(&db.store, move |tx| async move {
                let event = |at| NewEvent { version: Some(at), ..NewEvent::new(LiveEventKind::Item, NOON.plus_ms(at)) };
                tx.insert_events(&[event(round * 3), event(round * 3 + 1)]).await?;
                tx.insert_events(&[event(round * 3 + 2)]).await
            }.boxed()).await.unwrap();
        }
        let events = events(&db.store, 0, 9).await;
        assert_eq!(events.iter().map(|event| event.version.unwrap()).collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
        assert!(events.is_sorted_by(|one, next| one.id < next.id));
        assert_eq!(db.store.events_after(events[3].id, 2).await.unwrap(), events[4..6]);
        assert_eq!(db.store.last_event_id().await.unwrap(), events[8].id);
        let pruned = write(&db.store, |tx| async move { tx.prune_events(NOON.plus_ms(6)).await }.boxed()).await.unwrap();
        assert_eq!(pruned, 6);
        assert_eq!(db.store.first_event_id().await.unwrap(), events[6].id);
    }
}

#[tokio::test]
async fn no_event_turns_up_behind_a_reader_on_postgres() {
    let db = TestDb::postgres().await;
    let event = |version| NewEvent { version: Some(version), ..NewEvent::new(LiveEventKind::Item, NOON) };
    let slow = db.store.begin().await.unwrap();
    slow.insert_events(&[event(1)]).await.unwrap();
    write(&db.store, move |tx| async move { tx.insert_events(&[event(2)]).await }.boxed()).await.unwrap();
    assert!(db.store.events_after(0, 10).await.unwrap().is_empty(), "the older transaction still runs");
    assert_eq!(db.store.last_event_id().await.unwrap(), 0);
    slow.commit().await.unwrap();
    let served = events(&db.store, 0, 2).await;
    assert_eq!(served.iter().map(|event| event.version).collect::<Vec<_>>(), [Some(1), Some(2)]);
    db.finish().await;
}
