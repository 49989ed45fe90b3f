//! A database of a test's own, and a look into it that does not go through the program under test.

use crate::postgres;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A row by column.
pub type Row = Map<String, Value>;

/// A database that belongs to one test.
pub enum Database {
    /// A file that the host makes.
    Sqlite {
        /// Where.
        path: PathBuf,
    },
    /// A database of a cluster, dropped at the end.
    Postgres {
        /// Address of the administrator's database.
        admin: String,
        /// Name of this one.
        name: String,
    },
}

/// Asks SQLite from outside: Debian's Python has it built in. Reads only, unless told to write.
const ASK_SQLITE: &str = "
import json, sqlite3, sys
path, mode, sql = sys.argv[1:4]
connection = sqlite3.connect(f'file:{path}?mode={mode}', uri=True, timeout=60)
connection.row_factory = sqlite3.Row
print(json.dumps([dict(row) for row in connection.execute(sql).fetchall()]))
connection.commit()
";

impl Database {
    /// A SQLite file in a folder; the host will make it.
    #[must_use]
    pub fn sqlite_in(folder: &Path) -> Self {
        Self::Sqlite { path: folder.join("data/switchboard.db") }
    }

    /// A fresh, empty PostgreSQL database.
    ///
    /// # Panics
    /// When there is no PostgreSQL.
    #[must_use]
    pub fn postgres() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let admin = postgres::admin();
        let name = format!("e2e_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        postgres::run(&admin, &format!("CREATE DATABASE {name}")).expect("a database can be made");
        Self::Postgres { admin, name }
    }

    /// The address as the configuration names it.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { path } => format!("sqlite:{}", path.display()),
            Self::Postgres { admin, name } => postgres::beside(admin, name),
        }
    }

    /// Whether several hosts may share it.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }

    /// The rows of a query.
    ///
    /// # Panics
    /// When the query fails.
    #[must_use]
    pub fn rows(&self, sql: &str) -> Vec<Row> {
        let text = match self {
            Self::Sqlite { path } => ask_sqlite(path, "ro", sql),
            Self::Postgres { .. } => {
                let wrapped = format!("SELECT COALESCE(json_agg(found), '[]') FROM ({sql}) AS found");
                postgres::run(&self.url(), &wrapped)
            }
        };
        serde_json::from_str(&text.expect("the query runs")).expect("rows are JSON")
    }

    /// The one number that a query answers with, in a column called `n`.
    ///
    /// # Panics
    /// When the query fails or answers with anything else.
    #[must_use]
    pub fn number(&self, sql: &str) -> i64 {
        let rows = self.rows(sql);
        rows.first().and_then(|row| row.get("n")?.as_i64()).unwrap_or_else(|| panic!("{sql} gave {rows:?}"))
    }

    /// Changes the database behind the program's back.
    ///
    /// # Panics
    /// When the statement fails.
    pub fn tamper(&self, sql: &str) {
        let done = match self {
            Self::Sqlite { path } => ask_sqlite(path, "rw", sql),
            Self::Postgres { .. } => postgres::run(&self.url(), sql),
        };
        done.expect("the statement runs");
    }

    /// What the database says about its own condition; empty when it is sound.
    #[must_use]
    pub fn damage(&self) -> String {
        match self {
            Self::Sqlite { .. } => {
                let rows = self.rows("PRAGMA integrity_check");
                let words = rows.iter().filter_map(|row| row.get("integrity_check")?.as_str()).filter(|word| *word != "ok");
                words.collect::<Vec<_>>().join("\n")
            }
            Self::Postgres { .. } => String::new(),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { admin, name } = self
            && let Err(error) = postgres::run(admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        {
            eprintln!("a test database was left behind: {error}");
        }
    }
}

fn ask_sqlite(path: &Path, mode: &str, sql: &str) -> Result<String, String> {
    let output = Command::new("/usr/bin/python3")
        .args(["-c", ASK_SQLITE])
        .arg(path)
        .args([mode, sql])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("/usr/bin/python3: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{sql}: {}", String::from_utf8_lossy(&output.stderr)))
}
