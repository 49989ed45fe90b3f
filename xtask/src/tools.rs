//! The programs that checks and tests start: found where they are installed, else installed.

use crate::process;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The version of cargo-deny that `deny.toml` was written for.
const CARGO_DENY_VERSION: &str = "0.20.2";
/// The oldest PostgreSQL that the storage is written for.
const OLDEST_POSTGRES: u32 = 15;
/// Where Debian's tool for clusters looks for further settings.
const CLUSTER_SETTINGS: &str = "/etc/postgresql-common/createcluster.d";
/// What package scripts ask whether they may start a service.
const SERVICE_POLICY: &str = "/usr/sbin/policy-rc.d";
/// A download that breaks off is begun again.
pub const DOWNLOAD_RETRIES: &str = "Acquire::Retries=5";
/// Pauses before the package lists are read again.
const UPDATE_PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(20)];
/// The database of known faults in crates.
const ADVISORIES: &str = "https://github.com/RustSec/advisory-db";

/// One program that tests start.
struct Need {
    /// What it is, for people.
    what: &'static str,
    /// The Debian package that has it.
    package: &'static str,
    /// Whether it is there.
    is_there: fn() -> bool,
}

const NEEDS: [Need; 8] = [
    Need { what: "PostgreSQL 15 or newer", package: "postgresql", is_there: || postgres_programs().is_some() },
    Need { what: "Chromium", package: "chromium", is_there: || process::find("chromium").is_some() },
    Need { what: "ChromeDriver", package: "chromium-driver", is_there: || process::find("chromedriver").is_some() },
    Need { what: "swaks", package: "swaks", is_there: || process::find("swaks").is_some() },
    Need { what: "Dovecot's IMAP server", package: "dovecot-imapd", is_there: || has_dovecot("imap") },
    Need { what: "Dovecot's LMTP server", package: "dovecot-lmtpd", is_there: || has_dovecot("lmtp") },
    Need { what: "xz, for the sources of mails to test with", package: "xz-utils", is_there: || process::find("xz").is_some() },
    Need { what: "aiosmtpd for /usr/bin/python3", package: "python3-aiosmtpd", is_there: has_aiosmtpd },
];

/// Installs the Debian packages that are missing, and fails with one line naming what cannot be had.
pub fn install_packages() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if process::find("apt-get").is_none() || process::output(Command::new("id").arg("-u")).is_ok_and(|id| id != "0") {
        bail!("the tests need {}; as root: apt-get install {}", names(&missing), packages.join(" "));
    }
    {
        let _quiet = QuietServices::begin()?;
        update_package_lists()?;
        process::announce(apt().args(["install", "--no-install-recommends"]).args(&packages))?;
    }
    let missing = self::missing();
    if !missing.is_empty() {
        bail!("the tests need {}, which the packages of this system do not bring", names(&missing));
    }
    Ok(())
}

/// Reads anew which Debian packages there are; a fresh machine may know of none.
pub fn update_package_lists() -> Result<()> {
    update(|| {
        let mut command = apt();
        command.arg("update");
        command
    })
}

/// Runs `apt-get update`, which is tried three times. A list that cannot be had fails the first two; the last one makes do
/// with what there is, as apt does unless told otherwise: it may be a list that nobody needs.
pub fn update(command: impl Fn() -> Command) -> Result<()> {
    for pause in UPDATE_PAUSES {
        match process::announce(command().args(["-o", "APT::Update::Error-Mode=any"])) {
            Ok(()) => return Ok(()),
            Err(error) => println!("{error:#}; trying again in {} s", pause.as_secs()),
        }
        std::thread::sleep(pause);
    }
    process::announce(&mut command())
}

/// The folder of the newest PostgreSQL server's programs.
pub fn postgres_programs() -> Option<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let folders = installed.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let on_path = process::find("postgres").and_then(|file| Some(file.parent()?.to_owned()));
    let found = folders.chain(on_path).filter(|folder| folder.join("initdb").is_file()).filter_map(|folder| {
        let text = process::output(Command::new(folder.join("postgres")).arg("--version")).ok()?;
        Some((process::version(&text)?, folder))
    });
    found.filter(|((major, _), _)| *major >= OLDEST_POSTGRES).max().map(|(_, folder)| folder)
}

/// cargo-deny in the version that the project pins, built once into the target folder.
pub fn cargo_deny(root: &Path) -> Result<PathBuf> {
    let is_wanted = |program: &Path| {
        let text = process::output(Command::new(program).arg("--version"));
        text.is_ok_and(|text| text.split(' ').any(|word| word == CARGO_DENY_VERSION))
    };
    if let Some(installed) = process::find("cargo-deny").filter(|program| is_wanted(program)) {
        return Ok(installed);
    }
    let folder = crate::tree::metadata(root)?.target_directory.join("tools");
    let program = folder.join("bin/cargo-deny");
    if !is_wanted(&program) {
        println!("building cargo-deny {CARGO_DENY_VERSION}, once; this takes some minutes");
        let mut install = process::cargo(root);
        install.args(["install", "cargo-deny", "--locked", "--quiet", "--version", CARGO_DENY_VERSION, "--root"]).arg(&folder);
        process::announce(&mut install)?;
    }
    Ok(program)
}

/// Brings the advisory database, and what the registry says of the crates that are used, onto this machine.
pub fn fetch_advisories(root: &Path, cargo_deny: &Path) -> Result<()> {
    let mut fetch = Command::new(cargo_deny);
    // A host that accepts the connection and then says nothing is given up.
    fetch.env("GIT_HTTP_LOW_SPEED_LIMIT", "1").env("GIT_HTTP_LOW_SPEED_TIME", "30").env("GIT_TERMINAL_PROMPT", "0");
    process::announce(fetch.current_dir(root).args(["--all-features", "fetch", "db", "index"]))
}

/// Whether the advisory database answers.
pub fn reaches_advisories() -> bool {
    let mut ask = Command::new("git");
    // A host that accepts the connection and then says nothing is given up after ten seconds.
    ask.args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=10", "ls-remote", "--quiet", ADVISORIES, "HEAD"]);
    process::succeeds(ask.env("GIT_TERMINAL_PROMPT", "0"))
}

fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !(need.is_there)()).collect()
}

fn names(needs: &[&Need]) -> String {
    needs.iter().map(|need| need.what).collect::<Vec<_>>().join(", ")
}

fn has_aiosmtpd() -> bool {
    process::succeeds(Command::new("/usr/bin/python3").args(["-c", "import aiosmtpd"]))
}

/// Whether Dovecot is there with this part of it. Its programs lie beside no other's, and not on every user's path.
fn has_dovecot(part: &str) -> bool {
    Path::new("/usr/sbin/dovecot").exists() && Path::new("/usr/lib/dovecot").join(part).exists()
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.args(["--yes", "--quiet", "-o", "DPkg::Lock::Timeout=300", "-o", DOWNLOAD_RETRIES]);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Keeps package scripts from starting services and from making a database cluster; undone when dropped.
struct QuietServices {
    made: Vec<PathBuf>,
}

impl QuietServices {
    fn begin() -> Result<Self> {
        let mut quiet = Self { made: Vec::new() };
        let clusters = Path::new(CLUSTER_SETTINGS);
        fs::create_dir_all(clusters).with_context(|| format!("cannot make {}", clusters.display()))?;
        quiet.make(&clusters.join("switchboard-tests.conf"), "create_main_cluster = false\n")?;
        let policy = Path::new(SERVICE_POLICY);
        // A policy that is there already is somebody's decision; containers come with the same one.
        if !policy.exists() {
            quiet.make(policy, "#!/bin/sh\nexit 101\n")?;
            process::run(Command::new("chmod").arg("755").arg(policy))?;
        }
        Ok(quiet)
    }

    fn make(&mut self, file: &Path, text: &str) -> Result<()> {
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        self.made.push(file.to_owned());
        Ok(())
    }
}

impl Drop for QuietServices {
    fn drop(&mut self) {
        for file in &self.made {
            if let Err(error) = fs::remove_file(file) {
                eprintln!("warning: cannot remove {}: {error}", file.display());
            }
        }
    }
}
