//! Reads one TOML table key by key, so that every fault of a file is reported at once.

use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use switchboard_model::{Fault, nearest};
use toml::{Table, Value};

/// One table of a file. Take each known key, then [`finish`](Entry::finish): whatever is left is unknown.
pub struct Entry {
    /// The key path of the table, such as `users[2]`; empty for the file itself.
    pub path: String,
    table: Table,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl Entry {
    /// The table at a path.
    #[must_use]
    pub fn new(path: impl Into<String>, table: Table) -> Self {
        Self { path: path.into(), table, known: Vec::new(), faults: Vec::new() }
    }

    /// The value of a key, `None` when it is absent or faulty.
    pub fn optional<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<T> {
        self.known.push(key);
        let value = self.table.remove(key)?;
        match value.try_into() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, error.message().trim().replace('\n', " "));
                None
            }
        }
    }

    /// The value of a key that must be there; `T::default()` stands in when it is not, beside the fault.
    pub fn required<T: DeserializeOwned + Default>(&mut self, key: &'static str) -> T {
        self.required_or(key, T::default())
    }

    /// A text that must be there and say something; the empty text stands in when it does not, beside the fault.
    pub fn required_text(&mut self, key: &'static str) -> String {
        let faults = self.faults.len();
        let text: String = self.required(key);
        if text.trim().is_empty() && self.faults.len() == faults {
            self.fault(key, "must not be empty");
        }
        text.trim().to_owned()
    }

    /// The value of a key that must be there; `instead` stands in when it is not or is faulty, beside the fault.
    pub fn required_or<T: DeserializeOwned>(&mut self, key: &'static str, instead: T) -> T {
        if !self.table.contains_key(key) {
            self.known.push(key);
            self.fault(key, "missing");
            return instead;
        }
        self.optional(key).unwrap_or(instead)
    }

    /// Whether a key is there and has not been taken yet.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Takes a key without looking at its value.
    pub fn skip(&mut self, key: &'static str) {
        self.known.push(key);
        self.table.remove(key);
    }

    /// The values of a list, each read on its own, so that each has its own fault; none when absent.
    pub fn list<T>(&mut self, key: &'static str, read: impl Fn(Value) -> Result<T, String>) -> Vec<T> {
        self.known.push(key);
        let values = match self.table.remove(key) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(other) => {
                self.fault(key, format!("must be a list, not {}", other.type_str()));
                return Vec::new();
            }
        };
        let mut found = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            match read(value) {
                Ok(value) => found.push(value),
                Err(message) => self.fault(&format!("{key}[{index}]"), message),
            }
        }
        found
    }

    /// The values of a table by name, each read on its own; none when absent.
    pub fn named<T: DeserializeOwned>(&mut self, key: &'static str) -> BTreeMap<String, T> {
        let Some(entry) = self.entry(key) else { return BTreeMap::new() };
        let mut found = BTreeMap::new();
        for (name, value) in entry.table {
            match value.try_into() {
                Ok(value) => drop(found.insert(name, value)),
                Err(error) => self.fault(&format!("{key}.\"{name}\""), error.message().trim().replace('\n', " ")),
            }
        }
        found
    }

    /// The tables of a list, each read to its end by `read`; none when absent.
    pub fn each<T>(&mut self, key: &'static str, read: impl Fn(&mut Self) -> T) -> Vec<T> {
        let mut all = Vec::new();
        for mut entry in self.entries(key) {
            all.push(read(&mut entry));
            self.absorb(entry);
        }
        all
    }

    /// As [`entries`](Self::entries), for a list that must be there.
    pub fn required_entries(&mut self, key: &'static str) -> Vec<Self> {
        if !self.table.contains_key(key) {
            self.fault(key, "missing");
        }
        self.entries(key)
    }

    /// Ends the reading of a table inside this one; its faults become this one's.
    pub fn absorb(&mut self, inner: Self) {
        inner.finish(&mut self.faults);
    }

    /// The tables of an array of tables, each as an entry of its own; none when absent.
    pub fn entries(&mut self, key: &'static str) -> Vec<Self> {
        self.known.push(key);
        let Some(value) = self.table.remove(key) else { return Vec::new() };
        let Value::Array(values) = value else {
            self.fault(key, "must be a list of tables, written as `[[…]]` or `[{ … }]`");
            return Vec::new();
        };
        let mut entries = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let path = self.at(&format!("{key}[{index}]"));
            match value {
                Value::Table(table) => entries.push(Self::new(path, table)),
                other => self.faults.push(Fault::new(path, format!("must be a table, not {}", other.type_str()))),
            }
        }
        entries
    }

    /// The table at a key as an entry of its own.
    pub fn entry(&mut self, key: &'static str) -> Option<Self> {
        self.known.push(key);
        match self.table.remove(key)? {
            Value::Table(table) => Some(Self::new(self.at(key), table)),
            other => {
                self.fault(key, format!("must be a table, not {}", other.type_str()));
                None
            }
        }
    }

    /// The table at a key, read to its end by `read`; `None` when absent or no table.
    pub fn nested<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let mut entry = self.entry(key)?;
        let found = read(&mut entry);
        self.absorb(entry);
        Some(found)
    }

    /// The tables below a key by name, each as an entry of its own.
    pub fn named_entries(&mut self, key: &'static str) -> Vec<(String, Self)> {
        let Some(table) = self.entry(key) else { return Vec::new() };
        let path = table.path;
        let mut entries = Vec::new();
        for (name, value) in table.table {
            let path = format!("{path}.{name}");
            match value {
                Value::Table(table) => entries.push((name, Self::new(path, table))),
                other => self.faults.push(Fault::new(path, format!("must be a table, not {}", other.type_str()))),
            }
        }
        entries
    }

    /// Records a fault at a key of this table.
    pub fn fault(&mut self, key: &str, message: impl Into<String>) {
        let fault = Fault::new(self.at(key), message);
        self.faults.push(fault);
    }

    /// Records a fault of this table as a whole.
    pub fn fault_of_all(&mut self, message: impl Into<String>) {
        self.faults.push(Fault::new(self.path.clone(), message));
    }

    /// What has not been taken, as it stands.
    #[must_use]
    pub fn into_rest(self) -> (Table, Vec<Fault>) {
        (self.table, self.faults)
    }

    /// Ends the reading: every key that nobody asked for is a fault. Faults go to `all`.
    pub fn finish(mut self, all: &mut Vec<Fault>) {
        for key in std::mem::take(&mut self.table).keys() {
            let hint = match nearest(key, self.known.iter().copied()) {
                Some(near) => format!("; did you mean `{near}`?"),
                None => format!("; known are {}", self.known.join(", ")),
            };
            self.fault(key, format!("unknown key `{key}`{hint}"));
        }
        all.append(&mut self.faults);
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}
