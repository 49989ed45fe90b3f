//! The packages' manifests: the same lints everywhere, and no dependency that nothing names.

use super::lexer::{Kind, lex};
use super::{Finding, relative};
use crate::tree::{self, Dependency, Package};
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// Every package without the workspace's lints, every dependency that no file of its package names, and every
/// dependency of the workspace that no package takes.
pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let packages = tree::metadata(root)?.packages;
    findings.extend(untaken(&tree::read(&root.join("Cargo.toml"))?, &packages)?);
    for package in &packages {
        let folder = package.manifest_path.parent().context("a manifest lies in a folder")?;
        let mut words = BTreeSet::new();
        for file in tree::files(folder)?.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
            let source = tree::read(file)?;
            words.extend(lex(&source).into_iter().filter(|token| token.kind == Kind::Word).map(|token| token.text.to_owned()));
        }
        let path = relative(root, &package.manifest_path);
        findings.extend(compare(path, &tree::read(&package.manifest_path)?, package, &words)?);
    }
    Ok(findings)
}

fn compare(path: &Path, manifest: &str, package: &Package, words: &BTreeSet<String>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let table: toml::Table = manifest.parse().with_context(|| format!("cannot read {}", path.display()))?;
    let lints = table.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
    if lints != Some(true) {
        findings.push(Finding::new(path, 1, "does not take over the workspace's lints"));
    }
    for dependency in package.dependencies.iter().filter(|dependency| !words.contains(&crate_name(dependency))) {
        let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
        findings.push(Finding::new(path, line_of(manifest, name), format!("nothing names the dependency `{name}`")));
    }
    Ok(findings)
}

fn untaken(manifest: &str, packages: &[Package]) -> Result<Vec<Finding>> {
    let table: toml::Table = manifest.parse().context("cannot read Cargo.toml")?;
    let names = table.get("workspace").and_then(|workspace| workspace.get("dependencies")?.as_table());
    let is_taken =
        |name: &str| packages.iter().flat_map(|package| &package.dependencies).any(|dependency| dependency.name == name);
    let untaken = names.into_iter().flat_map(toml::Table::keys).filter(|name| !is_taken(name));
    Ok(untaken.map(|name| Finding::new("Cargo.toml", line_of(manifest, name), format!("no package takes `{name}`"))).collect())
}

/// The line of a dependency in a manifest.
fn line_of(manifest: &str, name: &str) -> usize {
    let line = (1..).zip(manifest.lines()).find(|(_, line)| line.split(['.', ' ', '=']).next() == Some(name));
    line.map_or(1, |(line, _)| line)
}

/// The name by which code calls a dependency.
fn crate_name(dependency: &Dependency) -> String {
    dependency.rename.as_ref().unwrap_or(&dependency.name).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::{compare, untaken};
    use crate::tree::{Dependency, Package};
    use std::path::Path;

    #[test]
    fn missing_lints_and_unused_dependencies_are_named_with_their_lines() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\nserde.workspace = true\nserde_json.workspace = true\nmail-parser = \"1\"\nother = { package = \"b\" }\n";
        let dependency = |name: &str, rename: Option<&str>| Dependency {
            name: name.to_owned(),
            kind: None,
            rename: rename.map(str::to_owned),
        };
        let dependencies = ["serde", "serde_json", "mail-parser"]
            .map(|name| dependency(name, None))
            .into_iter()
            .chain([dependency("b", Some("other"))]);
        let package =
            Package { name: "a".to_owned(), manifest_path: "a/Cargo.toml".into(), dependencies: dependencies.collect() };
        let words = ["serde", "mail_parser"].map(str::to_owned).into();
        let found = compare(Path::new("a/Cargo.toml"), manifest, &package, &words).expect("the manifest is TOML");
        assert_eq!(
            found.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "a/Cargo.toml:1: does not take over the workspace's lints",
                "a/Cargo.toml:5: nothing names the dependency `serde_json`",
                "a/Cargo.toml:7: nothing names the dependency `other`",
            ]
        );
    }

    #[test]
    fn dependencies_of_the_workspace_that_no_package_takes_are_named() {
        let manifest = "[workspace.dependencies]\nserde = \"1\"\nunused = { version = \"1\" }\n";
        let serde = Dependency { name: "serde".to_owned(), kind: Some("dev".to_owned()), rename: None };
        let package = Package { name: "a".to_owned(), manifest_path: "a/Cargo.toml".into(), dependencies: vec![serde] };
        let found = untaken(manifest, &[package]).expect("the manifest is TOML");
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Cargo.toml:3: no package takes `unused`"]);
    }
}
