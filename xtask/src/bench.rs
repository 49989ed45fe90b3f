//! `cargo xtask bench`: builds for release and runs the measurements.

use crate::postgres::{Cluster, Durability};
use crate::{process, run, tools, tree, web};
use anyhow::Result;
use std::process::Command;

/// What `bench` takes.
#[derive(clap::Args)]
pub struct Options {
    /// Handed on to the measuring program, such as `--quick` or `--help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the host and the measuring program with optimisation and runs the latter, with the paths of the
/// host in `SWITCHBOARD_HOST` and of the matcher's own measurement in `SWITCHBOARD_MATCHER_BENCH`, and a PostgreSQL that keeps its promises.
pub fn run(options: &Options) -> Result<()> {
    let root = tree::root();
    tools::install_packages()?;
    web::build(&root)?;
    let host = run::build_host(&root, true)?;
    process::run(process::cargo(&root).args([
        "build",
        "--release",
        "--package",
        "switchboard-tests",
        "--bin",
        "switchboard-bench",
    ]))?;
    let matcher = ["build", "--release", "--package", "switchboard-core", "--example", "matcher_bench"];
    process::run(process::cargo(&root).args(matcher))?;
    let matcher = host.with_file_name("examples").join(format!("matcher_bench{}", std::env::consts::EXE_SUFFIX));
    let program = host.with_file_name(format!("switchboard-bench{}", std::env::consts::EXE_SUFFIX));
    let commit = process::output(Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(&root));
    let cluster = Cluster::start(Durability::Full)?;
    let mut bench = Command::new(program);
    bench.args(["--commit", commit.as_deref().unwrap_or("unknown")]).args(&options.arguments).current_dir(&root);
    let result = process::run(
        bench.env("SWITCHBOARD_HOST", host).env("SWITCHBOARD_MATCHER_BENCH", matcher).env(Cluster::VARIABLE, cluster.url()),
    );
    cluster.stop()?;
    result
}
