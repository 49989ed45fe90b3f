//! The desk: installing what it is built with, and building it when its sources have changed.

use crate::{process, tree};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Node that the build runs on.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// The folder of the npm package.
pub fn folder(root: &Path) -> PathBuf {
    root.join("crates/web")
}

/// Fails with a clear line unless Node is there and new enough.
pub fn require_node() -> Result<()> {
    let (major, minor) = OLDEST_NODE;
    let Ok(text) = process::output(Command::new("node").arg("--version")) else {
        bail!("Node.js {major}.{minor} or newer is needed to build the desk, and no `node` was found on PATH");
    };
    if process::version(&text).is_none_or(|found| found < OLDEST_NODE) {
        bail!("Node.js {major}.{minor} or newer is needed to build the desk; `node --version` says {text}");
    }
    Ok(())
}

/// Installs the npm packages that the lock file names, unless they are installed already.
pub fn install(root: &Path) -> Result<()> {
    require_node()?;
    let folder = folder(root);
    let wanted = digest(&[folder.join("package.json"), folder.join("package-lock.json")])?;
    let stamp = folder.join("node_modules/.switchboard-installed");
    if is_stamped(&stamp, &wanted) {
        return Ok(());
    }
    process::announce(npm_11(&folder)?.args(["ci", "--no-audit", "--no-fund"]))?;
    write_stamp(&stamp, &wanted)
}

/// Builds the desk, the widget and the public pages, unless that was done from these very sources.
pub fn build(root: &Path) -> Result<()> {
    install(root)?;
    let folder = folder(root);
    let wanted = digest(&sources(&folder)?)?;
    let stamp = folder.join("node_modules/.switchboard-built");
    let is_built = fs::read_dir(folder.join("dist")).is_ok_and(|mut entries| entries.next().is_some());
    if is_built && is_stamped(&stamp, &wanted) {
        return Ok(());
    }
    script(root, "build")?;
    write_stamp(&stamp, &wanted)
}

/// Runs a script of `package.json`.
pub fn script(root: &Path, name: &str) -> Result<()> {
    process::announce(Command::new("npm").args(["run", "--silent", name]).current_dir(folder(root)))
}

/// `npm` of version 11 or newer; the lock file leaves out registry addresses, which npm 10 does not cope with.
fn npm_11(folder: &Path) -> Result<Command> {
    let Ok(text) = process::output(Command::new("npm").arg("--version")) else {
        bail!("npm is needed to build the desk, and no `npm` was found on PATH");
    };
    let mut command = if process::version(&text).is_some_and(|(major, _)| major >= 11) {
        Command::new("npm")
    } else {
        let mut command = Command::new("npx");
        command.args(["--yes", "npm@11"]);
        command
    };
    command.current_dir(folder);
    Ok(command)
}

/// The files that the build reads: everything in the folder but what Rust alone reads.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_rust = |file: &Path| {
        file.extension().is_some_and(|extension| extension == "rs")
            || file.file_name().is_some_and(|name| name == "Cargo.toml")
            || file.strip_prefix(folder).is_ok_and(|path| path.starts_with("templates"))
    };
    Ok(tree::files(folder)?.into_iter().filter(|file| !is_rust(file)).collect())
}

/// A digest over the names and contents of files.
fn digest(files: &[PathBuf]) -> Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.to_string_lossy();
        hash.update(name.len().to_le_bytes());
        hash.update(name.as_bytes());
        hash.update(bytes.len().to_le_bytes());
        hash.update(&bytes);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn is_stamped(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|found| found == wanted)
}

fn write_stamp(stamp: &Path, digest: &str) -> Result<()> {
    if let Some(folder) = stamp.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(stamp, digest).with_context(|| format!("cannot write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::{digest, sources};
    use std::fs;

    #[test]
    fn the_digest_changes_with_names_and_contents_and_leaves_out_what_rust_reads() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(folder.path().join("src")).expect("a folder");
        fs::write(folder.path().join("src/lib.rs"), "//! Rust").expect("a file");
        fs::write(folder.path().join("src/main.ts"), "one").expect("a file");
        let first = digest(&sources(folder.path()).expect("sources")).expect("a digest");

        fs::write(folder.path().join("src/lib.rs"), "//! Other Rust").expect("a file");
        assert_eq!(digest(&sources(folder.path()).expect("sources")).expect("a digest"), first);

        fs::write(folder.path().join("src/main.ts"), "two").expect("a file");
        let second = digest(&sources(folder.path()).expect("sources")).expect("a digest");
        assert_ne!(second, first);

        fs::rename(folder.path().join("src/main.ts"), folder.path().join("src/desk.ts")).expect("a rename");
        assert_ne!(digest(&sources(folder.path()).expect("sources")).expect("a digest"), second);
    }
}
