//! A channel's section of the configuration, read with every fault collected.

use serde::de::DeserializeOwned;
use std::fmt;
use switchboard_model::{Fault, nearest};
use toml::{Table, Value};

/// The table below `[channels.SLUG]`, without `kind`. `Debug` shows the keys only, because values may be secrets.
#[derive(Clone)]
pub struct Settings {
    /// The channel's slug.
    pub slug: String,
    /// The keys that it has.
    pub table: Table,
    /// The folder of the configuration file, which relative paths start from.
    pub folder: std::path::PathBuf,
}

impl Settings {
    /// Reads the table into a struct, after checking each key against the documented ones.
    ///
    /// Unknown and missing keys and values that do not fit are all reported, each with its key; unknown ones with the
    /// nearest known name, in arrays of tables as well (`fields.*.name` documents a key of each element).
    ///
    /// # Errors
    /// Every fault at once.
    pub fn read<T: DeserializeOwned>(&self, documented: &[crate::SettingDoc]) -> Result<T, Vec<Fault>> {
        let mut faults = Vec::new();
        self.unknown_keys(&self.table, "", documented, &mut faults);
        self.missing_keys(documented, &mut faults);
        match self.values(&mut faults) {
            Some(value) if faults.is_empty() => Ok(value),
            _ => Err(faults),
        }
    }

    /// The struct, if the table is one once every value that does not fit has been reported and left out.
    ///
    /// A reader stops at the first such value and does not say where it stands; it is the one without which the
    /// reader says something else.
    fn values<T: DeserializeOwned>(&self, faults: &mut Vec<Fault>) -> Option<T> {
        let mut table = self.table.clone();
        loop {
            let message = match deserialized::<T>(&table) {
                Ok(value) => return Some(value),
                Err(message) => message,
            };
            let culprit = leaves(&table).into_iter().find(|path| {
                let mut rest = table.clone();
                take_out(&mut rest, path);
                deserialized::<T>(&rest).err().as_ref() != Some(&message)
            });
            // What is missing is reported already, or belongs to a value that was just left out.
            let Some(path) = culprit.filter(|_| !message.starts_with("missing field")) else {
                if faults.is_empty() {
                    faults.push(Fault::new(format!("channels.{}", self.slug), message));
                }
                return None;
            };
            faults.push(Fault::new(self.key(&path.join(".")), message));
            take_out(&mut table, &path);
        }
    }

    /// The full key of a setting, for faults.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        format!("channels.{}.{key}", self.slug)
    }

    fn unknown_keys(&self, table: &Table, prefix: &str, documented: &[crate::SettingDoc], faults: &mut Vec<Fault>) {
        for (name, value) in table {
            let path = format!("{prefix}{name}");
            let known = documented.iter().any(|setting| matches_key(setting.key, &path));
            let deeper = documented.iter().any(|setting| reaches_into(setting.key, &path));
            match value {
                Value::Table(inner) if deeper => self.unknown_keys(inner, &format!("{path}."), documented, faults),
                Value::Array(elements) if deeper && elements.iter().all(Value::is_table) => {
                    for (place, element) in elements.iter().enumerate() {
                        let inner = element.as_table().expect("the guard has looked at every element");
                        self.unknown_keys(inner, &format!("{path}.{place}."), documented, faults);
                    }
                }
                _ if known => {}
                _ => {
                    let near = nearest(&path, documented.iter().map(|setting| setting.key));
                    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                    faults.push(Fault::new(self.key(&path), format!("unknown setting `{path}`{hint}")));
                }
            }
        }
    }

    fn missing_keys(&self, documented: &[crate::SettingDoc], faults: &mut Vec<Fault>) {
        for setting in documented.iter().filter(|setting| setting.default.is_none() && !setting.key.contains(['.', '*'])) {
            if !self.table.contains_key(setting.key) {
                faults.push(Fault::new(self.key(setting.key), format!("missing; it is {}", setting.values)));
            }
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.table.keys().map(String::as_str).collect();
        f.debug_struct("Settings").field("slug", &self.slug).field("keys", &keys).finish_non_exhaustive()
    }
}

fn deserialized<T: DeserializeOwned>(table: &Table) -> Result<T, String> {
    let read: Result<T, toml::de::Error> = Value::Table(table.clone()).try_into();
    read.map_err(|error| error.message().trim_end_matches('\n').replace('\n', " "))
}

/// The paths of all values that are neither tables nor arrays of tables.
fn leaves(table: &Table) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (name, value) in table {
        let below: Vec<Vec<String>> = match value {
            Value::Table(inner) => leaves(inner),
            Value::Array(elements) if !elements.is_empty() && elements.iter().all(Value::is_table) => {
                let tables = elements.iter().filter_map(Value::as_table).enumerate();
                let paths = tables.flat_map(|(place, inner)| leaves(inner).into_iter().map(move |path| (place, path)));
                paths.map(|(place, path)| [vec![place.to_string()], path].concat()).collect()
            }
            _ => vec![Vec::new()],
        };
        found.extend(below.into_iter().map(|path| [vec![name.clone()], path].concat()));
    }
    found
}

fn take_out(table: &mut Table, path: &[String]) {
    let Some((name, rest)) = path.split_first() else { return };
    match (rest.split_first(), table.get_mut(name)) {
        (None, _) => drop(table.remove(name)),
        (Some(_), Some(Value::Table(inner))) => take_out(inner, rest),
        (Some((place, deeper)), Some(Value::Array(elements))) => {
            let element = place.parse().ok().and_then(|place: usize| elements.get_mut(place)).and_then(Value::as_table_mut);
            if let Some(element) = element {
                take_out(element, deeper);
            }
        }
        _ => {}
    }
}

fn matches_key(documented: &str, path: &str) -> bool {
    let (mut one, mut other) = (documented.split('.'), path.split('.'));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == "*" || a == b => {}
            _ => return false,
        }
    }
}

fn reaches_into(documented: &str, path: &str) -> bool {
    let depth = path.split('.').count();
    documented.split('.').count() > depth && matches_key(&documented.split('.').take(depth).collect::<Vec<_>>().join("."), path)
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use crate::SettingDoc;
    use serde::Deserialize;

    const DOCS: &[SettingDoc] = &[
        SettingDoc { key: "address", values: "an address", default: None, about: "" },
        SettingDoc { key: "smtp.port", values: "a port", default: Some("25"), about: "" },
        SettingDoc { key: "fields.*.kind", values: "a kind", default: Some("\"text\""), about: "" },
    ];

    #[derive(Debug, Deserialize)]
    struct Shape {
        #[serde(rename = "address")]
        _address: String,
    }

    #[test]
    fn every_unknown_and_missing_key_is_named_at_once() {
        let table = "adress = \"a\"\n[smtp]\nprot = 1\n[fields.name]\nkind = \"text\"".parse().expect("valid TOML");
        let settings = Settings { slug: "mail".into(), table, folder: ".".into() };
        let faults = settings.read::<Shape>(DOCS).expect_err("faulty settings");
        let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "channels.mail.adress: unknown setting `adress`; did you mean `address`?",
                "channels.mail.smtp.prot: unknown setting `smtp.prot`; did you mean `smtp.port`?",
                "channels.mail.address: missing; it is an address",
            ]
        );
    }

    #[test]
    fn keys_inside_an_array_of_tables_are_checked_one_by_one() {
        let docs = [
            SettingDoc { key: "fields", values: "tables", default: None, about: "" },
            SettingDoc { key: "fields.*.kind", values: "a kind", default: Some("\"text\""), about: "" },
        ];
        let table = "[[fields]]\nkind = \"text\"\n[[fields]]\nkidn = \"text\"".parse().expect("valid TOML");
        let settings = Settings { slug: "contact".into(), table, folder: ".".into() };
        let faults = settings.read::<toml::Table>(&docs).expect_err("faulty settings");
        let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["channels.contact.fields.1.kidn: unknown setting `fields.1.kidn`; did you mean `fields.*.kind`?"]);
    }

    #[test]
    fn every_value_that_does_not_fit_is_named_beside_unknown_keys() {
        #[derive(Debug, Deserialize)]
        struct Smtp {
            #[serde(rename = "port")]
            _port: u16,
        }
        #[derive(Debug, Deserialize)]
        struct Field {
            #[serde(rename = "kind")]
            _kind: Option<String>,
        }
        #[derive(Debug, Deserialize)]
        struct Deep {
            #[serde(rename = "address")]
            _address: String,
            #[serde(rename = "smtp")]
            _smtp: Smtp,
            #[serde(rename = "fields")]
            _fields: Vec<Field>,
        }
        let table = "address = 1\nadress = 2\nfields = [{ kind = \"a\" }, { kind = 3 }]\n[smtp]\nport = \"x\"".parse();
        let settings = Settings { slug: "mail".into(), table: table.expect("valid TOML"), folder: ".".into() };
        let faults = settings.read::<Deep>(DOCS).expect_err("faulty settings");
        let keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
        let wanted = ["channels.mail.adress", "channels.mail.address", "channels.mail.fields.1.kind", "channels.mail.smtp.port"];
        assert_eq!(keys, wanted, "{faults:?}");
    }

    #[test]
    fn debug_shows_keys_and_no_values() {
        let table = "password = \"correct horse\"".parse().expect("valid TOML");
        let shown = format!("{:?}", Settings { slug: "mail".into(), table, folder: ".".into() });
        assert_eq!(shown, "Settings { slug: \"mail\", keys: [\"password\"], .. }");
    }
}
