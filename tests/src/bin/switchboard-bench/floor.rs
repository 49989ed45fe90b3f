//! The floor: what the same rows cost when nothing but plain SQL writes them.
//!
//! The rows are not guessed. The engine takes in and routes one message on a database of its own, and what it wrote is
//! read back: those rows are then written again and again under new ids and names, with the counters that the engine
//! moves. Clients, size of groups and one commit per group are those of the engine.
//!
//! There are two ways. [`Way::Rows`] writes every row by a prepared `INSERT` of its own, as plain programs do.
//! [`Way::Groups`] writes the rows of a whole group by one `INSERT` per table, which is the least that the driver allows:
//! it takes no heed of members that fail alone.

use crate::desk::{AGENTS, Desk, Serials, message};
use crate::driver::{Cell, Driver, Record};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use switchboard_model::fold;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// Ids of the sample begin here, so that they are known from every other number, even within JSON.
const SAMPLE_IDS: i64 = 700_000_000_000;
/// Ids of what the floor writes.
const FIRST_ID: i64 = 800_000_000_000;
/// What tells the sample's texts from those of others.
const SAMPLE: &str = "xfeedc0defeedc0d";
/// Most members of a group, as the engine's writer has them: on SQLite and on PostgreSQL.
const GROUPS: (usize, usize) = (256, 60);
/// Tables that do not grow with messages. The search index is written apart, because it cannot be read back.
const FIXED: [&str; 15] = [
    "api_token",
    "audit",
    "checkpoint",
    "credential",
    "directory_version",
    "id_block",
    "idempotency",
    "installation",
    "lease",
    "person",
    "person_status",
    "router_cursor",
    "seaql_migrations",
    "session",
    "timer",
];

/// How the floor writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One statement per row.
    Rows,
    /// One statement per table and group.
    Groups,
}

/// The rows of one message that was taken in and routed.
pub struct Template {
    inserts: Vec<Insert>,
    /// The sample's ids, each once.
    ids: Vec<i64>,
    /// Ids of everybody who can own something.
    people: Vec<i64>,
    first_no: i64,
}

struct Insert {
    table: String,
    head: String,
    columns: Vec<String>,
    cells: Vec<Cell>,
    /// Around parameters, by column, where a value is not stored as it is.
    wrapped: Option<(&'static str, &'static str)>,
}

/// Numbers that are given out once, over several runs on one database.
pub struct Numbers {
    ids: AtomicI64,
    messages: AtomicI64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { ids: AtomicI64::new(FIRST_ID), messages: AtomicI64::new(0) }
    }
}

/// The values of one message, for each of the template's statements.
struct Rows {
    cells: Vec<Vec<Cell>>,
    person: i64,
}

impl Template {
    /// Has the engine take in and route one message on an empty database, and reads back what it wrote. The database
    /// is left ready for the floor.
    ///
    /// # Errors
    /// When the database cannot be used, or holds what the floor does not understand.
    pub async fn sample(url: &str) -> Result<Self> {
        let desk = Desk::open(url).await?;
        // The directory itself is an input, which must not be taken for the message's.
        desk.routed().await?;
        desk.close().await?;
        let mut driver = Driver::open(url).await?;
        driver.script(&format!("UPDATE id_block SET next_id = {SAMPLE_IDS}")).await?;
        let before = content(&mut driver).await?;
        driver.close().await;
        let desk = Desk::open(url).await?;
        desk.engine.take_in(message(SAMPLE)).await?;
        desk.routed().await?;
        desk.close().await?;
        let mut driver = Driver::open(url).await?;
        let after = content(&mut driver).await?;
        let people = driver.rows("SELECT user_id FROM person ORDER BY user_id").await?;
        let first_no = driver.number("SELECT no FROM router_cursor").await?;
        let is_postgres = driver.is_postgres();
        driver.close().await;
        let people: Vec<i64> = people.into_iter().filter_map(|row| number(&row[0].1)).collect();
        ensure!(people.len() == AGENTS, "{} people are in the database", people.len());
        Self::from_rows(&before, after, people, first_no, is_postgres)
    }

    fn from_rows(
        before: &BTreeMap<String, Vec<Record>>,
        after: BTreeMap<String, Vec<Record>>,
        people: Vec<i64>,
        first_no: i64,
        is_postgres: bool,
    ) -> Result<Self> {
        let mut inserts = Vec::new();
        for (table, rows) in after {
            let old = before.get(&table).map_or(&[][..], Vec::as_slice);
            for record in rows.into_iter().filter(|row| !old.contains(row)) {
                inserts.push(Insert::of(&table, record));
            }
        }
        // A row comes after those that it refers to.
        let order = ["contact", "identity", "item", "message"];
        inserts.sort_by_key(|insert| order.iter().position(|table| *table == insert.table).unwrap_or(order.len()));
        let mut ids: Vec<i64> = inserts.iter().flat_map(|insert| &insert.cells).filter_map(number).collect();
        ids.retain(|id| *id >= SAMPLE_IDS && *id < FIRST_ID);
        ids.sort_unstable();
        ids.dedup();
        let id_of = |table: &str| {
            let found = inserts.iter().find(|insert| insert.table == table).and_then(|insert| insert.id());
            found.filter(|id| ids.contains(id)).with_context(|| format!("the sample has no {table}"))
        };
        let sample = message(SAMPLE);
        let contact = [sample.sender.identity.value.clone(), sample.sender.name.unwrap_or_default()].join(" ");
        let text = [sample.text, sample.subject.unwrap_or_default()].join(" ");
        let entries = [(id_of("contact")?, words(&contact)), (id_of("message")?, words(&text))];
        inserts.extend(entries.map(|(id, words)| Insert::search_entry(id, words, is_postgres)));
        Ok(Self { inserts, ids, people, first_no })
    }

    /// How many rows of each table one message takes, search entries included, counters not.
    pub fn rows_per_table(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for insert in &self.inserts {
            *counts.entry(insert.table.as_str()).or_default() += 1;
        }
        counts
    }

    /// Writes messages within a transaction of the caller's; those that are closed count as nobody's open work.
    async fn write(&self, driver: &mut Driver, group: &[Rows], way: Way, is_open: bool) -> Result<()> {
        for (place, insert) in self.inserts.iter().enumerate() {
            match way {
                Way::Rows => {
                    let sql = insert.sql(1);
                    for rows in group {
                        driver.execute(&sql, &rows.cells[place]).await?;
                    }
                }
                Way::Groups => {
                    let cells: Vec<Cell> = group.iter().flat_map(|rows| rows.cells[place].iter().cloned()).collect();
                    driver.execute(&insert.sql(group.len()), &cells).await?;
                }
            }
        }
        let people: Vec<Cell> = group.iter().map(|rows| Cell::Number(Some(rows.person))).collect();
        match way {
            _ if !is_open => {}
            Way::Rows => {
                for person in people {
                    driver.execute(&format!("{COUNT} = $1"), &[person]).await?;
                }
            }
            Way::Groups => driver.execute(&format!("{COUNT} IN ({})", places(1, people.len())), &people).await?,
        }
        let count = i64::try_from(group.len()).unwrap_or(i64::MAX);
        driver.execute("UPDATE router_cursor SET no = no + $1", &[Cell::Number(Some(count))]).await
    }

    /// Writes so many messages, none of them for anybody's open work unless `are_open`, in one transaction.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn fill(
        &self,
        driver: &mut Driver,
        count: u64,
        are_open: bool,
        serials: &Serials,
        numbers: &Numbers,
    ) -> Result<()> {
        driver.script("BEGIN IMMEDIATE").await?;
        let mut left = count;
        while left > 0 {
            let portion = left.min(FILL_GROUP);
            let mut group: Vec<Rows> = (0..portion).map(|_| self.rows(&serials.next(), numbers)).collect();
            if !are_open {
                group.iter_mut().for_each(|rows| self.close(rows));
            }
            self.write(driver, &group, Way::Groups, are_open).await?;
            left -= portion;
        }
        driver.script("COMMIT").await
    }

    fn close(&self, rows: &mut Rows) {
        for (place, insert) in self.inserts.iter().enumerate().filter(|(_, insert)| insert.table == "item") {
            if let Some(column) = insert.columns.iter().position(|column| column == "status") {
                rows.cells[place][column] = Cell::Text(Some(String::from("closed")));
            }
        }
    }

    /// The rows of another message: the sample's under new ids and names.
    fn rows(&self, serial: &str, numbers: &Numbers) -> Rows {
        let number = numbers.messages.fetch_add(1, Ordering::Relaxed);
        let count = i64::try_from(self.ids.len()).unwrap_or(i64::MAX);
        let first = numbers.ids.fetch_add(count, Ordering::Relaxed);
        let renamed: Vec<(String, String)> =
            self.ids.iter().zip(first..).map(|(old, new)| (old.to_string(), new.to_string())).collect();
        let new_id = |old: i64| self.ids.binary_search(&old).map_or(old, |place| first + i64::try_from(place).unwrap_or(0));
        let person = self.people[usize::try_from(number).unwrap_or(0) % self.people.len()];
        let no = self.first_no + 1 + number;
        let text = |text: &str| {
            let mut text = text.replace(SAMPLE, serial);
            if text.starts_with('{') {
                for (old, new) in &renamed {
                    text = text.replace(old, new);
                }
            }
            text
        };
        let cells = self.inserts.iter().map(|insert| {
            let cells = insert.columns.iter().zip(&insert.cells).map(|(column, cell)| match (column.as_str(), cell) {
                ("no" | "consumed_no", Cell::Number(Some(_))) => Cell::Number(Some(no)),
                ("owner_id" | "user_id", Cell::Number(Some(_))) => Cell::Number(Some(person)),
                (_, Cell::Number(Some(value))) => Cell::Number(Some(new_id(*value))),
                (_, Cell::Text(Some(value))) => Cell::Text(Some(text(value))),
                (_, other) => other.clone(),
            });
            cells.collect()
        });
        Rows { cells: cells.collect(), person }
    }
}

/// The counters that the engine moves with an assignment, up to the person.
const COUNT: &str = "UPDATE person SET open_total = open_total + 1, open_mail = open_mail + 1 WHERE user_id";
/// Messages whose rows are written at once when a database is filled; no more than there are people, each of whom is
/// counted once per statement.
const FILL_GROUP: u64 = 50;

impl Insert {
    fn of(table: &str, record: Record) -> Self {
        let ours = record.into_iter().filter(|(column, cell)| {
            // What the database numbers by itself is left to it.
            let numbered = column == "seq" || (column == "id" && number(cell).is_some_and(|id| id < SAMPLE_IDS));
            !numbered
        });
        let (columns, cells): (Vec<String>, Vec<Cell>) = ours.unzip();
        let head = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
        Self { table: table.to_owned(), head, columns, cells, wrapped: None }
    }

    fn search_entry(id: i64, words: String, is_postgres: bool) -> Self {
        let column = if is_postgres { "id" } else { "rowid" };
        let record = vec![(column.to_owned(), Cell::Number(Some(id))), ("words".to_owned(), Cell::Text(Some(words)))];
        let wrapped = is_postgres.then_some(("words", "array_to_tsvector(string_to_array(?, ' '))"));
        Self { wrapped, ..Self::of("search_entry", record) }
    }

    /// The statement for so many rows.
    fn sql(&self, rows: usize) -> String {
        let width = self.columns.len();
        let tuple = |row: usize| {
            let place = |(column, number): (&String, usize)| match self.wrapped {
                Some((wrapped, around)) if wrapped == column => around.replace('?', &format!("${number}")),
                _ => format!("${number}"),
            };
            let values: Vec<String> = self.columns.iter().zip(1 + row * width..).map(place).collect();
            format!("({})", values.join(", "))
        };
        let tuples: Vec<String> = (0..rows).map(tuple).collect();
        format!("{}{}", self.head, tuples.join(", "))
    }

    fn id(&self) -> Option<i64> {
        self.columns.iter().position(|column| column == "id").and_then(|place| number(&self.cells[place]))
    }
}

/// Writes messages of some clients for a while and answers with messages per second.
///
/// # Errors
/// When a statement fails.
pub async fn rate(
    url: &str,
    template: &Arc<Template>,
    way: Way,
    (clients, duration): (usize, Duration),
    serials: &Serials,
    numbers: &Arc<Numbers>,
) -> Result<f64> {
    let driver = Driver::open(url).await?;
    let limit = if driver.is_postgres() { GROUPS.1 } else { GROUPS.0 };
    let (queue, jobs) = mpsc::channel::<(Rows, oneshot::Sender<()>)>(4_096);
    let writing = tokio::spawn(write_groups(driver, Arc::clone(template), way, jobs, limit));
    let started = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..clients {
        let (queue, template, serials, numbers) = (queue.clone(), Arc::clone(template), serials.clone(), Arc::clone(numbers));
        writers.spawn(async move {
            let mut written = 0_u64;
            while started.elapsed() < duration {
                let rows = template.rows(&serials.next(), &numbers);
                let (answer, answered) = oneshot::channel();
                queue.send((rows, answer)).await.context("the floor's writer is gone")?;
                answered.await.context("the floor's writer failed")?;
                written += 1;
            }
            anyhow::Ok(written)
        });
    }
    drop(queue);
    let mut written = 0;
    let mut failed = None;
    while let Some(done) = writers.join_next().await {
        match done.context("a client panicked")? {
            Ok(count) => written += count,
            Err(error) => failed = Some(error),
        }
    }
    let elapsed = started.elapsed().as_secs_f64();
    // The writer knows better than its clients what went wrong.
    writing.await.context("the floor's writer panicked")??;
    failed.map_or(Ok(written as f64 / elapsed), Err)
}

async fn write_groups(
    mut driver: Driver,
    template: Arc<Template>,
    way: Way,
    mut jobs: mpsc::Receiver<(Rows, oneshot::Sender<()>)>,
    limit: usize,
) -> Result<()> {
    let begin = if driver.is_postgres() { "BEGIN" } else { "BEGIN IMMEDIATE" };
    let mut group = Vec::with_capacity(limit);
    while jobs.recv_many(&mut group, limit).await > 0 {
        let (rows, answers): (Vec<Rows>, Vec<_>) = group.drain(..).unzip();
        driver.script(begin).await?;
        template.write(&mut driver, &rows, way, true).await?;
        driver.script("COMMIT").await?;
        for answer in answers {
            // A client that has gone needs no answer.
            let _ = answer.send(());
        }
    }
    driver.close().await;
    Ok(())
}

/// Everything in the tables that grow with messages.
async fn content(driver: &mut Driver) -> Result<BTreeMap<String, Vec<Record>>> {
    let mut content = BTreeMap::new();
    for table in driver.tables().await? {
        if !FIXED.contains(&table.as_str()) && !table.starts_with("search_entry") {
            let rows = driver.rows(&format!("SELECT * FROM {table}")).await?;
            content.insert(table, rows);
        }
    }
    Ok(content)
}

/// The distinct folded words of a text, as a search entry keeps them.
fn words(text: &str) -> String {
    let folded = fold(text);
    let unique: std::collections::BTreeSet<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    unique.into_iter().collect::<Vec<_>>().join(" ")
}

/// `$3, $4, $5` for a start of 3 and a count of 3.
fn places(start: usize, count: usize) -> String {
    (start..start + count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

fn number(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Number(value) => *value,
        Cell::Text(_) | Cell::Bytes(_) | Cell::Bool(_) => None,
    }
}
