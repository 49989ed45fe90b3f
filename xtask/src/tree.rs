//! The source tree: where it is, which files it has, and what cargo says about it.

use crate::process;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace").to_owned()
}

/// What cargo knows about the packages of a workspace.
#[derive(Deserialize)]
pub struct Metadata {
    /// The workspace's own packages.
    pub packages: Vec<Package>,
    /// Where cargo builds.
    pub target_directory: PathBuf,
}

/// One package.
#[derive(Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its `Cargo.toml`.
    pub manifest_path: PathBuf,
    /// What it depends on, of every kind.
    pub dependencies: Vec<Dependency>,
}

/// One line of a dependency table.
#[derive(Deserialize)]
pub struct Dependency {
    /// Name of the package.
    pub name: String,
    /// `None` for a normal one, else `dev` or `build`.
    pub kind: Option<String>,
    /// The name that the package goes by here, where it is another.
    pub rename: Option<String>,
}

/// Asks cargo about a workspace, without its dependencies and without a network.
pub fn metadata(root: &Path) -> Result<Metadata> {
    let text = process::output(process::cargo(root).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]))?;
    serde_json::from_str(&text).context("cannot read what `cargo metadata` prints")
}

/// Every file below a folder that belongs to the project, sorted; not what was built, downloaded or stored.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
            let name = entry.file_name();
            let kind = entry.file_type().with_context(|| format!("cannot look at {}", entry.path().display()))?;
            if kind.is_dir() && !is_foreign(&name.to_string_lossy()) {
                pending.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a file of the tree as text.
pub fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn is_foreign(folder: &str) -> bool {
    matches!(folder, ".git" | "target" | "node_modules" | "dist" | "data" | ".svelte-kit" | ".vite")
}
