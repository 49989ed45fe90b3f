//! The project's own commands: `cargo xtask run | test | tidy | bench | corpora | channel new NAME`.
//!
//! One file per subcommand; what they share is in `process`, `tree`, `web`, `tools` and `postgres`.
#![expect(clippy::disallowed_methods, reason = "a build tool measures time and reads the environment itself")]

mod bench;
mod channel;
mod corpora;
mod postgres;
mod process;
mod run;
mod test;
mod tidy;
mod tools;
mod tree;
mod web;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, runs and checks Switchboard", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the desk and the host, and run it.
    Run(run::Options),
    /// Install what the tests need, check everything, and run every test.
    Test(test::Options),
    /// Check the structure of the source tree and print every finding.
    Tidy,
    /// Build for release and measure.
    Bench(bench::Options),
    /// Fetch the mails of other projects that the tests of intake read.
    Corpora,
    /// Work on channel adapters.
    #[command(subcommand)]
    Channel(channel::Action),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Run(options) => run::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Tidy => tidy::run(),
        Command::Bench(options) => bench::run(&options),
        Command::Corpora => corpora::fetch(&tree::root()).map(|_| ()),
        Command::Channel(action) => channel::run(&action),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use crate::tree;
    use clap::Parser;

    #[test]
    fn every_command_that_the_pages_name_is_understood() {
        let mut seen = 0;
        for page in ["README.md", "crates/README.md", "crates/channel/README.md", ".ci/run"] {
            let text = tree::read(&tree::root().join(page)).expect("the page is there");
            let commands = text.split(['`', '\n']).filter_map(|part| part.trim().strip_prefix("cargo xtask "));
            for command in commands {
                let words = ["xtask"].into_iter().chain(command.split_whitespace());
                if let Err(error) = Arguments::try_parse_from(words) {
                    panic!("{page} names `cargo xtask {command}`: {error}");
                }
                seen += 1;
            }
        }
        assert!(seen >= 4, "only {seen} commands were found in the pages");
    }
}
