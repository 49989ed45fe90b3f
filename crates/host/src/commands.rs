//! The commands beside `serve`: they read the configuration, ask for a job, and print its answer.

use crate::ConfigArgument;
use crate::config::Config;
use crate::control::{Job, perform};
use crate::directory_file;
use clap::Subcommand;
use std::fmt::Write;
use std::path::Path;
use switchboard_engine::{Engine, Scope, TokenView};

/// What can be done with people's sign-in.
#[derive(Subcommand)]
pub enum UserAction {
    /// List everybody with role, seat and team.
    List(ConfigArgument),
    /// Set a password, read from the first line of standard input.
    Password {
        #[command(flatten)]
        config: ConfigArgument,
        /// Whose.
        email: String,
    },
}

/// What can be done with API tokens.
#[derive(Subcommand)]
pub enum TokenAction {
    /// List live tokens.
    List(ConfigArgument),
    /// Make a token and print its secret.
    Create {
        #[command(flatten)]
        config: ConfigArgument,
        /// What it is for.
        name: String,
        /// What it allows: read, write, admin; may be given several times.
        #[arg(long = "scope", value_parser = scope, default_value = "read")]
        scopes: Vec<Scope>,
        /// Days after which it ends.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Revoke a token.
    Revoke {
        #[command(flatten)]
        config: ConfigArgument,
        /// Its id, as `token list` shows it.
        id: i64,
    },
}

/// Applies a directory file. With faults in the calendars that it names, nothing is applied, but its other faults are
/// asked for as well.
pub async fn apply(config: &Path, file: &Path, dry_run: bool, prune: bool) -> Result<(), String> {
    let in_file = |message: &str| message.lines().map(|line| format!("{}: {line}", file.display())).collect::<Vec<_>>();
    let loaded = directory_file::load(file).map_err(|fault| in_file(&fault.to_string()).join("\n"))?;
    if loaded.faults.is_empty() {
        let job = Job::Apply { text: loaded.text, dry_run, prune };
        return print_answer(config, job).await.map_err(|message| in_file(&message).join("\n"));
    }
    let config = load(config)?;
    let answer = perform(&config, Job::Apply { text: loaded.text, dry_run: true, prune }).await;
    let calendars = loaded.faults.iter().flat_map(|fault| in_file(&fault.to_string()));
    Err(calendars.chain(answer.err().iter().flat_map(|message| in_file(message))).collect::<Vec<_>>().join("\n"))
}

/// Prints the directory.
pub async fn export(config: &Path) -> Result<(), String> {
    print_answer(config, Job::Export).await
}

/// Explains an item, or why somebody does not have it.
pub async fn explain(config: &Path, item: i64, all: bool, language: String, why_not: Option<String>) -> Result<(), String> {
    print_answer(config, Job::Explain { item, all, language, why_not }).await
}

/// Decides recorded history again.
pub async fn replay(config: &Path, from: u64) -> Result<(), String> {
    print_answer(config, Job::Replay { from }).await
}

/// Does something with people's sign-in.
pub async fn user(action: UserAction) -> Result<(), String> {
    match action {
        UserAction::List(argument) => print_answer(&argument.config, Job::ListUsers).await,
        UserAction::Password { config, email } => {
            let mut password = String::new();
            std::io::stdin().read_line(&mut password).map_err(|error| format!("no password on standard input: {error}"))?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            print_answer(&config.config, Job::SetPassword { email, password }).await
        }
    }
}

/// Does something with API tokens.
pub async fn token(action: TokenAction) -> Result<(), String> {
    match action {
        TokenAction::List(argument) => print_answer(&argument.config, Job::ListTokens).await,
        TokenAction::Create { config, name, scopes, days } => {
            print_answer(&config.config, Job::CreateToken { name, scopes, days }).await
        }
        TokenAction::Revoke { config, id } => print_answer(&config.config, Job::RevokeToken { id }).await,
    }
}

/// Everybody, as a table.
pub fn user_table(engine: &Engine) -> String {
    let directory = engine.directory();
    let mut table = format!("{:<32} {:<24} {:<8} {:<8} {:<16} {}\n", "EMAIL", "NAME", "ROLE", "SEAT", "TEAM", "ACTIVE");
    for user in &directory.users {
        let team = user.team.and_then(|id| directory.team(id)).map_or("-", |team| team.slug.as_str());
        let active = if user.is_active() { "yes" } else { "no" };
        let _ = writeln!(
            table,
            "{:<32} {:<24} {:<8} {:<8} {team:<16} {active}",
            user.email,
            user.name,
            user.role.as_str(),
            user.seat.as_str()
        );
    }
    table
}

/// Live tokens, as a table.
pub fn token_table(tokens: &[TokenView]) -> String {
    let mut table = format!("{:<10} {:<12} {:<20} {}\n", "ID", "BEGINS WITH", "SCOPES", "NAME");
    for token in tokens {
        let scopes: Vec<String> = token.scopes.iter().map(|scope| format!("{scope:?}").to_lowercase()).collect();
        let _ = writeln!(table, "{:<10} {:<12} {:<20} {}", token.id.to_string(), token.prefix, scopes.join(","), token.name);
    }
    table
}

async fn print_answer(config: &Path, job: Job) -> Result<(), String> {
    print!("{}", perform(&load(config)?, job).await?);
    Ok(())
}

fn load(config: &Path) -> Result<Config, String> {
    Config::load(config).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn scope(word: &str) -> Result<Scope, String> {
    match word {
        "read" => Ok(Scope::Read),
        "write" => Ok(Scope::Write),
        "admin" => Ok(Scope::Admin),
        other => Err(format!("`{other}` is none of read, write, admin")),
    }
}
