//! Writes that wait: rows of one table go together, however many calls or members of a group they come from.
//!
//! Most of the time of a small statement goes into switching to the thread that SQLite runs on and back, so rows are
//! kept until something has to be read, and written by few statements then (SQLite only).

use crate::row::{renumbered, tuples};
use sea_orm::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Rows of one statement, so that the statements are few and stay prepared.
const SIZES: [usize; 2] = [8, 64];
/// From this many rows of one table on it has statements of its own.
const MANY_ROWS: usize = 6;

/// Most parameters that wait, and most bytes.
const MAX_WAITING: usize = 40_000;
const MAX_WAITING_BYTES: usize = 4_000_000;

/// Tables whose rows can wait for others, in an order in which they can be written: what a row refers to comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    Contact,
    Identity,
    Item,
    /// Changes of items, each at most once.
    ItemChange,
    History,
    Message,
    Blob,
    Attachment,
    InboundKey,
    Reference,
    Participant,
    ThreadEntry,
    /// On SQLite.
    Search,
    Input,
    Event,
    Decision,
}

/// How rows of a table are written.
struct Shape {
    head: &'static str,
    tail: &'static str,
    columns: usize,
}

impl Table {
    const ALL: [Self; 16] = [
        Self::Contact,
        Self::Identity,
        Self::Item,
        Self::ItemChange,
        Self::History,
        Self::Message,
        Self::Blob,
        Self::Attachment,
        Self::InboundKey,
        Self::Reference,
        Self::Participant,
        Self::ThreadEntry,
        Self::Search,
        Self::Input,
        Self::Event,
        Self::Decision,
    ];

    const fn shape(self) -> Shape {
        let (head, tail, columns) = match self {
            Self::Contact => ("INSERT INTO contact (id, name, created_at)", "", 3),
            Self::Identity => {
                ("INSERT INTO identity (kind, value, contact_id, position)", "ON CONFLICT (kind, value) DO NOTHING", 4)
            }
            Self::Item => (
                "INSERT INTO item (id, kind, version, workspace_id, channel_id, contact_id, identity_kind, identity_value, \
                 conversation_id, ticket_id, count_key, thread_key, status, priority, ticket_type, load_group, routed, \
                 last_message_at, subject, preview, created_at, waiting_since)",
                "",
                22,
            ),
            Self::ItemChange => (
                "UPDATE item SET version = v.column2, workspace_id = v.column3, status = v.column4, priority = v.column5, \
                 owner_kind = v.column6, owner_id = v.column7, team_id = v.column8, owned_since = v.column9, \
                 unassigned_reason = v.column10, waiting_since = v.column11, snoozed_until = v.column12, \
                 last_decision = v.column13, queued_since = v.column14, due_at = v.column15",
                "WHERE item.id = v.column1",
                15,
            ),
            Self::History => ("INSERT INTO history (item_id, at, actor, change, decision_id)", "", 5),
            Self::Message => (
                "INSERT INTO message (id, conversation_id, channel_id, kind, at, sent_at, author, author_name, sender_kind, \
                 sender_value, subject, text, html, fields, recipients, addressed, bcc, language, nature, own_reference, \
                 raw_blob, details, proof)",
                "",
                23,
            ),
            Self::Blob => ("INSERT INTO blob (id, message_id, content_type, size, bytes)", "", 5),
            Self::Attachment => {
                ("INSERT INTO attachment (blob_id, message_id, position, name, content_type, content_id, size)", "", 7)
            }
            Self::InboundKey => ("INSERT INTO inbound_key (channel_id, external_id, conversation_id, message_id)", "", 4),
            Self::Reference => (
                "INSERT INTO message_reference (channel_id, reference, conversation_id, message_id)",
                "ON CONFLICT DO NOTHING",
                4,
            ),
            Self::Participant => ("INSERT INTO participant (conversation_id, kind, value)", "ON CONFLICT DO NOTHING", 3),
            Self::ThreadEntry => ("INSERT INTO thread_entry (message_id, conversation_id, external_id)", "", 3),
            Self::Search => ("INSERT OR REPLACE INTO search_entry (rowid, words)", "", 2),
            Self::Input => {
                ("INSERT INTO routing_input (at, item_id, kind, body, consumed_no, consumed_at, directory_version)", "", 7)
            }
            Self::Event => {
                ("INSERT INTO event (id, at, kind, workspace_id, item_id, conversation_id, version, message_id, user_id)", "", 9)
            }
            Self::Decision => (
                "INSERT INTO decision (id, item_id, input_seq, no, at, directory_version, decision, duration_us, refused)",
                "",
                9,
            ),
        };
        Shape { head, tail, columns }
    }

    /// The statement for exactly so many rows, with numbered parameters.
    pub(crate) fn sql(self, rows: usize) -> String {
        let Shape { head, tail, columns } = self.shape();
        let tuples = tuples(1, rows, columns);
        match self {
            Self::ItemChange if rows == 1 => format!("{} WHERE id = $1", head.replace("v.column", "$")),
            Self::ItemChange => format!("{head} FROM (VALUES {tuples}) AS v {tail}"),
            _ => format!("{head} VALUES {tuples} {tail}"),
        }
    }

    /// The statement for up to so many rows; how many there are is its first parameter, and what is not bound is
    /// not read. Numbered parameters would be looked up by their names, which takes the square of their number.
    fn sized_sql(self, size: usize) -> String {
        let Shape { head, tail, columns } = self.shape();
        let row = format!("({})", vec!["?"; columns].join(", "));
        let rows = format!("(SELECT * FROM (VALUES {}) LIMIT (SELECT n FROM k))", vec![row.as_str(); size].join(", "));
        match self {
            Self::ItemChange => format!("WITH k(n) AS (VALUES (?)) {head} FROM {rows} AS v {tail}"),
            _ => format!("WITH k(n) AS (VALUES (?)) {head} SELECT * FROM {rows} WHERE TRUE {tail}"),
        }
    }
}

/// [`Table::sized_sql`] of every table and size.
static SIZED: LazyLock<Vec<(Table, usize, String)>> = LazyLock::new(|| {
    let sized = |table: Table| SIZES.map(|size| (table, size, table.sized_sql(size)));
    Table::ALL.into_iter().flat_map(sized).collect()
});

/// The values of a row, in the order of its table's columns.
pub(crate) type Record = Vec<Value>;

/// Most rows of one statement that reads or changes many.
pub(crate) const MOST_ROWS: usize = SIZES[SIZES.len() - 1];

/// `(?, ?), (?, ?)` for at least so many rows of two, and at most [`MOST_ROWS`]. What is not bound is null, which equals
/// nothing, so few statements serve any number of rows.
pub(crate) fn blanks(rows: usize, columns: usize) -> String {
    let size = SIZES.into_iter().find(|size| *size >= rows).unwrap_or(MOST_ROWS);
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row.as_str(); size].join(", ")
}

/// Writes in an order in which they can run. Nobody asks for what they answer.
#[derive(Clone, Default)]
pub(crate) struct Writes {
    parts: Vec<Part>,
    size: Size,
}

/// How much waits.
#[derive(Clone, Copy, Default)]
pub(crate) struct Size {
    /// Parameters.
    values: usize,
    /// Bytes of texts and files.
    pub(crate) bytes: usize,
}

#[derive(Clone)]
enum Part {
    /// Rows whose order among tables does not matter.
    Rows(BTreeMap<Table, Vec<Record>>),
    /// A statement that stays behind what came before it, and before what comes after it.
    Statement(String, Vec<Value>),
}

impl Writes {
    pub(crate) const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(crate) const fn size(&self) -> Size {
        self.size
    }

    /// Every row with its table.
    pub(crate) fn records(&self) -> impl Iterator<Item = (Table, &Record)> {
        let tables = self.parts.iter().filter_map(|part| match part {
            Part::Rows(tables) => Some(tables),
            Part::Statement(..) => None,
        });
        tables.flatten().flat_map(|(table, records)| records.iter().map(|record| (*table, record)))
    }

    /// Every statement that is not made of rows.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Rows(_) => None,
            Part::Statement(sql, _) => Some(sql.as_str()),
        })
    }

    /// Adds a statement with parameters of its own, counted from 1.
    pub(crate) fn add(&mut self, sql: String, values: Vec<Value>) {
        self.size.add(&values);
        self.parts.push(Part::Statement(sql, values));
    }

    /// Adds rows.
    pub(crate) fn insert(&mut self, table: Table, records: Vec<Record>) {
        records.iter().for_each(|record| self.size.add(record));
        self.place(table, records);
    }

    fn place(&mut self, table: Table, records: Vec<Record>) {
        if records.is_empty() {
            return;
        }
        if let Some(Part::Rows(tables)) = self.parts.last_mut()
            && (table != Table::ItemChange || !tables.get(&table).is_some_and(|there| shares_key(there, &records)))
        {
            tables.entry(table).or_default().extend(records);
            return;
        }
        self.parts.push(Part::Rows(BTreeMap::from([(table, records)])));
    }

    /// Adds what came later.
    pub(crate) fn join(&mut self, later: Self) {
        self.size = self.size.and(later.size);
        for part in later.parts {
            match part {
                Part::Rows(tables) => tables.into_iter().for_each(|(table, records)| self.place(table, records)),
                statement @ Part::Statement(..) => self.parts.push(statement),
            }
        }
    }

    /// Whether some table has rows enough for statements of its own.
    pub(crate) fn are_many(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Rows(tables) => tables.values().any(|records| records.len() >= MANY_ROWS),
            Part::Statement(..) => false,
        })
    }

    /// Everything as one text of several statements, with the parameters of all of them.
    pub(crate) fn into_one(self) -> (String, Vec<Value>) {
        let (mut sql, mut values) = (String::new(), Vec::new());
        let mut append = |text: &str, own: Vec<Value>| {
            if !sql.is_empty() {
                sql.push_str("; ");
            }
            sql.push_str(&renumbered(text, values.len()));
            values.extend(own);
        };
        for part in self.parts {
            match part {
                Part::Rows(tables) => tables
                    .into_iter()
                    .for_each(|(table, records)| append(&table.sql(records.len()), records.into_iter().flatten().collect())),
                Part::Statement(text, own) => append(&text, own),
            }
        }
        (sql, values)
    }

    /// One statement after the other.
    pub(crate) fn into_statements(self) -> Vec<(String, Vec<Value>)> {
        let mut statements = Vec::new();
        for part in self.parts {
            match part {
                Part::Rows(tables) => {
                    for (table, records) in tables {
                        add_sized(&mut statements, table, records);
                    }
                }
                Part::Statement(sql, values) => statements.push((sql, values)),
            }
        }
        statements
    }
}

impl Size {
    /// Whether it is too much to wait for longer.
    pub(crate) const fn is_large(self) -> bool {
        self.values > MAX_WAITING || self.bytes > MAX_WAITING_BYTES
    }

    /// Both together.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self { values: self.values + other.values, bytes: self.bytes + other.bytes }
    }

    fn add(&mut self, values: &[Value]) {
        self.values += values.len();
        for value in values {
            self.bytes += match value {
                Value::String(Some(text)) => text.len(),
                Value::Bytes(Some(bytes)) => bytes.len(),
                _ => 0,
            };
        }
    }
}

fn add_sized(statements: &mut Vec<(String, Vec<Value>)>, table: Table, records: Vec<Record>) {
    let mut records = records.into_iter();
    while records.len() > 0 {
        let size = SIZES.into_iter().find(|size| *size >= records.len()).unwrap_or(SIZES[SIZES.len() - 1]);
        let count = records.len().min(size);
        if count == 1 {
            statements.push((table.sql(1), records.next().unwrap_or_default()));
            continue;
        }
        let sql = SIZED.iter().find(|(of, rows, _)| (*of, *rows) == (table, size)).map(|(_, _, sql)| sql.clone());
        let mut values = Vec::with_capacity(1 + count * table.shape().columns);
        values.push(Value::BigInt(i64::try_from(count).ok()));
        values.extend(records.by_ref().take(count).flatten());
        statements.push((sql.expect("every table has a statement of every size"), values));
    }
}

/// Whether rows change what others change, by the first of their values.
fn shares_key(there: &[Record], more: &[Record]) -> bool {
    more.iter().any(|record| there.iter().any(|other| other.first() == record.first()))
}

#[cfg(test)]
mod tests {
    use super::{SIZES, Table, Writes};
    use crate::row::values;

    fn texts(writes: Writes) -> Vec<String> {
        writes
            .into_statements()
            .into_iter()
            .map(|(sql, values)| format!("{} | {}", &sql[..sql.len().min(24)], values.len()))
            .collect()
    }

    #[test]
    fn rows_of_one_table_go_together_behind_what_they_refer_to() {
        let mut writes = Writes::default();
        writes.insert(Table::History, vec![values![1_i64, 0_i64, "", "", None::<i64>]]);
        writes.insert(Table::Contact, vec![values![1_i64, "Kari", 0_i64]]);
        let mut later = Writes::default();
        later.insert(Table::Contact, vec![values![2_i64, "Ola", 0_i64]]);
        writes.join(later);
        let (sql, values) = writes.clone().into_one();
        assert!(
            sql.starts_with("INSERT INTO contact (id, name, created_at) VALUES ($1, $2, $3), ($4, $5, $6) ; INSERT INTO history")
        );
        assert!(sql.ends_with("VALUES ($7, $8, $9, $10, $11) "), "{sql}");
        assert_eq!(values.len(), 11);
        assert_eq!(texts(writes), ["WITH k(n) AS (VALUES (?) | 7", "INSERT INTO history (ite | 5"]);
    }

    #[test]
    fn nothing_passes_a_statement() {
        let mut writes = Writes::default();
        writes.insert(Table::Contact, vec![values![1_i64, "Kari", 0_i64]]);
        writes.add("UPDATE contact SET name = $1".to_owned(), values!["Ola"]);
        writes.insert(Table::Contact, vec![values![2_i64, "Kari", 0_i64]]);
        assert_eq!(
            texts(writes),
            ["INSERT INTO contact (id, | 3", "UPDATE contact SET name  | 1", "INSERT INTO contact (id, | 3"]
        );
    }

    #[test]
    fn a_second_change_of_an_item_comes_after_the_first() {
        let change = |id: i64| (0..15).flat_map(|_| values![id]).collect::<Vec<_>>();
        let mut writes = Writes::default();
        writes.insert(Table::ItemChange, vec![change(1), change(2)]);
        writes.insert(Table::ItemChange, vec![change(3)]);
        writes.insert(Table::ItemChange, vec![change(2)]);
        assert_eq!(texts(writes), ["WITH k(n) AS (VALUES (?) | 46", "UPDATE item SET version  | 15"]);
    }

    #[test]
    fn many_rows_take_few_statements() {
        let mut writes = Writes::default();
        writes.insert(Table::Search, (0..150_i64).map(|id| values![id, "word"]).collect());
        let counts: Vec<_> = writes.into_statements().into_iter().map(|(_, values)| values.len()).collect();
        assert_eq!(counts, [1 + 2 * SIZES[1], 1 + 2 * SIZES[1], 1 + 2 * 22]);
    }
}
