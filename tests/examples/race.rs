//! A longer race than the suite runs: `race postgres|sqlite SEED SECONDS`.

use anyhow::{Context, Result, bail};
use std::time::Duration;
use switchboard_tests::{Database, Random, race};

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [kind, seed, seconds] = words.as_slice() else { bail!("usage: race postgres|sqlite SEED SECONDS") };
    let folder = tempfile::tempdir()?;
    let database = match kind.as_str() {
        "postgres" => Database::postgres(),
        "sqlite" => Database::sqlite_in(folder.path()),
        other => bail!("`{other}` is neither postgres nor sqlite"),
    };
    let seed = seed.parse().context("the seed is a number")?;
    let seconds = seconds.parse().context("the seconds are a number")?;
    let outcome = race(&database, Random::seeded(seed), Duration::from_secs(seconds)).await;
    println!("seed {seed}: {}", outcome.summary);
    if !outcome.broken.is_empty() {
        if !database.is_shared() {
            println!("the database is kept in {}", folder.keep().display());
        }
        bail!("{}", outcome.broken.join("\n"));
    }
    Ok(())
}
