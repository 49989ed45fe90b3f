//! Reads typed values out of a TOML table and collects what does not fit, so that every fault is shown at once.

use crate::language::{Text, well_formed};
use switchboard_model::Fault;
use toml::{Table, Value};

/// A table being read, with the place for its faults.
pub(crate) struct Reader<'a> {
    table: &'a Table,
    /// Full key of the table, ending in a dot.
    prefix: String,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Reader<'a> {
    /// Reads a table whose full key is `prefix`, which ends in a dot.
    pub(crate) fn new(table: &'a Table, prefix: String, faults: &'a mut Vec<Fault>) -> Self {
        Self { table, prefix, faults }
    }

    /// Notes that a key is wrong.
    pub(crate) fn fault(&mut self, key: &str, message: &str) {
        self.faults.push(Fault::new(format!("{}{key}", self.prefix), message));
    }

    /// Whether the table has the key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The value of a key as it stands.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.table.get(key)
    }

    /// A text.
    pub(crate) fn string(&mut self, key: &str) -> Option<String> {
        match self.table.get(key)? {
            Value::String(text) => Some(text.trim().to_owned()),
            other => self.wrong(key, other, "a text in quotes"),
        }
    }

    /// Yes or no.
    pub(crate) fn truth(&mut self, key: &str) -> Option<bool> {
        match self.table.get(key)? {
            Value::Boolean(truth) => Some(*truth),
            other => self.wrong(key, other, "true or false"),
        }
    }

    /// A whole number within bounds.
    pub(crate) fn whole<N: TryFrom<i64>>(&mut self, key: &str, least: i64, most: i64, default: i64) -> N {
        let found = match self.table.get(key) {
            None => default,
            Some(Value::Integer(number)) if (least..=most).contains(number) => *number,
            Some(other) => self.wrong(key, other, &format!("a whole number from {least} to {most}")).unwrap_or(default),
        };
        let fits = N::try_from(found).ok();
        fits.expect("bounds and default of a setting fit its type")
    }

    /// A list of texts; empty when absent.
    pub(crate) fn strings(&mut self, key: &str) -> Vec<String> {
        let allowed = "a list of texts, such as [\"one\", \"two\"]";
        match self.table.get(key) {
            None => Vec::new(),
            Some(Value::Array(entries)) if entries.iter().all(Value::is_str) => {
                entries.iter().filter_map(Value::as_str).map(|text| text.trim().to_owned()).collect()
            }
            Some(other) => self.wrong(key, other, allowed).unwrap_or_default(),
        }
    }

    /// A text, or a table of one text per language.
    pub(crate) fn text(&mut self, key: &str) -> Option<Text> {
        let value = self.table.get(key)?;
        self.text_of(key, value)
    }

    /// The same for a value found elsewhere, with faults at `key`.
    pub(crate) fn text_of(&mut self, key: &str, value: &Value) -> Option<Text> {
        match value {
            Value::String(text) if !text.trim().is_empty() => Some(Text::Plain(text.trim().to_owned())),
            Value::Table(texts) if !texts.is_empty() => {
                let mut several = std::collections::BTreeMap::new();
                for (tag, text) in texts {
                    match (well_formed(tag), text.as_str().map(str::trim)) {
                        (Some(tag), Some(text)) if !text.is_empty() => {
                            several.insert(tag.to_ascii_lowercase(), text.to_owned());
                        }
                        _ => self.fault(&format!("{key}.{tag}"), "it is a language tag with a text, such as nb = \"Navn\""),
                    }
                }
                (!several.is_empty()).then_some(Text::Several(several))
            }
            other => self.wrong(key, other, "a text, or a text per language such as { en = \"Name\", nb = \"Navn\" }"),
        }
    }

    /// A reader for a table inside, at `key`.
    pub(crate) fn inside<'b>(&'b mut self, key: &str, table: &'b Table) -> Reader<'b> {
        Reader { table, prefix: format!("{}{key}.", self.prefix), faults: self.faults }
    }

    /// Notes that a value is of the wrong shape; what was found is named by type and, when short, by value.
    pub(crate) fn wrong<T>(&mut self, key: &str, found: &Value, allowed: &str) -> Option<T> {
        let shown = found.to_string();
        let shown = if shown.len() <= 40 { format!("`{shown}`") } else { format!("a longer {}", found.type_str()) };
        self.fault(key, &format!("found {shown}; it is {allowed}"));
        None
    }
}
