//! The floor: what the same rows cost when nothing but plain SQL writes them.
//!
//! The rows are not guessed. The engine takes in and routes one message on a database of its own, and what it wrote is
//! read back: those rows are then written again and again under new ids and names, by one prepared `INSERT` each, with
//! the counters that the engine moves. Clients, size of groups and one commit per group are those of the engine.

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
const FIXED: [&str; 17] = [
    "api_token",
    "audit",
    "checkpoint",
    "credential",
    "directory_version",
    "id_block",
    "idempotency",
    "installation",
    "lease",
    "mark",
    "person",
    "person_status",
    "router_cursor",
    "seaql_migrations",
    "session",
    "timer",
    "turn",
];

/// The rows of one message that was taken in and routed.
pub struct Template {
    inserts: Vec<Insert>,
    /// The sample's ids, each once.
    ids: Vec<i64>,
    /// Ids of everybody who can own something.
    people: Vec<i64>,
    search: &'static str,
    search_words: [(usize, String); 2],
    first_no: i64,
}

struct Insert {
    table: String,
    sql: &'static str,
    columns: Vec<String>,
    cells: Vec<Cell>,
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

/// Statements of one message with their values.
type Rows = Vec<(&'static str, Vec<Cell>)>;

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
            found.and_then(|id| ids.iter().position(|known| *known == id)).with_context(|| format!("the sample has no {table}"))
        };
        let sample = message(SAMPLE);
        let contact = [sample.sender.identity.value.clone(), sample.sender.name.unwrap_or_default()].join(" ");
        let search_words = [
            (id_of("contact")?, words(&contact)),
            (id_of("message")?, words(&[sample.text, sample.subject.unwrap_or_default()].join(" "))),
        ];
        let search = if is_postgres {
            "INSERT INTO search_entry (id, words) VALUES ($1, array_to_tsvector(string_to_array($2, ' ')))"
        } else {
            "INSERT INTO search_entry (rowid, words) VALUES ($1, $2)"
        };
        Ok(Self { inserts, ids, people, search, search_words, first_no })
    }

    /// Writes one message within a transaction of the caller's; a closed one counts as nobody's open work.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn write(&self, driver: &mut Driver, serial: &str, numbers: &Numbers, is_open: bool) -> Result<()> {
        for (sql, mut cells) in self.rows(serial, numbers) {
            if !is_open && sql == COUNT {
                continue;
            }
            if let Some(insert) = self.inserts.iter().find(|insert| insert.sql == sql && insert.table == "item" && !is_open)
                && let Some(place) = insert.columns.iter().position(|column| column == "status")
            {
                cells[place] = Cell::Text(Some(String::from("closed")));
            }
            driver.execute(sql, &cells).await?;
        }
        Ok(())
    }

    /// Moves the router's cursor over so many messages, as every group does once.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn advance(&self, driver: &mut Driver, messages: i64) -> Result<()> {
        driver.execute(CURSOR, &[Cell::Number(Some(messages))]).await
    }

    /// How many rows of each table one message takes, search entries included.
    pub fn rows_per_table(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::from([("search_entry", self.search_words.len())]);
        for insert in &self.inserts {
            *counts.entry(insert.table.as_str()).or_default() += 1;
        }
        counts
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
        let mut rows: Rows = Vec::with_capacity(self.inserts.len() + 4);
        for insert in &self.inserts {
            let cells = insert.columns.iter().zip(&insert.cells).map(|(column, cell)| match (column.as_str(), cell) {
                ("no" | "consumed_no", Cell::Number(Some(_))) => Cell::Number(Some(no)),
                ("owner_id" | "user_id", Cell::Number(Some(_))) => Cell::Number(Some(person)),
                (_, Cell::Number(Some(value))) => Cell::Number(Some(new_id(*value))),
                (_, Cell::Text(Some(value))) => Cell::Text(Some(text(value))),
                (_, other) => other.clone(),
            });
            rows.push((insert.sql, cells.collect()));
        }
        for (place, words) in &self.search_words {
            let id = first + i64::try_from(*place).unwrap_or(0);
            rows.push((self.search, vec![Cell::Number(Some(id)), Cell::Text(Some(words.replace(SAMPLE, serial)))]));
        }
        rows.push((COUNT, vec![Cell::Number(Some(person))]));
        rows.push((MARK, vec![Cell::Number(Some(person)), Cell::Number(Some(no))]));
        rows
    }
}

/// Counters that the engine moves with an assignment, and once per group.
const COUNT: &str = "UPDATE person SET open_total = open_total + 1, open_mail = open_mail + 1 WHERE user_id = $1";
const MARK: &str = "INSERT INTO mark (user_id, load_group, no) VALUES ($1, 'inbox_mail', $2) \
    ON CONFLICT (user_id, load_group) DO UPDATE SET no = excluded.no";
const CURSOR: &str = "UPDATE router_cursor SET no = no + $1";

impl Insert {
    fn of(table: &str, record: Record) -> Self {
        let ours = record.into_iter().filter(|(column, cell)| {
            // What the database numbers by itself is left to it.
            let numbered = column == "seq" || (column == "id" && number(cell).is_some_and(|id| id < SAMPLE_IDS));
            !numbered
        });
        let (columns, cells): (Vec<String>, Vec<Cell>) = ours.unzip();
        let places: Vec<String> = (1..=columns.len()).map(|place| format!("${place}")).collect();
        let sql = format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), places.join(", "));
        // A handful per run, which the driver wants to keep for as long as it runs.
        Self { table: table.to_owned(), sql: String::leak(sql), columns, cells }
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
    (clients, duration): (usize, Duration),
    serials: &Serials,
    numbers: &Arc<Numbers>,
) -> Result<f64> {
    let driver = Driver::open(url).await?;
    let limit = if driver.is_postgres() { GROUPS.1 } else { GROUPS.0 };
    let (queue, jobs) = mpsc::channel::<(Rows, oneshot::Sender<()>)>(4_096);
    let writing = tokio::spawn(write_groups(driver, jobs, limit));
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

async fn write_groups(mut driver: Driver, mut jobs: mpsc::Receiver<(Rows, oneshot::Sender<()>)>, limit: usize) -> Result<()> {
    let begin = if driver.is_postgres() { "BEGIN" } else { "BEGIN IMMEDIATE" };
    let mut group = Vec::with_capacity(limit);
    while jobs.recv_many(&mut group, limit).await > 0 {
        driver.script(begin).await?;
        let count = i64::try_from(group.len()).unwrap_or(i64::MAX);
        let mut answers = Vec::with_capacity(group.len());
        for (rows, answer) in group.drain(..) {
            for (sql, cells) in &rows {
                driver.execute(sql, cells).await?;
            }
            answers.push(answer);
        }
        driver.execute(CURSOR, &[Cell::Number(Some(count))]).await?;
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

fn number(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Number(value) => *value,
        Cell::Text(_) | Cell::Bytes(_) | Cell::Bool(_) => None,
    }
}
