//! Captured payloads from an adapter's `fixtures/` folder.

use std::fs;
use std::path::Path;

/// One captured payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixture {
    /// File name without its extension: the name of the case.
    pub name: String,
    /// The payload as it came over the wire.
    pub bytes: Vec<u8>,
}

/// Every file of the folder that ends in `.extension`, by name. Give the folder as
/// `concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")`.
///
/// # Panics
/// When the folder cannot be read, or holds no such file: a suite over no fixtures would prove nothing.
#[must_use]
pub fn fixtures(folder: impl AsRef<Path>, extension: &str) -> Vec<Fixture> {
    let folder = folder.as_ref();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("reading {}: {error}", folder.display()));
    let mut found: Vec<Fixture> = entries
        .map(|entry| entry.unwrap_or_else(|error| panic!("reading {}: {error}", folder.display())).path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| {
            let bytes = fs::read(&path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()));
            let name = path.file_stem().expect("a file with an extension has a stem").to_string_lossy().into_owned();
            Fixture { name, bytes }
        })
        .collect();
    assert!(!found.is_empty(), "{} holds no .{extension} file", folder.display());
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}
