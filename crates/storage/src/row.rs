//! Statements with numbered parameters, and rows read into the model's types.
//!
//! One SQL text serves both databases: `$1` is understood by SQLite and PostgreSQL alike.

use crate::error::{StoreError, StoreErrorKind};
use crate::held::{Table, Writes};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement, TryGetable, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Write;
use std::str::FromStr;

/// Most parameters of one statement; SQLite takes 32,766.
const MAX_PARAMETERS: usize = 30_000;

/// Where statements run: the read pool or a transaction.
pub(crate) trait Db: Sync {
    /// What sea-orm calls it.
    type Conn: ConnectionTrait;

    fn conn(&self) -> &Self::Conn;

    /// A statement failed.
    fn note_failure(&self, _error: &StoreError) {}

    /// The failure after which no further statement may run.
    fn broken(&self) -> Option<StoreError> {
        None
    }

    /// Makes ready for a statement that runs at once: what has to be there before it is written.
    fn ready(&self, _sql: &str) -> impl Future<Output = Result<(), StoreError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Keeps writes back until the next statement, which they go along with; gives them back where they run at once.
    fn keep_back(&self, writes: Writes) -> Option<Writes> {
        Some(writes)
    }

    /// What was kept back.
    fn take_waiting(&self) -> Option<Writes> {
        None
    }

    fn backend(&self) -> DbBackend {
        self.conn().get_database_backend()
    }

    fn is_shared(&self) -> bool {
        self.backend() == DbBackend::Postgres
    }
}

impl Db for DatabaseConnection {
    type Conn = Self;

    fn conn(&self) -> &Self {
        self
    }
}

/// A row of an answer.
pub(crate) struct Row(QueryResult);

/// Parameters, in the order of their numbers.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::bind::Bind::bind($value)),*] };
}
pub(crate) use values;

#[cfg(test)]
thread_local! {
    /// How often the database was asked or told something, by this thread.
    pub(crate) static ROUND_TRIPS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Tests hold what is done most to a number of round trips.
fn count_round_trip() {
    #[cfg(test)]
    ROUND_TRIPS.with(|count| count.set(count.get() + 1));
}

/// Runs a query for all its rows.
pub(crate) async fn rows(db: &impl Db, sql: impl Into<String>, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
    let statement = with_waiting(db, sql.into(), values).await?;
    count_round_trip();
    match db.conn().query_all_raw(statement).await {
        Ok(rows) => Ok(rows.into_iter().map(Row).collect()),
        Err(error) => Err(failed(db, error)),
    }
}

/// Runs a query for its first row.
pub(crate) async fn row(db: &impl Db, sql: impl Into<String>, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
    let statement = with_waiting(db, sql.into(), values).await?;
    count_round_trip();
    db.conn().query_one_raw(statement).await.map(|row| row.map(Row)).map_err(|error| failed(db, error))
}

/// Runs a query that always has a row.
pub(crate) async fn one(db: &impl Db, sql: impl Into<String>, values: Vec<Value>) -> Result<Row, StoreError> {
    row(db, sql, values).await?.ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "a row that always exists is missing"))
}

/// Runs a statement; answers how many rows it touched.
pub(crate) async fn execute(db: &impl Db, sql: impl Into<String>, values: Vec<Value>) -> Result<u64, StoreError> {
    let sql = sql.into();
    usable(db)?;
    db.ready(&sql).await?;
    // What waits would be counted as well.
    flush(db).await?;
    run(db, sql, values).await
}

/// Runs statements without parameters, several separated by semicolons if need be.
pub(crate) async fn script(db: &impl Db, sql: &str) -> Result<(), StoreError> {
    usable(db)?;
    db.ready(sql).await?;
    flush_and(db, sql).await
}

/// Runs what was kept back.
pub(crate) async fn flush(db: &impl Db) -> Result<(), StoreError> {
    match db.take_waiting() {
        None => Ok(()),
        Some(waiting) => write(db, waiting, "").await,
    }
}

/// Runs what was kept back and statements without parameters behind it.
pub(crate) async fn flush_and(db: &impl Db, then: &str) -> Result<(), StoreError> {
    if let Some(waiting) = db.take_waiting() {
        return write(db, waiting, then).await;
    }
    usable(db)?;
    count_round_trip();
    db.conn().execute_unprepared(then).await.map(|_| ()).map_err(|error| failed(db, error))
}

/// Runs writes and statements without parameters behind them: few rows as one text, which is one round trip, and many
/// by statements of their own.
pub(crate) async fn write(db: &impl Db, writes: Writes, then: &str) -> Result<(), StoreError> {
    let mut statements = if writes.are_many() { writes.into_statements() } else { vec![writes.into_one()] };
    if let Some((sql, _)) = statements.last_mut().filter(|_| !then.is_empty()) {
        *sql = format!("{sql}; {then}");
    }
    for (sql, values) in statements {
        run(db, sql, values).await?;
    }
    Ok(())
}

/// Runs statements as they are.
async fn run(db: &impl Db, sql: String, values: Vec<Value>) -> Result<u64, StoreError> {
    usable(db)?;
    count_round_trip();
    let statement = Statement::from_sql_and_values(db.backend(), sql, values);
    db.conn().execute_raw(statement).await.map(|done| done.rows_affected()).map_err(|error| failed(db, error))
}

/// A statement with what waits to go along with it.
async fn with_waiting(db: &impl Db, sql: String, values: Vec<Value>) -> Result<Statement, StoreError> {
    usable(db)?;
    db.ready(&sql).await?;
    let Some(waiting) = db.take_waiting() else { return Ok(Statement::from_sql_and_values(db.backend(), sql, values)) };
    // Parameters without numbers would be counted from the first of what waits.
    if waiting.are_many() || sql.contains('?') {
        write(db, waiting, "").await?;
        return Ok(Statement::from_sql_and_values(db.backend(), sql, values));
    }
    let mut waiting = waiting;
    waiting.add(sql, values);
    let (sql, values) = waiting.into_one();
    Ok(Statement::from_sql_and_values(db.backend(), sql, values))
}

/// `INSERT` of many rows in as few statements as the number of parameters allows. `head` is the text up to
/// `VALUES`, `tail` what follows, such as `ON CONFLICT DO NOTHING`.
pub(crate) async fn insert_rows(db: &impl Db, head: &str, tail: &str, records: Vec<Vec<Value>>) -> Result<u64, StoreError> {
    let Some(width) = records.first().map(Vec::len) else { return Ok(0) };
    let chunk = (MAX_PARAMETERS / width.max(1)).max(1);
    let mut touched = 0;
    let mut records = records.into_iter().peekable();
    while records.peek().is_some() {
        let part: Vec<Value> = records.by_ref().take(chunk).flatten().collect();
        let sql = format!("{head} VALUES {} {tail}", tuples(1, part.len() / width, width));
        touched += execute(db, sql, part).await?;
    }
    Ok(touched)
}

/// Statements of one purpose that do not read what the others write. PostgreSQL gets them as one, which spares a round
/// trip to its server for each. In a transaction of SQLite they wait for what is read next, rows of one table together.
#[derive(Default)]
pub(crate) struct Bundle {
    parts: Vec<Part>,
}

enum Part {
    Statement(String, Vec<Value>),
    Rows(Table, Vec<Vec<Value>>),
}

impl Bundle {
    /// Adds a statement with parameters of its own, counted from 1.
    pub(crate) fn add(&mut self, sql: impl Into<String>, values: Vec<Value>) {
        self.parts.push(Part::Statement(sql.into(), values));
    }

    /// Adds rows of a table; none adds nothing.
    pub(crate) fn insert(&mut self, table: Table, records: Vec<Vec<Value>>) {
        if !records.is_empty() {
            self.parts.push(Part::Rows(table, records));
        }
    }

    /// Runs them in the order of adding, or keeps them back. A failure may come with a later statement then, at the
    /// latest with the commit.
    pub(crate) async fn run(self, db: &impl Db) -> Result<(), StoreError> {
        if db.is_shared() { self.run_as_one(db).await } else { self.run_or_wait(db).await }
    }

    /// PostgreSQL takes one statement at a time, which may hold others, and so many parameters with it.
    async fn run_as_one(self, db: &impl Db) -> Result<(), StoreError> {
        let (mut parts, mut count) = (Vec::new(), 0);
        for (sql, values) in self.parts.into_iter().flat_map(Part::statements) {
            if count + values.len() > MAX_PARAMETERS {
                run_joined(db, std::mem::take(&mut parts)).await?;
                count = 0;
            }
            count += values.len();
            parts.push((sql, values));
        }
        run_joined(db, parts).await
    }

    async fn run_or_wait(self, db: &impl Db) -> Result<(), StoreError> {
        usable(db)?;
        let mut writes = Writes::default();
        for part in self.parts {
            match part {
                Part::Statement(sql, values) => writes.add(sql, values),
                Part::Rows(table, records) => writes.insert(table, records),
            }
        }
        if writes.is_empty() {
            return Ok(());
        }
        match db.keep_back(writes) {
            None => Ok(()),
            Some(writes) => {
                db.ready("").await?;
                write(db, writes, "").await
            }
        }
    }
}

impl Part {
    /// As PostgreSQL takes it, which cannot tell the types of a list of changes.
    fn statements(self) -> Vec<(String, Vec<Value>)> {
        match self {
            Self::Statement(sql, values) => vec![(sql, values)],
            Self::Rows(Table::ItemChange, records) => {
                records.into_iter().map(|record| (Table::ItemChange.sql(1), record)).collect()
            }
            Self::Rows(table, records) => {
                let width = records.first().map_or(1, Vec::len).max(1);
                let statement = |part: &[Vec<Value>]| (table.sql(part.len()), part.concat());
                records.chunks((MAX_PARAMETERS / width).max(1)).map(statement).collect()
            }
        }
    }
}

/// Runs statements as one: all but the last are parts of it.
async fn run_joined(db: &impl Db, parts: Vec<(String, Vec<Value>)>) -> Result<(), StoreError> {
    let Some(last) = parts.len().checked_sub(1) else { return Ok(()) };
    let (mut sql, mut values) = (String::new(), Vec::new());
    for (place, (part, own)) in parts.into_iter().enumerate() {
        let part = renumbered(&part, values.len());
        values.extend(own);
        let joined = match place {
            0 if last == 0 => part,
            0 => format!("WITH part0 AS ({part})"),
            place if place == last => format!(" {part}"),
            place => format!(", part{place} AS ({part})"),
        };
        sql.push_str(&joined);
    }
    execute(db, sql, values).await.map(|_| ())
}

/// Statement text with the numbers of its parameters raised.
pub(crate) fn renumbered(sql: &str, by: usize) -> String {
    let mut text = String::with_capacity(sql.len() + 32);
    let mut parts = sql.split('$');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = part[..digits].parse().expect("every `$` of our statements is followed by a number");
        write!(text, "${}{}", number + by, &part[digits..]).expect("writing to a string never fails");
    }
    text
}

/// `$3, $4, $5` for a start of 3 and a count of 3.
pub(crate) fn placeholders(start: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 5);
    for number in start..start + count {
        let separator = if number == start { "" } else { ", " };
        write!(text, "{separator}${number}").expect("writing to a string never fails");
    }
    text
}

/// `($1, $2), ($3, $4)` for two rows of two.
pub(crate) fn tuples(start: usize, count: usize, width: usize) -> String {
    let rows: Vec<_> = (0..count).map(|row| format!("({})", placeholders(start + row * width, width))).collect();
    rows.join(", ")
}

/// JSON text of a value of the model.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::new(StoreErrorKind::Internal, format!("not written as JSON: {error}")))
}

/// A value of the model out of JSON text.
pub(crate) fn parse<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| corrupt(column, &error.to_string()))
}

/// A count or number of the model as it is stored.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Row {
    /// A value that may not be absent.
    pub(crate) fn get<T: TryGetable>(&self, column: &str) -> Result<T, StoreError> {
        self.0.try_get("", column).map_err(|error| corrupt(column, &error.to_string()))
    }

    /// A value that may be absent.
    pub(crate) fn opt<T: TryGetable>(&self, column: &str) -> Result<Option<T>, StoreError> {
        self.get::<Option<T>>(column)
    }

    /// An id or instant.
    pub(crate) fn id<T>(&self, column: &str, wrap: impl Fn(i64) -> T) -> Result<T, StoreError> {
        self.get(column).map(wrap)
    }

    /// An id or instant that may be absent.
    pub(crate) fn opt_id<T>(&self, column: &str, wrap: impl Fn(i64) -> T) -> Result<Option<T>, StoreError> {
        Ok(self.opt::<i64>(column)?.map(wrap))
    }

    /// A count.
    pub(crate) fn count(&self, column: &str) -> Result<u64, StoreError> {
        self.get::<i64>(column).map(|number| u64::try_from(number).unwrap_or(0))
    }

    /// A small count.
    pub(crate) fn small(&self, column: &str) -> Result<u32, StoreError> {
        self.get::<i64>(column).map(|number| u32::try_from(number.max(0)).unwrap_or(u32::MAX))
    }

    /// A word of one of the model's lists.
    pub(crate) fn word<T: FromStr<Err = String>>(&self, column: &str) -> Result<T, StoreError> {
        self.get::<String>(column)?.parse().map_err(|error: String| corrupt(column, &error))
    }

    /// A word that may be absent.
    pub(crate) fn opt_word<T: FromStr<Err = String>>(&self, column: &str) -> Result<Option<T>, StoreError> {
        self.opt::<String>(column)?.map(|word| word.parse().map_err(|error: String| corrupt(column, &error))).transpose()
    }

    /// A value of the model kept as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        parse(column, &self.get::<String>(column)?)
    }

    /// A value kept as JSON that may be absent.
    pub(crate) fn opt_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>, StoreError> {
        self.opt::<String>(column)?.map(|text| parse(column, &text)).transpose()
    }
}

pub(crate) fn usable(db: &impl Db) -> Result<(), StoreError> {
    db.broken().map_or(Ok(()), Err)
}

/// The failure of a statement, noted with its transaction.
pub(crate) fn failed(db: &impl Db, error: sea_orm::DbErr) -> StoreError {
    let error = StoreError::from(error);
    db.note_failure(&error);
    error
}

fn corrupt(column: &str, error: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("stored `{column}` cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{placeholders, renumbered, tuples};

    #[test]
    fn parameters_are_renumbered_in_their_places() {
        assert_eq!(renumbered("VALUES ($1, $12) WHERE a = $2", 20), "VALUES ($21, $32) WHERE a = $22");
        assert_eq!(renumbered("SELECT 1", 3), "SELECT 1");
    }

    #[test]
    fn placeholders_count_from_their_start() {
        assert_eq!(placeholders(3, 3), "$3, $4, $5");
        assert_eq!(tuples(1, 2, 2), "($1, $2), ($3, $4)");
    }
}
