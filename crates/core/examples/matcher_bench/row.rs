//! Lines of the report, in the shape that `cargo xtask bench` shows beside its other measurements.

use serde_json::{Value, json};

/// What a row is held to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// The median is at least this.
    AtLeast(f64),
    /// The median is at most this.
    AtMost(f64),
    /// Measured for information.
    None,
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// What was measured.
    pub name: String,
    /// Unit of the samples.
    pub unit: String,
    /// One value per repetition.
    pub samples: Vec<f64>,
    /// What it is held to.
    pub target: Target,
    /// What a reader has to know.
    pub note: String,
}

impl Row {
    /// A row without a remark.
    pub(crate) fn new(name: String, unit: &str, samples: Vec<f64>, target: Target) -> Self {
        Self { name, unit: unit.to_owned(), samples, target, note: String::new() }
    }

    /// The same with a remark.
    pub(crate) fn noting(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The middle of the samples; 0 without any.
    pub(crate) fn median(&self) -> f64 {
        percentile(&mut self.samples.clone(), 50)
    }

    fn is_met(&self) -> Option<bool> {
        match self.target {
            _ if self.samples.is_empty() => None,
            Target::AtLeast(least) => Some(self.median() >= least),
            Target::AtMost(most) => Some(self.median() <= most),
            Target::None => None,
        }
    }

    fn spread(&self) -> (f64, f64) {
        let least = self.samples.iter().copied().fold(f64::INFINITY, f64::min);
        (least, self.samples.iter().copied().fold(0.0, f64::max))
    }

    /// As an object of the report.
    pub(crate) fn to_json(&self) -> Value {
        let target = match self.target {
            Target::AtLeast(least) => format!("≥ {least}"),
            Target::AtMost(most) => format!("≤ {most}"),
            Target::None => String::from("–"),
        };
        let (min, max) = self.spread();
        json!({
            "name": self.name,
            "unit": self.unit,
            "value": { "median": self.median(), "min": min, "max": max, "samples": self.samples },
            "floor": null,
            "ratio": null,
            "target": target,
            "met": self.is_met(),
            "note": self.note,
        })
    }

    /// The row of the report that an object holds; `None` where it is none.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let text = |key: &str| Some(value[key].as_str()?.to_owned());
        let samples = value["value"]["samples"].as_array()?.iter().filter_map(Value::as_f64).collect();
        let shown = text("target")?;
        let target = match shown.split_once(' ') {
            Some(("≥", least)) => Target::AtLeast(least.parse().ok()?),
            Some(("≤", most)) => Target::AtMost(most.parse().ok()?),
            _ => Target::None,
        };
        Some(Self { name: text("name")?, unit: text("unit")?, samples, target, note: text("note")? })
    }

    /// As a line of text.
    pub(crate) fn line(&self) -> String {
        let met = self.is_met().map_or("", |met| if met { "  met" } else { "  NOT MET" });
        let places = if self.median() < 1_000.0 { 2 } else { 0 };
        let (median, (min, max)) = (self.median(), self.spread());
        let value = if self.samples.is_empty() {
            String::from("not measured")
        } else {
            format!("{median:.places$} {} ({min:.places$} … {max:.places$})", self.unit)
        };
        let note = if self.note.is_empty() { String::new() } else { format!("  [{}]", self.note) };
        format!("{:<68} {value}{met}{note}", self.name)
    }
}

/// The value below which this share in hundred lies, of values in any order; 0 without any.
pub(crate) fn percentile(values: &mut [f64], share: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() * share / 100).or(values.last()).copied().unwrap_or(0.0)
}
