//! Engines that race on one database while people work, routers change and commits fail: whatever happens, every promise
//! is kept. A longer run: `cargo run -p switchboard-tests --example race -- postgres SEED SECONDS`.

use std::time::Duration;
use switchboard_tests::{Database, Random, race};

/// How long everybody acts. A frozen router's lease has to run out within it.
const DURATION: Duration = Duration::from_secs(18);

async fn keeps_every_promise(database: Database, test: &str) {
    let outcome = race(&database, Random::announced(test), DURATION).await;
    eprintln!("{}", outcome.summary);
    assert!(outcome.broken.is_empty(), "{}\n{}", outcome.summary, outcome.broken.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_engines_on_one_postgres_whose_sessions_die_keep_every_promise() {
    keeps_every_promise(Database::postgres(), "two_engines_on_one_postgres").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_engines_on_one_postgres_with_another_seed_keep_every_promise() {
    keeps_every_promise(Database::postgres(), "two_engines_on_one_postgres").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_engine_on_sqlite_whose_commits_fail_keeps_every_promise() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    keeps_every_promise(Database::sqlite_in(folder.path()), "an_engine_on_sqlite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_engine_on_sqlite_with_another_seed_keeps_every_promise() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    keeps_every_promise(Database::sqlite_in(folder.path()), "an_engine_on_sqlite").await;
}
