//! Opening databases, and refusing those that are not ours to open.

use crate::migration;
use crate::row::{execute, one, values};
use crate::tests::fixtures::{NOON, write};
use crate::tests::{TestDb, on_both, open, options};
use crate::{Store, StoreError, StoreErrorKind, Tx};
use futures::FutureExt;
use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use switchboard_model::Timestamp;

async fn refusal(url: &str) -> StoreError {
    Store::open(url, options()).await.err().expect("the database is refused")
}

async fn migrations(tx: &Tx) -> Result<u64, StoreError> {
    one(tx, "SELECT COUNT(*) AS n FROM seaql_migrations", values![]).await?.count("n")
}

on_both! {
    async fn a_database_keeps_its_secret_when_it_is_opened_again(db) {
        let secret = *db.store.secret();
        assert_ne!(secret, [0; 32]);
        db.store.close().await;
        let again = open(&db.url).await;
        assert_eq!(*again.secret(), secret);
        again.close().await;
    }

    async fn a_database_of_a_newer_program_is_refused_and_left_as_it_is(db) {
        write(&db.store, |tx| async move {
            execute(tx, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m99990101_000001_later', 0)", values![]).await
        }.boxed()).await.unwrap();
        db.store.close().await;
        let error = refusal(&db.url).await;
        assert_eq!(error.kind, StoreErrorKind::TooNew);
        assert!(error.message.contains("m99990101_000001_later"), "{error}");
        // Refused again, for the same reason: nothing was tidied away.
        assert_eq!(refusal(&db.url).await.kind, StoreErrorKind::TooNew);
    }

    async fn opening_twice_applies_no_migration_twice(db) {
        let before = write(&db.store, |tx| async move { migrations(tx).await }.boxed()).await.unwrap();
        let after = write(&db.store, |tx| async move {
            migration::run(tx).await?;
            migrations(tx).await
        }.boxed()).await.unwrap();
        assert_eq!(before, after);
    }

    async fn ids_ascend_and_never_repeat_over_reopening(db) {
        let mut drawn = db.store.next_ids(2_500).await.unwrap();
        drawn.push(db.store.next_id().await.unwrap());
        db.store.close().await;
        let again = open(&db.url).await;
        drawn.extend(again.next_ids(3).await.unwrap());
        assert!(drawn.is_sorted_by(|one, next| one < next), "{:?}", &drawn[2_495..]);
        again.close().await;
    }

    async fn callers_at_once_get_different_ids(db) {
        let draws = (0..40).map(|_| db.store.next_ids(70));
        let mut drawn: Vec<i64> = futures::future::try_join_all(draws).await.unwrap().concat();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 40 * 70);
    }

    async fn time_never_runs_behind_what_is_stored(db) {
        let far = Timestamp(9_000_000_000_000);
        write(&db.store, move |tx| async move { tx.advance_cursor(0, 0, 1, far, 0).await }.boxed()).await.unwrap();
        assert_eq!(db.store.now(NOON).await.unwrap(), far);
    }

    async fn the_store_answers_a_ping(db) {
        db.store.ping().await.unwrap();
        db.store.close().await;
        assert_eq!(db.store.ping().await.unwrap_err().kind, StoreErrorKind::Unreachable);
    }
}

#[tokio::test]
async fn the_database_clock_counts_on_postgres_and_the_given_time_on_sqlite() {
    let sqlite = TestDb::sqlite().await;
    assert_eq!(sqlite.store.now(Timestamp(5)).await.unwrap(), Timestamp(5));
    let postgres = TestDb::postgres().await;
    assert!(postgres.store.now(Timestamp(5)).await.unwrap() > Timestamp(1_700_000_000_000));
    sqlite.finish().await;
    postgres.finish().await;
}

#[tokio::test]
async fn a_second_host_is_refused_on_one_sqlite_file_until_the_first_closes() {
    let db = TestDb::sqlite().await;
    let error = refusal(&db.url).await;
    assert_eq!(error.kind, StoreErrorKind::Locked);
    assert!(!error.message.contains('\n'));
    db.store.close().await;
    open(&db.url).await.close().await;
}

#[tokio::test]
async fn a_missing_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("a/b/desk.db").display());
    open(&url).await.close().await;
    assert!(folder.path().join("a/b/desk.db").exists());
}

/// Permissions of whatever lies in a folder, by name.
fn modes(folder: &Path) -> BTreeMap<String, u32> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().permissions().mode() & 0o777))
        .collect()
}

#[tokio::test]
async fn only_our_account_reads_a_database_and_the_folder_made_for_it() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("data");
    let store = open(&format!("sqlite:{}", folder.join("desk.db").display())).await;
    assert_eq!(modes(outer.path()), BTreeMap::from([("data".to_owned(), 0o700)]));
    let expected = ["desk.db", "desk.db-shm", "desk.db-wal", "desk.db.lock"].map(|name| (name.to_owned(), 0o600));
    assert_eq!(modes(&folder), BTreeMap::from(expected));
    store.close().await;
}

#[tokio::test]
async fn a_database_that_others_could_read_is_closed_to_them_and_its_folder_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, url) = (folder.path().join("desk.db"), format!("sqlite:{}", folder.path().join("desk.db").display()));
    open(&url).await.close().await;
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let store = open(&url).await;
    assert!(modes(folder.path()).values().all(|mode| *mode == 0o600), "{:?}", modes(folder.path()));
    assert_eq!(std::fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o755);
    store.close().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "in the way").unwrap();
    let error = refusal(&format!("sqlite:{}", folder.path().join("file/desk.db").display())).await;
    assert_eq!(error.kind, StoreErrorKind::Unreachable);
    assert!(!error.message.contains('\n'), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    std::fs::write(&path, "this is a letter, not a database. ".repeat(200)).unwrap();
    assert_eq!(refusal(&format!("sqlite:{}", path.display())).await.kind, StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn the_database_of_another_program_is_refused() {
    use sea_orm::sqlx::{Connection, Executor, SqliteConnection};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let mut other = SqliteConnection::connect(&format!("sqlite:{}?mode=rwc", path.display())).await.unwrap();
    other.execute("CREATE TABLE bookmarks (id INTEGER)").await.unwrap();
    other.close().await.unwrap();
    assert_eq!(refusal(&format!("sqlite:{}", path.display())).await.kind, StoreErrorKind::Invalid);
}

#[tokio::test]
async fn addresses_that_make_no_sense_are_invalid_and_show_no_password() {
    for url in ["mysql://x", "sqlite:", "sqlite::memory:", "sqlite:a.db?mode=ro", "postgres://u:hunter2@host:port/x"] {
        let error = refusal(url).await;
        assert_eq!(error.kind, StoreErrorKind::Invalid, "{url}");
        assert!(!error.message.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let quick = crate::StoreOptions { busy_timeout_ms: 300, ..options() };
    let error = Store::open(&format!("postgres://sb@{free}/x"), quick).await.err().unwrap();
    assert_eq!(error.kind, StoreErrorKind::Unreachable);
}

#[tokio::test]
async fn a_full_disk_is_told_as_such_and_writing_goes_on_when_there_is_room() {
    let db = TestDb::sqlite().await;
    let fill = |pages: u32| {
        write(&db.store, move |tx| {
            async move {
                let count: i64 = one(tx, "PRAGMA page_count", values![]).await?.get("page_count")?;
                let limit = if pages == 0 { 1_000_000 } else { count + i64::from(pages) };
                one(tx, format!("PRAGMA max_page_count = {limit}"), values![]).await?;
                let sql = "INSERT INTO idempotency (scope, key, at, status, response) VALUES ('s', $1, 0, 0, $2)";
                execute(tx, sql, values![format!("key {pages}"), "x".repeat(200_000)]).await
            }
            .boxed()
        })
    };
    assert_eq!(fill(5).await.unwrap_err().kind, StoreErrorKind::Full);
    assert_eq!(fill(0).await.unwrap(), 1);
    db.finish().await;
}
