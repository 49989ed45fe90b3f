//! A throw-away PostgreSQL cluster: one per run of the tests, a database made from a template for each test.
//!
//! `SWITCHBOARD_TEST_POSTGRES`, the address of an administrator's database, names a cluster to use instead. Under
//! nextest, where every test is a process of its own, the processes of a run share the cluster through a folder
//! named after the runner; a small shell process stops the cluster when the runner is gone, however it went.

use crate::tests::options;
use crate::{Store, StoreError};
use sea_orm::sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::fs::OpenOptions;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const NEEDED: &str = "the storage tests need PostgreSQL 15 or newer: install the Debian package `postgresql`, \
    or set SWITCHBOARD_TEST_POSTGRES to the address of an administrator's database";

/// The address of an empty database with the schema in place.
pub(super) async fn fresh_database() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let admin = admin().await;
    let name = format!("sb_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let template = template_name();
    run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    beside(&admin, &name)
}

/// Drops a database of [`fresh_database`]; does nothing for other addresses.
pub(super) async fn drop_database(url: &str) {
    if url.starts_with("postgres") {
        let name = url.rsplit('/').next().unwrap().to_owned();
        run(&admin().await, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    }
}

/// The address of the administrator's database of a running cluster that has the template.
async fn admin() -> String {
    let folder = std::env::temp_dir().join(format!("switchboard-test-{}", run_key()));
    std::fs::create_dir_all(&folder).unwrap();
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let ready = folder.join("ready");
    if let Ok(admin) = std::fs::read_to_string(&ready) {
        return admin;
    }
    let admin = match variable("SWITCHBOARD_TEST_POSTGRES") {
        Some(admin) => {
            leave_a_cleaner(&folder, ":");
            admin
        }
        None => start(&folder),
    };
    let template = template_name();
    run(&admin, &format!("DROP DATABASE IF EXISTS {template}")).await;
    run(&admin, &format!("CREATE DATABASE {template}")).await;
    let opened: Result<Store, StoreError> = Store::open(&beside(&admin, &template), options()).await;
    opened.expect("the template database gets its schema").close().await;
    std::fs::write(ready, &admin).unwrap();
    admin
}

/// Initialises and starts a cluster in the folder, and leaves a process that will stop it.
fn start(folder: &Path) -> String {
    let bin = programs().unwrap_or_else(|| panic!("{NEEDED}"));
    let as_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    if as_root {
        succeed(Command::new("chown").arg("postgres").arg(&data));
        // The server's user has to get through to its folder.
        succeed(Command::new("chmod").arg("755").arg(folder));
    }
    let as_server = |program: &str| {
        let path = bin.join(program);
        if !as_root {
            return Command::new(path);
        }
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(path);
        command
    };
    let cluster = data.join("cluster");
    let locale = ["-A", "trust", "-U", "sb", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"];
    succeed(as_server("initdb").arg("-D").arg(&cluster).args(locale));
    let stop = format!("{} -D '{}' -m immediate -w stop", bin.join("pg_ctl").display(), cluster.display());
    leave_a_cleaner(folder, &if as_root { format!("runuser -u postgres -- {stop}") } else { stop });
    let starts_on = |port: u16| {
        let settings = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300 -c shared_buffers=32MB -k {}",
            data.display()
        );
        let mut start = as_server("pg_ctl");
        start.arg("-D").arg(&cluster).arg("-l").arg(data.join("log")).args(["-w", "-o", &settings, "start"]);
        start.stdout(Stdio::null()).status().unwrap().success()
    };
    // Somebody may get the port between the choice and the start.
    let mut ports = (0..5).map(|_| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let Some(port) = ports.find(|port| starts_on(*port)) else {
        panic!("PostgreSQL does not start:\n{}", std::fs::read_to_string(data.join("log")).unwrap_or_default());
    };
    format!("postgres://sb@127.0.0.1:{port}/postgres")
}

/// Leaves a shell that waits for the end of the run, runs a command and removes the folder.
#[allow(clippy::zombie_processes, reason = "it outlives this process on purpose")]
fn leave_a_cleaner(folder: &Path, stop: &str) {
    let key = run_key();
    let script = format!("while kill -0 {key} 2>/dev/null; do sleep 0.5; done; {stop}; rm -rf '{}'", folder.display());
    Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell that cleans up");
}

/// The process whose end is the end of the run: nextest, or this one.
fn run_key() -> u32 {
    if variable("NEXTEST").is_some() { std::os::unix::process::parent_id() } else { std::process::id() }
}

fn template_name() -> String {
    format!("sb_template_{}", run_key())
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let newest = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    let debian = newest.map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    let elsewhere = || {
        let found = Command::new("pg_config").arg("--bindir").output().ok()?;
        Some(PathBuf::from(String::from_utf8(found.stdout).ok()?.trim()))
    };
    debian.or_else(elsewhere).filter(|bin| bin.join("initdb").exists())
}

fn succeed(command: &mut Command) {
    let done = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().and_then(wait);
    match done {
        Ok(None) => {}
        Ok(Some(error)) => panic!("{NEEDED}; {command:?} said: {error}"),
        Err(error) => panic!("{NEEDED}; {command:?}: {error}"),
    }
}

fn wait(child: std::process::Child) -> std::io::Result<Option<String>> {
    let output = child.wait_with_output()?;
    Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned()))
}

async fn run(admin: &str, sql: &str) {
    let mut connection = PgConnection::connect(admin).await.unwrap_or_else(|error| panic!("{NEEDED}; {error}"));
    connection.execute(AssertSqlSafe(sql)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    connection.close().await.unwrap();
}

fn beside(admin: &str, name: &str) -> String {
    let (server, _) = admin.rsplit_once('/').expect("an address ends in the name of a database");
    format!("{server}/{name}")
}

#[allow(clippy::disallowed_methods, reason = "tests take their surroundings from the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
