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
    /// Unknown keys are all reported with the nearest known name, in arrays of tables as well (`fields.*.name`
    /// documents a key of each element); type errors come one at a time.
    pub fn read<T: DeserializeOwned>(&self, documented: &[crate::SettingDoc]) -> Result<T, Vec<Fault>> {
        let mut faults = Vec::new();
        self.unknown_keys(&self.table, "", documented, &mut faults);
        self.missing_keys(documented, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        Value::Table(self.table.clone()).try_into().map_err(|error: toml::de::Error| {
            let message = error.message().trim_end_matches('\n').replace('\n', " ");
            vec![Fault::new(format!("channels.{}", self.slug), message)]
        })
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
    fn debug_shows_keys_and_no_values() {
        let table = "password = \"correct horse\"".parse().expect("valid TOML");
        let shown = format!("{:?}", Settings { slug: "mail".into(), table, folder: ".".into() });
        assert_eq!(shown, "Settings { slug: \"mail\", keys: [\"password\"], .. }");
    }
}
