//! Commits that fail while engines race. On PostgreSQL sessions are terminated, at work ones first. On SQLite triggers
//! refuse statements, or let a commit itself fail by a foreign key that is checked only then.

use crate::{Database, Random};
use std::time::Duration;
use tokio::time::{Instant, interval};

/// What the message of a made failure holds.
pub(crate) const MADE: &str = "refused on purpose";

/// Made on SQLite. `fault.kind` is 1 for a refused statement, 2 for a failing commit, each until a day and time.
const TRIGGERS: &[&str] = &[
    "CREATE TABLE fault (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, until REAL NOT NULL)",
    "CREATE TABLE fault_link (id INTEGER REFERENCES fault (id) DEFERRABLE INITIALLY DEFERRED)",
    "INSERT INTO fault (id, kind, until) VALUES (1, 0, 0)",
    "CREATE VIEW fault_now AS SELECT kind FROM fault WHERE until > julianday('now')",
    "CREATE TRIGGER fault_refuses_decisions BEFORE UPDATE OF no ON router_cursor \
     WHEN (SELECT kind FROM fault_now) = 1 BEGIN SELECT RAISE(ABORT, 'refused on purpose'); END",
    "CREATE TRIGGER fault_refuses_changes BEFORE INSERT ON history \
     WHEN (SELECT kind FROM fault_now) = 1 AND random() % 2 = 0 BEGIN SELECT RAISE(ABORT, 'refused on purpose'); END",
    "CREATE TRIGGER fault_fails_commits AFTER INSERT ON routing_input \
     WHEN (SELECT kind FROM fault_now) = 2 BEGIN INSERT INTO fault_link (id) VALUES (-1); END",
    "CREATE TRIGGER fault_fails_decisions AFTER UPDATE OF no ON router_cursor \
     WHEN (SELECT kind FROM fault_now) = 2 BEGIN INSERT INTO fault_link (id) VALUES (-1); END",
];
/// Lets something fail for so many milliseconds: fewer than the router pauses after a failure, so that it does not take an
/// input for the culprit.
const FAIL: &str = "UPDATE fault SET kind = KIND, until = julianday('now') + MS / 86400000.0";

/// A session of the engines: one that is in a transaction, or any.
const TERMINATE: &str = "SELECT COUNT(pg_terminate_backend(pid)) AS n FROM (SELECT pid FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'switchboard' \
    ORDER BY (state = 'idle') = BUSY, random() LIMIT 1) AS chosen";

/// At each beat one of so many chances lets something fail.
const BEAT: Duration = Duration::from_millis(50);
const CHANCES: u64 = 10;

/// Failures that are made, and how often.
#[derive(Default)]
pub(crate) struct Faults {
    made: std::sync::atomic::AtomicU64,
}

impl Faults {
    /// Readies the database.
    pub(crate) fn prepare(database: &Database) -> Self {
        if !database.is_shared() {
            tokio::task::block_in_place(|| TRIGGERS.iter().for_each(|sql| database.tamper(sql)));
        }
        Self::default()
    }

    /// Lets commits fail at random moments until a time.
    pub(crate) async fn strike(&self, database: &Database, random: &mut Random, until: Instant) {
        let mut beat = interval(BEAT);
        while beat.tick().await < until {
            if !random.one_in(CHANCES) {
                continue;
            }
            self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if database.is_shared() {
                let busy = if random.one_in(3) { "TRUE" } else { "FALSE" };
                let sql = TERMINATE.replace("BUSY", busy);
                tokio::task::block_in_place(|| database.tamper(&sql));
                continue;
            }
            let (kind, ms) = (1 + random.below(2), 20 + random.below(200));
            let sql = FAIL.replace("KIND", &kind.to_string()).replace("MS", &ms.to_string());
            tokio::task::block_in_place(|| database.tamper(&sql));
        }
    }

    /// Nothing fails any more.
    pub(crate) fn end(&self, database: &Database) {
        if !database.is_shared() {
            tokio::task::block_in_place(|| database.tamper("UPDATE fault SET kind = 0"));
        }
    }

    /// How many there were.
    pub(crate) fn summary(&self) -> String {
        format!("{} failures made", self.made.load(std::sync::atomic::Ordering::Relaxed))
    }
}
