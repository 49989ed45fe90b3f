//! The table of `crates/README.md` against what the packages really depend on.

use super::{Finding, read_required, relative};
use crate::tree::{self, Metadata};
use anyhow::Result;
use std::path::Path;

/// Where the table is.
const MAP: &str = "crates/README.md";
/// The first cells of the table's heading.
const HEADING: &str = "| crate | what lives there | may use (ours) |";
/// Packages of others that only some of ours may name.
const RESERVED: [(&str, &[&str]); 4] = [
    ("sea-orm", &["storage"]),
    ("sea-orm-migration", &["storage"]),
    ("utoipa-axum", &["api"]),
    ("clap", &["host", "tests", "xtask"]),
];
/// What `xtask` never needs, so that it builds at once on a fresh machine.
const TOO_HEAVY_FOR_XTASK: [&str; 6] = ["rustls", "tokio", "reqwest", "sea-orm", "lettre", "axum"];

/// Every dependency that the table does not allow, and every package and row that lack the other.
pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if let Some(map) = read_required(root, MAP, &mut findings)? {
        findings.extend(compare(&map, &tree::metadata(root)?, root));
    }
    Ok(findings)
}

fn compare(map: &str, metadata: &Metadata, root: &Path) -> Vec<Finding> {
    let (rows, mut findings) = rows(map);
    if rows.is_empty() {
        findings.push(Finding::new(MAP, 1, format!("has no table with the heading `{HEADING}`")));
        return findings;
    }
    let folder = |name: &str| name.strip_prefix("switchboard-").unwrap_or(name).to_owned();
    for row in &rows {
        if !metadata.packages.iter().any(|package| matches(&row.crate_name, &folder(&package.name))) {
            findings.push(Finding::new(MAP, row.line, format!("`{}` names no package", row.crate_name)));
        }
    }
    for package in &metadata.packages {
        let name = folder(&package.name);
        let manifest = relative(root, &package.manifest_path).to_owned();
        // An exact row goes before a row with a star.
        let row =
            rows.iter().find(|row| row.crate_name == name).or_else(|| rows.iter().find(|row| matches(&row.crate_name, &name)));
        let Some(row) = row else {
            findings.push(Finding::new(manifest, 1, format!("`{name}` has no row in {MAP}")));
            continue;
        };
        let used = |kind: Option<&str>| {
            let dependencies = package.dependencies.iter().filter(move |dependency| dependency.kind.as_deref() == kind);
            dependencies.filter_map(|dependency| dependency.name.strip_prefix("switchboard-")).collect::<Vec<_>>()
        };
        let (normal, dev) = (used(None), used(Some("dev")));
        for allowed in row.normal.iter().filter(|allowed| allowed.at_most_one) {
            let several: Vec<&str> = normal.iter().copied().filter(|name| matches(&allowed.pattern, name)).collect();
            if several.len() > 1 {
                let message = format!("`{name}` uses {}; at most one `{}` is allowed", several.join(" and "), allowed.pattern);
                findings.push(Finding::new(&*manifest, 1, message));
            }
        }
        for used in normal.iter().filter(|used| !row.normal.iter().any(|allowed| matches(&allowed.pattern, used))) {
            findings.push(Finding::new(
                &*manifest,
                1,
                format!("`{name}` uses `{used}`, which {MAP}:{} does not allow", row.line),
            ));
        }
        let is_allowed_in_tests = |used: &str| row.normal.iter().chain(&row.dev).any(|allowed| matches(&allowed.pattern, used));
        for used in dev.iter().filter(|used| **used != name && !is_allowed_in_tests(used)) {
            let message = format!("the tests of `{name}` use `{used}`, which {MAP}:{} does not allow", row.line);
            findings.push(Finding::new(&*manifest, 1, message));
        }
        for dependency in &package.dependencies {
            findings.extend(reserved(&name, &dependency.name).map(|message| Finding::new(&*manifest, 1, message)));
        }
    }
    findings
}

/// Why a package may not name one of somebody else's.
fn reserved(name: &str, dependency: &str) -> Option<String> {
    if name == "xtask" && TOO_HEAVY_FOR_XTASK.contains(&dependency) {
        return Some(format!("`xtask` uses `{dependency}`; it has no TLS, HTTP or database dependency"));
    }
    let (_, owners) = RESERVED.iter().find(|(reserved, _)| *reserved == dependency)?;
    (!owners.contains(&name)).then(|| format!("`{name}` uses `{dependency}`, which belongs to {}", owners.join(", ")))
}

struct Row {
    crate_name: String,
    normal: Vec<Allowed>,
    dev: Vec<Allowed>,
    line: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Allowed {
    pattern: String,
    at_most_one: bool,
}

/// Reads the table. A row is `| names | what | what it may use |`: names in backticks; then a list with commas of
/// names in backticks, `at most one` before a pattern, `all`, or a dash for nothing, and `(tests: …)` at the end.
fn rows(map: &str) -> (Vec<Row>, Vec<Finding>) {
    let (mut rows, mut findings) = (Vec::new(), Vec::new());
    let table = (1..).zip(map.lines()).skip_while(|(_, line)| *line != HEADING).skip(2);
    for (line, text) in table.take_while(|(_, line)| line.starts_with('|')) {
        let cells: Vec<&str> = text.trim_matches('|').split('|').map(str::trim).collect();
        let [names, _, uses] = cells.as_slice() else {
            findings.push(Finding::new(MAP, line, "a row of the table has three cells"));
            continue;
        };
        let (normal, dev) = match uses.split_once("(tests:") {
            Some((normal, dev)) => (normal, dev.trim_end_matches(')')),
            None => (*uses, ""),
        };
        for name in names.split(',') {
            match (allowed(normal), allowed(dev)) {
                (Ok(normal), Ok(dev)) => rows.push(Row { crate_name: bare(name).to_owned(), normal, dev, line }),
                (Err(word), _) | (_, Err(word)) => findings.push(Finding::new(MAP, line, format!("`{word}` is not understood"))),
            }
        }
    }
    (rows, findings)
}

fn allowed(list: &str) -> Result<Vec<Allowed>, String> {
    let words = list.split(',').map(str::trim).filter(|word| !word.is_empty() && *word != "–");
    words
        .map(|word| {
            let (at_most_one, rest) = word.strip_prefix("at most one").map_or((false, word), |rest| (true, rest));
            let pattern = bare(rest);
            if rest.trim() != "all" && !rest.trim().starts_with('`') {
                return Err(word.to_owned());
            }
            Ok(Allowed { pattern: if pattern == "all" { "*".to_owned() } else { pattern.to_owned() }, at_most_one })
        })
        .collect()
}

fn bare(name: &str) -> &str {
    name.trim().trim_matches('`')
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::compare;
    use crate::tree::{Dependency, Metadata, Package};
    use std::path::Path;

    const MAP: &str = "# Map\n\n| crate | what lives there | may use (ours) |\n|---|---|---|\n| `model` | words | – |\n| `channel-*` | adapters | `model`, at most one `vendor-*` (tests: `channel-testkit`) |\n| `channel-testkit` | suite | `model` |\n| `vendor-*` | shared | `model` |\n| `host` | binary | all |\n";

    fn package(name: &str, normal: &[&str], dev: &[&str]) -> Package {
        let of = |names: &[&str], kind: Option<&str>| {
            let full = |name: &&str| if name.contains('/') { name.replace('/', "") } else { format!("switchboard-{name}") };
            names
                .iter()
                .map(|name| Dependency { name: full(name), kind: kind.map(str::to_owned), rename: None })
                .collect::<Vec<_>>()
        };
        let dependencies = of(normal, None).into_iter().chain(of(dev, Some("dev"))).collect();
        Package {
            name: format!("switchboard-{name}"),
            manifest_path: format!("/w/crates/{name}/Cargo.toml").into(),
            dependencies,
        }
    }

    fn check(changed: Package) -> Vec<String> {
        let mut packages = vec![
            package("model", &[], &[]),
            package("channel-testkit", &["model"], &[]),
            package("channel-email", &["model", "vendor-a"], &["channel-testkit"]),
            package("vendor-a", &["model"], &[]),
            package("host", &["model", "channel-email"], &[]),
        ];
        packages.retain(|package| package.name != changed.name);
        packages.push(changed);
        let metadata = Metadata { packages, target_directory: "/w/target".into() };
        compare(MAP, &metadata, Path::new("/w")).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_table_allows_passes() {
        assert_eq!(check(package("channel-chat", &["model"], &["channel-testkit", "model"])), [""; 0]);
    }

    #[test]
    fn a_dependency_that_the_table_does_not_allow_is_named() {
        assert_eq!(
            check(package("model", &["host"], &[])),
            ["crates/model/Cargo.toml:1: `model` uses `host`, which crates/README.md:5 does not allow"]
        );
        assert_eq!(
            check(package("channel-email", &["channel-testkit"], &["host"])),
            [
                "crates/channel-email/Cargo.toml:1: `channel-email` uses `channel-testkit`, which crates/README.md:6 does not allow",
                "crates/channel-email/Cargo.toml:1: the tests of `channel-email` use `host`, which crates/README.md:6 does not allow",
            ]
        );
    }

    #[test]
    fn at_most_one_means_one() {
        assert_eq!(
            check(package("channel-email", &["vendor-a", "vendor-b"], &[])),
            ["crates/channel-email/Cargo.toml:1: `channel-email` uses vendor-a and vendor-b; at most one `vendor-*` is allowed"]
        );
    }

    #[test]
    fn a_package_without_a_row_and_a_package_of_others_in_the_wrong_room_are_named() {
        assert_eq!(check(package("extra", &[], &[])), ["crates/extra/Cargo.toml:1: `extra` has no row in crates/README.md"]);
        assert_eq!(
            check(package("host", &["/sea-orm"], &[])),
            ["crates/host/Cargo.toml:1: `host` uses `sea-orm`, which belongs to storage"]
        );
    }

    #[test]
    fn a_row_without_a_package_and_a_map_without_a_table_are_named() {
        let metadata = Metadata { packages: vec![package("model", &[], &[])], target_directory: "/w/target".into() };
        let found = compare(&MAP.replace("| `vendor-*` | shared | `model` |\n", ""), &metadata, Path::new("/w"));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found[0], "crates/README.md:6: `channel-*` names no package");
        assert_eq!(found.len(), 3);
        assert_eq!(compare("# No table", &metadata, Path::new("/w")).len(), 1);
    }
}
