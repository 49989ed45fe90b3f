//! A channel's section of the configuration, read with every fault collected.

use serde::de::DeserializeOwned;
use switchboard_model::{Fault, nearest};
use toml::{Table, Value};

/// The table below `[channels.SLUG]`, without `kind`.
#[derive(Clone, Debug)]
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
    /// Unknown keys are all reported with the nearest known name; type errors come one per top-level key.
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
            if documented.iter().any(|setting| matches_key(setting.key, &path)) {
                continue;
            }
            match value {
                Value::Table(inner) if documented.iter().any(|setting| reaches_into(setting.key, &path)) => {
                    self.unknown_keys(inner, &format!("{path}."), documented, faults);
                }
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
}
