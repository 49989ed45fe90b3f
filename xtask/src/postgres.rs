//! A PostgreSQL of the run's own: a cluster in a temporary folder on a free loopback port.

use crate::{process, tools};
use anyhow::{Context, Result, bail};
use std::env;
use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The user that the tests connect as.
const USER: &str = "switchboard";
/// How often a port is tried that somebody else may take in between.
const MOST_STARTS: usize = 5;
/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// What every run needs.
const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
max_connections = 300
wal_level = minimal
max_wal_senders = 0
shared_buffers = 128MB
autovacuum_naptime = 10s
log_min_messages = warning
";

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The end of any process, and not of the machine: for tests, which kill hosts, never the database.
    OfProcesses,
    /// Everything that PostgreSQL promises: for measurements.
    Full,
}

/// A running server. Stopped and removed by `stop`, or when dropped.
pub struct Cluster {
    server: Child,
    port: u16,
    password: String,
    folder: TempDir,
}

impl Cluster {
    /// The variable by which tests and measurements find it: a URL of its administration database.
    pub const VARIABLE: &str = "SWITCHBOARD_TEST_POSTGRES";

    /// Makes a cluster, starts it, and says so.
    pub fn start(durability: Durability) -> Result<Self> {
        let Some(programs) = tools::postgres_programs() else {
            bail!("no PostgreSQL 15 or newer was found; Switchboard runs on it as well as on SQLite");
        };
        // The usual folder may lie in memory, where a commit costs nothing.
        let on_disk = Path::new("/var/tmp");
        let parent = if durability == Durability::Full && on_disk.is_dir() { on_disk.to_owned() } else { env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("switchboard-postgres-").tempdir_in(parent);
        let folder = folder.context("cannot make a temporary folder")?;
        let password = random_password()?;
        let password_file = folder.path().join("password");
        fs::write(&password_file, &password).with_context(|| format!("cannot write {}", password_file.display()))?;
        if is_root() {
            // The server refuses to run as root; everything in the folder belongs to its own user.
            process::run(Command::new("chown").args(["-R", "postgres:"]).arg(folder.path()))?;
        }
        let data = folder.path().join("data");
        let mut initdb = as_server_user(&programs.join("initdb"));
        initdb.arg("--pgdata").arg(&data).arg("--pwfile").arg(&password_file);
        initdb.args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]);
        process::output(&mut initdb)?;
        let disk = if durability == Durability::OfProcesses { "fsync = off\nfull_page_writes = off\n" } else { "" };
        let socket = format!("unix_socket_directories = '{}'\n", folder.path().display());
        append(&data.join("postgresql.conf"), &format!("{SETTINGS}{disk}{socket}"))?;
        let version = process::output(Command::new(programs.join("postgres")).arg("--version"))?;
        let version = process::version(&version).map_or(version, |(major, minor)| format!("{major}.{minor}"));
        for _ in 0..MOST_STARTS {
            let port = free_port()?;
            let mut server = start_server(&programs, &data, port, folder.path())?;
            if is_ready(&mut server, &data)? {
                println!("PostgreSQL {version} on port {port}");
                return Ok(Self { server, port, password, folder });
            }
        }
        let mut log = String::new();
        let _ = fs::File::open(folder.path().join("log")).and_then(|mut file| file.read_to_string(&mut log));
        bail!("PostgreSQL did not start:\n{log}")
    }

    /// The URL of the administration database.
    pub fn url(&self) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    /// Stops the server and removes the folder.
    pub fn stop(mut self) -> Result<()> {
        self.halt()?;
        self.folder
            .path()
            .exists()
            .then(|| fs::remove_dir_all(self.folder.path()))
            .transpose()
            .context("cannot remove the cluster")?;
        Ok(())
    }

    /// Asks the server to drop its connections and stop, then insists.
    fn halt(&mut self) -> Result<()> {
        if self.server.try_wait().context("cannot look at PostgreSQL")?.is_some() {
            return Ok(());
        }
        let pid = self.server.id().to_string();
        process::succeeds(Command::new("kill").args(["-INT", &pid]));
        let deadline = Instant::now() + PATIENCE;
        while self.server.try_wait().context("cannot look at PostgreSQL")?.is_none() {
            if Instant::now() > deadline {
                self.server.kill().context("cannot kill PostgreSQL")?;
                self.server.wait().context("cannot wait for PostgreSQL")?;
                bail!("PostgreSQL (process {pid}) did not stop within {} s and was killed", PATIENCE.as_secs());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.halt() {
            eprintln!("warning: {error:#}");
        }
    }
}

fn start_server(programs: &Path, data: &Path, port: u16, folder: &Path) -> Result<Child> {
    let log = fs::File::options().create(true).append(true).open(folder.join("log")).context("cannot open the server's log")?;
    let mut server = as_server_user(&programs.join("postgres"));
    server.arg("-D").arg(data).args(["-p", &port.to_string()]);
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    server.spawn().context("cannot start PostgreSQL")
}

/// Waits until the server takes connections; false when it ended first, as it does when the port was taken.
fn is_ready(server: &mut Child, data: &Path) -> Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if server.try_wait().context("cannot look at PostgreSQL")?.is_some() {
            return Ok(false);
        }
        // The server writes its state on the last line of this file.
        let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        if state.lines().next_back().is_some_and(|line| line.trim() == "ready") {
            return Ok(true);
        }
        if Instant::now() > deadline {
            server.kill().context("cannot kill PostgreSQL")?;
            server.wait().context("cannot wait for PostgreSQL")?;
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// A command that runs as `postgres` when this process is root, and that ends with this process where the system
/// can promise it, so that a killed run leaves no server behind.
fn as_server_user(program: &Path) -> Command {
    let Some(setpriv) = process::find("setpriv") else {
        let mut command = Command::new(if is_root() { Path::new("runuser") } else { program });
        if is_root() {
            command.args(["-u", "postgres", "--"]).arg(program);
        }
        return command;
    };
    let mut command = Command::new(setpriv);
    if is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "INT", "--"]).arg(program).current_dir("/");
    command
}

fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot bind a loopback port")?;
    Ok(listener.local_addr().context("cannot read the port")?.port())
}

fn random_password() -> Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn append(file: &PathBuf, text: &str) -> Result<()> {
    let before = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    fs::write(file, before + text).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::{Cluster, Durability};
    use crate::process;
    use std::process::Command;

    #[test]
    fn a_cluster_takes_connections_with_its_password_and_leaves_nothing_behind() {
        let cluster = Cluster::start(Durability::OfProcesses).expect("PostgreSQL is installed");
        let psql = |url: &str, question: &str| {
            let mut command = Command::new("psql");
            process::output(command.args([url, "--no-psqlrc", "--no-password", "-tAc", question]))
        };
        assert_eq!(psql(&cluster.url(), "SHOW server_encoding").expect("the server answers"), "UTF8");
        assert_eq!(psql(&cluster.url(), "SELECT datcollate FROM pg_database LIMIT 1").expect("the server answers"), "C.UTF-8");
        let without_password = cluster.url().replace(&cluster.password, "guess");
        assert!(psql(&without_password, "SELECT 1").is_err(), "a stranger was let in");

        let (folder, pid, url) = (cluster.folder.path().to_owned(), cluster.server.id(), cluster.url());
        cluster.stop().expect("the server stops");
        assert!(!folder.exists(), "the folder is still there");
        assert!(!process::succeeds(Command::new("kill").args(["-0", &pid.to_string()])), "the server is still there");
        assert!(psql(&url, "SELECT 1").is_err(), "something still listens");
    }
}
