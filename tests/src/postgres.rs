//! A PostgreSQL cluster for the run: the one that `SWITCHBOARD_TEST_POSTGRES` names, or a throw-away one.
//!
//! Under nextest every test is a process of its own; the processes of a run share a cluster through a folder named
//! after the runner, and a small process stops it when the runner is gone, however it went.

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const NEEDED: &str = "the end-to-end tests need PostgreSQL 15 or newer: install the Debian package `postgresql`, or set \
    SWITCHBOARD_TEST_POSTGRES to the address of an administrator's database";

/// The address of the administrator's database.
pub(crate) fn admin() -> String {
    if let Ok(named) = std::env::var("SWITCHBOARD_TEST_POSTGRES") {
        return named;
    }
    let folder = std::env::temp_dir().join(format!("switchboard-e2e-{}", run_key()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock"));
    let lock = lock.expect("the folder of the run can be written");
    lock.lock().expect("files can be locked");
    let ready = folder.join("ready");
    if let Ok(admin) = std::fs::read_to_string(&ready) {
        return admin;
    }
    let admin = start(&folder);
    std::fs::write(ready, &admin).expect("the folder of the run can be written");
    admin
}

/// The address of another database of the same cluster.
pub(crate) fn beside(admin: &str, name: &str) -> String {
    let (server, _) = admin.rsplit_once('/').expect("an address ends in the name of a database");
    format!("{server}/{name}")
}

/// Runs SQL and answers with what `psql` prints, unaligned and without headings.
pub(crate) fn run(url: &str, sql: &str) -> Result<String, String> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--dbname", url])
        .args(["--command", sql])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{NEEDED}; psql: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{sql}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn start(folder: &Path) -> String {
    let bin = programs().unwrap_or_else(|| panic!("{NEEDED}"));
    let as_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let data = folder.join("data");
    std::fs::create_dir(&data).expect("the folder of the run can be written");
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
    let locale = ["-A", "trust", "-U", "switchboard", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"];
    succeed(as_server("initdb").arg("-D").arg(&cluster).args(locale));
    let port = switchboard_channel_testkit::free_port();
    // Hosts are killed here, never the database, so nothing rests on the disk.
    let settings = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300 -c shared_buffers=64MB -k {}",
        data.display()
    );
    leave_a_stopper(folder, &cluster, &bin, as_root);
    succeed(as_server("pg_ctl").arg("-D").arg(&cluster).arg("-l").arg(data.join("log")).args(["-w", "-o", &settings, "start"]));
    format!("postgres://switchboard@127.0.0.1:{port}/postgres")
}

/// Waits for the end of the run, stops the cluster and removes its folder.
fn leave_a_stopper(folder: &Path, cluster: &Path, bin: &Path, as_root: bool) {
    let stop = format!("{} -D {} -m immediate -w stop", bin.join("pg_ctl").display(), cluster.display());
    let stop = if as_root { format!("runuser -u postgres -- {stop}") } else { stop };
    let script = format!("tail --pid={} -f /dev/null; {stop}; rm -rf '{}'", run_key(), folder.display());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    // It outlives this process, which therefore never waits for it.
    drop(shell.spawn().expect("a shell that stops the cluster can be started"));
}

/// The process whose end is the end of the run: nextest, or this one.
fn run_key() -> u32 {
    if std::env::var_os("NEXTEST").is_some() { std::os::unix::process::parent_id() } else { std::process::id() }
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    let debian = newest.map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    let elsewhere = || {
        let found = Command::new("pg_config").arg("--bindir").output().ok()?;
        Some(PathBuf::from(String::from_utf8(found.stdout).ok()?.trim()))
    };
    debian.or_else(elsewhere).filter(|bin| bin.join("initdb").exists())
}

fn succeed(command: &mut Command) {
    // A server that goes on running keeps a pipe open, so what it prints goes to a file of its own and not here.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    assert!(status.as_ref().is_ok_and(std::process::ExitStatus::success), "{NEEDED}; {command:?}: {status:?}");
}
