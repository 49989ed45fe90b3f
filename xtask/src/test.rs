//! `cargo xtask test`: installs what the tests need, checks everything, runs every test, and sums up.

mod suite;

use crate::{channel, corpora, process, run, tidy, tools, tree, web};
use anyhow::{Result, bail};
use clap::ValueEnum;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use suite::Counts;

/// What `test` takes.
#[derive(clap::Args)]
pub struct Options {
    /// Run one step alone.
    #[arg(long, value_enum, value_name = "STEP")]
    only: Option<Step>,
    /// Run only the tests that a nextest expression selects, such as `test(r5_4)`; implies `--only tests`.
    #[arg(long, value_name = "EXPR")]
    filter: Option<String>,
}

/// The steps, in the order in which they run: what fails fast comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Install the programs that the checks and tests start, and fetch the mails to test with.
    Tools,
    /// `cargo fmt --check`.
    Fmt,
    /// The structure of the tree.
    Tidy,
    /// Licences, banned crates, sources; advisories where their database can be reached.
    Deny,
    /// Types, tests, build, sizes and browser tests of the desk.
    Web,
    /// Clippy on everything, warnings refused.
    Clippy,
    /// Every test but doctests, against SQLite and a PostgreSQL of their own.
    Tests,
    /// Examples in the documentation.
    Doctests,
    /// A new adapter from the templates passes its own tests.
    Template,
}

struct Outcome {
    step: Step,
    duration: Duration,
    is_ok: bool,
}

/// Runs the steps until one fails.
pub fn run(options: &Options) -> Result<()> {
    let only = options.only.or(options.filter.is_some().then_some(Step::Tests));
    let steps: Vec<Step> = Step::value_variants().iter().copied().filter(|step| only.is_none_or(|only| only == *step)).collect();
    if options.filter.is_some() && only != Some(Step::Tests) {
        bail!("--filter selects among tests, so it goes with `--only tests` or alone");
    }
    run::require_rust()?;
    let root = tree::root();
    let (mut outcomes, mut counts, mut failure) = (Vec::new(), Counts::default(), None);
    for step in &steps {
        println!("\n── {step} ──", step = step.name());
        let started = Instant::now();
        let result = step.run(&root, options.filter.as_deref(), &mut counts);
        outcomes.push(Outcome { step: *step, duration: started.elapsed(), is_ok: result.is_ok() });
        if let Err(error) = result {
            failure = Some((*step, error));
            break;
        }
    }
    print!("\n{}", table(&steps, &outcomes));
    let error = failure.map(|(step, error)| {
        println!("\n{}: {error:#}\nto run it alone: cargo xtask test --only {}", step.name(), step.name());
        anyhow::anyhow!("the step `{}` failed", step.name())
    });
    if counts != Counts::default() {
        println!("\n{counts}");
    }
    error.map_or(Ok(()), Err)
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Fmt => "fmt",
            Self::Tidy => "tidy",
            Self::Deny => "deny",
            Self::Web => "web",
            Self::Clippy => "clippy",
            Self::Tests => "tests",
            Self::Doctests => "doctests",
            Self::Template => "template",
        }
    }

    fn run(self, root: &Path, filter: Option<&str>, counts: &mut Counts) -> Result<()> {
        match self {
            // What comes from elsewhere comes first: what cannot be had is told before anything is built.
            Self::Tools => {
                tools::install_packages()?;
                corpora::fetch(root)?;
                tools::cargo_deny(root).map(|_| ())
            }
            Self::Fmt => process::announce(process::cargo(root).args(["fmt", "--all", "--", "--check"])),
            Self::Tidy => tidy::run(),
            Self::Deny => deny(root),
            Self::Web => check_web(root),
            Self::Clippy => {
                // Clippy looks into the embedded pages as well.
                web::build(root)?;
                let arguments = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
                process::announce(process::cargo(root).args(arguments))
            }
            Self::Tests => suite::run(root, filter, counts),
            Self::Doctests => suite::run_doctests(root, counts),
            Self::Template => {
                channel::prove_template(root, |folder, package, target| suite::run_package(folder, package, target, counts))
            }
        }
    }
}

fn check_web(root: &Path) -> Result<()> {
    tools::install_packages()?;
    web::install(root)?;
    web::script(root, "check")?;
    web::script(root, "test")?;
    web::build(root)?;
    web::script(root, "size")?;
    // The desk in Chromium, against a host that is only played.
    web::script(root, "e2e")
}

fn deny(root: &Path) -> Result<()> {
    let program = tools::cargo_deny(root)?;
    let check = |how: &[&str], what: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(root).arg("--all-features").args(how).args(["check", "--hide-inclusion-graph"]).args(what);
        process::announce(&mut command)
    };
    check(&[], &["licenses", "bans", "sources"])?;
    // What is fetched first is then checked without the network, so a failure says which of the two it was.
    if tools::reaches_advisories() {
        tools::fetch_advisories(root, &program)?;
        check(&["--offline"], &["advisories"])?;
    } else {
        println!("advisories were NOT checked: their database cannot be reached from here");
    }
    Ok(())
}

fn table(steps: &[Step], outcomes: &[Outcome]) -> String {
    let row = |step: &Step| {
        let outcome = outcomes.iter().find(|outcome| outcome.step == *step);
        let (word, seconds) = match outcome {
            Some(outcome) => (if outcome.is_ok { "ok" } else { "FAILED" }, format!("{:.1} s", outcome.duration.as_secs_f64())),
            None => ("not run", String::new()),
        };
        format!("{:<10} {word:<8} {seconds:>9}\n", step.name())
    };
    steps.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Step, table};
    use clap::ValueEnum;
    use std::time::Duration;

    #[test]
    fn steps_are_called_on_the_command_line_what_the_table_calls_them() {
        for step in Step::value_variants() {
            assert_eq!(step.to_possible_value().expect("every step can be named").get_name(), step.name());
        }
    }

    #[test]
    fn the_table_shows_what_ran_what_failed_and_what_did_not_run() {
        let outcomes = [
            Outcome { step: Step::Fmt, duration: Duration::from_millis(1250), is_ok: true },
            Outcome { step: Step::Tidy, duration: Duration::from_secs(100), is_ok: false },
        ];
        let shown = table(&[Step::Fmt, Step::Tidy, Step::Deny], &outcomes);
        let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
        assert_eq!(lines, ["fmt        ok           1.2 s", "tidy       FAILED     100.0 s", "deny       not run"]);
    }
}
