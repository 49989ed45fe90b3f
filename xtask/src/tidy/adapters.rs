//! Adapters: the same files in each folder, one exported name, and one line each in the registry and in the
//! host's manifest.

use super::lexer::{Kind, lex};
use super::{Finding, code, read_required};
use crate::tree;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// The constant that lists the adapters.
pub const REGISTRY: &str = "crates/host/src/channels.rs";
/// The manifest that names them.
pub const HOST_MANIFEST: &str = "crates/host/Cargo.toml";
/// What every adapter has, each with what may stand in its place.
const FILES: [&[&str]; 7] = [
    &["src/lib.rs"],
    &["src/config.rs"],
    &["src/decode.rs", "src/decode"],
    &["src/encode.rs", "src/encode"],
    &["src/channel.rs"],
    &["fixtures"],
    &["tests/contract.rs"],
];

/// Every adapter that lacks a file, exports more than its registration, or is missing somewhere.
pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let adapters = adapters(root)?;
    let mut findings = Vec::new();
    for adapter in &adapters {
        let folder = root.join("crates").join(adapter);
        let path = Path::new("crates").join(adapter);
        for alternatives in FILES {
            if !alternatives.iter().any(|file| folder.join(file).exists()) {
                findings.push(Finding::new(&*path, 1, format!("an adapter has {}", alternatives.join(" or "))));
            }
        }
        let lib = folder.join("src/lib.rs");
        if lib.is_file() {
            findings.extend(exports(&path.join("src/lib.rs"), &tree::read(&lib)?));
        }
    }
    if let Some(registry) = read_required(root, REGISTRY, &mut findings)? {
        findings.extend(compare(&adapters, &registered(&registry), REGISTRY));
    }
    if let Some(manifest) = read_required(root, HOST_MANIFEST, &mut findings)? {
        findings.extend(compare(&adapters, &named(&manifest)?, HOST_MANIFEST));
    }
    Ok(findings)
}

/// The folders of adapters, sorted.
pub fn adapters(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("crates");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("channel-") && name != "channel-testkit").collect();
    names.sort();
    Ok(names)
}

/// The adapters that the registry names, in its order, with their lines.
pub fn registered(source: &str) -> Vec<(String, usize)> {
    let words = lex(source).into_iter().filter(|token| token.kind == Kind::Word);
    let crates = words.filter_map(|token| Some((token.text.strip_prefix("switchboard_")?.replace('_', "-"), token.line)));
    crates.filter(|(name, _)| name.starts_with("channel-") && name != "channel-testkit").collect()
}

/// The adapters that the host's manifest depends on, in its order.
fn named(manifest: &str) -> Result<Vec<(String, usize)>> {
    let table: toml::Table = manifest.parse().with_context(|| format!("cannot read {HOST_MANIFEST}"))?;
    let is_dependency =
        |name: &str| table.get("dependencies").is_some_and(|names| names.get(format!("switchboard-{name}")).is_some());
    let lines = (1..).zip(manifest.lines()).filter_map(|(line, text)| {
        let name = text.strip_prefix("switchboard-")?.split(['.', ' ', '=']).next()?;
        Some((name.to_owned(), line))
    });
    let is_adapter = |name: &str| name.starts_with("channel-") && name != "channel-testkit";
    Ok(lines.filter(|(name, _)| is_adapter(name) && is_dependency(name)).collect())
}

fn exports(path: &Path, source: &str) -> Vec<Finding> {
    let items = code::public_items(source);
    let is_registration = |words: &str| words.split(' ').any(|word| word == "REGISTRATION");
    // What fuzz targets run has to be reached from outside.
    let is_for_fuzzing = |words: &str| words == "mod fuzzing";
    let mut findings: Vec<Finding> = items
        .iter()
        .filter(|(_, words)| !is_registration(words) && !is_for_fuzzing(words))
        .map(|(line, words)| Finding::new(path, *line, format!("an adapter exports `REGISTRATION` alone, not `{words}`")))
        .collect();
    if !items.iter().any(|(_, words)| is_registration(words)) {
        findings.push(Finding::new(path, 1, "an adapter exports `REGISTRATION`"));
    }
    findings
}

fn compare(adapters: &[String], listed: &[(String, usize)], file: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for adapter in adapters.iter().filter(|adapter| !listed.iter().any(|(name, _)| name == *adapter)) {
        findings.push(Finding::new(file, 1, format!("`{adapter}` is missing")));
    }
    for (name, line) in listed.iter().filter(|(name, _)| !adapters.contains(name)) {
        findings.push(Finding::new(file, *line, format!("`{name}` has no folder in crates")));
    }
    for pair in listed.windows(2).filter(|pair| pair[0].0 >= pair[1].0) {
        findings.push(Finding::new(file, pair[1].1, format!("`{}` comes before `{}`, once", pair[1].0, pair[0].0)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{compare, exports, named, registered};
    use std::path::Path;

    #[test]
    fn the_registry_and_the_manifest_are_read_without_comments_and_other_crates() {
        let source = "//! All.\n// switchboard_channel_old\npub const ALL: &[&Registration] = &[\n    &switchboard_channel_email::REGISTRATION,\n    &switchboard_channel_web_form::REGISTRATION,\n];\n";
        assert_eq!(registered(source), [("channel-email".to_owned(), 4), ("channel-web-form".to_owned(), 5)]);
        let manifest = "[dependencies]\nswitchboard-channel.workspace = true\nswitchboard-channel-email.workspace = true\nswitchboard-channel-forms = { path = \"../channel-forms\" }\n[dev-dependencies]\nswitchboard-channel-testkit.workspace = true\n";
        let names: Vec<String> = named(manifest).expect("TOML").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["channel-email", "channel-forms"]);
    }

    #[test]
    fn missing_surplus_and_misplaced_adapters_are_named() {
        let folders = ["channel-a".to_owned(), "channel-b".to_owned(), "channel-c".to_owned()];
        let listed = [("channel-c".to_owned(), 3), ("channel-b".to_owned(), 4), ("channel-x".to_owned(), 5)];
        let found: Vec<String> = compare(&folders, &listed, "list.rs").iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "list.rs:1: `channel-a` is missing",
                "list.rs:5: `channel-x` has no folder in crates",
                "list.rs:4: `channel-b` comes before `channel-c`, once",
            ]
        );
    }

    #[test]
    fn an_adapter_exports_its_registration_and_nothing_else() {
        let path = Path::new("lib.rs");
        assert!(exports(path, "//! A.\nmod a;\npub const REGISTRATION: Registration = R;\n").is_empty());
        assert!(exports(path, "//! A.\nmod channel;\npub use channel::REGISTRATION;\n").is_empty());
        assert!(exports(path, "//! A.\npub mod fuzzing;\npub use channel::REGISTRATION;\n").is_empty());
        let found: Vec<String> = exports(path, "//! A.\npub mod decode;\n").iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "lib.rs:2: an adapter exports `REGISTRATION` alone, not `mod decode`",
                "lib.rs:1: an adapter exports `REGISTRATION`"
            ]
        );
    }
}
