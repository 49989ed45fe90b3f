//! A fault in a configuration or directory file, in a form that tells a person what to do.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One fault: where it stands, what was found, what is allowed. Faults are collected and shown all at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Fault {
    /// The file, where the fault came from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The key path, such as `channels.support.port` or `users[2].team`.
    pub key: String,
    /// What is wrong and what is allowed, as one sentence without a full stop.
    pub message: String,
}

/// More known names than these are not listed.
const LISTED: usize = 30;

impl Fault {
    /// A fault at a key, in no particular file yet.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: None, key: key.into(), message: message.into() }
    }

    /// A fault for a name that is not known, with the nearest known one, or all of them where they are few.
    pub fn unknown<'a>(key: impl Into<String>, what: &str, found: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let hint = match nearest(found, known.iter().copied()) {
            Some(near) => format!("; did you mean `{near}`?"),
            None if known.is_empty() => String::from("; there is none yet"),
            None if known.len() > LISTED => format!("; there are {}, such as `{}`", known.len(), known[known.len() / 2]),
            None => format!("; known are {}", known.join(", ")),
        };
        Self::new(key, format!("unknown {what} `{found}`{hint}"))
    }

    /// The same fault with its file named.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        self.file = Some(file.to_owned());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// The known name nearest to `found`, when it is near enough to be a slip of the pen.
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (found.chars().count() / 3).max(1) + 1;
    known
        .into_iter()
        .map(|name| (edit_distance(found, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

fn edit_distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::{Fault, nearest};

    #[test]
    fn a_slip_of_the_pen_finds_its_name_and_a_stranger_does_not() {
        assert_eq!(nearest("suport", ["sales", "support"]), Some("support"));
        assert_eq!(nearest("warehouse", ["sales", "support"]), None);
    }

    #[test]
    fn a_fault_names_file_key_and_remedy() {
        let fault = Fault::unknown("channels.x.kind", "kind", "emial", ["email", "form"]).in_file("a.toml");
        assert_eq!(fault.to_string(), "a.toml: channels.x.kind: unknown kind `emial`; did you mean `email`?");
    }

    #[test]
    fn many_known_names_are_counted_and_one_is_shown() {
        let zones: Vec<String> = (0..99).map(|nth| format!("Zone/{nth:02}")).collect();
        let fault = Fault::unknown("users.zone", "time zone", "Mars/Base", zones.iter().map(String::as_str));
        assert_eq!(fault.message, "unknown time zone `Mars/Base`; there are 99, such as `Zone/49`");
    }
}
