//! The matcher alone: the rows of its own measurement, which runs as a program of its own.

use crate::plan::Plan;
use crate::report::{Row, Target};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::process::{Command, Stdio};

/// The variable that names the measuring program of the core, as `cargo xtask bench` builds it.
const PROGRAM: &str = "SWITCHBOARD_MATCHER_BENCH";

/// Decisions per second, times, memory, instructions and growth at every size.
///
/// # Errors
/// When the program is not named, fails or prints something else.
pub fn rows(plan: &Plan) -> Result<Vec<Row>> {
    let Some(program) = std::env::var_os(PROGRAM) else { bail!("{PROGRAM} names no program") };
    let mut command = Command::new(program);
    command.arg("--json").args(plan.quick.then_some("--quick")).stderr(Stdio::inherit());
    let output = command.output().context("the matcher's measurement does not start")?;
    if !output.status.success() {
        bail!("the matcher's measurement ended with {}", output.status);
    }
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).context("what the matcher's measurement printed")?;
    rows.iter().map(|row| read(row).with_context(|| format!("a row of the matcher's measurement: {row}"))).collect()
}

fn read(row: &Value) -> Option<Row> {
    let text = |key: &str| Some(row[key].as_str()?.to_owned());
    let samples = row["value"]["samples"].as_array()?.iter().map(Value::as_f64).collect::<Option<_>>()?;
    Some(Row::new(text("name")?, text("unit")?, samples, target(row["target"].as_str()?)?).noting(text("note")?))
}

fn target(shown: &str) -> Option<Target> {
    match shown.split_once(' ') {
        Some(("≥", least)) => least.parse().ok().map(Target::AtLeast),
        Some(("≤", most)) => most.parse().ok().map(Target::AtMost),
        _ => (shown == "–").then_some(Target::None),
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::report::Target;
    use serde_json::json;

    #[test]
    fn a_row_is_read_as_it_was_printed_and_anything_else_is_refused() {
        let printed = json!({
            "name": "matcher", "unit": "µs", "value": { "median": 2.0, "min": 1.0, "max": 3.0, "samples": [1.0, 3.0, 2.0] },
            "floor": null, "ratio": null, "target": "≤ 2.5", "met": true, "note": "load 1",
        });
        let row = read(&printed).expect("a row");
        assert_eq!(
            (row.name.as_str(), row.samples.as_slice(), row.target),
            ("matcher", &[1.0, 3.0, 2.0][..], Target::AtMost(2.5))
        );
        assert_eq!((row.is_met(), row.to_json()["value"]["median"].as_f64()), (Some(true), Some(2.0)));
        let changed = |key: &str, value: serde_json::Value| {
            let mut changed = printed.clone();
            changed[key] = value;
            read(&changed)
        };
        assert!(changed("target", json!("about 3")).is_none());
        assert!(changed("value", json!({ "samples": ["many"] })).is_none());
        assert!(changed("note", json!(null)).is_none());
    }
}
