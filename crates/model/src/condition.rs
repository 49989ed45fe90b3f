//! Conditions over the facts of an arriving item: the `when` of a case.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of a fact: one of [`FactField::FIXED`], or `form.<field>` for a form field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct FactField(pub String);

impl FactField {
    /// Facts that every channel can fill.
    pub const FIXED: &'static [&'static str] = &[
        "channel.kind",
        "channel.slug",
        "contact.email",
        "contact.has_owner",
        "contact.known",
        "contact.name",
        "message.has_attachment",
        "message.language",
        "message.recipient",
        "message.subject",
        "message.text",
    ];

    /// The prefix of form fields.
    pub const FORM_PREFIX: &'static str = "form.";

    /// Whether some channel can fill this field.
    #[must_use]
    pub fn is_known(&self) -> bool {
        Self::FIXED.contains(&self.0.as_str()) || self.0.strip_prefix(Self::FORM_PREFIX).is_some_and(|name| !name.is_empty())
    }
}

/// The facts of an item that some rule asks for; booleans are `true` or `false`.
pub type Facts = BTreeMap<FactField, String>;

/// A condition. Comparisons ignore letter case; a missing fact compares as the empty text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(no_recursion))]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Every part holds; true when empty.
    All(Vec<Condition>),
    /// Some part holds; false when empty.
    Any(Vec<Condition>),
    /// The part does not hold.
    Not(Box<Condition>),
    /// The fact equals one of the values.
    Is {
        /// The fact.
        field: FactField,
        /// The values.
        values: Vec<String>,
    },
    /// The fact contains one of the values.
    Contains {
        /// The fact.
        field: FactField,
        /// The values.
        values: Vec<String>,
    },
}

impl Condition {
    /// The deepest nesting that a rule may have.
    pub const MAX_DEPTH: usize = 8;
    /// The most comparisons that a rule may have.
    pub const MAX_COMPARISONS: usize = 200;

    /// Whether the condition holds for these facts.
    #[must_use]
    pub fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(facts)),
            Self::Not(part) => !part.holds(facts),
            Self::Is { field, values } => {
                let fact = lowered(facts, field);
                values.iter().any(|value| value.trim().to_lowercase() == fact)
            }
            Self::Contains { field, values } => {
                let fact = lowered(facts, field);
                values.iter().any(|value| fact.contains(&value.trim().to_lowercase()))
            }
        }
    }

    /// Every fact that the condition asks for.
    pub fn fields(&self, found: &mut Vec<FactField>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.fields(found)),
            Self::Not(part) => part.fields(found),
            Self::Is { field, .. } | Self::Contains { field, .. } => found.push(field.clone()),
        }
    }

    /// Nesting depth; a single comparison has depth 1.
    #[must_use]
    pub fn depth(&self) -> usize {
        1 + match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::depth).max().unwrap_or(0),
            Self::Not(part) => part.depth(),
            Self::Is { .. } | Self::Contains { .. } => 0,
        }
    }
}

fn lowered(facts: &Facts, field: &FactField) -> String {
    facts.get(field).map(|fact| fact.trim().to_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Condition, FactField, Facts};

    fn field(name: &str) -> FactField {
        FactField(name.to_owned())
    }

    #[test]
    fn groups_combine_comparisons_that_ignore_letter_case() {
        let facts =
            Facts::from([(field("message.subject"), "Pakke MANGLER".to_owned()), (field("channel.kind"), "email".to_owned())]);
        let mail = Condition::Is { field: field("channel.kind"), values: vec!["Email".to_owned()] };
        let lost = Condition::Contains { field: field("message.subject"), values: vec!["mangler".to_owned()] };
        let invoice = Condition::Contains { field: field("message.subject"), values: vec!["faktura".to_owned()] };
        assert!(Condition::All(vec![mail.clone(), lost.clone()]).holds(&facts));
        assert!(!Condition::All(vec![mail, invoice.clone()]).holds(&facts));
        assert!(Condition::Any(vec![invoice.clone(), lost]).holds(&facts));
        assert!(Condition::Not(Box::new(invoice)).holds(&facts));
    }
}
