//! Whether one condition can only hold where another holds, as far as their form tells: enough to find cases that
//! are never reached (ROUTING 7.0).

use switchboard_model::{Condition, FactField, Facts};

/// How many steps one question may take; beyond them nothing is said.
const MAX_STEPS: u32 = 200_000;

/// A condition in normal form: negation stands at comparisons only, each with one value, and what is constant is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Norm {
    /// All of them; true when empty.
    All(Vec<Norm>),
    /// Some of them; false when empty.
    Any(Vec<Norm>),
    /// One comparison.
    One(Comparison),
}

/// A fact beside one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    field: FactField,
    value: String,
    contains: bool,
    negated: bool,
}

impl Norm {
    /// What always holds.
    pub(super) const TRUE: Self = Self::All(Vec::new());

    /// The normal form of a condition where these facts are given and all others open.
    pub(super) fn of(condition: &Condition, given: &Facts) -> Self {
        Self::build(condition, false, given)
    }

    fn build(condition: &Condition, negated: bool, given: &Facts) -> Self {
        let parts = |parts: &[Condition]| parts.iter().map(|part| Self::build(part, negated, given)).collect::<Vec<_>>();
        match condition {
            Condition::All(all) => Self::joined(parts(all), negated),
            Condition::Any(any) => Self::joined(parts(any), !negated),
            Condition::Not(part) => Self::build(part, !negated, given),
            Condition::Is { field, values } => Self::compared(field, values, false, negated, given),
            Condition::Contains { field, values } => Self::compared(field, values, true, negated, given),
        }
    }

    fn compared(field: &FactField, values: &[String], contains: bool, negated: bool, given: &Facts) -> Self {
        let one = |value: &String| {
            let value = value.trim().to_lowercase();
            let known = given.get(field).map(|fact| fact.trim().to_lowercase());
            let holds = match known {
                Some(fact) if contains => Some(fact.contains(&value)),
                Some(fact) => Some(fact == value),
                None if contains && value.is_empty() => Some(true),
                None => None,
            };
            match holds {
                Some(holds) if holds == negated => Self::Any(Vec::new()),
                Some(_) => Self::TRUE,
                None => Self::One(Comparison { field: field.clone(), value, contains, negated }),
            }
        };
        Self::joined(values.iter().map(one).collect(), !negated)
    }

    /// Parts joined by "or" or by "and", without what is constant.
    fn joined(parts: Vec<Self>, any: bool) -> Self {
        let mut joined: Vec<Self> = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Any(inner) if any => joined.extend(inner),
                Self::All(inner) if !any => joined.extend(inner),
                part if part.is_always() || part.is_never() => return part,
                part => joined.push(part),
            }
        }
        if joined.len() == 1 {
            return joined.swap_remove(0);
        }
        if any { Self::Any(joined) } else { Self::All(joined) }
    }

    /// Holds whatever the open facts are.
    pub(super) fn is_always(&self) -> bool {
        matches!(self, Self::All(parts) if parts.is_empty())
    }

    /// Holds whatever the open facts are not.
    pub(super) fn is_never(&self) -> bool {
        matches!(self, Self::Any(parts) if parts.is_empty())
    }

    /// Whether the other condition holds wherever this one does, as far as can be told.
    pub(super) fn implies(&self, other: &Self) -> bool {
        let mut steps = MAX_STEPS;
        implies(self, other, &mut steps)
    }
}

fn implies(one: &Norm, other: &Norm, steps: &mut u32) -> bool {
    let Some(left) = steps.checked_sub(1) else { return false };
    *steps = left;
    match (one, other) {
        (Norm::Any(parts), _) => parts.iter().all(|part| implies(part, other, steps)),
        (_, Norm::All(parts)) => parts.iter().all(|part| implies(one, part, steps)),
        (Norm::All(parts), Norm::Any(others)) => {
            parts.iter().any(|part| implies(part, other, steps)) || others.iter().any(|other| implies(one, other, steps))
        }
        (Norm::All(parts), Norm::One(_)) => parts.iter().any(|part| implies(part, other, steps)),
        (Norm::One(_), Norm::Any(others)) => others.iter().any(|other| implies(one, other, steps)),
        (Norm::One(one), Norm::One(other)) => compared_implies(one, other),
    }
}

fn compared_implies(one: &Comparison, other: &Comparison) -> bool {
    let meets = |fact: &Comparison, asked: &Comparison| match (fact.contains, asked.contains) {
        (_, true) => fact.value.contains(&asked.value),
        (false, false) => fact.value == asked.value,
        (true, false) => false,
    };
    one.field == other.field
        && match (one.negated, other.negated) {
            (false, false) => meets(one, other),
            (true, true) => meets(other, one),
            // A fact that is one text is no other text, and contains no text but its own.
            (false, true) => !one.contains && !meets(one, other),
            (true, false) => false,
        }
}
