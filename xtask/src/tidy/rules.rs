//! The routing contract against the tests that name its rules.

use super::{Finding, code, read_required, relative};
use crate::tree;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The contract, whose rules are list entries that begin with their number.
const CONTRACT: &str = "crates/core/ROUTING.md";
/// The rules that must have a test, one number a line, `#` before remarks.
const REQUIRED: &str = "xtask/rules-required.txt";

/// A rule's number: section and rule.
type Number = (u32, u32);

/// What was found about rules.
pub struct Rules {
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
    /// Rules without a test, as `5.4`.
    pub untested: Vec<String>,
}

/// Compares the contract with the names of tests in all Rust files of `crates` and `tests`.
pub fn check(root: &Path, files: &[PathBuf]) -> Result<Rules> {
    let mut missing = Vec::new();
    let contract = read_required(root, CONTRACT, &mut missing)?;
    let (Some(contract), Some(required)) = (contract, read_required(root, REQUIRED, &mut missing)?) else {
        return Ok(Rules { findings: missing, untested: Vec::new() });
    };
    let mut tested = BTreeMap::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
        let path = relative(root, file);
        if !path.starts_with("crates") && !path.starts_with("tests") {
            continue;
        }
        for (name, line) in code::function_names(&tree::read(file)?) {
            if let Some(number) = rule_of_test(&name) {
                tested.entry(number).or_insert((path.to_owned(), line, name));
            }
        }
    }
    Ok(compare(&contract, &required, &tested))
}

fn compare(contract: &str, required: &str, tested: &BTreeMap<Number, (PathBuf, usize, String)>) -> Rules {
    let rules: BTreeSet<Number> = contract.lines().filter_map(|line| number(line.strip_prefix("- ")?)).collect();
    let mut findings = Vec::new();
    if rules.is_empty() {
        findings.push(Finding::new(CONTRACT, 1, "holds no rule: a rule is a list entry that begins with its number"));
    }
    for (line, text) in (1..).zip(required.lines()) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        match number(text) {
            None => findings.push(Finding::new(REQUIRED, line, format!("`{text}` is not the number of a rule"))),
            Some(rule) if !rules.contains(&rule) => {
                findings.push(Finding::new(REQUIRED, line, format!("{CONTRACT} has no rule {text}")));
            }
            Some(rule) if !tested.contains_key(&rule) => {
                let message = format!("no test names rule {text}; one would be called `r{}_{}_…`", rule.0, rule.1);
                findings.push(Finding::new(REQUIRED, line, message));
            }
            Some(_) => {}
        }
    }
    for (_, (path, line, name)) in tested.iter().filter(|(rule, _)| !rules.contains(rule)) {
        findings.push(Finding::new(&**path, *line, format!("`{name}` names a rule that {CONTRACT} does not have")));
    }
    let untested = rules.iter().filter(|rule| !tested.contains_key(rule)).map(|rule| format!("{}.{}", rule.0, rule.1)).collect();
    Rules { findings, untested }
}

/// The number that a text begins with, such as `5.4 Tie: …`.
fn number(text: &str) -> Option<Number> {
    let (section, rule) = text.split_whitespace().next()?.trim_matches('*').split_once('.')?;
    Some((section.parse().ok()?, rule.trim_end_matches('.').parse().ok()?))
}

/// The rule that a test's name begins with, such as `r5_4_tie_goes_to_least_recently_assigned`.
fn rule_of_test(name: &str) -> Option<Number> {
    let mut parts = name.strip_prefix('r')?.splitn(3, '_');
    let number = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().map(|_| number)
}

#[cfg(test)]
mod tests {
    use super::{compare, rule_of_test};
    use std::collections::BTreeMap;

    const CONTRACT: &str = "## 5. Load\n- 5.1 One.\n- 5.4 Tie: so.\n  - Chosen: x\n- **6.1** Two.\n- Not a rule.\n";

    #[test]
    fn tests_name_rules_by_their_prefix() {
        assert_eq!(rule_of_test("r5_4_tie_goes_to_least_recently_assigned"), Some((5, 4)));
        assert_eq!(rule_of_test("r12_2_reopened"), Some((12, 2)));
        for other in ["r5_4", "r5_x_y", "route_5_4_x", "run"] {
            assert_eq!(rule_of_test(other), None, "{other}");
        }
    }

    #[test]
    fn required_rules_without_a_test_and_tests_without_a_rule_are_named() {
        let tested = BTreeMap::from([
            ((5, 4), ("a.rs".into(), 3, "r5_4_a".to_owned())),
            ((9, 9), ("b.rs".into(), 7, "r9_9_b".to_owned())),
        ]);
        let rules = compare(CONTRACT, "# Needed\n5.1\n5.4 # held\n7.7\nnone\n", &tested);
        let found: Vec<String> = rules.findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "xtask/rules-required.txt:2: no test names rule 5.1; one would be called `r5_1_…`",
                "xtask/rules-required.txt:4: crates/core/ROUTING.md has no rule 7.7",
                "xtask/rules-required.txt:5: `none` is not the number of a rule",
                "b.rs:7: `r9_9_b` names a rule that crates/core/ROUTING.md does not have",
            ]
        );
        assert_eq!(rules.untested, ["5.1", "6.1"]);
        assert_eq!(compare("nothing", "", &BTreeMap::new()).findings.len(), 1);
    }
}
