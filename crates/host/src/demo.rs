//! First steps: the directory that an empty database begins with, and a password to try the desk with.

use crate::config::Config;
use secrecy::{ExposeSecret, SecretString};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use switchboard_engine::{ApplyOptions, Caller, Engine};

/// Letters that nobody confuses.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const PASSWORD_LETTERS: usize = 16;

/// Applies the first directory to an empty database. With `demo`, its people get one password, kept in a file beside
/// the database. Answers with that file when there is one.
///
/// # Errors
/// The faults of the directory file, a line each.
pub async fn prepare(config: &Config, engine: &Engine) -> Result<Option<PathBuf>, String> {
    if let Some(file) = config.first_directory.as_deref().filter(|_| engine.directory().version == 0) {
        apply(engine, file).await?;
        if config.demo {
            make_passwords(config, engine).await?;
        }
    }
    Ok(password_file(config).filter(|file| config.demo && file.exists()))
}

/// What to try first, in words for the terminal.
pub fn welcome(config: &Config, engine: &Engine, url: &str, password_file: Option<&Path>) -> String {
    let mut text = format!("Switchboard is ready at {url}\n");
    let Some(file) = password_file else { return text };
    let password = std::fs::read_to_string(file).unwrap_or_default();
    let directory = engine.directory();
    let first = directory.users.iter().find(|user| user.is_active()).map(|user| user.email.clone()).unwrap_or_default();
    text += &format!("\nSign in as {first} or any of its colleagues (`switchboard user list`)\n");
    text += &format!("with the password {} (kept in {})\n\nTry:\n", password.trim(), file.display());
    text += "  1. swaks --server 127.0.0.1:2525 --from maja@customer.test --to support@example.test \\\n";
    text += "           --header 'Subject: Where is my parcel?' --body 'It should have come on Monday.'\n";
    for (slug, _) in config.channels.iter().filter(|(_, channel)| channel.kind == switchboard_model::ChannelKind::Form).take(1) {
        text += &format!("  2. fill in the form at {url}/channels/{slug}/\n");
    }
    text += "  3. switchboard explain --config config/switchboard.toml NUMBER   (the number the desk shows)\n";
    text
}

async fn apply(engine: &Engine, file: &Path) -> Result<(), String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("first_directory: {shown} cannot be read: {error}"))?;
    let report = engine.apply(&Caller::system(), &text, ApplyOptions::default()).await.map_err(|error| {
        crate::control::shown(error).lines().map(|line| format!("{shown}: {line}")).collect::<Vec<_>>().join("\n")
    })?;
    tracing::info!(version = report.version, changes = report.changes.len(), "the first directory is applied");
    Ok(())
}

async fn make_passwords(config: &Config, engine: &Engine) -> Result<(), String> {
    let password = password()?;
    for user in engine.directory().users.iter().filter(|user| user.is_active()) {
        engine.set_password(&Caller::system(), user.id, password.clone()).await.map_err(crate::control::shown)?;
    }
    let Some(file) = password_file(config) else { return Ok(()) };
    let written = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file);
    written
        .and_then(|mut opened| writeln!(opened, "{}", password.expose_secret()))
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// Beside the SQLite file; a demo on PostgreSQL keeps it in the folder it was started in.
fn password_file(config: &Config) -> Option<PathBuf> {
    match crate::control::socket_path(config) {
        Some(socket) => Some(socket.with_file_name("demo-password")),
        None => Some(PathBuf::from("demo-password")),
    }
}

fn password() -> Result<SecretString, String> {
    let mut bytes = [0_u8; PASSWORD_LETTERS];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no random bytes: {error}"))?;
    let letters: String = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    Ok(letters.into())
}
