//! Statements with numbered parameters, and rows read into the model's types.
//!
//! One SQL text serves both databases: `$1` is understood by SQLite and PostgreSQL alike.

use crate::error::{StoreError, StoreErrorKind};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement, TryGetable, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Write;
use std::str::FromStr;

/// Most parameters of one statement; SQLite takes 32,766.
const MAX_PARAMETERS: usize = 30_000;

/// Most parameters that wait for the next statement.
const MAX_WAITING: usize = 500;

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

    /// Keeps statements back until the next one, which they go along with; gives them back where they run at once.
    fn keep_back(&self, statements: Waiting) -> Option<Waiting> {
        Some(statements)
    }

    /// What was kept back.
    fn take_waiting(&self) -> Option<Waiting> {
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

/// Statements that are yet to run, separated by semicolons, with their parameters. Nobody asks for what they answer.
pub(crate) struct Waiting {
    sql: String,
    values: Vec<Value>,
}

/// Parameters, in the order of their numbers.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::bind::Bind::bind($value)),*] };
}
pub(crate) use values;

/// Runs a query for all its rows.
pub(crate) async fn rows(db: &impl Db, sql: impl Into<String>, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
    usable(db)?;
    match db.conn().query_all_raw(with_waiting(db, sql.into(), values)).await {
        Ok(rows) => Ok(rows.into_iter().map(Row).collect()),
        Err(error) => Err(failed(db, error)),
    }
}

/// Runs a query for its first row.
pub(crate) async fn row(db: &impl Db, sql: impl Into<String>, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
    usable(db)?;
    let statement = with_waiting(db, sql.into(), values);
    db.conn().query_one_raw(statement).await.map(|row| row.map(Row)).map_err(|error| failed(db, error))
}

/// Runs a query that always has a row.
pub(crate) async fn one(db: &impl Db, sql: impl Into<String>, values: Vec<Value>) -> Result<Row, StoreError> {
    row(db, sql, values).await?.ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "a row that always exists is missing"))
}

/// Runs a statement; answers how many rows it touched.
pub(crate) async fn execute(db: &impl Db, sql: impl Into<String>, values: Vec<Value>) -> Result<u64, StoreError> {
    // What waits would be counted as well.
    flush(db).await?;
    usable(db)?;
    let statement = Statement::from_sql_and_values(db.backend(), sql, values);
    db.conn().execute_raw(statement).await.map(|done| done.rows_affected()).map_err(|error| failed(db, error))
}

/// Runs statements without parameters, several separated by semicolons if need be.
pub(crate) async fn script(db: &impl Db, sql: &str) -> Result<(), StoreError> {
    if let Some(mut waiting) = db.take_waiting() {
        waiting.append(sql, Vec::new());
        return waiting.run(db).await;
    }
    usable(db)?;
    db.conn().execute_unprepared(sql).await.map(|_| ()).map_err(|error| failed(db, error))
}

/// Runs what was kept back.
pub(crate) async fn flush(db: &impl Db) -> Result<(), StoreError> {
    match db.take_waiting() {
        None => Ok(()),
        Some(waiting) => waiting.run(db).await,
    }
}

/// A statement with what waits to go along with it.
fn with_waiting(db: &impl Db, sql: String, values: Vec<Value>) -> Statement {
    match db.take_waiting() {
        None => Statement::from_sql_and_values(db.backend(), sql, values),
        Some(mut waiting) => {
            waiting.append(&sql, values);
            Statement::from_sql_and_values(db.backend(), waiting.sql, waiting.values)
        }
    }
}

impl Waiting {
    /// Adds statements with parameters of their own, counted from 1.
    pub(crate) fn append(&mut self, sql: &str, values: Vec<Value>) {
        self.sql.push_str("; ");
        self.sql.push_str(&renumbered(sql, self.values.len()));
        self.values.extend(values);
    }

    /// Adds what came later.
    pub(crate) fn join(&mut self, later: Self) {
        self.append(&later.sql, later.values);
    }

    /// Whether it is too much to wait for longer.
    pub(crate) fn is_large(&self) -> bool {
        self.values.len() > MAX_WAITING
    }

    async fn run(self, db: &impl Db) -> Result<(), StoreError> {
        usable(db)?;
        let statement = Statement::from_sql_and_values(db.backend(), self.sql, self.values);
        db.conn().execute_raw(statement).await.map(|_| ()).map_err(|error| failed(db, error))
    }
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

/// Statements of one purpose that do not read what the others write. The database gets them as one, which spares a
/// round trip for each: to the server of PostgreSQL, or to the thread that SQLite runs on, where most of the time of a
/// small statement goes. In a transaction of SQLite they even wait for the next statement.
#[derive(Default)]
pub(crate) struct Bundle {
    parts: Vec<(String, Vec<Value>)>,
}

impl Bundle {
    /// Adds a statement with parameters of its own, counted from 1.
    pub(crate) fn add(&mut self, sql: impl Into<String>, values: Vec<Value>) {
        self.parts.push((sql.into(), values));
    }

    /// Adds an `INSERT` of some rows; none adds nothing.
    pub(crate) fn insert(&mut self, head: &str, tail: &str, records: Vec<Vec<Value>>) {
        if let Some(width) = records.first().map(Vec::len) {
            self.add(
                format!("{head} VALUES {} {tail}", tuples(1, records.len(), width)),
                records.into_iter().flatten().collect(),
            );
        }
    }

    /// Runs them in the order of adding, or keeps them back. A failure may come with a later statement then, at the
    /// latest with the commit.
    pub(crate) async fn run(self, db: &impl Db) -> Result<(), StoreError> {
        if db.is_shared() { self.run_as_one(db).await } else { self.run_or_wait(db).await }
    }

    /// PostgreSQL takes one statement at a time, which may hold others.
    async fn run_as_one(self, db: &impl Db) -> Result<(), StoreError> {
        let Some(last) = self.parts.len().checked_sub(1) else { return Ok(()) };
        let (mut sql, mut values) = (String::new(), Vec::new());
        for (place, (part, own)) in self.parts.into_iter().enumerate() {
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

    /// The driver takes several statements for SQLite.
    async fn run_or_wait(self, db: &impl Db) -> Result<(), StoreError> {
        usable(db)?;
        let mut parts = self.parts.into_iter();
        let Some((sql, values)) = parts.next() else { return Ok(()) };
        let mut waiting = Waiting { sql, values };
        for (sql, values) in parts {
            waiting.append(&sql, values);
        }
        match db.keep_back(waiting) {
            None => Ok(()),
            Some(waiting) => waiting.run(db).await,
        }
    }
}

/// Statement text with the numbers of its parameters raised.
fn renumbered(sql: &str, by: usize) -> String {
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

fn usable(db: &impl Db) -> Result<(), StoreError> {
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
