//! `cargo xtask run`: from a fresh checkout to a running host.

use crate::{process, tree, web};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Rust that the workspace builds on; `rust-version` in the root `Cargo.toml` says the same.
const OLDEST_RUST: (u32, u32) = (1, 95);

/// What `run` takes.
#[derive(clap::Args)]
pub struct Options {
    /// Build with optimisation.
    #[arg(long)]
    release: bool,
    /// The configuration of the host.
    #[arg(long, value_name = "FILE", default_value = "config/switchboard.toml")]
    config: PathBuf,
}

/// Builds the desk and the host, then becomes the host.
pub fn run(options: &Options) -> Result<()> {
    let root = tree::root();
    require_rust()?;
    web::build(&root)?;
    let host = build_host(&root, options.release)?;
    let mut command = Command::new(&host);
    command.arg("serve").arg("--config").arg(&options.config);
    // Paths count from where the command was given, or else from the workspace, so that the default always works and
    // its database is always the same.
    if !options.config.exists() {
        if !root.join(&options.config).exists() {
            bail!("there is no configuration at {}", options.config.display());
        }
        command.current_dir(&root);
    }
    become_host(command)
}

/// Builds the binary and says where it is.
pub fn build_host(root: &Path, release: bool) -> Result<PathBuf> {
    let mut build = process::cargo(root);
    build.args(["build", "--package", "switchboard-host", "--bin", "switchboard"]);
    if release {
        build.arg("--release");
    }
    process::run(&mut build)?;
    let profile = if release { "release" } else { "debug" };
    let file = tree::metadata(root)?.target_directory.join(profile).join(format!("switchboard{}", std::env::consts::EXE_SUFFIX));
    if !file.is_file() {
        bail!("the build left no {}", file.display());
    }
    Ok(file)
}

/// Fails with a clear line unless Rust is new enough.
pub fn require_rust() -> Result<()> {
    let (major, minor) = OLDEST_RUST;
    let text = process::output(process::cargo(&tree::root()).arg("--version")).context("cannot ask cargo for its version")?;
    if process::version(&text).is_none_or(|found| found < OLDEST_RUST) {
        bail!("Rust {major}.{minor} or newer is needed; `cargo --version` says {text}");
    }
    Ok(())
}

/// Replaces this process, so that signals and the exit code are the host's own.
#[cfg(unix)]
fn become_host(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start `{}`", process::shown(&command)))
}

#[cfg(not(unix))]
fn become_host(mut command: Command) -> Result<()> {
    process::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::OLDEST_RUST;
    use crate::tree;

    #[test]
    fn the_oldest_rust_is_the_one_that_the_workspace_declares() {
        let manifest: toml::Table = tree::read(&tree::root().join("Cargo.toml")).expect("a manifest").parse().expect("TOML");
        let declared = manifest["workspace"]["package"]["rust-version"].as_str().expect("a version");
        assert_eq!(declared, format!("{}.{}", OLDEST_RUST.0, OLDEST_RUST.1));
    }
}
