//! `cargo xtask bench`: builds for release and runs the measurements.

use crate::{process, run, tree};
use anyhow::{Result, bail};

/// What `bench` takes.
#[derive(clap::Args)]
pub struct Options {
    /// Handed on to the measuring program.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the host and the measuring program with optimisation and runs the latter, with the path of the host
/// in `SWITCHBOARD_HOST`.
pub fn run(options: &Options) -> Result<()> {
    let root = tree::root();
    if !root.join("tests/src/bin/switchboard-bench.rs").is_file() && !root.join("tests/src/bin/switchboard-bench").is_dir() {
        bail!("there is nothing to measure with: tests/src/bin has no switchboard-bench");
    }
    let host = run::build_host(&root, true)?;
    let mut bench = process::cargo(&root);
    bench.args(["run", "--release", "--package", "switchboard-tests", "--bin", "switchboard-bench", "--"]);
    process::run(bench.args(&options.arguments).env("SWITCHBOARD_HOST", host))
}
