//! What differs between two directories, in words of the directory file.

use super::file::HolidaysFile;
use serde::{Deserialize, Serialize};
use switchboard_model::{CivilDate, Directory, Role};

/// Changes of a calendar up to this number of days are named one by one.
const MAX_DATES_SHOWN: usize = 20;

/// What happens to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// It is new.
    Add,
    /// Some of its values change.
    Change,
    /// It goes.
    Remove,
}

/// One entry that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryChange {
    /// What happens to it.
    pub action: ChangeAction,
    /// `setting`, `skill`, `holidays`, `team`, `user`, `workspace` or `channel`.
    pub kind: String,
    /// Its slug, email address or name.
    pub key: String,
    /// The keys whose values change, each as `key: before → after`.
    pub details: Vec<String>,
}

impl std::fmt::Display for DirectoryChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match self.action {
            ChangeAction::Add => '+',
            ChangeAction::Change => '~',
            ChangeAction::Remove => '-',
        };
        write!(f, "{sign} {} {}", self.kind, self.key)?;
        self.details.iter().try_for_each(|detail| write!(f, "\n    {detail}"))
    }
}

/// The differences from `before` to `after`: settings, skills, holiday calendars, teams, users, workspaces, channels, each by key.
#[must_use]
pub fn diff(before: &Directory, after: &Directory) -> Vec<DirectoryChange> {
    let (old, new) = (super::export::to_file(before), super::export::to_file(after));
    let mut changes = Vec::new();
    if before.queue_order != after.queue_order {
        changes.push(DirectoryChange {
            action: ChangeAction::Change,
            kind: String::from("setting"),
            key: String::from("queue_order"),
            details: vec![format!("{} → {}", before.queue_order, after.queue_order)],
        });
    }
    compare("skill", &old.skills, &new.skills, |entry| &entry.slug, &mut changes);
    compare_with("holidays", &old.holidays, &new.holidays, |entry| &entry.slug, dates, &mut changes);
    compare("team", &old.teams, &new.teams, |entry| &entry.slug, &mut changes);
    compare("user", &old.users, &new.users, |entry| &entry.email, &mut changes);
    compare("workspace", &old.workspaces, &new.workspaces, |entry| &entry.slug, &mut changes);
    compare("channel", &old.channels, &new.channels, |entry| &entry.slug, &mut changes);
    changes
}

/// Whether a change takes the last administrator away, which would lock everybody out of settings.
#[must_use]
pub fn loses_last_admin(before: &Directory, after: &Directory) -> bool {
    let admins =
        |directory: &Directory| directory.users.iter().filter(|user| user.is_active() && user.role == Role::Admin).count();
    admins(before) > 0 && admins(after) == 0
}

fn compare<T: PartialEq + Serialize>(
    kind: &str,
    old: &[T],
    new: &[T],
    key: fn(&T) -> &String,
    changes: &mut Vec<DirectoryChange>,
) {
    compare_with(kind, old, new, key, details, changes);
}

fn compare_with<T: PartialEq>(
    kind: &str,
    old: &[T],
    new: &[T],
    key: fn(&T) -> &String,
    details: fn(&T, &T) -> Vec<String>,
    changes: &mut Vec<DirectoryChange>,
) {
    let mut push = |action, key: &String, details| {
        changes.push(DirectoryChange { action, kind: kind.to_owned(), key: key.clone(), details });
    };
    for entry in new {
        match old.iter().find(|other| key(other) == key(entry)) {
            None => push(ChangeAction::Add, key(entry), Vec::new()),
            Some(other) if other != entry => push(ChangeAction::Change, key(entry), details(other, entry)),
            Some(_) => {}
        }
    }
    for entry in old.iter().filter(|entry| !new.iter().any(|other| key(other) == key(entry))) {
        push(ChangeAction::Remove, key(entry), Vec::new());
    }
}

/// The days that come and go; a calendar is too long to be shown twice.
fn dates(before: &HolidaysFile, after: &HolidaysFile) -> Vec<String> {
    let shown = |what: &str, dates: Vec<&CivilDate>| match dates.as_slice() {
        [] => None,
        [first, .., last] if dates.len() > MAX_DATES_SHOWN => {
            Some(format!("dates: {what} {} days from {first} to {last}", dates.len()))
        }
        _ => Some(format!("dates: {what} {}", dates.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))),
    };
    let new = after.dates.difference(&before.dates).collect();
    let gone = before.dates.difference(&after.dates).collect();
    [shown("new", new), shown("gone", gone)].into_iter().flatten().collect()
}

fn details<T: Serialize>(before: &T, after: &T) -> Vec<String> {
    let (before, after) = (object(before), object(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let shown = |value: Option<&serde_json::Value>| value.map_or_else(|| String::from("none"), ToString::to_string);
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| format!("{name}: {} → {}", shown(before.get(name)), shown(after.get(name))))
        .collect()
}

fn object<T: Serialize>(entry: &T) -> serde_json::Map<String, serde_json::Value> {
    match serde_json::to_value(entry) {
        Ok(serde_json::Value::Object(map)) => map,
        _ => serde_json::Map::new(),
    }
}
