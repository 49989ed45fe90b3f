//! The `switchboard` program: configuration, the list of channels, wiring, shutdown, command line.

mod channels;
mod check;
mod clock;
mod commands;
mod config;
mod control;
mod demo;
mod directory_file;
mod http;
mod listener;
mod logging;
mod reference;
mod rule_tests;
mod serve;
mod simulate;
mod supervisor;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// A self-hosted conversation router and agent desk.
#[derive(Parser)]
#[command(name = "switchboard", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the host.
    Serve(ConfigArgument),
    /// Print every fault of the configuration and of the stored directory, and every rule in it that can never assign; exit 1
    /// when there is any.
    Check {
        #[command(flatten)]
        config: ConfigArgument,
        /// Check this directory file as well, as it would change the stored directory, and run the test cases that it carries.
        #[arg(long, value_name = "FILE")]
        directory: Option<PathBuf>,
    },
    /// Apply a directory file and print what changed.
    Apply {
        #[command(flatten)]
        config: ConfigArgument,
        /// The directory file.
        file: PathBuf,
        /// Only print what would change.
        #[arg(long)]
        dry_run: bool,
        /// Deactivate users and remove teams, workspaces and channels that the file does not name.
        #[arg(long)]
        prune: bool,
    },
    /// Print the directory as a file that `apply` reads.
    Export(ConfigArgument),
    /// Say in words why an item went to whom it went, or why it waits or has no owner and what would change that.
    Explain {
        #[command(flatten)]
        config: ConfigArgument,
        /// The number of the conversation or ticket.
        item: i64,
        /// Every decision about it, not only the last.
        #[arg(long)]
        all: bool,
        /// Say why this person does not have it.
        #[arg(long, value_name = "EMAIL", conflicts_with = "all")]
        why_not: Option<String>,
        /// Language: en, nl, nb or da.
        #[arg(long, default_value = "en")]
        language: String,
    },
    /// Decide recorded history again and report every difference; exit 1 when there is any.
    Replay {
        #[command(flatten)]
        config: ConfigArgument,
        /// Begin at the last checkpoint before this consumption number.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Run a draft of the directory over recorded or generated traffic and print waits, loads and assignments beside
    /// those of the directory in force.
    Simulate(simulate::SimulateArguments),
    /// People's sign-in.
    User {
        #[command(subcommand)]
        action: commands::UserAction,
    },
    /// API tokens.
    Token {
        #[command(subcommand)]
        action: commands::TokenAction,
    },
    /// Print the reference of every setting of the configuration file, as Markdown.
    Reference,
}

/// Which configuration to use.
#[derive(clap::Args, Clone)]
pub struct ConfigArgument {
    /// The configuration file.
    #[arg(long, value_name = "FILE", env = "SWITCHBOARD_CONFIG", default_value = "switchboard.toml")]
    pub config: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return fail("another TLS provider is installed already");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(format!("the runtime cannot be started: {error}")),
    };
    let done = runtime.block_on(run(arguments.command));
    // What still runs has had its time; a blocking task must not hold the process up.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(message),
    }
}

async fn run(command: Command) -> Result<(), String> {
    match command {
        Command::Serve(argument) => serve::serve(&argument.config).await,
        Command::Check { config, directory } => check::check(&config.config, directory.as_deref()).await,
        Command::Apply { config, file, dry_run, prune } => commands::apply(&config.config, &file, dry_run, prune).await,
        Command::Export(argument) => commands::export(&argument.config).await,
        Command::Explain { config, item, all, why_not, language } => {
            commands::explain(&config.config, item, all, language, why_not).await
        }
        Command::Replay { config, from } => commands::replay(&config.config, from).await,
        Command::Simulate(arguments) => simulate::simulate(arguments).await,
        Command::User { action } => commands::user(action).await,
        Command::Token { action } => commands::token(action).await,
        Command::Reference => {
            print!("{}", reference::markdown());
            Ok(())
        }
    }
}

fn fail(message: impl std::fmt::Display) -> ExitCode {
    eprintln!("switchboard: {message}");
    ExitCode::FAILURE
}
