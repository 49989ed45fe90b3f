//! Transactions and the group writer.

use crate::row::{Db, execute, one, script, values};
use crate::tests::fixtures::{contact, id, new_conversation, write};
use crate::tests::{TestDb, on_both};
use crate::{NewConversation, Store, StoreError, StoreErrorKind, Tx, Writer, WriterOptions};
use futures::FutureExt;
use futures::future::BoxFuture;
use switchboard_model::{ChannelKind, ConversationId};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// A writer whose task runs beside the test.
fn writer(store: &Store, options: WriterOptions) -> (Writer, JoinSet<()>) {
    let (writer, task) = store.writer(options);
    let mut tasks = JoinSet::new();
    tasks.spawn(task);
    (writer, tasks)
}

/// Keeps a key, which must be new.
fn keep(tx: &Tx, key: String) -> BoxFuture<'_, Result<u64, StoreError>> {
    let sql = "INSERT INTO idempotency (scope, key, at, status, response) VALUES ('test', $1, 0, 0, '')";
    async move { execute(tx, sql, values![key]).await }.boxed()
}

async fn kept(store: &Store) -> Vec<String> {
    let found = crate::row::rows(store.reads(), "SELECT key FROM idempotency ORDER BY key", values![]).await.unwrap();
    found.iter().map(|row| row.get("key").unwrap()).collect()
}

/// Leaves room for so many more pages of an SQLite file.
pub(super) async fn limit_pages(store: &Store, more: i64) {
    let limit = write(store, move |tx| {
        async move {
            let count: i64 = one(tx, "PRAGMA page_count", values![]).await?.get("page_count")?;
            one(tx, format!("PRAGMA max_page_count = {}", count + more), values![]).await.map(|_| ())
        }
        .boxed()
    });
    limit.await.unwrap();
}

on_both! {
    async fn an_error_rolls_back_the_whole_transaction(db) {
        let failed = write(&db.store, |tx| async move {
            keep(tx, "a".into()).await?;
            Err::<(), _>(StoreError::new(StoreErrorKind::NotFound, "changed my mind"))
        }.boxed()).await;
        assert_eq!(failed.unwrap_err().kind, StoreErrorKind::NotFound);
        assert!(kept(&db.store).await.is_empty());
    }

    async fn a_taken_key_is_a_conflict(db) {
        write(&db.store, |tx| keep(tx, "a".into())).await.unwrap();
        let again = write(&db.store, |tx| keep(tx, "a".into())).await;
        assert_eq!(again.unwrap_err().kind, StoreErrorKind::Conflict);
    }

    async fn one_bad_member_of_a_group_fails_alone(db) {
        let (writer, _task) = writer(&db.store, WriterOptions::default());
        let jobs = (0..30).map(|number| {
            let key = format!("{:02}", number - number % 10 / 9);
            writer.run::<u64, StoreError, _>(move |tx| keep(tx, key))
        });
        let answers = futures::future::join_all(jobs).await;
        let failed: Vec<_> = (0..30).filter(|number| answers[*number].is_err()).collect();
        assert_eq!(failed, [9, 19, 29]);
        for number in failed {
            assert_eq!(answers[number].as_ref().unwrap_err().kind, StoreErrorKind::Conflict);
        }
        assert_eq!(kept(&db.store).await.len(), 27);
    }

    async fn what_a_member_wrote_before_it_failed_is_rolled_back(db) {
        let (writer, _task) = writer(&db.store, WriterOptions::default());
        let bad = writer.run(|tx: &Tx| async move {
            keep(tx, "bad".into()).await?;
            Err::<(), _>(StoreError::new(StoreErrorKind::NotFound, "no"))
        }.boxed());
        let good = writer.run::<u64, StoreError, _>(|tx| keep(tx, "good".into()));
        let (bad, good) = futures::join!(bad, good);
        assert!(bad.is_err() && good.is_ok());
        assert_eq!(kept(&db.store).await, ["good"]);
    }

    async fn a_last_write_that_fails_takes_its_own_member_down_and_no_other(db) {
        let (writer, _task) = writer(&db.store, WriterOptions::default());
        let kari = contact(&db.store, "kari@example.com", None).await;
        let first = id(&db.store).await;
        // Every third conversation takes the thread of the one before.
        let jobs = (0..9).map(|number| {
            let thread_key = Some(format!("thread {}", number - number % 3 / 2));
            let new = new_conversation(ConversationId(first + number), kari, ChannelKind::Chat);
            let new = NewConversation { thread_key, ..new };
            writer.run::<(), StoreError, _>(move |tx| async move {
                keep(tx, format!("{number}")).await?;
                tx.insert_conversation(&new).await
            }.boxed())
        });
        let answers = futures::future::join_all(jobs).await;
        let kinds: Vec<_> = answers.into_iter().map(|answer| answer.err().map(|error| error.kind)).collect();
        let taken = Some(StoreErrorKind::Conflict);
        assert_eq!(kinds, [None, None, taken, None, None, taken, None, None, taken]);
        assert_eq!(kept(&db.store).await, ["0", "1", "3", "4", "6", "7"]);
        let stored = crate::row::rows(db.store.reads(), "SELECT id FROM item ORDER BY id", values![]).await.unwrap();
        let stored: Vec<i64> = stored.iter().map(|row| row.get::<i64>("id").unwrap() - first).collect();
        assert_eq!(stored, [0, 1, 3, 4, 6, 7]);
    }

    async fn what_was_written_is_seen_by_the_next_read_and_gone_with_its_transaction(db) {
        let kari = contact(&db.store, "kari@example.com", None).await;
        let new = new_conversation(ConversationId(id(&db.store).await), kari, ChannelKind::Chat);
        let (item, again) = (new.id.into(), new.clone());
        let undone = write(&db.store, move |tx| async move {
            tx.insert_conversation(&new).await?;
            assert_eq!(tx.item_record(item, true).await?.unwrap().version, 1);
            Err::<(), _>(StoreError::new(StoreErrorKind::NotFound, "changed my mind"))
        }.boxed()).await;
        assert_eq!(undone.unwrap_err().kind, StoreErrorKind::NotFound);
        assert_eq!(db.store.item_record(item).await.unwrap(), None);
        let twice = write(&db.store, move |tx| async move {
            tx.insert_conversation(&again).await?;
            tx.insert_conversation(&again).await
        }.boxed()).await;
        assert_eq!(twice.unwrap_err().kind, StoreErrorKind::Conflict);
        assert_eq!(db.store.item_record(item).await.unwrap(), None);
    }

    async fn a_panic_is_contained_in_its_member(db) {
        let (writer, _task) = writer(&db.store, WriterOptions::default());
        let panicking = writer.run(|tx: &Tx| async move {
            keep(tx, "lost".into()).await?;
            let nothing = tx.person(switchboard_model::UserId(1)).await?;
            nothing.expect("this test panics here");
            Ok::<(), StoreError>(())
        }.boxed());
        let good = writer.run::<u64, StoreError, _>(|tx| keep(tx, "good".into()));
        let (panicked, good) = futures::join!(panicking, good);
        assert_eq!(panicked.unwrap_err().kind, StoreErrorKind::Internal);
        good.unwrap();
        assert_eq!(kept(&db.store).await, ["good"]);
        writer.run::<u64, StoreError, _>(|tx| keep(tx, "later".into())).await.unwrap();
    }

    async fn a_cancelled_caller_does_not_cancel_its_job(db) {
        let (writer, _task) = writer(&db.store, WriterOptions::default());
        let (started, starts) = oneshot::channel();
        let (go_on, gone_on) = oneshot::channel::<()>();
        let mut caller = Box::pin(writer.run::<u64, StoreError, _>(move |tx: &Tx| async move {
            started.send(()).unwrap();
            gone_on.await.unwrap();
            keep(tx, "kept".into()).await
        }.boxed()));
        tokio::select! {
            _ = &mut caller => panic!("the job cannot be done yet"),
            started = starts => started.unwrap(),
        }
        drop(caller);
        go_on.send(()).unwrap();
        writer.run::<u64, StoreError, _>(|tx| keep(tx, "next".into())).await.unwrap();
        assert_eq!(kept(&db.store).await, ["kept", "next"]);
    }

    async fn a_full_queue_is_busy(db) {
        // The task is never run, so the queue never empties.
        let (writer, _task) = db.store.writer(WriterOptions { queue: 2, batch: 8 });
        let jobs: Vec<_> = (0..3).map(|number| writer.run::<u64, StoreError, _>(move |tx| keep(tx, number.to_string()))).collect();
        let mut answers: Vec<_> = jobs.into_iter().map(Box::pin).collect();
        assert!(futures::poll!(&mut answers[0]).is_pending());
        assert!(futures::poll!(&mut answers[1]).is_pending());
        assert_eq!(writer.depth(), 2);
        assert_eq!(answers.remove(2).await.unwrap_err().kind, StoreErrorKind::Busy);
    }

    async fn a_commit_that_fails_is_unknown_to_every_member(db) {
        let (writer, _task) = writer(&db.store, WriterOptions::default());
        let doomed = writer.run::<(), StoreError, _>(|tx: &Tx| async move {
            if tx.is_shared() {
                script(tx, "CREATE TABLE part (id BIGINT PRIMARY KEY); CREATE TABLE whole (part BIGINT REFERENCES part (id) \
                    DEFERRABLE INITIALLY DEFERRED); INSERT INTO whole VALUES (7)").await
            } else {
                script(tx, "PRAGMA defer_foreign_keys = ON; INSERT INTO history (item_id, at, actor, change) \
                    VALUES (7, 0, '', '')").await
            }
        }.boxed());
        let innocent = writer.run::<u64, StoreError, _>(|tx| keep(tx, "innocent".into()));
        let (doomed, innocent) = futures::join!(doomed, innocent);
        assert_eq!(doomed.unwrap_err().kind, StoreErrorKind::Unknown);
        assert_eq!(innocent.unwrap_err().kind, StoreErrorKind::Unknown);
        assert!(kept(&db.store).await.is_empty());
        writer.run::<u64, StoreError, _>(|tx| keep(tx, "later".into())).await.unwrap();
    }

    async fn the_task_ends_with_the_last_writer_after_doing_what_waits(db) {
        let (writer, task) = db.store.writer(WriterOptions::default());
        let mut job = Box::pin(writer.run::<u64, StoreError, _>(|tx| keep(tx, "last".into())));
        assert!(futures::poll!(&mut job).is_pending());
        drop(job);
        drop(writer);
        task.await;
        assert_eq!(kept(&db.store).await, ["last"]);
    }

    async fn many_writers_at_once_lose_nothing(db) {
        let (writer, _task) = writer(&db.store, WriterOptions { queue: 1_000, batch: 16 });
        let grouped = (0..60).map(|number| writer.run::<u64, StoreError, _>(move |tx| keep(tx, format!("g{number}"))));
        let single = (0..20).map(|number| write(&db.store, move |tx| keep(tx, format!("s{number}"))));
        let (grouped, single) =
            futures::join!(futures::future::join_all(grouped), futures::future::join_all(single));
        assert!(grouped.into_iter().chain(single).all(|done| done.is_ok()));
        assert_eq!(kept(&db.store).await.len(), 80);
    }

    async fn a_cancelled_write_leaves_nothing_and_the_pool_whole(db) {
        for number in 0..30 {
            let (never, waiting) = oneshot::channel::<()>();
            let (reached, reaches) = oneshot::channel();
            let mut caller = Box::pin(write(&db.store, move |tx| async move {
                keep(tx, format!("{number}")).await?;
                reached.send(()).unwrap();
                waiting.await.ok();
                Ok(())
            }.boxed()));
            tokio::select! {
                _ = &mut caller => panic!("the write cannot be done yet"),
                reached = reaches => reached.unwrap(),
            }
            drop(caller);
            drop(never);
        }
        assert!(kept(&db.store).await.is_empty());
        write(&db.store, |tx| keep(tx, "after".into())).await.unwrap();
    }
}

#[tokio::test]
async fn a_swallowed_failure_is_no_silent_rollback_on_postgres() {
    let db = TestDb::postgres().await;
    write(&db.store, |tx| keep(tx, "a".into())).await.unwrap();
    let swallowed = write(&db.store, |tx| {
        async move {
            keep(tx, "b".into()).await?;
            drop(keep(tx, "a".into()).await);
            Ok(())
        }
        .boxed()
    });
    assert_eq!(swallowed.await.unwrap_err().kind, StoreErrorKind::Internal);
    assert_eq!(kept(&db.store).await, ["a"]);
    db.finish().await;
}

#[tokio::test]
async fn sqlite_writes_are_durable_and_guarded_by_foreign_keys() {
    let db = TestDb::sqlite().await;
    let settings = write(&db.store, |tx| {
        async move {
            let mode: String = one(tx, "PRAGMA journal_mode", values![]).await?.get("journal_mode")?;
            let synchronous: i64 = one(tx, "PRAGMA synchronous", values![]).await?.get("synchronous")?;
            let keys: i64 = one(tx, "PRAGMA foreign_keys", values![]).await?.get("foreign_keys")?;
            Ok((mode, synchronous, keys))
        }
        .boxed()
    });
    assert_eq!(settings.await.unwrap(), ("wal".into(), 2, 1));
    db.finish().await;
}

#[tokio::test]
async fn a_disk_that_fills_up_in_a_group_loses_no_answered_write() {
    let db = TestDb::sqlite().await;
    let (writer, _task) = writer(&db.store, WriterOptions::default());
    limit_pages(&db.store, 30).await;
    let jobs = (0..40_i64).map(|number| {
        writer.run::<u64, StoreError, _>(move |tx: &Tx| {
            let sql = "INSERT INTO idempotency (scope, key, at, status, response) VALUES ('test', $1, 0, 0, $2)";
            async move { execute(tx, sql, values![format!("{number:02}"), "x".repeat(9_000)]).await }.boxed()
        })
    });
    let answers = futures::future::join_all(jobs).await;
    let well: Vec<_> = (0..40).filter(|number| answers[*number].is_ok()).map(|number| format!("{number:02}")).collect();
    assert!(
        answers.iter().filter_map(|answer| answer.as_ref().err()).all(|error| error.kind == StoreErrorKind::Full),
        "{answers:?}"
    );
    assert!(well.len() < 40);
    assert_eq!(kept(&db.store).await, well);
    limit_pages(&db.store, 10_000).await;
    writer.run::<u64, StoreError, _>(|tx| keep(tx, "later".into())).await.unwrap();
    assert_eq!(kept(&db.store).await.len(), well.len() + 1);
    db.finish().await;
}

#[tokio::test]
async fn a_transaction_that_sqlite_ended_by_itself_leaves_nothing_open_behind() {
    let db = TestDb::sqlite().await;
    for number in 0..3 {
        let ended = write(&db.store, move |tx| {
            async move {
                keep(tx, format!("lost {number}")).await?;
                script(tx, "ROLLBACK").await?;
                Err::<(), _>(StoreError::new(StoreErrorKind::Full, "as SQLite does when the disk is full"))
            }
            .boxed()
        });
        assert_eq!(ended.await.unwrap_err().kind, StoreErrorKind::Full);
        write(&db.store, move |tx| keep(tx, format!("kept {number}"))).await.unwrap();
    }
    assert_eq!(kept(&db.store).await, ["kept 0", "kept 1", "kept 2"]);
    db.finish().await;
}
