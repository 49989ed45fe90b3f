//! The commands beside `serve`: they read the configuration, ask for a job, and print its answer.

use crate::ConfigArgument;
use crate::config::Config;
use crate::control::{Job, perform, socket_path};
use clap::Subcommand;
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use switchboard_core::validate;
use switchboard_engine::directory::{MergeOptions, merge_text};
use switchboard_engine::{Engine, Scope, TokenView};
use switchboard_model::{Directory, Fault};

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

/// Checks configuration, stored directory and, if named, a directory file.
pub async fn check(config: &Path, directory: Option<&Path>) -> Result<(), String> {
    let loaded = Config::load(config);
    let mut faults: Vec<String> = Vec::new();
    if let Err(found) = &loaded {
        faults.extend(found.iter().map(ToString::to_string));
    }
    if let Some(file) = directory {
        faults.extend(file_faults(file).iter().map(ToString::to_string));
    }
    if let Ok(config) = &loaded {
        let channels: BTreeMap<String, String> =
            config.channels.iter().map(|(slug, channel)| (slug.clone(), channel.kind.to_string())).collect();
        if has_database(config) {
            let stored = perform(config, Job::Check { channels }).await?;
            faults.extend(stored.lines().map(str::to_owned));
        } else if let Some(first) = config.first_directory.as_deref() {
            let first_faults = match read_directory(first) {
                Ok(directory) => [validate(&directory), slug_faults(&directory, &channels)].concat(),
                Err(found) => found,
            };
            let shown = first.display().to_string();
            faults.extend(first_faults.into_iter().map(|fault| fault.in_file(&shown).to_string()));
        }
    }
    if faults.is_empty() {
        println!("{}: no faults", config.display());
        return Ok(());
    }
    Err(format!("{} {}\n{}", faults.len(), if faults.len() == 1 { "fault" } else { "faults" }, faults.join("\n")))
}

/// Applies a directory file.
pub async fn apply(config: &Path, file: &Path, dry_run: bool, prune: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: cannot be read: {error}", file.display()))?;
    print_answer(config, Job::Apply { text, dry_run, prune })
        .await
        .map_err(|message| message.lines().map(|line| format!("{}: {line}", file.display())).collect::<Vec<_>>().join("\n"))
}

/// Prints the directory.
pub async fn export(config: &Path) -> Result<(), String> {
    print_answer(config, Job::Export).await
}

/// Explains an item.
pub async fn explain(config: &Path, item: i64, all: bool, language: String) -> Result<(), String> {
    print_answer(config, Job::Explain { item, all, language }).await
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

/// Faults of the stored directory, one per line (ROUTING 7.7); slugs on one side only are faults too.
pub fn stored_faults(engine: &Engine, channels: &BTreeMap<String, String>) -> Result<String, String> {
    let directory = engine.directory();
    let faults = [validate(&directory), slug_faults(&directory, channels)].concat();
    Ok(faults.iter().fold(String::new(), |text, fault| text + &format!("stored directory: {fault}\n")))
}

/// Channels that stand in the configuration or in the directory only, or with different kinds.
pub fn slug_faults(directory: &Directory, channels: &BTreeMap<String, String>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (slug, kind) in channels {
        match directory.channel_by_slug(slug) {
            None => faults.push(Fault::unknown(
                format!("channels.{slug}"),
                "channel in the directory",
                slug,
                directory.channels.iter().map(|channel| channel.slug.as_str()),
            )),
            Some(entry) if entry.kind.as_str() != kind => faults.push(Fault::new(
                format!("channels.{slug}.kind"),
                format!("is `{kind}` in the configuration and `{}` in the directory", entry.kind),
            )),
            Some(_) => {}
        }
    }
    for entry in directory.channels.iter().filter(|entry| !channels.contains_key(&entry.slug)) {
        let message = format!("stands in the directory, but the configuration has no `[channels.{}]`", entry.slug);
        faults.push(Fault::new(format!("channels.{}", entry.slug), message));
    }
    faults
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
    let config = Config::load(config).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    print!("{}", perform(&config, job).await?);
    Ok(())
}

fn read_directory(file: &Path) -> Result<Directory, Vec<Fault>> {
    let text = std::fs::read_to_string(file).map_err(|error| vec![Fault::new("file", format!("cannot be read: {error}"))])?;
    merge_text(&Directory::default(), &text, MergeOptions::default())
}

fn file_faults(file: &Path) -> Vec<Fault> {
    let shown = file.display().to_string();
    let faults = read_directory(file).map_or_else(|faults| faults, |directory| validate(&directory));
    faults.into_iter().map(|fault| fault.in_file(&shown)).collect()
}

/// Whether there is a database to look into; looking must not make one.
fn has_database(config: &Config) -> bool {
    match socket_path(config) {
        Some(socket) => socket.with_extension("").exists(),
        None => config.database.url.expose_secret().starts_with("postgres"),
    }
}

fn scope(word: &str) -> Result<Scope, String> {
    match word {
        "read" => Ok(Scope::Read),
        "write" => Ok(Scope::Write),
        "admin" => Ok(Scope::Admin),
        other => Err(format!("`{other}` is none of read, write, admin")),
    }
}
