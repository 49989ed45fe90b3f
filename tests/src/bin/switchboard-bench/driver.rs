//! Rows as they lie in a database, read and written through the driver that the program itself uses.
//!
//! Only as much as the floor needs: every value of a row whatever its type, and statements with such values.

use anyhow::{Context, Result, bail};
use sqlx::{AssertSqlSafe, Column, Connection, Row, SqlSafeStr, TypeInfo, ValueRef};
use std::path::Path;
use std::time::Duration;

/// Statements kept prepared per connection, as many as the program keeps.
const PREPARED: usize = 512;

/// A value of a column, with its type even when it is absent.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A whole number, an id or an instant.
    Number(Option<i64>),
    /// A text.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
    /// A truth value.
    Bool(Option<bool>),
}

/// A row by column.
pub type Record = Vec<(String, Cell)>;

/// A connection to one of the two databases.
pub enum Driver {
    /// To a SQLite file, with the program's own settings.
    Sqlite(sqlx::SqliteConnection),
    /// To PostgreSQL.
    Postgres(sqlx::PgConnection),
}

impl Driver {
    /// Connects to `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// When that is impossible.
    pub async fn open(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(Path::new(path))
                .create_if_missing(true)
                .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
                .pragma("temp_store", "memory")
                .pragma("wal_autocheckpoint", "4000")
                .statement_cache_capacity(PREPARED);
            return Ok(Self::Sqlite(sqlx::SqliteConnection::connect_with(&options).await.with_context(|| url.to_owned())?));
        }
        let options: sqlx::postgres::PgConnectOptions = url.parse().context("the address of a PostgreSQL database")?;
        let options = options.statement_cache_capacity(PREPARED);
        Ok(Self::Postgres(sqlx::PgConnection::connect_with(&options).await.context("cannot connect to PostgreSQL")?))
    }

    /// Whether this is PostgreSQL.
    pub const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Every row of a query without parameters.
    ///
    /// # Errors
    /// When it fails, or a column has a type that the program's schema does not use.
    pub async fn rows(&mut self, sql: &str) -> Result<Vec<Record>> {
        let query = AssertSqlSafe(sql.to_owned()).into_sql_str();
        match self {
            Self::Sqlite(connection) => {
                let found = sqlx::query(query).fetch_all(connection).await.with_context(|| sql.to_owned())?;
                found.iter().map(sqlite_record).collect()
            }
            Self::Postgres(connection) => {
                let found = sqlx::query(query).fetch_all(connection).await.with_context(|| sql.to_owned())?;
                found.iter().map(postgres_record).collect()
            }
        }
    }

    /// Runs a statement with parameters, prepared once and kept.
    ///
    /// # Errors
    /// When it fails.
    pub async fn execute(&mut self, sql: &str, cells: &[Cell]) -> Result<()> {
        let text = AssertSqlSafe(sql.to_owned()).into_sql_str();
        match self {
            Self::Sqlite(connection) => {
                let mut query = sqlx::query(text);
                for cell in cells {
                    query = match cell {
                        Cell::Number(value) => query.bind(*value),
                        Cell::Text(value) => query.bind(value.as_deref()),
                        Cell::Bytes(value) => query.bind(value.as_deref()),
                        Cell::Bool(value) => query.bind(*value),
                    };
                }
                query.execute(connection).await.map(drop).with_context(|| sql.to_owned())
            }
            Self::Postgres(connection) => {
                let mut query = sqlx::query(text);
                for cell in cells {
                    query = match cell {
                        Cell::Number(value) => query.bind(*value),
                        Cell::Text(value) => query.bind(value.as_deref()),
                        Cell::Bytes(value) => query.bind(value.as_deref()),
                        Cell::Bool(value) => query.bind(*value),
                    };
                }
                query.execute(connection).await.map(drop).with_context(|| sql.to_owned())
            }
        }
    }

    /// Runs statements without parameters, several separated by semicolons if need be.
    ///
    /// # Errors
    /// When one fails.
    pub async fn script(&mut self, sql: &str) -> Result<()> {
        let script = AssertSqlSafe(sql.to_owned()).into_sql_str();
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(script).execute(connection).await.map(drop).with_context(|| sql.to_owned()),
            Self::Postgres(connection) => {
                sqlx::raw_sql(script).execute(connection).await.map(drop).with_context(|| sql.to_owned())
            }
        }
    }

    /// The one number that a query answers with.
    ///
    /// # Errors
    /// When the query fails or answers with anything else.
    pub async fn number(&mut self, sql: &str) -> Result<i64> {
        match self.rows(sql).await?.first().and_then(|row| row.first()) {
            Some((_, Cell::Number(Some(number)))) => Ok(*number),
            other => bail!("{sql} gave {other:?}"),
        }
    }

    /// The program's tables, without those that a search index keeps for itself.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn tables(&mut self) -> Result<Vec<String>> {
        let sql = if self.is_postgres() {
            "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
        } else {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        };
        let mut tables = Vec::new();
        for row in self.rows(sql).await? {
            if let Some((_, Cell::Text(Some(name)))) = row.into_iter().next() {
                tables.push(name);
            }
        }
        Ok(tables)
    }

    /// Ends the connection.
    pub async fn close(self) {
        // Whatever was not committed is lost on purpose.
        let _ = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
    }
}

fn sqlite_record(row: &sqlx::sqlite::SqliteRow) -> Result<Record> {
    let mut record = Vec::with_capacity(row.columns().len());
    for column in row.columns() {
        let place = column.ordinal();
        // A value of SQLite has a type of its own; an absent one is bound as a number whatever its column.
        let kind = row.try_get_raw(place)?.type_info().name().to_owned();
        let cell = match kind.as_str() {
            "TEXT" => Cell::Text(row.try_get(place)?),
            "BLOB" => Cell::Bytes(row.try_get(place)?),
            "BOOLEAN" => Cell::Bool(row.try_get(place)?),
            "NULL" => Cell::Number(None),
            _ => Cell::Number(row.try_get(place)?),
        };
        record.push((column.name().to_owned(), cell));
    }
    Ok(record)
}

fn postgres_record(row: &sqlx::postgres::PgRow) -> Result<Record> {
    let mut record = Vec::with_capacity(row.columns().len());
    for column in row.columns() {
        let place = column.ordinal();
        let cell = match column.type_info().name() {
            "INT8" => Cell::Number(row.try_get(place)?),
            "TEXT" => Cell::Text(row.try_get(place)?),
            "BYTEA" => Cell::Bytes(row.try_get(place)?),
            "BOOL" => Cell::Bool(row.try_get(place)?),
            other => bail!("column {} has the type {other}, which the floor cannot write", column.name()),
        };
        record.push((column.name().to_owned(), cell));
    }
    Ok(record)
}
