//! What was measured, beside its floor and its target, as a table and as JSON.

use crate::machine::percentile;
use serde_json::{Value, json};
use std::fmt::Write;

/// What a row is held to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// The median is at least this.
    AtLeast(f64),
    /// The median is at most this.
    AtMost(f64),
    /// The median ratio to the floor is at least this.
    OfFloor(f64),
    /// Measured for information.
    None,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// Unit of the samples.
    pub unit: String,
    /// One value per repetition, in their order.
    pub samples: Vec<f64>,
    /// What the floor did right before each, where there is one.
    pub floor: Vec<f64>,
    /// What it is held to.
    pub target: Target,
    /// What a reader has to know.
    pub note: String,
}

/// Middle, least and greatest of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of at least one value; zeros without any.
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        let median = percentile(&mut sorted, 0.5);
        Self { median, min: sorted.first().copied().unwrap_or(0.0), max: sorted.last().copied().unwrap_or(0.0) }
    }
}

impl Row {
    /// A row without a floor.
    pub fn new(name: impl Into<String>, unit: impl Into<String>, samples: Vec<f64>, target: Target) -> Self {
        Self { name: name.into(), unit: unit.into(), samples, floor: Vec::new(), target, note: String::new() }
    }

    /// The same with what the floor did in the same repetitions.
    pub fn beside(mut self, floor: Vec<f64>) -> Self {
        self.floor = floor;
        self
    }

    /// The same with a remark.
    pub fn noting(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Each sample as a share of the floor of its repetition.
    pub fn ratios(&self) -> Vec<f64> {
        self.samples.iter().zip(&self.floor).map(|(sample, floor)| sample / floor).collect()
    }

    /// Whether the target was met; `None` without one, and without a sample.
    pub fn is_met(&self) -> Option<bool> {
        let median = Spread::of(&self.samples).median;
        match self.target {
            _ if self.samples.is_empty() => None,
            Target::AtLeast(least) => Some(median >= least),
            Target::AtMost(most) => Some(median <= most),
            Target::OfFloor(least) => Some(Spread::of(&self.ratios()).median >= least),
            Target::None => None,
        }
    }

    /// As an object of the report.
    pub fn to_json(&self) -> Value {
        let spread = |values: &[f64]| {
            let Spread { median, min, max } = Spread::of(values);
            json!({ "median": median, "min": min, "max": max, "samples": values })
        };
        let ratios = self.ratios();
        json!({
            "name": self.name,
            "unit": self.unit,
            "value": spread(&self.samples),
            "floor": (!self.floor.is_empty()).then(|| spread(&self.floor)),
            "ratio": (!ratios.is_empty()).then(|| spread(&ratios)),
            "target": self.target.shown(),
            "met": self.is_met(),
            "note": self.note,
        })
    }
}

impl Target {
    fn shown(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {}", number(least)),
            Self::AtMost(most) => format!("≤ {}", number(most)),
            Self::OfFloor(least) => format!("≥ {:.0} % of floor", least * 100.0),
            Self::None => String::from("–"),
        }
    }
}

/// Rows as a table with aligned columns, remarks below.
pub fn table(rows: &[Row]) -> String {
    let heading = ["what", "median", "min … max", "floor", "ratio", "target", "met"].map(String::from);
    let mut lines = vec![heading];
    let mut notes = String::new();
    for row in rows {
        let Spread { median, min, max } = Spread::of(&row.samples);
        let floor = if row.floor.is_empty() { String::new() } else { number(Spread::of(&row.floor).median) };
        let ratio =
            if row.floor.is_empty() { String::new() } else { format!("{:.0} %", Spread::of(&row.ratios()).median * 100.0) };
        let met = row.is_met().map_or("", |met| if met { "yes" } else { "NO" });
        lines.push([
            row.name.clone(),
            if row.samples.is_empty() { String::from("not measured") } else { format!("{} {}", number(median), row.unit) },
            if row.samples.is_empty() { String::new() } else { format!("{} … {}", number(min), number(max)) },
            floor,
            ratio,
            row.target.shown(),
            met.to_owned(),
        ]);
        if !row.note.is_empty() {
            let _ = writeln!(notes, "  {}: {}", row.name, row.note);
        }
    }
    let mut widths = [0_usize; 7];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in &lines {
        for (place, (cell, width)) in line.iter().zip(widths).enumerate() {
            let padding = " ".repeat(width - cell.chars().count());
            // Words from the left, numbers from the right.
            let _ = if place == 0 { write!(text, "{cell}{padding}") } else { write!(text, "  {padding}{cell}") };
        }
        text.push('\n');
    }
    if notes.is_empty() { text } else { format!("{text}\n{notes}") }
}

/// A number with as many places as matter, and spaces between thousands.
pub fn number(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.places$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    let mut grouped = String::new();
    for (place, letter) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(' ');
        }
        grouped.push(letter);
    }
    grouped + &rest
}

#[cfg(test)]
mod tests {
    use super::{Row, Target, number, table};

    #[test]
    fn numbers_are_shown_with_the_places_that_matter() {
        let shown = [0.0, 0.1234, 3.456, 45.67, 456.7, 1_234_567.0].map(number);
        assert_eq!(shown, ["0", "0.123", "3.46", "45.7", "457", "1 234 567"]);
    }

    #[test]
    fn a_ratio_is_taken_within_its_repetition_and_decides_over_the_target() {
        let row = Row::new("x", "messages/s", vec![40.0, 90.0, 20.0], Target::OfFloor(0.4)).beside(vec![100.0, 300.0, 40.0]);
        assert_eq!(row.ratios(), [0.4, 0.3, 0.5]);
        assert_eq!(row.is_met(), Some(true));
        let slower = Row { target: Target::OfFloor(0.41), ..row };
        assert_eq!(slower.is_met(), Some(false));
    }

    #[test]
    fn targets_are_held_to_the_median() {
        let met = |target| Row::new("x", "ms", vec![9.0, 30.0, 10.0], target).is_met();
        assert_eq!(
            [Target::AtMost(10.0), Target::AtMost(9.9), Target::AtLeast(10.0)].map(met),
            [Some(true), Some(false), Some(true)]
        );
        assert_eq!(met(Target::None), None);
    }

    #[test]
    fn the_table_lines_its_columns_up() {
        let rows = [
            Row::new("mails", "mails/s", vec![2_100.0, 1_900.0, 2_000.0], Target::AtLeast(2_000.0)).noting("64 connections"),
            Row::new("idle", "MiB", vec![60.5], Target::AtMost(60.0)),
        ];
        let shown = table(&rows);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1].chars().count(), lines[2].chars().count());
        assert!(lines[1].starts_with("mails  2 000 mails/s") && lines[1].ends_with("yes"), "{shown}");
        assert!(lines[2].ends_with("NO"), "{shown}");
        assert_eq!(lines[4], "  mails: 64 connections");
    }
}
