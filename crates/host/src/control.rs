//! Commands for a database that is in use: jobs go to the running host over a local socket, and run here where no
//! host runs (DESIGN 3.8).

use crate::clock::SystemClock;
use crate::config::Config;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use switchboard_api::{describe_waiting, describe_why_not};
use switchboard_engine::{ApplyOptions, Caller, Engine, EngineError, EngineOptions, Scope};
use switchboard_model::{ItemId, Timestamp, TokenId, User};
use switchboard_storage::{Store, StoreErrorKind, StoreOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

const MAX_REQUEST_BYTES: u64 = 16 * 1024 * 1024;
const HOUR_MS: i64 = 3_600_000;

/// Something that the command line asks of the host.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Apply a directory file.
    Apply {
        /// Its text.
        text: String,
        /// Only say what would change.
        dry_run: bool,
        /// Absent entries go.
        prune: bool,
    },
    /// The directory as a file.
    Export,
    /// Faults of what is stored, with these channels configured.
    Check {
        /// Slugs and kinds of the configuration.
        channels: BTreeMap<String, String>,
        /// The text of a directory file to check on top of what is stored.
        file: Option<String>,
    },
    /// Why an item went to whom it went.
    Explain {
        /// The item.
        item: i64,
        /// Every decision.
        all: bool,
        /// Language.
        language: String,
        /// The email of somebody; the answer is then why that person does not have it.
        #[serde(default)]
        why_not: Option<String>,
    },
    /// Decide recorded history again.
    Replay {
        /// From this consumption number on.
        from: u64,
    },
    /// Directory, draft and history for a simulation.
    Simulation {
        /// The text of the draft.
        draft: String,
        /// The name of its file, for faults.
        file: String,
        /// Days of history, where it is wanted.
        days: Option<u32>,
    },
    /// Everybody who can sign in.
    ListUsers,
    /// Set a password.
    SetPassword {
        /// Whose.
        email: String,
        /// The password.
        password: String,
    },
    /// Live tokens.
    ListTokens,
    /// Make a token.
    CreateToken {
        /// What it is for.
        name: String,
        /// What it allows.
        scopes: Vec<Scope>,
        /// When it ends.
        days: Option<u32>,
    },
    /// Revoke a token.
    RevokeToken {
        /// Which.
        id: i64,
    },
}

/// The answer to a job: text for standard output, or what went wrong.
pub type Answer = Result<String, String>;

/// Runs a job in the running host, or on the database itself where none runs.
pub async fn perform(config: &Config, job: Job) -> Answer {
    if let Some(path) = socket_path(config)
        && let Ok(stream) = UnixStream::connect(&path).await
    {
        return ask(stream, &job)
            .await
            .map_err(|error| format!("the running host did not answer over {}: {error}", path.display()))?;
    }
    let store = open_store(config).await?;
    let options = EngineOptions {
        store: store.clone(),
        clock: Arc::new(SystemClock::new()),
        outlets: BTreeMap::new(),
        words: Arc::new(switchboard_web::translate),
        holder: String::from("command line"),
        session_idle_ms: i64::from(config.session.idle_hours) * HOUR_MS,
        session_ms: i64::from(config.session.max_days) * 24 * HOUR_MS,
    };
    let (engine, writing) = Engine::new(options).await.map_err(|error| error.to_string())?;
    let writing = tokio::spawn(writing);
    let answer = run(&engine, job).await;
    let settled = engine.settle().await.map_err(|error| error.to_string());
    writing.abort();
    store.close().await;
    settled.and(answer)
}

/// Opens the database that the configuration names.
pub async fn open_store(config: &Config) -> Result<Store, String> {
    let options = StoreOptions { readers: config.database.readers, ..StoreOptions::default() };
    Store::open(config.database.url.expose_secret(), options).await.map_err(|error| match error.kind {
        StoreErrorKind::Locked => format!("{error}; stop it first, or give both the same PostgreSQL database"),
        _ => error.to_string(),
    })
}

/// The socket of the host that has the SQLite file; none on PostgreSQL, where commands write beside the hosts.
pub fn socket_path(config: &Config) -> Option<PathBuf> {
    let path = config.database.url.expose_secret().strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    Some(PathBuf::from(format!("{}.sock", path.split('?').next().unwrap_or(path))))
}

/// Answers jobs on the socket until the token is cancelled. Only the host's own account may connect.
pub async fn listen(engine: Engine, path: PathBuf, shutdown: CancellationToken) -> Result<(), String> {
    let listener = bind(&path).map_err(|error| format!("the control socket {} cannot be made: {error}", path.display()))?;
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            if let Ok((stream, _)) = accepted {
                let engine = engine.clone();
                tokio::spawn(async move {
                    if let Err(error) = serve_one(engine, stream).await {
                        tracing::warn!(%error, "a command over the control socket failed");
                    }
                });
            }
        }
        let _ = std::fs::remove_file(&path);
    });
    Ok(())
}

/// A socket gets its mode only after it is bound. Until then it lies in a folder that nobody else may enter, and moves to
/// its place (over one that a host left behind) when it is closed to others.
fn bind(path: &Path) -> std::io::Result<UnixListener> {
    let folder = path.with_file_name(format!(".sock{}", std::process::id()));
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => DirBuilder::new().mode(0o700).create(&folder)?,
    }
    let bare = folder.join("s");
    let bound = UnixListener::bind(&bare).and_then(|listener| {
        std::fs::set_permissions(&bare, Permissions::from_mode(0o600))?;
        std::fs::rename(&bare, path)?;
        Ok(listener)
    });
    std::fs::remove_dir_all(&folder)?;
    bound
}

/// Runs a job on an engine.
pub async fn run(engine: &Engine, job: Job) -> Answer {
    let caller = Caller::system();
    match job {
        Job::Apply { text, dry_run, prune } => apply(engine, &text, ApplyOptions { dry_run, prune }).await,
        Job::Export => Ok(engine.export()),
        Job::Check { channels, file } => crate::check::stored_faults(engine.directory(), channels, file).await,
        Job::Explain { item, language, why_not: Some(email), .. } => why_not(engine, ItemId(item), &email, &language).await,
        Job::Explain { item, all, language, why_not: None } => explain(engine, ItemId(item), all, &language).await,
        Job::Replay { from } => replay(engine, from).await,
        Job::Simulation { draft, file, days } => crate::simulate::give(engine, &draft, &file, days).await,
        Job::ListUsers => Ok(crate::commands::user_table(engine)),
        Job::SetPassword { email, password } => {
            let user = user_by_email(engine, &email)?;
            engine.set_password(&caller, user.id, SecretString::from(password)).await.map_err(shown)?;
            Ok(format!("password of {} set; every session of theirs has ended\n", user.email))
        }
        Job::ListTokens => Ok(crate::commands::token_table(&engine.tokens().await.map_err(shown)?)),
        Job::CreateToken { name, scopes, days } => {
            let expires_at: Option<Timestamp> = days.map(|days| engine.now().plus_ms(i64::from(days) * 24 * HOUR_MS));
            let (secret, view) = engine.create_token(&caller, &name, &scopes, expires_at).await.map_err(shown)?;
            Ok(format!("{}\ntoken {} is made; its secret above is shown this once\n", secret.expose_secret(), view.id))
        }
        Job::RevokeToken { id } => {
            engine.revoke_token(&caller, TokenId(id)).await.map_err(shown)?;
            Ok(format!("token {id} revoked\n"))
        }
    }
}

async fn apply(engine: &Engine, text: &str, options: ApplyOptions) -> Answer {
    let report = engine.apply(&Caller::system(), text, options).await.map_err(shown)?;
    if report.changes.is_empty() {
        return Ok(format!("nothing to change; directory version {} is in force\n", report.version));
    }
    let lines: Vec<String> = report.changes.iter().map(ToString::to_string).collect();
    let end = if options.dry_run {
        "nothing was changed (dry run)".to_owned()
    } else {
        format!("directory version {} is in force", report.version)
    };
    Ok(format!("{}\n{end}\n", lines.join("\n")))
}

async fn explain(engine: &Engine, item: ItemId, all: bool, language: &str) -> Answer {
    let caller = Caller::system();
    let decisions = engine.decisions(&caller, item).await.map_err(shown)?;
    let mut text = String::new();
    if decisions.is_empty() {
        text.push_str(&format!("nothing has been decided about item {item}\n"));
    }
    for decision in decisions.into_iter().take(if all { usize::MAX } else { 1 }) {
        let explained = engine.explanation(&caller, decision.id).await.map_err(shown)?;
        text.push_str(&switchboard_api::describe(&crate::http::translate(), language, &explained));
        text.push('\n');
    }
    if let Some(waiting) = engine.why_waiting(&caller, item).await.map_err(shown)? {
        let words = describe_waiting(&crate::http::translate(), language, Some(&waiting), engine.now());
        text.push_str(&format!("\n{words}\n"));
    }
    Ok(text)
}

async fn why_not(engine: &Engine, item: ItemId, email: &str, language: &str) -> Answer {
    let user = user_by_email(engine, email)?.id;
    let answer = engine.why_not(&Caller::system(), item, user).await.map_err(shown)?;
    Ok(format!("{}\n", describe_why_not(&crate::http::translate(), language, user, answer.as_ref(), engine.now())))
}

fn user_by_email(engine: &Engine, email: &str) -> Result<User, String> {
    let directory = engine.directory();
    let user = directory.user_by_email(email).cloned();
    user.ok_or_else(|| format!("there is no user `{email}`; `switchboard user list` shows all"))
}

async fn replay(engine: &Engine, from: u64) -> Answer {
    let report = engine.replay(from).await.map_err(shown)?;
    let mut text =
        format!("{} inputs, {} decisions compared, {} differences\n", report.inputs, report.decisions, report.differences);
    if report.other_behaviour > 0 {
        text.push_str(&format!(
            "{} inputs left out: a router of another behaviour version consumed them\n",
            report.other_behaviour
        ));
    }
    for difference in &report.listed {
        text.push_str(&format!("\ninput {}\n  then {:?}\n  now  {:?}\n", difference.no, difference.then, difference.now));
    }
    if report.differences == 0 { Ok(text) } else { Err(text) }
}

/// An error with every fault on a line of its own.
pub fn shown(error: EngineError) -> String {
    if error.faults.is_empty() {
        return error.message;
    }
    error.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

async fn ask(mut stream: UnixStream, job: &Job) -> std::io::Result<Answer> {
    stream.write_all(&serde_json::to_vec(job)?).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(serde_json::from_slice(&answer)?)
}

async fn serve_one(engine: Engine, mut stream: UnixStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    (&mut stream).take(MAX_REQUEST_BYTES).read_to_end(&mut request).await?;
    let answer = match serde_json::from_slice(&request) {
        Ok(job) => run(&engine, job).await,
        Err(error) => Err(format!("the running host does not know this command; is it of the same version? ({error})")),
    };
    stream.write_all(&serde_json::to_vec(&answer)?).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::bind;
    use std::os::unix::fs::PermissionsExt;
    use tokio::net::UnixStream;

    #[tokio::test]
    async fn the_control_socket_is_for_our_account_alone_and_takes_the_place_of_one_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db.sock");
        drop(bind(&path).unwrap());
        assert!(path.exists(), "a host that was killed leaves its socket");
        let listener = bind(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        let (asked, taken) = tokio::join!(UnixStream::connect(&path), listener.accept());
        assert!(asked.is_ok() && taken.is_ok());
    }
}
