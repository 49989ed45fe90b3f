//! One suite for both databases: every test of it runs on a fresh SQLite file and on a fresh PostgreSQL database.

mod accounts;
mod decided;
mod fixtures;
mod groups;
mod guards;
mod intake;
mod lists;
mod merging;
mod moving;
mod opening;
mod outbox;
mod postgres;
mod presence;
mod recall;
mod refusals;
mod routing;
mod threads;
mod writing;

use crate::{Store, StoreOptions};
use tempfile::TempDir;

/// A database of a test's own.
pub(super) struct TestDb {
    pub(super) store: Store,
    pub(super) url: String,
    _folder: Option<TempDir>,
}

impl TestDb {
    pub(super) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self { store: open(&url).await, url, _folder: Some(folder) }
    }

    pub(super) async fn postgres() -> Self {
        let url = postgres::fresh_database().await;
        Self { store: open(&url).await, url, _folder: None }
    }

    pub(super) async fn finish(self) {
        self.store.close().await;
        postgres::drop_database(&self.url).await;
    }
}

pub(super) async fn open(url: &str) -> Store {
    Store::open(url, options()).await.unwrap()
}

pub(super) fn options() -> StoreOptions {
    // Nothing is given up because the machine does much else.
    StoreOptions { readers: 3, writers: 4, busy_timeout_ms: 60_000, ..StoreOptions::default() }
}

/// Runs a test on both databases.
macro_rules! on_both {
    ($(async fn $name:ident($db:ident) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "not every test needs everything")]
            use super::*;
            use $crate::tests::TestDb;

            async fn test($db: &TestDb) $body

            #[tokio::test]
            async fn on_sqlite() {
                let db = TestDb::sqlite().await;
                test(&db).await;
                db.finish().await;
            }

            #[tokio::test]
            async fn on_postgres() {
                let db = TestDb::postgres().await;
                test(&db).await;
                db.finish().await;
            }
        }
    )+};
}
pub(super) use on_both;
