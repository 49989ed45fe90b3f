//! Recorded history decided again (ROUTING 13.2). Fifty thousand decisions instead of five:
//! `cargo run -p switchboard-tests --example replay -- SEED 50000`.

use std::sync::Arc;
use switchboard_engine::ReplayReport;
use switchboard_model::ChannelKind;
use switchboard_tests::{Database, Random, Running, SystemClock, live};

const DECISIONS: u64 = 5_000;
const FEW: u64 = 400;

async fn replay(database: &Database) -> ReplayReport {
    let clock = Arc::new(SystemClock::new());
    let running = Running::open(&database.url(), "another", &[("queue", ChannelKind::Email)], clock).await.expect("it opens");
    let report = running.engine.replay(0).await.expect("the log can be read");
    running.close().await.expect("it ends");
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r13_2_thousands_of_decisions_across_restarts_rules_refusals_and_waits_are_decided_alike() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let random = Random::announced("r13_2_thousands_of_decisions");
    let lived = live(folder.path(), random, DECISIONS).await.expect("the engine works");
    eprintln!("{}", lived.summary);
    assert_eq!(lived.report.differences, 0, "{:#?}", lived.report.listed);
    assert_eq!(lived.report.other_behaviour, 0);
    assert!(lived.report.decisions >= DECISIONS, "{}", lived.summary);
    let database = Database::sqlite_in(folder.path());
    for (what, sql) in [
        ("refused as full", "SELECT COUNT(*) AS n FROM decision WHERE refused = 'at_capacity'"),
        ("refused as changed", "SELECT COUNT(*) AS n FROM decision WHERE refused = 'item_changed'"),
        ("queued", "SELECT COUNT(*) AS n FROM decision WHERE decision LIKE '%\"queued\"}%'"),
        ("edited", "SELECT COUNT(*) - 2 AS n FROM directory_version"),
    ] {
        assert!(database.number(sql) > 0, "nothing was {what}: {}", lived.summary);
    }
}

/// What another behaviour decided is named and not decided again: not even a decision that this one would not make.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r13_2_what_another_behaviour_decided_is_named_and_not_decided_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lived = live(folder.path(), Random::announced("r13_2_what_another_behaviour"), FEW).await.expect("the engine works");
    let all = lived.report;
    assert_eq!((all.differences, all.other_behaviour), (0, 0));
    let database = Database::sqlite_in(folder.path());
    let first = database.number("SELECT MIN(no) AS n FROM checkpoint");
    let end = database.rows("SELECT no FROM checkpoint ORDER BY no LIMIT 1 OFFSET 1");
    let end =
        end.first().and_then(|row| row["no"].as_i64()).unwrap_or_else(|| database.number("SELECT no AS n FROM router_cursor"));
    let one = "(SELECT MIN(id) FROM decision WHERE refused IS NULL AND decision LIKE '%\"tied\":%')";
    database.tamper(&format!("UPDATE decision SET decision = replace(decision, '\"tied\":', '\"tied\":9') WHERE id = {one}"));
    let tampered = replay(&database).await;
    assert_eq!(tampered.differences, 1, "a decision that was not made so is told apart: {:#?}", tampered.listed);
    database.tamper(&format!("UPDATE checkpoint SET behaviour = behaviour + 1 WHERE no = {first}"));
    let named = replay(&database).await;
    let skipped = u64::try_from(end - first).expect("numbers ascend");
    assert_eq!((named.other_behaviour, named.differences), (skipped, 0), "{named:#?}");
    assert_eq!(named.inputs, tampered.inputs - skipped);
}
