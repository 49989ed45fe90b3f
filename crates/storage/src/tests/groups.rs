//! Members of a group commit whose writes wait for those of others, and many changes at once.

use crate::held::blanks;
use crate::row::{Db, ROUND_TRIPS, execute, rows, script, values};
use crate::tests::fixtures::{
    CHANNEL, NOON, WORKSPACE, assign, contact, conversation, events, id, message, new_conversation, owner, people, user, write,
};
use crate::tests::guards::{change, recounted, stored_counts};
use crate::tests::on_both;
use crate::tests::writing::limit_pages;
use crate::{
    Changed, Guard, InboundKeyHit, ItemUpdate, NewContact, NewConversation, NewEvent, NewInput, NewMessage, NewTicket, Question,
    Store, StoreError, StoreErrorKind, Tx, Writer, WriterOptions,
};
use futures::FutureExt;
use futures::future::join_all;
use sea_orm::{Statement, StreamTrait};
use switchboard_model::{
    Actor, ChannelKind, ContactId, ConversationId, Identity, Input, ItemId, ItemStatus, LiveEventKind, MessageId, Nature,
    Priority, RefusalReason, TicketId, TicketType, UserId,
};
use tokio::task::JoinSet;

fn writer(store: &Store) -> (Writer, JoinSet<()>) {
    let (writer, task) = store.writer(WriterOptions::default());
    let mut tasks = JoinSet::new();
    tasks.spawn(task);
    (writer, tasks)
}

/// A mail on its way in, under ids from `first` on.
#[derive(Clone)]
struct Mail {
    first: i64,
    from: Identity,
    external_id: String,
    thread_key: Option<String>,
    text: String,
}

impl Mail {
    fn new(first: i64, from: &str, external_id: &str) -> Self {
        Self { first, from: Identity::email(from), external_id: external_id.into(), thread_key: None, text: "Hello".into() }
    }

    fn questions(&self) -> Vec<Question> {
        let key = Question::InboundKey { channel: CHANNEL, external_id: self.external_id.clone() };
        vec![key, Question::Identity(self.from.clone())]
    }

    /// What taking it in does to the database; the answer says what was there before.
    async fn take_in(self, tx: &Tx) -> Result<Option<InboundKeyHit>, StoreError> {
        if let Some(hit) = tx.find_inbound_key(CHANNEL, &self.external_id).await? {
            return Ok(Some(hit));
        }
        let (conversation, message_id) = (ConversationId(self.first), self.first + 1);
        let new = NewContact {
            id: ContactId(self.first + 2),
            identities: vec![self.from.clone()],
            name: Some("Kari".into()),
            at: NOON,
        };
        let (contact, _) = tx.find_or_create_contact(&new).await?;
        let new = new_conversation(conversation, contact.id, ChannelKind::Email);
        let new = NewConversation { thread_key: self.thread_key.clone(), identity: self.from.clone(), ..new };
        let text = message(message_id, conversation, &self.text, NOON);
        let text = NewMessage { external_id: Some(self.external_id.clone()), own_reference: Some(self.external_id), ..text };
        let (item, _) = tx.begin_conversation(&new, None, &text).await?;
        let input = NewInput { at: NOON, item: Some(item.id), input: Input::Tick, consumed: None };
        tx.append_inputs(&[input]).await?;
        let event = NewEvent { workspace: Some(WORKSPACE), item: Some(item.id), ..NewEvent::new(LiveEventKind::Item, NOON) };
        tx.insert_events(&[event, NewEvent { kind: LiveEventKind::Message, ..event }]).await?;
        Ok(None)
    }

    async fn send(self, writer: &Writer) -> Result<Option<InboundKeyHit>, StoreError> {
        writer.run_asking(self.questions(), move |tx| self.take_in(tx).boxed()).await
    }
}

/// Room for the ids of so many mails.
async fn ids(store: &Store, mails: usize) -> Vec<i64> {
    store.next_ids(10 * mails).await.unwrap().into_iter().step_by(10).collect()
}

async fn count(store: &Store, table: &str) -> i64 {
    let found = rows(store.reads(), format!("SELECT COUNT(*) AS n FROM {table}"), values![]).await.unwrap();
    found[0].get("n").unwrap()
}

async fn stored(store: &Store, table: &str) -> Vec<i64> {
    let found = rows(store.reads(), format!("SELECT id FROM {table} ORDER BY id"), values![]).await.unwrap();
    found.iter().map(|row| row.get("id").unwrap()).collect()
}

/// Changes that are made at once, with what came of each.
async fn change_all(store: &Store, updates: &[ItemUpdate]) -> Vec<Result<Changed, Guard>> {
    let updates = updates.to_vec();
    write(store, move |tx| async move { tx.change_items(&updates).await }.boxed()).await.unwrap()
}

on_both! {
    async fn mails_of_one_group_are_stored_whole_and_in_their_order(db) {
        let (writer, _task) = writer(&db.store);
        let ids = ids(&db.store, 70).await;
        let mails = ids.iter().map(|first| Mail::new(*first, &format!("{first}@example.com"), &format!("<{first}>")));
        let answers = join_all(mails.map(|mail| mail.send(&writer))).await;
        assert!(answers.into_iter().all(|answer| answer == Ok(None)));
        assert_eq!(stored(&db.store, "item").await, ids);
        for (table, rows) in [("contact", 70), ("identity", 70), ("history", 70), ("message", 70), ("inbound_key", 70),
            ("message_reference", 70), ("search_entry", 140)] {
            assert_eq!(count(&db.store, table).await, rows, "{table}");
        }
        let inputs = db.store.next_inputs(100).await.unwrap();
        assert_eq!(inputs.iter().map(|input| input.item.unwrap().0).collect::<Vec<_>>(), ids);
        let told = events(&db.store, 0, 140).await;
        assert_eq!(told.iter().map(|event| event.item.unwrap().0).step_by(2).collect::<Vec<_>>(), ids);
    }

    async fn a_member_whose_waiting_rows_are_refused_fails_alone(db) {
        let (writer, _task) = writer(&db.store);
        let ids = ids(&db.store, 9).await;
        // Every third mail takes the thread of the one before, which only the database knows.
        let mails = ids.iter().zip(0..).map(|(first, number)| {
            let thread_key = Some(format!("thread {}", number - number % 3 / 2));
            Mail { thread_key, ..Mail::new(*first, &format!("{number}@example.com"), &format!("<{number}>")) }
        });
        let answers = join_all(mails.map(|mail| mail.send(&writer))).await;
        let kinds: Vec<_> = answers.into_iter().map(|answer| answer.err().map(|error| error.kind)).collect();
        let taken = Some(StoreErrorKind::Conflict);
        assert_eq!(kinds, [None, None, taken, None, None, taken, None, None, taken]);
        let well: Vec<i64> = ids.iter().zip(0..).filter(|(_, number)| number % 3 != 2).map(|(first, _)| *first).collect();
        assert_eq!(stored(&db.store, "item").await, well);
        for table in ["contact", "identity", "message", "inbound_key", "message_reference", "routing_input"] {
            assert_eq!(count(&db.store, table).await, 6, "{table}");
        }
    }

    async fn r12_1_whoever_comes_as_a_mail_that_failed_is_stored(db) {
        let (writer, _task) = writer(&db.store);
        let taken = |mail| Mail { thread_key: Some("taken".into()), ..mail };
        taken(Mail::new(id(&db.store).await, "ola@example.com", "<first>")).send(&writer).await.unwrap();
        // The same mail again, another one of its sender, and both.
        for (round, (from, external_id)) in [("b", "a"), ("a", "b"), ("a", "a")].into_iter().enumerate() {
            let ids = ids(&db.store, 2).await;
            let mail = |first, from, external_id| Mail::new(first, &format!("{from}{round}@example.com"), &format!("<{external_id}{round}>"));
            let failing = taken(mail(ids[0], "a", "a")).send(&writer);
            let (failed, second) = futures::join!(failing, mail(ids[1], from, external_id).send(&writer));
            assert_eq!(failed.unwrap_err().kind, StoreErrorKind::Conflict);
            assert_eq!(second, Ok(None));
            let item = db.store.item_record(ItemId(ids[1])).await.unwrap().unwrap();
            assert_eq!(item.contact, Some(ContactId(ids[1] + 2)));
            let hit = db.store.find_inbound_key(CHANNEL, &format!("<{external_id}{round}>")).await.unwrap();
            assert_eq!(hit.unwrap().message, MessageId(ids[1] + 1));
        }
        for table in ["contact", "identity", "item", "message", "routing_input"] {
            assert_eq!(count(&db.store, table).await, 4, "{table}");
        }
    }

    async fn r12_1_a_mail_that_comes_twice_in_one_group_is_stored_once(db) {
        let (writer, _task) = writer(&db.store);
        let ids = ids(&db.store, 8).await;
        // Two and two are the same mail, and all of one person.
        let mails = ids.iter().zip(0..).map(|(first, number)| Mail::new(*first, "kari@example.com", &format!("<{}>", number / 2)));
        let answers: Vec<_> = join_all(mails.map(|mail| mail.send(&writer))).await.into_iter().map(Result::unwrap).collect();
        for pair in 0..4 {
            let first = ids[2 * pair];
            let hit = InboundKeyHit { conversation: ConversationId(first), message: MessageId(first + 1) };
            assert_eq!(answers[2 * pair..2 * pair + 2], [None, Some(hit)]);
        }
        assert_eq!((count(&db.store, "contact").await, count(&db.store, "item").await), (1, 4));
        let again = Mail::new(id(&db.store).await, "kari@example.com", "<3>").send(&writer).await.unwrap();
        assert_eq!(again.unwrap().conversation, ConversationId(ids[6]));
    }

    async fn whoever_reads_sees_what_members_before_have_left_and_takes_nothing_of_it_down(db) {
        let (writer, _task) = writer(&db.store);
        let ids = ids(&db.store, 2).await;
        let (first, last) = (ids[0], ids[1]);
        let before = Mail::new(first, "kari@example.com", "<before>").send(&writer);
        let reading = writer.run::<(), StoreError, _>(move |tx| {
            async move {
                assert_eq!(tx.item_record(ItemId(first), true).await?.unwrap().preview, "Hello");
                tx.set_contact_owner(ContactId(first + 2), Some(UserId(1))).await?;
                Err(StoreError::new(StoreErrorKind::NotFound, "changed my mind"))
            }
            .boxed()
        });
        let panicking = writer.run::<(), StoreError, _>(|tx| {
            async move {
                let event = NewEvent::new(LiveEventKind::Notice, NOON);
                tx.insert_events(&[event]).await?;
                panic!("this test panics here")
            }
            .boxed()
        });
        let after = Mail::new(last, "kari@example.com", "<after>").send(&writer);
        let (before, reading, panicked, after) = futures::join!(before, reading, panicking, after);
        assert_eq!((before, after), (Ok(None), Ok(None)));
        assert_eq!(reading.unwrap_err().kind, StoreErrorKind::NotFound);
        assert_eq!(panicked.unwrap_err().kind, StoreErrorKind::Internal);
        assert_eq!(stored(&db.store, "item").await, ids);
        assert_eq!(db.store.contact(ContactId(first + 2)).await.unwrap().unwrap().owner, None);
        assert_eq!(events(&db.store, 0, 4).await.len(), 4);
    }

    async fn a_contact_that_changes_within_a_group_is_read_again(db) {
        let (writer, _task) = writer(&db.store);
        let kari = contact(&db.store, "kari@example.com", None).await;
        let naming = writer.run_asking::<_, StoreError, _>(vec![Question::Identity(Identity::email("kari@example.com"))], move |tx| {
            async move {
                let new = NewContact {
                    id: ContactId(1),
                    identities: vec![Identity::email("kari@example.com")],
                    name: Some("Kari".into()),
                    at: NOON,
                };
                tx.find_or_create_contact(&new).await
            }
            .boxed()
        });
        let owning = writer.run::<_, StoreError, _>(move |tx| tx.set_contact_owner(kari, Some(UserId(7))).boxed());
        let looking = writer.run::<_, StoreError, _>(|tx| async move { tx.contact_of(&Identity::email("kari@example.com")).await }.boxed());
        let (named, owned, found) = futures::join!(naming, owning, looking);
        owned.unwrap();
        let (named, found) = (named.unwrap().0, found.unwrap().unwrap());
        assert_eq!((named.id, named.name.as_deref()), (kari, Some("Kari")));
        assert_eq!((found.id, found.name.as_deref(), found.owner), (kari, Some("Kari"), Some(UserId(7))));
    }

    async fn what_begins_is_answered_as_it_is_stored(db) {
        let contact = contact(&db.store, "kari@example.com", None).await;
        for (nature, shown) in [(Nature::Message, "Hello there"), (Nature::AutoReply, "Hello there")] {
            let first = id(&db.store).await;
            let (conversation, ticket) = (ConversationId(first), TicketId(id(&db.store).await));
            let new = new_conversation(conversation, contact, ChannelKind::Email);
            let identity = Identity::email("ka\0ri@example.com");
            let subject = Some(String::from("no\0thing"));
            let new = NewConversation { ticket: Some(ticket), routed: false, subject, identity: identity.clone(), ..new };
            let second = NewTicket {
                id: ticket,
                workspace: WORKSPACE,
                channel: Some(CHANNEL),
                contact: Some(contact),
                identity: Some(identity),
                conversation: Some(conversation),
                ticket_type: TicketType::EmailOther,
                subject: Some("no\0thing".into()),
                priority: Priority::High,
                at: NOON,
                actor: Actor::System,
            };
            let text = message(id(&db.store).await, conversation, "Hello\0\nthere", NOON.plus_ms(5));
            let text = NewMessage { nature, ..text };
            let begun = write(&db.store, move |tx| {
                async move { tx.begin_conversation(&new, Some(&second), &text).await }.boxed()
            });
            let (conversation, ticket) = begun.await.unwrap();
            let ticket = ticket.unwrap();
            assert_eq!(ticket.preview, shown);
            assert_eq!(ticket.waiting_since.is_some(), nature == Nature::Message);
            assert_eq!(db.store.item_record(conversation.id).await.unwrap().unwrap(), conversation);
            assert_eq!(db.store.item_record(ticket.id).await.unwrap().unwrap(), ticket);
        }
    }

    async fn many_changes_at_once_come_out_as_one_by_one(db) {
        people(&db.store, vec![user(1, Some(2), &[]), user(2, Some(9), &[]), user(3, Some(1), &[]), user(4, None, &[])]).await;
        let mut items = Vec::new();
        for _ in 0..12 {
            items.push(ItemId::from(conversation(&db.store, ChannelKind::Email).await));
        }
        change(&db.store, assign(items[11], 3)).await.unwrap();
        let give = |item: usize, user: i64| ItemUpdate { capacity_guard: true, expected_version: Some(1), ..assign(items[item], user) };
        let updates = [
            give(0, 1),
            give(1, 2),
            give(2, 1),
            // Full by now.
            give(3, 1),
            // Another version than the item's.
            ItemUpdate { expected_version: Some(5), ..give(4, 2) },
            // Another version of the status than the person's.
            ItemUpdate { availability: Some((UserId(2), 9)), ..give(5, 2) },
            // Makes room for the one behind it.
            ItemUpdate { status: Some(ItemStatus::Closed), ..ItemUpdate::new(items[11], Actor::System, NOON) },
            give(6, 3),
            // One item twice: the second comes too late.
            give(7, 4),
            give(7, 2),
            give(8, 4),
            ItemUpdate { owner: Some(None), queued_since: Some(Some(NOON)), ..ItemUpdate::new(items[9], Actor::System, NOON) },
            give(10, 2),
        ];
        // What came before: the directory, the item and the person.
        let position = events(&db.store, 0, 3).await.last().unwrap().id;
        let done = change_all(&db.store, &updates).await;
        let refused: Vec<_> = done.iter().map(|done| done.as_ref().err().map(Guard::reason)).collect();
        let (full, version, status) =
            (Some(RefusalReason::AtCapacity), Some(RefusalReason::ItemChanged), Some(RefusalReason::StatusChanged));
        assert_eq!(refused, [None, None, None, full, version, status, None, None, None, version, None, None, None]);
        for changed in done.into_iter().flatten() {
            assert_eq!(db.store.item_record(changed.after.id).await.unwrap().unwrap(), changed.after);
        }
        assert_eq!(db.store.item_record(items[7]).await.unwrap().unwrap().owner, owner(4));
        assert_eq!(recounted(&db.store).await, stored_counts(&db.store).await);
        let told = events(&db.store, position, 17).await;
        let told: Vec<_> = told.iter().filter(|event| event.kind == LiveEventKind::Item).map(|event| event.item.unwrap()).collect();
        assert_eq!(told, [0, 1, 2, 11, 6, 7, 8, 9, 10].map(|place| items[place]));
    }
}

#[tokio::test]
async fn what_waits_takes_no_value_of_a_statement_without_numbers() {
    let db = crate::tests::TestDb::sqlite().await;
    let kari = contact(&db.store, "kari@example.com", None).await;
    let new = new_conversation(ConversationId(id(&db.store).await), kari, ChannelKind::Email);
    let item = new.id.into();
    let read = write(&db.store, move |tx| {
        async move {
            tx.insert_conversation(&new).await?;
            let sql = format!("SELECT column1 AS n FROM (VALUES {}) WHERE column1 IS NOT NULL", blanks(2, 1));
            rows(tx, sql, values![7_i64, 9_i64]).await?.iter().map(|row| row.get::<i64>("n")).collect::<Result<Vec<_>, _>>()
        }
        .boxed()
    });
    assert_eq!(read.await.unwrap(), [7, 9]);
    assert_eq!(db.store.item_record(item).await.unwrap().unwrap().contact, Some(kari));
    db.finish().await;
}

/// A column that cannot be decoded fails whoever asks for it, and nobody else of the group.
#[tokio::test]
async fn what_cannot_be_read_ahead_fails_whoever_asks_for_it() {
    let db = crate::tests::TestDb::sqlite().await;
    let (writer, _task) = writer(&db.store);
    contact(&db.store, "broken@example.com", None).await;
    contact(&db.store, "ola@example.com", None).await;
    let broken = "UPDATE contact SET created_at = 'noon' WHERE id = (SELECT contact_id FROM identity \
        WHERE value = 'broken@example.com')";
    write(&db.store, move |tx| async move { execute(tx, broken, values![]).await }.boxed()).await.unwrap();
    let ids = ids(&db.store, 3).await;
    let mails = ids.iter().zip(["ola@example.com", "broken@example.com", "new@example.com"]);
    let mails = mails.map(|(first, from)| Mail::new(*first, from, &format!("<{first}>")));
    let answers = join_all(mails.map(|mail| mail.send(&writer))).await;
    let kinds: Vec<_> = answers.into_iter().map(|answer| answer.err().map(|error| error.kind)).collect();
    assert_eq!(kinds, [None, Some(StoreErrorKind::Corrupt), None]);
    assert_eq!(stored(&db.store, "item").await, [ids[0], ids[2]]);
    db.finish().await;
}

#[tokio::test]
async fn a_reading_ahead_that_fails_takes_nobody_down() {
    let db = crate::tests::TestDb::sqlite().await;
    let tx = db.store.begin().await.unwrap();
    tx.begin_group().await.unwrap();
    script(&tx, "ALTER TABLE identity RENAME TO away; RELEASE SAVEPOINT member; SAVEPOINT member").await.unwrap();
    tx.foresee(&Mail::new(1, "kari@example.com", "<kari>").questions()).await.unwrap();
    assert_eq!(tx.find_inbound_key(CHANNEL, "<kari>").await.unwrap(), None);
    // Without the savepoint nobody can tell what became of the transaction.
    script(&tx, "RELEASE SAVEPOINT member").await.unwrap();
    assert!(tx.foresee(&Mail::new(1, "kari@example.com", "<kari>").questions()).await.is_err());
    tx.roll_back().await;
    db.finish().await;
}

#[tokio::test]
async fn a_disk_that_fills_up_under_waiting_writes_loses_no_answered_mail() {
    let db = crate::tests::TestDb::sqlite().await;
    let (writer, _task) = writer(&db.store);
    let last = ids(&db.store, 1).await;
    // A few that fit, many that do not fit together, and one that fits nowhere.
    for (pages, mails, length) in [(200, 10, 9_000), (60, 40, 9_000), (30, 1, 150_000)] {
        limit_pages(&db.store, pages).await;
        let before = stored(&db.store, "item").await;
        let ids = ids(&db.store, mails).await;
        let mails = ids.iter().map(|first| Mail {
            text: "x".repeat(length),
            ..Mail::new(*first, &format!("{first}@example.com"), &format!("<{first}>"))
        });
        let answers = join_all(mails.map(|mail| mail.send(&writer))).await;
        let full = answers.iter().filter_map(|answer| answer.as_ref().err());
        assert!(full.clone().all(|error| error.kind == StoreErrorKind::Full), "{answers:?}");
        assert_eq!(full.count() > 0, pages < 200);
        let well = ids.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(first, _)| *first);
        let kept: Vec<i64> = before.into_iter().chain(well).collect();
        assert_eq!(stored(&db.store, "item").await, kept);
        for table in ["contact", "message", "inbound_key", "routing_input"] {
            assert_eq!(usize::try_from(count(&db.store, table).await), Ok(kept.len()), "{table}");
        }
    }
    limit_pages(&db.store, 10_000).await;
    let later = Mail::new(last[0], "later@example.com", "<later>").send(&writer).await;
    assert_eq!(later, Ok(None));
    db.finish().await;
}

/// Writes that were on their way when the statement behind them was given up may be there or not.
#[tokio::test]
async fn whoever_breaks_off_the_writes_of_others_takes_their_answers_back() {
    let db = crate::tests::TestDb::sqlite().await;
    let (writer, _task) = writer(&db.store);
    for does_panic in [false, true] {
        let ids = ids(&db.store, 2).await;
        let before = Mail::new(ids[0], "kari@example.com", "<before>").send(&writer);
        let breaking = writer.run::<(), StoreError, _>(move |tx| {
            async move {
                // As long as the connection is in use, what has been settled is on its way to it.
                let in_use = tx.conn().stream_raw(Statement::from_string(tx.backend(), "SELECT 1")).await;
                let mut reading = Box::pin(tx.item_record(ItemId(1), true));
                assert!(futures::poll!(&mut reading).is_pending());
                drop((reading, in_use));
                assert!(!does_panic, "this test panics here");
                Ok(())
            }
            .boxed()
        });
        let after = Mail::new(ids[1], "kari@example.com", "<after>").send(&writer);
        let (before, broken, after) = futures::join!(before, breaking, after);
        assert!(before.is_err() && broken.is_err() && after.is_err(), "{before:?} {broken:?} {after:?}");
        assert!(stored(&db.store, "item").await.is_empty());
    }
    let later = Mail::new(id(&db.store).await, "kari@example.com", "<later>").send(&writer).await;
    assert_eq!(later, Ok(None));
    db.finish().await;
}

/// The most questions and writes of 50 mails from strangers, which is what a mail costs most for on SQLite.
#[tokio::test]
async fn mails_of_strangers_take_less_than_one_round_trip_each() {
    let db = crate::tests::TestDb::sqlite().await;
    let (writer, _task) = writer(&db.store);
    let ids = ids(&db.store, 50).await;
    let mails = ids.iter().map(|first| Mail::new(*first, &format!("{first}@example.com"), &format!("<{first}>")));
    let before = ROUND_TRIPS.get();
    let answers = join_all(mails.map(|mail| mail.send(&writer))).await;
    assert!(answers.iter().all(Result::is_ok));
    let taken = ROUND_TRIPS.get() - before;
    assert!(taken <= 20, "{taken} round trips for 50 mails");
    db.finish().await;
}

#[tokio::test]
async fn decisions_take_less_than_one_round_trip_each() {
    let db = crate::tests::TestDb::sqlite().await;
    people(&db.store, (1..=20).map(|id| user(id, Some(100), &[])).collect()).await;
    let mut updates = Vec::new();
    for number in 0..50 {
        let item = conversation(&db.store, ChannelKind::Email).await;
        updates.push(ItemUpdate { capacity_guard: true, expected_version: Some(1), ..assign(item, 1 + number % 20) });
    }
    let before = ROUND_TRIPS.get();
    assert!(change_all(&db.store, &updates).await.iter().all(Result::is_ok));
    let taken = ROUND_TRIPS.get() - before;
    assert!(taken <= 8, "{taken} round trips for 50 decisions");
    db.finish().await;
}
