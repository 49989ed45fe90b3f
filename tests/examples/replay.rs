//! Lives through generated work and decides it again: `replay SEED DECISIONS`.

use anyhow::{Context, Result, bail};
use switchboard_tests::{Random, live};

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [seed, decisions] = words.as_slice() else { bail!("usage: replay SEED DECISIONS") };
    let seed = seed.parse().context("the seed is a number")?;
    let decisions = decisions.parse().context("the decisions are a number")?;
    let folder = tempfile::tempdir()?;
    let lived = live(folder.path(), Random::seeded(seed), decisions).await?;
    println!("seed {seed}: {}", lived.summary);
    if lived.report.differences > 0 {
        bail!("{:#?}", lived.report.listed);
    }
    Ok(())
}
