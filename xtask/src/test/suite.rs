//! Running the tests of the workspace, and counting them from what the runner prints.

use crate::postgres::{Cluster, Durability};
use crate::{corpora, process, tools, web};
use anyhow::{Context, Result, bail};
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Builds everything once and runs every test, or those that the filter selects.
pub fn run(root: &Path, filter: Option<&str>, counts: &mut Counts) -> Result<()> {
    tools::install_packages()?;
    let corpora = corpora::fetch(root)?;
    // The binary under test serves the desk; browser tests need the real one.
    web::build(root)?;
    process::announce(process::cargo(root).args(["build", "--workspace", "--all-targets"]))?;
    let cluster = Cluster::start(Durability::OfProcesses)?;
    let mut command = runner(root);
    command.env(corpora::VARIABLE, corpora);
    command.args(["--workspace", "--all-targets"]).env(Cluster::VARIABLE, cluster.url()).env("INSTA_UPDATE", "no");
    if let Some(filter) = filter {
        if has_nextest(root) {
            command.args(["--filterset", filter]);
        } else {
            command.arg(filter);
        }
    }
    let result = count(&mut command, counts);
    cluster.stop()?;
    result
}

/// Runs the examples in the documentation, which nextest does not.
pub fn run_doctests(root: &Path, counts: &mut Counts) -> Result<()> {
    count(process::cargo(root).args(["test", "--workspace", "--doc"]), counts)
}

/// Runs the tests of one package of another workspace, built into the given target folder.
pub fn run_package(folder: &Path, package: &str, target: &Path, counts: &mut Counts) -> Result<()> {
    // This package alone: more would put the other workspace's programs in the place of our own.
    count(runner(folder).args(["--package", package]).env("CARGO_TARGET_DIR", target), counts)
}

fn has_nextest(root: &Path) -> bool {
    process::succeeds(process::cargo(root).args(["nextest", "--version"]))
}

/// nextest where it is installed, else `cargo test`.
fn runner(root: &Path) -> Command {
    let mut command = process::cargo(root);
    if has_nextest(root) {
        command.args(["nextest", "run", "--no-fail-fast", "--color", "never"]);
    } else {
        command.args(["test", "--no-fail-fast"]);
    }
    command
}

/// Runs a test command, passes on what it prints, and adds what its summary lines say.
fn count(command: &mut Command, counts: &mut Counts) -> Result<()> {
    let shown = process::shown(command);
    println!("$ {shown}");
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| format!("cannot start `{shown}`"))?;
    let (stdout, stderr) = (child.stdout.take().expect("stdout is piped"), child.stderr.take().expect("stderr is piped"));
    let (from_stdout, from_stderr) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| pass_on(stdout, |line| println!("{line}")));
        let from_stderr = pass_on(stderr, |line| eprintln!("{line}"));
        (reader.join().expect("passing lines on does not panic"), from_stderr)
    });
    let status = child.wait().with_context(|| format!("cannot wait for `{shown}`"))?;
    let seen = from_stdout.plus(from_stderr).counts();
    *counts = counts.plus(seen);
    if !status.success() {
        bail!("`{shown}` failed ({status}): {seen}");
    }
    Ok(())
}

fn pass_on(stream: impl Read, print: impl Fn(&str)) -> Seen {
    let mut seen = Seen::default();
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Some(Ok(line)) = lines.next() {
        let line = String::from_utf8_lossy(&line);
        print(line.trim_end_matches('\r'));
        seen = seen.plus(summary(&line));
    }
    seen
}

/// What the closing lines of a run said. nextest shows the output of failing tests, in which each test binary has a
/// closing line of its own, so its own line goes before those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    nextest: Option<Counts>,
    binaries: Counts,
}

impl Seen {
    fn plus(self, other: Self) -> Self {
        Self { nextest: other.nextest.or(self.nextest), binaries: self.binaries.plus(other.binaries) }
    }

    fn counts(self) -> Counts {
        self.nextest.unwrap_or(self.binaries)
    }
}

/// Reads the closing line of nextest (`Summary [ 1.2s] 3 tests run: 2 passed, 1 failed, 0 skipped`) or of one
/// test binary under `cargo test` (`test result: ok. 3 passed; 0 failed; 1 ignored; …`).
fn summary(line: &str) -> Seen {
    let line = line.trim();
    if let Some((_, list)) = line.strip_prefix("Summary [").and_then(|rest| rest.split_once("run:")) {
        return Seen { nextest: Some(listed(list)), ..Seen::default() };
    }
    let list = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "));
    Seen { binaries: list.map_or_else(Counts::default, |(_, list)| listed(list)), ..Seen::default() }
}

fn listed(list: &str) -> Counts {
    let mut counts = Counts::default();
    for part in list.split([',', ';']) {
        let Some((number, word)) = part.trim().split_once(' ') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match word.split([' ', '(']).next().unwrap_or_default() {
            "passed" => counts.passed += number,
            "failed" | "timed" | "exec" => counts.failed += number,
            "skipped" | "ignored" => counts.skipped += number,
            _ => {}
        }
    }
    counts
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed, skipped: self.skipped + other.skipped }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Seen, count, summary};
    use std::process::Command;

    #[test]
    fn closing_lines_of_both_runners_are_read() {
        let nextest =
            "     Summary [   1.204s] 9 tests run: 5 passed (1 slow, 1 flaky), 2 failed, 1 timed out, 1 exec failed, 3 skipped";
        assert_eq!(summary(nextest).counts(), Counts { passed: 5, failed: 4, skipped: 3 });
        let cargo = "test result: FAILED. 7 passed; 1 failed; 2 ignored; 0 measured; 4 filtered out; finished in 0.01s";
        assert_eq!(summary(cargo).counts(), Counts { passed: 7, failed: 1, skipped: 2 });
        assert_eq!(summary("running 3 tests"), Seen::default());
    }

    #[test]
    fn what_failing_tests_printed_is_not_counted_again_and_a_failing_run_fails() {
        let script = "echo 'test result: FAILED. 0 passed; 1 failed; 0 ignored'; echo ' Summary [ 1s] 3 tests run: 2 passed, 1 failed, 0 skipped' >&2; exit 1";
        let mut counts = Counts { passed: 1, failed: 0, skipped: 0 };
        let error = count(Command::new("sh").args(["-c", script]), &mut counts).expect_err("exits with 1");
        assert_eq!(counts, Counts { passed: 3, failed: 1, skipped: 0 });
        assert!(error.to_string().ends_with("failed (exit status: 1): 2 passed, 1 failed"), "{error}");
    }

    #[test]
    fn binaries_are_added_up_where_nextest_did_not_run() {
        let script =
            "echo 'test result: ok. 2 passed; 0 failed; 1 ignored'; echo 'test result: ok. 3 passed; 0 failed; 0 ignored'";
        let mut counts = Counts::default();
        count(Command::new("sh").args(["-c", script]), &mut counts).expect("exits with 0");
        assert_eq!(counts.to_string(), "5 passed, 0 failed, 1 skipped");
    }
}
