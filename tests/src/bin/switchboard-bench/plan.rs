//! How long and how often is measured, and where.

use crate::driver::Driver;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The variable that names the administrator's database of a PostgreSQL to measure on.
const POSTGRES: &str = "SWITCHBOARD_TEST_POSTGRES";

/// What the command line asked for.
pub struct Plan {
    /// Short runs, to see that everything works; no figures to quote.
    pub quick: bool,
    /// Repetitions of everything, at least three.
    pub repetitions: usize,
    /// Before each measurement.
    pub warm_up: Duration,
    /// Of one measurement.
    pub duration: Duration,
    /// Clients or connections at once.
    pub clients: usize,
    /// A folder on the disk that is measured.
    pub folder: PathBuf,
}

/// A PostgreSQL database, dropped by [`Scratch::drop_it`].
pub struct Scratch {
    admin: String,
    name: String,
}

impl Plan {
    /// Three short repetitions, or five of a length that evens out checkpoints.
    pub fn new(quick: bool, folder: &Path) -> Self {
        let (repetitions, warm_up, duration) = if quick { (3, 300, 1_000) } else { (5, 1_500, 6_000) };
        let (warm_up, duration) = (Duration::from_millis(warm_up), Duration::from_millis(duration));
        Self { quick, repetitions, warm_up, duration, clients: 64, folder: folder.to_owned() }
    }

    /// A path for a SQLite file that does not exist, in the folder.
    ///
    /// # Errors
    /// When what was there before cannot be removed.
    pub fn sqlite(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(name).join("switchboard.db");
        match std::fs::remove_dir_all(self.folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("an old database cannot be removed"),
            _ => Ok(path),
        }
    }

    /// A fresh database on PostgreSQL.
    ///
    /// # Errors
    /// When there is no server, or it does not keep what it confirms.
    pub async fn postgres(&self) -> Result<Scratch> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Ok(admin) = std::env::var(POSTGRES) else { bail!("{POSTGRES} names no PostgreSQL to measure on") };
        let name = format!("bench_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut driver = Driver::open(&admin).await?;
        for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
            let sql = format!("SELECT COUNT(*) FROM pg_settings WHERE name = '{setting}' AND setting = 'on'");
            if driver.number(&sql).await? != 1 {
                bail!("{setting} is off on this PostgreSQL; figures of a server that may lose what it confirmed mean nothing");
            }
        }
        driver.script(&format!("CREATE DATABASE {name}")).await?;
        // What went before must not be written out in the time of what comes.
        driver.script("CHECKPOINT").await?;
        driver.close().await;
        Ok(Scratch { admin, name })
    }
}

impl Scratch {
    /// Its address.
    pub fn url(&self) -> String {
        let server = self.admin.rsplit_once('/').map_or(self.admin.as_str(), |(server, _)| server);
        format!("{server}/{}", self.name)
    }

    /// Drops the database.
    ///
    /// # Errors
    /// When the server does not.
    pub async fn drop_it(self) -> Result<()> {
        let mut driver = Driver::open(&self.admin).await?;
        driver.script(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await?;
        driver.close().await;
        Ok(())
    }
}
