//! The schema, version by version, brought up to date when a database is opened.

mod details;
mod initial;
mod merged;
mod outgoing;
mod presence;
mod proof;
mod threads;

use crate::error::{StoreError, StoreErrorKind};
use crate::row::{Db, execute, row, rows, script, values};
use crate::store::Tx;
use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, SchemaManagerConnection};
use std::collections::BTreeSet;

/// Hosts that start at once on PostgreSQL migrate one after the other.
const MIGRATION_LOCK: i64 = 0x5357_4254_4d49_4752;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(initial::Initial),
            Box::new(merged::MERGED),
            Box::new(presence::PRESENCE),
            Box::new(details::DETAILS),
            Box::new(outgoing::OUTGOING),
            Box::new(threads::Threads),
            Box::new(proof::PROOF),
        ]
    }
}

/// A migration that is a list of statements. Its name begins with the day, because migrations are sorted by name.
struct Statements {
    name: &'static str,
    statements: &'static [&'static str],
}

impl MigrationName for Statements {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Statements {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let applied = apply(&Within(manager.get_connection()), self.statements).await;
        applied.map_err(|error| DbErr::Migration(error.message))
    }
}

/// Where a migration runs its statements.
struct Within<'a>(&'a SchemaManagerConnection<'a>);

impl<'a> Db for Within<'a> {
    type Conn = SchemaManagerConnection<'a>;

    fn conn(&self) -> &Self::Conn {
        self.0
    }
}

/// Applies what is missing, all of it in the transaction given.
pub(crate) async fn run(tx: &Tx) -> Result<(), StoreError> {
    if tx.is_shared() {
        check_server(tx).await?;
        // A migration takes as long as it takes, and so does waiting for that of another host.
        script(tx, "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
        row(tx, "SELECT pg_advisory_xact_lock($1)", values![MIGRATION_LOCK]).await?;
    }
    let known: BTreeSet<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let applied = applied(tx).await?;
    if let Some(newer) = applied.difference(&known).last() {
        return Err(StoreError::new(
            StoreErrorKind::TooNew,
            format!("the database was made by a newer Switchboard (it has `{newer}`); nothing was changed"),
        ));
    }
    if applied.len() < known.len() {
        Migrator::up(tx.conn(), None).await?;
    }
    if tx.is_shared() {
        forget_events_of_another_server(tx).await?;
    }
    Ok(())
}

/// Names of the migrations that the database has.
async fn applied(tx: &Tx) -> Result<BTreeSet<String>, StoreError> {
    let exists = if tx.is_shared() {
        row(tx, "SELECT 1 AS here WHERE to_regclass('seaql_migrations') IS NOT NULL", values![]).await?.is_some()
    } else {
        let tables = rows(tx, "SELECT name FROM sqlite_master WHERE type = 'table'", values![]).await?;
        let names = tables.iter().map(|table| table.get::<String>("name")).collect::<Result<Vec<_>, _>>()?;
        let ours = names.iter().any(|name| name == "seaql_migrations");
        if !ours && !names.is_empty() {
            return Err(StoreError::new(StoreErrorKind::Invalid, "the file is the database of another program"));
        }
        ours
    };
    if !exists {
        return Ok(BTreeSet::new());
    }
    let found = rows(tx, "SELECT version FROM seaql_migrations", values![]).await?;
    found.iter().map(|row| row.get::<String>("version")).collect()
}

async fn check_server(tx: &Tx) -> Result<(), StoreError> {
    let found = row(tx, "SELECT CAST(current_setting('server_version_num') AS BIGINT) AS version", values![]).await?;
    let version: i64 = found.map_or(Ok(0), |row| row.get("version"))?;
    if version < 150_000 {
        return Err(StoreError::new(
            StoreErrorKind::Invalid,
            format!("PostgreSQL 15 or newer is needed; the server is {}", version / 10_000),
        ));
    }
    Ok(())
}

/// Positions of live events hold transaction numbers. A dump that is restored elsewhere brings positions that
/// its new server has yet to reach; they would hide every event to come.
async fn forget_events_of_another_server(tx: &Tx) -> Result<(), StoreError> {
    let sql =
        format!("DELETE FROM event WHERE id >= ({} << {})", crate::events::CURRENT_TRANSACTION, crate::events::POSITION_BITS);
    execute(tx, sql, values![]).await.map(|_| ())
}

/// Runs the statements of a migration, spelled for the database at hand.
async fn apply(db: &impl Db, statements: &[&str]) -> Result<(), StoreError> {
    for statement in statements {
        script(db, &spell(statement, db.is_shared())).await?;
    }
    Ok(())
}

/// `{id}` is a primary key given by us, `{auto}` one given by the database, `{bytes}` the type of bytes.
fn spell(statement: &str, postgres: bool) -> String {
    let (id, auto, bytes) = if postgres {
        ("BIGINT PRIMARY KEY", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "BYTEA")
    } else {
        ("INTEGER PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT", "BLOB")
    };
    statement.replace("{id}", id).replace("{auto}", auto).replace("{bytes}", bytes)
}
