//! A text of the operator, in one or several languages.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The key of a text that serves every language.
pub(crate) const EVERY: &str = "*";

/// A text per language tag in lower case; `*` serves every language. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Text(pub(crate) BTreeMap<String, String>);

/// The same as it is written: one text, or a table of texts.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum TextShape {
    /// One for everybody.
    Plain(String),
    /// By language tag.
    Several(BTreeMap<String, String>),
}

/// The tag as it is kept, when it looks like one: letters, digits and hyphens, 35 at most (RFC 5646 section 4.4.1).
pub(crate) fn well_formed(tag: &str) -> Option<String> {
    let tag = tag.trim();
    let parts_fit = tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    let fits = tag.len() <= 35 && parts_fit && tag.split('-').next().is_some_and(|base| base.len() >= 2);
    fits.then(|| tag.to_ascii_lowercase())
}
