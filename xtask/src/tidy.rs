//! `cargo xtask tidy`: the structure that the compiler does not check. Prints every finding at once.

mod adapters;
mod code;
mod docs;
mod lexer;
mod manifests;
mod rooms;
mod rules;

pub use adapters::{HOST_MANIFEST, REGISTRY, registered};

use crate::tree;
use anyhow::{Result, bail};
use std::fmt;
use std::path::{Path, PathBuf};

/// Checks the whole tree; prints what is wrong and which routing rules have no test yet.
pub fn run() -> Result<()> {
    let root = tree::root();
    let report = check(&root)?;
    for finding in &report.findings {
        println!("{finding}");
    }
    if !report.untested_rules.is_empty() {
        println!("routing rules without a test: {}", report.untested_rules.join(", "));
    }
    if !report.findings.is_empty() {
        bail!("tidy: {} finding{}", report.findings.len(), if report.findings.len() == 1 { "" } else { "s" });
    }
    println!("tidy: {} files, nothing found", report.files);
    Ok(())
}

/// Checks a tree and returns all that was found.
pub fn check(root: &Path) -> Result<Report> {
    let mut findings = Vec::new();
    let files = tree::files(root)?;
    for file in &files {
        let path = relative(root, file);
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => findings.extend(code::check_rust(path, &tree::read(file)?)),
            Some("ts" | "svelte") => findings.extend(code::check_script(path, &tree::read(file)?)),
            Some("md") => findings.extend(docs::check(root, path, &tree::read(file)?)),
            _ => {}
        }
    }
    findings.extend(rooms::check(root)?);
    findings.extend(adapters::check(root)?);
    findings.extend(manifests::check(root)?);
    let rules = rules::check(root, &files)?;
    findings.extend(rules.findings);
    findings.sort();
    Ok(Report { findings, untested_rules: rules.untested, files: files.len() })
}

/// What `check` found.
pub struct Report {
    /// Everything that is wrong, sorted by place.
    pub findings: Vec<Finding>,
    /// Routing rules that no test names.
    pub untested_rules: Vec<String>,
    /// How many files were looked at.
    pub files: usize,
}

/// One thing that is wrong, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    path: PathBuf,
    line: usize,
    message: String,
}

impl Finding {
    /// A finding; the path is relative to the workspace, the line counts from 1.
    pub fn new(path: impl Into<PathBuf>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.message)
    }
}

/// Reads a file that the tree must have; one that is missing is a finding like any other.
fn read_required(root: &Path, path: &str, findings: &mut Vec<Finding>) -> Result<Option<String>> {
    if root.join(path).is_file() {
        return tree::read(&root.join(path)).map(Some);
    }
    findings.push(Finding::new(path, 1, "is missing"));
    Ok(None)
}

fn relative<'a>(root: &Path, file: &'a Path) -> &'a Path {
    file.strip_prefix(root).unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tree;

    #[test]
    fn the_tree_is_tidy() {
        let report = check(&tree::root()).expect("the tree can be read");
        let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }
}
